// SPDX-License-Identifier: MIT
/** The lists of a node that hold its slabs, and the count of them. */

import { type Handle, PAGE_SIZE } from '../machine/layout.js';
import {
  C_FLAGS_W,
  NODE_FULL_W,
  NODE_NR_PARTIAL_W,
  NODE_NR_SLABS_W,
  NODE_PARTIAL_W,
  NODE_TOTAL_OBJECTS_W,
  SLAB_LIST_W,
  SLAB_STORE_USER,
} from './slab.js';
import type { SlabCore } from './slab_core.js';

/** Slabs of a node's partial or full list, first to last. The current one may be taken out. */
export function slabsOn(core: SlabCore, head: Handle): Generator<Handle> {
  return core.map.pages(head);
}

/** First slab of a node's partial list, 0 if none. */
export function firstPartial(core: SlabCore, node: Handle): Handle {
  const head = node + NODE_PARTIAL_W;
  return core.map.listEmpty(head) ? 0 : core.map.firstPage(head);
}

/** @linux mm/slub.c:add_partial full */
export function addPartial(core: SlabCore, node: Handle, slab: Handle, where: 'head' | 'tail'): void {
  core.i32[node + NODE_NR_PARTIAL_W]++;
  if (where === 'tail') core.map.listAddTail(slab + SLAB_LIST_W, node + NODE_PARTIAL_W);
  else core.map.listAdd(slab + SLAB_LIST_W, node + NODE_PARTIAL_W);
}

/** @linux mm/slub.c:remove_partial full */
export function removePartial(core: SlabCore, node: Handle, slab: Handle): void {
  core.map.listDel(slab + SLAB_LIST_W);
  core.i32[node + NODE_NR_PARTIAL_W]--;
}

/** Full slabs are listed only where users are tracked. @linux mm/slub.c:add_full full */
export function addFull(core: SlabCore, cache: Handle, node: Handle, slab: Handle): void {
  if (core.i32[cache + C_FLAGS_W] & SLAB_STORE_USER) core.map.listAdd(slab + SLAB_LIST_W, node + NODE_FULL_W);
}

/** @linux mm/slub.c:remove_full full */
export function removeFull(core: SlabCore, cache: Handle, slab: Handle): void {
  if (core.i32[cache + C_FLAGS_W] & SLAB_STORE_USER) core.map.listDel(slab + SLAB_LIST_W);
}

/** Puts the slabs of a node's partial list in a new order. */
export function reorderPartial(core: SlabCore, node: Handle, slabs: readonly Handle[]): void {
  const head = node + NODE_PARTIAL_W;
  core.map.initListHead(head);
  for (const slab of slabs) core.map.listAddTail(slab + SLAB_LIST_W, head);
}

/** @linux mm/slub.c:inc_slabs_node full */
export function incSlabs(core: SlabCore, node: Handle, objects: number): void {
  core.i32[node + NODE_NR_SLABS_W]++;
  core.i32[node + NODE_TOTAL_OBJECTS_W] += objects;
}

/** @linux mm/slub.c:dec_slabs_node full */
export function decSlabs(core: SlabCore, node: Handle, objects: number): void {
  core.i32[node + NODE_NR_SLABS_W]--;
  core.i32[node + NODE_TOTAL_OBJECTS_W] -= objects;
}

/** Free objects on a node's partial list. @linux mm/slub.c:count_partial full */
export function countFreeOnPartial(core: SlabCore, node: Handle): number {
  let free = 0;
  for (const slab of slabsOn(core, node + NODE_PARTIAL_W)) free += core.objects(slab) - core.inuse(slab);
  return free;
}

/** Bytes in the pages of a slab. @linux mm/slab.h:slab_size full */
export const slabBytes = (core: SlabCore, slab: Handle): number => PAGE_SIZE << core.slabOrder(slab);
