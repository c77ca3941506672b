// SPDX-License-Identifier: MIT
/** kmalloc and its kin: which cache serves a size, what is too large for any, and how objects grow and vanish. */

import { KERN_INFO, KERN_WARNING } from '../lib/env.js';
import { type Handle, PAGE_OFFSET, PAGE_SIZE, type Vaddr } from '../machine/layout.js';
import { charge, FRAME_COUNT } from '../machine/work.js';
import {
  __GFP_ACCOUNT,
  __GFP_BITS_MASK,
  __GFP_COMP,
  __GFP_DMA,
  __GFP_DMA32,
  __GFP_HIGHMEM,
  __GFP_RECLAIMABLE,
  __GFP_ZERO,
  formatGfp,
} from './gfp.js';
import {
  C_FLAGS_W,
  C_INUSE_W,
  C_OBJECT_SIZE_W,
  C_SIZE_W,
  KMALLOC_MAX_CACHE_SIZE,
  SLAB_POISON,
  SLAB_RED_ZONE,
  SLAB_STORE_USER,
  SLAB_TYPESAFE_BY_RCU,
  ZERO_SIZE_PTR,
} from './slab.js';
import {
  KMALLOC_CGROUP,
  KMALLOC_DMA,
  KMALLOC_NORMAL,
  KMALLOC_RECLAIM,
  ONCE_LARGE_ORDER0,
  type SlabCore,
} from './slab_core.js';
import type { Slub } from './slub.js';
import { getOrder } from './slub_order.js';
import { hexAddress } from './slub_report.js';

const GFP_SLAB_BUG_MASK = __GFP_DMA32 | __GFP_HIGHMEM | ~__GFP_BITS_MASK;

/** Row of kmalloc_caches that serves an allocation. @linux include/linux/slab.h:kmalloc_type full */
export function kmallocType(gfp: number): number {
  if ((gfp & (__GFP_RECLAIMABLE | __GFP_DMA | __GFP_ACCOUNT)) === 0) return KMALLOC_NORMAL;
  if (gfp & __GFP_DMA) return KMALLOC_DMA;
  return gfp & __GFP_RECLAIMABLE ? KMALLOC_RECLAIM : KMALLOC_CGROUP;
}

/**
 * Column of kmalloc_caches for a size of 1 to KMALLOC_MAX_CACHE_SIZE.
 * @linux mm/slab_common.c:kmalloc_slab full
 */
export const kmallocIndex = (core: SlabCore, size: number): number =>
  size <= 192 ? core.u8[core.roots.size_index * 4 + ((size - 1) >> 3)] : 32 - Math.clz32(size - 1);

/** Drops GFP bits that make no sense for slabs, and says so. @linux mm/slab_common.c:kmalloc_fix_flags full */
export function fixGfp(core: SlabCore, gfp: number): number {
  const invalid = gfp & GFP_SLAB_BUG_MASK;
  if (invalid === 0) return gfp;
  const fixed = gfp & ~GFP_SLAB_BUG_MASK;
  const show = (flags: number): string => `0x${(flags >>> 0).toString(16)} (${formatGfp(flags)})`;
  core.env.log.log(
    KERN_WARNING,
    `Unexpected gfp: ${show(invalid)}. Fixing up to gfp: ${show(fixed)}. Fix your code!`,
  );
  core.env.reports.dumpStack(['kmalloc_fix_flags']);
  return fixed;
}

const LARGE_CALLERS = ['__kmalloc_large_node', 'kmalloc_large'];

/**
 * What is too large for a cache: pages.
 * @linux mm/slab_common.c:__kmalloc_large_node full
 */
export function kmallocLarge(slub: Slub, size: number, gfp: number, caller: Vaddr): Vaddr {
  const { core, trace } = slub;
  const { pages, hooks } = core;
  if (hooks?.shouldFail?.(0, gfp)) return 0;
  const order = getOrder(size);
  const flags = fixGfp(core, gfp) | __GFP_COMP;
  pages.slow.callers = LARGE_CALLERS;
  const page = pages.allocPages(flags & ~__GFP_ZERO, order);
  pages.slow.callers = [];
  if (page === 0) return 0;
  core.accountLarge(order, 1);
  charge(core.ram, FRAME_COUNT << order);
  const address = pages.pageAddress(page);
  if (gfp & __GFP_ZERO || core.initOnAlloc) core.ram.fill(address - PAGE_OFFSET, PAGE_SIZE << order, 0);
  hooks?.largeAllocated?.(address, size, order, gfp, caller);
  if (trace.kmalloc.enabled)
    trace.kmalloc.emit({
      call_site: caller === 0 ? core.env.reports.callerAddress() : caller,
      ptr: address,
      bytes_req: size,
      bytes_alloc: PAGE_SIZE << order,
      gfp_flags: gfp,
      node: -1,
    });
  return address;
}

