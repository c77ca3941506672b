// SPDX-License-Identifier: MIT
/**
 * The functions that clang calls for 128-bit integers: `__multi3`, `__divti3` and kin, as generated code at addresses
 * in kernel text.
 *
 * A 128-bit value is two i64 parameters, low half first. A 128-bit result goes to memory, at the address that comes
 * as the first parameter (the wasm64 C ABI for values that fit no single result), and so through the MMU.
 */

import type { Vaddr } from '../../machine/layout.js';
import type { Ram } from '../../machine/ram.js';
import { ACCESS_BASE, type AccessTarget, emitAddress } from './access.js';
import { Asm, ModuleBuilder, OP } from './assembler.js';
import type { Functions, GuestFunction } from './functions.js';
import type { Mmu } from './mmu.js';
import { type FunctionType, I32, I64 } from './object.js';

const BINARY: FunctionType = { params: [I64, I64, I64, I64, I64], results: [] };
const SHIFT: FunctionType = { params: [I64, I64, I64, I32], results: [] };

/** Writes the body of one function. Its result is left in locals LO and HI. */
type Body = (out: Asm, divideError: () => void) => void;

/** Parameters of BINARY: where the result goes, a, b. Of SHIFT: where it goes, a, the count. */
const [RESULT, A, A_HI, B, B_HI] = [0, 1, 2, 3, 4];
const COUNT = 3;
/** Locals after the five parameters (SHIFT has one fewer, and an unused local in its place). */
const [LO, HI, REST, REST_HI, SIGN, ADDRESS, DISTANCE] = [5, 6, 7, 8, 9, 10, 11];
const [ENTRY, STEPS] = [12, 13];
const I64_MUL = 0x7e;
const I64_DIV_U = 0x80;
const I64_REM_U = 0x82;

const FUNCTIONS: { readonly [name: string]: { type: FunctionType; body: Body } } = {
  __multi3: { type: BINARY, body: multiply },
  __divti3: { type: BINARY, body: (out, error) => divide(out, error, { signed: true, remainder: false }) },
  __udivti3: { type: BINARY, body: (out, error) => divide(out, error, { signed: false, remainder: false }) },
  __modti3: { type: BINARY, body: (out, error) => divide(out, error, { signed: true, remainder: true }) },
  __umodti3: { type: BINARY, body: (out, error) => divide(out, error, { signed: false, remainder: true }) },
  __ashlti3: { type: SHIFT, body: shiftLeft },
  __lshrti3: { type: SHIFT, body: (out) => shiftRight(out, OP.i64_shr_u) },
  __ashrti3: { type: SHIFT, body: (out) => shiftRight(out, OP.i64_shr_s) },
};

/** Symbols that `compilerRuntime` defines. */
export const COMPILER_RT: readonly string[] = Object.keys(FUNCTIONS);

/**
 * @param addressOf address in kernel text of each name in COMPILER_RT
 * @param divideError reports a division by zero at a kernel text address (its low 32 bits); does not return
 */
export function compilerRuntime(
  mmu: Mmu,
  ram: Ram,
  functions: Functions,
  addressOf: (name: string) => Vaddr,
  divideError: (pc: number) => void,
): GuestFunction[] {
  const m = new ModuleBuilder();
  const writeSlow = m.import('mmu', 'writeSlow', { params: [I64, I64, I32, I32], results: [I32] });
  const error = m.import('kernel', 'divideError', { params: [I32], results: [] });
  const target: AccessTarget = { a: ADDRESS, d: DISTANCE, e: ENTRY, directBytes: mmu.directBytes };
  for (const name of COMPILER_RT) {
    const { type, body } = FUNCTIONS[name];
    const pc = addressOf(name) + 0x10;
    const out = new Asm();
    body(out, () => out.i32(pc).call(error).op(OP.unreachable));
    storeHalf(out, target, { value: LO, offset: 0, pc, writeSlow });
    storeHalf(out, target, { value: HI, offset: 8, pc, writeSlow });
    const spare = 5 - type.params.length;
    m.func(name, type, [...Array(spare + 7).fill(I64), I32, I32], out);
  }
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(m.build()), {
    env: { memory: ram.memory, table: functions.table },
    mmu: mmu.code as unknown as Record<string, unknown>,
    kernel: { divideError },
  });
  return COMPILER_RT.map((name) => ({
    name,
    address: addressOf(name),
    type: FUNCTIONS[name].type,
    body: { kind: 'wasm', fn: exports[name] },
  }));
}

/** Stores one half of the result at the address in RESULT. */
function storeHalf(
  out: Asm,
  target: AccessTarget,
  { value, offset, pc, writeSlow }: { value: number; offset: number; pc: number; writeSlow: number },
): void {
  out.get(RESULT);
  emitAddress(out, target, { offset, size: 8, write: true, symbolic: false }, () => {
    out.get(target.a).get(value).i32(8).i32(pc).call(writeSlow);
  });
  out.get(value).mem(OP.i64_store, ACCESS_BASE);
}

