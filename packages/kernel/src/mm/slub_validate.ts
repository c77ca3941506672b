// SPDX-License-Identifier: MIT
/**
 * Checks all of SLUB's invariants in RAM, slowly and obviously: for tests and for `validate`.
 *
 * - every page marked as a slab belongs to a cache on the list, and the caches' counts say how many there are;
 * - every slab is in one place: a CPU's, a CPU's partial chain, the node's partial list, the full list, or nobody's;
 * - `frozen` tells the first two from the rest;
 * - every free object is on exactly one freelist of its own slab, and `inuse` counts the others.
 */

import { step } from '../lib/walk.js';
import type { Handle, Paddr } from '../machine/layout.js';
import { PAGE_OFFSET } from '../machine/layout.js';
import {
  C_SIZE_W,
  CPU_FREELIST_W,
  CPU_PARTIAL_W,
  CPU_SLAB_W,
  KmemCache,
  NODE_FULL_W,
  NODE_NR_PARTIAL_W,
  NODE_NR_SLABS_W,
  NODE_PARTIAL_W,
  NODE_TOTAL_OBJECTS_W,
  SLAB_FREELIST_W,
  SLAB_NEXT_W,
  SLAB_STORE_USER,
} from './slab.js';
import type { SlabCore } from './slab_core.js';
import type { Slub } from './slub.js';
import { slabsOn } from './slub_lists.js';

type Place = 'cpu' | 'cpu partial' | 'partial' | 'full' | 'nobody';

/** Violations found, one line each; empty if all is well. */
export function validateSlub(slub: Slub): string[] {
  const { core } = slub;
  const errors: string[] = [];
  const slabs = slabsByCache(core, errors);
  const caches = [...slub.caches()];
  for (const cache of caches) {
    const complain = (text: string) => errors.push(`${core.cacheName(cache)}: ${text}`);
    validateCache(core, cache, slabs.get(cache) ?? [], complain);
    slabs.delete(cache);
  }
  for (const cache of slabs.keys())
    errors.push(`slabs of 0x${(cache * 4).toString(16)}, which is no cache on the list`);
  return errors;
}

/** All slabs, by the cache that their page names. */
function slabsByCache(core: SlabCore, errors: string[]): Map<Handle, Handle[]> {
  const found = new Map<Handle, Handle[]>();
  for (let pfn = 0; pfn < core.map.maxPfn; ) {
    const page = core.map.pfnToPage(pfn);
    if (!core.isSlab(page)) {
      pfn++;
      continue;
    }
    if (core.headPageOf(pfn * 4096) !== page) errors.push(`page ${pfn}: a slab that is no head page`);
    const cache = core.cacheOf(page);
    const list = found.get(cache);
    if (list === undefined) found.set(cache, [page]);
    else list.push(page);
    pfn += 1 << core.slabOrder(page);
  }
  return found;
}

function validateCache(
  core: SlabCore,
  cache: Handle,
  slabs: readonly Handle[],
  complain: (text: string) => void,
): void {
  const node = core.node(cache);
  const places = new Map<Handle, Place>();
  const put = (slab: Handle, place: Place) => {
    if (!slabs.includes(slab)) complain(`${place} list holds a slab of another cache`);
    if (places.has(slab)) complain(`a slab is at once on ${places.get(slab)} and ${place}`);
    places.set(slab, place);
  };
  const free = new Map<Handle, Set<Paddr>>(slabs.map((slab) => [slab, new Set()]));
  const follow = (slab: Handle, word: Handle) =>
    followFreelist(core, cache, slab, word, free.get(slab), complain);

  for (let cpu = 0; cpu < core.env.nrCpus; cpu++) {
    const c = core.cpuSlab(cache, cpu);
    const slab = core.slabPtr(c + CPU_SLAB_W);
    if (slab !== 0) {
      put(slab, 'cpu');
      follow(slab, c + CPU_FREELIST_W);
    } else if (!core.isNull(c + CPU_FREELIST_W)) complain(`CPU ${cpu} has a freelist and no slab`);
    for (let s = core.slabPtr(c + CPU_PARTIAL_W); s !== 0; s = core.slabPtr(s + SLAB_NEXT_W)) {
      step(core.ram);
      put(s, 'cpu partial');
    }
  }
  let nrPartial = 0;
  for (const slab of slabsOn(core, node + NODE_PARTIAL_W)) {
    nrPartial++;
    put(slab, 'partial');
  }
  for (const slab of slabsOn(core, node + NODE_FULL_W)) put(slab, 'full');
  const expect = (what: string, got: number, wanted: number) => {
    if (got !== wanted) complain(`${what}: counter ${got}, counted ${wanted}`);
  };
  expect('nr_partial', core.i32[node + NODE_NR_PARTIAL_W], nrPartial);
  expect('nr_slabs', core.i32[node + NODE_NR_SLABS_W], slabs.length);
  const total = slabs.reduce((sum, slab) => sum + core.objects(slab), 0);
  expect('total_objects', core.i32[node + NODE_TOTAL_OBJECTS_W], total);
  for (const slab of slabs) {
    follow(slab, slab + SLAB_FREELIST_W);
    validateSlab(core, cache, slab, places.get(slab) ?? 'nobody', free.get(slab)!.size, complain);
  }
}

function followFreelist(
  core: SlabCore,
  cache: Handle,
  slab: Handle,
  word: Handle,
  seen: Set<Paddr> | undefined,
  complain: (text: string) => void,
): void {
  for (let fp = core.address(word); fp !== 0; ) {
    const p = fp - PAGE_OFFSET;
    if (!core.validPointer(cache, slab, fp)) return complain(`freelist leads out of its slab`);
    if (seen?.has(p)) return complain(`object 0x${p.toString(16)} is free twice`);
    seen?.add(p);
    fp = core.getFreepointer(cache, p);
  }
}

function validateSlab(
  core: SlabCore,
  cache: Handle,
  slab: Handle,
  place: Place,
  free: number,
  complain: (text: string) => void,
): void {
  const objects = core.objects(slab);
  const inuse = core.inuse(slab);
  const debug = core.isDebug(cache);
  const { flags } = KmemCache.at(core.ram, cache);
  const frozen = core.isFrozen(slab);
  const owned = place === 'cpu' || place === 'cpu partial';
  if (!debug && frozen !== owned) complain(`slab on ${place}: frozen is ${frozen}`);
  if (debug && owned) complain('a slab under debugging belongs to a CPU');
  if (debug && frozen) return; // given up after damage was found
  const onOwnList = countFree(core, cache, slab);
  const counted = place === 'cpu' ? objects - onOwnList : objects - free;
  if (inuse !== counted) complain(`slab on ${place}: inuse ${inuse}, counted ${counted} of ${objects}`);
  if (place === 'partial' && free === 0) complain('a slab on the partial list has no free object');
  const unlisted = debug && flags & SLAB_STORE_USER ? 'full' : 'nobody';
  if ((place === 'full' || place === 'nobody') && (free > 0 || place !== unlisted))
    complain(`slab with ${free} free objects is on ${place}`);
  if (objects * core.i32[cache + C_SIZE_W] > 4096 << core.slabOrder(slab))
    complain(`slab too small for ${objects}`);
}

/** Objects on a slab's own freelist. */
function countFree(core: SlabCore, cache: Handle, slab: Handle): number {
  let n = 0;
  for (let fp = core.address(slab + SLAB_FREELIST_W); fp !== 0 && n <= core.objects(slab); n++) {
    if (!core.validPointer(cache, slab, fp)) break;
    fp = core.getFreepointer(cache, fp - PAGE_OFFSET);
  }
  return n;
}
