// SPDX-License-Identifier: MIT
/**
 * The pages of a file by their index: `i_pages` of an address_space. It is an XArray as `lib/xarray.ts` makes it, in
 * the same memory, so that C's xa_load() finds the pages; here it is walked with numbers and handles only.
 *
 *     i_pages.xa_head ──► node, shift 6 ──► node, shift 0 ──► struct page
 *                         a page at index 0 that is alone hangs at xa_head itself
 *
 * Indices are below 2^41, since a file's size is below 2^53 bytes.
 */

import { AddressSpace } from '../fs/fs_types.js';
import { EEXIST, EFBIG, ENOMEM } from '../lib/errno.js';
import type { NodeAllocator } from '../lib/xarray.js';
import { beyond, slotOf, XA_CHUNK_SHIFT, XA_CHUNK_SIZE, XaNode, XaNodes } from '../lib/xarray_node.js';
import { type Handle, PAGE_OFFSET_HI } from '../machine/layout.js';
import type { Ram } from '../machine/ram.js';
import type { MemMap } from './memmap.js';
import { Page, VMEMMAP_HI } from './page.js';

const FLAGS = AddressSpace.w.i_pages + 1;
const HEAD = AddressSpace.w.i_pages + 2;
const SLOTS = XaNode.w.slots;
const COUNT = XaNode.o.count;
const NODE_TAG = 2;
const MARKS = 3;
const MARK_SHIFT = 27;
/** The largest index. */
export const MAX_PAGE_INDEX = 2 ** 41 - 1;

const high = (index: number) => Math.floor(index / 2 ** 32);

export class PageTree {
  private readonly nodes: XaNodes;

  constructor(
    private readonly ram: Ram,
    private readonly map: MemMap,
    private readonly memory: NodeAllocator,
  ) {
    this.nodes = new XaNodes(ram);
  }

  /** The page at an index, or 0. @linux mm/filemap.c:mapping_get_entry differs: takes no reference */
  load(mapping: Handle, index: number): Handle {
    const [hi, lo] = [high(index), index >>> 0];
    const top = this.top(mapping);
    if (top === 0) return index === 0 ? this.pageIn(mapping + HEAD) : 0;
    const node = this.leaf(top, hi, lo);
    return node === 0 ? 0 : this.pageIn(node + SLOTS + 2 * (lo & (XA_CHUNK_SIZE - 1)));
  }

  /** The first index from one on that has a page; -1 if none has. */
  nextIndex(mapping: Handle, from: number): number {
    const top = this.top(mapping);
    if (top === 0) return from === 0 && this.pageIn(mapping + HEAD) !== 0 ? 0 : -1;
    const index = this.search(top, this.nodes.shift(top), 0, from);
    return index <= MAX_PAGE_INDEX ? index : -1;
  }

  private search(node: Handle, shift: number, base: number, from: number): number {
    const span = 2 ** shift;
    for (let slot = from > base ? Math.floor((from - base) / span) : 0; slot < XA_CHUNK_SIZE; slot++) {
      const index = base + slot * span;
      const word = node + SLOTS + 2 * slot;
      if (shift <= 0) {
        if (this.pageIn(word) !== 0) return index;
        continue;
      }
      const child = this.nodeIn(word);
      const found = child === 0 ? -1 : this.search(child, shift - XA_CHUNK_SHIFT, index, from);
      if (found >= 0) return found;
    }
    return -1;
  }

  /** The topmost node; 0 if the head is a page or NULL. */
  private top(mapping: Handle): Handle {
    return this.nodeIn(mapping + HEAD);
  }

  private nodeIn(word: Handle): Handle {
    const { i32 } = this.ram;
    return this.nodes.nodeIn(i32[word + 1], i32[word]);
  }

  /** The page that a slot holds, or 0 if it holds none. */
  private pageIn(word: Handle): Handle {
    const { i32 } = this.ram;
    if (i32[word + 1] !== VMEMMAP_HI) return 0;
    const lo = i32[word];
    const page = this.map.base + (lo >>> 2);
    return lo % Page.size === 0 && page < this.map.end ? page : 0;
  }

