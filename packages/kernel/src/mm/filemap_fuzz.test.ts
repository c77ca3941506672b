// SPDX-License-Identifier: MIT
/** Whatever C passes to the page cache, only a fault or a kernel bug of C's own comes out, and soon. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { KernelExports } from '../arch/wasm64/exports.js';
import { Inode } from '../fs/fs_types.js';
import { iovIterExports } from '../lib/iov_iter.js';
import { TestFault } from '../lib/testing.js';
import { PAGE_OFFSET, PAGE_SIZE } from '../machine/layout.js';
import { checkPageAllocator } from './debug_vm.js';
import { filemapExports } from './filemap_exports.js';
import { mappingOf, OpenTestFile, pageCacheMachine } from './filemap_testing.js';
import { GFP_KERNEL } from './gfp.js';

const m = pageCacheMachine(16);
const { env, cache } = m;
const exports: KernelExports = { ...filemapExports(cache), ...iovIterExports(env, cache.iter.user) };
const inode = m.newInode();
const file = new OpenTestFile(m, inode);
const buffer = m.slub.kmalloc(PAGE_SIZE, GFP_KERNEL);
const page = cache.grabCachePage(mappingOf(inode), 1);

/** Pointers to what there is, and rubbish that lies where nothing is. */
const pointer = fc.oneof(
  { weight: 5, arbitrary: fc.constantFrom(file.iocb, file.iter, cache.pageAddress(page), buffer) },
  {
    weight: 3,
    arbitrary: fc.constantFrom(env.ram.addressOf(inode), env.ram.addressOf(mappingOf(inode))),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom(0, 1, 8, -1, -8, -4096, PAGE_OFFSET - 8, PAGE_OFFSET + env.ram.size, 2 ** 46),
  },
);
const number = fc.oneof(
  fc.constantFrom(0, 1, 4095, 4096, 4097, 2 ** 31, 2 ** 32, 2 ** 41, 2 ** 52, 2 ** 53, 2 ** 63, 2 ** 64),
  fc.nat(20000),
);
const signed = fc.oneof(
  number.map((n) => Math.min(n, 2 ** 63)),
  number.map((n) => -Math.min(n, 2 ** 63)),
);
const argument = (letter: string): fc.Arbitrary<number> => {
  if (letter === 'p') return pointer;
  if (letter === 'l') return signed;
  return letter === 'z' ? number : number.map((n) => n % 2 ** 32);
};

it('survives all arguments', () => {
  const names = Object.keys(exports).sort();
  const call = fc
    .constantFrom(...names)
    .chain((name) => fc.tuple(fc.constant(name), ...[...exports[name][0].slice(2)].map(argument)));
  fc.assert(
    fc.property(fc.array(call, { minLength: 1, maxLength: 8 }), (calls) => {
      // As it was: what C overwrites of these is no longer a file.
      const kept = env.ram.u8.slice();
      try {
        file.over({ at: buffer, bytes: 100 });
        for (const [name, ...args] of calls) exports[name][1](...args);
        checkPageAllocator(m.mm);
        expect(Inode.at(env.ram, inode).i_mapping).toBeDefined();
      } catch (error) {
        if (!(error instanceof TestFault) && !/kernel BUG/.test(String(error))) throw error;
      }
      env.ram.u8.set(kept);
    }),
    { numRuns: 400, seed: 7 },
  );
});
