// SPDX-License-Identifier: MIT
/** Random numbers for C: all from the one seeded generator, so that runs repeat. */

import type { KernelExports } from '../arch/wasm64/exports.js';
import type { Vaddr } from '../machine/layout.js';
import { bytesToPageEnd, type GuestAccess, physical, readUnsigned, writeInteger } from './guest_access.js';
import type { Random } from './random.js';

/** Fills guest memory with random bytes. */
function fill(mem: GuestAccess, random: Random, address: Vaddr, n: number): void {
  for (let done = 0; done < n; ) {
    const p = physical(mem, address + done, true);
    const count = Math.min(n - done, bytesToPageEnd(address + done));
    for (let i = 0, word = 0; i < count; i++, word >>>= 8) {
      if (i % 4 === 0) word = random.u32();
      mem.ram.u8[p + i] = word;
    }
    done += count;
  }
}

/** The shifts and masks of the generator behind each word of struct rnd_state. */
const TAUSWORTHE: readonly (readonly [a: number, b: number, mask: number, c: number])[] = [
  [6, 13, 0xfffffffe, 18],
  [2, 27, 0xfffffff8, 2],
  [13, 21, 0xfffffff0, 7],
  [3, 12, 0xffffff80, 13],
];

/** The next number of a caller's own generator (L'Ecuyer's taus113), whose four words lie in guest memory. */
function prandomState(mem: GuestAccess, state: Vaddr): number {
  let result = 0;
  TAUSWORTHE.forEach(([a, b, mask, c], i) => {
    const s = readUnsigned(mem, state + 4 * i, 4);
    const next = (((s & mask) << c) ^ (((s << a) ^ s) >>> b)) >>> 0;
    writeInteger(mem, state + 4 * i, next, 4);
    result ^= next;
  });
  return result >>> 0;
}

export function randomExports(mem: GuestAccess, random: Random): KernelExports {
  const u64 = () => (BigInt(random.u32()) << 32n) | BigInt(random.u32());
  return {
    get_random_bytes: ['v:pz', (buffer: Vaddr, n: number) => fill(mem, random, buffer, n)],
    get_random_bytes_arch: [
      'z:pz',
      (buffer: Vaddr, n: number) => {
        fill(mem, random, buffer, n);
        return n;
      },
    ],
    get_random_u8: ['u:', () => random.u32() & 0xff],
    get_random_u16: ['u:', () => random.u32() & 0xffff],
    get_random_u32: ['u:', () => random.u32()],
    get_random_u64: ['q:', u64],
    // What a device has seen is no part of a run that can be repeated.
    add_device_randomness: ['v:pz', () => undefined],
    wait_for_random_bytes: ['i:', () => 0],
    rng_is_initialized: ['b:', () => true],
    prandom_u32_state: ['u:p', (state: Vaddr) => prandomState(mem, state)],
    prandom_bytes_state: [
      'v:ppz',
      (state: Vaddr, buffer: Vaddr, n: number) => {
        for (let i = 0, word = 0; i < n; i++, word >>>= 8) {
          if (i % 4 === 0) word = prandomState(mem, state);
          writeInteger(mem, buffer + i, word & 0xff, 1);
        }
      },
    ],
  };
}
