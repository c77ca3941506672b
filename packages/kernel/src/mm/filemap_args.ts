// SPDX-License-Identifier: MIT
/** What C passes to the page cache, made into handles. A pointer that is none ends in the oops that using it would cause. */

import type { Env } from '../lib/env.js';
import type { GuestAccess } from '../lib/guest_access.js';
import { type Handle, PAGE_MASK_LOW, PAGE_SIZE, type Vaddr } from '../machine/layout.js';
import type { PageCache } from './filemap.js';
import { PageArguments } from './page_exports.js';

/** An object of the kernel's, which lies in the direct map, or within one page of a module's data. */
export function kernelObject(k: GuestAccess & { readonly env: Env }, address: Vaddr, bytes: number): Handle {
  const { ram, guest, env } = k;
  if (ram.isDirect(address, bytes) && address % 4 === 0) return ram.handleOf(address);
  guest.read(address, Math.min(bytes, PAGE_SIZE));
  const physical = guest.translate(address, true);
  const inOnePage = (physical & PAGE_MASK_LOW) + bytes <= PAGE_SIZE;
  if (physical < 0 || physical % 4 !== 0 || !inOnePage)
    return env.reports.bug('mm/filemap.c', 1, 'filemap_read');
  return physical / 4;
}

export class PagePointers {
  private readonly args: PageArguments;

  constructor(private readonly cache: PageCache) {
    this.args = new PageArguments(cache.deps.pages);
  }

  /** Handle of the page that a `struct page *` or `struct folio *` points to. */
  page(pointer: Vaddr): Handle {
    return this.args.page(pointer);
  }

  mapping(pointer: Vaddr, bytes: number): Handle {
    return kernelObject(this.cache.deps, pointer, bytes);
  }
}
