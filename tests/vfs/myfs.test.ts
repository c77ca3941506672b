// SPDX-License-Identifier: MIT
/** A file system of a module: everything that a user does with one, and nothing left behind. */

import { readFileSync } from 'node:fs';
import type { Machine } from '@pagewalk/kernel/machine';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { brokenInvariants, memoryLost, memoryOf } from '../support/memory.js';
import { boot, build, closeCompiler, moduleLog } from '../support/modules.js';

const source = readFileSync(new URL('myfs.c', import.meta.url), 'utf8');
const bytes = (text: string) => new TextEncoder().encode(text);
const O_CREAT = 0o100;
const modules: { [name: string]: Uint8Array } = {};

beforeAll(async () => {
  modules['mount'] = await build('myfs', source);
  modules['context'] = await build('myfs', `#define CONTEXT 1\n${source}`);
});
afterAll(closeCompiler);

/** Names in a folder, in the file system's order. */
const names = (machine: Machine, path: string) =>
  machine.files
    .process()
    .readdir(path)
    .told?.map(({ name }) => name);

function write(machine: Machine, path: string, text: string, flags = 1 | O_CREAT): number {
  const process = machine.files.process();
  const { status: fd } = process.open(path, flags, 0o644);
  if (fd < 0) return fd;
  const { status } = process.write(fd, bytes(text));
  process.close(fd);
  return status;
}

function read(machine: Machine, path: string): string | number {
  const process = machine.files.process();
  const { status: fd } = process.open(path);
  if (fd < 0) return fd;
  const { bytes: data, status } = process.read(fd, 4096);
  process.close(fd);
  return status < 0 ? status : new TextDecoder().decode(data);
}

/** Uses a mount of it as people do. */
function use(machine: Machine): void {
  const process = machine.files.process();
  expect(process.mkdir('/mnt/a').status).toBe(0);
  expect(process.mkdir('/mnt/a').status).toBe(-17);
  expect(write(machine, '/mnt/a/one', 'first')).toBe(5);
  expect(write(machine, '/mnt/a/two', 'x'.repeat(10000))).toBe(10000);
  expect(write(machine, '/mnt/a/one', ' and more', 1 | 0o2000)).toBe(9);
  expect(read(machine, '/mnt/a/one')).toBe('first and more');
  expect(names(machine, '/mnt/a')).toEqual(['two', 'one']);
  expect(process.symlink('a/one', '/mnt/link').status).toBe(0);
  expect(process.readlink('/mnt/link').told).toBe('a/one');
  expect(read(machine, '/mnt/link')).toBe('first and more');
  expect(process.link('/mnt/a/one', '/mnt/hard').status).toBe(0);
  expect(process.stat('/mnt/hard').told).toMatchObject({ nlink: 2, size: 14, mode: 0o100644 });
  expect(process.rename('/mnt/a/two', '/mnt/a/one').status).toBe(0);
  expect(process.stat('/mnt/a/one').told).toMatchObject({ nlink: 1, size: 10000 });
  expect(process.rename('/mnt/a', '/mnt/b').status).toBe(0);
  expect(process.rename('/mnt/b', '/mnt/b/c').status).toBe(-22);
  expect(process.rmdir('/mnt/b').status).toBe(-39);
  expect(process.truncate('/mnt/b/one', 3).status).toBe(0);
  expect(read(machine, '/mnt/b/one')).toBe('xxx');
  expect(process.change('/mnt/b/one', { mode: 0o600 }).status).toBe(0);
  expect(process.stat('/mnt/b/one').told).toMatchObject({ mode: 0o100600, size: 3 });
  expect(process.mknod('/mnt/null', 0o020666, 0x103).status).toBe(0);
  expect(process.unlink('/mnt/b').status).toBe(-21);
  expect(process.unlink('/mnt/b/one').status).toBe(0);
  expect(read(machine, '/mnt/b/one')).toBe(-2);
  expect(process.rmdir('/mnt/b').status).toBe(0);
  expect(names(machine, '/mnt')).toEqual(['null', 'hard', 'link']);
  expect(process.stat('/mnt').told).toMatchObject({ nlink: 2 });
}

