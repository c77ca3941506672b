// SPDX-License-Identifier: MIT
/** Making, sharing, shrinking and destroying caches. */

import { KERN_ERR, KERN_WARNING } from '../lib/env.js';
import { EEXIST, EINVAL, ENOMEM } from '../lib/errno.js';
import { initListHead, listAdd, listDel } from '../lib/list.js';
import { step } from '../lib/walk.js';
import { type Handle, PAGE_OFFSET, type Vaddr } from '../machine/layout.js';
import { __GFP_COMP, __GFP_DMA, __GFP_DMA32, __GFP_RECLAIMABLE, __GFP_ZERO, GFP_KERNEL } from './gfp.js';
import {
  C_LIST_W,
  CACHE_CREATE_MASK,
  CPU_TID_W,
  DEBUG_METADATA_FLAGS,
  KMALLOC_MAX_SIZE,
  KmemCache,
  KmemCacheCpu,
  NODE_FULL_W,
  NODE_NR_PARTIAL_W,
  NODE_NR_SLABS_W,
  NODE_PARTIAL_W,
  OO_MASK,
  OO_SHIFT,
  SLAB_CACHE_DMA,
  SLAB_CACHE_DMA32,
  SLAB_DEBUG_FLAGS,
  SLAB_FLAGS_PERMITTED,
  SLAB_FREELIST_W,
  SLAB_MERGE_SAME,
  SLAB_NEVER_MERGE,
  SLAB_PANIC,
  SLAB_RECLAIM_ACCOUNT,
} from './slab.js';
import type { AllocBytes, AllocObject } from './slab_boot.js';
import type { SlabCore } from './slab_core.js';
import { nextCache } from './slab_lookup.js';
import type { Slub } from './slub.js';
import { freeObjects } from './slub_check.js';
import { flushAll } from './slub_cpu.js';
import { addPartial, incSlabs, removePartial, reorderPartial, slabsOn } from './slub_lists.js';
import { kmemCacheFlags } from './slub_options.js';
import {
  alignUp,
  calculateAlignment,
  calculateSizes,
  cpuPartial,
  getOrder,
  minPartial,
  reciprocalValue,
} from './slub_order.js';
import { hexObject, printTracking, slabErr } from './slub_report.js';
import { discardSlab, newSlab } from './slub_slabs.js';
import { initFirstObject } from './slub_track.js';

export interface CacheRequest {
  readonly name: string;
  readonly size: number;
  readonly align: number;
  readonly flags: number;
  readonly ctor: Vaddr;
  readonly useroffset: number;
  readonly usersize: number;
}

// -------------------------------------------------------------------------------------------- creating

/**
 * Makes a cache or finds one to share.
 * @returns 0 on failure, with the reason in the log
 * @linux mm/slab_common.c:kmem_cache_create_usercopy full
 */
export function createCache(slub: Slub, request: CacheRequest): Handle {
  const result = tryCreate(slub, request);
  if (result >= 0) return result;
  const { log, reports } = slub.env;
  const what = `kmem_cache_create_usercopy(${request.name}) failed with error ${result}`;
  if (request.flags & SLAB_PANIC) {
    log.log(
      0,
      `Kernel panic - not syncing: kmem_cache_create_usercopy: Failed to create slab '${request.name}'. Error ${result}`,
    );
    reports.bug('mm/slab_common.c', 352, 'kmem_cache_create_usercopy');
  }
  log.log(KERN_WARNING, what);
  reports.dumpStack(['kmem_cache_create_usercopy', 'kmem_cache_create']);
  return 0;
}

