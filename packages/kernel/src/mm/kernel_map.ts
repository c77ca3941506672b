// SPDX-License-Identifier: MIT
/** The kernel's own mappings as C looks at them and changes them, and a few numbers about memory. */

import type { KernelExports } from '../arch/wasm64/exports.js';
import type { Env } from '../lib/env.js';
import { EFAULT, EINVAL } from '../lib/errno.js';
import { type GuestAccess, writeInteger } from '../lib/guest_access.js';
import { type Handle, PAGE_OFFSET, PAGE_SIZE, type Vaddr } from '../machine/layout.js';
import type { PageAllocator } from './page_alloc.js';
import { _PAGE_DIRTY, _PAGE_NX_HI, _PAGE_PRESENT, _PAGE_RW, type PageTables } from './pgtable.js';
import type { Tlb } from './vmap_pages.js';

/** PG_LEVEL_* by the level at which a walk ended; a PGD entry maps nothing. */
const PG_LEVELS = [0, 3, 2, 1] as const;
const PTE_LEVEL = 3;
/** Members of `struct sysinfo`, in bytes. */
const SYSINFO = {
  totalram: 32,
  freeram: 40,
  sharedram: 48,
  bufferram: 56,
  totalhigh: 88,
  freehigh: 96,
} as const;
const MEM_UNIT = 104;

export interface KernelMapDeps {
  readonly env: Env;
  readonly pages: PageAllocator;
  readonly tlb: Tlb;
  pageTables(): PageTables;
}

export class KernelMap {
  private readonly mem: GuestAccess;
  private readonly variables: { readonly [name: string]: Handle };

  constructor(private readonly deps: KernelMapDeps) {
    const { ram, guest, data } = deps.env;
    this.mem = { ram, guest };
    this.variables = {
      max_mapnr: data.declare('max_mapnr', 8),
      max_low_pfn: data.declare('max_low_pfn', 8),
      high_memory: data.declare('high_memory', 8),
      // There is no swap: 0.
      nr_swap_pages: data.declare('nr_swap_pages', 8),
    };
  }

  /** @linux arch/x86/mm/init_64.c:mem_init partial: numbers only */
  boot(): void {
    const { ram } = this.mem;
    ram.set64(this.variables['max_mapnr'], ram.size / PAGE_SIZE);
    ram.set64(this.variables['max_low_pfn'], ram.size / PAGE_SIZE);
    ram.set64(this.variables['high_memory'], PAGE_OFFSET + ram.size);
  }

  /**
   * The entry that maps an address.
   * @param level where PG_LEVEL_* is stored
   * @returns NULL if a table on the way is missing; a PTE may be one that maps nothing
   * @linux arch/x86/mm/pat/set_memory.c:lookup_address full
   */
  private lookup(address: Vaddr, level: Vaddr): Vaddr {
    const { ram } = this.mem;
    const walk = this.deps.pageTables().walk(address);
    writeInteger(this.mem, level, PG_LEVELS[walk.level], 4);
    const present = (ram.i32[walk.entry] & _PAGE_PRESENT) !== 0;
    return present || walk.level === PTE_LEVEL ? ram.addressOf(walk.entry) : 0;
  }

  /**
   * Sets and clears bits in the entries of pages of vmalloc, modules and other 4 KiB mappings.
   * @returns 0; -EFAULT if one is not mapped; -EINVAL for the direct map, whose pages this CPU does not look up
   * @linux arch/x86/mm/pat/set_memory.c:change_page_attr_set_clr partial: 4 KiB pages only
   */
  private change(address: Vaddr, pages: number, edit: (entry: Handle) => void): number {
    const { ram } = this.mem;
    const start = Math.floor(address / PAGE_SIZE) * PAGE_SIZE;
    if (pages < 0) return -EINVAL;
    const entries: Handle[] = [];
    for (let i = 0; i < pages; i++) {
      const at = start + i * PAGE_SIZE;
      if (ram.isDirect(at)) return -EINVAL;
      const { entry, level } = this.deps.pageTables().walk(at);
      if (level !== PTE_LEVEL || !(ram.i32[entry] & _PAGE_PRESENT)) return -EFAULT;
      entries.push(entry);
    }
    entries.forEach(edit);
    this.deps.tlb.flush();
    return 0;
  }

  /** @linux mm/page_alloc.c:si_meminfo full */
  private sysinfo(at: Vaddr): void {
    const { pages } = this.deps;
    const values = {
      totalram: pages.totalramPages,
      freeram: pages.nrFreePages(),
      sharedram: 0,
      bufferram: 0,
    };
    for (const [name, value] of Object.entries({ ...values, totalhigh: 0, freehigh: 0 }))
      writeInteger(this.mem, at + SYSINFO[name as keyof typeof SYSINFO], value, 8);
    writeInteger(this.mem, at + MEM_UNIT, PAGE_SIZE, 4);
  }

  exports(): KernelExports {
    const { tlb } = this.deps;
    const { i32 } = this.mem.ram;
    const set = (edit: (entry: Handle) => void) => (address: Vaddr, pages: number) =>
      this.change(address, pages, edit);
    return {
      lookup_address: ['p:pp', (address: Vaddr, level: Vaddr) => this.lookup(address, level)],
      set_memory_ro: ['i:pi', set((e) => void (i32[e] &= ~(_PAGE_RW | _PAGE_DIRTY)))],
      set_memory_rw: ['i:pi', set((e) => void (i32[e] |= _PAGE_RW))],
      set_memory_nx: ['i:pi', set((e) => void (i32[e + 1] |= _PAGE_NX_HI))],
      set_memory_x: ['i:pi', set((e) => void (i32[e + 1] &= ~_PAGE_NX_HI))],
      flush_tlb_all: ['v:', () => tlb.flush()],
      flush_tlb_kernel_range: ['v:pp', () => tlb.flush()],
      flush_tlb_mm: ['v:p', () => tlb.flush()],
      flush_tlb_page: ['v:pp', (_vma: Vaddr, address: Vaddr) => tlb.flushPage(address)],
      si_meminfo: ['v:p', (at: Vaddr) => this.sysinfo(at)],
    };
  }
}
