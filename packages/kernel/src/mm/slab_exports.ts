// SPDX-License-Identifier: MIT
/** The slab allocator as C modules call it. Whatever they pass, they get what Linux gives: memory, NULL or a report. */

import type { KernelExports } from '../arch/wasm64/exports.js';
import type { Handle, Vaddr } from '../machine/layout.js';
import { DmaMemory } from './dmapool.js';
import { __GFP_COMP } from './gfp.js';
import { kfreeSensitive, kmallocSizeRoundup, kmemDumpObj, krealloc, ksize } from './kmalloc.js';
import { Mempools } from './mempool.js';
import { PCPU_UNIT_SIZE } from './percpu.js';
import { C_OBJECT_SIZE_W } from './slab.js';
import { cacheAt } from './slab_lookup.js';
import type { Slub } from './slub.js';
import { kmemCacheAllocBulk, kmemCacheFreeBulk } from './slub_bulk.js';
import { kfreeConst, kvfree, kvfreeSensitive, kvmalloc, kvrealloc } from './util.js';

/** Everything that modules may use of slabs, pools and per-CPU memory. */
export const slabExports = (slub: Slub): KernelExports => ({
  ...kmallocExports(slub),
  ...cacheExports(slub),
  ...mempoolExports(slub),
  ...percpuExports(slub),
  ...dmaExports(slub),
});

function kmallocExports(slub: Slub): KernelExports {
  return {
    __kmalloc: ['p:zu', (bytes: number, gfp: number) => slub.kmalloc(bytes, gfp)],
    __kmalloc_node: ['p:zui', (bytes: number, gfp: number) => slub.kmalloc(bytes, gfp)],
    kfree: ['v:p', (object: Vaddr) => void slub.kfree(object)],
    kfree_const: ['v:p', (object: Vaddr) => void kfreeConst(slub, object)],
    kfree_sensitive: ['v:p', (object: Vaddr) => void kfreeSensitive(slub, object)],
    kfree_bulk: ['v:zp', (n: number, array: Vaddr) => void kmemCacheFreeBulk(slub, 0, n, array)],
    ksize: ['z:p', (object: Vaddr) => ksize(slub, object)],
    __ksize: ['z:p', (object: Vaddr) => ksize(slub, object)],
    krealloc: ['p:pzu', (object: Vaddr, bytes: number, gfp: number) => krealloc(slub, object, bytes, gfp)],
    kmalloc_size_roundup: ['z:z', (bytes: number) => kmallocSizeRoundup(slub.core, bytes)],
    kmem_dump_obj: ['v:p', (object: Vaddr) => void kmemDumpObj(slub, object)],
    kmem_valid_obj: ['b:p', (object: Vaddr) => slub.objectInfo(object) !== undefined],
    kvmalloc_node: ['p:zui', (bytes: number, gfp: number) => kvmalloc(slubSource(slub), bytes, gfp)],
    kvfree: ['v:p', (address: Vaddr) => void kvfree(slubSource(slub), address)],
    kvfree_sensitive: [
      'v:pz',
      (address: Vaddr, bytes: number) => void kvfreeSensitive(slubSource(slub), address, bytes),
    ],
    kvrealloc: [
      'p:pzzu',
      (address: Vaddr, from: number, to: number, gfp: number) =>
        kvrealloc(slubSource(slub), address, from, to, gfp),
    ],
  };
}

const slubSource = (slub: Slub) => ({ slub, vmalloc: slub.vmalloc });

function cacheExports(slub: Slub): KernelExports {
  const { env, core } = slub;
  const { ram } = env;
  const nameAt = (name: Vaddr): string => String.fromCharCode(...env.guest.readString(name, 255));
  /** Calls with the cache that C named, if it is one. */
  const withCache = <T>(cache: Vaddr, otherwise: T, use: (cache: Handle) => T): T => {
    const handle = cacheAt(core, cache);
    return handle === 0 ? otherwise : use(handle);
  };
  const alloc = (cache: Vaddr, gfp: number): Vaddr =>
    withCache<number>(cache, 0, (c) => slub.kmemCacheAlloc(c, gfp));
  return {
    slab_is_available: ['b:', () => core.up],
    kmem_cache_create: [
      'p:puuup',
      (name: Vaddr, bytes: number, align: number, flags: number, ctor: Vaddr) =>
        ram.addressOf(slub.kmemCacheCreate(nameAt(name), bytes, align, flags | 0, ctor)),
    ],
    kmem_cache_create_usercopy: [
      'p:puuuuup',
      (
        name: Vaddr,
        bytes: number,
        align: number,
        flags: number,
        useroffset: number,
        usersize: number,
        ctor: Vaddr,
      ) =>
        ram.addressOf(
          slub.kmemCacheCreateUsercopy(nameAt(name), bytes, align, flags | 0, useroffset, usersize, ctor),
        ),
    ],
    kmem_cache_destroy: [
      'v:p',
      (cache: Vaddr) =>
        cache === 0 ? undefined : withCache(cache, undefined, (c) => void slub.kmemCacheDestroy(c)),
    ],
    kmem_cache_shrink: [
      'i:p',
      (cache: Vaddr) => withCache(cache, 0, (c) => (slub.kmemCacheShrink(c) ? 1 : 0)),
    ],
    kmem_cache_size: ['u:p', (cache: Vaddr) => withCache(cache, 0, (c) => ram.u32[c + C_OBJECT_SIZE_W])],
    kmem_cache_alloc: ['p:pu', alloc],
    kmem_cache_alloc_node: ['p:pui', alloc],
    kmem_cache_alloc_lru: ['p:ppu', (cache: Vaddr, _lru: Vaddr, gfp: number) => alloc(cache, gfp)],
    kmem_cache_free: [
      'v:pp',
      (cache: Vaddr, object: Vaddr) => withCache(cache, undefined, (c) => void slub.kmemCacheFree(c, object)),
    ],
    kmem_cache_alloc_bulk: [
      'i:puzp',
      (cache: Vaddr, gfp: number, n: number, array: Vaddr) =>
        withCache(cache, 0, (c) => kmemCacheAllocBulk(slub, c, gfp, n, array)),
    ],
    kmem_cache_free_bulk: [
      'v:pzp',
      (cache: Vaddr, n: number, array: Vaddr) =>
        cache === 0
          ? kmemCacheFreeBulk(slub, 0, n, array)
          : withCache(cache, undefined, (c) => kmemCacheFreeBulk(slub, c, n, array)),
    ],
  };
}

