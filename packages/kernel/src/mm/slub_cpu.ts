// SPDX-License-Identifier: MIT
/**
 * Slow paths: how a CPU comes by slabs and lets go of them.
 *
 *     new pages ──► CPU's slab (frozen) ──all objects taken──► nobody's (on no list)
 *                      ▲                                          │ first free
 *                      │                                          ▼
 *                 node's partial list ◄──more than it keeps── CPU's partial list (frozen)
 *                      │ empty, and the node keeps enough
 *                      ▼
 *                    pages
 */

import { step } from '../lib/walk.js';
import { type Handle, PAGE_OFFSET, PAGE_OFFSET_HI, type Paddr, type Vaddr } from '../machine/layout.js';
import {
  C_CPU_PARTIAL_SLABS_W,
  C_FLAGS_W,
  C_OFFSET_W,
  CPU_FREELIST_W,
  CPU_PARTIAL_W,
  CPU_SLAB_W,
  NODE_NR_PARTIAL_W,
  NODE_PARTIAL_W,
  SLAB_COUNTERS_W,
  SLAB_FREELIST_W,
  SLAB_NEXT_W,
  SLAB_SLABS_W,
  SLAB_STORE_USER,
  TRACK_ALLOC,
} from './slab.js';
import type { SlabCore } from './slab_core.js';
import { allocSingleFromNewSlab, allocSingleFromPartial, freeToPartialList } from './slub_debug.js';
import { addPartial, firstPartial, incSlabs, removePartial, slabsOn } from './slub_lists.js';
import { discardSlab, newSlab, slabOutOfMemory } from './slub_slabs.js';
import { setTrack } from './slub_track.js';

const FROZEN = 0x80000000 | 0;

/** Line of mm/slub.c that finds an object on top of its own freelist. */
const DOUBLE_FREE_LINE = 419;

// ----------------------------------------------------------------------------------------- allocation

/**
 * An object when this CPU's freelist has none: from its slab (objects freed by others), its partial slabs, the
 * node's, or new pages.
 * @returns the object's address; 0 if there is no memory
 * @linux mm/slub.c:___slab_alloc full
 */
export function slabAllocSlow(
  core: SlabCore,
  cache: Handle,
  gfp: number,
  caller: Vaddr,
  origSize: number,
): Vaddr {
  if (core.isDebug(cache)) return allocUnderDebug(core, cache, gfp, caller, origSize);
  const c = core.cpuSlab(cache, core.env.cpu());
  // There are no more slabs than page frames: a longer search means that C has tied their lists into a knot.
  for (let searched = 0; searched <= core.map.maxPfn; searched++) {
    const slab = core.slabPtr(c + CPU_SLAB_W);
    if (slab !== 0) {
      if (!core.isNull(c + CPU_FREELIST_W) || getFreelist(core, c, slab)) return takeFirst(core, cache, c);
      core.setSlabPtr(c + CPU_SLAB_W, 0);
    }
    const partial = core.slabPtr(c + CPU_PARTIAL_W);
    if (partial !== 0) {
      core.setSlabPtr(c + CPU_SLAB_W, partial);
      core.copyPointer(c + CPU_PARTIAL_W, partial + SLAB_NEXT_W);
    } else if (!getPartialNode(core, cache, c) && !loadNewSlab(core, cache, c, gfp)) {
      slabOutOfMemory(core, cache, gfp);
      return 0;
    }
  }
  slabOutOfMemory(core, cache, gfp);
  return 0;
}

/**
 * Takes over what others freed into this CPU's slab. Without any, the slab is nobody's from now on.
 * @linux mm/slub.c:get_freelist full
 */
function getFreelist(core: SlabCore, c: Handle, slab: Handle): boolean {
  const objects = core.objects(slab);
  const some = !core.isNull(slab + SLAB_FREELIST_W);
  core.copyPointer(c + CPU_FREELIST_W, slab + SLAB_FREELIST_W);
  core.setNull(slab + SLAB_FREELIST_W);
  core.setCounters(slab, objects, objects, some);
  return some;
}

/**
 * Takes the first object of the CPU's freelist, whatever C has made of it: following a pointer that leads nowhere
 * is the oops that it is on Linux.
 */
export function takeFirst(core: SlabCore, cache: Handle, c: Handle): Vaddr {
  const { i32, ram } = core;
  const lo = i32[c + CPU_FREELIST_W];
  const hi = i32[c + CPU_FREELIST_W + 1];
  const p = lo >>> 0;
  if (hi !== PAGE_OFFSET_HI || p >= ram.size) return takeWild(core, cache, c);
  const at = p + i32[cache + C_OFFSET_W];
  i32[c + CPU_FREELIST_W] = core.freepointerLo(cache, at);
  i32[c + CPU_FREELIST_W + 1] = core.freepointerHi(cache, at);
  return PAGE_OFFSET + p;
}

