// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import { checkPageAllocator } from './debug_vm.js';
import {
  __GFP_COMP,
  __GFP_MEMALLOC,
  __GFP_NOFAIL,
  __GFP_NOMEMALLOC,
  __GFP_NORETRY,
  __GFP_NOWARN,
  __GFP_RECLAIMABLE,
  __GFP_RETRY_MAYFAIL,
  formatGfp,
  GFP_ATOMIC,
  GFP_HIGHUSER_MOVABLE,
  GFP_KERNEL,
  GFP_NOWAIT,
} from './gfp.js';
import { MIGRATE_MOVABLE, MIGRATE_RECLAIMABLE, MIGRATE_UNMOVABLE, Zone } from './mmzone.js';
import { Page } from './page.js';
import type { PageAllocator } from './page_alloc.js';
import { pageMachine } from './page_alloc_testing.js';

/** What Linux 6.1 logged when kmalloc could get no more 4 MiB blocks, without times and stack. */
const REAL_REPORT = `
insmod: page allocation failure: order:10, mode:0x50cc0(GFP_KERNEL|__GFP_NORETRY|__GFP_COMP), nodemask=(null),cpuset=/,mems_allowed=0
Mem-Info:
active_anon:637 inactive_anon:2028 isolated_anon:0
 active_file:0 inactive_file:0 isolated_file:0
 unevictable:0 dirty:0 writeback:0
 slab_reclaimable:2214 slab_unreclaimable:35340
 mapped:785 shmem:2479 pagetables:31
 sec_pagetables:0 bounce:0
 kernel_misc_reclaimable:0
 free:5749 free_pcp:0 free_cma:0
Node 0 active_anon:2548kB inactive_anon:8112kB active_file:0kB inactive_file:0kB unevictable:0kB isolated(anon):0kB isolated(file):0kB mapped:3140kB dirty:0kB writeback:0kB shmem:9916kB shmem_thp: 0kB shmem_pmdmapped: 0kB anon_thp: 0kB writeback_tmp:0kB kernel_stack:800kB pagetables:124kB sec_pagetables:0kB all_unreclaimable? no
Node 0 DMA free:2944kB boost:0kB min:144kB low:180kB high:216kB reserved_highatomic:0KB active_anon:0kB inactive_anon:0kB active_file:0kB inactive_file:0kB unevictable:0kB writepending:0kB present:15992kB managed:15360kB mlocked:0kB bounce:0kB free_pcp:0kB local_pcp:0kB free_cma:0kB
lowmem_reserve[]: 0 155 155 155 155
Node 0 DMA32 free:20052kB boost:0kB min:1520kB low:1900kB high:2280kB reserved_highatomic:0KB active_anon:2548kB inactive_anon:8112kB active_file:0kB inactive_file:0kB unevictable:0kB writepending:0kB present:245632kB managed:176712kB mlocked:0kB bounce:0kB free_pcp:0kB local_pcp:0kB free_cma:0kB
lowmem_reserve[]: 0 0 0 0 0
Node 0 DMA: 0*4kB 0*8kB 0*16kB 0*32kB 0*64kB 1*128kB (U) 1*256kB (U) 1*512kB (U) 0*1024kB 1*2048kB (M) 0*4096kB = 2944kB
Node 0 DMA32: 26*4kB (UM) 18*8kB (UME) 19*16kB (UME) 13*32kB (UME) 10*64kB (UM) 4*128kB (M) 7*256kB (UME) 6*512kB (UM) 9*1024kB (UME) 2*2048kB (ME) 0*4096kB = 20296kB
Node 0 hugepages_total=0 hugepages_free=0 hugepages_surp=0 hugepages_size=2048kB
2479 total pagecache pages
0 pages in swap cache
Free swap  = 0kB
Total swap = 0kB
65406 pages RAM
0 pages HighMem/MovableOnly
17388 pages reserved
0 pages hwpoisoned`
  .trim()
  .split('\n');

/** A line with its amounts and migrate type letters left out. */
const shape = (line: string) =>
  line.startsWith('insmod:')
    ? line
    : line.replace(/ \([UMEHI]+\)/g, '').replace(/\b\d+(?=kB|KB|\*| |$)/g, '#');

function exhaust(mm: PageAllocator, gfp: number, order = 0): number[] {
  const pages: number[] = [];
  for (let page: number; (page = mm.allocPages(gfp, order)) !== 0; ) pages.push(page);
  return pages;
}

