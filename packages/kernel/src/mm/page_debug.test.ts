// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import { checkPageAllocator } from './debug_vm.js';
import { __GFP_COMP, GFP_ATOMIC, GFP_HIGHUSER_MOVABLE, GFP_KERNEL } from './gfp.js';
import { PAGE_WORDS, Page, PG_locked, setPageFlag } from './page.js';
import type { PageAllocator } from './page_alloc.js';
import { pageMachine } from './page_alloc_testing.js';

const bytesOf = (mm: PageAllocator, page: number) => {
  const at = mm.pageToPfn(page) * 4096;
  return mm.env.ram.u8.subarray(at, at + 4096);
};

describe('Bad page state', () => {
  it('a page freed while locked is reported and never used again', () => {
    const { env, mm } = pageMachine(64);
    env.lines.length = 0;
    const page = mm.allocPages(GFP_KERNEL, 0);
    setPageFlag(mm.map.ram, page, PG_locked);
    const free = mm.freePageCount();
    mm.freePages(page, 0);
    const pfn = mm.pageToPfn(page).toString(16);
    expect(env.lines).toEqual([
      `<1>BUG: Bad page state in process init  pfn:${pfn.padStart(5, '0')}`,
      `<4>page:(____ptrval____) refcount:0 mapcount:0 mapping:0000000000000000 index:0x0 pfn:0x${pfn}`,
      '<4>flags: 0xfffffc0000001(locked|node=0|zone=1|lastcpupid=0x1fffff)',
      '<4>raw: 000fffffc0000001 0000000000000000 dead000000000122 0000000000000000',
      '<4>raw: 0000000000000000 0000000000000000 00000000ffffffff 0000000000000000',
      '<4>page dumped because: PAGE_FLAGS_CHECK_AT_FREE flag(s) set',
      '<6>Call Trace:',
    ]);
    expect(mm.freePageCount()).toBe(free);
    checkPageAllocator(mm);
  });

  it('a page freed twice is reported at once, and stays free once', () => {
    const { env, mm } = pageMachine(16);
    for (const order of [0, 3, 6]) {
      const page = mm.allocPages(GFP_KERNEL, order);
      mm.freePages(page, order);
      const free = mm.freePageCount();
      env.lines.length = 0;
      mm.freePages(page, order);
      expect(env.lines).toContain('<4>page dumped because: nonzero _refcount');
      expect(mm.freePageCount()).toBe(free);
      checkPageAllocator(mm);
    }
  });

  it('a broken tail page is named', () => {
    const { env, mm } = pageMachine(16);
    const head = mm.allocPages(GFP_KERNEL | __GFP_COMP, 2);
    mm.map.i32[head + 3 * PAGE_WORDS + Page.w.compound_head] = 0;
    mm.putPage(head);
    expect(env.lines).toContain('<4>page dumped because: PageTail not set');
    expect(env.lines.some((l) => l.startsWith('<4>head:') || l.includes('order:2 compound_mapcount:0'))).toBe(
      false,
    );
    checkPageAllocator(mm);
  });

  it('a dump of a tail page shows its head', () => {
    const { env, mm } = pageMachine(16);
    const head = mm.allocPages(GFP_KERNEL | __GFP_COMP, 2);
    env.lines.length = 0;
    mm.check.dumpPage(head + PAGE_WORDS, 'test');
    expect(env.lines[1]).toBe('<4>head:(____ptrval____) order:2 compound_mapcount:0 compound_pincount:0');
    expect(env.lines.filter((l) => l.startsWith('<4>head: '))).toHaveLength(2);
  });

  it('stops after sixty reports a minute', () => {
    const { env, mm } = pageMachine(16);
    const page = mm.allocPages(GFP_KERNEL, 0);
    mm.freePages(page, 0);
    for (let i = 0; i < 100; i++) mm.freePages(page, 0);
    const reports = () => env.lines.filter((l) => l.includes('Bad page state in')).length;
    expect(reports()).toBe(60);
    env.clock.advance(61e9);
    mm.freePages(page, 0);
    expect(reports()).toBe(61);
    expect(env.lines).toContain('<1>BUG: Bad page state: 40 messages suppressed');
  });
});

