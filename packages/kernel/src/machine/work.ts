// SPDX-License-Identifier: MIT
/**
 * What the kernel's work costs in virtual time. Translated code counts its loops and calls down in REG.ticks;
 * kernel functions that do much in one call take from the same count. Without that, a loop of such calls would hold
 * up the host far longer, by its clock, than the watchdog allows by ours.
 */

import { REG } from './layout.js';
import type { Ram } from './ram.js';

/** Of a page of guest memory whose bytes a kernel function goes through, in loop iterations of translated code. */
export const PAGE_COUNT = 128;
/** Bytes that a kernel function looks at one by one in the time of a loop iteration of translated code. */
const BYTES_PER_COUNT = 4;
/** Of a page frame that comes and goes as part of something larger. */
export const FRAME_COUNT = 32;
/** Of a line that is written into the log. */
export const RECORD_COUNT = 800;

/** Counts bytes that were looked at one by one. */
export function chargeBytes(ram: Ram, bytes: number): void {
  ram.host32[REG.ticks >> 2] -= (bytes / BYTES_PER_COUNT) | 0;
}

/** Counts work. The tick that falls due is taken at the next loop head or function entry of guest code. */
export function charge(ram: Ram, count: number): void {
  ram.host32[REG.ticks >> 2] -= count;
}
