// SPDX-License-Identifier: MIT
/**
 * The page allocator: zones of page frames, handed out in blocks of 2^order.
 *
 *     allocPages ─ getPageFromFreelist: the highest zone allowed whose watermark holds
 *                    ├─ orders 0–3, 9: this CPU's list (pcp.ts), refilled by batches
 *                    └─ otherwise:     the zone (zone_blocks.ts): the buddy system (free_area.ts), borrowing
 *                                      across types (fallback.ts)
 *                ─ slow path (page_alloc_slow.ts): reserves, reclaim, failure report
 *
 * Everything that changes lies in RAM; this object holds word indices and constants.
 */

import { type Env, KERN_INFO } from '../lib/env.js';
import {
  type Handle,
  PAGE_OFFSET,
  PAGE_SHIFT,
  PAGE_SIZE,
  type Pfn,
  type Vaddr,
  VMEMMAP_START,
} from '../machine/layout.js';
import { prepCompoundPage } from './compound.js';
import { Fallback } from './fallback.js';
import { Buddy } from './free_area.js';
import { __GFP_COMP, __GFP_NOWARN, __GFP_ZERO, gfpMigratetype, gfpZone } from './gfp.js';
import type { Memblock } from './memblock.js';
import { MemMap, ZONE_WORDS } from './memmap.js';
import {
  initMemmap,
  initZones,
  memblockFreeAll,
  memoryLines,
  placeZoneNames,
  zoneRangeLines,
} from './mm_init.js';
import { MAX_NR_ZONES, MAX_ORDER, WMARK_HIGH, ZONE_BOOSTED_WATERMARK, Zone } from './mmzone.js';
import {
  compoundHead,
  compoundOrder,
  PAGE_FLAGS_CHECK_AT_FREE,
  PAGE_FLAGS_CHECK_AT_PREP,
  PAGE_WORDS,
  Page,
  PG_head,
} from './page.js';
import { PageAllocSlow } from './page_alloc_slow.js';
import { PageCheck } from './page_check.js';
import { PageDebug } from './page_debug.js';
import { PageFast } from './page_fast.js';
import { NO_PFN, PageTrace } from './page_trace.js';
import { PerCpuLists, pcpAllowedOrder } from './pcp.js';
import { VmSettings } from './vm_settings.js';
import {
  countUp,
  NR_FREE_PAGES,
  PGALLOC_DMA,
  PGFREE,
  VmStat,
  ZONE_NUMA_EVENT,
  ZONE_VM_STAT,
} from './vmstat.js';
import {
  ALLOC_HARDER,
  ALLOC_KSWAPD,
  ALLOC_NO_WATERMARKS,
  ALLOC_WMARK_LOW,
  ALLOC_WMARK_MASK,
  wmarkPages,
  zoneWatermarkFast,
} from './watermark.js';
import { ZoneBlocks } from './zone_blocks.js';

const REFCOUNT = Page.w._refcount;
const PRIVATE = Page.w.private;
const MAPPING = Page.w.mapping;
const LRU_NEXT = Page.w.lru;
const COMPOUND_HEAD = Page.w.compound_head;
const FREE_PAGES = ZONE_VM_STAT + 2 * NR_FREE_PAGES;
const MANAGED = Zone.w.managed_pages;
const NUMA_HIT = ZONE_NUMA_EVENT;
const ZONE_FLAGS = Zone.w.flags;

export { pageExports } from './page_exports.js';

/** Page frames and their allocator. */
export class PageAllocator {
  readonly map: MemMap;
  readonly buddy: Buddy;
  readonly blocks: ZoneBlocks;
  readonly pcp: PerCpuLists;
  readonly stat: VmStat;
  readonly check: PageCheck;
  readonly debug: PageDebug;
  readonly fallback: Fallback;
  readonly slow: PageAllocSlow;
  readonly settings: VmSettings;
  readonly trace: PageTrace;
  private readonly fast: PageFast;

