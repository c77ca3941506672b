// SPDX-License-Identifier: MIT
/** Devices of major 1: null, zero, full, random, mem and kmsg. */

import type { Process } from '@pagewalk/kernel/fs/process';
import type { Machine } from '@pagewalk/kernel/machine';
import { afterEach, expect, test } from 'vitest';
import { type MemoryState, memoryLost, memoryOf } from '../support/memory.js';
import { boot } from '../support/modules.js';
import { checkRebuild } from '../support/rebuild.js';

const [O_RDONLY, O_WRONLY, O_RDWR, O_NONBLOCK] = [0, 1, 2, 0o4000];
const [SEEK_SET, SEEK_CUR, SEEK_END, SEEK_DATA] = [0, 1, 2, 3];
const EPERM = -1;
const EINTR = -4;
const ENXIO = -6;
const EBADF = -9;
const EAGAIN = -11;
const EFAULT = -14;
const EINVAL = -22;
const ENOSPC = -28;
const ESPIPE = -29;
const EPIPE = -32;
const S_IFCHR = 0o020000;
const POLLIN = 0x41;

const bytes = (text: string) => new TextEncoder().encode(text);
const text = (data: Uint8Array | undefined) => new TextDecoder().decode(data);

let machine: Machine;
let before: MemoryState;
let user: Process;

function start(): void {
  machine = boot();
  machine.files.process('warm', false).stat('/dev/null');
  user = machine.files.process('user', true);
  user.close(user.open('/dev/kmsg').status);
  user.exit();
  before = memoryOf(machine);
}

afterEach(() => {
  user.exit();
  checkRebuild(machine);
  expect(memoryLost(machine, before)).toEqual([]);
});

/** A read that must end at once: its bytes as text, or its errno. */
function read(fd: number, count = 8192): string | number {
  const { status, bytes: got, blocked } = user.read(fd, count);
  expect(blocked).toBe(undefined);
  return status < 0 ? status : text(got);
}

test('nodes, numbers and permissions', () => {
  start();
  const devices: [string, number, number][] = [
    ['mem', 1, 0o600],
    ['null', 3, 0o666],
    ['zero', 5, 0o666],
    ['full', 7, 0o666],
    ['random', 8, 0o666],
    ['urandom', 9, 0o666],
    ['kmsg', 11, 0o644],
  ];
  for (const [name, minor, mode] of devices) {
    const stat = user.stat(`/dev/${name}`).told;
    expect(stat).toMatchObject({ mode: S_IFCHR | mode, rdev: (1 << 20) | minor, nlink: 1 });
    const number = user.open(`/sys/class/mem/${name}/dev`).status;
    expect(read(number)).toBe(`1:${minor}\n`);
    user.close(number);
    expect(user.readlink(`/sys/dev/char/1:${minor}`).told).toBe(`../../devices/virtual/mem/${name}`);
  }
  expect(text(machine.readProc('/proc/devices'))).toContain('  1 mem\n');
  for (const [name, target] of [
    ['fd', '/proc/self/fd'],
    ['stdin', '/proc/self/fd/0'],
    ['stdout', '/proc/self/fd/1'],
    ['stderr', '/proc/self/fd/2'],
  ])
    expect(user.readlink(`/dev/${name}`).told).toBe(target);
  // A node of a minor that nobody has.
  expect(user.mknod('/dev/odd', S_IFCHR | 0o666, (1 << 20) | 2).status).toBe(0);
  expect(user.open('/dev/odd').status).toBe(ENXIO);
  expect(user.unlink('/dev/odd').status).toBe(0);
});

test('null, zero and full', () => {
  start();
  const [nul, zero, full] = ['null', 'zero', 'full'].map((name) => user.open(`/dev/${name}`, O_RDWR).status);
  expect(read(nul, 100)).toBe('');
  expect(user.write(nul, new Uint8Array(10000)).status).toBe(10000);
  for (const fd of [zero, full]) {
    const { bytes: got } = user.read(fd, 10001);
    expect(got).toEqual(new Uint8Array(10001));
  }
  expect(user.write(zero, bytes('abc')).status).toBe(3);
  expect(user.write(full, bytes('abc')).status).toBe(ENOSPC);
  expect(user.write(full, new Uint8Array()).status).toBe(ENOSPC);
  for (const fd of [nul, zero, full])
    for (const [offset, whence] of [
      [5, SEEK_SET],
      [-5, SEEK_CUR],
      [1e12, SEEK_END],
    ])
      expect(user.lseek(fd, offset, whence).status).toBe(0);
  for (const fd of [nul, zero, full]) user.close(fd);
});

