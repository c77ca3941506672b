// SPDX-License-Identifier: MIT
/** What an allocation may do and where it may come from: the GFP flags of Linux 6.1, with their bits and names. */

import { ZONE_DMA, ZONE_DMA32, ZONE_MOVABLE, ZONE_NORMAL } from './mmzone.js';

// Bits that choose a zone (the first four) and the mobility of the pages.
export const __GFP_DMA = 0x01;
export const __GFP_HIGHMEM = 0x02;
export const __GFP_DMA32 = 0x04;
export const __GFP_MOVABLE = 0x08;
export const __GFP_RECLAIMABLE = 0x10;
// Bits that open reserves or name what reclaim may do.
export const __GFP_HIGH = 0x20;
export const __GFP_IO = 0x40;
export const __GFP_FS = 0x80;
export const __GFP_ZERO = 0x100;
export const __GFP_ATOMIC = 0x200;
export const __GFP_DIRECT_RECLAIM = 0x400;
export const __GFP_KSWAPD_RECLAIM = 0x800;
export const __GFP_WRITE = 0x1000;
export const __GFP_NOWARN = 0x2000;
// Bits that say how hard to try.
export const __GFP_RETRY_MAYFAIL = 0x4000;
export const __GFP_NOFAIL = 0x8000;
export const __GFP_NORETRY = 0x10000;
export const __GFP_MEMALLOC = 0x20000;
export const __GFP_COMP = 0x40000;
export const __GFP_NOMEMALLOC = 0x80000;
export const __GFP_HARDWALL = 0x100000;
export const __GFP_THISNODE = 0x200000;
export const __GFP_ACCOUNT = 0x400000;
export const __GFP_ZEROTAGS = 0x800000;
/** All bits that mean something. */
export const __GFP_BITS_MASK = 0xffffff;

export const __GFP_RECLAIM = __GFP_DIRECT_RECLAIM | __GFP_KSWAPD_RECLAIM;

export const GFP_ATOMIC = __GFP_HIGH | __GFP_ATOMIC | __GFP_KSWAPD_RECLAIM;
export const GFP_KERNEL = __GFP_RECLAIM | __GFP_IO | __GFP_FS;
export const GFP_KERNEL_ACCOUNT = GFP_KERNEL | __GFP_ACCOUNT;
export const GFP_NOWAIT = __GFP_KSWAPD_RECLAIM;
export const GFP_NOIO = __GFP_RECLAIM;
export const GFP_NOFS = __GFP_RECLAIM | __GFP_IO;
export const GFP_USER = __GFP_RECLAIM | __GFP_IO | __GFP_FS | __GFP_HARDWALL;
export const GFP_DMA = __GFP_DMA;
export const GFP_DMA32 = __GFP_DMA32;
export const GFP_HIGHUSER = GFP_USER | __GFP_HIGHMEM;
export const GFP_HIGHUSER_MOVABLE = GFP_HIGHUSER | __GFP_MOVABLE;
export const GFP_TRANSHUGE_LIGHT =
  (GFP_HIGHUSER_MOVABLE | __GFP_COMP | __GFP_NOMEMALLOC | __GFP_NOWARN) & ~__GFP_RECLAIM;
export const GFP_TRANSHUGE = GFP_TRANSHUGE_LIGHT | __GFP_DIRECT_RECLAIM;

