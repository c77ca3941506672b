// SPDX-License-Identifier: MIT
/**
 * kmap and its kind, and looks at single pages. All memory is in the direct map, so a mapping is an address that is
 * there already; what remains of kmap_atomic is that its user must not sleep.
 */

import type { KernelExports } from '../arch/wasm64/exports.js';
import { siMemAvailable } from '../fs/proc/meminfo.js';
import type { Vaddr } from '../machine/layout.js';
import type { PageAllocator } from './page_alloc.js';
import { PageArguments } from './page_exports.js';
import { showMem } from './show_mem.js';

/** Counts sections in which the running task must not sleep. */
export interface PreemptCounter {
  add(value: number): void;
  sub(value: number): void;
}

const REASON_MAX = 256;

/** @param kmapAtomic what kmap_atomic holds until kunmap_atomic */
export function highmemExports(mm: PageAllocator, kmapAtomic: PreemptCounter): KernelExports {
  const args = new PageArguments(mm);
  const map = (page: Vaddr): Vaddr => mm.pageAddress(args.page(page));
  return {
    kmap: ['p:p', map],
    kunmap: ['v:p', () => undefined],
    kmap_local_page: ['p:p', map],
    __kunmap_local: ['v:p', () => undefined],
    kmap_atomic: [
      'p:p',
      (page: Vaddr) => {
        const address = map(page);
        kmapAtomic.add(1);
        return address;
      },
    ],
    __kunmap_atomic: ['v:p', () => void kmapAtomic.sub(1)],
    pfn_valid: ['i:z', (pfn: number) => Number(pfn < mm.map.maxPfn)],
    nr_free_pages: ['z:', () => mm.nrFreePages()],
    si_mem_available: ['l:', () => siMemAvailable(mm)],
    show_mem: ['v:up', () => void showMem(mm)],
    dump_page: [
      'v:pp',
      (page: Vaddr, reason: Vaddr) => {
        const text = reason === 0 ? '' : String.fromCharCode(...mm.env.guest.readString(reason, REASON_MAX));
        mm.check.dumpPage(args.page(page), text);
      },
    ],
  };
}
