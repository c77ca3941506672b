// SPDX-License-Identifier: MIT
/**
 * Virtual time while guest code runs, and the soft-lockup detector.
 *
 * Translated code counts loop iterations and calls down (REG.ticks); at zero one timer tick of virtual time has
 * passed. So an endless loop is noticed after a fixed number of iterations, the same on every host.
 */

import type { BootParameters } from '../lib/env.js';
import type { StaticData } from '../lib/static_data.js';
import { restStep } from '../lib/walk.js';
import { type Clock, HZ, NSEC_PER_TICK } from '../machine/clock.js';
import { type Handle, REG } from '../machine/layout.js';
import type { Ram } from '../machine/ram.js';
import type { Oops } from './oops.js';

/** Loop iterations and calls between two timer ticks. */
export const COUNT_PER_TICK = 32768;
/** Seconds: sysctl kernel.watchdog_thresh. */
const WATCHDOG_THRESH = 10;
export const MAX_WATCHDOG_THRESH = 60;
/** Seconds after which a loop ends that nobody watches: the host must go on. */
const GIVE_UP_SECONDS = 120;

/** Seconds on one CPU without letting go, after which it is reported: twice the threshold, and the next sample. */
const lockupSeconds = (thresh: number) => 2 * thresh + Math.max(1, Math.floor(thresh / 5));

/** The lower 32 bits of jiffies wrap five minutes after power-on, so that nobody relies on their not doing so. */
const INITIAL_JIFFIES = 2 ** 32 - 300 * HZ;

export class Watchdog {
  private readonly jiffies: Handle;
  private readonly touched: Handle;
  private readonly userEnabled: Handle;
  private readonly softUserEnabled: Handle;
  private readonly thresh: Handle;
  private readonly softlockupPanic: Handle;

  constructor(
    private readonly ram: Ram,
    data: StaticData,
    private readonly clock: Clock,
    private readonly oops: Oops,
  ) {
    this.jiffies = data.declare('jiffies', 8);
    this.touched = data.declare('watchdog_report_ts', 8);
    this.userEnabled = data.declare('watchdog_user_enabled', 4);
    this.softUserEnabled = data.declare('soft_watchdog_user_enabled', 4);
    this.thresh = data.declare('watchdog_thresh', 4);
    this.softlockupPanic = data.declare('softlockup_panic', 4);
  }

  /** Boot parameters `nowatchdog`, `nosoftlockup`, `watchdog_thresh=`, `softlockup_panic=`. */
  boot(parameters: BootParameters): void {
    const { i32 } = this.ram;
    const number = (name: string, otherwise: number) => {
      const value = Number.parseInt(parameters.get(name) ?? '', 10);
      return Number.isNaN(value) ? otherwise : value;
    };
    i32[this.userEnabled] = Number(!parameters.has('nowatchdog'));
    i32[this.softUserEnabled] = Number(!parameters.has('nosoftlockup'));
    i32[this.thresh] = Math.max(0, Math.min(MAX_WATCHDOG_THRESH, number('watchdog_thresh', WATCHDOG_THRESH)));
    i32[this.softlockupPanic] = Number(number('softlockup_panic', 0) !== 0);
    this.ram.set64(this.jiffies, INITIAL_JIFFIES);
    this.rearm();
    this.touch();
  }

  /** Timer ticks, as C sees them in `jiffies`. */
  get jiffiesNow(): number {
    return this.ram.u64(this.jiffies);
  }

  /** Whether somebody watches for soft lockups: what kernel.watchdog and kernel.soft_watchdog show. */
  get enabled(): boolean {
    const { i32 } = this.ram;
    return i32[this.userEnabled] !== 0 && i32[this.softUserEnabled] !== 0;
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
    restStep(this.ram);
    this.onTick?.();
    this.checkLockup(pc);
  }

  private checkLockup(pc: number): void {
    const { i32 } = this.ram;
    const thresh = i32[this.thresh];
    const watched = this.enabled && thresh !== 0;
    const seconds = watched ? lockupSeconds(thresh) : GIVE_UP_SECONDS;
    if (this.clock.ns - this.ram.u64(this.touched) < seconds * 1e9) return;
    this.touch();
    if (watched) this.oops.softLockup(seconds, this.oops.fullAddress(pc), i32[this.softlockupPanic] !== 0);
    this.oops.endUnwatched(seconds);
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