describe('page allocation failure', () => {
  it('is reported as Linux 6.1 reports it', () => {
    const { env, mm } = pageMachine(256, 1);
    env.setCurrent({ comm: 'insmod' });
    env.lines.length = 0;
    exhaust(mm, GFP_KERNEL | __GFP_NORETRY | __GFP_COMP, 10);
    const lines = env.lines.filter((l) => !l.includes('Call Trace')).map((l) => l.slice(3));
    expect(lines.map(shape)).toEqual(REAL_REPORT.map(shape));
    expect(env.lines.every((l) => /^<[46]>/.test(l))).toBe(true);
    checkPageAllocator(mm);
  });

  it('is reported once in ten seconds, and never with __GFP_NOWARN', () => {
    const { env, mm } = pageMachine(16);
    exhaust(mm, GFP_NOWAIT | __GFP_NOWARN);
    const reports = () => env.lines.filter((l) => l.includes('page allocation failure')).length;
    expect(reports()).toBe(0);
    for (let i = 0; i < 5; i++) mm.allocPages(GFP_NOWAIT, 0);
    expect(reports()).toBe(1);
    env.clock.advance(10e9);
    mm.allocPages(GFP_NOWAIT, 0);
    expect(reports()).toBe(2);
    expect(env.lines).toContain('<4>warn_alloc: 4 callbacks suppressed');
  });
});

describe('watermarks and reserves', () => {
  const free = (mm: PageAllocator, z = 1) => mm.map.i32[mm.map.zone(z) + Zone.w.vm_stat];
  const min = (mm: PageAllocator, z = 1) => mm.map.i32[mm.map.zone(z) + Zone.w._watermark];

  it('GFP_KERNEL stops at min, atomic at 3/8 of it, memalloc at nothing', () => {
    const { mm } = pageMachine(64);
    exhaust(mm, GFP_KERNEL | __GFP_NOWARN);
    expect(free(mm)).toBeLessThanOrEqual(min(mm) + 1);
    expect(free(mm)).toBeGreaterThan(min(mm) * 0.9);
    exhaust(mm, GFP_ATOMIC | __GFP_NOWARN);
    const floor = min(mm) - Math.floor(min(mm) / 2);
    expect(free(mm)).toBeLessThanOrEqual(floor - (floor >> 2) + 1);
    expect(free(mm)).toBeGreaterThan(0);
    expect(mm.allocPages(GFP_KERNEL | __GFP_MEMALLOC | __GFP_NOMEMALLOC | __GFP_NOWARN, 0)).toBe(0);
    exhaust(mm, GFP_KERNEL | __GFP_MEMALLOC | __GFP_NOWARN);
    expect(mm.nrFreePages()).toBe(0);
    checkPageAllocator(mm);
  });

  it('leaves the lowmem reserve of DMA to those who ask for DMA', () => {
    const { mm } = pageMachine(64);
    exhaust(mm, GFP_KERNEL | __GFP_NOWARN);
    const reserve = mm.map.i32[mm.map.zone(0) + Zone.w.lowmem_reserve + 2 * 2];
    expect(reserve).toBeGreaterThan(0);
    expect(free(mm, 0)).toBeGreaterThan(reserve);
    exhaust(mm, GFP_KERNEL | 1 | __GFP_NOWARN);
    expect(free(mm, 0)).toBeLessThanOrEqual(min(mm, 0) + 1);
  });

  it('high-order atomic allocations set a pageblock aside, which is given back under pressure', () => {
    const { mm } = pageMachine(64);
    mm.map.i32[mm.map.zone(1) + Zone.w._watermark + 2] = 1 << 20; // low mark out of reach: slow path
    mm.map.i32[mm.map.zone(0) + Zone.w._watermark + 2] = 1 << 20;
    expect(mm.allocPages(GFP_ATOMIC, 4)).not.toBe(0);
    const reserved = () => mm.map.i32[mm.map.zone(1) + Zone.w.nr_reserved_highatomic];
    expect(reserved()).toBe(512);
    checkPageAllocator(mm);
    exhaust(mm, GFP_KERNEL | __GFP_NOWARN);
    expect(reserved()).toBe(0);
    checkPageAllocator(mm);
  });
});

