// SPDX-License-Identifier: MIT
/**
 * What is done to a folder once its names have been looked up: the functions vfs_create() to vfs_rename(). Each asks
 * whether the task may, then the file system.
 *
 * @linux fs/namei.c partial: no delegations, no security modules; folders are not locked
 */

import { EACCES, EBUSY, EEXIST, EINVAL, EISDIR, ENOENT, ENOTDIR, EPERM, EXDEV } from '../lib/errno.js';
import { readUnsigned } from '../lib/guest_access.js';
import type { Handle, Vaddr } from '../machine/layout.js';
import { DCACHE_MOUNTED, type Dcache } from './dcache.js';
import {
  S_IALLUGO,
  S_IFBLK,
  S_IFCHR,
  S_IFDIR,
  S_IFIFO,
  S_IFMT,
  S_IFREG,
  S_IFSOCK,
  S_ISGID,
  S_ISVTX,
} from './file_modes.js';
import type { FsDeps } from './fs_context.js';
import type { InodeOperation, Inodes } from './inode.js';
import type { Walker } from './namei.js';
import { FileSystemType, SuperBlock } from './vfs_types.js';

const MAY_EXEC = 1;
const MAY_WRITE = 2;
const FS_RENAME_DOES_D_MOVE = 32768;
const S_IXGRP = 0o010;
const S_DEAD = 0x10;
const S_APPEND = 4;
const S_IMMUTABLE = 8;
export const RENAME_NOREPLACE = 1;
export const RENAME_EXCHANGE = 2;

export interface FolderServices {
  readonly dcache: Dcache;
  readonly inodes: Inodes;
  permission(inode: Handle, mask: number, who: Walker): number;
}

/** A name in a folder. */
export interface Name {
  /** Inode of the folder. */
  readonly dir: Handle;
  readonly dentry: Handle;
}

export class FolderChanges {
  constructor(
    private readonly deps: FsDeps,
    private readonly k: FolderServices,
  ) {}

  private inodeOf(dentry: Handle): Handle {
    return this.k.dcache.at(dentry).d_inode;
  }

  private typeOf(dentry: Handle): number {
    const inode = this.inodeOf(dentry);
    return inode === 0 ? 0 : this.k.inodes.at(inode).i_mode & S_IFMT;
  }

  /** The namespace of owners, as file systems are given it. */
  private get ns(): Vaddr {
    return this.deps.symbol('init_user_ns');
  }

  private call(fn: Vaddr, signature: string, handles: readonly Handle[], ...rest: number[]): number {
    const { ram, callC } = this.deps;
    return callC(fn, signature, ...handles.map((h) => ram.addressOf(h)), ...rest);
  }

  // ---------------------------------------------------------------- may it be?

  /** @linux fs/namei.c:may_create full */
  mayCreate({ dir, dentry }: Name, who: Walker): number {
    if (this.inodeOf(dentry) !== 0) return -EEXIST;
    if (this.k.inodes.at(dir).i_flags & S_DEAD) return -ENOENT;
    return this.k.permission(dir, MAY_WRITE | MAY_EXEC, who);
  }

  /** May a name be taken out of a folder? @linux fs/namei.c:may_delete full */
  mayDelete({ dir, dentry }: Name, isFolder: boolean | undefined, who: Walker): number {
    const { inodes } = this.k;
    const inode = this.inodeOf(dentry);
    if (inode === 0) return -ENOENT;
    const error = this.k.permission(dir, MAY_WRITE | MAY_EXEC, who);
    if (error !== 0) return error;
    const d = inodes.at(dir);
    const { i_uid, i_flags } = inodes.at(inode);
    if (d.i_flags & S_APPEND) return -EPERM;
    if (d.i_mode & S_ISVTX && who.uid !== 0 && who.uid !== i_uid && who.uid !== d.i_uid) return -EPERM;
    if (i_flags & (S_APPEND | S_IMMUTABLE)) return -EPERM;
    const folder = this.typeOf(dentry) === S_IFDIR;
    if (isFolder === true && !folder) return -ENOTDIR;
    if (isFolder === false && folder) return -EISDIR;
    return d.i_flags & S_DEAD ? -ENOENT : 0;
  }

  // ---------------------------------------------------------------- making

  /** Asks whether a name may be made, and the file system for a function that makes it. */
  private make(
    name: Name,
    who: Walker,
    op: InodeOperation,
    none: number,
    then: (fn: Vaddr) => number,
  ): number {
    const error = this.mayCreate(name, who);
    if (error !== 0) return error;
    const fn = this.k.inodes.operation(name.dir, op);
    return fn === 0 ? none : then(fn);
  }

  /** @linux fs/namei.c:vfs_create full */
  create(name: Name, mode: number, excl: boolean, who: Walker): number {
    const bits = (this.stripSgid(name.dir, mode, who) & S_IALLUGO) | S_IFREG;
    return this.make(name, who, 'create', -EACCES, (fn) =>
      this.deps.callC(fn, 'i:pppuu', this.ns, ...this.addresses(name), bits, Number(excl)),
    );
  }

  /** A new file is not set-group-ID for a group that its maker is not in. @linux fs/inode.c:mode_strip_sgid full */
  private stripSgid(dir: Handle, mode: number, who: Walker): number {
    const both = S_ISGID | S_IXGRP;
    const { i_mode, i_gid } = this.k.inodes.at(dir);
    const strips = (mode & both) === both && i_mode & S_ISGID && who.uid !== 0 && who.gid !== i_gid;
    return strips ? mode & ~S_ISGID : mode;
  }

