// SPDX-License-Identifier: MIT
/** The checks of slub_debug: each compares memory with what it must hold, reports, repairs, and says if all was well. */

import { type Handle, PAGE_OFFSET, type Paddr } from '../machine/layout.js';
import {
  __OBJECT_POISON,
  C_INUSE_W,
  C_OBJECT_SIZE_W,
  C_OFFSET_W,
  C_RED_LEFT_PAD_W,
  C_SIZE_W,
  MAX_OBJS_PER_PAGE,
  POISON_END,
  POISON_FREE,
  POISON_INUSE,
  SLAB_FREELIST_W,
  SLAB_POISON,
  SLAB_RED_ZONE,
  SLUB_RED_ACTIVE,
  SLUB_RED_INACTIVE,
} from './slab.js';
import type { SlabCore } from './slab_core.js';
import { slabBytes } from './slub_lists.js';
import { orderObjects } from './slub_order.js';
import {
  bytesErr,
  hexObject,
  objectErr,
  paddingStart,
  printSection,
  sizeFromObject,
  slabErr,
  slabFix,
} from './slub_report.js';
import { flagsOf } from './slub_track.js';

/**
 * Compares bytes with what they were filled with; reports and restores them if they differ.
 * @linux mm/slub.c:check_bytes_and_report full
 */
function checkBytes(
  core: SlabCore,
  cache: Handle,
  slab: Handle,
  p: Paddr,
  what: string,
  start: Paddr,
  value: number,
  bytes: number,
  frames: readonly string[],
): boolean {
  const { u8 } = core;
  let fault = start;
  while (fault < start + bytes && u8[fault] === value) fault++;
  if (fault >= start + bytes) return true;
  let last = start + bytes - 1;
  while (u8[last] === value) last--;
  bytesErr(core, cache, slab, p, what, fault, last, value, ['check_object', ...frames]);
  restoreBytes(core, cache, what, value, fault, last);
  return false;
}

/** @linux mm/slub.c:restore_bytes full */
function restoreBytes(
  core: SlabCore,
  cache: Handle,
  what: string,
  value: number,
  first: Paddr,
  last: Paddr,
): void {
  slabFix(
    core,
    cache,
    `Restoring ${what} 0x${hexObject(first)}-0x${hexObject(last)}=0x${value.toString(16)}`,
  );
  core.u8.fill(value, first, last + 1);
}

/**
 * Checks everything around an object, and the object itself while it is free.
 * @param red what its red zones must hold: SLUB_RED_ACTIVE or SLUB_RED_INACTIVE
 * @linux mm/slub.c:check_object full
 */
export function checkObject(
  core: SlabCore,
  cache: Handle,
  slab: Handle,
  p: Paddr,
  red: number,
  frames: readonly string[],
): boolean {
  const { i32 } = core;
  const flags = flagsOf(core, cache);
  const size = i32[cache + C_OBJECT_SIZE_W];
  const inuse = i32[cache + C_INUSE_W];
  const check = (what: string, start: Paddr, value: number, bytes: number): boolean =>
    checkBytes(core, cache, slab, p, what, start, value, bytes, frames);
  if (flags & SLAB_RED_ZONE) {
    const pad = i32[cache + C_RED_LEFT_PAD_W];
    if (!check('Left Redzone', p - pad, red, pad)) return false;
    if (!check('Right Redzone', p + size, red, inuse - size)) return false;
  } else if (flags & SLAB_POISON && size < inuse)
    check('Alignment padding', p + size, POISON_INUSE, inuse - size);
  if (flags & SLAB_POISON) {
    if (red !== SLUB_RED_ACTIVE && flags & __OBJECT_POISON) {
      if (!check('Poison', p, POISON_FREE, size - 1)) return false;
      if (!check('End Poison', p + size - 1, POISON_END, 1)) return false;
    }
    const padding = paddingStart(core, cache);
    check('Object padding', p + padding, POISON_INUSE, sizeFromObject(core, cache) - padding);
  }
  const pointerOutside = i32[cache + C_OFFSET_W] >= inuse;
  if (!pointerOutside && red === SLUB_RED_ACTIVE) return true;
  if (core.validPointer(cache, slab, core.getFreepointer(cache, p))) return true;
  objectErr(core, cache, slab, p, 'Freepointer corrupt', ['check_object', ...frames]);
  // The rest of the freelist is lost, or the list would lead anywhere.
  core.setFreepointer(cache, p, 0);
  return false;
}

/** @linux mm/slub.c:check_slab full */
export function checkSlab(core: SlabCore, cache: Handle, slab: Handle, frames: readonly string[]): boolean {
  const complain = (message: string): false => {
    slabErr(core, cache, slab, message, ['check_slab', ...frames]);
    return false;
  };
  if (!core.isSlab(slab)) return complain('Not a valid slab page');
  const most = orderObjects(core.slabOrder(slab), core.i32[cache + C_SIZE_W]);
  const objects = core.objects(slab);
  if (objects > most) return complain(`objects ${objects} > max ${most}`);
  if (core.inuse(slab) > objects) return complain(`inuse ${core.inuse(slab)} > max ${objects}`);
  if (core.isFrozen(slab)) return complain('Slab disabled since SLUB metadata consistency check failed');
  slabPadCheck(core, cache, slab);
  return true;
}

