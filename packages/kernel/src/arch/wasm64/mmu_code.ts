// SPDX-License-Identifier: MIT
/** Writes the MMU's WebAssembly module: the page walk, the slow paths of loads and stores, memmove and memset. */

import { PAGE_OFFSET, PAGE_SIZE, RAM_BASE, REG, TLB_READ, TLB_WRITE } from '../../machine/layout.js';
import { emitEntry } from './access.js';
import { Asm, ModuleBuilder, OP, VOID } from './assembler.js';
import { type FunctionType, I32, I64 } from './object.js';

/** x86 page-fault error code bits. */
export const PF_PROT = 1;
export const PF_WRITE = 2;
export const PF_USER = 4;
export const PF_RSVD = 8;
export const PF_INSTR = 16;
/** Not a page fault: the address is not canonical (#GP). */
export const WALK_NONCANONICAL = 0x100;
/** Not a page fault: a page-table entry leads outside of RAM (a machine check). */
export const WALK_BUS_ERROR = 0x200;
/** Sign bit of a walk's result: failed; the rest is the code. */
export const WALK_FAILED = 0x80000000 | 0;

const PTE_PRESENT = 1;
const PTE_RW = 2;
const PTE_USER = 4;
const PTE_ACCESSED = 0x20;
const PTE_DIRTY = 0x40;
const PTE_PSE = 0x80;
const FRAME_MASK = 0x000ffffffffff000;

const f = (params: number[], results: number[]): FunctionType => ({ params, results });

/**
 * @param ramSize bytes of RAM; page tables that lead further are a bus error
 * @param directBytes bytes of the direct map that are mapped for certain, and so need no walk
 */
export function buildMmuModule(ramSize: number, directBytes: number): Uint8Array {
  const m = new ModuleBuilder();
  const fault = m.import('kernel', 'fault', f([I32, I32, I32, I32, I32], []));
  const fetch = m.import('kernel', 'fetch', f([I32, I32, I32, I32], [I32]));
  const walk = m.func('', f([I64, I32], [I32]), [I32, I32, I64, I64, I64], walkCode(ramSize));
  m.func('walk', f([I32, I32, I32], [I32]), [], halvesCode(0, 1).get(2).call(walk));
  const translate = m.func('', f([I64, I32, I32, I32], [I32]), [I32], translateCode(walk, fault));
  const walkers = { walk, translate };
  m.func('readSlow', f([I64, I32, I32], [I32]), [I32, I32, I32, I64], readSlowCode(walkers, ramSize));
  m.func('writeSlow', f([I64, I64, I32, I32], [I32]), [I32, I32, I32, I64], writeSlowCode(walkers, ramSize));
  m.func('fetchSlow', f([I64, I32, I32], [I32]), [], splitCode(0).get(1).get(2).call(fetch));
  m.func(
    'memmove',
    f([I64, I64, I64, I32], [I64]),
    [I64, I64, I64, I64, I32, I32],
    memmoveCode(walkers, directBytes),
  );
  m.func('memset', f([I64, I32, I64, I32], [I64]), [I64, I64], memsetCode(translate, directBytes));
  return m.build();
}

/** i64 from two i32 locals. */
const halvesCode = (lo: number, hi: number) =>
  new Asm()
    .get(hi)
    .op(OP.i64_extend_i32_s)
    .i64(32)
    .op(OP.i64_shl)
    .get(lo)
    .op(OP.i64_extend_i32_u)
    .op(OP.i64_or);

/** An i64 local as two i32 on the stack: low, high. */
const splitCode = (local: number, out = new Asm()) =>
  out.get(local).op(OP.i32_wrap_i64).get(local).i64(32).op(OP.i64_shr_u, OP.i32_wrap_i64);

