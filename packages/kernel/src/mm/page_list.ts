// SPDX-License-Identifier: MIT
/** References to many pages dropped at once: put_pages_list() and release_pages(). */

import type { KernelExports } from '../arch/wasm64/exports.js';
import { readS64, writeS64 } from '../lib/guest_access.js';
import type { Handle, Vaddr } from '../machine/layout.js';
import { compoundHead, compoundOrder, Page } from './page.js';
import type { PageAllocator } from './page_alloc.js';
import type { PageArguments } from './page_exports.js';

const REFCOUNT = Page.w._refcount;
const LRU = Page.o.lru;

/**
 * Drops a reference to each page, and frees together those single pages that nobody refers to any more.
 * @linux mm/swap.c:release_pages partial: no page is on an LRU list
 */
export function releasePages(mm: PageAllocator, pages: readonly Handle[]): void {
  const { ram, base } = mm.map;
  const free: Handle[] = [];
  for (const page of pages) {
    const head = compoundHead(ram, base, page);
    const isSingle = compoundOrder(ram, head) === 0;
    if (!isSingle || ram.i32[head + REFCOUNT] <= 0) mm.putPage(head);
    else if (--ram.i32[head + REFCOUNT] === 0) free.push(head);
  }
  freeUnrefPageList(mm, free);
}

/** @linux mm/page_alloc.c:free_unref_page_list full */
function freeUnrefPageList(mm: PageAllocator, pages: readonly Handle[]): void {
  const { mmPageFree, mmPageFreeBatched } = mm.trace;
  if (mmPageFree.enabled) for (const page of pages) mmPageFree.emit({ pfn: mm.pageToPfn(page), order: 0 });
  for (const page of pages) {
    if (mmPageFreeBatched.enabled) mmPageFreeBatched.emit({ pfn: mm.pageToPfn(page) });
    mm.freeThePage(page, 0);
  }
}

export function pageListExports(mm: PageAllocator, args: PageArguments): KernelExports {
  const { env, map } = mm;
  const read = (address: Vaddr) => readS64(env, address);
  return {
    release_pages: [
      'v:pi',
      (array: Vaddr, nr: number) => {
        const pages = Array.from({ length: Math.max(0, nr) }, (_, i) => args.page(read(array + 8 * i)));
        releasePages(mm, pages);
      },
    ],
    /** @linux mm/swap.c:put_pages_list full */
    put_pages_list: [
      'v:p',
      (list: Vaddr) => {
        const pages: Handle[] = [];
        for (let node = read(list); node !== list; node = read(node)) {
          pages.push(args.page(node - LRU));
          if (pages.length > map.maxPfn) break; // a list that is a knot
        }
        releasePages(mm, pages);
        writeS64(env, list, list);
        writeS64(env, list + 8, list);
      },
    ],
  };
}
