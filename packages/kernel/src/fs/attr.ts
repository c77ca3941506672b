// SPDX-License-Identifier: MIT
/**
 * What a file is: its mode, owner, size and times, told and changed.
 *
 * @linux fs/attr.c, fs/stat.c, fs/open.c partial: no quotas, no capabilities but root's
 */

import { EACCES, EFBIG, EINVAL, EISDIR, ENOMEM, ENOSYS, EPERM, EROFS, ETXTBSY } from '../lib/errno.js';
import { Timespec64 } from '../lib/timespec.js';
import type { Handle, Vaddr } from '../machine/layout.js';
import type { Ram } from '../machine/ram.js';
import { S_IALLUGO, S_IFDIR, S_IFLNK, S_IFMT, S_IFREG, S_ISGID, S_ISUID } from './file_modes.js';
import type { FsDeps } from './fs_context.js';
import { Inode, Path } from './fs_types.js';
import type { Inodes, Moment } from './inode.js';
import { MAY_WRITE, type Namei, type Walker } from './namei.js';
import type { Mounts, Place } from './namespace.js';
import { SB_RDONLY, type Supers } from './super.js';
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
export const ATTR_FORCE = 0x200;
export const ATTR_TIMES_SET = 0x10000;
export const ATTR_TOUCH = 0x20000;
/** Of inode.i_flags, super_block.s_flags and vfsmount.mnt_flags. */
const S_NOATIME = 2;
const S_APPEND = 4;
const S_IMMUTABLE = 8;
const S_SWAPFILE = 0x100;
const SB_NOATIME = 0x400;
const MNT_NOATIME = 8;
const MNT_NODIRATIME = 0x10;
const MNT_RELATIME = 0x20;
const MNT_READONLY = 0x40;
const DAY = 24 * 3600;
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

  /** Has the file system fill a struct kstat. @linux fs/stat.c:vfs_getattr full */
  getattr(place: Place, stat: Handle, mask: number, flags: number): number {
    const { deps } = this;
    const inode = this.namei.inodeOf(place.dentry);
    const own = this.inodes.operation(inode, 'getattr');
    if (own === 0) {
      this.fill(inode, stat);
      return 0;
    }
    const at = deps.kmalloc(Path.size);
    if (at === 0) return -ENOMEM;
    this.mounts.writePath(at, place);
    const error = deps.callC(
      own,
      'i:pppuu',
      deps.symbol('init_user_ns'),
      at,
      deps.ram.addressOf(stat),
      mask,
      flags,
    );
    deps.kfree(at);
    return error;
  }

  stat(place: Place): Stat | number {
    const { deps } = this;
    const address = deps.kmalloc(Kstat.size);
    if (address === 0) return -ENOMEM;
    const stat = deps.ram.handleOf(address);
    deps.ram.fill(stat * 4, Kstat.size, 0);
    const error = this.getattr(place, stat, STATX_BASIC_STATS, 0);
    const told = error === 0 ? this.told(stat) : error;
    deps.kfree(address);
    return told;
  }

  /** Address of a link's text that lies in memory; 0 if the file system must be asked. */
  linkOf(inode: Handle): Vaddr {
    const { i_mode, i_link } = this.inodes.at(inode);
    return (i_mode & S_IFMT) === S_IFLNK ? i_link : 0;
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

  /** Has a file system tell its size. @linux fs/statfs.c:statfs_by_dentry full */
  fillStatfs(dentry: Handle, buf: Handle): number {
    const { deps } = this;
    const sb = this.supers.at(this.namei.superBlockOf(dentry)).h;
    const own = this.supers.operation(sb, 'statfs');
    if (own === 0) return -ENOSYS;
    deps.ram.fill(buf * 4, Kstatfs.size, 0);
    const error = deps.callC(own, 'i:pp', deps.ram.addressOf(dentry), deps.ram.addressOf(buf));
    const s = Kstatfs.at(deps.ram, buf);
    if (error === 0 && s.f_frsize === 0) s.f_frsize = s.f_bsize;
    return error;
  }

  /** @linux fs/statfs.c:vfs_statfs full */
  statfs(place: Place): StatFs | number {
    const { deps } = this;
    const address = deps.kmalloc(Kstatfs.size);
    if (address === 0) return -ENOMEM;
    const buf = deps.ram.handleOf(address);
    const error = this.fillStatfs(place.dentry, buf);
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
    const error = this.apply(place.dentry, inode, attr);
    deps.kfree(address);
    return error;
  }

  /** Has the file system change an inode. */
  private apply(dentry: Handle, inode: Handle, attr: Handle): number {
    const { ram, callC, symbol } = this.deps;
    const own = this.inodes.operation(inode, 'setattr');
    if (own === 0) return this.simple(inode, attr);
    return callC(own, 'i:ppp', symbol('init_user_ns'), ram.addressOf(dentry), ram.addressOf(attr));
  }

  /**
   * Changes what C asks for, with the times that it leaves to the kernel.
   * @linux fs/attr.c:notify_change partial: no delegations; set-user-ID bits go with chown() only
   */
  notifyChange(dentry: Handle, attr: Handle, who: Walker): number {
    const inode = this.namei.inodeOf(dentry);
    const a = Iattr.at(this.deps.ram, attr);
    const { i_flags } = this.inodes.at(inode);
    const owned = ATTR_MODE | ATTR_UID | ATTR_GID | ATTR_TIMES_SET;
    if (a.ia_valid & owned && i_flags & (S_IMMUTABLE | S_APPEND)) return -EPERM;
    if (a.ia_valid & ATTR_TOUCH) {
      if (i_flags & S_IMMUTABLE) return -EPERM;
      if (!this.mayOwn(inode, who) && this.namei.permission(inode, MAY_WRITE, who) !== 0) return -EACCES;
    }
    const now = this.inodes.currentTime(inode);
    for (const [field, set] of [
      ['ia_ctime', 0],
      ['ia_atime', ATTR_ATIME_SET],
      ['ia_mtime', ATTR_MTIME_SET],
    ] as const) {
      const given = set !== 0 && a.ia_valid & set;
      const time = given
        ? this.inodes.truncate(inode, { sec: a[field].tv_sec, nsec: a[field].tv_nsec })
        : now;
      a[field].tv_sec = time.sec;
      a[field].tv_nsec = time.nsec;
    }
    return this.apply(dentry, inode, attr);
  }

  /** @linux fs/inode.c:inode_owner_or_capable full */
  mayOwn(inode: Handle, who: { readonly uid: number }): boolean {
    return who.uid === 0 || who.uid === this.inodes.at(inode).i_uid;
  }

  /** May a size be given to a file? @linux fs/attr.c:inode_newsize_ok partial: no limits of the task */
  sizeError(inode: Handle, size: number): number {
    const { i_size, i_sb, i_flags } = this.inodes.at(inode);
    if (i_size < size) return size > this.supers.at(i_sb).s_maxbytes ? -EFBIG : 0;
    return i_flags & S_SWAPFILE ? -ETXTBSY : 0;
  }

  /** May a task make a change? @linux fs/attr.c:setattr_prepare full */
  prepare(inode: Handle, attr: Handle, who: Walker): number {
    const { i_uid, i_gid } = this.inodes.at(inode);
    const a = Iattr.at(this.deps.ram, attr);
    const valid = a.ia_valid;
    const tooBig = valid & ATTR_SIZE ? this.sizeError(inode, a.ia_size) : 0;
    if (tooBig !== 0) return tooBig;
    if (valid & ATTR_FORCE || who.uid === 0) return 0;
    const owner = who.uid === i_uid;
    if (valid & ATTR_UID && !(owner && a.ia_uid === i_uid)) return -EPERM;
    if (valid & ATTR_GID && !(owner && (a.ia_gid === i_gid || a.ia_gid === who.gid))) return -EPERM;
    if (valid & ATTR_MODE) {
      if (!owner) return -EPERM;
      const group = valid & ATTR_GID ? a.ia_gid : i_gid;
      if (group !== who.gid) a.ia_mode &= ~S_ISGID;
    }
    return valid & (ATTR_ATIME_SET | ATTR_MTIME_SET | ATTR_TIMES_SET) && !owner ? -EPERM : 0;
  }

  // ---------------------------------------------------------------- times

  /** A file has been read: its access time, as "relatime" has it. @linux fs/inode.c:touch_atime full */
  touchAtime({ mnt, dentry }: Place): void {
    const { inodes } = this;
    const inode = this.namei.inodeOf(dentry);
    const i = inodes.at(inode);
    const isFolder = (i.i_mode & S_IFMT) === S_IFDIR;
    const flags = mnt === 0 ? 0 : this.mounts.at(mnt).mnt.mnt_flags;
    if (i.i_flags & S_NOATIME || (i.i_sb !== 0 && this.supers.at(i.i_sb).s_flags & (SB_RDONLY | SB_NOATIME)))
      return;
    if (flags & (MNT_NOATIME | MNT_READONLY) || (isFolder && flags & MNT_NODIRATIME)) return;
    if (flags & MNT_RELATIME && !this.isOld(inode)) return;
    inodes.touch(inode, 'i_atime');
  }

  /** Whether an access time tells too little. @linux fs/inode.c:relatime_need_update full */
  private isOld(inode: Handle): boolean {
    const { inodes } = this;
    const [atime, mtime, ctime] = (['i_atime', 'i_mtime', 'i_ctime'] as const).map((t) =>
      inodes.time(inode, t),
    );
    const before = (a: Moment, b: Moment) => a.sec < b.sec || (a.sec === b.sec && a.nsec <= b.nsec);
    return before(atime, mtime) || before(atime, ctime) || inodes.now().sec - atime.sec >= DAY;
  }

  // ---------------------------------------------------------------- what is asked

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
