// SPDX-License-Identifier: MIT
/** What the module loader needs of the rest of the kernel. */

import type { Functions } from '../../arch/wasm64/functions.js';
import type { Mmu } from '../../arch/wasm64/mmu.js';
import type { Log, Reports } from '../../lib/env.js';
import type { StaticData } from '../../lib/static_data.js';
import type { Handle, Vaddr } from '../../machine/layout.js';
import type { Ram } from '../../machine/ram.js';
import type { PageTables } from '../../mm/pgtable.js';
import type { ModuleTrace } from '../../trace/events/module.js';
import type { Kallsyms } from '../kallsyms.js';
import type { Taint } from '../taint.js';
import type { PageSource } from './file.js';
import type { LoadedModule } from './link.js';

export interface ModuleEnvironment {
  readonly ram: Ram;
  readonly data: StaticData;
  readonly log: Log;
  readonly trace: ModuleTrace;
  readonly reports: Reports;
  readonly taint: Taint;
  readonly kallsyms: Kallsyms;
  readonly functions: Functions;
  readonly mmu: Mmu;
  readonly pageTables: PageTables;
  /** Functions that translated code imports, by the names in HELPERS. */
  readonly helpers: Record<string, unknown>;
  /** Bytes of RAM that guest code reaches without a TLB look-up. */
  readonly directBytes: number;
  readonly slab: { alloc(bytes: number): Handle; free(object: Handle): void };
  /** Memory in the module area, mapped writable and followed by a guard page; 0 if there is none. */
  moduleAlloc(bytes: number): Vaddr;
  moduleFree(base: Vaddr, bytes: number): void;
  /** Per-CPU memory, by the address of CPU 0's copy; 0 if there is none. `copies` gives every CPU's. */
  readonly percpu: {
    alloc(bytes: number, align: number): Vaddr;
    free(base: Vaddr): void;
    copies(address: Vaddr): Vaddr[];
  };
  /** Single pages, for the modules' files. */
  readonly pages: PageSource;
  /** Whether the function at an address may put its caller to sleep. */
  suspends(address: Vaddr): boolean;
  /** Address of a function or variable that the kernel offers to modules. */
  kernelSymbol(name: string): Vaddr | undefined;
  /** Sets a module's parameters from insmod's arguments: 0 or a negative errno. */
  parseArgs(m: LoadedModule, args: string): number;
  /** Frees what the parameters own. */
  freeArgs(m: LoadedModule): void;
  /** Tells register_module_notifier's callbacks of a new state; a negative errno refuses MODULE_STATE_COMING. */
  notifyState(m: LoadedModule, state: number): number;
  /** Runs what C's `__attribute__((constructor))` marks. */
  runConstructors(m: LoadedModule): void;
}
