// SPDX-License-Identifier: MIT
/**
 * What all of SLUB's files share: the hardware, where the roots lie in RAM, the settings that boot parameters
 * make, and the smallest operations on slabs, caches and free pointers. No state of its own.
 *
 * An object is named here by its byte offset in RAM (`Paddr`), because a wrong pointer need not be aligned.
 * A free pointer is two raw words: it may hold anything once C has scribbled over a free object.
 */

import { type Env, KernelBug } from '../lib/env.js';
import { initListHead } from '../lib/list.js';
import {
  type Handle,
  PAGE_OFFSET,
  PAGE_OFFSET_HI,
  PAGE_SHIFT,
  type Paddr,
  type Vaddr,
} from '../machine/layout.js';
import type { Ram } from '../machine/ram.js';
import type { MemMap } from './memmap.js';
import { compoundHead, compoundOrder, pageToVmemmap, VMEMMAP_HI } from './page.js';
import type { PerCpu, PerCpuPageSource } from './percpu.js';
import { PCPU_UNIT_WORDS } from './percpu.js';
import {
  C_CPU_SLAB_W,
  C_FLAGS_W,
  C_MIN_PARTIAL_W,
  C_NODE_W,
  C_OFFSET_W,
  C_RANDOM_SEQ_W,
  C_RANDOM_W,
  KMALLOC_SHIFT_HIGH,
  KmemCache,
  OO_MASK,
  PG_SLAB_MASK,
  SLAB_CACHE_W,
  SLAB_COUNTERS_W,
  SLAB_DEBUG_FLAGS,
  SLAB_RECLAIM_ACCOUNT,
} from './slab.js';
import { parseSlubDebug, type SlubDebugOptions } from './slub_options.js';
import type { OrderLimits } from './slub_order.js';
import { nodeStatItem, type VmStat } from './vmstat.js';

/** What SLUB needs of the page allocator. */
export interface SlabPageSource extends PerCpuPageSource {
  readonly map: MemMap;
  readonly stat: VmStat;
  /** Functions that a failure report names above the page allocator's own. */
  readonly slow: { callers: readonly string[] };
}

/** What watches allocation and free: tracepoints, sanitizers, leak detectors, fault injection. */
export interface SlabHooks {
  /** Asked before an object is taken; true makes the allocation fail. @linux mm/slab_common.c:should_failslab full */
  shouldFail?(cache: Handle, gfp: number): boolean;
  /** `size` is what was asked for. */
  allocated?(cache: Handle, object: Vaddr, size: number, gfp: number, caller: Vaddr): void;
  /** Before the object goes back; true keeps it out of the freelist (a quarantine does that). */
  freeing?(cache: Handle, object: Vaddr, caller: Vaddr): boolean;
  largeAllocated?(object: Vaddr, size: number, order: number, gfp: number, caller: Vaddr): void;
  largeFreeing?(object: Vaddr, order: number, caller: Vaddr): void;
}

/** Calls the C function at an address; the signature is in the letters of KernelExports. */
export type CallGuest = (fn: Vaddr, signature: string, ...args: number[]) => number;

export const KMALLOC_TYPES = ['kmalloc', 'kmalloc-cg', 'kmalloc-rcl', 'dma-kmalloc'] as const;
export const KMALLOC_NORMAL = 0;
export const KMALLOC_CGROUP = 1;
export const KMALLOC_RECLAIM = 2;
export const KMALLOC_DMA = 3;
export const NR_KMALLOC_TYPES = 4;
/** Pointers in one row of kmalloc_caches. */
export const KMALLOC_ROW = KMALLOC_SHIFT_HIGH + 1;

const BOOT_NAMES_SIZE = 1024;
const RECLAIMABLE = nodeStatItem('nr_slab_reclaimable');
const UNRECLAIMABLE = nodeStatItem('nr_slab_unreclaimable');
const swab32 = (x: number): number => (x << 24) | ((x & 0xff00) << 8) | ((x >>> 8) & 0xff00) | (x >>> 24);

