// SPDX-License-Identifier: MIT
/** Integer mathematics that headers do not do in line: `linux/math.h`, `linux/gcd.h`, `linux/lcm.h`. */

import type { KernelExports } from '../arch/wasm64/exports.js';

const u64 = (n: bigint) => BigInt.asUintN(64, n);

/** The greatest integer whose square is at most n. */
export function intSqrt(n: bigint): bigint {
  if (n < 2n) return n;
  let guess = 1n << BigInt((n.toString(2).length + 1) >> 1);
  for (;;) {
    const next = (guess + n / guess) >> 1n;
    if (next >= guess) return guess;
    guess = next;
  }
}

/ */;
export function gcd(a: bigint, b: bigint): bigint {
  while (b !== 0n) [a, b] = [b, a % b];
  return a;
}

/** A power modulo 2^64. */
export function intPow(base: bigint, exponent: number): bigint {
  let result = 1n;
  for (let power = base, rest = exponent; rest > 0; rest = Math.floor(rest / 2), power = u64(power * power))
    if (rest % 2 === 1) result = u64(result * power);
  return result;
}

export const mathExports = (): KernelExports => ({
  int_sqrt: ['q:q', (n: bigint) => intSqrt(u64(n))],
  int_sqrt64: ['u:q', (n: bigint) => Number(intSqrt(u64(n)))],
  int_pow: ['q:qu', (base: bigint, exponent: number) => intPow(u64(base), exponent)],
  gcd: ['q:qq', (a: bigint, b: bigint) => gcd(u64(a), u64(b))],
  lcm: [
    'q:qq',
    (a: bigint, b: bigint) =>
      u64(a) === 0n || u64(b) === 0n ? 0n : u64((u64(a) / gcd(u64(a), u64(b))) * u64(b)),
  ],
});
