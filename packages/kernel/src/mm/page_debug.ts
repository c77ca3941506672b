// SPDX-License-Identifier: MIT
/**
 * What boot parameters add to allocating and freeing a page: `init_on_alloc`, `init_on_free`, `page_poison`,
 * `debug_pagealloc`, `page_owner`. When none is set the allocator asks one boolean and comes no further.
 */

import { type BootParameters, type Env, KERN_INFO } from '../lib/env.js';
import type { Handle } from '../machine/layout.js';
import { __GFP_ZERO } from './gfp.js';
import type { Memblock } from './memblock.js';
import type { PageAllocator } from './page_alloc.js';
import { PageOwner } from './page_owner.js';
import { PagePoison } from './page_poison.js';

/** A boolean boot parameter: y, Y, 1, t, T, on are true. */
export function bootFlag(parameters: BootParameters, name: string): boolean {
  const value = parameters.get(name);
  return value !== undefined && /^([yYtT1]|[oO][nN])/.test(value);
}

export class PageDebug {
  readonly initOnAlloc: boolean;
  readonly initOnFree: boolean;
  readonly poison: PagePoison | null;
  readonly owner: PageOwner | null;
  /** True if pages that are free are taken out of the direct map. */
  readonly debugPagealloc: boolean;
  /** Maps pages of the direct map or takes them out: set by whoever keeps the page tables. */
  kernelMapPages: ((page: Handle, nrPages: number, enable: boolean) => void) | null = null;
  /** True if any of these is on. */
  readonly active: boolean;

  constructor(
    private readonly env: Env,
    private readonly mm: PageAllocator,
  ) {
    const { parameters } = env;
    this.poison = bootFlag(parameters, 'page_poison') ? new PagePoison(env, mm) : null;
    this.initOnAlloc = this.poison === null && bootFlag(parameters, 'init_on_alloc');
    this.initOnFree = this.poison === null && bootFlag(parameters, 'init_on_free');
    this.debugPagealloc = bootFlag(parameters, 'debug_pagealloc');
    this.owner = bootFlag(parameters, 'page_owner') ? new PageOwner(env, mm) : null;
    this.active = this.initOnAlloc || this.initOnFree || this.debugPagealloc || !!this.poison || !!this.owner;
  }

  /** @linux mm/page_alloc.c:init_mem_debugging_and_hardening full */
  boot(memblock: Memblock): void {
    this.owner?.boot(memblock);
  }

  /** Says what is on. */
  logBoot(): void {
    const { parameters, log } = this.env;
    if (this.poison && (bootFlag(parameters, 'init_on_alloc') || bootFlag(parameters, 'init_on_free')))
      log.log(
        KERN_INFO,
        'mem auto-init: CONFIG_PAGE_POISONING is on, will take precedence over init_on_alloc and init_on_free',
      );
    const heap = (on: boolean) => (on ? 'on' : 'off');
    log.log(
      KERN_INFO,
      `mem auto-init: stack:off, heap alloc:${heap(this.initOnAlloc)}, heap free:${heap(this.initOnFree)}`,
    );
  }

  /** A block becomes free for the first time. */
  initFree(page: Handle, order: number): void {
    if (!this.active) return;
    this.poison?.poisonPages(page, 1 << order);
    if (this.debugPagealloc) this.kernelMapPages?.(page, 1 << order, false);
  }

  /** @linux mm/page_alloc.c:post_alloc_hook full */
  postAlloc(page: Handle, order: number, gfp: number): void {
    if (this.debugPagealloc) this.kernelMapPages?.(page, 1 << order, true);
    this.poison?.unpoisonPages(page, 1 << order);
    if (this.initOnAlloc || (gfp & __GFP_ZERO) !== 0) this.mm.clearPages(page, order);
    this.owner?.setPageOwner(page, order, gfp);
  }

  preFree(page: Handle, order: number): void {
    this.owner?.resetPageOwner(page, order);
    this.poison?.poisonPages(page, 1 << order);
    if (this.initOnFree) this.mm.clearPages(page, order);
    if (this.debugPagealloc) this.kernelMapPages?.(page, 1 << order, false);
  }

  splitOwner(page: Handle, order: number): void {
    this.owner?.splitPageOwner(page, 1 << order);
  }
}
