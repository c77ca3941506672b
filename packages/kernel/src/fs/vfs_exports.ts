// SPDX-License-Identifier: MIT
/** What the VFS offers to C: dentries, inodes, paths, and files of the kernel's own. */

import type { KernelExports } from '../arch/wasm64/exports.js';
import { EBADF, EINVAL, ENAMETOOLONG, ENOMEM, ENOTDIR, ESPIPE } from '../lib/errno.js';
import { readCString, readS64, readUnsigned, writeInteger, writeS64 } from '../lib/guest_access.js';
import { decodeUtf8, encodeUtf8 } from '../lib/utf8.js';
import type { Handle, Vaddr } from '../machine/layout.js';
import { NAME_MAX } from './dcache.js';
import type { FileCalls } from './file_calls.js';
import { FMODE_READ, FMODE_WRITE } from './file_table.js';
import { type FsDeps, ITER_IOVEC, ITER_KVEC, IterRecord } from './fs_context.js';
import { File, Kiocb, Qstr } from './fs_types.js';
import type { OpenCalls } from './open.js';
import type { Vfs } from './vfs.js';

const NAME_BYTES = 4096;
const SEGMENT = 16;

type Transfer = (file: Vaddr, at: Vaddr, count: number, ppos: Vaddr) => number;
const isError = (at: Vaddr) => at < 0 && at >= -4095;

export class VfsExports {
  constructor(
    private readonly deps: FsDeps,
    private readonly vfs: Vfs,
    private readonly open: OpenCalls,
    private readonly calls: FileCalls,
  ) {}

  private h(address: Vaddr): Handle {
    return this.deps.ram.handleOf(address);
  }

  private text(at: Vaddr): string {
    return decodeUtf8(readCString(this.deps, at, NAME_BYTES));
  }

  private address(handle: number): Vaddr {
    return handle <= 0 ? handle : this.deps.ram.addressOf(handle);
  }

  exports(): KernelExports {
    return { ...this.dentryExports(), ...this.inodeExports(), ...this.pathExports(), ...this.fileExports() };
  }

  // ---------------------------------------------------------------- dentries

  private dentryExports(): KernelExports {
    const { dcache } = this.vfs;
    const h = (at: Vaddr) => this.h(at);
    const name = (qstr: Vaddr) =>
      this.deps.guest.read(
        readS64(this.deps, qstr + Qstr.o.name),
        Math.min(NAME_MAX, readUnsigned(this.deps, qstr + Qstr.o.len, 4)),
      );
    const add = (at: Vaddr, of: Vaddr) => dcache.add(h(at), of === 0 ? 0 : h(of));
    /** Does something, and hands `result` on. */
    const after = (result: Vaddr, then: () => void): Vaddr => {
      if (result !== 0) then();
      return result;
    };
    return {
      dget: ['p:p', (at: Vaddr) => after(at, () => dcache.get(h(at)))],
      dput: ['v:p', (at: Vaddr) => (at === 0 ? undefined : dcache.put(h(at)))],
      dget_parent: ['p:p', (at: Vaddr) => this.address(dcache.get(dcache.at(h(at)).d_parent))],
      d_alloc: ['p:pp', (parent: Vaddr, qstr: Vaddr) => this.address(dcache.alloc(h(parent), name(qstr)))],
      d_alloc_name: [
        'p:pp',
        (parent: Vaddr, at: Vaddr) => this.address(dcache.alloc(h(parent), encodeUtf8(this.text(at)))),
      ],
      d_make_root: ['p:p', (at: Vaddr) => (at === 0 ? 0 : this.address(dcache.makeRoot(h(at))))],
      d_instantiate: ['v:pp', (at: Vaddr, of: Vaddr) => dcache.instantiate(h(at), of === 0 ? 0 : h(of))],
      d_add: ['v:pp', add],
      d_splice_alias: [
        'p:pp',
        (of: Vaddr, at: Vaddr) => {
          if (isError(of)) return of;
          add(at, of);
          return 0;
        },
      ],
      d_rehash: ['v:p', (at: Vaddr) => dcache.rehash(h(at))],
      d_drop: ['v:p', (at: Vaddr) => dcache.drop(h(at))],
      d_delete: ['v:p', (at: Vaddr) => dcache.drop(h(at))],
      d_lookup: ['p:pp', (parent: Vaddr, qstr: Vaddr) => this.address(dcache.lookup(h(parent), name(qstr)))],
      d_genocide: ['v:p', (at: Vaddr) => dcache.genocide(h(at))],
    };
  }

  // ---------------------------------------------------------------- inodes

