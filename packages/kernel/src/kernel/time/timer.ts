// SPDX-License-Identifier: MIT
/**
 * Timers of C: `struct timer_list`. Those that are pending hang on a list for each CPU, by the time at which they
 * go off; their functions run in a softirq.
 *
 *     timer_bases[cpu].first → timer → timer → …     next and pprev in the timers; pprev NULL: not pending
 *                   .expired → timer → …             cut off from the front, while their functions run
 *
 * A timer's flags say which CPU's list it is on, and in the upper bits its level of the wheel.
 */

import type { CallC } from '../../lib/c_call.js';
import { KernelBug, type Reports } from '../../lib/env.js';
import { type GuestAccess, readS64, readUnsigned, writeS64, writeU32 } from '../../lib/guest_access.js';
import { HlistNode } from '../../lib/list.js';
import type { StaticData } from '../../lib/static_data.js';
import { step } from '../../lib/walk.js';
import type { Handle, Vaddr } from '../../machine/layout.js';
import type { TimerTrace } from '../../trace/events/timer.js';
import type { Preempt } from '../preempt.js';
import { type Interrupts, TIMER_SOFTIRQ } from '../softirq.js';
import { TimerList } from '../time_types.js';
import { goesOffAt, wheelLevel } from './timer_wheel.js';

const PPREV = HlistNode.o.pprev;
const EXPIRES = TimerList.o.expires;
const FUNCTION = TimerList.o.function;
const FLAGS = TimerList.o.flags;
/** What timer_setup() may give: deferrable, pinned, irqsafe. */
const TIMER_INIT_FLAGS = 0x380000;
const TIMER_IRQSAFE = 0x200000;
/** Upper bits of the flags: the level. */
const LEVEL_SHIFT = 22;
/** What `next` of a removed timer is set to: LIST_POISON2. */
const POISON = -0x2153000000000000 + 0x122;
/** More timers than memory holds: whoever follows so many goes round in a circle. */
const TIMERS_MAX = 1 << 20;

/** Words of one CPU's base. */
const FIRST = 0;
const EXPIRED = 2;
const RUNNING = 4;
/** The next tick to be looked at. */
const CLK = 6;
const BASE_WORDS = 8;

export interface TimerDeps extends GuestAccess {
  readonly interrupts: Interrupts;
  readonly preempt: Preempt;
  readonly reports: Reports;
  readonly callC: CallC;
  readonly nrCpus: number;
  readonly trace: TimerTrace;
  jiffies(): number;
  /** Nanoseconds since power-on at which jiffies gets a value. */
  timeOf(jiffies: number): number;
  /** What becomes of a CPU that waits for what cannot come. */
  stuck(): never;
}

export class Timers {
  private readonly bases: Handle;

  constructor(
    private readonly deps: TimerDeps,
    data: StaticData,
  ) {
    const { interrupts, nrCpus } = deps;
    this.bases = data.declare('timer_bases', 4 * BASE_WORDS * nrCpus);
    interrupts.openSoftirq(TIMER_SOFTIRQ, (cpu) => this.run(cpu));
    interrupts.addSource({
      hardirq: (cpu) => {
        if (this.nextJiffies(cpu) <= deps.jiffies()) interrupts.raiseSoftirq(TIMER_SOFTIRQ, cpu);
      },
    });
  }

  private base(cpu: number): Handle {
    return this.bases + cpu * BASE_WORDS;
  }

  // ---------------------------------------------------------------- fields of a timer

  expires(timer: Vaddr): number {
    const low = readUnsigned(this.deps, timer + EXPIRES, 4);
    return readUnsigned(this.deps, timer + EXPIRES + 4, 4) * 2 ** 32 + low;
  }

  setExpires(timer: Vaddr, expires: number): void {
    writeS64(this.deps, timer + EXPIRES, expires);
  }

  private flags(timer: Vaddr): number {
    return readUnsigned(this.deps, timer + FLAGS, 4);
  }

  isPending(timer: Vaddr): boolean {
    return readS64(this.deps, timer + PPREV) !== 0;
  }

  private goesOff(timer: Vaddr): number {
    return goesOffAt(this.expires(timer), this.flags(timer) >>> LEVEL_SHIFT);
  }

  // ---------------------------------------------------------------- the list

  private next(timer: Vaddr): Vaddr {
    return readS64(this.deps, timer);
  }

  /** Puts a timer where a pointer points. */
  private linkAt(timer: Vaddr, pointer: Vaddr): void {
    const next = readS64(this.deps, pointer);
    writeS64(this.deps, timer, next);
    if (next !== 0) writeS64(this.deps, next + PPREV, timer);
    writeS64(this.deps, pointer, timer);
    writeS64(this.deps, timer + PPREV, pointer);
  }

