// SPDX-License-Identifier: MIT
/**
 * What happens when no free block of the wanted migrate type is left: take one of another type, and as much of its
 * pageblock along as keeps the types apart in future. Also the pageblocks set aside for high-order atomic
 * allocations.
 */

import { step } from '../lib/walk.js';
import type { Handle } from '../machine/layout.js';
import type { Buddy } from './free_area.js';
import type { MemMap } from './memmap.js';
import {
  MAX_ORDER,
  MIGRATE_HIGHATOMIC,
  MIGRATE_MOVABLE,
  MIGRATE_PCPTYPES,
  MIGRATE_RECLAIMABLE,
  MIGRATE_UNMOVABLE,
  PAGEBLOCK_NR_PAGES,
  PAGEBLOCK_ORDER,
  ZONE_BOOSTED_WATERMARK,
  Zone,
} from './mmzone.js';
import { PAGE_WORDS } from './page.js';
import type { PageTrace } from './page_trace.js';
import { ALLOC_KSWAPD, ALLOC_NOFRAGMENT, boostWatermark } from './watermark.js';

/** Which other types' blocks to take, best first. */
const FALLBACKS: readonly (readonly [number, number])[] = [
  [MIGRATE_RECLAIMABLE, MIGRATE_MOVABLE], // for unmovable
  [MIGRATE_RECLAIMABLE, MIGRATE_UNMOVABLE], // for movable
  [MIGRATE_UNMOVABLE, MIGRATE_MOVABLE], // for reclaimable
];

const RESERVED_HIGHATOMIC = Zone.w.nr_reserved_highatomic;

/** What mixing types depends on besides the zone. */
export interface FallbackPolicy {
  /** vm.watermark_boost_factor, or 0 where no kswapd would take the boost back. */
  boostFactor(): number;
  /** True on machines too small to keep types apart: fewer pages than five pageblocks. */
  groupingDisabled(): boolean;
  readonly trace: PageTrace;
}

/** An allocation that found no block of its own type. */
interface Request {
  readonly zone: Handle;
  readonly order: number;
  readonly startType: number;
  readonly allocFlags: number;
}

export class Fallback {
  constructor(
    private readonly map: MemMap,
    private readonly buddy: Buddy,
    private readonly policy: FallbackPolicy,
  ) {}

  /**
   * Takes a block from a zone: of its own type, or after borrowing from another; 0 if the zone has none.
   * @linux mm/page_alloc.c:__rmqueue full
   */
  rmqueue(zone: Handle, order: number, migratetype: number, allocFlags: number): Handle {
    for (;;) {
      step(this.map.ram);
      const page = this.buddy.rmqueueSmallest(zone, order, migratetype);
      if (page !== 0 || !this.borrow(zone, order, migratetype, allocFlags)) return page;
    }
  }

  /**
   * Moves a block of another type to this type's free list; false if there is none. The largest block is taken, so
   * that pageblocks change hands whole; but movable pages, which can be moved out again, take the smallest.
   * @linux mm/page_alloc.c:__rmqueue_fallback full
   */
  private borrow(zone: Handle, order: number, startType: number, allocFlags: number): boolean {
    const request = { zone, order, startType, allocFlags };
    const minOrder = allocFlags & ALLOC_NOFRAGMENT ? Math.max(order, PAGEBLOCK_ORDER) : order;
    for (let current = MAX_ORDER - 1; current >= minOrder; current--) {
      const type = this.findSuitable(zone, current, startType);
      if (type < 0) continue;
      if (!this.canSteal(current, startType) && startType === MIGRATE_MOVABLE && current > order)
        return this.borrowSmallest(request);
      this.steal(request, current, type);
      return true;
    }
    return false;
  }

  private borrowSmallest(request: Request): boolean {
    for (let current = request.order; current < MAX_ORDER; current++) {
      const type = this.findSuitable(request.zone, current, request.startType);
      if (type < 0) continue;
      this.steal(request, current, type);
      return true;
    }
    return false;
  }

  /** Another type with free blocks of an order, or -1. @linux mm/page_alloc.c:find_suitable_fallback full */
  private findSuitable(zone: Handle, order: number, startType: number): number {
    if (this.buddy.nrFree(zone, order) === 0) return -1;
    for (const type of FALLBACKS[startType])
      if (!this.map.listEmpty(this.buddy.freeList(zone, order, type))) return type;
    return -1;
  }

  /** True if more than the block itself may be taken. @linux mm/page_alloc.c:can_steal_fallback full */
  private canSteal(order: number, startType: number): boolean {
    return (
      order >= PAGEBLOCK_ORDER >> 1 ||
      startType === MIGRATE_RECLAIMABLE ||
      startType === MIGRATE_UNMOVABLE ||
      this.policy.groupingDisabled()
    );
  }

