// SPDX-License-Identifier: MIT
/**
 * Doubly linked lists threaded through the objects themselves (`struct list_head`), and the half-sized form for hash
 * buckets (`struct hlist_head`, `struct hlist_node`).
 *
 *     head ⇄ first ⇄ … ⇄ last ⇄ head        an empty list: the head points at itself both ways
 *
 * Every function takes handles of the `list_head` members, not of the objects around them; the object is the member's
 * handle less `Struct.w.member`. All nodes lie in the direct map. (Pages are linked by their vmemmap addresses:
 * `mm/memmap.ts` has its own functions for that.)
 *
 * Walking needs no iterator object:
 *
 *     for (let pos = listFirst(ram, head); pos !== head; pos = listNext(ram, pos)) …
 */

import { type Handle, PAGE_OFFSET_HI } from '../machine/layout.js';
import type { Ram } from '../machine/ram.js';
import { DataCorruption } from './env.js';
import { ptr, struct } from './struct.js';
import { step } from './walk.js';

/** A node, and a head. */
export const ListHead = struct('list_head', {
  next: ptr('struct list_head'),
  prev: ptr('struct list_head'),
});

/** A hash bucket: one pointer, NULL when empty. */
export const HlistHead = struct('hlist_head', { first: ptr('struct hlist_node') });

/** A node of a hash bucket; `pprev` points at the pointer that points here. */
export const HlistNode = struct('hlist_node', {
  next: ptr('struct hlist_node'),
  pprev: ptr('struct hlist_node *'),
});

/** sizeof(struct list_head) in words. */
export const LIST_WORDS = ListHead.size / 4;

const NEXT = ListHead.w.next;
const PREV = ListHead.w.prev;

/** What a removed node's pointers are set to: a use of them is a general protection fault, and tells its cause. */
const POISON1_LO = 0x100;
const POISON2_LO = 0x122;
const POISON_HI = 0xdead0000 | 0;

// ------------------------------------------------------------------------------------------------
// struct list_head

/** @linux include/linux/list.h:INIT_LIST_HEAD full */
export function initListHead(ram: Ram, head: Handle): void {
  ram.setPtr(head + NEXT, head);
  ram.setPtr(head + PREV, head);
}

export function listEmpty(ram: Ram, head: Handle): boolean {
  return ram.i32[head + NEXT] >>> 2 === head;
}

/** The first node; the head itself if the list is empty. */
export function listFirst(ram: Ram, head: Handle): Handle {
  return ram.i32[head + NEXT] >>> 2;
}

/** The last node; the head itself if the list is empty. */
export function listLast(ram: Ram, head: Handle): Handle {
  return ram.i32[head + PREV] >>> 2;
}

/** The node after one; the head after the last. */
export function listNext(ram: Ram, node: Handle): Handle {
  return ram.i32[node + NEXT] >>> 2;
}

/** The node before one; the head before the first. */
export function listPrev(ram: Ram, node: Handle): Handle {
  return ram.i32[node + PREV] >>> 2;
}

function insert(ram: Ram, node: Handle, prev: Handle, next: Handle): void {
  ram.setPtr(next + PREV, node);
  ram.setPtr(node + NEXT, next);
  ram.setPtr(node + PREV, prev);
  ram.setPtr(prev + NEXT, node);
}

function unlink(ram: Ram, node: Handle): void {
  const next = ram.i32[node + NEXT] >>> 2;
  const prev = ram.i32[node + PREV] >>> 2;
  ram.setPtr(next + PREV, prev);
  ram.setPtr(prev + NEXT, next);
}

/** Puts a node behind the head, first in the list. @linux include/linux/list.h:list_add full */
export function listAdd(ram: Ram, node: Handle, head: Handle): void {
  insert(ram, node, head, listFirst(ram, head));
}

/** Puts a node before the head, last in the list. @linux include/linux/list.h:list_add_tail full */
export function listAddTail(ram: Ram, node: Handle, head: Handle): void {
  insert(ram, node, listLast(ram, head), head);
}

/** Takes a node out and poisons its pointers. @linux include/linux/list.h:list_del full */
export function listDel(ram: Ram, node: Handle): void {
  unlink(ram, node);
  ram.i32[node + NEXT] = POISON1_LO;
  ram.i32[node + NEXT + 1] = POISON_HI;
  ram.i32[node + PREV] = POISON2_LO;
  ram.i32[node + PREV + 1] = POISON_HI;
}

/** Takes a node out and leaves it an empty list. @linux include/linux/list.h:list_del_init full */
export function listDelInit(ram: Ram, node: Handle): void {
  unlink(ram, node);
  initListHead(ram, node);
}

