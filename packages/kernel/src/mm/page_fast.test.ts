// SPDX-License-Identifier: MIT
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { __GFP_NOWARN, __GFP_ZERO, GFP_ATOMIC, GFP_HIGHUSER_MOVABLE, GFP_KERNEL } from './gfp.js';
import { pageMachine } from './page_alloc_testing.js';

const KINDS = [GFP_KERNEL, GFP_KERNEL | __GFP_ZERO, GFP_ATOMIC, GFP_HIGHUSER_MOVABLE, GFP_KERNEL | 1];

describe('the fast path', () => {
  it('leaves the same memory as the general path, bit for bit', () => {
    const step = fc.record({
      free: fc.boolean(),
      kind: fc.nat(KINDS.length - 1),
      pick: fc.nat(),
      cpu: fc.nat(1),
    });
    fc.assert(
      fc.property(fc.array(step, { minLength: 10, maxLength: 400 }), (steps) => {
        const machines = [pageMachine(16, 2), pageMachine(16, 2)];
        machines[1].mm.useFastPath = false;
        const held: number[][] = [[], []];
        for (const { free, kind, pick, cpu } of steps)
          machines.forEach(({ env, mm }, i) => {
            env.setCurrent({ cpu });
            if (!free || held[i].length === 0) held[i].push(mm.allocPages(KINDS[kind] | __GFP_NOWARN, 0));
            else mm.freePages(held[i].splice(pick % held[i].length, 1)[0], 0);
          });
        expect(held[0]).toEqual(held[1]);
        expect(Buffer.compare(machines[0].env.ram.u8, machines[1].env.ram.u8)).toBe(0);
      }),
      { seed: 5, numRuns: 25 },
    );
  });
});
