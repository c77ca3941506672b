// SPDX-License-Identifier: MIT
/** What slub_debug writes into slabs: fill patterns, and who used an object. */

import { KERN_INFO } from '../lib/env.js';
import { NSEC_PER_TICK } from '../machine/clock.js';
import type { Handle, Paddr, Vaddr } from '../machine/layout.js';
import {
  __OBJECT_POISON,
  C_FLAGS_W,
  C_INUSE_W,
  C_OBJECT_SIZE_W,
  C_RED_LEFT_PAD_W,
  POISON_END,
  POISON_FREE,
  POISON_INUSE,
  SLAB_FREELIST_W,
  SLAB_POISON,
  SLAB_RED_ZONE,
  SLAB_STORE_USER,
  SLAB_TRACE,
  SLUB_RED_ACTIVE,
  SLUB_RED_INACTIVE,
  TRACK_ALLOC,
  Track,
} from './slab.js';
import type { SlabCore } from './slab_core.js';
import { slabBytes } from './slub_lists.js';
import {
  hexAddress,
  hexObject,
  infoEnd,
  keepsOrigSize,
  printSection,
  stackDepot,
  trackOf,
} from './slub_report.js';

export const flagsOf = (core: SlabCore, cache: Handle): number => core.i32[cache + C_FLAGS_W];

/** Fills what is not the object's own: red zones, and the object with poison. @linux mm/slub.c:init_object full */
export function initObject(core: SlabCore, cache: Handle, p: Paddr, value: number): void {
  const flags = flagsOf(core, cache);
  const size = core.i32[cache + C_OBJECT_SIZE_W];
  if (flags & SLAB_RED_ZONE) {
    const pad = core.i32[cache + C_RED_LEFT_PAD_W];
    core.u8.fill(value, p - pad, p);
  }
  if (flags & __OBJECT_POISON) {
    core.u8.fill(POISON_FREE, p, p + size - 1);
    core.u8[p + size - 1] = POISON_END;
  }
  if (flags & SLAB_RED_ZONE) core.u8.fill(value, p + size, p + core.i32[cache + C_INUSE_W]);
}

/** @linux mm/slub.c:setup_object_debug full */
export function setupObjectDebug(core: SlabCore, cache: Handle, p: Paddr): void {
  const flags = flagsOf(core, cache);
  if ((flags & (SLAB_STORE_USER | SLAB_RED_ZONE | __OBJECT_POISON)) === 0) return;
  initObject(core, cache, p, SLUB_RED_INACTIVE);
  if (flags & SLAB_STORE_USER) core.ram.fill(trackOf(core, cache, p, TRACK_ALLOC), 2 * Track.size, 0);
}

/** @linux mm/slub.c:setup_slab_debug full */
export function setupSlabDebug(core: SlabCore, cache: Handle, slab: Handle): void {
  if (flagsOf(core, cache) & SLAB_POISON)
    core.ram.fill(core.slabStart(slab), slabBytes(core, slab), POISON_INUSE);
}

/** Notes who allocated or freed an object. @linux mm/slub.c:set_track full */
export function setTrack(core: SlabCore, cache: Handle, p: Paddr, which: number, caller: Vaddr): void {
  const { reports, clock } = core.env;
  const { cpu, pid } = core.env.current();
  const track = Track.at(core.ram, trackOf(core, cache, p, which) / 4);
  track.addr = caller === 0 ? reports.callerAddress() : caller;
  track.handle = stackDepot(core).save(reports.stackTrace(16));
  track.cpu = cpu;
  track.pid = pid;
  track.when = Math.floor(clock.ns / NSEC_PER_TICK);
}

const origSizeAt = (core: SlabCore, cache: Handle, p: Paddr): Handle =>
  (p + infoEnd(core, cache) + 2 * Track.size) >> 2;

/** The size that kmalloc was asked for. @linux mm/slub.c:get_orig_size full */
export const getOrigSize = (core: SlabCore, cache: Handle, p: Paddr): number =>
  keepsOrigSize(core, cache) ? core.ram.u32[origSizeAt(core, cache, p)] : core.i32[cache + C_OBJECT_SIZE_W];

/** @linux mm/slub.c:set_orig_size full */
export function setOrigSize(core: SlabCore, cache: Handle, p: Paddr, size: number): void {
  if (keepsOrigSize(core, cache)) core.ram.u32[origSizeAt(core, cache, p)] = size;
}

/** SLAB_TRACE: says what happens to an object. @linux mm/slub.c:trace full */
export function trace(core: SlabCore, cache: Handle, slab: Handle, p: Paddr, alloc: boolean): void {
  if ((flagsOf(core, cache) & SLAB_TRACE) === 0) return;
  const fp = hexAddress(core.address(slab + SLAB_FREELIST_W));
  core.env.log.log(
    KERN_INFO,
    `TRACE ${core.cacheName(cache)} ${alloc ? 'alloc' : 'free'} 0x${hexObject(p)} inuse=${core.inuse(slab)} fp=0x${fp}`,
  );
  if (!alloc) printSection(core, 'Object   ', p, core.i32[cache + C_OBJECT_SIZE_W]);
  core.env.reports.dumpStack();
}

/** Marks the first struct kmem_cache_node, which no allocation path gave out. @linux mm/slub.c:early_kmem_cache_node_alloc partial: the marks */
export function initFirstObject(core: SlabCore, cache: Handle, p: Paddr): void {
  const flags = flagsOf(core, cache);
  if ((flags & (SLAB_STORE_USER | SLAB_RED_ZONE | __OBJECT_POISON)) === 0) return;
  initObject(core, cache, p, SLUB_RED_ACTIVE);
  if (flags & SLAB_STORE_USER) core.ram.fill(trackOf(core, cache, p, TRACK_ALLOC), 2 * Track.size, 0);
}
