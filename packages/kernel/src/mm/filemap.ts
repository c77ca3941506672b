// SPDX-License-Identifier: MIT
/**
 * The page cache: the pages of files. A file's pages hang in a tree at its address_space (`page_tree.ts`), which holds
 * one reference to each.
 *
 * Here: finding, adding and removing pages, and what makes their contents good. Reading and writing through them is in
 * `filemap_io.ts`, cutting files off in `truncate.ts`, C's side in `filemap_exports.ts`.
 *
 * A `mapping` is the handle of a `struct address_space`, mostly an inode's i_data; a `page` is the handle of a `struct
 * page`; an index counts pages from the file's start. Everything lies in RAM.
 */

import { AddressSpace, Inode } from '../fs/fs_types.js';
import { SuperBlock } from '../fs/vfs_types.js';
import type { CallC } from '../lib/c_call.js';
import type { Env } from '../lib/env.js';
import { EIO, ENOMEM } from '../lib/errno.js';
import { type GuestAccess, readS64 } from '../lib/guest_access.js';
import type { IterAccess, UserCopies } from '../lib/iov_iter.js';
import type { NodeAllocator } from '../lib/xarray.js';
import {
  type Handle,
  PAGE_MASK_LOW,
  PAGE_OFFSET_HI,
  PAGE_SHIFT,
  PAGE_SIZE,
  type Paddr,
  type Vaddr,
} from '../machine/layout.js';
import type { Ram } from '../machine/ram.js';
import { AddressSpaceOperations } from './address_space_types.js';
import { genericFileReadIter, genericFileWriteIter } from './filemap_io.js';
import { FilemapTrace } from './filemap_trace.js';
import {
  __GFP_ATOMIC,
  __GFP_HIGH,
  __GFP_MEMALLOC,
  __GFP_NOFAIL,
  __GFP_NOMEMALLOC,
  __GFP_NORETRY,
  __GFP_NOWARN,
  __GFP_RETRY_MAYFAIL,
  GFP_KERNEL,
} from './gfp.js';
import {
  Page,
  PG_dirty,
  PG_locked,
  PG_private,
  PG_private_2,
  PG_referenced,
  PG_uptodate,
  PG_waiters,
  pageFlag,
  pageToVmemmap,
  setPageFlag,
} from './page.js';
import type { PageAllocator } from './page_alloc.js';
import { PageTree } from './page_tree.js';
import { truncatePages } from './truncate.js';
import { nodeStatItem } from './vmstat.js';

const MAPPING = Page.w.mapping;
const INDEX = Page.w.index;
const HOST = AddressSpace.w.host;
const NRPAGES = AddressSpace.w.nrpages;
const GFP_MASK = AddressSpace.w.gfp_mask;
const FLAGS = AddressSpace.w.flags;
const A_OPS = AddressSpace.w.a_ops;
const I_SIZE = Inode.w.i_size;
const NR_FILE_PAGES = nodeStatItem('nr_file_pages');
/** Of mapping.flags: the file is going away. */
const AS_EXITING = 4;
/** What of a page's flags holds for the memory of tree nodes too: how hard to try. */
const GFP_RECLAIM_MASK =
  GFP_KERNEL |
  __GFP_HIGH |
  __GFP_ATOMIC |
  __GFP_NOWARN |
  __GFP_RETRY_MAYFAIL |
  __GFP_NOFAIL |
  __GFP_NORETRY |
  __GFP_MEMALLOC |
  __GFP_NOMEMALLOC;
/** One past the last byte that a file can have: up to here numbers are exact. */
export const MAX_FILE_BYTES = Number.MAX_SAFE_INTEGER;
/** What read_folio returns if the page is no longer the file's. */
const AOP_TRUNCATED_PAGE = 0x80001;

export interface PageCacheDeps extends GuestAccess {
  readonly env: Env;
  readonly pages: PageAllocator;
  readonly user: UserCopies;
  /** Memory for the nodes of trees. */
  readonly nodes: NodeAllocator;
  readonly callC: CallC;
  /** Address of a function of the kernel. */
  symbol(name: string): Vaddr | undefined;
  kmalloc(bytes: number, gfp: number): Vaddr;
  kfree(address: Vaddr): void;
}

