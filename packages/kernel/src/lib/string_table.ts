// SPDX-License-Identifier: MIT
/**
 * Strings of the kernel's own that records in RAM name by number. The table is in RAM too, so that a number means
 * the same in a saved machine: strings one after the other, each ended by a NUL. A string's number is its order.
 */

import type { Handle } from '../machine/layout.js';
import type { Ram } from '../machine/ram.js';
import type { StaticData } from './static_data.js';

export class StringTable {
  private readonly at: Handle;
  /** What RAM holds, as far as it has been read. */
  private readonly numbers = new Map<string, number>();
  private readonly texts: string[] = [];
  /** Bytes of the table that `texts` covers. */
  private end = 0;

  /** @param bytes room for all strings: their number is bounded by the kernel's own source */
  constructor(
    private readonly ram: Ram,
    data: StaticData,
    private readonly name: string,
    private readonly bytes: number,
  ) {
    this.at = data.declare(name, bytes);
  }

  /** Reads strings that are in RAM and not here: all of them, after a machine was loaded. */
  private refresh(): void {
    const { u8 } = this.ram;
    const base = this.at * 4;
    while (this.end < this.bytes && u8[base + this.end] !== 0) {
      const end = u8.indexOf(0, base + this.end) - base;
      this.keep(String.fromCharCode(...u8.subarray(base + this.end, base + end)), end + 1);
    }
  }

  private keep(text: string, end: number): number {
    this.end = end;
    this.numbers.set(text, this.texts.length);
    return this.texts.push(text) - 1;
  }

  /** Number of an ASCII string, which is added if it is new. The empty string is kept as a space. */
  numberOf(string: string): number {
    const text = string === '' ? ' ' : string;
    if (this.texts.length === 0) this.refresh();
    const known = this.numbers.get(text);
    if (known !== undefined) return known;
    const end = this.end + text.length + 1;
    if (end >= this.bytes) throw new RangeError(`${this.name}: no room for '${text}'`);
    this.ram.u8.set(
      Uint8Array.from(text, (c) => c.charCodeAt(0)),
      this.at * 4 + this.end,
    );
    return this.keep(text, end);
  }

  /** The string of a number. */
  text(number: number): string {
    if (this.texts.length === 0) this.refresh();
    return this.texts[number].trim();
  }
}
