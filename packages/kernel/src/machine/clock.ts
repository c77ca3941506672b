// SPDX-License-Identifier: MIT
/** The virtual clock: nanoseconds since power-on, kept in RAM, moved only by what the machine does. */

import type { Handle } from './layout.js';
import type { Ram } from './ram.js';

/** Timer interrupts a second (Linux's CONFIG_HZ on Debian). */
export const HZ = 250;
export const NSEC_PER_TICK = 1e9 / HZ;

export class Clock {
  /** @param cell handle of a 64-bit word in RAM that holds the time */
  constructor(
    private readonly ram: Ram,
    private readonly cell: Handle,
  ) {}

  /** Nanoseconds since power-on. */
  get ns(): number {
    return this.ram.u64(this.cell);
  }

  advance(ns: number): void {
    this.ram.set64(this.cell, this.ns + ns);
  }
}
