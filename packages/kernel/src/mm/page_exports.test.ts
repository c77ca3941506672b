// SPDX-License-Identifier: MIT
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { KernelBug } from '../lib/env.js';
import { TestFault } from '../lib/testing.js';
import {
  KERNEL_DATA_START,
  MODULES_VADDR,
  PAGE_OFFSET,
  VMALLOC_START,
  VMEMMAP_START,
} from '../machine/layout.js';
import { checkPageAllocator } from './debug_vm.js';
import { __GFP_COMP, __GFP_NOWARN, GFP_KERNEL } from './gfp.js';
import { Page } from './page.js';
import { pageMachine } from './page_alloc_testing.js';
import { getOrder, pageExports } from './page_exports.js';

function machine(mib = 16) {
  const { env, mm } = pageMachine(mib);
  const exports = pageExports(mm);
  const call = (name: string, ...args: unknown[]) => exports[name][1](...args) as number;
  return { env, mm, exports, call };
}

describe('what C calls', () => {
  it('gives vmemmap pointers for pages, direct-map addresses for memory', () => {
    const { mm, call } = machine();
    const page = call('alloc_pages', GFP_KERNEL, 1);
    const pfn = (page - VMEMMAP_START) / 64;
    expect(Number.isInteger(pfn)).toBe(true);
    call('__free_pages', page, 1);
    const address = call('__get_free_pages', GFP_KERNEL, 0);
    expect(call('__virt_addr_valid', address)).toBe(true);
    call('free_pages', address, 0);
    call('free_pages', 0, 0);
    checkPageAllocator(mm);
    expect(mm.freePageCount()).toBe(mm.totalramPages);
  });

  it('alloc_pages_exact keeps only what was asked for', () => {
    const { env, mm, call } = machine();
    const address = call('alloc_pages_exact', 5 * 4096 - 10, GFP_KERNEL);
    expect(mm.freePageCount()).toBe(mm.totalramPages - 5);
    checkPageAllocator(mm);
    call('free_pages_exact', address, 5 * 4096 - 10);
    expect(mm.freePageCount()).toBe(mm.totalramPages);
    expect(call('alloc_pages_exact', 2 ** 40, GFP_KERNEL | __GFP_NOWARN)).toBe(0);
    expect(call('alloc_pages_exact', 0, GFP_KERNEL)).toBe(0);
    expect(env.lines.filter((l) => l.includes('WARNING'))).toHaveLength(1);
    expect([1, 4096, 4097, 8192, 8193].map(getOrder)).toEqual([0, 0, 1, 1, 2]);
  });

  it('split_page makes single pages', () => {
    const { mm, call } = machine();
    const page = call('alloc_pages', GFP_KERNEL, 2);
    call('split_page', page, 2);
    for (let i = 3; i >= 0; i--) call('__free_pages', page + i * Page.size, 0);
    expect(mm.freePageCount()).toBe(mm.totalramPages);
    const compound = call('alloc_pages', GFP_KERNEL | __GFP_COMP, 2);
    expect(() => call('split_page', compound, 2)).toThrow('kernel BUG at mm/page_alloc.c');
  });

  it('bulk allocation fills the gaps of an array', () => {
    const { env, mm, call } = machine();
    const array = call('get_zeroed_page', GFP_KERNEL);
    const used = mm.freePageCount();
    const mine = call('alloc_pages', GFP_KERNEL, 0);
    env.guest.write(array + 16, new Uint8Array(BigInt64Array.of(BigInt(mine)).buffer));
    expect(call('__alloc_pages_bulk', GFP_KERNEL, 0, 0, 6, 0, array)).toBe(6);
    const pages = Array.from({ length: 6 }, (_, i) =>
      Number(BigInt.asIntN(64, env.guest.readU64(array + 8 * i))),
    );
    expect(pages[2]).toBe(mine);
    expect(new Set(pages).size).toBe(6);
    expect(mm.freePageCount()).toBe(used - 6);
    for (const page of pages) call('put_page', page);
    expect(mm.freePageCount()).toBe(used);
    expect(call('__alloc_pages_bulk', GFP_KERNEL, 0, 0, -3, 0, array)).toBe(0);
    checkPageAllocator(mm);
  });

  it('get_page and put_page follow a tail to its head', () => {
    const { mm, call } = machine();
    const head = call('alloc_pages', GFP_KERNEL | __GFP_COMP, 3);
    call('get_page', head + 3 * Page.size);
    call('put_page', head + 7 * Page.size);
    expect(mm.freePageCount()).toBe(mm.totalramPages - 8);
    call('put_page', head);
    expect(mm.freePageCount()).toBe(mm.totalramPages);
  });
});

/** Addresses that no right-minded caller passes. */
const wildAddress = fc.oneof(
  fc.constantFrom(
    0,
    1,
    -1,
    4096,
    2 ** 47 - 1,
    PAGE_OFFSET,
    PAGE_OFFSET - 1,
    VMEMMAP_START,
    VMEMMAP_START - 64,
  ),
  fc.constantFrom(VMALLOC_START, MODULES_VADDR, KERNEL_DATA_START, KERNEL_DATA_START + 64, -(2 ** 47)),
  fc.integer({ min: 0, max: 2 ** 24 }).map((offset) => PAGE_OFFSET + offset),
  fc.integer({ min: 0, max: 4200 }).map((pfn) => VMEMMAP_START + 64 * pfn),
  fc.integer({ min: 0, max: 2 ** 18 }).map((offset) => VMEMMAP_START + offset),
  fc.maxSafeInteger().map((n) => n % 2 ** 47),
);
const unsigned = fc.oneof(
  fc.nat(12),
  fc.constantFrom(31, 32, 63, 64, 4294967295),
  fc.nat({ max: 4294967295 }),
);
const size = fc.oneof(unsigned, fc.constantFrom(2 ** 52, 2 ** 53 - 1, 4095, 4097));
const argument = { u: unsigned, p: wildAddress, z: size, i: fc.integer() };

describe('fuzz: any argument ends in memory, NULL, an oops or a report', () => {
  const signatures = Object.entries(machine(8).exports).map(([name, [signature]]) => ({ name, signature }));
  const calls = fc.array(
    fc.constantFrom(...signatures).chain(({ name, signature }) => {
      const parameters = signature.split(':')[1];
      const args = [...parameters].map((letter) => argument[letter as keyof typeof argument]);
      return fc.record({ name: fc.constant(name), args: fc.tuple(...args) });
    }),
    { minLength: 5, maxLength: 40 },
  );

  it('one after the other on one machine', () => {
    fc.assert(
      fc.property(calls, (sequence) => {
        const { mm, call } = machine(8);
        for (const { name, args } of sequence) {
          try {
            call(name, ...args);
          } catch (error) {
            if (error instanceof KernelBug) throw error;
            if (!(error instanceof TestFault) && !/^kernel BUG at /.test((error as Error).message))
              throw error;
          }
        }
        mm.drainAllPages();
        mm.allocPages(GFP_KERNEL | __GFP_NOWARN, 3);
      }),
      { seed: 11, numRuns: 60 },
    );
  });
});
