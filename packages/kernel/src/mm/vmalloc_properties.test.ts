// SPDX-License-Identifier: MIT
/** Random use of vmalloc against a model that only remembers which addresses and which bytes belong to whom. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Handle, PAGE_OFFSET, PAGE_SIZE, type Vaddr } from '../machine/layout.js';
import { __GFP_NOWARN, GFP_KERNEL } from './gfp.js';
import { pageToVmemmap } from './page.js';
import { PAGE_KERNEL } from './pgtable.js';
import { vmMapRam, vmUnmapRam } from './vm_map_ram.js';
import { MODULES_RANGE, VMALLOC_RANGE } from './vmalloc.js';
import { validateVmalloc } from './vmalloc_check.js';
import { vmallocExports } from './vmalloc_exports.js';
import { type VmallocMachine, vmallocMachine } from './vmalloc_testing.js';
import { VM_MAP } from './vmalloc_types.js';
import { protectionBits } from './vmap_pages.js';

type Step =
  | { op: 'vmalloc'; bytes: number; align: number; modules: boolean }
  | { op: 'vmap' | 'ram'; pages: number }
  | { op: 'free'; which: number; inside: number }
  | { op: 'purge' };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      op: fc.constant('vmalloc' as const),
      bytes: fc.oneof(fc.integer({ min: 1, max: 20 * PAGE_SIZE }), fc.integer({ min: 1, max: 3 << 20 })),
      align: fc.constantFrom(1, PAGE_SIZE, 4 * PAGE_SIZE, 2 ** 21),
      modules: fc.boolean(),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      op: fc.constantFrom('vmap' as const, 'ram' as const),
      pages: fc.integer({ min: 1, max: 20 }),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({ op: fc.constant('free' as const), which: fc.nat(), inside: fc.nat() }),
  },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('purge' as const) }) },
);

interface Area {
  readonly kind: 'vmalloc' | 'vmap' | 'ram';
  readonly start: Vaddr;
  readonly bytes: number;
  /** What was written to each page. */
  readonly mark: number;
}

const RW = protectionBits(PAGE_KERNEL);

/** Pages that vmap and vm_map_ram map, each as often as they like. */
function sharedPages({ env, mm, slub }: VmallocMachine, count: number) {
  const pages: Handle[] = Array.from({ length: count }, () => mm.allocPages(GFP_KERNEL, 0));
  const array = slub.kmalloc(8 * count, GFP_KERNEL);
  pages.forEach((page, i) => {
    env.ram.set64(env.ram.handleOf(array) + 2 * i, pageToVmemmap(mm.map.base, page));
    env.ram.fill(mm.pageAddress(page) - PAGE_OFFSET, PAGE_SIZE, 0xee);
  });
  return array;
}

class Run {
  readonly m = vmallocMachine({ mib: 16 });
  private readonly array = sharedPages(this.m, 20);
  private readonly before = this.m.accounted();
  private readonly areas: Area[] = [];
  private marks = 0;

  step(step: Step): void {
    const { vmalloc } = this.m;
    if (step.op === 'vmalloc') this.vmalloc(step);
    else if (step.op === 'purge') vmalloc.areas.purgeLazy();
    else if (step.op === 'free') this.free(step.which, step.inside);
    else {
      const { pages } = step;
      const map = () =>
        step.op === 'ram'
          ? vmMapRam(vmalloc, this.array, pages)
          : vmalloc.vmap(this.array, pages, VM_MAP, RW, 0);
      this.add(step.op, map(), pages * PAGE_SIZE);
    }
  }

  private vmalloc({ bytes: size, align, modules }: Step & { op: 'vmalloc' }): void {
    const range = modules ? MODULES_RANGE : VMALLOC_RANGE;
    const gfp = GFP_KERNEL | __GFP_NOWARN;
    const address = this.m.vmalloc.alloc({ size, align, range, gfp, caller: 0 });
    expect(address % align).toBe(address === 0 ? 0 : -0);
    if (address !== 0) expect(address >= range.start && address + size < range.end).toBe(true);
    this.add('vmalloc', address, size);
  }

  private add(kind: Area['kind'], start: Vaddr, bytes: number): void {
    if (start === 0) return;
    const end = start + bytes + (kind === 'ram' ? 0 : PAGE_SIZE);
    for (const other of this.areas)
      expect(end <= other.start || start >= other.start + other.bytes).toBe(true);
    const mark = kind === 'vmalloc' ? (this.marks = (this.marks + 1) % 200) : 0xee;
    for (let at = start; kind === 'vmalloc' && at < start + bytes; at += PAGE_SIZE)
      this.m.env.guest.write(at, Uint8Array.of(mark));
    this.areas.push({ kind, start, bytes, mark });
  }

  private free(which: number, inside: number): void {
    if (this.areas.length === 0) return;
    const [{ kind, start, bytes, mark }] = this.areas.splice(which % this.areas.length, 1);
    for (let at = start; at < start + bytes; at += PAGE_SIZE)
      expect(this.m.env.guest.read(at, 1)[0]).toBe(mark);
    const page = start + (inside % Math.ceil(bytes / PAGE_SIZE)) * PAGE_SIZE;
    this.m.flushed.length = 0;
    if (kind === 'ram') vmUnmapRam(this.m.vmalloc, start);
    else if (kind === 'vmap') this.m.vmalloc.vunmap(page);
    else this.m.vmalloc.vfree(page);
    const { flushed } = this.m;
    for (let at = start; at < start + bytes; at += PAGE_SIZE) {
      expect(this.m.env.guest.translate(at)).toBe(-1);
      expect(flushed.includes(at) || flushed.includes('all')).toBe(true);
    }
  }

