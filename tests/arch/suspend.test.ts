// SPDX-License-Identifier: MIT
/**
 * Functions that can be suspended in a call: C whose calls of `yield` suspend never, always, or now and then gives
 * the same results and calls the same functions in the same order.
 */

import { BareMachine } from '@pagewalk/kernel/arch/wasm64/testing';
import { PAGE_OFFSET, RAM_BASE, REG, SUSPEND } from '@pagewalk/kernel/machine/layout';
import { describe, expect, it, test } from 'vitest';
import { generateYielding } from '../fuzz/generate_yielding.js';
import { compile64 } from '../support/clang.js';
import { trapOf } from '../support/traps.js';

const FRAMES_BYTES = 65536;
const CALLS_MAX = 100_000;
/** When the n-th call of yield suspends. */
const PATTERNS: Record<string, (n: number) => boolean> = {
  never: () => false,
  always: () => true,
  'every third': (n) => n % 3 === 1,
  'in twos': (n) => n % 4 < 2,
};

interface Run {
  readonly result: number;
  /** How often it was suspended. */
  readonly suspended: number;
  /** Arguments of all calls of note and yield that came to an end. */
  readonly calls: readonly number[];
}

class Suspending {
  readonly machine: BareMachine;
  private readonly area: number;
  private count = 0;
  private calls: number[] = [];

  constructor(object: Uint8Array, suspends: (n: number) => boolean) {
    this.machine = new BareMachine({ suspends: ['yield', 'yield64'] });
    const { host32 } = this.machine.ram;
    const yields = (x: number) => {
      const rewinding = host32[REG.suspend >> 2] === SUSPEND.rewinding;
      if (!rewinding && suspends(this.count++)) {
        host32[REG.suspend >> 2] = SUSPEND.unwinding;
        return -999;
      }
      host32[REG.suspend >> 2] = SUSPEND.none;
      this.calls.push(x);
      if (this.calls.length > CALLS_MAX) throw new Error('the program does not end');
      return (((x * 7 + 3) % 11) + 11) % 11;
    };
    this.machine.export({
      yield: ['i:i', yields],
      yield64: ['l:l', (x: number) => yields(x % 1000) * 4294967296 + 5],
      note: ['v:i', (x: number) => void this.calls.push(x)],
    });
    this.machine.load(object);
    this.area = RAM_BASE + (this.machine.alloc(FRAMES_BYTES) - PAGE_OFFSET);
    host32[REG.frames >> 2] = this.area;
    host32[REG.framesEnd >> 2] = this.area + FRAMES_BYTES;
  }

  run(name: string, signature: string, ...args: number[]): Run {
    const { ram } = this.machine;
    const { host32, hostView } = ram;
    this.count = 0;
    this.calls = [];
    const ssp = host32[REG.ssp >> 2];
    const sp = hostView.getBigInt64(REG.sp, true);
    let result = this.machine.call(name, signature, ...args);
    let suspended = 0;
    for (; host32[REG.suspend >> 2] === SUSPEND.unwinding; suspended++) {
      expect(host32[REG.frames >> 2]).toBeGreaterThan(this.area);
      expect(host32[REG.ssp >> 2]).toBe(ssp);
      host32[REG.suspend >> 2] = SUSPEND.rewinding;
      result = this.machine.call(name, signature, ...args);
    }
    expect(host32[REG.frames >> 2]).toBe(this.area);
    expect(host32[REG.ssp >> 2]).toBe(ssp);
    expect(hostView.getBigInt64(REG.sp, true)).toBe(sp);
    return { result, suspended, calls: this.calls };
  }
}

const SOURCE = `
extern int yield(int x); extern long yield64(long x); extern void note(int);
typedef long L;
#define noinline __attribute__((noinline))
static noinline int inner(int a, L b) {
  int s = 0;
  for (int i = 0; i < a; i++) { if (i & 1) s += yield(i) * 2; else s -= i; if (s > 1000) return s; }
  return s + (int)b;
}
int simple(int x) { return yield(x) + 1; }
int nested(int n) {
  int t = 0;
  for (int j = 0; j < n; j++)
    switch (j % 3) {
    case 0: t += inner(j, j * 2L); break;
    case 1: note(j); t += yield(t) + yield(j); break;
    default: t ^= j;
    }
  return t;
}
static int cb1(int x) { return yield(x) + x; }
static int cb2(int x) { return x * x; }
static int cb3(int x) { return x > 3 ? yield(x - 3) : cb1(x); }
static int (*const fns[])(int) = { cb1, cb2, cb3 };
int indirect(int n) { int s = 0; for (int i = 0; i < n; i++) s = s * 3 + fns[i % 3](i); return s; }
double floats(double a, int n) {
  float f = 0.5f;
  for (int i = 0; i < n; i++) { a = a * 1.5 + (yield(i) ? 0.25 : 0.5); f = f * 2 + yield(i + 1); }
  return a + f;
}
int recursion(int n) {
  char buf[40];
  for (int i = 0; i < 40; i++) buf[i] = n + i;
  if (n == 0) return yield(buf[3]);
  int r = recursion(n - 1) + yield(n);
  return r + buf[n % 40];
}
L args(int a, L b, int c, L d) { L x = b + yield(a); return x * d + (c ? yield(c) : yield(a + 1)); }
L longs(L a, int n) { L s = a; for (int i = 0; i < n; i++) s += yield64(s & 255) >> (i & 3); return s % 1000003; }
int ternary(int a) { return (a > 3 ? yield(a) : a) + (a < 10 ? a : yield(a + 1)) * yield(a + 2); }
int loops(int a) {
  int s = 0, fuel = 40;
  while (yield(a) > 5 || yield(a + 1) < 3) {
    s += a--;
    do { s ^= yield(s & 7) + 1; } while (s & 4 && fuel-- > 0);
    if (s > 100 || fuel-- < 0) goto out;
  }
out:
  return s;
}
int table(int n) {
  int s = 0;
  for (int i = 0; i < n; i++) {
    switch (yield(i)) {
    case 0: s += 1; break;
    case 1: s += yield(s & 15);
    case 2: s ^= 5; continue;
    case 3: s += inner(3, i); break;
    case 4: case 5: { int k = 3; while (k--) s += yield(k); break; }
    case 9: return s * 2;
    default: s -= 1;
    }
    s <<= 1;
    s &= 0xffff;
  }
  return s;
}
static noinline void nothing(int *p) { *p += yield(*p & 7); }
int addresses(int n) { int x = n, y = 1; for (int i = 0; i < 4; i++) { nothing(&x); y += x; nothing(&y); } return x * 31 + y; }
int gotos(int n) {
  int s = 0, i = 0;
again:
  if (i & 1) { s += yield(i); if (s & 2) goto middle; }
  s += 3;
middle:
  note(s);
  if (++i < n) goto again;
  return s;
}
int calls_in_arguments(int a) { return inner(yield(a), yield(a + 1)) - inner(yield(inner(2, yield(a))), 4); }
static noinline int plain(int x) { for (int i = 0; i < 100; i++) x = x * 5 + i; return x & 1023; }
int beside(int n) { int s = 0; for (int i = 0; i < n; i++) s += plain(s) + yield(i); return s; }
`;

