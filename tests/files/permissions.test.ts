// SPDX-License-Identifier: MIT
/** Who may do what: permission bits, owners, sticky folders, set-group-ID folders, umask. */

import type { Process } from '@pagewalk/kernel/fs/process';
import type { Machine } from '@pagewalk/kernel/machine';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type MemoryState, memoryLost, memoryOf } from '../support/memory.js';
import { boot } from '../support/modules.js';
import { checkRebuild } from '../support/rebuild.js';

const [O_RDONLY, O_WRONLY, O_RDWR, O_CREAT, O_TRUNC] = [0, 1, 2, 0o100, 0o1000];
const [R_OK, W_OK, X_OK] = [4, 2, 1];
const EPERM = -1;
const EACCES = -13;
const EINVAL = -22;
const S_IFREG = 0o100000;
const S_IFCHR = 0o020000;
const S_IFIFO = 0o010000;
const UID = 1000;
const GID = 100;

let machine: Machine;
let before: MemoryState;
let root: Process;
let user: Process;

beforeEach(() => {
  machine = boot();
  root = machine.files.process('root', true);
  root.umask(0);
  root.mkdir('/t', 0o755);
  const become = () => {
    user = machine.files.process('user', true);
    expect(user.setgid(GID).status).toBe(0);
    expect(user.setuid(UID).status).toBe(0);
  };
  become();
  root.close(root.open('/t/x', O_CREAT | O_WRONLY).status);
  root.unlink('/t/x');
  user.exit();
  root.exit();
  before = memoryOf(machine);
  become();
  user.umask(0);
  root.umask(0);
});

function clear(path: string): void {
  for (const { name } of root.readdir(path).told ?? []) {
    const at = `${path}/${name}`;
    if (root.unlink(at).status === 0) continue;
    clear(at);
    expect(root.rmdir(at).status).toBe(0);
  }
}

afterEach(() => {
  checkRebuild(machine);
  clear('/t');
  user.exit();
  root.exit();
  expect(memoryLost(machine, before)).toEqual([]);
});

function open(who: Process, path: string, flags = O_RDONLY, mode = 0o666): number {
  const { status } = who.open(path, flags, mode);
  if (status >= 0) who.close(status);
  return Math.min(status, 0);
}

const make = (who: Process, path: string, mode: number) =>
  expect(open(who, path, O_CREAT | O_WRONLY, mode)).toBe(0);
const modeOf = (path: string) => root.lstat(path).told!.mode & 0o7777;

test('a file of another, by its bits', () => {
  make(root, '/t/f', 0o640);
  expect(open(user, '/t/f')).toBe(EACCES);
  root.change('/t/f', { mode: 0o644 });
  expect(open(user, '/t/f')).toBe(0);
  expect(open(user, '/t/f', O_RDWR)).toBe(EACCES);
  expect(open(user, '/t/f', O_RDONLY | O_TRUNC)).toBe(EACCES);
  expect(user.truncate('/t/f', 0).status).toBe(EACCES);
  root.change('/t/f', { mode: 0o602 });
  expect(open(user, '/t/f', O_WRONLY)).toBe(0);
  expect(user.truncate('/t/f', 3).status).toBe(0);
  expect(user.access('/t/f', R_OK).status).toBe(EACCES);
  expect(user.access('/t/f', W_OK).status).toBe(0);
  expect(user.access('/t/f', 0).status).toBe(0);
  expect(user.access('/t/f', 8).status).toBe(EINVAL);
  // Root reads and writes all, and executes what anybody may execute.
  root.change('/t/f', { mode: 0 });
  expect(open(root, '/t/f', O_RDWR)).toBe(0);
  expect(root.access('/t/f', X_OK).status).toBe(EACCES);
  root.change('/t/f', { mode: 0o010 });
  expect(root.access('/t/f', X_OK).status).toBe(0);
});

