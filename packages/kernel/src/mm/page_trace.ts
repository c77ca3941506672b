// SPDX-License-Identifier: MIT
/** The page allocator's tracepoints: `kmem:mm_page_*`, with Linux's fields and text. */

import type { Env } from '../lib/env.js';
import { VMEMMAP_START } from '../machine/layout.js';
import { contextOf, type PointerText, Tracepoint } from '../trace/tracepoint.js';
import { formatGfp, GFP_PRINT } from './gfp.js';
import { PAGEBLOCK_ORDER } from './mmzone.js';
import { Page } from './page.js';

/** Frame number that stands for "no page". */
export const NO_PFN = -1;

type PageEvent = { pfn: number; order: number };
type TypedPageEvent = PageEvent & { migratetype: number };

type FallbackEvent = {
  pfn: number;
  alloc_order: number;
  fallback_order: number;
  alloc_migratetype: number;
  fallback_migratetype: number;
  change_ownership: number;
};

const PFN = 'unsigned long pfn';
const PAGE_PRINT = '(((struct page *)vmemmap_base) + (REC->pfn))';

export class PageTrace {
  readonly mmPageAlloc: Tracepoint<TypedPageEvent & { gfp_flags: number }>;
  readonly mmPageFree: Tracepoint<PageEvent>;
  /** Of pages that are freed many at once: as release_pages() does. */
  readonly mmPageFreeBatched: Tracepoint<{ pfn: number }>;
  readonly mmPageAllocZoneLocked: Tracepoint<TypedPageEvent & { percpu_refill: number }>;
  readonly mmPagePcpuDrain: Tracepoint<TypedPageEvent>;
  readonly mmPageAllocExtfrag: Tracepoint<FallbackEvent>;

  /** @param page formats the address of a frame's struct page as %p does */
  constructor(env: Env, page: (pfn: number) => string) {
    const context = contextOf(env);
    const where = ({ pfn }: { pfn: number }, pointer?: PointerText) =>
      pfn === NO_PFN
        ? 'page=0000000000000000 pfn=0x0'
        : `page=${pointer ? pointer(VMEMMAP_START + pfn * Page.size) : page(pfn)} pfn=0x${pfn.toString(16)}`;
    this.mmPageAlloc = new Tracepoint(
      'kmem:mm_page_alloc',
      context,
      (f, pointer) =>
        `${where(f, pointer)} order=${f.order} migratetype=${f.migratetype} ` +
        `gfp_flags=${f.gfp_flags === 0 ? 'none' : formatGfp(f.gfp_flags)}`,
      {
        fields: [PFN, 'unsigned int order', 'unsigned long gfp_flags', 'int migratetype'],
        print:
          `"page=%p pfn=0x%lx order=%d migratetype=%d gfp_flags=%s", ` +
          `REC->pfn != -1UL ? ${PAGE_PRINT} : ((void *)0), REC->pfn != -1UL ? REC->pfn : 0, REC->order, ` +
          `REC->migratetype, ${GFP_PRINT}`,
      },
    );
    this.mmPageFree = new Tracepoint(
      'kmem:mm_page_free',
      context,
      (f, pointer) => `${where(f, pointer)} order=${f.order}`,
      {
        fields: [PFN, 'unsigned int order'],
        print: `"page=%p pfn=0x%lx order=%d", ${PAGE_PRINT}, REC->pfn, REC->order`,
      },
    );
    this.mmPageFreeBatched = new Tracepoint(
      'kmem:mm_page_free_batched',
      context,
      (f, pointer) => `${where(f, pointer)} order=0`,
      { fields: [PFN], print: `"page=%p pfn=0x%lx order=0", ${PAGE_PRINT}, REC->pfn` },
    );
    this.mmPageAllocZoneLocked = new Tracepoint(
      'kmem:mm_page_alloc_zone_locked',
      context,
      (f, pointer) =>
        `${where(f, pointer)} order=${f.order} migratetype=${f.migratetype} percpu_refill=${f.percpu_refill}`,
      {
        fields: [PFN, 'unsigned int order', 'int migratetype', 'int percpu_refill'],
        print:
          '"page=%p pfn=0x%lx order=%u migratetype=%d percpu_refill=%d", ' +
          `REC->pfn != -1UL ? ${PAGE_PRINT} : ((void *)0), REC->pfn != -1UL ? REC->pfn : 0, REC->order, ` +
          'REC->migratetype, REC->percpu_refill',
      },
    );
    this.mmPagePcpuDrain = new Tracepoint(
      'kmem:mm_page_pcpu_drain',
      context,
      (f, pointer) => `${where(f, pointer)} order=${f.order} migratetype=${f.migratetype}`,
      {
        fields: [PFN, 'unsigned int order', 'int migratetype'],
        print: `"page=%p pfn=0x%lx order=%d migratetype=%d", ${PAGE_PRINT}, REC->pfn, REC->order, REC->migratetype`,
      },
    );
    this.mmPageAllocExtfrag = new Tracepoint('kmem:mm_page_alloc_extfrag', context, extfragText(where), {
      fields: [
        PFN,
        'int alloc_order',
        'int fallback_order',
        'int alloc_migratetype',
        'int fallback_migratetype',
        'int change_ownership',
      ],
      print:
        '"page=%p pfn=0x%lx alloc_order=%d fallback_order=%d pageblock_order=%d alloc_migratetype=%d ' +
        `fallback_migratetype=%d fragmenting=%d change_ownership=%d", ${PAGE_PRINT}, REC->pfn, ` +
        `REC->alloc_order, REC->fallback_order, ${PAGEBLOCK_ORDER}, REC->alloc_migratetype, ` +
        `REC->fallback_migratetype, REC->fallback_order < ${PAGEBLOCK_ORDER}, REC->change_ownership`,
    });
  }
}

const extfragText =
  (where: (f: { pfn: number }, pointer?: PointerText) => string) =>
  (f: FallbackEvent, pointer?: PointerText): string =>
    `${where(f, pointer)} alloc_order=${f.alloc_order} fallback_order=${f.fallback_order} ` +
    `pageblock_order=${PAGEBLOCK_ORDER} alloc_migratetype=${f.alloc_migratetype} ` +
    `fallback_migratetype=${f.fallback_migratetype} fragmenting=${f.fallback_order < PAGEBLOCK_ORDER ? 1 : 0} ` +
    `change_ownership=${f.change_ownership}`;
