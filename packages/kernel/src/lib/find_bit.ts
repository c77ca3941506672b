// SPDX-License-Identifier: MIT
/** Searching bit maps in guest memory: arrays of unsigned long, bit 0 lowest. */

import type { KernelExports } from '../arch/wasm64/exports.js';
import type { Vaddr } from '../machine/layout.js';
import { chargeBytes } from '../machine/work.js';
import { bytesToPageEnd, type GuestAccess, physical } from './guest_access.js';

/** Index of the lowest set bit of a byte that is not 0. */
const lowest = (byte: number) => 31 - Math.clz32(byte & -byte);

/**
 * The first bit at `start` or after it that `combine` makes 1, or `size`.
 * @param combine joins the bytes of the maps into one
 */
function findNext(
  mem: GuestAccess,
  maps: readonly Vaddr[],
  size: number,
  start: number,
  combine: (a: number, b: number) => number,
): number {
  const { u8 } = mem.ram;
  const b = maps.length > 1 ? maps[1] : maps[0];
  for (let bit = start; bit < size; ) {
    const index = Math.floor(bit / 8);
    const p = physical(mem, maps[0] + index);
    const q = physical(mem, b + index);
    const bytes = Math.min(
      Math.ceil(size / 8) - index,
      bytesToPageEnd(maps[0] + index),
      bytesToPageEnd(b + index),
    );
    chargeBytes(mem.ram, 2 * bytes);
    for (let i = 0; i < bytes; i++, bit = (index + i) * 8) {
      let found = combine(u8[p + i], u8[q + i]) & 0xff;
      if (i === 0) found &= 0xff << (bit & 7);
      if (found !== 0) return Math.min(size, (index + i) * 8 + lowest(found));
    }
  }
  return size;
}

const one = (a: number) => a;
const zero = (a: number) => ~a;
const both = (a: number, b: number) => a & b;
const onlyFirst = (a: number, b: number) => a & ~b;

export const findNextBit = (mem: GuestAccess, map: Vaddr, size: number, start: number): number =>
  findNext(mem, [map], size, start, one);
export const findNextZeroBit = (mem: GuestAccess, map: Vaddr, size: number, start: number): number =>
  findNext(mem, [map], size, start, zero);

/** The last set bit, or `size`. */
export function findLastBit(mem: GuestAccess, map: Vaddr, size: number): number {
  for (let index = Math.ceil(size / 8) - 1; index >= 0; index--) {
    const kept = Math.min(8, size - index * 8);
    const byte = mem.ram.u8[physical(mem, map + index)] & ((1 << kept) - 1);
    if (byte !== 0) return index * 8 + 31 - Math.clz32(byte);
  }
  return size;
}

export function findBitExports(mem: GuestAccess): KernelExports {
  const single = (combine: (a: number) => number) => (map: Vaddr, size: number, start?: number) =>
    findNext(mem, [map], size, start ?? 0, combine);
  const pair =
    (combine: (a: number, b: number) => number) => (a: Vaddr, b: Vaddr, size: number, start?: number) =>
      findNext(mem, [a, b], size, start ?? 0, combine);
  return {
    _find_first_bit: ['z:pz', single(one)],
    _find_first_zero_bit: ['z:pz', single(zero)],
    _find_first_and_bit: ['z:ppz', pair(both)],
    _find_next_bit: ['z:pzz', single(one)],
    _find_next_zero_bit: ['z:pzz', single(zero)],
    _find_next_and_bit: ['z:ppzz', pair(both)],
    _find_next_andnot_bit: ['z:ppzz', pair(onlyFirst)],
    _find_last_bit: ['z:pz', (map: Vaddr, size: number) => findLastBit(mem, map, size)],
  };
}
