// SPDX-License-Identifier: MIT
/**
 * From a path to a place in the tree, and what is done by name: making, linking, renaming, removing.
 *
 * A walk holds where it is, one place at a time. Every step may run functions of the file system, which may be a
 * module's: they are called by their addresses, whoever wrote them.
 *
 * @linux fs/namei.c partial: no RCU walk, no automounts
 */

import {
  EACCES,
  EBUSY,
  EEXIST,
  EINVAL,
  EISDIR,
  ELOOP,
  ENAMETOOLONG,
  ENOENT,
  ENOMEM,
  ENOTDIR,
  ENOTEMPTY,
  EPERM,
  EROFS,
  EXDEV,
} from '../lib/errno.js';
import { readCString } from '../lib/guest_access.js';
import { decodeUtf8, encodeUtf8 } from '../lib/utf8.js';
import type { Handle, Vaddr } from '../machine/layout.js';
import { objectAt } from './c_pointers.js';
import { type Dcache, NAME_MAX } from './dcache.js';
import { S_IALLUGO, S_IFDIR, S_IFLNK, S_IFMT, S_IFREG } from './file_modes.js';
import { FolderChanges, type Name, RENAME_NOREPLACE } from './folder_changes.js';
import type { FsDeps } from './fs_context.js';
import { Dentry } from './fs_types.js';
import type { Inodes } from './inode.js';
import type { Mounts, Place } from './namespace.js';
import { DelayedCall } from './vfs_types.js';

/** Bytes of a path with its NUL. */
const PATH_MAX = 4096;
const MAX_LINKS = 40;
export const MAY_EXEC = 1;
export const MAY_WRITE = 2;
export const MAY_READ = 4;
const LOOKUP_CREATE = 0x200;

/** Where a task's paths start, who it is, and which bits new files lack. */
export interface Walker {
  readonly root: Place;
  readonly pwd: Place;
  readonly uid: number;
  readonly gid: number;
  readonly umask: number;
}

export interface LookupFlags {
  /** Follow a link that the path ends in. */
  readonly follow?: boolean;
  /** What the path leads to must be a folder. */
  readonly directory?: boolean;
}

/** The folder in which a path's last name lies. */
export interface Parent {
  /** Held. */
  readonly dir: Place;
  readonly name: string;
  /** The path ends in a slash. */
  readonly slash: boolean;
}

/** A last name that is no name: '' stands for the root. */
export const isSpecial = (name: string): boolean => name === '' || name === '.' || name === '..';

/** The state of a walk: where it is, and how many links it has followed. */
interface Walk {
  at: Place;
  links: number;
  readonly who: Walker;
}

export class Namei {
  /** What is done once names have been looked up. */
  readonly changes: FolderChanges;

  constructor(
    private readonly deps: FsDeps,
    private readonly dcache: Dcache,
    private readonly inodes: Inodes,
    private readonly mounts: Mounts,
  ) {
    const permission = (inode: Handle, mask: number, who: Walker) => this.permission(inode, mask, who);
    this.changes = new FolderChanges(deps, { dcache, inodes, permission });
  }

  inodeOf(dentry: Handle): Handle {
    return this.dcache.at(dentry).d_inode;
  }

  superBlockOf(dentry: Handle): Handle {
    return this.dcache.at(dentry).d_sb;
  }

  typeOf(dentry: Handle): number {
    const inode = this.inodeOf(dentry);
    return inode === 0 ? 0 : this.inodes.at(inode).i_mode & S_IFMT;
  }

  // ---------------------------------------------------------------- permission

  /** Whether a task may do something with an inode: 0 or an errno. @linux fs/namei.c:inode_permission full */
  permission(inode: Handle, mask: number, who: Walker): number {
    const own = this.inodes.operation(inode, 'permission');
    if (own !== 0) {
      const ns = this.deps.symbol('init_user_ns');
      return this.deps.callC(own, 'i:ppi', ns, this.deps.ram.addressOf(inode), mask);
    }
    return this.genericPermission(inode, mask, who);
  }

