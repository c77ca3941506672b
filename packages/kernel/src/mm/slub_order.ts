// SPDX-License-Identifier: MIT
/** How large a slab is and how an object is laid out in it: arithmetic only. */

import {
  __OBJECT_POISON,
  MAX_OBJS_PER_PAGE,
  OO_SHIFT,
  SLAB_HWCACHE_ALIGN,
  SLAB_KMALLOC,
  SLAB_POISON,
  SLAB_RED_ZONE,
  SLAB_STORE_USER,
  SLAB_TYPESAFE_BY_RCU,
  Track,
} from './slab.js';

const PAGE_SIZE = 4096;
const CACHE_LINE = 64;
const WORD = 8;
const MAX_ORDER = 11;

/** Limits that boot parameters may change. */
export interface OrderLimits {
  readonly minOrder: number;
  readonly maxOrder: number;
  /** 0: by the number of CPUs. */
  readonly minObjects: number;
  readonly nrCpus: number;
}

export const alignUp = (n: number, align: number): number => Math.ceil(n / align) * align;
const alignDown = (n: number, align: number): number => n - (n % align);

/** Number of the highest set bit, counted from 1; 0 for 0. */
export const fls = (n: number): number => 32 - Math.clz32(n);

/** Smallest order whose block holds `bytes`; any integer up to 2^64. */
export function getOrder(bytes: number): number {
  let order = 0;
  for (let block = PAGE_SIZE; block < bytes; block *= 2) order++;
  return order;
}

/** @linux mm/slub.c:order_objects full */
export const orderObjects = (order: number, size: number): number => Math.floor((PAGE_SIZE << order) / size);

/** @linux mm/slub.c:oo_make full */
export const ooMake = (order: number, size: number): number =>
  (order << OO_SHIFT) + orderObjects(order, size);

/**
 * The smallest order that holds `minObjects` and wastes at most 1/`fraction` of the slab; above `maxOrder` if none.
 * @linux mm/slub.c:calc_slab_order full
 */
function calcSlabOrder(
  size: number,
  minObjects: number,
  maxOrder: number,
  fraction: number,
  minOrder: number,
) {
  if (orderObjects(minOrder, size) > MAX_OBJS_PER_PAGE) return getOrder(size * MAX_OBJS_PER_PAGE) - 1;
  let order = Math.max(minOrder, getOrder(minObjects * size));
  for (; order <= maxOrder; order++) {
    const slabSize = PAGE_SIZE << order;
    if (slabSize % size <= Math.floor(slabSize / fraction)) break;
  }
  return order;
}

/**
 * The order of a cache's slabs: as many objects as the CPUs are thought to want, first with at most 1/16 wasted,
 * then 1/8, 1/4; if no order will do, with fewer objects. -1 if an object is too large for any slab.
 * @linux mm/slub.c:calculate_order full
 */
export function calculateOrder(size: number, limits: OrderLimits): number {
  let minObjects = limits.minObjects || 4 * (fls(limits.nrCpus) + 1);
  minObjects = Math.min(minObjects, orderObjects(limits.maxOrder, size));
  for (; minObjects > 1; minObjects--)
    for (let fraction = 16; fraction >= 4; fraction /= 2) {
      const order = calcSlabOrder(size, minObjects, limits.maxOrder, fraction, limits.minOrder);
      if (order <= limits.maxOrder) return order;
    }
  let order = calcSlabOrder(size, 1, limits.maxOrder, 1, limits.minOrder);
  if (order <= limits.maxOrder) return order;
  order = calcSlabOrder(size, 1, MAX_ORDER - 1, 1, limits.minOrder);
  return order < MAX_ORDER ? order : -1;
}

/** @linux mm/slab_common.c:calculate_alignment full */
export function calculateAlignment(flags: number, align: number, size: number): number {
  let result = align;
  if (flags & SLAB_HWCACHE_ALIGN) {
    let line = CACHE_LINE;
    while (size <= line / 2) line /= 2;
    result = Math.max(result, line);
  }
  return alignUp(Math.max(result, WORD), WORD);
}

/** Where things lie in an object and how its slabs are made; fields as in struct kmem_cache. */
export interface ObjectLayout {
  flags: number;
  size: number;
  inuse: number;
  offset: number;
  red_left_pad: number;
  oo: number;
  min: number;
}

/**
 * The layout of an object: left red zone, object, right red zone (at least a word), free pointer where it must not
 * overlap the object, two tracks, requested size, padding. Undefined if no slab can hold it.
 * @linux mm/slub.c:calculate_sizes full
 */
export function calculateSizes(
  objectSize: number,
  align: number,
  cacheFlags: number,
  hasCtor: boolean,
  limits: OrderLimits,
): ObjectLayout | undefined {
  let flags = cacheFlags & ~__OBJECT_POISON;
  if (flags & SLAB_POISON && !(flags & SLAB_TYPESAFE_BY_RCU) && !hasCtor) flags |= __OBJECT_POISON;
  let size = alignUp(objectSize, WORD);
  if (flags & SLAB_RED_ZONE && size === objectSize) size += WORD;
  const inuse = size;

  let offset = alignDown(Math.floor(objectSize / 2), WORD);
  if (
    flags & (SLAB_TYPESAFE_BY_RCU | SLAB_POISON) ||
    (flags & SLAB_RED_ZONE && objectSize < WORD) ||
    hasCtor
  ) {
    offset = size;
    size += WORD;
  }
  if (flags & SLAB_STORE_USER) {
    size += 2 * Track.size;
    if (flags & SLAB_KMALLOC) size += 4;
  }
  let redLeftPad = 0;
  if (flags & SLAB_RED_ZONE) {
    redLeftPad = alignUp(WORD, align);
    size += WORD + redLeftPad;
  }
  size = alignUp(size, align);
  const order = calculateOrder(size, limits);
  if (order < 0) return undefined;
  return {
    flags,
    size,
    inuse,
    offset,
    red_left_pad: redLeftPad,
    oo: ooMake(order, size),
    min: ooMake(getOrder(size), size),
  };
}

/**
 * How many objects and slabs a CPU keeps of partially used slabs: 0 for caches under debugging.
 * @linux mm/slub.c:set_cpu_partial full
 */
export function cpuPartial(
  size: number,
  debug: boolean,
  objectsPerSlab: number,
): [objects: number, slabs: number] {
  if (debug) return [0, 0];
  const objects = size >= PAGE_SIZE ? 6 : size >= 1024 ? 24 : size >= 256 ? 52 : 120;
  return [objects, Math.ceil((objects * 2) / objectsPerSlab)];
}

/** Empty slabs that a node keeps. */
export const minPartial = (size: number): number => Math.min(10, Math.max(5, (fls(size) - 1) >> 1));

/** Magic numbers that replace division by `d`. */
export function reciprocalValue(d: number): { m: number; sh1: number; sh2: number } {
  const l = fls(d - 1);
  const m = Math.floor((4294967296 * (2 ** l - d)) / d) + 1;
  return { m, sh1: Math.min(l, 1), sh2: Math.max(l - 1, 0) };
}
