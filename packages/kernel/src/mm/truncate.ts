// SPDX-License-Identifier: MIT
/** Taking pages off files: whole ones leave the cache, of those that are cut the part that is gone is zeroed. */

import { Inode } from '../fs/fs_types.js';
import { type Handle, PAGE_SIZE } from '../machine/layout.js';
import type { PageCache } from './filemap.js';
import { PG_dirty } from './page.js';

const I_SIZE = Inode.w.i_size;

/** Drops all from a size on. */
export function truncatePages(cache: PageCache, mapping: Handle, newSize: number): void {
  truncateRange(cache, mapping, newSize, Number.POSITIVE_INFINITY);
}

/**
 * Drops the bytes of a range: they read as zeros from then on.
 * @param end one past the last byte
 * @linux mm/truncate.c:truncate_inode_pages_range partial: does not wait for pages that are locked
 */
export function truncateRange(cache: PageCache, mapping: Handle, start: number, end: number): void {
  if (cache.nrPages(mapping) === 0) return;
  for (
    let index = cache.nextIndex(mapping, Math.floor(Math.max(0, start) / PAGE_SIZE));
    index >= 0 && index * PAGE_SIZE < end;
    index = cache.nextIndex(mapping, index + 1)
  ) {
    const page = cache.tree.load(mapping, index);
    const from = Math.max(0, start - index * PAGE_SIZE);
    const to = Math.min(PAGE_SIZE, end - index * PAGE_SIZE);
    if (from === 0 && to === PAGE_SIZE) truncatePage(cache, page);
    else zeroPart(cache, mapping, page, from, to);
  }
}

/** @linux mm/truncate.c:truncate_inode_folio full */
function truncatePage(cache: PageCache, page: Handle): void {
  const mapping = cache.pageMapping(page);
  if (cache.hasPrivate(page)) invalidate(cache, mapping, page, 0, PAGE_SIZE);
  cache.ram.i32[page] &= ~(1 << PG_dirty);
  cache.deleteFromPageCache(page);
}

/** @linux mm/truncate.c:truncate_inode_partial_folio full */
function zeroPart(cache: PageCache, mapping: Handle, page: Handle, from: number, to: number): void {
  const start = cache.bytesOf(page);
  cache.ram.u8.fill(0, start + from, start + to);
  if (cache.hasPrivate(page)) invalidate(cache, mapping, page, from, to - from);
}

/** Tells the file system that has something of its own at a page. @linux mm/truncate.c:folio_invalidate full */
function invalidate(cache: PageCache, mapping: Handle, page: Handle, offset: number, bytes: number): void {
  const fn = mapping === 0 ? 0 : cache.operation(mapping, 'invalidate_folio');
  if (fn !== 0) cache.deps.callC(fn, 'v:pzz', cache.pageAddress(page), offset, bytes);
}

/** Sets a file's size, and drops what is beyond. @linux mm/truncate.c:truncate_setsize full */
export function truncateSetsize(cache: PageCache, inode: Handle, newSize: number): void {
  cache.ram.set64(inode + I_SIZE, newSize);
  truncatePages(cache, cache.ram.ptr(inode + Inode.w.i_mapping), newSize);
}
