// SPDX-License-Identifier: MIT
/**
 * The page allocator's invariants, checked by walking everything: for tests after each operation. Nothing of it is
 * in a production bundle, which imports this file nowhere.
 */

import type { Handle } from '../machine/layout.js';
import {
  MAX_NR_ZONES,
  MAX_ORDER,
  MIGRATE_HIGHATOMIC,
  MIGRATE_TYPES,
  PAGEBLOCK_ORDER,
  Zone,
} from './mmzone.js';
import { PAGE_WORDS, Page, PG_reserved, pageFlag } from './page.js';
import type { PageAllocator } from './page_alloc.js';
import { NR_FREE_PAGES } from './vmstat.js';

/** Owner of each page frame, as the walk found it. */
const NOBODY = 0;
const BUDDY = 1;
const PER_CPU = 2;

/** Throws an Error that names the first broken invariant. */
export function checkPageAllocator(mm: PageAllocator): void {
  const owner = new Uint8Array(mm.map.maxPfn);
  for (let z = 0; z < MAX_NR_ZONES; z++) {
    checkFreeAreas(mm, z, owner);
    checkPcpLists(mm, z, owner);
  }
  checkPages(mm, owner);
}

function fail(message: string): never {
  throw new Error(`DEBUG_VM: ${message}`);
}

/** Marks a block's pages as owned; none may have an owner already. */
function claim(mm: PageAllocator, owner: Uint8Array, page: Handle, order: number, by: number): void {
  if (!mm.map.isPage(page)) fail(`list entry ${page} is no page`);
  const pfn = mm.pageToPfn(page);
  if (pfn & ((1 << order) - 1)) fail(`pfn ${pfn} is not aligned to order ${order}`);
  for (let i = pfn; i < pfn + (1 << order); i++) {
    if (owner[i] !== NOBODY) fail(`pfn ${i} is on two lists`);
    owner[i] = by;
  }
}

function checkFreeAreas(mm: PageAllocator, z: number, owner: Uint8Array): void {
  const { buddy, map } = mm;
  const zone = map.zone(z);
  const heads = new Map<number, number>();
  let freePages = 0;
  for (let order = 0; order < MAX_ORDER; order++) {
    let blocks = 0;
    for (let type = 0; type < MIGRATE_TYPES; type++)
      for (const page of map.pages(buddy.freeList(zone, order, type))) {
        blocks++;
        claim(mm, owner, page, order, BUDDY);
        heads.set(mm.pageToPfn(page), order);
        checkFreeBlock(mm, z, page, order, type);
      }
    if (blocks !== buddy.nrFree(zone, order))
      fail(`zone ${z} order ${order}: ${blocks} blocks, nr_free ${buddy.nrFree(zone, order)}`);
    freePages += blocks << order;
  }
  checkMerged(mm, heads);
  const counted = mm.stat.zonePageState(zone, NR_FREE_PAGES);
  if (freePages !== counted) fail(`zone ${z}: ${freePages} pages on free lists, NR_FREE_PAGES ${counted}`);
}

function checkFreeBlock(mm: PageAllocator, z: number, page: Handle, order: number, type: number): void {
  const { buddy, map } = mm;
  const pfn = mm.pageToPfn(page);
  const where = `zone ${z} order ${order} pfn ${pfn}`;
  if (map.zoneIndexOfPage(page) !== z) fail(`${where}: page belongs to zone ${map.zoneIndexOfPage(page)}`);
  if (!buddy.isBuddy(page) || buddy.order(page) !== order)
    fail(`${where}: not marked as a free block of its order`);
  const blockType = buddy.pfnblockMigratetype(pfn);
  if ((type === MIGRATE_HIGHATOMIC) !== (blockType === MIGRATE_HIGHATOMIC) && order < PAGEBLOCK_ORDER)
    fail(`${where}: on the list of type ${type}, in a pageblock of type ${blockType}`);
}

/** No two free buddies, unless they are whole pageblocks of types that may not be mixed. */
function checkMerged(mm: PageAllocator, heads: ReadonlyMap<number, number>): void {
  for (const [pfn, order] of heads) {
    const buddyPfn = pfn ^ (1 << order);
    if (order === MAX_ORDER - 1 || heads.get(buddyPfn) !== order) continue;
    const types = [pfn, buddyPfn].map((n) => mm.buddy.pfnblockMigratetype(n));
    const mayStay = order >= PAGEBLOCK_ORDER && types[0] !== types[1] && types.includes(MIGRATE_HIGHATOMIC);
    if (!mayStay) fail(`order ${order}: pfn ${pfn} is not merged with its free buddy ${buddyPfn}`);
  }
}

function checkPcpLists(mm: PageAllocator, z: number, owner: Uint8Array): void {
  for (let cpu = 0; cpu < mm.map.nrCpus; cpu++) {
    let pages = 0;
    for (const { list, order } of mm.pcp.lists(z, cpu))
      for (const page of mm.map.pages(list)) {
        pages += 1 << order;
        claim(mm, owner, page, order, PER_CPU);
        if (mm.map.zoneIndexOfPage(page) !== z) fail(`pcp of zone ${z} holds a page of another zone`);
      }
    if (pages !== mm.pcp.count(z, cpu))
      fail(`zone ${z} cpu ${cpu}: ${pages} pages on lists, count ${mm.pcp.count(z, cpu)}`);
  }
}

/** Flags and counts of every page, and the zones' managed pages. */
function checkPages(mm: PageAllocator, owner: Uint8Array): void {
  const { i32, zones } = { i32: mm.map.i32, zones: Array.from({ length: MAX_NR_ZONES }, () => 0) };
  for (let pfn = 0, page = mm.map.base; pfn < mm.map.maxPfn; pfn++, page += PAGE_WORDS) {
    const reserved = pageFlag(mm.map.ram, page, PG_reserved);
    if (!reserved) zones[mm.map.zoneIndexOfPage(page)]++;
    if (owner[pfn] === NOBODY) {
      if (mm.buddy.isBuddy(page)) fail(`pfn ${pfn} is marked free but on no list`);
      continue;
    }
    if (reserved) fail(`pfn ${pfn} is free and reserved`);
    if (i32[page + Page.w._refcount] !== 0)
      fail(`pfn ${pfn} is free and has ${i32[page + Page.w._refcount]} references`);
  }
  zones.forEach((pages, z) => {
    const managed = i32[mm.map.zone(z) + Zone.w.managed_pages];
    if (pages !== managed) fail(`zone ${z}: ${pages} pages not reserved, managed_pages ${managed}`);
  });
}
