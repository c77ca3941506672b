// SPDX-License-Identifier: MIT
/** A machine with page and slab allocator, page tables and vmalloc, and nothing else, for tests. */

import { PAGE_OFFSET, PAGE_SIZE, type Vaddr } from '../machine/layout.js';
import { GFP_KERNEL } from './gfp.js';
import { Ioremap } from './ioremap.js';
import { PageTables } from './pgtable.js';
import { type SlubMachine, slubMachine } from './slub_testing.js';
import { Vmalloc } from './vmalloc.js';
import { nodeStatItem } from './vmstat.js';

const UNRECLAIMABLE = nodeStatItem('nr_slab_unreclaimable');

export interface VmallocMachine extends SlubMachine {
  readonly vmalloc: Vmalloc;
  readonly ioremap: Ioremap;
  /** Addresses whose TLB entries were dropped, since the test emptied the list; 'all' for a flush of everything. */
  readonly flushed: (Vaddr | 'all')[];
  /** Page frames that are free, or that slabs or page tables keep: what vmalloc and vfree must not change. */
  accounted(): number;
}

export function vmallocMachine(options: Parameters<typeof slubMachine>[0] = {}): VmallocMachine {
  const machine = slubMachine(options);
  const { env, mm, slub } = machine;
  let tablePages = 0;
  const allocTable = () => {
    const page = mm.allocPages(GFP_KERNEL, 0);
    if (page === 0) return -1;
    tablePages++;
    mm.clearPages(page, 0);
    return mm.pageAddress(page) - PAGE_OFFSET;
  };
  const tables = new PageTables(env.ram, allocTable(), allocTable);
  // The test environment's memory knows the direct map only.
  const direct = env.guest.translate.bind(env.guest);
  env.guest.translate = (address, write) => {
    const p = direct(address, write);
    const { entry, level } = tables.walk(address);
    if (p >= 0 || level !== 3 || (env.ram.i32[entry] & 1) === 0) return p;
    return tables.frame(entry) + (((address % PAGE_SIZE) + PAGE_SIZE) % PAGE_SIZE);
  };
  const flushed: (Vaddr | 'all')[] = [];
  const vmalloc = new Vmalloc({
    env,
    pages: mm,
    slub,
    pageTables: () => tables,
    tlb: { flush: () => flushed.push('all'), flushPage: (address) => flushed.push(address) },
  });
  const ioremap = new Ioremap(vmalloc);
  vmalloc.boot();
  const slabPages = () => mm.stat.globalNodePageState(UNRECLAIMABLE);
  const accounted = () => mm.freePageCount() + slabPages() + tablePages;
  return { ...machine, vmalloc, ioremap, flushed, accounted };
}