/** walk(a, access) → physical address or WALK_FAILED | code. */
function walkCode(ramSize: number): Asm {
  const [a, access, table, entryAt, entry, all, any] = [0, 1, 2, 3, 4, 5, 6];
  const user = (out: Asm) => out.i32(0).mem(OP.i32_load, REG.user);
  const fail = (out: Asm, code: number) => {
    out
      .get(access)
      .i32(WALK_FAILED | code)
      .op(OP.i32_or);
    user(out).i32(2).op(OP.i32_shl, OP.i32_or).return();
  };
  const out = new Asm();
  out.get(a).i64(16).op(OP.i64_shl).i64(16).op(OP.i64_shr_s).get(a).op(OP.i64_ne);
  out
    .if()
    .i32(WALK_FAILED | WALK_NONCANONICAL)
    .return()
    .end();
  out.i32(0).mem(OP.i32_load, REG.cr3).set(table).i64(-1).set(all);
  out.block(); // leaf found
  for (const shift of [39, 30, 21, 12]) {
    out.get(table).get(a).i64(shift).op(OP.i64_shr_u).i64(511).op(OP.i64_and, OP.i32_wrap_i64);
    out.i32(3).op(OP.i32_shl, OP.i32_add).tee(entryAt).mem(OP.i64_load, RAM_BASE).tee(entry);
    out.i64(PTE_PRESENT).op(OP.i64_and, OP.i64_eqz).if();
    fail(out, 0);
    out.end();
    out.get(entry).get(all).op(OP.i64_and).set(all).get(entry).get(any).op(OP.i64_or).set(any);
    if (shift === 12) break;
    // Whatever an entry leads to must be in RAM, or host memory beyond it could be named.
    out.get(entry).i64(FRAME_MASK).op(OP.i64_and).i64(ramSize).op(OP.i64_ge_u);
    out
      .if()
      .i32(WALK_FAILED | WALK_BUS_ERROR)
      .return()
      .end();
    if (shift < 39) {
      out.get(entry).i64(PTE_PSE).op(OP.i64_and, OP.i64_eqz).if();
      out.else();
      // A large page: make the entry look like the 4 KiB entry of this page.
      out
        .get(entry)
        .i64(-(2 ** shift))
        .i64(FRAME_MASK)
        .op(OP.i64_and, OP.i64_and);
      out
        .get(a)
        .i64(2 ** shift - PAGE_SIZE)
        .op(OP.i64_and, OP.i64_or)
        .op(OP.i32_wrap_i64)
        .tee(table);
      // RAM may end within the large page.
      out
        .i32(ramSize)
        .op(OP.i32_ge_u)
        .if()
        .i32(WALK_FAILED | WALK_BUS_ERROR)
        .return()
        .end();
      out.br(1).end();
    }
    out.get(entry).i64(FRAME_MASK).op(OP.i64_and, OP.i32_wrap_i64).set(table);
  }
  out.get(entry).i64(FRAME_MASK).op(OP.i64_and).i64(ramSize).op(OP.i64_ge_u);
  out
    .if()
    .i32(WALK_FAILED | WALK_BUS_ERROR)
    .return()
    .end();
  out.get(entry).i64(FRAME_MASK).op(OP.i64_and, OP.i32_wrap_i64).set(table);
  out.end();
  permissionCode(out, { access, all, any, user, fail });
  out.get(entryAt).get(entry).i64(PTE_ACCESSED).op(OP.i64_or);
  out.get(access).i32(PF_WRITE).op(OP.i32_and).i32(5).op(OP.i32_shl, OP.i64_extend_i32_u, OP.i64_or);
  out.mem(OP.i64_store, RAM_BASE); // PF_WRITE << 5 is PTE_DIRTY
  return out
    .get(table)
    .get(a)
    .i64(PAGE_SIZE - 1)
    .op(OP.i64_and, OP.i32_wrap_i64, OP.i32_or);
}
if (PF_WRITE << 5 !== PTE_DIRTY) throw new Error('the dirty bit is computed from PF_WRITE');

interface PermissionLocals {
  access: number;
  all: number;
  any: number;
  user(out: Asm): Asm;
  fail(out: Asm, code: number): void;
}

/** Write to a read-only page (CR0.WP), fetch of an NX page, SMAP and SMEP, supervisor page from user code. */
function permissionCode(out: Asm, { access, all, any, user, fail }: PermissionLocals): void {
  out
    .get(access)
    .i32(1)
    .op(OP.i32_shr_u)
    .i32(1)
    .op(OP.i32_and)
    .get(all)
    .i64(PTE_RW)
    .op(OP.i64_and, OP.i64_eqz, OP.i32_and);
  // A page is the user's if every level says so; the kernel must not touch it, user code nothing else.
  user(out).get(all).i64(2).op(OP.i64_shr_u, OP.i32_wrap_i64).i32(1).op(OP.i32_and, OP.i32_ne, OP.i32_or);
  out
    .get(access)
    .i32(4)
    .op(OP.i32_shr_u)
    .get(any)
    .i64(63)
    .op(OP.i64_shr_u, OP.i32_wrap_i64, OP.i32_and, OP.i32_or);
  out.if();
  fail(out, PF_PROT);
  out.end();
}
if (PF_WRITE !== 1 << 1) throw new Error('the write bit is tested by a shift of 1');
if (PTE_USER !== 1 << 2) throw new Error('the user bit is tested by a shift of 2');

/** translate(a, access, size, pc) → physical address; calls the fault handler until the walk succeeds. */
function translateCode(walk: number, fault: number): Asm {
  const [a, access, size, pc, p] = [0, 1, 2, 3, 4];
  const out = new Asm().loop(I32).get(a).get(access).call(walk).tee(p).i32(0).op(0x48 /* lt_s */).if();
  splitCode(a, out).get(size).get(p).i32(~WALK_FAILED).op(OP.i32_and).get(pc).call(fault);
  return out.br(1).end().get(p).end();
}

