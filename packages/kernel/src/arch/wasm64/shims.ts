// SPDX-License-Identifier: MIT
/**
 * Between C and TypeScript: functions of the kernel as C calls them, and C functions as the kernel calls them.
 *
 * A call from wasm to JavaScript costs 13 ns with i32 arguments and 51 ns with i64 (as BigInt), so a generated shim
 * splits each i64 into two i32; results come back as f64. Where caller and callee disagree about a function's type,
 * the shim does what the looser rules of the x86-64 C ABI would have done: it drops or zero-fills arguments, widens
 * or narrows integers, ignores a result or makes one up.
 */

import { Asm, type ModuleBuilder, OP } from './assembler.js';
import type { KernelFunction } from './exports.js';
import { F32, F64, type FunctionType, I32, I64 } from './object.js';

const TWO32 = 4294967296;
const WASM_TYPE: Record<string, number> = {
  i: I32,
  u: I32,
  b: I32,
  p: I64,
  l: I64,
  z: I64,
  q: I64,
  '…': I64,
  f: F64,
};

export interface Signature {
  /** Result letter. */
  readonly result: string;
  /** Parameter letters, `…` for a variadic tail. */
  readonly parameters: readonly string[];
  readonly type: FunctionType;
}

const signatures = new Map<string, Signature>();

/** Parses a signature string of `exports.ts`. */
export function parseSignature(text: string): Signature {
  let signature = signatures.get(text);
  if (!signature) {
    const [result, rest] = text.split(':');
    const parameters = [...rest];
    const params = parameters.map((letter) => WASM_TYPE[letter]);
    if (params.includes(undefined as unknown as number)) throw new Error(`signature ${text}: unknown letter`);
    const type = { params, results: result === 'v' ? [] : [WASM_TYPE[result]] };
    signature = { result, parameters, type };
    signatures.set(text, signature);
  }
  return signature;
}

export const sameType = (a: FunctionType, b: FunctionType): boolean =>
  `${a.params}>${a.results}` === `${b.params}>${b.results}`;

/** True if a call through type `from` of a function of type `to` can be adapted: integers only, or equal floats. */
export function adaptable(from: FunctionType, to: FunctionType): boolean {
  const integer = (t: number) => t === I32 || t === I64;
  const fits = (a: number | undefined, b: number | undefined) =>
    a === undefined || b === undefined || a === b || (integer(a) && integer(b));
  return to.params.every((t, i) => fits(from.params[i], t)) && fits(to.results[0], from.results[0]);
}

function convert(out: Asm, from: number, to: number): void {
  if (from === to) return;
  if (from === I32 && to === I64) out.op(OP.i64_extend_i32_s);
  else if (from === I64 && to === I32) out.op(OP.i32_wrap_i64);
  else if (from === F32 && to === F64) out.op(OP.f64_promote_f32);
  else if (from === F64 && to === F32) out.op(OP.f32_demote_f64);
  else throw new Error('types that cannot be adapted');
}

function zero(out: Asm, type: number): void {
  if (type === I32) out.i32(0);
  else if (type === I64) out.i64(0);
  else if (type === F32) out.u8(0x43, 0, 0, 0, 0);
  else out.u8(0x44, 0, 0, 0, 0, 0, 0, 0, 0);
}

/** The result of a call, as `from` leaves it on the stack, as `to` wants it. */
function convertResult(out: Asm, from: number | undefined, to: number | undefined): void {
  if (from === to) return;
  if (from === undefined) zero(out, to!);
  else if (to === undefined) out.op(OP.drop);
  else convert(out, from, to);
}

/** Pushes argument `i` of a caller of type `from`, converted to `want`. */
function pushArgument(out: Asm, from: FunctionType, i: number, want: number): void {
  const have = from.params[i];
  if (have === undefined) zero(out, want);
  else convert(out.get(i), have, want);
}

/** Body of a function of type `from` that calls function `callee` of type `to`. */
export function adaptorCode(from: FunctionType, to: FunctionType, callee: number): Asm {
  const out = new Asm();
  to.params.forEach((want, i) => {
    pushArgument(out, from, i, want);
  });
  out.call(callee);
  convertResult(out, to.results[0], from.results[0]);
  return out;
}

/** Type of the JavaScript import behind a kernel function: each i64 as two i32, an i64 result as f64. */
export function loweredType(signature: Signature): FunctionType {
  const params = signature.type.params.flatMap((t) => (t === I64 ? [I32, I32] : [t]));
  const [result] = signature.type.results;
  return {
    params,
    results: result === undefined ? [] : [result === I64 && signature.result !== 'q' ? F64 : result],
  };
}

/** Body of a function of type `from` that calls the lowered kernel function `callee`. */
export function kernelShimCode(from: FunctionType, signature: Signature, callee: number): Asm {
  const out = new Asm();
  signature.type.params.forEach((want, i) => {
    pushArgument(out, from, i, want);
    if (want !== I64) return;
    out.op(OP.i32_wrap_i64);
    pushArgument(out, from, i, I64);
    out.i64(32).op(OP.i64_shr_u, OP.i32_wrap_i64);
  });
  out.call(callee);
  let [result]: (number | undefined)[] = [...signature.type.results];
  if (result === I64 && signature.result !== 'q') out.u8(0xfc, 6); // i64.trunc_sat_f64_s
  if (from.results.length === 0 && result !== undefined) {
    out.op(OP.drop);
    result = undefined;
  }
  convertResult(out, result, from.results[0]);
  return out;
}

