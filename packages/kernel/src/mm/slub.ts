// SPDX-License-Identifier: MIT
/**
 * SLUB: objects of one size from slabs of pages.
 *
 * The fast paths below are a few loads and stores on RAM: allocation takes the first object of this CPU's freelist,
 * freeing into this CPU's slab puts one back. All else is slow path (slub_cpu.ts) or debugging (slub_debug.ts).
 *
 *     kmalloc(100) → cache kmalloc-128 → this CPU's kmem_cache_cpu
 *         before   freelist → C → D → NULL     slab S: A and B are in use
 *         after    freelist → D → NULL         returns C
 *     kfree(A)     freelist → A → D → NULL     A's page is S, and S is this CPU's slab
 *
 * The object holds constants and handles only: everything that changes is in RAM.
 */

import type { Env } from '../lib/env.js';
import { listEntries } from '../lib/list.js';
import {
  type Handle,
  PAGE_OFFSET,
  PAGE_OFFSET_HI,
  PAGE_SHIFT,
  type Paddr,
  type Vaddr,
  VMEMMAP_START,
} from '../machine/layout.js';
import type { Tracepoint } from '../trace/tracepoint.js';
import { __GFP_ZERO } from './gfp.js';
import { kfreeNotSlab, kmallocIndex, kmallocLarge, kmallocType } from './kmalloc.js';
import { PCPU_UNIT_WORDS, PerCpu } from './percpu.js';
import {
  C_CPU_SLAB_W,
  C_CTOR_W,
  C_FLAGS_W,
  C_LIST_W,
  C_OBJECT_SIZE_W,
  C_OFFSET_W,
  C_SIZE_W,
  CPU_FREELIST_W,
  CPU_SLAB_W,
  KMALLOC_MAX_CACHE_SIZE,
  KmemCache,
  PG_SLAB_MASK,
  SLAB_CACHE_W,
  SLAB_POISON,
  SLAB_TYPESAFE_BY_RCU,
  ZERO_SIZE_PTR,
} from './slab.js';
import { bootCaches } from './slab_boot.js';
import { createCache, destroyCache, shrinkCache } from './slab_common.js';
import { type CallGuest, KMALLOC_ROW, SlabCore, type SlabHooks, type SlabPageSource } from './slab_core.js';
import { isFreeObject, wildHeadPage, wrongCache } from './slab_lookup.js';
import { type AllocFields, SlabTrace } from './slab_trace.js';
import { bugDoubleFree, slabAllocSlow, slabFreeDebug, slabFreeSlow, takeFirst } from './slub_cpu.js';
import type { VmallocSource } from './util.js';

export { slabExports } from './slab_exports.js';

/** What a tool wants to know of an address in a slab. */
export interface ObjectInfo {
  readonly cache: string;
  readonly cacheHandle: Handle;
  /** struct page of the slab. */
  readonly slabPage: Handle;
  /** Number of the object in its slab. */
  readonly index: number;
  /** Start of the object, and how far behind it the address lies. */
  readonly object: Vaddr;
  readonly offset: number;
  readonly objectSize: number;
  readonly free: boolean;
}

export class Slub {
  readonly core: SlabCore;
  readonly percpu: PerCpu;
  readonly trace: SlabTrace;
  /** Called when `hooks` was set. */
  onHooksChange: () => void = () => {};
  /** For kvmalloc; set when there is one. */
  vmalloc: VmallocSource | undefined;
  private readonly i32: Int32Array;
  private readonly ramSize: number;
  private readonly kmallocCaches: Handle;

  constructor(
    readonly env: Env,
    readonly pages: SlabPageSource,
  ) {
    this.percpu = new PerCpu(env, pages);
    this.core = new SlabCore(env, pages, this.percpu);
    this.trace = new SlabTrace(env);
    this.i32 = env.ram.i32;
    this.ramSize = env.ram.size;
    this.kmallocCaches = this.core.roots.kmalloc_caches;
  }

  /**
   * Makes the first caches and the kmalloc caches. The page allocator must be up.
   * @linux mm/slub.c:kmem_cache_init full
   */
  boot(): void {
    this.percpu.boot();
    bootCaches(
      this.core,
      (cache, gfp) => this.alloc(cache, gfp),
      (size, gfp) => this.kmalloc(size, gfp),
    );
  }

