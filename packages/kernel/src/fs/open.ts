// SPDX-License-Identifier: MIT
/** open and close: from a path to a file that works, and back. */

import { done, type Outcome } from '../kernel/sched/context.js';
import {
  EACCES,
  EBADF,
  EEXIST,
  EINVAL,
  EISDIR,
  ELOOP,
  EMFILE,
  ENODEV,
  ENOENT,
  ENOMEM,
  ENOTDIR,
  ENXIO,
  EROFS,
} from '../lib/errno.js';
import { readS64 } from '../lib/guest_access.js';
import { encodeUtf8 } from '../lib/utf8.js';
import type { Handle, Vaddr } from '../machine/layout.js';
import type { Attributes } from './attr.js';
import type { CharDevices } from './char_dev.js';
import type { Dcache } from './dcache.js';
import type { FileCalls } from './file_calls.js';
import { S_IFBLK, S_IFCHR, S_IFDIR, S_IFIFO, S_IFLNK, S_IFMT, S_IFREG, S_IFSOCK } from './file_modes.js';
import {
  FMODE_CAN_READ,
  FMODE_CAN_WRITE,
  FMODE_LSEEK,
  FMODE_OPENED,
  FMODE_READ,
  FMODE_WRITE,
} from './file_table.js';
import { FileOperations } from './fs_types.js';
import { NODE_DEBUGFS, NODE_PROC, NODE_REMOVED, NODE_SYSFS, NODE_TEXT } from './kernfs/kernfs.js';
import { isSpecial, MAY_READ, MAY_WRITE, type Namei, type Walker } from './namei.js';
import type { Mounts, Place } from './namespace.js';

export const O_ACCMODE = 3;
export const O_WRONLY = 1;
export const O_RDWR = 2;
export const O_CREAT = 0o100;
export const O_EXCL = 0o200;
export const O_NOCTTY = 0o400;
export const O_TRUNC = 0o1000;
export const O_APPEND = 0o2000;
export const O_NONBLOCK = 0o4000;
export const O_ASYNC = 0o20000;
export const O_DIRECTORY = 0o200000;
export const O_NOFOLLOW = 0o400000;
/** Flags that only open itself looks at. */
const OPEN_ONLY = O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC;

const MAX_LINKS = 40;

/** Where a close goes on. */
const THEN_RETURN = 0;
const THEN_EXIT = 1;
const THEN_DUP = 2;

export interface OpenDeps {
  readonly calls: FileCalls;
  readonly devices: CharDevices;
  readonly namei: Namei;
  readonly mounts: Mounts;
  readonly dcache: Dcache;
  readonly attributes: Attributes;
  /** Where the paths of the running task start, and who it is. */
  walker(): Walker;
}

/** What open looks at before it opens. */
interface Wanted {
  readonly flags: number;
  readonly who: Walker;
  /** The file was made by this open. */
  readonly created: boolean;
}

export class OpenCalls {
  private readonly opened: number;
  private readonly flushed: number;
  private readonly released: number;

  constructor(private readonly k: OpenDeps) {
    const { calls } = k;
    this.opened = calls.staged.after((call, result) => this.openDone(call, result));
    this.flushed = calls.staged.after((call, result) => {
      calls.at(call).result = result;
      return this.fput(call);
    });
    this.released = calls.staged.after((call) => {
      this.forget(calls.at(call).file);
      return this.closed(call);
    });
    calls.add('open', (call, { path = '', flags = 0, mode = 0 }) => this.open(call, path, flags, mode));
    calls.add('close', (call, { fd }) => {
      const file = calls.fget(call, fd);
      if (file === 0) return calls.done(call, -EBADF);
      return this.close(call, fd!, THEN_RETURN, ['__x64_sys_close', 'filp_close']);
    });
    calls.add('exit', (call) => this.exit(call));
  }