  private addresses({ dir, dentry }: Name): [Vaddr, Vaddr] {
    return [this.deps.ram.addressOf(dir), this.deps.ram.addressOf(dentry)];
  }

  /** @linux fs/namei.c:vfs_mkdir full */
  mkdir(name: Name, mode: number, who: Walker): number {
    const bits = mode & (0o777 | S_ISVTX);
    return this.make(name, who, 'mkdir', -EPERM, (fn) =>
      this.deps.callC(fn, 'i:pppu', this.ns, ...this.addresses(name), bits),
    );
  }

  /** @param mode with its type @linux fs/namei.c:vfs_mknod full */
  mknod(name: Name, mode: number, rdev: number, who: Walker): number {
    const type = mode & S_IFMT;
    if ((type === S_IFCHR || type === S_IFBLK) && who.uid !== 0) return -EPERM;
    if (![S_IFREG, S_IFCHR, S_IFBLK, S_IFIFO, S_IFSOCK].includes(type))
      return type === S_IFDIR ? -EPERM : -EINVAL;
    return this.make(name, who, 'mknod', -EPERM, (fn) =>
      this.deps.callC(
        fn,
        'i:pppuu',
        this.ns,
        ...this.addresses(name),
        this.stripSgid(name.dir, mode, who),
        rdev,
      ),
    );
  }

  /** @param target address of the text @linux fs/namei.c:vfs_symlink full */
  symlink(name: Name, target: Vaddr, who: Walker): number {
    return this.make(name, who, 'symlink', -EPERM, (fn) =>
      this.deps.callC(fn, 'i:pppp', this.ns, ...this.addresses(name), target),
    );
  }

  /** @linux fs/namei.c:vfs_link full */
  link(old: Handle, name: Name, who: Walker): number {
    const { inodes, dcache } = this.k;
    const inode = this.inodeOf(old);
    if (inode === 0) return -ENOENT;
    return this.make(name, who, 'link', -EPERM, (fn) => {
      if (dcache.at(old).d_sb !== dcache.at(name.dentry).d_sb) return -EXDEV;
      const { i_flags, i_nlink } = inodes.at(inode);
      if (i_flags & (S_APPEND | S_IMMUTABLE)) return -EPERM;
      if (this.typeOf(old) === S_IFDIR) return -EPERM;
      if (i_nlink === 0) return -ENOENT;
      return this.call(fn, 'i:ppp', [old, name.dir, name.dentry]);
    });
  }

  // ---------------------------------------------------------------- removing

  private isMountpoint(dentry: Handle): boolean {
    return (this.k.dcache.at(dentry).d_flags & DCACHE_MOUNTED) !== 0;
  }

  private remove(name: Name, who: Walker, isFolder: boolean): number {
    const { dcache, inodes } = this.k;
    const { dir, dentry } = name;
    const error = this.mayDelete(name, isFolder, who);
    if (error !== 0) return error;
    const fn = inodes.operation(dir, isFolder ? 'rmdir' : 'unlink');
    if (fn === 0) return -EPERM;
    if (this.isMountpoint(dentry)) return -EBUSY;
    const inode = this.inodeOf(dentry);
    dcache.get(dentry);
    inodes.get(inode);
    const result = this.call(fn, 'i:pp', [dir, dentry]);
    if (result === 0) {
      if (isFolder) inodes.at(inode).i_flags |= S_DEAD;
      dcache.drop(dentry);
    }
    inodes.put(inode);
    dcache.put(dentry);
    return result;
  }

  /** @linux fs/namei.c:vfs_unlink full */
  unlink(name: Name, who: Walker): number {
    return this.remove(name, who, false);
  }

  /** @linux fs/namei.c:vfs_rmdir full */
  rmdir(name: Name, who: Walker): number {
    return this.remove(name, who, true);
  }

  // ---------------------------------------------------------------- renaming

  /** @linux fs/namei.c:vfs_rename partial: no exchange of two names */
  rename(from: Name, to: Name, flags: number, who: Walker): number {
    const { dcache, inodes } = this.k;
    const source = this.inodeOf(from.dentry);
    const target = this.inodeOf(to.dentry);
    if (flags & ~RENAME_NOREPLACE) return -EINVAL;
    if (source !== 0 && source === target) return 0;
    const isFolder = this.typeOf(from.dentry) === S_IFDIR;
    const error =
      this.mayDelete(from, undefined, who) ||
      (target === 0 ? this.mayCreate(to, who) : this.mayDelete(to, isFolder, who));
    if (error !== 0) return error;
    const fn = inodes.operation(from.dir, 'rename');
    if (fn === 0) return -EPERM;
    if (this.isMountpoint(from.dentry) || this.isMountpoint(to.dentry)) return -EBUSY;
    dcache.get(to.dentry);
    const args = [from.dir, from.dentry, to.dir, to.dentry].map((h) => this.deps.ram.addressOf(h));
    const result = this.deps.callC(fn, 'i:pppppu', this.ns, ...args, flags);
    if (result === 0) {
      if (target !== 0 && isFolder) inodes.at(target).i_flags |= S_DEAD;
      if (!this.movesItself(from.dir)) dcache.move(from.dentry, to.dentry);
    }
    dcache.put(to.dentry);
    return result;
  }

  /** Whether the file system has moved the dentry itself. */
  private movesItself(dir: Handle): boolean {
    const { i_sb } = this.k.inodes.at(dir);
    const type = i_sb === 0 ? 0 : SuperBlock.at(this.deps.ram, i_sb).s_type;
    return (
      type !== 0 &&
      (readUnsigned(this.deps, type + FileSystemType.o.fs_flags, 4) & FS_RENAME_DOES_D_MOVE) !== 0
    );
  }
}
