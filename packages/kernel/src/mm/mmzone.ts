// SPDX-License-Identifier: MIT
/** Zones, free areas, per-CPU page lists and the memory node: their C structs and numbers. */

import { ListHead } from '../lib/list.js';
import { array, bool, int, long, ptr, s16, struct, type Type, u32, ulong } from '../lib/struct.js';

export const MAX_ORDER = 11;
export const PAGEBLOCK_ORDER = 9;
export const PAGEBLOCK_NR_PAGES = 1 << PAGEBLOCK_ORDER;
/** Orders up to this one are thought cheap: allocations try harder for them. */
export const PAGE_ALLOC_COSTLY_ORDER = 3;

// Mobility of the pages of a pageblock.
export const MIGRATE_UNMOVABLE = 0;
export const MIGRATE_MOVABLE = 1;
export const MIGRATE_RECLAIMABLE = 2;
/** Types that per-CPU lists hold, and that may be merged across pageblocks. */
export const MIGRATE_PCPTYPES = 3;
export const MIGRATE_HIGHATOMIC = 3;
export const MIGRATE_ISOLATE = 4;
export const MIGRATE_TYPES = 5;
export const MIGRATETYPE_NAMES = ['Unmovable', 'Movable', 'Reclaimable', 'HighAtomic', 'Isolate'] as const;

export const ZONE_DMA = 0;
export const ZONE_DMA32 = 1;
export const ZONE_NORMAL = 2;
export const ZONE_MOVABLE = 3;
export const ZONE_DEVICE = 4;
export const MAX_NR_ZONES = 5;
export const ZONE_NAMES = ['DMA', 'DMA32', 'Normal', 'Movable', 'Device'] as const;
/** First page frame past each zone. */
export const ZONE_END_PFN = [0x1000, 0x100000, 0x400000000] as const;

export const WMARK_MIN = 0;
export const WMARK_LOW = 1;
export const WMARK_HIGH = 2;
export const WMARK_PROMO = 3;
export const NR_WMARK = 4;

// Bits of zone.flags.
export const ZONE_BOOSTED_WATERMARK = 0;
export const ZONE_RECLAIM_ACTIVE = 1;

export const NR_VM_ZONE_STAT_ITEMS = 11;
export const NR_VM_NUMA_EVENT_ITEMS = 6;
export const NR_VM_NODE_STAT_ITEMS = 43;

const atomicLong: Type<number> = { ...long, declare: (name) => `atomic_long_t ${name}` };
const spinlock: Type<number> = { ...u32, declare: (name) => `spinlock_t ${name}` };

/** Free blocks of one order: a list for each migrate type. */
export const FreeArea = struct('free_area', {
  free_list: array(ListHead, MIGRATE_TYPES),
  nr_free: ulong,
});

/** Per-CPU lists: orders 0 to 3 by migrate type, and one list of pageblock-sized blocks. */
export const NR_LOWORDER_PCP_LISTS = MIGRATE_PCPTYPES * (PAGE_ALLOC_COSTLY_ORDER + 1);
export const NR_PCP_LISTS = NR_LOWORDER_PCP_LISTS + 1;
export const PerCpuPages = struct(
  'per_cpu_pages',
  {
    lock: spinlock,
    count: int,
    high: int,
    batch: int,
    free_factor: s16,
    expire: s16,
    lists: array(ListHead, NR_PCP_LISTS),
  },
  { align: 64 },
);

export const Zone = struct(
  'zone',
  {
    _watermark: array(ulong, NR_WMARK),
    watermark_boost: ulong,
    nr_reserved_highatomic: ulong,
    lowmem_reserve: array(long, MAX_NR_ZONES),
    node: int,
    zone_pgdat: ptr('struct pglist_data'),
    per_cpu_pageset: ptr('struct per_cpu_pages'),
    pageset_high: int,
    pageset_batch: int,
    zone_start_pfn: ulong,
    managed_pages: atomicLong,
    spanned_pages: ulong,
    present_pages: ulong,
    name: ptr('const char'),
    nr_isolate_pageblock: ulong,
    initialized: int,
    free_area: array(FreeArea, MAX_ORDER),
    flags: ulong,
    lock: spinlock,
    contiguous: bool,
    vm_stat: array(atomicLong, NR_VM_ZONE_STAT_ITEMS),
    vm_numa_event: array(atomicLong, NR_VM_NUMA_EVENT_ITEMS),
  },
  { align: 64 },
);

export const PglistData = struct('pglist_data', {
  node_zones: array(Zone, MAX_NR_ZONES),
  nr_zones: int,
  node_start_pfn: ulong,
  node_present_pages: ulong,
  node_spanned_pages: ulong,
  node_id: int,
  totalreserve_pages: ulong,
  vm_stat: array(atomicLong, NR_VM_NODE_STAT_ITEMS),
});
