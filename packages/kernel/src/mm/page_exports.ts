// SPDX-License-Identifier: MIT
/** The page allocator as C modules call it. Whatever they pass, they get what Linux gives: memory, NULL or a report. */

import type { KernelExports } from '../arch/wasm64/exports.js';
import {
  type Handle,
  KERNEL_TEXT_START,
  PAGE_OFFSET,
  PAGE_SHIFT,
  PAGE_SIZE,
  type Vaddr,
  VMEMMAP_START,
  vaddr,
} from '../machine/layout.js';
import { __GFP_COMP, __GFP_HIGHMEM, __GFP_ZERO, gfpZone } from './gfp.js';
import { MAX_ORDER } from './mmzone.js';
import { PAGE_WORDS, Page, pageToVmemmap } from './page.js';
import type { PageAllocator } from './page_alloc.js';
import { pageListExports } from './page_list.js';

/** Where the kernel's own mapping of low memory would begin: the base of __pa() for its addresses. */
const START_KERNEL_MAP = vaddr(0xffffffff, 0x80000000);
const REFCOUNT_OFFSET = Page.o._refcount;

/** The order whose blocks hold so many bytes; that of 0 bytes is absurdly large. */
export function getOrder(bytes: number): number {
  if (bytes === 0) return 64 - PAGE_SHIFT;
  let order = 0;
  while (PAGE_SIZE * 2 ** order < bytes) order++;
  return order;
}

/** Turns what C passed into pages. A pointer that is none ends in the oops that using it would cause. */
export class PageArguments {
  constructor(private readonly mm: PageAllocator) {}

  /** Handle of the page that a `struct page *` points to. */
  page(pointer: Vaddr): Handle {
    const { map, env } = this.mm;
    const offset = pointer - VMEMMAP_START;
    const n = offset / Page.size;
    if (n >= 0 && n < map.maxPfn && Number.isInteger(n)) return map.pfnToPage(n);
    env.guest.read(pointer + REFCOUNT_OFFSET, 4);
    return env.reports.bug('include/linux/mm.h', 755, 'put_page_testzero');
  }

  /** Handle of the page that an address of the direct map or of the kernel image lies in. */
  virtToPage(address: Vaddr): Handle {
    const { map, env } = this.mm;
    let physical = address - PAGE_OFFSET;
    if (address < 0 && address >= KERNEL_TEXT_START) {
      physical = env.guest.translate(address);
      if (physical < 0) physical = address - START_KERNEL_MAP;
    }
    const pfn = Math.floor(physical / PAGE_SIZE);
    if (pfn >= 0 && pfn < map.maxPfn) return map.pfnToPage(pfn);
    return this.page(VMEMMAP_START + pfn * Page.size);
  }
}

/** What C gets as `struct page *`. */
const pagePointer = (mm: PageAllocator, page: Handle): Vaddr =>
  page === 0 ? 0 : pageToVmemmap(mm.map.base, page);

/** @linux mm/page_alloc.c:__get_free_pages full */
export function getFreePages(mm: PageAllocator, gfp: number, order: number): Vaddr {
  const page = mm.allocPages(gfp & ~__GFP_HIGHMEM, order);
  return page === 0 ? 0 : mm.pageAddress(page);
}

/** Pages for exactly so many bytes: the rest of the block is freed. @linux mm/page_alloc.c:alloc_pages_exact full */
export function allocPagesExact(mm: PageAllocator, bytes: number, gfp: number): Vaddr {
  const order = getOrder(bytes);
  if (gfp & (__GFP_COMP | __GFP_HIGHMEM)) {
    mm.slow.warnOnce('mm/page_alloc.c', 5812, 'alloc_pages_exact');
    gfp &= ~(__GFP_COMP | __GFP_HIGHMEM);
  }
  const page = mm.allocPages(gfp, order);
  if (page === 0) return 0;
  mm.splitPage(page, order);
  for (let i = Math.ceil(bytes / PAGE_SIZE); i < 1 << order; i++) mm.freePages(page + i * PAGE_WORDS, 0);
  return mm.pageAddress(page);
}

/** Where `__alloc_pages_bulk` puts its pages. */
interface BulkTarget {
  /** True if the next place already holds a page. */
  taken(index: number): boolean;
  put(index: number, page: Handle): void;
}

