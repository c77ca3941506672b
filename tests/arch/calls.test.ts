// SPDX-License-Identifier: MIT
/** Calls between C functions, and between C and TypeScript: types that agree, and types that do not. */

import { BareMachine } from '@pagewalk/kernel/arch/wasm64/testing';
import { beforeAll, describe, expect, test } from 'vitest';
import { compile64, machineWith } from '../support/clang.js';
import { trapOf } from '../support/traps.js';

const SOURCE = `
typedef unsigned long u64; typedef __builtin_va_list va_list;
static int square(int x) { return x * x; } static int cube(int x) { return x * x * x; }
int (*functions[])(int) = {square, cube, 0};
struct ops { int (*run)(int); const char *name; };
static const struct ops ops[2] = {{cube, "cube"}, {square, "square"}};
int indirect(int i, int x) { return functions[i](x); }
int through_struct(int i, int x) { return ops[i].run(x); }
void install(int i, int (*f)(int)) { functions[i] = f; }
void *address(int i) { return functions[i]; }

int two(int a, int b) { return a * 10 + b; } long wide(long x) { return x + 1; } void nothing(void) {}
int narrow(int x) { return x; } double real(double x) { return x / 2; } int zero(void) { return 5; }
long extra(void *f) { return ((long (*)(int, int, int))f)(1, 2, 3); }
int fewer(void *f) { return ((int (*)(int))f)(7); }
int widened(void *f, int x) { return ((int (*)(int))f)(x); }
long narrowed(void *f, long x) { return ((long (*)(long))f)(x); }
void ignored(void *f) { ((void (*)(int, int))f)(1, 2); }
int made_up(void *f) { return ((int (*)(void))f)(); }
double as_real(void *f, double x) { return ((double (*)(double))f)(x); }

static long sum(int n, va_list ap) { long s = 0; while (n--) s += __builtin_va_arg(ap, long); return s; }
long total(int n, ...) { va_list ap; __builtin_va_start(ap, n); long s = sum(n, ap); __builtin_va_end(ap); return s; }
double mixed(int n, ...) {
  va_list ap; __builtin_va_start(ap, n);
  int a = __builtin_va_arg(ap, int); double b = __builtin_va_arg(ap, double);
  char *c = __builtin_va_arg(ap, char *); u64 d = __builtin_va_arg(ap, u64); int e = __builtin_va_arg(ap, int);
  return a + b + c[1] + d + e;
}
long vararg(void) { return total(4, 1L, -2L, 3L, 1L << 40); }
double varmix(void) { return mixed(5, 7, 0.5, "abc", 1UL << 40, -3); }

struct big { long a, b, c; char d; }; struct small { int x; };
__attribute__((noinline)) struct big make(long a, struct small s) { return (struct big){a, a * 2, s.x, 'z'}; }
__attribute__((noinline)) long take(struct big b, struct small s) { b.a++; return b.a + b.b + b.c + b.d + s.x; }
long by_value(void) { struct small s = {4}; struct big b = make(100, s); long t = take(b, s); return t + b.a; }

__attribute__((weak)) int maybe(int); __attribute__((weak)) extern int maybe_data;
int call_maybe(int x) { return maybe ? maybe(x) : -1; }
int call_anyway(int x) { return maybe(x); }
void *maybe_address(void) { return &maybe_data; }
__attribute__((weak)) int fallback(int x) { return x + 1000; }
int call_fallback(int x) { return fallback(x); }

volatile int order[4], n;
__attribute__((constructor(200))) static void late(void) { order[n++] = 200; }
__attribute__((constructor(101))) static void early(void) { order[n++] = 101; }
__attribute__((constructor)) static void normal(void) { order[n++] = 65535; }
int constructed(int i) { return order[i]; }
`;

let machine: BareMachine;
beforeAll(async () => {
  machine = await machineWith(SOURCE);
});

