// SPDX-License-Identifier: MIT
/** Address space for modules: first fit in the module area, a guard page after each. */

import { MODULES_END, MODULES_VADDR, PAGE_SIZE, type Vaddr } from '../../machine/layout.js';

export class ModuleSpace {
  /** Taken ranges by address, guard pages included. A cache: the module list says the same. */
  private readonly taken: { start: Vaddr; end: Vaddr }[] = [];

  /** @linux arch/x86/kernel/module.c:module_alloc partial: no randomised offset */
  alloc(bytes: number): Vaddr {
    const size = bytes + PAGE_SIZE;
    let start = MODULES_VADDR;
    let at = 0;
    for (; at < this.taken.length && this.taken[at].start - start < size; at++) start = this.taken[at].end;
    if (start + size > MODULES_END) return 0;
    this.taken.splice(at, 0, { start, end: start + size });
    return start;
  }

  free(start: Vaddr): void {
    const at = this.taken.findIndex((range) => range.start === start);
    if (at >= 0) this.taken.splice(at, 1);
  }
}
