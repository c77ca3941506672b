// SPDX-License-Identifier: MIT
/**
 * XArrays: sparse arrays of pointers or small integers, indexed by unsigned long, each entry with three marks. The
 * radix tree, idr and ida of older interfaces are the same array. See `xarray_node.ts` for what it is made of.
 *
 * An entry at index 0 alone needs no node: `xa_head` holds it. Arrays that hand out indices keep in mark 0 which are
 * free. Indices are two words here, since a number does not hold all of 64 bits; entries are bigints.
 */

import type { Handle, Vaddr } from '../machine/layout.js';
import { ENOMEM } from './errno.js';
import { type GuestAccess, readUnsigned, writeBigInt, writeU32 } from './guest_access.js';
import { beyond, slotOf, XA_CHUNK_SHIFT, XA_CHUNK_SIZE, type XaNodes } from './xarray_node.js';

export const XA_FREE_MARK = 0;
export const XA_MAX_MARKS = 3;
/** A filter that takes every entry. */
export const XA_PRESENT = 8;
/** What stands for NULL at an index that is taken. */
export const XA_ZERO_ENTRY = 1030n;

const XA_FLAGS_TRACK_FREE = 4;
const XA_FLAGS_ZERO_BUSY = 8;
/** Of the root of an idr. */
const IDR_RT_MARKER = 1 << 26;
const MARK_SHIFT = 27;

/** Offsets in `struct xarray`. */
const XA_FLAGS = 4;
const XA_HEAD = 8;

/** Memory for nodes. */
export interface NodeAllocator {
  /** @returns 0 if there is none */
  alloc(gfp: number): Handle;
  free(node: Handle): void;
}

/** An index with the entry that is there. */
export interface Found {
  readonly hi: number;
  readonly lo: number;
  readonly entry: bigint;
}

/** Where an index is kept: a slot of a node; the head (node 0); or nowhere, because no node covers it. */
interface Place {
  readonly node: Handle;
  readonly slot: number;
}

const isValue = (entry: bigint) => (entry & 1n) === 1n;
/** True for entries that only the array itself may make. */
export const isInternal = (entry: bigint) => (entry & 3n) === 2n;
const after = (hi: number, lo: number, maxHi: number, maxLo: number) =>
  hi > maxHi || (hi === maxHi && lo > maxLo);

export class XArrays {
  constructor(
    readonly mem: GuestAccess,
    private readonly nodes: XaNodes,
    private readonly memory: NodeAllocator,
  ) {}

  flags(xa: Vaddr): number {
    return readUnsigned(this.mem, xa + XA_FLAGS, 4);
  }

  setFlags(xa: Vaddr, flags: number): void {
    writeU32(this.mem, xa + XA_FLAGS, flags);
  }

  private tracksFree(xa: Vaddr): boolean {
    return (this.flags(xa) & (XA_FLAGS_TRACK_FREE | IDR_RT_MARKER)) !== 0;
  }

  private head(xa: Vaddr): bigint {
    const lo = readUnsigned(this.mem, xa + XA_HEAD, 4);
    return (BigInt(readUnsigned(this.mem, xa + XA_HEAD + 4, 4)) << 32n) | BigInt(lo);
  }

  private setHead(xa: Vaddr, entry: bigint): void {
    writeBigInt(this.mem, xa + XA_HEAD, entry, 8);
  }

  /** The topmost node; 0 if the head is an entry or NULL. */
  private top(xa: Vaddr): Handle {
    const lo = readUnsigned(this.mem, xa + XA_HEAD, 4) | 0;
    return this.nodes.nodeIn(readUnsigned(this.mem, xa + XA_HEAD + 4, 4) | 0, lo);
  }

  // ---------------------------------------------------------------------------------------------
  // Entries

  /** Where an index is kept, if it has a place. */
  private find(xa: Vaddr, hi: number, lo: number): Place | undefined {
    const { nodes } = this;
    let node = this.top(xa);
    if (node === 0) return hi === 0 && lo === 0 ? { node: 0, slot: 0 } : undefined;
    let shift = nodes.shift(node);
    if (beyond(hi, lo, shift)) return undefined;
    for (; shift > 0; shift -= XA_CHUNK_SHIFT) {
      node = nodes.child(node, slotOf(hi, lo, shift));
      if (node === 0) return undefined;
    }
    return { node, slot: slotOf(hi, lo, 0) };
  }

  private entryAt(xa: Vaddr, { node, slot }: Place): bigint {
    return node === 0 ? this.head(xa) : this.nodes.entry(node, slot);
  }

