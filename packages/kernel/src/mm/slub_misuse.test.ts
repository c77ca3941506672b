// SPDX-License-Identifier: MIT
/** What C gets for mistakes: a report in Linux's words, an errno or NULL; never a broken machine. */
import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import { KernelBug } from '../lib/env.js';
import { TestFault } from '../lib/testing.js';
import { PAGE_OFFSET, type Vaddr, VMEMMAP_START } from '../machine/layout.js';
import { GFP_KERNEL } from './gfp.js';
import { kfreeSensitive, krealloc, ksize } from './kmalloc.js';
import { SLAB_PANIC, SLAB_STORE_USER, ZERO_SIZE_PTR } from './slab.js';
import { slabExports } from './slab_exports.js';
import { type SlubMachine, slubMachine } from './slub_testing.js';
import { validateSlub } from './slub_validate.js';

let machine: SlubMachine;
beforeEach(() => {
  machine = slubMachine({ nrCpus: 2 });
  machine.env.lines.length = 0;
});
const kmalloc = (size: number): Vaddr => machine.slub.kmalloc(size, GFP_KERNEL);
const log = () => machine.env.lines.map((line) => line.slice(3)).filter((line) => line !== 'Call Trace:');

describe('freeing what is free', () => {
  test('the object freed last, into this CPU’s slab: BUG in kfree', () => {
    const p = kmalloc(128);
    machine.slub.kfree(p);
    expect(() => machine.slub.kfree(p)).toThrow('kernel BUG at mm/slub.c:419! (__kmem_cache_free)');
  });

  test('through kmem_cache_free', () => {
    const cache = machine.slub.kmemCacheCreate('mine', 40);
    const p = machine.slub.kmemCacheAlloc(cache, GFP_KERNEL);
    machine.slub.kmemCacheFree(cache, p);
    expect(() => machine.slub.kmemCacheFree(cache, p)).toThrow(
      'kernel BUG at mm/slub.c:419! (kmem_cache_free)',
    );
  });

  test('into a slab that is not this CPU’s', () => {
    const p = kmalloc(128);
    machine.env.setCurrent({ cpu: 1 });
    machine.slub.kfree(p);
    expect(() => machine.slub.kfree(p)).toThrow('kernel BUG at mm/slub.c:419! (__slab_free)');
  });

  test('an object freed earlier goes unnoticed, and is then handed out twice', () => {
    const [p, q] = [kmalloc(128), kmalloc(128)];
    machine.slub.kfree(p);
    machine.slub.kfree(q);
    machine.slub.kfree(p);
    expect([kmalloc(128), kmalloc(128), kmalloc(128)]).toEqual([p, q, p]);
    expect(validateSlub(machine.slub)).not.toEqual([]);
  });
});

describe('pointers that lead nowhere', () => {
  test.each([
    ['user space', 0x1234],
    ['the last user page', 2 ** 47 - 4096],
    ['behind RAM', PAGE_OFFSET + 2 ** 40],
    ['vmalloc', -(2 ** 47) + 2 ** 46],
    ['vmemmap', VMEMMAP_START],
    ['modules', -0x3fdfa000],
    ['ERR_PTR(-12)', -12],
  ])(
    'kfree, ksize, krealloc, kfree_sensitive of %s: the oops of reading their struct page',
    (_what, address) => {
      const { slub } = machine;
      for (const use of [
        () => slub.kfree(address),
        () => ksize(slub, address),
        () => krealloc(slub, address, 10, GFP_KERNEL),
        () => kfreeSensitive(slub, address),
        () => slub.kmemCacheFree(slub.findCache('kmalloc-64'), address),
      ])
        expect(use).toThrow(TestFault);
      expect(validateSlub(slub)).toEqual([]);
    },
  );

  test('a cache pointer that is none', () => {
    const alloc = slabExports(machine.slub)['kmem_cache_alloc'][1];
    for (const cache of [0, 8, -12, PAGE_OFFSET + 2 ** 40, 0x6b6b6b6b6b6b])
      expect(() => alloc(cache, GFP_KERNEL)).toThrow(TestFault);
    const cache = machine.slub.kmemCacheCreate('gone', 64);
    machine.slub.kmemCacheDestroy(cache);
    expect(() => alloc(machine.env.ram.addressOf(cache), GFP_KERNEL)).toThrow(TestFault);
  });

  test('a free object whose pointer C has overwritten: the oops of following it, at the second allocation', () => {
    const p = kmalloc(64);
    kmalloc(64);
    machine.slub.kfree(p);
    machine.env.ram.set64((p - PAGE_OFFSET + 32) / 4, 0x1000);
    expect(kmalloc(64)).toBe(p);
    expect(() => kmalloc(64)).toThrow(TestFault);
  });
});

describe('kfree of what no slab holds', () => {
  test('a page that is in use by somebody else', () => {
    const page = machine.mm.allocPages(GFP_KERNEL, 0);
    machine.slub.kfree(machine.mm.pageAddress(page));
    expect(log()[0]).toBe('WARNING: at mm/slab_common.c:928 free_large_kmalloc');
  });

  test('an object of kmem_cache_alloc may be freed by kfree', () => {
    const cache = machine.slub.kmemCacheCreate('mine', 40);
    machine.slub.kfree(machine.slub.kmemCacheAlloc(cache, GFP_KERNEL));
    expect(log()).toEqual([]);
  });

  test('a page to kmem_cache_free', () => {
    const page = machine.mm.allocPages(GFP_KERNEL, 0);
    const cache = machine.slub.kmemCacheCreate('mine', 40);
    machine.slub.kmemCacheFree(cache, machine.mm.pageAddress(page));
    expect(log()[0]).toBe('virt_to_cache: Object is not a Slab page!');
  });
});

