// SPDX-License-Identifier: MIT
/** `linux/xarray.h`. The functions without underscores take the array's lock themselves. */

import type { KernelExports } from '../arch/wasm64/exports.js';
import type { Vaddr } from '../machine/layout.js';
import { EBUSY, EINVAL, ENOMEM } from './errno.js';
import { type GuestAccess, readUnsigned, writeBigInt, writeU32 } from './guest_access.js';
import { type Found, isInternal, XA_MAX_MARKS, XA_ZERO_ENTRY, type XArrays } from './xarray.js';

const XA_FLAGS_TRACK_FREE = 4;
const XA_FLAGS_ALLOC_WRAPPED = 16;
const U32_MAX = 0xffffffff;
/** The longest range that xa_store_range() fills. */
const RANGE_MAX = 2 ** 20;

/** A lock as spin_lock() and spin_unlock() take and release it. */
export interface SpinLockOps {
  lock(address: Vaddr): void;
  unlock(address: Vaddr): void;
}

export const highWord = (index: bigint) => Number(BigInt.asUintN(32, index >> 32n));
export const lowWord = (index: bigint) => Number(BigInt.asUintN(32, index));
const u64 = (n: bigint) => BigInt.asUintN(64, n);
/** An error as an entry: what xa_err() reads. */
const errorEntry = (errno: number) => u64((BigInt(errno) << 2n) | 2n);
/** What C sees of an entry: reserved is NULL. */
const visible = (entry: bigint) => (entry === XA_ZERO_ENTRY ? 0n : entry);
const mayStore = (entry: bigint) => !isInternal(entry) || entry === XA_ZERO_ENTRY;

export function xarrayExports(mem: GuestAccess, arrays: XArrays, locks: SpinLockOps): KernelExports {
  return {
    ...entryExports(arrays, locks),
    ...allocExports(mem, arrays),
    ...markExports(arrays, locks),
    ...searchExports(mem, arrays),
  };
}

/** Runs with the array's lock. */
const locked =
  <A extends unknown[], R>(locks: SpinLockOps, fn: (xa: Vaddr, ...args: A) => R) =>
  (xa: Vaddr, ...args: A): R => {
    locks.lock(xa);
    const result = fn(xa, ...args);
    locks.unlock(xa);
    return result;
  };

function entryExports(arrays: XArrays, locks: SpinLockOps): KernelExports {
  const tracksFree = (xa: Vaddr) => (arrays.flags(xa) & XA_FLAGS_TRACK_FREE) !== 0;
  const put = (xa: Vaddr, index: bigint, entry: bigint, gfp: number): bigint | number =>
    arrays.store(xa, highWord(index), lowWord(index), entry, gfp);
  const taken = (xa: Vaddr, index: bigint) => {
    if (tracksFree(xa)) arrays.setFreeMark(xa, highWord(index), lowWord(index), false);
  };
  /** @linux lib/xarray.c:__xa_store full */
  const store = (xa: Vaddr, index: bigint, value: bigint, gfp: number): bigint => {
    const entry = u64(value);
    if (!mayStore(entry)) return errorEntry(-EINVAL);
    const old = put(xa, index, entry === 0n && tracksFree(xa) ? XA_ZERO_ENTRY : entry, gfp);
    if (typeof old === 'number') return errorEntry(old);
    taken(xa, index);
    return visible(old);
  };
  /** @linux lib/xarray.c:__xa_erase full */
  const erase = (xa: Vaddr, index: bigint): bigint => {
    const old = put(xa, index, 0n, 0);
    return typeof old === 'number' ? 0n : visible(old);
  };
  /** @linux lib/xarray.c:__xa_cmpxchg full */
  const cmpxchg = (xa: Vaddr, index: bigint, old: bigint, value: bigint, gfp: number): bigint => {
    const entry = u64(value);
    if (!mayStore(entry)) return errorEntry(-EINVAL);
    const now = arrays.load(xa, highWord(index), lowWord(index));
    if (now !== u64(old)) return visible(now);
    const error = put(xa, index, entry, gfp);
    if (typeof error === 'number') return errorEntry(error);
    if (entry !== 0n && now === 0n) taken(xa, index);
    return visible(now);
  };
  /** @linux lib/xarray.c:__xa_insert full */
  const insert = (xa: Vaddr, index: bigint, value: bigint, gfp: number): number => {
    const entry = u64(value);
    if (!mayStore(entry)) return -EINVAL;
    if (arrays.load(xa, highWord(index), lowWord(index)) !== 0n) return -EBUSY;
    const error = put(xa, index, entry === 0n ? XA_ZERO_ENTRY : entry, gfp);
    if (typeof error === 'number') return error;
    taken(xa, index);
    return 0;
  };
  /** @linux lib/xarray.c:xa_store_range differs: each index has an entry of its own, at most 2^20 */
  const storeRange = (xa: Vaddr, first: bigint, last: bigint, entry: bigint, gfp: number): bigint => {
    const [from, to] = [u64(first), u64(last)];
    if (!mayStore(u64(entry)) || to < from) return errorEntry(-EINVAL);
    if (to - from >= RANGE_MAX) return errorEntry(-ENOMEM);
    for (let index = from; index <= to; index++) {
      const old = put(xa, index, u64(entry), gfp);
      if (typeof old === 'number') return errorEntry(old);
    }
    return 0n;
  };
  return {
    xa_load: [
      'q:pq',
      (xa: Vaddr, index: bigint) => visible(arrays.load(xa, highWord(index), lowWord(index))),
    ],
    __xa_store: ['q:pqqu', store],
    xa_store: ['q:pqqu', locked(locks, store)],
    __xa_erase: ['q:pq', erase],
    xa_erase: ['q:pq', locked(locks, erase)],
    __xa_cmpxchg: ['q:pqqqu', cmpxchg],
    __xa_insert: ['i:pqqu', insert],
    xa_store_range: ['q:pqqqu', locked(locks, storeRange)],
    xa_destroy: ['v:p', locked(locks, (xa: Vaddr) => arrays.destroy(xa))],
  };
}

