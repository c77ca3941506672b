// SPDX-License-Identifier: MIT
/** Character devices of a module, through system calls. */

import { readFileSync } from 'node:fs';
import type { Machine } from '@pagewalk/kernel/machine';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type MemoryState, memoryLost, memoryOf } from '../support/memory.js';
import { boot, build, closeCompiler, moduleLog } from '../support/modules.js';

const O_RDWR = 2;
const O_NONBLOCK = 0o4000;
const EINTR = 4;
const ENXIO = 6;
const EBADF = 9;
const EAGAIN = 11;
const EFAULT = 14;
const EEXIST = 17;
const EINVAL = 22;
const ENOTTY = 25;
const ENOSPC = 28;
const ESPIPE = 29;
const BUF_CLEAR = 0x6201;
const BUF_LENGTH = 0x80046202;
const BUF_ROTATE = 0xc0046203;

/** What is in /dev from power-on. */
const FIRST = [
  ...['fd', 'full', 'kmsg', 'mem', 'null', 'random'],
  ...['stderr', 'stdin', 'stdout', 'urandom', 'zero'],
];

const bytes = (text: string) => new TextEncoder().encode(text);
const text = (data: Uint8Array | undefined) => new TextDecoder().decode(data);

let ko: Uint8Array;
beforeAll(async () => {
  ko = await build('chardev', readFileSync(new URL('chardev.c', import.meta.url), 'utf8'));
});
afterAll(closeCompiler);

function load(): { machine: Machine; before: MemoryState } {
  const machine = boot();
  // Once through, so that what is kept for good (caches of the allocators) is there.
  expect(machine.insmod(ko)).toEqual({ status: 0 });
  machine.close(machine.open('/dev/buf0').status);
  expect(machine.rmmod('chardev')).toEqual({ status: 0 });
  const before = memoryOf(machine);
  machine.clearDmesg();
  expect(machine.insmod(ko)).toEqual({ status: 0 });
  return { machine, before };
}

function unload(machine: Machine, before: MemoryState): void {
  expect(machine.rmmod('chardev')).toEqual({ status: 0 });
  expect(memoryLost(machine, before)).toEqual([]);
}

test('nodes appear in /dev and /sys, and go with the module', () => {
  const { machine, before } = load();
  expect(machine.readdir('/dev')).toEqual(['buf0', ...FIRST, 'wait'].sort());
  expect(machine.stat('/dev/buf0')).toMatchObject({ mode: 0o020600, rdev: 254 << 20 });
  expect(machine.stat('/dev/wait')).toMatchObject({ mode: 0o020666, rdev: (10 << 20) | 127 });
  expect(machine.readdir('/sys/class/bufs')).toEqual(['buf0']);
  expect(machine.stat('/sys/class/bufs/buf0')).toMatchObject({ target: '../../devices/virtual/bufs/buf0' });
  expect(machine.readdir('/sys/class/bufs/buf0')).toEqual(['dev', 'subsystem', 'uevent']);
  const fd = machine.open('/sys/class/bufs/buf0/dev').status;
  expect(text(machine.read(fd, 100).bytes)).toBe('254:0\n');
  expect(machine.read(fd, 100).status).toBe(0);
  machine.close(fd);
  expect(machine.dmesg().map((r) => r.text)).toContain('bufs buf0: made');
  unload(machine, before);
  expect(machine.readdir('/dev')).toEqual(FIRST);
  expect(machine.readdir('/sys/class')).toEqual(['mem', 'misc']);
});

