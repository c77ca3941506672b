// SPDX-License-Identifier: MIT
/**
 * Dentries: the names of the tree, each with its parent and, if there is something of that name, its inode.
 *
 *     d_parent ─ up to the root of the file system, which is its own parent
 *     d_hash   ─ in a bucket of `dentry_hashtable`, found by parent and name; one that is in none is not found any more
 *     d_child  ─ in its parent's d_subdirs, newest first
 *
 * A dentry holds its parent and its inode. When nobody holds a dentry it is freed at once: file systems whose files
 * exist nowhere else (ramfs) hold theirs themselves.
 *
 * @linux fs/dcache.c partial: no list of unused dentries, no aliases
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
import type { StaticData } from '../lib/static_data.js';
import { decodeUtf8, encodeUtf8, endedByNul } from '../lib/utf8.js';
import type { Handle, Vaddr } from '../machine/layout.js';
import { GFP_KERNEL } from '../mm/gfp.js';
import { corrupt, followed, MAX_DEPTH } from './c_pointers.js';
import type { FsDeps } from './fs_context.js';
import { Dentry, DNAME_INLINE_LEN, Inode, Qstr } from './fs_types.js';
import { DentryOperations, SuperBlock } from './vfs_types.js';

/** Buckets of the table of dentries; a power of two. */
const BUCKETS = 512;
/** Bytes of a name. */
export const NAME_MAX = 255;
/** Dentries that can be in one bucket. */
const MAX_CHAIN = 2 ** 20;
/** Link among the names of an inode. */
const ALIAS = Dentry.w.d_u;
/** A mount hangs on the dentry. */
export const DCACHE_MOUNTED = 0x10000;

export class Dcache {
  private readonly cache: Handle;
  private readonly table: Handle;

  constructor(
    private readonly deps: FsDeps,
    data: StaticData,
    /** Gives an inode back. */
    private readonly iput: (inode: Handle) => void,
  ) {
    this.cache = data.declare('dentry_cache', 8);
    this.table = data.declare('dentry_hashtable', BUCKETS * 8);
  }

  boot(): void {
    const { ram, slub } = this.deps;
    ram.setPtr(this.cache, slub.kmemCacheCreate('dentry', Dentry.size, 8, 0, 0));
  }

  /** A view of a dentry; a pointer that leads nowhere is a fault. */
  at(dentry: Handle) {
    return Dentry.at(this.deps.ram, followed(this.deps, dentry, Dentry.size));
  }

  // ---------------------------------------------------------------- names

  nameBytes(dentry: Handle): Uint8Array {
    const { len, name } = Qstr.at(this.deps.ram, dentry + Dentry.w.d_name);
    return this.deps.guest.read(name, Math.min(len, NAME_MAX));
  }

  /** Whether a dentry has a name, whose length it has. */
  private isNamed(dentry: Handle, name: Uint8Array): boolean {
    const own = this.nameBytes(dentry);
    for (let i = 0; i < own.length; i++) if (own[i] !== name[i]) return false;
    return true;
  }

  nameOf(dentry: Handle): string {
    return decodeUtf8(this.nameBytes(dentry));
  }

  private setName(dentry: Handle, bytes: Uint8Array): boolean {
    const { deps } = this;
    const d = this.at(dentry);
    const long = bytes.length >= DNAME_INLINE_LEN;
    const at = long ? deps.kmalloc(bytes.length + 1) : deps.ram.addressOf(dentry + Dentry.w.d_iname);
    if (at === 0) return false;
    deps.guest.write(at, endedByNul(bytes));
    d.d_name.hash = nameHash(bytes);
    d.d_name.len = bytes.length;
    d.d_name.name = at;
    return true;
  }

  private freeName(dentry: Handle): void {
    const { name } = this.at(dentry).d_name;
    if (name !== this.deps.ram.addressOf(dentry + Dentry.w.d_iname)) this.deps.kfree(name);
  }

  // ---------------------------------------------------------------- making

