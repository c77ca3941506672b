// SPDX-License-Identifier: MIT
/** Objects that no compiler wrote: whatever the bytes, the answer is a FormatError or the engine's CompileError. */

import { FormatError } from '@pagewalk/kernel/arch/wasm64/binary';
import { parseObject } from '@pagewalk/kernel/arch/wasm64/object';
import { translate } from '@pagewalk/kernel/arch/wasm64/translate';
import { layoutImage, relocateSegment, resolveSymbols } from '@pagewalk/kernel/kernel/module/image';
import { MODULES_VADDR } from '@pagewalk/kernel/machine/layout';
import { beforeAll, describe, expect, test } from 'vitest';
import { compile64 } from '../support/clang.js';

const SOURCE = `
typedef unsigned long u64;
extern int printk(const char *, ...); __attribute__((weak)) extern int maybe(int); extern u64 jiffies;
volatile int constructed; __attribute__((constructor)) static void start(void) { constructed = 1; }
static int square(int x) { return x * x; } int cube(int x) { return x * x * x; }
int (*table[])(int) = {square, cube}; static const char *names[] = {"square", "cube"};
int divide(int a, int b) { return a / b; }
double half(double x, float y) { return x / 2 + y; }
int run(int i, int x) {
  switch (x & 7) { case 0: return 1; case 1: return 20; case 2: return 300; case 3: return 4; case 4: return 5; }
  printk("%s %lu", names[i], jiffies);
  return maybe ? maybe(x) : table[i](x);
}
long sum(long *p, int n) { long s = 0; char buffer[100]; __builtin_memcpy(buffer, p, 100);
  for (int i = 0; i < n; i++) s += p[i] + ((volatile char *)buffer)[i]; return s; }
`;

/** All that the loader does with an object before it runs, but for memory. */
function load(file: Uint8Array): void {
  const object = parseObject(file);
  const layout = layoutImage(object);
  const { addresses } = resolveSymbols(
    object,
    layout,
    { core: MODULES_VADDR, init: 0, percpu: 0 },
    () => MODULES_VADDR + 64,
  );
  for (const { segment } of layout.segments) relocateSegment(segment, addresses);
  const { bytes } = translate(object, {
    functionAddress: (i) => MODULES_VADDR + layout.functions[i].offset,
    directBytes: 2 ** 24,
    symbolAddress: (i) => addresses[i],
    signatureId: () => 1,
  });
  new WebAssembly.Module(bytes);
}

/** Loads a damaged object: true if it was refused, in good time and with an error that is meant for the user. */
function refused(file: Uint8Array, what: string): boolean {
  const start = performance.now();
  try {
    load(file);
    return false;
  } catch (error) {
    if (!(error instanceof FormatError) && !(error instanceof WebAssembly.CompileError))
      throw new Error(`${what}: ${(error as Error).stack}`);
    expect((error as Error).message).not.toMatch(/NaN|undefined/);
    return true;
  } finally {
    expect(performance.now() - start, what).toBeLessThan(2000);
  }
}

/** A small seeded generator (Marsaglia's xorshift). */
function random(seed: number): (below: number) => number {
  let x = seed;
  return (below) => {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    return (x >>> 0) % below;
  };
}

describe.each([
  { flavour: 'plain', flags: ['-g0'] },
  { flavour: 'bulk memory and tail calls', flags: ['-g0', '-mbulk-memory', '-mtail-call'] },
])('$flavour', ({ flags }) => {
  let object: Uint8Array;
  beforeAll(async () => {
    object = await compile64(SOURCE, flags);
  });

  test('whole, it loads', () => {
    load(object);
  });

  test('truncated at every byte', () => {
    let accepted = 0;
    for (let n = 0; n < object.length; n++)
      if (!refused(object.subarray(0, n), `first ${n} bytes`)) accepted++;
    // Only what comes after the last relocations (producers, target features) may be missing.
    expect(accepted).toBeLessThan(6);
  });

  test('one byte changed: every byte, two values', () => {
    const next = random(7);
    for (let at = 0; at < object.length; at++)
      for (const value of [next(256), object[at] ^ (1 << next(8))]) {
        const damaged = object.slice();
        damaged[at] = value;
        refused(damaged, `byte ${at} set to ${value}`);
      }
  });

  test('many bytes changed, removed or inserted', () => {
    const next = random(11);
    for (let i = 0; i < 3000; i++) {
      const damaged = [...object];
      for (let n = next(4) + 1; n > 0; n--) {
        const at = next(damaged.length);
        const kind = next(3);
        if (kind === 0) damaged[at] = next(256);
        else if (kind === 1) damaged.splice(at, 1 + next(3));
        else damaged.splice(at, 0, ...Array.from({ length: 1 + next(12) }, () => 0x80 | next(128)));
      }
      refused(Uint8Array.from(damaged), `mutation ${i}`);
    }
  });
});

test('files that are no objects', () => {
  for (const text of ['', '\0', '\0asm', '\x7fELF\x02\x01\x01', '#include <linux/module.h>\n'])
    expect(refused(new TextEncoder().encode(text), text)).toBe(true);
  expect(refused(new Uint8Array([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]), 'an empty module')).toBe(true);
});
