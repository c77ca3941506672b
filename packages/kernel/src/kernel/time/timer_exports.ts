// SPDX-License-Identifier: MIT
/** Timers as C sets and deletes them: `linux/timer.h`. */

import type { KernelExports } from '../../arch/wasm64/exports.js';
import { HZ } from '../../machine/clock.js';
import type { Vaddr } from '../../machine/layout.js';
import type { Timers } from './timer.js';

/** Ticks by which CPUs' rounded timers lie apart, so that they do not all go off at once. */
const CPU_SKEW = 3;

/**
 * A time rounded to a full second; down if it is only just over, unless that is over.
 * @linux kernel/time/timer.c:round_jiffies_common full
 */
export function roundJiffies(j: number, cpu: number, forceUp: boolean, jiffies: number): number {
  const skewed = j + cpu * CPU_SKEW;
  const rem = skewed % HZ;
  const rounded = (rem < HZ / 4 && !forceUp ? skewed - rem : skewed - rem + HZ) - cpu * CPU_SKEW;
  return rounded > jiffies ? rounded : j;
}

export function timerExports(timers: Timers, jiffies: () => number, cpu: () => number): KernelExports {
  const modify = (timer: Vaddr, expires: number) => Number(timers.modify(timer, expires));
  return {
    init_timer_key: ['v:ppupp', (timer: Vaddr, fn: Vaddr, flags: number) => timers.init(timer, fn, flags)],
    add_timer: ['v:p', (timer: Vaddr) => timers.add(timer)],
    add_timer_on: ['v:pi', (timer: Vaddr, on: number) => timers.add(timer, on)],
    del_timer: ['i:p', (timer: Vaddr) => Number(timers.delete(timer))],
    del_timer_sync: ['i:p', (timer: Vaddr) => Number(timers.deleteSync(timer))],
    try_to_del_timer_sync: ['i:p', (timer: Vaddr) => timers.tryDelete(timer)],
    mod_timer: ['i:pz', modify],
    mod_timer_pending: [
      'i:pz',
      (timer: Vaddr, expires: number) => Number(timers.modify(timer, expires, 'pending')),
    ],
    timer_reduce: [
      'i:pz',
      (timer: Vaddr, expires: number) => Number(timers.modify(timer, expires, 'earlier')),
    ],
    __round_jiffies: ['z:zi', (j: number, on: number) => roundJiffies(j, on, false, jiffies())],
    round_jiffies: ['z:z', (j: number) => roundJiffies(j, cpu(), false, jiffies())],
    round_jiffies_up: ['z:z', (j: number) => roundJiffies(j, cpu(), true, jiffies())],
    round_jiffies_relative: [
      'z:z',
      (j: number) => roundJiffies(j + jiffies(), cpu(), false, jiffies()) - jiffies(),
    ],
  };
}
