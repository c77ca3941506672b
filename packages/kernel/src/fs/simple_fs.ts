// SPDX-License-Identifier: MIT
/**
 * What file systems that are nothing but their dentries have in common: a folder's entries are its dentries in memory,
 * and each that has an inode is held once more, so that it stays.
 *
 * @linux fs/libfs.c partial: what ramfs and the file systems of a first course use
 */

import type { KernelExports } from '../arch/wasm64/exports.js';
import { EFBIG, EINVAL, EISDIR, ENAMETOOLONG, ENOMEM, ENOTEMPTY } from '../lib/errno.js';
import { readCString, readS64, readUnsigned } from '../lib/guest_access.js';
import { decodeUtf8, encodeUtf8 } from '../lib/utf8.js';
import { type Handle, PAGE_SIZE, type Vaddr } from '../machine/layout.js';
import type { Attributes } from './attr.js';
import { type Dcache, NAME_MAX } from './dcache.js';
import { entryType, S_IFDIR, S_IFREG } from './file_modes.js';
import type { FsDeps } from './fs_context.js';
import { File, FileOperations, Inode } from './fs_types.js';
import type { Inodes } from './inode.js';
import type { OperationTables } from './op_tables.js';
import type { Supers } from './super.js';
import {
  DentryOperations,
  DirContext,
  InodeOperations,
  Kstatfs,
  SuperOperations,
  TreeDescr,
} from './vfs_types.js';

/** Entries of a folder before its files: `.` and `..`. */
const DOTS = 2;
const MAX_TREE_FILES = 1000;

export class SimpleFs {
  constructor(
    private readonly deps: FsDeps,
    private readonly dcache: Dcache,
    private readonly inodes: Inodes,
    private readonly attributes: Attributes,
    private readonly supers: Supers,
    tables: OperationTables,
  ) {
    tables.declare(FileOperations, {
      def_chr_fops: { llseek: 'noop_llseek' },
      simple_dir_operations: {
        open: 'dcache_dir_open',
        release: 'dcache_dir_close',
        llseek: 'dcache_dir_lseek',
        read: 'generic_read_dir',
        iterate_shared: 'dcache_readdir',
        fsync: 'noop_fsync',
      },
    });
    tables.declare(InodeOperations, {
      simple_dir_inode_operations: { lookup: 'simple_lookup' },
      simple_symlink_inode_operations: { get_link: 'simple_get_link' },
      page_symlink_inode_operations: { get_link: 'simple_get_link' },
    });
    tables.declare(SuperOperations, { simple_super_operations: { statfs: 'simple_statfs' } });
    tables.declare(DentryOperations, { simple_dentry_operations: { d_delete: 'always_delete_dentry' } });
  }

  private h(address: Vaddr): Handle {
    return this.deps.ram.handleOf(address);
  }

  // ---------------------------------------------------------------- names

  /** @linux fs/libfs.c:simple_lookup full */
  private lookup(dentry: Handle): number {
    if (this.dcache.at(dentry).d_name.len > NAME_MAX) return -ENAMETOOLONG;
    this.dcache.add(dentry, 0);
    return 0;
  }

  /** @linux fs/libfs.c:simple_link full */
  private link(old: Handle, dir: Handle, dentry: Handle): number {
    const inode = this.dcache.at(old).d_inode;
    this.inodes.touch(inode, 'i_ctime');
    this.inodes.touch(dir, 'i_ctime', 'i_mtime');
    this.inodes.at(inode).i_nlink++;
    this.inodes.get(inode);
    this.dcache.get(dentry);
    this.dcache.instantiate(dentry, inode);
    return 0;
  }

  /** @linux fs/libfs.c:simple_unlink full */
  unlink(dir: Handle, dentry: Handle): number {
    const inode = this.dcache.at(dentry).d_inode;
    this.inodes.touch(inode, 'i_ctime');
    this.inodes.touch(dir, 'i_ctime', 'i_mtime');
    this.inodes.at(inode).i_nlink--;
    this.dcache.put(dentry);
    return 0;
  }

  /** @linux fs/libfs.c:simple_rmdir full */
  rmdir(dir: Handle, dentry: Handle): number {
    if (!this.dcache.isEmpty(dentry)) return -ENOTEMPTY;
    this.inodes.at(this.dcache.at(dentry).d_inode).i_nlink--;
    this.unlink(dir, dentry);
    this.inodes.at(dir).i_nlink--;
    return 0;
  }

  /** @linux fs/libfs.c:simple_rename partial: no exchange of two names */
  private rename(oldDir: Handle, old: Handle, newDir: Handle, now: Handle, flags: number): number {
    if (flags & ~1) return -EINVAL;
    const inode = this.dcache.at(old).d_inode;
    const target = this.dcache.at(now).d_inode;
    const isFolder = (this.inodes.at(inode).i_mode & S_IFDIR) === S_IFDIR && this.isFolder(inode);
    if (target !== 0 && !this.dcache.isEmpty(now)) return -ENOTEMPTY;
    if (target !== 0) {
      this.unlink(newDir, now);
      if (isFolder) {
        this.inodes.at(target).i_nlink--;
        this.inodes.at(oldDir).i_nlink--;
      }
    } else if (isFolder) {
      this.inodes.at(oldDir).i_nlink--;
      this.inodes.at(newDir).i_nlink++;
    }
    this.inodes.touch(inode, 'i_ctime');
    for (const dir of [oldDir, newDir]) this.inodes.touch(dir, 'i_ctime', 'i_mtime');
    return 0;
  }

