// SPDX-License-Identifier: MIT
/** Open files as C works with them: opened by path, read and written from the kernel, given to descriptors. */

import type { KernelExports } from '../arch/wasm64/exports.js';
import { EBADF, EINVAL, EMFILE, ENOENT, ENOMEM, ENOTDIR, ESPIPE } from '../lib/errno.js';
import { readCString, readS64, writeS64 } from '../lib/guest_access.js';
import { decodeUtf8 } from '../lib/utf8.js';
import type { Handle, Vaddr } from '../machine/layout.js';
import { CPointers } from './c_pointers.js';
import { isError } from './dcache_exports.js';
import { fileNames } from './dentry_names.js';
import type { FileCalls } from './file_calls.js';
import { FMODE_CAN_READ, FMODE_CAN_WRITE, FMODE_READ, FMODE_WRITE } from './file_table.js';
import { type FsDeps, ITER_IOVEC, ITER_KVEC, IterRecord } from './fs_context.js';
import { File, Inode, Kiocb } from './fs_types.js';
import type { OpenCalls } from './open.js';
import type { Vfs } from './vfs.js';
import { DirContext } from './vfs_types.js';

const PATH_BYTES = 4096;
const SEGMENT = 16;
const MAX_RW_COUNT = 0x7ffff000;
const S_DEAD = 0x10;
const O_APPEND = 0o2000;
const IOCB_APPEND = 0x10;

type Kind = 'read' | 'write';
type Transfer = (file: Vaddr, at: Vaddr, count: number, ppos: Vaddr) => number;

export class FileExports {
  private readonly warned: Handle;

  constructor(
    private readonly deps: FsDeps,
    private readonly vfs: Vfs,
    private readonly open: OpenCalls,
    private readonly calls: FileCalls,
    data: { declare(name: string, bytes: number): Handle },
  ) {
    this.warned = data.declare('kernel_rw_warned', 4);
  }

  private readonly file = (at: Vaddr): Handle => new CPointers(this.deps).file(at);

  exports(): KernelExports {
    return { ...this.opening(), ...this.transfers(), ...this.descriptors() };
  }

  private text(at: Vaddr): string {
    return decodeUtf8(readCString(this.deps, at, PATH_BYTES));
  }

  private opening(): KernelExports {
    const { deps, vfs, open } = this;
    const { mounts } = vfs;
    const put = (at: Vaddr) => open.put(this.file(at));
    return {
      filp_open: [
        'p:piu',
        (name: Vaddr, flags: number, mode: number) => open.filpOpen(this.text(name), flags, mode),
      ],
      file_open_root: [
        'p:ppiu',
        (root: Vaddr, name: Vaddr, flags: number, mode: number) => {
          const from = mounts.placeAt(root);
          const who = { ...vfs.walker(), root: from, pwd: from };
          return open.filpOpen(this.text(name).replace(/^\/+/, ''), flags, mode, who);
        },
      ],
      dentry_open: [
        'p:pip',
        (path: Vaddr, flags: number) => open.openAt(mounts.get(mounts.placeAt(path)), flags),
      ],
      filp_close: [
        'i:pp',
        (at: Vaddr, id: Vaddr) => {
          const file = this.file(at);
          if (this.calls.files.file(file).f_count === 0) {
            deps.env.log.log(3, 'VFS: Close: file count is 0');
            return 0;
          }
          const flush = this.calls.operation(file, 'flush');
          const result = flush === 0 ? 0 : deps.callC(flush, 'i:pp', at, id);
          open.put(file);
          return result;
        },
      ],
      fput: ['v:p', put],
      vfs_llseek: [
        'l:pli',
        (at: Vaddr, offset: number, whence: number) => {
          const llseek = this.calls.operation(this.file(at), 'llseek');
          return llseek === 0 ? -ESPIPE : deps.callC(llseek, 'l:pli', at, offset, whence);
        },
      ],
      vfs_fsync: ['i:pi', (at: Vaddr, only: number) => this.fsync(at, 0, Number.MAX_SAFE_INTEGER, only)],
      vfs_fsync_range: [
        'i:plli',
        (at: Vaddr, start: number, end: number, only: number) => this.fsync(at, start, end, only),
      ],
      iterate_dir: ['i:pp', (at: Vaddr, ctx: Vaddr) => this.iterate(at, ctx)],
    };
  }

  private fsync(at: Vaddr, start: number, end: number, only: number): number {
    const fsync = this.calls.operation(this.file(at), 'fsync');
    return fsync === 0 ? -EINVAL : this.deps.callC(fsync, 'i:plli', at, start, end, only);
  }