/** Name of a function in a table of address_space operations. */
export type AddressSpaceOperation = keyof typeof AddressSpaceOperations.o;

export class PageCache {
  readonly ram: Ram;
  readonly tree: PageTree;
  readonly trace: FilemapTrace;
  /** For copies to and from iterators. */
  readonly iter: IterAccess;
  private readonly pages: PageAllocator;

  /** A file is about to be written: its times change, as file_update_time() says. */
  fileUpdateTime: (inode: Handle) => void = () => {};
  /** A file has been read, as file_accessed() says. */
  fileAccessed: (file: Handle) => void = () => {};
  /** The size to which the current task may write a file: RLIMIT_FSIZE. Asked once a write. */
  fileSizeLimit: () => number = () => Number.POSITIVE_INFINITY;
  /** The current task has come to that limit: SIGXFSZ. */
  fileSizeExceeded: () => void = () => {};
  /** Somebody sleeps until a page is unlocked. */
  wakePageWaiters: (page: Handle) => void = () => {};

  constructor(readonly deps: PageCacheDeps) {
    const { ram, guest, env, pages, nodes, user } = deps;
    this.ram = ram;
    this.pages = pages;
    this.tree = new PageTree(ram, pages.map, nodes);
    this.trace = new FilemapTrace(env);
    this.iter = { ram, guest, user };
  }

  // ----------------------------------------------------------------------------------------------
  // Pages in the cache

  /** The page at an index with a reference taken, or 0. @linux include/linux/pagemap.h:find_get_page full */
  findGetPage(mapping: Handle, index: number): Handle {
    const page = this.tree.load(mapping, index);
    if (page !== 0) this.pages.getPage(page);
    return page;
  }

  /** The first index from one on that has a page; -1 if none has. */
  nextIndex(mapping: Handle, from: number): number {
    return this.tree.nextIndex(mapping, from);
  }

  /** All pages, by rising index; the one just given may be removed. */
  *pagesOf(mapping: Handle): Generator<Handle> {
    for (let at = this.nextIndex(mapping, 0); at >= 0; at = this.nextIndex(mapping, at + 1))
      yield this.tree.load(mapping, at);
  }

  /** Pages that a file has in the cache. */
  nrPages(mapping: Handle): number {
    return this.ram.u64(mapping + NRPAGES);
  }

  /**
   * Makes a page a file's: the cache takes a reference of its own.
   * @returns 0, -EEXIST if the index has a page, or -ENOMEM
   * @linux mm/filemap.c:__filemap_add_folio partial: no memory cgroups, no shadows of evicted pages
   */
  addToPageCache(page: Handle, mapping: Handle, index: number, gfp = this.gfpMask(mapping)): number {
    const { ram, pages } = this;
    const error = this.tree.insert(mapping, index, page, gfp & GFP_RECLAIM_MASK);
    if (error !== 0) return error;
    pages.getPage(page);
    ram.setPtr(page + MAPPING, mapping);
    ram.set64(page + INDEX, index);
    ram.add64(mapping + NRPAGES, 1);
    pages.stat.modNodePageState(NR_FILE_PAGES, 1);
    if (this.trace.addToPageCache.enabled) this.trace.addToPageCache.emit(this.event(page, mapping, index));
    return 0;
  }

  /**
   * Takes a page from its file, and drops the cache's reference. Nothing happens to a page that is in no file.
   * @linux mm/filemap.c:filemap_remove_folio full
   */
  deleteFromPageCache(page: Handle): void {
    const { ram, pages } = this;
    const mapping = this.pageMapping(page);
    const index = ram.u64(page + INDEX);
    if (mapping === 0 || this.tree.load(mapping, index) !== page) return;
    const { deleteFromPageCache } = this.trace;
    if (deleteFromPageCache.enabled) deleteFromPageCache.emit(this.event(page, mapping, index));
    this.tree.erase(mapping, index);
    ram.setPtr(page + MAPPING, 0);
    ram.add64(mapping + NRPAGES, -1);
    pages.stat.modNodePageState(NR_FILE_PAGES, -1);
    const free = this.operation(mapping, 'free_folio');
    if (free !== 0) this.deps.callC(free, 'v:p', this.pageAddress(page));
    pages.putPage(page);
  }

