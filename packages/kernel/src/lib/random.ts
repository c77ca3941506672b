// SPDX-License-Identifier: MIT
/** Seeded randomness: xoshiro128** (Blackman and Vigna, 2018), with its state in RAM. */

import type { Handle } from '../machine/layout.js';
import type { Ram } from '../machine/ram.js';
import type { StaticData } from './static_data.js';

const rotl = (x: number, k: number) => (x << k) | (x >>> (32 - k));

export class Random {
  private readonly state: Handle;

  constructor(
    private readonly ram: Ram,
    data: StaticData,
  ) {
    this.state = data.declare('input_pool', 16);
  }

  /** Fills the state from a seed by splitmix32. */
  boot(seed: number): void {
    let s = seed | 0;
    for (let i = 0; i < 4; i++) {
      s = (s + 0x9e3779b9) | 0;
      let z = s ^ (s >>> 16);
      z = Math.imul(z, 0x21f0aaad);
      z ^= z >>> 15;
      z = Math.imul(z, 0x735a2d97);
      this.ram.i32[this.state + i] = z ^ (z >>> 15);
    }
  }

  /** The next 32 random bits, 0 ≤ r < 2^32. */
  u32(): number {
    const a = this.ram.i32;
    const s = this.state;
    const result = Math.imul(rotl(Math.imul(a[s + 1], 5), 7), 9);
    const t = a[s + 1] << 9;
    a[s + 2] ^= a[s];
    a[s + 3] ^= a[s + 1];
    a[s + 1] ^= a[s + 2];
    a[s] ^= a[s + 3];
    a[s + 2] ^= t;
    a[s + 3] = rotl(a[s + 3], 11);
    return result >>> 0;
  }

  /** A random integer, 0 ≤ r < limit ≤ 2^32, without modulo bias. */
  below(limit: number): number {
    const reject = 4294967296 - (4294967296 % limit);
    let r: number;
    do r = this.u32();
    while (r >= reject);
    return r % limit;
  }
}
