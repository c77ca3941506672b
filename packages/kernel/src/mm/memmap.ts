// SPDX-License-Identifier: MIT
/**
 * Where the page allocator's state lies in RAM, as word indices, and the list operations on pages.
 *
 * Lists link pages with pages and with list heads in zones. Both are handles here; in memory a page's link holds
 * its vmemmap address and a head's its direct-map address, so the upper word of a link says which it is.
 */

import type { Env } from '../lib/env.js';
import { EndlessWalk } from '../lib/walk.js';
import {
  type Handle,
  PAGE_OFFSET,
  PAGE_OFFSET_HI,
  PAGE_SIZE,
  type Pfn,
  type Vaddr,
} from '../machine/layout.js';
import type { Ram } from '../machine/ram.js';
import { MAX_NR_ZONES, PAGEBLOCK_ORDER, PerCpuPages, PglistData, Zone } from './mmzone.js';
import { PAGE_WORDS, Page, POISON_HI, VMEMMAP_HI, zoneOfFlagsHi } from './page.js';

export const ZONE_WORDS = Zone.size / 4;
export const PCP_WORDS = PerCpuPages.size / 4;
/** From a page's handle to its list node, and back. */
export const LRU = Page.w.lru;
const PREV = 2;
/** What the links of a removed node hold: the lower words. */
const LIST_POISON1 = 0x100;
export const LIST_POISON2 = 0x122;

/** Roots of the page allocator, in static data. */
const ROOTS = ['mem_map', 'max_pfn', 'node_data', 'pageblock_flags', 'boot_pageset'] as const;

export class MemMap {
  readonly ram: Ram;
  readonly i32: Int32Array;
  readonly u32: Uint32Array;
  /** Handle of struct page 0, and one past the last. */
  base: Handle = 0;
  end: Handle = 0;
  /** One past the last page frame. */
  maxPfn: Pfn = 0;
  /** struct pglist_data of node 0. */
  pgdat: Handle = 0;
  /** struct zone 0. */
  zones: Handle = 0;
  /** Migrate types of pageblocks, four bits each. */
  pageblockFlags: Handle = 0;
  /** Per-CPU lists: zone-major, then by CPU. */
  pcps: Handle = 0;
  private readonly roots: { readonly [K in (typeof ROOTS)[number]]: Handle };

  constructor(
    env: Env,
    readonly nrCpus = env.nrCpus,
  ) {
    this.ram = env.ram;
    this.i32 = env.ram.i32;
    this.u32 = env.ram.u32;
    this.roots = Object.fromEntries(
      ROOTS.map((name) => [name, env.data.declare(name, 8)]),
    ) as MemMap['roots'];
    this.attach();
  }

  /** Takes the tables' places from RAM. */
  attach(): void {
    const { ram, roots } = this;
    this.maxPfn = ram.i32[roots.max_pfn];
    this.base = ram.ptr(roots.mem_map);
    this.end = this.base + this.maxPfn * PAGE_WORDS;
    this.pgdat = ram.ptr(roots.node_data);
    this.zones = this.pgdat + PglistData.w.node_zones;
    this.pageblockFlags = ram.ptr(roots.pageblock_flags);
    this.pcps = ram.ptr(roots.boot_pageset);
  }

  /** Takes memory for the tables, zeroed, and records where they are. */
  boot(alloc: (bytes: number, align: number) => number): void {
    const { ram, roots } = this;
    const maxPfn = ram.size / PAGE_SIZE;
    const place = (root: Handle, bytes: number, align: number) => {
      const at = alloc(bytes, align);
      ram.fill(at, bytes, 0);
      ram.setPtr(root, at / 4);
    };
    ram.set64(roots.max_pfn, maxPfn);
    place(roots.mem_map, maxPfn * Page.size, PAGE_SIZE);
    place(roots.node_data, PglistData.size, 64);
    place(roots.pageblock_flags, (Math.ceil(maxPfn / 2 ** PAGEBLOCK_ORDER / 8) + 1) * 4, 64);
    place(roots.boot_pageset, MAX_NR_ZONES * this.nrCpus * PerCpuPages.size, 64);
    this.attach();
  }

  zone(index: number): Handle {
    return this.zones + index * ZONE_WORDS;
  }

  /** @linux include/linux/mmzone.h:page_zonenum full */
  zoneIndexOfPage(page: Handle): number {
    return zoneOfFlagsHi(this.i32[page + 1]);
  }

  zoneOfPage(page: Handle): Handle {
    return this.zones + zoneOfFlagsHi(this.i32[page + 1]) * ZONE_WORDS;
  }

  zoneIndex(zone: Handle): number {
    return (zone - this.zones) / ZONE_WORDS;
  }

