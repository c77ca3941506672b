// SPDX-License-Identifier: MIT
/**
 * Open files, and the descriptors of a task.
 *
 *     fd table of a task → struct file → place in the tree (mount, dentry) → inode
 */

import { EMFILE } from '../lib/errno.js';
import { initListHead } from '../lib/list.js';
import { Mutex } from '../lib/lock_types.js';
import type { StaticData } from '../lib/static_data.js';
import type { Handle } from '../machine/layout.js';
import { GFP_KERNEL } from '../mm/gfp.js';
import { S_IFBLK, S_IFCHR, S_IFIFO, S_IFMT, S_IFSOCK } from './file_modes.js';
import type { FsDeps } from './fs_context.js';
import { FilesStruct, MAX_FILES } from './fs_context.js';
import { File, Inode } from './fs_types.js';
import type { KernfsMounts } from './kernfs/mount.js';
import type { Mounts, Place } from './namespace.js';

export const FMODE_READ = 0x1;
export const FMODE_WRITE = 0x2;
export const FMODE_LSEEK = 0x4;
export const FMODE_PREAD = 0x8;
export const FMODE_PWRITE = 0x10;
export const FMODE_WRITER = 0x10000;
export const FMODE_CAN_READ = 0x20000;
export const FMODE_CAN_WRITE = 0x40000;
export const FMODE_OPENED = 0x80000;
export const FMODE_STREAM = 0x200000;

/** What stands in the slot of a descriptor that is kept: no pointer. */
const RESERVED = 2;

/** What is written to these is no part of the file system. @linux include/linux/fs.h:special_file full */
export const SPECIAL = new Set<number>([S_IFCHR, S_IFBLK, S_IFIFO, S_IFSOCK]);

export class FileTable {
  private readonly fileCache: Handle;
  private readonly openFiles: Handle;

  constructor(
    private readonly deps: FsDeps,
    private readonly mounts: Mounts,
    private readonly kernfs: () => KernfsMounts,
    data: StaticData,
  ) {
    this.fileCache = data.declare('filp_cachep', 8);
    this.openFiles = data.declare('nr_files', 8);
  }

  boot(): void {
    const { ram, slub } = this.deps;
    ram.setPtr(this.fileCache, slub.kmemCacheCreate('filp', File.size, 64, 0, 0));
  }

  file(file: Handle) {
    return File.at(this.deps.ram, file);
  }

  /** The inode of an open file. */
  inode(file: Handle) {
    return Inode.at(this.deps.ram, this.file(file).f_inode);
  }

  /** The node that a file was opened from; 0 if it is none of the kernel's tree. */
  nodeOf(file: Handle): Handle {
    return this.kernfs().nodeOf(this.file(file).f_inode);
  }

  /** The node of an inode; 0 if it is no file of the kernel's tree. */
  kernelNode(inode: Handle): Handle {
    return this.kernfs().nodeOf(inode);
  }

  /** Where an open file lies. */
  placeOf(file: Handle): Place {
    const { mnt, dentry } = this.file(file).f_path;
    return { mnt: this.mounts.ofVfsmount(mnt), dentry };
  }

  /** How many files are open. */
  get count(): number {
    return this.deps.ram.u64(this.openFiles);
  }

  private setCount(count: number): void {
    this.deps.ram.set64(this.openFiles, count);
  }

  /**
   * Makes an open file of a place.
   * @param place held; taken, also when there is no memory
   * @param inode what is there
   * @returns 0 if there is no memory
   * @linux fs/file_table.c:alloc_empty_file partial: no limit on the number of files
   */
  create(place: Place, inode: Handle, flags: number): Handle {
    const { ram, slub } = this.deps;
    const address = slub.kmemCacheAlloc(ram.ptr(this.fileCache), GFP_KERNEL);
    if (address === 0) {
      this.mounts.put(place);
      return 0;
    }
    const file = ram.handleOf(address);
    ram.fill(file * 4, File.size, 0);
    const i = Inode.at(ram, inode);
    const f = this.file(file);
    f.f_inode = inode;
    f.f_path.dentry = place.dentry;
    f.f_path.mnt = this.mounts.vfsmount(place.mnt);
    f.f_mapping = i.i_mapping;
    f.f_count = 1;
    f.f_flags = flags;
    const access = (flags + 1) & 3;
    f.f_mode = access | FMODE_LSEEK | FMODE_PREAD | FMODE_PWRITE;
    f.f_op = i.i_fop;
    if (f.f_mode & FMODE_WRITE && place.mnt !== 0 && !SPECIAL.has(i.i_mode & S_IFMT)) {
      f.f_mode |= FMODE_WRITER;
      this.mounts.at(place.mnt).mnt_writers++;
    }
    initListHead(ram, f.f_pos_lock.h + Mutex.w.wait_list);
    this.setCount(this.count + 1);
    return file;
  }

  /** Frees a file that nobody has any more, after its release function. */
  destroy(file: Handle): void {
    const { ram, slub } = this.deps;
    const place = this.placeOf(file);
    if (this.file(file).f_mode & FMODE_WRITER) this.mounts.at(place.mnt).mnt_writers--;
    slub.kmemCacheFree(ram.ptr(this.fileCache), ram.addressOf(file));
    this.setCount(this.count - 1);
    this.mounts.put(place);
  }

  // ---------------------------------------------------------------- descriptors

  private slot(files: Handle, fd: number): Handle {
    return files + FilesStruct.w.fd + 2 * fd;
  }

  /** The lowest free descriptor, or -EMFILE. @linux fs/file.c:alloc_fd partial: at most 256 */
  freeDescriptor(files: Handle, from = 0): number {
    for (let fd = from; fd < MAX_FILES; fd++) if (this.deps.ram.i32[this.slot(files, fd)] === 0) return fd;
    return -EMFILE;
  }

  /** Keeps a descriptor for a file that is still to come. */
  reserve(files: Handle, fd: number): void {
    this.deps.ram.set64(this.slot(files, fd), RESERVED);
  }

  install(files: Handle, fd: number, file: Handle): void {
    this.deps.ram.set64(this.slot(files, fd), this.deps.ram.addressOf(file));
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
}
