// SPDX-License-Identifier: MIT
/** System calls on paths: what a file is, its names, the tree. What they tell beside a number is in `calls.told`. */

import type { KernelExports } from '../arch/wasm64/exports.js';
import type { Outcome } from '../kernel/sched/context.js';
import { EBADF, EINVAL, EIO, ENOENT, ENOMEM, ENOTDIR, EPERM, EROFS } from '../lib/errno.js';
import { decodeUtf8 } from '../lib/utf8.js';
import type { Handle, Vaddr } from '../machine/layout.js';
import { charge } from '../machine/work.js';
import type { Attributes, Stat, StatFs } from './attr.js';
import type { DirectoryEntry, FileCalls, Request, Told } from './file_calls.js';
import { S_IFDIR, S_IFMT } from './file_modes.js';
import { FMODE_WRITE, SPECIAL } from './file_table.js';
import { FS } from './fs_context.js';
import { MAY_EXEC, MAY_READ, MAY_WRITE, type Namei, type Walker } from './namei.js';
import { type Mounts, MS_BIND, MS_REMOUNT, type Place } from './namespace.js';
import { DirContext, FsStruct } from './vfs_types.js';

export interface PathCallServices {
  readonly calls: FileCalls;
  readonly namei: Namei;
  readonly mounts: Mounts;
  readonly attributes: Attributes;
  /** Where the paths of the running task start, and who it is. */
  walker(): Walker;
}

/** Bytes that getdents needs for an entry besides its name. */
const ENTRY_HEADER = 19;
const ENTRY_ALIGN = 8;
/** What being told an entry costs. */
const ENTRY_COUNT = 200;
const PATH_MAX = 4096;
const SLASH = 0x2f;

export class PathCalls {
  /** Entries that the getdents under way has been told, and how many bytes more it takes. */
  private entries: DirectoryEntry[] = [];
  private room = 0;
  /** Why the last one told was not taken. */
  private error = 0;

  constructor(private readonly k: PathCallServices) {
    const { namei, calls } = k;
    const simple = (name: string, call: (request: Request, who: Walker) => number) =>
      calls.add(name, (at, request) => calls.done(at, call(request, k.walker())));
    simple('mkdir', ({ path = '', mode = 0o777 }, who) => namei.mkdir(path, mode, who));
    simple('rmdir', ({ path = '' }, who) => namei.rmdir(path, who));
    simple('unlink', ({ path = '' }, who) => namei.unlink(path, who));
    simple('mknod', ({ path = '', mode = 0, rdev = 0 }, who) => namei.mknod(path, mode, rdev, who));
    simple('rename', ({ path = '', target = '', flags }, who) => namei.rename(path, target, who, flags));
    simple('link', ({ path = '', target = '' }, who) => namei.link(path, target, who));
    simple('symlink', ({ path = '', target = '' }, who) => namei.symlink(target, path, who));
    simple('truncate', ({ path = '', count = 0 }, who) => k.attributes.truncate(path, count, who));
    simple('stat', (request, who) => this.stat(request, who, true));
    simple('lstat', (request, who) => this.stat(request, who, false));
    simple('readlink', ({ path = '' }, who) => this.readlink(path, who));
    simple('setattr', (request, who) => this.setattr(request, who));
    simple('access', ({ path = '', mode = 0 }, who) => this.access(path, mode, who));
    simple('statfs', ({ path = '' }, who) =>
      this.at(path, who, (place) => this.tell(k.attributes.statfs(place))),
    );
    simple('mount', (request, who) => this.mount(request, who));
    simple('umount', ({ path = '', flags = 0 }, who) =>
      who.uid !== 0 ? -EPERM : this.at(path, who, (place) => k.mounts.umount(place, flags)),
    );
    calls.add('fstat', (at, { fd }) => this.onFile(at, fd, (file) => this.tellStat(file)));
    calls.add('ftruncate', (at, { fd, count = 0 }) =>
      this.onFile(at, fd, (file) => this.ftruncate(file, count)),
    );
    calls.add('getdents', (at, { fd, count = 0 }) => this.getdents(at, fd, count));
    calls.add('chdir', (at, { path = '' }) => calls.done(at, this.chdir(at, path)));
    calls.add('getcwd', (at) => calls.done(at, this.getcwd()));
    calls.add('umask', (at, { mode = 0 }) => calls.done(at, this.umask(at, mode)));
  }