/** Fills the TLB entry of the address in `a`, whose physical address is in `p`. */
function fillCode(out: Asm, a: number, p: number, scratch: number, tlb: number): Asm {
  emitEntry(out, a).tee(scratch).get(a).i64(-PAGE_SIZE).op(OP.i64_and).mem(OP.i64_store, tlb);
  return out
    .get(scratch)
    .get(p)
    .get(a)
    .op(OP.i32_wrap_i64, OP.i32_sub)
    .mem(OP.i32_store, tlb + 8);
}

/** Number of bytes from the address in `a` to the end of its page: i32. */
const toPageEnd = (out: Asm, a: number) =>
  out
    .i32(PAGE_SIZE)
    .get(a)
    .op(OP.i32_wrap_i64)
    .i32(PAGE_SIZE - 1)
    .op(OP.i32_and, OP.i32_sub);

/** Address of the page after that of the address in `a`. */
const nextPage = (out: Asm, a: number) =>
  out
    .get(a)
    .i64(PAGE_SIZE - 1)
    .op(OP.i64_or)
    .i64(1)
    .op(OP.i64_add);

interface Walkers {
  readonly walk: number;
  readonly translate: number;
}

/** One of two pages: locals for the address and for the physical address, and the access. */
interface Side {
  readonly at: number;
  readonly p: number;
  readonly access: number;
}

/**
 * Sets `p` of two addresses, of which the first faults first. A fault on the second may take the first page away, so
 * the first is walked again.
 */
function bothPages(
  out: Asm,
  { walk, translate }: Walkers,
  { pc, size }: { pc: number; size: () => Asm },
  sides: [Side, Side],
): void {
  out.loop();
  for (const { at, p, access } of sides) {
    out.get(at).i32(access);
    size().get(pc).call(translate).set(p);
  }
  const [{ at, p, access }] = sides;
  out.get(at).i32(access).call(walk).get(p).op(OP.i32_ne).brIf(0).end();
}

/** readSlow(a, size, pc) → offset in RAM of the data, or of a copy of it. */
function readSlowCode(walkers: Walkers, ramSize: number): Asm {
  const [a, size, pc, p, p2, first, next] = [0, 1, 2, 3, 4, 5, 6];
  const { translate } = walkers;
  const out = new Asm().get(a).i32(0).get(size).get(pc).call(translate).set(p);
  toPageEnd(out, a).tee(first).get(size).op(OP.i32_ge_u).if();
  fillCode(out, a, p, p2, TLB_READ).get(p).return().end();
  nextPage(out, a).set(next);
  bothPages(out, walkers, { pc, size: () => out.get(size) }, [
    { at: a, p, access: 0 },
    { at: next, p: p2, access: 0 },
  ]);
  const bounce = RAM_BASE + ramSize;
  out.i32(bounce).get(p).i32(RAM_BASE).op(OP.i32_add).get(first).memoryCopy();
  out.i32(bounce).get(first).op(OP.i32_add).get(p2).i32(RAM_BASE).op(OP.i32_add);
  return out.get(size).get(first).op(OP.i32_sub).memoryCopy().i32(ramSize);
}

/** writeSlow(a, value, size, pc) → offset in RAM where the store may go. */
function writeSlowCode(walkers: Walkers, ramSize: number): Asm {
  const [a, value, size, pc, p, p2, first, next] = [0, 1, 2, 3, 4, 5, 6, 7];
  const { translate } = walkers;
  const out = new Asm().get(a).i32(PF_WRITE).get(size).get(pc).call(translate).set(p);
  toPageEnd(out, a).tee(first).get(size).op(OP.i32_ge_u).if();
  fillCode(out, a, p, p2, TLB_WRITE).get(p).return().end();
  nextPage(out, a).set(next);
  bothPages(out, walkers, { pc, size: () => out.get(size) }, [
    { at: a, p, access: PF_WRITE },
    { at: next, p: p2, access: PF_WRITE },
  ]);
  const bounce = RAM_BASE + ramSize;
  out.i32(bounce).get(value).mem(OP.i64_store, 0);
  out.get(p).i32(RAM_BASE).op(OP.i32_add).i32(bounce).get(first).memoryCopy();
  out.get(p2).i32(RAM_BASE).op(OP.i32_add).i32(bounce).get(first).op(OP.i32_add);
  return out
    .get(size)
    .get(first)
    .op(OP.i32_sub)
    .memoryCopy()
    .i32(ramSize + 16);
}