test('read, write, lseek, ioctl', () => {
  const { machine, before } = load();
  const { status: fd } = machine.open('/dev/buf0', O_RDWR, 0, 'cat');
  expect(fd).toBe(0);
  expect(machine.write(fd, bytes('hello'))).toEqual({ status: 5 });
  expect(text(machine.read(fd, 3).bytes)).toBe('hel');
  expect(text(machine.read(fd, 100).bytes)).toBe('lo');
  expect(machine.read(fd, 100)).toEqual({ status: 0, bytes: new Uint8Array() });
  expect(machine.lseek(fd, -2, 2).status).toBe(3);
  expect(machine.lseek(fd, 9, 0).status).toBe(-EINVAL);
  expect(machine.lseek(fd, 0, 9).status).toBe(-EINVAL);
  expect(text(machine.read(fd, 100).bytes)).toBe('lo');
  expect(machine.write(fd, new Uint8Array(65)).status).toBe(-ENOSPC);
  const out = new Uint8Array(4);
  expect(machine.ioctl(fd, BUF_LENGTH, out).status).toBe(0);
  expect(out[0]).toBe(5);
  expect(machine.ioctl(fd, BUF_ROTATE, out).status).toBe(7);
  expect(out[0]).toBe(6);
  for (const bad of [0, 8, -1, 0x7000_0000_0000, 2 ** 47, -(2 ** 47)])
    expect(machine.ioctl(fd, BUF_LENGTH, bad).status, `${bad}`).toBe(-EFAULT);
  expect(machine.ioctl(fd, 0x1234).status).toBe(-ENOTTY);
  expect(machine.ioctl(fd, BUF_CLEAR).status).toBe(0);
  expect(machine.close(fd).status).toBe(0);
  expect(machine.close(fd).status).toBe(-EBADF);
  expect(moduleLog(machine)).toEqual(
    [
      'chardev: major 254',
      'bufs buf0: made',
      'chardev: open cat minor 0 flags 2 mode 3',
      'chardev: release cat',
    ].map((line) => line.replace(/^chardev: /, '')),
  );
  unload(machine, before);
});

test('what is not allowed', () => {
  const { machine, before } = load();
  expect(machine.open('/dev/nosuch').status).toBe(-2);
  expect(machine.files.mknod('/dev/other', 0o020600, (254 << 20) | 5)).toBe(0);
  expect(machine.open('/dev/other').status).toBe(-ENXIO);
  expect(machine.open('/dev/buf0', 0o302).status).toBe(-EEXIST);
  const fd = machine.open('/dev/buf0', 0).status;
  expect(machine.write(fd, bytes('x')).status).toBe(-EBADF);
  expect(machine.rmmod('chardev').status).toBe(-EAGAIN);
  machine.close(fd);
  expect(machine.files.unlink('/dev/other')).toBe(0);
  const wait = machine.open('/dev/wait', O_RDWR | O_NONBLOCK).status;
  expect(machine.lseek(wait, 0).status).toBe(-ESPIPE);
  expect(machine.read(wait, 1).status).toBe(-EAGAIN);
  expect(machine.poll(wait).status).toBe(4);
  machine.write(wait, bytes('a'));
  expect(machine.poll(wait).status).toBe(5);
  machine.close(wait);
  unload(machine, before);
});

test('a reader waits until a writer comes, or Ctrl-C', () => {
  const { machine, before } = load();
  const reader = machine.process('reader');
  const writer = machine.process('writer');
  const fd = reader.open('/dev/wait', 0).status;
  expect(reader.read(fd, 1)).toMatchObject({ blocked: true });
  expect(reader.wait()).toMatchObject({ blocked: true });
  const out = writer.open('/dev/wait', 1).status;
  expect(writer.write(out, bytes('go')).status).toBe(2);
  expect(text(reader.wait().bytes)).toBe('!');
  expect(reader.read(fd, 1)).toMatchObject({ blocked: true });
  expect(reader.interrupt().status).toBe(-EINTR);
  expect(reader.read(fd, 1)).toMatchObject({ blocked: true });
  reader.interrupt();
  reader.exit();
  writer.exit();
  unload(machine, before);
});

test('an oops in write kills the writer, and the machine goes on', () => {
  const { machine, before } = load();
  const writer = machine.process('writer');
  const fd = writer.open('/dev/wait', 1).status;
  expect(writer.write(fd, bytes('X'))).toEqual({ status: 0, signal: 9 });
  expect(writer.pid).toBe(0);
  const other = machine.open('/dev/wait', 1).status;
  expect(machine.write(other, bytes('a')).status).toBe(1);
  machine.close(other);
  expect(machine.dmesg().some((r) => /^ ?RIP: 0010:wait_write/.test(r.text))).toBe(true);
  unload(machine, before);
});