  /** Takes a file off the list of its driver that sends SIGIO, and away from its owner. */
  fasync: ((file: Handle) => void) | undefined;
  disown: ((file: Handle) => void) | undefined;

  // ---------------------------------------------------------------- open

  private open(call: Handle, path: string, flags: number, mode: number): Outcome {
    const { calls } = this.k;
    const fd = calls.files.freeDescriptor(calls.filesOf(call));
    if (fd < 0) return calls.done(call, -EMFILE);
    const file = this.openPath(path, flags, mode);
    if (file < 0) return calls.done(call, file);
    const c = calls.at(call);
    c.fd = fd;
    c.file = file;
    const open = calls.operation(file, 'open');
    if (open === 0) return this.openDone(call, 0);
    const { ram } = calls.deps;
    const frames = ['__x64_sys_openat', 'do_sys_openat2', 'do_filp_open', 'path_openat', 'do_dentry_open'];
    const f = calls.files.file(file);
    if ((calls.files.inode(file).i_mode & S_IFMT) === S_IFCHR) frames.push('chrdev_open');
    return calls.invoke(
      call,
      open,
      'i:pp',
      [ram.addressOf(f.f_inode), ram.addressOf(file)],
      this.opened,
      frames,
    );
  }

  /**
   * A file of a path, whose own open function has not been called yet.
   * @returns a negative errno if there is none
   * @linux fs/namei.c:path_openat full
   */
  private openPath(path: string, flags: number, mode: number, who = this.k.walker()): number {
    const { namei } = this.k;
    if ((flags & O_ACCMODE) === O_ACCMODE) return -EINVAL;
    if (!(flags & O_CREAT)) {
      const follow = !(flags & O_NOFOLLOW);
      const place = namei.lookup(path, who, { follow, directory: (flags & O_DIRECTORY) !== 0 });
      return typeof place === 'number' ? place : this.openPlace(place, { flags, who, created: false });
    }
    return this.openOrCreate(path, flags, mode, who, 0);
  }

  /** Opens a path, and makes the file if it is not there. */
  private openOrCreate(path: string, flags: number, mode: number, who: Walker, links: number): number {
    const { namei, mounts } = this.k;
    const parent = namei.parent(path, who);
    if (typeof parent === 'number') return parent;
    const { dir, name, slash } = parent;
    let file = flags & O_EXCL && isSpecial(name) ? -EEXIST : -EISDIR;
    if (!slash && !isSpecial(name)) file = this.openLast(dir, name, flags, mode, who, links);
    mounts.put(dir);
    return file;
  }

  /** Opens a name in a folder, or makes it. @linux fs/namei.c:lookup_open full */
  private openLast(
    dir: Place,
    name: string,
    flags: number,
    mode: number,
    who: Walker,
    links: number,
  ): number {
    const { namei, mounts, dcache } = this.k;
    const dentry = namei.lookupOne(dir.dentry, encodeUtf8(name));
    if (dentry < 0) return dentry;
    const created = namei.inodeOf(dentry) === 0;
    const error = created ? namei.create(dir, dentry, mode, who) : flags & O_EXCL ? -EEXIST : 0;
    if (error !== 0) {
      dcache.put(dentry);
      return error;
    }
    const here = mounts.get({ mnt: dir.mnt, dentry });
    dcache.put(dentry);
    if (namei.typeOf(dentry) !== S_IFLNK) return this.openPlace(mounts.down(here), { flags, who, created });
    const jumped = flags & O_NOFOLLOW ? undefined : namei.jump(namei.inodeOf(dentry));
    const target = flags & O_NOFOLLOW ? -ELOOP : jumped ? 0 : namei.linkTarget(dentry);
    mounts.put(here);
    if (jumped !== undefined) return this.openPlace(jumped, { flags, who, created });
    if (typeof target === 'number') return target;
    const from = { ...who, pwd: dir };
    return links === MAX_LINKS ? -ELOOP : this.openOrCreate(target, flags, mode, from, links + 1);
  }

