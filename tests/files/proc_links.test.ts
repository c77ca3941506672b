// SPDX-License-Identifier: MIT
/** /proc/self, and the places that a task's links in /proc lead to. */

import type { Process } from '@pagewalk/kernel/fs/process';
import type { Machine } from '@pagewalk/kernel/machine';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type MemoryState, memoryLost, memoryOf } from '../support/memory.js';
import { boot } from '../support/modules.js';
import { checkRebuild } from '../support/rebuild.js';

const [O_WRONLY, O_RDWR, O_CREAT, O_TRUNC] = [1, 2, 0o100, 0o1000];
const ENOENT = -2;
const S_IFMT = 0o170000;
const S_IFLNK = 0o120000;
const DT_LNK = 10;

const bytes = (text: string) => new TextEncoder().encode(text);
const text = (data: Uint8Array | undefined) => new TextDecoder().decode(data);

let machine: Machine;
let before: MemoryState;
let p: Process;

beforeEach(() => {
  machine = boot();
  p = machine.files.process('sh', true);
  p.mkdir('/t');
  p.readdir('/proc/self/fd');
  p.close(p.open('/t/x', O_CREAT | O_RDWR).status);
  p.unlink('/t/x');
  p.exit();
  before = memoryOf(machine);
});

afterEach(() => {
  checkRebuild(machine);
  p.exit();
  expect(memoryLost(machine, before)).toEqual([]);
});

test('self is the task that looks', () => {
  const other = machine.files.process('other', true);
  p.chdir('/t');
  other.chdir('/dev');
  expect(p.readlink('/proc/self').told).toBe(String(p.pid));
  expect(other.readlink('/proc/self').told).toBe(String(other.pid));
  expect(p.readlink('/proc/self/cwd').told).toBe('/t');
  expect(other.readlink('/proc/self/cwd').told).toBe('/dev');
  expect(p.readlink(`/proc/${other.pid}/cwd`).told).toBe('/dev');
  expect(p.readlink('/proc/self/root').told).toBe('/');
  expect(p.lstat('/proc/self').told!.mode & S_IFMT).toBe(S_IFLNK);
  expect(p.readdir('/proc').told).toContainEqual(expect.objectContaining({ name: 'self', type: DT_LNK }));
  const comm = p.open('/proc/self/comm').status;
  expect(text(p.read(comm, 20).bytes)).toBe('sh\n');
  p.close(comm);
  other.exit();
  expect(p.readlink(`/proc/${other.pid}/cwd`).status).toBe(ENOENT);
});

test('open files, by number', () => {
  const a = p.open('/t/a', O_CREAT | O_RDWR).status;
  p.write(a, bytes('text'));
  const names = () => p.readdir('/proc/self/fd').told!.map(({ name }) => name);
  // The folder that is being read is open too.
  expect(names()).toEqual(['0', '1']);
  expect(p.readlink('/proc/self/fd/0').told).toBe('/t/a');
  expect(p.readlink('/proc/self/fd/7').status).toBe(ENOENT);
  expect(p.readlink('/dev/stdin').told).toBe('/proc/self/fd/0');
  expect(p.stat('/dev/stdin').told).toEqual(p.stat('/t/a').told);
  expect(p.rename('/t/a', '/t/b').status).toBe(0);
  expect(p.readlink('/dev/fd/0').told).toBe('/t/b');
  // The link leads to the file, whose name may be gone.
  expect(p.unlink('/t/b').status).toBe(0);
  expect(p.readlink('/proc/self/fd/0').told).toBe('/t/b (deleted)');
  const again = p.open('/dev/stdin').status;
  expect(text(p.read(again, 10).bytes)).toBe('text');
  p.close(again);
  const written = p.open('/dev/fd/0', O_CREAT | O_TRUNC | O_WRONLY).status;
  expect(p.write(written, bytes('new')).status).toBe(3);
  p.close(written);
  expect(p.fstat(a).told).toMatchObject({ size: 3, nlink: 0 });
  p.close(a);
  expect(p.open('/dev/stdin').status).toBe(ENOENT);
  expect(names()).toEqual(['0']);
});

test('a folder that was removed, as where one is', () => {
  p.mkdir('/t/gone');
  p.chdir('/t/gone');
  p.rmdir('/t/gone');
  expect(p.readlink('/proc/self/cwd').told).toBe('/t/gone (deleted)');
  expect(p.stat('/proc/self/cwd').told).toMatchObject({ nlink: 0 });
  expect(p.open('/proc/self/cwd/f', O_CREAT | O_WRONLY).status).toBe(ENOENT);
  expect(p.stat('/proc/self/cwd/..').told!.ino).toBe(p.stat('/t').told!.ino);
});