/** Pools, and the allocators that they are usually made with. */
function mempoolExports(slub: Slub): KernelExports {
  const pools = new Mempools(slub);
  const { core } = slub;
  type Fn = Vaddr;
  const allocPages = (gfp: number, order: number): Vaddr => {
    const page = order >= 0 && order <= 10 ? core.pages.allocPages(gfp | __GFP_COMP, order) : 0;
    return page === 0 ? 0 : core.slabVmemmap(page);
  };
  return {
    mempool_create: ['p:ippp', (n: number, a: Fn, f: Fn, data: Vaddr) => pools.create(n, a, f, data)],
    mempool_create_node: ['p:ipppui', (n: number, a: Fn, f: Fn, data: Vaddr) => pools.create(n, a, f, data)],
    mempool_init: [
      'i:pippp',
      (pool: Vaddr, n: number, a: Fn, f: Fn, data: Vaddr) => pools.init(pool, n, a, f, data),
    ],
    mempool_exit: ['v:p', (pool: Vaddr) => void pools.exit(pool)],
    mempool_destroy: ['v:p', (pool: Vaddr) => void pools.destroy(pool)],
    mempool_resize: ['i:pi', (pool: Vaddr, n: number) => pools.resize(pool, n)],
    mempool_alloc: ['p:pu', (pool: Vaddr, gfp: number) => pools.alloc(pool, gfp)],
    mempool_free: ['v:pp', (element: Vaddr, pool: Vaddr) => void pools.free(element, pool)],
    mempool_alloc_slab: [
      'p:up',
      (gfp: number, cache: Vaddr) => {
        const handle = cacheAt(core, cache);
        return handle === 0 ? 0 : slub.kmemCacheAlloc(handle, gfp);
      },
    ],
    mempool_free_slab: [
      'v:pp',
      (element: Vaddr, cache: Vaddr) => void slub.kmemCacheFree(cacheAt(core, cache), element),
    ],
    mempool_kmalloc: ['p:uz', (gfp: number, bytes: number) => slub.kmalloc(bytes, gfp)],
    mempool_kfree: ['v:pp', (element: Vaddr) => void slub.kfree(element)],
    mempool_alloc_pages: ['p:ul', allocPages],
    mempool_free_pages: ['v:pl', (page: Vaddr) => void slub.freeVmemmapPage(page)],
  };
}

function percpuExports(slub: Slub): KernelExports {
  const { env, percpu } = slub;
  const { ram } = env;
  const alloc = (bytes: number, align: number): Vaddr => ram.addressOf(percpu.alloc(bytes, align));
  return {
    __alloc_percpu: ['p:zz', alloc],
    __alloc_percpu_gfp: [
      'p:zzu',
      (bytes: number, align: number, gfp: number) => ram.addressOf(percpu.alloc(bytes, align, gfp)),
    ],
    free_percpu: [
      'v:p',
      (address: Vaddr) => {
        if (ram.isDirect(address) && ram.handleOf(address) % 4 === 0) percpu.free(ram.handleOf(address));
        else if (address !== 0) env.guest.read(address, 1);
      },
    ],
    __pagewalk_my_cpu_offset: ['z:', () => env.cpu() * PCPU_UNIT_SIZE],
  };
}

function dmaExports(slub: Slub): KernelExports {
  const dma = new DmaMemory(slub);
  const { guest } = slub.env;
  return {
    dma_alloc_coherent: [
      'p:pzpu',
      (_dev: Vaddr, bytes: number, handle: Vaddr, gfp: number) => dma.allocCoherent(bytes, handle, gfp),
    ],
    dma_free_coherent: [
      'v:pzpz',
      (_dev: Vaddr, bytes: number, address: Vaddr) => void dma.freeCoherent(bytes, address),
    ],
    dma_pool_create: [
      'p:ppzzz',
      (name: Vaddr, dev: Vaddr, bytes: number, align: number, boundary: number) =>
        dma.create(String.fromCharCode(...guest.readString(name, 31)), dev, bytes, align, boundary),
    ],
    dma_pool_destroy: ['v:p', (pool: Vaddr) => void dma.destroy(pool)],
    dma_pool_alloc: ['p:pup', (pool: Vaddr, gfp: number, handle: Vaddr) => dma.alloc(pool, gfp, handle)],
    dma_pool_free: ['v:ppz', (pool: Vaddr, address: Vaddr, at: number) => void dma.free(pool, address, at)],
  };
}
