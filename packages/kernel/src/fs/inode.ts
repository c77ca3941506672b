// SPDX-License-Identifier: MIT
/**
 * Inodes: the files themselves, whatever names they have.
 *
 * An inode is in memory as long as somebody holds it: a dentry, or a file system that keeps it. With the last holder
 * its pages go, and it is freed.
 *
 * @linux fs/inode.c partial: no list of unused inodes, no write-back
 */

import { readS64 } from '../lib/guest_access.js';
import { initListHead, listAdd, listDel, listEntries } from '../lib/list.js';
import { RwSemaphore } from '../lib/lock_types.js';
import type { StaticData } from '../lib/static_data.js';
import { Timespec64 } from '../lib/timespec.js';
import type { Handle, Vaddr } from '../machine/layout.js';
import { GFP_KERNEL, GFP_USER } from '../mm/gfp.js';
import { S_IFBLK, S_IFCHR, S_IFDIR, S_IFIFO, S_IFMT, S_IFSOCK, S_ISGID } from './file_modes.js';
import type { FsDeps } from './fs_context.js';
import { AddressSpace, Inode } from './fs_types.js';
import { InodeOperations, SuperBlock, SuperOperations } from './vfs_types.js';

const INODES_PER_SB = Inode.w.i_sb_list;
/** The inode is about to be freed. */
export const I_FREEING = 0x20;

export type InodeOperation = keyof typeof InodeOperations.o;
export type InodeTime = 'i_atime' | 'i_mtime' | 'i_ctime';

/** A point in time, since 1970. */
export interface Moment {
  readonly sec: number;
  /** 0 to 10^9 - 1. */
  readonly nsec: number;
}

export class Inodes {
  private readonly cache: Handle;
  private readonly lastIno: Handle;

  constructor(
    private readonly deps: FsDeps,
    data: StaticData,
    readonly now: () => Moment,
    /** Drops all pages of a mapping. */
    private readonly truncateFinal: (mapping: Handle) => void,
  ) {
    this.cache = data.declare('inode_cachep', 8);
    this.lastIno = data.declare('last_ino', 4);
  }

  boot(): void {
    const { ram, slub } = this.deps;
    ram.setPtr(this.cache, slub.kmemCacheCreate('inode_cache', Inode.size, 8, 0, 0));
  }

  at(inode: Handle) {
    return Inode.at(this.deps.ram, inode);
  }

  /** Address of a function of an inode; 0 if it has none. */
  operation(inode: Handle, name: InodeOperation): Vaddr {
    const { i_op } = this.at(inode);
    return i_op === 0 ? 0 : readS64(this.deps, i_op + InodeOperations.o[name]);
  }

  private superOperation(inode: Handle, name: keyof typeof SuperOperations.o): Vaddr {
    const { i_sb } = this.at(inode);
    const s_op = i_sb === 0 ? 0 : SuperBlock.at(this.deps.ram, i_sb).s_op;
    return s_op === 0 ? 0 : readS64(this.deps, s_op + SuperOperations.o[name]);
  }

  // ---------------------------------------------------------------- making

  /** @linux fs/inode.c:get_next_ino full */
  nextIno(): number {
    const { ram } = this.deps;
    ram.u32[this.lastIno] = ram.u32[this.lastIno] + 1 || 1;
    return ram.u32[this.lastIno];
  }

  /**
   * A fresh inode of a file system, held once.
   * @returns 0 if there is no memory
   * @linux fs/inode.c:new_inode full
   */
  create(sb: Handle): Handle {
    const { ram, callC } = this.deps;
    const { s_op } = SuperBlock.at(ram, sb);
    const alloc = s_op === 0 ? 0 : readS64(this.deps, s_op + SuperOperations.o.alloc_inode);
    const address =
      alloc === 0
        ? this.deps.slub.kmemCacheAlloc(ram.ptr(this.cache), GFP_KERNEL)
        : callC(alloc, 'p:p', ram.addressOf(sb));
    if (address === 0) return 0;
    const inode = ram.handleOf(address);
    this.init(inode, sb);
    return inode;
  }