  /** Frees memory that is in use; returns how many pages. */
  reclaim?: (gfp: number, order: number) => number;
  /** Wakes the zone's background reclaim. */
  wakeKswapd?: (gfp: number, order: number, highestZone: number) => void;
  /** Kills a task to free its memory; true if that may help. */
  outOfMemory?: (gfp: number, order: number) => boolean;
  private shouldFail: ((gfp: number, order: number) => boolean) | null = null;
  /** Called when `shouldFailAllocPage` was set. */
  onFaultInjectionChange: () => void = () => {};

  private readonly i32: Int32Array;
  private readonly totalramVar: Handle;
  private readonly zoneNames: Handle;
  private readonly pgallocEvents: Handle;
  private readonly pgfreeEvents: Handle;
  private readonly debugActive: boolean;
  /** False sends every allocation through the general path: for the test that compares the two. */
  useFastPath: boolean;

  constructor(readonly env: Env) {
    this.i32 = env.ram.i32;
    this.map = new MemMap(env);
    const declare = (name: string, bytes: number) => env.data.declare(name, bytes);
    this.totalramVar = declare('_totalram_pages', 8);
    this.zoneNames = declare('zone_names', 8 * MAX_NR_ZONES);
    this.stat = new VmStat(env, this.map);
    this.buddy = new Buddy(this.map);
    this.check = new PageCheck(env, this.map);
    this.trace = new PageTrace(env, (pfn) => this.check.formatPointer(VMEMMAP_START + pfn * Page.size));
    this.fallback = new Fallback(this.map, this.buddy, {
      boostFactor: () => (this.wakeKswapd ? this.settings.watermarkBoostFactor : 0),
      groupingDisabled: () => this.settings.groupingDisabled,
      trace: this.trace,
    });
    this.blocks = new ZoneBlocks(this.map, this.buddy, this.fallback, this.check, this.trace);
    this.pcp = new PerCpuLists(this.map, this.blocks);
    this.settings = new VmSettings(env, this.map, this.pcp);
    this.debug = new PageDebug(env, this);
    this.slow = new PageAllocSlow(env, this);
    this.fast = new PageFast(env, this.map, this.stat);
    this.pgallocEvents = this.stat.events + 2 * PGALLOC_DMA;
    this.pgfreeEvents = this.stat.events + 2 * PGFREE;
    this.debugActive = this.debug.active;
    this.useFastPath = !this.debugActive;
  }

  /** Fault injection: true makes an allocation fail at once. */
  get shouldFailAllocPage() {
    return this.shouldFail;
  }
  set shouldFailAllocPage(shouldFail: ((gfp: number, order: number) => boolean) | null) {
    this.shouldFail = shouldFail;
    this.onFaultInjectionChange();
  }

  /** Builds zones and memmap, and takes all memory that memblock has free. */
  boot(memblock: Memblock): void {
    const { map, buddy, i32 } = this;
    map.boot((bytes, align) => memblock.alloc(bytes, align));
    this.debug.boot(memblock);
    initZones(map, memblock);
    this.env.log.log(KERN_INFO, zoneRangeLines(map, memblock).join('\n'));
    this.debug.logBoot();
    placeZoneNames(map, this.zoneNames);
    for (let i = 0; i < MAX_NR_ZONES; i++) buddy.initFreeLists(map.zone(i));
    initMemmap(map, buddy);
    this.pcp.boot();
    memblockFreeAll(map, memblock, (pfn, order) => {
      const page = map.pfnToPage(pfn);
      const zone = map.zoneOfPage(page);
      i32[zone + MANAGED] += 1 << order;
      i32[this.totalramVar] += 1 << order;
      i32[zone + FREE_PAGES] += 1 << order;
      this.debug.initFree(page, order);
      buddy.freeOnePage(page, pfn, zone, order, buddy.pfnblockMigratetype(pfn), true);
    });
    this.settings.boot(this.totalramPages);
    this.fast.attach();
    this.env.log.log(
      KERN_INFO,
      memoryLines(map, this.totalramPages, this.settings.groupingDisabled).join('\n'),
    );
  }