/** Loads, mounts, uses, unmounts and unloads it. */
function round(machine: Machine, ko: Uint8Array, data: string): void {
  const process = machine.files.process();
  expect(machine.insmod(ko)).toEqual({ status: 0 });
  expect(process.mount('none', '/mnt', 'myfs', 0, data).status).toBe(0);
  use(machine);
  expect(process.statfs('/mnt').told).toMatchObject({ type: 0x19980122, bsize: 4096 });
  expect(read(machine, '/proc/filesystems')).toContain('nodev\tmyfs\n');
  expect(read(machine, '/proc/mounts')).toContain('none /mnt myfs rw,relatime 0 0\n');
  expect(machine.rmmod('myfs').status).toBe(-11);
  const { status: fd } = process.open('/mnt/hard');
  expect(process.umount('/mnt').status).toBe(-16);
  process.close(fd);
  expect(process.umount('/mnt').status).toBe(0);
  expect(process.stat('/mnt/hard').status).toBe(-2);
  expect(machine.rmmod('myfs')).toEqual({ status: 0 });
  expect(read(machine, '/proc/filesystems')).not.toContain('myfs');
}

test.each(['mount', 'context'])('a file system with %s', (kind) => {
  const machine = boot();
  machine.files.process().mkdir('/mnt');
  round(machine, modules[kind], '');
  const log = moduleLog(machine);
  const before = memoryOf(machine);
  round(machine, modules[kind], '');
  expect(memoryLost(machine, before)).toEqual([]);
  expect(brokenInvariants(machine)).toEqual([]);
  const root = expect.stringMatching(/^root \/, inode \d+, id myfs, device 0$/);
  const created = ['create a/one', 'create a/two'];
  expect(log).toEqual(
    kind === 'mount'
      ? ['mount myfs of none', 'options none', root, ...created, 'kill_sb']
      : ['source none', root, ...created],
  );
});

test('options', () => {
  const machine = boot();
  const process = machine.files.process('sh', true);
  process.mkdir('/mnt');
  machine.insmod(modules['context']);
  expect(process.mount('dev', '/mnt', 'myfs', 0, 'mode=700,noquiet,quiet').status).toBe(0);
  expect(process.stat('/mnt').told).toMatchObject({ mode: 0o40700 });
  expect(process.umount('/mnt').status).toBe(0);
  const before = memoryOf(machine);
  for (const data of ['mode=9', 'mode', 'size=5', 'quiet=1', 'source=x'])
    expect(process.mount('dev', '/mnt', 'myfs', 0, data).status, data).toBe(-22);
  expect(process.mount('dev', '/mnt', 'myfs', 0, 'ro').status).toBe(0);
  expect(process.mkdir('/mnt/a').status).toBe(-30);
  expect(process.umount('/mnt').status).toBe(0);
  expect(memoryLost(machine, before)).toEqual([]);
  expect(machine.rmmod('myfs')).toEqual({ status: 0 });
  const said = moduleLog(machine).filter((line) => !/^root|^source/.test(line));
  expect(said).toEqual([
    'noquiet',
    'quiet',
    "Bad value for 'mode'",
    "Bad value for 'mode'",
    "myfs: Unknown parameter 'size'",
    "Bad value for 'quiet'",
    'Multiple sources',
  ]);
});

test('a mount that fails leaves nothing', () => {
  const machine = boot();
  const process = machine.files.process('sh', true);
  process.mkdir('/mnt');
  machine.insmod(modules['mount']);
  expect(process.mount('none', '/mnt', 'myfs', 0, 'fail').status).toBe(-22);
  const before = memoryOf(machine);
  expect(process.mount('none', '/mnt', 'myfs', 0, 'fail').status).toBe(-22);
  expect(process.mount('none', '/mnt', 'nofs').status).toBe(-19);
  expect(process.mount('none', '/nothing', 'myfs').status).toBe(-2);
  expect(memoryLost(machine, before)).toEqual([]);
  expect(machine.rmmod('myfs')).toEqual({ status: 0 });
});
