// SPDX-License-Identifier: MIT
/** Reference counts that do not wrap: what the inline functions of `linux/refcount.h` call when a count goes wrong. */

import type { KernelExports } from '../arch/wasm64/exports.js';
import type { Handle, Vaddr } from '../machine/layout.js';
import type { Ram } from '../machine/ram.js';
import type { Reports } from './env.js';
import { type GuestAccess, readUnsigned, writeU32 } from './guest_access.js';

const REFCOUNT_SATURATED = -0x40000000;

/** By enum refcount_saturation_type: the line of lib/refcount.c that warns, and what it says. */
const WARNINGS: readonly (readonly [line: number, text: string])[] = [
  [19, 'saturated; leaking memory'],
  [22, 'saturated; leaking memory'],
  [25, 'addition on 0; use-after-free'],
  [28, 'underflow; use-after-free'],
  [31, 'decrement hit 0; leaking memory'],
];
const UNKNOWN = [34, 'unknown saturation event!?'] as const;

/**
 * @param warned a word that remembers which warnings were given: each comes once
 * @param takeLock what spin_lock() does
 */
export function refcountExports(
  mem: GuestAccess & { readonly ram: Ram },
  reports: Reports,
  warned: Handle,
  takeLock: (lock: Vaddr) => void,
): KernelExports {
  const read = (count: Vaddr) => readUnsigned(mem, count, 4) | 0;
  const { u32 } = mem.ram;
  /** Lowers a count that is neither 1 nor saturated. @linux lib/refcount.c:refcount_dec_not_one full */
  const decNotOne = (count: Vaddr): boolean => {
    const value = read(count);
    if (value === REFCOUNT_SATURATED) return true;
    if (value === 1) return false;
    if (value !== 0) {
      writeU32(mem, count, value - 1);
      return true;
    }
    const bit = 1 << (WARNINGS.length + 1);
    if ((u32[warned] & bit) === 0)
      reports.warn('lib/refcount.c', 86, 'refcount_dec_not_one', 'refcount_t: underflow; use-after-free.');
    u32[warned] |= bit;
    return true;
  };
  return {
    refcount_warn_saturate: [
      'v:pi',
      (count: Vaddr, type: number) => {
        writeU32(mem, count, REFCOUNT_SATURATED);
        const [line, text] = WARNINGS[type] ?? UNKNOWN;
        const bit = 1 << Math.min(type >>> 0, WARNINGS.length);
        if (u32[warned] & bit) return;
        u32[warned] |= bit;
        reports.warn('lib/refcount.c', line, 'refcount_warn_saturate', `refcount_t: ${text}.`);
      },
    ],
    refcount_dec_if_one: [
      'b:p',
      (count: Vaddr) => {
        if (read(count) !== 1) return false;
        writeU32(mem, count, 0);
        return true;
      },
    ],
    refcount_dec_not_one: ['b:p', decNotOne],
    refcount_dec_and_lock: [
      'b:pp',
      (count: Vaddr, lock: Vaddr) => {
        if (decNotOne(count)) return false;
        takeLock(lock);
        writeU32(mem, count, 0);
        return true;
      },
    ],
  };
}