  /** @linux fs/namei.c:generic_permission full */
  genericPermission(inode: Handle, mask: number, who: Walker): number {
    const { i_mode, i_uid, i_gid } = this.inodes.at(inode);
    const shift = who.uid === i_uid ? 6 : who.gid === i_gid ? 3 : 0;
    if (((i_mode >> shift) & mask) === mask) return 0;
    if (who.uid !== 0) return -EACCES;
    const isFolder = (i_mode & S_IFMT) === S_IFDIR;
    return mask & MAY_EXEC && !isFolder && !(i_mode & 0o111) ? -EACCES : 0;
  }

  // ---------------------------------------------------------------- one step

  /**
   * The dentry of a name in a folder, held; without an inode if there is nothing of that name.
   * @returns a negative errno if it cannot be found out
   * @linux fs/namei.c:lookup_one_len full
   */
  lookupOne(dir: Handle, name: Uint8Array, flags = 0): number {
    if (name.length > NAME_MAX) return -ENAMETOOLONG;
    const found = this.dcache.lookup(dir, name);
    if (found !== 0) {
      if (this.revalidate(found, flags)) return found;
      this.dcache.drop(found);
      this.dcache.put(found);
    }
    return this.lookupSlow(dir, name, flags);
  }

  private revalidate(dentry: Handle, flags: number): boolean {
    const own = this.dcache.operation(dentry, 'd_revalidate');
    return own === 0 || this.deps.callC(own, 'i:pu', this.deps.ram.addressOf(dentry), flags) > 0;
  }

  /** Asks the file system. @linux fs/namei.c:__lookup_slow full */
  private lookupSlow(dir: Handle, name: Uint8Array, flags: number): number {
    const { ram, callC } = this.deps;
    const inode = this.inodeOf(dir);
    const lookup = this.inodes.operation(inode, 'lookup');
    if (lookup === 0) return -ENOTDIR;
    const dentry = this.dcache.alloc(dir, name);
    if (dentry === 0) return -ENOMEM;
    const other = callC(lookup, 'p:ppu', ram.addressOf(inode), ram.addressOf(dentry), flags);
    if (other === 0) return dentry;
    this.dcache.put(dentry);
    if (other < 0 && other >= -4095) return other;
    const found = objectAt(this.deps, other, Dentry.size);
    this.dcache.at(found);
    return found;
  }

  /** Goes to the folder above, and not beyond the root. @linux fs/namei.c:handle_dots full */
  private up(walk: Walk): void {
    let { at } = walk;
    const { root } = walk.who;
    const same = (a: Place, b: Place) => a.mnt === b.mnt && a.dentry === b.dentry;
    let where = at;
    for (let on = this.mounts.mountpoint(where); on && !same(where, root); on = this.mounts.mountpoint(where))
      where = on;
    if (same(where, root)) return;
    const parent = this.mounts.get({ mnt: where.mnt, dentry: this.dcache.at(where.dentry).d_parent });
    this.mounts.put(at);
    at = this.mounts.down(parent);
    walk.at = at;
  }

  /**
   * Goes to a name in the folder where the walk is.
   * @param follow whether a link is followed
   * @returns 0 or an errno
   */
  private step(walk: Walk, name: string, follow: boolean): number {
    if (name === '.' || name === '') return 0;
    if (name === '..') {
      this.up(walk);
      return 0;
    }
    const dentry = this.lookupOne(walk.at.dentry, encodeUtf8(name));
    if (dentry < 0) return dentry;
    if (this.inodeOf(dentry) === 0) {
      this.dcache.put(dentry);
      return -ENOENT;
    }
    if (follow && this.typeOf(dentry) === S_IFLNK) return this.followLink(walk, dentry);
    const next = this.mounts.get({ mnt: walk.at.mnt, dentry });
    this.dcache.put(dentry);
    this.mounts.put(walk.at);
    walk.at = this.mounts.down(next);
    return 0;
  }

  /** The place that a link leads to whatever its text is, held: a link of /proc. */
  jump: (inode: Handle) => Place | undefined = () => undefined;