  /**
   * Opens what is at a place.
   * @param place held; taken
   * @linux fs/namei.c:do_open full
   */
  private openPlace(place: Place, wanted: Wanted): number {
    const { calls, namei, mounts, attributes } = this.k;
    const { flags, who } = wanted;
    const inode = namei.inodeOf(place.dentry);
    let refused = this.refuse(place, inode, wanted);
    if (refused === 0 && flags & O_TRUNC && !wanted.created && namei.typeOf(place.dentry) === S_IFREG)
      refused = attributes.change(place, { size: 0 }, who);
    if (refused !== 0) {
      mounts.put(place);
      return refused;
    }
    const file = calls.files.create(place, inode, flags & ~OPEN_ONLY);
    if (file === 0) return -ENOMEM;
    const error = this.bindFunctions(file);
    if (error !== 0) calls.files.destroy(file);
    return error === 0 ? file : error;
  }

  /** @linux fs/namei.c:may_open full */
  private refuse(place: Place, inode: Handle, { flags, who, created }: Wanted): number {
    const { namei, mounts } = this.k;
    const type = namei.typeOf(place.dentry);
    const writing = (flags & O_ACCMODE) !== 0 || (flags & O_TRUNC) !== 0;
    if (inode === 0) return -ENOENT;
    if (type === S_IFLNK) return -ELOOP;
    if (type === S_IFDIR && (writing || flags & O_CREAT)) return -EISDIR;
    if (flags & O_DIRECTORY && type !== S_IFDIR) return -ENOTDIR;
    if (type === S_IFBLK || type === S_IFIFO || type === S_IFSOCK) return -ENXIO;
    if (type === S_IFCHR && !mounts.allowsDevices(place.mnt)) return -EACCES;
    if (created) return 0;
    if (writing && type === S_IFREG && mounts.isReadOnly(place.mnt)) return -EROFS;
    const reading = (flags & O_ACCMODE) !== O_WRONLY;
    const mask = (reading ? MAY_READ : 0) | (writing ? MAY_WRITE : 0);
    return namei.permission(inode, mask, who) || this.refuseAttribute(inode, reading, writing);
  }

  /** A file of sysfs without a permission bit cannot be opened by root either. */
  private refuseAttribute(inode: Handle, reading: boolean, writing: boolean): number {
    const { calls } = this.k;
    const node = calls.files.kernelNode(inode);
    if (node === 0 || !(calls.tree.at(node).flags & NODE_SYSFS)) return 0;
    const { mode } = calls.tree.at(node);
    if ((mode & S_IFMT) !== S_IFREG) return 0;
    return (writing && !(mode & 0o222)) || (reading && !(mode & 0o444)) ? -EACCES : 0;
  }

  /** Gives a file its functions, and holds their module. @linux fs/open.c:do_dentry_open partial: no leases, no write counts */
  private bindFunctions(file: Handle): number {
    const { calls, devices } = this.k;
    const f = calls.files.file(file);
    if ((calls.files.inode(file).i_mode & S_IFMT) === S_IFCHR) return devices.open(file, f.f_inode);
    const flags = calls.nodeFlags(file);
    if (flags & NODE_TEXT || calls.isProc(file) || f.f_op === 0 || this.getOwner(f.f_op)) return 0;
    return flags & NODE_DEBUGFS ? -ENXIO : -ENODEV;
  }

  /** fops_get(): a file keeps the module of its functions. */
  private getOwner(fops: Vaddr): boolean {
    const { deps } = this.k.calls;
    const owner = readS64(deps, fops + FileOperations.o.owner);
    return owner === 0 || deps.modules().tryGet(deps.guest.translate(owner) / 4);
  }

  private putOwner(fops: Vaddr): void {
    const { deps } = this.k.calls;
    const owner = fops === 0 ? 0 : readS64(deps, fops + FileOperations.o.owner);
    if (owner !== 0) deps.modules().put(deps.guest.translate(owner) / 4);
  }

