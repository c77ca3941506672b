// SPDX-License-Identifier: MIT
import { describe, expect, test } from 'vitest';
import { GFP_KERNEL } from './gfp.js';
import { SLAB_ACCOUNT, SLAB_HWCACHE_ALIGN } from './slab.js';
import { SLAB_ATTRIBUTES, slabAttribute, slabDirectories, storeSlabAttribute } from './slub_sysfs.js';
import { slubMachine } from './slub_testing.js';

/** What a real 6.1 with 2 CPUs showed of kmalloc-256, whose 20 slabs were all full or on CPUs. */
const RECORDED = `object_size 256
slab_size 256
objs_per_slab 16
order 0
align 256
cpu_partial 52
min_partial 5
objects 320 N0=320
partial 0
slabs 20 N0=20
total_objects 320 N0=320
aliases 0
`;

describe('/sys/kernel/slab', () => {
  test('kmalloc-256 in use as on the recorded machine', () => {
    const { slub } = slubMachine({ nrCpus: 2 });
    for (let i = 0; i < 320; i++) slub.kmalloc(256, GFP_KERNEL);
    const cache = slub.findCache('kmalloc-256');
    const text = RECORDED.trim()
      .split('\n')
      .map((row) => row.split(' ')[0])
      .map((name) => `${name} ${slabAttribute(slub, cache, name)}`)
      .join('');
    expect(text).toBe(RECORDED);
  });

  test('counts of slabs that CPUs and the node hold', () => {
    const { slub } = slubMachine({ nrCpus: 2 });
    const cache = slub.findCache('kmalloc-256');
    const objects = Array.from({ length: 48 }, () => slub.kmalloc(256, GFP_KERNEL));
    for (const object of objects.slice(0, 17)) slub.kfree(object);
    expect(slabAttribute(slub, cache, 'slabs')).toBe('3 N0=3\n');
    expect(slabAttribute(slub, cache, 'slabs_cpu_partial')).toBe('16(2) C0=16(2)\n');
    expect(slabAttribute(slub, cache, 'cpu_slabs')).toBe('3 N0=3\n');
    expect(storeSlabAttribute(slub, cache, 'shrink', '1\n')).toBe(0);
    expect(slabAttribute(slub, cache, 'slabs')).toBe('2 N0=2\n');
    expect(slabAttribute(slub, cache, 'partial')).toBe('1 N0=1\n');
    expect(slabAttribute(slub, cache, 'objects_partial')).toBe('15 N0=15\n');
  });

  test('every file of every cache has a text', () => {
    const { slub } = slubMachine();
    for (const { cache } of slabDirectories(slub))
      for (const name of SLAB_ATTRIBUTES) expect(slabAttribute(slub, cache, name)).toMatch(/^$|\n$/);
  });

  test('names that share a cache are links', () => {
    const { slub } = slubMachine();
    const first = slub.kmemCacheCreate('one', 120, 0, SLAB_ACCOUNT | SLAB_HWCACHE_ALIGN);
    expect(slub.kmemCacheCreate('two', 128, 0, SLAB_ACCOUNT | SLAB_HWCACHE_ALIGN)).toBe(first);
    expect(slub.kmemCacheCreate('three', 128)).not.toBe(first);
    expect(slabDirectories(slub).slice(0, 2)).toMatchObject([
      { name: ':0000128', links: ['three'] },
      { name: ':A-0000128', links: ['one', 'two'], cache: first },
    ]);
    expect(slabAttribute(slub, first, 'aliases')).toBe('1\n');
    expect(slabAttribute(slub, first, 'object_size')).toBe('128\n');
    slub.kmemCacheDestroy(first);
    expect(slabAttribute(slub, first, 'aliases')).toBe('0\n');
    slub.kmemCacheDestroy(first);
    expect(slub.findCache('one')).toBe(0);
  });

  test('odd texts are refused', () => {
    const { slub } = slubMachine();
    const cache = slub.findCache('kmalloc-64');
    for (const text of ['', '-1', 'x', '2'])
      for (const name of ['shrink', 'validate'])
        expect(storeSlabAttribute(slub, cache, name, text)).toBeLessThan(0);
    expect(storeSlabAttribute(slub, cache, 'objects', '1')).toBe(-5);
    expect(storeSlabAttribute(slub, cache, 'cpu_partial', '30\n')).toBe(0);
    expect(slabAttribute(slub, cache, 'cpu_partial')).toBe('30\n');
  });
});
