// SPDX-License-Identifier: MIT
/** kmalloc, kfree and the like as C calls them: generated fast paths before the TypeScript functions. */

import type { SlabCore } from '../../mm/slab_core.js';
import type { FastPaths } from './fast_functions.js';
import { SLAB_FUNCTIONS, slabFunction } from './slab_code.js';

/** The slab allocator must have booted: its tables' places become constants. */
export function slabFastPaths({ roots, map, env }: SlabCore): FastPaths {
  const places = {
    ramSize: env.ram.size,
    nrCpus: env.nrCpus,
    memmap: map.base * 4,
    kmallocCaches: roots.kmalloc_caches * 4,
    sizeIndex: roots.size_index * 4,
    kmemCache: roots.kmem_cache * 4,
  };
  return Object.fromEntries(
    SLAB_FUNCTIONS.map((name) => [name, (slow) => slabFunction(name, places, slow)] as const),
  );
}