  /** What a file can do, when its open function has run. */
  private finish(file: Handle): void {
    const { calls } = this.k;
    const f = calls.files.file(file);
    const has = (a: 'read' | 'write', b: 'read_iter' | 'write_iter') =>
      calls.operation(file, a) !== 0 || calls.operation(file, b) !== 0;
    f.f_mode |= FMODE_OPENED;
    if (f.f_mode & FMODE_READ && has('read', 'read_iter')) f.f_mode |= FMODE_CAN_READ;
    if (f.f_mode & FMODE_WRITE && has('write', 'write_iter')) f.f_mode |= FMODE_CAN_WRITE;
    if (calls.operation(file, 'llseek') === 0) f.f_mode &= ~FMODE_LSEEK;
  }

  private openDone(call: Handle, result: number): Outcome {
    const { calls } = this.k;
    const { file, fd } = calls.at(call);
    if (result !== 0) {
      this.forget(file);
      return calls.done(call, result < 0 ? result : -EINVAL);
    }
    this.finish(file);
    calls.files.install(calls.filesOf(call), fd, file);
    return calls.done(call, fd);
  }

  /**
   * C opens a file by its path.
   * @returns address of the file, or a negative errno
   * @linux fs/open.c:filp_open partial: an open function that sleeps is run to its end
   */
  filpOpen(path: string, flags: number, mode: number, who = this.k.walker()): number {
    return this.runOpen(this.openPath(path, flags, mode, who));
  }

  /** C opens what is at a place. @param place held; taken @linux fs/open.c:dentry_open full */
  openAt(place: Place, flags: number): number {
    return this.runOpen(this.openPlace(place, { flags, who: this.k.walker(), created: false }));
  }

  /**
   * An open file of functions that C gives.
   * @param place held; taken
   * @returns a handle, or a negative errno
   */
  openWith(place: Place, inode: Handle, fops: Vaddr, flags: number): number {
    const { calls, mounts } = this.k;
    if (!this.getOwner(fops)) {
      mounts.put(place);
      return -ENOENT;
    }
    const file = calls.files.create(place, inode, flags);
    if (file === 0) {
      this.putOwner(fops);
      return -ENOMEM;
    }
    calls.files.file(file).f_op = fops;
    this.finish(file);
    return file;
  }

  /** Calls the open function of a file; its address, or a negative errno. @param file may be an errno already */
  private runOpen(file: number): Vaddr {
    const { calls } = this.k;
    const { ram, callC } = calls.deps;
    if (file < 0) return file;
    const open = calls.operation(file, 'open');
    const { f_inode } = calls.files.file(file);
    const error = open === 0 ? 0 : callC(open, 'i:pp', ram.addressOf(f_inode), ram.addressOf(file));
    if (error !== 0) {
      this.forget(file);
      return error < 0 ? error : -EINVAL;
    }
    this.finish(file);
    return ram.addressOf(file);
  }

  // ---------------------------------------------------------------- close

  /** Takes a descriptor away and closes its file. @linux fs/open.c:filp_close full */
  private close(call: Handle, fd: number, then: number, frames: readonly string[]): Outcome {
    const { calls } = this.k;
    const file = calls.fget(call, fd);
    calls.files.install(calls.filesOf(call), fd, 0);
    return this.closeFile(call, file, then, frames);
  }

  /** Closes a file whose descriptor is another's now: the call's result. */
  closeReplaced(call: Handle, file: Handle, result: number): Outcome {
    this.k.calls.at(call).argument = result;
    return this.closeFile(call, file, THEN_DUP, ['__x64_sys_dup2', 'do_dup2', 'filp_close']);
  }

