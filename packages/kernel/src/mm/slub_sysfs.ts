// SPDX-License-Identifier: MIT
/** /sys/kernel/slab: a directory for each cache, a link for each name that shares one, and the files' texts. */

import type { Handle } from '../machine/layout.js';
import {
  C_SIZE_W,
  CPU_PARTIAL_W,
  CPU_SLAB_W,
  DEBUG_METADATA_FLAGS,
  KmemCache,
  NODE_FULL_W,
  NODE_NR_PARTIAL_W,
  NODE_NR_SLABS_W,
  NODE_PARTIAL_W,
  NODE_TOTAL_OBJECTS_W,
  OO_MASK,
  OO_SHIFT,
  SLAB_ACCOUNT,
  SLAB_CACHE_DMA,
  SLAB_CACHE_DMA32,
  SLAB_CONSISTENCY_CHECKS,
  SLAB_HWCACHE_ALIGN,
  SLAB_POISON,
  SLAB_RECLAIM_ACCOUNT,
  SLAB_RED_ZONE,
  SLAB_SLABS_W,
  SLAB_STORE_USER,
  SLAB_TRACE,
  SLAB_TYPESAFE_BY_RCU,
} from './slab.js';
import { aliasNames, cachesOfAlias, isUnmergeable, shrinkCache } from './slab_common.js';
import type { SlabCore } from './slab_core.js';
import type { Slub } from './slub.js';
import { validateSlabCache } from './slub_debug.js';
import { countFreeOnPartial, slabsOn } from './slub_lists.js';

const EINVAL = 22;
const EIO = 5;

interface Attribute {
  show(core: SlabCore, cache: Handle): string;
  /** 0, or a negative errno. */
  store?(slub: Slub, cache: Handle, text: string): number;
}

const line = (n: number | string): string => `${n}\n`;
/** `5 N0=5`: a sum and its part on node 0. */
const perNode = (n: number): string => line(n === 0 ? '0' : `${n} N0=${n}`);
const flag = (bit: number): Attribute => ({
  show: (core, cache) => line((KmemCache.at(core.ram, cache).flags & bit) !== 0 ? 1 : 0),
});
type CacheField = 'size' | 'object_size' | 'align' | 'min_partial' | 'cpu_partial' | 'usersize';
const field = (name: CacheField): Attribute => ({
  show: (core, cache) => line(KmemCache.at(core.ram, cache)[name]),
});
const ofNode = (count: (core: SlabCore, node: Handle) => number): Attribute => ({
  show: (core, cache) => perNode(count(core, core.node(cache))),
});
const onlyWrite = (store: Attribute['store']): Attribute => ({ show: () => '', store });
const parse = (text: string): number => (/^\s*\d+\s*$/.test(text) ? Number(text) : -1);

/** @linux mm/slub.c:show_slab_objects full */
function countCpuSlabs(core: SlabCore, cache: Handle): number {
  let slabs = 0;
  for (let cpu = 0; cpu < core.env.nrCpus; cpu++) {
    const c = core.cpuSlab(cache, cpu);
    if (core.slabPtr(c + CPU_SLAB_W) !== 0) slabs++;
    slabs += cpuPartialSlabs(core, c);
  }
  return slabs;
}

function cpuPartialSlabs(core: SlabCore, c: Handle): number {
  const first = core.slabPtr(c + CPU_PARTIAL_W);
  return first === 0 ? 0 : core.i32[first + SLAB_SLABS_W];
}

/** Objects and slabs on the CPUs' partial lists, by CPU. @linux mm/slub.c:slabs_cpu_partial_show full */
function slabsCpuPartial(core: SlabCore, cache: Handle): string {
  const perSlab = KmemCache.at(core.ram, cache).oo.x & OO_MASK;
  const counts = Array.from({ length: core.env.nrCpus }, (_, cpu) =>
    cpuPartialSlabs(core, core.cpuSlab(cache, cpu)),
  );
  const show = (slabs: number): string => `${Math.floor((slabs * perSlab) / 2)}(${slabs})`;
  const cpus = counts.map((slabs, cpu) => (slabs === 0 ? '' : ` C${cpu}=${show(slabs)}`));
  return line(show(counts.reduce((a, b) => a + b, 0)) + cpus.join(''));
}

const objectsInPartial = (core: SlabCore, node: Handle, used: boolean): number => {
  let sum = 0;
  for (const slab of slabsOn(core, node + NODE_PARTIAL_W))
    sum += used ? core.inuse(slab) : core.objects(slab);
  return sum;
};

/** @linux mm/slub.c:validate_store full */
function validate(slub: Slub, cache: Handle, text: string): number {
  const { core } = slub;
  if (parse(text) !== 1 || !core.isDebug(cache)) return -EINVAL;
  const node = core.node(cache);
  const slabs = [...slabsOn(core, node + NODE_PARTIAL_W), ...slabsOn(core, node + NODE_FULL_W)];
  validateSlabCache(core, cache, slabs);
  return 0;
}

/** @linux mm/slub.c:cpu_partial_store full */
function storeCpuPartial(slub: Slub, cache: Handle, text: string): number {
  const objects = parse(text);
  const { core } = slub;
  if (objects < 0 || (objects > 0 && core.isDebug(cache))) return -EINVAL;
  const view = KmemCache.at(core.ram, cache);
  view.cpu_partial = objects;
  view.cpu_partial_slabs = Math.ceil((objects * 2) / (view.oo.x & OO_MASK));
  return 0;
}

