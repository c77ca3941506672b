// SPDX-License-Identifier: MIT
/** The slab allocator as C modules call it. Whatever they pass, they get what Linux gives: memory, NULL or a report. */

import type { KernelExports } from '../arch/wasm64/exports.js';
import type { Vaddr } from '../machine/layout.js';
import { kfreeSensitive, kmallocSizeRoundup, krealloc, ksize } from './kmalloc.js';
import { C_OBJECT_SIZE_W } from './slab.js';
import { cacheAt } from './slab_lookup.js';
import type { Slub } from './slub.js';

const decoder = (bytes: Uint8Array): string => String.fromCharCode(...bytes);

/** Symbols of mm/slub.c and mm/slab_common.c that modules may use. */
export function slabExports(slub: Slub): KernelExports {
  const { env, core } = slub;
  const { ram } = env;
  const nameAt = (name: Vaddr): string => decoder(env.guest.readString(name, 255));
  const alloc = (cache: Vaddr, gfp: number): Vaddr => {
    const handle = cacheAt(core, cache);
    return handle === 0 ? 0 : slub.kmemCacheAlloc(handle, gfp);
  };
  const size = (cache: Vaddr): number => core.ram.u32[cacheAt(core, cache) + C_OBJECT_SIZE_W];
  return {
    __kmalloc: ['p:zu', (bytes: number, gfp: number) => slub.kmalloc(bytes, gfp)],
    __kmalloc_node: ['p:zui', (bytes: number, gfp: number) => slub.kmalloc(bytes, gfp)],
    kfree: ['v:p', (object: Vaddr) => void slub.kfree(object)],
    kfree_sensitive: ['v:p', (object: Vaddr) => void kfreeSensitive(slub, object)],
    ksize: ['z:p', (object: Vaddr) => ksize(slub, object)],
    krealloc: ['p:pzu', (object: Vaddr, bytes: number, gfp: number) => krealloc(slub, object, bytes, gfp)],
    kmalloc_size_roundup: ['z:z', (bytes: number) => kmallocSizeRoundup(core, bytes)],
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
      (cache: Vaddr) => void (cache === 0 || slub.kmemCacheDestroy(cacheAt(core, cache))),
    ],
    kmem_cache_shrink: ['i:p', (cache: Vaddr) => (slub.kmemCacheShrink(cacheAt(core, cache)) ? 1 : 0)],
    kmem_cache_size: ['u:p', size],
    kmem_cache_alloc: ['p:pu', alloc],
    kmem_cache_alloc_node: ['p:pui', alloc],
    kmem_cache_alloc_lru: ['p:ppu', (cache: Vaddr, _lru: Vaddr, gfp: number) => alloc(cache, gfp)],
    kmem_cache_free: [
      'v:pp',
      (cache: Vaddr, object: Vaddr) => void slub.kmemCacheFree(cacheAt(core, cache), object),
    ],
  };
}