function bulkTarget(mm: PageAllocator, list: Vaddr, array: Vaddr): BulkTarget {
  const { guest } = mm.env;
  const bytes = (pointer: Vaddr) => new Uint8Array(BigInt64Array.of(BigInt(pointer)).buffer);
  if (array !== 0)
    return {
      taken: (index) => guest.readU64(array + 8 * index) !== 0n,
      put: (index, page) => guest.write(array + 8 * index, bytes(pagePointer(mm, page))),
    };
  return {
    taken: () => false,
    put: (_, page) => {
      const node = pagePointer(mm, page) + Page.o.lru;
      const first = Number(BigInt.asIntN(64, guest.readU64(list)));
      guest.write(node, bytes(first));
      guest.write(node + 8, bytes(list));
      guest.write(first + 8, bytes(node));
      guest.write(list, bytes(node));
    },
  };
}

/**
 * Many single pages at once, as far as memory is plentiful; at least one if any can be had.
 * @returns how many places are filled, those filled before included
 * @linux mm/page_alloc.c:__alloc_pages_bulk full
 */
export function allocPagesBulk(
  mm: PageAllocator,
  gfp: number,
  nrPages: number,
  list: Vaddr,
  array: Vaddr,
): number {
  const target = bulkTarget(mm, list, array);
  let filled = 0;
  let allocated = 0;
  while (filled < nrPages) {
    if (target.taken(filled)) {
      filled++;
      continue;
    }
    const page = allocated === 0 ? mm.allocPages(gfp, 0) : mm.allocAboveLow(gfp);
    if (page === 0) break;
    target.put(filled++, page);
    allocated++;
  }
  return filled;
}

/** Free pages above the high marks, of the zones that GFP_USER may use. @linux mm/page_alloc.c:nr_free_buffer_pages full */
export function nrFreeBufferPages(mm: PageAllocator): number {
  let pages = 0;
  for (let z = gfpZone(0); z >= 0; z--) pages += mm.pagesAboveHigh(z);
  return pages;
}

export const pageExports = (mm: PageAllocator): KernelExports => {
  const args = new PageArguments(mm);
  const alloc = (gfp: number, order: number) => pagePointer(mm, mm.allocPages(gfp, order));
  const freeAddress = (address: Vaddr, order: number) => {
    if (address !== 0) mm.freePages(args.virtToPage(address), order);
  };
  const freeExact = (address: Vaddr, bytes: number) => {
    for (let at = 0; at < bytes; at += PAGE_SIZE) freeAddress(address + at, 0);
  };
  return {
    alloc_pages: ['p:uu', alloc],
    __alloc_pages: ['p:uuip', alloc],
    __folio_alloc: ['p:uuip', (gfp: number, order: number) => alloc(gfp | __GFP_COMP, order)],
    folio_alloc: ['p:uu', (gfp: number, order: number) => alloc(gfp | __GFP_COMP, order)],
    __free_pages: ['v:pu', (page: Vaddr, order: number) => void mm.freePages(args.page(page), order)],
    __get_free_pages: ['p:uu', (gfp: number, order: number) => getFreePages(mm, gfp, order)],
    get_zeroed_page: ['p:u', (gfp: number) => getFreePages(mm, gfp | __GFP_ZERO, 0)],
    free_pages: ['v:pu', (address: Vaddr, order: number) => void freeAddress(address, order)],
    alloc_pages_exact: ['p:zu', (bytes: number, gfp: number) => allocPagesExact(mm, bytes, gfp)],
    free_pages_exact: ['v:pz', (address: Vaddr, bytes: number) => void freeExact(address, bytes)],
    __alloc_pages_bulk: [
      'z:uipipp',
      (gfp: number, _nid: number, _mask: Vaddr, nr: number, list: Vaddr, array: Vaddr) =>
        allocPagesBulk(mm, gfp, nr, list, array),
    ],
    split_page: ['v:pu', (page: Vaddr, order: number) => void mm.splitPage(args.page(page), order)],
    get_page: ['v:p', (page: Vaddr) => void mm.getPage(args.page(page))],
    put_page: ['v:p', (page: Vaddr) => void mm.putPage(args.page(page))],
    __folio_put: ['v:p', (page: Vaddr) => void mm.putZeroPage(args.page(page))],
    ...pageListExports(mm, args),
    nr_free_buffer_pages: ['z:', () => nrFreeBufferPages(mm)],
    __virt_addr_valid: ['b:p', (address: Vaddr) => mm.env.ram.isDirect(address)],
    is_free_buddy_page: ['b:p', (page: Vaddr) => isFreeBuddyPage(mm, args.page(page))],
  };
};

/** True if a page lies in a free block. @linux mm/page_alloc.c:is_free_buddy_page full */
export function isFreeBuddyPage(mm: PageAllocator, page: Handle): boolean {
  const pfn = mm.pageToPfn(page);
  for (let order = 0; order < MAX_ORDER; order++) {
    const head = mm.pfnToPage(pfn & ~((1 << order) - 1));
    if (mm.buddy.isBuddy(head) && mm.buddy.order(head) >= order) return true;
  }
  return false;
}