  private event(page: Handle, mapping: Handle, index: number) {
    const { ram } = this;
    const inode = ram.ptr(mapping + HOST);
    const at = inode === 0 ? undefined : Inode.at(ram, inode);
    const s_dev = at === undefined ? 0 : at.i_sb === 0 ? at.i_rdev : ram.u32[at.i_sb + SuperBlock.w.s_dev];
    return { pfn: this.pages.pageToPfn(page), i_ino: at?.i_ino ?? 0, index, s_dev, order: 0 };
  }

  /** The address_space of a page, 0 if it is in no file. @linux mm/folio-compat.c:page_mapping partial: no swap cache */
  pageMapping(page: Handle): Handle {
    const { i32 } = this.ram;
    const lo = i32[page + MAPPING];
    return i32[page + MAPPING + 1] === PAGE_OFFSET_HI && (lo & 3) === 0 ? lo >>> 2 : 0;
  }

  /** Where C sees a struct page. */
  pageAddress(page: Handle): Vaddr {
    return page === 0 ? 0 : pageToVmemmap(this.pages.map.base, page);
  }

  /** Where a page's bytes begin in RAM. */
  bytesOf(page: Handle): Paddr {
    return (this.pages.pageToPfn(page) << PAGE_SHIFT) >>> 0;
  }

  /** Where the kernel sees a page's bytes. */
  kernelAddress(page: Handle): Vaddr {
    return this.pages.pageAddress(page);
  }

  putPage(page: Handle): void {
    this.pages.putPage(page);
  }

  // ----------------------------------------------------------------------------------------------
  // Pages with contents

  /** @linux include/linux/pagemap.h:mapping_gfp_mask full */
  gfpMask(mapping: Handle): number {
    return this.ram.u32[mapping + GFP_MASK];
  }

  /**
   * The page at an index with a reference taken, made if there is none. A new page is not up to date: it holds what
   * its memory held.
   * @returns 0 if there is no memory
   */
  findOrCreatePage(mapping: Handle, index: number, gfp = this.gfpMask(mapping)): Handle {
    const found = this.findGetPage(mapping, index);
    if (found !== 0) return found;
    const page = this.pages.allocPages(gfp, 0);
    if (page === 0 || this.addToPageCache(page, mapping, index, gfp) === 0) return page;
    this.pages.putPage(page);
    return 0;
  }

  /**
   * The same with good contents: what the file system reads, zeros if it reads nothing.
   * @returns 0 if there is no memory or it cannot be read
   */
  grabCachePage(mapping: Handle, index: number): Handle {
    const read = this.readPage(mapping, index, 0);
    if (read !== 0) return Math.max(read, 0);
    const page = this.findOrCreatePage(mapping, index);
    if (page !== 0) this.fillWithZeros(page);
    return page;
  }

  /**
   * The page at an index for reading, with a reference taken: what is not in memory is read by the file system. A file
   * that has its data in memory only reads as zeros where it has no page, and gets none.
   * @param file the open file that read_folio is given, or 0
   * @returns 0 for zeros, a negative errno
   * @linux mm/filemap.c:filemap_get_pages differs: a hole in a file of memory gets no page; no readahead
   */
  readPage(mapping: Handle, index: number, file: Handle): Handle {
    const { ram } = this;
    const readFolio = this.foreignOperation(mapping, 'read_folio', 'simple_read_folio');
    for (;;) {
      const page = readFolio === 0 ? this.findGetPage(mapping, index) : this.findOrCreatePage(mapping, index);
      if (page === 0) return readFolio === 0 ? 0 : -ENOMEM;
      if (pageFlag(ram, page, PG_uptodate)) return page;
      if (readFolio === 0) {
        this.fillWithZeros(page);
        return page;
      }
      setPageFlag(ram, page, PG_locked);
      const error = this.deps.callC(readFolio, 'i:pp', ram.addressOf(file), this.pageAddress(page));
      if (error === 0 && pageFlag(ram, page, PG_uptodate)) return page;
      this.pages.putPage(page);
      if (error !== AOP_TRUNCATED_PAGE) return error < 0 ? error : -EIO;
    }
  }