  check(): void {
    const { m } = this;
    expect(validateVmalloc(m.vmalloc)).toEqual([]);
    expect(m.accounted()).toBe(this.before - m.vmalloc.nrPages);
  }

  finish(): void {
    while (this.areas.length > 0) this.free(0, 0);
    this.m.vmalloc.areas.purgeLazy();
    this.check();
    const { areas } = this.m.vmalloc;
    expect([...areas.areas(areas.free)].length).toBe(1);
    expect([...areas.areas(areas.busy)].length).toBe(0);
  }
}

test('areas are disjoint, pages are private, everything comes back', () => {
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 40 }), (steps) => {
      const run = new Run();
      for (const s of steps) {
        run.step(s);
        run.check();
      }
      run.finish();
    }),
    { numRuns: 40, seed: 61 },
  );
});

test('the lowest place that fits is taken', () => {
  const m = vmallocMachine();
  const alloc = (pages: number, align = 1) =>
    m.vmalloc.alloc({ size: pages * PAGE_SIZE, align, gfp: GFP_KERNEL, caller: 0 });
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.integer({ min: 1, max: 9 }), fc.boolean(), fc.integer({ min: 0, max: 3 })), {
        maxLength: 30,
      }),
      (wanted) => {
        const taken: { start: number; end: number }[] = [];
        for (const [pages, free, alignShift] of wanted) {
          const align = PAGE_SIZE << alignShift;
          const start = alloc(pages, align);
          let expected = Math.ceil(VMALLOC_RANGE.start / align) * align;
          for (const area of taken.sort((a, b) => a.start - b.start))
            if (area.start < expected + (pages + 1) * PAGE_SIZE && expected < area.end)
              expected = Math.ceil(area.end / align) * align;
          expect(start).toBe(expected);
          if (free) {
            m.vmalloc.vfree(start);
            m.vmalloc.areas.purgeLazy();
          } else taken.push({ start, end: start + (pages + 1) * PAGE_SIZE });
        }
        for (const { start } of taken) m.vmalloc.vfree(start);
        m.vmalloc.areas.purgeLazy();
      },
    ),
    { numRuns: 60, seed: 62 },
  );
});

test('no number makes an exception', () => {
  const m = vmallocMachine();
  const odd = fc.oneof(
    fc.constantFrom(0, 1, -1, 4095, 4096, 2 ** 31, 2 ** 32, 2 ** 47, 2 ** 63, 2 ** 64, -(2 ** 63), -4096),
    fc.integer({ min: -(2 ** 40), max: 2 ** 40 }).map((pages) => pages * PAGE_SIZE),
    fc.double({ min: -(2 ** 63), max: 2 ** 63, noNaN: true }).map(Math.trunc),
  );
  fc.assert(
    fc.property(odd, fc.integer({ min: 0, max: 2 ** 32 - 1 }), (n, gfp) => {
      m.vmalloc.vfree(n);
      m.vmalloc.vunmap(n);
      m.ioremap.unmap(n);
      m.vmalloc.mapping.toPage(n);
      m.vmalloc.vfree(m.vmalloc.alloc({ size: Math.abs(n), gfp: gfp & ~0x8000, caller: 0 }));
      expect(validateVmalloc(m.vmalloc)).toEqual([]);
    }),
    { numRuns: 300, seed: 63 },
  );
});

test('C may pass what it likes', () => {
  const m = vmallocMachine();
  const exports = Object.entries(vmallocExports(m.vmalloc, m.ioremap));
  const word = fc.oneof(
    fc.constantFrom(0n, 1n, 4095n, 4096n, 1n << 31n, 1n << 32n, 1n << 47n, 1n << 63n, (1n << 64n) - 1n),
    fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
    fc.integer({ min: 0, max: 4000 }).map((page) => BigInt.asUintN(64, BigInt(PAGE_OFFSET + page * 4096))),
    fc
      .integer({ min: 0, max: 40 })
      .map((page) => BigInt.asUintN(64, BigInt(VMALLOC_RANGE.start + page * 4096))),
  );
  /** A 64-bit word as a parameter's letter has it. */
  const convert = (letter: string, value: bigint): number | bigint => {
    if (letter === 'q') return BigInt.asIntN(64, value);
    if (letter === 'i') return Number(BigInt.asIntN(32, value));
    // Without __GFP_NOFAIL: what cannot fail and has no memory is a panic.
    if (letter === 'u') return Number(BigInt.asUintN(32, value) & ~0x8000n);
    return Number(letter === 'z' ? BigInt.asUintN(64, value) : BigInt.asIntN(64, value));
  };
  fc.assert(
    fc.property(
      fc.nat(exports.length - 1),
      fc.array(word, { minLength: 4, maxLength: 4 }),
      (which, words) => {
        const [, [signature, fn]] = exports[which];
        const letters = [...signature.split(':')[1]];
        try {
          fn(...letters.map((letter, i) => convert(letter, words[i])));
        } catch (error) {
          // What stands for an oops here: a fault, or BUG().
          expect(error).toBeInstanceOf(Error);
          expect((error as Error).message).toMatch(/unmapped address|kernel BUG at/);
        }
      },
    ),
    { numRuns: 3000, seed: 64 },
  );
  // vunmap() of what vmalloc() gave loses its pages, as in Linux; all else must hold.
  const lost = /^nr_vmalloc_pages/;
  expect(validateVmalloc(m.vmalloc).filter((problem) => !lost.test(problem))).toEqual([]);
});