/** A cache's handle or a negative errno. */
function tryCreate(slub: Slub, request: CacheRequest): number {
  const { core } = slub;
  const { name, size, align, ctor } = request;
  const saneAlign = align >= 0 && align <= KMALLOC_MAX_SIZE && (align & (align - 1)) === 0;
  if (!(size >= 1 && size <= KMALLOC_MAX_SIZE) || !saneAlign) {
    core.env.log.log(KERN_ERR, `kmem_cache_create(${name}) integrity check failed`);
    return -EINVAL;
  }
  if (request.flags & ~SLAB_FLAGS_PERMITTED) return -EINVAL;
  const flags = request.flags & CACHE_CREATE_MASK;
  let { useroffset, usersize } = request;
  if ((usersize === 0 && useroffset !== 0) || usersize > size || size - usersize < useroffset) {
    core.env.reports.warn('mm/slab_common.c', 321, 'kmem_cache_create_usercopy');
    useroffset = usersize = 0;
  }
  if (usersize === 0) {
    const shared = shareCache(slub, request, flags);
    if (shared !== 0) return shared;
  }
  const copy = kstrdupBytes(slub, name);
  if (copy === 0) return -ENOMEM;
  const cache = slub.alloc(core.ram.ptr(core.roots.kmem_cache), GFP_KERNEL | __GFP_ZERO);
  if (cache === 0) {
    slub.free(copy);
    return -ENOMEM;
  }
  const view = KmemCache.at(core.ram, cache);
  view.name = copy;
  view.size = view.object_size = size;
  view.useroffset = useroffset;
  view.usersize = usersize;
  const error = finishCreate(slub, cache, { flags, align, ctor });
  if (error !== 0) {
    slub.free(copy);
    slub.free(cache);
    return error;
  }
  view.refcount = 1;
  listAdd(core.ram, cache + C_LIST_W, core.roots.slab_caches);
  return cache;
}

/** Opens a cache, gives it its random order, and checks that its name is free in /sys/kernel/slab. */
function finishCreate(
  slub: Slub,
  cache: Handle,
  wanted: { flags: number; align: number; ctor: Vaddr },
): number {
  const { core } = slub;
  const error = openCache(core, cache, wanted, (of, gfp) => slub.alloc(of, gfp));
  if (error !== 0) return error;
  const fail = (errno: number): number => {
    releaseCache(slub, cache);
    return -errno;
  };
  const kmalloc: AllocBytes = (size, gfp) => slub.kmalloc(size, gfp);
  if (core.randomFreelist && !initRandomSequence(core, cache, kmalloc)) return fail(ENOMEM);
  const name = core.cacheName(cache);
  if (!isUnmergeable(core, cache)) return 0;
  for (let other = nextCache(core, 0); other !== 0; other = nextCache(core, other)) {
    if (core.cacheName(other) !== name || !isUnmergeable(core, other)) continue;
    const { log, reports } = core.env;
    log.log(KERN_WARNING, `sysfs: cannot create duplicate filename '/kernel/slab/${name}'`);
    reports.dumpStack(['sysfs_warn_dup', 'kobject_add_internal', 'sysfs_slab_add', '__kmem_cache_create']);
    log.log(
      KERN_ERR,
      `kobject_add_internal failed for ${name} with -EEXIST, don't try to register things with the same name in the same directory.`,
    );
    return fail(EEXIST);
  }
  return 0;
}

/**
 * Fills in a cache whose name and object_size are set.
 * @returns 0 or a negative errno; on failure nothing is left allocated
 * @linux mm/slub.c:kmem_cache_open full
 */
export function openCache(
  core: SlabCore,
  cache: Handle,
  wanted: { flags: number; align: number; ctor: Vaddr },
  alloc: AllocObject,
): number {
  const view = KmemCache.at(core.ram, cache);
  view.flags = kmemCacheFlags(core.debug, wanted.flags, core.cacheName(cache));
  view.align = calculateAlignment(wanted.flags, wanted.align, view.object_size);
  view.ctor = wanted.ctor;
  if (core.hardened) {
    core.i32[cache + KmemCache.w.random] = core.env.random.u32();
    core.i32[cache + KmemCache.w.random + 1] = core.env.random.u32();
  }
  if (!setSizes(core, cache)) return -EINVAL;
  if (core.debug.disableHigherOrder && getOrder(view.size) > getOrder(view.object_size)) {
    view.flags &= ~DEBUG_METADATA_FLAGS;
    view.offset = 0;
    if (!setSizes(core, cache)) return -EINVAL;
  }
  view.min_partial = minPartial(view.size);
  const debug = (view.flags & SLAB_DEBUG_FLAGS) !== 0;
  [view.cpu_partial, view.cpu_partial_slabs] = cpuPartial(view.size, debug, view.oo.x & OO_MASK);
  view.remote_node_defrag_ratio = 1000;
  const node = makeNode(core, cache, alloc);
  if (node === 0) return -ENOMEM;
  core.ram.setPtr(cache + KmemCache.w.node, node);
  view.cpu_slab = core.percpu.alloc(KmemCacheCpu.size, 16);
  if (view.cpu_slab === 0) {
    if (node !== 0) core.ram.setPtr(cache + KmemCache.w.node, 0);
    return -ENOMEM;
  }
  for (let cpu = 0; cpu < core.env.nrCpus; cpu++) core.i32[core.cpuSlab(cache, cpu) + CPU_TID_W] = cpu;
  return 0;
}