test('the first class that one is in decides', () => {
  make(root, '/t/own', 0o077);
  root.change('/t/own', { uid: UID, gid: GID });
  expect(open(user, '/t/own')).toBe(EACCES);
  make(root, '/t/group', 0o707);
  root.change('/t/group', { gid: GID });
  expect(open(user, '/t/group')).toBe(EACCES);
  root.change('/t/group', { mode: 0o070 });
  expect(open(user, '/t/group', O_RDWR)).toBe(0);
});

test('folders: x to pass, r to list, w and x to change', () => {
  root.mkdir('/t/d', 0o755);
  make(root, '/t/d/f', 0o666);
  expect(open(user, '/t/d/new', O_CREAT | O_WRONLY)).toBe(EACCES);
  for (const change of [
    user.mkdir('/t/d/n'),
    user.unlink('/t/d/f'),
    user.rename('/t/d/f', '/t/d/g'),
    user.symlink('f', '/t/d/l'),
    user.link('/t/d/f', '/t/d/h'),
    user.mknod('/t/d/p', S_IFIFO | 0o666, 0),
  ])
    expect(change.status).toBe(EACCES);
  root.change('/t/d', { mode: 0o711 });
  expect(user.readdir('/t/d').status).toBe(EACCES);
  expect(open(user, '/t/d/f', O_RDWR)).toBe(0);
  expect(user.stat('/t/d/f').status).toBe(0);
  root.change('/t/d', { mode: 0o744 });
  expect(user.readdir('/t/d').told?.map(({ name }) => name)).toEqual(['f']);
  expect(user.stat('/t/d/f').status).toBe(EACCES);
  expect(user.stat('/t/d/nosuch').status).toBe(EACCES);
  expect(user.chdir('/t/d').status).toBe(EACCES);
  root.change('/t/d', { mode: 0o722 });
  expect(user.unlink('/t/d/f').status).toBe(EACCES);
  root.change('/t/d', { mode: 0o733 });
  expect(user.rename('/t/d/f', '/t/d/g').status).toBe(0);
  expect(user.unlink('/t/d/g').status).toBe(0);
});

test('a sticky folder keeps the names of others', () => {
  root.mkdir('/t/tmp', 0o1777);
  make(root, '/t/tmp/roots', 0o666);
  make(user, '/t/tmp/mine', 0o666);
  expect(user.unlink('/t/tmp/roots').status).toBe(EPERM);
  expect(user.rename('/t/tmp/roots', '/t/tmp/taken').status).toBe(EPERM);
  expect(user.rename('/t/tmp/mine', '/t/tmp/roots').status).toBe(EPERM);
  expect(user.rename('/t/tmp/mine', '/t/tmp/moved').status).toBe(0);
  expect(user.unlink('/t/tmp/moved').status).toBe(0);
  root.mkdir('/t/tmp/dir');
  expect(user.rmdir('/t/tmp/dir').status).toBe(EPERM);
  // Whoever owns the folder may remove what he likes.
  user.mkdir('/t/tmp/own', 0o1777);
  make(root, '/t/tmp/own/f', 0o600);
  expect(user.unlink('/t/tmp/own/f').status).toBe(0);
});

test('umask', () => {
  root.mkdir('/t/d', 0o777);
  expect(user.umask(0o027).status).toBe(0);
  make(user, '/t/d/f', 0o6777);
  user.mkdir('/t/d/n', 0o7777);
  user.mknod('/t/d/p', S_IFIFO | 0o666, 0);
  user.symlink('f', '/t/d/l');
  expect(['f', 'n', 'p', 'l'].map((name) => modeOf(`/t/d/${name}`))).toEqual([0o6750, 0o1750, 0o640, 0o777]);
  expect(user.umask(0o7777).status).toBe(0o027);
  expect(user.umask(0).status).toBe(0o777);
  expect(root.lstat('/t/d/f').told).toMatchObject({ uid: UID, gid: GID });
});