  private closeFile(call: Handle, file: Handle, then: number, frames: readonly string[]): Outcome {
    const { calls } = this.k;
    const c = calls.at(call);
    c.file = file;
    c.next = then;
    c.result = 0;
    const flush = calls.goneError(file) === 0 ? calls.operation(file, 'flush') : 0;
    if (flush === 0) return this.fput(call);
    const { ram } = calls.deps;
    const args = [ram.addressOf(file), ram.addressOf(calls.filesOf(call))];
    return calls.invoke(call, flush, 'i:pp', args, this.flushed, frames);
  }

  /** @linux fs/file_table.c:__fput partial: no locks, no notification */
  private fput(call: Handle): Outcome {
    const { calls } = this.k;
    const { file } = calls.at(call);
    const f = calls.files.file(file);
    if (--f.f_count > 0) return this.closed(call);
    if (f.f_flags & O_ASYNC) this.fasync?.(file);
    const release = this.releaseOf(file);
    if (release === 0) {
      this.forget(file);
      return this.closed(call);
    }
    const { ram } = calls.deps;
    const args = [ram.addressOf(f.f_inode), ram.addressOf(file)];
    return calls.invoke(call, release, 'i:pp', args, this.released, ['exit_to_user_mode_prepare', '__fput']);
  }

  /** A file's release function; 0 if it has none, or it was called when the entry of /proc was removed. */
  private releaseOf(file: Handle): Vaddr {
    const { calls } = this.k;
    const gone = NODE_PROC | NODE_REMOVED;
    return (calls.nodeFlags(file) & gone) === gone ? 0 : calls.operation(file, 'release');
  }

  /** Frees a file whose release function has run. */
  private forget(file: Handle): void {
    const { calls, devices } = this.k;
    const { f_op, f_inode, f_owner } = calls.files.file(file);
    if (f_owner.pid !== 0) this.disown?.(file);
    if ((calls.files.inode(file).i_mode & S_IFMT) === S_IFCHR) devices.close(f_inode);
    if (!(calls.nodeFlags(file) & NODE_TEXT) && !calls.isProc(file)) this.putOwner(f_op);
    calls.files.destroy(file);
  }

  private closed(call: Handle): Outcome {
    const { calls } = this.k;
    const { next, result, argument } = calls.at(call);
    if (next === THEN_DUP) return calls.done(call, argument);
    return next === THEN_EXIT ? this.exit(call) : calls.done(call, result);
  }

  /** Closes what the task still has open; then it is over. @linux fs/file.c:exit_files full */
  private exit(call: Handle): Outcome {
    const { calls } = this.k;
    const [fd] = calls.files.descriptors(calls.filesOf(call));
    if (fd === undefined) return done(0);
    return this.close(call, fd, THEN_EXIT, ['__x64_sys_exit_group', 'exit_files', 'filp_close']);
  }

  /** A C function gives a file back: its release function runs at once. */
  put(file: Handle): void {
    const { calls } = this.k;
    const { ram, callC } = calls.deps;
    const f = calls.files.file(file);
    if (--f.f_count > 0) return;
    if (f.f_flags & O_ASYNC) this.fasync?.(file);
    const release = this.releaseOf(file);
    if (release !== 0) callC(release, 'i:pp', ram.addressOf(f.f_inode), ram.addressOf(file));
    this.forget(file);
  }

  /**
   * An entry of /proc goes away: the release functions of all who have it open run now.
   * @linux fs/proc/inode.c:proc_entry_rundown partial: does not wait for who is in a function of the entry
   */
  rundown(node: Handle): void {
    const { calls } = this.k;
    const { ram, tasks, callC } = calls.deps;
    for (const task of tasks.all()) {
      const files = calls.filesOfTask(task);
      if (files === 0) continue;
      for (const fd of calls.files.descriptors(files)) {
        const file = calls.files.lookup(files, fd);
        if (calls.files.nodeOf(file) !== node) continue;
        const release = calls.operation(file, 'release');
        const { f_inode } = calls.files.file(file);
        if (release !== 0) callC(release, 'i:pp', ram.addressOf(f_inode), ram.addressOf(file));
      }
    }
  }
}