  /** The entry at an index as it is stored: NULL is 0, a NULL that takes its place XA_ZERO_ENTRY. @linux lib/xarray.c:xas_load full */
  load(xa: Vaddr, hi: number, lo: number): bigint {
    const place = this.find(xa, hi, lo);
    return place === undefined ? 0n : this.entryAt(xa, place);
  }

  /**
   * Stores an entry; marks stay as they are, except that NULL has none.
   * @returns what was there before, or -ENOMEM
   * @linux lib/xarray.c:xas_store partial: an entry takes one index
   */
  store(xa: Vaddr, hi: number, lo: number, entry: bigint, gfp: number): bigint | number {
    if (entry === 0n) return this.erase(xa, hi, lo);
    const place = this.find(xa, hi, lo) ?? this.create(xa, hi, lo, gfp);
    if (place === undefined) return -ENOMEM;
    const old = this.entryAt(xa, place);
    if (place.node === 0) this.setHead(xa, entry);
    else {
      this.nodes.setEntry(place.node, place.slot, entry);
      this.countValues(place.node, old, entry);
    }
    return old;
  }

  private countValues(node: Handle, old: bigint, entry: bigint): void {
    const { u8 } = this.nodes.ram;
    u8[node * 4 + 3] += Number(isValue(entry)) - Number(isValue(old));
  }

  /** Removes what is at an index, with its marks. */
  private erase(xa: Vaddr, hi: number, lo: number): bigint {
    const place = this.find(xa, hi, lo);
    if (place === undefined) return 0n;
    const old = this.entryAt(xa, place);
    if (old === 0n) return 0n;
    for (let mark = 0; mark < XA_MAX_MARKS; mark++)
      this.putMark(xa, place, mark, mark === XA_FREE_MARK && this.tracksFree(xa));
    if (place.node === 0) this.setHead(xa, 0n);
    else {
      this.nodes.setEntry(place.node, place.slot, 0n);
      this.countValues(place.node, old, 0n);
      this.prune(xa, place.node);
    }
    return old;
  }

  /** Frees a node that has become empty, and its parents; then makes the tree as low as it can be. @linux lib/xarray.c:xas_delete_node full */
  private prune(xa: Vaddr, emptied: Handle): void {
    const { nodes, memory } = this;
    let node = emptied;
    while (node !== 0 && nodes.count(node) === 0) {
      const parent = nodes.parent(node);
      if (parent === 0) this.setHead(xa, 0n);
      else nodes.setEntry(parent, nodes.offset(node), 0n);
      memory.free(node);
      node = parent;
    }
    if (node !== 0 && nodes.parent(node) === 0) this.shrink(xa);
  }

  /** Takes away topmost nodes that hold slot 0 only. @linux lib/xarray.c:xas_shrink full */
  private shrink(xa: Vaddr): void {
    const { nodes, memory } = this;
    for (;;) {
      const node = this.top(xa);
      if (node === 0 || nodes.count(node) !== 1 || nodes.isEmpty(node, 0)) return;
      const child = nodes.child(node, 0);
      if (child === 0 && nodes.shift(node) > 0) return;
      this.setHead(xa, nodes.entry(node, 0));
      for (let mark = 0; mark < XA_MAX_MARKS; mark++) this.setHeadMark(xa, mark, nodes.marked(node, 0, mark));
      if (child !== 0) nodes.setParent(child, 0, 0);
      memory.free(node);
    }
  }

  /** Makes the nodes that an index needs; undefined if there is no memory. @linux lib/xarray.c:xas_create full */
  private create(xa: Vaddr, hi: number, lo: number, gfp: number): Place | undefined {
    const { nodes } = this;
    if (!this.expand(xa, hi, lo, gfp)) return undefined;
    let node = this.top(xa);
    if (node === 0) return { node: 0, slot: 0 };
    for (let shift = nodes.shift(node); shift > 0; shift -= XA_CHUNK_SHIFT) {
      const slot = slotOf(hi, lo, shift);
      let child = nodes.child(node, slot);
      if (child === 0) {
        child = this.newNode(xa, shift - XA_CHUNK_SHIFT, node, slot, gfp);
        if (child === 0) {
          this.prune(xa, node);
          return undefined;
        }
        nodes.setChild(node, slot, child);
      }
      node = child;
    }
    return { node, slot: slotOf(hi, lo, 0) };
  }

