// SPDX-License-Identifier: MIT
/** The generated fast paths against the TypeScript functions behind them: the same calls must leave the same RAM. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Kernel } from '../../boot.js';
import { PAGE_OFFSET, RAM_BASE, REG, SLOW_PATHS, type Vaddr } from '../../machine/layout.js';
import { checkPageAllocator } from '../../mm/debug_vm.js';
import {
  __GFP_ACCOUNT,
  __GFP_DMA,
  __GFP_RECLAIMABLE,
  __GFP_ZERO,
  GFP_ATOMIC,
  GFP_KERNEL,
} from '../../mm/gfp.js';
import { SLAB_HWCACHE_ALIGN } from '../../mm/slab.js';
import { validateSlub } from '../../mm/slub_validate.js';
import { addFastFunctions } from './fast_functions.js';
import { Functions, kernelFunction } from './functions.js';
import { slabFastPaths } from './slab_functions.js';

const GFPS = [
  GFP_KERNEL,
  GFP_KERNEL | __GFP_ZERO,
  GFP_ATOMIC,
  GFP_KERNEL | __GFP_ACCOUNT,
  GFP_KERNEL | __GFP_RECLAIMABLE | __GFP_ZERO,
  GFP_KERNEL | __GFP_DMA,
];
/** Bytes, so that a cache's objects are of odd sizes too. */
const CACHES = [1, 24, 100, 192, 1000, 3000];

class Subject {
  readonly kernel: Kernel;
  readonly caches: Vaddr[];
  private readonly live: { object: Vaddr; cache: Vaddr }[] = [];
  lastFreed: Vaddr = 0;

  constructor(fast: boolean, cpus: number, commandLine = '') {
    this.kernel = new Kernel({ memory: 8 * 2 ** 20, cpus, commandLine });
    this.kernel.slowPaths.force(!fast);
    const { slub, ram } = this.kernel;
    this.caches = CACHES.map((bytes, i) =>
      ram.addressOf(slub.kmemCacheCreate(`c${i}`, bytes, 0, i % 2 === 1 ? SLAB_HWCACHE_ALIGN : 0)),
    );
  }

  /** Calls as C does: through the function table. What it throws is its result. */
  call(name: string, signature: string, ...args: number[]): number | string {
    try {
      return this.kernel.callC(this.kernel.symbols.find(name)!, signature, ...args);
    } catch (error) {
      return String(error);
    }
  }

  private keep(result: number | string, cache: Vaddr): number | string {
    if (typeof result !== 'number' || result === 0) return result;
    this.live.push({ object: result, cache });
    // C writes to all of it, also where the link to the next free object was.
    const { ram, slub } = this.kernel;
    const bytes = slub.objectInfo(result)?.objectSize ?? 0;
    ram.fill(result - PAGE_OFFSET, bytes, this.live.length);
    return result;
  }

  kmalloc(size: number, gfp: number): number | string {
    return this.keep(this.call('__kmalloc', 'p:zu', size, gfp), 0);
  }

  cacheAlloc(which: number, gfp: number): number | string {
    const cache = this.caches[which % this.caches.length];
    return this.keep(this.call('kmem_cache_alloc', 'p:pu', cache, gfp), cache);
  }

  free(which: number): number | string {
    if (this.live.length === 0) return 0;
    const [{ object, cache }] = this.live.splice(which % this.live.length, 1);
    this.lastFreed = object;
    if (cache === 0 || which % 5 === 0) return this.call('kfree', 'v:p', object);
    return this.call('kmem_cache_free', 'v:pp', cache, object);
  }

  get problems(): string[] {
    checkPageAllocator(this.kernel.pages);
    return validateSlub(this.kernel.slub);
  }
}

