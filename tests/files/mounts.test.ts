// SPDX-License-Identifier: MIT
/** Mounts: nested, bound, read-only, busy, detached; folders of the host. */

import type { HostFolder } from '@pagewalk/kernel/fs/hostfs/hostfs';
import type { Process } from '@pagewalk/kernel/fs/process';
import { TaskStruct } from '@pagewalk/kernel/kernel/sched';
import { Machine } from '@pagewalk/kernel/machine';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type MemoryState, memoryLost, memoryOf } from '../support/memory.js';
import { boot } from '../support/modules.js';
import { checkRebuild } from '../support/rebuild.js';

const [O_WRONLY, O_RDWR, O_CREAT, O_TRUNC] = [1, 2, 0o100, 0o1000];
const [MS_RDONLY, MS_NODEV, MS_REMOUNT, MS_BIND] = [1, 4, 32, 4096];
const MNT_DETACH = 2;
const EPERM = -1;
const ENOENT = -2;
const EIO = -5;
const EACCES = -13;
const EBUSY = -16;
const EEXIST = -17;
const EXDEV = -18;
const ENODEV = -19;
const ENOTDIR = -20;
const EINVAL = -22;
const ENOTEMPTY = -39;
const EROFS = -30;
const S_IFREG = 0o100000;
const S_IFDIR = 0o040000;
const S_IFLNK = 0o120000;
const S_IFCHR = 0o020000;

const encode = (text: string) => new TextEncoder().encode(text);
const decode = (bytes: Uint8Array | undefined) => new TextDecoder().decode(bytes);

let machine: Machine;
let before: MemoryState;
let p: Process;

beforeEach(() => {
  machine = boot();
  p = machine.files.process('sh', true);
  for (const path of ['/m', '/n']) p.mkdir(path, 0o755);
  // Once, so that what is kept for good is there.
  p.mount('none', '/m', 'tmpfs');
  write('/m/f', 'x');
  p.readdir('/m');
  p.umount('/m');
  p.exit();
  before = memoryOf(machine);
});

afterEach(() => {
  checkRebuild(machine);
  p.exit();
  expect(memoryLost(machine, before)).toEqual([]);
});

const ok = ({ status }: { status: number }) => expect(status).toBe(0);

function write(path: string, text: string, flags = O_CREAT | O_TRUNC): void {
  const fd = p.open(path, flags | O_WRONLY).status;
  expect(fd).toBeGreaterThanOrEqual(0);
  expect(p.write(fd, encode(text)).status).toBe(text.length);
  p.close(fd);
}

function read(path: string): string | number {
  const { status } = p.open(path);
  if (status < 0) return status;
  const { bytes } = p.read(status, 65536);
  p.close(status);
  return decode(bytes);
}

const names = (path: string) =>
  p
    .readdir(path)
    .told?.map(({ name }) => name)
    .sort();
const mounts = () => decode(machine.readProc('/proc/mounts'));

test('a mount hides what is below it', () => {
  write('/m/below', '1');
  ok(p.mount('mine', '/m', 'tmpfs'));
  expect(names('/m')).toEqual([]);
  write('/m/above', '2');
  expect(mounts()).toContain('\nmine /m tmpfs rw,relatime 0 0\n');
  expect(p.stat('/m').told!.dev).not.toBe(p.stat('/').told!.dev);
  expect(p.stat('/m').told!.ino).toBe(p.stat('/m/.').told!.ino);
  expect(p.stat('/m/..').told!.ino).toBe(p.stat('/').told!.ino);
  expect(p.rmdir('/m').status).toBe(EBUSY);
  expect(p.rename('/m', '/k').status).toBe(EBUSY);
  expect(p.rename('/m/above', '/n/above').status).toBe(EXDEV);
  expect(p.link('/m/above', '/n/above').status).toBe(EXDEV);
  // Another on top.
  ok(p.mount('top', '/m', 'ramfs'));
  expect(names('/m')).toEqual([]);
  ok(p.umount('/m'));
  expect(names('/m')).toEqual(['above']);
  ok(p.umount('/m'));
  expect(names('/m')).toEqual(['below']);
  expect(p.umount('/m').status).toBe(EINVAL);
  expect(p.umount('/nosuch').status).toBe(ENOENT);
  expect(p.umount('/').status).toBe(EBUSY);
  ok(p.unlink('/m/below'));
});