  private tell(told: Stat | StatFs | number): number {
    if (typeof told === 'number') return told;
    return this.say(told);
  }

  private say(told: Told): number {
    this.k.calls.told = told;
    return 0;
  }

  /** Does something at a place that a path leads to. */
  private at(path: string, who: Walker, then: (place: Place) => number, follow = true): number {
    const { namei, mounts } = this.k;
    const place = namei.lookup(path, who, { follow });
    if (typeof place === 'number') return place;
    const result = then(place);
    mounts.put(place);
    return result;
  }

  private onFile(at: Handle, fd: number | undefined, then: (file: Handle) => number): Outcome {
    const { calls } = this.k;
    const file = calls.fget(at, fd);
    return calls.done(at, file === 0 ? -EBADF : then(file));
  }

  // ---------------------------------------------------------------- one file

  private stat({ path = '' }: Request, who: Walker, follow: boolean): number {
    return this.at(path, who, (place) => this.tell(this.k.attributes.stat(place)), follow);
  }

  private tellStat(file: Handle): number {
    return this.tell(this.k.attributes.stat(this.k.calls.files.placeOf(file)));
  }

  private readlink(path: string, who: Walker): number {
    const read = (place: Place) => {
      const target = this.k.namei.linkTarget(place.dentry);
      return typeof target === 'number' ? target : this.say(target);
    };
    return this.at(path, who, read, false);
  }

  /** chmod, chown, utimes; `flags` 1: of a link itself. */
  private setattr({ path = '', change = {}, flags = 0 }: Request, who: Walker): number {
    return this.at(path, who, (place) => this.k.attributes.change(place, change, who), flags !== 1);
  }

  private access(path: string, mode: number, who: Walker): number {
    const mask = mode & (MAY_READ | MAY_WRITE | MAY_EXEC);
    if (mode !== mask) return -EINVAL;
    const { namei, mounts } = this.k;
    return this.at(path, who, ({ mnt, dentry }) => {
      const error = mask === 0 ? 0 : namei.permission(namei.inodeOf(dentry), mask, who);
      const writes = (mask & MAY_WRITE) !== 0 && !SPECIAL.has(namei.typeOf(dentry));
      return error === 0 && writes && mounts.isReadOnly(mnt) ? -EROFS : error;
    });
  }

  private ftruncate(file: Handle, size: number): number {
    const { calls, attributes, walker } = this.k;
    if (size < 0 || !(calls.files.file(file).f_mode & FMODE_WRITE)) return -EINVAL;
    return attributes.truncateAt(calls.files.placeOf(file), size, walker());
  }

  // ---------------------------------------------------------------- folders

  /**
   * Entries of an open folder from its position on, as many as fit into `count` bytes of `struct linux_dirent64`.
   * The result is their bytes; 0 at the end.
   * @linux fs/readdir.c:iterate_dir partial: what C sleeps in here cannot be interrupted
   */
  private getdents(at: Handle, fd: number | undefined, count: number): Outcome {
    const { calls } = this.k;
    const { deps } = calls;
    const file = calls.fget(at, fd);
    if (file === 0) return calls.done(at, -EBADF);
    const iterate = calls.operation(file, 'iterate_shared') || calls.operation(file, 'iterate');
    if ((calls.files.inode(file).i_mode & S_IFMT) !== S_IFDIR || iterate === 0)
      return calls.done(at, -ENOTDIR);
    const ctx = deps.kmalloc(DirContext.size);
    if (ctx === 0) return calls.done(at, -ENOMEM);
    const context = DirContext.at(deps.ram, deps.ram.handleOf(ctx));
    context.actor = deps.symbol('filldir64');
    context.pos = calls.files.file(file).f_pos;
    this.entries = [];
    this.room = count;
    this.error = 0;
    const error = deps.callC(iterate, 'i:pp', deps.ram.addressOf(file), ctx);
    calls.files.file(file).f_pos = context.pos;
    deps.kfree(ctx);
    if (error < 0 && this.entries.length === 0) return calls.done(at, error);
    this.say(this.entries);
    if (this.error !== 0 && this.entries.length === 0) return calls.done(at, this.error);
    return calls.done(at, count - this.room);
  }

