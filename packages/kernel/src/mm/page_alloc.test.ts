// SPDX-License-Identifier: MIT
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Handle } from '../machine/layout.js';
import { checkPageAllocator } from './debug_vm.js';
import {
  __GFP_COMP,
  __GFP_DMA,
  __GFP_NOWARN,
  __GFP_ZERO,
  GFP_ATOMIC,
  GFP_HIGHUSER_MOVABLE,
  GFP_KERNEL,
  GFP_NOWAIT,
} from './gfp.js';
import { Zone } from './mmzone.js';
import { PAGE_WORDS, Page } from './page.js';
import { PageAllocator } from './page_alloc.js';
import { pageMachine } from './page_alloc_testing.js';
import { zoneStatItem } from './vmstat.js';

const QUIET = GFP_KERNEL | __GFP_NOWARN;

describe('boot', () => {
  it.each([8, 16, 17, 64, 256, 2048])('%i MiB: zones, counts and lists agree', (mib) => {
    const { mm } = pageMachine(mib);
    checkPageAllocator(mm);
    expect(mm.nrFreePages()).toBe(mm.totalramPages);
  });

  it('lays the zones out as a PC of 256 MiB', () => {
    const { mm } = pageMachine(256);
    expect(mm.map.i32[mm.map.zone(0) + Zone.w.spanned_pages]).toBe(4095);
    expect(mm.map.i32[mm.map.zone(0) + Zone.w.present_pages]).toBe(3998);
    expect(mm.map.i32[mm.map.zone(1) + Zone.w.zone_start_pfn]).toBe(4096);
  });

  it('logs the memory map as Linux does', () => {
    expect(pageMachine(256).bootLines).toEqual(
      [
        'Zone ranges:',
        '  DMA      [mem 0x0000000000001000-0x0000000000ffffff]',
        '  DMA32    [mem 0x0000000001000000-0x000000000fffffff]',
        '  Normal   empty',
        '  Device   empty',
        'Movable zone start for each node',
        'Early memory node ranges',
        '  node   0: [mem 0x0000000000001000-0x000000000009efff]',
        '  node   0: [mem 0x0000000000100000-0x000000000fffffff]',
        'Initmem setup node 0 [mem 0x0000000000001000-0x000000000fffffff]',
        'On node 0, zone DMA: 1 pages in unavailable ranges',
        'On node 0, zone DMA: 97 pages in unavailable ranges',
        'mem auto-init: stack:off, heap alloc:off, heap free:off',
        expect.stringMatching(/^<6>Built 1 zonelists, mobility grouping on\. {2}Total pages: 6\d{4}$/),
        'Policy zone: DMA32',
        expect.stringMatching(
          /^<6>Memory: 25\d{4}K\/261752K available \(0K kernel code, .* 0K cma-reserved\)$/,
        ),
      ].map((line) => (typeof line === 'string' ? `<6>${line}` : line)),
    );
  });

  it('has 64-byte pages in the layout of Linux 6.1', () => {
    expect(Page.size).toBe(64);
    expect(Page.o).toMatchObject({
      flags: 0,
      lru: 8,
      compound_head: 8,
      compound_order: 17,
      mapping: 24,
      slab_cache: 24,
      index: 32,
      freelist: 32,
      private: 40,
      _mapcount: 48,
      page_type: 48,
      _refcount: 52,
      memcg_data: 56,
    });
  });

  it('attaches to a booted machine by RAM alone', () => {
    const { env, mm } = pageMachine(16);
    const page = mm.allocPages(GFP_KERNEL, 2);
    const free = mm.freePageCount();
    const names = new Map(env.data.variables.map((v) => [v.name, v.handle]));
    const again = new PageAllocator({
      ...env,
      data: { declare: (name: string) => names.get(name)!, variables: [], end: 0 } as never,
    });
    expect(again.freePageCount()).toBe(free);
    again.freePages(page, 2);
    checkPageAllocator(again);
    expect(mm.freePageCount()).toBe(free + 4);
  });
});

