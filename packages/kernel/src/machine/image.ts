// SPDX-License-Identifier: MIT
/**
 * All that a machine is at one moment: the contents of its RAM and the state of its CPU. A kernel that is
 * constructed over an image goes on where the other stood.
 *
 * The CPU's state is its registers, its shadow call stack and the TLBs for data, as they lie in host memory: an entry
 * names a place in RAM, so it means the same in any process, and what a guest may still reach through
 * an entry that was not flushed yet stays the same too. The TLB for calls holds numbers of host functions; it starts empty.
 */

import { CPU_BASE, PAGE_SIZE, TLB_FETCH, TLB_READ } from './layout.js';
import type { Ram } from './ram.js';

const PAGE_WORDS = PAGE_SIZE / 4;
/** Bytes of the CPU's state. */
export const CPU_BYTES = TLB_FETCH - CPU_BASE;

export interface MachineImage {
  /** Says which kernel can read it: where that one keeps what. */
  readonly layout: string;
  /** Host memory from CPU_BASE. */
  readonly cpu: Uint8Array;
  /** Numbers of the page frames that hold anything but zeros, in ascending order. */
  readonly frames: Uint32Array;
  /** Their contents, one after the other. */
  readonly contents: Uint8Array;
}

function isZero(words: Int32Array, start: number): boolean {
  for (let i = start; i < start + PAGE_WORDS; i++) if (words[i] !== 0) return false;
  return true;
}

/** Numbers of the page frames that hold anything but zeros. */
export function framesInUse(ram: Ram): Uint32Array {
  const frames: number[] = [];
  for (let pfn = 0; pfn * PAGE_SIZE < ram.size; pfn++)
    if (!isZero(ram.i32, pfn * PAGE_WORDS)) frames.push(pfn);
  return Uint32Array.from(frames);
}

/** Copies a machine that stands still. */
export function captureImage(ram: Ram, layout: string): MachineImage {
  const frames = framesInUse(ram);
  const contents = new Uint8Array(frames.length * PAGE_SIZE);
  frames.forEach((pfn, i) => {
    contents.set(ram.u8.subarray(pfn * PAGE_SIZE, (pfn + 1) * PAGE_SIZE), i * PAGE_SIZE);
  });
  const cpu = new Uint8Array(ram.memory.buffer, CPU_BASE, CPU_BYTES).slice();
  return { layout, cpu, frames, contents };
}

/** Fills RAM that holds nothing yet, and the CPU's registers. Frames must lie in RAM. */
export function restoreImage(ram: Ram, { cpu, frames, contents }: MachineImage): void {
  new Uint8Array(ram.memory.buffer).set(cpu, CPU_BASE);
  frames.forEach((pfn, i) => {
    ram.u8.set(contents.subarray(i * PAGE_SIZE, (i + 1) * PAGE_SIZE), pfn * PAGE_SIZE);
  });
}

/** Fills the TLBs for data: an MMU empties them when it is made. */
export function restoreTlbs(ram: Ram, { cpu }: MachineImage): void {
  new Uint8Array(ram.memory.buffer).set(cpu.subarray(TLB_READ - CPU_BASE), TLB_READ);
}

/**
 * A number of 64 bits over the contents of RAM, as 16 hexadecimal digits: equal for equal memory, and different for
 * different memory in all likelihood. Two sums in the manner of FNV-1a over words, by page frame, so that zeros cost little.
 */
export function hashRam(ram: Ram): string {
  let a = 0x811c9dc5 | 0;
  let b = 0x9e3779b9 | 0;
  for (const pfn of framesInUse(ram)) {
    a = Math.imul(a ^ pfn, 0x01000193);
    for (let i = pfn * PAGE_WORDS; i < (pfn + 1) * PAGE_WORDS; i++) {
      const word = ram.i32[i];
      a = Math.imul(a ^ word, 0x01000193);
      b = (Math.imul(b ^ (b >>> 15), 0x85ebca6b) + word) | 0;
    }
  }
  const hex = (word: number) => (word >>> 0).toString(16).padStart(8, '0');
  return hex(a ^ (a >>> 16)) + hex(b ^ (b >>> 13));
}