type Step = (s: Subject) => unknown;
const times = (n: number, step: (s: Subject, i: number) => unknown): Step => {
  return (s) => Array.from({ length: n }, (_, i) => step(s, i));
};
const count = fc.integer({ min: 1, max: 60 });
const gfp = fc.constantFrom(...GFPS);
const steps: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc
      .record({ n: count, size: fc.integer({ min: 0, max: 9000 }), gfp })
      .map(({ n, size, gfp }) => times(n, (s) => s.kmalloc(size, gfp))),
  },
  {
    weight: 4,
    arbitrary: fc
      .record({ n: count, cache: fc.nat(5), gfp })
      .map(({ n, cache, gfp }) => times(n, (s) => s.cacheAlloc(cache, gfp))),
  },
  {
    weight: 8,
    arbitrary: fc
      .record({ n: count, which: fc.nat() })
      .map(({ n, which }) => times(n, (s, i) => s.free(which + 7 * i))),
  },
  {
    weight: 2,
    arbitrary: fc.nat(1).map((cpu) => (s: Subject) => {
      s.kernel.ram.host32[REG.cpu >> 2] = cpu % s.kernel.env.nrCpus;
    }),
  },
  {
    weight: 1,
    arbitrary: fc.nat(5).map((which) => (s: Subject) => {
      const { slub, ram } = s.kernel;
      return slub.kmemCacheShrink(ram.handleOf(s.caches[which]));
    }),
  },
);

const sameRam = (a: Subject, b: Subject): boolean => Buffer.compare(a.kernel.ram.u8, b.kernel.ram.u8) === 0;

describe.each([
  ['plain', ''],
  ['slub_debug=FZPU', 'slub_debug=FZPU'],
  ['hardened', 'slab_freelist_hardened=1 slab_freelist_random=1'],
  ['initialised', 'init_on_alloc=1 init_on_free=1'],
])('%s', (_name, commandLine) => {
  test('the same results and the same RAM, byte for byte, with invariants after each step', () => {
    fc.assert(
      fc.property(
        fc.array(steps, { minLength: 5, maxLength: 30 }),
        fc.constantFrom(1, 2),
        (program, cpus) => {
          const [fast, slow] = [true, false].map((on) => new Subject(on, cpus, commandLine));
          for (const step of program) {
            expect(step(fast)).toEqual(step(slow));
            expect(fast.problems).toEqual([]);
          }
          expect(sameRam(fast, slow)).toBe(true);
        },
      ),
      { seed: 11, numRuns: commandLine === '' ? 30 : 4 },
    );
  });
});

const WILD: readonly (readonly [string, (s: Subject) => unknown])[] = [
  ['kfree(NULL)', (s) => s.call('kfree', 'v:p', 0)],
  ['kfree(ZERO_SIZE_PTR)', (s) => s.call('kfree', 'v:p', 16)],
  ['kfree of a user address', (s) => s.call('kfree', 'v:p', 0x10000)],
  ['kfree one past the end of RAM', (s) => s.call('kfree', 'v:p', PAGE_OFFSET + 8 * 2 ** 20)],
  ['kfree of page 0, which is no slab', (s) => s.call('kfree', 'v:p', PAGE_OFFSET + 64)],
  ['kfree of the last byte of RAM', (s) => s.call('kfree', 'v:p', PAGE_OFFSET + 8 * 2 ** 20 - 1)],
  ['kfree of the object freed last', (s) => [s.free(0), s.call('kfree', 'v:p', s.lastFreed)]],
  ['kmem_cache_alloc(NULL)', (s) => s.call('kmem_cache_alloc', 'p:pu', 0, GFP_KERNEL)],
  [
    'kmem_cache_alloc of an object',
    (s) => s.call('kmem_cache_alloc', 'p:pu', Number(s.kmalloc(64, GFP_KERNEL)), 0),
  ],
  ['kmem_cache_free to the wrong cache', (s) => s.call('kmem_cache_free', 'v:pp', s.caches[1], s.lastFreed)],
  ['kmem_cache_free(NULL object)', (s) => s.call('kmem_cache_free', 'v:pp', s.caches[1], 0)],
  ['kmalloc(0)', (s) => s.call('__kmalloc', 'p:zu', 0, GFP_KERNEL)],
  ['kmalloc(-1)', (s) => s.call('__kmalloc', 'p:zu', -1, GFP_KERNEL)],
  ['kmalloc(2^32 + 8)', (s) => s.call('__kmalloc', 'p:zu', 2 ** 32 + 8, GFP_KERNEL)],
];

test.each(WILD)('%s: what TypeScript does', (_name, act) => {
  const [fast, slow] = [true, false].map((on) => {
    const s = new Subject(on, 1);
    for (let i = 0; i < 3; i++) s.cacheAlloc(0, GFP_KERNEL);
    s.kmalloc(100, GFP_KERNEL);
    return s;
  });
  expect(act(fast)).toEqual(act(slow));
  expect(fast.kernel.printk.records(0)).toEqual(slow.kernel.printk.records(0));
  expect(sameRam(fast, slow)).toBe(true);
});

