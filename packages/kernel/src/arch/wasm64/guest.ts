// SPDX-License-Identifier: MIT
/** Guest memory by virtual address, as the kernel's TypeScript reads and writes it. */

import type { GuestMemory } from '../../lib/env.js';
import { PAGE_MASK_LOW, PAGE_SIZE, type Vaddr } from '../../machine/layout.js';
import type { Ram } from '../../machine/ram.js';
import type { Mmu } from './mmu.js';

export class Guest implements GuestMemory {
  constructor(
    private readonly ram: Ram,
    private readonly mmu: Mmu,
  ) {}

  translate(address: Vaddr, write = false): number {
    return this.mmu.translate(address, write);
  }

  /** Calls `each` with the physical address of every stretch of a range; a page that is not mapped faults. */
  private stretches(
    address: Vaddr,
    bytes: number,
    write: boolean,
    each: (p: number, n: number, done: number) => void,
  ): void {
    for (let done = 0; done < bytes; ) {
      const p = this.mmu.resolve(address + done, write);
      const n = Math.min(bytes - done, PAGE_SIZE - (p & PAGE_MASK_LOW));
      each(p, n, done);
      done += n;
    }
  }

  read(address: Vaddr, bytes: number): Uint8Array {
    const out = new Uint8Array(bytes);
    if (bytes <= PAGE_SIZE - (address & PAGE_MASK_LOW) && bytes > 0) {
      const p = this.mmu.resolve(address, false);
      out.set(this.ram.u8.subarray(p, p + bytes));
      return out;
    }
    this.stretches(address, bytes, false, (p, n, done) => out.set(this.ram.u8.subarray(p, p + n), done));
    return out;
  }

  write(address: Vaddr, bytes: Uint8Array): void {
    if (bytes.length <= PAGE_SIZE - (address & PAGE_MASK_LOW) && bytes.length > 0) {
      this.ram.u8.set(bytes, this.mmu.resolve(address, true));
      return;
    }
    this.stretches(address, bytes.length, true, (p, n, done) =>
      this.ram.u8.set(bytes.subarray(done, done + n), p),
    );
  }

  readString(address: Vaddr, max = 65536): Uint8Array {
    const parts: number[] = [];
    for (let a = address; parts.length < max; ) {
      const p = this.mmu.resolve(a, false);
      const end = p - (p & PAGE_MASK_LOW) + PAGE_SIZE;
      const nul = this.ram.u8.subarray(p, end).indexOf(0);
      const n = Math.min(nul < 0 ? end - p : nul, max - parts.length);
      for (let i = 0; i < n; i++) parts.push(this.ram.u8[p + i]);
      if (nul >= 0) break;
      a += end - p;
    }
    return Uint8Array.from(parts);
  }

  readU32(address: Vaddr): number {
    return Number(this.little(address, 4));
  }

  readU64(address: Vaddr): bigint {
    return this.little(address, 8);
  }

  private little(address: Vaddr, bytes: number): bigint {
    return this.read(address, bytes).reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n);
  }
}
