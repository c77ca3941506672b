// SPDX-License-Identifier: MIT
/** memcpy, memmove and memset over page borders, as functions and as instructions, against a plain array. */

import { PF_WRITE } from '@pagewalk/kernel/arch/wasm64/mmu';
import type { BareMachine } from '@pagewalk/kernel/arch/wasm64/testing';
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { machineWith } from '../support/clang.js';
import { trapOf } from '../support/traps.js';

const SOURCE = `
void *memcpy(void *, const void *, unsigned long); void *memmove(void *, const void *, unsigned long);
void *memset(void *, int, unsigned long);
void *move(void *d, void *s, unsigned long n) { return memmove(d, s, n); }
void *copy(void *d, void *s, unsigned long n) { return memcpy(d, s, n); }
void *fill(void *d, int v, unsigned long n) { return memset(d, v, n); }
struct block { char bytes[5000]; };
void assign(struct block *d, struct block *s) { *d = *s; }
`;
const PAGES = 4;
const BYTES = PAGES * 4096;

describe.each([
  { form: 'functions', flags: [] },
  { form: 'instructions', flags: ['-mbulk-memory', '-mbulk-memory-opt'] },
])('$form', ({ flags }) => {
  describe.each([
    { area: 'direct map', vmalloc: false, directMap: true },
    { area: 'direct map through the TLB', vmalloc: false, directMap: false },
    { area: 'vmalloc', vmalloc: true, directMap: true },
  ])('$area', ({ vmalloc, directMap }) => {
    let machine: BareMachine;
    let base: number;
    const model = new Uint8Array(BYTES);
    beforeAll(async () => {
      machine = await machineWith(SOURCE, { flags, directMap });
      base = vmalloc ? machine.vmalloc(BYTES) : machine.alloc(BYTES);
      for (let i = 0; i < BYTES; i++) model[i] = (i * 7 + (i >> 8)) & 255;
      for (let page = 0; page < PAGES; page++)
        machine.ram.u8.set(model.subarray(page * 4096, (page + 1) * 4096), frameOf(page));
    });
    const frameOf = (page: number) => machine.mmu.translate(base + page * 4096);
    const check = () => {
      for (let page = 0; page < PAGES; page++) {
        const at = frameOf(page);
        const want = model.subarray(page * 4096, (page + 1) * 4096);
        expect(Buffer.compare(machine.ram.u8.subarray(at, at + 4096), want)).toBe(0);
      }
    };
    const place = fc.oneof(
      fc.integer({ min: 0, max: BYTES }),
      fc
        .tuple(fc.integer({ min: 0, max: PAGES }), fc.integer({ min: -9, max: 9 }))
        .map(([page, by]) => page * 4096 + by),
    );
    const length = fc.oneof(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 0, max: BYTES }));

    test('memmove, overlapping in both directions', () => {
      fc.assert(
        fc.property(place, place, length, (to, from, n) => {
          fc.pre(to >= 0 && from >= 0 && Math.max(to, from) + n <= BYTES);
          expect(machine.call('move', 'p:ppz', base + to, base + from, n)).toBe(base + to);
          model.copyWithin(to, from, from + n);
          check();
        }),
        { seed: 3, numRuns: 300 },
      );
    });

    test('memset', () => {
      fc.assert(
        fc.property(place, length, fc.integer({ min: -300, max: 300 }), (to, n, value) => {
          fc.pre(to >= 0 && to + n <= BYTES);
          expect(machine.call('fill', 'p:piz', base + to, value, n)).toBe(base + to);
          model.fill(value & 255, to, to + n);
          check();
        }),
        { seed: 4, numRuns: 200 },
      );
    });

    test('memcpy, and a large struct assigned', () => {
      machine.call('copy', 'p:ppz', base + 4090, base + 1, 4100);
      model.copyWithin(4090, 1, 4101);
      machine.call('assign', 'v:pp', base + 9000, base + 3);
      model.copyWithin(9000, 3, 5003);
      check();
    });

    test('nothing, at any address', () => {
      for (const address of [0, 2 ** 50, -1]) {
        expect(machine.call('move', 'p:ppz', address, address, 0)).toBe(address);
        expect(machine.call('fill', 'p:piz', address, 1, 0)).toBe(address);
      }
    });

    test('a fault after part is done names the page, and what was done stays', () => {
      const end = vmalloc ? base + BYTES : undefined;
      if (end === undefined) return;
      expect(trapOf(() => machine.call('fill', 'p:piz', end - 10, 77, 100))).toEqual({
        kind: 'fault',
        address: end,
        code: PF_WRITE,
      });
      model.fill(77, BYTES - 10);
      check();
      expect(trapOf(() => machine.call('copy', 'p:ppz', base, end - 4, 5000))).toEqual({
        kind: 'fault',
        address: end,
        code: 0,
      });
      model.copyWithin(0, BYTES - 4, BYTES);
      check();
    });

    test('the source is read before the target is written, as on x86', () => {
      expect(trapOf(() => machine.call('copy', 'p:ppz', 0, 16, 8))).toEqual({
        kind: 'fault',
        address: 16,
        code: 0,
      });
    });

    test('absurd lengths end in a fault', () => {
      for (const n of [2 ** 40, 2 ** 53 - 1, -1]) {
        expect(trapOf(() => machine.call('fill', 'p:piz', 4096, 0, n))?.address).toBe(4096);
        expect(trapOf(() => machine.call('copy', 'p:ppz', base, 4096, n))?.kind).toBe('fault');
      }
    });
  });
});
