// SPDX-License-Identifier: MIT
/** The secret behind %p: a key drawn at boot, kept in RAM, that turns an address into an identifier. */

import type { Handle, Vaddr } from '../machine/layout.js';
import type { Ram } from '../machine/ram.js';
import type { BootParameters } from './env.js';
import type { Random } from './random.js';
import { siphash1u64 } from './siphash.js';
import type { StaticData } from './static_data.js';

export class PointerHash {
  /** Four words of key, then a word that is 1 once the key is there. */
  private readonly key: Handle;
  /** Boot parameter `no_hash_pointers`: %p shows addresses. */
  readonly disabled: boolean;

  constructor(
    private readonly ram: Ram,
    data: StaticData,
    parameters: BootParameters,
  ) {
    this.key = data.declare('ptr_key', 20);
    this.disabled = parameters.has('no_hash_pointers');
  }

  /** Draws the key. @linux lib/vsprintf.c:fill_ptr_key_workfn full */
  boot(random: Random): void {
    for (let i = 0; i < 4; i++) this.ram.u32[this.key + i] = random.u32();
    this.ram.u32[this.key + 4] = 1;
  }

  /**
   * The 32-bit identifier of an address, or -1 before the key is there.
   * @linux lib/vsprintf.c:ptr_to_hashval full
   */
  id(address: Vaddr): number {
    const { ram, key } = this;
    if (ram.u32[key + 4] !== 1) return -1;
    const half = (i: number) => (BigInt(ram.u32[key + i + 1]) << 32n) | BigInt(ram.u32[key + i]);
    return Number(siphash1u64(BigInt.asUintN(64, BigInt(address)), half(0), half(2)) & 0xffffffffn);
  }
}