describe('allocPages', () => {
  it('gives aligned blocks from the highest zone, and DMA memory on request', () => {
    const { mm } = pageMachine(64);
    for (let order = 0; order <= 10; order++) {
      const page = mm.allocPages(GFP_KERNEL, order);
      expect(mm.pageToPfn(page) % (1 << order)).toBe(0);
      expect(mm.map.zoneIndexOfPage(page)).toBe(1);
      expect(mm.map.i32[page + Page.w._refcount]).toBe(1);
    }
    expect(mm.pageToPfn(mm.allocPages(GFP_KERNEL | __GFP_DMA, 3))).toBeLessThan(4096);
    checkPageAllocator(mm);
  });

  it('refuses orders that are too large, with one warning', () => {
    const { env, mm } = pageMachine(16);
    expect(mm.allocPages(GFP_KERNEL, 11)).toBe(0);
    expect(mm.allocPages(GFP_KERNEL, 4294967295)).toBe(0);
    expect(env.lines.filter((l) => l.includes('WARNING: at mm/page_alloc.c'))).toHaveLength(1);
  });

  it('zeroes on request', () => {
    const { env, mm } = pageMachine(16);
    const dirty = mm.allocPages(GFP_KERNEL, 1);
    const start = mm.pageToPfn(dirty) * 4096;
    env.ram.fill(start, 8192, 0x5a);
    mm.freePages(dirty, 1);
    const clean = mm.allocPages(GFP_KERNEL | __GFP_ZERO, 1);
    const bytes = env.ram.u8.subarray(mm.pageToPfn(clean) * 4096, mm.pageToPfn(clean) * 4096 + 8192);
    expect(bytes.every((b) => b === 0)).toBe(true);
  });

  it('builds compound pages and takes them apart', () => {
    const { mm } = pageMachine(16);
    const head = mm.allocPages(GFP_KERNEL | __GFP_COMP, 3);
    const tail = Page.at(mm.map.ram, head + 5 * PAGE_WORDS);
    expect(tail.compound_head).toBe(2 ** 64 - 0x16 * 2 ** 40 + 64 * mm.pageToPfn(head) + 1);
    mm.getPage(head + 5 * PAGE_WORDS);
    mm.putPage(head + 7 * PAGE_WORDS);
    expect(mm.map.i32[head + Page.w._refcount]).toBe(1);
    mm.putPage(head + PAGE_WORDS);
    checkPageAllocator(mm);
    expect(mm.freePageCount()).toBe(mm.totalramPages);
  });

  it('keeps reserves for atomic allocations', () => {
    const { mm } = pageMachine(32);
    const drain = (gfp: number) => {
      let n = 0;
      while (mm.allocPages(gfp | __GFP_NOWARN, 0) !== 0) n++;
      return n;
    };
    expect(drain(GFP_KERNEL)).toBeGreaterThan(1000);
    expect(drain(GFP_NOWAIT)).toBe(0);
    expect(drain(GFP_ATOMIC)).toBeGreaterThan(0);
    expect(drain(GFP_ATOMIC)).toBe(0);
    expect(mm.nrFreePages()).toBeGreaterThan(0);
    checkPageAllocator(mm);
  });
});

/** The plain model: which page frames are taken. */
class Model {
  readonly used = new Map<Handle, number>();
  constructor(private readonly frames: Set<number>) {}
  take(pfn: number, order: number, page: Handle): void {
    for (let i = pfn; i < pfn + (1 << order); i++) {
      if (!this.frames.delete(i)) throw new Error(`pfn ${i} was not free`);
    }
    this.used.set(page, order);
  }
  give(pfn: number, order: number, page: Handle): void {
    for (let i = pfn; i < pfn + (1 << order); i++) this.frames.add(i);
    this.used.delete(page);
  }
  get free(): number {
    return this.frames.size;
  }
}

const operation = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({ op: fc.constant('alloc' as const), order: fc.nat(10), kind: fc.nat(5) }),
  },
  { weight: 4, arbitrary: fc.record({ op: fc.constant('free' as const), pick: fc.nat() }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('cpu' as const), cpu: fc.nat(1) }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('drain' as const) }) },
);
const KINDS = [
  QUIET,
  GFP_HIGHUSER_MOVABLE | __GFP_NOWARN,
  QUIET | 0x10,
  GFP_ATOMIC | __GFP_NOWARN,
  QUIET | __GFP_DMA,
  QUIET | __GFP_COMP,
];

describe('random operations against a set of frames', () => {
  it.each([8, 24])('%i MiB', (mib) => {
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 150, minLength: 20 }), (operations) => {
        const { env, mm } = pageMachine(mib, 2);
        const free = new Set<number>();
        for (let pfn = 0; pfn < mm.map.maxPfn; pfn++)
          if (mm.map.i32[mm.pfnToPage(pfn) + Page.w._refcount] === 0) free.add(pfn);
        const total = free.size;
        const model = new Model(free);
        for (const o of operations) {
          if (o.op === 'alloc') {
            const page = mm.allocPages(KINDS[o.kind], o.order);
            if (page !== 0) model.take(mm.pageToPfn(page), o.order, page);
          } else if (o.op === 'free' && model.used.size > 0) {
            const [page, order] = [...model.used][o.pick % model.used.size];
            mm.freePages(page, order);
            model.give(mm.pageToPfn(page), order, page);
          } else if (o.op === 'cpu') env.setCurrent({ cpu: o.cpu });
          else if (o.op === 'drain') mm.drainAllPages();
          checkPageAllocator(mm);
          expect(mm.freePageCount()).toBe(model.free);
        }
        for (const [page, order] of [...model.used]) mm.freePages(page, order);
        mm.drainAllPages();
        checkPageAllocator(mm);
        expect(mm.nrFreePages()).toBe(total);
        expect(mm.stat.globalZonePageState(zoneStatItem('nr_free_pages'))).toBe(mm.totalramPages);
        // `BUG: Bad page state` or any other report would be a false alarm.
        expect(env.lines).toEqual([]);
      }),
      { seed: 61, numRuns: 25 },
    );
  });
});
