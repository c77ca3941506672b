// SPDX-License-Identifier: MIT
import { describe, expect, test } from 'vitest';
import { slabinfoText } from '../fs/proc/slabinfo.js';
import { PAGE_OFFSET } from '../machine/layout.js';
import { __GFP_ZERO, GFP_ATOMIC, GFP_KERNEL } from './gfp.js';
import { ZERO_SIZE_PTR } from './slab.js';
import { Slub } from './slub.js';
import { RECORDED_GEOMETRY } from './slub_geometry.fixture.js';
import { slubMachine } from './slub_testing.js';
import { validateSlub } from './slub_validate.js';

const SIZES = [8, 16, 32, 64, 96, 128, 192, 256, 512, 1024, 2048, 4096, 8192];
const suffix = (size: number) => (size >= 1024 ? `${size / 1024}k` : String(size));

describe('after boot', () => {
  test.each([
    [1, 1],
    [2, 3],
    [4, 5],
  ])('with %i CPUs the caches are those of the recorded machine, in its order', (nrCpus, column) => {
    const { slub } = slubMachine({ nrCpus });
    const rows = slabinfoText(slub)
      .split('\n')
      .slice(2, -1)
      .map((line) => line.split(/\s+/));
    const names = ['dma-kmalloc', 'kmalloc-rcl', 'kmalloc-cg', 'kmalloc'].flatMap((type) =>
      [...SIZES].reverse().map((size) => `${type}-${suffix(size)}`),
    );
    expect(rows.map(([name]) => name)).toEqual([...names, 'kmem_cache_node', 'kmem_cache']);
    for (const [, , , size, objects, pages] of rows) {
      const recorded = RECORDED_GEOMETRY.find((row) => row[0] === Number(size))!;
      expect([size, objects, pages].map(Number)).toEqual([
        Number(size),
        recorded[column],
        recorded[column + 1],
      ]);
    }
    expect(validateSlub(slub)).toEqual([]);
  });

  test('slabinfo is in format 2.1', () => {
    const { slub } = slubMachine();
    slub.kmalloc(256, GFP_KERNEL);
    expect(slabinfoText(slub).split('\n').slice(0, 2)).toEqual([
      'slabinfo - version: 2.1',
      '# name            <active_objs> <num_objs> <objsize> <objperslab> <pagesperslab> : tunables <limit> <batchcount> <sharedfactor> : slabdata <active_slabs> <num_slabs> <sharedavail>',
    ]);
    expect(slabinfoText(slub)).toContain(
      '\nkmalloc-256           16     16    256   16    1 : tunables    0    0    0 : slabdata      1      1      0\n',
    );
  });

  test('another object on the same RAM sees the same', () => {
    const { slub, env, mm } = slubMachine();
    slub.kmalloc(100, GFP_KERNEL);
    const before = slabinfoText(slub);
    const declared = Object.create(env.data, { declare: { value: redeclare(env.data.variables) } });
    const again = new Slub({ ...env, data: declared }, mm);
    expect(slabinfoText(again)).toBe(before);
    expect(again.kmalloc(100, GFP_KERNEL)).not.toBe(0);
  });
});

/** Gives variables the places they had. */
function redeclare(variables: readonly { name: string; handle: number }[]) {
  return (name: string) => variables.find((v) => v.name === name)!.handle;
}

describe('kmalloc', () => {
  test('takes the smallest cache that fits', () => {
    const { slub } = slubMachine();
    for (let size = 1; size <= 8192; size += size < 300 ? 1 : 97) {
      const address = slub.kmalloc(size, GFP_KERNEL);
      const fit = SIZES.find((s) => s >= size)!;
      expect(slub.objectInfo(address)).toMatchObject({
        cache: `kmalloc-${suffix(fit)}`,
        object: address,
        free: false,
      });
      slub.kfree(address);
      expect(slub.objectInfo(address)?.free).toBe(true);
    }
    expect(validateSlub(slub)).toEqual([]);
  });

  test('the object freed last is given out next', () => {
    const { slub } = slubMachine();
    const [a, b] = [slub.kmalloc(64, GFP_KERNEL), slub.kmalloc(64, GFP_KERNEL)];
    expect(b).toBe(a + 64);
    slub.kfree(a);
    expect(slub.kmalloc(64, GFP_KERNEL)).toBe(a);
  });

  test('nothing, too much, zeroed, atomic', () => {
    const { slub, env } = slubMachine();
    expect(slub.kmalloc(0, GFP_KERNEL)).toBe(ZERO_SIZE_PTR);
    slub.kfree(ZERO_SIZE_PTR);
    slub.kfree(0);
    for (const size of [(4 << 20) + 1, 2 ** 31, 2 ** 32, 2 ** 52, 2 ** 64])
      expect(slub.kmalloc(size, GFP_KERNEL)).toBe(0);
    const dirty = slub.kmalloc(64, GFP_ATOMIC);
    env.ram.fill(dirty - PAGE_OFFSET, 64, 0xff);
    slub.kfree(dirty);
    const clean = slub.kmalloc(64, GFP_KERNEL | __GFP_ZERO);
    expect(clean).toBe(dirty);
    expect(env.ram.u8.subarray(clean - PAGE_OFFSET, clean - PAGE_OFFSET + 64).every((b) => b === 0)).toBe(
      true,
    );
  });

  test('what no cache holds comes from pages and goes back', () => {
    const { slub, mm } = slubMachine();
    const before = mm.freePageCount();
    const address = slub.kmalloc(8193, GFP_KERNEL);
    expect((address - PAGE_OFFSET) % 4096).toBe(0);
    expect(mm.freePageCount()).toBe(before - 4);
    slub.kfree(address);
    expect(mm.freePageCount()).toBe(before);
  });

  test('the kind of memory asked for chooses the cache', () => {
    const { slub } = slubMachine();
    const kinds = [GFP_KERNEL | 0x400000, GFP_KERNEL | 0x10, GFP_KERNEL | 1, GFP_KERNEL | 0x400001];
    expect(kinds.map((gfp) => slub.objectInfo(slub.kmalloc(32, gfp))?.cache)).toEqual([
      'kmalloc-cg-32',
      'kmalloc-rcl-32',
      'dma-kmalloc-32',
      'dma-kmalloc-32',
    ]);
  });
});
