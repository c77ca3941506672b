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
} from '../lib/errno.js';
import { readS64 } from '../lib/guest_access.js';
import type { Handle, Vaddr } from '../machine/layout.js';
import type { CharDevices } from './char_dev.js';
import type { FileCalls } from './file_calls.js';
import {
  FMODE_CAN_READ,
  FMODE_CAN_WRITE,
  FMODE_LSEEK,
  FMODE_OPENED,
  FMODE_READ,
  FMODE_WRITE,
} from './file_table.js';
import { FileOperations } from './fs_types.js';
import {
  NODE_DEBUGFS,
  NODE_PROC,
  NODE_REMOVED,
  NODE_SYSFS,
  NODE_TEXT,
  S_IFCHR,
  S_IFDIR,
  S_IFLNK,
  S_IFMT,
} from './kernfs/kernfs.js';

export const O_ACCMODE = 3;
export const O_CREAT = 0o100;
export const O_EXCL = 0o200;
export const O_NONBLOCK = 0o4000;
export const O_DIRECTORY = 0o200000;
export const O_NOFOLLOW = 0o400000;
/** Flags that only open itself looks at. */
const OPEN_ONLY = O_CREAT | O_EXCL | 0o400 | 0o1000;

/** Where a close goes on. */
const THEN_RETURN = 0;
const THEN_EXIT = 1;

export interface OpenDeps {
  readonly calls: FileCalls;
  readonly devices: CharDevices;
  /** A node for a kernel-made text, which lives while it is open; 0 if there is none. */
  textNode(path: string): Handle;
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
    calls.add('open', (call, { path = '', flags = 0 }) => this.open(call, path, flags));
    calls.add('close', (call, { fd }) => {
      const file = calls.fget(call, fd);
      if (file === 0) return calls.done(call, -EBADF);
      return this.close(call, fd!, THEN_RETURN, ['__x64_sys_close', 'filp_close']);
    });
    calls.add('exit', (call) => this.exit(call));
  }

  // ---------------------------------------------------------------- open

  /** @linux fs/namei.c:path_openat partial: nothing is created */
  private open(call: Handle, path: string, flags: number): Outcome {
    const { calls } = this.k;
    const fd = calls.files.freeDescriptor(calls.filesOf(call));
    if (fd < 0) return calls.done(call, -EMFILE);
    const found = calls.tree.lookup(path, !(flags & O_NOFOLLOW));
    const node = found === 0 ? this.k.textNode(path) : found;
    const refused = this.refuse(node, path, flags);
    if (refused !== 0) {
      if (node > 0) this.dropText(node);
      return calls.done(call, refused);
    }
    const file = calls.files.create(node, flags & ~OPEN_ONLY);
    this.dropText(node);
    if (file === 0) return calls.done(call, -ENOMEM);
    const c = calls.at(call);
    c.fd = fd;
    c.file = file;
    return this.dentryOpen(call, node, file);
  }

  /** A text's node is kept by its inode alone. */
  private dropText(node: Handle): void {
    const { tree } = this.k.calls;
    if (tree.at(node).flags & NODE_TEXT) tree.put(node);
  }

  private refuse(node: Handle, path: string, flags: number): number {
    const { tree } = this.k.calls;
    if (node < 0) return -ELOOP;
    const writing = (flags & O_ACCMODE) !== 0;
    if (node === 0) return flags & O_CREAT && !path.startsWith('/proc') ? -EACCES : -ENOENT;
    const n = tree.at(node);
    const type = n.mode & S_IFMT;
    if ((flags & (O_CREAT | O_EXCL)) === (O_CREAT | O_EXCL)) return -EEXIST;
    if (type === S_IFLNK) return -ELOOP;
    if (type === S_IFDIR) return writing || flags & O_CREAT ? -EISDIR : 0;
    if (flags & O_DIRECTORY) return -ENOTDIR;
    if (!(n.flags & NODE_SYSFS)) return 0;
    const reading = (flags & O_ACCMODE) !== 1;
    return (writing && !(n.mode & 0o222)) || (reading && !(n.mode & 0o444)) ? -EACCES : 0;
  }

  /** @linux fs/open.c:do_dentry_open partial: no leases, no write counts */
  private dentryOpen(call: Handle, node: Handle, file: Handle): Outcome {
    const { calls, devices } = this.k;
    const f = calls.files.file(file);
    const n = calls.tree.at(node);
    let error = 0;
    if ((n.mode & S_IFMT) === S_IFCHR) error = devices.open(file, n.inode);
    else if (!(n.flags & (NODE_PROC | NODE_TEXT)) && f.f_op !== 0 && !this.getOwner(f.f_op))
      error = n.flags & NODE_DEBUGFS ? -ENXIO : -ENODEV;
    if (error !== 0) {
      calls.files.destroy(file);
      return calls.done(call, error);
    }
    const open = calls.operation(file, 'open');
    if (open === 0) return this.openDone(call, 0);
    const { ram } = calls.deps;
    const frames = ['__x64_sys_openat', 'do_sys_openat2', 'do_filp_open', 'path_openat', 'do_dentry_open'];
    if ((n.mode & S_IFMT) === S_IFCHR) frames.push('chrdev_open');
    const args = [ram.addressOf(f.f_inode), ram.addressOf(file)];
    return calls.invoke(call, open, 'i:pp', args, this.opened, frames);
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

  private openDone(call: Handle, result: number): Outcome {
    const { calls } = this.k;
    const { file, fd } = calls.at(call);
    if (result !== 0) {
      this.forget(file);
      return calls.done(call, result < 0 ? result : -EINVAL);
    }
    const f = calls.files.file(file);
    const has = (a: 'read' | 'write', b: 'read_iter' | 'write_iter') =>
      calls.operation(file, a) !== 0 || calls.operation(file, b) !== 0;
    f.f_mode |= FMODE_OPENED;
    if (f.f_mode & FMODE_READ && has('read', 'read_iter')) f.f_mode |= FMODE_CAN_READ;
    if (f.f_mode & FMODE_WRITE && has('write', 'write_iter')) f.f_mode |= FMODE_CAN_WRITE;
    if (calls.operation(file, 'llseek') === 0) f.f_mode &= ~FMODE_LSEEK;
    calls.files.install(calls.filesOf(call), fd, file);
    return calls.done(call, fd);
  }

  // ---------------------------------------------------------------- close

  /** Takes a descriptor away and closes its file. @linux fs/open.c:filp_close full */
  private close(call: Handle, fd: number, then: number, frames: readonly string[]): Outcome {
    const { calls } = this.k;
    const file = calls.fget(call, fd);
    const c = calls.at(call);
    calls.files.install(calls.filesOf(call), fd, 0);
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
    const { flags } = calls.tree.at(calls.files.nodeOf(file));
    return flags & NODE_PROC && flags & NODE_REMOVED ? 0 : calls.operation(file, 'release');
  }

  /** Frees a file whose release function has run. */
  private forget(file: Handle): void {
    const { calls, devices } = this.k;
    const { f_op } = calls.files.file(file);
    const n = calls.tree.at(calls.files.nodeOf(file));
    if ((n.mode & S_IFMT) === S_IFCHR) devices.close(n.inode);
    if (!(n.flags & (NODE_PROC | NODE_TEXT))) this.putOwner(f_op);
    calls.files.destroy(file);
  }

  private closed(call: Handle): Outcome {
    const { calls } = this.k;
    const { next, result } = calls.at(call);
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