  private isFolder(inode: Handle): boolean {
    return entryType(this.inodes.at(inode).i_mode) === entryType(S_IFDIR);
  }

  // ---------------------------------------------------------------- folders

  /**
   * Tells a reader `.` and `..`, where it has not had them.
   * @returns false if the reader wants no more
   */
  emitDots(file: Handle, ctx: Vaddr): boolean {
    const { ram } = this.deps;
    const dentry = File.at(ram, file).f_path.dentry;
    const { d_inode, d_parent } = this.dcache.at(dentry);
    const inos = [d_inode, this.dcache.at(d_parent).d_inode].map((inode) => this.inodes.at(inode).i_ino);
    for (let pos = this.position(ctx); pos < DOTS; pos++) {
      if (!this.emit(ctx, pos === 0 ? '.' : '..', inos[pos], S_IFDIR)) return false;
      this.setPosition(ctx, pos + 1);
    }
    return true;
  }

  position(ctx: Vaddr): number {
    return readS64(this.deps, ctx + DirContext.o.pos);
  }

  setPosition(ctx: Vaddr, pos: number): void {
    this.deps.ram.set64(this.deps.guest.translate(ctx, true) / 4 + DirContext.w.pos, pos);
  }

  /** Tells a reader one entry; false if it wants no more. */
  emit(ctx: Vaddr, name: string, ino: number, mode: number): boolean {
    const { deps } = this;
    const bytes = encodeUtf8(name);
    const at = deps.kmalloc(bytes.length + 1);
    if (at === 0) return false;
    deps.guest.write(at, Uint8Array.of(...bytes, 0));
    const actor = readS64(deps, ctx + DirContext.o.actor);
    const pos = this.position(ctx);
    const more = deps.callC(actor, 'b:ppillu', ctx, at, bytes.length, pos, ino, entryType(mode));
    deps.kfree(at);
    return more !== 0;
  }

  /**
   * Tells the entries of a folder from the reader's position on.
   * @param entries all but the dots, in an order that stays
   */
  iterate(
    file: Handle,
    ctx: Vaddr,
    entries: readonly { readonly name: string; readonly ino: number; readonly mode: number }[],
  ): number {
    if (!this.emitDots(file, ctx)) return 0;
    for (let pos = this.position(ctx); pos - DOTS < entries.length; pos++) {
      const { name, ino, mode } = entries[pos - DOTS];
      if (!this.emit(ctx, name, ino, mode)) return 0;
      this.setPosition(ctx, pos + 1);
    }
    return 0;
  }

  /** @linux fs/libfs.c:dcache_readdir partial: a name that goes while a folder is read may hide another */
  private readdir(file: Handle, ctx: Vaddr): number {
    const dir = File.at(this.deps.ram, file).f_path.dentry;
    const there = this.dcache
      .children(dir)
      .filter((child) => this.dcache.at(child).d_inode !== 0 && this.dcache.isHashed(child));
    const entries = there.map((child) => {
      const { i_ino, i_mode } = this.inodes.at(this.dcache.at(child).d_inode);
      return { name: this.dcache.nameOf(child), ino: i_ino, mode: i_mode };
    });
    return this.iterate(file, ctx, entries);
  }

  /** @linux fs/libfs.c:dcache_dir_lseek full */
  private seek(file: Handle, offset: number, whence: number): number {
    const f = File.at(this.deps.ram, file);
    const to = whence === 1 ? f.f_pos + offset : offset;
    if (whence > 1 || to < 0) return -EINVAL;
    f.f_pos = to;
    return to;
  }

  // ---------------------------------------------------------------- file systems

  /** @linux fs/libfs.c:simple_statfs full */
  private statfs(dentry: Handle, buf: Handle): number {
    const { ram } = this.deps;
    const s = Kstatfs.at(ram, buf);
    s.f_type = this.supers.at(this.dcache.at(dentry).d_sb).s_magic;
    s.f_bsize = PAGE_SIZE;
    s.f_namelen = NAME_MAX;
    return 0;
  }

