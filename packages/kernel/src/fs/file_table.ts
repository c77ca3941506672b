// SPDX-License-Identifier: MIT
/**
 * Inodes, dentries and open files, as C sees them.
 *
 *     fd table of a task → struct file → dentry → node of the tree (d_fsdata)
 *                                      → inode  (one for all who have the node open)
 *
 * An inode and its dentry are made when a node is first opened, and freed with the last file.
 */

import { EMFILE, ENFILE } from '../lib/errno.js';
import { initListHead } from '../lib/list.js';
import { Mutex, RwSemaphore } from '../lib/lock_types.js';
import type { StaticData } from '../lib/static_data.js';
import { encodeUtf8 } from '../lib/utf8.js';
import type { Handle, Vaddr } from '../machine/layout.js';
import { GFP_KERNEL } from '../mm/gfp.js';
import type { FsDeps } from './fs_context.js';
import { FilesStruct, MAX_FILES } from './fs_context.js';
import { Dentry, DNAME_INLINE_LEN, File, Inode } from './fs_types.js';
import { type Kernfs, NODE_STATIC } from './kernfs/kernfs.js';

export const FMODE_READ = 0x1;
export const FMODE_WRITE = 0x2;
export const FMODE_LSEEK = 0x4;
export const FMODE_PREAD = 0x8;
export const FMODE_PWRITE = 0x10;
export const FMODE_CAN_READ = 0x20000;
export const FMODE_CAN_WRITE = 0x40000;
export const FMODE_OPENED = 0x80000;
export const FMODE_STREAM = 0x200000;

export class FileTable {
  private readonly inodeCache: Handle;
  private readonly dentryCache: Handle;
  private readonly fileCache: Handle;

  constructor(
    private readonly deps: FsDeps,
    private readonly tree: Kernfs,
    data: StaticData,
  ) {
    this.inodeCache = data.declare('inode_cachep', 8);
    this.dentryCache = data.declare('dentry_cache', 8);
    this.fileCache = data.declare('filp_cachep', 8);
  }

  boot(): void {
    const { ram, slub } = this.deps;
    ram.setPtr(this.dentryCache, slub.kmemCacheCreate('dentry', Dentry.size, 8, 0, 0));
    ram.setPtr(this.inodeCache, slub.kmemCacheCreate('inode_cache', Inode.size, 8, 0, 0));
    ram.setPtr(this.fileCache, slub.kmemCacheCreate('filp', File.size, 64, 0, 0));
  }

  private alloc(cache: Handle, bytes: number): Handle {
    const { ram, slub } = this.deps;
    const address = slub.kmemCacheAlloc(ram.ptr(cache), GFP_KERNEL);
    if (address === 0) return 0;
    const h = ram.handleOf(address);
    ram.fill(h * 4, bytes, 0);
    return h;
  }

  private free(cache: Handle, object: Handle): void {
    const { ram, slub } = this.deps;
    if (object !== 0) slub.kmemCacheFree(ram.ptr(cache), ram.addressOf(object));
  }

  file(file: Handle) {
    return File.at(this.deps.ram, file);
  }

  /** The node that a file was opened from. */
  nodeOf(file: Handle): Handle {
    const { ram } = this.deps;
    return ram.handleOf(Dentry.at(ram, this.file(file).f_path.dentry).d_fsdata);
  }

  /**
   * Takes a node's inode and dentry, made if nobody has them.
   * @returns false if there is no memory
   */
  getInode(node: Handle): boolean {
    const { ram } = this.deps;
    const n = this.tree.at(node);
    if (n.inode !== 0) {
      Inode.at(ram, n.inode).i_count++;
      return true;
    }
    const inode = this.alloc(this.inodeCache, Inode.size);
    const dentry = inode === 0 ? 0 : this.alloc(this.dentryCache, Dentry.size);
    if (dentry === 0) {
      this.free(this.inodeCache, inode);
      return false;
    }
    n.inode = inode;
    n.dentry = dentry;
    this.tree.get(node);
    this.fillInode(node, inode);
    this.fillDentry(node, inode, dentry);
    return true;
  }