test('random numbers: other bytes each time, and the same in each machine of a seed', () => {
  start();
  const draw = () => {
    const fd = user.open('/dev/urandom', O_RDWR).status;
    const { bytes: got } = user.read(fd, 5000);
    expect(user.write(fd, new Uint8Array(100)).status).toBe(100);
    expect(user.lseek(fd, 7).status).toBe(0);
    user.close(fd);
    return got!;
  };
  const [a, b] = [draw(), draw()];
  expect(a).not.toEqual(b);
  expect(new Set(a).size).toBeGreaterThan(200);
  start();
  expect(draw()).toEqual(a);
  const fd = user.open('/dev/random').status;
  const entropy = new Uint8Array(4);
  expect(user.ioctl(fd, 0x80045200, entropy).status).toBe(0);
  expect([...entropy]).toEqual([0, 1, 0, 0]);
  expect(user.ioctl(fd, 0x5299).status).toBe(EINVAL);
  expect(user.poll(fd).status).toBe(0x145);
  user.close(fd);
});

test('physical memory', () => {
  start();
  const size = machine.kernel.ram.size;
  const fd = user.open('/dev/mem', O_RDWR).status;
  const slab = machine.kernel.slub.kmalloc(64, 0xcc0);
  const at = machine.kernel.ram.handleOf(slab) * 4;
  machine.kernel.ram.u8.set(bytes('physical'), at);
  expect(user.lseek(fd, at).status).toBe(at);
  expect(read(fd, 8)).toBe('physical');
  expect(user.lseek(fd, 0, SEEK_CUR).status).toBe(at + 8);
  user.lseek(fd, at);
  expect(user.write(fd, bytes('changed!')).status).toBe(8);
  expect(text(machine.kernel.ram.u8.slice(at, at + 8))).toBe('changed!');
  machine.kernel.slub.kfree(slab);
  expect(user.lseek(fd, 0, SEEK_END).status).toBe(EINVAL);
  expect(user.lseek(fd, size - 4).status).toBe(size - 4);
  expect(user.read(fd, 4).status).toBe(4);
  user.lseek(fd, size - 4);
  expect(read(fd, 5)).toBe(EFAULT);
  user.lseek(fd, size);
  expect(read(fd, 1)).toBe(EFAULT);
  expect(user.write(fd, bytes('x')).status).toBe(EFAULT);
  expect(read(fd, 0)).toBe('');
  user.close(fd);
});

test('kmsg: a record a read', () => {
  start();
  const { printk } = machine.kernel;
  const fd = user.open('/dev/kmsg', O_RDONLY | O_NONBLOCK).status;
  expect(user.lseek(fd, 0, SEEK_END).status).toBe(0);
  expect(read(fd)).toBe(EAGAIN);
  expect(user.poll(fd).status).toBe(0);
  printk.log(4, 'tab\tback\\slash \u00e9\u007f');
  const { nextSeq } = printk.buffer;
  const us = Math.floor(printk.buffer.newest()!.ts_nsec / 1000);
  expect(user.poll(fd).status).toBe(POLLIN);
  expect(read(fd)).toBe(`4,${nextSeq - 1},${us},-;tab\\x09back\\x5cslash \\xc3\\xa9\\x7f\n`);
  expect(read(fd)).toBe(EAGAIN);
  // Two lines are one record; a buffer that is too small loses it.
  printk.log(6, 'one');
  printk.log(6, 'two');
  expect(read(fd, 10)).toBe(EINVAL);
  expect(read(fd)).toMatch(/^6,\d+,\d+,-;two\n$/);
  expect(user.lseek(fd, 0, SEEK_SET).status).toBe(0);
  expect(read(fd)).toMatch(/^5,0,\d+,-;Linux version 6\.1/);
  machine.clearDmesg();
  expect(user.lseek(fd, 0, SEEK_DATA).status).toBe(0);
  expect(read(fd)).toBe(EAGAIN);
  expect(user.lseek(fd, 1, SEEK_SET).status).toBe(ESPIPE);
  expect(user.lseek(fd, 0, SEEK_CUR).status).toBe(EINVAL);
  user.close(fd);
});

