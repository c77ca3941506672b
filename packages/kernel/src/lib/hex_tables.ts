// SPDX-License-Identifier: MIT
/** `hex_asc` and `hex_asc_upper`: the digits, as strings that C indexes. */

import type { Handle } from '../machine/layout.js';
import type { Ram } from '../machine/ram.js';
import type { StaticData } from './static_data.js';
import { encodeUtf8 } from './utf8.js';

const DIGITS = '0123456789abcdef';

export class HexTables {
  private readonly lower: Handle;
  private readonly upper: Handle;

  constructor(
    private readonly ram: Ram,
    data: StaticData,
  ) {
    this.lower = data.declare('hex_asc', DIGITS.length + 1);
    this.upper = data.declare('hex_asc_upper', DIGITS.length + 1);
  }

  boot(): void {
    this.ram.u8.set(encodeUtf8(`${DIGITS}\0`), this.lower * 4);
    this.ram.u8.set(encodeUtf8(`${DIGITS.toUpperCase()}\0`), this.upper * 4);
  }
}