/** The generated functions with slow paths that only say so: a memory access out of bounds would show. */
function fastOnly({ kernel }: Subject): (name: string, signature: string, ...args: number[]) => number {
  const functions = new Functions(kernel.ram);
  const addressOf = (name: string) => kernel.symbols.find(name)!;
  for (const [name, signature] of [
    ['__kmalloc', 'p:zu'],
    ['kfree', 'v:p'],
    ['kmem_cache_alloc', 'p:pu'],
    ['kmem_cache_free', 'v:pp'],
  ])
    functions.add(kernelFunction(name, addressOf(name), signature, () => 1));
  addFastFunctions(kernel.ram, functions, addressOf, slabFastPaths(kernel.slub.core));
  return (name, signature, ...args) =>
    functions.callAddress(
      addressOf(name),
      signature,
      (address, id) => functions.indexFor(address, id),
      ...args,
    );
}

test('links, slabs and caches that C has overwritten reach nothing outside of RAM', () => {
  const word = fc.constantFrom(0, 1, -1, 0x7ffffff8, 0x80000000 | 0, 0x100000, 0xffff8880 | 0, 0x00ffffff);
  fc.assert(
    fc.property(
      fc.array(word, { minLength: 64, maxLength: 64 }),
      fc.nat(3),
      fc.nat(20),
      (words, target, skip) => {
        const s = new Subject(true, 2);
        const { ram, slub } = s.kernel;
        const cache = ram.handleOf(s.caches[1]);
        const object = ram.handleOf(Number(s.cacheAlloc(1, GFP_KERNEL)));
        const host = ram.host32.slice(0, RAM_BASE >> 2);
        const c = slub.core.cpuSlab(cache, 0);
        const at = [object, cache, c, slub.headPage(ram.addressOf(object))][target];
        words.slice(0, [24, 184, 32, 64][target] / 4).forEach((w, i) => {
          if (i % 21 !== skip) ram.i32[at + i] = w;
        });
        const call = fastOnly(s);
        for (let i = 0; i < 6; i++) {
          call('kmem_cache_alloc', 'p:pu', s.caches[1], GFP_KERNEL | (i & 1 ? __GFP_ZERO : 0));
          call('kmem_cache_free', 'v:pp', s.caches[1], ram.addressOf(object));
          call('kfree', 'v:p', ram.addressOf(object));
        }
        expect(ram.host32.subarray(0, RAM_BASE >> 2).every((w, i) => w === host[i])).toBe(true);
      },
    ),
    { seed: 3, numRuns: 40 },
  );
});

test('a listener, a hook or fault injection sends everything through TypeScript, until it goes', () => {
  const { kernel } = new Subject(true, 1);
  const { slub, pages, ram } = kernel;
  const slow = () => ram.host32[SLOW_PATHS >> 2] !== 0;
  expect(slow()).toBe(false);
  const seen: number[] = [];
  const stop = slub.trace.kmalloc.listen(({ fields }) => void seen.push(fields.bytes_req));
  expect(slow()).toBe(true);
  kernel.callC(kernel.symbols.find('__kmalloc')!, 'p:zu', 100, GFP_KERNEL);
  stop();
  expect(slow()).toBe(false);
  kernel.callC(kernel.symbols.find('__kmalloc')!, 'p:zu', 100, GFP_KERNEL);
  expect(seen).toEqual([100]);
  slub.hooks = { shouldFail: () => true };
  expect(kernel.callC(kernel.symbols.find('__kmalloc')!, 'p:zu', 100, GFP_KERNEL)).toBe(0);
  slub.hooks = undefined;
  pages.shouldFailAllocPage = () => true;
  expect(slow()).toBe(true);
  pages.shouldFailAllocPage = null;
  expect(slow()).toBe(false);
  for (const commandLine of ['init_on_alloc=1', 'init_on_free=1', 'slab_freelist_hardened=1'])
    expect(new Kernel({ memory: 8 * 2 ** 20, commandLine }).ram.host32[SLOW_PATHS >> 2]).toBe(1);
});
