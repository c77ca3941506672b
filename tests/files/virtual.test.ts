// SPDX-License-Identifier: MIT
/** /proc, debugfs and sysfs files of a module, and odd arguments to every system call. */

import { readFileSync } from 'node:fs';
import type { Machine } from '@pagewalk/kernel/machine';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { brokenInvariants, memoryLost, memoryOf } from '../support/memory.js';
import { boot, build, closeCompiler } from '../support/modules.js';

const bytes = (text: string) => new TextEncoder().encode(text);
const source = (name: string) => readFileSync(new URL(name, import.meta.url), 'utf8');

let ko: Uint8Array;
let chardev: Uint8Array;
beforeAll(async () => {
  ko = await build('virtual', source('virtual.c'));
  chardev = await build('chardev', source('chardev.c'));
});
afterAll(closeCompiler);

/** The whole of a file in reads of some bytes; a negative errno as text. */
function cat(machine: Machine, path: string, chunk = 4096): string {
  const { status: fd } = machine.open(path);
  if (fd < 0) return `open ${fd}`;
  let all = '';
  for (;;) {
    const { status, bytes: data } = machine.read(fd, chunk);
    if (status < 0) all += `read ${status}`;
    if (status <= 0) break;
    all += new TextDecoder().decode(data);
  }
  machine.close(fd);
  return all;
}

function echo(machine: Machine, path: string, text: string): number {
  const { status: fd } = machine.open(path, 1);
  if (fd < 0) return fd;
  const { status } = machine.write(fd, bytes(text));
  machine.close(fd);
  return status;
}

function load(parameters = '') {
  const machine = boot();
  machine.insmod(ko, parameters);
  cat(machine, '/proc/virtual/items');
  machine.rmmod('virtual');
  const before = memoryOf(machine);
  expect(machine.insmod(ko, parameters)).toEqual({ status: 0 });
  const check = () => {
    expect(memoryLost(machine, before)).toEqual([]);
    expect(brokenInvariants(machine)).toEqual([]);
  };
  const unload = () => {
    expect(machine.rmmod('virtual')).toEqual({ status: 0 });
    check();
  };
  return { machine, unload, check };
}

test('/proc entries', () => {
  const { machine, check } = load();
  expect(machine.readdir('/proc/virtual')).toEqual(['about', 'items', 'own']);
  expect(machine.readdir('/proc')).toContain('virtual');
  expect(cat(machine, '/proc/virtual/items')).toBe('item 0\nitem 1\nitem 2\n');
  for (const chunk of [1, 5, 8])
    expect(cat(machine, '/proc/virtual/items', chunk)).toBe('item 0\nitem 1\nitem 2\n');
  expect(cat(machine, '/proc/virtual/about')).toBe('about (null)\n');
  expect(cat(machine, '/proc/virtual/own')).toBe('about data\n');
  expect(echo(machine, '/proc/virtual/own', '12\n')).toBe(3);
  expect(cat(machine, '/sys/kernel/virtual/count')).toBe('12 count\n');
  expect(echo(machine, '/proc/virtual/own', 'x')).toBe(-22);
  expect(echo(machine, '/proc/virtual/items', 'x')).toBe(-5);
  const { status: fd } = machine.open('/proc/virtual/own');
  machine.read(fd, 3);
  // The entry goes although it is open, and its release function runs.
  expect(machine.rmmod('virtual')).toEqual({ status: 0 });
  expect(machine.read(fd, 3).status).toBe(-5);
  expect(machine.close(fd).status).toBe(0);
  expect(machine.readdir('/proc')).not.toContain('virtual');
  check();
});

test('a sequence longer than its buffer', () => {
  const { machine, unload } = load('count=2000');
  const all = Array.from({ length: 2000 }, (_, i) => `item ${i}\n`).join('');
  expect(cat(machine, '/proc/virtual/items', 100000)).toBe(all);
  expect(cat(machine, '/proc/virtual/items', 777)).toBe(all);
  unload();
});

test('a sequence read from anywhere', () => {
  const { machine, unload } = load('count=2000');
  const all = Array.from({ length: 2000 }, (_, i) => `item ${i}\n`).join('');
  const { status: fd } = machine.open('/proc/virtual/items');
  const from = (offset: number, whence: number, count: number) => {
    const { status } = machine.lseek(fd, offset, whence);
    return status < 0 ? status : [status, new TextDecoder().decode(machine.read(fd, count).bytes)];
  };
  for (const at of [7, 10, 5000, 5001, 0, 17000, all.length, all.length + 100])
    expect(from(at, 0, 10)).toEqual([at, all.slice(at, at + 10)]);
  expect(from(100, 0, 10)).toEqual([100, all.slice(100, 110)]);
  expect(from(-50, 1, 5)).toEqual([60, all.slice(60, 65)]);
  expect(from(-1, 0, 5)).toBe(-22);
  expect(from(0, 2, 5)).toBe(-22);
  machine.close(fd);
  unload();
});

