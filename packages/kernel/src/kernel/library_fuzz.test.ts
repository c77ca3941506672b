// SPDX-License-Identifier: MIT
/** Whatever C passes to the kernel library, it gets an answer, a report or an oops: nothing else comes out. */

import fc from 'fast-check';
import { it } from 'vitest';
import type { KernelExports } from '../arch/wasm64/exports.js';
import { Kernel } from '../boot.js';
import { restStep } from '../lib/walk.js';
import { PAGE_OFFSET, PAGE_SIZE, type Vaddr, VMALLOC_START } from '../machine/layout.js';
import { GFP_KERNEL } from '../mm/gfp.js';
import { vmallocExports } from '../mm/vmalloc_exports.js';
import { KernelPanic, TaskKilled } from './oops.js';

/** Memory with a guard page behind it, so that nothing but it is written over. */
const SCRATCH = 4 * PAGE_SIZE;
const kernel = new Kernel({ memory: 32 * 2 ** 20 });
const room = Number(vmallocExports(kernel.vmalloc, kernel.ioremap).vmalloc[1](BigInt(SCRATCH)));
const exports: KernelExports = Object.assign({}, ...kernel.library.parts());

const address: fc.Arbitrary<Vaddr> = fc.oneof(
  { weight: 8, arbitrary: fc.nat(SCRATCH / 16 - 9).map((n) => room + 8 * n) },
  { weight: 1, arbitrary: fc.nat(4000).map((n) => room + n) },
  {
    weight: 2,
    arbitrary: fc.constantFrom(
      0,
      1,
      -1,
      -4096,
      0x400000,
      VMALLOC_START,
      2 ** 47,
      PAGE_OFFSET - 1,
      -(2 ** 63),
      2 ** 63,
    ),
  },
);
const size = fc.oneof(
  fc.nat(200),
  fc.constantFrom(PAGE_SIZE, 2 ** 31 - 1, 2 ** 32, 2 ** 53, 2 ** 63, 2 ** 64),
);
const BY_LETTER: { readonly [letter: string]: fc.Arbitrary<number | bigint | boolean> } = {
  p: address,
  z: size,
  l: fc.oneof(fc.integer({ min: -5, max: 200 }), fc.maxSafeInteger()),
  i: fc.oneof(fc.integer({ min: -5, max: 70 }), fc.constantFrom(2 ** 31 - 1, -(2 ** 31))),
  u: fc.oneof(fc.nat(70), fc.constantFrom(GFP_KERNEL, 2 ** 20, 2 ** 32 - 1)),
  b: fc.boolean(),
  q: fc.oneof(fc.bigInt(0n, 100n), fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n)),
};
/** Words of which structs in the scratch area are made: small numbers, and pointers back into it. */
const words = fc.array(
  fc.oneof(
    fc.nat(3),
    fc.nat(),
    fc.nat(SCRATCH / 8 - 64).map((n) => -n),
  ),
  {
    minLength: 64,
    maxLength: 64,
  },
);

function fill(values: readonly number[]): void {
  const { ram } = kernel;
  for (let i = 0; i < SCRATCH / 8; i++) {
    const value = values[i % values.length];
    ram.set64(kernel.guest.translate(room + 8 * i) / 4, value < 0 ? room - 8 * value : value);
  }
}

it.each(Object.entries(exports))('%s', (_name, [signature, fn]) => {
  const parameters = [...signature.split(':')[1]].map((letter) => BY_LETTER[letter]);
  fc.assert(
    fc.property(fc.tuple(...parameters), words, (args, values) => {
      fill(values);
      // init_task stands for a task that can be killed.
      kernel.preempt.reset();
      kernel.watchdog.touch();
      restStep(kernel.ram);
      try {
        fn(...args);
      } catch (error) {
        // An oops in an interrupt, or with softirqs off, is a panic.
        const known = error instanceof TaskKilled || error instanceof KernelPanic;
        if (!known) throw error;
      }
    }),
    { seed: 99, numRuns: 40 },
  );
});
