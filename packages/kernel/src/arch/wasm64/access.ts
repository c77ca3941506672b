// SPDX-License-Identifier: MIT
/**
 * The code that stands in for a guest's memory address: it turns the 64-bit address on the stack into an offset
 * in RAM.
 *
 *     d = address - PAGE_OFFSET
 *     if d <u direct map size - (size-1)      → d                         the direct map: all of RAM, writable
 *     else e = TLB entry of address >> 12
 *          if address - e.tag <=u 4096 - size → low word of address + e.delta     a mapped page, access within it
 *          else                               → slow path                 walk, fault, or an access across pages
 *
 * The check compares tag and page crossing at once. An empty entry has a tag that no address which selects it can
 * have (see `Mmu.flush`). The way from the address to the data is what a chain of pointers waits for, so it is kept
 * short: it does not go through the tag.
 */

import { PAGE_OFFSET, PAGE_SIZE, RAM_BASE, TLB_ENTRIES, TLB_READ, TLB_WRITE } from '../../machine/layout.js';
import { type Asm, OP } from './assembler.js';
import { I32 } from './object.js';

export interface AccessTarget {
  /** Locals: address and distance (i64), entry (i32). */
  readonly a: number;
  readonly d: number;
  readonly e: number;
  readonly directBytes: number;
}

export interface Access {
  /** Constant to add to the address on the stack. */
  readonly offset: number;
  /** Bytes accessed: 1, 2, 4 or 8. */
  readonly size: number;
  readonly write?: boolean;
  /** The whole address, if it is a constant; then nothing is taken from the stack. */
  readonly address?: number | undefined;
  /** True if `offset` is a symbol of the module, which is never in the direct map. */
  readonly symbolic: boolean;
}

/** What the final load or store adds to the offset in RAM. */
export const ACCESS_BASE = RAM_BASE;

/**
 * Writes the translation of an address: i64 address on the stack (none if constant) → i32 offset in RAM.
 * @param slow writes the slow path: with the address in local `a`, it leaves the offset in RAM on the stack
 */
export function emitAddress(out: Asm, t: AccessTarget, access: Access, slow: () => void): void {
  const { address, size } = access;
  if (address !== undefined && (address & (PAGE_SIZE - 1)) + size <= PAGE_SIZE) {
    emitConstant(out, t, access, address, slow);
    return;
  }
  if (address !== undefined) out.i64(address);
  const offset = address === undefined ? access.offset : 0;
  const direct = !access.symbolic && t.directBytes > 0;
  if (direct) {
    out
      .tee(t.a)
      .i64(offset - PAGE_OFFSET)
      .op(OP.i64_add)
      .tee(t.d);
    out.i64(t.directBytes - size + 1).op(OP.i64_lt_u);
    out.if(I32).get(t.d).op(OP.i32_wrap_i64).else();
    if (offset !== 0) out.get(t.a).i64(offset).op(OP.i64_add).set(t.a);
  } else {
    if (offset !== 0) out.i64(offset).op(OP.i64_add);
    out.set(t.a);
  }
  const tlb = access.write ? TLB_WRITE : TLB_READ;
  emitEntry(out, t.a).set(t.e);
  out.get(t.a).get(t.e).mem(OP.i64_load, tlb);
  out
    .op(OP.i64_sub)
    .i64(PAGE_SIZE - size)
    .op(OP.i64_le_u)
    .if(I32);
  out
    .get(t.a)
    .op(OP.i32_wrap_i64)
    .get(t.e)
    .mem(OP.i32_load, tlb + 8)
    .op(OP.i32_add)
    .else();
  slow();
  out.end();
  if (direct) out.end();
}

/** Leaves the offset, in a TLB, of the entry of the address in local `a`: its page number modulo TLB_ENTRIES, times 16. */
export function emitEntry(out: Asm, a: number): Asm {
  return out
    .get(a)
    .i64(8)
    .op(OP.i64_shr_u, OP.i32_wrap_i64)
    .i32((TLB_ENTRIES - 1) << 4)
    .op(OP.i32_and);
}

/** A constant address selects its TLB entry at translation time. */
function emitConstant(out: Asm, t: AccessTarget, access: Access, address: number, slow: () => void): void {
  const inPage = ((address % PAGE_SIZE) + PAGE_SIZE) % PAGE_SIZE;
  const page = address - inPage;
  const entry = ((page / PAGE_SIZE) & (TLB_ENTRIES - 1)) << 4;
  const tlb = (access.write ? TLB_WRITE : TLB_READ) + entry;
  out.i32(0).mem(OP.i64_load, tlb).i64(page).op(OP.i64_eq);
  out
    .if(I32)
    .i32(0)
    .mem(OP.i32_load, tlb + 8)
    .i32(address)
    .op(OP.i32_add);
  out.else().i64(address).set(t.a);
  slow();
  out.end();
}