  /** The lowest node that covers an index, or 0. */
  private leaf(top: Handle, hi: number, lo: number): Handle {
    const { nodes } = this;
    let shift = nodes.shift(top);
    if (beyond(hi, lo, shift)) return 0;
    let node = top;
    for (; shift > 0 && node !== 0; shift -= XA_CHUNK_SHIFT) node = nodes.child(node, slotOf(hi, lo, shift));
    return node;
  }

  // ---------------------------------------------------------------------------------------------
  // Changes

  /**
   * Puts a page at an index.
   * @returns 0, -EEXIST if something is there, -EFBIG beyond the largest index, or -ENOMEM
   */
  insert(mapping: Handle, index: number, page: Handle, gfp: number): number {
    if (!(index >= 0 && index <= MAX_PAGE_INDEX)) return -EFBIG;
    const [hi, lo] = [high(index), index >>> 0];
    if (!this.grow(mapping, hi, lo, gfp)) return -ENOMEM;
    const { nodes } = this;
    let node = this.top(mapping);
    if (node === 0) {
      if (!this.isEmpty(mapping + HEAD)) return -EEXIST;
      this.setPage(mapping + HEAD, page);
      return 0;
    }
    for (let shift = nodes.shift(node); shift > 0; shift -= XA_CHUNK_SHIFT) {
      const child = this.childFor(node, slotOf(hi, lo, shift), shift - XA_CHUNK_SHIFT, gfp);
      if (child === 0) {
        this.prune(mapping, node);
        return -ENOMEM;
      }
      node = child;
    }
    const word = node + SLOTS + 2 * slotOf(hi, lo, 0);
    if (!this.isEmpty(word)) return -EEXIST;
    this.setPage(word, page);
    this.ram.u8[node * 4 + COUNT]++;
    return 0;
  }

  /** Takes away what is at an index, which has a page. @linux mm/filemap.c:page_cache_delete partial: leaves no shadow */
  erase(mapping: Handle, index: number): void {
    const [hi, lo] = [high(index), index >>> 0];
    const top = this.top(mapping);
    const node = top === 0 ? 0 : this.leaf(top, hi, lo);
    const slot = lo & (XA_CHUNK_SIZE - 1);
    for (let mark = 0; mark < MARKS; mark++) this.clearMark(mapping, node, slot, mark);
    if (node === 0) {
      this.clear(mapping + HEAD);
      return;
    }
    this.clear(node + SLOTS + 2 * slot);
    this.ram.u8[node * 4 + COUNT]--;
    this.prune(mapping, node);
  }

  private isEmpty(word: Handle): boolean {
    const { i32 } = this.ram;
    return i32[word] === 0 && i32[word + 1] === 0;
  }

  private clear(word: Handle): void {
    this.ram.i32[word] = this.ram.i32[word + 1] = 0;
  }

  private setPage(word: Handle, page: Handle): void {
    this.ram.i32[word] = (page - this.map.base) << 2;
    this.ram.i32[word + 1] = VMEMMAP_HI;
  }

  private setNode(word: Handle, node: Handle): void {
    this.ram.i32[word] = (node << 2) | NODE_TAG;
    this.ram.i32[word + 1] = PAGE_OFFSET_HI;
  }

  private newNode(shift: number, parent: Handle, slot: number, gfp: number): Handle {
    const node = this.memory.alloc(gfp);
    if (node !== 0) this.nodes.init(node, shift, parent, slot, false);
    return node;
  }

  /** The node in a slot, made if there is none; 0 if there is no memory. */
  private childFor(node: Handle, slot: number, shift: number, gfp: number): Handle {
    const existing = this.nodes.child(node, slot);
    if (existing !== 0) return existing;
    const child = this.newNode(shift, node, slot, gfp);
    if (child === 0) return 0;
    this.setNode(node + SLOTS + 2 * slot, child);
    this.ram.u8[node * 4 + COUNT]++;
    return child;
  }

