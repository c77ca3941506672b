// SPDX-License-Identifier: MIT
/**
 * What file systems that are nothing but their dentries have in common: a folder's entries are its dentries in memory,
 * and each that has an inode is held once more, so that it stays.
 *
 * @linux fs/libfs.c partial: what ramfs and the file systems of a first course use
 */

import type { KernelExports } from '../arch/wasm64/exports.js';
import { EFBIG, EINVAL, EISDIR, ENAMETOOLONG, ENODEV, ENOMEM, ENOTEMPTY } from '../lib/errno.js';
import { readCString, readS64, readUnsigned } from '../lib/guest_access.js';
import { encodeUtf8, endedByNul } from '../lib/utf8.js';
import { type Handle, PAGE_SIZE, type Vaddr } from '../machine/layout.js';
import { objectAt } from './c_pointers.js';
import { type Dcache, NAME_MAX } from './dcache.js';
import { entryType, S_IFDIR, S_IFREG } from './file_modes.js';
import type { FsDeps } from './fs_context.js';
import { File, FileOperations, Inode } from './fs_types.js';
import type { Inodes } from './inode.js';
import type { OperationTables } from './op_tables.js';
import type { Supers } from './super.js';
import {
  DelayedCall,
  DentryOperations,
  DirContext,
  InodeOperations,
  Kstatfs,
  SuperOperations,
  TreeDescr,
} from './vfs_types.js';

const S_DEAD = 0x10;
/** Nothing of a user's maps files, and there are no pipes: a file system may name these, and nobody calls them. */
const unmapped: KernelExports = {
  generic_file_mmap: ['i:pp', () => -ENODEV],
  generic_file_readonly_mmap: ['i:pp', () => -ENODEV],
  generic_file_splice_read: ['l:pppzu', () => -EINVAL],
  iter_file_splice_write: ['l:pppzu', () => -EINVAL],
  generic_file_get_unmapped_area: ['l:pzzzz', () => -ENODEV],
};
/** Entries of a folder before its files: `.` and `..`. */
const DOTS = 2;
const MAX_TREE_FILES = 1000;

export class SimpleFs {
  constructor(
    private readonly deps: FsDeps,
    private readonly dcache: Dcache,
    private readonly inodes: Inodes,
    private readonly supers: Supers,
    tables: OperationTables,
  ) {
    tables.declare(FileOperations, {
      def_chr_fops: { llseek: 'noop_llseek' },
      bad_file_ops: { open: 'bad_inode_error' },
      generic_ro_fops: {
        llseek: 'generic_file_llseek',
        read_iter: 'generic_file_read_iter',
        mmap: 'generic_file_readonly_mmap',
        splice_read: 'generic_file_splice_read',
      },
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
      page_symlink_inode_operations: { get_link: 'page_get_link' },
      bad_inode_ops: Object.fromEntries(
        ['lookup', 'get_link', 'permission', 'create', 'link', 'unlink', 'symlink', 'mkdir', 'rmdir', 'mknod']
          .concat('rename', 'setattr', 'getattr')
          .map((name) => [name, 'bad_inode_error']),
      ),
    });
    tables.declare(SuperOperations, { simple_super_operations: { statfs: 'simple_statfs' } });
    tables.declare(DentryOperations, { simple_dentry_operations: { d_delete: 'always_delete_dentry' } });
  }

  /** Something that C points to. */
  private h(address: Vaddr): Handle {
    return objectAt(this.deps, address, 8);
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
    const isFolder = this.isFolder(inode);
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
    deps.guest.write(at, endedByNul(bytes));
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
    const error = this.addFiles(sb, dentry, files);
    if (error === 0) s.s_root = dentry;
    else {
      this.dcache.genocide(dentry);
      this.dcache.put(dentry);
    }
    return error;
  }

  /** An entry without a name is skipped, one with an empty name is the end. */
  private addFiles(sb: Handle, root: Handle, files: Vaddr): number {
    const { deps } = this;
    for (let n = 0; n < MAX_TREE_FILES; n++) {
      const at = files + n * TreeDescr.size;
      const name = readS64(deps, at + TreeDescr.o.name);
      if (name === 0) continue;
      const text = readCString(deps, name, NAME_MAX);
      if (text.length === 0) return 0;
      if (n === 1) {
        const type = this.supers.typeName(this.supers.at(sb).s_type);
        deps.env.log.log(4, `simple_fill_super: ${type} passed in a files array with an index of 1!`);
      }
      const error = this.addFile(sb, root, text, at, n);
      if (error !== 0) return error;
    }
    return -EFBIG;
  }

