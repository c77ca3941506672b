// SPDX-License-Identifier: MIT
/** __get_free_pages, free_pages and the like as C calls them: generated fast paths before the TypeScript functions. */

import { gfpZone } from '../../mm/gfp.js';
import { Zone } from '../../mm/mmzone.js';
import type { PageAllocator } from '../../mm/page_alloc.js';
import { PGALLOC_DMA, PGFREE } from '../../mm/vmstat.js';
import type { FastPaths } from './fast_functions.js';
import { PAGE_FUNCTIONS, pageFunction } from './page_code.js';

/** The page allocator must have booted. While it debugs pages it has no fast path. */
export function pageFastPaths({ env, map, stat, useFastPath }: PageAllocator): FastPaths {
  if (!useFastPath) return {};
  const highest = gfpZone(0);
  let preferred = highest;
  while (preferred > 0 && map.i32[map.zone(preferred) + Zone.w.managed_pages] === 0) preferred--;
  const places = {
    ramSize: env.ram.size,
    nrCpus: env.nrCpus,
    maxPfn: map.maxPfn,
    memmap: map.base * 4,
    zones: map.zones * 4,
    pcps: map.pcps * 4,
    pageblockFlags: map.pageblockFlags * 4,
    pgalloc: (stat.events + 2 * PGALLOC_DMA) * 4,
    pgfree: (stat.events + 2 * PGFREE) * 4,
    highest,
    preferred,
  };
  return Object.fromEntries(
    PAGE_FUNCTIONS.map((name) => [name, (slow) => pageFunction(name, places, slow)] as const),
  );
}
