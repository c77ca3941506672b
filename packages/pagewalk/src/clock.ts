// SPDX-License-Identifier: MIT
/**
 * Virtual time as the shell's commands pass it. In a script a sleep takes no time of the host's: the machine's clock
 * moves, and the kernel's threads and timers do what they would have done. Where a person watches, a virtual second
 * takes a second.
 */

import type { Machine } from './machine.js';

/** Virtual time between two looks at Ctrl-C, at first; it grows as long as the host keeps up. */
const FIRST_SLICE_NS = 100_000_000;
const PACED_SLICE_MS = 20;

const hostPause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

export class VirtualClock {
  private readonly wakeTimes = new Set<{ readonly until: number }>();

  /** @param paced a virtual second takes a second */
  constructor(
    private readonly machine: Pick<Machine, 'now' | 'bootTime' | 'sleep'>,
    private readonly paced = false,
  ) {}

  /** Nanoseconds since power-on. */
  get ns(): number {
    return this.machine.now();
  }

  /** Milliseconds since 1970. */
  get dateMs(): number {
    return this.machine.bootTime() * 1000 + this.ns / 1e6;
  }

  /** Lets virtual time pass; false if Ctrl-C ended the wait. Of several sleepers the first to wake moves the clock. */
  async sleep(
    ns: number,
    signal: AbortSignal,
    paced = this.paced || ns === Number.POSITIVE_INFINITY,
  ): Promise<boolean> {
    const sleeper = { until: this.ns + ns };
    this.wakeTimes.add(sleeper);
    let slice = FIRST_SLICE_NS;
    try {
      await hostPause(0); // background jobs reach their own sleep
      while (this.ns < sleeper.until && !signal.aborted) {
        const start = performance.now();
        await hostPause(paced ? PACED_SLICE_MS : 0);
        if (paced) slice = (performance.now() - start) * 1e6;
        const before = this.ns;
        const isFirst = [...this.wakeTimes].every(({ until }) => until >= sleeper.until);
        if (!isFirst || before >= sleeper.until) continue;
        const working = performance.now();
        this.machine.sleep(Math.min(slice, sleeper.until - before));
        if (this.ns === before) break; // the kernel has panicked: its time stands still
        if (!paced) slice *= performance.now() - working < 4 ? 2 : 0.5;
      }
      return !signal.aborted;
    } finally {
      this.wakeTimes.delete(sleeper);
    }
  }
}