  private followLink(walk: Walk, dentry: Handle): number {
    const place = walk.links < MAX_LINKS ? this.jump(this.inodeOf(dentry)) : undefined;
    if (place !== undefined) {
      walk.links++;
      this.dcache.put(dentry);
      this.mounts.put(walk.at);
      walk.at = place;
      return 0;
    }
    const target = ++walk.links > MAX_LINKS ? -ELOOP : this.linkTarget(dentry);
    this.dcache.put(dentry);
    if (typeof target === 'number') return target;
    if (target === '') return -ENOENT;
    if (target.startsWith('/')) this.toRoot(walk);
    return this.walkNames(walk, target, true);
  }

  /** The text of a link. @linux fs/namei.c:vfs_get_link full */
  linkTarget(dentry: Handle): string | number {
    const { deps } = this;
    const inode = this.inodeOf(dentry);
    if (this.typeOf(dentry) !== S_IFLNK) return -EINVAL;
    const own = this.inodes.at(inode).i_link;
    if (own !== 0) return decodeUtf8(readCString(deps, own, PATH_MAX));
    const done = deps.kmalloc(DelayedCall.size);
    if (done === 0) return -ENOMEM;
    deps.ram.fill(deps.ram.handleOf(done) * 4, DelayedCall.size, 0);
    const text = this.getLink(dentry, inode, done);
    const target =
      text <= 0 && text >= -4095 ? text || -EINVAL : decodeUtf8(readCString(deps, text, PATH_MAX));
    const { fn, arg } = DelayedCall.at(deps.ram, deps.ram.handleOf(done));
    if (fn !== 0) deps.callC(fn, 'v:p', arg);
    deps.kfree(done);
    return target;
  }

  /** Address of a link's text. @param done what is to be called when the text is not used any more */
  getLink(dentry: Handle, inode: Handle, done: Vaddr): Vaddr {
    const { ram, callC } = this.deps;
    const get = this.inodes.operation(inode, 'get_link');
    return get === 0 ? -EINVAL : callC(get, 'p:ppp', ram.addressOf(dentry), ram.addressOf(inode), done);
  }

  private toRoot(walk: Walk): void {
    const root = this.mounts.get(walk.who.root);
    this.mounts.put(walk.at);
    walk.at = root;
  }

  /** May the walk go on from here? */
  private enter(walk: Walk): number {
    if (this.typeOf(walk.at.dentry) !== S_IFDIR) return -ENOTDIR;
    return this.permission(this.inodeOf(walk.at.dentry), MAY_EXEC, walk.who);
  }

  private walkNames(walk: Walk, path: string, followLast: boolean): number {
    const names = path.split('/').filter((name) => name !== '');
    for (let i = 0; i < names.length; i++) {
      const error = this.enter(walk) || this.step(walk, names[i], followLast || i < names.length - 1);
      if (error !== 0) return error;
    }
    return path.endsWith('/') && this.typeOf(walk.at.dentry) !== S_IFDIR ? -ENOTDIR : 0;
  }

  private begin(path: string, who: Walker): Walk | number {
    if (path === '') return -ENOENT;
    if (encodeUtf8(path).length >= PATH_MAX) return -ENAMETOOLONG;
    return { at: this.mounts.get(path.startsWith('/') ? who.root : who.pwd), links: 0, who };
  }

  // ---------------------------------------------------------------- paths

  /**
   * The place that a path leads to, held; a negative errno if there is none.
   * @linux fs/namei.c:filename_lookup full
   */
  lookup(path: string, who: Walker, flags: LookupFlags = { follow: true }): Place | number {
    const walk = this.begin(path, who);
    if (typeof walk === 'number') return walk;
    const follow = flags.follow || path.endsWith('/');
    let error = this.walkNames(walk, path, follow);
    if (error === 0 && flags.directory && this.typeOf(walk.at.dentry) !== S_IFDIR) error = -ENOTDIR;
    if (error === 0) return walk.at;
    this.mounts.put(walk.at);
    return error;
  }

