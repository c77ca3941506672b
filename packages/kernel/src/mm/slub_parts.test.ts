// SPDX-License-Identifier: MIT
/** What stands around the allocator: constructors, sharing, bulk calls, pools, per-CPU memory, tracepoints, views. */
import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import { readS64 } from '../lib/guest_access.js';
import { StackDepot } from '../lib/stackdepot.js';
import { type Handle, PAGE_OFFSET, type Vaddr } from '../machine/layout.js';
import { DmaMemory } from './dmapool.js';
import { GFP_ATOMIC, GFP_KERNEL } from './gfp.js';
import { Mempool, Mempools } from './mempool.js';
import { PCPU_UNIT_SIZE } from './percpu.js';
import { KmemCache, SLAB_HWCACHE_ALIGN, SLAB_RECLAIM_ACCOUNT, SLAB_TYPESAFE_BY_RCU } from './slab.js';
import { slabExports } from './slab_exports.js';
import { kmemCacheAllocBulk, kmemCacheFreeBulk } from './slub_bulk.js';
import { type SlubMachine, slubMachine } from './slub_testing.js';
import { validateSlub } from './slub_validate.js';
import { describeCache, slabViews } from './slub_view.js';
import { kvfree, kvfreeSensitive, kvmalloc } from './util.js';

let machine: SlubMachine;
beforeEach(() => {
  machine = slubMachine({ nrCpus: 2 });
});

describe('constructors', () => {
  test('run once for each object of a new slab, and their work survives alloc and free', () => {
    const { slub, env } = machine;
    const seen: Vaddr[] = [];
    slub.callGuest = (fn, signature, object) => {
      expect([fn, signature]).toEqual([-4096, 'v:p']);
      seen.push(object);
      env.ram.fill(object - PAGE_OFFSET, 24, 0x42);
      return 0;
    };
    const cache = slub.kmemCacheCreate('made', 24, 0, 0, -4096);
    const a = slub.kmemCacheAlloc(cache, GFP_KERNEL);
    expect(seen.length).toBe(KmemCache.at(env.ram, cache).oo.x & 0xffff);
    expect(seen[0]).toBe(a);
    slub.kmemCacheFree(cache, a);
    expect(slub.kmemCacheAlloc(cache, GFP_KERNEL)).toBe(a);
    expect([...env.ram.u8.subarray(a - PAGE_OFFSET, a - PAGE_OFFSET + 24)]).toEqual(Array(24).fill(0x42));
  });

  test('may allocate from the very cache', () => {
    const { slub } = machine;
    let cache: Handle = 0;
    let depth = 0;
    slub.callGuest = () => {
      if (depth++ === 0) slub.kmemCacheAlloc(cache, GFP_KERNEL);
      return 0;
    };
    cache = slub.kmemCacheCreate('made', 64, 0, 0, -4096);
    expect(slub.kmemCacheAlloc(cache, GFP_KERNEL)).not.toBe(0);
    expect(validateSlub(slub)).toEqual([]);
  });
});

describe('sharing', () => {
  test('caches of like size and flags are one; odd ones are not', () => {
    const { slub } = machine;
    const first = slub.kmemCacheCreate('a', 100);
    expect(slub.kmemCacheCreate('b', 104)).toBe(first);
    for (const [flags, ctor] of [
      [SLAB_RECLAIM_ACCOUNT, 0],
      [SLAB_TYPESAFE_BY_RCU, 0],
      [0, -4096],
    ])
      expect(slub.kmemCacheCreate('c', 104, 0, flags, ctor)).not.toBe(first);
    expect(slub.kmemCacheCreate('d', 100, 0, SLAB_HWCACHE_ALIGN)).not.toBe(first);
    expect(slub.kmemCacheCreate('kmalloc-like', 128)).not.toBe(slub.findCache('kmalloc-128'));
  });

  test('slab_nomerge keeps them apart', () => {
    const { slub } = slubMachine({ parameters: { slab_nomerge: '' } });
    expect(slub.kmemCacheCreate('a', 100)).not.toBe(slub.kmemCacheCreate('b', 100));
  });
});

describe('bulk', () => {
  test('allocates, and frees in any mixture', () => {
    const { slub, env } = machine;
    const cache = slub.kmemCacheCreate('mine', 48);
    const array = slub.kmalloc(800, GFP_KERNEL);
    expect(kmemCacheAllocBulk(slub, cache, GFP_KERNEL, 100, array)).toBe(100);
    const objects = Array.from({ length: 100 }, (_, i) => readS64(env, array + 8 * i));
    expect(new Set(objects).size).toBe(100);
    kmemCacheFreeBulk(slub, cache, 50, array);
    kmemCacheFreeBulk(slub, 0, 50, array + 400);
    expect(objects.every((p) => slub.objectInfo(p)?.free)).toBe(true);
    expect(validateSlub(slub)).toEqual([]);
  });

  test('all or nothing', () => {
    const { slub } = machine;
    const cache = slub.kmemCacheCreate('mine', 8000);
    const array = slub.kmalloc(1 << 20, GFP_KERNEL);
    expect(kmemCacheAllocBulk(slub, cache, GFP_KERNEL, 100000, array)).toBe(0);
    expect(slabViews(slub, cache).reduce((n, view) => n + view.objects - view.inuse, 0)).toBeGreaterThan(0);
    expect(validateSlub(slub)).toEqual([]);
  });
});