  /** Puts a timer on its CPU's list: before those of the same time that are as fine as it, as Linux's wheel has them. */
  private enqueue(timer: Vaddr, expires: number, cpu: number): void {
    const { deps } = this;
    const level = wheelLevel(expires, deps.jiffies());
    writeS64(deps, timer + EXPIRES, expires);
    writeU32(
      deps,
      timer + FLAGS,
      ((this.flags(timer) & TIMER_INIT_FLAGS) | cpu | (level << LEVEL_SHIFT)) >>> 0,
    );
    const at = goesOffAt(expires, level);
    let pointer = deps.ram.addressOf(this.base(cpu) + FIRST);
    for (let n = 0; ; n++) {
      const other = readS64(deps, pointer);
      if (other === 0) break;
      const otherAt = this.goesOff(other);
      if (otherAt > at || (otherAt === at && this.flags(other) >>> LEVEL_SHIFT <= level)) break;
      if (n > TIMERS_MAX) deps.stuck();
      pointer = other;
    }
    this.linkAt(timer, pointer);
    if (deps.trace.timerStart.enabled) this.traceStart(timer, expires);
  }

  private traceStart(timer: Vaddr, expires: number): void {
    const { trace, jiffies } = this.deps;
    const fn = readS64(this.deps, timer + FUNCTION);
    trace.timerStart.emit({ timer, function: fn, expires, now: jiffies(), flags: this.flags(timer) });
  }

  /** @linux kernel/time/timer.c:detach_timer full */
  private detach(timer: Vaddr): void {
    const { timerCancel } = this.deps.trace;
    if (timerCancel.enabled) timerCancel.emit({ timer });
    const next = this.next(timer);
    const pprev = readS64(this.deps, timer + PPREV);
    writeS64(this.deps, pprev, next);
    if (next !== 0) writeS64(this.deps, next + PPREV, pprev);
    writeS64(this.deps, timer + PPREV, 0);
    writeS64(this.deps, timer, POISON);
  }

  // ---------------------------------------------------------------- what C calls

  /** @linux kernel/time/timer.c:init_timer_key full */
  init(timer: Vaddr, fn: Vaddr, flags: number): void {
    const { timerInit } = this.deps.trace;
    if (timerInit.enabled) timerInit.emit({ timer });
    writeS64(this.deps, timer + PPREV, 0);
    writeS64(this.deps, timer + FUNCTION, fn);
    writeU32(this.deps, timer + FLAGS, ((flags & TIMER_INIT_FLAGS) | this.deps.interrupts.cpu) >>> 0);
  }

  /**
   * Sets a timer, pending or not.
   * @returns whether it was pending
   * @linux kernel/time/timer.c:__mod_timer full
   */
  modify(timer: Vaddr, expires: number, only: 'any' | 'pending' | 'earlier' = 'any'): boolean {
    const pending = this.isPending(timer);
    if (readS64(this.deps, timer + FUNCTION) === 0)
      this.deps.reports.bug('kernel/time/timer.c', 988, '__mod_timer');
    if (!pending && only === 'pending') return false;
    if (pending) {
      const now = this.expires(timer);
      if (now === expires || (only === 'earlier' && now <= expires)) return true;
      this.detach(timer);
    }
    this.enqueue(timer, expires, this.deps.interrupts.cpu);
    return pending;
  }

  /** @linux kernel/time/timer.c:add_timer_on full */
  add(timer: Vaddr, cpu = this.deps.interrupts.cpu): void {
    const { reports, nrCpus } = this.deps;
    if (this.isPending(timer)) reports.bug('kernel/time/timer.c', 1154, 'add_timer');
    if (readS64(this.deps, timer + FUNCTION) === 0) reports.bug('kernel/time/timer.c', 988, '__mod_timer');
    this.enqueue(timer, this.expires(timer), Math.min(Math.max(cpu, 0), nrCpus - 1));
  }

  /** @returns whether it was pending @linux kernel/time/timer.c:timer_delete full */
  delete(timer: Vaddr): boolean {
    if (!this.isPending(timer)) return false;
    this.detach(timer);
    return true;
  }

  private isRunning(timer: Vaddr): boolean {
    const { ram, nrCpus } = this.deps;
    for (let cpu = 0; cpu < nrCpus; cpu++) if (ram.s64(this.base(cpu) + RUNNING) === timer) return true;
    return false;
  }

  /** @returns -1 from the timer's own function @linux kernel/time/timer.c:try_to_del_timer_sync full */
  tryDelete(timer: Vaddr): number {
    return this.isRunning(timer) ? -1 : Number(this.delete(timer));
  }