  /** @linux fs/readdir.c:iterate_dir full */
  private iterate(at: Vaddr, ctx: Vaddr): number {
    const { deps, calls } = this;
    const file = this.file(at);
    const iterate = calls.operation(file, 'iterate_shared') || calls.operation(file, 'iterate');
    if (iterate === 0) return -ENOTDIR;
    const f = calls.files.file(file);
    if (this.vfs.inodes.at(f.f_inode).i_flags & S_DEAD) return -ENOENT;
    writeS64(deps, ctx + DirContext.o.pos, f.f_pos);
    const result = deps.callC(iterate, 'i:pp', at, ctx);
    f.f_pos = readS64(deps, ctx + DirContext.o.pos);
    return result;
  }

  // ---------------------------------------------------------------- reading and writing

  private transfers(): KernelExports {
    return {
      vfs_read: ['l:ppzp', this.userTransfer('read', FMODE_READ, FMODE_CAN_READ)],
      vfs_write: ['l:ppzp', this.userTransfer('write', FMODE_WRITE, FMODE_CAN_WRITE)],
      kernel_read: ['l:ppzp', this.kernelTransfer('read', FMODE_READ, FMODE_CAN_READ)],
      kernel_write: ['l:ppzp', this.kernelTransfer('write', FMODE_WRITE, FMODE_CAN_WRITE)],
    };
  }

  /** C passes a user's buffer on to a file that it holds. @linux fs/read_write.c:vfs_read full */
  private userTransfer(kind: Kind, mode: number, can: number): Transfer {
    const { deps, calls } = this;
    return (at, buffer, count, ppos) => {
      const file = this.file(at);
      const { f_mode } = calls.files.file(file);
      if (!(f_mode & mode)) return -EBADF;
      if (!(f_mode & can)) return -EINVAL;
      const n = Math.min(count, MAX_RW_COUNT);
      const fn = calls.operation(file, kind);
      if (fn !== 0) return deps.callC(fn, 'l:ppzp', at, buffer, n, ppos);
      return this.throughIter(at, buffer, n, ppos, kind, ITER_IOVEC);
    };
  }

  /**
   * C reads or writes a file with a buffer of its own, which only files with read_iter and write_iter can.
   * @linux fs/read_write.c:__kernel_read full
   */
  private kernelTransfer(kind: Kind, mode: number, can: number): Transfer {
    const { calls } = this;
    return (at, buffer, count, ppos) => {
      const file = this.file(at);
      const { f_mode } = calls.files.file(file);
      if (!(f_mode & mode)) return this.wrongMode(kind);
      if (!(f_mode & can)) return -EINVAL;
      if (calls.operation(file, `${kind}_iter`) === 0 || calls.operation(file, kind) !== 0)
        return this.unsupported(kind, file);
      return this.throughIter(at, buffer, Math.min(count, MAX_RW_COUNT), ppos, kind, ITER_KVEC);
    };
  }

  /** The file was not opened for it: warned of once. */
  private wrongMode(kind: Kind): number {
    const { ram, env } = this.deps;
    const bit = kind === 'read' ? 1 : 2;
    if (!(ram.i32[this.warned] & bit)) {
      ram.i32[this.warned] |= bit;
      env.reports.warn('fs/read_write.c', kind === 'read' ? 425 : 505, `__kernel_${kind}`);
    }
    return kind === 'read' ? -EINVAL : -EBADF;
  }

  /** @linux fs/read_write.c:warn_unsupported full */
  private unsupported(kind: Kind, file: Handle): number {
    const { env } = this.deps;
    const { pid, comm } = env.current();
    const name = decodeUtf8(fileNames(this.deps, this.deps.ram.addressOf(file), 4));
    env.log.log(4, `kernel ${kind} not supported for file ${name} (pid: ${pid} comm: ${comm})`);
    return -EINVAL;
  }