  /** Is told an entry: false if there is no room for it. @linux fs/readdir.c:filldir64 full */
  private filldir(name: Vaddr, length: number, ino: number, type: number): boolean {
    const { ram, guest } = this.k.calls.deps;
    charge(ram, ENTRY_COUNT);
    const bytes = Math.ceil((ENTRY_HEADER + length + 1) / ENTRY_ALIGN) * ENTRY_ALIGN;
    const named = length > 0 && length < PATH_MAX ? guest.read(name, length) : undefined;
    if (named === undefined || named.includes(SLASH)) {
      this.error = -EIO;
      return false;
    }
    this.error = -EINVAL;
    if (bytes > this.room) {
      return false;
    }
    this.room -= bytes;
    this.entries.push({ name: decodeUtf8(named), ino, type });
    this.error = 0;
    return true;
  }

  private fs(at: Handle) {
    const { calls } = this.k;
    return FsStruct.at(calls.deps.ram, calls.filesOf(at) + FS);
  }

  private chdir(at: Handle, path: string): number {
    const { namei, mounts, walker } = this.k;
    const who = walker();
    const place = namei.lookup(path, who, { follow: true, directory: true });
    if (typeof place === 'number') return place;
    const error = namei.permission(namei.inodeOf(place.dentry), MAY_EXEC, who);
    if (error !== 0) {
      mounts.put(place);
      return error;
    }
    const { pwd } = this.fs(at);
    mounts.put({ mnt: mounts.ofVfsmount(pwd.mnt), dentry: pwd.dentry });
    pwd.mnt = mounts.vfsmount(place.mnt);
    pwd.dentry = place.dentry;
    return 0;
  }

  private getcwd(): number {
    const { pwd, root } = this.k.walker();
    const path = this.k.mounts.pathOf(pwd, root);
    return path.endsWith(' (deleted)') ? -ENOENT : this.say(path);
  }

  private umask(at: Handle, mode: number): number {
    const fs = this.fs(at);
    const old = fs.umask;
    fs.umask = mode & 0o777;
    return old;
  }

  // ---------------------------------------------------------------- mounts

  /** @linux fs/namespace.c:path_mount partial: no propagation, no move */
  private mount({ path = '', target = '', type = '', flags = 0, data = '' }: Request, who: Walker): number {
    const { namei, mounts } = this.k;
    if (who.uid !== 0) return -EPERM;
    const place = namei.lookup(path, who);
    if (typeof place === 'number') return place;
    if (flags & MS_BIND && !(flags & MS_REMOUNT))
      return this.at(target, who, (from) => mounts.bind(from, mounts.get(place)), true) + this.drop(place);
    if (flags & MS_REMOUNT) return mounts.remount(place, flags) + this.drop(place);
    return mounts.mountAt(place, type, flags, target, data);
  }

  /** Gives a place back: 0. */
  private drop(place: Place): 0 {
    this.k.mounts.put(place);
    return 0;
  }

  exports(): KernelExports {
    return {
      filldir64: [
        'b:ppillu',
        (_ctx: Vaddr, name: Vaddr, length: number, _offset: number, ino: number, type: number) =>
          this.filldir(name, length, ino, type),
      ],
    };
  }
}