const ATTRIBUTES: { readonly [name: string]: Attribute } = {
  slab_size: field('size'),
  object_size: field('object_size'),
  align: field('align'),
  usersize: field('usersize'),
  objs_per_slab: { show: (core, cache) => line(KmemCache.at(core.ram, cache).oo.x & OO_MASK) },
  order: { show: (core, cache) => line(KmemCache.at(core.ram, cache).oo.x >>> OO_SHIFT) },
  min_partial: {
    ...field('min_partial'),
    store: (slub, cache, text) => {
      const value = parse(text);
      if (value < 0) return -EINVAL;
      KmemCache.at(slub.core.ram, cache).min_partial = value;
      return 0;
    },
  },
  cpu_partial: { ...field('cpu_partial'), store: storeCpuPartial },
  ctor: {
    show: (core, cache) => {
      const { ctor } = KmemCache.at(core.ram, cache);
      return ctor === 0 ? '' : line(core.env.reports.symbolize(ctor));
    },
  },
  aliases: { show: (core, cache) => line(Math.max(0, KmemCache.at(core.ram, cache).refcount - 1)) },
  partial: ofNode((core, node) => core.i32[node + NODE_NR_PARTIAL_W]),
  cpu_slabs: { show: (core, cache) => perNode(countCpuSlabs(core, cache)) },
  objects: ofNode((core, node) => core.i32[node + NODE_TOTAL_OBJECTS_W] - countFreeOnPartial(core, node)),
  objects_partial: ofNode((core, node) => objectsInPartial(core, node, true)),
  total_objects: ofNode((core, node) => core.i32[node + NODE_TOTAL_OBJECTS_W]),
  slabs: ofNode((core, node) => core.i32[node + NODE_NR_SLABS_W]),
  slabs_cpu_partial: { show: slabsCpuPartial },
  shrink: onlyWrite((slub, cache, text) => {
    if (parse(text) !== 1) return -EINVAL;
    shrinkCache(slub.core, cache);
    return 0;
  }),
  validate: onlyWrite(validate),
  hwcache_align: flag(SLAB_HWCACHE_ALIGN),
  reclaim_account: flag(SLAB_RECLAIM_ACCOUNT),
  destroy_by_rcu: flag(SLAB_TYPESAFE_BY_RCU),
  cache_dma: flag(SLAB_CACHE_DMA),
  sanity_checks: flag(SLAB_CONSISTENCY_CHECKS),
  trace: flag(SLAB_TRACE),
  red_zone: flag(SLAB_RED_ZONE),
  poison: flag(SLAB_POISON),
  store_user: flag(SLAB_STORE_USER),
  remote_node_defrag_ratio: {
    show: (core, cache) => line(Math.floor(KmemCache.at(core.ram, cache).remote_node_defrag_ratio / 10)),
  },
};

/** Names of the files in a cache's directory. */
export const SLAB_ATTRIBUTES: readonly string[] = Object.keys(ATTRIBUTES);

/** Text of a cache's file; undefined if there is none of that name. @linux mm/slub.c:slab_attr_show full */
export const slabAttribute = (slub: Slub, cache: Handle, name: string): string | undefined =>
  ATTRIBUTES[name]?.show(slub.core, cache);

/** Writes a cache's file: 0 or a negative errno. @linux mm/slub.c:slab_attr_store full */
export const storeSlabAttribute = (slub: Slub, cache: Handle, name: string, text: string): number =>
  ATTRIBUTES[name]?.store?.(slub, cache, text) ?? -EIO;

/**
 * The name of a cache's directory: its own, or `:A-0000128` where others may share it.
 * @linux mm/slub.c:create_unique_id full
 */
export function slabDirectory(slub: Slub, cache: Handle): string {
  const { core } = slub;
  const name = core.cacheName(cache);
  const debugSized = core.debug.disableHigherOrder && (core.debug.global & DEBUG_METADATA_FLAGS) !== 0;
  if (isUnmergeable(core, cache) || debugSized) return name;
  const { flags } = KmemCache.at(core.ram, cache);
  const letters: readonly (readonly [number, string])[] = [
    [SLAB_CACHE_DMA, 'd'],
    [SLAB_CACHE_DMA32, 'D'],
    [SLAB_RECLAIM_ACCOUNT, 'a'],
    [SLAB_CONSISTENCY_CHECKS, 'F'],
    [SLAB_ACCOUNT, 'A'],
  ];
  const kind = letters.map(([bit, letter]) => (flags & bit ? letter : '')).join('');
  const size = String(core.ram.u32[cache + C_SIZE_W]).padStart(7, '0');
  return `:${kind === '' ? '' : `${kind}-`}${size}`;
}

export interface SlabDirectory {
  readonly name: string;
  readonly cache: Handle;
  /** Links that lead here: every name of a cache that may be shared. */
  readonly links: readonly string[];
}

/** The cache whose directory, or a link to it, has a name; 0 if none has. The same as a look into `slabDirectories`. */
export function findSlabDirectory(slub: Slub, name: string): Handle {
  const { core } = slub;
  const aliased = cachesOfAlias(core, name);
  const isShared = name.startsWith(':');
  for (const cache of slub.caches()) {
    if (core.isCacheName(cache, name)) return cache;
    if (!isShared && !aliased.includes(cache)) continue;
    const directory = slabDirectory(slub, cache);
    if (directory === name) return cache;
    if (aliased.includes(cache) && directory !== core.cacheName(cache)) return cache;
  }
  return 0;
}

/** What /sys/kernel/slab holds. @linux mm/slub.c:sysfs_slab_add full */
export function slabDirectories(slub: Slub): SlabDirectory[] {
  return [...slub.caches()].map((cache) => {
    const name = slabDirectory(slub, cache);
    const own = slub.core.cacheName(cache);
    const links = name === own ? [] : [own, ...aliasNames(slub.core, cache).reverse()];
    return { name, cache, links };
  });
}
