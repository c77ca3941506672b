// SPDX-License-Identifier: MIT
/** Physical memory: one `WebAssembly.Memory`, the machine's only state, and the typed arrays that see it. */

import {
  BOUNCE_BYTES,
  type Handle,
  PAGE_OFFSET,
  PAGE_OFFSET_HI,
  PAGE_SIZE,
  type Paddr,
  RAM_BASE,
  type Vaddr,
} from './layout.js';

const TWO32 = 4294967296;
const WASM_PAGE = 65536;

export const RAM_MIN = 8 * 2 ** 20;
export const RAM_MAX = 2 * 2 ** 30;

export class Ram {
  /** The host's linear memory: private area first, RAM from RAM_BASE. */
  readonly memory: WebAssembly.Memory;
  /** Bytes of RAM, a multiple of PAGE_SIZE. */
  readonly size: number;
  /** RAM by handle. */
  readonly i32: Int32Array;
  readonly u32: Uint32Array;
  /** RAM by physical address / 2 and by physical address. */
  readonly u16: Uint16Array;
  readonly u8: Uint8Array;
  /** Host memory from its start, for the private area (registers, TLBs). */
  readonly host32: Int32Array;
  readonly hostView: DataView;
  /** Steps of walks along pointers in RAM since something else began: see lib/walk.ts. No state of the machine. */
  steps = 0;

  /** @param size bytes, RAM_MIN to RAM_MAX, a multiple of PAGE_SIZE */
  constructor(size: number) {
    if (!Number.isInteger(size) || size < RAM_MIN || size > RAM_MAX || size % PAGE_SIZE !== 0)
      throw new RangeError(`RAM size: got ${size} bytes, expected a multiple of 4096 from 8 MiB to 2 GiB`);
    const pages = Math.ceil((RAM_BASE + size + BOUNCE_BYTES) / WASM_PAGE);
    this.memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
    const { buffer } = this.memory;
    this.size = size;
    this.i32 = new Int32Array(buffer, RAM_BASE, size / 4);
    this.u32 = new Uint32Array(buffer, RAM_BASE, size / 4);
    this.u16 = new Uint16Array(buffer, RAM_BASE, size / 2);
    this.u8 = new Uint8Array(buffer, RAM_BASE, size);
    this.host32 = new Int32Array(buffer);
    this.hostView = new DataView(buffer);
  }

  /** Direct-map address of a handle; NULL for 0. */
  addressOf(h: Handle): Vaddr {
    return h === 0 ? 0 : PAGE_OFFSET + h * 4;
  }

  /** Handle of a 4-byte aligned direct-map address; 0 for NULL. The address must lie in the direct map. */
  handleOf(address: Vaddr): Handle {
    return address === 0 ? 0 : (address - PAGE_OFFSET) / 4;
  }

  /** True if [address, address + bytes) lies in the direct map of RAM. */
  isDirect(address: Vaddr, bytes = 1): boolean {
    const p = address - PAGE_OFFSET;
    return p >= 0 && p + bytes <= this.size;
  }

  /** Reads a pointer field as a handle. The pointer must be NULL or in the direct map. */
  ptr(wordIndex: Handle): Handle {
    return this.i32[wordIndex] >>> 2;
  }

  /** Writes a handle as a pointer field. */
  setPtr(wordIndex: Handle, h: Handle): void {
    this.i32[wordIndex] = h << 2;
    this.i32[wordIndex + 1] = h === 0 ? 0 : PAGE_OFFSET_HI;
  }

  /** Reads 64 bits as a signed number: exact for every address and every integer within ±2^53. */
  s64(wordIndex: Handle): number {
    return this.i32[wordIndex + 1] * TWO32 + this.u32[wordIndex];
  }

  /** Reads 64 bits as an unsigned number: exact below 2^53. */
  u64(wordIndex: Handle): number {
    return this.u32[wordIndex + 1] * TWO32 + this.u32[wordIndex];
  }

  /** Writes an integer within ±2^63 as 64 bits (two's complement). */
  set64(wordIndex: Handle, value: number): void {
    this.i32[wordIndex] = value | 0; // ToInt32 is modulo 2^32, so this is exact for any integer
    this.i32[wordIndex + 1] = Math.floor(value / TWO32) | 0;
  }

  /** Adds to a 64-bit counter. */
  add64(wordIndex: Handle, delta: number): void {
    this.set64(wordIndex, this.s64(wordIndex) + delta);
  }

  /** Fills RAM bytes. */
  fill(start: Paddr, bytes: number, value: number): void {
    this.u8.fill(value, start, start + bytes);
  }
}
