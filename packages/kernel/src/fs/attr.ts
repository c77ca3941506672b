// SPDX-License-Identifier: MIT
/**
 * What a file is: its mode, owner, size and times, told and changed.
 *
 * @linux fs/attr.c, fs/stat.c, fs/open.c partial: no quotas, no capabilities but root's
 */

import { EACCES, EFBIG, EINVAL, EISDIR, ENOMEM, EPERM, EROFS } from '../lib/errno.js';
import { Timespec64 } from '../lib/timespec.js';
import type { Handle, Vaddr } from '../machine/layout.js';
import type { Ram } from '../machine/ram.js';
import { S_IALLUGO, S_IFDIR, S_IFMT, S_IFREG, S_ISGID, S_ISUID } from './file_modes.js';
import type { FsDeps } from './fs_context.js';
import { Inode } from './fs_types.js';
import type { Inodes, Moment } from './inode.js';
import { MAY_WRITE, type Namei, type Walker } from './namei.js';
import type { Mounts, Place } from './namespace.js';
import type { Supers } from './super.js';
import { Iattr, Kstat, Kstatfs, SuperBlock } from './vfs_types.js';

export const ATTR_MODE = 1;
export const ATTR_UID = 2;
export const ATTR_GID = 4;
export const ATTR_SIZE = 8;
export const ATTR_ATIME = 0x10;
export const ATTR_MTIME = 0x20;
export const ATTR_CTIME = 0x40;
export const ATTR_ATIME_SET = 0x80;
export const ATTR_MTIME_SET = 0x100;
const STATX_BASIC_STATS = 0x7ff;
const BLOCK = 512;

/** What stat() tells. */
export interface Stat {
  /** Type and permission bits. */
  readonly mode: number;
  readonly nlink: number;
  readonly ino: number;
  readonly dev: number;
  readonly rdev: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  /** Of 512 bytes. */
  readonly blocks: number;
  readonly blksize: number;
  readonly atime: Moment;
  readonly mtime: Moment;
  readonly ctime: Moment;
}

/** What statfs() tells; sizes in blocks of `bsize` bytes. */
export interface StatFs {
  readonly type: number;
  readonly bsize: number;
  readonly blocks: number;
  readonly bfree: number;
  readonly bavail: number;
  readonly files: number;
  readonly ffree: number;
}

/** What is to be changed. */
export interface Change {
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
  readonly size?: number;
  /** 'now', or a time. */
  readonly atime?: Moment | 'now';
  readonly mtime?: Moment | 'now';
}

export class Attributes {
  constructor(
    private readonly deps: FsDeps,
    private readonly inodes: Inodes,
    private readonly mounts: Mounts,
    private readonly namei: Namei,
    private readonly supers: Supers,
  ) {}

  // ---------------------------------------------------------------- telling

  /** @linux fs/stat.c:generic_fillattr full */
  fill(inode: Handle, stat: Handle): void {
    const { ram } = this.deps;
    const i = this.inodes.at(inode);
    const s = Kstat.at(ram, stat);
    s.result_mask = STATX_BASIC_STATS;
    s.mode = i.i_mode;
    s.nlink = i.i_nlink;
    s.ino = i.i_ino;
    s.dev = i.i_sb === 0 ? 0 : SuperBlock.at(ram, i.i_sb).s_dev;
    s.rdev = i.i_rdev;
    s.uid = i.i_uid;
    s.gid = i.i_gid;
    s.size = i.i_size;
    s.blksize = 2 ** i.i_blkbits;
    s.blocks = i.i_blocks;
    const times = [
      ['i_atime', 'atime'],
      ['i_mtime', 'mtime'],
      ['i_ctime', 'ctime'],
    ] as const;
    for (const [from, to] of times) copyTime(ram, stat + Kstat.w[to], inode + Inode.w[from]);
  }

  /** @linux fs/stat.c:vfs_getattr full */
  stat(place: Place): Stat | number {
    const { deps } = this;
    const address = deps.kmalloc(Kstat.size + 16);
    if (address === 0) return -ENOMEM;
    const stat = deps.ram.handleOf(address);
    deps.ram.fill(stat * 4, Kstat.size + 16, 0);
    const inode = this.namei.inodeOf(place.dentry);
    const own = this.inodes.operation(inode, 'getattr');
    let error = 0;
    if (own === 0) this.fill(inode, stat);
    else {
      const path = this.path(place, stat + Kstat.size / 4);
      error = deps.callC(own, 'i:pppuu', 0, path, address, STATX_BASIC_STATS, 0);
    }
    const told = error === 0 ? this.told(stat) : error;
    deps.kfree(address);
    return told;
  }

