// SPDX-License-Identifier: MIT
/**
 * The kernel's address space for mappings: who has which stretch of it.
 *
 * Every byte from VMALLOC_START to the top belongs to exactly one `struct vmap_area`, and each of them is in one of
 * three sets, kept both as a red-black tree and as a list by address:
 *
 *     boot      free [─────────────────────────────]
 *     alloc A   busy [A]   free [──────────────────]          the lowest place that fits
 *     alloc B   busy [A][B]   free [───────────────]
 *     free A    busy [B]   purge [A]   free [──────]          page-table entries are gone; the addresses rest
 *     purge     busy [B]   free [A], [─────────────]          after one TLB flush they may be used again
 *
 * Free areas keep the largest size in their subtree, so the search skips what is too small.
 */

import {
  initListHead,
  listAdd,
  listDel,
  listEmpty,
  listEntries,
  listFirst,
  listNext,
  listPrev,
} from '../lib/list.js';
import {
  RB_LEFT,
  RB_RIGHT,
  type RbUpdate,
  rbErase,
  rbFollow,
  rbInsert,
  rbLeft,
  rbPropagate,
  rbRight,
} from '../lib/rbtree_augmented.js';
import type { StaticData } from '../lib/static_data.js';
import { step } from '../lib/walk.js';
import { type Handle, PAGE_SIZE, type Vaddr, VMALLOC_START } from '../machine/layout.js';
import type { Ram } from '../machine/ram.js';
import { GFP_NOWAIT } from './gfp.js';
import { SLAB_PANIC } from './slab.js';
import type { Slub } from './slub.js';
import { VmapArea } from './vmalloc_types.js';

const START = VmapArea.w.va_start;
const END = VmapArea.w.va_end;
const NODE = VmapArea.w.rb_node;
const LIST = VmapArea.w.list;
const MAX_SIZE = VmapArea.w.subtree_max_size;
const VM = VmapArea.w.vm;

/** One past the last address that an area may have: the top page stays out, it holds the negative errnos. */
const SPACE_END: Vaddr = -PAGE_SIZE;

/** Pages of freed address space that may rest, for each doubling of the CPUs. */
const LAZY_PAGES = (32 * 2 ** 20) / PAGE_SIZE;

/** A set of areas: its tree's root, its list's head. */
interface AreaSet {
  readonly root: Handle;
  readonly list: Handle;
  readonly update?: RbUpdate;
}

/** Where areas may lie: addresses from `start`, before `end`. */
export interface AddressRange {
  readonly start: Vaddr;
  readonly end: Vaddr;
}

export class VmapAreas {
  readonly ram: Ram;
  readonly busy: AreaSet;
  readonly free: AreaSet;
  readonly purge: AreaSet;
  private readonly cacheVar: Handle;
  private readonly lazyVar: Handle;
  /** Called once before resting addresses may be used again. */
  flushTlb: () => void = () => {};

  constructor(
    private readonly slub: Slub,
    data: StaticData,
    private readonly nrCpus: number,
  ) {
    const { ram } = slub.env;
    this.ram = ram;
    const set = (name: string) => ({
      root: data.declare(`${name}_root`, 8),
      list: data.declare(`${name}_list`, 16),
    });
    this.busy = set('vmap_area');
    this.free = { ...set('free_vmap_area'), update: (node) => this.updateMaxSize(node - NODE) };
    this.purge = set('purge_vmap_area');
    this.cacheVar = data.declare('vmap_area_cachep', 8);
    this.lazyVar = data.declare('vmap_lazy_nr', 8);
  }

  /** @linux mm/vmalloc.c:vmap_init_free_space differs: begins at VMALLOC_START, where Linux begins at 1 */
  boot(): void {
    const { ram, slub } = this;
    for (const { list } of [this.busy, this.free, this.purge]) initListHead(ram, list);
    ram.setPtr(this.cacheVar, slub.kmemCacheCreate('vmap_area', VmapArea.size, 0, SLAB_PANIC));
    const all = this.allocArea(GFP_NOWAIT);
    this.setRange(all, VMALLOC_START, SPACE_END);
    this.insert(this.free, all);
  }

  start(area: Handle): Vaddr {
    return this.ram.s64(area + START);
  }

  end(area: Handle): Vaddr {
    return this.ram.s64(area + END);
  }

  /** The struct vm_struct of a busy area, 0 for vm_map_ram(). */
  vm(area: Handle): Handle {
    return this.ram.i32[area + VM] >>> 2;
  }

