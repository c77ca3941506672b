// SPDX-License-Identifier: MIT
/**
 * vmalloc: memory whose addresses follow each other though its pages need not.
 *
 *     p = vmalloc(8000)
 *       vm_struct { addr, size 0x3000, pages → [page 71, page 12] }       what: two pages and a guard page
 *       vmap_area [ffffc90000000000, ffffc90000003000)                    where: vmap_area.ts
 *       PTEs      …0000 → frame 71   …1000 → frame 12   …2000 → nothing   how: vmap_pages.ts
 *     vfree(p)
 *       PTEs and TLB entries go at once, pages go back to the page allocator; the addresses rest until enough of
 *       them do (or somebody needs room), and one flush of the whole TLB frees them all
 *
 * A touch of a guard page, or of what was freed, is a page fault. Tables that mappings needed stay.
 */

import { type Env, KERN_WARNING } from '../lib/env.js';
import type { GuestAccess } from '../lib/guest_access.js';
import {
  type Handle,
  MODULES_END,
  MODULES_VADDR,
  PAGE_SIZE,
  type Vaddr,
  VMALLOC_END,
  VMALLOC_START,
} from '../machine/layout.js';
import { charge, FRAME_COUNT } from '../machine/work.js';
import {
  __GFP_ATOMIC,
  __GFP_DIRECT_RECLAIM,
  __GFP_DMA,
  __GFP_DMA32,
  __GFP_HIGH,
  __GFP_HIGHMEM,
  __GFP_MEMALLOC,
  __GFP_NOFAIL,
  __GFP_NOMEMALLOC,
  __GFP_NORETRY,
  __GFP_NOWARN,
  __GFP_RETRY_MAYFAIL,
  __GFP_ZERO,
  GFP_KERNEL,
} from './gfp.js';
import type { PageAllocator } from './page_alloc.js';
import { PageArguments } from './page_exports.js';
import { PAGE_KERNEL, type PageTables, type Protection } from './pgtable.js';
import type { Slub } from './slub.js';
import { hexAddress } from './slub_report.js';
import {
  VM_ALLOC,
  VM_ALLOW_HUGE_VMAP,
  VM_FLUSH_RESET_PERMS,
  VM_IOREMAP,
  VM_MAP_PUT_PAGES,
  VM_NO_GUARD,
  VM_UNINITIALIZED,
  VmStruct,
} from './vmalloc_types.js';
import { type AddressRange, VmapAreas } from './vmap_area.js';
import { type ProtectionBits, protectionBits, type Tlb, VmapPages } from './vmap_pages.js';

export interface VmallocDeps {
  readonly env: Env;
  readonly pages: PageAllocator;
  readonly slub: Slub;
  readonly tlb: Tlb;
  pageTables(): PageTables;
  /** printk_ratelimit(): false keeps a message out of the log. */
  printkRatelimit?(func: string): boolean;
}

/** What watches areas with pages of their own: leak detectors, sanitizers. */
export interface VmallocHooks {
  allocated?(address: Vaddr, size: number, gfp: number, caller: Vaddr): void;
  freeing?(address: Vaddr): void;
}

/** What __vmalloc_node_range() is asked for. */
export interface VmallocRequest {
  /** Bytes. */
  readonly size: number;
  readonly gfp: number;
  /** Return address in whoever asks: what /proc/vmallocinfo shows. */
  readonly caller: Vaddr;
  /** Bytes, a power of two. Default: a page. */
  readonly align?: number;
  /** VM_* flags besides VM_ALLOC. */
  readonly flags?: number;
  readonly range?: AddressRange;
  readonly prot?: Protection;
}

/** An area without pages: what get_vm_area() is asked for. */
export type AreaRequest = Omit<VmallocRequest, 'prot'>;

export const VMALLOC_RANGE: AddressRange = { start: VMALLOC_START, end: VMALLOC_END };
export const MODULES_RANGE: AddressRange = { start: MODULES_VADDR, end: MODULES_END };

/** GFP bits that say how hard to try, which also hold for the bookkeeping. */
const GFP_RECLAIM_MASK =
  GFP_KERNEL |
  __GFP_HIGH |
  __GFP_NOWARN |
  __GFP_RETRY_MAYFAIL |
  __GFP_NOFAIL |
  __GFP_NORETRY |
  __GFP_MEMALLOC |
  __GFP_NOMEMALLOC |
  __GFP_ATOMIC;

const FILE = 'mm/vmalloc.c';
const IOREMAP_MAX_ALIGN = 2 ** 30;
/** Warnings that are given once: line and function, by bit. */
const ONCE = [
  [3124, '__vmalloc_node_range'],
  [2796, 'vmap'],
  [2805, 'vmap'],
] as const;
export const ONCE_NO_SIZE = 0;
export const ONCE_RESET_PERMS = 1;
export const ONCE_NO_GUARD = 2;

