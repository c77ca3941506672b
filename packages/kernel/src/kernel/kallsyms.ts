// SPDX-License-Identifier: MIT
/** Symbols by address and by name: the kernel's and the modules'. A cache, rebuilt from the module list. */

import type { Vaddr } from '../machine/layout.js';

export interface KernelSymbol {
  readonly name: string;
  readonly address: Vaddr;
  /** Bytes. */
  readonly size: number;
  /** As nm prints it: t T d D b B r R. */
  readonly type: string;
  /** The module it belongs to, undefined for the kernel. */
  readonly module?: string;
}

export interface SourceLine {
  readonly file: string;
  readonly line: number;
}

/** An address as 16 hexadecimal digits. */
export function hex64(address: number): string {
  const hi = Math.floor(address / 4294967296) >>> 0;
  return hi.toString(16).padStart(8, '0') + (address >>> 0).toString(16).padStart(8, '0');
}

export class Kallsyms {
  private readonly groups = new Map<string, readonly KernelSymbol[]>();
  private readonly lines = new Map<string, (address: Vaddr) => SourceLine | undefined>();
  private sorted: KernelSymbol[] = [];
  private readonly byName = new Map<string, KernelSymbol>();

  /**
   * Adds the symbols of a module, or of the kernel (`owner` is the empty string).
   * @param lineOf gives the source line of an instruction
   */
  add(
    owner: string,
    symbols: readonly KernelSymbol[],
    lineOf?: (address: Vaddr) => SourceLine | undefined,
  ): void {
    this.groups.set(owner, symbols);
    if (lineOf) this.lines.set(owner, lineOf);
    this.sort();
  }

  remove(owner: string): void {
    this.groups.delete(owner);
    this.lines.delete(owner);
    this.sort();
  }

  private sort(): void {
    const all = this.all();
    this.byName.clear();
    for (const symbol of all) if (!this.byName.has(symbol.name)) this.byName.set(symbol.name, symbol);
    this.sorted = all.sort((a, b) => a.address - b.address);
  }

  /** Symbols in the order of /proc/kallsyms: the kernel's by address, then each module's. */
  all(): KernelSymbol[] {
    return [...this.groups.values()].flat();
  }

  /** A symbol by name, the kernel's first. */
  find(name: string): KernelSymbol | undefined {
    return this.byName.get(name);
  }

  /** The symbol that an address lies in. */
  lookup(address: Vaddr): { symbol: KernelSymbol; offset: number } | undefined {
    let low = 0;
    let high = this.sorted.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.sorted[middle].address <= address) low = middle + 1;
      else high = middle;
    }
    for (let i = low - 1; i >= 0 && this.sorted[i].address === this.sorted[low - 1].address; i--) {
      const symbol = this.sorted[i];
      if (address < symbol.address + symbol.size) return { symbol, offset: address - symbol.address };
    }
    return undefined;
  }

  /** Source line of the instruction at an address, where the image has a line table. */
  lineOf(address: Vaddr): SourceLine | undefined {
    const module = this.lookup(address)?.symbol.module;
    return module === undefined ? undefined : this.lines.get(module)?.(address);
  }

  /** `name+0xoffset/0xsize [module]`, or `0x` and the address: the %pS conversion. */
  symbolize(address: Vaddr): string {
    const found = this.lookup(address);
    if (!found) return `0x${hex64(address)}`;
    const { symbol, offset } = found;
    const name = `${symbol.name}+0x${offset.toString(16)}/0x${symbol.size.toString(16)}`;
    return symbol.module === undefined ? name : `${name} [${symbol.module}]`;
  }

  /** The same with ` (file:line)` where the line is known, as in our call traces. */
  symbolizeWithLine(address: Vaddr): string {
    const line = this.lineOf(address);
    return this.symbolize(address) + (line ? ` (${line.file}:${line.line})` : '');
  }
}
