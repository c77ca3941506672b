// SPDX-License-Identifier: MIT
/**
 * The slab allocator's own structs and numbers, in the layout of Linux 6.1 (SLUB, x86-64).
 *
 *     kmem_cache ── cpu_slab ──► kmem_cache_cpu, one a CPU
 *         │                        freelist ─► free object ─► free object ─► NULL     (objects of `slab`)
 *         │                        slab ─────► struct slab, frozen: this CPU's
 *         │                        partial ──► struct slab ─► struct slab ─► NULL     (frozen, linked by `next`)
 *         └──── node[0] ──► kmem_cache_node
 *                             partial ─► struct slab ⇄ struct slab                    (by `slab_list`)
 *                             full ────► struct slab ⇄ …                              (only with SLAB_STORE_USER)
 *
 * A slab without a free object that no CPU owns is on no list: the free of one of its objects finds it through
 * `virt_to_page`. `struct slab` is the slab's head `struct page` under another name.
 */

import { atomic, atomicLong, named } from '../lib/c_types.js';
import { ListHead } from '../lib/list.js';
import { addr, array, fn, gfp, int, ptr, struct, u8, u16, u32, uint, ulong } from '../lib/struct.js';
import { PG_slab } from './page.js';

const spinlock = named(u32, 'spinlock_t');

/** The slab view of a head page. Pointers to slabs hold vmemmap addresses, as pointers to pages do. */
export const Slab = struct('slab', {
  __page_flags: ulong,
  place: {
    union: {
      listed: { slab_list: ListHead },
      chained: { next: addr('struct slab'), slabs: int },
    },
  },
  slab_cache: ptr('struct kmem_cache'),
  /** First free object that no CPU owns. */
  freelist: addr('void'),
  state: {
    union: {
      all: { counters: ulong },
      // inuse: 16 bits; objects: 15 bits; frozen: 1 bit
      parts: { inuse: u16, objects_and_frozen: u16 },
    },
  },
  __unused: uint,
  __page_refcount: atomic,
  memcg_data: ulong,
});

export const KmemCacheCpu = struct('kmem_cache_cpu', {
  /** Next free object of `slab`: what an allocation takes and a free puts back. */
  freelist: addr('void *'),
  /** Transaction id. Nothing interrupts a path here, so it only names the CPU. */
  tid: ulong,
  slab: addr('struct slab'),
  partial: addr('struct slab'),
});

export const KmemCacheNode = struct('kmem_cache_node', {
  list_lock: spinlock,
  nr_partial: ulong,
  partial: ListHead,
  nr_slabs: atomicLong,
  total_objects: atomicLong,
  full: ListHead,
});

export const ReciprocalValue = struct('reciprocal_value', { m: u32, sh1: u8, sh2: u8 });
/** Order in the upper 16 bits, objects in the lower. */
export const KmemCacheOrderObjects = struct('kmem_cache_order_objects', { x: uint });

export const KmemCache = struct('kmem_cache', {
  cpu_slab: ptr('struct kmem_cache_cpu'),
  flags: named(uint, 'slab_flags_t'),
  min_partial: ulong,
  /** Bytes from one object to the next, with metadata; and without. */
  size: uint,
  object_size: uint,
  reciprocal_size: ReciprocalValue,
  /** Where in a free object the pointer to the next one lies. */
  offset: uint,
  cpu_partial: uint,
  cpu_partial_slabs: uint,
  oo: KmemCacheOrderObjects,
  /** The same for the smallest slab that holds an object, for when memory is tight. */
  min: KmemCacheOrderObjects,
  allocflags: gfp,
  /** Names that share the cache; negative: may not be shared. */
  refcount: int,
  ctor: fn('void', 'void *'),
  /** Offset of metadata. */
  inuse: uint,
  align: uint,
  red_left_pad: uint,
  name: ptr('const char'),
  list: ListHead,
  kobj: array(ulong, 8),
  random: ulong,
  remote_node_defrag_ratio: uint,
  random_seq: ptr('unsigned int'),
  useroffset: uint,
  usersize: uint,
  node: array(ptr('struct kmem_cache_node'), 1),
});

/** One of the two records that SLAB_STORE_USER keeps behind an object: who allocated it, who freed it. */
export const Track = struct('track', {
  addr: addr(),
  handle: named(u32, 'depot_stack_handle_t'),
  cpu: int,
  pid: int,
  when: ulong,
});
export const TRACK_ALLOC = 0;
export const TRACK_FREE = 1;

// Flags of a cache.
export const SLAB_CONSISTENCY_CHECKS = 0x100;
export const SLAB_RED_ZONE = 0x400;
export const SLAB_POISON = 0x800;
export const SLAB_KMALLOC = 0x1000;
export const SLAB_HWCACHE_ALIGN = 0x2000;
export const SLAB_CACHE_DMA = 0x4000;
export const SLAB_CACHE_DMA32 = 0x8000;
export const SLAB_STORE_USER = 0x10000;
export const SLAB_RECLAIM_ACCOUNT = 0x20000;
export const SLAB_PANIC = 0x40000;
export const SLAB_TYPESAFE_BY_RCU = 0x80000;
export const SLAB_MEM_SPREAD = 0x100000;
export const SLAB_TRACE = 0x200000;
export const SLAB_NOLEAKTRACE = 0x800000;
export const SLAB_FAILSLAB = 0x2000000;
export const SLAB_ACCOUNT = 0x4000000;
export const SLAB_KASAN = 0x8000000;
export const SLAB_NO_USER_FLAGS = 0x10000000;
/** Internal: objects are filled with a pattern while they are free. */
export const __OBJECT_POISON = 0x80000000 | 0;