export class SlabCore {
  readonly ram: Ram;
  readonly i32: Int32Array;
  readonly u8: Uint8Array;
  readonly map: MemMap;
  readonly roots: {
    readonly slab_caches: Handle;
    readonly kmem_cache: Handle;
    readonly kmem_cache_node: Handle;
    readonly kmalloc_caches: Handle;
    readonly size_index: Handle;
    readonly boot_caches: Handle;
    readonly names: Handle;
    readonly alias_list: Handle;
    readonly stack_depot: Handle;
    readonly slab_state: Handle;
    /** A word of bits: which once-only warnings were given. */
    readonly once: Handle;
    readonly oom_ratelimit: Handle;
  };
  readonly limits: OrderLimits;
  readonly debug: SlubDebugOptions;
  /** Free pointers are stored scrambled. */
  readonly hardened: boolean;
  /** New slabs give their objects in random order. */
  readonly randomFreelist: boolean;
  readonly noMerge: boolean;
  readonly initOnAlloc: boolean;
  readonly initOnFree: boolean;
  hooks: SlabHooks | undefined;
  /** Calls C. */
  callGuest: CallGuest = () => {
    throw new KernelBug('nothing was given to call C with');
  };

  constructor(
    readonly env: Env,
    readonly pages: SlabPageSource,
    readonly percpu: PerCpu,
  ) {
    this.ram = env.ram;
    this.i32 = env.ram.i32;
    this.u8 = env.ram.u8;
    this.map = pages.map;
    const { data, parameters } = env;
    this.roots = {
      slab_caches: data.declare('slab_caches', 16),
      kmem_cache: data.declare('kmem_cache', 8),
      kmem_cache_node: data.declare('kmem_cache_node', 8),
      kmalloc_caches: data.declare('kmalloc_caches', NR_KMALLOC_TYPES * KMALLOC_ROW * 8),
      size_index: data.declare('size_index', 24),
      boot_caches: data.declare('boot_kmem_cache', 2 * 256, 64),
      names: data.declare('kmalloc_info', BOOT_NAMES_SIZE),
      alias_list: data.declare('alias_list', 8),
      stack_depot: data.declare('stack_table', 16),
      slab_state: data.declare('slab_state', 4),
      once: data.declare('slub_once', 4, 4),
      oom_ratelimit: data.declare('slub_oom_rs', 16),
    };
    const integer = (name: string, otherwise: number): number => {
      const value = Number.parseInt(parameters.get(name) ?? '', 10);
      return Number.isInteger(value) && value >= 0 ? value : otherwise;
    };
    const maxOrder = Math.min(integer('slub_max_order', 3), 10);
    this.limits = {
      maxOrder,
      minOrder: Math.min(integer('slub_min_order', 0), maxOrder),
      minObjects: integer('slub_min_objects', 0),
      nrCpus: env.nrCpus,
    };
    const flag = (name: string): boolean => /^(|1|y|Y|on)$/.test(parameters.get(name) ?? '0');
    this.debug = parseSlubDebug(parameters.get('slub_debug'));
    this.hardened = flag('slab_freelist_hardened');
    this.randomFreelist = flag('slab_freelist_random');
    this.noMerge = parameters.has('slab_nomerge') || parameters.has('slub_nomerge');
    this.initOnAlloc = flag('init_on_alloc');
    this.initOnFree = flag('init_on_free');
  }

  /** Writes the roots' first values. */
  bootRoots(): void {
    initListHead(this.ram, this.roots.slab_caches);
    for (const option of this.debug.unknown)
      this.env.log.log(3, `slub_debug option '${option}' unknown. skipped`);
  }

  /** Handle of page 0's struct page. */
  get memmap(): Handle {
    return this.map.base;
  }

  /** The kmalloc caches are there. */
  get up(): boolean {
    return this.i32[this.roots.slab_state] !== 0;
  }

  set up(value: boolean) {
    this.i32[this.roots.slab_state] = value ? 1 : 0;
  }

  // ---------------------------------------------------------------------------------------- caches

  cacheName(cache: Handle): string {
    return this.cString(this.ram.ptr(cache + KmemCache.w.name));
  }

  isCacheName(cache: Handle, name: string): boolean {
    return this.isCString(this.ram.ptr(cache + KmemCache.w.name), name);
  }

  /** Whether `cString` would be a text of less than 256 characters. */
  isCString(at: Handle, text: string): boolean {
    const { u8 } = this;
    const p = at * 4;
    for (let i = 0; i < text.length; i++) if (u8[p + i] !== text.charCodeAt(i)) return false;
    return !u8[p + text.length];
  }

  cString(at: Handle): string {
    let text = '';
    for (let p = at * 4, c: number; text.length < 256 && (c = this.u8[p]); p++)
      text += String.fromCharCode(c);
    return text;
  }

