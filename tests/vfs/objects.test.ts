// SPDX-License-Identifier: MIT
/** Inodes that are found by number and stay while the file system does; descriptors that a module gives out. */

import { readFileSync } from 'node:fs';
import { afterAll, expect, test } from 'vitest';
import { brokenInvariants, memoryLost, memoryOf } from '../support/memory.js';
import { boot, build, closeCompiler, moduleLog } from '../support/modules.js';

afterAll(closeCompiler);

const IO = (nr: number) => ('o'.charCodeAt(0) << 8) | nr;

test('inodes by number, and descriptors', async () => {
  const ko = await build('objects', readFileSync(new URL('objects.c', import.meta.url), 'utf8'));
  const machine = boot();
  const process = machine.files.process('sh', true);
  const text = (fd: number) => new TextDecoder().decode(process.read(fd, 10).bytes);
  process.mkdir('/mnt');

  const inodes = () => {
    expect(process.mount('none', '/mnt', 'tablefs').status).toBe(0);
    expect(process.readdir('/mnt').told?.map(({ name, ino }) => `${name} ${ino}`)).toEqual([
      'one 2',
      'two 3',
      'three 4',
    ]);
    expect(process.stat('/mnt/one').told).toMatchObject({ ino: 2, mode: 0o100444 });
    expect(process.stat('/mnt/one').told).toMatchObject({ ino: 2 });
    expect(process.stat('/mnt/two').status).toBe(-5);
    expect(process.stat('/mnt/four').status).toBe(-2);
    expect(process.statfs('/mnt').told).toMatchObject({ type: 0x7ab1e, bsize: 512, bfree: 60, files: 4 });
    // A file system that keeps whole seconds.
    expect(process.stat('/mnt/one').told?.mtime.nsec).toBe(0);
  };

  const descriptors = () => {
    const device = process.open('/dev/objects').status;
    const anon = process.ioctl(device, IO(1)).status;
    expect(anon).toBe(device + 1);
    expect(text(anon)).toBe('anon');
    const file = process.ioctl(device, IO(2)).status;
    expect(file).toBe(device + 2);
    expect(text(file)).toBe('one');
    expect(process.umount('/mnt').status).toBe(-16);
    for (const fd of [anon, file]) expect(process.ioctl(device, IO(3), fd).status).toBe(0);
    expect(process.ioctl(device, IO(3), 99).status).toBe(-9);
    expect(process.ioctl(device, IO(4), anon).status).toBe(0);
    expect(process.ioctl(device, IO(4), anon).status).toBe(-9);
    expect(process.close(file).status).toBe(0);
    expect(process.close(device).status).toBe(0);
  };

  const round = () => {
    expect(machine.insmod(ko)).toEqual({ status: 0 });
    inodes();
    descriptors();
    expect(process.umount('/mnt').status).toBe(0);
    const device = process.open('/dev/objects').status;
    // Without the file, the descriptor that was kept for it is free again.
    expect(process.ioctl(device, IO(2)).status).toBe(-2);
    expect(process.ioctl(device, IO(1)).status).toBe(device + 1);
    process.close(device + 1);
    process.close(device);
    expect(machine.rmmod('objects')).toEqual({ status: 0 });
  };
  round();
  expect(moduleLog(machine)).toEqual([
    'new 1',
    'dirty 1 3',
    'new 2',
    'dirty 2 3',
    'new 3',
    'evict 3, links 1',
    '1 is [object], count 2',
    '2 is /one, count 2',
    'release [object]',
    'evict 2, links 1',
    'evict 1, links 1',
    'put_super',
    'release [object]',
  ]);
  const before = memoryOf(machine);
  round();
  expect(memoryLost(machine, before)).toEqual([]);
  expect(brokenInvariants(machine)).toEqual([]);
});