  /** Pages that the allocator manages. @linux include/linux/mm.h:totalram_pages full */
  get totalramPages(): number {
    return this.i32[this.totalramVar];
  }

  // ----------------------------------------------------------------------------------------------
  // Allocation

  /**
   * A block of 2^order pages.
   * @param gfp GFP_* flags
   * @param order 0 to 10
   * @returns the first page's handle, 0 if there is no memory (then a report was logged, unless __GFP_NOWARN)
   * @linux mm/page_alloc.c:__alloc_pages full
   */
  allocPages(gfp: number, order: number): Handle {
    if (order >>> 0 >= MAX_ORDER) {
      if ((gfp & __GFP_NOWARN) === 0) this.slow.warnOnce('mm/page_alloc.c', 5534, '__alloc_pages');
      return 0;
    }
    if (this.shouldFail?.(gfp, order)) return 0;
    const highest = gfpZone(gfp);
    const migratetype = this.settings.groupingDisabled ? 0 : gfpMigratetype(gfp);
    let page = 0;
    if (order === 0 && this.useFastPath) page = this.fast.alloc(gfp, highest, migratetype);
    const allocFlags = ALLOC_WMARK_LOW | (gfp & ALLOC_KSWAPD);
    if (page === 0) page = this.getPageFromFreelist(gfp, order, allocFlags, highest, migratetype);
    if (page === 0) page = this.slow.allocPages(gfp, order, highest, migratetype);
    if (this.trace.mmPageAlloc.enabled) this.traceAlloc(page, order, gfp, migratetype);
    return page;
  }

  /** A single page if that needs no reserve and no reclaim, else 0. */
  allocAboveLow(gfp: number): Handle {
    const migratetype = this.settings.groupingDisabled ? 0 : gfpMigratetype(gfp);
    return this.getPageFromFreelist(
      gfp,
      0,
      ALLOC_WMARK_LOW | (gfp & ALLOC_KSWAPD),
      gfpZone(gfp),
      migratetype,
    );
  }

  /**
   * Takes a block from the highest zone that may be used and has enough, or 0.
   * @linux mm/page_alloc.c:get_page_from_freelist full
   */
  getPageFromFreelist(
    gfp: number,
    order: number,
    allocFlags: number,
    highest: number,
    migratetype: number,
  ): Handle {
    const { i32, map } = this;
    for (let z = highest; z >= 0; z--) {
      const zone = map.zones + z * ZONE_WORDS;
      if (i32[zone + MANAGED] === 0) continue;
      const mark = wmarkPages(map, zone, allocFlags & ALLOC_WMARK_MASK);
      if (
        !zoneWatermarkFast(this.buddy, map, zone, order, mark, highest, allocFlags, gfp) &&
        (allocFlags & ALLOC_NO_WATERMARKS) === 0
      )
        continue;
      const page = this.rmqueue(zone, z, order, migratetype, allocFlags);
      if (page === 0) continue;
      this.prepNewPage(page, order, gfp, allocFlags);
      if (order > 0 && (allocFlags & ALLOC_HARDER) !== 0) this.fallback.reserveHighatomic(zone, page);
      return page;
    }
    return 0;
  }

  /** @linux mm/page_alloc.c:rmqueue full */
  private rmqueue(zone: Handle, z: number, order: number, migratetype: number, allocFlags: number): Handle {
    const { map } = this;
    let page = 0;
    if (pcpAllowedOrder(order))
      page = this.pcp.alloc(zone, map.pcp(z, this.env.cpu()), order, migratetype, allocFlags);
    if (page === 0) page = this.blocks.rmqueueBuddy(zone, order, migratetype, allocFlags);
    if (page === 0) return 0;
    const { i32 } = this;
    if ((allocFlags & ALLOC_KSWAPD) !== 0 && (i32[zone + ZONE_FLAGS] & (1 << ZONE_BOOSTED_WATERMARK)) !== 0) {
      i32[zone + ZONE_FLAGS] &= ~(1 << ZONE_BOOSTED_WATERMARK);
      this.wakeKswapd?.(0, 0, z);
    }
    countUp(i32, this.pgallocEvents + 2 * z, 1 << order);
    countUp(i32, zone + NUMA_HIT, 1);
    return page;
  }