/** Names that messages use, in the order in which they are tried: the compound ones first. */
export const GFP_FLAG_NAMES: readonly (readonly [mask: number, name: string])[] = [
  [GFP_TRANSHUGE, 'GFP_TRANSHUGE'],
  [GFP_TRANSHUGE_LIGHT, 'GFP_TRANSHUGE_LIGHT'],
  [GFP_HIGHUSER_MOVABLE, 'GFP_HIGHUSER_MOVABLE'],
  [GFP_HIGHUSER, 'GFP_HIGHUSER'],
  [GFP_USER, 'GFP_USER'],
  [GFP_KERNEL_ACCOUNT, 'GFP_KERNEL_ACCOUNT'],
  [GFP_KERNEL, 'GFP_KERNEL'],
  [GFP_NOFS, 'GFP_NOFS'],
  [GFP_ATOMIC, 'GFP_ATOMIC'],
  [GFP_NOIO, 'GFP_NOIO'],
  [GFP_NOWAIT, 'GFP_NOWAIT'],
  [GFP_DMA, 'GFP_DMA'],
  [__GFP_HIGHMEM, '__GFP_HIGHMEM'],
  [GFP_DMA32, 'GFP_DMA32'],
  [__GFP_HIGH, '__GFP_HIGH'],
  [__GFP_ATOMIC, '__GFP_ATOMIC'],
  [__GFP_IO, '__GFP_IO'],
  [__GFP_FS, '__GFP_FS'],
  [__GFP_NOWARN, '__GFP_NOWARN'],
  [__GFP_RETRY_MAYFAIL, '__GFP_RETRY_MAYFAIL'],
  [__GFP_NOFAIL, '__GFP_NOFAIL'],
  [__GFP_NORETRY, '__GFP_NORETRY'],
  [__GFP_COMP, '__GFP_COMP'],
  [__GFP_ZERO, '__GFP_ZERO'],
  [__GFP_NOMEMALLOC, '__GFP_NOMEMALLOC'],
  [__GFP_MEMALLOC, '__GFP_MEMALLOC'],
  [__GFP_HARDWALL, '__GFP_HARDWALL'],
  [__GFP_THISNODE, '__GFP_THISNODE'],
  [__GFP_RECLAIMABLE, '__GFP_RECLAIMABLE'],
  [__GFP_MOVABLE, '__GFP_MOVABLE'],
  [__GFP_ACCOUNT, '__GFP_ACCOUNT'],
  [__GFP_WRITE, '__GFP_WRITE'],
  [__GFP_RECLAIM, '__GFP_RECLAIM'],
  [__GFP_DIRECT_RECLAIM, '__GFP_DIRECT_RECLAIM'],
  [__GFP_KSWAPD_RECLAIM, '__GFP_KSWAPD_RECLAIM'],
  [__GFP_ZEROTAGS, '__GFP_ZEROTAGS'],
];

/** Names of set bits, `A|B|0xrest`: what %pGg and %pGp print. @linux lib/vsprintf.c:format_flags full */
export function formatFlags(flags: number, names: readonly (readonly [number, string])[]): string {
  const parts: string[] = [];
  let rest = flags >>> 0;
  for (const [mask, name] of names) {
    if ((rest & mask) >>> 0 !== mask) continue;
    parts.push(name);
    rest = (rest & ~mask) >>> 0;
  }
  if (rest !== 0) parts.push(`0x${rest.toString(16)}`);
  return parts.join('|');
}

/** How the `format` files of events print their gfp_flags. */
export const GFP_PRINT = `(REC->gfp_flags) ? __print_flags(REC->gfp_flags, "|", ${GFP_FLAG_NAMES.map(
  ([mask, name]) => `{0x${(mask >>> 0).toString(16)}, "${name}"}`,
).join(', ')}) : "none"`;

/** `GFP_KERNEL|__GFP_COMP`: the %pGg conversion. */
export const formatGfp = (gfp: number): string => formatFlags(gfp, GFP_FLAG_NAMES);

/**
 * Highest zone that each combination of the four zone bits allows. Movable memory that highmem-capable users ask
 * for may lie anywhere; contradictory combinations get the lowest zone.
 */
const ZONE_OF: readonly number[] = [
  ZONE_NORMAL, // 0
  ZONE_DMA, // DMA
  ZONE_NORMAL, // HIGHMEM
  ZONE_DMA, // DMA|HIGHMEM: contradictory
  ZONE_DMA32, // DMA32
  ZONE_DMA, // DMA|DMA32: contradictory
  ZONE_DMA, // HIGHMEM|DMA32: contradictory
  ZONE_DMA, // DMA|HIGHMEM|DMA32: contradictory
  ZONE_NORMAL, // MOVABLE
  ZONE_DMA, // MOVABLE|DMA
  ZONE_MOVABLE, // MOVABLE|HIGHMEM
  ZONE_DMA, // contradictory
  ZONE_DMA32, // MOVABLE|DMA32
  ZONE_DMA, // contradictory
  ZONE_DMA, // contradictory
  ZONE_DMA, // contradictory
];

/** Index of the highest zone an allocation may use. @linux include/linux/gfp.h:gfp_zone full */
export const gfpZone = (gfp: number): number => ZONE_OF[gfp & 15];

/**
 * How movable the pages will be: MIGRATE_UNMOVABLE, _MOVABLE or _RECLAIMABLE.
 * @linux include/linux/gfp.h:gfp_migratetype differs: both mobility bits together mean unmovable
 */
export const gfpMigratetype = (gfp: number): number => {
  const type = (gfp >> 3) & 3;
  return type === 3 ? 0 : type;
};