  setVm(area: Handle, vm: Handle): void {
    this.ram.setPtr(area + VM, vm);
  }

  /** Pages whose addresses rest in the purge list. */
  get lazyPages(): number {
    return this.ram.s64(this.lazyVar);
  }

  /** The most that may rest. @linux mm/vmalloc.c:lazy_max_pages full */
  get lazyMaxPages(): number {
    return (32 - Math.clz32(this.nrCpus)) * LAZY_PAGES;
  }

  // ----------------------------------------------------------------------------------------------
  // Taking and giving back

  /**
   * Takes the lowest free stretch that fits.
   * @param size bytes, whole pages
   * @param align bytes, a power of two
   * @param gfp how to get memory for the area's struct
   * @returns the area; 0 if there is no memory for it; -1 if there is no room
   * @linux mm/vmalloc.c:alloc_vmap_area partial: nobody is asked to give address space back but the purge list
   */
  alloc(size: number, align: number, range: AddressRange, gfp: number): Handle {
    const area = this.allocArea(gfp);
    if (area === 0) return 0;
    if (!this.place(area, size, align, range, gfp)) {
      this.purgeLazy();
      if (!this.place(area, size, align, range, gfp)) {
        this.slub.free(area);
        return -1;
      }
    }
    this.setVm(area, 0);
    this.insert(this.busy, area);
    return area;
  }

  /** The busy area that an address lies in, or 0. @linux mm/vmalloc.c:find_vmap_area full */
  find(address: Vaddr): Handle {
    return this.findIn(this.busy, address);
  }

  /** The resting area that an address lies in, or 0. */
  findResting(address: Vaddr): Handle {
    return this.findIn(this.purge, address);
  }

  /** The first busy area that ends behind an address, or 0. @linux mm/vmalloc.c:find_vmap_area_exceed_addr full */
  findNext(address: Vaddr): Handle {
    const { ram } = this;
    let found = 0;
    for (let node = rbFollow(ram, this.busy.root); node !== 0; ) {
      const behind = this.end(node - NODE) > address;
      if (behind) found = node - NODE;
      node = behind ? rbLeft(ram, node) : rbRight(ram, node);
    }
    return found;
  }

  /**
   * Takes a busy area, whose mappings are gone already, out of use. Its addresses rest until enough do.
   * @linux mm/vmalloc.c:free_vmap_area_noflush differs: purges at once, where Linux wakes a worker
   */
  retire(area: Handle): void {
    const pages = (this.end(area) - this.start(area)) / PAGE_SIZE;
    this.remove(this.busy, area);
    this.mergeOrAdd(this.purge, area);
    this.ram.set64(this.lazyVar, this.lazyPages + pages);
    if (this.lazyPages > this.lazyMaxPages) this.purgeLazy();
  }

  /** Lets resting addresses be used again, after one TLB flush. @linux mm/vmalloc.c:__purge_vmap_area_lazy full */
  purgeLazy(): void {
    const { ram, purge } = this;
    if (listEmpty(ram, purge.list)) return;
    this.flushTlb();
    while (!listEmpty(ram, purge.list)) {
      step(ram);
      const area = listFirst(ram, purge.list) - LIST;
      this.remove(purge, area);
      this.mergeOrAdd(this.free, area);
    }
    ram.set64(this.lazyVar, 0);
  }

  /** The areas of a set, by address. */
  *areas({ list }: AreaSet): Generator<Handle> {
    const { ram } = this;
    for (const pos of listEntries(ram, list)) yield pos - LIST;
  }

  // ----------------------------------------------------------------------------------------------
  // Finding room

  /**
   * Cuts a stretch out of the free areas for a new area.
   * @linux mm/vmalloc.c:__alloc_vmap_area differs: the struct for a second rest is allocated when it is needed
   */
  private place(area: Handle, size: number, align: number, range: AddressRange, gfp: number): boolean {
    const from = this.lowestMatch(rbFollow(this.ram, this.free.root), size, align, range.start);
    if (from === 0) return false;
    const start = this.firstFit(from - NODE, align, range.start);
    if (start + size > range.end) return false;
    if (!this.cut(from - NODE, start, start + size, gfp)) return false;
    this.setRange(area, start, start + size);
    return true;
  }

  /** First aligned address of a free area that is not below a bound. */
  private firstFit(area: Handle, align: number, bound: Vaddr): Vaddr {
    return Math.ceil(Math.max(this.start(area), bound) / align) * align;
  }

