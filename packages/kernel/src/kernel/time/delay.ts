// SPDX-License-Identifier: MIT
/** Virtual time that passes while the CPU is not let go: busy waits, and locks that never come free. */

import { KernelBug } from '../../lib/env.js';
import type { Clock } from '../../machine/clock.js';
import { NSEC_PER_TICK } from '../../machine/clock.js';
import { REG, type Vaddr } from '../../machine/layout.js';
import type { Ram } from '../../machine/ram.js';
import { COUNT_PER_TICK, type Watchdog } from '../watchdog.js';

/** Longer than any task may keep the CPU. */
const FOR_EVER_NS = 60e9;

export class BusyWait {
  constructor(
    private readonly ram: Ram,
    private readonly clock: Clock,
    private readonly watchdog: Watchdog,
  ) {}

  /** Nanoseconds that loops and calls have taken since the last tick: less than a tick. */
  get nsSinceTick(): number {
    const counted = COUNT_PER_TICK - this.ram.host32[REG.ticks >> 2];
    const inTick = Math.min(Math.max(counted, 0), COUNT_PER_TICK - 1);
    return Math.floor((inTick * NSEC_PER_TICK) / COUNT_PER_TICK);
  }

  /**
   * Passes time. If a timer tick falls into it, the tick is taken at the end, with all that a tick does: so a wait
   * that is too long ends in the report of a lockup.
   * @param rip where the guest waits
   */
  pass(ns: number, rip: Vaddr): void {
    const { clock } = this;
    const start = clock.ns + this.nsSinceTick;
    if (Math.floor((start + ns) / NSEC_PER_TICK) === Math.floor(clock.ns / NSEC_PER_TICK)) {
      clock.advance(ns);
      return;
    }
    clock.advance(start + ns - NSEC_PER_TICK - clock.ns);
    this.watchdog.tick(rip | 0);
  }

  /** Waits for what will not come, until the watchdog has noticed and the task is killed. */
  forEver(rip: Vaddr): never {
    this.pass(FOR_EVER_NS, rip);
    throw new KernelBug('the watchdog has not noticed a CPU that spins for ever');
  }
}
