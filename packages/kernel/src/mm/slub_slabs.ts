// SPDX-License-Identifier: MIT
/** Slabs: making one from pages, and giving its pages back. */

import { step } from '../lib/walk.js';
import { type Handle, PAGE_OFFSET, type Paddr } from '../machine/layout.js';
import {
  __GFP_ATOMIC,
  __GFP_DIRECT_RECLAIM,
  __GFP_FS,
  __GFP_HARDWALL,
  __GFP_HIGH,
  __GFP_IO,
  __GFP_MEMALLOC,
  __GFP_NOFAIL,
  __GFP_NOMEMALLOC,
  __GFP_NORETRY,
  __GFP_NOWARN,
  __GFP_RECLAIM,
  __GFP_RETRY_MAYFAIL,
  __GFP_THISNODE,
  __GFP_ZERO,
  formatGfp,
} from './gfp.js';
import { fixGfp } from './kmalloc.js';
import {
  C_ALLOCFLAGS_W,
  C_CTOR_W,
  C_FLAGS_W,
  C_MIN_W,
  C_OO_W,
  C_RED_LEFT_PAD_W,
  C_SIZE_W,
  KmemCache,
  NODE_NR_SLABS_W,
  NODE_TOTAL_OBJECTS_W,
  OO_MASK,
  OO_SHIFT,
  PG_SLAB_MASK,
  SLAB_CACHE_W,
  SLAB_CONSISTENCY_CHECKS,
  SLAB_FREELIST_W,
  SLAB_LIST_W,
} from './slab.js';
import { ONCE_CTOR_ZERO, type SlabCore } from './slab_core.js';
import { checkFreedSlab } from './slub_check.js';
import { countFreeOnPartial, decSlabs } from './slub_lists.js';
import { getOrder } from './slub_order.js';
import { setupObjectDebug, setupSlabDebug } from './slub_track.js';

/** GFP bits that are passed on to the page allocator: how hard to try, and where. */
const NEW_SLAB_GFP =
  __GFP_RECLAIM |
  __GFP_HIGH |
  __GFP_ATOMIC |
  __GFP_IO |
  __GFP_FS |
  __GFP_NOWARN |
  __GFP_RETRY_MAYFAIL |
  __GFP_NOFAIL |
  __GFP_NORETRY |
  __GFP_MEMALLOC |
  __GFP_NOMEMALLOC |
  __GFP_HARDWALL |
  __GFP_THISNODE;

// ------------------------------------------------------------------------------------- making a slab

/**
 * A slab of fresh objects, linked in a freelist, owned by nobody and counted by nobody yet; 0 if there is no memory.
 * @linux mm/slub.c:new_slab full
 */
export function newSlab(core: SlabCore, cache: Handle, gfp: number): Handle {
  const hasCtor = core.i32[cache + C_CTOR_W] !== 0 || core.i32[cache + C_CTOR_W + 1] !== 0;
  if (hasCtor && gfp & __GFP_ZERO && core.once(ONCE_CTOR_ZERO))
    core.env.reports.warn('mm/slub.c', 2014, 'new_slab');
  return allocateSlab(core, cache, fixGfp(core, gfp) & NEW_SLAB_GFP);
}

const SLAB_CALLERS = ['allocate_slab', '___slab_alloc'];

/**
 * Pages for a slab: of the preferred order if that costs no effort, else of the smallest that holds an object.
 * @linux mm/slub.c:allocate_slab full
 */
function allocateSlab(core: SlabCore, cache: Handle, requested: number): Handle {
  const { i32, pages } = core;
  const flags = requested | i32[cache + C_ALLOCFLAGS_W];
  let oo = i32[cache + C_OO_W];
  const least = i32[cache + C_MIN_W];
  let tryGfp = (flags | __GFP_NOWARN | __GFP_NORETRY) & ~__GFP_NOFAIL;
  if (tryGfp & __GFP_DIRECT_RECLAIM && oo >> OO_SHIFT > least >> OO_SHIFT)
    tryGfp = (tryGfp | __GFP_NOMEMALLOC) & ~__GFP_RECLAIM;
  let slab = pages.allocPages(tryGfp, oo >> OO_SHIFT);
  if (slab === 0) {
    oo = least;
    pages.slow.callers = SLAB_CALLERS;
    slab = pages.allocPages(flags, oo >> OO_SHIFT);
    pages.slow.callers = [];
    if (slab === 0) return 0;
  }
  const objects = oo & OO_MASK;
  i32[slab] |= PG_SLAB_MASK;
  core.ram.setPtr(slab + SLAB_CACHE_W, cache);
  core.setCounters(slab, 0, objects, false);
  core.accountSlab(cache, oo >> OO_SHIFT, 1);
  setupSlabDebug(core, cache, slab);
  if (core.randomFreelist && objects >= 2 && core.randomSequence(cache) !== 0)
    shuffleFreelist(core, cache, slab, objects);
  else linkFreelist(core, cache, slab, objects);
  return slab;
}

