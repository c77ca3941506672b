// SPDX-License-Identifier: MIT
/**
 * The page-table entries of vmalloc space: mapping arrays of pages, removing mappings, looking pages up.
 *
 * One walk finds a table of 512 entries; within it the loops are stores only. Tables made on the way stay when their
 * entries go, as in Linux.
 */

import { EBUSY, EINVAL, ENOMEM } from '../lib/errno.js';
import { type GuestAccess, physical } from '../lib/guest_access.js';
import {
  type Handle,
  PAGE_OFFSET_HI,
  PAGE_SIZE,
  type Paddr,
  TLB_ENTRIES,
  type Vaddr,
  VMEMMAP_START,
} from '../machine/layout.js';
import type { MemMap } from './memmap.js';
import { PAGE_WORDS, VMEMMAP_HI } from './page.js';
import { _PAGE_NX_HI, _PAGE_PRESENT, _PAGE_PSE, type PageTables, type Protection } from './pgtable.js';

/** Entries of a table, and the address bits below each level's index. */
const ENTRIES = 512;
const LEVEL_SHIFTS = [39, 30, 21, 12] as const;
const POINTERS_PER_PAGE = PAGE_SIZE / 8;

/** The TLB, as whoever removes mappings needs it. */
export interface Tlb {
  flush(): void;
  flushPage(address: Vaddr): void;
}

export interface VmapPagesDeps extends GuestAccess {
  readonly map: MemMap;
  readonly tlb: Tlb;
  pageTables(): PageTables;
}

/** The raw bits of a protection, but for the frame and _PAGE_PRESENT: lower and upper word. */
export interface ProtectionBits {
  readonly lo: number;
  readonly hi: number;
}

export const protectionBits = ({ flags, executable }: Protection): ProtectionBits => ({
  lo: flags | _PAGE_PRESENT,
  hi: executable ? 0 : _PAGE_NX_HI,
});

export class VmapPages {
  private readonly i32: Int32Array;

  constructor(private readonly deps: VmapPagesDeps) {
    this.i32 = deps.ram.i32;
  }

  /**
   * Maps pages one after the other.
   * @param array address of `count` pointers to struct page; one that cannot be read is an oops
   * @returns 0, or why it stopped: -EBUSY (an entry is in use), -ENOMEM (no memory for a table, or a NULL pointer:
   *   then `nullPage` is set), -EINVAL (a pointer to no page)
   * @linux mm/vmalloc.c:vmap_small_pages_range_noflush full
   */
  mapPages(start: Vaddr, array: Vaddr, count: number, { lo, hi }: ProtectionBits): number {
    const { i32 } = this;
    const { map } = this.deps;
    this.nullPage = false;
    for (let done = 0; done < count; ) {
      const entry = this.entryFor(start + done * PAGE_SIZE);
      if (entry === 0) return -ENOMEM;
      const words = this.pointerWord(array + 8 * done);
      const inTable = ENTRIES - this.indexOf(start + done * PAGE_SIZE);
      const n = Math.min(count - done, inTable, this.pointersFrom(array + 8 * done));
      for (let i = 0; i < n; i++) {
        const page = words + 2 * i;
        const offset = i32[page];
        const at = entry + 2 * i;
        if ((i32[at] | i32[at + 1]) !== 0) return -EBUSY;
        if (i32[page + 1] !== VMEMMAP_HI || (offset & 63) !== 0 || offset >>> 6 >= map.maxPfn) {
          this.nullPage = offset === 0 && i32[page + 1] === 0;
          return this.nullPage ? -ENOMEM : -EINVAL;
        }
        i32[at] = ((offset >>> 6) * PAGE_SIZE) | lo;
        i32[at + 1] = hi;
      }
      done += n;
    }
    return 0;
  }

  /** Set by mapPages: it met a NULL pointer. */
  nullPage = false;

  /**
   * Maps physical memory that need not be RAM. -EBUSY, -ENOMEM or 0.
   * @linux mm/vmalloc.c:ioremap_page_range partial: pages of 4 KiB only
   */
  mapFrames(start: Vaddr, end: Vaddr, frame: Paddr, { lo, hi }: ProtectionBits): number {
    const { i32 } = this;
    for (let at = start; at < end; ) {
      const entry = this.entryFor(at);
      if (entry === 0) return -ENOMEM;
      const n = Math.min((end - at) / PAGE_SIZE, ENTRIES - this.indexOf(at));
      for (let i = 0; i < n; i++) {
        const e = entry + 2 * i;
        const p = frame + (at - start) + i * PAGE_SIZE;
        if ((i32[e] | i32[e + 1]) !== 0) return -EBUSY;
        i32[e] = p | lo;
        i32[e + 1] = Math.floor(p / 4294967296) | hi;
      }
      at += n * PAGE_SIZE;
    }
    return 0;
  }