/** Checks the bytes behind the last object. @linux mm/slub.c:slab_pad_check full */
function slabPadCheck(core: SlabCore, cache: Handle, slab: Handle): void {
  if ((flagsOf(core, cache) & SLAB_POISON) === 0) return;
  const start = core.slabStart(slab);
  const length = slabBytes(core, slab);
  const remainder = length % core.i32[cache + C_SIZE_W];
  const pad = start + length - remainder;
  let fault = pad;
  while (fault < start + length && core.u8[fault] === POISON_INUSE) fault++;
  if (fault === start + length) return;
  let last = start + length - 1;
  while (core.u8[last] === POISON_INUSE) last--;
  slabErr(
    core,
    cache,
    slab,
    `Padding overwritten. 0x${hexObject(fault)}-0x${hexObject(last)} @offset=${fault - start}`,
    ['slab_pad_check'],
  );
  printSection(core, 'Padding ', pad, remainder);
  restoreBytes(core, cache, 'slab padding', POISON_INUSE, fault, last);
}

/**
 * Walks a slab's freelist, mends its counts, and tells whether an object is on it.
 * @param search the object; -1 only to check
 * @linux mm/slub.c:on_freelist full
 */
export function onFreelist(
  core: SlabCore,
  cache: Handle,
  slab: Handle,
  search: Paddr,
  frames: readonly string[] = [],
): boolean {
  const trail = ['on_freelist', ...frames];
  let fp = core.address(slab + SLAB_FREELIST_W);
  let object: Paddr = -1;
  let nr = 0;
  while (fp !== 0 && nr <= core.objects(slab)) {
    if (fp === PAGE_OFFSET + search) return true;
    if (!core.validPointer(cache, slab, fp)) {
      if (object < 0) {
        slabErr(core, cache, slab, 'Freepointer corrupt', trail);
        clearFreelist(core, cache, slab);
        return false;
      }
      objectErr(core, cache, slab, object, 'Freechain corrupt', trail);
      core.setFreepointer(cache, object, 0);
      break;
    }
    object = fp - PAGE_OFFSET;
    fp = core.getFreepointer(cache, object);
    nr++;
  }
  if (nr > core.objects(slab)) {
    slabErr(core, cache, slab, 'Freelist cycle detected', trail);
    clearFreelist(core, cache, slab);
    return false;
  }
  checkCounts(core, cache, slab, nr, trail);
  return search === -1;
}

function clearFreelist(core: SlabCore, cache: Handle, slab: Handle): void {
  core.setNull(slab + SLAB_FREELIST_W);
  core.setInuse(slab, core.objects(slab));
  slabFix(core, cache, 'Freelist cleared');
}

/** Compares a slab's counts with what its freelist holds. */
function checkCounts(
  core: SlabCore,
  cache: Handle,
  slab: Handle,
  free: number,
  frames: readonly string[],
): void {
  const most = Math.min(orderObjects(core.slabOrder(slab), core.i32[cache + C_SIZE_W]), MAX_OBJS_PER_PAGE);
  if (core.objects(slab) !== most) {
    slabErr(
      core,
      cache,
      slab,
      `Wrong number of objects. Found ${core.objects(slab)} but should be ${most}`,
      frames,
    );
    core.setCounters(slab, core.inuse(slab), most, core.isFrozen(slab));
    slabFix(core, cache, 'Number of objects adjusted');
  }
  const used = core.objects(slab) - free;
  if (core.inuse(slab) === used) return;
  slabErr(
    core,
    cache,
    slab,
    `Wrong object count. Counter is ${core.inuse(slab)} but counted were ${used}`,
    frames,
  );
  core.setInuse(slab, used);
  slabFix(core, cache, 'Object count adjusted');
}

/** Checks the objects, all free, of a slab that is given back. */
export function checkFreedSlab(core: SlabCore, cache: Handle, slab: Handle): void {
  slabPadCheck(core, cache, slab);
  const size = core.i32[cache + C_SIZE_W];
  let p = core.slabStart(slab) + core.i32[cache + C_RED_LEFT_PAD_W];
  for (let i = 0; i < core.objects(slab); i++, p += size)
    checkObject(core, cache, slab, p, SLUB_RED_INACTIVE, ['__free_slab']);
}

/** The objects of a slab's own freelist, as far as it can be followed. @linux mm/slub.c:__fill_map full */
export function freeObjects(core: SlabCore, cache: Handle, slab: Handle): Set<Paddr> {
  const free = new Set<Paddr>();
  let fp = core.address(slab + SLAB_FREELIST_W);
  while (fp !== 0 && core.validPointer(cache, slab, fp) && !free.has(fp - PAGE_OFFSET)) {
    free.add(fp - PAGE_OFFSET);
    fp = core.getFreepointer(cache, fp - PAGE_OFFSET);
  }
  return free;
}
