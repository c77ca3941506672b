// SPDX-License-Identifier: MIT
/** High-resolution timers as C uses them: `linux/hrtimer.h`. */

import type { KernelExports } from '../../arch/wasm64/exports.js';
import type { Vaddr } from '../../machine/layout.js';
import type { Hrtimers } from './hrtimer.js';

export function hrtimerExports(hrtimers: Hrtimers): KernelExports {
  return {
    hrtimer_init: ['v:pii', (timer: Vaddr, clock: number, mode: number) => hrtimers.init(timer, clock, mode)],
    hrtimer_start_range_ns: [
      'v:plzi',
      (timer: Vaddr, time: number, range: number, mode: number) => hrtimers.start(timer, time, range, mode),
    ],
    hrtimer_cancel: ['i:p', (timer: Vaddr) => hrtimers.cancel(timer)],
    hrtimer_try_to_cancel: ['i:p', (timer: Vaddr) => hrtimers.tryToCancel(timer)],
    hrtimer_forward: [
      'z:pll',
      (timer: Vaddr, now: number, interval: number) => hrtimers.forward(timer, now, interval),
    ],
    hrtimer_active: ['b:p', (timer: Vaddr) => hrtimers.isActive(timer)],
    __hrtimer_get_remaining: ['l:pb', (timer: Vaddr) => hrtimers.remaining(timer)],
  };
}