/** Lays objects and slabs out; false if no slab can hold an object. */
function setSizes(core: SlabCore, cache: Handle): boolean {
  const view = KmemCache.at(core.ram, cache);
  const layout = calculateSizes(view.object_size, view.align, view.flags, view.ctor !== 0, core.limits);
  if (layout === undefined || (layout.oo & OO_MASK) === 0) return false;
  view.flags = layout.flags >>> 0;
  view.size = layout.size;
  view.inuse = layout.inuse;
  view.offset = layout.offset;
  view.red_left_pad = layout.red_left_pad;
  view.oo.x = layout.oo;
  view.min.x = layout.min;
  Object.assign(view.reciprocal_size, reciprocalValue(layout.size));
  const order = layout.oo >>> OO_SHIFT;
  view.allocflags =
    (order > 0 ? __GFP_COMP : 0) |
    (layout.flags & SLAB_CACHE_DMA ? __GFP_DMA : 0) |
    (layout.flags & SLAB_CACHE_DMA32 ? __GFP_DMA32 : 0) |
    (layout.flags & SLAB_RECLAIM_ACCOUNT ? __GFP_RECLAIMABLE : 0);
  return true;
}

/**
 * The cache's struct kmem_cache_node. The very first one comes out of the first slab of its own cache.
 * @linux mm/slub.c:init_kmem_cache_nodes full
 */
function makeNode(core: SlabCore, cache: Handle, alloc: AllocObject): Handle {
  const nodes = core.ram.ptr(core.roots.kmem_cache_node);
  if (nodes !== cache) {
    const node = alloc(nodes, GFP_KERNEL);
    if (node !== 0) initNode(core, node);
    return node;
  }
  const slab = newSlab(core, cache, GFP_KERNEL);
  if (slab === 0) return 0;
  const p = core.address(slab + SLAB_FREELIST_W) - PAGE_OFFSET;
  core.ram.set64(slab + SLAB_FREELIST_W, core.getFreepointer(cache, p));
  core.setInuse(slab, 1);
  initFirstObject(core, cache, p);
  const node = p / 4;
  initNode(core, node);
  incSlabs(core, node, core.objects(slab));
  addPartial(core, node, slab, 'head');
  return node;
}

/** @linux mm/slub.c:init_kmem_cache_node full */
function initNode(core: SlabCore, node: Handle): void {
  core.i32.fill(0, node, node + 16);
  initListHead(core.ram, node + NODE_PARTIAL_W);
  initListHead(core.ram, node + NODE_FULL_W);
}

/**
 * Makes the random order in which new slabs link their objects.
 * @linux mm/slub.c:init_cache_random_seq full
 */
export function initRandomSequence(core: SlabCore, cache: Handle, kmalloc: AllocBytes): boolean {
  const view = KmemCache.at(core.ram, cache);
  const count = view.oo.x & OO_MASK;
  if (count < 2) return true;
  const address = kmalloc(count * 4, GFP_KERNEL | __GFP_ZERO);
  if (address === 0) return false;
  const sequence = core.ram.handleOf(address);
  const { u32 } = core.ram;
  for (let i = 0; i < count; i++) u32[sequence + i] = i * view.size;
  for (let i = count - 1; i > 0; i--) {
    const j = core.env.random.below(i + 1);
    [u32[sequence + i], u32[sequence + j]] = [u32[sequence + j], u32[sequence + i]];
  }
  view.random_seq = sequence;
  return true;
}

function kstrdupBytes(slub: Slub, text: string): Handle {
  const address = slub.kmalloc(text.length + 1, GFP_KERNEL);
  if (address === 0) return 0;
  const p = address - PAGE_OFFSET;
  for (let i = 0; i < text.length; i++) slub.core.u8[p + i] = text.charCodeAt(i);
  slub.core.u8[p + text.length] = 0;
  return p / 4;
}

// ------------------------------------------------------------------------------------------- merging

