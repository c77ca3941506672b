// SPDX-License-Identifier: MIT
/**
 * Walks along pointers in RAM that end, whatever guest code has made of the pointers.
 *
 * The kernel counts the steps that it takes at a stretch: from one timer tick, task or call from outside to the next.
 * More of them than there is room for objects in RAM lead in a circle; on real hardware the watchdog would say so.
 */

import type { Ram } from '../machine/ram.js';
import { DataCorruption } from './env.js';

/** Steps that any walk may take, however small RAM is. */
const STEPS_MIN = 2 ** 18;
/** No object that is linked to others is smaller. */
const OBJECT_BYTES = 64;

/** A walk that does not end: a soft lockup, by the watchdog's words. */
export class EndlessWalk extends DataCorruption {
  override name = 'EndlessWalk';
  constructor() {
    super('soft lockup', 'kernel/watchdog.c', 446, 'watchdog_timer_fn');
  }
}

/** Counts a step of a walk, or work that is worth more. Throws when there was more than can be. */
export function step(ram: Ram, steps = 1): void {
  ram.steps += steps;
  if (ram.steps > STEPS_MIN && ram.steps > ram.size / OBJECT_BYTES) throw new EndlessWalk();
}

/** Something else begins: the steps are counted from here. */
export function restStep(ram: Ram): void {
  ram.steps = 0;
}