test('chmod, chown and utimes are for the owner', () => {
  const now = { sec: 1, nsec: 2 };
  make(root, '/t/f', 0o644);
  expect(user.change('/t/f', { mode: 0o777 }).status).toBe(EPERM);
  expect(user.change('/t/f', { uid: UID }).status).toBe(EPERM);
  expect(user.change('/t/f', { gid: GID }).status).toBe(EPERM);
  expect(user.change('/t/f', { mtime: now }).status).toBe(EPERM);
  expect(user.change('/t/f', { atime: 'now', mtime: 'now' }).status).toBe(EACCES);
  root.change('/t/f', { mode: 0o666 });
  expect(user.change('/t/f', { atime: 'now', mtime: 'now' }).status).toBe(0);
  root.change('/t/f', { uid: UID, gid: 7 });
  expect(user.change('/t/f', { mode: 0o755, mtime: now }).status).toBe(0);
  expect(root.stat('/t/f').told).toMatchObject({ mode: S_IFREG | 0o755, mtime: now });
  expect(user.change('/t/f', { uid: 0 }).status).toBe(EPERM);
  expect(user.change('/t/f', { uid: UID }).status).toBe(0);
  expect(user.change('/t/f', { gid: 50 }).status).toBe(EPERM);
  // Set-group-ID for a group that one is not in goes without a word.
  expect(user.change('/t/f', { mode: 0o2755 }).status).toBe(0);
  expect(modeOf('/t/f')).toBe(0o755);
  expect(user.change('/t/f', { gid: GID }).status).toBe(0);
  expect(user.change('/t/f', { mode: 0o6755 }).status).toBe(0);
  expect(modeOf('/t/f')).toBe(0o6755);
  // A new owner takes the bits away.
  expect(root.change('/t/f', { uid: 5 }).status).toBe(0);
  expect(modeOf('/t/f')).toBe(0o755);
  root.change('/t/f', { mode: 0o6745 });
  expect(root.change('/t/f', { gid: 5 }).status).toBe(0);
  expect(modeOf('/t/f')).toBe(0o2745);
});

test('what is made in a set-group-ID folder is of its group', () => {
  root.mkdir('/t/d', 0o777);
  root.change('/t/d', { gid: 50, mode: 0o2777 });
  make(user, '/t/d/f', 0o644);
  make(user, '/t/d/g', 0o2755);
  make(user, '/t/d/h', 0o2745);
  user.mkdir('/t/d/n', 0o755);
  expect(root.stat('/t/d/f').told).toMatchObject({ uid: UID, gid: 50 });
  expect(root.stat('/t/d/n').told).toMatchObject({ uid: UID, gid: 50 });
  expect(['f', 'g', 'h', 'n'].map((name) => modeOf(`/t/d/${name}`))).toEqual([0o644, 0o755, 0o2745, 0o2755]);
});

test('what only root may', () => {
  root.mkdir('/t/d', 0o777);
  expect(user.mknod('/t/d/null', S_IFCHR | 0o666, (1 << 20) | 3).status).toBe(EPERM);
  expect(user.mknod('/t/d/fifo', S_IFIFO | 0o666, 0).status).toBe(0);
  expect(user.mount('none', '/t/d', 'ramfs').status).toBe(EPERM);
  expect(user.umount('/sys').status).toBe(EPERM);
  expect(open(user, '/dev/null', O_RDWR)).toBe(0);
  expect(open(user, '/dev/mem')).toBe(EACCES);
  expect(open(user, '/dev/kmsg')).toBe(0);
  expect(open(user, '/dev/kmsg', O_WRONLY)).toBe(EACCES);
  root.change('/dev/mem', { mode: 0o666 });
  expect(open(user, '/dev/mem')).toBe(EPERM);
  root.change('/dev/mem', { mode: 0o600 });
  expect(user.setuid(0).status).toBe(EPERM);
  expect(user.setgid(0).status).toBe(EPERM);
  expect(user.setuid(UID).status).toBe(0);
  expect(user.setgid(GID).status).toBe(0);
  expect(user.setuid(-1).status).toBe(EINVAL);
});