function takeWild(core: SlabCore, cache: Handle, c: Handle): Vaddr {
  const object = core.address(c + CPU_FREELIST_W);
  const bytes = core.env.guest.read(object + core.i32[cache + C_OFFSET_W], 8);
  const words = new DataView(bytes.buffer, bytes.byteOffset, 8);
  core.i32[c + CPU_FREELIST_W] = words.getInt32(0, true);
  core.i32[c + CPU_FREELIST_W + 1] = words.getInt32(4, true);
  return object;
}

/**
 * Takes slabs from the node: the first becomes this CPU's, some more its partial ones.
 * @linux mm/slub.c:get_partial_node full
 */
function getPartialNode(core: SlabCore, cache: Handle, c: Handle): boolean {
  const node = core.node(cache);
  if (core.i32[node + NODE_NR_PARTIAL_W] === 0) return false;
  const enough = Math.min(core.i32[cache + C_CPU_PARTIAL_SLABS_W] >> 1, core.map.maxPfn);
  let taken = -1;
  for (let slab = firstPartial(core, node); slab !== 0; slab = firstPartial(core, node)) {
    step(core.ram);
    removePartial(core, node, slab);
    if (taken < 0) {
      core.setSlabPtr(c + CPU_SLAB_W, slab);
      getFreelist(core, c, slab);
    } else {
      core.i32[slab + SLAB_COUNTERS_W] |= FROZEN;
      putCpuPartial(core, cache, slab, false);
    }
    if (++taken > enough) break;
  }
  return taken >= 0;
}

/** Makes a new slab this CPU's. */
function loadNewSlab(core: SlabCore, cache: Handle, c: Handle, gfp: number): boolean {
  const slab = newSlab(core, cache, gfp);
  if (slab === 0) return false;
  incSlabs(core, core.node(cache), core.objects(slab));
  // A constructor may have allocated from this very cache.
  const other = core.slabPtr(c + CPU_SLAB_W);
  if (other !== 0) deactivateSlab(core, cache, c, other);
  core.setSlabPtr(c + CPU_SLAB_W, slab);
  getFreelist(core, c, slab);
  return true;
}

/** The slow path of a cache under debugging: no CPU owns a slab, every object comes from the node. */
function allocUnderDebug(core: SlabCore, cache: Handle, gfp: number, caller: Vaddr, origSize: number): Vaddr {
  const node = core.node(cache);
  let p: Paddr = -1;
  while (p < 0) {
    step(core.ram);
    for (const slab of slabsOn(core, node + NODE_PARTIAL_W)) {
      p = allocSingleFromPartial(core, cache, node, slab, origSize);
      if (p >= 0) break;
    }
    if (p >= 0) break;
    const slab = newSlab(core, cache, gfp);
    if (slab === 0) {
      slabOutOfMemory(core, cache, gfp);
      return 0;
    }
    p = allocSingleFromNewSlab(core, cache, slab, origSize);
  }
  if (core.i32[cache + C_FLAGS_W] & SLAB_STORE_USER) setTrack(core, cache, p, TRACK_ALLOC, caller);
  return PAGE_OFFSET + p;
}

// ------------------------------------------------------------------------------------------- freeing

/**
 * `kernel BUG at mm/slub.c`: the object that is freed is the one that was freed last.
 * @param symbol the function that the report names
 */
export function bugDoubleFree(core: SlabCore, symbol: string): never {
  return core.env.reports.bug('mm/slub.c', DOUBLE_FREE_LINE, symbol);
}

/**
 * Frees objects, linked from `head` to `tail`, into a slab that is not this CPU's.
 * @linux mm/slub.c:__slab_free full
 */
export function slabFreeSlow(
  core: SlabCore,
  cache: Handle,
  slab: Handle,
  head: Paddr,
  tail: Paddr,
  count: number,
): void {
  const { i32 } = core;
  const lo = i32[slab + SLAB_FREELIST_W];
  const hi = i32[slab + SLAB_FREELIST_W + 1];
  if (lo === (tail | 0) && hi === PAGE_OFFSET_HI) bugDoubleFree(core, '__slab_free');
  core.setFreepointerRaw(cache, tail, lo, hi);
  const hadFree = lo !== 0 || hi !== 0;
  const wasFrozen = core.isFrozen(slab);
  const inuse = core.inuse(slab) - count;
  core.setInuse(slab, inuse);
  core.setObject(slab + SLAB_FREELIST_W, head);
  if (wasFrozen) return;
  if (!hadFree) {
    // It was nobody's, and has a free object now.
    i32[slab + SLAB_COUNTERS_W] |= FROZEN;
    putCpuPartial(core, cache, slab, true);
    return;
  }
  const node = core.node(cache);
  if ((inuse & 0xffff) !== 0 || i32[node + NODE_NR_PARTIAL_W] < core.minPartial(cache)) return;
  removePartial(core, node, slab);
  discardSlab(core, cache, slab);
}

