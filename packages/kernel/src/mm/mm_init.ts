// SPDX-License-Identifier: MIT
/** How the page allocator comes up: zones, the memmap, and the first free pages. */

import { PAGE_SIZE } from '../machine/layout.js';
import type { Buddy } from './free_area.js';
import type { Memblock } from './memblock.js';
import type { MemMap } from './memmap.js';
import {
  MAX_NR_ZONES,
  MAX_ORDER,
  MIGRATE_MOVABLE,
  PAGEBLOCK_NR_PAGES,
  PglistData,
  ZONE_DEVICE,
  ZONE_END_PFN,
  ZONE_MOVABLE,
  ZONE_NAMES,
  Zone,
} from './mmzone.js';
import { PAGE_FLAGS_INIT_LO, PAGE_WORDS, Page, PG_reserved, pageFlagsInitHi } from './page.js';

/** First frame of the node: frame 0 belongs to the firmware. */
const NODE_START_PFN = 1;
const REFCOUNT = Page.w._refcount;

/** The C string of each zone's name. */
export function placeZoneNames(map: MemMap, at: number): void {
  ZONE_NAMES.forEach((name, i) => {
    const bytes = [...name].map((c) => c.charCodeAt(0));
    map.ram.u8.set([...bytes, 0], at * 4 + i * 8);
    map.ram.setPtr(map.zone(i) + Zone.w.name, at + i * 2);
  });
}

/** Sizes of the node and its zones. @linux mm/page_alloc.c:free_area_init partial: one node */
export function initZones(map: MemMap, memblock: Memblock): void {
  const { ram, maxPfn } = map;
  const node = PglistData.at(ram, map.pgdat);
  node.node_start_pfn = NODE_START_PFN;
  node.node_spanned_pages = maxPfn - NODE_START_PFN;
  node.node_present_pages = memblock.presentPages(0, maxPfn);
  let start = NODE_START_PFN;
  for (let i = 0; i < MAX_NR_ZONES; i++) {
    const zone = Zone.at(ram, map.zone(i));
    zone.zone_pgdat = map.pgdat;
    zone.per_cpu_pageset = map.pcp(i, 0);
    const end = i < ZONE_MOVABLE ? Math.min(ZONE_END_PFN[i], maxPfn) : start;
    if (end <= start || i >= ZONE_DEVICE) continue;
    zone.zone_start_pfn = start;
    zone.spanned_pages = end - start;
    zone.present_pages = memblock.presentPages(start, end);
    zone.initialized = 1;
    node.nr_zones = i + 1;
    start = end;
  }
}

/**
 * Makes every struct page that of a page in use: linked to itself, one reference.
 * @linux mm/page_alloc.c:memmap_init full
 */
export function initMemmap(map: MemMap, buddy: Buddy): void {
  const { i32 } = map;
  let zone = 0;
  for (let pfn = 0, page = map.base; pfn < map.maxPfn; pfn++, page += PAGE_WORDS) {
    while (pfn >= ZONE_END_PFN[zone]) zone++;
    i32[page] = PAGE_FLAGS_INIT_LO;
    i32[page + 1] = pageFlagsInitHi(zone);
    map.initListHead(page + Page.w.lru);
    i32[page + Page.w._mapcount] = -1;
    i32[page + REFCOUNT] = 1;
    if (pfn % PAGEBLOCK_NR_PAGES === 0) buddy.setPageblockMigratetype(page, MIGRATE_MOVABLE);
  }
}

/** Calls back for each aligned block that [start, end) is made of, in order. */
export function forEachBlock(start: number, end: number, block: (pfn: number, order: number) => void): void {
  while (start < end) {
    let order = start === 0 ? MAX_ORDER - 1 : Math.min(MAX_ORDER - 1, 31 - Math.clz32(start & -start));
    while (start + (1 << order) > end) order--;
    block(start, order);
    start += 1 << order;
  }
}

/**
 * Marks what stays taken, and frees the rest: `free` is given aligned blocks whose pages have no reference.
 * @linux mm/memblock.c:memblock_free_all full
 */
export function memblockFreeAll(
  map: MemMap,
  memblock: Memblock,
  free: (pfn: number, order: number) => void,
): void {
  const { i32 } = map;
  const ranges = memblock
    .free()
    .map(({ start, end }) => ({ start: Math.ceil(start / PAGE_SIZE), end: Math.floor(end / PAGE_SIZE) }))
    .filter(({ start, end }) => start < end);
  let at = 0;
  for (const { start, end } of [...ranges, { start: map.maxPfn, end: map.maxPfn }]) {
    for (let pfn = at; pfn < start; pfn++) i32[map.pfnToPage(pfn)] |= 1 << PG_reserved;
    for (let pfn = start; pfn < end; pfn++) i32[map.pfnToPage(pfn) + REFCOUNT] = 0;
    forEachBlock(start, end, free);
    at = end;
  }
}

/** `[mem 0x0000000000001000-0x0000000000ffffff]` */
function memRange(start: number, end: number): string {
  const address = (n: number) => `0x${n.toString(16).padStart(16, '0')}`;
  return `[mem ${address(start)}-${address(end - 1)}]`;
}

/** What the log says of the zones. @linux mm/page_alloc.c:free_area_init full */
export function zoneRangeLines(map: MemMap, memblock: Memblock): string[] {
  const zoneLine = (z: number) => {
    const zone = Zone.at(map.ram, map.zone(z));
    const start = zone.zone_start_pfn * PAGE_SIZE;
    const end = start + zone.spanned_pages * PAGE_SIZE;
    return `  ${ZONE_NAMES[z].padEnd(8)} ${start === end ? 'empty' : memRange(start, end)}`;
  };
  const node = PglistData.at(map.ram, map.pgdat);
  const nodeEnd = (node.node_start_pfn + node.node_spanned_pages) * PAGE_SIZE;
  return [
    'Zone ranges:',
    ...ZONE_NAMES.map((_, z) => z)
      .filter((z) => z !== ZONE_MOVABLE)
      .map(zoneLine),
    'Movable zone start for each node',
    'Early memory node ranges',
    ...memblock.memory.map(({ start, end }) => `  node   0: ${memRange(start, end)}`),
    `Initmem setup node 0 ${memRange(node.node_start_pfn * PAGE_SIZE, nodeEnd)}`,
    ...unavailableLines(memblock),
  ];
}

/** Frames between the ranges of memory. @linux mm/page_alloc.c:init_unavailable_range full */
function unavailableLines(memblock: Memblock): string[] {
  const lines: string[] = [];
  let at = 0;
  for (const { start, end } of memblock.memory) {
    if (start > at)
      lines.push(`On node 0, zone DMA: ${(start - at) / PAGE_SIZE} pages in unavailable ranges`);
    at = end;
  }
  return lines;
}

/** What the log says of memory as a whole. @linux mm/page_alloc.c:mem_init_print_info differs: no kernel image */
export function memoryLines(map: MemMap, totalPages: number, groupingDisabled: boolean): string[] {
  const present = PglistData.at(map.ram, map.pgdat).node_present_pages;
  const policyZone = map.i32[map.zone(1) + Zone.w.managed_pages] > 0 ? 'DMA32' : 'DMA';
  return [
    `Built 1 zonelists, mobility grouping ${groupingDisabled ? 'off' : 'on'}.  Total pages: ${totalPages}`,
    `Policy zone: ${policyZone}`,
    `Memory: ${totalPages * 4}K/${present * 4}K available (0K kernel code, 0K rwdata, 0K rodata, 0K init, 0K bss, ` +
      `${(present - totalPages) * 4}K reserved, 0K cma-reserved)`,
  ];
}