describe('memory pools', () => {
  test('give what is set aside when the allocator has nothing, and fill up again', () => {
    const { slub } = machine;
    let empty = false;
    const freed: Vaddr[] = [];
    slub.callGuest = (fn, _signature, a, b) => {
      if (fn === 1) return empty ? 0 : slub.kmalloc(b, a);
      freed.push(a);
      slub.kfree(a);
      return 0;
    };
    const pools = new Mempools(slub);
    const pool = pools.create(3, 1, 2, 64);
    const state = Mempool.at(machine.env.ram, machine.env.ram.handleOf(pool));
    expect([state.min_nr, state.curr_nr]).toEqual([3, 3]);
    empty = true;
    const got = Array.from({ length: 4 }, () => pools.alloc(pool, GFP_ATOMIC));
    expect(got[3]).toBe(0);
    expect(state.curr_nr).toBe(0);
    for (const p of got) pools.free(p, pool);
    expect([state.curr_nr, freed.length]).toEqual([3, 0]);
    empty = false;
    expect(pools.resize(pool, 5)).toBe(0);
    expect(state.curr_nr).toBe(5);
    pools.destroy(pool);
    expect(freed.length).toBe(5);
    expect(validateSlub(slub)).toEqual([]);
  });
});

describe('dma pools', () => {
  test('give blocks that do not cross the boundary, and take them back', () => {
    const { slub, env, mm } = machine;
    const dma = new DmaMemory(slub);
    const before = mm.freePageCount();
    const pool = dma.create('ring', 0, 100, 8, 1024);
    const handle = slub.kmalloc(8, GFP_KERNEL);
    const blocks = Array.from({ length: 100 }, () => {
      const address = dma.alloc(pool, GFP_KERNEL, handle);
      expect(readS64(env, handle)).toBe(address - PAGE_OFFSET);
      return address;
    });
    expect(new Set(blocks).size).toBe(100);
    for (const block of blocks) {
      const p = block - PAGE_OFFSET;
      expect(Math.floor(p / 1024)).toBe(Math.floor((p + 99) / 1024));
    }
    dma.free(pool, blocks[0], 0x123);
    expect(env.lines.at(-1)).toMatch(/^<3>dma_pool_free ring, [0-9a-f]{16}\/0x0000000000000123 \(bad dma\)$/);
    for (const block of blocks) dma.free(pool, block, block - PAGE_OFFSET);
    dma.destroy(pool);
    slub.kfree(handle);
    for (const cache of slub.caches()) slub.kmemCacheShrink(cache);
    expect(mm.freePageCount()).toBe(before);
    for (const [size, align, boundary] of [
      [0, 8, 0],
      [8, 3, 0],
      [100, 8, 64],
      [100, 8, 1000],
    ])
      expect(dma.create('bad', 0, size, align, boundary)).toBe(0);
  });
});

describe('per-CPU memory', () => {
  test('copies lie a unit apart, are zeroed, aligned and disjoint; freeing gives all back', () => {
    const size = fc.integer({ min: 1, max: 5000 });
    const align = fc.constantFrom(1, 8, 16, 64, 4096);
    fc.assert(
      fc.property(fc.array(fc.tuple(size, align, fc.boolean()), { maxLength: 40 }), (requests) => {
        const { slub, env } = slubMachine({ nrCpus: 3 });
        const { percpu } = slub;
        const used = percpu.usedBytes();
        const live: { at: Handle; size: number }[] = [];
        for (const [bytes, alignment, freeOne] of requests) {
          const at = percpu.alloc(bytes, alignment);
          expect((at * 4) % alignment).toBe(0);
          for (let cpu = 0; cpu < 3; cpu++) {
            const p = percpu.of(at, cpu) * 4;
            expect(env.ram.u8.subarray(p, p + bytes).every((b) => b === 0)).toBe(true);
            env.ram.fill(p, bytes, 0xff);
          }
          live.push({ at, size: bytes });
          if (freeOne) percpu.free(live.splice(live.length >> 1, 1)[0].at);
        }
        for (const { at } of live) percpu.free(at);
        expect(percpu.usedBytes()).toBe(used);
      }),
      { numRuns: 30, seed: 3 },
    );
  });

  test('what cannot be is refused', () => {
    const { percpu } = machine.slub;
    for (const [size, align] of [
      [0, 8],
      [PCPU_UNIT_SIZE + 1, 8],
      [8, 3],
      [8, 8192],
    ])
      expect(percpu.alloc(size, align)).toBe(0);
    const exports = slabExports(machine.slub);
    const address = exports['__alloc_percpu'][1](100, 8) as number;
    expect(percpu.contains(address)).toBe(true);
    machine.env.setCurrent({ cpu: 1 });
    expect(exports['__pagewalk_my_cpu_offset'][1]()).toBe(PCPU_UNIT_SIZE);
    exports['free_percpu'][1](address);
  });
});