  /** @linux fs/libfs.c:simple_fill_super full */
  private fillSuper(sb: Handle, magic: number, files: Vaddr): number {
    const { deps } = this;
    const s = this.supers.at(sb);
    s.s_blocksize = PAGE_SIZE;
    s.s_magic = magic;
    s.s_op = deps.symbol('simple_super_operations');
    s.s_time_gran = 1;
    const root = this.inodes.create(sb);
    if (root === 0) return -ENOMEM;
    const i = this.inodes.at(root);
    i.i_ino = 1;
    i.i_mode = S_IFDIR | 0o755;
    i.i_op = deps.symbol('simple_dir_inode_operations');
    i.i_fop = deps.symbol('simple_dir_operations');
    i.i_nlink = 2;
    this.inodes.touch(root, 'i_atime', 'i_mtime', 'i_ctime');
    const dentry = this.dcache.makeRoot(root);
    if (dentry === 0) return -ENOMEM;
    s.s_root = dentry;
    for (let n = 0; n < MAX_TREE_FILES; n++) {
      const at = files + n * TreeDescr.size;
      const name = decodeUtf8(readCString(deps, readS64(deps, at), NAME_MAX));
      if (name === '') return 0;
      if (n === 0) continue;
      const error = this.addFile(sb, dentry, name, at, n);
      if (error !== 0) return error;
    }
    return -EFBIG;
  }

  private addFile(sb: Handle, root: Handle, name: string, at: Vaddr, ino: number): number {
    const { deps } = this;
    const dentry = this.dcache.alloc(root, encodeUtf8(name));
    const inode = dentry === 0 ? 0 : this.inodes.create(sb);
    if (inode === 0) {
      this.dcache.put(dentry);
      return -ENOMEM;
    }
    const i = this.inodes.at(inode);
    i.i_mode = S_IFREG | readUnsigned(deps, at + TreeDescr.o.mode, 4);
    i.i_fop = readS64(deps, at + TreeDescr.o.ops);
    i.i_ino = ino;
    this.inodes.touch(inode, 'i_atime', 'i_mtime', 'i_ctime');
    this.dcache.add(dentry, inode);
    return 0;
  }

  exports(): KernelExports {
    const h = (address: Vaddr) => this.h(address);
    return {
      simple_lookup: ['p:ppu', (_dir: Vaddr, dentry: Vaddr) => this.lookup(h(dentry))],
      simple_link: ['i:ppp', (old: Vaddr, dir: Vaddr, dentry: Vaddr) => this.link(h(old), h(dir), h(dentry))],
      simple_unlink: ['i:pp', (dir: Vaddr, dentry: Vaddr) => this.unlink(h(dir), h(dentry))],
      simple_rmdir: ['i:pp', (dir: Vaddr, dentry: Vaddr) => this.rmdir(h(dir), h(dentry))],
      simple_empty: ['i:p', (dentry: Vaddr) => Number(this.dcache.isEmpty(h(dentry)))],
      simple_rename: [
        'i:pppppu',
        (_ns: Vaddr, oldDir: Vaddr, old: Vaddr, newDir: Vaddr, now: Vaddr, flags: number) =>
          this.rename(h(oldDir), h(old), h(newDir), h(now), flags),
      ],
      simple_setattr: [
        'i:ppp',
        (_ns: Vaddr, dentry: Vaddr, attr: Vaddr) =>
          this.attributes.simple(this.dcache.at(h(dentry)).d_inode, h(attr)),
      ],
      simple_getattr: [
        'i:pppuu',
        (_ns: Vaddr, path: Vaddr, stat: Vaddr) => {
          const dentry = this.deps.ram.ptr(h(path) + 2);
          this.attributes.fill(this.dcache.at(dentry).d_inode, h(stat));
          return 0;
        },
      ],
      generic_fillattr: [
        'v:ppp',
        (_ns: Vaddr, inode: Vaddr, stat: Vaddr) => this.attributes.fill(h(inode), h(stat)),
      ],
      setattr_prepare: ['i:ppp', () => 0],
      setattr_copy: [
        'v:ppp',
        (_ns: Vaddr, inode: Vaddr, attr: Vaddr) => this.attributes.copy(h(inode), h(attr)),
      ],
      simple_get_link: ['p:ppp', (_dentry: Vaddr, inode: Vaddr) => Inode.at(this.deps.ram, h(inode)).i_link],
      simple_statfs: ['i:pp', (dentry: Vaddr, buf: Vaddr) => this.statfs(h(dentry), h(buf))],
      simple_fill_super: [
        'i:plp',
        (sb: Vaddr, magic: number, files: Vaddr) => this.fillSuper(h(sb), magic, files),
      ],
      dcache_dir_open: ['i:pp', () => 0],
      dcache_dir_close: ['i:pp', () => 0],
      dcache_dir_lseek: [
        'l:pli',
        (file: Vaddr, offset: number, whence: number) => this.seek(h(file), offset, whence),
      ],
      dcache_readdir: ['i:pp', (file: Vaddr, ctx: Vaddr) => this.readdir(h(file), ctx)],
      generic_read_dir: ['l:ppzp', () => -EISDIR],
      generic_delete_inode: ['i:p', () => 1],
      always_delete_dentry: ['i:p', () => 1],
      noop_fsync: ['i:plli', () => 0],
      dir_emit_dots: ['b:pp', (file: Vaddr, ctx: Vaddr) => this.emitDots(h(file), ctx)],
    };
  }
}