  /** Writes a `struct path`; its address. */
  private path(place: Place, at: Handle): Vaddr {
    const { ram } = this.deps;
    ram.setPtr(at, this.mounts.vfsmount(place.mnt));
    ram.setPtr(at + 2, place.dentry);
    return ram.addressOf(at);
  }

  private told(stat: Handle): Stat {
    const s = Kstat.at(this.deps.ram, stat);
    const moment = ({ tv_sec, tv_nsec }: { tv_sec: number; tv_nsec: number }) => ({
      sec: tv_sec,
      nsec: tv_nsec,
    });
    const { mode, nlink, ino, dev, rdev, uid, gid, size, blksize } = s;
    const blocks = s.blocks || Math.ceil(size / BLOCK / 8) * 8 * Number((mode & S_IFMT) === S_IFREG);
    const [atime, mtime, ctime] = [moment(s.atime), moment(s.mtime), moment(s.ctime)];
    return { mode, nlink, ino, dev, rdev, uid, gid, size, blocks, blksize, atime, mtime, ctime };
  }

  /** @linux fs/statfs.c:vfs_statfs full */
  statfs(place: Place): StatFs | number {
    const { deps } = this;
    const sb = this.mounts.at(place.mnt).mnt.mnt_sb;
    const own = this.supers.operation(sb, 'statfs');
    const address = deps.kmalloc(Kstatfs.size);
    if (address === 0) return -ENOMEM;
    const buf = deps.ram.handleOf(address);
    deps.ram.fill(buf * 4, Kstatfs.size, 0);
    const error = own === 0 ? 0 : deps.callC(own, 'i:pp', deps.ram.addressOf(place.dentry), address);
    const s = Kstatfs.at(deps.ram, buf);
    const { f_blocks: blocks, f_bfree: bfree, f_bavail: bavail, f_files: files, f_ffree: ffree } = s;
    const told = { type: s.f_type, bsize: s.f_bsize || 4096, blocks, bfree, bavail, files, ffree };
    deps.kfree(address);
    return error === 0 ? told : error;
  }

  // ---------------------------------------------------------------- changing

  /** May a task change it? @linux fs/attr.c:setattr_prepare full */
  private refuse(inode: Handle, change: Change, who: Walker): number {
    const { i_uid, i_gid } = this.inodes.at(inode);
    if (change.size !== undefined && change.size < 0) return -EINVAL;
    if (who.uid === 0) return 0;
    const owner = who.uid === i_uid;
    if (change.uid !== undefined && (!owner || change.uid !== i_uid)) return -EPERM;
    if (change.gid !== undefined && (!owner || (change.gid !== i_gid && change.gid !== who.gid)))
      return -EPERM;
    if (change.mode !== undefined && !owner) return -EPERM;
    const setsTime = [change.atime, change.mtime].some((time) => time !== undefined && time !== 'now');
    const touches = change.atime !== undefined || change.mtime !== undefined;
    if (setsTime && !owner) return -EPERM;
    return touches && !owner && this.namei.permission(inode, MAY_WRITE, who) !== 0 ? -EACCES : 0;
  }

  /** @linux fs/attr.c:notify_change full */
  change(place: Place, change: Change, who: Walker): number {
    const { deps } = this;
    const inode = this.namei.inodeOf(place.dentry);
    if (this.mounts.isReadOnly(place.mnt)) return -EROFS;
    const refused = this.refuse(inode, change, who);
    if (refused !== 0) return refused;
    const address = deps.kmalloc(Iattr.size);
    if (address === 0) return -ENOMEM;
    const attr = deps.ram.handleOf(address);
    deps.ram.fill(attr * 4, Iattr.size, 0);
    this.fillIattr(attr, inode, change);
    const own = this.inodes.operation(inode, 'setattr');
    const error =
      own === 0
        ? this.simple(inode, attr)
        : deps.callC(own, 'i:ppp', 0, deps.ram.addressOf(place.dentry), address);
    deps.kfree(address);
    return error;
  }