export class Vmalloc {
  readonly areas: VmapAreas;
  readonly mapping: VmapPages;
  readonly env: Env;
  readonly access: GuestAccess;
  hooks: VmallocHooks | undefined;
  private readonly pageArguments: PageArguments;
  private readonly nrPagesVar: Handle;
  private readonly warnedVar: Handle;

  constructor(readonly deps: VmallocDeps) {
    const { env, slub, pages } = deps;
    this.env = env;
    this.access = { ram: env.ram, guest: env.guest };
    this.areas = new VmapAreas(slub, env.data, env.nrCpus);
    this.areas.flushTlb = () => deps.tlb.flush();
    this.mapping = new VmapPages({
      ...this.access,
      map: pages.map,
      tlb: deps.tlb,
      pageTables: () => deps.pageTables(),
    });
    this.pageArguments = new PageArguments(pages);
    slub.vmalloc = {
      vmalloc: (size, gfp) => this.allocForKvmalloc(size, gfp),
      vfree: (address) => this.vfree(address),
      isVmalloc: (address) => this.isVmallocAddr(address),
    };
    this.nrPagesVar = env.data.declare('nr_vmalloc_pages', 8);
    this.warnedVar = env.data.declare('vmalloc_warned', 4);
  }

  /** The slab allocator must be up. @linux mm/vmalloc.c:vmalloc_init full */
  boot(): void {
    this.areas.boot();
  }

  /** Pages in use by vmalloc. @linux mm/vmalloc.c:vmalloc_nr_pages full */
  get nrPages(): number {
    return this.env.ram.s64(this.nrPagesVar);
  }

  /** A view of a struct vm_struct. */
  vm(handle: Handle) {
    return VmStruct.at(this.env.ram, handle);
  }

  /** WARN_ON_ONCE at one of the places in ONCE. */
  warnOnce(place: number): void {
    const { i32 } = this.env.ram;
    if (i32[this.warnedVar] & (1 << place)) return;
    i32[this.warnedVar] |= 1 << place;
    const [line, symbol] = ONCE[place];
    this.env.reports.warn(FILE, line, symbol);
  }

  // ----------------------------------------------------------------------------------------------
  // Allocation

  /**
   * Memory of `size` bytes, in pages from anywhere.
   * @returns its address; 0 if it cannot be had (the log says why, unless __GFP_NOWARN)
   * @linux mm/vmalloc.c:__vmalloc_node_range partial: no huge pages; without room for addresses even __GFP_NOFAIL fails
   */
  alloc(request: VmallocRequest): Vaddr {
    const { size, gfp, caller } = request;
    if (size === 0) {
      this.warnOnce(ONCE_NO_SIZE);
      return 0;
    }
    if (Math.floor(size / PAGE_SIZE) > this.deps.pages.totalramPages) return this.tooLarge(gfp, size);
    const flags = VM_ALLOC | VM_UNINITIALIZED | (request.flags ?? 0);
    const vm = this.getVmArea({ ...request, flags });
    if (vm === 0) {
      this.warnAlloc(gfp, `vmalloc error: size ${size}, vm_struct allocation failed`);
      return 0;
    }
    if (!this.populate(vm, request)) return 0;
    const v = this.vm(vm);
    v.flags &= ~VM_UNINITIALIZED;
    this.hooks?.allocated?.(v.addr, size, gfp, caller);
    return v.addr;
  }

  /** What kvmalloc() falls back to: only those who may sleep get it. */
  private allocForKvmalloc(size: number, gfp: number): Vaddr {
    if ((gfp & __GFP_DIRECT_RECLAIM) === 0) return 0;
    return this.alloc({ size, gfp, caller: this.env.reports.callerAddress(), flags: VM_ALLOW_HUGE_VMAP });
  }

  /** Reports a size that no machine of this size has, however it was written. Returns NULL. */
  tooLarge(gfp: number, size: number | bigint): 0 {
    this.warnAlloc(gfp, `vmalloc error: size ${size}, exceeds total pages`);
    return 0;
  }

  private warnAlloc(gfp: number, message: string): void {
    this.deps.pages.slow.warnAlloc(gfp, message, ['warn_alloc', '__vmalloc_node_range']);
  }

