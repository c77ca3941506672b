// SPDX-License-Identifier: MIT
/**
 * Per-CPU lists of free pages: what most allocations of up to 8 pages meet.
 *
 * A CPU keeps freed blocks of orders 0 to 3 (and of a whole pageblock) in lists by order and migrate type. An empty
 * list is refilled by `batch` pages from the buddy system; when the CPU holds `high` pages of the zone, a batch goes
 * back, more each time if frees keep coming. Pages on these lists count as used, not as free.
 */

import { step } from '../lib/walk.js';
import type { Handle } from '../machine/layout.js';
import { LIST_POISON2, LRU, type MemMap } from './memmap.js';
import {
  MAX_NR_ZONES,
  MIGRATE_MOVABLE,
  MIGRATE_PCPTYPES,
  NR_LOWORDER_PCP_LISTS,
  NR_PCP_LISTS,
  PAGE_ALLOC_COSTLY_ORDER,
  PAGEBLOCK_ORDER,
  PerCpuPages,
  ZONE_RECLAIM_ACTIVE,
  Zone,
} from './mmzone.js';
import { Page, POISON_HI } from './page.js';

const COUNT = PerCpuPages.w.count;
const HIGH = PerCpuPages.w.high;
const BATCH = PerCpuPages.w.batch;
/** free_factor lies in the low half of this word. */
const FREE_FACTOR = PerCpuPages.w.free_factor;
const LISTS = PerCpuPages.w.lists;
const LIST_WORDS = 4;
const INDEX = Page.w.index;

/** What the lists are filled from and emptied to: zones, with NR_FREE_PAGES kept. */
export interface ZoneSource {
  /** Takes up to `nr` blocks, appends them to a list; returns how many. */
  rmqueueBulk(
    zone: Handle,
    order: number,
    nr: number,
    list: Handle,
    migratetype: number,
    allocFlags: number,
  ): number;
  /** Frees one block that was on a list. */
  drainOne(page: Handle, zone: Handle, order: number, migratetype: number): void;
}

/** @linux mm/page_alloc.c:pcp_allowed_order full */
export const pcpAllowedOrder = (order: number): boolean =>
  order <= PAGE_ALLOC_COSTLY_ORDER || order === PAGEBLOCK_ORDER;

/** @linux mm/page_alloc.c:order_to_pindex full */
const orderToPindex = (migratetype: number, order: number): number =>
  order > PAGE_ALLOC_COSTLY_ORDER ? NR_LOWORDER_PCP_LISTS : MIGRATE_PCPTYPES * order + migratetype;

/** @linux mm/page_alloc.c:pindex_to_order full */
const pindexToOrder = (pindex: number): number =>
  pindex === NR_LOWORDER_PCP_LISTS ? PAGEBLOCK_ORDER : Math.floor(pindex / MIGRATE_PCPTYPES);

export class PerCpuLists {
  constructor(
    private readonly map: MemMap,
    private readonly source: ZoneSource,
  ) {}

  /** @linux mm/page_alloc.c:per_cpu_pages_init full */
  boot(): void {
    const { map } = this;
    for (let zone = 0; zone < MAX_NR_ZONES; zone++)
      for (let cpu = 0; cpu < map.nrCpus; cpu++) {
        const pcp = map.pcp(zone, cpu);
        for (let i = 0; i < NR_PCP_LISTS; i++) map.initListHead(pcp + LISTS + i * LIST_WORDS);
        this.setSize(pcp, 0, 1);
      }
  }

  setSize(pcp: Handle, high: number, batch: number): void {
    this.map.i32[pcp + HIGH] = high;
    this.map.i32[pcp + BATCH] = batch;
  }

  /**
   * Takes a block for a CPU; 0 if its list is empty and cannot be refilled. The caller writes the page's next link.
   * @linux mm/page_alloc.c:rmqueue_pcplist full
   */
  alloc(zone: Handle, pcp: Handle, order: number, migratetype: number, allocFlags: number): Handle {
    const { map } = this;
    const { i32 } = map;
    i32[pcp + FREE_FACTOR] >>= 1;
    const list = pcp + LISTS + orderToPindex(migratetype, order) * LIST_WORDS;
    if (map.listEmpty(list)) {
      let nr = i32[pcp + BATCH];
      if (nr > 1) nr = Math.max(nr >> order, 2);
      i32[pcp + COUNT] += this.source.rmqueueBulk(zone, order, nr, list, migratetype, allocFlags) << order;
      if (map.listEmpty(list)) return 0;
    }
    i32[pcp + COUNT] -= 1 << order;
    const page = map.popFirst(list);
    i32[page + LRU + 2] = LIST_POISON2;
    i32[page + LRU + 3] = POISON_HI;
    return page;
  }