type Lowered = (...words: number[]) => unknown;
const signed = (lo: number, hi: number) => hi * TWO32 + (lo >>> 0);
const unsigned = (lo: number, hi: number) => (hi >>> 0) * TWO32 + (lo >>> 0);
const wide = (lo: number, hi: number) => (BigInt(hi) << 32n) | BigInt(lo >>> 0);

/** The JavaScript function of `loweredType(signature)` that calls a kernel function. */
export function lower(signature: Signature, fn: KernelFunction): Lowered {
  return lowerResult(signature.result, lowerParameters(signature.parameters, fn));
}

function lowerResult(letter: string, fn: Lowered): Lowered {
  if (letter === 'z')
    return (...words) => {
      const r = fn(...words) as number;
      return r >= 2 ** 63 ? r - 2 ** 64 : r;
    };
  if (letter === 'q') return (...words) => BigInt.asIntN(64, fn(...words) as bigint);
  return fn; // the engine's own conversion does for the rest: undefined and booleans become numbers
}

type Argument = number | bigint | boolean;

/** What makes a parameter of a letter out of its word, or its two words. */
function raiseParameter(letter: string): (lo: number, hi: number) => Argument {
  if (WASM_TYPE[letter] === I64) return letter === 'q' ? wide : letter === 'z' ? unsigned : signed;
  return letter === 'u' ? (lo) => lo >>> 0 : letter === 'b' ? (lo) => lo !== 0 : (lo) => lo;
}

/** A number as the 64-bit integer that wasm makes of it. */
function truncated(x: unknown): number {
  if (Number.isSafeInteger(x)) return (x as number) + 0;
  const n = Math.trunc(Number(x));
  return Number.isNaN(n) ? 0 : Math.max(-(2 ** 63), Math.min(n, 2 ** 63));
}

/** What becomes of arguments and results by their letter, on the way through a trampoline and a shim. */
const PASSED: { readonly [letter: string]: (x: unknown) => Argument } = {
  i: (x) => Number(x) | 0,
  u: (x) => Number(x) >>> 0,
  b: (x) => (Number(x) | 0) !== 0,
  p: truncated,
  l: truncated,
  z: (x) => (truncated(x) < 0 ? truncated(x) + 2 ** 64 : truncated(x)),
};
const RETURNED: { readonly [letter: string]: (x: unknown) => number } = {
  v: () => 0,
  i: (x) => Number(x) | 0,
  u: (x) => Number(x) | 0,
  b: (x) => Number(x) | 0,
  p: truncated,
  l: truncated,
  z: (x) => truncated((x as number) >= 2 ** 63 ? (x as number) - 2 ** 64 : x),
};

/**
 * Calls a kernel function as a trampoline and its shim would; undefined if it takes or gives what is no integer, or
 * any number of arguments.
 */
export function directCall(
  { result, parameters }: Signature,
  fn: KernelFunction,
): ((index: number, ...args: (number | bigint)[]) => number) | undefined {
  const passed = parameters.map((letter) => PASSED[letter]);
  const returned = RETURNED[result];
  if (returned === undefined || passed.includes(undefined as never)) return undefined;
  return (_index, ...args) => returned(fn(...passed.map((pass, i) => pass(args[i]))));
}

/** The common shapes have code of their own, so that a hot call allocates nothing. */
function lowerParameters(letters: readonly string[], fn: KernelFunction): Lowered {
  const shape = letters
    .map((l) => (WASM_TYPE[l] === I64 && l !== 'q' ? 'w' : l === 'i' ? 'i' : '?'))
    .join('');
  const d = letters.map((l) => (l === 'z' ? unsigned : signed));
  const [d0, d1, d2] = d;
  switch (shape) {
    case '':
      return () => fn();
    case 'i':
      return (a) => fn(a);
    case 'w':
      return (a, b) => fn(d0(a, b));
    case 'wi':
      return (a, b, c) => fn(d0(a, b), c);
    case 'ww':
      return (a, b, c, e) => fn(d0(a, b), d1(c, e));
    case 'www':
      return (a, b, c, e, f, g) => fn(d0(a, b), d1(c, e), d2(f, g));
  }
  if (letters.join('') === 'zu' || letters.join('') === 'pu') return (a, b, c) => fn(d0(a, b), c >>> 0);
  const raise = letters.map(raiseParameter);
  const isWide = letters.map((letter) => WASM_TYPE[letter] === I64);
  return (...words) => {
    const args: Argument[] = [];
    for (let i = 0, at = 0; i < raise.length; i++) {
      args.push(raise[i](words[at], words[at + 1]));
      at += isWide[i] ? 2 : 1;
    }
    return fn(...args);
  };
}

/**
 * Adds a function through which the kernel calls C functions of one signature: `call(index, …arguments)`, where
 * index is the host table's, and 64-bit arguments and results are f64.
 */
export function addTrampoline(m: ModuleBuilder, name: string, signature: Signature): void {
  const { type } = signature;
  const asNumber = (t: number) => (t === I64 ? F64 : t);
  const out = new Asm();
  type.params.forEach((t, i) => {
    out.get(i + 1);
    if (t === I64) out.u8(0xfc, 6);
  });
  out.get(0).callIndirect(m.type(type));
  const [result] = type.results;
  if (result === I64) out.op(OP.f64_convert_i64_s);
  m.func(
    name,
    { params: [I32, ...type.params.map(asNumber)], results: result === undefined ? [] : [asNumber(result)] },
    [],
    out,
  );
}