  /** Makes the tree high enough for an index; false if there is no memory. */
  private grow(mapping: Handle, hi: number, lo: number, gfp: number): boolean {
    const { nodes } = this;
    const first = hi === 0 && lo === 0;
    if (this.isEmpty(mapping + HEAD)) return first || this.plant(mapping, hi, lo, gfp);
    for (;;) {
      const below = this.top(mapping);
      if (below === 0 ? first : !beyond(hi, lo, nodes.shift(below))) return true;
      const node = this.newNode(below === 0 ? 0 : nodes.shift(below) + XA_CHUNK_SHIFT, 0, 0, gfp);
      if (node === 0) {
        this.shrink(mapping);
        return false;
      }
      this.move(mapping + HEAD, node + SLOTS);
      this.ram.u8[node * 4 + COUNT] = 1;
      if (below !== 0) nodes.setParent(below, node, 0);
      for (let mark = 0; mark < MARKS; mark++)
        nodes.setMarked(
          node,
          0,
          mark,
          below === 0 ? this.headMarked(mapping, mark) : nodes.anyMarked(below, mark),
        );
      this.setNode(mapping + HEAD, node);
    }
  }

  /** The first node of an empty tree, as high as an index needs. */
  private plant(mapping: Handle, hi: number, lo: number, gfp: number): boolean {
    let shift = 0;
    while (beyond(hi, lo, shift)) shift += XA_CHUNK_SHIFT;
    const node = this.newNode(shift, 0, 0, gfp);
    if (node !== 0) this.setNode(mapping + HEAD, node);
    return node !== 0;
  }

  private move(from: Handle, to: Handle): void {
    this.ram.i32.copyWithin(to, from, from + 2);
  }

  /** Frees a node that has become empty, and its parents; then makes the tree as low as it can be. */
  private prune(mapping: Handle, emptied: Handle): void {
    const { nodes, memory, ram } = this;
    let node = emptied;
    while (node !== 0 && nodes.count(node) === 0) {
      const parent = nodes.parent(node);
      if (parent === 0) this.clear(mapping + HEAD);
      else {
        this.clear(parent + SLOTS + 2 * nodes.offset(node));
        ram.u8[parent * 4 + COUNT]--;
      }
      memory.free(node);
      node = parent;
    }
    if (node !== 0 && nodes.parent(node) === 0) this.shrink(mapping);
  }

  /** Takes away topmost nodes that hold slot 0 only. */
  private shrink(mapping: Handle): void {
    const { nodes, memory } = this;
    for (;;) {
      const node = this.top(mapping);
      if (node === 0 || nodes.count(node) !== 1 || nodes.isEmpty(node, 0)) return;
      const child = nodes.child(node, 0);
      if (child === 0 && nodes.shift(node) > 0) return;
      this.move(node + SLOTS, mapping + HEAD);
      if (child !== 0) nodes.setParent(child, 0, 0);
      memory.free(node);
    }
  }

  private headMarked(mapping: Handle, mark: number): boolean {
    return ((this.ram.i32[mapping + FLAGS] >>> (MARK_SHIFT + mark)) & 1) === 1;
  }

  /** Clears a mark in a slot, and in what leads there if nothing else there has it. */
  private clearMark(mapping: Handle, leaf: Handle, leafSlot: number, mark: number): void {
    const { nodes } = this;
    let slot = leafSlot;
    for (let node = leaf; node !== 0; node = nodes.parent(node)) {
      if (!nodes.marked(node, slot, mark)) return;
      nodes.setMarked(node, slot, mark, false);
      if (nodes.anyMarked(node, mark)) return;
      slot = nodes.offset(node);
    }
    this.ram.i32[mapping + FLAGS] &= ~(1 << (MARK_SHIFT + mark));
  }
}