test('debugfs', () => {
  const { machine, unload } = load();
  const at = (name: string) => `/sys/kernel/debug/virtual/${name}`;
  expect(machine.readdir(at(''))).toEqual(['big', 'byte', 'flag', 'list', 'text', 'value', 'word']);
  const texts = ['big', 'byte', 'flag', 'list', 'text', 'value', 'word'].map((name) =>
    cat(machine, at(name)),
  );
  expect(texts).toEqual(['1099511627776\n', '7\n', 'N\n', '3\n', 'words\n', '42\n', '0x0000beef\n']);
  expect(echo(machine, at('byte'), '0x1ff\n')).toBe(6);
  expect(cat(machine, at('byte'))).toBe('255\n');
  expect(echo(machine, at('flag'), 'y')).toBe(1);
  expect(cat(machine, at('flag'))).toBe('Y\n');
  expect(echo(machine, at('value'), '99\n')).toBe(3);
  expect(echo(machine, at('value'), '101\n')).toBe(-34);
  expect(cat(machine, at('value'), 1)).toBe('99\n');
  expect(echo(machine, at('big'), '1')).toBe(-13);
  expect(echo(machine, at('list'), '1')).toBe(-22);
  const { status: fd } = machine.open(at('value'));
  expect(machine.rmmod('virtual').status).toBe(-11);
  machine.close(fd);
  unload();
});

test('sysfs attributes and module parameters', () => {
  const { machine, unload } = load('count=5');
  expect(machine.readdir('/sys/kernel/virtual')).toEqual(['count', 'inner']);
  expect(cat(machine, '/sys/kernel/virtual/inner/count')).toBe('5 count\n');
  expect(echo(machine, '/sys/kernel/virtual/count', '0x10\n')).toBe(5);
  expect(echo(machine, '/sys/kernel/virtual/count', 'many')).toBe(-22);
  expect(cat(machine, '/sys/module/virtual/parameters/count')).toBe('16\n');
  expect(echo(machine, '/sys/module/virtual/parameters/count', '6\n')).toBe(2);
  expect(cat(machine, '/sys/kernel/virtual/count')).toBe('6 count\n');
  expect(machine.readdir('/sys/module/virtual')).toEqual([
    'coresize',
    'holders',
    'initsize',
    'initstate',
    'parameters',
    'refcnt',
    'taint',
  ]);
  expect(cat(machine, '/sys/module/virtual/initstate')).toBe('live\n');
  expect(cat(machine, '/proc/devices')).toBe('Character devices:\n  1 mem\n 10 misc\n\nBlock devices:\n');
  expect(cat(machine, '/sys/kernel/slab/task_struct/object_size')).toMatch(/^\d+\n$/);
  unload();
});

/** A seeded sequence of numbers below a limit (mulberry32). */
function numbers(seed: number): (limit: number) => number {
  let state = seed;
  return (limit) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % limit;
  };
}

test.each([1, 2, 3])('odd arguments, seed %i', (seed) => {
  const { machine, unload } = load();
  machine.insmod(chardev);
  const pick = numbers(seed);
  const odd = [
    0,
    1,
    -1,
    2,
    3,
    4095,
    4096,
    2 ** 31,
    2 ** 32 - 1,
    2 ** 47,
    -(2 ** 47),
    2 ** 52,
    0.5,
    Number.NaN,
  ];
  const any = () => odd[pick(odd.length)];
  const paths = [
    '/dev/buf0',
    '/dev/wait',
    '/proc/virtual/items',
    '/proc/virtual/own',
    '/sys/kernel/debug/virtual/value',
    '/sys/kernel/virtual/count',
    '/sys/class/bufs',
    '/',
    '',
    '//x/..',
    '/dev/buf0/x',
  ];
  const process = machine.process('fuzz');
  for (let i = 0; i < 400; i++) {
    const fd = pick(8) === 0 ? any() : pick(12);
    const calls = [
      () =>
        process.open(paths[pick(paths.length)], pick(4) | (pick(2) * 0o4000) | (pick(9) === 0 ? any() : 0)),
      () => process.read(fd, pick(2) === 0 ? any() : pick(200)),
      () => process.write(fd, new Uint8Array(pick(100)).fill(48 + pick(10))),
      () => process.lseek(fd, any(), pick(7) - 1),
      () => process.ioctl(fd, pick(2) === 0 ? any() : 0x6201 + pick(4), any()),
      () => process.ioctl(fd, 0xc0046203, new Uint8Array(pick(9))),
      () => process.poll(fd),
      () => process.fsync(fd),
      () => process.close(fd),
    ];
    const result = calls[pick(calls.length)]();
    if (result.blocked) process.interrupt();
    expect(Number.isFinite(result.status), `seed ${seed} call ${i}`).toBe(true);
  }
  process.exit();
  expect(machine.rmmod('chardev')).toEqual({ status: 0 });
  unload();
});
