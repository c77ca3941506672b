// SPDX-License-Identifier: MIT
/**
 * How much memory each zone keeps back, and whether an allocation may go below.
 *
 * min_free_kbytes = 4·√(lowmem in KiB); its pages are shared out to the zones by size as `min`; `low` and `high`
 * lie a quarter of `min` (or 0.1 % of the zone) apart above it. An allocation that could have come from a higher
 * zone must also leave that zone's `lowmem_reserve` alone.
 */

import type { Handle } from '../machine/layout.js';
import type { Buddy } from './free_area.js';
import { __GFP_ATOMIC } from './gfp.js';
import type { MemMap } from './memmap.js';
import {
  MAX_NR_ZONES,
  MAX_ORDER,
  MIGRATE_HIGHATOMIC,
  MIGRATE_PCPTYPES,
  PAGEBLOCK_NR_PAGES,
  PglistData,
  WMARK_HIGH,
  WMARK_LOW,
  WMARK_MIN,
  WMARK_PROMO,
  Zone,
} from './mmzone.js';
import { NR_FREE_PAGES, ZONE_VM_STAT } from './vmstat.js';

/** alloc_flags: how an allocation may use a zone. The low bits name a watermark. */
export const ALLOC_WMARK_MIN = WMARK_MIN;
export const ALLOC_WMARK_LOW = WMARK_LOW;
export const ALLOC_NO_WATERMARKS = 0x04;
export const ALLOC_WMARK_MASK = 0x03;
export const ALLOC_OOM = 0x08;
export const ALLOC_HARDER = 0x10;
export const ALLOC_HIGH = 0x20;
export const ALLOC_CPUSET = 0x40;
export const ALLOC_NOFRAGMENT = 0x100;
export const ALLOC_KSWAPD = 0x800;

/** Sysctls of vm.* that shape the reserves, with 6.1's defaults; `sysctl` of the allocator holds the live values. */
export const WATERMARK_SCALE_FACTOR = 10;
export const WATERMARK_BOOST_FACTOR = 15000;
export const LOWMEM_RESERVE_RATIO = [256, 256, 32, 0, 0] as const;

const WATERMARK = Zone.w._watermark;
const BOOST = Zone.w.watermark_boost;
const RESERVED_HIGHATOMIC = Zone.w.nr_reserved_highatomic;
const LOWMEM_RESERVE = Zone.w.lowmem_reserve;
const MANAGED = Zone.w.managed_pages;
const FREE_PAGES = ZONE_VM_STAT + 2 * NR_FREE_PAGES;

// ------------------------------------------------------------------------------------------------
// Arithmetic, on plain numbers: zone sizes in, reserves out.

/** Kilobytes to keep free in a machine with this much low memory. @linux mm/page_alloc.c:calculate_min_free_kbytes full */
export const calculateMinFreeKbytes = (lowmemKbytes: number): number =>
  Math.min(Math.max(Math.floor(Math.sqrt(lowmemKbytes * 16)), 128), 262144);

export interface ZoneReserve {
  min: number;
  low: number;
  high: number;
  promo: number;
}

/**
 * Watermarks of each zone, in pages.
 * @linux mm/page_alloc.c:__setup_per_zone_wmarks full
 */
export function zoneWatermarks(
  managed: readonly number[],
  minFreeKbytes: number,
  scaleFactor: number = WATERMARK_SCALE_FACTOR,
): ZoneReserve[] {
  const pagesMin = minFreeKbytes >>> 2;
  const lowmemPages = managed.reduce((sum, pages) => sum + pages, 0);
  return managed.map((pages) => {
    const min = lowmemPages === 0 ? 0 : Math.floor((pagesMin * pages) / lowmemPages);
    const gap = Math.max(min >>> 2, Math.floor((pages * scaleFactor) / 10000));
    return { min, low: min + gap, high: min + 2 * gap, promo: min + 3 * gap };
  });
}

