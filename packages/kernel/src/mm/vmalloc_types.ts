// SPDX-License-Identifier: MIT
/** `struct vm_struct` (what is mapped) and `struct vmap_area` (where), in the layout of Linux 6.1 on x86-64. */

import { ListHead } from '../lib/list.js';
import { RbNode } from '../lib/rbtree.js';
import { addr, ptr, struct, type Type, u64, uint, ulong, union, vaddr } from '../lib/struct.js';

const physAddr: Type<number> = { ...u64, declare: (name) => `phys_addr_t ${name}` };

/** What kind of area it is: `vm_struct.flags`. */
export const VM_IOREMAP = 0x1;
export const VM_ALLOC = 0x2;
export const VM_MAP = 0x4;
export const VM_USERMAP = 0x8;
export const VM_DMA_COHERENT = 0x10;
/** The pages are not all there yet. */
export const VM_UNINITIALIZED = 0x20;
/** No guard page follows. */
export const VM_NO_GUARD = 0x40;
export const VM_FLUSH_RESET_PERMS = 0x100;
/** vfree() drops the pages that vmap() was given, and frees their array. */
export const VM_MAP_PUT_PAGES = 0x200;
export const VM_ALLOW_HUGE_VMAP = 0x400;

/** One area as its user sees it; from kmalloc. */
export const VmStruct = struct('vm_struct', {
  next: ptr('struct vm_struct'),
  addr: addr(),
  /** Bytes, the guard page included. */
  size: ulong,
  flags: ulong,
  /** The pages that vfree() gives back: an array from kmalloc or vmalloc. */
  pages: addr('struct page *'),
  page_order: uint,
  nr_pages: uint,
  phys_addr: physAddr,
  /** Return address in whoever asked for it. */
  caller: addr('const void'),
});

/** A stretch of address space: in use, freed and not yet purged, or free; from the cache "vmap_area". */
export const VmapArea = struct('vmap_area', {
  va_start: vaddr,
  va_end: vaddr,
  rb_node: RbNode,
  /** Neighbours by address in the same state. */
  list: ListHead,
  use: union({
    /** Of a free area: bytes of the largest free area in its subtree. */
    free: { subtree_max_size: ulong },
    /** Of a busy area: what it holds; NULL for vm_map_ram(). */
    busy: { vm: ptr('struct vm_struct') },
  }),
});
