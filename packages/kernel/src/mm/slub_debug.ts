// SPDX-License-Identifier: MIT
/**
 * slub_debug: objects fenced with red zones, filled with a pattern while they are free, tagged with their last
 * users, and checked whenever they change hands.
 *
 *     | left red zone | object … | right red zone | free pointer | track: alloc | track: free | size | padding |
 *      bb free, cc used  6b…a5      bb or cc                                                             5a
 *
 * A check that fails reports, repairs what it found and answers false; the caller then gives the slab up.
 * Slabs of such caches never belong to a CPU, so that every step is seen here.
 */

import { KERN_ERR } from '../lib/env.js';
import { type Handle, PAGE_OFFSET, type Paddr, type Vaddr } from '../machine/layout.js';
import {
  C_OFFSET_W,
  C_RED_LEFT_PAD_W,
  C_SIZE_W,
  NODE_NR_PARTIAL_W,
  SLAB_CONSISTENCY_CHECKS,
  SLAB_COUNTERS_W,
  SLAB_FREELIST_W,
  SLAB_STORE_USER,
  SLUB_RED_ACTIVE,
  SLUB_RED_INACTIVE,
  TRACK_FREE,
} from './slab.js';
import type { SlabCore } from './slab_core.js';
import { checkObject, checkSlab, freeObjects, onFreelist } from './slub_check.js';
import { addFull, addPartial, incSlabs, removeFull, removePartial } from './slub_lists.js';
import { hexAddress, objectErr, slabErr, slabFix } from './slub_report.js';
import { flagsOf, initObject, setOrigSize, setTrack, trace } from './slub_track.js';

/**
 * Checks and marks an object that is about to be handed out.
 * @linux mm/slub.c:alloc_debug_processing full
 */
function allocDebugProcessing(
  core: SlabCore,
  cache: Handle,
  slab: Handle,
  p: Paddr,
  origSize: number,
  frames: readonly string[],
): boolean {
  const trail = ['alloc_debug_processing', ...frames];
  if (
    flagsOf(core, cache) & SLAB_CONSISTENCY_CHECKS &&
    !allocConsistencyChecks(core, cache, slab, p, trail)
  ) {
    if (core.isSlab(slab)) {
      // Nobody may touch the other objects, so all count as used, and `frozen` marks the slab as given up.
      slabFix(core, cache, 'Marking all objects used');
      core.setCounters(slab, core.objects(slab), core.objects(slab), true);
      core.setNull(slab + SLAB_FREELIST_W);
    }
    return false;
  }
  trace(core, cache, slab, p, true);
  setOrigSize(core, cache, p, origSize);
  initObject(core, cache, p, SLUB_RED_ACTIVE);
  return true;
}

/** @linux mm/slub.c:alloc_consistency_checks full */
function allocConsistencyChecks(
  core: SlabCore,
  cache: Handle,
  slab: Handle,
  p: Paddr,
  frames: readonly string[],
): boolean {
  if (!checkSlab(core, cache, slab, frames)) return false;
  if (!core.validPointer(cache, slab, PAGE_OFFSET + p)) {
    objectErr(core, cache, slab, p, 'Freelist Pointer check fails', frames);
    return false;
  }
  return checkObject(core, cache, slab, p, SLUB_RED_INACTIVE, frames);
}

/**
 * Takes the first object of a slab on the partial list.
 * @returns its offset; -1 if the slab had to be given up
 * @linux mm/slub.c:alloc_single_from_partial full
 */
export function allocSingleFromPartial(
  core: SlabCore,
  cache: Handle,
  node: Handle,
  slab: Handle,
  origSize: number,
): Paddr {
  const fp = core.address(slab + SLAB_FREELIST_W);
  if (!isInRam(core, fp)) {
    // Linux would read the next pointer from there; the checks say what is wrong without that.
    onFreelist(core, cache, slab, -1, ['alloc_single_from_partial']);
    removePartial(core, node, slab);
    return -1;
  }
  const p = fp - PAGE_OFFSET;
  const at = p + core.i32[cache + C_OFFSET_W];
  core.i32[slab + SLAB_FREELIST_W] = core.freepointerLo(cache, at);
  core.i32[slab + SLAB_FREELIST_W + 1] = core.freepointerHi(cache, at);
  core.i32[slab + SLAB_COUNTERS_W]++;
  if (!allocDebugProcessing(core, cache, slab, p, origSize, ['get_partial_node', '___slab_alloc'])) {
    if (core.isSlab(slab)) removePartial(core, node, slab);
    return -1;
  }
  if (core.inuse(slab) === core.objects(slab)) {
    removePartial(core, node, slab);
    addFull(core, cache, node, slab);
  }
  return p;
}

const isInRam = (core: SlabCore, address: Vaddr): boolean => core.ram.isDirect(address, 8);

/**
 * Takes the first object of a slab that was just made.
 * @returns its offset; -1 if the slab had to be given up
 * @linux mm/slub.c:alloc_single_from_new_slab full
 */
export function allocSingleFromNewSlab(core: SlabCore, cache: Handle, slab: Handle, origSize: number): Paddr {
  const node = core.node(cache);
  const p = core.address(slab + SLAB_FREELIST_W) - PAGE_OFFSET;
  core.ram.set64(slab + SLAB_FREELIST_W, core.getFreepointer(cache, p));
  core.setInuse(slab, 1);
  if (!allocDebugProcessing(core, cache, slab, p, origSize, ['___slab_alloc'])) return -1;
  if (core.inuse(slab) === core.objects(slab)) addFull(core, cache, node, slab);
  else addPartial(core, node, slab, 'head');
  incSlabs(core, node, core.objects(slab));
  return p;
}