describe('indirect calls', () => {
  test('through data, constant data, and pointers that the kernel hands in', () => {
    expect(machine.call('indirect', 'i:ii', 0, 5)).toBe(25);
    expect(machine.call('indirect', 'i:ii', 1, 5)).toBe(125);
    expect(machine.call('through_struct', 'i:ii', 0, 3)).toBe(27);
    machine.call('install', 'v:ip', 2, machine.addressOf('narrow'));
    expect(machine.call('indirect', 'i:ii', 2, 77)).toBe(77);
    expect(machine.call('address', 'p:i', 0)).toBe(machine.addressOf('square'));
  });

  const adapted = (caller: string, signature: string, callee: string, ...args: number[]) =>
    machine.call(caller, signature, machine.addressOf(callee), ...args);

  test.each([
    ['arguments too many are dropped', 'extra', 'l:p', 'two', [], 12],
    ['all arguments are dropped', 'extra', 'l:p', 'zero', [], 5],
    ['arguments too few are zero', 'fewer', 'i:p', 'two', [], 70],
    ['integers are widened', 'widened', 'i:pi', 'wide', [-5], -4],
    ['integers are narrowed', 'narrowed', 'l:pl', 'narrow', [2 ** 32 + 9], 9],
    ['a result is widened with its sign', 'narrowed', 'l:pl', 'narrow', [-1], -1],
    ['a result is ignored', 'ignored', 'v:p', 'two', [], 0],
    ['a result is made up', 'made_up', 'i:p', 'nothing', [], 0],
    ['floats that agree', 'as_real', 'f:pf', 'real', [5], 2.5],
  ] as const)('%s', (_, caller, signature, callee, args, expected) => {
    expect(adapted(caller, signature, callee, ...args)).toBe(expected);
  });

  test('integer for float is refused', () => {
    const at = machine.addressOf('real');
    expect(trapOf(() => adapted('narrowed', 'l:pl', 'real', 1))).toEqual({
      kind: 'fetch',
      address: at,
      code: -2,
    });
    expect(trapOf(() => adapted('as_real', 'f:pf', 'wide', 1))?.code).toBe(-2);
  });
});

test('varargs', () => {
  expect(machine.call('vararg', 'l:')).toBe(2 + 2 ** 40);
  expect(machine.call('varmix', 'f:')).toBe(7 + 0.5 + 98 + 2 ** 40 - 3);
});

test('structs by value', () => {
  expect(machine.call('by_value', 'l:')).toBe(101 + 200 + 4 + 122 + 4 + 100);
});

describe('weak symbols', () => {
  test('that nobody defines are NULL, and calling one is a jump there', () => {
    expect(machine.call('call_maybe', 'i:i', 1)).toBe(-1);
    expect(machine.call('maybe_address', 'p:')).toBe(0);
    expect(trapOf(() => machine.call('call_anyway', 'i:i', 1))).toMatchObject({
      kind: 'missing',
      address: 0,
    });
  });

  test('that somebody defines are that', async () => {
    const m = new BareMachine();
    m.export({ maybe: ['i:i', (x: number) => x + 1] });
    m.load(await compile64(SOURCE));
    expect(m.call('call_maybe', 'i:i', 41)).toBe(42);
    expect(m.call('call_fallback', 'i:i', 1)).toBe(1001);
  });
});

test('constructors, by priority', () => {
  expect(machine.constructors).toEqual(['early', 'late', 'normal']);
  for (const name of machine.constructors) machine.call(name, 'v:');
  expect([0, 1, 2].map((i) => machine.call('constructed', 'i:i', i))).toEqual([101, 200, 65535]);
});