describe('boot parameters', () => {
  it('init_on_alloc and init_on_free clear', () => {
    for (const name of ['init_on_alloc', 'init_on_free']) {
      const { mm, bootLines } = pageMachine(16, 1, { [name]: '1' });
      expect(bootLines).toContain(
        `<6>mem auto-init: stack:off, heap alloc:${name === 'init_on_alloc' ? 'on' : 'off'}, ` +
          `heap free:${name === 'init_on_free' ? 'on' : 'off'}`,
      );
      const page = mm.allocPages(GFP_KERNEL, 0);
      bytesOf(mm, page).fill(7);
      mm.freePages(page, 0);
      if (name === 'init_on_free') expect(bytesOf(mm, page)[9]).toBe(0);
      else expect(bytesOf(mm, page)[9]).toBe(7);
      const again = mm.allocPages(GFP_KERNEL, 0);
      expect(again).toBe(page);
      expect(bytesOf(mm, again)[9]).toBe(0);
    }
  });

  it('page_poison finds a write to a free page', () => {
    const { env, mm } = pageMachine(16, 1, { page_poison: '1' });
    const page = mm.allocPages(GFP_KERNEL, 0);
    mm.freePages(page, 0);
    expect(bytesOf(mm, page).every((b) => b === 0xaa)).toBe(true);
    bytesOf(mm, page).set([0x41, 0x42], 100);
    env.lines.length = 0;
    expect(mm.allocPages(GFP_KERNEL, 0)).toBe(page);
    expect(env.lines.slice(0, 3)).toEqual([
      '<3>pagealloc: memory corruption',
      `<3>(____ptrval____): 41 42${' '.repeat(44)}AB`,
      '<6>Call Trace:',
    ]);
    expect(env.lines.at(-1)).toBe('<4>page dumped because: pagealloc: corrupted page details');
    mm.freePages(page, 0);
    bytesOf(mm, page)[0] ^= 4;
    mm.allocPages(GFP_KERNEL, 0);
    expect(env.lines).toContain('<3>pagealloc: single bit error');
    expect(mm.allocPages(GFP_ATOMIC | 0x100, 0)).not.toBe(0);
  });

  it('page_owner says who allocated and who freed', () => {
    const { env, mm } = pageMachine(16, 1, { page_owner: 'on' });
    (env.reports as { stackTrace: unknown }).stackTrace = () => [-4096, -8192];
    env.setCurrent({ comm: 'insmod', pid: 81 });
    env.clock.advance(1234);
    const page = mm.allocPages(GFP_HIGHUSER_MOVABLE, 1);
    const pfn = mm.pageToPfn(page);
    const text = mm.debug.owner!.text();
    expect(text).toContain(
      'Page allocated via order 1, mask 0x100cca(GFP_HIGHUSER_MOVABLE), pid 81, tgid 81 (insmod), ts 1234 ns, free_ts 0 ns\n' +
        `PFN ${pfn} type Movable Block ${pfn >> 9} type Movable Flags 0x7ffffc0000000(node=0|zone=0|lastcpupid=0x1fffff)\n` +
        ' 0xfffffffffffff000\n 0xffffffffffffe000\n\n',
    );
    env.clock.advance(10);
    mm.freePages(page, 1);
    expect(mm.debug.owner!.text()).not.toContain(`PFN ${pfn} `);
    env.lines.length = 0;
    mm.check.dumpPage(page, '');
    expect(env.lines.slice(4)).toEqual([
      '<1>page_owner tracks the page as freed',
      '<1>page last allocated via order 1, migratetype Movable, gfp_mask 0x100cca(GFP_HIGHUSER_MOVABLE), pid 81, tgid 81 (insmod), ts 1234, free_ts 1244',
      '<1> 0xfffffffffffff000',
      '<1> 0xffffffffffffe000',
      '<1>page last free stack trace:',
      '<1> 0xfffffffffffff000',
      '<1> 0xffffffffffffe000',
    ]);
    checkPageAllocator(mm);
  });

  it('debug_pagealloc maps pages only while they are in use', () => {
    const { mm } = pageMachine(16, 1, { debug_pagealloc: 'on' });
    const mapped = new Map<number, boolean>();
    mm.debug.kernelMapPages = (page, nr, enable) => {
      for (let i = 0; i < nr; i++) mapped.set(mm.pageToPfn(page) + i, enable);
    };
    const page = mm.allocPages(GFP_KERNEL, 1);
    const pfn = mm.pageToPfn(page);
    expect([mapped.get(pfn), mapped.get(pfn + 1)]).toEqual([true, true]);
    mm.freePages(page, 1);
    expect([mapped.get(pfn), mapped.get(pfn + 1)]).toEqual([false, false]);
  });
});

describe('tracepoints', () => {
  it('kmem:mm_page_* say what happens', () => {
    const { mm } = pageMachine(64);
    const seen: string[] = [];
    for (const tracepoint of Object.values(mm.trace))
      tracepoint.listen((e: { name: string; fields: never }) => {
        seen.push(`${e.name}: ${tracepoint.format(e.fields)}`);
      });
    const page = mm.allocPages(GFP_KERNEL, 4);
    const pfn = `pfn=0x${mm.pageToPfn(page).toString(16)}`;
    mm.freePages(page, 4);
    expect(seen).toEqual([
      expect.stringMatching(
        /^kmem:mm_page_alloc_extfrag: page=\(____ptrval____\) pfn=0x\w+ alloc_order=4 fallback_order=10 pageblock_order=9 alloc_migratetype=0 fallback_migratetype=1 fragmenting=0 change_ownership=1$/,
      ),
      `kmem:mm_page_alloc_zone_locked: page=(____ptrval____) ${pfn} order=4 migratetype=0 percpu_refill=0`,
      `kmem:mm_page_alloc: page=(____ptrval____) ${pfn} order=4 migratetype=0 gfp_flags=GFP_KERNEL`,
      `kmem:mm_page_free: page=(____ptrval____) ${pfn} order=4`,
    ]);
  });
});
