// SPDX-License-Identifier: MIT
/** Functions that put the calling task to sleep for a time, or until somebody completes something. */

import type { KernelExports } from '../../arch/wasm64/exports.js';
import { ERESTARTSYS } from '../../lib/errno.js';
import { type GuestAccess, readUnsigned, writeInteger } from '../../lib/guest_access.js';
import { GuestList } from '../../lib/guest_list.js';
import { Completion, SwaitQueueHead } from '../../lib/lock_types.js';
import { NSEC_PER_TICK } from '../../machine/clock.js';
import type { Handle, Vaddr } from '../../machine/layout.js';
import { TASK_IDLE, TASK_INTERRUPTIBLE, TASK_KILLABLE, TASK_UNINTERRUPTIBLE } from '../sched.js';
import { CONTEXT, TaskContext } from './context.js';
import type { Scheduler } from './core.js';

/** LONG_MAX as C passes it, after rounding to a number: sleep without a timeout. */
const MAX_SCHEDULE_TIMEOUT = 2 ** 63;
const WAIT_NODE = TaskContext.w.wait_node;
const DONE = Completion.o.done;
const QUEUE = Completion.o.wait + SwaitQueueHead.o.task_list;
const UINT_MAX = 0xffffffff;

export interface SleepDeps extends GuestAccess {
  readonly scheduler: Scheduler;
  current(): Handle;
  /** Nanoseconds of the virtual clock. */
  now(): number;
  signalPending(): boolean;
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
        const at = this.deps.now() + timeout * NSEC_PER_TICK;
        s.setSaved(0, at);
        s.wakeAt(at);
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
      const interrupted = state !== TASK_UNINTERRUPTIBLE && this.deps.signalPending();
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
      msleep: ['v:u', this.sleepFor(TASK_UNINTERRUPTIBLE, 1e6)],
      msleep_interruptible: ['z:u', this.sleepFor(TASK_INTERRUPTIBLE, 1e6)],
      usleep_range_state: ['v:zzu', this.sleepFor(TASK_UNINTERRUPTIBLE, 1e3)],
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
      if (!s.someoneWaits()) return 0;
      return s.sleep(1);
    });
  }

  exports(): KernelExports {
    return {
      complete: ['v:p', (completion: Vaddr) => this.complete(completion)],
      complete_all: ['v:p', (completion: Vaddr) => this.completeAll(completion)],
      try_wait_for_completion: ['b:p', (completion: Vaddr) => this.tryWait(completion)],
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