/** @linux mm/slab_common.c:slab_unmergeable full */
export function isUnmergeable(core: SlabCore, cache: Handle): boolean {
  const { flags, ctor, usersize, refcount } = KmemCache.at(core.ram, cache);
  return core.noMerge || (flags & SLAB_NEVER_MERGE) !== 0 || ctor !== 0 || usersize !== 0 || refcount < 0;
}

/** @linux mm/slab_common.c:find_mergeable full */
function findMergeable(core: SlabCore, request: CacheRequest, wanted: number): Handle {
  if (core.noMerge || request.ctor !== 0) return 0;
  const align = calculateAlignment(wanted, request.align, alignUp(request.size, 8));
  const size = alignUp(alignUp(request.size, 8), align);
  const flags = kmemCacheFlags(core.debug, wanted, request.name);
  if (flags & SLAB_NEVER_MERGE) return 0;
  let found = 0;
  // The list has the newest first; the oldest that fits is wanted.
  for (let cache = nextCache(core, 0); cache !== 0; cache = nextCache(core, cache)) {
    const view = KmemCache.at(core.ram, cache);
    if (isUnmergeable(core, cache) || size > view.size) continue;
    if ((flags & SLAB_MERGE_SAME) !== (view.flags & SLAB_MERGE_SAME)) continue;
    if (view.size % align !== 0 || view.size - size >= 8) continue;
    found = cache;
  }
  return found;
}

/** @linux mm/slub.c:__kmem_cache_alias full */
function shareCache(slub: Slub, request: CacheRequest, flags: number): Handle {
  const { core } = slub;
  const cache = findMergeable(core, request, flags);
  if (cache === 0) return 0;
  const view = KmemCache.at(core.ram, cache);
  view.refcount++;
  view.object_size = Math.max(view.object_size, request.size);
  view.inuse = Math.max(view.inuse, alignUp(request.size, 8));
  addAlias(slub, cache, request.name);
  return cache;
}

// Names under which a cache is shared: { next, cache, name } each, newest first.

/** @linux mm/slub.c:sysfs_slab_alias differs: a record in a list, from which the sysfs links are shown */
function addAlias(slub: Slub, cache: Handle, name: string): void {
  const { ram, roots } = slub.core;
  // A link of that name may have been left by one that is gone.
  dropAliases(slub, (alias) => slub.core.cString(ram.ptr(alias + 4)) === name);
  const address = slub.kmalloc(24, GFP_KERNEL);
  if (address === 0) return;
  const alias = ram.handleOf(address);
  ram.setPtr(alias, ram.ptr(roots.alias_list));
  ram.setPtr(alias + 2, cache);
  ram.setPtr(alias + 4, kstrdupBytes(slub, name));
  ram.setPtr(roots.alias_list, alias);
}

/** Names that share a cache beside its own, newest first. */
export function aliasNames(core: SlabCore, cache: Handle): string[] {
  const { ram } = core;
  const names: string[] = [];
  for (let alias = ram.ptr(core.roots.alias_list); alias !== 0; alias = ram.ptr(alias)) {
    step(ram);
    if (ram.ptr(alias + 2) === cache && ram.ptr(alias + 4) !== 0)
      names.push(core.cString(ram.ptr(alias + 4)));
  }
  return names;
}

/** Caches that have a name besides their own. */
export function cachesOfAlias(core: SlabCore, name: string): Handle[] {
  const { ram } = core;
  const caches: Handle[] = [];
  for (let alias = ram.ptr(core.roots.alias_list); alias !== 0; alias = ram.ptr(alias)) {
    step(ram);
    if (ram.ptr(alias + 4) !== 0 && core.isCString(ram.ptr(alias + 4), name)) caches.push(ram.ptr(alias + 2));
  }
  return caches;
}

function dropAliases(slub: Slub, isIt: (alias: Handle) => boolean): void {
  const { ram, roots } = slub.core;
  let link = roots.alias_list;
  for (let alias = ram.ptr(link); alias !== 0; alias = ram.ptr(link)) {
    step(ram);
    if (!isIt(alias)) {
      link = alias;
      continue;
    }
    ram.setPtr(link, ram.ptr(alias));
    slub.free(ram.ptr(alias + 4));
    slub.free(alias);
  }
}

// ------------------------------------------------------------------------------------------ destroying