  /**
   * A dentry of a name, held once, without an inode and not to be found yet.
   * @param parent 0 for the root of a file system, whose super block is `sb`
   * @returns 0 if there is no memory
   * @linux fs/dcache.c:d_alloc full
   */
  alloc(parent: Handle, name: Uint8Array, sb = this.at(parent).d_sb): Handle {
    const { ram, slub } = this.deps;
    const address = slub.kmemCacheAlloc(ram.ptr(this.cache), GFP_KERNEL);
    if (address === 0) return 0;
    const dentry = ram.handleOf(address);
    ram.fill(dentry * 4, Dentry.size, 0);
    if (!this.setName(dentry, name)) {
      slub.kmemCacheFree(ram.ptr(this.cache), address);
      return 0;
    }
    const d = this.at(dentry);
    d.d_count = 1;
    d.d_sb = sb;
    d.d_op = sb === 0 ? 0 : SuperBlock.at(ram, sb).s_d_op;
    d.d_parent = parent === 0 ? dentry : this.get(parent);
    for (const list of ['d_lru', 'd_child', 'd_subdirs'] as const) initListHead(ram, dentry + Dentry.w[list]);
    if (parent !== 0) listAdd(ram, dentry + Dentry.w.d_child, parent + Dentry.w.d_subdirs);
    const init = this.operation(dentry, 'd_init');
    if (init === 0 || this.deps.callC(init, 'i:p', ram.addressOf(dentry)) === 0) return dentry;
    this.put(dentry);
    return 0;
  }

  /**
   * The root of a file system; takes the inode, also if there is no memory.
   * @linux fs/dcache.c:d_make_root full
   */
  makeRoot(inode: Handle): Handle {
    if (inode === 0) return 0;
    const dentry = this.alloc(0, encodeUtf8('/'), Inode.at(this.deps.ram, inode).i_sb);
    if (dentry === 0) this.iput(inode);
    else this.setInode(dentry, inode);
    return dentry;
  }

  /** Links a dentry among the names of its inode. @linux fs/dcache.c:__d_set_inode_and_type full */
  private setInode(dentry: Handle, inode: Handle): void {
    const { ram } = this.deps;
    this.at(dentry).d_inode = inode;
    if (inode === 0) return;
    if (!hlistUnhashed(ram, dentry + ALIAS)) hlistDelInit(ram, dentry + ALIAS);
    hlistAddHead(ram, dentry + ALIAS, followed(this.deps, inode, Inode.size) + Inode.w.i_dentry);
  }

  /** Says what a dentry's name stands for; takes the inode. @linux fs/dcache.c:d_instantiate full */
  instantiate(dentry: Handle, inode: Handle): void {
    if (this.at(dentry).d_inode !== 0) this.deps.env.reports.bug('fs/dcache.c', 2003, 'd_instantiate');
    this.setInode(dentry, inode);
  }

  /** Says what a name stands for, and lets it be found. @linux fs/dcache.c:d_add full */
  add(dentry: Handle, inode: Handle): void {
    this.setInode(dentry, inode);
    this.rehash(dentry);
  }

  /** A name of an inode, held; 0 if it has none. @linux fs/dcache.c:d_find_alias full */
  findAlias(inode: Handle): Handle {
    const link = hlistFirst(this.deps.ram, inode + Inode.w.i_dentry);
    return link === 0 ? 0 : this.get(link - ALIAS);
  }

  /** The name stands for nothing any more; gives the inode back. @linux fs/dcache.c:dentry_unlink_inode full */
  private unlinkInode(dentry: Handle): void {
    const { ram, callC } = this.deps;
    const d = this.at(dentry);
    const inode = d.d_inode;
    if (inode === 0) return;
    d.d_inode = 0;
    if (!hlistUnhashed(ram, dentry + ALIAS)) hlistDelInit(ram, dentry + ALIAS);
    const own = this.operation(dentry, 'd_iput');
    if (own === 0) this.iput(inode);
    else callC(own, 'v:pp', ram.addressOf(dentry), ram.addressOf(inode));
  }