  private fillIattr(attr: Handle, inode: Handle, change: Change): void {
    const a = Iattr.at(this.deps.ram, attr);
    const { i_mode } = this.inodes.at(inode);
    const now = this.inodes.now();
    const time = (field: 'ia_atime' | 'ia_mtime' | 'ia_ctime', at: Moment) => {
      a[field].tv_sec = at.sec;
      a[field].tv_nsec = at.nsec;
    };
    let valid = ATTR_CTIME;
    time('ia_ctime', now);
    if (change.mode !== undefined) {
      valid |= ATTR_MODE;
      a.ia_mode = (i_mode & S_IFMT) | (change.mode & S_IALLUGO);
    }
    const owner = change.uid !== undefined || change.gid !== undefined;
    if (change.uid !== undefined) valid |= ATTR_UID;
    if (change.gid !== undefined) valid |= ATTR_GID;
    a.ia_uid = change.uid ?? 0;
    a.ia_gid = change.gid ?? 0;
    if (owner && (i_mode & S_IFMT) !== S_IFDIR && i_mode & (S_ISUID | S_ISGID)) {
      valid |= ATTR_MODE;
      a.ia_mode = i_mode & ~S_ISUID & (i_mode & 0o010 ? ~S_ISGID : ~0);
    }
    if (change.size !== undefined) {
      valid |= ATTR_SIZE | ATTR_MTIME;
      a.ia_size = change.size;
      time('ia_mtime', now);
    }
    for (const [given, field, bit, setBit] of [
      [change.atime, 'ia_atime', ATTR_ATIME, ATTR_ATIME_SET],
      [change.mtime, 'ia_mtime', ATTR_MTIME, ATTR_MTIME_SET],
    ] as const) {
      if (given === undefined) continue;
      valid |= bit | (given === 'now' ? 0 : setBit);
      time(field, given === 'now' ? now : given);
    }
    a.ia_valid = valid;
  }

  /** Changes an inode without asking its file system. @linux fs/attr.c:setattr_copy full */
  copy(inode: Handle, attr: Handle): void {
    const { ram } = this.deps;
    const a = Iattr.at(ram, attr);
    const i = this.inodes.at(inode);
    if (a.ia_valid & ATTR_UID) i.i_uid = a.ia_uid;
    if (a.ia_valid & ATTR_GID) i.i_gid = a.ia_gid;
    if (a.ia_valid & ATTR_MODE) i.i_mode = a.ia_mode;
    const times = [
      [ATTR_ATIME, 'i_atime', 'ia_atime'],
      [ATTR_MTIME, 'i_mtime', 'ia_mtime'],
      [ATTR_CTIME, 'i_ctime', 'ia_ctime'],
    ] as const;
    for (const [bit, to, from] of times)
      if (a.ia_valid & bit) copyTime(ram, inode + Inode.w[to], attr + Iattr.w[from]);
  }

  /** Of an inode whose file system says nothing. @linux fs/libfs.c:simple_setattr full */
  simple(inode: Handle, attr: Handle): number {
    const a = Iattr.at(this.deps.ram, attr);
    if (a.ia_valid & ATTR_SIZE) {
      const error = this.setSize(inode, a.ia_size);
      if (error !== 0) return error;
    }
    this.copy(inode, attr);
    return 0;
  }

  /** Shortens or lengthens the pages of a file. */
  truncatePages: (mapping: Handle, size: number) => void = () => {};

  /** @linux mm/truncate.c:truncate_setsize full */
  setSize(inode: Handle, size: number): number {
    const i = this.inodes.at(inode);
    const { s_maxbytes } = SuperBlock.at(this.deps.ram, i.i_sb);
    if (size > s_maxbytes) return -EFBIG;
    const old = i.i_size;
    i.i_size = size;
    if (size < old) this.truncatePages(i.i_mapping, size);
    return 0;
  }

  /** @linux fs/open.c:do_sys_truncate full */
  truncate(path: string, size: number, who: Walker): number {
    if (size < 0) return -EINVAL;
    const place = this.namei.lookup(path, who);
    if (typeof place === 'number') return place;
    const error = this.truncateAt(place, size, who);
    this.mounts.put(place);
    return error;
  }

  /** @linux fs/open.c:vfs_truncate full */
  truncateAt(place: Place, size: number, who: Walker): number {
    const type = this.namei.typeOf(place.dentry);
    if (type === S_IFDIR) return -EISDIR;
    if (type !== S_IFREG) return -EINVAL;
    const refused = this.namei.permission(this.namei.inodeOf(place.dentry), MAY_WRITE, who);
    return refused || this.change(place, { size }, who);
  }
}

/** Copies a struct timespec64. */
function copyTime({ u32 }: Ram, to: Handle, from: Handle): void {
  u32.copyWithin(to, from, from + Timespec64.size / 4);
}