/** @linux include/linux/list.h:list_move full */
export function listMove(ram: Ram, node: Handle, head: Handle): void {
  unlink(ram, node);
  listAdd(ram, node, head);
}

/** @linux include/linux/list.h:list_move_tail full */
export function listMoveTail(ram: Ram, node: Handle, head: Handle): void {
  unlink(ram, node);
  listAddTail(ram, node, head);
}

/** Moves all nodes of `list` to the front of `head`, and empties `list`. */
export function listSpliceInit(ram: Ram, list: Handle, head: Handle): void {
  if (listEmpty(ram, list)) return;
  const first = listFirst(ram, list);
  const last = listLast(ram, list);
  const next = listFirst(ram, head);
  ram.setPtr(first + PREV, head);
  ram.setPtr(head + NEXT, first);
  ram.setPtr(last + NEXT, next);
  ram.setPtr(next + PREV, last);
  initListHead(ram, list);
}

/** The node that `next` of another leads to. It must lead back, or C has tied the list into a knot. */
export function checkedNext(ram: Ram, node: Handle): Handle {
  const next = ram.i32[node + NEXT] >>> 2;
  const back = ram.i32[next + PREV];
  step(ram);
  if (back === node << 2) return next;
  const px = (hi: number, lo: number) =>
    (hi >>> 0).toString(16).padStart(8, '0') + (lo >>> 0).toString(16).padStart(8, '0');
  const was = px(ram.i32[next + PREV + 1], back);
  throw new DataCorruption(
    `list_del corruption. next->prev should be ${px(PAGE_OFFSET_HI, node << 2)}, but was ${was}. (next=${px(ram.i32[node + NEXT + 1], next << 2)})`,
    'lib/list_debug.c',
    62,
  );
}

/**
 * The nodes of a list, first to last; the node visited may be deleted. A head of zeros is an empty list. Throws
 * DataCorruption where the pointers do not fit together. Not for hot paths.
 */
export function* listEntries(ram: Ram, head: Handle): Generator<Handle> {
  if (listFirst(ram, head) === 0) return;
  let next: Handle;
  for (let pos = checkedNext(ram, head); pos !== head; pos = next) {
    next = checkedNext(ram, pos);
    yield pos;
  }
}

/** The number of nodes; walks the list. */
export function listCount(ram: Ram, head: Handle): number {
  let count = 0;
  for (const _ of listEntries(ram, head)) count++;
  return count;
}

/**
 * Calls `visit` with the object around each node, in order. The object visited may be removed.
 * @param member word offset of the `list_head` in the object: `Struct.w.member`
 */
export function listForEach(ram: Ram, head: Handle, member: number, visit: (object: Handle) => void): void {
  for (const pos of listEntries(ram, head)) visit(pos - member);
}

// ------------------------------------------------------------------------------------------------
// struct hlist_head

const FIRST = HlistHead.w.first;
const H_NEXT = HlistNode.w.next;
const H_PPREV = HlistNode.w.pprev;

/** The first node of a bucket; 0 if it is empty. */
export function hlistFirst(ram: Ram, head: Handle): Handle {
  return ram.i32[head + FIRST] >>> 2;
}

/** The node after one; 0 after the last. */
export function hlistNext(ram: Ram, node: Handle): Handle {
  step(ram);
  return ram.i32[node + H_NEXT] >>> 2;
}

/** True if the node is in no bucket. @linux include/linux/list.h:hlist_unhashed full */
export function hlistUnhashed(ram: Ram, node: Handle): boolean {
  return ram.i32[node + H_PPREV] === 0 && ram.i32[node + H_PPREV + 1] === 0;
}

/** @linux include/linux/list.h:hlist_add_head full */
export function hlistAddHead(ram: Ram, node: Handle, head: Handle): void {
  const first = hlistFirst(ram, head);
  ram.setPtr(node + H_NEXT, first);
  if (first !== 0) ram.setPtr(first + H_PPREV, node + H_NEXT);
  ram.setPtr(head + FIRST, node);
  ram.setPtr(node + H_PPREV, head + FIRST);
}

/** Takes a node out; it counts as unhashed then. Does nothing if it is already. */
export function hlistDelInit(ram: Ram, node: Handle): void {
  if (hlistUnhashed(ram, node)) return;
  const next = hlistNext(ram, node);
  const pprev = ram.i32[node + H_PPREV] >>> 2;
  ram.setPtr(pprev, next);
  if (next !== 0) ram.setPtr(next + H_PPREV, pprev);
  ram.setPtr(node + H_NEXT, 0);
  ram.setPtr(node + H_PPREV, 0);
}