  /**
   * The lowest free area that has room at or above a bound.
   * @linux mm/vmalloc.c:find_vmap_lowest_match differs: exact for any alignment
   */
  private lowestMatch(node: Handle, size: number, align: number, bound: Vaddr): Handle {
    const { ram } = this;
    while (node !== 0 && ram.s64(node - NODE + MAX_SIZE) >= size) {
      const area = node - NODE;
      if (this.start(area) > bound) {
        const lower = this.lowestMatch(rbLeft(ram, node), size, align, bound);
        if (lower !== 0) return lower;
      }
      if (this.firstFit(area, align, bound) + size <= this.end(area)) return node;
      node = rbRight(ram, node);
    }
    return 0;
  }

  /** Takes [start, end) out of a free area, of which up to two rests stay. @linux mm/vmalloc.c:adjust_va_to_fit_type full */
  private cut(area: Handle, start: Vaddr, end: Vaddr, gfp: number): boolean {
    const { ram } = this;
    const [from, to] = [this.start(area), this.end(area)];
    if (from === start && to === end) {
      this.remove(this.free, area);
      this.slub.free(area);
      return true;
    }
    if (from < start && end < to) {
      const below = this.allocArea(gfp);
      if (below === 0) return false;
      this.setRange(below, from, start);
      this.setRange(area, end, to);
      this.insert(this.free, below);
    } else if (from < start) this.setRange(area, from, start);
    else this.setRange(area, end, to);
    rbPropagate(ram, area + NODE, this.free.update!);
    return true;
  }

  /** @linux mm/vmalloc.c:compute_subtree_max_size full */
  private updateMaxSize(area: Handle): void {
    const { ram } = this;
    let max = this.end(area) - this.start(area);
    for (const child of [rbLeft(ram, area + NODE), rbRight(ram, area + NODE)])
      if (child !== 0) max = Math.max(max, ram.s64(child - NODE + MAX_SIZE));
    ram.set64(area + MAX_SIZE, max);
  }

  // ----------------------------------------------------------------------------------------------
  // Sets

  private allocArea(gfp: number): Handle {
    return this.slub.alloc(this.ram.ptr(this.cacheVar), gfp);
  }

  private setRange(area: Handle, start: Vaddr, end: Vaddr): void {
    this.ram.set64(area + START, start);
    this.ram.set64(area + END, end);
  }

  private findIn({ root }: AreaSet, address: Vaddr): Handle {
    const { ram } = this;
    let node = rbFollow(ram, root);
    while (node !== 0) {
      if (address < this.start(node - NODE)) node = rbLeft(ram, node);
      else if (address >= this.end(node - NODE)) node = rbRight(ram, node);
      else return node - NODE;
    }
    return 0;
  }

  /** @linux mm/vmalloc.c:insert_vmap_area full */
  private insert({ root, list, update }: AreaSet, area: Handle): void {
    const { ram } = this;
    const start = this.start(area);
    let link = root;
    let parent = 0;
    let before = list;
    for (let node = rbFollow(ram, link); node !== 0; node = rbFollow(ram, link)) {
      parent = node;
      const higher = start >= this.start(node - NODE);
      if (higher) before = node - NODE + LIST;
      link = node + (higher ? RB_RIGHT : RB_LEFT);
    }
    rbInsert(ram, area + NODE, parent, link, root, update);
    listAdd(ram, area + LIST, before);
  }

  /** @linux mm/vmalloc.c:unlink_va full */
  private remove({ root, update }: AreaSet, area: Handle): void {
    rbErase(this.ram, area + NODE, root, update);
    listDel(this.ram, area + LIST);
  }

  /** Adds an area to a set, as one with the neighbours that it touches. @linux mm/vmalloc.c:merge_or_add_vmap_area full */
  private mergeOrAdd(set: AreaSet, area: Handle): void {
    const { ram, slub } = this;
    this.insert(set, area);
    const previous = listPrev(ram, area + LIST);
    const next = listNext(ram, area + LIST);
    if (next !== set.list && this.start(next - LIST) === this.end(area)) {
      this.setRange(area, this.start(area), this.end(next - LIST));
      this.remove(set, next - LIST);
      slub.free(next - LIST);
    }
    if (previous !== set.list && this.end(previous - LIST) === this.start(area)) {
      this.setRange(area, this.start(previous - LIST), this.end(area));
      this.remove(set, previous - LIST);
      slub.free(previous - LIST);
    }
    if (set.update) rbPropagate(ram, area + NODE, set.update);
  }
}