  private traceAlloc(page: Handle, order: number, gfp: number, migratetype: number): void {
    const pfn = page === 0 ? NO_PFN : this.pageToPfn(page);
    this.trace.mmPageAlloc.emit({ pfn, order, gfp_flags: gfp, migratetype });
  }

  /** @linux mm/page_alloc.c:prep_new_page full */
  private prepNewPage(page: Handle, order: number, gfp: number, allocFlags: number): void {
    const { i32 } = this;
    i32[page + PRIVATE] = i32[page + PRIVATE + 1] = 0;
    i32[page + REFCOUNT] = 1;
    if (this.debugActive) this.debug.postAlloc(page, order, gfp);
    else if ((gfp & __GFP_ZERO) !== 0) this.clearPages(page, order);
    if (order > 0 && (gfp & __GFP_COMP) !== 0) prepCompoundPage(this.map, page, order);
    // Marks a page from the reserves, as Linux does, in the links that nobody uses now.
    i32[page + LRU_NEXT] = (allocFlags & ALLOC_NO_WATERMARKS) !== 0 ? 2 : 0;
    i32[page + LRU_NEXT + 1] = 0;
  }

  /** Fills a block's memory with zeros. */
  clearPages(page: Handle, order: number): void {
    const start = ((page - this.map.base) >> 4) << (PAGE_SHIFT - 2);
    this.i32.fill(0, start, start + (1024 << order));
  }

  // ----------------------------------------------------------------------------------------------
  // Freeing

  /**
   * Drops a reference to a block, and frees it if that was the last. If somebody else still holds the first page of
   * a block that is not compound, the other pages are freed now.
   * @linux mm/page_alloc.c:__free_pages differs: a reference too many is reported at once
   */
  freePages(page: Handle, order: number): void {
    const { i32 } = this;
    if (this.trace.mmPageFree.enabled) this.trace.mmPageFree.emit({ pfn: this.pageToPfn(page), order });
    if (order === 0 && this.useFastPath && this.fast.free(page)) return;
    const isHead = (i32[page] & (1 << PG_head)) !== 0;
    const count = --i32[page + REFCOUNT];
    if (count === 0) {
      this.freeThePage(page, order);
    } else if (count < 0) {
      this.check.freePageIsBad(page);
      i32[page + REFCOUNT] = 0;
    } else if (!isHead) {
      while (order-- > 0) this.freeThePage(page + (PAGE_WORDS << order), order);
    }
  }

  /** Frees a block that nobody refers to. @linux mm/page_alloc.c:free_the_page full */
  freeThePage(page: Handle, order: number): void {
    const { map } = this;
    const pfn = (page - map.base) >> 4;
    if (order >>> 0 >= MAX_ORDER || (pfn & ((1 << order) - 1)) !== 0)
      this.check.vmBugOnPage(page, 'pfn & ((1 << order) - 1)', 'mm/page_alloc.c', 1103, '__free_one_page');
    if (!this.freePagesPrepare(page, order)) return;
    const z = map.zoneIndexOfPage(page);
    const zone = map.zones + z * ZONE_WORDS;
    const migratetype = this.buddy.pfnblockMigratetype(pfn);
    countUp(this.i32, this.pgfreeEvents, 1 << order);
    if (pcpAllowedOrder(order)) this.pcp.free(page, zone, map.pcp(z, this.env.cpu()), order, migratetype);
    else this.blocks.freeOne(page, zone, order, migratetype);
  }