  /** The slab state of a cache on one CPU. */
  cpuSlab(cache: Handle, cpu: number): Handle {
    return (this.i32[cache + C_CPU_SLAB_W] >>> 2) + cpu * PCPU_UNIT_WORDS;
  }

  node(cache: Handle): Handle {
    return this.i32[cache + C_NODE_W] >>> 2;
  }

  /** Empty slabs that the node keeps. */
  minPartial(cache: Handle): number {
    return this.i32[cache + C_MIN_PARTIAL_W];
  }

  /** True if the cache is checked at each step, so that no CPU may own its slabs. @linux mm/slub.c:kmem_cache_debug full */
  isDebug(cache: Handle): boolean {
    return (this.i32[cache + C_FLAGS_W] & SLAB_DEBUG_FLAGS) !== 0;
  }

  // ----------------------------------------------------------------------------------------- slabs

  /** Writes a pointer to a slab, 0 as NULL, as C sees it. */
  setSlabPtr(word: Handle, slab: Handle): void {
    this.i32[word] = slab === 0 ? 0 : (slab - this.memmap) << 2;
    this.i32[word + 1] = slab === 0 ? 0 : VMEMMAP_HI;
  }

  slabPtr(word: Handle): Handle {
    return this.i32[word + 1] === 0 ? 0 : this.memmap + (this.i32[word] >>> 2);
  }

  /** Head page of whatever lies at an offset in RAM. @linux mm/slab.h:virt_to_slab differs: does not ask PG_slab */
  headPageOf(p: Paddr): Handle {
    return compoundHead(this.ram, this.memmap, this.memmap + (p >>> PAGE_SHIFT) * 16);
  }

  isSlab(page: Handle): boolean {
    return (this.i32[page] & PG_SLAB_MASK) !== 0;
  }

  cacheOf(slab: Handle): Handle {
    return this.i32[slab + SLAB_CACHE_W] >>> 2;
  }

  /**
   * Counts the pages that slabs take.
   * @param sign 1 for a new slab, -1 for one given back
   * @linux mm/slab.h:account_slab partial: no memory cgroups
   */
  accountSlab(cache: Handle, order: number, sign: number): void {
    const reclaimable = (this.i32[cache + C_FLAGS_W] & SLAB_RECLAIM_ACCOUNT) !== 0;
    this.pages.stat.modNodePageState(reclaimable ? RECLAIMABLE : UNRECLAIMABLE, sign << order);
  }

  /** Counts the pages of a large kmalloc. */
  accountLarge(order: number, sign: number): void {
    this.pages.stat.modNodePageState(UNRECLAIMABLE, sign << order);
  }

  /** Array of offsets in random order, 0 if the cache has none. */
  randomSequence(cache: Handle): Handle {
    return this.i32[cache + C_RANDOM_SEQ_W] >>> 2;
  }

  /** First byte of a slab. @linux mm/slab.h:slab_address full */
  slabStart(slab: Handle): Paddr {
    return ((slab - this.memmap) >> 4) << PAGE_SHIFT;
  }

  /** @linux mm/slab.h:slab_order full */
  slabOrder(slab: Handle): number {
    return compoundOrder(this.ram, slab);
  }

  slabVmemmap(slab: Handle): Vaddr {
    return pageToVmemmap(this.memmap, slab);
  }

  inuse(slab: Handle): number {
    return this.i32[slab + SLAB_COUNTERS_W] & 0xffff;
  }

  setInuse(slab: Handle, inuse: number): void {
    this.i32[slab + SLAB_COUNTERS_W] = (this.i32[slab + SLAB_COUNTERS_W] & ~0xffff) | (inuse & 0xffff);
  }

  objects(slab: Handle): number {
    return (this.i32[slab + SLAB_COUNTERS_W] >>> 16) & 0x7fff;
  }

  setCounters(slab: Handle, inuse: number, objects: number, frozen: boolean): void {
    this.i32[slab + SLAB_COUNTERS_W] =
      (inuse & 0xffff) | ((objects & 0x7fff) << 16) | (frozen ? 0x80000000 : 0);
    this.i32[slab + SLAB_COUNTERS_W + 1] = 0;
  }

  isFrozen(slab: Handle): boolean {
    return this.i32[slab + SLAB_COUNTERS_W] < 0;
  }

