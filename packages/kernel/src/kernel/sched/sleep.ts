// SPDX-License-Identifier: MIT
/** Functions that put the calling task to sleep for a time, or until somebody completes something. */

import type { KernelExports } from '../../arch/wasm64/exports.js';
import { EINTR, ERESTARTSYS } from '../../lib/errno.js';
import { type GuestAccess, readS64, readUnsigned, writeInteger } from '../../lib/guest_access.js';
import { GuestList } from '../../lib/guest_list.js';
import { Completion, SwaitQueueHead, WaitQueueEntry } from '../../lib/lock_types.js';
import { NSEC_PER_TICK } from '../../machine/clock.js';
import type { Handle, Vaddr } from '../../machine/layout.js';
import { TASK_IDLE, TASK_INTERRUPTIBLE, TASK_KILLABLE, TASK_UNINTERRUPTIBLE } from '../sched.js';
import { goesOffAt, wheelLevel } from '../time/timer_wheel.js';
import { CONTEXT, TaskContext } from './context.js';
import type { Scheduler } from './core.js';

/** LONG_MAX as C passes it, after rounding to a number: sleep without a timeout. */
const MAX_SCHEDULE_TIMEOUT = 2 ** 63;
const WAIT_NODE = TaskContext.w.wait_node;
const DONE = Completion.o.done;
const QUEUE = Completion.o.wait + SwaitQueueHead.o.task_list;
const WQ_FLAG_WOKEN = 2;
const UINT_MAX = 0xffffffff;

export interface SleepDeps extends GuestAccess {
  readonly scheduler: Scheduler;
  current(): Handle;
  /** Nanoseconds of the virtual clock. */
  now(): number;
  jiffies(): number;
  /** Nanoseconds since power-on at which jiffies gets a value. */
  timeOf(jiffies: number): number;
  /** Whether a signal ends a wait in a state; in an interruptible one by default. */
  signalPending(state?: number): boolean;
}

export class Sleep {
  private readonly list: GuestList;

  constructor(private readonly deps: SleepDeps) {
    this.list = new GuestList(deps);
  }

  /** Ticks until a virtual time, rounded up. */
  private ticksUntil(ns: number): number {
    return Math.max(0, Math.ceil((ns - this.deps.now()) / NSEC_PER_TICK));
  }

  /** Nanoseconds since power-on at which a wait of so many ticks ends: as a timer of the wheel would end it. */
  private endOf(ticks: number): number {
    const { jiffies, timeOf } = this.deps;
    const expires = jiffies() + ticks;
    return timeOf(Math.max(goesOffAt(expires, wheelLevel(expires, jiffies())), jiffies() + 1));
  }

  /**
   * schedule_timeout and its kind: sleeps for some ticks in a state.
   * @param state undefined: the state that C has set
   * @linux kernel/time/timer.c:schedule_timeout full
   */
  private scheduleTimeout(state?: number) {
    const s = this.deps.scheduler;
    return s.sleeping<readonly [number]>((stage, [timeout]) => {
      if (stage === 1) return timeout >= MAX_SCHEDULE_TIMEOUT ? timeout : this.ticksUntil(s.getSaved(0));
      if (state !== undefined) s.setState(state);
      if (timeout < 0) {
        s.setState(0);
        return 0;
      }
      if (timeout < MAX_SCHEDULE_TIMEOUT) {
        s.setSaved(0, this.deps.now() + timeout * NSEC_PER_TICK);
        s.wakeAt(this.endOf(timeout));
      }
      return s.sleep(1);
    });
  }

  /** Sleeps for a number of nanoseconds at least. */
  private sleepFor(state: number, nsPerUnit: number) {
    const s = this.deps.scheduler;
    return s.sleeping<readonly number[]>((stage, [units]) => {
      if (stage === 0) s.setSaved(0, this.deps.now() + units * nsPerUnit);
      const until = s.getSaved(0);
      const interrupted = state === TASK_INTERRUPTIBLE && this.deps.signalPending();
      if (this.deps.now() >= until || interrupted)
        return Math.max(0, Math.ceil((until - this.deps.now()) / nsPerUnit));
      s.setState(state);
      s.wakeAt(until);
      return s.sleep(1);
    });
  }

