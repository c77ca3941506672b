// SPDX-License-Identifier: MIT
/**
 * The arguments of a variadic C call: an area of guest memory in which each argument lies at the next address
 * aligned to its own size (int 4 bytes; pointer, long, long long and double 8).
 */

import type { Vaddr } from '../machine/layout.js';
import { type GuestAccess, readUnsigned } from './guest_access.js';

const TWO32 = 4294967296;

export class VaList {
  /** The 64-bit argument that was read last, as two's complement halves. */
  lo = 0;
  hi = 0;

  /** @param address the next argument's place; what `va_arg` would read */
  constructor(
    private readonly mem: GuestAccess,
    private address: Vaddr,
  ) {}

  /** The next argument of type int, signed; also what a char or short was promoted to. */
  int(): number {
    const value = readUnsigned(this.mem, this.address, 4) | 0;
    this.address += 4;
    return value;
  }

  /** Reads the next argument of 8 bytes into `hi` and `lo`. */
  long(): void {
    this.address = Math.ceil(this.address / 8) * 8;
    this.lo = readUnsigned(this.mem, this.address, 4);
    this.hi = readUnsigned(this.mem, this.address + 4, 4) | 0;
    this.address += 8;
  }

  /** The next argument of pointer type: exact if canonical. */
  pointer(): Vaddr {
    this.long();
    return this.hi * TWO32 + this.lo;
  }

  /** A second list that starts at the next argument, as va_copy makes. */
  copy(): VaList {
    return new VaList(this.mem, this.address);
  }
}