  /**
   * Calls a C function: constructors of caches, the functions of a memory pool. Set by the architecture.
   * The signature is in the letters of KernelExports.
   */
  set callGuest(call: CallGuest) {
    this.core.callGuest = call;
  }

  get callGuest(): CallGuest {
    return this.core.callGuest;
  }

  /** Sees, or prevents, every allocation and free. */
  set hooks(hooks: SlabHooks | undefined) {
    this.core.hooks = hooks;
    this.onHooksChange();
  }

  get hooks(): SlabHooks | undefined {
    return this.core.hooks;
  }

  // ------------------------------------------------------------------------------------------ kmalloc

  /**
   * Allocates `size` bytes.
   * @returns the address; 0 if there is no memory; ZERO_SIZE_PTR for no bytes
   * @linux mm/slab_common.c:__kmalloc full
   */
  kmalloc(size: number, gfp: number, caller: Vaddr = 0): Vaddr {
    if (size > KMALLOC_MAX_CACHE_SIZE) return kmallocLarge(this, size, gfp, caller);
    if (size === 0) return ZERO_SIZE_PTR;
    const slot = this.kmallocCaches + 2 * (kmallocType(gfp) * KMALLOC_ROW + kmallocIndex(this.core, size));
    const cache = this.i32[slot] >>> 2;
    const object = this.slabAlloc(cache, gfp, caller, size);
    if (this.trace.kmalloc.enabled) this.traceAlloc(this.trace.kmalloc, cache, object, size, gfp, caller);
    return object;
  }

  /**
   * Frees what kmalloc or kmem_cache_alloc returned; NULL and ZERO_SIZE_PTR are ignored.
   * @linux mm/slab_common.c:kfree full
   */
  kfree(address: Vaddr, caller: Vaddr = 0): void {
    if (this.trace.kfree.enabled) this.trace.kfree.emit({ call_site: this.site(caller), ptr: address });
    if (address >= 0 && address <= ZERO_SIZE_PTR) return;
    const slab = this.headPage(address);
    if ((this.i32[slab] & PG_SLAB_MASK) === 0) kfreeNotSlab(this.core, slab, address, caller);
    else this.slabFree(this.i32[slab + SLAB_CACHE_W] >>> 2, slab, address, caller, '__kmem_cache_free');
  }

  // ------------------------------------------------------------------------------------------- caches

  /**
   * Makes a cache, or shares one that fits.
   * @param name kept as a copy
   * @param ctor address of a C function that is called with each object of a new slab; 0 for none
   * @returns the cache; 0 if that is not possible (the log says why)
   * @linux mm/slab_common.c:kmem_cache_create full
   */
  kmemCacheCreate(name: string, size: number, align = 0, flags = 0, ctor: Vaddr = 0, usersize = 0): Handle {
    return createCache(this, { name, size, align, flags, ctor, useroffset: 0, usersize });
  }

  /** @linux mm/slab_common.c:kmem_cache_create_usercopy full */
  kmemCacheCreateUsercopy(
    name: string,
    size: number,
    align: number,
    flags: number,
    useroffset: number,
    usersize: number,
    ctor: Vaddr,
  ): Handle {
    return createCache(this, { name, size, align, flags, ctor, useroffset, usersize });
  }

  /** @linux mm/slab_common.c:kmem_cache_destroy full */
  kmemCacheDestroy(cache: Handle, caller: Vaddr = 0): void {
    if (cache !== 0) destroyCache(this, cache, caller);
  }

  /** Gives back empty slabs. @returns true if slabs are left @linux mm/slab_common.c:kmem_cache_shrink full */
  kmemCacheShrink(cache: Handle): boolean {
    return shrinkCache(this.core, cache);
  }

  /** @linux mm/slub.c:kmem_cache_alloc full */
  kmemCacheAlloc(cache: Handle, gfp: number, caller: Vaddr = 0): Vaddr {
    const size = this.i32[cache + C_OBJECT_SIZE_W];
    const object = this.slabAlloc(cache, gfp, caller, size);
    if (this.trace.kmemCacheAlloc.enabled)
      this.traceAlloc(this.trace.kmemCacheAlloc, cache, object, size, gfp, caller);
    return object;
  }