  /**
   * Puts a block on its CPU's list.
   * @param migratetype that of its pageblock, MIGRATE_MOVABLE for the types that have no list
   * @linux mm/page_alloc.c:free_unref_page_commit full
   */
  free(page: Handle, zone: Handle, pcp: Handle, order: number, migratetype: number): void {
    const { map } = this;
    const { i32 } = map;
    const pindex = orderToPindex(migratetype < MIGRATE_PCPTYPES ? migratetype : MIGRATE_MOVABLE, order);
    i32[page + INDEX] = migratetype;
    i32[page + INDEX + 1] = 0;
    map.pushFirst(page, pcp + LISTS + pindex * LIST_WORDS);
    const count = (i32[pcp + COUNT] += 1 << order);
    const freeHigh = order > 0 && order <= PAGE_ALLOC_COSTLY_ORDER && (i32[pcp + FREE_FACTOR] & 0xffff) !== 0;
    if (count < i32[pcp + HIGH] && !freeHigh && (i32[zone + Zone.w.flags] & (1 << ZONE_RECLAIM_ACTIVE)) === 0)
      return;
    this.freeSurplus(zone, pcp, pindex, freeHigh);
  }

  private freeSurplus(zone: Handle, pcp: Handle, pindex: number, freeHigh: boolean): void {
    const { i32 } = this.map;
    const high = this.high(zone, pcp, freeHigh);
    if (i32[pcp + COUNT] >= high) this.freeBulk(zone, pcp, this.nrToFree(pcp, high, freeHigh), pindex);
  }

  /** Pages the CPU may hold now: few while the zone is being reclaimed. @linux mm/page_alloc.c:nr_pcp_high full */
  private high(zone: Handle, pcp: Handle, freeHigh: boolean): number {
    const { i32 } = this.map;
    const high = i32[pcp + HIGH];
    if (high === 0 || freeHigh) return 0;
    const reclaiming = (i32[zone + Zone.w.flags] & (1 << ZONE_RECLAIM_ACTIVE)) !== 0;
    return reclaiming ? Math.min(i32[pcp + BATCH] << 2, high) : high;
  }

  /** @linux mm/page_alloc.c:nr_pcp_free full */
  private nrToFree(pcp: Handle, high: number, freeHigh: boolean): number {
    const { i32 } = this.map;
    const batch = i32[pcp + BATCH];
    if (freeHigh) return i32[pcp + COUNT];
    if (high < batch) return 1;
    const max = high - batch;
    const factor = i32[pcp + FREE_FACTOR] & 0xffff;
    const wanted = batch << factor;
    if (wanted < max) i32[pcp + FREE_FACTOR] = factor + 1;
    return Math.max(Math.min(wanted, max), batch);
  }

  /**
   * Gives pages back to the buddy system, from the lists in turn, beginning with one; the coldest of each first.
   * @linux mm/page_alloc.c:free_pcppages_bulk full
   */
  private freeBulk(zone: Handle, pcp: Handle, nrPages: number, firstPindex: number): void {
    const { map } = this;
    const { i32 } = map;
    let count = Math.min(i32[pcp + COUNT], nrPages);
    let pindex = firstPindex;
    while (count > 0) {
      step(map.ram);
      const list = pcp + LISTS + pindex * LIST_WORDS;
      const order = pindexToOrder(pindex);
      while (count > 0 && !map.listEmpty(list)) {
        const page = map.lastPage(list);
        map.listDel(page + LRU);
        count -= 1 << order;
        i32[pcp + COUNT] -= 1 << order;
        this.source.drainOne(page, zone, order, i32[page + INDEX]);
      }
      pindex = (pindex + 1) % NR_PCP_LISTS;
    }
  }

  /** Empties the lists of one CPU, or of all. @linux mm/page_alloc.c:drain_all_pages full */
  drain(onlyCpu = -1): void {
    const { map } = this;
    for (let z = 0; z < MAX_NR_ZONES; z++)
      for (let cpu = 0; cpu < map.nrCpus; cpu++) {
        const pcp = map.pcp(z, cpu);
        if (onlyCpu < 0 || onlyCpu === cpu) this.freeBulk(map.zone(z), pcp, map.i32[pcp + COUNT], 0);
      }
  }

  count(zoneIndex: number, cpu: number): number {
    return this.map.i32[this.map.pcp(zoneIndex, cpu) + COUNT];
  }

  highOf(zoneIndex: number, cpu: number): number {
    return this.map.i32[this.map.pcp(zoneIndex, cpu) + HIGH];
  }

  batchOf(zoneIndex: number, cpu: number): number {
    return this.map.i32[this.map.pcp(zoneIndex, cpu) + BATCH];
  }

  /** Pages that all lists of a zone hold. */
  zoneCount(zoneIndex: number): number {
    let pages = 0;
    for (let cpu = 0; cpu < this.map.nrCpus; cpu++) pages += this.count(zoneIndex, cpu);
    return pages;
  }

  /** The lists of one CPU in one zone with the order they hold: for checks. */
  *lists(zoneIndex: number, cpu: number): Generator<{ list: Handle; order: number }> {
    const pcp = this.map.pcp(zoneIndex, cpu);
    for (let i = 0; i < NR_PCP_LISTS; i++)
      yield { list: pcp + LISTS + i * LIST_WORDS, order: pindexToOrder(i) };
  }
}
