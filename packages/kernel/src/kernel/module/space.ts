// SPDX-License-Identifier: MIT
/** Memory for modules: vmalloc's, from the module area, so that /proc/vmallocinfo shows it and a guard page follows. */

import { MODULES_END, MODULES_VADDR, type Vaddr } from '../../machine/layout.js';
import { GFP_KERNEL } from '../../mm/gfp.js';
import { MODULES_RANGE, type Vmalloc } from '../../mm/vmalloc.js';
import { VM_FLUSH_RESET_PERMS } from '../../mm/vmalloc_types.js';

export class ModuleSpace {
  /** @param caller the address that counts as the caller's: in load_module() */
  constructor(
    private readonly vmalloc: Vmalloc,
    private readonly caller: () => Vaddr,
  ) {}

  /**
   * Memory of so many bytes, writable; 0 if there is none.
   * @linux kernel/module/main.c:module_alloc differs: from the module area, as on x86; no random offset
   */
  alloc(size: number): Vaddr {
    if (size > MODULES_END - MODULES_VADDR) return 0;
    return this.vmalloc.alloc({
      size,
      gfp: GFP_KERNEL,
      range: MODULES_RANGE,
      flags: VM_FLUSH_RESET_PERMS,
      caller: this.caller(),
    });
  }

  free(base: Vaddr): void {
    this.vmalloc.vfree(base);
  }
}
