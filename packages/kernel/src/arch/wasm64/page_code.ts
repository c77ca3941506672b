// SPDX-License-Identifier: MIT
/**
 * Writes the fast paths of the page allocator as WebAssembly: one page from or to this CPU's list, as
 * mm/page_fast.ts does it. The same holds as for slab_code.ts: nothing is stored before it is certain that this is
 * the plain case, and what C may have spoilt is not followed out of RAM.
 */

import {
  PAGE_OFFSET,
  PAGE_OFFSET_HI,
  PAGE_SHIFT,
  PAGE_SIZE,
  type Paddr,
  RAM_BASE,
  VMEMMAP_START,
} from '../../machine/layout.js';
import {
  __GFP_DMA,
  __GFP_DMA32,
  __GFP_HIGHMEM,
  __GFP_MOVABLE,
  __GFP_RECLAIMABLE,
  __GFP_ZERO,
} from '../../mm/gfp.js';
import { LIST_POISON2 } from '../../mm/memmap.js';
import {
  MAX_NR_ZONES,
  MIGRATE_PCPTYPES,
  PAGEBLOCK_ORDER,
  PerCpuPages,
  WMARK_LOW,
  Zone,
} from '../../mm/mmzone.js';
import {
  PAGE_FLAGS_CHECK_AT_FREE,
  PAGE_FLAGS_CHECK_AT_PREP,
  Page,
  PG_head,
  POISON_HI,
  VMEMMAP_HI,
  ZONES_PGSHIFT_HI,
} from '../../mm/page.js';
import { NR_FREE_PAGES } from '../../mm/vmstat.js';
import { type Asm, OP } from './assembler.js';
import { type FastPathBody, FastPathCode, fastPathBody } from './fast_path_code.js';
import { type FunctionType, I32, I64 } from './object.js';

/** Where things lie that never move after boot: physical addresses. */
export interface PagePlaces {
  readonly ramSize: number;
  readonly nrCpus: number;
  readonly maxPfn: number;
  readonly memmap: Paddr;
  readonly zones: Paddr;
  /** struct per_cpu_pages of zone 0 and CPU 0. */
  readonly pcps: Paddr;
  readonly pageblockFlags: Paddr;
  /** Counters of pages allocated, of zone 0, and of pages freed. */
  readonly pgalloc: Paddr;
  readonly pgfree: Paddr;
  /** Highest zone allowed without a zone flag, and the highest of those below that has memory. */
  readonly highest: number;
  readonly preferred: number;
}

const PAGE_STRUCT_SHIFT = Math.log2(Page.size);
/** Flags that choose another zone or another migrate type than the plain ones. */
const PLACE_FLAGS = __GFP_DMA | __GFP_HIGHMEM | __GFP_DMA32 | __GFP_MOVABLE | __GFP_RECLAIMABLE;
const FORBIDDEN = PAGE_FLAGS_CHECK_AT_FREE | (1 << PG_head);
const LRU = Page.o.lru;
/** Of a list node: the links. */
const NEXT = 0;
const PREV = 8;
const LIST_SIZE = 16;
const FREE_PAGES = Zone.o.vm_stat + 8 * NR_FREE_PAGES;

/** The i64 locals come first. */
const LOCAL_TYPES = [I64, I32, I32, I32, I32, I32, I32, I32];

interface Locals {
  readonly link: number;
  readonly page: number;
  readonly zone: number;
  readonly pcp: number;
  readonly next: number;
  readonly flags: number;
  readonly count: number;
  readonly list: number;
}

function localsFrom(first: number): Locals {
  const [link, page, zone, pcp, next, flags, count, list] = LOCAL_TYPES.map((_, i) => first + i);
  return { link, page, zone, pcp, next, flags, count, list };
}

const ALLOC: FunctionType = { params: [I32, I32], results: [I64] };
const FREE: FunctionType = { params: [I64, I32], results: [] };