/**
 * `reserve[i][j]`: pages of zone i that an allocation which may use zones up to j leaves alone.
 * @linux mm/page_alloc.c:setup_per_zone_lowmem_reserve full
 */
export function lowmemReserve(
  managed: readonly number[],
  ratio: readonly number[] = LOWMEM_RESERVE_RATIO,
): number[][] {
  return managed.map((pages, i) => {
    let higher = 0;
    return managed.map((_, j) => {
      if (j <= i) return 0;
      higher += managed[j];
      return ratio[i] < 1 || pages === 0 ? 0 : Math.floor(higher / ratio[i]);
    });
  });
}

/** Pages a CPU takes from or gives to a zone at once. @linux mm/page_alloc.c:zone_batchsize full */
export function zoneBatchsize(managed: number): number {
  const quarter = Math.max(Math.floor(Math.min(managed >>> 10, 256) / 4), 1);
  const size = quarter + (quarter >>> 1);
  return Math.max((1 << (31 - Math.clz32(size))) - 1, 1);
}

/** Pages a CPU may hold of a zone. @linux mm/page_alloc.c:zone_highsize full */
export const zoneHighsize = (low: number, batch: number, nrCpus: number): number =>
  Math.max(Math.floor(low / nrCpus), batch << 2);

/** What /proc/zoneinfo shows as "vm stats threshold". @linux mm/vmstat.c:calculate_normal_threshold full */
export function calculateNormalThreshold(managed: number, nrCpus: number): number {
  const fls = (n: number) => 32 - Math.clz32(n);
  return Math.min(125, 2 * fls(nrCpus) * (1 + fls(managed >>> 15)));
}

// ------------------------------------------------------------------------------------------------
// The zones' own reserves

export const managedPages = (map: MemMap, zone: Handle): number => map.i32[zone + MANAGED];

export const managedByZone = (map: MemMap): number[] =>
  Array.from({ length: MAX_NR_ZONES }, (_, i) => map.i32[map.zone(i) + MANAGED]);

/** Watermark in force: with the temporary boost after fragmentation. */
export const wmarkPages = (map: MemMap, zone: Handle, mark: number): number =>
  map.i32[zone + WATERMARK + 2 * mark] + map.i32[zone + BOOST];

/**
 * Writes watermarks and reserves of all zones, from their managed pages.
 * @linux mm/page_alloc.c:setup_per_zone_wmarks full
 */
export function setupPerZoneWmarks(map: MemMap, minFreeKbytes: number, scaleFactor: number): void {
  const { ram } = map;
  zoneWatermarks(managedByZone(map), minFreeKbytes, scaleFactor).forEach((marks, i) => {
    const zone = map.zone(i);
    ram.set64(zone + BOOST, 0);
    ram.set64(zone + WATERMARK + 2 * WMARK_MIN, marks.min);
    ram.set64(zone + WATERMARK + 2 * WMARK_LOW, marks.low);
    ram.set64(zone + WATERMARK + 2 * WMARK_HIGH, marks.high);
    ram.set64(zone + WATERMARK + 2 * WMARK_PROMO, marks.promo);
  });
}

/** @linux mm/page_alloc.c:setup_per_zone_lowmem_reserve full */
export function setupPerZoneLowmemReserve(map: MemMap, ratio: readonly number[]): void {
  lowmemReserve(managedByZone(map), ratio).forEach((row, i) => {
    row.forEach((pages, j) => {
      map.ram.set64(map.zone(i) + LOWMEM_RESERVE + 2 * j, pages);
    });
  });
  calculateTotalreservePages(map);
}

