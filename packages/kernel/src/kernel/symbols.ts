// SPDX-License-Identifier: MIT
/**
 * The kernel's own symbols: every function it offers to C has an address in kernel text, and so have functions that
 * only call traces name. There is no wasm behind these addresses, but they are mapped, executable and distinct.
 */

import type { ExportTable } from '../arch/wasm64/exports.js';
import { type Functions, kernelFunction } from '../arch/wasm64/functions.js';
import { STATIC_DATA_PADDR, type StaticData } from '../lib/static_data.js';
import { KERNEL_DATA_START, KERNEL_TEXT_START, type Vaddr } from '../machine/layout.js';
import type { Kallsyms, KernelSymbol } from './kallsyms.js';

/** Bytes that each function takes in kernel text. */
const FUNCTION_SIZE = 0x40;
/** Where in a function a call or fault is said to be. */
export const CALL_OFFSET = 0x20;

/** What stands below every system call in a call trace, outermost first. */
export const SYSCALL_FRAMES = ['entry_SYSCALL_64_after_hwframe', 'do_syscall_64'] as const;

/** Functions that are named in call traces and called by nobody. */
const TRACE_ONLY = [
  ...SYSCALL_FRAMES,
  '__do_sys_finit_module',
  '__do_sys_delete_module.constprop.0',
  'do_init_module',
  'do_one_initcall',
  'dump_stack_lvl',
] as const;

export class KernelSymbols {
  private readonly addresses = new Map<string, Vaddr>();
  private readonly variables: ReadonlyMap<string, Vaddr>;

  /**
   * @param exports the functions offered to C; a name may come once
   * @param traceOnly further functions that call traces name
   */
  constructor(
    exports: ExportTable,
    functions: Functions,
    kallsyms: Kallsyms,
    data: StaticData,
    traceOnly: readonly string[] = [],
  ) {
    const names = [...new Set([...exports.keys(), ...TRACE_ONLY, ...traceOnly])].sort();
    const symbols: KernelSymbol[] = names.map((name, i) => {
      const address = KERNEL_TEXT_START + 0x1000 + i * FUNCTION_SIZE;
      this.addresses.set(name, address);
      return { name, address, size: FUNCTION_SIZE, type: 'T' };
    });
    for (const [name, [signature, fn]] of exports)
      functions.add(kernelFunction(name, this.addresses.get(name)!, signature, fn));
    this.variables = new Map([
      ...data.variables.map((v): [string, Vaddr] => [v.name, v.address]),
      ...this.sections(data),
    ]);
    const variables = data.variables.map(
      ({ name, address, size }): KernelSymbol => ({ name, address, size, type: 'D' }),
    );
    kallsyms.add('', [...symbols, ...variables]);
  }

  /** Where the kernel's sections begin and end: what <asm/sections.h> declares. All data is .data, none .bss. */
  private sections(data: StaticData): [string, Vaddr][] {
    const end = KERNEL_DATA_START + data.end - STATIC_DATA_PADDR;
    return [
      ['_text', KERNEL_TEXT_START],
      ['_stext', KERNEL_TEXT_START],
      ['_etext', KERNEL_TEXT_START + this.textSize],
      ['_sdata', KERNEL_DATA_START],
      ...['_edata', '__bss_start', '__bss_stop', '_end'].map((name): [string, Vaddr] => [name, end]),
    ];
  }

  /** Bytes of kernel text in use. */
  get textSize(): number {
    return 0x1000 + this.addresses.size * FUNCTION_SIZE;
  }

  /** Names of all functions and variables that modules may use. */
  names(): string[] {
    return [...this.addresses.keys(), ...this.variables.keys()];
  }

  /** Address of a function or variable that modules may use. */
  find(name: string): Vaddr | undefined {
    return this.addresses.get(name) ?? this.variables.get(name);
  }

  /** Return address within a function, for call traces. */
  returnAddress(name: string): Vaddr {
    return (this.addresses.get(name) ?? KERNEL_TEXT_START) + CALL_OFFSET;
  }
}