  /** Makes a page that nobody has read yet good. @linux fs/libfs.c:simple_read_folio differs: the page need not be locked */
  fillWithZeros(page: Handle): void {
    if (pageFlag(this.ram, page, PG_uptodate)) return;
    this.pages.clearPages(page, 0);
    setPageFlag(this.ram, page, PG_uptodate);
  }

  // ----------------------------------------------------------------------------------------------
  // Flags

  /** @returns false if it was locked @linux include/linux/pagemap.h:trylock_page full */
  tryLockPage(page: Handle): boolean {
    if (pageFlag(this.ram, page, PG_locked)) return false;
    setPageFlag(this.ram, page, PG_locked);
    return true;
  }

  /** @linux mm/folio-compat.c:unlock_page full */
  unlockPage(page: Handle): void {
    const { i32 } = this.ram;
    const waiters = pageFlag(this.ram, page, PG_waiters);
    i32[page] &= ~((1 << PG_locked) | (1 << PG_waiters));
    if (waiters) this.wakePageWaiters(page);
  }

  /**
   * Marks a page as changed.
   * @returns true if it was not
   * @linux mm/folio-compat.c:set_page_dirty full
   */
  setPageDirty(page: Handle): boolean {
    const mapping = this.pageMapping(page);
    const dirty = mapping === 0 ? 0 : this.foreignOperation(mapping, 'dirty_folio', 'noop_dirty_folio');
    if (dirty === 0) return this.noopDirtyPage(page);
    return this.deps.callC(dirty, 'b:pp', this.ram.addressOf(mapping), this.pageAddress(page)) !== 0;
  }

  /** Marks a page that is never written back. @linux mm/page-writeback.c:noop_dirty_folio full */
  noopDirtyPage(page: Handle): boolean {
    const was = pageFlag(this.ram, page, PG_dirty);
    setPageFlag(this.ram, page, PG_dirty);
    return !was;
  }

  /** @linux mm/folio-compat.c:mark_page_accessed partial: no LRU lists */
  markPageAccessed(page: Handle): void {
    setPageFlag(this.ram, page, PG_referenced);
  }

  hasPrivate(page: Handle): boolean {
    return pageFlag(this.ram, page, PG_private) || pageFlag(this.ram, page, PG_private_2);
  }

  // ----------------------------------------------------------------------------------------------
  // Operations of the file system

  /** Address of a function of the mapping's file system, 0 if it has none. */
  operation(mapping: Handle, name: AddressSpaceOperation): Vaddr {
    const table = this.ram.s64(mapping + A_OPS);
    return table === 0 ? 0 : readS64(this.deps, table + AddressSpaceOperations.o[name]);
  }

  /** The same if it is not the kernel's own function for files in memory, whose work is done here. */
  foreignOperation(mapping: Handle, name: AddressSpaceOperation, own: string): Vaddr {
    const fn = this.operation(mapping, name);
    return fn === 0 || fn === this.deps.symbol(own) ? 0 : fn;
  }

  // ----------------------------------------------------------------------------------------------
  // The size of a file

  sizeOf(mapping: Handle): number {
    const inode = this.ram.ptr(mapping + HOST);
    return inode === 0 ? 0 : this.ram.s64(inode + I_SIZE);
  }

  /** The file reaches up to here at least. */
  extendTo(mapping: Handle, end: number): void {
    const inode = this.ram.ptr(mapping + HOST);
    if (inode !== 0 && end > this.ram.s64(inode + I_SIZE)) this.ram.set64(inode + I_SIZE, end);
  }

  /** The size beyond which a file system cannot keep a file. */
  maxBytes(inode: Handle): number {
    const sb = this.ram.ptr(inode + Inode.w.i_sb);
    const max = sb === 0 ? 0 : this.ram.u64(sb + SuperBlock.w.s_maxbytes);
    return max === 0 ? MAX_FILE_BYTES : Math.min(max, MAX_FILE_BYTES);
  }

  /**
   * Drops the pages beyond a new size; of the page in which it lies the rest is zeroed. i_size is the caller's.
   * @linux mm/truncate.c:truncate_pagecache partial: nothing is mapped
   */
  truncatePages(mapping: Handle, newSize: number): void {
    truncatePages(this, mapping, newSize);
  }

  /** Drops all pages of a file that goes away. @linux mm/truncate.c:truncate_inode_pages_final full */
  truncateFinal(mapping: Handle): void {
    this.ram.i32[mapping + FLAGS] |= 1 << AS_EXITING;
    truncatePages(this, mapping, 0);
  }