  /**
   * Moves a block of another type, and what else of its pageblock may come along, to the wanted type.
   * @linux mm/page_alloc.c:steal_suitable_fallback full
   */
  private steal({ zone, order, startType, allocFlags }: Request, current: number, type: number): void {
    const { map, buddy } = this;
    const page = map.firstPage(buddy.freeList(zone, current, type));
    const oldType = buddy.pageblockMigratetype(page);
    let wholeBlock = false;
    if (oldType !== MIGRATE_HIGHATOMIC && current >= PAGEBLOCK_ORDER) {
      for (let i = 0; i < 1 << current; i += PAGEBLOCK_NR_PAGES)
        buddy.setPageblockMigratetype(page + i * PAGE_WORDS, startType);
    } else if (oldType !== MIGRATE_HIGHATOMIC) {
      if (boostWatermark(map, zone, this.policy.boostFactor()) && allocFlags & ALLOC_KSWAPD)
        map.i32[zone + Zone.w.flags] |= 1 << ZONE_BOOSTED_WATERMARK;
      if (this.canSteal(current, startType)) wholeBlock = this.claimBlock(zone, page, oldType, startType);
    }
    if (!wholeBlock) buddy.moveToFreeList(page, zone, current, startType);
    const { mmPageAllocExtfrag } = this.policy.trace;
    if (mmPageAllocExtfrag.enabled)
      mmPageAllocExtfrag.emit({
        pfn: map.pageToPfn(page),
        alloc_order: order,
        fallback_order: current,
        alloc_migratetype: startType,
        fallback_migratetype: type,
        change_ownership: buddy.pageblockMigratetype(page) === startType ? 1 : 0,
      });
  }

  /**
   * Takes all free pages of a pageblock, and the block itself if at least half of it is then of the new type.
   * @returns false if nothing was moved
   */
  private claimBlock(zone: Handle, page: Handle, oldType: number, startType: number): boolean {
    const { free, movable } = this.buddy.moveFreepagesBlock(zone, page, startType);
    if (free === 0) return false;
    let alike = 0;
    if (startType === MIGRATE_MOVABLE) alike = movable;
    else if (oldType === MIGRATE_MOVABLE) alike = PAGEBLOCK_NR_PAGES - (free + movable);
    if (free + alike >= PAGEBLOCK_NR_PAGES >> 1 || this.policy.groupingDisabled())
      this.buddy.setPageblockMigratetype(page, startType);
    return true;
  }

  /**
   * After a high-order atomic allocation: keeps the rest of its pageblock for the next ones, up to about 1 % of the
   * zone.
   * @linux mm/page_alloc.c:reserve_highatomic_pageblock full
   */
  reserveHighatomic(zone: Handle, page: Handle): void {
    const { i32 } = this.map;
    const max = Math.floor(i32[zone + Zone.w.managed_pages] / 100) + PAGEBLOCK_NR_PAGES;
    if (i32[zone + RESERVED_HIGHATOMIC] >= max) return;
    if (this.buddy.pageblockMigratetype(page) >= MIGRATE_PCPTYPES) return;
    i32[zone + RESERVED_HIGHATOMIC] += PAGEBLOCK_NR_PAGES;
    this.buddy.setPageblockMigratetype(page, MIGRATE_HIGHATOMIC);
    this.buddy.moveFreepagesBlock(zone, page, MIGRATE_HIGHATOMIC);
  }

  /**
   * Gives one reserved pageblock of a zone back to ordinary use.
   * @param force also the last one
   * @returns true if pages were freed for the type
   * @linux mm/page_alloc.c:unreserve_highatomic_pageblock full
   */
  unreserveHighatomic(zone: Handle, migratetype: number, force: boolean): boolean {
    const { map, buddy } = this;
    if (!force && map.i32[zone + RESERVED_HIGHATOMIC] <= PAGEBLOCK_NR_PAGES) return false;
    for (let order = 0; order < MAX_ORDER; order++) {
      const list = buddy.freeList(zone, order, MIGRATE_HIGHATOMIC);
      if (map.listEmpty(list)) continue;
      const page = map.firstPage(list);
      if (buddy.pageblockMigratetype(page) === MIGRATE_HIGHATOMIC)
        map.i32[zone + RESERVED_HIGHATOMIC] -= Math.min(
          PAGEBLOCK_NR_PAGES,
          map.i32[zone + RESERVED_HIGHATOMIC],
        );
      buddy.setPageblockMigratetype(page, migratetype);
      if (buddy.moveFreepagesBlock(zone, page, migratetype).free > 0) return true;
    }
    return false;
  }
}
