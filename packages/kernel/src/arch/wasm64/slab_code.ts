// SPDX-License-Identifier: MIT
/**
 * Writes the fast paths of the slab allocator as WebAssembly: what `slab_alloc_node` and `do_slab_free` do when
 * nothing is out of the ordinary, on the same structs in RAM as mm/slub.ts.
 *
 *     __kmalloc(size, gfp)                       kfree(object)
 *       gate word is 0                             gate word is 0
 *       1 ≤ size ≤ 8192, plain gfp                 object in the direct map, its head page a slab
 *       cache = kmalloc_caches[index of size]      the CPU's slab: push on the CPU's freelist
 *       object = first of the CPU's freelist       another with more in use: push on the slab's own
 *       CPU's freelist = link in the object
 *
 * Any condition that does not hold leads to the TypeScript function of the same name, with the same arguments.
 * Nothing was stored by then. Every value that C may have spoilt is checked before it is used as an address: a
 * fast path may give wrong memory to who spoilt it, but reaches nothing outside RAM.
 */

import { PAGE_OFFSET, PAGE_SHIFT, type Paddr, RAM_BASE, vaddr } from '../../machine/layout.js';
import { __GFP_ACCOUNT, __GFP_DMA, __GFP_RECLAIMABLE, __GFP_ZERO } from '../../mm/gfp.js';
import { Page, PG_slab, VMEMMAP_HI } from '../../mm/page.js';
import { PCPU_UNIT_SIZE } from '../../mm/percpu.js';
import {
  KMALLOC_MAX_CACHE_SIZE,
  KmemCache,
  KmemCacheCpu,
  SLAB_DEBUG_FLAGS,
  Slab,
  ZERO_SIZE_PTR,
} from '../../mm/slab.js';
import { type Asm, OP } from './assembler.js';
import { type FastPathBody, FastPathCode, fastPathBody } from './fast_path_code.js';
import { type FunctionType, I32, I64 } from './object.js';

/** Where things lie that never move after boot: physical addresses. */
export interface SlabPlaces {
  readonly ramSize: number;
  readonly nrCpus: number;
  /** struct page of frame 0. */
  readonly memmap: Paddr;
  /** First row of kmalloc_caches. */
  readonly kmallocCaches: Paddr;
  readonly sizeIndex: Paddr;
  /** The pointer to the cache that caches come from. */
  readonly kmemCache: Paddr;
}

/** Parameters of a fast path come first; its locals follow. */
const LOCAL_TYPES = [I64, I64, I32, I32, I32, I32, I32, I32];

/** @param object the parameter that is the object, if one is */
function localsFrom(first: number, object?: number): Locals {
  const [own, link, cache, cpuSlab, page, p, at, counters] = LOCAL_TYPES.map((_, i) => first + i);
  return { object: object ?? own, link, cache, cpuSlab, page, p, at, counters };
}

/** What the four functions do, up to the slow path. */
const FAST_PATHS: {
  readonly [name: string]: { type: FunctionType; object?: number; emit(path: SlabFastPath): void };
} = {
  __kmalloc: {
    type: { params: [I64, I32], results: [I64] },
    emit(path) {
      path.kmallocCache(0, 1);
      path.take(1);
    },
  },
  kfree: {
    type: { params: [I64], results: [] },
    object: 0,
    emit(path) {
      path.nothingToFree();
      path.object();
      path.ownCache();
      path.give();
    },
  },
  kmem_cache_alloc: {
    type: { params: [I64, I32], results: [I64] },
    emit(path) {
      path.givenCache(0);
      path.take(1);
    },
  },
  kmem_cache_free: {
    type: { params: [I64, I64], results: [] },
    object: 1,
    emit(path) {
      path.givenCache(0);
      path.object();
      path.sameCache();
      path.give();
    },
  },
};

export const SLAB_FUNCTIONS: readonly string[] = Object.keys(FAST_PATHS);

/** One of SLAB_FUNCTIONS. @param slow what is done where the fast path gives up */
export function slabFunction(name: string, places: SlabPlaces, slow: Asm): FastPathBody {
  const { type, object, emit } = FAST_PATHS[name];
  const locals = localsFrom(type.params.length, object);
  return fastPathBody(type, LOCAL_TYPES, (out) => emit(new SlabFastPath(out, places, locals)), slow);
}

