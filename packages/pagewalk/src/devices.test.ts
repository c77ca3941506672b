// SPDX-License-Identifier: MIT
/** Devices of a real module, used from the shell. */

import { readFileSync } from 'node:fs';
import { nodeToolchain } from '@pagewalk/toolchain/index.node';
import { expect, test } from 'vitest';
import { bootMachine } from './kernel_machine.js';
import { createSession } from './session.js';
import { runIn } from './testing.js';

async function session() {
  const source = readFileSync(new URL('../../../tests/files/chardev.c', import.meta.url), 'utf8');
  const toolchain = nodeToolchain();
  const { ko } = await toolchain.buildModule({ name: 'chardev', sources: { 'chardev.c': source } });
  toolchain.close();
  const machine = bootMachine({ memory: 64 * 2 ** 20, cpus: 1, seed: 1, commandLine: '' });
  const made = createSession({ machine });
  made.fs.writeFile('/root/chardev.ko', ko!);
  return made;
}

test('a module behind /dev', async () => {
  const shell = await session();
  const run = async (script: string) => runIn(shell, script);
  expect(await run('insmod /root/chardev.ko; ls /dev; ls -l /dev/buf0 /dev/wait | cut -c1-10')).toEqual({
    stdout:
      'buf0\nfd\nfull\nkmsg\nmem\nnull\nrandom\nstderr\nstdin\nstdout\nurandom\nwait\nzero\ncrw-------\ncrw-rw-rw-\n',
    stderr: '',
    status: 0,
  });
  expect(await run('echo hi > /dev/buf0; cat /dev/buf0; cat /dev/buf0 | head -c 1')).toEqual({
    stdout: 'hi\nh',
    stderr: '',
    status: 0,
  });
  expect(
    await run('dd if=/dev/buf0 bs=2 count=1 2>/dev/null; ls /sys/class/bufs; cat /sys/class/bufs/*/dev'),
  ).toEqual({
    stdout: 'hibuf0\n254:0\n',
    stderr: '',
    status: 0,
  });
  expect(
    await run(`printf '%080d' 7 > /dev/buf0; echo $?; cat /dev/nosuch; echo x > /sys/class/bufs/buf0/dev`),
  ).toEqual({
    stdout: '1\n',
    stderr:
      'printf: write error: No space left on device\ncat: /dev/nosuch: No such file or directory\n' +
      'sh: /sys/class/bufs/buf0/dev: Permission denied\n',
    status: 1,
  });
  expect(
    await run(
      'mknod /dev/mine c 254 0; cat /dev/mine; mknod /dev/none c 9 9; cat /dev/none; rm /dev/mine /dev/none',
    ),
  ).toEqual({
    stdout: 'hi\n',
    stderr: 'cat: /dev/none: No such device or address\n',
    status: 0,
  });
  expect(
    await run('(head -c 1 /dev/wait; echo) & echo go > /dev/wait; wait; echo X > /dev/wait; echo $?'),
  ).toEqual({
    stdout: '!\n137\n',
    stderr: 'Killed\n',
    status: 0,
  });
  expect(await run('rmmod chardev; ls /dev; ls /sys/class')).toEqual({
    stdout: 'fd\nfull\nkmsg\nmem\nnull\nrandom\nstderr\nstdin\nstdout\nurandom\nzero\nmem\nmisc\n',
    stderr: '',
    status: 0,
  });
});

test('a second, read-only place for a folder; a long list tells of a link itself', async () => {
  const machine = bootMachine({ memory: 32 * 2 ** 20, cpus: 1, seed: 1, commandLine: '' });
  const shell = createSession({ machine });
  const mounts = `mkdir /tmp/a /tmp/b; mount -t ramfs none /tmp/a; mount -o bind,ro /tmp/a /tmp/b
mount | tail -2; touch /tmp/a/x; ls /tmp/b; touch /tmp/b/y; mount -o remount,bind,rw /tmp/b; mount | tail -1`;
  expect(await runIn(shell, mounts)).toEqual({
    stdout: `none on /tmp/a type ramfs (rw,relatime)
none on /tmp/b type ramfs (ro,relatime)
x
none on /tmp/b type ramfs (rw,relatime)
`,
    stderr: "touch: cannot touch '/tmp/b/y': Read-only file system\n",
    status: 0,
  });
  const lists = 'ln -s /tmp/a /tmp/l; ls -l /tmp/l | cut -c1; ls -l /tmp/l/ | cut -c1; ls /tmp/l';
  expect((await runIn(shell, lists)).stdout).toBe('l\nt\n-\nx\n');
});
