// SPDX-License-Identifier: MIT
/** Tables of functions that lie in the kernel's static data: `const struct file_operations x = { .read = y }`. */

import type { StaticData } from '../lib/static_data.js';
import type { Fields, Struct } from '../lib/struct.js';
import type { Handle, Vaddr } from '../machine/layout.js';
import type { Ram } from '../machine/ram.js';

/** Which function stands where, by its symbol. */
export type Functions = { readonly [member: string]: string };

export class OperationTables {
  private readonly tables: {
    at: Handle;
    offsets: { readonly [name: string]: number };
    functions: Functions;
  }[] = [];

  constructor(
    private readonly ram: Ram,
    private readonly data: StaticData,
  ) {}

  /** Adds tables of one kind, by name. */
  declare(type: Struct<Fields>, tables: { readonly [name: string]: Functions }): void {
    for (const [name, functions] of Object.entries(tables))
      this.tables.push({ at: this.data.declare(name, type.size), offsets: type.o, functions });
  }

  /** Writes all tables. @param symbol address of a function */
  boot(symbol: (name: string) => Vaddr): void {
    for (const { at, offsets, functions } of this.tables)
      for (const [member, fn] of Object.entries(functions))
        this.ram.set64(at + offsets[member] / 4, symbol(fn));
  }
}
