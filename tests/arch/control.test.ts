// SPDX-License-Identifier: MIT
/** Arithmetic and control flow of translated code: what traps, what does not, what ends an endless program. */

import type { BareMachine } from '@pagewalk/kernel/arch/wasm64/testing';
import { TRAP } from '@pagewalk/kernel/arch/wasm64/translate';
import { CALL_DEPTH, REG, SHADOW_STACK } from '@pagewalk/kernel/machine/layout';
import { beforeAll, describe, expect, test } from 'vitest';
import { machineWith } from '../support/clang.js';
import { trapOf } from '../support/traps.js';

const SOURCE = `
typedef unsigned u32; typedef unsigned long u64;
int div_s32(int a, int b) { return a / b; } int rem_s32(int a, int b) { return a % b; }
u32 div_u32(u32 a, u32 b) { return a / b; } u32 rem_u32(u32 a, u32 b) { return a % b; }
void div_s64(long *r, long *a, long *b) { *r = *a / *b; } void rem_s64(long *r, long *a, long *b) { *r = *a % *b; }
void div_u64(u64 *r, u64 *a, u64 *b) { *r = *a / *b; } void rem_u64(u64 *r, u64 *a, u64 *b) { *r = *a % *b; }
int by_minus_one(int a) { int m = -1; __asm__ volatile("" : "+r"(m)); return a / m; }
int by_seven(int a) { return a / 7 + a % 7; }
int f32_i32(float x) { return (int)x; } u32 f32_u32(float x) { return (u32)x; }
int f64_i32(double x) { return (int)x; } u32 f64_u32(double x) { return (u32)x; }
long f32_i64(float x) { return (long)x; } u64 f64_u64(double x) { return (u64)x; } long f64_i64(double x) { return (long)x; }
u64 f32_u64(float x) { return (u64)x; }
void unreachable(void) { __builtin_trap(); }
int kind(int x) {
  switch (x) { case 0: return 10; case 1: return 21; case 2: return 32; case 3: return 43; case 4: return 54;
    case 5: case 6: return 99; case 1000: return 1; default: return -1; }
}
int computed(int x) {
  static void *const labels[] = {&&one, &&two, &&three, &&done};
  int n = 0;
  goto *labels[x & 3];
one: n += 1;
two: n += 10;
three: n += 100;
done: return n;
}
int sparse(unsigned long x) { switch (x) { case 0x100000000UL: return 1; case 0xffffffff00000000UL: return 2; default: return 0; } }
void spin(void) { for (;;) __asm__ volatile(""); }
int goto_spin(int x) { again: if (x) { __asm__ volatile("" : "+r"(x)); goto again; } return x; }
long count(long n) { long s = 0; for (long i = 0; i < n; i++) { s += i; __asm__ volatile("" : "+r"(s)); } return s; }
int even(int n); __attribute__((noinline)) int odd(int n) { return n == 0 ? 0 : even(n - 1); }
__attribute__((noinline)) int even(int n) { return n == 0 ? 1 : odd(n - 1); }
int depth;
int recurse(int n) { volatile char buf[64]; buf[n & 63] = n; depth = n; return recurse(n + 1) + buf[n & 63]; }
int slim(int n) { depth = n; __asm__ volatile(""); int r = slim(n + 1); depth = r; return r + 1; }
int bounded(int n) { return n == 0 ? 0 : 1 + bounded(n - 1) * 1; }
__attribute__((noinline)) int many(long x) {
#define L(n) long a##n = x * (n + 3); __asm__ volatile("" : "+r"(a##n));
#define S(n) a##n ^
  L(0) L(1) L(2) L(3) L(4) L(5) L(6) L(7) L(8) L(9) L(10) L(11) L(12) L(13) L(14) L(15) L(16) L(17) L(18) L(19)
  L(20) L(21) L(22) L(23) L(24) L(25) L(26) L(27) L(28) L(29) L(30) L(31) L(32) L(33) L(34) L(35) L(36) L(37)
  depth = x;
  int below = many(x + 1);
  __asm__ volatile("" ::: "memory");
  return below + (S(0) S(1) S(2) S(3) S(4) S(5) S(6) S(7) S(8) S(9) S(10) S(11) S(12) S(13) S(14) S(15) S(16)
    S(17) S(18) S(19) S(20) S(21) S(22) S(23) S(24) S(25) S(26) S(27) S(28) S(29) S(30) S(31) S(32) S(33) S(34)
    S(35) S(36) a37);
}
long big_frame(long n) { volatile char buffer[60000]; buffer[n] = 1; return buffer[0]; }
__attribute__((noinline)) void touch(volatile char *p) { *p = 1; }
long vla(long n) { volatile char buffer[n]; touch(buffer); buffer[n - 1] = 2; return buffer[0] + buffer[n - 1]; }
`;