function allocExports(mem: GuestAccess, arrays: XArrays): KernelExports {
  /** @linux lib/xarray.c:__xa_alloc full */
  const alloc = (xa: Vaddr, id: Vaddr, value: bigint, min: number, max: number, gfp: number): number => {
    const entry = u64(value);
    if (!mayStore(entry) || (arrays.flags(xa) & XA_FLAGS_TRACK_FREE) === 0) return -EINVAL;
    const index = arrays.findFree(xa, min, max);
    if (index < 0) return -EBUSY;
    const error = arrays.store(xa, 0, index, entry === 0n ? XA_ZERO_ENTRY : entry, gfp);
    if (typeof error === 'number') return error;
    arrays.setFreeMark(xa, 0, index, false);
    writeU32(mem, id, index);
    return 0;
  };
  // struct xa_limit { u32 max, min; } is passed by address.
  const max = (limit: Vaddr) => readUnsigned(mem, limit, 4);
  const min = (limit: Vaddr) => readUnsigned(mem, limit + 4, 4);
  /** @linux lib/xarray.c:__xa_alloc_cyclic full */
  const allocCyclic = (
    xa: Vaddr,
    id: Vaddr,
    entry: bigint,
    limit: Vaddr,
    next: Vaddr,
    gfp: number,
  ): number => {
    const start = Math.max(min(limit), readUnsigned(mem, next, 4));
    let result = alloc(xa, id, entry, start, max(limit), gfp);
    const flags = arrays.flags(xa);
    if (flags & XA_FLAGS_ALLOC_WRAPPED && result === 0) {
      arrays.setFlags(xa, (flags & ~XA_FLAGS_ALLOC_WRAPPED) >>> 0);
      result = 1;
    }
    if (result < 0 && start > min(limit)) {
      result = alloc(xa, id, entry, min(limit), max(limit), gfp);
      if (result === 0) result = 1;
    }
    if (result >= 0) {
      const following = readUnsigned(mem, id, 4) + 1;
      writeU32(mem, next, following);
      if (following > U32_MAX) arrays.setFlags(xa, arrays.flags(xa) | XA_FLAGS_ALLOC_WRAPPED);
    }
    return result;
  };
  return {
    __xa_alloc: [
      'i:ppqpu',
      (xa: Vaddr, id: Vaddr, entry: bigint, limit: Vaddr, gfp: number) =>
        alloc(xa, id, entry, min(limit), max(limit), gfp),
    ],
    __xa_alloc_cyclic: ['i:ppqppu', allocCyclic],
  };
}

function markExports(arrays: XArrays, locks: SpinLockOps): KernelExports {
  const set = (on: boolean) => (xa: Vaddr, index: bigint, mark: number) => {
    if (mark < XA_MAX_MARKS) arrays.setMark(xa, highWord(index), lowWord(index), mark, on);
  };
  return {
    xa_get_mark: [
      'b:pqu',
      (xa: Vaddr, index: bigint, mark: number) =>
        mark < XA_MAX_MARKS && arrays.getMark(xa, highWord(index), lowWord(index), mark),
    ],
    xa_set_mark: ['v:pqu', locked(locks, set(true))],
    xa_clear_mark: ['v:pqu', locked(locks, set(false))],
  };
}

function searchExports(mem: GuestAccess, arrays: XArrays): KernelExports {
  const readIndex = (address: Vaddr): readonly [hi: number, lo: number] => [
    readUnsigned(mem, address + 4, 4),
    readUnsigned(mem, address, 4),
  ];
  const indexOf = ({ hi, lo }: Found) => (BigInt(hi) << 32n) | BigInt(lo);
  /** Finds, and writes where: C's two searches differ in where they begin. */
  const find = (xa: Vaddr, cell: Vaddr, hi: number, lo: number, max: bigint, filter: number): bigint => {
    const found = arrays.findFrom(xa, hi, lo, highWord(max), lowWord(max), filter);
    if (found === undefined) return 0n;
    writeBigInt(mem, cell, indexOf(found), 8);
    return found.entry;
  };
  return {
    xa_find: [
      'q:ppqu',
      (xa: Vaddr, cell: Vaddr, max: bigint, filter: number) =>
        find(xa, cell, ...readIndex(cell), max, filter),
    ],
    xa_find_after: [
      'q:ppqu',
      (xa: Vaddr, cell: Vaddr, max: bigint, filter: number) => {
        const [hi, lo] = readIndex(cell);
        if (lo < U32_MAX) return find(xa, cell, hi, lo + 1, max, filter);
        return hi < U32_MAX ? find(xa, cell, hi + 1, 0, max, filter) : 0n;
      },
    ],
    xa_extract: [
      'u:ppqquu',
      (xa: Vaddr, dst: Vaddr, start: bigint, max: bigint, n: number, filter: number) => {
        let index = u64(start);
        let count = 0;
        while (count < n) {
          const found = arrays.findFrom(
            xa,
            highWord(index),
            lowWord(index),
            highWord(max),
            lowWord(max),
            filter,
          );
          if (found === undefined) break;
          writeBigInt(mem, dst + 8 * count++, found.entry, 8);
          if (indexOf(found) === (1n << 64n) - 1n) break;
          index = indexOf(found) + 1n;
        }
        return count;
      },
    ],
  };
}