  private newNode(xa: Vaddr, shift: number, parent: Handle, slot: number, gfp: number): Handle {
    const node = this.memory.alloc(gfp);
    if (node !== 0) this.nodes.init(node, shift, parent, slot, this.tracksFree(xa));
    return node;
  }

  /** Makes the tree high enough for an index. @linux lib/xarray.c:xas_expand full */
  private expand(xa: Vaddr, hi: number, lo: number, gfp: number): boolean {
    const { nodes } = this;
    if (this.head(xa) === 0n) return this.plant(xa, hi, lo, gfp);
    for (;;) {
      const below = this.top(xa);
      const shift = below === 0 ? 0 : nodes.shift(below) + XA_CHUNK_SHIFT;
      if (below !== 0 && !beyond(hi, lo, nodes.shift(below))) return true;
      const node = this.newNode(xa, shift, 0, 0, gfp);
      if (node === 0) {
        this.shrink(xa);
        return false;
      }
      nodes.setEntry(node, 0, this.head(xa));
      if (below === 0) this.countValues(node, 0n, this.head(xa));
      else nodes.setParent(below, node, 0);
      for (let mark = 0; mark < XA_MAX_MARKS; mark++)
        nodes.setMarked(
          node,
          0,
          mark,
          below === 0 ? this.headMarked(xa, mark) : nodes.anyMarked(below, mark),
        );
      this.setHead(xa, nodes.asEntry(node));
      if (this.tracksFree(xa)) this.setHeadMark(xa, XA_FREE_MARK, true);
    }
  }

  /** The first node of an empty array, as high as an index needs; none for index 0. */
  private plant(xa: Vaddr, hi: number, lo: number, gfp: number): boolean {
    if (hi === 0 && lo === 0) return true;
    let shift = 0;
    while (beyond(hi, lo, shift)) shift += XA_CHUNK_SHIFT;
    const node = this.newNode(xa, shift, 0, 0, gfp);
    if (node === 0) return false;
    this.setHead(xa, this.nodes.asEntry(node));
    return true;
  }

  /** Frees all nodes and forgets all entries. @linux lib/xarray.c:xa_destroy full */
  destroy(xa: Vaddr): void {
    const top = this.top(xa);
    this.setHead(xa, 0n);
    for (let mark = 0; mark < XA_MAX_MARKS; mark++)
      this.setHeadMark(xa, mark, mark === XA_FREE_MARK && this.tracksFree(xa));
    if (top !== 0) this.freeNodes(top, this.nodes.shift(top));
  }

  private freeNodes(node: Handle, shift: number): void {
    for (let slot = 0; slot < XA_CHUNK_SIZE && shift > 0; slot++) {
      const child = this.nodes.child(node, slot);
      if (child !== 0) this.freeNodes(child, shift - XA_CHUNK_SHIFT);
    }
    this.memory.free(node);
  }

  // ---------------------------------------------------------------------------------------------
  // Marks

  /** True if any entry has a mark. */
  headMarked(xa: Vaddr, mark: number): boolean {
    return ((this.flags(xa) >>> (MARK_SHIFT + mark)) & 1) === 1;
  }

  private setHeadMark(xa: Vaddr, mark: number, on: boolean): void {
    const bit = 1 << (MARK_SHIFT + mark);
    const flags = this.flags(xa);
    const now = (on ? flags | bit : flags & ~bit) >>> 0;
    if (now !== flags) this.setFlags(xa, now);
  }

  /** Sets or clears a mark in a place, and in what leads there. @linux lib/xarray.c:xas_set_mark full */
  private putMark(xa: Vaddr, { node, slot }: Place, mark: number, on: boolean): void {
    const { nodes } = this;
    for (let at = node, s = slot; at !== 0; s = nodes.offset(at), at = nodes.parent(at)) {
      if (nodes.marked(at, s, mark) === on) return;
      nodes.setMarked(at, s, mark, on);
      if (!on && nodes.anyMarked(at, mark)) return;
    }
    this.setHeadMark(xa, mark, on);
  }

  /** @linux lib/xarray.c:xa_get_mark full */
  getMark(xa: Vaddr, hi: number, lo: number, mark: number): boolean {
    const place = this.find(xa, hi, lo);
    if (place === undefined) return false;
    return place.node === 0 ? this.headMarked(xa, mark) : this.nodes.marked(place.node, place.slot, mark);
  }