let machine: BareMachine;
beforeAll(async () => {
  machine = await machineWith(SOURCE);
});
const trap = (code: number) => ({ kind: 'trap', address: 0, code });

describe('division', () => {
  const MIN = -(2 ** 31);
  test('32 bits', () => {
    const run = (name: string, a: number, b: number) => machine.call(name, 'i:ii', a, b);
    expect([run('div_s32', -7, 2), run('rem_s32', -7, 2), run('div_s32', MIN, 1)]).toEqual([-3, -1, MIN]);
    expect([run('div_u32', -1, 2), run('rem_u32', -1, 10), run('div_u32', MIN, -1)]).toEqual([
      0x7fffffff, 5, 0,
    ]);
    expect(machine.call('by_minus_one', 'i:i', 5)).toBe(-5);
    expect(machine.call('by_seven', 'i:i', 100)).toBe(16);
    for (const name of ['div_s32', 'rem_s32', 'div_u32', 'rem_u32'])
      expect(
        trapOf(() => run(name, 1, 0)),
        name,
      ).toEqual(trap(TRAP.divideError));
    for (const name of ['div_s32', 'rem_s32'])
      expect(
        trapOf(() => run(name, MIN, -1)),
        name,
      ).toEqual(trap(TRAP.divideError));
    expect(trapOf(() => machine.call('by_minus_one', 'i:i', MIN))).toEqual(trap(TRAP.divideError));
  });

  test('64 bits', () => {
    const at = machine.alloc(4096);
    const view = machine.ram.hostView;
    const p = machine.ram.u8.byteOffset + machine.mmu.translate(at);
    const run = (name: string, a: bigint, b: bigint) => {
      view.setBigInt64(p, a, true);
      view.setBigInt64(p + 8, b, true);
      machine.call(name, 'v:ppp', at + 16, at, at + 8);
      return view.getBigInt64(p + 16, true);
    };
    const MIN64 = -(2n ** 63n);
    expect([run('div_s64', -7n, 2n), run('rem_s64', -7n, 2n)]).toEqual([-3n, -1n]);
    expect([run('div_u64', -1n, 2n), run('rem_u64', -1n, 10n)]).toEqual([2n ** 63n - 1n, 5n]);
    expect(run('div_u64', MIN64, -1n)).toBe(0n);
    for (const name of ['div_s64', 'rem_s64', 'div_u64', 'rem_u64'])
      expect(
        trapOf(() => run(name, 1n, 0n)),
        name,
      ).toEqual(trap(TRAP.divideError));
    for (const name of ['div_s64', 'rem_s64'])
      expect(
        trapOf(() => run(name, MIN64, -1n)),
        name,
      ).toEqual(trap(TRAP.divideError));
  });
});

test.each([[], ['-mno-nontrapping-fptoint']])('no conversion from a float traps %s', async (...flags) => {
  const m = flags.length === 0 ? machine : await machineWith(SOURCE, { flags });
  for (const name of ['f64_i32', 'f64_u32', 'f64_i64', 'f64_u64']) {
    const letter = name.at(-2) === '3' ? 'i' : 'l';
    expect(m.call(name, `${letter}:f`, 1e6)).toBe(1e6);
    for (const x of [NaN, Infinity, -Infinity, 1e300, -1e300, 2 ** 31, 2 ** 32, 2 ** 63, 2 ** 64, -0.5])
      expect(
        trapOf(() => m.call(name, `${letter}:f`, x)),
        `${name}(${x})`,
      ).toBeUndefined();
  }
});