  /** Calls read_iter or write_iter on one buffer. */
  private throughIter(
    at: Vaddr,
    buffer: Vaddr,
    count: number,
    ppos: Vaddr,
    kind: Kind,
    type: number,
  ): number {
    const { deps, calls } = this;
    const fn = calls.operation(this.file(at), `${kind}_iter`);
    if (fn === 0) return -EINVAL;
    const bytes = Kiocb.size + IterRecord.size + SEGMENT;
    const record = deps.kmalloc(bytes);
    if (record === 0) return -ENOMEM;
    const h = deps.ram.handleOf(record);
    deps.ram.fill(h * 4, bytes, 0);
    const iocb = Kiocb.at(deps.ram, h);
    deps.ram.set64(h + Kiocb.w.ki_filp, at);
    iocb.ki_pos = ppos === 0 ? 0 : readS64(deps, ppos);
    iocb.ki_flags = calls.files.file(this.file(at)).f_flags & O_APPEND ? IOCB_APPEND : 0;
    const segment = record + Kiocb.size + IterRecord.size;
    const iter = IterRecord.at(deps.ram, h + Kiocb.size / 4);
    iter.iter_type = type;
    iter.data_source = kind === 'write' ? 1 : 0;
    iter.user_backed = type === ITER_IOVEC ? 1 : 0;
    iter.count = count;
    iter.ubuf = segment;
    iter.nr_segs = 1;
    deps.ram.set64(deps.ram.handleOf(segment), buffer);
    deps.ram.set64(deps.ram.handleOf(segment) + 2, count);
    const result = deps.callC(fn, 'l:pp', record, record + Kiocb.size);
    if (result > 0 && ppos !== 0) writeS64(deps, ppos, iocb.ki_pos);
    deps.kfree(record);
    return result;
  }

  // ---------------------------------------------------------------- descriptors

  private get filesStruct(): Handle {
    return this.calls.filesOfTask(this.deps.tasks.currentHandle);
  }

  private descriptors(): KernelExports {
    const { deps, open } = this;
    const { files } = this.calls;
    const get = (fd: number): Vaddr => {
      const file = this.filesStruct === 0 ? 0 : files.lookup(this.filesStruct, fd);
      if (file !== 0) files.file(file).f_count++;
      return deps.ram.addressOf(file);
    };
    const reserve = (): number => {
      const fd = this.filesStruct === 0 ? -EMFILE : files.freeDescriptor(this.filesStruct);
      if (fd >= 0) files.reserve(this.filesStruct, fd);
      return fd;
    };
    const install = (fd: number, at: Vaddr): undefined => {
      const file = this.file(at);
      if (files.lookup(this.filesStruct, fd) !== 0) deps.env.reports.bug('fs/file.c', 601, 'fd_install');
      files.install(this.filesStruct, fd, file);
    };
    const getFile = (name: Vaddr, fops: Vaddr, priv: Vaddr, flags: number): Vaddr =>
      this.anonymous(this.text(name), fops, priv, flags);
    return {
      fget: ['p:u', get],
      fget_raw: ['p:u', (fd: number) => get(fd)],
      get_unused_fd_flags: ['i:u', reserve],
      put_unused_fd: [
        'v:u',
        (fd: number) =>
          files.lookup(this.filesStruct, fd) === 0 ? files.install(this.filesStruct, fd, 0) : undefined,
      ],
      fd_install: ['v:up', install],
      receive_fd: [
        'i:pu',
        (at: Vaddr) => {
          const fd = reserve();
          if (fd < 0) return fd;
          files.file(this.file(at)).f_count++;
          install(fd, at);
          return fd;
        },
      ],
      close_fd: [
        'i:u',
        (fd: number) => {
          const file = this.filesStruct === 0 ? 0 : files.lookup(this.filesStruct, fd);
          if (file === 0) return -EBADF;
          files.install(this.filesStruct, fd, 0);
          open.put(file);
          return 0;
        },
      ],
      anon_inode_getfile: ['p:pppi', getFile],
      anon_inode_getfd: [
        'i:pppi',
        (name: Vaddr, fops: Vaddr, priv: Vaddr, flags: number) => {
          const fd = reserve();
          if (fd < 0) return fd;
          const at = getFile(name, fops, priv, flags);
          if (isError(at)) {
            files.install(this.filesStruct, fd, 0);
            return at;
          }
          install(fd, at);
          return fd;
        },
      ],
    };
  }

  /**
   * A file that has no place in the tree: its functions are all that it is.
   * @returns its address, or a negative errno
   * @linux fs/anon_inodes.c:anon_inode_getfile full
   */
  private anonymous(name: string, fops: Vaddr, priv: Vaddr, flags: number): Vaddr {
    const place = this.vfs.anon.place(name);
    if (typeof place === 'number') return place;
    const inode = this.vfs.dcache.at(place.dentry).d_inode;
    const file = this.open.openWith(place, inode, fops, flags & (0o3 | 0o4000));
    if (file < 0) return file;
    File.at(this.deps.ram, file).private_data = priv;
    Inode.at(this.deps.ram, inode);
    return this.deps.ram.addressOf(file);
  }
}