  /**
   * Removes a timer for good. From its own function that waits for ever.
   * @linux kernel/time/timer.c:timer_delete_sync full
   */
  deleteSync(timer: Vaddr): boolean {
    const done = this.tryDelete(timer);
    return done < 0 ? this.deps.stuck() : done === 1;
  }

  // ---------------------------------------------------------------- going off

  /** jiffies at which a CPU has something to do. */
  private nextJiffies(cpu: number): number {
    const { ram } = this.deps;
    const first = ram.s64(this.base(cpu) + FIRST);
    if (first === 0) return Number.POSITIVE_INFINITY;
    return Math.max(this.goesOff(first), ram.u64(this.base(cpu) + CLK));
  }

  /** Nanoseconds since power-on at which the next timer goes off. */
  nextTimer(): number {
    const { nrCpus, timeOf } = this.deps;
    let next = Number.POSITIVE_INFINITY;
    for (let cpu = 0; cpu < nrCpus; cpu++) next = Math.min(next, this.nextJiffies(cpu));
    return next === Number.POSITIVE_INFINITY ? next : timeOf(next);
  }

  /** Runs the functions of all timers of a CPU that are due. @linux kernel/time/timer.c:__run_timers full */
  private run(cpu: number): void {
    const { ram, jiffies } = this.deps;
    const base = this.base(cpu);
    if (jiffies() < ram.u64(base + CLK)) return;
    ram.set64(base + CLK, jiffies() + 1);
    this.cutExpired(base);
    for (let timer = ram.s64(base + EXPIRED); timer !== 0; timer = ram.s64(base + EXPIRED)) {
      step(ram);
      this.detach(timer);
      ram.set64(base + RUNNING, timer);
      this.call(timer, ram.u64(base + CLK) - 1);
      ram.set64(base + RUNNING, 0);
    }
  }

  /** Moves the timers that are due from the list to that of the expired. */
  private cutExpired(base: Handle): void {
    const { deps } = this;
    const { ram } = deps;
    const first = ram.s64(base + FIRST);
    let last = 0;
    let timer = first;
    for (let n = 0; timer !== 0 && this.goesOff(timer) <= deps.jiffies(); n++) {
      if (n > TIMERS_MAX) deps.stuck();
      last = timer;
      timer = this.next(timer);
    }
    if (last === 0) return;
    ram.set64(base + FIRST, timer);
    if (timer !== 0) writeS64(deps, timer + PPREV, ram.addressOf(base + FIRST));
    writeS64(deps, last, 0);
    ram.set64(base + EXPIRED, first);
    writeS64(deps, first + PPREV, ram.addressOf(base + EXPIRED));
  }

  /** @linux kernel/time/timer.c:call_timer_fn full */
  private call(timer: Vaddr, baseclk: number): void {
    const { preempt, reports, callC, trace } = this.deps;
    const fn = readS64(this.deps, timer + FUNCTION);
    const before = preempt.count;
    const irqs = preempt.irqsDisabled;
    if (this.flags(timer) & TIMER_IRQSAFE) preempt.irqsDisabled = true;
    if (trace.timerExpireEntry.enabled)
      trace.timerExpireEntry.emit({ timer, now: this.deps.jiffies(), function: fn, baseclk });
    callC(fn, 'v:p', timer);
    if (trace.timerExpireExit.enabled) trace.timerExpireExit.emit({ timer });
    preempt.irqsDisabled = irqs;
    if (preempt.count === before) return;
    const leak = `${hex8(before)} -> ${hex8(preempt.count)}`;
    reports.warn(
      'kernel/time/timer.c',
      1480,
      'call_timer_fn',
      `timer: ${reports.symbolize(fn)} preempt leak: ${leak}`,
    );
    preempt.count = before;
  }

  /** Throws if the lists are not what they should be. */
  check(): void {
    const { ram, nrCpus } = this.deps;
    for (let cpu = 0; cpu < nrCpus; cpu++) {
      let pointer = ram.addressOf(this.base(cpu) + FIRST);
      let before = 0;
      for (let timer = readS64(this.deps, pointer); timer !== 0; timer = this.next(timer)) {
        if (readS64(this.deps, timer + PPREV) !== pointer) throw new KernelBug('timer list: pprev is wrong');
        if (this.goesOff(timer) < before) throw new KernelBug('timer list: out of order');
        before = this.goesOff(timer);
        pointer = timer;
      }
    }
  }
}

const hex8 = (n: number) => (n >>> 0).toString(16).padStart(8, '0');