// --------------------------------------------------------------------------------------------- freeing

/**
 * Frees one object or more of a slab under debugging.
 * @param objects addresses as they were passed, not yet trusted
 * @returns true if the slab is empty now, on no list, and must be given back
 * @linux mm/slub.c:free_to_partial_list full
 */
export function freeToPartialList(
  core: SlabCore,
  cache: Handle,
  slab: Handle,
  objects: readonly Vaddr[],
  caller: Vaddr,
): boolean {
  // The chain that is to be freed is linked before anything is checked: a double free loses what hung on the object.
  for (let i = 0; i < objects.length; i++) {
    const p = objects[i] - PAGE_OFFSET;
    core.setFreepointer(cache, p, objects[i + 1] ?? 0);
  }
  const node = core.node(cache);
  if (!freeDebugProcessing(core, cache, slab, objects, caller)) return false;
  const { i32 } = core;
  const hadFree = !core.isNull(slab + SLAB_FREELIST_W);
  core.setInuse(slab, core.inuse(slab) - objects.length);
  const tail = objects[objects.length - 1] - PAGE_OFFSET;
  core.setFreepointerRaw(cache, tail, i32[slab + SLAB_FREELIST_W], i32[slab + SLAB_FREELIST_W + 1]);
  core.setObject(slab + SLAB_FREELIST_W, objects[0] - PAGE_OFFSET);
  const discard = core.inuse(slab) === 0 && i32[node + NODE_NR_PARTIAL_W] >= core.minPartial(cache);
  if (!hadFree) {
    removeFull(core, cache, slab);
    if (!discard) addPartial(core, node, slab, 'tail');
  } else if (discard) removePartial(core, node, slab);
  return discard;
}

/** @linux mm/slub.c:free_debug_processing full */
function freeDebugProcessing(
  core: SlabCore,
  cache: Handle,
  slab: Handle,
  objects: readonly Vaddr[],
  caller: Vaddr,
): boolean {
  const frames = ['free_to_partial_list'];
  const flags = flagsOf(core, cache);
  const refuse = (address: Vaddr): false => {
    slabFix(core, cache, `Object at 0x${hexAddress(address)} not freed`);
    return false;
  };
  if (flags & SLAB_CONSISTENCY_CHECKS && !checkSlab(core, cache, slab, frames)) return refuse(objects[0]);
  if (core.inuse(slab) < objects.length) {
    slabErr(
      core,
      cache,
      slab,
      `Slab has ${core.inuse(slab)} allocated objects but ${objects.length} are to be freed`,
      frames,
    );
    return refuse(objects[0]);
  }
  for (const address of objects) {
    if (flags & SLAB_CONSISTENCY_CHECKS && !freeConsistencyChecks(core, cache, slab, address, frames))
      return refuse(address);
    const p = address - PAGE_OFFSET;
    if (flags & SLAB_STORE_USER) setTrack(core, cache, p, TRACK_FREE, caller);
    trace(core, cache, slab, p, false);
    initObject(core, cache, p, SLUB_RED_INACTIVE);
  }
  return true;
}

/** @linux mm/slub.c:free_consistency_checks full */
function freeConsistencyChecks(
  core: SlabCore,
  cache: Handle,
  slab: Handle,
  address: Vaddr,
  frames: readonly string[],
): boolean {
  const p = address - PAGE_OFFSET;
  if (!core.validPointer(cache, slab, address)) {
    slabErr(core, cache, slab, `Invalid object pointer 0x${hexAddress(address)}`, frames);
    return false;
  }
  if (onFreelist(core, cache, slab, p, frames)) {
    objectErr(core, cache, slab, p, 'Object already free', frames);
    return false;
  }
  if (!checkObject(core, cache, slab, p, SLUB_RED_ACTIVE, frames)) return false;
  if (cache === core.cacheOf(slab)) return true;
  if (!core.isSlab(slab))
    slabErr(core, cache, slab, `Attempt to free object(0x${hexAddress(address)}) outside of slab`, frames);
  else if (core.cacheOf(slab) === 0) {
    core.env.log.log(KERN_ERR, `SLUB <none>: no slab for object 0x${hexAddress(address)}.`);
    core.env.reports.dumpStack(frames);
  } else objectErr(core, cache, slab, p, 'page slab pointer corrupt.', frames);
  return false;
}

/**
 * Checks every slab of a cache that lies on a list, as a write to its sysfs file `validate` does.
 * @returns number of slabs looked at
 * @linux mm/slub.c:validate_slab_cache full
 */
export function validateSlabCache(core: SlabCore, cache: Handle, slabs: Iterable<Handle>): number {
  let count = 0;
  for (const slab of slabs) {
    count++;
    const frames = ['validate_slab_cache'];
    if (!checkSlab(core, cache, slab, frames) || !onFreelist(core, cache, slab, -1, frames)) continue;
    const free = freeObjects(core, cache, slab);
    const size = core.i32[cache + C_SIZE_W];
    let p = core.slabStart(slab) + core.i32[cache + C_RED_LEFT_PAD_W];
    for (let i = 0; i < core.objects(slab); i++, p += size)
      if (!checkObject(core, cache, slab, p, free.has(p) ? SLUB_RED_INACTIVE : SLUB_RED_ACTIVE, frames))
        break;
  }
  return count;
}
