// SPDX-License-Identifier: MIT
/**
 * High-resolution timers: `struct hrtimer`. Pending ones are on one list, by the time at which they go off, linked
 * through the child pointers of their tree node, which C has no business with.
 *
 * They go off exactly when they are due while nobody runs, at the next timer tick while C does. Their functions run
 * in hard interrupts, with HRTIMER_MODE_SOFT in softirqs.
 */

import type { CallC } from '../../lib/c_call.js';
import type { Reports } from '../../lib/env.js';
import {
  type GuestAccess,
  readS64,
  readUnsigned,
  writeBytes,
  writeS64,
  writeU8,
} from '../../lib/guest_access.js';
import { GuestList } from '../../lib/guest_list.js';
import { RbNode } from '../../lib/rbtree.js';
import type { StaticData } from '../../lib/static_data.js';
import { NSEC_PER_TICK } from '../../machine/clock.js';
import type { Handle, Vaddr } from '../../machine/layout.js';
import type { TimerTrace } from '../../trace/events/timer.js';
import { HRTIMER_SOFTIRQ, type Interrupts } from '../softirq.js';
import { Hrtimer, TimerqueueNode } from '../time_types.js';

const CLOCK_REALTIME = 0;
const CLOCKS = 16;
const MODE_REL = 1;
const MODE_SOFT = 4;
const MODE_HARD = 8;
const RESTART = 1;
/** Where the links are: the node's children, one behind the other. */
const LINK = Hrtimer.o.node + TimerqueueNode.o.node + RbNode.o.rb_right;
const EXPIRES = Hrtimer.o.node + TimerqueueNode.o.expires;
const SOFT_EXPIRES = Hrtimer.o._softexpires;
const STATE = Hrtimer.o.state;
const IS_SOFT = Hrtimer.o.is_soft;
/** How many functions run in one interrupt; those left over wait for the next tick: a timer may be due for ever. */
const MAX_CALLS = 64;
const KTIME_MAX = 2 ** 63;

export interface HrtimerDeps extends GuestAccess {
  readonly interrupts: Interrupts;
  readonly reports: Reports;
  readonly callC: CallC;
  readonly trace: TimerTrace;
  /** Nanoseconds since power-on. */
  now(): number;
  /** Nanoseconds from 1970 to power-on. */
  realOffset(): number;
  stuck(): never;
}

export class Hrtimers {
  private readonly head: Handle;
  private readonly running: Handle;
  /** After too many calls: when the next may be made. */
  private readonly blockedUntil: Handle;
  private readonly clocks: Handle;
  private readonly list: GuestList;

  constructor(
    private readonly deps: HrtimerDeps,
    data: StaticData,
  ) {
    this.list = new GuestList(deps);
    this.head = data.declare('hrtimer_pending', 16);
    this.running = data.declare('hrtimer_running', 8);
    this.blockedUntil = data.declare('hrtimer_blocked_until', 8);
    this.clocks = data.declare('hrtimer_bases', 64 * CLOCKS);
    const { interrupts } = deps;
    interrupts.openSoftirq(HRTIMER_SOFTIRQ, () => this.run(true));
    interrupts.addSource({ hardirq: (cpu) => this.interrupt(cpu) });
  }

  boot(): void {
    this.list.init(this.headAddress);
  }

  private get headAddress(): Vaddr {
    return this.deps.ram.addressOf(this.head);
  }

  // ---------------------------------------------------------------- fields

  private clockOf(timer: Vaddr): number {
    const base = readS64(this.deps, timer + Hrtimer.o.base);
    return Math.floor((base - this.deps.ram.addressOf(this.clocks)) / 64) & (CLOCKS - 1);
  }

  /** Nanoseconds to add to a timer's time to get that since power-on. */
  private offset(timer: Vaddr): number {
    return this.clockOf(timer) === CLOCK_REALTIME ? -this.deps.realOffset() : 0;
  }

  private dueAt(timer: Vaddr): number {
    return readS64(this.deps, timer + EXPIRES) + this.offset(timer);
  }

  private isQueued(timer: Vaddr): boolean {
    return (readUnsigned(this.deps, timer + STATE, 1) & 1) !== 0;
  }

  private isRunning(timer: Vaddr): boolean {
    return this.deps.ram.s64(this.running) === timer;
  }

  isActive(timer: Vaddr): boolean {
    return this.isQueued(timer) || this.isRunning(timer);
  }

  // ---------------------------------------------------------------- what C calls

  /** @linux kernel/time/hrtimer.c:hrtimer_init full */
  init(timer: Vaddr, clock: number, mode: number): void {
    const { deps } = this;
    writeBytes(deps, timer, new Uint8Array(Hrtimer.size));
    // A monotonic clock and one that counts while the machine sleeps are the same: it never does.
    const relativeReal = clock === CLOCK_REALTIME && (mode & MODE_REL) !== 0;
    const base = deps.ram.addressOf(this.clocks) + 64 * (relativeReal ? 1 : clock & (CLOCKS - 1));
    writeS64(deps, timer + Hrtimer.o.base, base);
    writeU8(deps, timer + IS_SOFT, Number((mode & MODE_SOFT) !== 0));
    writeU8(deps, timer + Hrtimer.o.is_hard, Number((mode & MODE_HARD) !== 0));
    writeS64(deps, timer, timer); // an empty tree node points at itself
    const { hrtimerInit } = deps.trace;
    if (hrtimerInit.enabled) hrtimerInit.emit({ hrtimer: timer, clockid: clock, mode });
  }

