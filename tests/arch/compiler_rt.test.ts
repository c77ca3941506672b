// SPDX-License-Identifier: MIT
/** 128-bit arithmetic in C against BigInt. */

import { type BareMachine, GuestTrap } from '@pagewalk/kernel/arch/wasm64/testing';
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { machineWith } from '../support/clang.js';

const SOURCE = `
typedef __int128 ti; typedef unsigned __int128 tu;
void mul(ti *r, ti *a, ti *b) { *r = *a * *b; }
void divide(ti *r, ti *a, ti *b) { *r = *a / *b; }
void mod(ti *r, ti *a, ti *b) { *r = *a % *b; }
void udiv(tu *r, tu *a, tu *b) { *r = *a / *b; }
void umod(tu *r, tu *a, tu *b) { *r = *a % *b; }
void shl(tu *r, tu *a, tu *b) { *r = *a << (int)*b; }
void shr(tu *r, tu *a, tu *b) { *r = *a >> (int)*b; }
void sar(ti *r, ti *a, ti *b) { *r = *a >> (int)*b; }
void mulhi(tu *r, unsigned long *a, unsigned long *b) { *r = (unsigned long)(((tu)*a * *b) >> 64); }
`;
const signed = (n: bigint) => BigInt.asIntN(128, n);
const MODEL: Record<string, (a: bigint, b: bigint) => bigint> = {
  mul: (a, b) => a * b,
  divide: (a, b) => signed(a) / signed(b),
  mod: (a, b) => signed(a) % signed(b),
  udiv: (a, b) => a / b,
  umod: (a, b) => a % b,
  shl: (a, b) => a << b,
  shr: (a, b) => a >> b,
  sar: (a, b) => signed(a) >> b,
};

let machine: BareMachine;
let at: number;
beforeAll(async () => {
  machine = await machineWith(SOURCE);
  at = machine.alloc(4096);
});

function run(name: string, a: bigint, b: bigint): bigint {
  const p = machine.mmu.translate(at);
  const view = new DataView(machine.ram.u8.buffer, machine.ram.u8.byteOffset + p, 64);
  [a, b].forEach((n, i) => {
    view.setBigUint64(16 * i, BigInt.asUintN(64, n), true);
    view.setBigUint64(16 * i + 8, BigInt.asUintN(64, n >> 64n), true);
  });
  machine.call(name, 'v:ppp', at + 32, at, at + 16);
  return view.getBigUint64(32, true) | (view.getBigUint64(40, true) << 64n);
}

const MAX = (1n << 128n) - 1n;
const MIN_SIGNED = 1n << 127n;
const EDGES = [0n, 1n, 2n, MAX, MIN_SIGNED, MIN_SIGNED - 1n, (1n << 64n) - 1n, 1n << 64n, (1n << 64n) + 1n];
const wide = fc.oneof(
  fc.constantFrom(...EDGES),
  fc.bigInt({ min: 0n, max: MAX }),
  fc.bigInt({ min: 0n, max: 1n << 70n }),
);

describe('128-bit integers', () => {
  for (const name of Object.keys(MODEL)) {
    const shift = name.startsWith('sh') || name === 'sar';
    test(name, () => {
      const second = shift
        ? fc.bigInt({ min: 0n, max: 127n })
        : wide.filter((b) => name === 'mul' || b !== 0n);
      fc.assert(
        fc.property(wide, second, (a, b) => {
          expect(run(name, a, b)).toBe(BigInt.asUintN(128, MODEL[name](a, b)));
        }),
        { seed: 128, numRuns: 300 },
      );
    });
  }

  test('every shift count, with both signs', () => {
    for (let n = 0n; n < 128n; n++)
      for (const name of ['shl', 'shr', 'sar'])
        for (const a of [0x123456789abcdef0fedcba9876543210n, MIN_SIGNED + 12345n])
          expect(run(name, a, n)).toBe(BigInt.asUintN(128, MODEL[name](a, n)));
  });

  test('the upper half of a 64-bit product', () => {
    const [a, b] = [0xfedcba9876543210n, 0xf123456789abcdefn];
    expect(run('mulhi', a, b)).toBe((a * b) >> 64n);
  });

  test('division by zero is a divide error', () => {
    for (const name of ['divide', 'mod', 'udiv', 'umod']) {
      const failed = (() => {
        try {
          return run(name, 5n, 0n);
        } catch (error) {
          return error;
        }
      })();
      expect(failed).toBeInstanceOf(GuestTrap);
      expect(failed).toMatchObject({ kind: 'trap', code: 0 });
    }
  });
});