const PAGE_STRUCT_SHIFT = Math.log2(Page.size);
const VMEMMAP_LINK = vaddr(VMEMMAP_HI, 0);
/** Flags that choose another row of kmalloc_caches than the first. */
const OTHER_ROW = __GFP_RECLAIMABLE | __GFP_DMA | __GFP_ACCOUNT;
/** Sizes up to this one have their cache in size_index, by steps of 8. */
const SIZE_INDEX_MAX = 192;

/** Locals that hold physical addresses (i32), but for `object` and `link`, which are as C sees them (i64). */
interface Locals {
  readonly object: number;
  readonly link: number;
  readonly cache: number;
  readonly cpuSlab: number;
  readonly page: number;
  readonly p: number;
  readonly at: number;
  readonly counters: number;
}

/** A fast path in the making. */
class SlabFastPath extends FastPathCode {
  constructor(
    out: Asm,
    private readonly places: SlabPlaces,
    private readonly v: Locals,
  ) {
    super(out, places.ramSize, places.nrCpus);
  }

  /** Sets `cache` to the one that serves a size in a local, or gives up. */
  kmallocCache(size: number, gfp: number): void {
    const { out, places, v } = this;
    out.get(size).i64(-1).op(OP.i64_add).i64(KMALLOC_MAX_CACHE_SIZE).op(OP.i64_ge_u).brIf(0);
    out.get(gfp).i32(OTHER_ROW).op(OP.i32_and).brIf(0);
    out.get(size).op(OP.i32_wrap_i64).i32(1).op(OP.i32_sub).tee(v.at);
    out.i32(SIZE_INDEX_MAX).op(OP.i32_lt_u).if(I32);
    out
      .get(v.at)
      .i32(3)
      .op(OP.i32_shr_u)
      .mem(OP.i32_load8_u, RAM_BASE + places.sizeIndex);
    out.else().i32(32).get(v.at).op(OP.i32_clz, OP.i32_sub).end();
    out
      .i32(3)
      .op(OP.i32_shl)
      .mem(OP.i32_load, RAM_BASE + places.kmallocCaches)
      .set(v.cache);
    this.inRam(v.cache, KmemCache.size);
  }

  /** Sets `cache` to the one that C named, or gives up if that is none. Linux would trust C there. */
  givenCache(argument: number): void {
    const { out, places, v } = this;
    this.physical(argument, v.cache, KmemCache.size);
    out.get(v.cache).i32(7).op(OP.i32_and).brIf(0);
    this.headPage(v.cache);
    this.load(v.page, Slab.o.slab_cache);
    out
      .i32(0)
      .mem(OP.i32_load, RAM_BASE + places.kmemCache)
      .op(OP.i32_ne)
      .brIf(0);
  }

  /** Sets `page` to the head page of a physical address; gives up if it is no slab. */
  private headPage(p: number): void {
    const { out, places, v } = this;
    out.get(p).i32(PAGE_SHIFT).op(OP.i32_shr_u).i32(PAGE_STRUCT_SHIFT).op(OP.i32_shl);
    out.i32(places.memmap).op(OP.i32_add).set(v.page);
    this.load(v.page, Page.o.compound_head).tee(v.at).i32(1).op(OP.i32_and).if();
    out
      .get(v.at)
      .i32(places.memmap - 1)
      .op(OP.i32_add)
      .set(v.page);
    this.inRam(v.page, Page.size, 1);
    out.end();
    this.load(v.page, Slab.o.__page_flags)
      .i32(1 << PG_slab)
      .op(OP.i32_and, OP.i32_eqz)
      .brIf(0);
  }

  /** Sets `cpuSlab` to this CPU's part of `cache`. */
  private thisCpu(): void {
    const { v } = this;
    this.load(v.cache, KmemCache.o.cpu_slab).set(v.cpuSlab);
    this.ofThisCpu(v.cpuSlab, PCPU_UNIT_SIZE);
    // NULL gives up too: a cache that is being made.
    this.out.get(v.cpuSlab).i32(1).op(OP.i32_sub);
    this.out
      .i32(this.ramSize - KmemCacheCpu.size - 1)
      .op(OP.i32_gt_u)
      .brIf(0);
  }