  private fillInode(node: Handle, inode: Handle): void {
    const { ram } = this.deps;
    const n = this.tree.at(node);
    const i = Inode.at(ram, inode);
    i.i_mode = n.mode;
    i.i_uid = n.uid;
    i.i_gid = n.gid;
    i.i_ino = n.ino;
    i.i_nlink = 1;
    i.i_rdev = n.rdev;
    i.i_size = n.size;
    i.i_count = 1;
    i.i_fop = n.fops;
    i.i_private = n.priv;
    i.i_mapping = inode + Inode.w.i_data;
    i.i_data.host = inode;
    for (const list of ['i_lru', 'i_sb_list', 'i_devices'] as const) initListHead(ram, inode + Inode.w[list]);
    initListHead(ram, i.i_rwsem.h + RwSemaphore.w.wait_list);
  }

  private fillDentry(node: Handle, inode: Handle, dentry: Handle): void {
    const { ram } = this.deps;
    const d = Dentry.at(ram, dentry);
    const name = encodeUtf8(this.tree.nameOf(node));
    d.d_inode = inode;
    d.d_parent = dentry;
    d.d_count = 1;
    d.d_fsdata = ram.addressOf(node);
    d.d_iname.set(name.subarray(0, DNAME_INLINE_LEN - 1));
    d.d_name.len = name.length;
    d.d_name.name =
      name.length < DNAME_INLINE_LEN ? ram.addressOf(dentry + Dentry.w.d_iname) : this.tree.at(node).name;
    for (const list of ['d_lru', 'd_child', 'd_subdirs'] as const) initListHead(ram, dentry + Dentry.w[list]);
  }

  /** Gives a node's inode back. @linux fs/inode.c:iput partial: inodes are not kept when nobody uses them */
  putInode(node: Handle): void {
    const n = this.tree.at(node);
    const i = Inode.at(this.deps.ram, n.inode);
    if (--i.i_count > 0) return;
    n.size = i.i_size;
    this.free(this.inodeCache, n.inode);
    this.free(this.dentryCache, n.dentry);
    n.inode = 0;
    n.dentry = 0;
    this.tree.put(node);
  }

  /**
   * Makes an open file of a node.
   * @returns 0 if there is no memory
   * @linux fs/file_table.c:alloc_empty_file partial: no limit on the number of files
   */
  create(node: Handle, flags: number): Handle {
    const { ram } = this.deps;
    const file = this.alloc(this.fileCache, File.size);
    if (file === 0) return 0;
    if (!this.getInode(node)) {
      this.free(this.fileCache, file);
      return 0;
    }
    const n = this.tree.at(node);
    const f = this.file(file);
    f.f_inode = n.inode;
    f.f_path.dentry = n.dentry;
    f.f_mapping = Inode.at(ram, n.inode).i_mapping;
    f.f_count = 1;
    f.f_flags = flags;
    const access = (flags + 1) & 3;
    f.f_mode = access | FMODE_LSEEK | FMODE_PREAD | FMODE_PWRITE;
    f.f_op = n.fops;
    initListHead(ram, f.f_pos_lock.h + Mutex.w.wait_list);
    return file;
  }

  /** Frees a file that nobody has any more, after its release function. */
  destroy(file: Handle): void {
    const node = this.nodeOf(file);
    this.free(this.fileCache, file);
    this.putInode(node);
  }

  // ---------------------------------------------------------------- descriptors

  private slot(files: Handle, fd: number): Handle {
    return files + FilesStruct.w.fd + 2 * fd;
  }

  /** The lowest free descriptor, or -EMFILE. @linux fs/file.c:alloc_fd partial: at most 256 */
  freeDescriptor(files: Handle, from = 0): number {
    for (let fd = from; fd < MAX_FILES; fd++) if (this.deps.ram.ptr(this.slot(files, fd)) === 0) return fd;
    return -EMFILE;
  }

  install(files: Handle, fd: number, file: Handle): void {
    this.deps.ram.setPtr(this.slot(files, fd), file);
  }

  /** The file of a descriptor; 0 if it is not open. */
  lookup(files: Handle, fd: number): Handle {
    if (!Number.isInteger(fd) || fd < 0 || fd >= MAX_FILES) return 0;
    return this.deps.ram.ptr(this.slot(files, fd));
  }

  /** Descriptors in use. */
  descriptors(files: Handle): number[] {
    return Array.from({ length: MAX_FILES }, (_, fd) => fd).filter((fd) => this.lookup(files, fd) !== 0);
  }

  /** Whether a node is gone for its files, and with which error they answer. */
  isStatic(node: Handle): boolean {
    return (this.tree.at(node).flags & NODE_STATIC) !== 0;
  }

  readonly noMemory = -ENFILE;
  /** Address of a file. */
  addressOf(file: Handle): Vaddr {
    return this.deps.ram.addressOf(file);
  }
}