describe('reclaim, retry and the OOM killer', () => {
  it('asks reclaim until it makes no progress', () => {
    const { mm } = pageMachine(16);
    const pages = exhaust(mm, GFP_KERNEL | __GFP_NOWARN);
    let calls = 0;
    mm.reclaim = () => {
      calls++;
      for (let i = 0; i < 32; i++) mm.freePages(pages.pop()!, 0);
      return 32;
    };
    expect(mm.allocPages(GFP_KERNEL, 0)).not.toBe(0);
    expect(calls).toBe(1);
    mm.reclaim = () => {
      calls++;
      return 0;
    };
    exhaust(mm, GFP_NOWAIT | __GFP_NOWARN);
    expect(mm.allocPages(GFP_KERNEL | __GFP_NOWARN, 0)).toBe(0);
    expect(calls).toBe(2);
    checkPageAllocator(mm);
  });

  it('kills for small orders only, and not with NORETRY or RETRY_MAYFAIL', () => {
    const { mm } = pageMachine(16);
    const pages = exhaust(mm, GFP_KERNEL | __GFP_NOWARN);
    let kills = 0;
    mm.outOfMemory = () => {
      kills++;
      for (let i = 0; i < 64; i++) mm.freePages(pages.pop()!, 0);
      return true;
    };
    for (const flag of [__GFP_NORETRY, __GFP_RETRY_MAYFAIL])
      expect(mm.allocPages(GFP_KERNEL | __GFP_NOWARN | flag, 0)).toBe(0);
    expect(mm.allocPages(GFP_KERNEL | __GFP_NOWARN, 4)).toBe(0);
    expect(kills).toBe(0);
    expect(mm.allocPages(GFP_KERNEL, 0)).not.toBe(0);
    expect(kills).toBe(1);
  });

  it('__GFP_NOFAIL takes the last page, then panics', () => {
    const { env, mm } = pageMachine(16);
    exhaust(mm, GFP_KERNEL | __GFP_NOWARN);
    expect(() => {
      for (;;) expect(mm.allocPages(GFP_KERNEL | __GFP_NOFAIL, 0)).not.toBe(0);
    }).toThrow('kernel BUG at mm/oom_kill.c');
    expect(mm.nrFreePages()).toBe(0);
    expect(env.lines.at(-1)).toBe('<0>Kernel panic - not syncing: System is deadlocked on memory');
  });
});

describe('%pGg', () => {
  it.each([
    [GFP_KERNEL, 'GFP_KERNEL'],
    [GFP_ATOMIC, 'GFP_ATOMIC'],
    [GFP_KERNEL | 0x100, 'GFP_KERNEL|__GFP_ZERO'],
    [0x50cc0, 'GFP_KERNEL|__GFP_NORETRY|__GFP_COMP'],
    [0x100cca, 'GFP_HIGHUSER_MOVABLE'],
    [0xcc1, 'GFP_KERNEL|GFP_DMA'],
    [0x400dc0, 'GFP_KERNEL_ACCOUNT|__GFP_ZERO'],
    [0x4000020, '__GFP_HIGH|0x4000000'],
    [0, ''],
  ])('%i is %s', (gfp, text) => {
    expect(formatGfp(gfp)).toBe(text);
  });
});

describe('migrate types', () => {
  const blocks = (mm: PageAllocator) => {
    const counts = [0, 0, 0, 0, 0];
    for (let pfn = 4096; pfn < mm.map.maxPfn; pfn += 512) counts[mm.buddy.pfnblockMigratetype(pfn)]++;
    return counts;
  };

  it('keep to their own pageblocks', () => {
    const { mm } = pageMachine(64);
    expect(blocks(mm)).toEqual([0, 24, 0, 0, 0]);
    const unmovable = Array.from({ length: 300 }, () => mm.allocPages(GFP_KERNEL, 0));
    const movable = Array.from({ length: 300 }, () => mm.allocPages(GFP_HIGHUSER_MOVABLE, 0));
    const reclaimable = Array.from({ length: 300 }, () => mm.allocPages(GFP_KERNEL | __GFP_RECLAIMABLE, 0));
    const typesOf = (pages: number[]) => new Set(pages.map((page) => mm.buddy.pageblockMigratetype(page)));
    expect(typesOf(unmovable)).toEqual(new Set([MIGRATE_UNMOVABLE]));
    expect(typesOf(movable)).toEqual(new Set([MIGRATE_MOVABLE]));
    expect(typesOf(reclaimable)).toEqual(new Set([MIGRATE_RECLAIMABLE]));
    checkPageAllocator(mm);
  });

  it('are mixed when nothing else is left, with a boost of the watermark if kswapd can take it back', () => {
    const { mm } = pageMachine(64);
    let woken = 0;
    mm.wakeKswapd = () => {
      woken++;
    };
    const movable = exhaust(mm, GFP_HIGHUSER_MOVABLE | __GFP_NOWARN);
    for (let i = 0; i < movable.length; i += 3) mm.freePages(movable[i], 0);
    mm.drainAllPages();
    woken = 0;
    expect(mm.allocPages(GFP_KERNEL, 0)).not.toBe(0);
    expect(mm.map.i32[mm.map.zone(1) + Zone.w.watermark_boost]).toBe(512);
    expect(woken).toBe(1);
    checkPageAllocator(mm);
  });

  it('do not matter on a machine too small for them', () => {
    const { mm } = pageMachine(8);
    expect(mm.settings.groupingDisabled).toBe(true);
    const page = mm.allocPages(GFP_HIGHUSER_MOVABLE, 0);
    expect(mm.map.i32[page + Page.w._refcount]).toBe(1);
    expect(blocks(mm).slice(2)).toEqual([0, 0, 0]);
  });
});
