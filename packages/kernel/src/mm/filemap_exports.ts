// SPDX-License-Identifier: MIT
/** The page cache as C modules call it: `linux/pagemap.h`, and what they put into `address_space_operations`. */

import type { KernelExports } from '../arch/wasm64/exports.js';
import { AddressSpace, Inode } from '../fs/fs_types.js';
import { EINVAL } from '../lib/errno.js';
import { copyFromIter, copyToIter } from '../lib/iov_iter.js';
import { type Handle, PAGE_SIZE, type Vaddr } from '../machine/layout.js';
import type { PageCache } from './filemap.js';
import { kernelObject, PagePointers } from './filemap_args.js';
import {
  genericFileReadIter,
  genericFileWriteIter,
  genericWriteChecks,
  writeIterUnchecked,
} from './filemap_io.js';
import { PG_head, PG_locked, PG_uptodate, pageFlag, setPageFlag } from './page.js';
import { truncateRange, truncateSetsize } from './truncate.js';

export function filemapExports(cache: PageCache): KernelExports {
  const args = new PagePointers(cache);
  const mappingOf = (pointer: Vaddr) => kernelObject(cache.deps, pointer, AddressSpace.size);
  return {
    ...ioExports(cache, args),
    ...pageExports(cache, args, mappingOf),
    ...truncateExports(cache, mappingOf),
    ...simpleExports(cache, args),
  };
}

function ioExports(cache: PageCache, args: PagePointers): KernelExports {
  /** Where a part of a page lies; what reaches beyond the page is cut off. */
  const partOf = (page: Vaddr, offset: number, bytes: number) => ({
    at: cache.kernelAddress(args.page(page)) + offset,
    bytes: Math.max(0, Math.min(bytes, PAGE_SIZE - offset)),
  });
  const toIter = (page: Vaddr, offset: number, bytes: number, i: Vaddr): number => {
    const part = partOf(page, offset, bytes);
    return copyToIter(cache.iter, part.at, part.bytes, i);
  };
  const fromIter = (page: Vaddr, offset: number, bytes: number, i: Vaddr): number => {
    const part = partOf(page, offset, bytes);
    return copyFromIter(cache.iter, part.at, part.bytes, i);
  };
  return {
    generic_file_read_iter: ['l:pp', (iocb: Vaddr, i: Vaddr) => genericFileReadIter(cache, iocb, i)],
    generic_file_write_iter: ['l:pp', (iocb: Vaddr, i: Vaddr) => genericFileWriteIter(cache, iocb, i)],
    __generic_file_write_iter: ['l:pp', (iocb: Vaddr, i: Vaddr) => writeIterUnchecked(cache, iocb, i)],
    generic_write_checks: ['l:pp', (iocb: Vaddr, i: Vaddr) => genericWriteChecks(cache, iocb, i)],
    copy_page_to_iter: ['z:pzzp', toIter],
    copy_page_from_iter: ['z:pzzp', fromIter],
    copy_page_from_iter_atomic: [
      'z:pzzp',
      (page: Vaddr, offset: number, bytes: number, i: Vaddr) => fromIter(page, offset, bytes, i),
    ],
  };
}