/**
 * Gives a cache up; the last name that goes takes it down, unless objects are still in use.
 * @linux mm/slab_common.c:kmem_cache_destroy differs: a cache that still has objects stays whole
 */
export function destroyCache(slub: Slub, cache: Handle, caller: Vaddr): void {
  const { core } = slub;
  const view = KmemCache.at(core.ram, cache);
  if (--view.refcount !== 0) return;
  if (!shutdownCache(core, cache)) {
    const from = core.env.reports.symbolize(caller === 0 ? core.env.reports.callerAddress() : caller);
    const name = core.cacheName(cache);
    core.env.reports.warn(
      'mm/slab_common.c',
      493,
      'kmem_cache_destroy',
      `kmem_cache_destroy ${name}: Slab cache still has objects when called from ${from}`,
    );
    return;
  }
  listDel(core.ram, cache + C_LIST_W);
  dropAliases(slub, (alias) => slub.core.ram.ptr(alias + 2) === cache);
  releaseCache(slub, cache);
  slub.free(view.name);
  slub.free(cache);
}

/**
 * Gives back all slabs without objects in use.
 * @returns true if none is left
 * @linux mm/slub.c:__kmem_cache_shutdown full
 */
function shutdownCache(core: SlabCore, cache: Handle): boolean {
  const node = core.node(cache);
  flushAll(core, cache);
  for (const slab of slabsOn(core, node + NODE_PARTIAL_W)) {
    if (core.inuse(slab) !== 0) {
      listSlabObjects(core, cache, slab);
      continue;
    }
    removePartial(core, node, slab);
    discardSlab(core, cache, slab);
  }
  return core.i32[node + NODE_NR_PARTIAL_W] === 0 && core.i32[node + NODE_NR_SLABS_W] === 0;
}

/** Reports the objects of a slab that are still in use. @linux mm/slub.c:list_slab_objects full */
function listSlabObjects(core: SlabCore, cache: Handle, slab: Handle): void {
  slabErr(core, cache, slab, `Objects remaining in ${core.cacheName(cache)} on __kmem_cache_shutdown()`, [
    '__kmem_cache_shutdown',
    'kmem_cache_destroy',
  ]);
  const free = freeObjects(core, cache, slab);
  const { size, red_left_pad } = KmemCache.at(core.ram, cache);
  const start = core.slabStart(slab);
  for (let i = 0; i < core.objects(slab); i++) {
    const p = start + red_left_pad + i * size;
    if (free.has(p)) continue;
    core.env.log.log(KERN_ERR, `Object 0x${hexObject(p)} @offset=${p - start}`);
    printTracking(core, cache, p);
  }
}

/** Frees what hangs on a cache. @linux mm/slub.c:__kmem_cache_release full */
function releaseCache(slub: Slub, cache: Handle): void {
  const { core } = slub;
  const view = KmemCache.at(core.ram, cache);
  slub.free(view.random_seq);
  core.percpu.free(view.cpu_slab);
  slub.free(core.node(cache));
  view.random_seq = 0;
  // A use of the cache from now on is a NULL pointer dereference.
  view.cpu_slab = 0;
  core.ram.setPtr(cache + KmemCache.w.node, 0);
}

// ------------------------------------------------------------------------------------------- shrinking

/** Slabs with at most this many free objects are sorted when a cache shrinks. */
const SHRINK_PROMOTE_MAX = 32;

/**
 * Gives back empty slabs and sorts the others, the fullest first.
 * @returns true if slabs are left
 * @linux mm/slub.c:__kmem_cache_do_shrink full
 */
export function shrinkCache(core: SlabCore, cache: Handle): boolean {
  const node = core.node(cache);
  flushAll(core, cache);
  const promote: Handle[][] = Array.from({ length: SHRINK_PROMOTE_MAX }, () => []);
  const rest: Handle[] = [];
  for (const slab of slabsOn(core, node + NODE_PARTIAL_W)) {
    const free = core.objects(slab) - core.inuse(slab);
    if (core.inuse(slab) === 0) {
      removePartial(core, node, slab);
      discardSlab(core, cache, slab);
    } else if (free >= 1 && free <= SHRINK_PROMOTE_MAX) promote[free - 1].unshift(slab);
    else rest.push(slab);
  }
  reorderPartial(core, node, [...promote.flat(), ...rest]);
  return core.i32[node + NODE_NR_SLABS_W] !== 0;
}
