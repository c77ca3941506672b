// SPDX-License-Identifier: MIT
/** Many objects in one call. */

import { readS64, writeInteger } from '../lib/guest_access.js';
import type { Handle, Vaddr } from '../machine/layout.js';
import type { Slub } from './slub.js';

/**
 * Allocates `count` objects and writes their addresses to an array of C.
 * @returns `count`, or 0 if there was not memory for all: then none is allocated
 * @linux mm/slub.c:kmem_cache_alloc_bulk full
 */
export function kmemCacheAllocBulk(
  slub: Slub,
  cache: Handle,
  gfp: number,
  count: number,
  array: Vaddr,
): number {
  const { env } = slub;
  for (let i = 0; i < count; i++) {
    const object = slub.kmemCacheAlloc(cache, gfp);
    if (object === 0) {
      if (i > 0) kmemCacheFreeBulk(slub, cache, i, array);
      return 0;
    }
    writeInteger(env, array + 8 * i, object, 8);
  }
  return count;
}

/**
 * Frees the objects whose addresses an array of C holds, the last first.
 * @param cache 0: each object's own, and what kmalloc made of pages too
 * @linux mm/slub.c:kmem_cache_free_bulk differs: one object after the other, so a slab is looked up for each
 */
export function kmemCacheFreeBulk(slub: Slub, cache: Handle, count: number, array: Vaddr): void {
  const { env } = slub;
  if (count === 0) {
    env.reports.warn('mm/slub.c', 3610, 'kmem_cache_free_bulk');
    return;
  }
  for (let i = count - 1; i >= 0; i--) {
    const object = readS64(env, array + 8 * i);
    if (cache === 0) slub.kfree(object);
    else slub.kmemCacheFree(cache, object);
  }
}