  /**
   * Removes all mappings of [start, end), and what the TLB knows of them.
   * @linux mm/vmalloc.c:vunmap_range differs: forgets the range's own TLB entries at once, so that no stale one is used
   */
  unmap(start: Vaddr, end: Vaddr): void {
    const { i32 } = this;
    const tables = this.deps.pageTables();
    for (let at = start; at < end; ) {
      const { entry, level } = tables.walk(at);
      if (level < 3) {
        const span = 2 ** LEVEL_SHIFTS[level];
        at = Math.floor(at / span) * span + span;
        continue;
      }
      const n = Math.min((end - at) / PAGE_SIZE, ENTRIES - this.indexOf(at));
      i32.fill(0, entry, entry + 2 * n);
      at += n * PAGE_SIZE;
    }
    this.flushRange(start, end);
  }

  /** Makes the TLB forget a range. @linux arch/x86/mm/tlb.c:flush_tlb_kernel_range full */
  private flushRange(start: Vaddr, end: Vaddr): void {
    const { tlb } = this.deps;
    if ((end - start) / PAGE_SIZE > TLB_ENTRIES) tlb.flush();
    else for (let at = start; at < end; at += PAGE_SIZE) tlb.flushPage(at);
  }

  /** True if something is mapped at an address. */
  isMapped(address: Vaddr): boolean {
    const { entry } = this.deps.pageTables().walk(address);
    return (this.i32[entry] & _PAGE_PRESENT) !== 0;
  }

  /**
   * The page that a kernel address is mapped to, by the page tables alone; 0 if there is none.
   * @linux mm/vmalloc.c:vmalloc_to_page full
   */
  toPage(address: Vaddr): Handle {
    const tables = this.deps.pageTables();
    const { entry, level } = tables.walk(address);
    const low = this.i32[entry];
    if ((low & _PAGE_PRESENT) === 0 || (level < 3 && (low & _PAGE_PSE) === 0)) return 0;
    const inLarge = level < 3 ? modulo(address, 2 ** LEVEL_SHIFTS[level]) : 0;
    const pfn = tables.frame(entry) / PAGE_SIZE + Math.floor(inLarge / PAGE_SIZE);
    return pfn < this.deps.map.maxPfn ? this.deps.map.pfnToPage(pfn) : 0;
  }

  // ----------------------------------------------------------------------------------------------
  // Arrays of pointers to pages

  /** Writes pointers to pages, from `first` on, as `page(i)` gives them; stops at a 0. Returns how many it wrote. */
  fillPointers(array: Vaddr, count: number, page: () => Handle): number {
    const { i32 } = this;
    const { base } = this.deps.map;
    for (let done = 0; done < count; ) {
      const words = this.pointerWord(array + 8 * done, true);
      const n = Math.min(count - done, this.pointersFrom(array + 8 * done));
      for (let i = 0; i < n; i++) {
        const p = page();
        if (p === 0) return done + i;
        i32[words + 2 * i] = (p - base) << 2;
        i32[words + 2 * i + 1] = VMEMMAP_HI;
      }
      done += n;
    }
    return count;
  }

  /** Calls `each` with the pages that pointers name: a handle, or for what names no page -1 and the pointer. */
  eachPointer(array: Vaddr, count: number, each: (page: Handle, pointer: Vaddr) => void): void {
    const { i32 } = this;
    const { map, ram } = this.deps;
    for (let done = 0; done < count; ) {
      const words = this.pointerWord(array + 8 * done);
      const n = Math.min(count - done, this.pointersFrom(array + 8 * done));
      for (let w = words; w < words + 2 * n; w += 2) {
        const page = map.base + (i32[w] >>> 2);
        const good = i32[w + 1] === VMEMMAP_HI && (page - map.base) % PAGE_WORDS === 0 && page < map.end;
        if (good) each(page, VMEMMAP_START);
        else each(-1, ram.s64(w));
      }
      done += n;
    }
  }

  /** Pointers from an address to the end of its page. */
  private pointersFrom(address: Vaddr): number {
    return POINTERS_PER_PAGE - (modulo(address, PAGE_SIZE) >>> 3);
  }

  /** Word in RAM of the pointer at an address; the low three bits of the address count for nothing. */
  private pointerWord(address: Vaddr, write = false): Handle {
    const aligned = address - modulo(address, 8);
    const hi = Math.floor(aligned / 4294967296) | 0;
    if (hi === PAGE_OFFSET_HI && aligned >>> 0 < this.deps.ram.size) return (aligned >>> 0) / 4;
    return physical(this.deps, aligned, write) / 4;
  }

  private indexOf(address: Vaddr): number {
    return Math.floor(address / PAGE_SIZE) & (ENTRIES - 1);
  }

  /** The entry of a page, with the tables that lead to it made; 0 if there is no memory for one. */
  private entryFor(address: Vaddr): Handle {
    const tables = this.deps.pageTables();
    const found = tables.walk(address);
    if (found.level === 3) return found.entry;
    // Mapping any frame makes the tables; the entry itself is then as empty as the others.
    if (!tables.map(address, 0, { flags: 0, executable: false })) return 0;
    const { entry } = tables.walk(address);
    this.i32[entry] = this.i32[entry + 1] = 0;
    return entry;
  }
}

const modulo = (n: number, m: number): number => ((n % m) + m) % m;