test('kmsg: a reader learns that it was too slow', () => {
  start();
  const { printk } = machine.kernel;
  const fd = user.open('/dev/kmsg', O_NONBLOCK).status;
  for (let i = 0; printk.buffer.firstSeq === 0; i++) printk.log(7, `${i} ${'x'.repeat(900)}`);
  expect(user.poll(fd).status).toBe(POLLIN | 0xa);
  expect(read(fd)).toBe(EPIPE);
  expect(read(fd)).toMatch(new RegExp(`^\\d,${printk.buffer.firstSeq},`));
  user.close(fd);
});

test('kmsg: a reader sleeps until there is a record', () => {
  start();
  const { printk } = machine.kernel;
  const other = machine.files.process('other', true);
  const fd = user.open('/dev/kmsg').status;
  user.lseek(fd, 0, SEEK_END);
  const there = other.open('/dev/kmsg', O_WRONLY).status;
  expect(user.read(fd, 8192)).toMatchObject({ blocked: true });
  expect(user.wait()).toMatchObject({ blocked: true });
  expect(other.write(there, bytes('<30>a daemon\n')).status).toBe(13);
  expect(text(user.wait().bytes)).toMatch(/^30,\d+,\d+,-;a daemon\n$/);
  // A line without its end is shown when the next comes.
  expect(user.read(fd, 8192)).toMatchObject({ blocked: true });
  expect(other.write(there, bytes('open')).status).toBe(4);
  expect(user.wait()).toMatchObject({ blocked: true });
  printk.log(6, 'kernel');
  expect(text(user.wait().bytes)).toMatch(/^12,\d+,\d+,-;open\n$/);
  expect(read(fd)).toMatch(/;kernel\n$/);
  expect(user.read(fd, 8192)).toMatchObject({ blocked: true });
  expect(user.interrupt().status).toBe(EINTR);
  expect(other.read(there, 10).status).toBe(EBADF);
  other.close(there);
  other.exit();
  user.close(fd);
});

test('kmsg: what programs may write', () => {
  start();
  const { printk } = machine.kernel;
  const fd = user.open('/dev/kmsg', O_RDWR).status;
  user.lseek(fd, 0, SEEK_END);
  for (const [line, head] of [
    ['plain\n', '12'],
    ['<3>bad\n', '11'],
    ['<165>local\n', '165'],
    ['<x>no number\n', '12'],
    ['<5 no end\n', '12'],
  ]) {
    expect(user.write(fd, bytes(line)).status).toBe(line.length);
    expect(read(fd)).toMatch(new RegExp(`^${head},`));
  }
  expect(user.write(fd, new Uint8Array(993)).status).toBe(EINVAL);
  expect(user.write(fd, new Uint8Array(992).fill(65)).status).toBe(992);
  // Ten lines in five seconds, if the setting says so: the rest is dropped, and said at the end.
  for (let i = 0; i < 10; i++) expect(user.write(fd, bytes(`flood ${i}\n`)).status).toBe(8);
  const flood = () => machine.dmesg().filter((record) => record.text.includes('flood')).length;
  expect(flood()).toBe(4);
  expect(printk.chooseDevkmsg(0)).toBe(0);
  expect(user.write(fd, bytes('flood on\n')).status).toBe(9);
  expect(flood()).toBe(5);
  expect(printk.chooseDevkmsg(1)).toBe(0);
  expect(user.write(fd, bytes('flood off\n')).status).toBe(10);
  expect(flood()).toBe(5);
  expect(user.open('/dev/kmsg').status).toBe(EPERM);
  printk.chooseDevkmsg(2);
  user.close(fd);
  expect(machine.dmesg().at(-1)?.text).toBe('user: 6 output lines suppressed due to ratelimiting');
});
