// SPDX-License-Identifier: MIT
/**
 * `struct page`: 64 bytes for every page frame, in the layout of Linux 6.1 on x86-64.
 *
 *     byte  0  flags            what the page is; its zone in the top bits
 *           8  lru              next and previous on a free list, a per-CPU list, an LRU list; or, in a tail page,
 *                               compound_head (address of the head page | 1)
 *          24  mapping          address_space, or anon_vma | 1
 *          32  index            offset in the mapping; migrate type while the page is on a per-CPU list
 *          40  private          the file system's; order while the page heads a free block
 *          48  _mapcount        page table entries that map it, less 1; or page_type, the inverted type bits
 *          52  _refcount        users
 *          56  memcg_data
 *
 * C sees page n at VMEMMAP_START + 64·n, and every pointer to a page in memory holds such an address.
 */

import { ListHead } from '../lib/list.js';
import { addr, array, int, ptr, struct, type Type, u8, u16, u32, uint, ulong } from '../lib/struct.js';
import { type Handle, type Pfn, type Vaddr, VMEMMAP_START } from '../machine/layout.js';
import type { Ram } from '../machine/ram.js';

const atomic: Type<number> = { ...int, declare: (name) => `atomic_t ${name}` };
const spinlock: Type<number> = { ...u32, declare: (name) => `spinlock_t ${name}` };

export const Page = struct('page', {
  flags: ulong,
  use: union5(),
  count: {
    union: { mapped: { _mapcount: atomic }, typed: { page_type: uint } },
  },
  _refcount: atomic,
  memcg_data: ulong,
});

/** The five words whose meaning depends on what the page is used for. */
function union5() {
  return {
    union: {
      cached: {
        lru: ListHead,
        mapping: addr('struct address_space'),
        index: ulong,
        private: ulong,
      },
      buddy: { buddy_list: ListHead },
      perCpu: { pcp_list: ListHead },
      mlocked: { __filler: addr(), mlock_count: uint },
      firstTail: {
        compound_head: ulong,
        compound_dtor: u8,
        compound_order: u8,
        compound_mapcount: atomic,
        compound_pincount: atomic,
        compound_nr: uint,
      },
      secondTail: { _compound_pad_1: ulong, _compound_pad_2: ulong, deferred_list: ListHead },
      pageTable: {
        _pt_pad_1: ulong,
        pmd_huge_pte: addr('struct page'),
        _pt_pad_2: ulong,
        pt_mm: ptr('struct mm_struct'),
        ptl: spinlock,
      },
      slab: {
        slab_list: ListHead,
        slab_cache: ptr('struct kmem_cache'),
        freelist: ptr('void'),
        counters: ulong,
      },
      slabCounts: { _slab_pad: array(ulong, 4), inuse: u16, objects: u16 },
    },
  } as const;
}

/** sizeof(struct page), in words: page n's handle is the memmap's plus n times this. */
export const PAGE_WORDS = Page.size / 4;

// ------------------------------------------------------------------------------------------------
// Flags

export const PG_locked = 0;
export const PG_referenced = 1;
export const PG_uptodate = 2;
export const PG_dirty = 3;
export const PG_lru = 4;
export const PG_active = 5;
export const PG_workingset = 6;
export const PG_waiters = 7;
export const PG_error = 8;
export const PG_slab = 9;
export const PG_owner_priv_1 = 10;
export const PG_arch_1 = 11;
export const PG_reserved = 12;
export const PG_private = 13;
export const PG_private_2 = 14;
export const PG_writeback = 15;
export const PG_head = 16;
export const PG_mappedtodisk = 17;
export const PG_reclaim = 18;
export const PG_swapbacked = 19;
export const PG_unevictable = 20;
export const PG_mlocked = 21;
export const PG_uncached = 22;
export const PG_hwpoison = 23;
export const PG_young = 24;
export const PG_idle = 25;
export const PG_arch_2 = 26;
export const NR_PAGEFLAGS = 27;
export const PG_checked = PG_owner_priv_1;
export const PG_swapcache = PG_owner_priv_1;

/** Names that messages use for the flags, in the order in which %pGp prints them. */
export const PAGE_FLAG_NAMES: readonly (readonly [mask: number, name: string])[] = (
  [
    [PG_locked, 'locked'],
    [PG_waiters, 'waiters'],
    [PG_error, 'error'],
    [PG_referenced, 'referenced'],
    [PG_uptodate, 'uptodate'],
    [PG_dirty, 'dirty'],
    [PG_lru, 'lru'],
    [PG_active, 'active'],
    [PG_workingset, 'workingset'],
    [PG_slab, 'slab'],
    [PG_owner_priv_1, 'owner_priv_1'],
    [PG_arch_1, 'arch_1'],
    [PG_reserved, 'reserved'],
    [PG_private, 'private'],
    [PG_private_2, 'private_2'],
    [PG_writeback, 'writeback'],
    [PG_head, 'head'],
    [PG_mappedtodisk, 'mappedtodisk'],
    [PG_reclaim, 'reclaim'],
    [PG_swapbacked, 'swapbacked'],
    [PG_unevictable, 'unevictable'],
    [PG_mlocked, 'mlocked'],
    [PG_uncached, 'uncached'],
    [PG_hwpoison, 'hwpoison'],
    [PG_young, 'young'],
    [PG_idle, 'idle'],
    [PG_arch_2, 'arch_2'],
  ] as const
).map(([bit, name]) => [1 << bit, name]);

