// SPDX-License-Identifier: MIT
/** Bit maps as C uses them: arrays of unsigned long. Bits past the end are read as they are and left alone. */

import type { KernelExports } from '../arch/wasm64/exports.js';
import { PAGE_SIZE, type Vaddr } from '../machine/layout.js';
import { chargeBytes } from '../machine/work.js';
import { parseList, parseMask } from './bitmap_parse.js';
import { bitmapListText, bitmapText } from './bitmap_text.js';
import { EBUSY, ENOMEM } from './errno.js';
import { findNextBit, findNextZeroBit } from './find_bit.js';
import {
  bytesToPageEnd,
  type GuestAccess,
  physical,
  readBytes,
  readCString,
  writeBytes,
} from './guest_access.js';
import { decodeLatin1, encodeUtf8 } from './utf8.js';

/** Bytes of the longs that hold `bits`. */
const longBytes = (bits: number) => Math.ceil(bits / 64) * 8;

/** Bits of a region; the order counts modulo 32, as x86 shifts. */
const regionLength = (order: number) => 2 ** (order & 31);

/** A number of bits that C gives as an int. */
const fromInt = (bits: number) => Math.max(0, bits);

/** What a byte of a map costs that becomes part of an integer, beside one that is looked at. */
const INTEGER_COST = 16;

/** The map as one integer of `bits` bits. */
function load(mem: GuestAccess, map: Vaddr, bits: number): bigint {
  const bytes = readBytes(mem, map, longBytes(bits));
  chargeBytes(mem.ram, INTEGER_COST * bytes.length);
  let hex = '';
  for (let i = bytes.length - 1; i >= 0; i--) hex += bytes[i].toString(16).padStart(2, '0');
  return BigInt.asUintN(bits, BigInt(`0x0${hex}`));
}

/** Writes the longs that hold `bits`, zeros past the end. */
function store(mem: GuestAccess, map: Vaddr, value: bigint, bits: number): void {
  // A length that makes no sense faults before room is made for it.
  for (let at = map; at < map + longBytes(bits); at += bytesToPageEnd(at)) physical(mem, at, true);
  const hex = BigInt.asUintN(bits, value)
    .toString(16)
    .padStart(2 * longBytes(bits), '0');
  const bytes = new Uint8Array(longBytes(bits));
  chargeBytes(mem.ram, INTEGER_COST * bytes.length);
  for (let i = 0; i < bytes.length; i++)
    bytes[bytes.length - 1 - i] = Number.parseInt(hex.slice(2 * i, 2 * i + 2), 16);
  writeBytes(mem, map, bytes);
}

const weight = (value: bigint) => value.toString(2).replaceAll('0', '').length;

/** Sets or clears a run of bits. @linux lib/bitmap.c:__bitmap_set full */
function setRun(mem: GuestAccess, map: Vaddr, start: number, count: number, on: boolean): void {
  const { u8 } = mem.ram;
  const end = start + count;
  for (let bit = start; bit < end; ) {
    const index = Math.floor(bit / 8);
    const p = physical(mem, map + index, true);
    const inPage = Math.min(end, (index + bytesToPageEnd(map + index)) * 8);
    for (; bit < inPage; bit = (Math.floor(bit / 8) + 1) * 8) {
      const at = p + Math.floor(bit / 8) - index;
      const last = Math.min(8, end - Math.floor(bit / 8) * 8);
      const mask = (0xff << (bit & 7)) & ((1 << last) - 1);
      u8[at] = on ? u8[at] | mask : u8[at] & ~mask;
    }
  }
}

/**
 * A run of clear bits of a length and alignment, or something past `size`.
 * @linux lib/bitmap.c:bitmap_find_next_zero_area_off full
 */
export function findNextZeroArea(
  mem: GuestAccess,
  map: Vaddr,
  size: number,
  start: number,
  count: number,
  alignMask: number,
  alignOffset: number,
): number {
  const align = alignMask + 1;
  for (let from = start; ; ) {
    const clear = findNextZeroBit(mem, map, size, from);
    const index = Math.ceil((clear + alignOffset) / align) * align - alignOffset;
    const end = index + count;
    if (end > size || index < from) return end; // what wraps around is past the end, too
    const taken = findNextBit(mem, map, end, index);
    if (taken >= end) return index;
    from = taken + 1;
  }
}

/** A free run of 2^order bits at a multiple of its length: its start, or -ENOMEM. @linux lib/bitmap.c:bitmap_find_free_region full */
function findFreeRegion(mem: GuestAccess, map: Vaddr, bits: number, order: number): number {
  const length = regionLength(order);
  for (let start = 0; start + length <= bits; start += length) {
    if (findNextBit(mem, map, start + length, start) < start + length) continue;
    setRun(mem, map, start, length, true);
    return start;
  }
  return -ENOMEM;
}