const SLAB_DEBUG_FLAGS = SLAB_RED_ZONE | SLAB_POISON | SLAB_STORE_USER | SLAB_TRACE | SLAB_CONSISTENCY_CHECKS;

export { SLAB_DEBUG_FLAGS };
/** What `slub_debug` without letters turns on. */
export const DEBUG_DEFAULT_FLAGS = SLAB_CONSISTENCY_CHECKS | SLAB_RED_ZONE | SLAB_POISON | SLAB_STORE_USER;
/** Debug flags that make objects larger. */
export const DEBUG_METADATA_FLAGS = SLAB_RED_ZONE | SLAB_POISON | SLAB_STORE_USER;
export const SLAB_NEVER_MERGE =
  SLAB_RED_ZONE |
  SLAB_POISON |
  SLAB_STORE_USER |
  SLAB_TRACE |
  SLAB_TYPESAFE_BY_RCU |
  SLAB_NOLEAKTRACE |
  SLAB_FAILSLAB |
  SLAB_NO_USER_FLAGS;
export const SLAB_MERGE_SAME = SLAB_RECLAIM_ACCOUNT | SLAB_CACHE_DMA | SLAB_CACHE_DMA32 | SLAB_ACCOUNT;
/** Flags that a caller of kmem_cache_create may pass; others are an error. */
export const SLAB_FLAGS_PERMITTED =
  SLAB_HWCACHE_ALIGN |
  SLAB_CACHE_DMA |
  SLAB_CACHE_DMA32 |
  SLAB_PANIC |
  SLAB_TYPESAFE_BY_RCU |
  0x400000 | // SLAB_DEBUG_OBJECTS, without effect here
  SLAB_DEBUG_FLAGS |
  SLAB_NOLEAKTRACE |
  SLAB_RECLAIM_ACCOUNT |
  SLAB_MEM_SPREAD |
  SLAB_ACCOUNT |
  SLAB_KMALLOC |
  SLAB_NO_USER_FLAGS;
/** Of these, what a cache keeps (SLAB_PANIC and SLAB_MEM_SPREAD stay visible, as in Linux). */
export const CACHE_CREATE_MASK = SLAB_FLAGS_PERMITTED;

// Fill patterns.
export const SLUB_RED_INACTIVE = 0xbb;
export const SLUB_RED_ACTIVE = 0xcc;
export const POISON_INUSE = 0x5a;
export const POISON_FREE = 0x6b;
export const POISON_END = 0xa5;

export const OO_SHIFT = 16;
export const OO_MASK = 0xffff;
/** Most objects that a slab's 15-bit counter holds. */
export const MAX_OBJS_PER_PAGE = 32767;

export const KMALLOC_SHIFT_HIGH = 13;
/** Largest kmalloc that comes from a cache. */
export const KMALLOC_MAX_CACHE_SIZE = 1 << KMALLOC_SHIFT_HIGH;
/** Largest kmalloc: a block of the page allocator's highest order. */
export const KMALLOC_MAX_SIZE = 4096 << 10;
/** What a kmalloc of nothing returns: an address that may be freed and not used. */
export const ZERO_SIZE_PTR = 16;

// Word offsets for hot paths.
export const SLAB_LIST_W = Slab.w.slab_list;
export const SLAB_NEXT_W = Slab.w.next;
export const SLAB_SLABS_W = Slab.w.slabs;
export const SLAB_CACHE_W = Slab.w.slab_cache;
export const SLAB_FREELIST_W = Slab.w.freelist;
export const SLAB_COUNTERS_W = Slab.w.counters;
export const CPU_FREELIST_W = KmemCacheCpu.w.freelist;
export const CPU_TID_W = KmemCacheCpu.w.tid;
export const CPU_SLAB_W = KmemCacheCpu.w.slab;
export const CPU_PARTIAL_W = KmemCacheCpu.w.partial;
export const NODE_NR_PARTIAL_W = KmemCacheNode.w.nr_partial;
export const NODE_PARTIAL_W = KmemCacheNode.w.partial;
export const NODE_NR_SLABS_W = KmemCacheNode.w.nr_slabs;
export const NODE_TOTAL_OBJECTS_W = KmemCacheNode.w.total_objects;
export const NODE_FULL_W = KmemCacheNode.w.full;
export const C_CPU_SLAB_W = KmemCache.w.cpu_slab;
export const C_FLAGS_W = KmemCache.w.flags;
export const C_MIN_PARTIAL_W = KmemCache.w.min_partial;
export const C_SIZE_W = KmemCache.w.size;
export const C_OBJECT_SIZE_W = KmemCache.w.object_size;
export const C_OFFSET_W = KmemCache.w.offset;
export const C_CPU_PARTIAL_SLABS_W = KmemCache.w.cpu_partial_slabs;
export const C_OO_W = KmemCache.w.oo;
export const C_MIN_W = KmemCache.w.min;
export const C_ALLOCFLAGS_W = KmemCache.w.allocflags;
export const C_CTOR_W = KmemCache.w.ctor;
export const C_INUSE_W = KmemCache.w.inuse;
export const C_RED_LEFT_PAD_W = KmemCache.w.red_left_pad;
export const C_RANDOM_W = KmemCache.w.random;
export const C_RANDOM_SEQ_W = KmemCache.w.random_seq;
export const C_NODE_W = KmemCache.w.node;
export const C_LIST_W = KmemCache.w.list;

/** PG_slab as a mask of the lower word of a page's flags. */
export const PG_SLAB_MASK = 1 << PG_slab;