  /**
   * Address space for `size` bytes and a guard page, with nothing mapped.
   * @returns its struct vm_struct, or 0
   * @linux mm/vmalloc.c:__get_vm_area_node full
   */
  getVmArea({ size, gfp, caller, flags = 0, align = PAGE_SIZE, range = VMALLOC_RANGE }: AreaRequest): Handle {
    const { slub } = this.deps;
    let bytes = Math.ceil(size / PAGE_SIZE) * PAGE_SIZE;
    if (bytes === 0) return 0;
    if (flags & VM_IOREMAP) align = Math.min(2 ** Math.ceil(Math.log2(bytes)), IOREMAP_MAX_ALIGN);
    const mask = gfp & GFP_RECLAIM_MASK;
    const vm = this.env.ram.handleOf(slub.kmalloc(VmStruct.size, mask | __GFP_ZERO, caller));
    if (vm === 0) return 0;
    if ((flags & VM_NO_GUARD) === 0) bytes += PAGE_SIZE;
    const area = this.areas.alloc(bytes, Math.max(align, PAGE_SIZE), range, mask);
    if (area <= 0) {
      slub.free(vm);
      if (area < 0) this.noRoom(bytes, gfp);
      return 0;
    }
    const v = this.vm(vm);
    v.flags = flags;
    v.addr = this.areas.start(area);
    v.size = bytes;
    v.caller = caller;
    this.areas.setVm(area, vm);
    return vm;
  }

  /** Says that address space has run out. */
  noRoom(bytes: number, gfp: number): void {
    if (gfp & __GFP_NOWARN || this.deps.printkRatelimit?.('alloc_vmap_area') === false) return;
    this.env.log.log(
      KERN_WARNING,
      `vmap allocation for size ${bytes} failed: use vmalloc=<size> to increase size`,
    );
  }

  /** Gives an area its pages and maps them; if that fails, the area is gone. @linux mm/vmalloc.c:__vmalloc_area_node full */
  private populate(vm: Handle, { gfp, caller, prot = PAGE_KERNEL }: VmallocRequest): boolean {
    const { pages, slub } = this.deps;
    const v = this.vm(vm);
    const nrPages = this.usableBytes(vm) / PAGE_SIZE;
    const arrayBytes = 8 * nrPages;
    const nested = (gfp & GFP_RECLAIM_MASK) | __GFP_ZERO;
    const mask = gfp & (__GFP_DMA | __GFP_DMA32) ? gfp : gfp | __GFP_HIGHMEM;
    v.pages =
      arrayBytes > PAGE_SIZE
        ? this.alloc({ size: arrayBytes, gfp: nested, caller })
        : slub.kmalloc(arrayBytes, nested, caller);
    if (v.pages === 0) {
      const sizes = `size ${nrPages * PAGE_SIZE}, failed to allocated page array size ${arrayBytes}`;
      this.warnAlloc(mask, `vmalloc error: ${sizes}`);
      this.freeVmArea(vm);
      return false;
    }
    charge(this.env.ram, FRAME_COUNT * nrPages);
    const got = this.mapping.fillPointers(v.pages, nrPages, () => pages.allocPages(mask | __GFP_NOWARN, 0));
    v.nr_pages = got;
    this.env.ram.add64(this.nrPagesVar, got);
    if (got < nrPages)
      this.warnAlloc(mask, `vmalloc error: size ${got * PAGE_SIZE}, page order 0, failed to allocate pages`);
    else if (this.mapping.mapPages(v.addr, v.pages, nrPages, protectionBits(prot)) === 0) return true;
    else this.warnAlloc(mask, `vmalloc error: size ${got * PAGE_SIZE}, failed to map pages`);
    this.vfree(v.addr);
    return false;
  }

  /** Bytes of an area without its guard page. */
  usableBytes(vm: Handle): number {
    const { size, flags } = this.vm(vm);
    return flags & VM_NO_GUARD ? size : size - PAGE_SIZE;
  }

  // ----------------------------------------------------------------------------------------------
  // Freeing

  /**
   * Frees what vmalloc and its kin returned; NULL is ignored, and any page of an area stands for all of it.
   * @linux mm/vmalloc.c:vfree full
   */
  vfree(address: Vaddr): void {
    if (address !== 0) this.release(address, true);
  }

  /** Removes a mapping that vmap() made; its pages stay their owner's. @linux mm/vmalloc.c:vunmap full */
  vunmap(address: Vaddr): void {
    if (address !== 0) this.release(address, false);
  }