test('nested mounts, and .. across them', () => {
  ok(p.mount('a', '/m', 'ramfs'));
  ok(p.mkdir('/m/b'));
  ok(p.mount('b', '/m/b', 'tmpfs'));
  ok(p.mkdir('/m/b/c'));
  write('/m/here', 'outer');
  expect(read('/m/b/c/../../here')).toBe('outer');
  ok(p.chdir('/m/b/c'));
  expect(p.getcwd().told).toBe('/m/b/c');
  expect(read('../../here')).toBe('outer');
  expect(p.umount('/m').status).toBe(EBUSY);
  expect(p.umount('/m/b').status).toBe(EBUSY);
  ok(p.chdir('../..'));
  expect(p.getcwd().told).toBe('/m');
  ok(p.umount('b'));
  expect(p.umount('/m').status).toBe(EBUSY);
  ok(p.chdir('/'));
  const fd = p.open('/m/here').status;
  expect(p.umount('/m').status).toBe(EBUSY);
  p.close(fd);
  ok(p.umount('/m'));
});

test('what cannot be mounted', () => {
  expect(p.mount('x', '/m', 'nosuchfs').status).toBe(ENODEV);
  expect(p.mount('x', '/nosuch', 'ramfs').status).toBe(ENOENT);
  write('/m/file', '');
  expect(p.mount('x', '/m/file', 'ramfs').status).toBe(ENOTDIR);
  expect(p.mount('nofolder', '/n', 'hostfs').status).toBeLessThan(0);
  ok(p.unlink('/m/file'));
});

test('a detached mount lives as long as something of it is open', () => {
  ok(p.mount('a', '/m', 'ramfs'));
  ok(p.mkdir('/m/d'));
  ok(p.mount('b', '/m/d', 'ramfs'));
  write('/m/f', 'text');
  const fd = p.open('/m/f', O_RDWR).status;
  ok(p.umount('/m', MNT_DETACH));
  expect(mounts()).not.toContain(' /m');
  expect(p.stat('/m/f').status).toBe(ENOENT);
  expect(decode(p.read(fd, 10).bytes)).toBe('text');
  expect(p.write(fd, encode('more')).status).toBe(4);
  expect(p.fstat(fd).told).toMatchObject({ size: 8, nlink: 1 });
  p.close(fd);
});

test('a read-only mount', () => {
  ok(p.mount('a', '/m', 'tmpfs'));
  write('/m/f', 'text');
  ok(p.mkdir('/m/d'));
  ok(p.symlink('f', '/m/l'));
  ok(p.mknod('/m/null', S_IFCHR | 0o666, (1 << 20) | 3));
  const held = p.open('/m/f', O_RDWR).status;
  expect(p.mount('', '/m', '', MS_REMOUNT | MS_RDONLY).status).toBe(EBUSY);
  p.close(held);
  ok(p.mount('', '/m', '', MS_REMOUNT | MS_RDONLY));
  expect(mounts()).toContain('a /m tmpfs ro,relatime 0 0\n');
  expect(read('/m/f')).toBe('text');
  const changes = [
    p.open('/m/f', O_WRONLY),
    p.open('/m/f', O_RDWR),
    p.open('/m/f', O_TRUNC),
    p.open('/m/new', O_CREAT | O_WRONLY),
    p.mkdir('/m/new'),
    p.rmdir('/m/d'),
    p.rmdir('/m/nosuch'),
    p.unlink('/m/f'),
    p.unlink('/m/nosuch'),
    p.rename('/m/f', '/m/g'),
    p.rename('/m/nosuch', '/m/g'),
    p.link('/m/f', '/m/g'),
    p.symlink('f', '/m/g'),
    p.mknod('/m/g', S_IFREG | 0o666, 0),
    p.change('/m/f', { mode: 0o600 }),
    p.change('/m/f', { uid: 1 }),
    p.change('/m/f', { mtime: 'now' }),
    p.truncate('/m/f', 1),
  ];
  expect(changes.map(({ status }) => status)).toEqual(changes.map(() => EROFS));
  expect(p.mkdir('/m/d').status).toBe(EEXIST);
  expect(p.access('/m/f', 2).status).toBe(EROFS);
  expect(p.access('/m/f', 4).status).toBe(0);
  // A device is no part of the file system.
  const device = p.open('/m/null', O_RDWR).status;
  expect(device).toBeGreaterThanOrEqual(0);
  p.close(device);
  ok(p.mount('', '/m', '', MS_REMOUNT));
  write('/m/f', 'new');
  ok(p.umount('/m'));
});

