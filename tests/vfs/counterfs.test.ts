// SPDX-License-Identifier: MIT
/** A file system made of a table of files: counters, as in a well-known first lesson. */

import { readFileSync } from 'node:fs';
import { afterAll, expect, test } from 'vitest';
import { brokenInvariants, memoryLost, memoryOf } from '../support/memory.js';
import { boot, build, closeCompiler, moduleLog } from '../support/modules.js';

afterAll(closeCompiler);

test('counters', async () => {
  const machine = boot();
  const ko = await build('counterfs', readFileSync(new URL('counterfs.c', import.meta.url), 'utf8'));
  const process = machine.files.process('sh', true);
  const cat = (path: string) => {
    const { status: fd } = process.open(path);
    if (fd < 0) return fd;
    const { bytes, status } = process.read(fd, 100);
    process.close(fd);
    return status < 0 ? status : new TextDecoder().decode(bytes);
  };
  const echo = (text: string, path: string) => {
    const { status: fd } = process.open(path, 1);
    if (fd < 0) return fd;
    const { status } = process.write(fd, new TextEncoder().encode(text));
    process.close(fd);
    return status;
  };
  const round = () => {
    expect(machine.insmod(ko)).toEqual({ status: 0 });
    expect(process.mount('none', '/mnt', 'counterfs').status).toBe(0);
    expect([cat('/mnt/zero'), cat('/mnt/zero'), cat('/mnt/one')]).toEqual(['0\n', '1\n', '0\n']);
    expect(echo('41\n', '/mnt/zero')).toBe(3);
    expect(cat('/mnt/zero')).toBe('41\n');
    expect(echo('words', '/mnt/zero')).toBe(-22);
    expect([cat('/mnt/sub/deep'), cat('/mnt/none'), cat('/mnt/sub')]).toEqual(['0\n', -2, -21]);
    expect(process.readdir('/mnt').told?.map(({ name, type }) => [name, type])).toEqual([
      ['sub', 4],
      ['one', 8],
      ['zero', 8],
    ]);
    expect(process.stat('/mnt/one').told).toMatchObject({ ino: 3, mode: 0o100444, nlink: 1 });
    expect(process.stat('/mnt').told).toMatchObject({ ino: 1, nlink: 3 });
    // Nothing can be made, and no name goes: the folders have no functions for it.
    expect([process.mkdir('/mnt/x').status, process.unlink('/mnt/one').status]).toEqual([-1, -1]);
    expect(process.open('/mnt/new', 0o101).status).toBe(-13);
    expect(process.rename('/mnt/one', '/mnt/two').status).toBe(-1);
    // A second mount is of the same super block.
    process.mkdir('/mnt2');
    expect(process.mount('none', '/mnt2', 'counterfs').status).toBe(0);
    expect(cat('/mnt2/zero')).toBe('42\n');
    expect(process.umount('/mnt').status).toBe(0);
    expect(cat('/mnt2/zero')).toBe('43\n');
    expect(machine.rmmod('counterfs').status).toBe(-11);
    expect(process.umount('/mnt2').status).toBe(0);
    expect(process.rmdir('/mnt2').status).toBe(0);
    expect(machine.rmmod('counterfs')).toEqual({ status: 0 });
  };
  process.mkdir('/mnt');
  round();
  expect(moduleLog(machine)).toEqual(['sub, empty 0']);
  const before = memoryOf(machine);
  round();
  expect(memoryLost(machine, before)).toEqual([]);
  expect(brokenInvariants(machine)).toEqual([]);
});