  /** @linux mm/vmalloc.c:__vunmap differs: the messages show the address itself */
  private release(address: Vaddr, deallocate: boolean): void {
    const { reports, ram } = this.env;
    const { slub, pages } = this.deps;
    if (address % PAGE_SIZE !== 0) {
      reports.warn(FILE, 2676, '__vunmap', `Trying to vfree() bad address (${hexAddress(address)})`);
      return;
    }
    const vm = this.findVmArea(address);
    if (vm === 0) {
      reports.warn(FILE, 2682, '__vunmap', `Trying to vfree() nonexistent vm area (${hexAddress(address)})`);
      return;
    }
    const v = this.vm(vm);
    if (deallocate) this.hooks?.freeing?.(v.addr);
    this.removeVmArea(v.addr);
    if (v.flags & VM_FLUSH_RESET_PERMS) {
      this.deps.tlb.flush();
      this.areas.purgeLazy();
    }
    if (deallocate) {
      this.mapping.eachPointer(v.pages, v.nr_pages, (page, pointer) =>
        pages.freePages(page < 0 ? this.badPage(pointer) : page, 0),
      );
      ram.add64(this.nrPagesVar, -v.nr_pages);
      if (this.isVmallocAddr(v.pages)) this.vfree(v.pages);
      else slub.kfree(v.pages);
    }
    slub.free(vm);
  }

  /** The array of an area's pages was overwritten: the oops that using a pointer of it is. */
  private badPage(pointer: Vaddr): Handle {
    if (pointer === 0) this.env.reports.bug(FILE, 2701, '__vunmap');
    return this.pageArguments.page(pointer);
  }

  /**
   * Takes away the mappings and addresses of the area that an address lies in.
   * @returns its struct vm_struct, now the caller's; 0 if there is none
   * @linux mm/vmalloc.c:remove_vm_area full
   */
  removeVmArea(address: Vaddr): Handle {
    const area = this.areas.find(address);
    const vm = area === 0 ? 0 : this.areas.vm(area);
    if (vm === 0) return 0;
    this.areas.setVm(area, 0);
    this.freeUnmapArea(area);
    return vm;
  }

  /** @linux mm/vmalloc.c:free_unmap_vmap_area full */
  freeUnmapArea(area: Handle): void {
    this.mapping.unmap(this.areas.start(area), this.areas.end(area));
    this.areas.retire(area);
  }

  /** Frees an area that has no pages of its own. @linux mm/vmalloc.c:free_vm_area full */
  freeVmArea(vm: Handle): void {
    if (this.removeVmArea(this.vm(vm).addr) !== vm) this.env.reports.bug(FILE, 2535, 'free_vm_area');
    this.deps.slub.free(vm);
  }

  // ----------------------------------------------------------------------------------------------
  // Mapping pages of others

  /**
   * Maps pages that the caller has.
   * @param array address of `count` pointers to struct page
   * @param flags VM_*
   * @returns the address, or 0
   * @linux mm/vmalloc.c:vmap full
   */
  vmap(array: Vaddr, count: number, flags: number, prot: ProtectionBits, caller: Vaddr): Vaddr {
    if (flags & VM_FLUSH_RESET_PERMS) {
      this.warnOnce(ONCE_RESET_PERMS);
      return 0;
    }
    if (flags & VM_NO_GUARD) {
      this.warnOnce(ONCE_NO_GUARD);
      flags &= ~VM_NO_GUARD;
    }
    if (count > this.deps.pages.totalramPages) return 0;
    const vm = this.getVmArea({ size: count * PAGE_SIZE, gfp: GFP_KERNEL, caller, flags });
    if (vm === 0) return 0;
    const v = this.vm(vm);
    if (!this.mapOthers(v.addr, array, count, prot)) {
      this.vunmap(v.addr);
      return 0;
    }
    if (flags & VM_MAP_PUT_PAGES) {
      v.pages = array;
      v.nr_pages = count;
    }
    return v.addr;
  }

  /** Maps pages that C names; false after a report if that cannot be. @linux mm/vmalloc.c:vmap_pages_pte_range full */
  mapOthers(start: Vaddr, array: Vaddr, count: number, prot: ProtectionBits): boolean {
    const error = this.mapping.mapPages(start, array, count, prot);
    if (error === 0) return true;
    const line = this.mapping.nullPage ? 478 : error === -16 ? 476 : error === -22 ? 480 : 0;
    if (line !== 0) this.env.reports.warn(FILE, line, 'vmap_small_pages_range_noflush');
    return false;
  }

  // ----------------------------------------------------------------------------------------------
  // Looking up

  /** The struct vm_struct of the area that an address lies in, guard page included; 0 if none. @linux mm/vmalloc.c:find_vm_area full */
  findVmArea(address: Vaddr): Handle {
    const area = this.areas.find(address);
    return area === 0 ? 0 : this.areas.vm(area);
  }

  /** @linux mm/vmalloc.c:is_vmalloc_addr full */
  isVmallocAddr(address: Vaddr): boolean {
    return address >= VMALLOC_START && address < VMALLOC_END;
  }

  /** @linux mm/vmalloc.c:is_vmalloc_or_module_addr full */
  isVmallocOrModuleAddr(address: Vaddr): boolean {
    return (address >= MODULES_VADDR && address < MODULES_END) || this.isVmallocAddr(address);
  }
}
