// SPDX-License-Identifier: MIT
/** Numbers for objects (`linux/idr.h`) and bare numbers: XArrays that know which indices are free. */

import type { KernelExports } from '../arch/wasm64/exports.js';
import type { Handle, Vaddr } from '../machine/layout.js';
import type { CallC } from './c_call.js';
import type { Reports } from './env.js';
import { EINVAL, ENOENT, ENOSPC } from './errno.js';
import { type GuestAccess, readUnsigned, writeBigInt, writeU32 } from './guest_access.js';
import { isInternal, XA_PRESENT, XA_ZERO_ENTRY, type XArrays } from './xarray.js';
import { highWord, lowWord } from './xarray_exports.js';

/** Offsets in `struct idr`. */
const IDR_BASE = 16;
const IDR_NEXT = 20;
const INT_MAX = 0x7fffffff;
const U32_MAX = 0xffffffff;
/** What an ida keeps at each number that it has handed out. */
const TAKEN = 1n;
const IDR_RT_MARKER = 1 << 26;

export interface IdrServices {
  readonly mem: GuestAccess;
  readonly arrays: XArrays;
  readonly callC: CallC;
  readonly reports: Reports;
  /** Word that says whether idr_alloc() has warned. */
  readonly warned: Handle;
  /** What preloading does: the caller must not be moved until it has used what was set aside. */
  preemptDisable(): void;
}

export function idrExports(k: IdrServices): KernelExports {
  return { ...allocExports(k), ...lookupExports(k), ...idaExports(k) };
}

const base = (mem: GuestAccess, idr: Vaddr) => readUnsigned(mem, idr + IDR_BASE, 4);
const u64 = (n: bigint) => BigInt.asUintN(64, n);
/** A pointer as an entry: NULL takes its number too. */
const asEntry = (pointer: bigint) => (u64(pointer) === 0n ? XA_ZERO_ENTRY : u64(pointer));
const asPointer = (entry: bigint) => (entry === XA_ZERO_ENTRY ? 0n : entry);

function allocExports({ mem, arrays, preemptDisable, reports, warned }: IdrServices): KernelExports {
  /** A negative start is warned of once. */
  const refuse = (): number => {
    const { i32 } = mem.ram;
    if (i32[warned] === 0) reports.warn('lib/idr.c', 84, 'idr_alloc');
    i32[warned] = 1;
    return -EINVAL;
  };
  /** Takes the first free number from `start` to `max`. @linux lib/idr.c:idr_alloc_u32 full */
  const allocate = (idr: Vaddr, pointer: bigint, start: number, max: number, gfp: number): number => {
    if (isInternal(u64(pointer))) return -EINVAL;
    arrays.setFlags(idr, (arrays.flags(idr) | IDR_RT_MARKER) >>> 0);
    const offset = base(mem, idr);
    const index = arrays.findFree(idr, Math.max(start - offset, 0), max - offset);
    if (index < 0) return -ENOSPC;
    const old = arrays.store(idr, 0, index, asEntry(pointer), gfp);
    if (typeof old === 'number') return old;
    arrays.setFreeMark(idr, 0, index, false);
    return index + offset;
  };
  /** The last number below `end`, which counts as none if it is not positive. */
  const last = (end: number) => (end > 0 ? end - 1 : INT_MAX);
  /** @linux lib/idr.c:idr_alloc_cyclic full */
  const cyclic = (idr: Vaddr, pointer: bigint, start: number, end: number, gfp: number): number => {
    const next = readUnsigned(mem, idr + IDR_NEXT, 4);
    let id = allocate(idr, pointer, Math.max(next, start), last(end), gfp);
    if (id === -ENOSPC && next > start) id = allocate(idr, pointer, start, last(end), gfp);
    if (id >= 0) writeU32(mem, idr + IDR_NEXT, id + 1);
    return id;
  };
  return {
    idr_alloc: [
      'i:pqiiu',
      (idr: Vaddr, pointer: bigint, start: number, end: number, gfp: number) =>
        start < 0 ? refuse() : allocate(idr, pointer, start, last(end), gfp),
    ],
    idr_alloc_cyclic: ['i:pqiiu', cyclic],
    idr_alloc_u32: [
      'i:pqpqu',
      (idr: Vaddr, pointer: bigint, next: Vaddr, max: bigint, gfp: number) => {
        const limit = u64(max) > BigInt(U32_MAX) ? U32_MAX : Number(u64(max));
        const id = allocate(idr, pointer, readUnsigned(mem, next, 4), limit, gfp);
        if (id < 0) return id;
        writeU32(mem, next, id);
        return 0;
      },
    ],
    idr_preload: ['v:u', preemptDisable],
  };
}

