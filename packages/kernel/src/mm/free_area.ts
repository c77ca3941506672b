// SPDX-License-Identifier: MIT
/**
 * The buddy system: free blocks of 2^order pages, each aligned to its size.
 *
 * Two blocks that differ only in bit `order` of their frame number are buddies. Freeing a block merges it with its
 * free buddy, and the result with its own, as far as that goes; allocating splits the smallest block that is large
 * enough and frees the upper halves again. A free block is known by its first page alone:
 * `_mapcount` = PAGE_BUDDY_MAPCOUNT, `private` = order, `lru` on `zone.free_area[order].free_list[migrate type]`.
 */

import type { Handle, Pfn } from '../machine/layout.js';
import { LRU, type MemMap } from './memmap.js';
import {
  FreeArea,
  MAX_ORDER,
  MIGRATE_PCPTYPES,
  MIGRATE_TYPES,
  PAGEBLOCK_NR_PAGES,
  PAGEBLOCK_ORDER,
  Zone,
} from './mmzone.js';
import { PAGE_BUDDY_MAPCOUNT, PAGE_MAPCOUNT_RESET, PAGE_WORDS, Page } from './page.js';

const MAPCOUNT = Page.w._mapcount;
const PRIVATE = Page.w.private;
const INDEX = Page.w.index;
const FREE_AREA = Zone.w.free_area;
const AREA_WORDS = FreeArea.size / 4;
const NR_FREE = FreeArea.w.nr_free;
const LIST_WORDS = 4;
const ZONE_FLAGS_HI = 7 << 19;

export class Buddy {
  constructor(private readonly map: MemMap) {}

  area(zone: Handle, order: number): Handle {
    return zone + FREE_AREA + order * AREA_WORDS;
  }

  freeList(zone: Handle, order: number, migratetype: number): Handle {
    return zone + FREE_AREA + order * AREA_WORDS + migratetype * LIST_WORDS;
  }

  nrFree(zone: Handle, order: number): number {
    return this.map.i32[zone + FREE_AREA + order * AREA_WORDS + NR_FREE];
  }

  /** @linux mm/page_alloc.c:zone_init_free_lists full */
  initFreeLists(zone: Handle): void {
    for (let order = 0; order < MAX_ORDER; order++)
      for (let type = 0; type < MIGRATE_TYPES; type++)
        this.map.initListHead(this.freeList(zone, order, type));
  }

  isBuddy(page: Handle): boolean {
    return this.map.i32[page + MAPCOUNT] === PAGE_BUDDY_MAPCOUNT;
  }

  /** Order of a free block, by its first page. @linux mm/internal.h:buddy_order full */
  order(page: Handle): number {
    return this.map.i32[page + PRIVATE];
  }

  /** @linux mm/page_alloc.c:add_to_free_list full */
  addToFreeList(page: Handle, zone: Handle, order: number, migratetype: number): void {
    const area = zone + FREE_AREA + order * AREA_WORDS;
    this.map.listAdd(page + LRU, area + migratetype * LIST_WORDS);
    this.map.i32[area + NR_FREE]++;
  }

  /** @linux mm/page_alloc.c:add_to_free_list_tail full */
  addToFreeListTail(page: Handle, zone: Handle, order: number, migratetype: number): void {
    const area = zone + FREE_AREA + order * AREA_WORDS;
    this.map.listAddTail(page + LRU, area + migratetype * LIST_WORDS);
    this.map.i32[area + NR_FREE]++;
  }

  /** @linux mm/page_alloc.c:move_to_free_list full */
  moveToFreeList(page: Handle, zone: Handle, order: number, migratetype: number): void {
    this.map.listDel(page + LRU);
    this.map.listAddTail(page + LRU, this.freeList(zone, order, migratetype));
  }

  /** @linux mm/page_alloc.c:del_page_from_free_list full */
  delPageFromFreeList(page: Handle, zone: Handle, order: number): void {
    const { map } = this;
    map.listDel(page + LRU);
    map.i32[page + MAPCOUNT] = PAGE_MAPCOUNT_RESET;
    map.i32[page + PRIVATE] = 0;
    map.i32[zone + FREE_AREA + order * AREA_WORDS + NR_FREE]--;
  }

  /** @linux mm/page_alloc.c:set_buddy_order full */
  setBuddyOrder(page: Handle, order: number): void {
    this.map.i32[page + PRIVATE] = order;
    this.map.i32[page + PRIVATE + 1] = 0;
    this.map.i32[page + MAPCOUNT] = PAGE_BUDDY_MAPCOUNT;
  }

  /**
   * The buddy of a block if it is free and whole, else 0.
   * @linux mm/internal.h:find_buddy_page_pfn full
   */
  findBuddy(page: Handle, pfn: Pfn, order: number): Handle {
    const buddyPfn = pfn ^ (1 << order);
    if (buddyPfn >= this.map.maxPfn) return 0;
    const { i32 } = this.map;
    const buddy = page + (buddyPfn - pfn) * PAGE_WORDS;
    if (i32[buddy + MAPCOUNT] !== PAGE_BUDDY_MAPCOUNT || i32[buddy + PRIVATE] !== order) return 0;
    return ((i32[buddy + 1] ^ i32[page + 1]) & ZONE_FLAGS_HI) === 0 ? buddy : 0;
  }

