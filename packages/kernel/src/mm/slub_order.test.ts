// SPDX-License-Identifier: MIT
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DEBUG_DEFAULT_FLAGS, SLAB_KMALLOC, SLAB_RED_ZONE } from './slab.js';
import { RECORDED_GEOMETRY } from './slub_geometry.fixture.js';
import {
  calculateOrder,
  calculateSizes,
  cpuPartial,
  minPartial,
  orderObjects,
  reciprocalValue,
} from './slub_order.js';

const limits = (nrCpus: number) => ({ minOrder: 0, maxOrder: 3, minObjects: 0, nrCpus });

describe('slab geometry', () => {
  test.each([
    [1, 1],
    [2, 3],
    [4, 5],
  ])('with %i CPUs is that of the recorded machine', (cpus, column) => {
    const ours = RECORDED_GEOMETRY.map(([size]) => {
      const order = calculateOrder(size, limits(cpus));
      return [size, orderObjects(order, size), 1 << order];
    });
    expect(ours).toEqual(RECORDED_GEOMETRY.map((row) => [row[0], row[column], row[column + 1]]));
  });

  test('with slub_debug=FZPU is that of the recorded reports', () => {
    const flags = DEBUG_DEFAULT_FLAGS | SLAB_KMALLOC;
    expect(calculateSizes(64, 64, flags, false, limits(2))).toMatchObject({
      size: 256,
      inuse: 72,
      offset: 72,
      red_left_pad: 64,
      oo: 16,
    });
    expect(calculateSizes(128, 128, flags, false, limits(2))).toMatchObject({
      size: 384,
      oo: (1 << 16) + 21,
    });
  });

  test('a red zone behind an object is at least a byte, and a word where the object fills its words', () => {
    expect(calculateSizes(8, 8, SLAB_RED_ZONE, false, limits(1))?.inuse).toBe(16);
    expect(calculateSizes(12, 8, SLAB_RED_ZONE, false, limits(1))?.inuse).toBe(16);
  });

  test('every slab that is given an order holds its objects', () => {
    fc.assert(
      fc.property(fc.integer({ min: 8, max: 4 << 20 }), fc.integer({ min: 1, max: 8 }), (size, cpus) => {
        const order = calculateOrder(size, limits(cpus));
        return order >= 0 && order <= 10 && orderObjects(order, size) >= 1;
      }),
    );
    expect(calculateOrder((4 << 20) + 1, limits(1))).toBe(-1);
  });

  test('partial slabs kept by CPU and node', () => {
    expect(cpuPartial(256, false, 16)).toEqual([52, 7]);
    expect(cpuPartial(64, true, 16)).toEqual([0, 0]);
    expect([8, 256, 4096, 2 ** 20].map(minPartial)).toEqual([5, 5, 6, 10]);
  });

  test('reciprocal value divides', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 65536 }), fc.integer({ min: 0, max: 2 ** 22 }), (d, n) => {
        const { m, sh1, sh2 } = reciprocalValue(d);
        const t = Number((BigInt(n) * BigInt(m)) >> 32n);
        return Math.floor((t + Math.floor((n - t) / 2 ** sh1)) / 2 ** sh2) === Math.floor(n / d);
      }),
    );
  });
});