function lookupExports({ mem, arrays, callC }: IdrServices): KernelExports {
  /** The index of a number in the array. */
  const indexOf = (idr: Vaddr, id: bigint) => u64(id - BigInt(base(mem, idr)));
  const load = (idr: Vaddr, id: bigint) => {
    const index = indexOf(idr, id);
    return arrays.load(idr, highWord(index), lowWord(index));
  };
  const next = (idr: Vaddr, from: bigint) => {
    const offset = BigInt(base(mem, idr));
    const index = from > offset ? from - offset : 0n;
    const found = arrays.findFrom(idr, highWord(index), lowWord(index), U32_MAX, U32_MAX, XA_PRESENT);
    return found && { id: ((BigInt(found.hi) << 32n) | BigInt(found.lo)) + offset, entry: found.entry };
  };
  return {
    idr_find: ['q:pq', (idr: Vaddr, id: bigint) => asPointer(load(idr, id))],
    idr_remove: [
      'q:pq',
      (idr: Vaddr, id: bigint) => {
        const index = indexOf(idr, id);
        const old = arrays.store(idr, highWord(index), lowWord(index), 0n, 0);
        return typeof old === 'number' ? 0n : asPointer(old);
      },
    ],
    // What was there, or -ENOENT as a pointer.
    idr_replace: [
      'q:pqq',
      (idr: Vaddr, pointer: bigint, id: bigint) => {
        const index = indexOf(idr, id);
        if (isInternal(u64(pointer))) return BigInt(-EINVAL);
        const old = arrays.load(idr, highWord(index), lowWord(index));
        if (old === 0n) return BigInt(-ENOENT);
        arrays.store(idr, highWord(index), lowWord(index), asEntry(pointer), 0);
        return asPointer(old);
      },
    ],
    idr_for_each: [
      'i:ppp',
      (idr: Vaddr, fn: Vaddr, data: Vaddr) => {
        for (let at = next(idr, 0n); at && at.id <= BigInt(INT_MAX); at = next(idr, at.id + 1n)) {
          const result = callC(fn, 'i:ipp', Number(at.id), Number(BigInt.asIntN(64, at.entry)), data);
          if (result !== 0) return result;
        }
        return 0;
      },
    ],
    idr_get_next: [
      'q:pp',
      (idr: Vaddr, cell: Vaddr) => {
        const found = next(idr, BigInt(readUnsigned(mem, cell, 4)));
        if (!found || found.id > BigInt(INT_MAX)) return 0n;
        writeU32(mem, cell, Number(found.id));
        return found.entry;
      },
    ],
    idr_get_next_ul: [
      'q:pp',
      (idr: Vaddr, cell: Vaddr) => {
        const from = (BigInt(readUnsigned(mem, cell + 4, 4)) << 32n) | BigInt(readUnsigned(mem, cell, 4));
        const found = next(idr, from);
        if (!found) return 0n;
        writeBigInt(mem, cell, found.id, 8);
        return found.entry;
      },
    ],
    idr_destroy: ['v:p', (idr: Vaddr) => arrays.destroy(idr)],
  };
}

function idaExports({ arrays, reports }: IdrServices): KernelExports {
  return {
    // One entry a number, where Linux keeps bitmaps.
    ida_alloc_range: [
      'i:puuu',
      (ida: Vaddr, min: number, max: number, gfp: number) => {
        if (min > INT_MAX) return -ENOSPC;
        const id = arrays.findFree(ida, min, Math.min(max, INT_MAX));
        if (id < 0) return -ENOSPC;
        const old = arrays.store(ida, 0, id, TAKEN, gfp);
        if (typeof old === 'number') return old;
        arrays.setFreeMark(ida, 0, id, false);
        return id;
      },
    ],
    ida_free: [
      'v:pu',
      (ida: Vaddr, id: number) => {
        if (id > INT_MAX) return;
        if (arrays.load(ida, 0, id) === 0n)
          reports.warn('lib/idr.c', 525, 'ida_free', `ida_free called for id=${id} which is not allocated.`);
        else arrays.store(ida, 0, id, 0n, 0);
      },
    ],
    ida_destroy: ['v:p', (ida: Vaddr) => arrays.destroy(ida)],
  };
}