const range = (n: number) => Array.from({ length: n }, (_, i) => i);
const CASES: readonly (readonly [name: string, signature: string, inputs: readonly (readonly number[])[]])[] =
  [
    ['simple', 'i:i', range(12).map((i) => [i])],
    ['nested', 'i:i', range(14).map((i) => [i])],
    ['indirect', 'i:i', range(10).map((i) => [i])],
    ['floats', 'f:fi', range(8).map((i) => [i + 0.5, i])],
    ['recursion', 'i:i', range(12).map((i) => [i])],
    ['args', 'l:ilil', range(8).map((i) => [i, i * 3 - 7, i & 1, 2 ** 33 + i])],
    ['longs', 'l:li', range(8).map((i) => [i * 1000, i])],
    ['ternary', 'i:i', range(16).map((i) => [i])],
    ['loops', 'i:i', range(16).map((i) => [i])],
    ['table', 'i:i', range(24).map((i) => [i])],
    ['addresses', 'i:i', range(9).map((i) => [i])],
    ['gotos', 'i:i', range(12).map((i) => [i])],
    ['calls_in_arguments', 'i:i', range(10).map((i) => [i])],
    ['beside', 'i:i', range(8).map((i) => [i])],
  ];

describe.each(['-O0', '-O1', '-O2', '-Os'])('C compiled with %s', (optimization) => {
  it.each(Object.keys(PATTERNS))('gives the same, suspended %s', async (pattern) => {
    const object = await compile64(SOURCE, [optimization]);
    const plain = new Suspending(object, PATTERNS['never']);
    const suspending = new Suspending(object, PATTERNS[pattern]);
    for (const [name, signature, inputs] of CASES)
      for (const args of inputs) {
        const expected = plain.run(name, signature, ...args);
        const actual = suspending.run(name, signature, ...args);
        const what = `${name}(${args.join(', ')})`;
        expect(actual.result, what).toBe(expected.result);
        expect(actual.calls, what).toEqual(expected.calls);
        if (pattern === 'always') {
          const yields = actual.suspended;
          expect(yields, what).toBeGreaterThanOrEqual(0);
          expect(name !== 'simple' || yields === 1, what).toBe(true);
        }
      }
  });
});

describe('a frame that does not fit', () => {
  it('is a stack overflow, not a write past the area', async () => {
    const s = new Suspending(await compile64(SOURCE), PATTERNS['always']);
    const { host32 } = s.machine.ram;
    host32[REG.framesEnd >> 2] = host32[REG.frames >> 2] + 200;
    expect(trapOf(() => s.machine.call('recursion', 'i:i', 40))?.kind).toBe('trap');
  });
});

const [first, count] = (process.env['PAGEWALK_FUZZ_SUSPEND'] ?? '1,12').split(',').map(Number);

test(`${count} random programs from seed ${first}`, { timeout: 600_000 }, async () => {
  for (let seed = first; seed < first + count; seed++) {
    const optimization = ['-O0', '-O1', '-O2', '-Os', '-O3'][seed % 5];
    const object = await compile64(generateYielding(seed), [optimization, '-fwrapv', '-g0']);
    const plain = new Suspending(object, PATTERNS['never']);
    const others = Object.values(PATTERNS).map((pattern) => new Suspending(object, pattern));
    for (const input of [0, 1, 77, 123456, -1]) {
      const expected = plain.run('run', 'i:i', input);
      for (const other of others) {
        const actual = other.run('run', 'i:i', input);
        expect({ seed, input, ...actual, suspended: 0 }).toEqual({ seed, input, ...expected });
      }
    }
  }
});
