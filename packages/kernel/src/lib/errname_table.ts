// SPDX-License-Identifier: MIT
/** The names of error numbers where C can read them. */

import type { KernelExports } from '../arch/wasm64/exports.js';
import type { Handle, Vaddr } from '../machine/layout.js';
import type { Ram } from '../machine/ram.js';
import { errname, NAMED_ERRORS } from './errname.js';
import type { StaticData } from './static_data.js';
import { encodeUtf8 } from './utf8.js';

export class ErrorNames {
  private readonly table: Handle;
  /** Bytes from the table's start to `-ENOMEM`, by number. */
  private readonly offsets = new Map<number, number>();

  constructor(
    private readonly ram: Ram,
    data: StaticData,
  ) {
    let bytes = 0;
    for (const code of NAMED_ERRORS) {
      this.offsets.set(code, bytes);
      bytes += errname(-code).length + 1;
    }
    this.table = data.declare('errnames', bytes);
  }

  boot(): void {
    for (const [code, offset] of this.offsets)
      this.ram.u8.set(encodeUtf8(`${errname(-code)}\0`), this.table * 4 + offset);
  }

  /** `-ENOMEM` for -12, `ENOMEM` for 12, NULL for a number without a name. @linux lib/errname.c:errname full */
  private find(error: number): Vaddr {
    const offset = this.offsets.get(Math.abs(error));
    return offset === undefined ? 0 : this.ram.addressOf(this.table) + offset + Number(error > 0);
  }

  exports(): KernelExports {
    return { errname: ['p:i', (error: number) => this.find(error)] };
  }
}
