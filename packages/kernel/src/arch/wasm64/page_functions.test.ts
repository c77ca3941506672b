// SPDX-License-Identifier: MIT
/** The generated page functions against TypeScript's: the same calls must leave the same RAM. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Kernel } from '../../boot.js';
import { PAGE_OFFSET, REG, VMEMMAP_START } from '../../machine/layout.js';
import { checkPageAllocator } from '../../mm/debug_vm.js';
import {
  __GFP_COMP,
  __GFP_NOWARN,
  __GFP_ZERO,
  GFP_ATOMIC,
  GFP_DMA,
  GFP_HIGHUSER_MOVABLE,
  GFP_KERNEL,
} from '../../mm/gfp.js';

const BYTES = 8 * 2 ** 20;
const GFPS = [GFP_KERNEL, GFP_KERNEL | __GFP_ZERO, GFP_ATOMIC, GFP_HIGHUSER_MOVABLE, GFP_KERNEL | GFP_DMA];

class Subject {
  readonly kernel: Kernel;
  private readonly live: { at: number; order: number }[] = [];

  constructor(fast: boolean, cpus: number) {
    this.kernel = new Kernel({ memory: BYTES, cpus });
    this.kernel.slowPaths.force(!fast);
  }

  call(name: string, signature: string, ...args: number[]): number | string {
    try {
      return this.kernel.callC(this.kernel.symbols.find(name)!, signature, ...args);
    } catch (error) {
      return String(error);
    }
  }

  alloc(gfp: number, wanted: number): number | string {
    // Atomic blocks reserve pageblocks, which is not what is compared here.
    const order = gfp === GFP_ATOMIC ? 0 : wanted;
    const name = gfp & 0x40 ? '__get_free_pages' : 'alloc_pages';
    const at = this.call(name, 'p:uu', gfp | __GFP_NOWARN, order);
    if (typeof at === 'number' && at !== 0) this.live.push({ at, order });
    return at;
  }

  free(which: number): number | string {
    if (this.live.length === 0) return 0;
    const [{ at, order }] = this.live.splice(which % this.live.length, 1);
    return this.call(at >= VMEMMAP_START ? '__free_pages' : 'free_pages', 'v:pu', at, order);
  }
}

const sameRam = (a: Subject, b: Subject): boolean => Buffer.compare(a.kernel.ram.u8, b.kernel.ram.u8) === 0;

const step = fc.record({
  free: fc.boolean(),
  n: fc.integer({ min: 1, max: 200 }),
  order: fc.constantFrom(0, 0, 0, 0, 1, 3),
  gfp: fc.constantFrom(...GFPS),
  which: fc.nat(),
  cpu: fc.nat(1),
});

describe('pages', () => {
  test('the same results and the same RAM, byte for byte, until memory runs out', () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 5, maxLength: 30 }), fc.constantFrom(1, 2), (program, cpus) => {
        const both = [true, false].map((on) => new Subject(on, cpus));
        for (const { free, n, order, gfp, which, cpu } of program) {
          const [fast, slow] = both.map((s) => {
            s.kernel.ram.host32[REG.cpu >> 2] = cpu % cpus;
            return Array.from({ length: n }, (_, i) => (free ? s.free(which + 7 * i) : s.alloc(gfp, order)));
          });
          expect(fast).toEqual(slow);
          checkPageAllocator(both[0].kernel.pages);
        }
        expect(sameRam(both[0], both[1])).toBe(true);
      }),
      { seed: 12, numRuns: 25 },
    );
  });

  const WILD: readonly (readonly [string, (s: Subject) => unknown])[] = [
    ['free_pages(0)', (s) => s.call('free_pages', 'v:pu', 0, 0)],
    ['free_pages outside of RAM', (s) => s.call('free_pages', 'v:pu', PAGE_OFFSET + BYTES, 0)],
    ['free_pages of a reserved page', (s) => s.call('free_pages', 'v:pu', PAGE_OFFSET, 0)],
    [
      'free_pages twice',
      (s) => [s.free(0), s.free(0), s.call('free_pages', 'v:pu', PAGE_OFFSET + 0x400000, 0)],
    ],
    ['__free_pages(NULL)', (s) => s.call('__free_pages', 'v:pu', 0, 0)],
    ['__free_pages between two pages', (s) => s.call('__free_pages', 'v:pu', VMEMMAP_START + 96, 0)],
    ['__free_pages past the last', (s) => s.call('__free_pages', 'v:pu', VMEMMAP_START + BYTES / 64, 0)],
    ['order 11', (s) => s.call('__get_free_pages', 'p:uu', GFP_KERNEL, 11)],
    ['order -1', (s) => s.call('__get_free_pages', 'p:uu', GFP_KERNEL, 0xffffffff)],
    ['a compound page', (s) => [s.alloc(GFP_KERNEL | __GFP_COMP, 0), s.free(0)]],
  ];
  test.each(WILD)('%s: what TypeScript does', (_name, act) => {
    const [fast, slow] = [true, false].map((on) => {
      const s = new Subject(on, 1);
      for (let i = 0; i < 3; i++) s.alloc(GFP_KERNEL, 0);
      return s;
    });
    expect(act(fast)).toEqual(act(slow));
    expect(fast.kernel.printk.records(0)).toEqual(slow.kernel.printk.records(0));
    expect(sameRam(fast, slow)).toBe(true);
  });
});