const FAST_PATHS: { readonly [name: string]: { type: FunctionType; emit(path: PageFastPath): void } } = {
  __get_free_pages: {
    type: ALLOC,
    emit(path) {
      path.take();
      path.returnAddress();
    },
  },
  alloc_pages: {
    type: ALLOC,
    emit(path) {
      path.take();
      path.returnPage();
    },
  },
  free_pages: {
    type: FREE,
    emit(path) {
      path.pageOfAddress();
      path.give();
    },
  },
  __free_pages: {
    type: FREE,
    emit(path) {
      path.pageOfPointer();
      path.give();
    },
  },
};

export const PAGE_FUNCTIONS: readonly string[] = Object.keys(FAST_PATHS);

/** One of PAGE_FUNCTIONS. @param slow what is done where the fast path gives up */
export function pageFunction(name: string, places: PagePlaces, slow: Asm): FastPathBody {
  const { type, emit } = FAST_PATHS[name];
  const locals = localsFrom(type.params.length);
  return fastPathBody(type, LOCAL_TYPES, (out) => emit(new PageFastPath(out, places, locals)), slow);
}

/** A fast path in the making. Parameter 1 is the order; of an allocation, parameter 0 the gfp flags. */
class PageFastPath extends FastPathCode {
  constructor(
    out: Asm,
    private readonly places: PagePlaces,
    private readonly v: Locals,
  ) {
    super(out, places.ramSize, places.nrCpus);
  }

  /** Pushes a word at a constant address. */
  private at(address: Paddr, opcode: number = OP.i32_load): Asm {
    return this.out.i32(0).mem(opcode, RAM_BASE + address);
  }

  private store(base: number, offset: number, value: () => Asm, opcode: number = OP.i32_store): void {
    this.out.get(base);
    value().mem(opcode, RAM_BASE + offset);
  }

  /** Adds 1 to a 64-bit counter at a constant address. */
  private countUp(address: Paddr): void {
    this.out.i32(0);
    this.at(address, OP.i64_load)
      .i64(1)
      .op(OP.i64_add)
      .mem(OP.i64_store, RAM_BASE + address);
  }

  /** Sets `page` to one from this CPU's list, taken off and made ready. */
  take(): void {
    const { out, places, v } = this;
    const zone = places.zones + places.preferred * Zone.size;
    out.get(0).i32(PLACE_FLAGS).op(OP.i32_and).get(1).op(OP.i32_or).brIf(0);
    // Free pages that are not reserved must exceed the low mark.
    this.at(zone + FREE_PAGES);
    this.at(zone + Zone.o.nr_reserved_highatomic).op(OP.i32_sub);
    this.at(zone + Zone.o._watermark + 8 * WMARK_LOW);
    this.at(zone + Zone.o.watermark_boost).op(OP.i32_add);
    this.at(zone + Zone.o.lowmem_reserve + 8 * places.highest).op(OP.i32_add);
    out.op(OP.i32_gt_s, OP.i32_eqz).brIf(0);
    out.i32(places.pcps + places.preferred * places.nrCpus * PerCpuPages.size).set(v.pcp);
    this.ofThisCpu(v.pcp, PerCpuPages.size);
    this.load(v.pcp, PerCpuPages.o.lists + 4)
      .i32(VMEMMAP_HI)
      .op(OP.i32_ne)
      .brIf(0);
    this.load(v.pcp, PerCpuPages.o.lists)
      .i32(places.memmap - LRU)
      .op(OP.i32_add)
      .set(v.page);
    this.inRam(v.page, Page.size);
    this.setNext(v.page, LRU);
    this.unlink(v.pcp, PerCpuPages.o.lists);
    this.store(v.pcp, PerCpuPages.o.free_factor, () =>
      this.load(v.pcp, PerCpuPages.o.free_factor).i32(1).op(OP.i32_shr_s),
    );
    this.store(v.pcp, PerCpuPages.o.count, () => this.load(v.pcp, PerCpuPages.o.count).i32(1).op(OP.i32_sub));
    this.store(v.page, LRU + NEXT, () => out.i64(0), OP.i64_store);
    this.store(v.page, LRU + PREV, () => out.i32(LIST_POISON2));
    this.store(v.page, LRU + PREV + 4, () => out.i32(POISON_HI));
    this.store(v.page, Page.o.private, () => out.i64(0), OP.i64_store);
    this.store(v.page, Page.o._refcount, () => out.i32(1));
    this.countUp(places.pgalloc + 8 * places.preferred);
    this.countUp(zone + Zone.o.vm_numa_event);
    out.get(0).i32(__GFP_ZERO).op(OP.i32_and).if();
    this.pushFrame().i32(RAM_BASE).op(OP.i32_add).i32(0).i32(PAGE_SIZE).memoryFill().end();
  }

