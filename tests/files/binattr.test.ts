// SPDX-License-Identifier: MIT
/** Attributes of sysfs that are bytes. */

import { readFileSync } from 'node:fs';
import { afterAll, expect, test } from 'vitest';
import { memoryLost, memoryOf } from '../support/memory.js';
import { boot, build, closeCompiler, moduleLog } from '../support/modules.js';
import { checkRebuild } from '../support/rebuild.js';

const [O_WRONLY, O_RDWR] = [1, 2];
const EIO = -5;
const EACCES = -13;
const EINVAL = -22;
const EFBIG = -27;

const bytes = (text: string) => new TextEncoder().encode(text);
const text = (data: Uint8Array | undefined) => new TextDecoder().decode(data);

afterAll(closeCompiler);

test('reads and writes reach the attribute, a page at a time and within its size', async () => {
  const ko = await build('binattr', readFileSync(new URL('binattr.c', import.meta.url), 'utf8'));
  const machine = boot();
  const p = machine.files.process('sh', true);
  for (const round of [1, 2]) {
    expect(machine.insmod(ko)).toEqual({ status: 0 });
    p.close(p.open('/sys/kernel/binattr/bytes/fixed').status);
    if (round === 2) break;
    p.exit();
    expect(machine.rmmod('binattr')).toEqual({ status: 0 });
  }
  p.exit();
  expect(machine.rmmod('binattr')).toEqual({ status: 0 });
  const before = memoryOf(machine);
  machine.clearDmesg();
  expect(machine.insmod(ko)).toEqual({ status: 0 });
  const folder = '/sys/kernel/binattr/bytes';
  expect(p.stat(`${folder}/fixed`).told).toMatchObject({ mode: 0o100644, size: 5000 });
  expect(p.stat(`${folder}/endless`).told).toMatchObject({ mode: 0o100444, size: 0 });
  const fd = p.open(`${folder}/fixed`, O_RDWR).status;
  expect(p.write(fd, bytes('hello')).status).toBe(5);
  expect(p.lseek(fd, 4998).status).toBe(4998);
  expect(p.write(fd, bytes('abcd')).status).toBe(2);
  expect(p.write(fd, bytes('x')).status).toBe(EFBIG);
  expect(p.read(fd, 10).status).toBe(0);
  p.lseek(fd, 0);
  expect(text(p.read(fd, 5).bytes)).toBe('hello');
  expect(p.read(fd, 9000).status).toBe(4096);
  expect(text(p.read(fd, 9000).bytes?.slice(-2))).toBe('ab');
  p.lseek(fd, 0);
  expect(p.write(fd, bytes('!')).status).toBe(EINVAL);
  expect(p.lseek(fd, 0, 1).status).toBe(0);
  p.close(fd);
  const endless = p.open(`${folder}/endless`).status;
  expect(text(p.read(endless, 7).bytes)).toBe('eeeeeee');
  expect(text(p.read(endless, 7).bytes)).toBe('eee');
  expect(p.read(endless, 7).status).toBe(0);
  p.close(endless);
  expect(p.open(`${folder}/endless`, O_WRONLY).status).toBe(EACCES);
  const none = p.open('/sys/kernel/binattr/none', O_RDWR).status;
  expect(p.read(none, 4).status).toBe(EIO);
  expect(p.write(none, bytes('a')).status).toBe(EIO);
  p.close(none);
  expect(moduleLog(machine).map((line) => line.replace(/^.*?: /, ''))).toEqual([
    'write fixed 0+5 of binattr',
    'write fixed 4998+2 of binattr',
    'read fixed 0+5',
    'read fixed 5+4096',
    'read fixed 4101+899',
    'write fixed 0+1 of binattr',
  ]);
  p.exit();
  checkRebuild(machine);
  expect(machine.rmmod('binattr')).toEqual({ status: 0 });
  expect(memoryLost(machine, before)).toEqual([]);
});
