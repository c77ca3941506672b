// SPDX-License-Identifier: MIT
/**
 * Inodes: the files themselves, whatever names they have.
 *
 * An inode is in memory as long as somebody holds it: a dentry, or a file system that keeps it. With the last holder
 * its pages go, and it is freed; but one that can be found by its number (`i_hash`), and has names, stays until its
 * file system goes.
 *
 * @linux fs/inode.c partial: unused inodes are not reclaimed, no write-back
 */

import { readS64 } from '../lib/guest_access.js';
import {
  hlistAddHead,
  hlistDelInit,
  hlistFirst,
  hlistNext,
  hlistUnhashed,
  initListHead,
  listAdd,
  listDel,
  listEntries,
} from '../lib/list.js';
import { RwSemaphore } from '../lib/lock_types.js';
import type { StaticData } from '../lib/static_data.js';
import { Timespec64 } from '../lib/timespec.js';
import type { Handle, Vaddr } from '../machine/layout.js';
import { GFP_KERNEL, GFP_USER } from '../mm/gfp.js';
import { corrupt, followed, objectAt } from './c_pointers.js';
import { S_IFBLK, S_IFCHR, S_IFDIR, S_IFIFO, S_IFMT, S_IFSOCK, S_ISGID } from './file_modes.js';
import type { FsDeps } from './fs_context.js';
import { AddressSpace, Inode } from './fs_types.js';
import { InodeOperations, SuperBlock, SuperOperations } from './vfs_types.js';