  /** Sets or clears the mark of an entry; where there is none, nothing happens. */
  setMark(xa: Vaddr, hi: number, lo: number, mark: number, on: boolean): void {
    const place = this.find(xa, hi, lo);
    if (place === undefined || this.entryAt(xa, place) === 0n) return;
    this.putMark(xa, place, mark, on);
  }

  // ---------------------------------------------------------------------------------------------
  // Searches

  /**
   * The first entry from an index on, up to another, that passes a filter: a mark, or XA_PRESENT.
   * @linux lib/xarray.c:xas_find full
   */
  findFrom(
    xa: Vaddr,
    hi: number,
    lo: number,
    maxHi: number,
    maxLo: number,
    filter: number,
  ): Found | undefined {
    const top = this.top(xa);
    if (after(hi, lo, maxHi, maxLo)) return undefined;
    if (top === 0) {
      const entry = this.head(xa);
      const wanted = filter >= XA_MAX_MARKS || this.headMarked(xa, filter);
      const hidden = entry === 0n || entry === XA_ZERO_ENTRY;
      return hi === 0 && lo === 0 && wanted && !hidden ? { hi: 0, lo: 0, entry } : undefined;
    }
    const shift = this.nodes.shift(top);
    if (beyond(hi, lo, shift)) return undefined;
    const found = this.search(top, shift, { hi: 0, lo: 0 }, { hi, lo }, filter);
    return found === undefined || after(found.hi, found.lo, maxHi, maxLo) ? undefined : found;
  }

  /** @param from where to begin, while the path still follows it; undefined: at the node's first slot */
  private search(
    node: Handle,
    shift: number,
    base: { hi: number; lo: number },
    from: { hi: number; lo: number } | undefined,
    filter: number,
  ): Found | undefined {
    const { nodes } = this;
    const first = from === undefined ? 0 : slotOf(from.hi, from.lo, shift);
    for (let slot = first; slot < XA_CHUNK_SIZE; slot++) {
      if (nodes.isEmpty(node, slot)) continue;
      if (filter < XA_MAX_MARKS && !nodes.marked(node, slot, filter)) continue;
      const lo = (base.lo | (shift < 32 ? slot << shift : 0)) >>> 0;
      const hi = (base.hi | (shift >= 32 ? slot << (shift - 32) : shift === 30 ? slot >>> 2 : 0)) >>> 0;
      if (shift === 0) {
        const entry = nodes.entry(node, slot);
        if (entry !== XA_ZERO_ENTRY) return { hi, lo, entry };
        continue;
      }
      const child = nodes.child(node, slot);
      const rest = slot === first ? from : undefined;
      const found = child && this.search(child, shift - XA_CHUNK_SHIFT, { hi, lo }, rest, filter);
      if (found) return found;
    }
    return undefined;
  }

  /**
   * The first free index from `min` to `max`, both below 2^32, in an array that keeps track of them.
   * @returns -1 if all are taken
   */
  findFree(xa: Vaddr, min: number, max: number): number {
    const first = min === 0 && this.flags(xa) & XA_FLAGS_ZERO_BUSY ? 1 : min;
    const top = this.top(xa);
    let free = first;
    if (top === 0) {
      if (first === 0 && this.head(xa) !== 0n) free = 1;
    } else if (!beyond(0, first, this.nodes.shift(top))) {
      const shift = this.nodes.shift(top);
      free = this.searchFree(top, shift, 0, first, true);
      if (free < 0) free = 2 ** (shift + XA_CHUNK_SHIFT);
    }
    return free <= max ? free : -1;
  }

  private searchFree(node: Handle, shift: number, base: number, from: number, bounded: boolean): number {
    const { nodes } = this;
    const first = bounded ? Math.floor((from - base) / 2 ** shift) : 0;
    for (let slot = first; slot < XA_CHUNK_SIZE; slot++) {
      if (!nodes.marked(node, slot, XA_FREE_MARK)) continue;
      const index = base + slot * 2 ** shift;
      const inside = bounded && slot === first;
      const child = shift > 0 ? nodes.child(node, slot) : 0;
      if (child === 0) return inside ? Math.max(index, from) : index;
      const free = this.searchFree(child, shift - XA_CHUNK_SHIFT, index, from, inside);
      if (free >= 0) return free;
    }
    return -1;
  }

  /** Says that an index is taken, or free again: of an array that keeps track. */
  setFreeMark(xa: Vaddr, hi: number, lo: number, free: boolean): void {
    const place = this.find(xa, hi, lo);
    if (place !== undefined) this.putMark(xa, place, XA_FREE_MARK, free);
  }
}