describe('caches that cannot be', () => {
  test.each([
    ['no size', 0, 0, 0],
    ['too large', (4 << 20) + 1, 0, 0],
    ['odd alignment', 64, 24, 0],
    ['huge alignment', 64, 2 ** 31, 0],
    ['unknown flags', 64, 0, 1],
  ])('%s', (_what, size, align, flags) => {
    expect(machine.slub.kmemCacheCreate('bad', size, align, flags)).toBe(0);
    expect(log().at(-1)).toBe('kmem_cache_create_usercopy(bad) failed with error -22');
    expect(() => machine.slub.kmemCacheCreate('bad', size, align, flags | SLAB_PANIC)).toThrow('kernel BUG');
  });

  test('a name twice, where caches cannot be shared', () => {
    const { slub } = machine;
    expect(slub.kmemCacheCreate('mine', 64, 0, SLAB_STORE_USER)).not.toBe(0);
    expect(slub.kmemCacheCreate('mine', 64, 0, SLAB_STORE_USER)).toBe(0);
    expect(log()).toEqual([
      "sysfs: cannot create duplicate filename '/kernel/slab/mine'",
      "kobject_add_internal failed for mine with -EEXIST, don't try to register things with the same name in the same directory.",
      'kmem_cache_create_usercopy(mine) failed with error -17',
    ]);
    expect(validateSlub(slub)).toEqual([]);
  });
});

describe('memory runs out', () => {
  test('every kind of allocation gives NULL, the log says why, and all comes back', () => {
    const { slub, mm } = machine;
    const before = mm.freePageCount();
    const objects: Vaddr[] = [];
    for (const size of [8192, 1024, 64, 8]) for (let p: Vaddr; (p = kmalloc(size)) !== 0; ) objects.push(p);
    expect(slub.kmemCacheCreate('one too many', 4000, 0, SLAB_STORE_USER)).toBe(0);
    expect(log().filter((line) => line.startsWith('SLUB: '))[0]).toBe(
      'SLUB: Unable to allocate memory on node -1, gfp=0xcc0(GFP_KERNEL)',
    );
    expect(log()).toContain(
      '  cache: kmalloc-8k, object size: 8192, buffer size: 8192, default order: 3, min order: 1',
    );
    expect(validateSlub(slub)).toEqual([]);
    for (const p of objects) slub.kfree(p);
    for (const cache of slub.caches()) slub.kmemCacheShrink(cache);
    expect(mm.freePageCount()).toBeGreaterThanOrEqual(before);
  });
});

describe('every exported function', () => {
  const odd = fc.oneof(
    fc.constantFrom(0, 1, 8, 16, 64, 4096, 4 << 20, 2 ** 31, 2 ** 32, 2 ** 52, -1, -12, -4096),
    fc.integer({ min: 0, max: 20000 }),
    fc.integer({ min: 0, max: 16 << 20 }).map((n) => PAGE_OFFSET + n),
    fc.double({ min: -(2 ** 47), max: 2 ** 47, noNaN: true }).map(Math.trunc),
  );

  test('survives any arguments', () => {
    const { slub, env } = machine;
    slub.callGuest = () => 0;
    const exports = slabExports(slub);
    const names = Object.keys(exports);
    const mine = Array.from({ length: 20 }, (_, i) => kmalloc(8 << (i % 9)));
    fc.assert(
      fc.property(
        fc.constantFrom(...names),
        fc.array(fc.oneof(odd, fc.constantFrom(...mine)), { minLength: 7, maxLength: 7 }),
        (name, values) => {
          const [signature, fn] = exports[name];
          const letters = signature.split(':')[1];
          const args = [...letters].map((letter, i) => {
            const value = values[i] === 0 ? 0 : values[i]; // no -0
            if (letter === 'u') return value >>> 0;
            if (letter === 'i')
              return name === 'mempool_resize' || name.startsWith('mempool_')
                ? (value | 0) % 1000
                : value | 0;
            if (letter === 'z')
              return Math.min(Math.abs(value), name.includes('bulk') ? 1000 : Number.MAX_SAFE_INTEGER);
            return value;
          });
          try {
            fn(...args);
          } catch (error) {
            if (error instanceof KernelBug) throw error;
            const known =
              error instanceof TestFault ||
              (error instanceof Error && error.message.startsWith('kernel BUG at mm/'));
            if (!known) throw error;
          }
          env.lines.length = 0;
        },
      ),
      { numRuns: 3000, seed: 11 },
    );
  });
});

test('kmalloc of nothing is not freed, not resized to, not measured', () => {
  const { slub } = machine;
  expect(ksize(slub, ZERO_SIZE_PTR)).toBe(0);
  expect(krealloc(slub, ZERO_SIZE_PTR, 0, GFP_KERNEL)).toBe(ZERO_SIZE_PTR);
  const p = krealloc(slub, 0, 100, GFP_KERNEL);
  expect(ksize(slub, p)).toBe(128);
  expect(krealloc(slub, p, 128, GFP_KERNEL)).toBe(p);
  machine.env.ram.fill(p - PAGE_OFFSET, 128, 7);
  const q = krealloc(slub, p, 129, GFP_KERNEL);
  expect(slub.objectInfo(q)?.cache).toBe('kmalloc-192');
  expect(machine.env.ram.u8.subarray(q - PAGE_OFFSET, q - PAGE_OFFSET + 128).every((b) => b === 7)).toBe(
    true,
  );
  kfreeSensitive(slub, q);
  expect(slub.objectInfo(q)?.free).toBe(true);
});