  // ----------------------------------------------------------------------------------------------
  // Bytes, for user programs and modules

  /** Reads a file where its kiocb says. @returns bytes, or a negative errno @linux mm/filemap.c:generic_file_read_iter partial: no direct I/O */
  genericFileReadIter(iocb: Vaddr, iter: Vaddr): number {
    return genericFileReadIter(this, iocb, iter);
  }

  /** Writes a file where its kiocb says, or at its end. @returns bytes, or a negative errno */
  genericFileWriteIter(iocb: Vaddr, iter: Vaddr): number {
    return genericFileWriteIter(this, iocb, iter);
  }

  // ----------------------------------------------------------------------------------------------
  // Bytes, for the kernel itself

  /**
   * Bytes of a file: those before its size; fewer if it cannot be read.
   * @param size of the file
   */
  readBytes(mapping: Handle, size: number, pos: number, count: number): Uint8Array {
    const out = new Uint8Array(Math.max(0, Math.min(count, size - pos)));
    for (let done = 0; done < out.length; ) {
      const at = pos + done;
      const offset = at & PAGE_MASK_LOW;
      const n = Math.min(out.length - done, PAGE_SIZE - offset);
      const page = this.readPage(mapping, Math.floor(at / PAGE_SIZE), 0);
      if (page < 0) return out.subarray(0, done);
      if (page > 0) {
        const from = this.bytesOf(page) + offset;
        out.set(this.ram.u8.subarray(from, from + n), done);
        this.pages.putPage(page);
      }
      done += n;
    }
    return out;
  }

  /**
   * Writes bytes into a file in memory, whose i_size grows where needed.
   * @returns how many, or -ENOMEM
   */
  writeBytes(mapping: Handle, pos: number, bytes: Uint8Array): number {
    for (let done = 0; done < bytes.length; ) {
      const at = pos + done;
      const offset = at & PAGE_MASK_LOW;
      const n = Math.min(bytes.length - done, PAGE_SIZE - offset);
      const page = this.writeBegin(mapping, at, n);
      if (page === 0) return done > 0 ? done : -ENOMEM;
      this.ram.u8.set(bytes.subarray(done, done + n), this.bytesOf(page) + offset);
      this.writeEnd(mapping, page, at, n, n);
      this.pages.putPage(page);
      done += n;
    }
    return bytes.length;
  }

  /**
   * A page of a file in memory, to be written from a position on; what of a new page is not to be written is zeroed.
   * @returns the page with a reference taken, 0 if there is no memory
   * @linux fs/libfs.c:simple_write_begin differs: the page is not locked
   */
  writeBegin(mapping: Handle, pos: number, bytes: number): Handle {
    const page = this.findOrCreatePage(mapping, Math.floor(pos / PAGE_SIZE));
    if (page !== 0) this.zeroAround(page, pos, bytes);
    return page;
  }

  /** Zeros a page that is not up to date but for what is about to be written. */
  zeroAround(page: Handle, pos: number, bytes: number): void {
    if (pageFlag(this.ram, page, PG_uptodate)) return;
    const start = this.bytesOf(page);
    const offset = pos & PAGE_MASK_LOW;
    this.ram.u8.fill(0, start, start + offset);
    this.ram.u8.fill(0, Math.min(start + offset + bytes, start + PAGE_SIZE), start + PAGE_SIZE);
  }

  /**
   * Ends what writeBegin() began.
   * @param copied how many of the bytes were written: in a new page the others are zeroed
   * @linux fs/libfs.c:simple_write_end differs: leaves lock and reference to the caller
   */
  writeEnd(mapping: Handle, page: Handle, pos: number, bytes: number, copied: number): void {
    if (!pageFlag(this.ram, page, PG_uptodate)) {
      const start = this.bytesOf(page) + (pos & PAGE_MASK_LOW);
      const end = Math.min(start + bytes, this.bytesOf(page) + PAGE_SIZE);
      this.ram.u8.fill(0, start + copied, end);
      setPageFlag(this.ram, page, PG_uptodate);
    }
    this.extendTo(mapping, pos + copied);
    this.setPageDirty(page);
  }
}
