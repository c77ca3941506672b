// SPDX-License-Identifier: MIT
/**
 * Read-copy-update: callbacks and tasks that wait until every reader who may still see the old data has left.
 *
 * A grace period begins at a moment; it is over when a timer tick has passed and no task is inside
 * rcu_read_lock(). Readers seldom sleep, so between two tasks there are none, unless one of them did.
 *
 *     call_rcu ─▶ next ─ a grace period begins ─▶ waiting ─ it ends ─▶ done ─ softirq ─▶ func(head)
 *
 * The lists are linked through `rcu_head.next` in C's memory. `gp_seq` counts the grace periods that are over.
 */

import type { KernelExports } from '../../arch/wasm64/exports.js';
import type { CallC } from '../../lib/c_call.js';
import { type GuestAccess, readS64, writeS64 } from '../../lib/guest_access.js';
import type { StaticData } from '../../lib/static_data.js';
import { addr, struct, u64, uint } from '../../lib/struct.js';
import type { Handle, Vaddr } from '../../machine/layout.js';
import { __GFP_ZERO, GFP_ATOMIC } from '../../mm/gfp.js';
import type { Preempt } from '../preempt.js';
import { contextOf } from '../sched/context.js';
import type { Scheduler } from '../sched/core.js';
import type { WaitLists } from '../sched/wait_list.js';
import { TASK_UNINTERRUPTIBLE } from '../sched.js';
import { type Interrupts, RCU_SOFTIRQ } from '../softirq.js';
import type { Tasks } from '../tasks.js';

const NEXT = 0;
const FUNC = 8;
/** A `func` below this is no function: the head lies so many bytes into an object that is to be freed. */
const KFREE_OFFSET_MAX = 4096;
/** `func` of a head that the kernel made for an object which has none; the object's address follows the head. */
const HEADLESS = 1;
const HEADLESS_BYTES = 24;

/** First and last head of a list, both 0 if it is empty. */
const CallbackList = struct('rcu_cblist', { first: addr(), last: addr() });
const RcuState = struct('rcu_state', {
  /** Grace periods that are over. */
  gp_seq: u64,
  /** That up to which somebody needs them. */
  gp_needed: u64,
  /** 1 while one is under way; jiffies when it began. */
  gp_active: uint,
  gp_start: u64,
  next: CallbackList,
  waiting: CallbackList,
  done: CallbackList,
  /** Callbacks ever queued, and ever run. */
  queued: u64,
  invoked: u64,
});

export interface RcuDeps extends GuestAccess {
  readonly interrupts: Interrupts;
  readonly preempt: Preempt;
  readonly scheduler: Scheduler;
  readonly waits: WaitLists;
  readonly tasks: Tasks;
  readonly callC: CallC;
  jiffies(): number;
  timeOf(jiffies: number): number;
  kmalloc(bytes: number, gfp: number): Vaddr;
  kfree(address: Vaddr): void;
  kvfree(address: Vaddr): void;
}

export class Rcu {
  private readonly state: Handle;
  private readonly waiters: Handle;

  constructor(
    private readonly deps: RcuDeps,
    data: StaticData,
  ) {
    this.state = data.declare('rcu_state', RcuState.size);
    this.waiters = data.declare('rcu_waiters', 16);
    deps.interrupts.openSoftirq(RCU_SOFTIRQ, () => this.invoke());
    deps.interrupts.addSource({ hardirq: (cpu) => this.check(cpu) });
  }

  boot(): void {
    this.deps.waits.list.init(this.waitersAddress);
  }

  private get s() {
    return RcuState.at(this.deps.ram, this.state);
  }

  private get waitersAddress(): Vaddr {
    return this.deps.ram.addressOf(this.waiters);
  }

  // ---------------------------------------------------------------- lists of callbacks

  private list(name: 'next' | 'waiting' | 'done'): Handle {
    return this.state + RcuState.w[name];
  }

  private append(list: Handle, head: Vaddr): void {
    const l = CallbackList.at(this.deps.ram, list);
    writeS64(this.deps, head + NEXT, 0);
    if (l.last === 0) l.first = head;
    else writeS64(this.deps, l.last + NEXT, head);
    l.last = head;
  }

  /** Moves a whole list to the end of another. */
  private move(from: Handle, to: Handle): void {
    const source = CallbackList.at(this.deps.ram, from);
    const target = CallbackList.at(this.deps.ram, to);
    if (source.first === 0) return;
    if (target.last === 0) target.first = source.first;
    else writeS64(this.deps, target.last + NEXT, source.first);
    target.last = source.last;
    source.first = 0;
    source.last = 0;
  }

  private isEmpty(list: Handle): boolean {
    return CallbackList.at(this.deps.ram, list).first === 0;
  }

  // ---------------------------------------------------------------- grace periods

  /** Number of the grace period that must be over for what is removed now. */
  private neededNow(): number {
    return this.s.gp_seq + (this.s.gp_active ? 2 : 1);
  }

  private need(seq: number): void {
    const { s } = this;
    if (seq > s.gp_needed) s.gp_needed = seq;
    if (!s.gp_active) this.begin();
  }