  /** What a name stood for is gone. @linux fs/dcache.c:d_delete full */
  delete(dentry: Handle): void {
    if (this.at(dentry).d_count === 1) this.unlinkInode(dentry);
    else this.drop(dentry);
  }

  // ---------------------------------------------------------------- the table

  private bucket(parent: Handle, hash: number): Handle {
    return this.table + 2 * ((hash ^ Math.imul(parent, 0x9e3779b1)) & (BUCKETS - 1));
  }

  isHashed(dentry: Handle): boolean {
    return !hlistUnhashed(this.deps.ram, dentry + Dentry.w.d_hash);
  }

  /** @linux fs/dcache.c:d_rehash full */
  rehash(dentry: Handle): void {
    if (this.isHashed(dentry)) return;
    const d = this.at(dentry);
    hlistAddHead(this.deps.ram, dentry + Dentry.w.d_hash, this.bucket(d.d_parent, d.d_name.hash));
  }

  /** Lets a name be found no more. @linux fs/dcache.c:d_drop full */
  drop(dentry: Handle): void {
    if (this.isHashed(dentry)) hlistDelInit(this.deps.ram, dentry + Dentry.w.d_hash);
  }

  /** The dentry of a name in a folder, held; 0 if there is none. @linux fs/dcache.c:d_lookup full */
  lookup(parent: Handle, name: Uint8Array): Handle {
    const { ram } = this.deps;
    const hash = nameHash(name);
    let left = MAX_CHAIN;
    for (let link = hlistFirst(ram, this.bucket(parent, hash)); link !== 0; link = hlistNext(ram, link)) {
      if (--left === 0) throw corrupt('a bucket of the dentry hash table has no end');
      const dentry = link - Dentry.w.d_hash;
      const d = this.at(dentry);
      if (d.d_parent !== parent || d.d_name.hash !== hash || d.d_name.len !== name.length) continue;
      if (this.isNamed(dentry, name)) return this.get(dentry);
    }
    return 0;
  }

  // ---------------------------------------------------------------- holding

  /** @linux include/linux/dcache.h:dget full */
  get(dentry: Handle): Handle {
    if (dentry !== 0) this.at(dentry).d_count++;
    return dentry;
  }

  /** Gives a dentry back, and with the last holder its parent. @linux fs/dcache.c:dput full */
  put(dentry: Handle): void {
    for (let at = dentry; at !== 0; ) {
      const d = this.at(at);
      if (d.d_count <= 0)
        throw corrupt(`dentry ${this.deps.ram.addressOf(at).toString(16)} is given back once too often`);
      if (--d.d_count > 0) return;
      const parent = d.d_parent === at ? 0 : d.d_parent;
      this.free(at);
      at = parent;
    }
  }

  /** @linux fs/dcache.c:__dentry_kill full */
  private free(dentry: Handle): void {
    const { ram, slub, callC } = this.deps;
    const prune = this.operation(dentry, 'd_prune');
    if (prune !== 0) callC(prune, 'v:p', ram.addressOf(dentry));
    this.drop(dentry);
    const release = this.operation(dentry, 'd_release');
    this.unlinkInode(dentry);
    if (release !== 0) callC(release, 'v:p', ram.addressOf(dentry));
    listDel(ram, dentry + Dentry.w.d_child);
    this.freeName(dentry);
    slub.kmemCacheFree(ram.ptr(this.cache), ram.addressOf(dentry));
  }

  /** Address of a function of a dentry; 0 if it has none. */
  operation(dentry: Handle, name: keyof typeof DentryOperations.o): Vaddr {
    const table = this.at(dentry).d_op;
    return table === 0 ? 0 : readS64(this.deps, table + DentryOperations.o[name]);
  }

  // ---------------------------------------------------------------- the tree

  /** Dentries below one that exist in memory, newest first. */
  children(dentry: Handle): Handle[] {
    const { ram } = this.deps;
    return [...listEntries(ram, dentry + Dentry.w.d_subdirs)].map((link) => link - Dentry.w.d_child);
  }