  /**
   * The folder of a path's last name, held. That name may be `.`, `..`, or '' for the root.
   * @linux fs/namei.c:filename_parentat full
   */
  parent(path: string, who: Walker): Parent | number {
    const walk = this.begin(path, who);
    if (typeof walk === 'number') return walk;
    const names = path.split('/').filter((name) => name !== '');
    const name = names.pop() ?? '';
    const error = this.walkNames(walk, names.join('/'), true) || this.enter(walk);
    if (error === 0) return { dir: walk.at, name, slash: path.endsWith('/') };
    this.mounts.put(walk.at);
    return error;
  }

  /** What the calling function does with a path's folder and last name; gives the folder back after it. */
  withParent(path: string, who: Walker, dots: number, then: (parent: Parent) => number): number {
    const parent = this.parent(path, who);
    if (typeof parent === 'number') return parent;
    const result = isSpecial(parent.name) ? dots : then(parent);
    this.mounts.put(parent.dir);
    return result;
  }

  // ---------------------------------------------------------------- changing folders

  /**
   * Makes something of a name that is not there yet.
   * @linux fs/namei.c:filename_create full
   */
  private makeIn({ dir, name, slash }: Parent, isFolder: boolean, make: (name: Name) => number): number {
    const dentry = this.lookupOne(dir.dentry, encodeUtf8(name), LOOKUP_CREATE);
    if (dentry < 0) return dentry;
    let error = 0;
    if (this.inodeOf(dentry) !== 0) error = -EEXIST;
    else if (slash && !isFolder) error = -ENOENT;
    else if (this.mounts.isReadOnly(dir.mnt)) error = -EROFS;
    else error = make({ dir: this.inodeOf(dir.dentry), dentry });
    this.dcache.put(dentry);
    return error;
  }

  /** Makes an ordinary file for open(). @linux fs/namei.c:lookup_open full */
  create(dir: Place, dentry: Handle, mode: number, who: Walker): number {
    if (this.mounts.isReadOnly(dir.mnt)) return -EROFS;
    const name = { dir: this.inodeOf(dir.dentry), dentry };
    return this.changes.create(name, mode & S_IALLUGO & ~who.umask, true, who);
  }

  /** @linux fs/namei.c:do_mkdirat full */
  mkdir(path: string, mode: number, who: Walker): number {
    return this.withParent(path, who, -EEXIST, (parent) =>
      this.makeIn(parent, true, (name) => this.changes.mkdir(name, mode & ~who.umask, who)),
    );
  }

  /** @param mode with its type @linux fs/namei.c:do_mknodat full */
  mknod(path: string, mode: number, rdev: number, who: Walker): number {
    const type = mode & S_IFMT;
    const bits = (mode & S_IALLUGO & ~who.umask) | (type || S_IFREG);
    if (type === S_IFDIR) return -EPERM;
    if (type === S_IFLNK) return -EINVAL;
    const regular = type === 0 || type === S_IFREG;
    return this.withParent(path, who, -EEXIST, (parent) =>
      this.makeIn(parent, false, (name) =>
        regular ? this.changes.create(name, bits, true, who) : this.changes.mknod(name, bits, rdev, who),
      ),
    );
  }

  /** @linux fs/namei.c:do_symlinkat full */
  symlink(target: string, path: string, who: Walker): number {
    const { deps } = this;
    const bytes = encodeUtf8(target);
    if (bytes.length === 0) return -ENOENT;
    if (bytes.length >= PATH_MAX) return -ENAMETOOLONG;
    const text = deps.kmalloc(bytes.length + 1);
    if (text === 0) return -ENOMEM;
    deps.guest.write(text, Uint8Array.of(...bytes, 0));
    const result = this.withParent(path, who, -EEXIST, (parent) =>
      this.makeIn(parent, false, (name) => this.changes.symlink(name, text, who)),
    );
    deps.kfree(text);
    return result;
  }