  /**
   * Frees a block, merged with its buddies as far as they are free. NR_FREE_PAGES is the caller's to keep.
   * @param toTail put the block where it is allocated last
   * @linux mm/page_alloc.c:__free_one_page full
   */
  freeOnePage(
    page: Handle,
    pfn: Pfn,
    zone: Handle,
    order: number,
    migratetype: number,
    toTail = false,
  ): void {
    while (order < MAX_ORDER - 1) {
      const buddy = this.findBuddy(page, pfn, order);
      if (buddy === 0 || (order >= PAGEBLOCK_ORDER && !this.mayMergeBlocks(buddy, migratetype))) break;
      this.delPageFromFreeList(buddy, zone, order);
      const merged = pfn & ~(1 << order);
      page -= (pfn - merged) * PAGE_WORDS;
      pfn = merged;
      order++;
    }
    this.setBuddyOrder(page, order);
    if (toTail || this.buddyMergeLikely(page, pfn, order))
      this.addToFreeListTail(page, zone, order, migratetype);
    else this.addToFreeList(page, zone, order, migratetype);
  }

  /** Blocks of whole pageblocks merge only if their types may be mixed. */
  private mayMergeBlocks(buddy: Handle, migratetype: number): boolean {
    const other = this.pageblockMigratetype(buddy);
    return other === migratetype || (other < MIGRATE_PCPTYPES && migratetype < MIGRATE_PCPTYPES);
  }

  /**
   * True if the next larger buddy is free, so that the block may soon merge and is better kept for last.
   * @linux mm/page_alloc.c:buddy_merge_likely full
   */
  private buddyMergeLikely(page: Handle, pfn: Pfn, order: number): boolean {
    if (order >= MAX_ORDER - 2) return false;
    const higherPfn = pfn & ~(1 << order);
    return this.findBuddy(page + (higherPfn - pfn) * PAGE_WORDS, higherPfn, order + 1) !== 0;
  }

  /**
   * Splits a block of order `high` down to `low`: the upper halves go back to the free lists.
   * @linux mm/page_alloc.c:expand full
   */
  expand(zone: Handle, page: Handle, low: number, high: number, migratetype: number): void {
    while (high > low) {
      high--;
      const half = page + (PAGE_WORDS << high);
      this.addToFreeList(half, zone, high, migratetype);
      this.setBuddyOrder(half, high);
    }
  }

  /**
   * Takes a block of one migrate type, splitting the smallest that is large enough; 0 if there is none.
   * @linux mm/page_alloc.c:__rmqueue_smallest full
   */
  rmqueueSmallest(zone: Handle, order: number, migratetype: number): Handle {
    const { map } = this;
    for (let current = order; current < MAX_ORDER; current++) {
      const list = this.freeList(zone, current, migratetype);
      if (map.listEmpty(list)) continue;
      const page = map.firstPage(list);
      this.delPageFromFreeList(page, zone, current);
      this.expand(zone, page, order, current, migratetype);
      map.i32[page + INDEX] = migratetype;
      map.i32[page + INDEX + 1] = 0;
      return page;
    }
    return 0;
  }

  // Pageblocks: 512 pages that share a migrate type.

  /** @linux mm/page_alloc.c:get_pfnblock_flags_mask differs: one bitmap for the machine, four bits a block */
  pageblockMigratetype(page: Handle): number {
    return this.pfnblockMigratetype((page - this.map.base) >> 4);
  }

  pfnblockMigratetype(pfn: Pfn): number {
    const block = pfn >> PAGEBLOCK_ORDER;
    return (this.map.i32[this.map.pageblockFlags + (block >> 3)] >> ((block & 7) << 2)) & 7;
  }

  /** @linux mm/page_alloc.c:set_pageblock_migratetype full */
  setPageblockMigratetype(page: Handle, migratetype: number): void {
    const block = (page - this.map.base) >> (4 + PAGEBLOCK_ORDER);
    const word = this.map.pageblockFlags + (block >> 3);
    const shift = (block & 7) << 2;
    this.map.i32[word] = (this.map.i32[word] & ~(7 << shift)) | (migratetype << shift);
  }

  /**
   * Moves the free blocks of a page's pageblock to another type's lists. A pageblock that reaches below its zone is
   * moved from the page on; one that reaches above is left alone.
   * @linux mm/page_alloc.c:move_freepages_block full
   * @returns free pages moved, and pages in use that are movable
   */
  moveFreepagesBlock(zone: Handle, page: Handle, migratetype: number): { free: number; movable: number } {
    const { map } = this;
    const pfn = map.pageToPfn(page);
    const zoneStart = map.i32[zone + Zone.w.zone_start_pfn];
    const zoneEnd = zoneStart + map.i32[zone + Zone.w.spanned_pages];
    let at = pfn & ~(PAGEBLOCK_NR_PAGES - 1);
    const end = at + PAGEBLOCK_NR_PAGES;
    const moved = { free: 0, movable: 0 };
    if (at < zoneStart) at = pfn;
    if (end > zoneEnd) return moved;
    while (at < end) {
      const p = map.pfnToPage(at);
      if (this.isBuddy(p)) {
        const order = this.order(p);
        this.moveToFreeList(p, zone, order, migratetype);
        moved.free += 1 << order;
        at += 1 << order;
      } else {
        if (this.isMovableInUse(p)) moved.movable++;
        at++;
      }
    }
    return moved;
  }

  /** On an LRU list, or with movable operations. */
  private isMovableInUse(page: Handle): boolean {
    const { i32 } = this.map;
    return (i32[page] & 0x10) !== 0 || (i32[page + Page.w.mapping] & 3) === 2;
  }

  /** Free pages of each order and type, by walking the lists: `counts[type][order]` blocks. */
  countLists(zone: Handle): number[][] {
    return Array.from({ length: MIGRATE_TYPES }, (_, type) =>
      Array.from({ length: MAX_ORDER }, (_, order) => {
        let blocks = 0;
        for (const _ of this.map.pages(this.freeList(zone, order, type))) blocks++;
        return blocks;
      }),
    );
  }
}
