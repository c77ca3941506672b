// SPDX-License-Identifier: MIT
/**
 * Whether allocation and free by C may take the generated fast paths: one word in host memory that they test first.
 * It is not 0 while anybody watches an allocation, or a setting makes one more than a few loads and stores.
 */

import { SLOW_PATHS } from '../../machine/layout.js';
import type { Ram } from '../../machine/ram.js';
import type { PageAllocator } from '../../mm/page_alloc.js';
import type { Slub } from '../../mm/slub.js';

export class SlowPaths {
  private forced = false;

  constructor(
    private readonly ram: Ram,
    private readonly slub: Slub,
    private readonly pages: PageAllocator,
    /** True if each allocation is checked for a caller that must not sleep. */
    private readonly checksSleep: boolean,
  ) {
    const changed = () => this.refresh();
    for (const tracepoint of this.tracepoints()) tracepoint.onToggle = changed;
    slub.onHooksChange = changed;
    pages.onFaultInjectionChange = changed;
    this.refresh();
  }

  private tracepoints() {
    const { kmalloc, kfree, kmemCacheAlloc, kmemCacheFree } = this.slub.trace;
    const { mmPageAlloc, mmPageFree } = this.pages.trace;
    return [kmalloc, kfree, kmemCacheAlloc, kmemCacheFree, mmPageAlloc, mmPageFree];
  }

  /** Sends everything through TypeScript, or no longer. */
  force(on: boolean): void {
    this.forced = on;
    this.refresh();
  }

  refresh(): void {
    const { core } = this.slub;
    const slow =
      this.forced ||
      this.checksSleep ||
      core.hardened ||
      core.initOnAlloc ||
      core.initOnFree ||
      core.hooks !== undefined ||
      this.pages.shouldFailAllocPage !== null ||
      this.tracepoints().some(({ enabled }) => enabled);
    this.ram.host32[SLOW_PATHS >> 2] = slow ? 1 : 0;
  }
}