  /** @linux fs/namei.c:do_linkat full */
  link(from: string, to: string, who: Walker, follow = false): number {
    const old = this.lookup(from, who, { follow });
    if (typeof old === 'number') return old;
    const result = this.withParent(to, who, -EEXIST, (parent) =>
      this.makeIn(parent, false, (name) =>
        parent.dir.mnt === old.mnt ? this.changes.link(old.dentry, name, who) : -EXDEV,
      ),
    );
    this.mounts.put(old);
    return result;
  }

  private remove(parent: Parent, who: Walker, isFolder: boolean): number {
    const { dir, slash } = parent;
    if (this.mounts.isReadOnly(dir.mnt)) return -EROFS;
    const dentry = this.lookupOne(dir.dentry, encodeUtf8(parent.name));
    if (dentry < 0) return dentry;
    const name = { dir: this.inodeOf(dir.dentry), dentry };
    let error = 0;
    if (this.inodeOf(dentry) === 0) error = -ENOENT;
    else if (slash && !isFolder) error = this.typeOf(dentry) === S_IFDIR ? -EISDIR : -ENOTDIR;
    else error = isFolder ? this.changes.rmdir(name, who) : this.changes.unlink(name, who);
    this.dcache.put(dentry);
    return error;
  }

  /** @linux fs/namei.c:do_unlinkat full */
  unlink(path: string, who: Walker): number {
    return this.withParent(path, who, -EISDIR, (parent) => this.remove(parent, who, false));
  }

  /** @linux fs/namei.c:do_rmdir full */
  rmdir(path: string, who: Walker): number {
    const parent = this.parent(path, who);
    if (typeof parent === 'number') return parent;
    const special: { readonly [name: string]: number } = { '': -EBUSY, '.': -EINVAL, '..': -ENOTEMPTY };
    const result = special[parent.name] ?? this.remove(parent, who, true);
    this.mounts.put(parent.dir);
    return result;
  }

  /** @linux fs/namei.c:do_renameat2 partial: no exchange of two names */
  rename(from: string, to: string, who: Walker, flags = 0): number {
    if (flags & ~RENAME_NOREPLACE) return -EINVAL;
    const old = this.parent(from, who);
    if (typeof old === 'number') return old;
    const now = this.parent(to, who);
    if (typeof now === 'number') {
      this.mounts.put(old.dir);
      return now;
    }
    let error = 0;
    if (old.dir.mnt !== now.dir.mnt) error = -EXDEV;
    else if (isSpecial(old.name)) error = -EBUSY;
    else if (isSpecial(now.name)) error = flags & RENAME_NOREPLACE ? -EEXIST : -EBUSY;
    else if (this.mounts.isReadOnly(old.dir.mnt)) error = -EROFS;
    else error = this.renameIn(old, now, who, flags);
    this.mounts.put(old.dir);
    this.mounts.put(now.dir);
    return error;
  }

  private renameIn(old: Parent, now: Parent, who: Walker, flags: number): number {
    const source = this.lookupOne(old.dir.dentry, encodeUtf8(old.name));
    if (source < 0) return source;
    const target = this.lookupOne(now.dir.dentry, encodeUtf8(now.name), LOOKUP_CREATE);
    let error = target < 0 ? target : this.refuseRename(old, source, now, target, flags);
    if (error === 0) {
      const from = { dir: this.inodeOf(old.dir.dentry), dentry: source };
      error = this.changes.rename(from, { dir: this.inodeOf(now.dir.dentry), dentry: target }, flags, who);
    }
    if (target >= 0) this.dcache.put(target);
    this.dcache.put(source);
    return error;
  }

  private refuseRename(old: Parent, source: Handle, now: Parent, target: Handle, flags: number): number {
    if (this.inodeOf(source) === 0) return -ENOENT;
    if (this.inodeOf(target) !== 0 && flags & RENAME_NOREPLACE) return -EEXIST;
    if (this.typeOf(source) !== S_IFDIR && (old.slash || now.slash)) return -ENOTDIR;
    if (this.dcache.isAncestor(source, now.dir.dentry)) return -EINVAL;
    return this.dcache.isAncestor(target, old.dir.dentry) ? -ENOTEMPTY : 0;
  }
}