  // --------------------------------------------------------------------------------- free pointers

  /** Copies two raw words. */
  copyPointer(to: Handle, from: Handle): void {
    this.i32[to] = this.i32[from];
    this.i32[to + 1] = this.i32[from + 1];
  }

  isNull(word: Handle): boolean {
    return this.i32[word] === 0 && this.i32[word + 1] === 0;
  }

  setNull(word: Handle): void {
    this.i32[word] = 0;
    this.i32[word + 1] = 0;
  }

  /** Writes the address of an object. */
  setObject(word: Handle, p: Paddr): void {
    this.i32[word] = p;
    this.i32[word + 1] = PAGE_OFFSET_HI;
  }

  /** A pointer as an address: exact if canonical. */
  address(word: Handle): Vaddr {
    return this.ram.s64(word);
  }

  /**
   * The free pointer stored in an object, decoded. The object must lie in RAM.
   * @linux mm/slub.c:get_freepointer full
   */
  getFreepointer(cache: Handle, p: Paddr): Vaddr {
    const at = p + this.i32[cache + C_OFFSET_W];
    return this.freepointerHi(cache, at) * 4294967296 + (this.freepointerLo(cache, at) >>> 0);
  }

  /** Lower word of the free pointer stored at a place in RAM, decoded. */
  freepointerLo(cache: Handle, at: Paddr): number {
    const lo = this.load32(at);
    return this.hardened ? lo ^ this.i32[cache + C_RANDOM_W] ^ swab32(PAGE_OFFSET_HI) : lo;
  }

  /** Upper word. */
  freepointerHi(cache: Handle, at: Paddr): number {
    const hi = this.load32(at + 4);
    return this.hardened ? hi ^ this.i32[cache + C_RANDOM_W + 1] ^ swab32(at) : hi;
  }

  /**
   * Stores a free pointer given as raw words.
   * @linux mm/slub.c:set_freepointer partial: the caller has ruled out that the pointer names the object itself
   */
  setFreepointerRaw(cache: Handle, p: Paddr, lo: number, hi: number): void {
    const at = p + this.i32[cache + C_OFFSET_W];
    if (this.hardened) {
      this.store32(at, lo ^ this.i32[cache + C_RANDOM_W] ^ swab32(PAGE_OFFSET_HI));
      this.store32(at + 4, hi ^ this.i32[cache + C_RANDOM_W + 1] ^ swab32(at));
    } else {
      this.store32(at, lo);
      this.store32(at + 4, hi);
    }
  }

  /** Stores the address of another object, or NULL for an address of 0. */
  setFreepointer(cache: Handle, p: Paddr, next: Vaddr): void {
    this.setFreepointerRaw(cache, p, next | 0, Math.floor(next / 4294967296) | 0);
  }

  private load32(at: Paddr): number {
    if ((at & 3) === 0) return this.i32[at >>> 2];
    const { u8 } = this;
    return u8[at] | (u8[at + 1] << 8) | (u8[at + 2] << 16) | (u8[at + 3] << 24);
  }

  private store32(at: Paddr, value: number): void {
    if ((at & 3) === 0) this.i32[at >>> 2] = value;
    else for (let i = 0; i < 4; i++) this.u8[at + i] = value >>> (8 * i);
  }

  /** True if an address is NULL or names an object slot of the slab. @linux mm/slub.c:check_valid_pointer full */
  validPointer(cache: Handle, slab: Handle, address: Vaddr): boolean {
    if (address === 0) return true;
    const { size, red_left_pad } = KmemCache.at(this.ram, cache);
    const at = address - PAGE_OFFSET - this.slabStart(slab) - red_left_pad;
    return at >= 0 && at < this.objects(slab) * size && at % size === 0;
  }

  /** Objects that a cache's preferred slab holds. */
  static ooObjects(oo: number): number {
    return oo & OO_MASK;
  }

  /** True the first time it is asked about a bit. */
  once(bit: number): boolean {
    const first = ((this.i32[this.roots.once] >>> bit) & 1) === 0;
    this.i32[this.roots.once] |= 1 << bit;
    return first;
  }
}

/** Bits of `once`. */
export const ONCE_NOT_A_SLAB = 0;
export const ONCE_LARGE_ORDER0 = 1;
export const ONCE_CTOR_ZERO = 2;
export const ONCE_LOCKDEP = 3;
