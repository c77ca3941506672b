// SPDX-License-Identifier: MIT
/** Whatever C passes to the library, only a fault or a kernel bug of C's own comes out, and soon. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { KernelExports } from '../arch/wasm64/exports.js';
import { PAGE_OFFSET, PAGE_SIZE, type Vaddr } from '../machine/layout.js';
import { bitmapExports } from './bitmap.js';
import { cmdlineExports } from './cmdline.js';
import { conversionExports } from './conversion_exports.js';
import { findBitExports } from './find_bit.js';
import { readU8, writeBytes } from './guest_access.js';
import { kstrtoxExports } from './kstrtox_exports.js';
import { randomExports } from './random_exports.js';
import { sortExports } from './sort.js';
import { sprintfExports } from './sprintf_exports.js';
import { stringCopyExports, stringExports } from './string_exports.js';
import { TestFault } from './testing.js';
import { makeFormatter } from './vsprintf_testing.js';

const { env, context } = makeFormatter();
const HEAP = PAGE_OFFSET + 0x600000;
const allocate = (bytes: number) => (bytes > 4096 ? 0 : HEAP);
const exports: KernelExports = {
  ...stringExports(env, env.reports),
  ...stringCopyExports(env, allocate),
  ...sprintfExports(context, allocate),
  ...kstrtoxExports(env),
  ...cmdlineExports(env, HEAP + 0x2000),
  ...findBitExports(env),
  ...bitmapExports(env, allocate, () => {}),
  // C's comparison looks at what it compares.
  ...sortExports(env, (_fn, _signature, a, b) => readU8(env, a) - readU8(env, b)),
  ...randomExports(env, env.random),
  ...conversionExports(env, env.random),
};

/** Two pages before a hole, with text, numbers and rubbish in them. */
const ROOM = PAGE_OFFSET + 0x400000;
env.guest.holes.add((ROOM - PAGE_OFFSET) / PAGE_SIZE + 2);
const texts = [
  '',
  '%s %d %*d %p',
  '99999999999999999999999',
  '0-5,9:3/4',
  'all',
  'ff,ffffffff',
  'a b  c\n',
  '%8388607d%8388607d',
  '%5[a]%n',
];
const address: fc.Arbitrary<Vaddr> = fc.oneof(
  { weight: 6, arbitrary: fc.nat(2 * PAGE_SIZE - 1).map((offset) => ROOM + offset) },
  { weight: 3, arbitrary: fc.nat(texts.length - 1).map((i) => ROOM + 64 * i) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      0,
      1,
      -1,
      -4096,
      0x1000,
      ROOM + 2 * PAGE_SIZE,
      2 ** 47,
      PAGE_OFFSET - 1,
      -(2 ** 63),
    ),
  },
);
const size = fc.oneof(
  fc.nat(64),
  fc.constantFrom(4096, 65537, 2 ** 20, 2 ** 31 - 1, 2 ** 31, 2 ** 53, 2 ** 63, 2 ** 64),
);
const BY_LETTER: { readonly [letter: string]: fc.Arbitrary<number | bigint | boolean> } = {
  p: address,
  '…': address,
  z: size,
  l: fc.maxSafeInteger(),
  i: fc.oneof(fc.integer({ min: -40, max: 70 }), fc.constantFrom(2 ** 31 - 1, -(2 ** 31))),
  u: fc.oneof(fc.nat(70), fc.constantFrom(2 ** 20, 2 ** 32 - 1)),
  b: fc.boolean(),
  q: fc.bigInt(0n, 2n ** 64n - 1n),
};

it.each(Object.entries(exports))('%s', (name, [signature, fn]) => {
  const parameters = [...signature.split(':')[1]].map((letter) => BY_LETTER[letter]);
  fc.assert(
    fc.property(
      fc.tuple(...parameters),
      fc.uint8Array({ minLength: 256, maxLength: 256 }),
      (args, rubbish) => {
        writeBytes(env, ROOM, new Uint8Array(2 * PAGE_SIZE));
        writeBytes(env, ROOM + 1024, rubbish);
        for (const [i, text] of texts.entries())
          writeBytes(
            env,
            ROOM + 64 * i,
            Uint8Array.from(text, (c) => c.charCodeAt(0)),
          );
        try {
          fn(...args);
        } catch (error) {
          if (!(error instanceof TestFault)) expect(String(error), name).toMatch(/kernel BUG at/);
        }
      },
    ),
    { seed: 77, numRuns: 60 },
  );
});