  private begin(): void {
    const { s } = this;
    s.gp_active = 1;
    s.gp_start = this.deps.jiffies();
    this.move(this.list('next'), this.list('waiting'));
  }

  /** Whether any task is inside a read-side section: one that sleeps there, or the one that runs. */
  private hasReaders(): boolean {
    const { ram, tasks, preempt, scheduler } = this.deps;
    if (preempt.hasReaders) return true;
    const running = tasks.currentHandle;
    return tasks
      .all()
      .some((task) => task !== running && !scheduler.isDone(task) && contextOf(ram, task).rcu_nesting > 0);
  }

  /** Looks whether the grace period is over. @linux kernel/rcu/tree.c:rcu_gp_fqs_loop differs: looks at tasks, not at CPUs */
  private check(cpu: number): void {
    const { s } = this;
    if (!s.gp_active || this.deps.jiffies() <= s.gp_start || this.hasReaders()) return;
    s.gp_seq++;
    s.gp_active = 0;
    this.move(this.list('waiting'), this.list('done'));
    if (!this.isEmpty(this.list('done'))) this.deps.interrupts.raiseSoftirq(RCU_SOFTIRQ, cpu);
    this.deps.waits.wakeAll(this.waitersAddress);
    if (s.gp_needed > s.gp_seq || !this.isEmpty(this.list('next'))) this.begin();
  }

  /** Nanoseconds since power-on at which a grace period may end; never, while a reader sleeps. */
  nextTimer(): number {
    const { s } = this;
    if (!s.gp_active || this.hasReaders()) return Number.POSITIVE_INFINITY;
    return this.deps.timeOf(s.gp_start + 1);
  }

  // ---------------------------------------------------------------- callbacks

  /** @linux kernel/rcu/tree.c:call_rcu full */
  call(head: Vaddr, func: Vaddr): void {
    writeS64(this.deps, head + FUNC, func);
    this.append(this.list('next'), head);
    this.s.queued++;
    this.need(this.neededNow());
  }

  /**
   * Frees an object after a grace period.
   * @param head the rcu_head in it; 0 if it has none
   * @linux kernel/rcu/tree.c:kvfree_call_rcu partial: objects are freed one by one
   */
  freeLater(head: Vaddr, object: Vaddr): void {
    if (head !== 0) return this.call(head, head - object);
    const made = this.deps.kmalloc(HEADLESS_BYTES, GFP_ATOMIC | __GFP_ZERO);
    if (made === 0) return;
    writeS64(this.deps, made + 16, object);
    this.call(made, HEADLESS);
  }

  /** @linux kernel/rcu/tree.c:rcu_do_batch full */
  private invoke(): void {
    const { deps, s } = this;
    const list = CallbackList.at(deps.ram, this.list('done'));
    let head = list.first;
    list.first = 0;
    list.last = 0;
    while (head !== 0) {
      const next = readS64(deps, head + NEXT);
      this.invokeOne(head, readS64(deps, head + FUNC));
      s.invoked++;
      head = next;
    }
    deps.waits.wakeAll(this.waitersAddress);
  }

  private invokeOne(head: Vaddr, func: Vaddr): void {
    const { deps } = this;
    if (func === HEADLESS) {
      deps.kvfree(readS64(deps, head + 16));
      deps.kfree(head);
    } else if (func >= 0 && func < KFREE_OFFSET_MAX) deps.kvfree(head - func);
    else deps.callC(func, 'v:p', head);
  }

  // ---------------------------------------------------------------- tasks that wait

  private sleepUntil(reached: () => boolean) {
    const { scheduler, waits } = this.deps;
    if (reached()) return 0;
    waits.add(this.waitersAddress);
    scheduler.setState(TASK_UNINTERRUPTIBLE);
    return scheduler.sleep(1);
  }

  /** @linux kernel/rcu/tree.c:synchronize_rcu full */
  private synchronize() {
    const { scheduler } = this.deps;
    return scheduler.sleeping<readonly []>((stage) => {
      if (stage === 0) {
        scheduler.setSaved(0, this.neededNow());
        this.need(this.neededNow());
      }
      return this.sleepUntil(() => this.s.gp_seq >= scheduler.getSaved(0));
    });
  }

  /** Waits until all callbacks that are queued have run. @linux kernel/rcu/tree.c:rcu_barrier full */
  private barrier() {
    const { scheduler } = this.deps;
    return scheduler.sleeping<readonly []>((stage) => {
      if (stage === 0) scheduler.setSaved(0, this.s.queued);
      return this.sleepUntil(() => this.s.invoked >= scheduler.getSaved(0));
    });
  }

  sleepingExports(): KernelExports {
    const synchronize = this.synchronize();
    return {
      synchronize_rcu: ['v:', synchronize],
      synchronize_rcu_expedited: ['v:', synchronize],
      rcu_barrier: ['v:', this.barrier()],
    };
  }

  exports(): KernelExports {
    return {
      call_rcu: ['v:pp', (head: Vaddr, func: Vaddr) => this.call(head, func)],
      kvfree_call_rcu: ['v:pp', (head: Vaddr, object: Vaddr) => this.freeLater(head, object)],
    };
  }
}
