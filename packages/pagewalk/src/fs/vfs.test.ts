// SPDX-License-Identifier: MIT
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { complete } from '../cli/interactive.js';
import { FakeMachine } from '../fake_machine.js';
import { createSession } from '../session.js';
import { Shell } from '../shell/interpreter.js';
import { runIn } from '../testing.js';
import { FsError } from './filesystem.js';
import { hostFolder } from './host_folder.js';
import { Vfs } from './vfs.js';

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
const bytes = (content: string) => new TextEncoder().encode(content);

function twoMounts(): Vfs {
  const fs = new Vfs(new FakeMachine().files, 'sh');
  fs.mkdir('/mnt');
  fs.mount('none', '/mnt', 'tmpfs');
  return fs;
}

function codeOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    if (error instanceof FsError) return error.code;
    throw error;
  }
  return 'no error';
}

test('links cross mounts, and loops end', () => {
  const fs = twoMounts();
  fs.writeFile('/mnt/file', bytes('one'));
  fs.symlink('mnt/file', '/link');
  fs.symlink('/mnt', '/folder');
  expect(text(fs.readFile('/link'))).toBe('one');
  expect(fs.realpath('/folder/file')).toBe('/mnt/file');
  expect(fs.lstat('/link').type).toBe('symlink');
  fs.writeFile('/link', bytes(' two'), true);
  expect(text(fs.readFile('/mnt/file'))).toBe('one two');
  fs.symlink('loop', '/loop');
  expect(codeOf(() => fs.stat('/loop'))).toBe('ELOOP');
  expect(codeOf(() => fs.stat('/mnt/../nosuch'))).toBe('ENOENT');
});

test('errors as Linux gives them', () => {
  const fs = twoMounts();
  fs.mkdir('/a');
  fs.writeFile('/a/f', bytes('x'));
  const cases: [string, () => void][] = [
    ['EEXIST', () => fs.mkdir('/a')],
    ['ENOTDIR', () => fs.readFile('/a/f/g')],
    ['EISDIR', () => fs.readFile('/a')],
    ['ENOTEMPTY', () => fs.rmdir('/a')],
    ['EBUSY', () => fs.rmdir('/mnt')],
    ['EXDEV', () => fs.rename('/a/f', '/mnt/f')],
    ['EINVAL', () => fs.rename('/a', '/a/b')],
    ['EINVAL', () => fs.readlink('/a/f')],
    ['ENOENT', () => fs.writeFile('/nosuch/f', bytes(''))],
    ['EISDIR', () => fs.unlink('/a')],
    ['EPERM', () => fs.link('/a', '/b')],
  ];
  for (const [code, action] of cases) expect(codeOf(action), action.toString()).toBe(code);
});

test('appending grows a file without losing any of it', () => {
  const fs = twoMounts();
  let whole = '';
  for (let i = 0; i < 200; i++) {
    fs.writeFile('/f', bytes(`${i},`), true);
    whole += `${i},`;
  }
  expect(text(fs.readFile('/f'))).toBe(whole);
  fs.writeFile('/f', bytes('short'));
  expect(text(fs.readFile('/f'))).toBe('short');
});

test('a folder of the host, read and written', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'pagewalk-host-'));
  try {
    const session = createSession({
      machine: new FakeMachine(),
      host: hostFolder(folder, true),
      headers: hostFolder(folder, false),
    });
    const script =
      'cd /host; mkdir d; echo hello >d/f; cp d/f d/g; mv d/g .; cat g; rm -r d; ls; rm /lib/modules/*/build/include/g';
    const { stdout, stderr } = await runIn(session, script);
    expect(stdout).toBe('hello\ng\n');
    expect(stderr).toBe(
      "rm: cannot remove '/lib/modules/6.1.0-pagewalk/build/include/g': Read-only file system\n",
    );
    expect(readFileSync(join(folder, 'g'), 'utf8')).toBe('hello\n');
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('completion: commands first, then files', () => {
  const session = createSession({ machine: new FakeMachine() });
  const shell = new Shell(session, new Map(), new AbortController().signal);
  shell.fs.writeFile('/tmp/module.ko', bytes(''));
  shell.fs.mkdir('/tmp/modules');
  expect(complete(shell, 'insm')).toEqual([['insmod '], 'insm']);
  expect(complete(shell, 'sudo rmm')).toEqual([['rmmod '], 'rmm']);
  expect(complete(shell, 'dmesg | tai')).toEqual([['tail '], 'tai']);
  expect(complete(shell, 'insmod /tmp/mod')).toEqual([['/tmp/module.ko ', '/tmp/modules/'], '/tmp/mod']);
  shell.cwd = '/tmp';
  expect(complete(shell, 'insmod mo')[0]).toEqual(['module.ko ', 'modules/']);
  expect(complete(shell, 'cat /nosuch/x')[0]).toEqual([]);
});
