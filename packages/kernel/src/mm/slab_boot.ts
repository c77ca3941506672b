// SPDX-License-Identifier: MIT
/**
 * The first caches: struct kmem_cache and struct kmem_cache_node come from slabs too, so the first two are made
 * by hand in static data, serve their own structs, and then move into slabs; the kmalloc caches follow.
 */

import { listAdd } from '../lib/list.js';
import type { Handle } from '../machine/layout.js';
import { __GFP_ZERO, GFP_KERNEL, GFP_NOWAIT } from './gfp.js';
import {
  C_LIST_W,
  KMALLOC_SHIFT_HIGH,
  KmemCache,
  KmemCacheNode,
  NODE_FULL_W,
  NODE_PARTIAL_W,
  SLAB_ACCOUNT,
  SLAB_CACHE_DMA,
  SLAB_CACHE_W,
  SLAB_HWCACHE_ALIGN,
  SLAB_KMALLOC,
  SLAB_RECLAIM_ACCOUNT,
} from './slab.js';
import { initRandomSequence, openCache } from './slab_common.js';
import {
  KMALLOC_CGROUP,
  KMALLOC_DMA,
  KMALLOC_NORMAL,
  KMALLOC_RECLAIM,
  KMALLOC_ROW,
  KMALLOC_TYPES,
  NR_KMALLOC_TYPES,
  type SlabCore,
} from './slab_core.js';
import { flushCpuSlab } from './slub_cpu.js';
import { slabsOn } from './slub_lists.js';

export type AllocObject = (cache: Handle, gfp: number) => Handle;
export type AllocBytes = (size: number, gfp: number) => number;

const FLAGS_OF_TYPE: Readonly<Record<number, number>> = {
  [KMALLOC_NORMAL]: 0,
  [KMALLOC_CGROUP]: SLAB_ACCOUNT,
  [KMALLOC_RECLAIM]: SLAB_RECLAIM_ACCOUNT,
  [KMALLOC_DMA]: SLAB_CACHE_DMA,
};

/** Places strings in static data, one after the other. */
class Names {
  private at: number;
  constructor(private readonly core: SlabCore) {
    this.at = core.roots.names * 4;
  }

  place(name: string): Handle {
    const handle = this.at / 4;
    for (let i = 0; i < name.length; i++) this.core.u8[this.at + i] = name.charCodeAt(i);
    this.at = (this.at + name.length + 4) & ~3;
    return handle;
  }
}

/** @linux mm/slub.c:kmem_cache_init full */
export function bootCaches(core: SlabCore, alloc: AllocObject, kmalloc: AllocBytes): void {
  const { roots, ram } = core;
  const names = new Names(core);
  core.bootRoots();
  const first = roots.boot_caches;
  const second = first + KmemCache.size / 4;
  ram.setPtr(roots.kmem_cache_node, first);
  createBootCache(core, first, names.place('kmem_cache_node'), KmemCacheNode.size, SLAB_HWCACHE_ALIGN, alloc);
  ram.setPtr(roots.kmem_cache, second);
  createBootCache(core, second, names.place('kmem_cache'), KmemCache.size, SLAB_HWCACHE_ALIGN, alloc);
  ram.setPtr(roots.kmem_cache, bootstrap(core, second, alloc));
  ram.setPtr(roots.kmem_cache_node, bootstrap(core, first, alloc));
  ram.fill(first * 4, 2 * KmemCache.size, 0);
  setupSizeIndex(core);
  createKmallocCaches(core, names, alloc);
  if (core.randomFreelist)
    for (let i = 0; i < NR_KMALLOC_TYPES * KMALLOC_ROW; i++) {
      const cache = ram.ptr(roots.kmalloc_caches + 2 * i);
      if (cache !== 0) initRandomSequence(core, cache, kmalloc);
    }
  core.up = true;
}

/** @linux mm/slab_common.c:create_boot_cache full */
function createBootCache(
  core: SlabCore,
  cache: Handle,
  name: Handle,
  size: number,
  flags: number,
  alloc: AllocObject,
  usersize = 0,
): void {
  const view = KmemCache.at(core.ram, cache);
  view.name = name;
  view.size = view.object_size = size;
  const powerOfTwo = (size & (size - 1)) === 0;
  view.usersize = usersize;
  // kmalloc promises alignment to the size where that is a power of two.
  const error = openCache(core, cache, { flags, align: powerOfTwo ? Math.max(8, size) : 8, ctor: 0 }, alloc);
  if (error !== 0) core.env.reports.bug('mm/slab_common.c', 650, 'create_boot_cache');
  view.refcount = -1;
}

/**
 * Moves a cache's own struct from static data into a slab, and its slabs with it.
 * @linux mm/slub.c:bootstrap full
 */
function bootstrap(core: SlabCore, from: Handle, alloc: AllocObject): Handle {
  const { ram, i32 } = core;
  const cache = alloc(ram.ptr(core.roots.kmem_cache), GFP_NOWAIT | __GFP_ZERO);
  i32.copyWithin(cache, from, from + KmemCache.size / 4);
  flushCpuSlab(core, cache, core.env.cpu());
  const node = core.node(cache);
  for (const list of [NODE_PARTIAL_W, NODE_FULL_W])
    for (const slab of slabsOn(core, node + list)) ram.setPtr(slab + SLAB_CACHE_W, cache);
  listAdd(ram, cache + C_LIST_W, core.roots.slab_caches);
  return cache;
}

/** @linux mm/slab_common.c:setup_kmalloc_cache_index_table full */
function setupSizeIndex(core: SlabCore): void {
  const table = core.roots.size_index * 4;
  for (let i = 0; i < 24; i++) {
    const size = 8 * (i + 1);
    core.u8[table + i] =
      size > 64 && size <= 96 ? 1 : size > 128 ? 2 : Math.max(3, 32 - Math.clz32(size - 1));
  }
}

/** @linux mm/slab_common.c:create_kmalloc_caches full */
function createKmallocCaches(core: SlabCore, names: Names, alloc: AllocObject): void {
  for (let type = 0; type < NR_KMALLOC_TYPES; type++)
    for (let index = 3; index <= KMALLOC_SHIFT_HIGH; index++) {
      createKmallocCache(core, names, alloc, type, index, 1 << index);
      if (index === 6) createKmallocCache(core, names, alloc, type, 1, 96);
      if (index === 7) createKmallocCache(core, names, alloc, type, 2, 192);
    }
}

/** @linux mm/slab_common.c:new_kmalloc_cache full */
function createKmallocCache(
  core: SlabCore,
  names: Names,
  alloc: AllocObject,
  type: number,
  index: number,
  size: number,
): void {
  const { ram, roots } = core;
  const name = names.place(`${KMALLOC_TYPES[type]}-${size >= 1024 ? `${size / 1024}k` : size}`);
  const cache = alloc(ram.ptr(roots.kmem_cache), GFP_KERNEL | __GFP_ZERO);
  if (cache === 0) core.env.reports.bug('mm/slab_common.c', 668, 'create_kmalloc_cache');
  createBootCache(core, cache, name, size, FLAGS_OF_TYPE[type] | SLAB_KMALLOC, alloc, size);
  KmemCache.at(ram, cache).refcount = type === KMALLOC_NORMAL ? -1 : 1;
  listAdd(ram, cache + C_LIST_W, roots.slab_caches);
  ram.setPtr(roots.kmalloc_caches + 2 * (type * KMALLOC_ROW + index), cache);
}