  /** @linux fs/inode.c:inode_init_always full */
  private init(inode: Handle, sb: Handle): void {
    const { ram } = this.deps;
    ram.fill(inode * 4, Inode.size, 0);
    const i = this.at(inode);
    i.i_sb = sb;
    i.i_blkbits = SuperBlock.at(ram, sb).s_blocksize_bits;
    i.i_nlink = 1;
    i.i_count = 1;
    i.i_mapping = inode + Inode.w.i_data;
    i.i_data.host = inode;
    i.i_data.gfp_mask = GFP_USER;
    for (const list of ['i_lru', 'i_devices'] as const) initListHead(ram, inode + Inode.w[list]);
    initListHead(ram, inode + Inode.w.i_data + AddressSpace.w.private_list);
    initListHead(ram, i.i_rwsem.h + RwSemaphore.w.wait_list);
    initListHead(ram, i.i_data.i_mmap_rwsem.h + RwSemaphore.w.wait_list);
    listAdd(ram, inode + INODES_PER_SB, sb + SuperBlock.w.s_inodes);
  }

  /** Gives an inode its owner and mode, as its folder has it. @linux fs/inode.c:inode_init_owner full */
  initOwner(inode: Handle, dir: Handle, mode: number, who: { uid: number; gid: number }): void {
    const i = this.at(inode);
    i.i_uid = who.uid;
    i.i_gid = who.gid;
    i.i_mode = mode;
    if (dir === 0) return;
    const d = this.at(dir);
    if (!(d.i_mode & S_ISGID)) return;
    i.i_gid = d.i_gid;
    if ((mode & S_IFMT) === S_IFDIR) i.i_mode = mode | S_ISGID;
  }

  /** Makes an inode one of a device, a FIFO or a socket. @linux fs/inode.c:init_special_inode full */
  initSpecial(inode: Handle, mode: number, rdev: number): void {
    const i = this.at(inode);
    const type = mode & S_IFMT;
    i.i_mode = mode;
    if (type === S_IFCHR || type === S_IFBLK) i.i_rdev = rdev;
    if (type === S_IFCHR) i.i_fop = this.deps.symbol('def_chr_fops');
    else if (type !== S_IFIFO && type !== S_IFSOCK && type !== S_IFBLK)
      this.deps.env.log.log(7, `init_special_inode: bogus i_mode (${mode.toString(8)}) for inode ${i.i_ino}`);
  }

  /** The inode of a number in a file system, held; 0 if it is not in memory. @linux fs/inode.c:ilookup partial: not hashed */
  find(sb: Handle, ino: number): Handle {
    const { ram } = this.deps;
    for (const link of listEntries(ram, sb + SuperBlock.w.s_inodes)) {
      const inode = link - INODES_PER_SB;
      if (this.at(inode).i_ino === ino && !(this.at(inode).i_state & I_FREEING)) return this.get(inode);
    }
    return 0;
  }

  // ---------------------------------------------------------------- times

  setTime(inode: Handle, field: InodeTime, { sec, nsec }: Moment): void {
    const t = Timespec64.at(this.deps.ram, inode + Inode.w[field]);
    t.tv_sec = sec;
    t.tv_nsec = nsec;
  }

  time(inode: Handle, field: InodeTime): Moment {
    const { tv_sec, tv_nsec } = Timespec64.at(this.deps.ram, inode + Inode.w[field]);
    return { sec: tv_sec, nsec: tv_nsec };
  }

  /** Sets times to now. */
  touch(inode: Handle, ...fields: InodeTime[]): void {
    for (const field of fields) this.setTime(inode, field, this.now());
  }

  // ---------------------------------------------------------------- holding

  /** @linux fs/inode.c:ihold full */
  get(inode: Handle): Handle {
    this.at(inode).i_count++;
    return inode;
  }

  /** Gives an inode back. @linux fs/inode.c:iput partial: none is kept when nobody holds it */
  put(inode: Handle): void {
    if (inode === 0) return;
    const i = this.at(inode);
    if (--i.i_count > 0) return;
    i.i_state |= I_FREEING;
    this.evict(inode);
  }

  /** @linux fs/inode.c:evict full */
  private evict(inode: Handle): void {
    const { ram, slub, callC } = this.deps;
    const address = ram.addressOf(inode);
    const evict = this.superOperation(inode, 'evict_inode');
    if (evict !== 0) callC(evict, 'v:p', address);
    this.truncateFinal(inode + Inode.w.i_data);
    listDel(ram, inode + INODES_PER_SB);
    const destroy = this.superOperation(inode, 'destroy_inode') || this.superOperation(inode, 'free_inode');
    if (destroy !== 0) callC(destroy, 'v:p', address);
    else slub.kmemCacheFree(ram.ptr(this.cache), address);
  }
}
