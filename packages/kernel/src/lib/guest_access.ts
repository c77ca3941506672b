// SPDX-License-Identifier: MIT
/**
 * Guest memory a page at a time. The kernel's C-facing helpers (strings, printf, sort) translate once a page
 * and then work on RAM directly; an address that is not mapped ends in the oops that `GuestMemory` throws.
 */

import { PAGE_MASK_LOW, PAGE_SIZE, type Paddr, type Vaddr } from '../machine/layout.js';
import type { Ram } from '../machine/ram.js';
import { charge, chargeBytes, PAGE_COUNT } from '../machine/work.js';
import { type GuestMemory, KernelBug } from './env.js';
import { step } from './walk.js';

const TWO32 = 4294967296;
const ONE_BYTE = new Uint8Array(1);

export interface GuestAccess {
  readonly ram: Ram;
  readonly guest: GuestMemory;
}

/** Bytes from an address to the end of its page, 1 to PAGE_SIZE. */
export const bytesToPageEnd = (address: Vaddr): number => PAGE_SIZE - (address & PAGE_MASK_LOW);

/** Physical address of a byte that is about to be read, or written: then its old value may be lost. */
export function physical(mem: GuestAccess, address: Vaddr, write = false): Paddr {
  charge(mem.ram, PAGE_COUNT);
  step(mem.ram);
  const p = mem.guest.translate(address, write);
  if (p >= 0) return p;
  // Not mapped: the access itself raises the fault, which a handler may resolve.
  if (write) mem.guest.write(address, ONE_BYTE);
  else mem.guest.read(address, 1);
  const again = mem.guest.translate(address, write);
  if (again < 0) throw new KernelBug(`guest address ${address} was accessed and is not mapped`);
  return again;
}

/** One byte. */
export const readU8 = (mem: GuestAccess, address: Vaddr): number => mem.ram.u8[physical(mem, address)];

export function writeU8(mem: GuestAccess, address: Vaddr, value: number): void {
  mem.ram.u8[physical(mem, address, true)] = value;
}

/** Little-endian integer of 2, 4 bytes, unsigned; any alignment. */
export function readUnsigned(mem: GuestAccess, address: Vaddr, bytes: 1 | 2 | 4): number {
  const u8 = mem.ram.u8;
  if (bytesToPageEnd(address) >= bytes) {
    const p = physical(mem, address);
    if (bytes === 4) return (u8[p] | (u8[p + 1] << 8) | (u8[p + 2] << 16) | (u8[p + 3] << 24)) >>> 0;
    return bytes === 2 ? u8[p] | (u8[p + 1] << 8) : u8[p];
  }
  let value = 0;
  for (let i = bytes - 1; i >= 0; i--) value = value * 256 + readU8(mem, address + i);
  return value;
}

/** A 64-bit integer as a signed number: exact within ±2^53, so for every canonical address. */
export function readS64(mem: GuestAccess, address: Vaddr): number {
  const p = bytesToPageEnd(address) >= 8 ? mem.guest.translate(address) : -1;
  if (p < 0 || p & 3) return (readUnsigned(mem, address + 4, 4) | 0) * TWO32 + readUnsigned(mem, address, 4);
  // As two words, without looking for the page twice.
  charge(mem.ram, 2 * PAGE_COUNT);
  step(mem.ram, 2);
  return mem.ram.s64(p / 4);
}

/** Writes the low `bytes` bytes of an integer within ±2^53, little-endian; any alignment. */
export function writeInteger(mem: GuestAccess, address: Vaddr, value: number, bytes: 1 | 2 | 4 | 8): void {
  const out = new Uint8Array(bytes);
  for (let i = 0, rest = value; i < bytes; i++, rest = Math.floor(rest / 256)) out[i] = rest;
  writeBytes(mem, address, out);
}

/** Writes 4 bytes, little-endian; any alignment. */
export function writeU32(mem: GuestAccess, address: Vaddr, value: number): void {
  if (bytesToPageEnd(address) < 4) {
    writeInteger(mem, address, value, 4);
    return;
  }
  const { u8 } = mem.ram;
  const p = physical(mem, address, true);
  u8[p] = value;
  u8[p + 1] = value >>> 8;
  u8[p + 2] = value >>> 16;
  u8[p + 3] = value >>> 24;
}

/** Writes a signed number within ±2^53 as 8 bytes; any alignment. */
export function writeS64(mem: GuestAccess, address: Vaddr, value: number): void {
  const p = bytesToPageEnd(address) >= 8 ? mem.guest.translate(address, true) : -1;
  if (p >= 0 && !(p & 3)) {
    charge(mem.ram, 2 * PAGE_COUNT);
    step(mem.ram, 2);
    mem.ram.set64(p / 4, value);
    return;
  }
  writeU32(mem, address, value | 0); // ToInt32 is modulo 2^32, so this is exact
  writeU32(mem, address + 4, Math.floor(value / TWO32) | 0);
}

/** A copy of guest bytes; an oops where any is not mapped, before room is made for a length that makes no sense. */
export function readBytes(mem: GuestAccess, address: Vaddr, bytes: number): Uint8Array {
  if (bytes > PAGE_SIZE) for (let a = address; a < address + bytes; a += bytesToPageEnd(a)) physical(mem, a);
  const out = new Uint8Array(bytes);
  for (let done = 0; done < bytes; ) {
    const p = physical(mem, address + done);
    const count = Math.min(bytes - done, bytesToPageEnd(address + done));
    out.set(mem.ram.u8.subarray(p, p + count), done);
    done += count;
  }
  return out;
}

export function writeBytes(mem: GuestAccess, address: Vaddr, source: Uint8Array): void {
  for (let done = 0; done < source.length; ) {
    const p = physical(mem, address + done, true);
    const count = Math.min(source.length - done, bytesToPageEnd(address + done));
    mem.ram.u8.set(source.subarray(done, done + count), p);
    done += count;
  }
}

/**
 * Length of the string at `address`: bytes before the first NUL, at most `max`. Touches no byte after the NUL
 * and none past `max`.
 */
export function stringLength(mem: GuestAccess, address: Vaddr, max = Number.POSITIVE_INFINITY): number {
  const u8 = mem.ram.u8;
  for (let done = 0; done < max; ) {
    const p = physical(mem, address + done);
    const count = Math.min(max - done, bytesToPageEnd(address + done));
    const end = p + count;
    let q = p;
    while (q < end && u8[q] !== 0) q++;
    chargeBytes(mem.ram, q - p);
    done += q - p;
    if (q < end) return done;
  }
  return max;
}

/** The string at `address` without its NUL, at most `max` bytes of it. */
export const readCString = (mem: GuestAccess, address: Vaddr, max?: number): Uint8Array =>
  readBytes(mem, address, stringLength(mem, address, max));

/** Writes the low `bytes` bytes of any integer, little-endian. */
export function writeBigInt(mem: GuestAccess, address: Vaddr, value: bigint, bytes: 1 | 2 | 4 | 8): void {
  writeBytes(
    mem,
    address,
    Uint8Array.from({ length: bytes }, (_, i) => Number((value >> BigInt(8 * i)) & 0xffn)),
  );
}