/**
 * kfree of what lies in no slab: a large kmalloc, or a mistake.
 * @param page head page
 * @linux mm/slab_common.c:free_large_kmalloc full
 */
export function kfreeNotSlab(core: SlabCore, page: Handle, address: Vaddr, caller: Vaddr): void {
  const order = core.slabOrder(page);
  if (order === 0 && core.once(ONCE_LARGE_ORDER0)) {
    core.env.reports.warn('mm/slab_common.c', 928, 'free_large_kmalloc');
    core.env.log.log(KERN_WARNING, `object pointer: 0x${hexAddress(address)}`);
  }
  core.hooks?.largeFreeing?.(address, order, caller);
  core.accountLarge(order, -1);
  core.pages.freePages(page, order);
}

/**
 * Bytes that may be used of an object, at least what was asked for.
 * @linux mm/slab_common.c:ksize full
 */
export function ksize(slub: Slub, address: Vaddr): number {
  if (address >= 0 && address <= ZERO_SIZE_PTR) return 0;
  const { core } = slub;
  const page = slub.headPage(address);
  if (!core.isSlab(page)) return PAGE_SIZE << core.slabOrder(page);
  return slabKsize(core, core.cacheOf(page));
}

/** @linux mm/slab.h:slab_ksize full */
function slabKsize(core: SlabCore, cache: Handle): number {
  const flags = core.i32[cache + C_FLAGS_W];
  if (flags & (SLAB_RED_ZONE | SLAB_POISON)) return core.i32[cache + C_OBJECT_SIZE_W];
  if (flags & (SLAB_TYPESAFE_BY_RCU | SLAB_STORE_USER)) return core.i32[cache + C_INUSE_W];
  return core.i32[cache + C_SIZE_W];
}

/**
 * Bytes that a kmalloc of `size` would really give.
 * @linux mm/slab_common.c:kmalloc_size_roundup full
 */
export function kmallocSizeRoundup(core: SlabCore, size: number): number {
  if (size === 0) return 0;
  if (size > KMALLOC_MAX_CACHE_SIZE) return PAGE_SIZE * 2 ** getOrder(size);
  const index = kmallocIndex(core, size);
  return index === 1 ? 96 : index === 2 ? 192 : 1 << index;
}

/**
 * Makes an object hold `size` bytes; it may move.
 * @returns the new address; 0 if there is no memory, the old object then stays
 * @linux mm/slab_common.c:krealloc full
 */
export function krealloc(slub: Slub, address: Vaddr, size: number, gfp: number, caller: Vaddr = 0): Vaddr {
  if (size === 0) {
    slub.kfree(address, caller);
    return ZERO_SIZE_PTR;
  }
  const old = ksize(slub, address);
  if (old >= size) return address;
  const moved = slub.kmalloc(size, gfp, caller);
  if (moved !== 0 && old > 0) {
    copy(slub.core, moved, address, old);
    slub.kfree(address, caller);
  }
  return moved;
}

function copy(core: SlabCore, to: Vaddr, from: Vaddr, bytes: number): void {
  const p = from - PAGE_OFFSET;
  core.u8.copyWithin(to - PAGE_OFFSET, p, p + bytes);
}

/**
 * Says what is known of an address, for debugging.
 * @linux mm/slab_common.c:kmem_dump_obj partial: on a line of its own, without the stack
 */
export function kmemDumpObj(slub: Slub, address: Vaddr): void {
  const { log } = slub.env;
  const info = slub.objectInfo(address);
  if (info === undefined) log.log(KERN_INFO, ' non-slab memory.');
  else
    log.log(
      KERN_INFO,
      ` slab ${info.cache} start ${hexAddress(info.object)} pointer offset ${info.offset} size ${info.objectSize}`,
    );
}

/** Zeroes an object's bytes and frees it. @linux mm/slab_common.c:kfree_sensitive full */
export function kfreeSensitive(slub: Slub, address: Vaddr, caller: Vaddr = 0): void {
  const size = ksize(slub, address);
  const p = address - PAGE_OFFSET;
  if (size > 0 && slub.core.ram.isDirect(address)) slub.core.u8.fill(0, p, p + size);
  slub.kfree(address, caller);
}