describe('functions of the kernel', () => {
  const CALLER = `
typedef unsigned long u64; typedef unsigned u32;
extern int k_int(int); extern u32 k_unsigned(u32); extern _Bool k_bool(_Bool, int); extern void *k_pointer(void *);
extern long k_long(long); extern u64 k_size(u64); extern u64 k_quad(u64); extern int k_print(const char *, ...);
extern double k_double(double); extern void k_void(void *, int, u64);
int t_int(int x) { return k_int(x); } u32 t_unsigned(u32 x) { return k_unsigned(x); }
int t_bool(int x) { return k_bool(x & 1, x); } void *t_pointer(void *p) { return k_pointer(p); }
long t_long(long x) { return k_long(x); } u64 t_size(u64 x) { return k_size(x); }
void t_quad(u64 *r, u64 *x) { *r = k_quad(*x); } int t_print(int x) { return k_print("format", x, 1L << 40, (char)3); }
double t_double(double x) { return k_double(x); } void t_void(void *p) { k_void(p, -1, ~0UL); }
int t_pointer_to(int x) { int (*volatile f)(int) = k_int; return f(x); }
`;
  test('every letter of a signature', async () => {
    const m = new BareMachine();
    const seen: unknown[] = [];
    const note = (...args: unknown[]) => {
      seen.push(args.length === 1 ? args[0] : args);
      return args[0];
    };
    m.export({
      k_int: ['i:i', note],
      k_unsigned: ['u:u', note],
      k_bool: ['b:bi', note],
      k_pointer: ['p:p', note],
      k_long: ['l:l', note],
      k_size: ['z:z', note],
      k_quad: ['q:q', note],
      k_print: ['i:p…', (_format, args) => m.ram.s64((m.mmu.translate(args + 8) as number) / 4) / 2 ** 20],
      k_double: ['f:f', note],
      k_void: ['v:piz', note],
    });
    m.load(await compile64(CALLER));
    expect(m.call('t_int', 'i:i', -5)).toBe(-5);
    expect(m.call('t_unsigned', 'i:i', -5)).toBe(-5);
    expect(m.call('t_bool', 'i:i', 3)).toBe(1);
    expect(m.call('t_pointer', 'p:p', -(2 ** 46) + 1)).toBe(-(2 ** 46) + 1);
    expect(m.call('t_long', 'l:l', -(2 ** 53) + 1)).toBe(-(2 ** 53) + 1);
    expect(m.call('t_size', 'l:l', -4096)).toBe(-4096);
    expect(m.call('t_double', 'f:f', 1.25)).toBe(1.25);
    expect(m.call('t_print', 'i:i', 9)).toBe(2 ** 20);
    expect(m.call('t_pointer_to', 'i:i', 12)).toBe(12);
    const at = m.alloc(16);
    const p = m.mmu.translate(at) / 4;
    m.ram.i32.set([-1, 0x7fffffff], p);
    m.call('t_quad', 'v:pp', at + 8, at);
    expect([...m.ram.i32.subarray(p + 2, p + 4)]).toEqual([-1, 0x7fffffff]);
    m.call('t_void', 'v:p', at);
    expect(seen).toEqual([
      -5,
      2 ** 32 - 5,
      [true, 3],
      -(2 ** 46) + 1,
      -(2 ** 53) + 1,
      2 ** 64 - 4096,
      1.25,
      12,
      0x7fffffffffffffffn,
      [at, -1, 2 ** 64 - 1],
    ]);
  });

  test('declared with another type: adapted, or a call of it is a jump into nothing', async () => {
    const m = new BareMachine();
    m.export({ k_int: ['i:i', (x: number) => x + 1], k_double: ['f:f', (x: number) => x] });
    m.load(
      await compile64(`
extern long k_int(long, int); extern long k_double(long);
long adapted(long x) { return k_int(x, 3); } long refused(long x) { return k_double(x); }`),
    );
    expect(m.call('adapted', 'l:l', 41)).toBe(42);
    expect(trapOf(() => m.call('refused', 'l:l', 1))).toMatchObject({
      kind: 'missing',
      address: m.addressOf('k_double'),
    });
  });
});
