// SPDX-License-Identifier: MIT
/**
 * The common case of allocating and freeing one page, written out in one piece each: the zone is above its low
 * mark, this CPU's list has a page, nothing is wrong with the page. In any other case they touch nothing and say
 * so, and the general path does the work. That path is the specification; a test runs both and compares memory.
 */

import type { Env } from '../lib/env.js';
import { type Handle, PAGE_OFFSET_HI } from '../machine/layout.js';
import { __GFP_ZERO } from './gfp.js';
import { LIST_POISON2, LRU, type MemMap, PCP_WORDS, ZONE_WORDS } from './memmap.js';
import { MAX_NR_ZONES, MIGRATE_PCPTYPES, PerCpuPages, WMARK_LOW, Zone } from './mmzone.js';
import {
  PAGE_FLAGS_CHECK_AT_FREE,
  PAGE_FLAGS_CHECK_AT_PREP,
  Page,
  PG_head,
  POISON_HI,
  VMEMMAP_HI,
  zoneOfFlagsHi,
} from './page.js';
import {
  countUp,
  NR_FREE_PAGES,
  PGALLOC_DMA,
  PGFREE,
  type VmStat,
  ZONE_NUMA_EVENT,
  ZONE_VM_STAT,
} from './vmstat.js';

const FREE_PAGES = ZONE_VM_STAT + 2 * NR_FREE_PAGES;
const RESERVED_HIGHATOMIC = Zone.w.nr_reserved_highatomic;
const LOW = Zone.w._watermark + 2 * WMARK_LOW;
const BOOST = Zone.w.watermark_boost;
const RESERVE = Zone.w.lowmem_reserve;
const ZONE_FLAGS = Zone.w.flags;
const COUNT = PerCpuPages.w.count;
const HIGH = PerCpuPages.w.high;
const FREE_FACTOR = PerCpuPages.w.free_factor;
const LISTS = PerCpuPages.w.lists;
const REFCOUNT = Page.w._refcount;
const MAPCOUNT = Page.w._mapcount;
const MAPPING = Page.w.mapping;
const MEMCG = Page.w.memcg_data;
const PRIVATE = Page.w.private;
const INDEX = Page.w.index;
const FORBIDDEN = PAGE_FLAGS_CHECK_AT_FREE | (1 << PG_head);

export class PageFast {
  private readonly i32: Int32Array;
  private readonly pgalloc: Handle;
  private readonly pgfree: Handle;
  /** Highest zone with memory, by highest zone allowed. */
  private readonly preferred: number[] = [0, 0, 0, 0, 0];

  constructor(
    private readonly env: Env,
    private readonly map: MemMap,
    stat: VmStat,
  ) {
    this.i32 = env.ram.i32;
    this.pgalloc = stat.events + 2 * PGALLOC_DMA;
    this.pgfree = stat.events + 2 * PGFREE;
    this.attach();
  }

  /** Looks up which zones have memory: that never changes after boot. */
  attach(): void {
    const { map } = this;
    for (let highest = 0, z = 0; highest < MAX_NR_ZONES; highest++) {
      if (map.pgdat !== 0 && map.i32[map.zone(highest) + Zone.w.managed_pages] > 0) z = highest;
      this.preferred[highest] = z;
    }
  }

  /**
   * One page from a zone's per-CPU list, or 0.
   * @param highest index of the highest zone that is allowed
   */
  alloc(gfp: number, highest: number, migratetype: number): Handle {
    const { i32, map } = this;
    const z = this.preferred[highest];
    const zone = map.zones + z * ZONE_WORDS;
    const mark = i32[zone + LOW] + i32[zone + BOOST] + i32[zone + RESERVE + 2 * highest];
    if (i32[zone + FREE_PAGES] - i32[zone + RESERVED_HIGHATOMIC] <= mark) return 0;
    const pcp = map.pcps + (z * map.nrCpus + this.env.cpu()) * PCP_WORDS;
    const list = pcp + LISTS + 4 * migratetype;
    if (i32[list + 1] !== VMEMMAP_HI) return 0;

    if (i32[pcp + FREE_FACTOR] !== 0) i32[pcp + FREE_FACTOR] >>= 1;
    i32[pcp + COUNT]--;
    const node = map.base + (i32[list] >>> 2);
    const lo = i32[node];
    const hi = i32[node + 1];
    const next = hi === PAGE_OFFSET_HI ? lo >>> 2 : map.base + (lo >>> 2);
    i32[list] = lo;
    i32[list + 1] = hi;
    i32[next + 2] = list << 2;
    i32[next + 3] = PAGE_OFFSET_HI;

    const page = node - LRU;
    i32[node] = 0;
    i32[node + 1] = 0;
    i32[node + 2] = LIST_POISON2;
    i32[node + 3] = POISON_HI;
    i32[page + PRIVATE] = 0;
    i32[page + PRIVATE + 1] = 0;
    i32[page + REFCOUNT] = 1;
    countUp(i32, this.pgalloc + 2 * z, 1);
    countUp(i32, zone + ZONE_NUMA_EVENT, 1);
    if ((gfp & __GFP_ZERO) !== 0) {
      const start = (page - map.base) << 6;
      i32.fill(0, start, start + 1024);
    }
    return page;
  }

  /** Drops the only reference to a page and puts it on this CPU's list; false if that is not all there is to it. */
  free(page: Handle): boolean {
    const { i32, map } = this;
    const flags = i32[page];
    const unusual =
      (i32[page + REFCOUNT] ^ 1) |
      ~i32[page + MAPCOUNT] |
      i32[page + MAPPING] |
      i32[page + MAPPING + 1] |
      i32[page + MEMCG] |
      i32[page + MEMCG + 1] |
      (flags & FORBIDDEN);
    if (unusual !== 0) return false;
    const z = zoneOfFlagsHi(i32[page + 1]);
    const zone = map.zones + z * ZONE_WORDS;
    const pcp = map.pcps + (z * map.nrCpus + this.env.cpu()) * PCP_WORDS;
    const count = i32[pcp + COUNT] + 1;
    if (count >= i32[pcp + HIGH] || i32[zone + ZONE_FLAGS] !== 0) return false;
    const block = (page - map.base) >> 13;
    const migratetype = (i32[map.pageblockFlags + (block >> 3)] >> ((block & 7) << 2)) & 7;
    if (migratetype >= MIGRATE_PCPTYPES) return false;

    i32[page + REFCOUNT] = 0;
    i32[page] = flags & ~PAGE_FLAGS_CHECK_AT_PREP;
    i32[page + INDEX] = migratetype;
    i32[page + INDEX + 1] = 0;
    i32[pcp + COUNT] = count;
    const list = pcp + LISTS + 4 * migratetype;
    const node = page + LRU;
    const link = (node - map.base) << 2;
    const lo = i32[list];
    const hi = i32[list + 1];
    const next = hi === PAGE_OFFSET_HI ? lo >>> 2 : map.base + (lo >>> 2);
    i32[next + 2] = link;
    i32[next + 3] = VMEMMAP_HI;
    i32[node] = lo;
    i32[node + 1] = hi;
    i32[node + 2] = list << 2;
    i32[node + 3] = PAGE_OFFSET_HI;
    i32[list] = link;
    i32[list + 1] = VMEMMAP_HI;
    countUp(i32, this.pgfree, 1);
    return true;
  }
}