  private addFile(sb: Handle, root: Handle, name: Uint8Array, at: Vaddr, ino: number): number {
    const { deps } = this;
    const dentry = this.dcache.alloc(root, name);
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

  /** Links whose text lies in the first page of their file. */
  private links(): KernelExports {
    const { deps } = this;
    const { pageCache } = deps;
    return {
      /** @linux fs/namei.c:page_symlink full */
      page_symlink: [
        'i:ppi',
        (at: Vaddr, name: Vaddr, length: number) => {
          if (length < 0 || length > PAGE_SIZE) return -ENAMETOOLONG;
          const { i_mapping } = this.inodes.at(this.h(at));
          const text = deps.guest.read(name, length - 1);
          const written = pageCache.writeBytes(i_mapping, 0, text);
          return written === text.length ? 0 : -ENOMEM;
        },
      ],
      /** @linux fs/namei.c:page_get_link full */
      page_get_link: [
        'p:ppp',
        (_dentry: Vaddr, at: Vaddr, done: Vaddr) => {
          const { i_mapping, i_size } = this.inodes.at(this.h(at));
          const bytes = pageCache.readBytes(i_mapping, i_size, 0, Math.min(i_size, PAGE_SIZE - 1));
          const text = deps.kmalloc(bytes.length + 1);
          if (text === 0) return -ENOMEM;
          deps.guest.write(text, Uint8Array.of(...bytes, 0));
          const call = this.h(done);
          deps.ram.set64(call + DelayedCall.w.fn, deps.symbol('kfree'));
          deps.ram.set64(call + DelayedCall.w.arg, text);
          return text;
        },
      ],
      page_put_link: ['v:p', (text: Vaddr) => deps.kfree(text)],
    };
  }

  /** @linux fs/libfs.c:simple_recursive_removal full */
  private removeTree(dentry: Handle, callback: Vaddr): void {
    const { ram, callC } = this.deps;
    for (const child of this.dcache.children(dentry)) {
      if (this.dcache.at(child).d_inode === 0 || !this.dcache.isHashed(child)) continue;
      this.dcache.get(child);
      this.removeTree(child, callback);
      this.dcache.put(child);
    }
    const { d_inode, d_parent } = this.dcache.at(dentry);
    if (d_inode === 0) return;
    const folder = this.isFolder(d_inode);
    if (folder) this.inodes.at(d_inode).i_flags |= S_DEAD;
    this.inodes.at(d_inode).i_nlink = 0;
    const dir = this.dcache.at(d_parent).d_inode;
    this.dcache.drop(dentry);
    if (callback !== 0) callC(callback, 'v:p', ram.addressOf(dentry));
    if (dir !== 0 && d_parent !== dentry) {
      if (folder) this.inodes.at(dir).i_nlink--;
      this.inodes.touch(dir, 'i_mtime', 'i_ctime');
    }
    this.dcache.put(dentry);
  }

  exports(): KernelExports {
    const h = (address: Vaddr) => this.h(address);
    return {
      simple_lookup: ['p:ppu', (_dir: Vaddr, dentry: Vaddr) => this.lookup(h(dentry))],
      simple_link: ['i:ppp', (old: Vaddr, dir: Vaddr, dentry: Vaddr) => this.link(h(old), h(dir), h(dentry))],
      simple_unlink: ['i:pp', (dir: Vaddr, dentry: Vaddr) => this.unlink(h(dir), h(dentry))],
      simple_rmdir: ['i:pp', (dir: Vaddr, dentry: Vaddr) => this.rmdir(h(dir), h(dentry))],
      simple_recursive_removal: [
        'v:pp',
        (dentry: Vaddr, callback: Vaddr) => {
          this.dcache.get(h(dentry));
          this.removeTree(h(dentry), callback);
          this.dcache.put(h(dentry));
        },
      ],
      simple_empty: ['i:p', (dentry: Vaddr) => Number(this.dcache.isEmpty(h(dentry)))],
      simple_rename: [
        'i:pppppu',
        (_ns: Vaddr, oldDir: Vaddr, old: Vaddr, newDir: Vaddr, now: Vaddr, flags: number) =>
          this.rename(h(oldDir), h(old), h(newDir), h(now), flags),
      ],
      simple_get_link: ['p:ppp', (_dentry: Vaddr, inode: Vaddr) => Inode.at(this.deps.ram, h(inode)).i_link],
      ...this.links(),
      ...unmapped,
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
      always_delete_dentry: ['i:p', () => 1],
      noop_fsync: ['i:plli', () => 0],
      generic_file_fsync: ['i:plli', () => 0],
      simple_nosetlease: ['i:plpp', () => -EINVAL],
      dir_emit_dots: ['b:pp', (file: Vaddr, ctx: Vaddr) => this.emitDots(h(file), ctx)],
    };
  }
}