/** Frees objects of a cache under debugging. */
export function slabFreeDebug(
  core: SlabCore,
  cache: Handle,
  slab: Handle,
  objects: readonly Vaddr[],
  caller: Vaddr,
): void {
  if (freeToPartialList(core, cache, slab, objects, caller)) discardSlab(core, cache, slab);
}

/**
 * Puts a frozen slab on this CPU's partial list. If that holds enough slabs, they move to the node first.
 * @linux mm/slub.c:put_cpu_partial full
 */
function putCpuPartial(core: SlabCore, cache: Handle, slab: Handle, drain: boolean): void {
  const { i32 } = core;
  const c = core.cpuSlab(cache, core.env.cpu());
  let old = core.slabPtr(c + CPU_PARTIAL_W);
  let surplus = 0;
  if (old !== 0 && drain && i32[old + SLAB_SLABS_W] >= i32[cache + C_CPU_PARTIAL_SLABS_W]) {
    surplus = old;
    old = 0;
  }
  i32[slab + SLAB_SLABS_W] = (old === 0 ? 0 : i32[old + SLAB_SLABS_W]) + 1;
  core.setSlabPtr(slab + SLAB_NEXT_W, old);
  core.setSlabPtr(c + CPU_PARTIAL_W, slab);
  if (surplus !== 0) unfreezePartials(core, cache, surplus);
}

/**
 * Moves a chain of partial slabs to the node; empty ones beyond what it keeps are given back.
 * @linux mm/slub.c:__unfreeze_partials full
 */
function unfreezePartials(core: SlabCore, cache: Handle, first: Handle): void {
  const node = core.node(cache);
  for (let slab = first; slab !== 0; ) {
    step(core.ram);
    const next = core.slabPtr(slab + SLAB_NEXT_W);
    core.i32[slab + SLAB_COUNTERS_W] &= ~FROZEN;
    if (core.inuse(slab) === 0 && core.i32[node + NODE_NR_PARTIAL_W] >= core.minPartial(cache))
      discardSlab(core, cache, slab);
    else addPartial(core, node, slab, 'tail');
    slab = next;
  }
}

/**
 * Takes this CPU's slab away from it: its objects go back to the slab, the slab to the node or to the pages.
 * @linux mm/slub.c:deactivate_slab full
 */
function deactivateSlab(core: SlabCore, cache: Handle, c: Handle, slab: Handle): void {
  const { i32 } = core;
  const where = core.isNull(slab + SLAB_FREELIST_W) ? 'head' : 'tail';
  const { count, tail } = walkCpuFreelist(core, cache, c, slab);
  if (count > 0) {
    core.setFreepointerRaw(cache, tail, i32[slab + SLAB_FREELIST_W], i32[slab + SLAB_FREELIST_W + 1]);
    core.copyPointer(slab + SLAB_FREELIST_W, c + CPU_FREELIST_W);
  }
  core.setNull(c + CPU_FREELIST_W);
  core.setSlabPtr(c + CPU_SLAB_W, 0);
  core.setInuse(slab, core.inuse(slab) - count);
  i32[slab + SLAB_COUNTERS_W] &= ~FROZEN;
  const node = core.node(cache);
  if (core.inuse(slab) === 0 && i32[node + NODE_NR_PARTIAL_W] >= core.minPartial(cache))
    discardSlab(core, cache, slab);
  else if (!core.isNull(slab + SLAB_FREELIST_W)) addPartial(core, node, slab, where);
}

/** Counts the CPU's free objects and finds the last. A list that C has spoilt ends where it leaves the slab. */
function walkCpuFreelist(
  core: SlabCore,
  cache: Handle,
  c: Handle,
  slab: Handle,
): { count: number; tail: Paddr } {
  const most = core.objects(slab);
  let count = 0;
  let tail: Paddr = 0;
  let fp = core.address(c + CPU_FREELIST_W);
  while (fp !== 0 && count < most) {
    if (!core.ram.isDirect(fp, 8)) {
      core.env.guest.read(fp + core.i32[cache + C_OFFSET_W], 8);
      break;
    }
    tail = fp - PAGE_OFFSET;
    count++;
    fp = core.getFreepointer(cache, tail);
  }
  return { count, tail };
}

/** Takes all slabs from one CPU. @linux mm/slub.c:__flush_cpu_slab full */
export function flushCpuSlab(core: SlabCore, cache: Handle, cpu: number): void {
  const c = core.cpuSlab(cache, cpu);
  const slab = core.slabPtr(c + CPU_SLAB_W);
  if (slab !== 0) deactivateSlab(core, cache, c, slab);
  const partial = core.slabPtr(c + CPU_PARTIAL_W);
  core.setSlabPtr(c + CPU_PARTIAL_W, 0);
  if (partial !== 0) unfreezePartials(core, cache, partial);
}

/** Takes all slabs from all CPUs. @linux mm/slub.c:flush_all full */
export function flushAll(core: SlabCore, cache: Handle): void {
  for (let cpu = 0; cpu < core.env.nrCpus; cpu++) flushCpuSlab(core, cache, cpu);
}