export function bitmapExports(
  mem: GuestAccess,
  kmalloc: (bytes: number, gfp: number) => Vaddr,
  kfree: (address: Vaddr) => void,
): KernelExports {
  const __GFP_ZERO = 0x100;
  /** A function of one or two maps that writes a third, and says whether it has bits. */
  const combine =
    (op: (a: bigint, b: bigint) => bigint) => (dst: Vaddr, a: Vaddr, b: Vaddr, bits: number) => {
      const value = op(load(mem, a, bits), load(mem, b, bits));
      store(mem, dst, value, bits);
      return value !== 0n;
    };
  const shift =
    (left: boolean) =>
    (dst: Vaddr, src: Vaddr, by: number, bits: number): undefined => {
      const value = load(mem, src, bits);
      const distance = BigInt(Math.min(by, bits)); // a shift past the end leaves nothing
      store(mem, dst, left ? value << distance : value >> distance, bits);
    };
  const parse = (text: string, bits: number, dst: Vaddr) => {
    const value = parseMask(text, bits);
    if (typeof value === 'number') return value;
    store(mem, dst, value, bits);
    return 0;
  };
  const string = (address: Vaddr, max?: number) => decodeLatin1(readCString(mem, address, max));
  const allocate = (bits: number, gfp: number) => kmalloc(longBytes(bits), gfp);
  return {
    bitmap_alloc: ['p:uu', allocate],
    bitmap_zalloc: ['p:uu', (bits: number, gfp: number) => allocate(bits, gfp | __GFP_ZERO)],
    bitmap_free: ['v:p', (map: Vaddr) => kfree(map)],
    __bitmap_equal: [
      'b:ppu',
      (a: Vaddr, b: Vaddr, bits: number) => load(mem, a, bits) === load(mem, b, bits),
    ],
    __bitmap_complement: [
      'v:ppu',
      (dst: Vaddr, src: Vaddr, bits: number) => store(mem, dst, ~load(mem, src, bits), bits),
    ],
    __bitmap_shift_left: ['v:ppuu', shift(true)],
    __bitmap_shift_right: ['v:ppuu', shift(false)],
    __bitmap_and: ['b:pppu', combine((a, b) => a & b)],
    __bitmap_andnot: ['b:pppu', combine((a, b) => a & ~b)],
    __bitmap_or: ['v:pppu', combine((a, b) => a | b)],
    __bitmap_xor: ['v:pppu', combine((a, b) => a ^ b)],
    __bitmap_intersects: [
      'b:ppu',
      (a: Vaddr, b: Vaddr, bits: number) => (load(mem, a, bits) & load(mem, b, bits)) !== 0n,
    ],
    __bitmap_subset: [
      'b:ppu',
      (a: Vaddr, b: Vaddr, bits: number) => (load(mem, a, bits) & ~load(mem, b, bits)) === 0n,
    ],
    __bitmap_weight: ['u:pu', (map: Vaddr, bits: number) => weight(load(mem, map, bits))],
    __bitmap_set: ['v:pui', (map: Vaddr, start: number, n: number) => setRun(mem, map, start, n, true)],
    __bitmap_clear: ['v:pui', (map: Vaddr, start: number, n: number) => setRun(mem, map, start, n, false)],
    bitmap_find_next_zero_area_off: [
      'z:pzzuzz',
      (map: Vaddr, size: number, start: number, count: number, mask: number, offset: number) =>
        findNextZeroArea(mem, map, size, start, count, mask, offset),
    ],
    bitmap_parse: [
      'i:pupi',
      (text: Vaddr, length: number, dst: Vaddr, bits: number) =>
        parse(string(text, length), fromInt(bits), dst),
    ],
    bitmap_parselist: [
      'i:ppi',
      (text: Vaddr, dst: Vaddr, nbits: number) => {
        const bits = fromInt(nbits);
        const { regions, status } = parseList(string(text), bits);
        setRun(mem, dst, 0, longBytes(bits) * 8, false);
        for (const { start, end, used, group } of regions)
          for (let at = start; at <= end; at += group)
            setRun(mem, dst, at, Math.min(used, end - at + 1), true);
        return status;
      },
    ],
    bitmap_print_to_pagebuf: [
      'i:bppi',
      (list: boolean, buffer: Vaddr, map: Vaddr, nbits: number) => {
        const bits = fromInt(nbits);
        const bytes = readBytes(mem, map, longBytes(bits));
        const text = `${list ? bitmapListText(bytes, bits) : bitmapText(bytes, bits)}\n`.slice(
          0,
          PAGE_SIZE - 1,
        );
        writeBytes(mem, buffer, encodeUtf8(`${text}\0`));
        return text.length;
      },
    ],
    bitmap_find_free_region: [
      'i:pui',
      (map: Vaddr, bits: number, order: number) => findFreeRegion(mem, map, bits, order),
    ],
    bitmap_release_region: [
      'v:pui',
      (map: Vaddr, start: number, order: number) => setRun(mem, map, start, regionLength(order), false),
    ],
    bitmap_allocate_region: [
      'i:pui',
      (map: Vaddr, start: number, order: number) => {
        const end = start + regionLength(order);
        if (findNextBit(mem, map, end, start) < end) return -EBUSY;
        setRun(mem, map, start, regionLength(order), true);
        return 0;
      },
    ],
  };
}
