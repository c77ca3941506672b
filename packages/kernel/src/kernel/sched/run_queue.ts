// SPDX-License-Identifier: MIT
/**
 * Tasks that could run, and which of them is next: the one that has waited longest, or with a seed one that a
 * generator picks. Real-time tasks come before all others, and those of SCHED_IDLE after them.
 */

import { initListHead, listAddTail, listDelInit, listEmpty, listEntries, listFirst } from '../../lib/list.js';
import type { StaticData } from '../../lib/static_data.js';
import type { Handle } from '../../machine/layout.js';
import type { Ram } from '../../machine/ram.js';
import { MAX_RT_PRIO, SCHED_IDLE, TaskStruct } from '../sched.js';
import { CONTEXT, TaskContext } from './context.js';

/** Words from a task's handle to its link in the queue. */
const LINK = CONTEXT + TaskContext.w.run_list;

/** One queue for all CPUs. */
export class RunQueue {
  private readonly head: Handle;
  /** State of the generator; 0: whoever has waited longest. */
  private readonly random: Handle;
  /** Not 0 once a task has a class or priority that decides who runs next. */
  private readonly ranked: Handle;

  constructor(
    private readonly ram: Ram,
    data: StaticData,
  ) {
    this.head = data.declare('runqueues', 16);
    this.random = data.declare('sched_random', 4);
    this.ranked = data.declare('sched_ranked', 4);
  }

  boot(seed: number): void {
    initListHead(this.ram, this.head);
    this.reseed(seed);
  }

  /** @param seed 0: whoever has waited longest */
  reseed(seed: number): void {
    this.ram.i32[this.random] = seed === 0 ? 0 : Math.imul(seed, 0x9e3779b1) | 1;
  }

  /** From now on classes and priorities count when a task is picked. */
  useRanks(): void {
    this.ram.i32[this.ranked] = 1;
  }

  get isEmpty(): boolean {
    return listEmpty(this.ram, this.head);
  }

  /** All tasks in the queue, longest waiting first. */
  tasks(): Handle[] {
    return [...listEntries(this.ram, this.head)].map((node) => node - LINK);
  }

  /** Puts a task at the end, unless it is in the queue. */
  add(task: Handle): void {
    if (listEmpty(this.ram, task + LINK)) listAddTail(this.ram, task + LINK, this.head);
  }

  /** Takes a task out, if it is in the queue. */
  remove(task: Handle): void {
    listDelInit(this.ram, task + LINK);
  }

  /** Takes out the task that runs next; 0 if there is none. */
  takeNext(): Handle {
    if (this.isEmpty) return 0;
    const task = this.pick();
    this.remove(task);
    return task;
  }

  private pick(): Handle {
    const { i32 } = this.ram;
    const ranked = i32[this.ranked] !== 0;
    let x = i32[this.random];
    if (x === 0 && !ranked) return listFirst(this.ram, this.head) - LINK;
    const all = ranked ? this.firstRanked() : this.tasks();
    if (x === 0) return all[0];
    x ^= x << 13; // xorshift (Marsaglia)
    x ^= x >>> 17;
    x ^= x << 5;
    i32[this.random] = x;
    return all[(x >>> 0) % all.length];
  }

  /** Tasks of the first class and priority there is. */
  private firstRanked(): Handle[] {
    const all = this.tasks();
    const ranks = all.map((task) => this.rank(task));
    const best = Math.min(...ranks);
    return all.filter((_, i) => ranks[i] === best);
  }

  /** Real-time tasks by priority, then all others, then those of SCHED_IDLE. */
  private rank(task: Handle): number {
    const { prio, policy } = TaskStruct.at(this.ram, task);
    if (prio < MAX_RT_PRIO) return prio;
    return policy === SCHED_IDLE ? MAX_RT_PRIO + 1 : MAX_RT_PRIO;
  }
}