  /** Takes the first object of this CPU's freelist and returns it: slab_alloc_node(). */
  take(gfp: number): void {
    const { out, places, v } = this;
    this.thisCpu();
    // An object that is NULL or outside of RAM: the slow path knows what to do.
    this.load(v.cpuSlab, KmemCacheCpu.o.freelist, OP.i64_load).tee(v.object);
    out
      .i64(-PAGE_OFFSET - 1)
      .op(OP.i64_add)
      .i64(places.ramSize - 1)
      .op(OP.i64_ge_u)
      .brIf(0);
    out.get(v.object).op(OP.i32_wrap_i64).set(v.p);
    this.linkPlace();
    this.load(v.at, 0, OP.i64_load).set(v.link);
    out.get(gfp).i32(__GFP_ZERO).op(OP.i32_and).if();
    this.load(v.cache, KmemCache.o.object_size).tee(v.at);
    out.i32(places.ramSize).get(v.p).op(OP.i32_sub, OP.i32_gt_u).brIf(1);
    out.get(v.p).i32(RAM_BASE).op(OP.i32_add).i32(0).get(v.at).memoryFill().end();
    out
      .get(v.cpuSlab)
      .get(v.link)
      .mem(OP.i64_store, RAM_BASE + KmemCacheCpu.o.freelist);
    out.get(v.object).return();
  }

  /** Sets `at` to where the object's link to the next free one lies. */
  private linkPlace(): void {
    const { out, v } = this;
    out.get(v.p);
    this.load(v.cache, KmemCache.o.offset).op(OP.i32_add).set(v.at);
    this.inRam(v.at, 8);
  }

  /** Sets `p` and `page` for an object that is to be freed. */
  object(): void {
    this.physical(this.v.object, this.v.p, 1);
    this.headPage(this.v.p);
  }

  /** Returns if the object is NULL or that of an empty kmalloc. */
  nothingToFree(): void {
    const { out, v } = this;
    out.get(v.object).i64(ZERO_SIZE_PTR).op(OP.i64_le_u).if().return().end();
  }

  /** Sets `cache` to that of the object's slab. */
  ownCache(): void {
    const { v } = this;
    this.load(v.page, Slab.o.slab_cache).set(v.cache);
    this.inRam(v.cache, KmemCache.size);
  }

  /** Gives up if the object's slab is not of the cache in `cache`. */
  sameCache(): void {
    this.load(this.v.page, Slab.o.slab_cache).get(this.v.cache).op(OP.i32_ne).brIf(0);
  }

  /** Frees the object and returns: do_slab_free(), and __slab_free() where the slab stays on its list. */
  give(): void {
    const { out, places, v } = this;
    this.thisCpu();
    this.linkPlace();
    this.load(v.cpuSlab, KmemCacheCpu.o.slab, OP.i64_load);
    out.get(v.page).i32(places.memmap).op(OP.i32_sub, OP.i64_extend_i32_u).i64(VMEMMAP_LINK);
    out.op(OP.i64_add, OP.i64_eq).if();
    this.push(v.cpuSlab, KmemCacheCpu.o.freelist);
    out.return().end();
    this.load(v.cache, KmemCache.o.flags).i32(SLAB_DEBUG_FLAGS).op(OP.i32_and).brIf(0);
    this.countDown();
    this.push(v.page, Slab.o.freelist, 0, () => {
      out
        .get(v.page)
        .get(v.counters)
        .mem(OP.i32_store, RAM_BASE + Slab.o.counters);
    });
    out.return();
  }

  /**
   * Sets `counters` to what they are with one object less in use. Gives up where the slab would move from one list
   * to another: it is not frozen, and had no free object or keeps none in use.
   */
  private countDown(): void {
    const { out, v } = this;
    this.load(v.page, Slab.o.counters).tee(v.counters).i32(1).op(OP.i32_sub).i32(0xffff).op(OP.i32_and);
    out.get(v.counters).i32(~0xffff).op(OP.i32_and, OP.i32_or).tee(v.counters);
    out.i32(0).op(OP.i32_lt_s, OP.i32_eqz).if(); // the sign is the frozen bit
    out.get(v.counters).i32(0xffff).op(OP.i32_and, OP.i32_eqz).brIf(1);
    this.load(v.page, Slab.o.freelist, OP.i64_load).op(OP.i64_eqz).brIf(1);
    out.end();
  }

  /** Links the object before the first of a freelist. Gives up if it is the first: it is being freed twice. */
  private push(base: number, offset: number, depth = 1, alsoStore: () => void = () => {}): void {
    const { out, v } = this;
    this.load(base, offset, OP.i64_load).tee(v.link).get(v.object).op(OP.i64_eq).brIf(depth);
    out.get(v.at).get(v.link).mem(OP.i64_store, RAM_BASE);
    alsoStore();
    out
      .get(base)
      .get(v.object)
      .mem(OP.i64_store, RAM_BASE + offset);
  }
}