  /**
   * msleep and its kind: a timeout in milliseconds, at least a tick longer.
   * @returns milliseconds left if a signal came
   * @linux kernel/time/timer.c:msleep full
   */
  private msleep(state: number) {
    const s = this.deps.scheduler;
    return s.sleeping<readonly number[]>((stage, [ms]) => {
      if (stage === 0) s.setSaved(0, this.endOf(Math.ceil((ms * 1e6) / NSEC_PER_TICK) + 1));
      const left = s.getSaved(0) - this.deps.now();
      if (left <= 0) return 0;
      if (state === TASK_INTERRUPTIBLE && this.deps.signalPending()) return Math.ceil(left / 1e6);
      s.setState(state);
      s.wakeAt(s.getSaved(0));
      return s.sleep(1);
    });
  }

  /**
   * Sleeps until a time of a clock, or until woken.
   * @returns 0 if the time has come, else -EINTR
   * @linux kernel/time/hrtimer.c:schedule_hrtimeout_range_clock full
   */
  private hrtimeout() {
    const s = this.deps.scheduler;
    const HRTIMER_MODE_REL = 1;
    return s.sleeping<readonly number[]>((stage, args) => {
      const [expires, mode] = [args[0], args[args.length - 1]];
      if (stage === 1) return expires !== 0 && this.deps.now() >= s.getSaved(0) ? 0 : -EINTR;
      if (expires === 0) return s.sleep(1);
      const time = readS64(this.deps, expires);
      const until = mode & HRTIMER_MODE_REL ? this.deps.now() + time : time;
      s.setSaved(0, until);
      if (until <= this.deps.now()) {
        s.setState(0);
        return 0;
      }
      s.wakeAt(until);
      return s.sleep(1);
    });
  }

  /**
   * Sleeps unless the entry says that somebody has woken it already.
   * @returns ticks left
   * @linux kernel/sched/wait.c:wait_woken full
   */
  private waitWoken() {
    const s = this.deps.scheduler;
    const FLAGS = WaitQueueEntry.o.flags;
    return s.sleeping<readonly number[]>((stage, [entry, mode, timeout]) => {
      const flags = readUnsigned(this.deps, entry + FLAGS, 4);
      const forEver = timeout >= MAX_SCHEDULE_TIMEOUT;
      if (stage === 0 && !(flags & WQ_FLAG_WOKEN)) {
        s.setState(mode);
        if (!forEver) {
          s.setSaved(0, this.deps.now() + timeout * NSEC_PER_TICK);
          s.wakeAt(this.endOf(timeout));
        }
        return s.sleep(1);
      }
      s.setState(0);
      writeInteger(this.deps, entry + FLAGS, flags & ~WQ_FLAG_WOKEN, 4);
      if (stage === 0 || forEver) return timeout;
      return this.ticksUntil(s.getSaved(0));
    });
  }

  /**
   * wait_for_completion and its kind.
   * @returns for waits with a timeout: ticks left, at least 1, or 0 if time ran out; for others 0 or -ERESTARTSYS
   * @linux kernel/sched/completion.c:wait_for_common full
   */
  private waitForCompletion(state: number, timed: boolean) {
    const s = this.deps.scheduler;
    return s.sleeping<readonly number[]>((stage, [completion, timeout]) => {
      const node = this.deps.ram.addressOf(this.deps.current() + CONTEXT + WAIT_NODE);
      const until = () => s.getSaved(0);
      if (stage === 0) {
        if (timed) s.setSaved(0, this.deps.now() + Math.min(timeout, 2 ** 50) * NSEC_PER_TICK);
        this.list.init(node);
      }
      if (this.tryWait(completion)) {
        this.list.delInit(node);
        return timed ? Math.max(1, this.ticksUntil(until())) : 0;
      }
      const interrupted = this.deps.signalPending(state);
      const late = timed && this.deps.now() >= until();
      if (interrupted || late) {
        this.list.delInit(node);
        return interrupted ? -ERESTARTSYS : 0;
      }
      if (this.list.empty(node)) this.list.addTail(node, completion + QUEUE);
      s.setState(state);
      if (timed) s.wakeAt(until());
      return s.sleep(1);
    });
  }

  /** Takes one completion, if there is one. @linux kernel/sched/completion.c:try_wait_for_completion full */
  private tryWait(completion: Vaddr): boolean {
    const done = readUnsigned(this.deps, completion + DONE, 4);
    if (done === 0) return false;
    if (done !== UINT_MAX) writeInteger(this.deps, completion + DONE, done - 1, 4);
    return true;
  }

  /** @linux kernel/sched/completion.c:complete full */
  complete(completion: Vaddr): void {
    const done = readUnsigned(this.deps, completion + DONE, 4);
    if (done !== UINT_MAX) writeInteger(this.deps, completion + DONE, done + 1, 4);
    const first = this.list.next(completion + QUEUE);
    if (first !== completion + QUEUE) this.wakeNode(first);
  }