  /** Pushes the physical address of the frame of `page`. */
  private pushFrame(): Asm {
    const { out, places, v } = this;
    out.get(v.page).i32(places.memmap).op(OP.i32_sub);
    return out.i32(PAGE_SHIFT - PAGE_STRUCT_SHIFT).op(OP.i32_shl);
  }

  returnAddress(): void {
    this.pushFrame().op(OP.i64_extend_i32_u).i64(PAGE_OFFSET).op(OP.i64_add).return();
  }

  returnPage(): void {
    const { out, places, v } = this;
    out.get(v.page).i32(places.memmap).op(OP.i32_sub, OP.i64_extend_i32_u);
    out.i64(VMEMMAP_START).op(OP.i64_add).return();
  }

  /** Sets `link` to the link at an address, and `next` to the list node that it leads to. */
  private setNext(base: number, offset: number): void {
    const { out, places, v } = this;
    this.load(base, offset, OP.i64_load).tee(v.link).op(OP.i32_wrap_i64).i32(~3).op(OP.i32_and).set(v.next);
    out.get(v.link).i64(32).op(OP.i64_shr_u, OP.i32_wrap_i64).i32(PAGE_OFFSET_HI).op(OP.i32_ne).if();
    out.get(v.next).i32(places.memmap).op(OP.i32_add).set(v.next).end();
    this.inRam(v.next, LIST_SIZE);
  }

  /** Makes the list begin with `next`. */
  private unlink(base: number, offset: number): void {
    const { out, v } = this;
    this.store(base, offset, () => out.get(v.link), OP.i64_store);
    this.store(v.next, PREV, () => this.headPointer(base, offset), OP.i64_store);
  }

  /** Pushes the direct-map address of a list head. */
  private headPointer(base: number, offset: number): Asm {
    const { out } = this;
    return out
      .get(base)
      .op(OP.i64_extend_i32_u)
      .i64(PAGE_OFFSET + offset)
      .op(OP.i64_add);
  }

  /** Sets `page` to that of an address in the direct map. */
  pageOfAddress(): void {
    const { out, places, v } = this;
    this.physical(0, v.page, 1);
    out.get(v.page).i32(PAGE_SHIFT).op(OP.i32_shr_u).i32(PAGE_STRUCT_SHIFT).op(OP.i32_shl);
    out.i32(places.memmap).op(OP.i32_add).set(v.page);
  }

  /** Sets `page` to the one that a `struct page *` points to. */
  pageOfPointer(): void {
    const { out, places, v } = this;
    out
      .get(0)
      .i64(-VMEMMAP_START)
      .op(OP.i64_add)
      .i64(places.maxPfn * Page.size)
      .op(OP.i64_ge_u)
      .brIf(0);
    out
      .get(0)
      .op(OP.i32_wrap_i64)
      .tee(v.page)
      .i32(Page.size - 1)
      .op(OP.i32_and)
      .brIf(0);
    out.get(v.page).i32(places.memmap).op(OP.i32_add).set(v.page);
  }

  /** Gives up unless `page` has one user and nothing else that freeing would have to see to. */
  private plainPage(): void {
    const { out, v } = this;
    out.get(1).brIf(0);
    this.load(v.page, Page.o._refcount).i32(1).op(OP.i32_xor);
    this.load(v.page, Page.o._mapcount).i32(-1).op(OP.i32_xor, OP.i32_or);
    this.load(v.page, Page.o.flags).tee(v.flags).i32(FORBIDDEN).op(OP.i32_and, OP.i32_or).brIf(0);
    this.load(v.page, Page.o.mapping, OP.i64_load);
    this.load(v.page, Page.o.memcg_data, OP.i64_load).op(OP.i64_or, OP.i64_eqz, OP.i32_eqz).brIf(0);
  }