const INODES_PER_SB = Inode.w.i_sb_list;
/** Of super_block.s_flags: the file system is mounted. */
const SB_ACTIVE = 2 ** 30;
const HASH = Inode.w.i_hash;
const BUCKETS = 256;
const MAX_CHAIN = 2 ** 20;
/** Bits of i_state. */
export const I_NEW = 8;
export const I_WILL_FREE = 0x10;
export const I_FREEING = 0x20;
export const I_CLEAR = 0x40;

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
  private readonly table: Handle;

  constructor(
    private readonly deps: FsDeps,
    data: StaticData,
    readonly now: () => Moment,
    /** Drops all pages of a mapping. */
    private readonly truncateFinal: (mapping: Handle) => void,
  ) {
    this.cache = data.declare('inode_cachep', 8);
    this.lastIno = data.declare('last_ino', 4);
    this.table = data.declare('inode_hashtable', BUCKETS * 8);
  }

  boot(): void {
    const { ram, slub } = this.deps;
    ram.setPtr(this.cache, slub.kmemCacheCreate('inode_cache', Inode.size, 8, 0, 0));
  }

  /** A view of an inode; a pointer that leads nowhere is a fault. */
  at(inode: Handle) {
    return Inode.at(this.deps.ram, followed(this.deps, inode, Inode.size));
  }

  private superBlock(sb: Handle) {
    return SuperBlock.at(this.deps.ram, followed(this.deps, sb, SuperBlock.size));
  }

  /** Address of a function of an inode; 0 if it has none. */
  operation(inode: Handle, name: InodeOperation): Vaddr {
    const { i_op } = this.at(inode);
    return i_op === 0 ? 0 : readS64(this.deps, i_op + InodeOperations.o[name]);
  }

  /** Address of a function of the super block of an inode; 0 if it has none. */
  superOperation(inode: Handle, name: keyof typeof SuperOperations.o): Vaddr {
    const { i_sb } = this.at(inode);
    const s_op = i_sb === 0 ? 0 : this.superBlock(i_sb).s_op;
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
    const { s_op } = this.superBlock(sb);
    const alloc = s_op === 0 ? 0 : readS64(this.deps, s_op + SuperOperations.o.alloc_inode);
    const address =
      alloc === 0
        ? this.deps.slub.kmemCacheAlloc(ram.ptr(this.cache), GFP_KERNEL)
        : callC(alloc, 'p:p', ram.addressOf(sb));
    if (address === 0) return 0;
    const inode = objectAt(this.deps, address, Inode.size);
    this.init(inode, sb);
    return inode;
  }

  /** @linux fs/inode.c:inode_init_always full */
  private init(inode: Handle, sb: Handle): void {
    const { ram } = this.deps;
    this.initOnce(inode);
    const i = this.at(inode);
    i.i_sb = sb;
    i.i_blkbits = SuperBlock.at(ram, sb).s_blocksize_bits;
    i.i_nlink = 1;
    i.i_count = 1;
    i.i_mapping = inode + Inode.w.i_data;
    i.i_data.host = inode;
    i.i_data.gfp_mask = GFP_USER;
    listAdd(ram, inode + INODES_PER_SB, sb + SuperBlock.w.s_inodes);
  }

  /** What holds for every inode, fresh or used before. @linux fs/inode.c:inode_init_once full */
  initOnce(inode: Handle): void {
    const { ram } = this.deps;
    ram.fill(inode * 4, Inode.size, 0);
    const i = this.at(inode);
    for (const list of ['i_lru', 'i_devices', 'i_sb_list'] as const) initListHead(ram, inode + Inode.w[list]);
    initListHead(ram, inode + Inode.w.i_data + AddressSpace.w.private_list);
    initListHead(ram, i.i_rwsem.h + RwSemaphore.w.wait_list);
    initListHead(ram, i.i_data.i_mmap_rwsem.h + RwSemaphore.w.wait_list);
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

  // ---------------------------------------------------------------- finding

  private bucket(sb: Handle, hashval: number): Handle {
    const hash = Math.imul(sb, 0x9e3779b1) ^ (hashval % 2 ** 31);
    return this.table + 2 * ((hash ^ (hash >>> 8)) & (BUCKETS - 1));
  }

  isHashed(inode: Handle): boolean {
    return !hlistUnhashed(this.deps.ram, inode + HASH);
  }

  /** Lets an inode be found. @linux fs/inode.c:__insert_inode_hash full */
  hash(inode: Handle, hashval: number): void {
    if (this.isHashed(inode)) this.unhash(inode);
    hlistAddHead(this.deps.ram, inode + HASH, this.bucket(this.at(inode).i_sb, hashval));
  }

  /** @linux fs/inode.c:__remove_inode_hash full */
  unhash(inode: Handle): void {
    if (this.isHashed(inode)) hlistDelInit(this.deps.ram, inode + HASH);
  }

  /** The inode of a number in a file system, held; 0 if it is not in memory. @linux fs/inode.c:ilookup full */
  find(sb: Handle, ino: number): Handle {
    return this.findBy(sb, ino, (inode) => this.at(inode).i_ino === ino);
  }

  /** @linux fs/inode.c:ilookup5 full */
  findBy(sb: Handle, hashval: number, test: (inode: Handle) => boolean): Handle {
    const { ram } = this.deps;
    let left = MAX_CHAIN;
    for (let link = hlistFirst(ram, this.bucket(sb, hashval)); link !== 0; link = hlistNext(ram, link)) {
      if (--left === 0) throw corrupt('a bucket of the inode hash table has no end');
      const inode = link - HASH;
      const { i_sb, i_state } = this.at(inode);
      if (i_sb === sb && !(i_state & (I_FREEING | I_WILL_FREE)) && test(inode)) return this.get(inode);
    }
    return 0;
  }

  /**
   * The inode of a number, held: one that is in memory, or a fresh one with I_NEW, which the file system fills.
   * @returns 0 if there is no memory
   * @linux fs/inode.c:iget_locked full
   */
  getLocked(sb: Handle, ino: number): Handle {
    const found = this.find(sb, ino);
    if (found !== 0) return found;
    const inode = this.create(sb);
    if (inode === 0) return 0;
    const i = this.at(inode);
    i.i_ino = ino;
    i.i_state = I_NEW;
    this.hash(inode, ino);
    return inode;
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

  /** The time as an inode's file system can keep it. @linux fs/inode.c:current_time full */
  currentTime(inode: Handle): Moment {
    return this.truncate(inode, this.now());
  }

  /** @linux fs/inode.c:timestamp_truncate partial: no first and last time */
  truncate(inode: Handle, { sec, nsec }: Moment): Moment {
    const { i_sb } = this.at(inode);
    const gran = i_sb === 0 ? 1 : this.superBlock(i_sb).s_time_gran;
    return { sec, nsec: gran <= 1 ? nsec : gran >= 1e9 ? 0 : nsec - (nsec % gran) };
  }

  /** Sets times to now. */
  touch(inode: Handle, ...fields: InodeTime[]): void {
    for (const field of fields) this.setTime(inode, field, this.currentTime(inode));
  }

  // ---------------------------------------------------------------- holding

  /** @linux fs/inode.c:ihold full */
  get(inode: Handle): Handle {
    this.at(inode).i_count++;
    return inode;
  }

  /** Gives an inode back. @linux fs/inode.c:iput full */
  put(inode: Handle): void {
    if (inode === 0) return;
    const i = this.at(inode);
    if (i.i_state & I_CLEAR) this.deps.env.reports.bug('fs/inode.c', 1763, 'iput');
    if (i.i_count <= 0) throw corrupt(`inode ${i.i_ino} is given back once too often`);
    if (--i.i_count === 0) this.putFinal(inode);
  }

  /** @linux fs/inode.c:iput_final full */
  private putFinal(inode: Handle): void {
    const { ram, callC } = this.deps;
    const { i_sb, i_nlink } = this.at(inode);
    const own = this.superOperation(inode, 'drop_inode');
    const drop =
      own === 0 ? i_nlink === 0 || !this.isHashed(inode) : callC(own, 'i:p', ram.addressOf(inode)) !== 0;
    const active = i_sb !== 0 && (this.superBlock(i_sb).s_flags & SB_ACTIVE) !== 0;
    if (drop || !active) this.evict(inode);
  }

  /** Frees the inodes of a file system that nobody holds. @linux fs/inode.c:evict_inodes full */
  evictUnused(sb: Handle): void {
    for (const inode of this.of(sb)) if (this.at(inode).i_count === 0) this.evict(inode);
  }

  /** Inodes of a file system that are in memory. */
  of(sb: Handle): Handle[] {
    const links = listEntries(this.deps.ram, sb + SuperBlock.w.s_inodes);
    return [...links].map((link) => link - INODES_PER_SB);
  }

  /** Ends an inode: its pages are gone, nobody may use it. @linux fs/inode.c:clear_inode full */
  clear(inode: Handle): void {
    const i = this.at(inode);
    const { reports } = this.deps.env;
    if (i.i_data.nrpages !== 0) reports.bug('fs/inode.c', 611, 'clear_inode');
    if (!(i.i_state & I_FREEING)) reports.bug('fs/inode.c', 614, 'clear_inode');
    i.i_state = I_FREEING | I_CLEAR;
  }

  /** Drops the pages of an inode that goes, and ends it. */
  finish(inode: Handle): void {
    this.truncateFinal(inode + Inode.w.i_data);
    this.clear(inode);
  }

  /** @linux fs/inode.c:evict full */
  private evict(inode: Handle): void {
    const { ram, callC, env } = this.deps;
    const i = this.at(inode);
    i.i_state |= I_FREEING;
    listDel(ram, inode + INODES_PER_SB);
    initListHead(ram, inode + INODES_PER_SB);
    const own = this.superOperation(inode, 'evict_inode');
    if (own !== 0) callC(own, 'v:p', ram.addressOf(inode));
    else this.finish(inode);
    this.unhash(inode);
    if (i.i_state !== (I_FREEING | I_CLEAR)) env.reports.bug('fs/inode.c', 671, 'evict');
    this.destroy(inode);
  }

  /** @linux fs/inode.c:destroy_inode partial: readers under RCU are not waited for */
  private destroy(inode: Handle): void {
    const { ram, slub, callC } = this.deps;
    const address = ram.addressOf(inode);
    const destroy = this.superOperation(inode, 'destroy_inode');
    const free = this.superOperation(inode, 'free_inode');
    if (destroy !== 0) callC(destroy, 'v:p', address);
    if (free !== 0) callC(free, 'v:p', address);
    else if (destroy === 0) slub.kmemCacheFree(ram.ptr(this.cache), address);
  }
}