/** Links the objects in order of address. */
function linkFreelist(core: SlabCore, cache: Handle, slab: Handle, objects: number): void {
  const { i32 } = core;
  const size = i32[cache + C_SIZE_W];
  let p = core.slabStart(slab) + i32[cache + C_RED_LEFT_PAD_W];
  setupObject(core, cache, p);
  core.setObject(slab + SLAB_FREELIST_W, p);
  for (let index = 1; index < objects; index++, p += size) {
    setupObject(core, cache, p + size);
    core.setFreepointer(cache, p, PAGE_OFFSET + p + size);
  }
  core.setFreepointer(cache, p, 0);
}

/**
 * Links the objects in the cache's random order, from a random place in it.
 * @linux mm/slub.c:shuffle_freelist full
 */
function shuffleFreelist(core: SlabCore, cache: Handle, slab: Handle, objects: number): void {
  const { i32 } = core;
  const sequence = core.randomSequence(cache);
  const count = i32[cache + C_OO_W] & OO_MASK;
  const end = objects * i32[cache + C_SIZE_W];
  const start = core.slabStart(slab);
  const pad = i32[cache + C_RED_LEFT_PAD_W];
  let position = core.env.random.below(count);
  const next = (): Paddr => {
    // The order was made for the preferred slab: a smaller one skips what lies beyond its end.
    for (;;) {
      step(core.ram);
      const offset = core.ram.u32[sequence + position];
      position = position + 1 >= count ? 0 : position + 1;
      if (offset < end) return start + offset + pad;
    }
  };
  let p = next();
  setupObject(core, cache, p);
  core.setObject(slab + SLAB_FREELIST_W, p);
  for (let index = 1; index < objects; index++) {
    const following = next();
    setupObject(core, cache, following);
    core.setFreepointer(cache, p, PAGE_OFFSET + following);
    p = following;
  }
  core.setFreepointer(cache, p, 0);
}

/** @linux mm/slub.c:setup_object full */
function setupObject(core: SlabCore, cache: Handle, p: Paddr): void {
  setupObjectDebug(core, cache, p);
  const ctor = core.address(cache + C_CTOR_W);
  if (ctor !== 0) core.callGuest(ctor, 'v:p', PAGE_OFFSET + p);
}

// ------------------------------------------------------------------------------------ giving one back

/**
 * Gives a slab's pages back.
 * @linux mm/slub.c:free_slab differs: slabs of SLAB_TYPESAFE_BY_RCU caches do not wait, as no reader can be interrupted
 */
export function freeSlab(core: SlabCore, cache: Handle, slab: Handle): void {
  const order = core.slabOrder(slab);
  if (core.i32[cache + C_FLAGS_W] & SLAB_CONSISTENCY_CHECKS) checkFreedSlab(core, cache, slab);
  core.i32[slab] &= ~PG_SLAB_MASK;
  for (let word = SLAB_LIST_W; word < SLAB_LIST_W + 10; word++) core.i32[slab + word] = 0;
  core.accountSlab(cache, order, -1);
  core.pages.freePages(slab, order);
}

/** Takes a slab out of the count and gives it back. @linux mm/slub.c:discard_slab full */
export function discardSlab(core: SlabCore, cache: Handle, slab: Handle): void {
  decSlabs(core, core.node(cache), core.objects(slab));
  freeSlab(core, cache, slab);
}

// --------------------------------------------------------------------------------------- out of memory

const RATELIMIT_INTERVAL_NS = 5e9;
const RATELIMIT_BURST = 10;

/** True if a message may be printed: ten in five seconds. */
function ratelimit(core: SlabCore): boolean {
  const { ram, env, roots } = core;
  const state = roots.oom_ratelimit;
  if (ram.u32[state + 2] === 0 || env.clock.ns - ram.u64(state) > RATELIMIT_INTERVAL_NS) {
    ram.set64(state, env.clock.ns);
    ram.u32[state + 2] = 0;
  }
  return ram.u32[state + 2]++ < RATELIMIT_BURST;
}

/**
 * Says that a cache found no memory, and what it has.
 * @linux mm/slub.c:slab_out_of_memory full
 */
export function slabOutOfMemory(core: SlabCore, cache: Handle, gfp: number): void {
  if (gfp & __GFP_NOWARN || !ratelimit(core)) return;
  const view = KmemCache.at(core.ram, cache);
  const name = core.cacheName(cache);
  const warn = (text: string): void => core.env.log.log(4, text);
  const order = (oo: number): number => oo >>> OO_SHIFT;
  warn(`SLUB: Unable to allocate memory on node -1, gfp=0x${gfp.toString(16)}(${formatGfp(gfp)})`);
  warn(
    `  cache: ${name}, object size: ${view.object_size}, buffer size: ${view.size}, ` +
      `default order: ${order(view.oo.x)}, min order: ${order(view.min.x)}`,
  );
  if (order(view.min.x) > getOrder(view.object_size))
    warn(`  ${name} debugging increased min order, use slub_debug=O to disable.`);
  const node = core.node(cache);
  const { i32 } = core;
  warn(
    `  node 0: slabs: ${i32[node + NODE_NR_SLABS_W]}, objs: ${i32[node + NODE_TOTAL_OBJECTS_W]}, ` +
      `free: ${countFreeOnPartial(core, node)}`,
  );
}