  /** Sets `pcp` to this CPU's lists of the page's zone, `count` to how many pages they then hold; gives up if too many. */
  private roomOnList(): void {
    const { out, places, v } = this;
    this.load(v.page, Page.o.flags + 4)
      .i32(ZONES_PGSHIFT_HI)
      .op(OP.i32_shr_u)
      .i32(7)
      .op(OP.i32_and);
    out.tee(v.zone).i32(MAX_NR_ZONES).op(OP.i32_ge_u).brIf(0);
    out
      .get(v.zone)
      .i32(places.nrCpus * PerCpuPages.size)
      .op(OP.i32_mul);
    out.i32(places.pcps).op(OP.i32_add).set(v.pcp);
    this.ofThisCpu(v.pcp, PerCpuPages.size);
    out
      .get(v.zone)
      .i32(Zone.size)
      .op(OP.i32_mul)
      .mem(OP.i32_load, RAM_BASE + places.zones + Zone.o.flags);
    out.brIf(0);
    this.load(v.pcp, PerCpuPages.o.count).i32(1).op(OP.i32_add).tee(v.count);
    this.load(v.pcp, PerCpuPages.o.high).op(OP.i32_lt_s, OP.i32_eqz).brIf(0);
  }

  /** Sets `zone`, which is not needed any more, to the migrate type of the page's block; gives up if it has no list. */
  private migratetype(): void {
    const { out, places, v } = this;
    const block = () =>
      out
        .get(v.page)
        .i32(places.memmap)
        .op(OP.i32_sub)
        .i32(PAGE_STRUCT_SHIFT + PAGEBLOCK_ORDER)
        .op(OP.i32_shr_u);
    // Four bits a block, eight blocks a word.
    block()
      .i32(3)
      .op(OP.i32_shr_u)
      .i32(2)
      .op(OP.i32_shl)
      .mem(OP.i32_load, RAM_BASE + places.pageblockFlags);
    block().i32(7).op(OP.i32_and).i32(2).op(OP.i32_shl, OP.i32_shr_u).i32(7).op(OP.i32_and);
    out.tee(v.zone).i32(MIGRATE_PCPTYPES).op(OP.i32_ge_u).brIf(0);
  }

  /** Drops the only reference to `page`, puts it on this CPU's list and returns. */
  give(): void {
    const { out, places, v } = this;
    const { list } = v;
    const lists = PerCpuPages.o.lists;
    this.plainPage();
    this.roomOnList();
    this.migratetype();
    out.get(v.zone).i32(LIST_SIZE).op(OP.i32_mul).get(v.pcp).op(OP.i32_add).set(list);
    this.setNext(list, lists);
    this.store(v.page, Page.o.flags, () => out.get(v.flags).i32(~PAGE_FLAGS_CHECK_AT_PREP).op(OP.i32_and));
    this.store(v.page, Page.o._refcount, () => out.i32(0));
    this.store(v.page, Page.o.index, () => out.get(v.zone).op(OP.i64_extend_i32_u), OP.i64_store);
    this.store(v.pcp, PerCpuPages.o.count, () => out.get(v.count));
    const node = () =>
      out
        .get(v.page)
        .i32(places.memmap - LRU)
        .op(OP.i32_sub, OP.i64_extend_i32_u)
        .i64(VMEMMAP_START)
        .op(OP.i64_add);
    this.store(v.next, PREV, node, OP.i64_store);
    this.store(v.page, LRU + NEXT, () => out.get(v.link), OP.i64_store);
    this.store(v.page, LRU + PREV, () => this.headPointer(list, lists), OP.i64_store);
    this.store(list, lists, node, OP.i64_store);
    this.countUp(places.pgfree);
    out.return();
  }
}
