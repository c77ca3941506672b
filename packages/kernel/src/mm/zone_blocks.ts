// SPDX-License-Identifier: MIT
/**
 * Blocks out of a zone's free lists and back into them: NR_FREE_PAGES is kept, and what comes out is checked.
 * Between this and the page allocator's callers are the per-CPU lists.
 */

import { step } from '../lib/walk.js';
import type { Handle } from '../machine/layout.js';
import type { Fallback } from './fallback.js';
import type { Buddy } from './free_area.js';
import type { MemMap } from './memmap.js';
import { MIGRATE_HIGHATOMIC } from './mmzone.js';
import { Page } from './page.js';
import type { PageCheck } from './page_check.js';
import type { PageTrace } from './page_trace.js';
import type { ZoneSource } from './pcp.js';
import { NR_FREE_PAGES, ZONE_VM_STAT } from './vmstat.js';
import { ALLOC_HARDER } from './watermark.js';

const LRU_NEXT = Page.w.lru;
const FREE_PAGES = ZONE_VM_STAT + 2 * NR_FREE_PAGES;

export class ZoneBlocks implements ZoneSource {
  private readonly i32: Int32Array;

  constructor(
    private readonly map: MemMap,
    private readonly buddy: Buddy,
    private readonly fallback: Fallback,
    private readonly check: PageCheck,
    private readonly trace: PageTrace,
  ) {
    this.i32 = map.ram.i32;
  }

  /** Takes a block, 0 if the zone has none. @linux mm/page_alloc.c:rmqueue_buddy full */
  rmqueueBuddy(zone: Handle, order: number, migratetype: number, allocFlags: number): Handle {
    const { buddy } = this;
    for (;;) {
      step(this.map.ram);
      let page = 0;
      if (order > 0 && (allocFlags & ALLOC_HARDER) !== 0)
        page = buddy.rmqueueSmallest(zone, order, MIGRATE_HIGHATOMIC);
      if (page === 0) page = this.fallback.rmqueue(zone, order, migratetype, allocFlags);
      if (page === 0) return 0;
      this.i32[zone + FREE_PAGES] -= 1 << order;
      this.traceZoneLocked(page, order, migratetype, 0);
      if (!this.check.newBlockIsBad(page, order)) return page;
    }
  }

  /** Fills a per-CPU list. @linux mm/page_alloc.c:rmqueue_bulk full */
  rmqueueBulk(
    zone: Handle,
    order: number,
    nr: number,
    list: Handle,
    migratetype: number,
    allocFlags: number,
  ): number {
    let taken = 0;
    for (let i = 0; i < nr; i++) {
      const page = this.fallback.rmqueue(zone, order, migratetype, allocFlags);
      if (page === 0) break;
      this.i32[zone + FREE_PAGES] -= 1 << order;
      this.traceZoneLocked(page, order, migratetype, 1);
      if (this.check.newBlockIsBad(page, order)) continue;
      this.map.listAddTail(page + LRU_NEXT, list);
      taken++;
    }
    return taken;
  }

  private traceZoneLocked(page: Handle, order: number, migratetype: number, refill: number): void {
    const { mmPageAllocZoneLocked } = this.trace;
    if (mmPageAllocZoneLocked.enabled)
      mmPageAllocZoneLocked.emit({
        pfn: this.map.pageToPfn(page),
        order,
        migratetype,
        percpu_refill: refill,
      });
  }

  /** Gives a block to the buddy system. @linux mm/page_alloc.c:free_one_page full */
  freeOne(page: Handle, zone: Handle, order: number, migratetype: number): void {
    this.i32[zone + FREE_PAGES] += 1 << order;
    this.buddy.freeOnePage(page, (page - this.map.base) >> 4, zone, order, migratetype);
  }

  /** Gives a block from a per-CPU list to the buddy system. */
  drainOne(page: Handle, zone: Handle, order: number, migratetype: number): void {
    const { mmPagePcpuDrain } = this.trace;
    if (mmPagePcpuDrain.enabled) mmPagePcpuDrain.emit({ pfn: this.map.pageToPfn(page), order, migratetype });
    this.freeOne(page, zone, order, migratetype);
  }
}