function pageExports(cache: PageCache, args: PagePointers, mappingOf: (p: Vaddr) => Handle): KernelExports {
  /** @linux mm/filemap.c:filemap_add_folio partial: single pages only; no LRU lists */
  const add = (page: Handle, mapping: Handle, index: number, gfp: number): number => {
    if (pageFlag(cache.ram, page, PG_head)) return -EINVAL;
    setPageFlag(cache.ram, page, PG_locked);
    const error = cache.addToPageCache(page, mapping, index, gfp);
    if (error !== 0) cache.ram.i32[page] &= ~(1 << PG_locked);
    return error;
  };
  const remove = (page: Vaddr) => cache.deleteFromPageCache(args.page(page));
  const unlock = (page: Vaddr) => cache.unlockPage(args.page(page));
  const dirty = (page: Vaddr) => cache.setPageDirty(args.page(page));
  const mapping = (page: Vaddr) => cache.ram.addressOf(cache.pageMapping(args.page(page)));
  const accessed = (page: Vaddr) => cache.markPageAccessed(args.page(page));
  return {
    filemap_add_folio: [
      'i:ppzu',
      (m: Vaddr, page: Vaddr, index: number, gfp: number) => add(args.page(page), mappingOf(m), index, gfp),
    ],
    add_to_page_cache_lru: [
      'i:ppzu',
      (page: Vaddr, m: Vaddr, index: number, gfp: number) => add(args.page(page), mappingOf(m), index, gfp),
    ],
    filemap_remove_folio: ['v:p', remove],
    delete_from_page_cache: ['v:p', (page: Vaddr) => remove(page)],
    unlock_page: ['v:p', unlock],
    folio_unlock: ['v:p', (page: Vaddr) => unlock(page)],
    set_page_dirty: ['b:p', dirty],
    folio_mark_dirty: ['b:p', (page: Vaddr) => dirty(page)],
    page_mapping: ['p:p', mapping],
    folio_mapping: ['p:p', (page: Vaddr) => mapping(page)],
    mark_page_accessed: ['v:p', accessed],
    folio_mark_accessed: ['v:p', (page: Vaddr) => accessed(page)],
  };
}

/** One past the last byte of a range whose last byte C gives; -1 is the end of all. */
const endOf = (last: number) => (last < 0 ? Number.POSITIVE_INFINITY : last + 1);

function truncateExports(cache: PageCache, mappingOf: (p: Vaddr) => Handle): KernelExports {
  const inodeOf = (pointer: Vaddr) => kernelObject(cache.deps, pointer, Inode.size);
  const pagesOf = (inode: Vaddr) => cache.ram.ptr(inodeOf(inode) + Inode.w.i_mapping);
  const from = (mapping: Handle, start: number) => truncateRange(cache, mapping, start, endOf(-1));
  return {
    truncate_inode_pages: ['v:pl', (m: Vaddr, start: number) => from(mappingOf(m), start)],
    truncate_inode_pages_range: [
      'v:pll',
      (m: Vaddr, start: number, last: number) => truncateRange(cache, mappingOf(m), start, endOf(last)),
    ],
    truncate_inode_pages_final: ['v:p', (m: Vaddr) => cache.truncateFinal(mappingOf(m))],
    truncate_pagecache: ['v:pl', (inode: Vaddr, size: number) => from(pagesOf(inode), size)],
    truncate_pagecache_range: [
      'v:pll',
      (inode: Vaddr, start: number, last: number) => truncateRange(cache, pagesOf(inode), start, endOf(last)),
    ],
    truncate_setsize: ['v:pl', (inode: Vaddr, size: number) => truncateSetsize(cache, inodeOf(inode), size)],
    // Nothing is mapped that could have to be mapped again.
    pagecache_isize_extended: ['v:pll', () => undefined],
  };
}

function simpleExports(cache: PageCache, args: PagePointers): KernelExports {
  /** @linux fs/libfs.c:simple_write_end full */
  const writeEnd = (pos: number, bytes: number, copied: number, page: Handle): number => {
    const mapping = cache.pageMapping(page);
    if (mapping === 0) cache.deps.guest.read(AddressSpace.o.host, 8);
    cache.writeEnd(mapping, page, pos, bytes, copied);
    cache.unlockPage(page);
    cache.putPage(page);
    return copied;
  };
  return {
    simple_read_folio: [
      'i:pp',
      (_file: Vaddr, folio: Vaddr) => {
        const page = args.page(folio);
        cache.ram.i32[page] &= ~(1 << PG_uptodate);
        cache.fillWithZeros(page);
        cache.unlockPage(page);
        return 0;
      },
    ],
    simple_write_end: [
      'i:ppluupp',
      (_file: Vaddr, _m: Vaddr, pos: number, bytes: number, copied: number, page: Vaddr) =>
        writeEnd(pos, bytes, Math.min(copied, bytes, PAGE_SIZE), args.page(page)),
    ],
    noop_dirty_folio: ['b:pp', (_m: Vaddr, page: Vaddr) => cache.noopDirtyPage(args.page(page))],
  };
}