test('bind mounts', () => {
  ok(p.mkdir('/m/deep'));
  write('/m/deep/f', 'shared');
  ok(p.mount('/m/deep', '/n', '', MS_BIND));
  expect(read('/n/f')).toBe('shared');
  write('/n/g', 'there');
  expect(read('/m/deep/g')).toBe('there');
  expect(p.stat('/n/f').told).toEqual(p.stat('/m/deep/f').told);
  expect(p.link('/m/deep/f', '/n/h').status).toBe(EXDEV);
  expect(p.stat('/n/..').told!.ino).toBe(p.stat('/').told!.ino);
  // Read-only in one place.
  ok(p.mount('', '/n', '', MS_REMOUNT | MS_BIND | MS_RDONLY));
  expect(p.unlink('/n/f').status).toBe(EROFS);
  ok(p.unlink('/m/deep/f'));
  expect(read('/n/f')).toBe(ENOENT);
  expect(p.rmdir('/n').status).toBe(EBUSY);
  ok(p.umount('/n'));
  ok(p.unlink('/m/deep/g'));
  ok(p.rmdir('/m/deep'));
  // A file on a file.
  write('/m/a', 'A');
  write('/m/b', 'B');
  ok(p.mount('/m/a', '/m/b', '', MS_BIND));
  expect(read('/m/b')).toBe('A');
  expect(p.unlink('/m/b').status).toBe(EBUSY);
  expect(p.mount('/m', '/m/a', '', MS_BIND).status).toBe(ENOTDIR);
  ok(p.umount('/m/b'));
  expect(read('/m/b')).toBe('B');
  ok(p.unlink('/m/a'));
  ok(p.unlink('/m/b'));
});

test('devices that a mount does not allow', () => {
  ok(p.mount('a', '/m', 'ramfs', MS_NODEV));
  ok(p.mknod('/m/null', S_IFCHR | 0o666, (1 << 20) | 3));
  expect(p.open('/m/null').status).toBe(EACCES);
  expect(mounts()).toContain('a /m ramfs rw,nodev,relatime 0 0\n');
  ok(p.umount('/m'));
});

test('names with spaces in /proc/mounts, and /proc/filesystems', () => {
  ok(p.mkdir('/m/a b'));
  ok(p.mount('dev\t1', '/m/a b', 'ramfs'));
  expect(mounts()).toContain('dev\\0111 /m/a\\040b ramfs rw,relatime 0 0\n');
  expect(read('/proc/self/mounts')).toBe(mounts());
  expect(read('/proc/mounts')).toBe(mounts());
  ok(p.umount('/m/a b'));
  ok(p.rmdir('/m/a b'));
  const types = decode(machine.readProc('/proc/filesystems'));
  for (const type of ['sysfs', 'tmpfs', 'ramfs', 'proc', 'devtmpfs', 'debugfs'])
    expect(types).toContain(`nodev\t${type}\n`);
});

// ---------------------------------------------------------------- the host

/** A folder of the host, in memory. */
class Memory implements HostFolder {
  readonly files = new Map<string, Uint8Array | 'folder' | { readonly link: string }>([['/', 'folder']]);
  writable = true;

  stat(path: string) {
    const found = this.files.get(path);
    const mtime = { sec: 7, nsec: 0 };
    if (found === undefined) return ENOENT;
    if (found === 'folder') return { mode: S_IFDIR | 0o755, size: 0, mtime };
    if (found instanceof Uint8Array) return { mode: S_IFREG | 0o644, size: found.length, mtime };
    return { mode: S_IFLNK | 0o777, size: found.link.length, mtime };
  }
  list(path: string) {
    const start = path === '/' ? '/' : `${path}/`;
    return [...this.files.keys()]
      .filter((name) => name !== '/' && name.startsWith(start) && !name.slice(start.length).includes('/'))
      .map((name) => name.slice(start.length));
  }
  read(path: string) {
    const found = this.files.get(path);
    return found instanceof Uint8Array ? found : ENOENT;
  }
  readlink(path: string) {
    const found = this.files.get(path);
    return typeof found === 'object' && 'link' in found ? found.link : EINVAL;
  }
  private resize(path: string, size: number): Uint8Array {
    const bytes = new Uint8Array(size);
    bytes.set((this.read(path) as Uint8Array).subarray(0, size));
    this.files.set(path, bytes);
    return bytes;
  }
  private readonly changes = {
    create: (path: string) => this.set(path, new Uint8Array()),
    write: (path: string, offset: number, bytes: Uint8Array) => {
      const old = this.read(path) as Uint8Array;
      this.resize(path, Math.max(old.length, offset + bytes.length)).set(bytes, offset);
      return 0;
    },
    truncate: (path: string, size: number) => {
      this.resize(path, size);
      return 0;
    },
    mkdir: (path: string) => this.set(path, 'folder'),
    unlink: (path: string) => (this.files.delete(path) ? 0 : ENOENT),
    rmdir: (path: string) => {
      if (this.list(path).length > 0) return ENOTEMPTY;
      return this.files.delete(path) ? 0 : ENOENT;
    },
    rename: (from: string, to: string) => {
      for (const [path, what] of [...this.files]) {
        if (path !== from && !path.startsWith(`${from}/`)) continue;
        this.files.delete(path);
        this.files.set(to + path.slice(from.length), what);
      }
      return 0;
    },
    symlink: (target: string, path: string) => this.set(path, { link: target }),
    link: () => EPERM,
    chmod: () => 0,
    utimes: () => 0,
  };
  private set(path: string, what: Uint8Array | 'folder' | { link: string }): 0 {
    this.files.set(path, what);
    return 0;
  }
  get change() {
    return this.writable ? this.changes : undefined;
  }
}

