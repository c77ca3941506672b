// SPDX-License-Identifier: MIT
/** One cache laid open: its slabs, whose they are, and their freelists in order. For tools that show memory. */

import { type Handle, PAGE_OFFSET, PAGE_SHIFT, type Vaddr } from '../machine/layout.js';
import {
  CPU_FREELIST_W,
  CPU_PARTIAL_W,
  CPU_SLAB_W,
  KmemCache,
  NODE_FULL_W,
  NODE_PARTIAL_W,
  SLAB_FREELIST_W,
  SLAB_NEXT_W,
} from './slab.js';
import type { SlabCore } from './slab_core.js';
import type { Slub } from './slub.js';
import { slabsOn } from './slub_lists.js';

export interface SlabView {
  readonly pfn: number;
  readonly address: Vaddr;
  /** `cpu 0`, `cpu 0 partial`, `partial`, `full`, or `nobody` for a slab that is on no list. */
  readonly place: string;
  readonly objects: number;
  /** Objects that are not on the slab's own freelist. */
  readonly inuse: number;
  /** Numbers of the free objects, in the order in which they will be given out. */
  readonly freelist: readonly number[];
  /** The same of the CPU that owns the slab. */
  readonly cpuFreelist: readonly number[];
}

/** Numbers of the objects that a free pointer leads to. */
function indices(core: SlabCore, cache: Handle, slab: Handle, word: Handle): number[] {
  const { size, red_left_pad } = KmemCache.at(core.ram, cache);
  const first = PAGE_OFFSET + core.slabStart(slab) + red_left_pad;
  const found: number[] = [];
  let fp = core.address(word);
  while (fp !== 0 && core.validPointer(cache, slab, fp) && found.length < core.objects(slab)) {
    found.push((fp - first) / size);
    fp = core.getFreepointer(cache, fp - PAGE_OFFSET);
  }
  return found;
}

/** The slabs of a cache, by address. Looks at every page frame: not for hot paths. */
export function slabViews(slub: Slub, cache: Handle): SlabView[] {
  const { core } = slub;
  const places = new Map<Handle, { place: string; cpuWord?: Handle }>();
  for (let cpu = 0; cpu < core.env.nrCpus; cpu++) {
    const c = core.cpuSlab(cache, cpu);
    const slab = core.slabPtr(c + CPU_SLAB_W);
    if (slab !== 0) places.set(slab, { place: `cpu ${cpu}`, cpuWord: c + CPU_FREELIST_W });
    for (
      let s = core.slabPtr(c + CPU_PARTIAL_W);
      s !== 0 && !places.has(s);
      s = core.slabPtr(s + SLAB_NEXT_W)
    )
      places.set(s, { place: `cpu ${cpu} partial` });
  }
  const node = core.node(cache);
  for (const slab of slabsOn(core, node + NODE_PARTIAL_W)) places.set(slab, { place: 'partial' });
  for (const slab of slabsOn(core, node + NODE_FULL_W)) places.set(slab, { place: 'full' });

  const views: SlabView[] = [];
  for (let pfn = 0; pfn < core.map.maxPfn; pfn++) {
    const slab = core.map.pfnToPage(pfn);
    if (!core.isSlab(slab) || core.cacheOf(slab) !== cache) continue;
    const { place, cpuWord } = places.get(slab) ?? { place: 'nobody' };
    views.push({
      pfn,
      address: PAGE_OFFSET + pfn * 2 ** PAGE_SHIFT,
      place,
      objects: core.objects(slab),
      inuse: core.inuse(slab),
      freelist: indices(core, cache, slab, slab + SLAB_FREELIST_W),
      cpuFreelist: cpuWord === undefined ? [] : indices(core, cache, slab, cpuWord),
    });
  }
  return views;
}

/** A cache and its slabs as text, a line for each slab. */
export function describeCache(slub: Slub, cache: Handle): string {
  const { core } = slub;
  const { size, object_size, align, offset, red_left_pad, refcount } = KmemCache.at(core.ram, cache);
  const views = slabViews(slub, cache);
  const hex = (address: Vaddr): string => BigInt.asUintN(64, BigInt(address)).toString(16);
  const list = (numbers: readonly number[]): string =>
    numbers.length > 12 ? `${numbers.slice(0, 12).join(' ')} … (${numbers.length})` : numbers.join(' ');
  const head =
    `${core.cacheName(cache)}: objects of ${object_size} bytes, ${size} apart, aligned to ${align}, ` +
    `free pointer at ${offset}, left red zone ${red_left_pad}, shared by ${Math.max(refcount, 1)}\n`;
  return views.reduce(
    (text, view) =>
      `${text}${hex(view.address)} pfn ${view.pfn} ${view.place.padEnd(13)} ` +
      `inuse ${String(view.inuse).padStart(3)}/${view.objects} free: ${list(view.freelist) || '-'}` +
      `${view.cpuFreelist.length > 0 ? `; cpu: ${list(view.cpuFreelist)}` : ''}\n`,
    head,
  );
}
