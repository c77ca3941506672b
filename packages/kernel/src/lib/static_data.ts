// SPDX-License-Identifier: MIT
/**
 * The kernel's own static data (.data and .bss): where subsystems keep the roots that C or a snapshot must find.
 *
 * Subsystems declare their variables in their constructors, always in the same order, so every boot and every
 * attach to a saved RAM image gives each variable the same place. Nothing is initialised here: RAM starts as
 * zeros, and `boot()` of the subsystem writes the first values.
 */

import {
  type Handle,
  KERNEL_DATA_START,
  PAGE_OFFSET,
  PAGE_SIZE,
  type Paddr,
  type Vaddr,
} from '../machine/layout.js';

/** Physical address of the kernel's static data: 1 MiB, as on a PC the first memory free of holes. */
export const STATIC_DATA_PADDR = 0x100000;

export interface StaticVariable {
  readonly name: string;
  /** Where C sees it. */
  readonly address: Vaddr;
  readonly handle: Handle;
  readonly size: number;
}

export class StaticData {
  private next: Paddr = STATIC_DATA_PADDR;
  readonly variables: StaticVariable[] = [];

  /**
   * Reserves a variable.
   * @param name its C symbol name
   * @param bytes its size
   * @param align a power of two, at least 4
   */
  declare(name: string, bytes: number, align = 8): Handle {
    this.next = Math.ceil(this.next / align) * align;
    const handle = this.next / 4;
    const address = KERNEL_DATA_START + (this.next - STATIC_DATA_PADDR);
    this.variables.push({ name, address, handle, size: bytes });
    this.next += bytes;
    return handle;
  }

  /**
   * Reserves an object that others point to by its handle, as tasks do to `init_task`. C must find it where such
   * pointers lead, or it would not know it again: in the direct map.
   */
  declareObject(name: string, bytes: number, align = 8): Handle {
    const handle = this.declare(name, bytes, align);
    const declared = this.variables.pop()!;
    this.variables.push({ ...declared, address: PAGE_OFFSET + handle * 4 });
    return handle;
  }

  /** Gives a variable a second name, as `jiffies_64` is one of `jiffies`. */
  alias(name: string, of: string): void {
    const variable = this.variables.find((v) => v.name === of);
    if (variable) this.variables.push({ ...variable, name });
  }

  /** One past the last declared byte, rounded up to a page. */
  get end(): Paddr {
    return Math.ceil(this.next / PAGE_SIZE) * PAGE_SIZE;
  }
}
