// SPDX-License-Identifier: MIT
/**
 * Virtual time while guest code runs, and the soft-lockup detector.
 *
 * Translated code counts loop iterations and calls down (REG.ticks); at zero one timer tick of virtual time has
 * passed. So an endless loop is noticed after a fixed number of iterations, the same on every host.
 */

import type { StaticData } from '../lib/static_data.js';
import { type Clock, HZ, NSEC_PER_TICK } from '../machine/clock.js';
import { type Handle, REG } from '../machine/layout.js';
import type { Ram } from '../machine/ram.js';
import type { Oops } from './oops.js';

/** Loop iterations and calls between two timer ticks. */
export const COUNT_PER_TICK = 32768;
/** Seconds on one CPU without letting go, after which it is reported: 2 · watchdog_thresh, and the next sample. */
const LOCKUP_SECONDS = 22;

/** The lower 32 bits of jiffies wrap five minutes after power-on, so that nobody relies on their not doing so. */
const INITIAL_JIFFIES = 2 ** 32 - 300 * HZ;

export class Watchdog {
  private readonly jiffies: Handle;
  private readonly touched: Handle;

  constructor(
    private readonly ram: Ram,
    data: StaticData,
    private readonly clock: Clock,
    private readonly oops: Oops,
  ) {
    this.jiffies = data.declare('jiffies', 8);
    this.touched = data.declare('watchdog_report_ts', 8);
  }

  boot(): void {
    this.ram.set64(this.jiffies, INITIAL_JIFFIES);
    this.rearm();
    this.touch();
  }

  /** Timer ticks, as C sees them in `jiffies`. */
  get jiffiesNow(): number {
    return this.ram.u64(this.jiffies);
  }

  private rearm(): void {
    this.ram.host32[REG.ticks >> 2] = COUNT_PER_TICK;
  }

  /** What timers have to do when time has passed; set by their owner. */
  onTick: (() => void) | undefined;

  /** A timer tick, or several if the kernel has done much at once: called by translated code. */
  tick(pc: number): void {
    const { host32 } = this.ram;
    const counted = COUNT_PER_TICK - host32[REG.ticks >> 2];
    const ticks = Math.max(1, Math.floor(counted / COUNT_PER_TICK));
    host32[REG.ticks >> 2] = Math.min(COUNT_PER_TICK, COUNT_PER_TICK * (ticks + 1) - counted);
    this.advanceTo(this.clock.ns + ticks * NSEC_PER_TICK);
    this.onTick?.();
    if (this.clock.ns - this.ram.u64(this.touched) < LOCKUP_SECONDS * 1e9) return;
    this.touch();
    this.oops.softLockup(LOCKUP_SECONDS, this.oops.fullAddress(pc));
  }

  /** Moves the virtual clock, and jiffies with it. */
  advanceTo(ns: number): void {
    this.clock.advance(ns - this.clock.ns);
    this.ram.set64(this.jiffies, INITIAL_JIFFIES + Math.floor(ns / NSEC_PER_TICK));
  }

  /** Nanoseconds since power-on at which jiffies gets a value. */
  timeOf(jiffies: number): number {
    return (jiffies - INITIAL_JIFFIES) * NSEC_PER_TICK;
  }

  /**
   * Lets time pass until then while nobody runs. What was counted since the last tick is time that has passed, too.
   * @param now nanoseconds since power-on, with what was counted
   */
  passUntil(ns: number, now: number): void {
    if (ns <= this.clock.ns) return;
    this.rearm();
    this.advanceTo(Math.max(ns, now));
  }

  /** The CPU was let go, or somebody vouches for it. @linux kernel/watchdog.c:touch_softlockup_watchdog full */
  touch(): void {
    this.ram.set64(this.touched, this.clock.ns);
  }
}