describe('kvmalloc', () => {
  test('falls back on vmalloc for what slabs and pages cannot give', () => {
    const { slub } = machine;
    const calls: string[] = [];
    const vmalloc = {
      vmalloc: (size: number) => {
        calls.push(`vmalloc ${size}`);
        return -(2 ** 46);
      },
      vfree: (address: Vaddr) => void calls.push(`vfree ${address}`),
      isVmalloc: (address: Vaddr) => address === -(2 ** 46),
    };
    const source = { slub, vmalloc };
    const small = kvmalloc(source, 100, GFP_KERNEL);
    const large = kvmalloc(source, 8 << 20, GFP_KERNEL);
    expect(kvmalloc(source, 2 ** 31, GFP_KERNEL)).toBe(0);
    kvfree(source, small);
    kvfree(source, large);
    kvfree(source, 0);
    expect(() => kvfreeSensitive(source, large, 2 ** 53)).toThrow();
    expect(calls).toEqual([`vmalloc ${8 << 20}`, `vfree ${-(2 ** 46)}`]);
  });
});

describe('tracepoints', () => {
  test('kmem:kmalloc, kmem_cache_alloc, kfree, kmem_cache_free', () => {
    const { slub, env } = machine;
    Object.assign(env.reports, { symbolize: () => 'init+0x10/0x40 [m]' });
    const { trace } = slub;
    const text: string[] = [];
    const listen = (point: {
      listen: typeof trace.kfree.listen;
      format: typeof trace.kfree.format;
      name: string;
    }) => point.listen((event) => text.push(`${event.name}: ${point.format(event.fields)}`));
    const stop = [listen(trace.kfree)];
    stop.push(
      trace.kmalloc.listen((event) => text.push(`${event.name}: ${trace.kmalloc.format(event.fields)}`)),
    );
    stop.push(
      trace.kmemCacheFree.listen((event) =>
        text.push(`${event.name}: ${trace.kmemCacheFree.format(event.fields)}`),
      ),
    );
    const p = slub.kmalloc(100, GFP_KERNEL);
    slub.kfree(p);
    const cache = slub.kmemCacheCreate('mine', 48, 0, SLAB_TYPESAFE_BY_RCU);
    text.length = 0;
    slub.kmemCacheFree(cache, slub.kmemCacheAlloc(cache, GFP_KERNEL));
    slub.kfree(slub.kmalloc(100, GFP_KERNEL));
    for (const end of stop) end();
    slub.kmalloc(100, GFP_KERNEL);
    const shown = text.map((line) => line.replace(/ptr=[0-9a-f]{16}/, 'ptr=P'));
    expect(shown).toEqual([
      'kmem:kmem_cache_free: call_site=init+0x10/0x40 [m] ptr=P name=mine',
      'kmem:kmalloc: call_site=init+0x10/0x40 [m] ptr=P bytes_req=100 bytes_alloc=128 gfp_flags=GFP_KERNEL node=-1 accounted=false',
      'kmem:kfree: call_site=init+0x10/0x40 [m] ptr=P',
    ]);
  });
});

describe('a cache laid open', () => {
  test('slabs, whose they are, and the order of their free objects', () => {
    const { slub } = machine;
    const cache = slub.findCache('kmalloc-256');
    const objects = Array.from({ length: 17 }, () => slub.kmalloc(256, GFP_KERNEL));
    slub.kfree(objects[3]);
    slub.kfree(objects[5]);
    const views = slabViews(slub, cache).map(({ place, inuse, freelist, cpuFreelist }) => ({
      place,
      inuse,
      freelist,
      cpuFreelist,
    }));
    expect(views).toEqual([
      { place: 'cpu 0 partial', inuse: 14, freelist: [5, 3], cpuFreelist: [] },
      { place: 'cpu 0', inuse: 16, freelist: [], cpuFreelist: Array.from({ length: 15 }, (_, i) => i + 1) },
    ]);
    expect(describeCache(slub, cache)).toMatch(
      /^kmalloc-256: objects of 256 bytes, 256 apart, aligned to 256, free pointer at 128, .*\n.* cpu 0 partial inuse {2}14\/16 free: 5 3\n/,
    );
  });
});

test('the stack depot keeps each stack once', () => {
  const { env, mm } = machine;
  const root = machine.slub.core.roots.stack_depot;
  const depot = new StackDepot(env.ram, root, () =>
    env.ram.handleOf(mm.pageAddress(mm.allocPages(GFP_KERNEL, 0))),
  );
  const stacks = Array.from({ length: 300 }, (_, i) =>
    Array.from({ length: i % 20 }, (_, k) => -4096 * (i + k)),
  );
  const handles = stacks.map((stack) => depot.save(stack));
  expect(stacks.map((stack) => depot.save(stack))).toEqual(handles);
  expect(handles.map((handle) => depot.fetch(handle))).toEqual(stacks);
  expect(depot.fetch(2 ** 31)).toEqual([]);
});