/** a·b modulo 2^128: the low halves by 32-bit parts, and what the high halves add to the upper word. */
function multiply(out: Asm): void {
  const low32 = (local: number) => out.get(local).i64(0xffffffff).op(OP.i64_and);
  const high32 = (local: number) => out.get(local).i64(32).op(OP.i64_shr_u);
  // rest = lo(a)·lo(b); carry goes upwards through the two middle products
  low32(A);
  low32(B).op(I64_MUL).set(REST);
  high32(A);
  low32(B).op(I64_MUL);
  high32(REST).op(OP.i64_add).set(REST_HI);
  low32(A);
  high32(B).op(I64_MUL);
  low32(REST_HI).op(OP.i64_add).set(SIGN);
  out.get(SIGN).i64(32).op(OP.i64_shl);
  low32(REST).op(OP.i64_or).set(LO);
  high32(A);
  high32(B).op(I64_MUL);
  high32(REST_HI).op(OP.i64_add);
  high32(SIGN).op(OP.i64_add);
  out.get(A).get(B_HI).op(I64_MUL, OP.i64_add);
  out.get(A_HI).get(B).op(I64_MUL, OP.i64_add).set(HI);
}

/** Replaces a 128-bit value by its negative. */
function negate(out: Asm, lo: number, hi: number): void {
  out.i64(0).get(hi).op(OP.i64_sub).get(lo).i64(0).op(OP.i64_ne, OP.i64_extend_i32_u, OP.i64_sub);
  out.set(hi).i64(0).get(lo).op(OP.i64_sub).set(lo);
}

const negateIfNegative = (out: Asm, lo: number, hi: number) => {
  out.get(hi).i64(0).op(OP.i64_lt_s).if();
  negate(out, lo, hi);
  out.end();
};

/** Quotient or remainder, rounded towards zero. */
function divide(
  out: Asm,
  divideError: () => void,
  { signed, remainder }: { signed: boolean; remainder: boolean },
): void {
  out.get(B).get(B_HI).op(OP.i64_or, OP.i64_eqz).if();
  divideError();
  out.end();
  if (signed) {
    // A remainder has the dividend's sign.
    out.get(A_HI);
    if (!remainder) out.get(B_HI).op(OP.i64_xor);
    out.set(SIGN);
    negateIfNegative(out, A, A_HI);
    negateIfNegative(out, B, B_HI);
  }
  out.get(A_HI).get(B_HI).op(OP.i64_or, OP.i64_eqz).if();
  out.get(A).get(B).op(I64_DIV_U).set(LO).get(A).get(B).op(I64_REM_U).set(REST);
  out.else();
  longDivision(out);
  out.end();
  if (remainder) out.get(REST).set(LO).get(REST_HI).set(HI);
  if (!signed) return;
  out.get(SIGN).i64(0).op(OP.i64_lt_s).if();
  negate(out, LO, HI);
  out.end();
}

/** Bit by bit: rest:quotient moves left, the dividend's bits entering the rest and the quotient's replacing them. */
function longDivision(out: Asm): void {
  const shiftIn = (to: number, from: number) =>
    out.get(to).i64(1).op(OP.i64_shl).get(from).i64(63).op(OP.i64_shr_u, OP.i64_or).set(to);
  out.get(A).set(LO).get(A_HI).set(HI).i32(128).set(STEPS);
  out.loop();
  // The bit that leaves the rest counts too: then the rest is above any divisor.
  out.get(REST_HI).i64(63).op(OP.i64_shr_u, OP.i32_wrap_i64).set(ENTRY);
  shiftIn(REST_HI, REST);
  shiftIn(REST, HI);
  shiftIn(HI, LO);
  out.get(LO).i64(1).op(OP.i64_shl).set(LO);
  out.get(ENTRY).get(REST_HI).get(B_HI).op(OP.i64_gt_u, OP.i32_or);
  out.get(REST_HI).get(B_HI).op(OP.i64_eq).get(REST).get(B).op(OP.i64_ge_u, OP.i32_and, OP.i32_or);
  out.if();
  out.get(REST_HI).get(B_HI).op(OP.i64_sub).get(REST).get(B).op(OP.i64_lt_u, OP.i64_extend_i32_u);
  out.op(OP.i64_sub).set(REST_HI).get(REST).get(B).op(OP.i64_sub).set(REST);
  out.get(LO).i64(1).op(OP.i64_or).set(LO).end();
  out.get(STEPS).i32(1).op(OP.i32_sub).tee(STEPS).brIf(0).end();
}

/** The shift count as i64; counts of 128 and more are undefined in C. */
const count = (out: Asm) => out.get(COUNT).op(OP.i64_extend_i32_u);

/** What crosses from one half to the other: `half` shifted the other way by 64 - count, in two steps as count may be 0. */
function crossing(out: Asm, half: number, opcode: number): void {
  out.get(half).i64(1).op(opcode).i64(63);
  count(out).op(OP.i64_sub, opcode);
}

function shiftLeft(out: Asm): void {
  out.get(COUNT).i32(64).op(OP.i32_and).if();
  count(out.get(A)).op(OP.i64_shl).set(HI).i64(0).set(LO);
  out.else();
  count(out.get(A)).op(OP.i64_shl).set(LO);
  count(out.get(A_HI)).op(OP.i64_shl);
  crossing(out, A, OP.i64_shr_u);
  out.op(OP.i64_or).set(HI).end();
}

function shiftRight(out: Asm, opcode: number): void {
  out.get(COUNT).i32(64).op(OP.i32_and).if();
  count(out.get(A_HI)).op(opcode).set(LO);
  if (opcode === OP.i64_shr_s) out.get(A_HI).i64(63).op(OP.i64_shr_s).set(HI);
  else out.i64(0).set(HI);
  out.else();
  count(out.get(A_HI)).op(opcode).set(HI);
  count(out.get(A)).op(OP.i64_shr_u);
  crossing(out, A_HI, OP.i64_shl);
  out.op(OP.i64_or).set(LO).end();
}