  /**
   * Frees an object of a cache. Its slab says which cache it is really of.
   * @linux mm/slub.c:kmem_cache_free full
   */
  kmemCacheFree(cache: Handle, address: Vaddr, caller: Vaddr = 0): void {
    const slab = this.headPage(address);
    const owner = (this.i32[slab] & PG_SLAB_MASK) === 0 ? 0 : this.i32[slab + SLAB_CACHE_W] >>> 2;
    if (owner !== cache && !wrongCache(this.core, cache, owner, address)) return;
    if (this.trace.kmemCacheFree.enabled) {
      const name = this.core.cacheName(owner);
      this.trace.kmemCacheFree.emit({ call_site: this.site(caller), ptr: address, name });
    }
    this.slabFree(owner, slab, address, caller, 'kmem_cache_free');
  }

  /** For the kernel's own objects: the same by handle. 0 if there is no memory. */
  alloc(cache: Handle, gfp: number): Handle {
    const address = this.slabAlloc(cache, gfp, 0, this.i32[cache + C_OBJECT_SIZE_W]);
    return address === 0 ? 0 : (address - PAGE_OFFSET) / 4;
  }

  /** For the kernel's own objects: frees by handle; 0 is ignored. */
  free(object: Handle): void {
    if (object !== 0) this.kfree(PAGE_OFFSET + object * 4);
  }

  /** The cache of a name, or 0. A merged cache is found by its first name. */
  findCache(name: string): Handle {
    for (const cache of this.caches()) if (this.core.cacheName(cache) === name) return cache;
    return 0;
  }

  /** All caches, the newest first. */
  *caches(): Generator<Handle> {
    for (const entry of listEntries(this.env.ram, this.core.roots.slab_caches)) yield entry - C_LIST_W;
  }

  /** What is known of an address; undefined if it lies in no slab, or before its first object. */
  objectInfo(address: Vaddr): ObjectInfo | undefined {
    const p = Math.floor(address - PAGE_OFFSET);
    if (!(p >= 0 && p < this.ramSize)) return undefined;
    const { core } = this;
    const slab = core.headPageOf(p);
    if (!core.isSlab(slab)) return undefined;
    const cache = core.cacheOf(slab);
    const { size, red_left_pad, object_size } = KmemCache.at(this.env.ram, cache);
    const first = core.slabStart(slab) + red_left_pad;
    const index = Math.floor((p - first) / size);
    if (index < 0 || index >= core.objects(slab)) return undefined;
    const object = first + index * size;
    return {
      cache: core.cacheName(cache),
      cacheHandle: cache,
      slabPage: slab,
      index,
      object: PAGE_OFFSET + object,
      offset: p - object,
      objectSize: object_size,
      free: isFreeObject(core, cache, slab, object),
    };
  }

  // ---------------------------------------------------------------------------------------- fast paths

  /**
   * An object of a cache.
   * @param origSize what the caller asked for
   * @linux mm/slub.c:slab_alloc_node full
   */
  slabAlloc(cache: Handle, gfp: number, caller: Vaddr, origSize: number): Vaddr {
    const { core, i32 } = this;
    const { hooks } = core;
    if (hooks?.shouldFail?.(cache, gfp)) return 0;
    const c = (i32[cache + C_CPU_SLAB_W] >>> 2) + this.env.cpu() * PCPU_UNIT_WORDS;
    const lo = i32[c + CPU_FREELIST_W];
    let object: Vaddr;
    if (
      lo !== 0 &&
      (lo & 3) === 0 &&
      i32[c + CPU_FREELIST_W + 1] === PAGE_OFFSET_HI &&
      lo >>> 0 < this.ramSize &&
      !core.hardened
    ) {
      const next = (lo >>> 2) + (i32[cache + C_OFFSET_W] >> 2);
      i32[c + CPU_FREELIST_W] = i32[next];
      i32[c + CPU_FREELIST_W + 1] = i32[next + 1];
      object = PAGE_OFFSET + (lo >>> 0);
    } else if (core.isNull(c + CPU_FREELIST_W) || i32[c + CPU_SLAB_W + 1] === 0) {
      object = slabAllocSlow(core, cache, gfp, caller, origSize);
      if (object === 0) return 0;
    } else object = takeFirst(core, cache, c);
    if (gfp & __GFP_ZERO || core.initOnAlloc) this.initialize(cache, object, gfp);
    hooks?.allocated?.(cache, object, origSize, gfp, caller);
    return object;
  }