  private inodeExports(): KernelExports {
    const { inodes } = this.vfs;
    const h = (at: Vaddr) => this.h(at);
    const links = (change: (n: number) => number) => (at: Vaddr) => {
      inodes.at(h(at)).i_nlink = change(inodes.at(h(at)).i_nlink);
    };
    return {
      new_inode: ['p:p', (sb: Vaddr) => this.address(inodes.create(h(sb)))],
      iput: ['v:p', (at: Vaddr) => (at === 0 ? undefined : inodes.put(h(at)))],
      ihold: ['v:p', (at: Vaddr) => void inodes.get(h(at))],
      igrab: ['p:p', (at: Vaddr) => this.address(inodes.get(h(at)))],
      ilookup: ['p:pl', (sb: Vaddr, ino: number) => this.address(inodes.find(h(sb), ino))],
      get_next_ino: ['u:', () => inodes.nextIno()],
      inode_init_owner: [
        'v:pppu',
        (_ns: Vaddr, at: Vaddr, dir: Vaddr, mode: number) =>
          inodes.initOwner(h(at), dir === 0 ? 0 : h(dir), mode, this.vfs.walker()),
      ],
      init_special_inode: [
        'v:puu',
        (at: Vaddr, mode: number, rdev: number) => inodes.initSpecial(h(at), mode, rdev),
      ],
      inc_nlink: ['v:p', links((n) => n + 1)],
      drop_nlink: ['v:p', links((n) => n - 1)],
      clear_nlink: ['v:p', links(() => 0)],
      set_nlink: [
        'v:pu',
        (at: Vaddr, n: number) => {
          inodes.at(h(at)).i_nlink = n;
        },
      ],
      clear_inode: ['v:p', () => undefined],
      __current_time: [
        'v:p',
        (at: Vaddr) => {
          const { sec, nsec } = inodes.now();
          writeS64(this.deps, at, sec);
          writeS64(this.deps, at + 8, nsec);
        },
      ],
    };
  }

  // ---------------------------------------------------------------- paths

  private pathExports(): KernelExports {
    const { namei, mounts, dcache } = this.vfs;
    const { deps } = this;
    return {
      kern_path: [
        'i:pup',
        (name: Vaddr, flags: number, path: Vaddr) => {
          const follow = (flags & 1) !== 0;
          const found = namei.lookup(this.text(name), this.vfs.walker(), {
            follow,
            directory: (flags & 2) !== 0,
          });
          if (typeof found === 'number') return found;
          writeInteger(deps, path, deps.ram.addressOf(mounts.vfsmount(found.mnt)), 8);
          writeInteger(deps, path + 8, deps.ram.addressOf(found.dentry), 8);
          return 0;
        },
      ],
      path_get: ['v:p', (path: Vaddr) => void mounts.get(this.placeAt(path))],
      path_put: ['v:p', (path: Vaddr) => mounts.put(this.placeAt(path))],
      d_path: [
        'p:ppi',
        (path: Vaddr, buf: Vaddr, size: number) =>
          this.toEnd(mounts.pathOf(this.placeAt(path), this.vfs.walker().root), buf, size),
      ],
      file_path: [
        'p:ppi',
        (file: Vaddr, buf: Vaddr, size: number) =>
          this.toEnd(mounts.pathOf(this.placeAt(file + File.o.f_path), this.vfs.walker().root), buf, size),
      ],
      dentry_path_raw: [
        'p:ppi',
        (dentry: Vaddr, buf: Vaddr, size: number) => this.toEnd(dcache.pathOf(this.h(dentry)), buf, size),
      ],
      simple_dname: [
        'p:ppi',
        (dentry: Vaddr, buf: Vaddr, size: number) =>
          this.toEnd(`/${dcache.nameOf(this.h(dentry))} (deleted)`, buf, size),
      ],
      lookup_one_len: [
        'p:ppi',
        (name: Vaddr, base: Vaddr, length: number) =>
          this.address(namei.lookupOne(this.h(base), deps.guest.read(name, length))),
      ],
      is_subdir: ['b:pp', (dentry: Vaddr, above: Vaddr) => dcache.isAncestor(this.h(above), this.h(dentry))],
    };
  }

  /** A place as C has it, in any memory. */
  private placeAt(path: Vaddr) {
    const [mnt, dentry] = [0, 8].map((offset) => readS64(this.deps, path + offset));
    return {
      mnt: this.vfs.mounts.ofVfsmount(mnt === 0 ? 0 : this.h(mnt)),
      dentry: dentry === 0 ? 0 : this.h(dentry),
    };
  }

  /** Writes a text so that it ends with the buffer; its address there, or -ENAMETOOLONG. */
  private toEnd(text: string, buf: Vaddr, size: number): Vaddr {
    const bytes = Uint8Array.of(...encodeUtf8(text), 0);
    if (bytes.length > size) return -ENAMETOOLONG;
    this.deps.guest.write(buf + size - bytes.length, bytes);
    return buf + size - bytes.length;
  }

  // ---------------------------------------------------------------- files