  /** @linux kernel/time/hrtimer.c:hrtimer_start_range_ns full */
  start(timer: Vaddr, time: number, range: number, mode: number): void {
    if (this.isQueued(timer)) this.remove(timer);
    const soft = mode & MODE_REL ? this.deps.now() - this.offset(timer) + Math.max(0, time) : time;
    this.setExpires(timer, soft, Math.min(soft + range, KTIME_MAX));
    this.enqueue(timer, mode);
  }

  private setExpires(timer: Vaddr, soft: number, hard: number): void {
    writeS64(this.deps, timer + SOFT_EXPIRES, soft);
    writeS64(this.deps, timer + EXPIRES, hard);
  }

  /** @param mode that it is started with; a restarted one has an absolute time */
  private enqueue(timer: Vaddr, mode = 0): void {
    if (this.deps.trace.hrtimerStart.enabled) this.traceStart(timer, mode);
    const due = this.dueAt(timer);
    let after = this.list.prev(this.headAddress);
    while (after !== this.headAddress && this.dueAt(after - LINK) > due) after = this.list.prev(after);
    this.list.add(timer + LINK, after);
    writeU8(this.deps, timer + STATE, 1);
  }

  private traceStart(timer: Vaddr, mode: number): void {
    const word = (offset: number) => readS64(this.deps, timer + offset);
    this.deps.trace.hrtimerStart.emit({
      hrtimer: timer,
      function: word(Hrtimer.o.function),
      expires: word(EXPIRES),
      softexpires: word(SOFT_EXPIRES),
      mode,
    });
  }

  private remove(timer: Vaddr): void {
    const { hrtimerCancel } = this.deps.trace;
    if (hrtimerCancel.enabled) hrtimerCancel.emit({ hrtimer: timer });
    this.list.delInit(timer + LINK);
    writeU8(this.deps, timer + STATE, 0);
  }

  /** @returns -1 from the timer's own function @linux kernel/time/hrtimer.c:hrtimer_try_to_cancel full */
  tryToCancel(timer: Vaddr): number {
    if (this.isRunning(timer)) return -1;
    if (!this.isQueued(timer)) return 0;
    this.remove(timer);
    return 1;
  }

  /** @linux kernel/time/hrtimer.c:hrtimer_cancel full */
  cancel(timer: Vaddr): number {
    const done = this.tryToCancel(timer);
    return done < 0 ? this.deps.stuck() : done;
  }

  /**
   * Moves a timer's expiry on by whole intervals until it lies after `now`.
   * @returns by how many
   * @linux kernel/time/hrtimer.c:hrtimer_forward full
   */
  forward(timer: Vaddr, now: number, interval: number): number {
    const expires = readS64(this.deps, timer + EXPIRES);
    const delta = now - expires;
    if (delta < 0) return 0;
    if (this.isQueued(timer)) {
      this.deps.reports.warn('kernel/time/hrtimer.c', 1027, 'hrtimer_forward');
      return 0;
    }
    const step = Math.max(1, interval);
    const overruns = Math.floor(delta / step) + 1;
    const soft = readS64(this.deps, timer + SOFT_EXPIRES);
    this.setExpires(timer, soft + overruns * step, expires + overruns * step);
    return overruns;
  }

  remaining(timer: Vaddr): number {
    return this.dueAt(timer) - this.deps.now();
  }

  // ---------------------------------------------------------------- going off

  /** Nanoseconds since power-on at which the next timer goes off. */
  nextTimer(): number {
    const first = this.list.next(this.headAddress);
    if (first === this.headAddress) return Number.POSITIVE_INFINITY;
    return Math.max(this.dueAt(first - LINK), this.deps.ram.u64(this.blockedUntil));
  }

  /** @linux kernel/time/hrtimer.c:hrtimer_interrupt differs: due functions run when the next interrupt is taken */
  private interrupt(cpu: number): void {
    const { interrupts, now } = this.deps;
    if (this.nextTimer() > now()) return;
    if (this.due(false) !== 0)
      interrupts.inHardirq(['asm_sysvec_apic_timer_interrupt', '__hrtimer_run_queues'], () =>
        this.run(false),
      );
    if (this.due(true) !== 0) interrupts.raiseSoftirq(HRTIMER_SOFTIRQ, cpu);
  }

  /** The first timer of a kind that is due; 0 if there is none. */
  private due(soft: boolean): Vaddr {
    const now = this.deps.now();
    for (const node of this.list.nodes(this.headAddress)) {
      const timer = node - LINK;
      if (this.dueAt(timer) > now) return 0;
      if ((readUnsigned(this.deps, timer + IS_SOFT, 1) !== 0) === soft) return timer;
    }
    return 0;
  }

  /** @linux kernel/time/hrtimer.c:__hrtimer_run_queues full */
  private run(soft: boolean): void {
    const { ram, now } = this.deps;
    if (now() < ram.u64(this.blockedUntil)) return;
    for (let calls = 0; ; calls++) {
      const timer = this.due(soft);
      if (timer === 0) return;
      if (calls === MAX_CALLS) return ram.set64(this.blockedUntil, now() + NSEC_PER_TICK);
      this.call(timer);
    }
  }

  /** @linux kernel/time/hrtimer.c:__run_hrtimer full */
  private call(timer: Vaddr): void {
    const { ram, callC, now, trace } = this.deps;
    this.remove(timer);
    ram.set64(this.running, timer);
    const fn = readS64(this.deps, timer + Hrtimer.o.function);
    const { hrtimerExpireEntry: entry, hrtimerExpireExit: exit } = trace;
    if (entry.enabled) entry.emit({ hrtimer: timer, now: now() - this.offset(timer), function: fn });
    const again = callC(fn, 'i:p', timer);
    if (exit.enabled) exit.emit({ hrtimer: timer });
    ram.set64(this.running, 0);
    if (again === RESTART && !this.isQueued(timer)) this.enqueue(timer);
  }
}