/** @linux mm/page_alloc.c:calculate_totalreserve_pages full */
export function calculateTotalreservePages(map: MemMap): number {
  let total = 0;
  for (let i = 0; i < MAX_NR_ZONES; i++) {
    const zone = map.zone(i);
    let max = 0;
    for (let j = i; j < MAX_NR_ZONES; j++) max = Math.max(max, map.i32[zone + LOWMEM_RESERVE + 2 * j]);
    total += Math.min(max + wmarkPages(map, zone, WMARK_HIGH), map.i32[zone + MANAGED]);
  }
  map.ram.set64(map.pgdat + PglistData.w.totalreserve_pages, total);
  return total;
}

// ------------------------------------------------------------------------------------------------
// The check

/**
 * True if a zone can give 2^order pages and stay above a mark.
 * @linux mm/page_alloc.c:__zone_watermark_ok full
 */
export function zoneWatermarkOk(
  buddy: Buddy,
  map: MemMap,
  zone: Handle,
  order: number,
  mark: number,
  highestZone: number,
  allocFlags: number,
): boolean {
  const { i32 } = map;
  const harder = (allocFlags & (ALLOC_HARDER | ALLOC_OOM)) !== 0;
  let free = i32[zone + FREE_PAGES] - ((1 << order) - 1);
  if (!harder) free -= i32[zone + RESERVED_HIGHATOMIC];
  let min = mark;
  if (allocFlags & ALLOC_HIGH) min -= min >> 1;
  if (harder) min -= allocFlags & ALLOC_OOM ? min >> 1 : min >> 2;
  if (free <= min + i32[zone + LOWMEM_RESERVE + 2 * highestZone]) return false;
  if (order === 0) return true;
  for (let o = order; o < MAX_ORDER; o++) {
    if (buddy.nrFree(zone, o) === 0) continue;
    for (let type = 0; type < MIGRATE_PCPTYPES; type++)
      if (!map.listEmpty(buddy.freeList(zone, o, type))) return true;
    if (harder && !map.listEmpty(buddy.freeList(zone, o, MIGRATE_HIGHATOMIC))) return true;
  }
  return false;
}

/**
 * The same, quick for single pages. An atomic single page at the min mark may ignore the boost.
 * @linux mm/page_alloc.c:zone_watermark_fast full
 */
export function zoneWatermarkFast(
  buddy: Buddy,
  map: MemMap,
  zone: Handle,
  order: number,
  mark: number,
  highestZone: number,
  allocFlags: number,
  gfp: number,
): boolean {
  const { i32 } = map;
  if (order === 0) {
    const reserved = allocFlags & (ALLOC_HARDER | ALLOC_OOM) ? 0 : i32[zone + RESERVED_HIGHATOMIC];
    if (i32[zone + FREE_PAGES] - reserved > mark + i32[zone + LOWMEM_RESERVE + 2 * highestZone]) return true;
  }
  if (zoneWatermarkOk(buddy, map, zone, order, mark, highestZone, allocFlags)) return true;
  const boosted = order === 0 && (gfp & __GFP_ATOMIC) !== 0 && i32[zone + BOOST] !== 0;
  if (!boosted || (allocFlags & ALLOC_WMARK_MASK) !== WMARK_MIN) return false;
  return zoneWatermarkOk(buddy, map, zone, order, i32[zone + WATERMARK], highestZone, allocFlags);
}

/** Raises the zone's marks after a pageblock was mixed; kswapd lowers them again. @linux mm/page_alloc.c:boost_watermark full */
export function boostWatermark(map: MemMap, zone: Handle, boostFactor: number): boolean {
  const { i32 } = map;
  if (boostFactor === 0 || PAGEBLOCK_NR_PAGES * 4 > i32[zone + MANAGED]) return false;
  const high = i32[zone + WATERMARK + 2 * WMARK_HIGH];
  const maxBoost = Math.floor((high * boostFactor) / 10000);
  if (maxBoost === 0) return false;
  const limit = Math.max(PAGEBLOCK_NR_PAGES, maxBoost);
  i32[zone + BOOST] = Math.min(i32[zone + BOOST] + PAGEBLOCK_NR_PAGES, limit);
  return true;
}