/** A page with one of these set cannot be freed: it still belongs to somebody. */
export const PAGE_FLAGS_CHECK_AT_FREE =
  (1 << PG_lru) |
  (1 << PG_locked) |
  (1 << PG_private) |
  (1 << PG_private_2) |
  (1 << PG_writeback) |
  (1 << PG_reserved) |
  (1 << PG_slab) |
  (1 << PG_active) |
  (1 << PG_unevictable) |
  (1 << PG_mlocked);
/** Flags that freeing clears: all but hwpoison. */
export const PAGE_FLAGS_CHECK_AT_PREP = ((1 << NR_PAGEFLAGS) - 1) & ~(1 << PG_hwpoison);

// Upper word of flags: zone in bits 19–21 (51–53 of the whole), node in the ten above, last_cpupid below.
export const ZONES_PGSHIFT_HI = 19;
/** The lower and upper word of an idle page's flags: no flag set, last_cpupid all ones. */
export const PAGE_FLAGS_INIT_LO = 0xc0000000 | 0;
export const pageFlagsInitHi = (zoneIndex: number): number => (zoneIndex << ZONES_PGSHIFT_HI) | 0x7ffff;
/** Zone index of a page, from the upper word of its flags. @linux include/linux/mmzone.h:page_zonenum full */
export const zoneOfFlagsHi = (flagsHi: number): number => (flagsHi >>> ZONES_PGSHIFT_HI) & 7;

// ------------------------------------------------------------------------------------------------
// page_type: an int that counts mappings as long as the page is mapped or ordinary (-1 and up), and else carries
// inverted bits below a base that no count reaches.

export const PAGE_TYPE_BASE = 0xf0000000;
export const PG_buddy = 0x80;
export const PG_offline = 0x100;
export const PG_table = 0x200;
export const PG_guard = 0x400;
/** `_mapcount` of an ordinary unmapped page, of a free block's head, of a page table, of a guard page. */
export const PAGE_MAPCOUNT_RESET = -1;
export const PAGE_BUDDY_MAPCOUNT = ~PG_buddy;
export const PAGE_TABLE_MAPCOUNT = ~PG_table;
export const PAGE_GUARD_MAPCOUNT = ~PG_guard;

/** Destructors of compound pages (`compound_dtor`). */
export const NULL_COMPOUND_DTOR = 0;
export const COMPOUND_PAGE_DTOR = 1;
/** `mapping` of a tail page: 0xdead000000000400. */
export const TAIL_MAPPING_LO = 0x400;
export const POISON_HI = 0xdead0000 | 0;

/** Upper word of every pointer to a struct page. */
export const VMEMMAP_HI = 0xffffea00 | 0;

// ------------------------------------------------------------------------------------------------
// Frame number, struct page and addresses, for a memmap that begins at handle `memmap`.

export const pfnToPage = (memmap: Handle, pfn: Pfn): Handle => memmap + pfn * PAGE_WORDS;
export const pageToPfn = (memmap: Handle, page: Handle): Pfn => (page - memmap) >> 4;
/** Where C sees a struct page. */
export const pageToVmemmap = (memmap: Handle, page: Handle): Vaddr => VMEMMAP_START + (page - memmap) * 4;

const COMPOUND_HEAD = Page.w.compound_head;

/** The head of the compound page that a page belongs to, or the page. @linux include/linux/page-flags.h:_compound_head full */
export function compoundHead(ram: Ram, memmap: Handle, page: Handle): Handle {
  const head = ram.i32[page + COMPOUND_HEAD];
  return (head & 1) === 0 ? page : memmap + (head >>> 2);
}

export const pageFlag = (ram: Ram, page: Handle, bit: number): boolean => ((ram.i32[page] >>> bit) & 1) === 1;
export function setPageFlag(ram: Ram, page: Handle, bit: number): void {
  ram.i32[page] |= 1 << bit;
}

/** Order of a compound page's head; 0 for any other page. @linux include/linux/mm.h:compound_order full */
export function compoundOrder(ram: Ram, page: Handle): number {
  return pageFlag(ram, page, PG_head) ? ram.u8[(page + PAGE_WORDS) * 4 + Page.o.compound_order] : 0;
}