/** Leaves 1 if [local, local + n) lies in the direct map. `n` must be at most directBytes. */
const inDirectMap = (out: Asm, local: number, n: number, directBytes: number) =>
  out.get(local).i64(-PAGE_OFFSET).op(OP.i64_add).i64(directBytes).get(n).op(OP.i64_sub, OP.i64_le_u);

const hostAddress = (out: Asm, local: number) =>
  out
    .get(local)
    .i64(RAM_BASE - PAGE_OFFSET)
    .op(OP.i64_add, OP.i32_wrap_i64);

/** Sets `chunk` to the smaller of itself and the bytes from the address in `a` to the end of its page. */
const clampChunk = (out: Asm, chunk: number, a: number) => {
  toPageEnd(out, a).op(OP.i64_extend_i32_u).get(chunk);
  toPageEnd(out, a).op(OP.i64_extend_i32_u).get(chunk).op(OP.i64_lt_u, OP.select).set(chunk);
};

/** memmove(d, s, n, pc) → d. Page by page, upwards, or downwards if d lies within [s, s + n). */
function memmoveCode(walkers: Walkers, directBytes: number): Asm {
  const [d, s, n, pc, chunk, to, from, left, p, p2] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];
  const out = new Asm();
  out.get(n).i64(directBytes).op(OP.i64_le_u).if();
  inDirectMap(out, d, n, directBytes);
  inDirectMap(out, s, n, directBytes).op(OP.i32_and).if();
  hostAddress(out, d);
  hostAddress(out, s).get(n).op(OP.i32_wrap_i64).memoryCopy().get(d).return();
  out.end().end();
  const copyChunk = () => {
    bothPages(out, walkers, { pc, size: () => out.i32(1) }, [
      { at: from, p, access: 0 },
      { at: to, p: p2, access: PF_WRITE },
    ]);
    out.get(p2).i32(RAM_BASE).op(OP.i32_add).get(p).i32(RAM_BASE).op(OP.i32_add);
    out.get(chunk).op(OP.i32_wrap_i64).memoryCopy();
  };
  out.get(n).set(left);
  out.get(d).get(s).op(OP.i64_sub).get(n).op(OP.i64_ge_u).if(VOID);
  out.get(d).set(to).get(s).set(from);
  out.block().loop().get(left).op(OP.i64_eqz).brIf(1).get(left).set(chunk);
  clampChunk(out, chunk, to);
  clampChunk(out, chunk, from);
  copyChunk();
  out.get(to).get(chunk).op(OP.i64_add).set(to).get(from).get(chunk).op(OP.i64_add).set(from);
  out.get(left).get(chunk).op(OP.i64_sub).set(left).br(0).end().end();
  out.else();
  // Downwards: a chunk ends where the rest ends, and begins at a page border of either, or at the start.
  out.block().loop().get(left).op(OP.i64_eqz).brIf(1).get(left).set(chunk);
  for (const base of [d, s]) {
    // bytes of the last page that the rest reaches into: ((base + left - 1) & 4095) + 1
    const inLastPage = () =>
      out
        .get(base)
        .get(left)
        .op(OP.i64_add)
        .i64(-1)
        .op(OP.i64_add)
        .i64(PAGE_SIZE - 1)
        .op(OP.i64_and)
        .i64(1)
        .op(OP.i64_add);
    inLastPage().get(chunk);
    inLastPage().get(chunk).op(OP.i64_lt_u, OP.select).set(chunk);
  }
  out.get(left).get(chunk).op(OP.i64_sub).set(left);
  out.get(d).get(left).op(OP.i64_add).set(to).get(s).get(left).op(OP.i64_add).set(from);
  copyChunk();
  out.br(0).end().end();
  return out.end().get(d);
}

/** memset(d, value, n, pc) → d. */
function memsetCode(translate: number, directBytes: number): Asm {
  const [d, value, n, pc, chunk, to] = [0, 1, 2, 3, 4, 5];
  const out = new Asm();
  out.get(n).i64(directBytes).op(OP.i64_le_u).if();
  inDirectMap(out, d, n, directBytes).if();
  hostAddress(out, d).get(value).get(n).op(OP.i32_wrap_i64).memoryFill().get(d).return();
  out.end().end().get(d).set(to);
  out.block().loop().get(n).op(OP.i64_eqz).brIf(1).get(n).set(chunk);
  clampChunk(out, chunk, to);
  out.get(to).i32(PF_WRITE).i32(1).get(pc).call(translate).i32(RAM_BASE).op(OP.i32_add);
  out.get(value).get(chunk).op(OP.i32_wrap_i64).memoryFill();
  out.get(to).get(chunk).op(OP.i64_add).set(to).get(n).get(chunk).op(OP.i64_sub).set(n);
  return out.br(0).end().end().get(d);
}