  private fileExports(): KernelExports {
    const { deps, calls } = this;
    const put = (file: Vaddr) => this.open.put(this.h(file));
    const files = () => calls.filesOfTask(deps.tasks.currentHandle);
    return {
      filp_open: [
        'p:piu',
        (name: Vaddr, flags: number, mode: number) => this.open.filpOpen(this.text(name), flags, mode),
      ],
      filp_close: [
        'i:pp',
        (file: Vaddr) => {
          put(file);
          return 0;
        },
      ],
      fput: ['v:p', put],
      fget: [
        'p:u',
        (fd: number) => {
          const file = files() === 0 ? 0 : calls.files.lookup(files(), fd);
          if (file !== 0) calls.files.file(file).f_count++;
          return file === 0 ? 0 : deps.ram.addressOf(file);
        },
      ],
      vfs_read: ['l:ppzp', this.userTransfer('read', FMODE_READ)],
      vfs_write: ['l:ppzp', this.userTransfer('write', FMODE_WRITE)],
      kernel_read: ['l:ppzp', this.kernelTransfer('read', FMODE_READ)],
      kernel_write: ['l:ppzp', this.kernelTransfer('write', FMODE_WRITE)],
      vfs_llseek: [
        'l:pli',
        (file: Vaddr, offset: number, whence: number) => {
          const llseek = calls.operation(this.h(file), 'llseek');
          return llseek === 0 ? -ESPIPE : deps.callC(llseek, 'l:pli', file, offset, whence);
        },
      ],
      vfs_fsync: [
        'i:pi',
        (file: Vaddr, datasync: number) => {
          const fsync = calls.operation(this.h(file), 'fsync');
          return fsync === 0
            ? -EINVAL
            : deps.callC(fsync, 'i:plli', file, 0, Number.MAX_SAFE_INTEGER, datasync);
        },
      ],
      iterate_dir: [
        'i:pp',
        (file: Vaddr, ctx: Vaddr) => {
          const f = this.h(file);
          const iterate = calls.operation(f, 'iterate_shared') || calls.operation(f, 'iterate');
          return iterate === 0 ? -ENOTDIR : deps.callC(iterate, 'i:pp', file, ctx);
        },
      ],
    };
  }

  /** C passes a user's buffer on to a file that it holds. @linux fs/read_write.c:vfs_read full */
  private userTransfer(kind: 'read' | 'write', mode: number): Transfer {
    const { deps, calls } = this;
    return (file, at, count, ppos) => {
      const f = this.h(file);
      if (!(calls.files.file(f).f_mode & mode)) return -EBADF;
      const fn = calls.operation(f, kind);
      if (fn !== 0) return deps.callC(fn, 'l:ppzp', file, at, count, ppos);
      const iter = calls.operation(f, `${kind}_iter`);
      return iter === 0 ? -EINVAL : this.throughIter(iter, file, at, count, ppos, kind, ITER_IOVEC);
    };
  }

  /**
   * C reads or writes a file with a buffer of its own, which only files with read_iter and write_iter can.
   * @linux fs/read_write.c:kernel_read full
   */
  private kernelTransfer(kind: 'read' | 'write', mode: number): Transfer {
    const { calls } = this;
    return (file, at, count, ppos) => {
      const f = this.h(file);
      const iter = calls.operation(f, `${kind}_iter`);
      if (!(calls.files.file(f).f_mode & mode) || iter === 0 || calls.operation(f, kind) !== 0)
        return -EINVAL;
      return this.throughIter(iter, file, at, count, ppos, kind, ITER_KVEC);
    };
  }

  /** Calls read_iter or write_iter on one buffer. */
  private throughIter(
    fn: Vaddr,
    file: Vaddr,
    at: Vaddr,
    count: number,
    ppos: Vaddr,
    kind: 'read' | 'write',
    type: number,
  ): number {
    const { deps } = this;
    const bytes = Kiocb.size + IterRecord.size + SEGMENT;
    const record = deps.kmalloc(bytes);
    if (record === 0) return -ENOMEM;
    const h = this.h(record);
    deps.ram.fill(h * 4, bytes, 0);
    const iocb = Kiocb.at(deps.ram, h);
    iocb.ki_filp = this.h(file);
    iocb.ki_pos = ppos === 0 ? 0 : readS64(deps, ppos);
    const segment = record + Kiocb.size + IterRecord.size;
    const iter = IterRecord.at(deps.ram, h + Kiocb.size / 4);
    iter.iter_type = type;
    iter.data_source = kind === 'write' ? 1 : 0;
    iter.user_backed = type === ITER_IOVEC ? 1 : 0;
    iter.count = count;
    iter.ubuf = segment;
    iter.nr_segs = 1;
    deps.ram.set64(this.h(segment), at);
    deps.ram.set64(this.h(segment) + 2, count);
    const result = deps.callC(fn, 'l:pp', record, record + Kiocb.size);
    if (result > 0 && ppos !== 0) writeS64(deps, ppos, iocb.ki_pos);
    deps.kfree(record);
    return result;
  }
}