  pcp(zoneIndex: number, cpu: number): Handle {
    return this.pcps + (zoneIndex * this.nrCpus + cpu) * PCP_WORDS;
  }

  pfnToPage(pfn: Pfn): Handle {
    return this.base + (pfn << 4);
  }

  pageToPfn(page: Handle): Pfn {
    return (page - this.base) >> 4;
  }

  pageAddress(page: Handle): Vaddr {
    return PAGE_OFFSET + ((page - this.base) >> 4) * PAGE_SIZE;
  }

  /** True if a handle is that of a struct page. */
  isPage(handle: Handle): boolean {
    return handle >= this.base && handle < this.end && ((handle - this.base) & (PAGE_WORDS - 1)) === 0;
  }

  // Lists. A node is a page's handle plus LRU, or a list head.

  /** The node that a link points to. */
  follow(link: Handle): Handle {
    const lo = this.i32[link] >>> 2;
    return this.i32[link + 1] === PAGE_OFFSET_HI ? lo : this.base + lo;
  }

  private setLink(link: Handle, node: Handle): void {
    if (node >= this.base && node < this.end) {
      this.i32[link] = (node - this.base) << 2;
      this.i32[link + 1] = VMEMMAP_HI;
    } else {
      this.i32[link] = node << 2;
      this.i32[link + 1] = PAGE_OFFSET_HI;
    }
  }

  initListHead(head: Handle): void {
    this.setLink(head, head);
    this.setLink(head + PREV, head);
  }

  /** True if a list (whose head is not in a page) has no entries. */
  listEmpty(head: Handle): boolean {
    return this.i32[head + 1] !== VMEMMAP_HI;
  }

  /** First page of a list that is not empty. */
  firstPage(head: Handle): Handle {
    return this.base + (this.i32[head] >>> 2) - LRU;
  }

  /** Last page of a list that is not empty. */
  lastPage(head: Handle): Handle {
    return this.base + (this.i32[head + PREV] >>> 2) - LRU;
  }

  listAdd(node: Handle, head: Handle): void {
    this.insert(node, head, this.follow(head));
  }

  listAddTail(node: Handle, head: Handle): void {
    this.insert(node, this.follow(head + PREV), head);
  }

  private insert(node: Handle, prev: Handle, next: Handle): void {
    this.setLink(next + PREV, node);
    this.setLink(node, next);
    this.setLink(node + PREV, prev);
    this.setLink(prev, node);
  }

  /** Takes the first page off a list that is not empty. The page's links are left for the caller to write. */
  popFirst(head: Handle): Handle {
    const { i32, base } = this;
    const node = base + (i32[head] >>> 2);
    const lo = i32[node];
    const hi = i32[node + 1];
    const next = hi === PAGE_OFFSET_HI ? lo >>> 2 : base + (lo >>> 2);
    i32[head] = lo;
    i32[head + 1] = hi;
    i32[next + PREV] = head << 2;
    i32[next + PREV + 1] = PAGE_OFFSET_HI;
    return node - LRU;
  }

  /** Puts a page first on a list whose head is not in a page. */
  pushFirst(page: Handle, head: Handle): void {
    const { i32, base } = this;
    const node = page + LRU;
    const link = (node - base) << 2;
    const lo = i32[head];
    const hi = i32[head + 1];
    const next = hi === PAGE_OFFSET_HI ? lo >>> 2 : base + (lo >>> 2);
    i32[next + PREV] = link;
    i32[next + PREV + 1] = VMEMMAP_HI;
    i32[node] = lo;
    i32[node + 1] = hi;
    i32[node + PREV] = head << 2;
    i32[node + PREV + 1] = PAGE_OFFSET_HI;
    i32[head] = link;
    i32[head + 1] = VMEMMAP_HI;
  }

  /** Takes a node off its list and poisons its links. */
  listDel(node: Handle): void {
    const { i32 } = this;
    const next = this.follow(node);
    const prev = this.follow(node + PREV);
    // The neighbours take over the node's own links as they are.
    i32[next + PREV] = i32[node + PREV];
    i32[next + PREV + 1] = i32[node + PREV + 1];
    i32[prev] = i32[node];
    i32[prev + 1] = i32[node + 1];
    i32[node] = LIST_POISON1;
    i32[node + 1] = POISON_HI;
    i32[node + PREV] = LIST_POISON2;
    i32[node + PREV + 1] = POISON_HI;
  }

  /**
   * Pages of a list, first to last. Throws DataCorruption where memory was corrupted and the list does not end. Not
   * for hot paths.
   */
  *pages(head: Handle): Generator<Handle> {
    let node = this.follow(head);
    for (let n = 0; node !== head; n++) {
      if (n > this.maxPfn) throw new EndlessWalk();
      const next = this.follow(node);
      yield node - LRU;
      node = next;
    }
  }
}
