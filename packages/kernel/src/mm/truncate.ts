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
 * Drops the bytes of a range: whole pages first, then what remains at both ends is zeroed.
 * @param end one past the last byte
 * @linux mm/truncate.c:truncate_inode_pages_range partial: does not wait for pages that are locked
 */
export function truncateRange(cache: PageCache, mapping: Handle, start: number, end: number): void {
  if (cache.nrPages(mapping) === 0 || end <= start) return;
  const from = Math.max(0, start);
  const [first, last] = [Math.floor(from / PAGE_SIZE), Math.floor(end / PAGE_SIZE)];
  const firstWhole = Math.ceil(from / PAGE_SIZE);
  for (
    let index = cache.nextIndex(mapping, firstWhole);
    index >= 0 && index < last;
    index = cache.nextIndex(mapping, index + 1)
  )
    truncatePage(cache, cache.tree.load(mapping, index));
  if (first < firstWhole) zeroPart(cache, mapping, first, from, end);
  if (last !== first || first === firstWhole) zeroPart(cache, mapping, last, from, end);
}

/** @linux mm/truncate.c:truncate_inode_folio full */
function truncatePage(cache: PageCache, page: Handle): void {
  const mapping = cache.pageMapping(page);
  if (cache.hasPrivate(page)) invalidate(cache, mapping, page, 0, PAGE_SIZE);
  cache.ram.i32[page] &= ~(1 << PG_dirty);
  cache.deleteFromPageCache(page);
}

/** Zeros what a range has of a page that it cuts. @linux mm/truncate.c:truncate_inode_partial_folio full */
function zeroPart(cache: PageCache, mapping: Handle, index: number, start: number, end: number): void {
  const from = Math.max(0, start - index * PAGE_SIZE);
  const to = Math.min(PAGE_SIZE, end - index * PAGE_SIZE);
  const page = to > from ? cache.tree.load(mapping, index) : 0;
  if (page === 0) return;
  const bytes = cache.bytesOf(page);
  cache.ram.u8.fill(0, bytes + from, bytes + to);
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
