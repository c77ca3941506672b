// SPDX-License-Identifier: MIT
/** The checker itself: each kind of damage is found. */

import { describe, expect, it } from 'vitest';
import { checkPageAllocator } from './debug_vm.js';
import { GFP_KERNEL } from './gfp.js';
import { LRU } from './memmap.js';
import { Zone } from './mmzone.js';
import { PAGE_WORDS, Page } from './page.js';
import type { PageAllocator } from './page_alloc.js';
import { pageMachine } from './page_alloc_testing.js';

const zone = (mm: PageAllocator) => mm.map.zone(1);
const damages: [what: string, damage: (mm: PageAllocator) => void, message: RegExp][] = [
  [
    'a lost page',
    (mm) => mm.map.listDel(mm.map.firstPage(mm.buddy.freeList(zone(mm), 10, 1)) + LRU),
    /blocks, nr_free/,
  ],
  ['a miscount', (mm) => void mm.map.i32[zone(mm) + Zone.w.vm_stat]++, /NR_FREE_PAGES/],
  [
    'a reference to a free page',
    (mm) => {
      mm.map.i32[mm.map.firstPage(mm.buddy.freeList(zone(mm), 10, 1)) + Page.w._refcount] = 1;
    },
    /is free and has 1 references/,
  ],
  [
    'buddies that are not merged',
    (mm) => {
      const page = mm.buddy.rmqueueSmallest(zone(mm), 5, 1);
      for (const half of [page, page + (PAGE_WORDS << 4)]) {
        mm.buddy.addToFreeList(half, zone(mm), 4, 1);
        mm.buddy.setBuddyOrder(half, 4);
      }
    },
    /not merged with its free buddy/,
  ],
  [
    'a page that is used and free',
    (mm) => {
      const page = mm.allocPages(GFP_KERNEL, 6);
      mm.map.i32[page + Page.w._refcount] = 0;
      mm.blocks.freeOne(page, zone(mm), 6, 0);
      mm.map.i32[page + PAGE_WORDS + Page.w._mapcount] = ~0x80;
      mm.buddy.addToFreeList(page + PAGE_WORDS, zone(mm), 0, 0);
      mm.map.i32[zone(mm) + Zone.w.vm_stat]++;
    },
    /is on two lists/,
  ],
  [
    'a per-CPU count that is off',
    (mm) => {
      mm.freePages(mm.allocPages(GFP_KERNEL, 0), 0);
      mm.map.i32[mm.map.pcp(1, 0) + 1]++;
    },
    /pages on lists, count/,
  ],
];

describe('DEBUG_VM finds', () => {
  it.each(damages)('%s', (_, damage, message) => {
    const { mm } = pageMachine(64);
    checkPageAllocator(mm);
    damage(mm);
    expect(() => checkPageAllocator(mm)).toThrow(message);
  });
});
