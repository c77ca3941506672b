// SPDX-License-Identifier: MIT
/**
 * Compound pages: a block whose pages count as one. The head has PG_head; each tail points to it through
 * `compound_head` (address | 1); the first tail keeps the block's order, size and destructor.
 */

import type { Handle } from '../machine/layout.js';
import type { MemMap } from './memmap.js';
import {
  COMPOUND_PAGE_DTOR,
  PAGE_WORDS,
  Page,
  PG_head,
  POISON_HI,
  TAIL_MAPPING_LO,
  VMEMMAP_HI,
} from './page.js';

const PRIVATE = Page.w.private;
const MAPPING = Page.w.mapping;
const COMPOUND_HEAD = Page.w.compound_head;

/** Makes a compound page of a block. @linux mm/page_alloc.c:prep_compound_page full */
export function prepCompoundPage(map: MemMap, page: Handle, order: number): void {
  const { i32 } = map;
  i32[page] |= 1 << PG_head;
  const head = ((page - map.base) << 2) | 1;
  for (let p = page + PAGE_WORDS, end = page + (PAGE_WORDS << order); p < end; p += PAGE_WORDS) {
    i32[p + MAPPING] = TAIL_MAPPING_LO;
    i32[p + MAPPING + 1] = POISON_HI;
    i32[p + COMPOUND_HEAD] = head;
    i32[p + COMPOUND_HEAD + 1] = VMEMMAP_HI;
    i32[p + PRIVATE] = 0;
    i32[p + PRIVATE + 1] = 0;
  }
  const tail = page + PAGE_WORDS;
  map.ram.u8[tail * 4 + Page.o.compound_dtor] = COMPOUND_PAGE_DTOR;
  map.ram.u8[tail * 4 + Page.o.compound_order] = order;
  i32[tail + Page.w.compound_mapcount] = -1;
  i32[tail + Page.w.compound_pincount] = 0;
  i32[tail + Page.w.compound_nr] = 1 << order;
}
