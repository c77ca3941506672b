// SPDX-License-Identifier: MIT
/** What has happened to this kernel that a reader of its reports should know: the taint flags. */

import type { StaticData } from '../lib/static_data.js';
import type { Handle } from '../machine/layout.js';
import type { Ram } from '../machine/ram.js';

/** Letters by bit number; a clear bit 0 prints as G, any other as a space. */
export const LETTERS = 'PFSRMBUDAWCIOELKXTN';
export const TAINT_DIE = 'D';
export const TAINT_BAD_PAGE = 'B';
export const TAINT_WARN = 'W';
export const TAINT_OOT_MODULE = 'O';
export const TAINT_UNSIGNED_MODULE = 'E';
export const TAINT_PROPRIETARY_MODULE = 'P';
export const TAINT_FORCED_RMMOD = 'R';

export class Taint {
  private readonly mask: Handle;

  constructor(
    private readonly ram: Ram,
    data: StaticData,
  ) {
    this.mask = data.declare('tainted_mask', 8);
  }

  /** The mask, as in /proc/sys/kernel/tainted. */
  get value(): number {
    return this.ram.u32[this.mask];
  }

  add(letter: string): void {
    this.ram.u32[this.mask] |= 1 << LETTERS.indexOf(letter);
  }

  has(letter: string): boolean {
    return ((this.value >> LETTERS.indexOf(letter)) & 1) === 1;
  }

  /** `Not tainted`, or `Tainted: G           OE     `. @linux kernel/panic.c:print_tainted full */
  toString(): string {
    const { value } = this;
    if (value === 0) return 'Not tainted';
    const flags = [...LETTERS].map((letter, bit) => ((value >> bit) & 1 ? letter : bit === 0 ? 'G' : ' '));
    return `Tainted: ${flags.join('')}`;
  }
}