test('__builtin_trap is an invalid opcode', () => {
  expect(trapOf(() => machine.call('unreachable', 'v:'))).toEqual(trap(TRAP.invalidOpcode));
});

test('switch, sparse switch and computed goto', () => {
  expect([0, 1, 2, 3, 4, 5, 6, 7, 1000, -1, 2 ** 31 - 1].map((x) => machine.call('kind', 'i:i', x))).toEqual([
    10, 21, 32, 43, 54, 99, 99, -1, 1, -1, -1,
  ]);
  expect([0, 1, 2, 3].map((x) => machine.call('computed', 'i:i', x))).toEqual([111, 110, 100, 0]);
  expect([2 ** 32, -(2 ** 32), 0, 1].map((x) => machine.call('sparse', 'i:l', x))).toEqual([1, 2, 0, 0]);
});

describe('programs that would not end', () => {
  test.each([
    ['an empty loop', 'spin', 'v:', []],
    ['goto', 'goto_spin', 'i:i', [1]],
    ['a long loop', 'count', 'l:l', [2 ** 52]],
  ])('%s', async (_, name, signature, args) => {
    const m = await machineWith(SOURCE, { ticks: 100_000 });
    expect(trapOf(() => m.call(name, signature, ...args))?.kind).toBe('tick');
  });

  test('a loop that ends is not stopped', async () => {
    const m = await machineWith(SOURCE, { ticks: 100_000 });
    expect(m.call('count', 'l:l', 90_000)).toBe((90_000 * 89_999) / 2);
  });
});

describe('the stack', () => {
  const depthOf = (m: BareMachine) => m.ram.i32[m.mmu.translate(m.addressOf('depth')) / 4];

  test('overflows at the same depth every time, and is whole afterwards', async () => {
    const depths = new Set<number>();
    const sp = machine.ram.host32[REG.sp >> 2];
    for (let i = 0; i < 3; i++) {
      expect(trapOf(() => machine.call('recurse', 'i:i', 1))).toEqual(trap(TRAP.stackOverflow));
      depths.add(depthOf(machine));
      expect(machine.ram.host32[REG.sp >> 2]).toBe(sp);
      expect(machine.ram.host32[REG.ssp >> 2]).toBe(SHADOW_STACK);
    }
    const other = await machineWith(SOURCE);
    trapOf(() => other.call('recurse', 'i:i', 1));
    depths.add(depthOf(other));
    expect([...depths]).toEqual([65536 / 64]);
    expect(machine.call('bounded', 'i:i', 500)).toBe(500);
  });

  test('calls that use no C stack are limited too', () => {
    expect(trapOf(() => machine.call('slim', 'i:i', 1))).toEqual(trap(TRAP.stackOverflow));
    expect(depthOf(machine)).toBe(CALL_DEPTH);
  });

  test('functions with many locals count for several', () => {
    expect(trapOf(() => machine.call('many', 'i:l', 1))).toEqual(trap(TRAP.stackOverflow));
    const depth = depthOf(machine);
    expect(depth).toBeLessThan(CALL_DEPTH);
    expect(depth).toBeGreaterThan(CALL_DEPTH / 20);
  });

  test('a frame larger than the stack', () => {
    expect(machine.call('big_frame', 'l:l', 0)).toBe(1);
    expect(machine.call('vla', 'l:l', 1000)).toBe(3);
    for (const n of [65537, 2 ** 31, 2 ** 40])
      expect(
        trapOf(() => machine.call('vla', 'l:l', n)),
        String(n),
      ).toEqual(trap(TRAP.stackOverflow));
  });
});

test.each([[], ['-mtail-call']])('calls in tail position %s', async (...flags) => {
  const m = await machineWith(SOURCE, { flags });
  expect([m.call('even', 'i:i', 1000), m.call('even', 'i:i', 1001)]).toEqual([1, 0]);
  expect(m.ram.host32[REG.ssp >> 2]).toBe(SHADOW_STACK);
});