  /** @linux kernel/sched/completion.c:complete_all full */
  completeAll(completion: Vaddr): void {
    writeInteger(this.deps, completion + DONE, UINT_MAX, 4);
    for (const node of this.list.nodes(completion + QUEUE)) this.wakeNode(node);
  }

  /** @linux kernel/sched/swait.c:swake_up_one full */
  private swakeUp(queue: Vaddr, all: boolean): void {
    for (const node of this.list.nodes(queue + SwaitQueueHead.o.task_list)) {
      this.wakeNode(node);
      if (!all) return;
    }
  }

  private wakeNode(node: Vaddr): void {
    this.list.delInit(node);
    this.deps.scheduler.wake(this.deps.ram.handleOf(node) - WAIT_NODE - CONTEXT, ~0);
  }

  /** Functions that may sleep. */
  sleepingExports(): KernelExports {
    const s = this.deps.scheduler;
    const wait = (state: number, timed: boolean) => this.waitForCompletion(state, timed);
    return {
      schedule: ['v:', s.schedule],
      schedule_preempt_disabled: ['v:', s.schedule],
      io_schedule: ['v:', s.schedule],
      yield: ['v:', s.schedule],
      schedule_timeout: ['l:l', this.scheduleTimeout()],
      io_schedule_timeout: ['l:l', this.scheduleTimeout()],
      schedule_timeout_interruptible: ['l:l', this.scheduleTimeout(TASK_INTERRUPTIBLE)],
      schedule_timeout_killable: ['l:l', this.scheduleTimeout(TASK_KILLABLE)],
      schedule_timeout_uninterruptible: ['l:l', this.scheduleTimeout(TASK_UNINTERRUPTIBLE)],
      schedule_timeout_idle: ['l:l', this.scheduleTimeout(TASK_IDLE)],
      msleep: ['v:u', this.msleep(TASK_UNINTERRUPTIBLE)],
      msleep_interruptible: ['z:u', this.msleep(TASK_INTERRUPTIBLE)],
      usleep_range_state: ['v:zzu', this.sleepFor(TASK_UNINTERRUPTIBLE, 1e3)],
      schedule_hrtimeout: ['i:pi', this.hrtimeout()],
      schedule_hrtimeout_range: ['i:pzi', this.hrtimeout()],
      wait_woken: ['l:pul', this.waitWoken()],
      __cond_resched: ['i:', this.condResched()],
      wait_for_completion: ['v:p', wait(TASK_UNINTERRUPTIBLE, false)],
      wait_for_completion_io: ['v:p', wait(TASK_UNINTERRUPTIBLE, false)],
      wait_for_completion_interruptible: ['i:p', wait(TASK_INTERRUPTIBLE, false)],
      wait_for_completion_killable: ['i:p', wait(TASK_KILLABLE, false)],
      wait_for_completion_timeout: ['z:pz', wait(TASK_UNINTERRUPTIBLE, true)],
      wait_for_completion_interruptible_timeout: ['l:pz', wait(TASK_INTERRUPTIBLE, true)],
      wait_for_completion_killable_timeout: ['l:pz', wait(TASK_KILLABLE, true)],
    };
  }

  /** Lets others run, if any wants to; in any case the watchdog sees that the CPU was offered. */
  private condResched() {
    const s = this.deps.scheduler;
    return s.sleeping<readonly []>((stage) => {
      if (stage === 1) return 1;
      if (s.queue.isEmpty) return 0;
      return s.sleep(1);
    });
  }

  exports(): KernelExports {
    return {
      complete: ['v:p', (completion: Vaddr) => this.complete(completion)],
      complete_all: ['v:p', (completion: Vaddr) => this.completeAll(completion)],
      try_wait_for_completion: ['b:p', (completion: Vaddr) => this.tryWait(completion)],
      swake_up_one: ['v:p', (queue: Vaddr) => this.swakeUp(queue, false)],
      swake_up_all: ['v:p', (queue: Vaddr) => this.swakeUp(queue, true)],
      completion_done: ['b:p', (completion: Vaddr) => readUnsigned(this.deps, completion + DONE, 4) !== 0],
      wake_up_process: [
        'i:p',
        (task: Vaddr) => Number(this.deps.scheduler.wake(this.deps.ram.handleOf(task), ~0)),
      ],
      wake_up_state: [
        'i:pu',
        (task: Vaddr, state: number) => Number(this.deps.scheduler.wake(this.deps.ram.handleOf(task), state)),
      ],
    };
  }
}
