// SPDX-License-Identifier: MIT
/** Random use of the allocator against a model that only remembers which bytes belong to whom. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { slabInfo } from '../fs/proc/slabinfo.js';
import { type Handle, PAGE_OFFSET, type Vaddr } from '../machine/layout.js';
import { GFP_KERNEL } from './gfp.js';
import { SLAB_HWCACHE_ALIGN, SLAB_RECLAIM_ACCOUNT } from './slab.js';
import { type SlubMachine, slubMachine } from './slub_testing.js';
import { validateSlub } from './slub_validate.js';

type Step =
  | { op: 'kmalloc'; size: number }
  | { op: 'alloc'; cache: number; count: number }
  | { op: 'free'; which: number; count: number }
  | { op: 'cpu'; cpu: number }
  | { op: 'create'; size: number; align: number; flags: number }
  | { op: 'shrink'; cache: number }
  | { op: 'destroy'; cache: number };

const steps: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ op: fc.constant('kmalloc' as const), size: fc.integer({ min: 1, max: 20000 }) }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      op: fc.constant('alloc' as const),
      cache: fc.nat(9),
      count: fc.integer({ min: 1, max: 80 }),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      op: fc.constant('free' as const),
      which: fc.nat(),
      count: fc.integer({ min: 1, max: 60 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ op: fc.constant('cpu' as const), cpu: fc.nat(3) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      op: fc.constant('create' as const),
      size: fc.integer({ min: 1, max: 3000 }),
      align: fc.constantFrom(0, 8, 64, 128),
      flags: fc.constantFrom(0, SLAB_HWCACHE_ALIGN, SLAB_RECLAIM_ACCOUNT),
    }),
  },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('shrink' as const), cache: fc.nat(9) }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('destroy' as const), cache: fc.nat(9) }) },
);

interface Live {
  address: Vaddr;
  size: number;
  byte: number;
  cache: Handle;
}

class Model {
  readonly live: Live[] = [];
  readonly caches: { handle: Handle; size: number }[] = [];
  private serial = 0;

  constructor(readonly machine: SlubMachine) {}

  private keep(address: Vaddr, size: number, cache: Handle): void {
    const byte = (this.serial = (this.serial + 1) & 0xff);
    const p = address - PAGE_OFFSET;
    this.machine.env.ram.fill(p, size, byte);
    this.live.push({ address, size, byte, cache });
  }

  private release(which: number): void {
    const { slub, env } = this.machine;
    const [object] = this.live.splice(which % this.live.length, 1);
    const p = object.address - PAGE_OFFSET;
    expect(env.ram.u8.subarray(p, p + object.size).every((b) => b === object.byte)).toBe(true);
    if (object.cache === 0) slub.kfree(object.address);
    else slub.kmemCacheFree(object.cache, object.address);
  }

  run(step: Step): void {
    const { slub, env } = this.machine;
    const chosen =
      'cache' in step && this.caches.length > 0 ? this.caches[step.cache % this.caches.length] : undefined;
    switch (step.op) {
      case 'kmalloc':
        return this.keep(slub.kmalloc(step.size, GFP_KERNEL), step.size, 0);
      case 'alloc':
        for (let i = 0; chosen !== undefined && i < step.count; i++)
          this.keep(slub.kmemCacheAlloc(chosen.handle, GFP_KERNEL), chosen.size, chosen.handle);
        return;
      case 'free':
        for (let i = 0; i < step.count && this.live.length > 0; i++) this.release(step.which + i * 7);
        return;
      case 'cpu':
        return env.setCurrent({ cpu: step.cpu % env.nrCpus });
      case 'create': {
        const handle = slub.kmemCacheCreate(`cache-${this.caches.length}`, step.size, step.align, step.flags);
        expect(handle).not.toBe(0);
        this.caches.push({ handle, size: step.size });
        return;
      }
      case 'shrink':
        if (chosen !== undefined) slub.kmemCacheShrink(chosen.handle);
        return;
      case 'destroy':
        if (chosen === undefined) return;
        for (let i = this.live.length - 1; i >= 0; i--)
          if (this.live[i].cache === chosen.handle) this.release(i);
        slub.kmemCacheDestroy(chosen.handle);
        this.caches.splice(this.caches.indexOf(chosen), 1);
    }
  }

  /** Gives everything back; afterwards nothing may be in use that was not before. */
  finish(): void {
    const { slub } = this.machine;
    while (this.live.length > 0) this.release(0);
    for (const { handle } of this.caches) slub.kmemCacheDestroy(handle);
    for (const cache of slub.caches()) slub.kmemCacheShrink(cache);
  }
}

/** Number of slabs of each cache. */
const slabs = ({ slub }: SlubMachine) =>
  [...slub.caches()].map((cache) => slabInfo(slub, cache)).map(({ name, numSlabs }) => [name, numSlabs]);

const bareMachine = (parameters: Record<string, string>, nrCpus: number) => {
  const machine = slubMachine({ nrCpus, parameters });
  const freePages = () => {
    for (const cache of machine.slub.caches()) machine.slub.kmemCacheShrink(cache);
    return machine.mm.freePageCount();
  };
  return { machine, freePages };
};

describe.each([
  ['plain', {}],
  ['hardened and random', { slab_freelist_hardened: '1', slab_freelist_random: '1' }],
  ['slub_debug=FZP', { slub_debug: 'FZP' }],
  ['init_on_free', { init_on_free: '1', init_on_alloc: '1' }],
] as const)('%s', (_name, parameters) => {
  test('objects never overlap, keep their bytes, and all invariants hold after each step', () => {
    fc.assert(
      fc.property(fc.array(steps, { maxLength: 60 }), fc.constantFrom(1, 2, 4), (program, nrCpus) => {
        const { machine, freePages } = bareMachine(parameters, nrCpus);
        const before = freePages();
        const slabsBefore = slabs(machine);
        const model = new Model(machine);
        for (const step of program) {
          model.run(step);
          expect(validateSlub(machine.slub)).toEqual([]);
        }
        model.finish();
        expect(freePages()).toBe(before);
        expect(slabs(machine)).toEqual(slabsBefore);
        expect(machine.env.lines.filter((line) => /BUG|FIX|WARN/.test(line))).toEqual([]);
      }),
      { numRuns: 25, seed: 6 },
    );
  });
});
