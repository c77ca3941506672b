// SPDX-License-Identifier: MIT
/** Mappings without a struct vm_struct, for those who map and unmap pages all the time. */

import { PAGE_SIZE, type Vaddr, VMALLOC_END, VMALLOC_START } from '../machine/layout.js';
import { GFP_KERNEL } from './gfp.js';
import { PAGE_KERNEL } from './pgtable.js';
import { VMALLOC_RANGE, type Vmalloc } from './vmalloc.js';
import { protectionBits } from './vmap_pages.js';

const FILE = 'mm/vmalloc.c';

/**
 * Maps pages one after the other, with no guard page.
 * @param array address of `count` pointers to struct page
 * @returns the address, or 0
 * @linux mm/vmalloc.c:vm_map_ram partial: small mappings have areas of their own, not parts of per-CPU blocks
 */
export function vmMapRam(vmalloc: Vmalloc, array: Vaddr, count: number): Vaddr {
  const { areas, env } = vmalloc;
  if (count === 0) {
    env.reports.warn(FILE, 1993, 'vb_alloc');
    return 0;
  }
  const bytes = count * PAGE_SIZE;
  const area = areas.alloc(bytes, PAGE_SIZE, VMALLOC_RANGE, GFP_KERNEL);
  if (area < 0) vmalloc.noRoom(bytes, GFP_KERNEL);
  if (area <= 0) return 0;
  const address = areas.start(area);
  if (vmalloc.mapOthers(address, array, count, protectionBits(PAGE_KERNEL))) return address;
  vmUnmapRam(vmalloc, address);
  return 0;
}

/** Undoes vm_map_ram(). @linux mm/vmalloc.c:vm_unmap_ram partial: always all of the mapping */
export function vmUnmapRam(vmalloc: Vmalloc, address: Vaddr): void {
  const { areas, env } = vmalloc;
  const bug = (line: number) => env.reports.bug(FILE, line, 'vm_unmap_ram');
  if (address === 0) bug(2253);
  if (address > 0 || address < VMALLOC_START) bug(2254);
  if (address > VMALLOC_END) bug(2255);
  if (address % PAGE_SIZE !== 0) bug(2256);
  const area = areas.find(address);
  if (area === 0) bug(2266);
  vmalloc.freeUnmapArea(area);
}