  /**
   * Checks and cleans a block that is to be free. False if a page of it is bad: then it is never used again.
   * @linux mm/page_alloc.c:free_pages_prepare differs: checks the first page too, as with debug_pagealloc=on
   */
  private freePagesPrepare(page: Handle, order: number): boolean {
    const { i32 } = this;
    let bad = order > 0 && this.check.tailsAreBad(page, order);
    if ((i32[page + MAPPING] & 3) !== 0) i32[page + MAPPING] = i32[page + MAPPING + 1] = 0;
    if (!this.check.expected(page, PAGE_FLAGS_CHECK_AT_FREE) && this.check.freePageIsBad(page)) bad = true;
    if (bad) return false;
    i32[page] &= ~PAGE_FLAGS_CHECK_AT_PREP;
    if (this.debugActive) this.debug.preFree(page, order);
    return true;
  }

  /** Takes a reference. @linux include/linux/mm.h:get_page full */
  getPage(page: Handle): void {
    this.i32[compoundHead(this.map.ram, this.map.base, page) + REFCOUNT]++;
  }

  /** Drops a reference, and frees the page, or the compound page it is part of, if that was the last. */
  putPage(page: Handle): void {
    const head = compoundHead(this.map.ram, this.map.base, page);
    this.freePages(head, compoundOrder(this.map.ram, head));
  }

  /** Frees a page, or compound page, whose last reference is gone. @linux mm/swap.c:__folio_put partial: not on an LRU list */
  putZeroPage(page: Handle): void {
    const head = compoundHead(this.map.ram, this.map.base, page);
    this.freeThePage(head, compoundOrder(this.map.ram, head));
  }

  /**
   * Makes 2^order separate pages of a block that is not compound.
   * @linux mm/page_alloc.c:split_page full
   */
  splitPage(page: Handle, order: number): void {
    const { i32 } = this;
    if ((i32[page] & (1 << PG_head)) !== 0 || (i32[page + COMPOUND_HEAD] & 1) !== 0)
      this.check.vmBugOnPage(page, 'PageCompound(page)', 'mm/page_alloc.c', 3657, 'split_page');
    if (i32[page + REFCOUNT] === 0)
      this.check.vmBugOnPage(page, '!page_count(page)', 'mm/page_alloc.c', 3658, 'split_page');
    for (let i = 1; i < 1 << order; i++) i32[page + i * PAGE_WORDS + REFCOUNT] = 1;
    this.debug.splitOwner(page, order);
  }

  // ----------------------------------------------------------------------------------------------
  // Pages, frames, addresses

  pageToPfn(page: Handle): Pfn {
    return this.map.pageToPfn(page);
  }

  pfnToPage(pfn: Pfn): Handle {
    return this.map.pfnToPage(pfn);
  }

  /** Direct-map address of a page's memory. */
  pageAddress(page: Handle): Vaddr {
    return this.map.pageAddress(page);
  }

  /** The page that a direct-map address lies in; a tail page's head is not followed. */
  virtToPage(address: Vaddr): Handle {
    return this.map.pfnToPage(Math.floor((address - PAGE_OFFSET) / PAGE_SIZE));
  }

  /** Pages free for allocation: those of the buddy system and those that CPUs hold. */
  freePageCount(): number {
    return this.nrFreePages() + this.nrPcpPages();
  }

  /** NR_FREE_PAGES: what MemFree shows. */
  nrFreePages(): number {
    return this.stat.globalZonePageState(NR_FREE_PAGES);
  }

  /** Managed pages of a zone above its high mark. */
  pagesAboveHigh(zoneIndex: number): number {
    const zone = this.map.zone(zoneIndex);
    return Math.max(0, this.i32[zone + MANAGED] - wmarkPages(this.map, zone, WMARK_HIGH));
  }

  /** Pages on per-CPU lists. */
  nrPcpPages(): number {
    let pages = 0;
    for (let z = 0; z < MAX_NR_ZONES; z++) pages += this.pcp.zoneCount(z);
    return pages;
  }

  /** Empties all per-CPU lists. @linux mm/page_alloc.c:drain_all_pages full */
  drainAllPages(): void {
    this.pcp.drain();
  }
}
