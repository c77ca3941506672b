// SPDX-License-Identifier: MIT
/** `page_owner=on`: who allocated and who last freed each page, by stack. */

import type { Env } from '../lib/env.js';
import type { Handle } from '../machine/layout.js';
import type { Memblock } from './memblock.js';
import type { PageAllocator } from './page_alloc.js';

export class PageOwner {
  constructor(
    readonly env: Env,
    readonly mm: PageAllocator,
  ) {}
  boot(_memblock: Memblock): void {}
  setPageOwner(_page: Handle, _order: number, _gfp: number): void {}
  resetPageOwner(_page: Handle, _order: number): void {}
  splitPageOwner(_page: Handle, _nr: number): void {}
}