  /**
   * Gives an object back to its slab.
   * @param symbol the function that a report of a double free names
   * @linux mm/slub.c:do_slab_free full
   */
  private slabFree(cache: Handle, slab: Handle, address: Vaddr, caller: Vaddr, symbol: string): void {
    const { core, i32 } = this;
    if (core.hooks?.freeing?.(cache, address, caller)) return;
    if (core.initOnFree) this.wipe(cache, address);
    const p = address - PAGE_OFFSET;
    const c = (i32[cache + C_CPU_SLAB_W] >>> 2) + this.env.cpu() * PCPU_UNIT_WORDS;
    if (core.slabPtr(c + CPU_SLAB_W) === slab) {
      const lo = i32[c + CPU_FREELIST_W];
      const hi = i32[c + CPU_FREELIST_W + 1];
      if (lo === (p | 0) && hi === PAGE_OFFSET_HI) bugDoubleFree(core, symbol);
      core.setFreepointerRaw(cache, p, lo, hi);
      i32[c + CPU_FREELIST_W] = p;
      i32[c + CPU_FREELIST_W + 1] = PAGE_OFFSET_HI;
    } else if (core.isDebug(cache)) slabFreeDebug(core, cache, slab, [address], caller);
    else slabFreeSlow(core, cache, slab, p, p, 1);
  }

  /** Frees the compound page at a vmemmap address, as C names it. */
  freeVmemmapPage(pointer: Vaddr): void {
    const { map } = this.core;
    const page = map.base + (pointer - VMEMMAP_START) / 4;
    if (map.isPage(page)) this.core.pages.freePages(page, this.core.slabOrder(page));
    else this.env.guest.read(pointer, 4);
  }

  /** Head page of the page that an address lies in, computed as the kernel does: a wild address is an oops. */
  headPage(address: Vaddr): Handle {
    const p: Paddr = address - PAGE_OFFSET;
    if (!(p >= 0 && p < this.ramSize)) return wildHeadPage(this.core, address);
    const base = this.core.map.base;
    const page = base + (p >>> PAGE_SHIFT) * 16;
    const head = this.i32[page + 2];
    return (head & 1) === 0 ? page : base + (head >>> 2);
  }

  private site(caller: Vaddr): Vaddr {
    return caller === 0 ? this.env.reports.callerAddress() : caller;
  }

  private traceAlloc(
    trace: Tracepoint<AllocFields>,
    cache: Handle,
    ptr: Vaddr,
    bytes_req: number,
    gfp_flags: number,
    caller: Vaddr,
  ): void {
    const bytes_alloc = this.i32[cache + C_SIZE_W];
    trace.emit({ call_site: this.site(caller), ptr, bytes_req, bytes_alloc, gfp_flags, node: -1 });
  }

  /** Zeroes a new object where that is asked for. @linux mm/slab.h:slab_want_init_on_alloc full */
  private initialize(cache: Handle, object: Vaddr, gfp: number): void {
    const { core, i32 } = this;
    if ((gfp & __GFP_ZERO) === 0) {
      if (i32[cache + C_CTOR_W] !== 0 || i32[cache + C_CTOR_W + 1] !== 0) return;
      if (i32[cache + C_FLAGS_W] & (SLAB_TYPESAFE_BY_RCU | SLAB_POISON)) return;
    }
    const size = i32[cache + C_OBJECT_SIZE_W];
    const p = object - PAGE_OFFSET;
    if (p >= 0 && p < this.ramSize) core.u8.fill(0, p, p + size);
    else this.env.guest.write(object, new Uint8Array(size));
  }

  /** Zeroes an object that is freed. @linux mm/slub.c:slab_free_hook partial: only init_on_free */
  private wipe(cache: Handle, address: Vaddr): void {
    const { core, i32 } = this;
    if (i32[cache + C_CTOR_W] !== 0 || i32[cache + C_CTOR_W + 1] !== 0) return;
    if (i32[cache + C_FLAGS_W] & (SLAB_TYPESAFE_BY_RCU | SLAB_POISON)) return;
    const p = address - PAGE_OFFSET;
    core.u8.fill(0, p, p + i32[cache + C_OBJECT_SIZE_W]);
  }
}
