// SPDX-License-Identifier: MIT
/**
 * How long tasks run: until one of them is done, until nobody can run, or for a while. When nobody can run, time
 * jumps to the next timer or alarm.
 */

import { restStep } from '../../lib/walk.js';
import type { Handle } from '../../machine/layout.js';
import type { Ram } from '../../machine/ram.js';
import type { Oops } from '../oops.js';
import type { Tasks } from '../tasks.js';
import { DONE, LAST_RAN, WAKE_AT } from './context.js';
import type { RunQueue } from './run_queue.js';

/** Switches after which tasks that always find something to do no longer keep time from passing. */
const SETTLE_SWITCHES = 10_000;
/** The same in virtual time. */
const SETTLE_NS = 10e9;
/** Virtual time after which a command that sleeps counts as blocked for good, though timers still go off. */
const BLOCKED_NS = 600e9;
/** The same in turns of others, and of timers: they may be many in little time. */
const BLOCKED_TURNS = 150_000;

export interface RunLoopDeps {
  readonly ram: Ram;
  readonly tasks: Tasks;
  oops(): Oops;
  /** Runs what interrupts of all CPUs have to do by now. */
  runTimers(): void;
  /** Nanoseconds since power-on at which the next timer is due; Infinity if none. */
  nextTimer(): number;
  /** Nanoseconds since power-on. */
  now(): number;
  /** Lets time pass until then, if then is not yet; jiffies too. */
  advanceTo(ns: number): void;
  touchWatchdog(): void;
}

/** What the loop asks of the scheduler. */
export interface Runner {
  wake(task: Handle, mask: number): boolean;
  run(task: Handle): void;
}

export class RunLoop {
  /** Told when time has passed, and when nothing will ever happen any more: whoever looks for hung tasks. */
  onTimePassed: (() => void) | undefined;
  onBlocked: (() => void) | undefined;

  constructor(
    private readonly deps: RunLoopDeps,
    private readonly queue: RunQueue,
    private readonly runner: Runner,
  ) {}

  /** Runs tasks until one is done; what it waits for may take any virtual time. False if it can never be done. */
  runUntilDone(task: Handle): boolean {
    return this.orPanic(() => this.runTaskUntilDone(task));
  }

  private runTaskUntilDone(task: Handle): boolean {
    const { ram } = this.deps;
    let ran = ram.s64(task + LAST_RAN);
    for (let turns = 0; ram.i32[task + DONE] === 0; turns++) {
      const last = ram.s64(task + LAST_RAN);
      if (last !== ran) turns = 0;
      ran = last;
      const mayGoOn = turns < BLOCKED_TURNS && this.deps.now() - ran < BLOCKED_NS;
      if (mayGoOn && (this.runNext() || this.idle())) continue;
      this.onBlocked?.();
      return ram.i32[task + DONE] !== 0;
    }
    return true;
  }

  /** Runs all that can run now, without moving the clock to the next timer. */
  settle(): void {
    this.orPanic(() => this.runAll());
  }

  private runAll(): void {
    const end = this.deps.now() + SETTLE_NS;
    for (let i = 0; i < SETTLE_SWITCHES && this.deps.now() < end && this.runNext(); i++);
  }

  /** Lets virtual time pass, with all that happens in it. */
  passTime(ns: number): void {
    this.orPanic(() => {
      const until = this.deps.now() + ns;
      this.runAll();
      while (this.nextEvent() <= until) {
        this.idle();
        this.runAll();
      }
      this.advance(until);
    });
  }

  /** What is thrown outside of all tasks ends the machine. */
  private orPanic<T>(body: () => T): T {
    try {
      return body();
    } catch (error) {
      throw this.deps.oops().asPanic(error);
    }
  }

  /** Runs a task from the queue until it sleeps or is done; false if the queue is empty. */
  private runNext(): boolean {
    this.deps.runTimers();
    this.wakeSleepers();
    const task = this.queue.takeNext();
    if (task === 0) return false;
    this.runner.run(task);
    return true;
  }

  /** When a sleeping task is to be woken; -1 if never. */
  private wakeTime(task: Handle): number {
    return this.deps.ram.s64(task + WAKE_AT);
  }

  /** Wakes those whose alarm is due. */
  private wakeSleepers(): void {
    const now = this.deps.now();
    for (const task of this.deps.tasks.all()) {
      const at = this.wakeTime(task);
      if (at < 0 || at > now) continue;
      this.deps.ram.set64(task + WAKE_AT, -1);
      this.runner.wake(task, ~0);
    }
  }

  /** Virtual time at which something will happen by itself. */
  private nextEvent(): number {
    let next = this.deps.nextTimer();
    for (const task of this.deps.tasks.all()) {
      const at = this.wakeTime(task);
      if (at >= 0) next = Math.min(next, at);
    }
    return next;
  }

  /** Nobody can run: time goes on to the next timer. False if there is none. */
  private idle(): boolean {
    const next = this.nextEvent();
    if (next === Number.POSITIVE_INFINITY) return false;
    this.advance(next);
    return true;
  }

  private advance(ns: number): void {
    if (ns > this.deps.now()) restStep(this.deps.ram);
    this.deps.advanceTo(ns);
    this.deps.touchWatchdog(); // an idle CPU is no stuck one
    this.onTimePassed?.();
  }
}
