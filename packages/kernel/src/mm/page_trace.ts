// SPDX-License-Identifier: MIT
/** The page allocator's tracepoints: `kmem:mm_page_*`, with Linux's fields and text. */

import type { Env } from '../lib/env.js';
import { Tracepoint } from '../trace/tracepoint.js';
import { formatGfp } from './gfp.js';
import { PAGEBLOCK_ORDER } from './mmzone.js';

/** Frame number that stands for "no page". */
export const NO_PFN = -1;

type PageEvent = { pfn: number; order: number };
type TypedPageEvent = PageEvent & { migratetype: number };

export class PageTrace {
  readonly mmPageAlloc: Tracepoint<TypedPageEvent & { gfp_flags: number }>;
  readonly mmPageFree: Tracepoint<PageEvent>;
  /** Of pages that are freed many at once: as release_pages() does. */
  readonly mmPageFreeBatched: Tracepoint<{ pfn: number }>;
  readonly mmPageAllocZoneLocked: Tracepoint<TypedPageEvent & { percpu_refill: number }>;
  readonly mmPagePcpuDrain: Tracepoint<TypedPageEvent>;
  readonly mmPageAllocExtfrag: Tracepoint<{
    pfn: number;
    alloc_order: number;
    fallback_order: number;
    alloc_migratetype: number;
    fallback_migratetype: number;
    change_ownership: number;
  }>;

  /** @param page formats the address of a frame's struct page as %p does */
  constructor(env: Env, page: (pfn: number) => string) {
    const context = () => ({ ns: env.clock.ns, ...env.current() });
    const where = ({ pfn }: { pfn: number }) =>
      pfn === NO_PFN ? 'page=0000000000000000 pfn=0x0' : `page=${page(pfn)} pfn=0x${pfn.toString(16)}`;
    this.mmPageAlloc = new Tracepoint(
      'kmem:mm_page_alloc',
      context,
      (f) =>
        `${where(f)} order=${f.order} migratetype=${f.migratetype} gfp_flags=${f.gfp_flags === 0 ? 'none' : formatGfp(f.gfp_flags)}`,
    );
    this.mmPageFree = new Tracepoint('kmem:mm_page_free', context, (f) => `${where(f)} order=${f.order}`);
    this.mmPageFreeBatched = new Tracepoint(
      'kmem:mm_page_free_batched',
      context,
      (f) => `${where(f)} order=0`,
    );
    this.mmPageAllocZoneLocked = new Tracepoint(
      'kmem:mm_page_alloc_zone_locked',
      context,
      (f) => `${where(f)} order=${f.order} migratetype=${f.migratetype} percpu_refill=${f.percpu_refill}`,
    );
    this.mmPagePcpuDrain = new Tracepoint(
      'kmem:mm_page_pcpu_drain',
      context,
      (f) => `${where(f)} order=${f.order} migratetype=${f.migratetype}`,
    );
    this.mmPageAllocExtfrag = new Tracepoint(
      'kmem:mm_page_alloc_extfrag',
      context,
      (f) =>
        `${where(f)} alloc_order=${f.alloc_order} fallback_order=${f.fallback_order} ` +
        `pageblock_order=${PAGEBLOCK_ORDER} alloc_migratetype=${f.alloc_migratetype} ` +
        `fallback_migratetype=${f.fallback_migratetype} fragmenting=${f.fallback_order < PAGEBLOCK_ORDER ? 1 : 0} ` +
        `change_ownership=${f.change_ownership}`,
    );
  }
}