  /** Whether something of a name below a folder exists. @linux fs/libfs.c:simple_empty full */
  isEmpty(dentry: Handle): boolean {
    return this.children(dentry).every((child) => this.at(child).d_inode === 0 || !this.isHashed(child));
  }

  /**
   * Gives a dentry the parent and name of another, which is found no more.
   * @linux fs/dcache.c:d_move full
   */
  move(dentry: Handle, target: Handle): void {
    const { ram } = this.deps;
    const d = this.at(dentry);
    const t = this.at(target);
    const parent = t.d_parent;
    const old = d.d_parent;
    this.drop(dentry);
    this.drop(target);
    if (!this.copyName(dentry, target)) this.swapNames(dentry, target);
    listDel(ram, dentry + Dentry.w.d_child);
    listAdd(ram, dentry + Dentry.w.d_child, parent + Dentry.w.d_subdirs);
    d.d_parent = this.get(parent);
    this.rehash(dentry);
    this.put(old);
  }

  /** Gives a dentry the name of another; false if there is no memory. @linux fs/dcache.c:copy_name full */
  private copyName(dentry: Handle, target: Handle): boolean {
    const { ram, kfree } = this.deps;
    const old = this.at(dentry).d_name.name;
    const isLong = old !== ram.addressOf(dentry + Dentry.w.d_iname);
    if (!this.setName(dentry, this.nameBytes(target))) return false;
    if (isLong) kfree(old);
    return true;
  }

  private swapNames(a: Handle, b: Handle): void {
    const [nameOfA, nameOfB] = [this.nameBytes(a), this.nameBytes(b)];
    const [inlineA, inlineB] = [nameOfA.length < DNAME_INLINE_LEN, nameOfB.length < DNAME_INLINE_LEN];
    const [longA, longB] = [this.at(a).d_name.name, this.at(b).d_name.name];
    this.takeName(a, nameOfB, inlineB ? 0 : longB);
    this.takeName(b, nameOfA, inlineA ? 0 : longA);
  }

  /** Gives a dentry a name that lies in itself, or at an address. */
  private takeName(dentry: Handle, bytes: Uint8Array, at: Vaddr): void {
    const { d_name } = this.at(dentry);
    d_name.hash = nameHash(bytes);
    d_name.len = bytes.length;
    d_name.name = at;
    if (at === 0) this.setName(dentry, bytes);
  }

  /** Whether one dentry is another or lies above it. @linux fs/dcache.c:is_subdir full */
  isAncestor(ancestor: Handle, dentry: Handle): boolean {
    let at = dentry;
    for (let depth = 0; ; depth++) {
      if (depth > MAX_DEPTH) throw corrupt('a dentry lies below itself');
      if (at === ancestor) return true;
      const parent = this.at(at).d_parent;
      if (parent === at) return false;
      at = parent;
    }
  }

  /** Path of a dentry within its file system. @linux fs/d_path.c:dentry_path_raw full */
  pathOf(dentry: Handle): string {
    const names: string[] = [];
    for (let at = dentry; this.at(at).d_parent !== at; at = this.at(at).d_parent)
      if (names.unshift(this.nameOf(at)) > MAX_DEPTH) throw corrupt('a dentry lies below itself');
    return `/${names.join('/')}`;
  }

  /**
   * Gives back what a file system without a disk holds of its tree: once for each dentry that has an inode.
   * @linux fs/dcache.c:d_genocide full
   */
  genocide(dentry: Handle): void {
    for (const child of this.children(dentry)) {
      if (this.at(child).d_inode === 0 || !this.isHashed(child)) continue;
      this.get(child);
      this.genocide(child);
      this.drop(child);
      this.put(child);
      this.put(child);
    }
  }
}

/** A hash of a name: FNV-1a. @linux fs/namei.c:full_name_hash differs: another function */
export function nameHash(name: Uint8Array): number {
  let hash = 0x811c9dc5;
  for (const byte of name) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0;
}