test('a folder of the host: read, written, changed outside', () => {
  const host = new Memory();
  host.files.set('/hello', encode('from outside'));
  machine.files.offer('disk', host);
  ok(p.mount('disk', '/m', 'hostfs'));
  expect(read('/m/hello')).toBe('from outside');
  expect(names('/m')).toEqual(['hello']);
  write('/m/new', 'inside');
  expect(decode(host.files.get('/new') as Uint8Array)).toBe('inside');
  const fd = p.open('/m/new', O_WRONLY | 0o2000).status;
  expect(p.write(fd, encode(' more')).status).toBe(5);
  expect(decode(host.files.get('/new') as Uint8Array)).toBe('inside more');
  expect(p.ftruncate(fd, 3).status).toBe(0);
  p.close(fd);
  expect(decode(host.files.get('/new') as Uint8Array)).toBe('ins');
  host.files.set('/new', encode('changed outside'));
  expect(read('/m/new')).toBe('changed outside');
  host.files.delete('/new');
  expect(read('/m/new')).toBe(ENOENT);
  host.files.set('/late', encode('late'));
  expect(names('/m')).toEqual(['hello', 'late']);
  ok(p.mkdir('/m/dir'));
  ok(p.rename('/m/late', '/m/dir/x'));
  expect(host.files.has('/dir/x')).toBe(true);
  expect(read('/m/dir/x')).toBe('late');
  ok(p.symlink('dir/x', '/m/l'));
  expect(read('/m/l')).toBe('late');
  expect(p.readlink('/m/l').told).toBe('dir/x');
  expect(p.rmdir('/m/dir').status).toBe(ENOTEMPTY);
  for (const path of ['/m/dir/x', '/m/l', '/m/hello']) ok(p.unlink(path));
  ok(p.rmdir('/m/dir'));
  expect([...host.files.keys()]).toEqual(['/']);
  ok(p.umount('/m'));
});

test('a folder of the host that cannot be changed', () => {
  const host = new Memory();
  host.files.set('/f', encode('text'));
  host.writable = false;
  machine.files.offer('disk', host);
  ok(p.mount('disk', '/m', 'hostfs'));
  expect(read('/m/f')).toBe('text');
  const changes = [
    p.open('/m/f', O_WRONLY),
    p.open('/m/new', O_CREAT | O_WRONLY),
    p.mkdir('/m/d'),
    p.unlink('/m/f'),
    p.rename('/m/f', '/m/g'),
    p.symlink('f', '/m/l'),
    p.truncate('/m/f', 0),
  ];
  expect(changes.map(({ status }) => status)).toEqual(changes.map(() => EROFS));
  expect(mounts()).toContain('disk /m hostfs ro,relatime 0 0\n');
  ok(p.umount('/m'));
});

test('a saved machine has what was open of the host, and nothing else', () => {
  const host = new Memory();
  host.files.set('/f', encode('kept'));
  host.files.set('/g', encode('lost'));
  machine.files.offer('disk', host);
  ok(p.mount('disk', '/m', 'hostfs'));
  const fd = p.open('/m/f').status;
  const { pid } = p;
  const loaded = Machine.load(machine.save());
  const there = loaded.files.process('sh', true);
  expect(there.stat('/m/g').status).toBe(EIO);
  expect(there.readdir('/m').status).toBe(EIO);
  expect(there.mount('disk', '/n', 'hostfs').status).toBeLessThan(0);
  // The program that had the file open goes on.
  const { kernel } = loaded;
  const task = kernel.tasks.all().find((at) => TaskStruct.at(kernel.ram, at).pid === pid)!;
  const same = loaded.files.process('sh', true);
  Object.assign(same, { task, files: TaskStruct.at(kernel.ram, task).files });
  expect(decode(same.read(fd, 10).bytes)).toBe('kept');
  expect(same.close(fd).status).toBe(0);
  expect(same.open('/m/f').status).toBe(EIO);
  there.exit();
  p.close(fd);
  ok(p.umount('/m'));
});
