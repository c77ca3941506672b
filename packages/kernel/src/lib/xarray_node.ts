// SPDX-License-Identifier: MIT
/**
 * The nodes of an XArray: each has 64 slots, and for every mark a bit a slot that says whether anything below has it.
 *
 *     shift 6    | 0 | 1 | … | 63 |     slot n covers the indices n·64 … n·64 + 63
 *                  │
 *     shift 0    | 0 | 1 | … | 63 |     a slot is an entry
 *
 * Nodes are kernel objects, so they are handles here. In a slot a node is its address with the low bits 10.
 */

import { type Handle, PAGE_OFFSET_HI } from '../machine/layout.js';
import type { Ram } from '../machine/ram.js';
import { ListHead } from './list.js';
import { addr, array, ptr, struct, u8, ulong } from './struct.js';
import { step } from './walk.js';

export const XA_CHUNK_SHIFT = 6;
export const XA_CHUNK_SIZE = 64;
const XA_MAX_MARKS = 3;
/** The shift of the highest node that 64-bit indices need. */
export const XA_MAX_SHIFT = 60;

export const XaNode = struct('xa_node', {
  shift: u8,
  /** Its slot in the parent. */
  offset: u8,
  count: u8,
  nr_values: u8,
  parent: ptr('struct xa_node'),
  array: addr('struct xarray'),
  private_list: ListHead,
  slots: array(addr(), XA_CHUNK_SIZE),
  marks: array(ulong, XA_MAX_MARKS),
});

const SLOTS = XaNode.w.slots;
const MARKS = XaNode.w.marks;
const PARENT = XaNode.w.parent;
const OFFSET = XaNode.o.offset;
const COUNT = XaNode.o.count;
const INTERNAL = 2;

/** Which slot an index takes in a node of a shift. */
export function slotOf(hi: number, lo: number, shift: number): number {
  if (shift < 30) return (lo >>> shift) & 63;
  if (shift === 30) return (lo >>> 30) | ((hi & 15) << 2);
  return (hi >>> (shift - 32)) & 63;
}

/** True if an index lies beyond what a node of a shift covers, as the topmost. */
export function beyond(hi: number, lo: number, shift: number): boolean {
  const bits = shift + XA_CHUNK_SHIFT;
  if (bits >= 64) return false;
  return bits >= 32 ? hi >>> (bits - 32) !== 0 : hi !== 0 || lo >>> bits !== 0;
}

export class XaNodes {
  constructor(readonly ram: Ram) {}

  /** Makes a node of fresh memory. @param freeMark whether every slot counts as free: mark 0 */
  init(node: Handle, shift: number, parent: Handle, offset: number, freeMark: boolean): void {
    const { ram } = this;
    ram.fill(node * 4, XaNode.size, 0);
    ram.u8[node * 4] = shift;
    ram.u8[node * 4 + OFFSET] = offset;
    ram.setPtr(node + PARENT, parent);
    if (freeMark) {
      ram.i32[node + MARKS] = -1;
      ram.i32[node + MARKS + 1] = -1;
    }
  }

  shift(node: Handle): number {
    return Math.min(this.ram.u8[node * 4], XA_MAX_SHIFT);
  }

  parent(node: Handle): Handle {
    step(this.ram);
    return this.ram.ptr(node + PARENT);
  }

  setParent(node: Handle, parent: Handle, offset: number): void {
    this.ram.setPtr(node + PARENT, parent);
    this.ram.u8[node * 4 + OFFSET] = offset;
  }

  offset(node: Handle): number {
    return this.ram.u8[node * 4 + OFFSET] & 63;
  }

  count(node: Handle): number {
    return this.ram.u8[node * 4 + COUNT];
  }

  /** The node that a word pair holds, or 0 if it holds none. */
  nodeIn(hi: number, lo: number): Handle {
    if ((lo & 3) !== INTERNAL || hi !== PAGE_OFFSET_HI) return 0;
    const node = (lo - INTERNAL) >>> 2;
    return (node + XaNode.size / 4) * 4 <= this.ram.size ? node : 0;
  }

  /** The node in a slot, or 0. */
  child(node: Handle, slot: number): Handle {
    const w = node + SLOTS + 2 * slot;
    return this.nodeIn(this.ram.i32[w + 1], this.ram.i32[w]);
  }

  isEmpty(node: Handle, slot: number): boolean {
    const w = node + SLOTS + 2 * slot;
    return this.ram.i32[w] === 0 && this.ram.i32[w + 1] === 0;
  }

  entry(node: Handle, slot: number): bigint {
    const w = node + SLOTS + 2 * slot;
    return (BigInt(this.ram.u32[w + 1]) << 32n) | BigInt(this.ram.u32[w]);
  }

  /** Fills a slot and counts. */
  setEntry(node: Handle, slot: number, entry: bigint): void {
    const { ram } = this;
    const w = node + SLOTS + 2 * slot;
    const before = Number(!this.isEmpty(node, slot));
    ram.u8[node * 4 + COUNT] += Number(entry !== 0n) - before;
    ram.i32[w] = Number(BigInt.asIntN(32, entry));
    ram.i32[w + 1] = Number(BigInt.asIntN(32, entry >> 32n));
  }

  setChild(node: Handle, slot: number, child: Handle): void {
    this.setEntry(node, slot, this.asEntry(child));
  }

  asEntry(node: Handle): bigint {
    return BigInt.asUintN(64, BigInt(this.ram.addressOf(node) + INTERNAL));
  }

  private markWord(node: Handle, slot: number, mark: number): Handle {
    return node + MARKS + 2 * mark + (slot >> 5);
  }

  marked(node: Handle, slot: number, mark: number): boolean {
    return ((this.ram.i32[this.markWord(node, slot, mark)] >>> (slot & 31)) & 1) === 1;
  }

  setMarked(node: Handle, slot: number, mark: number, on: boolean): void {
    const bit = 1 << (slot & 31);
    if (on) this.ram.i32[this.markWord(node, slot, mark)] |= bit;
    else this.ram.i32[this.markWord(node, slot, mark)] &= ~bit;
  }

  /** True if any slot has a mark. */
  anyMarked(node: Handle, mark: number): boolean {
    const w = node + MARKS + 2 * mark;
    return (this.ram.i32[w] | this.ram.i32[w + 1]) !== 0;
  }
}
