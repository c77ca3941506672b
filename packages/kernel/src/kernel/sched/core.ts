// SPDX-License-Identifier: MIT
/**
 * The scheduler: which task runs, sleeping and waking, and the virtual time that passes when nobody runs.
 *
 * One host thread runs all tasks. A task gives up the CPU only where it sleeps or calls schedule(); the next is
 * the one that has waited longest. When nobody can run, time jumps to the next timer.
 */

import type { Functions } from '../../arch/wasm64/functions.js';
import type { CurrentTask, Log } from '../../lib/env.js';
import { KERN_ERR } from '../../lib/env.js';
import { initListHead, listAddTail, listDelInit, listEmpty, listEntries, listFirst } from '../../lib/list.js';
import type { StaticData } from '../../lib/static_data.js';
import { StringTable } from '../../lib/string_table.js';
import type { Clock } from '../../machine/clock.js';
import { type Handle, PAGE_SIZE, RAM_BASE, REG, SUSPEND, type Vaddr } from '../../machine/layout.js';
import type { Ram } from '../../machine/ram.js';
import { GFP_KERNEL } from '../../mm/gfp.js';
import type { PageAllocator } from '../../mm/page_alloc.js';
import type { Oops } from '../oops.js';
import { TaskKilled } from '../oops.js';
import { TASK_DEAD, TASK_RUNNING, TASK_UNINTERRUPTIBLE, TaskStruct } from '../sched.js';
import type { Tasks } from '../tasks.js';
import { CONTEXT, MAX_ARGUMENTS, type Outcome, SAVED_WORDS, TaskContext } from './context.js';

/** A step: what it is given is the step's data and the result of the C function that was called. */
export type Step = (data: readonly number[], result: number) => Outcome;

/** Pages for the saved frames of one task. */
const FRAMES_ORDER = 2;
const FRAMES_BYTES = PAGE_SIZE << FRAMES_ORDER;
/** Room for the signatures and frame names of all steps. */
const STRINGS_BYTES = 4096;
/** Virtual seconds after which a task in uninterruptible sleep is reported, if nothing will ever wake it. */
const HUNG_TASK_SECONDS = 120;

export interface SchedulerEnvironment {
  readonly ram: Ram;
  readonly clock: Clock;
  readonly log: Log;
  readonly tasks: Tasks;
  readonly functions: Functions;
  oops(): Oops;
  pages(): PageAllocator;
  /** Return address within a kernel function, for call traces. */
  returnAddress(name: string): Vaddr;
  /** Host table index for a call, or an oops. */
  target(address: Vaddr, signatureId: number): number;
  /** Whether the frames of all C functions on the call stack can be saved. */
  canSuspend(): boolean;
  /** preempt_count of the running CPU. */
  preemptCount(): number;
  /** Runs what timers and soft interrupts have to do by now. */
  runTimers(): void;
  /** Nanoseconds of the virtual clock at which the next timer is due; Infinity if none. */
  nextTimer(): number;
  /** Moves the virtual clock and jiffies. */
  advanceTo(ns: number): void;
  touchWatchdog(): void;
}

/** Tells the wrapper of a sleeping kernel function that the task goes to sleep now. */
export const SLEEP = Symbol('sleep');

/** One stage of a kernel function that C calls and that may sleep. */
export type Stages<A extends readonly number[]> = (stage: number, args: A) => number | typeof SLEEP;

export class Scheduler {
  private readonly runQueue: Handle;
  private readonly switches: Handle;
  private readonly stepByName = new Map<string, Step>();
  private readonly stepNames: string[] = [];
  /** Signatures of C functions, and call frame names, that tasks refer to. */
  private readonly strings: StringTable;

  constructor(
    private readonly env: SchedulerEnvironment,
    data: StaticData,
  ) {
    this.runQueue = data.declare('runqueues', 16);
    this.switches = data.declare('nr_context_switches', 8);
    this.strings = new StringTable(env.ram, data, 'task_strings', STRINGS_BYTES);
  }

  boot(): void {
    initListHead(this.env.ram, this.runQueue);
  }

  // ---------------------------------------------------------------- steps

  /** Registers a step by name; always in the same order, so that its number means the same in a saved machine. */
  step(name: string, step: Step): void {
    this.stepByName.set(name, step);
    this.stepNames.push(name);
  }

  /** The steps' names, in the order of their numbers. */
  steps(): readonly string[] {
    return this.stepNames;
  }

  private context(task: Handle) {
    return TaskContext.at(this.env.ram, task + CONTEXT);
  }

  private words(task: Handle, field: 'args' | 'data' | 'saved'): Handle {
    return task + CONTEXT + TaskContext.w[field];
  }

  // ---------------------------------------------------------------- tasks

  /**
   * Makes a task; it does not run yet.
   * @param step the step it begins with, and its data
   * @returns 0 if there is no memory
   */
  create(comm: string, step: string, ...data: number[]): Handle {
    const { ram, tasks } = this.env;
    const task = tasks.allocate(comm);
    if (task === 0) return 0;
    const c = this.context(task);
    c.step = this.stepNames.indexOf(step);
    c.wake_at = -1;
    for (const list of ['run_list', 'wait_node', 'exit_waiters'] as const)
      initListHead(ram, task + CONTEXT + TaskContext.w[list]);
    data.forEach((value, i) => {
      ram.set64(this.words(task, 'data') + 2 * i, value);
    });
    return task;
  }

  /** Puts a task at the end of the run queue. */
  private enqueue(task: Handle): void {
    const node = task + CONTEXT + TaskContext.w.run_list;
    if (listEmpty(this.env.ram, node)) listAddTail(this.env.ram, node, this.runQueue);
  }

  /**
   * Makes a task runnable if its state is one of those in the mask.
   * @returns true if it was asleep and is runnable now
   * @linux kernel/sched/core.c:try_to_wake_up partial: one queue for all CPUs
   */
  wake(task: Handle, mask: number): boolean {
    const t = TaskStruct.at(this.env.ram, task);
    if (!(t.__state & mask)) return false;
    t.__state = TASK_RUNNING;
    this.context(task).wake_at = -1;
    if (task !== this.env.tasks.currentHandle) this.enqueue(task);
    return true;
  }

  // ---------------------------------------------------------------- running

  /** Runs tasks until one is done; what it waits for may take any virtual time. False if it can never be done. */
  runUntilDone(task: Handle): boolean {
    while (this.context(task).done === 0) if (!this.runNext() && !this.idle()) return this.hung(task);
    return true;
  }

  /** Runs all that can run now, without moving the clock to the next timer. */
  settle(limit = 10000): void {
    for (let i = 0; i < limit && this.runNext(); i++);
  }

  /** Lets virtual time pass, with all that happens in it. */
  passTime(ns: number): void {
    const until = this.env.clock.ns + ns;
    this.settle();
    while (this.nextEvent() <= until) {
      this.idle();
      this.settle();
    }
    if (this.env.clock.ns < until) this.env.advanceTo(until);
  }

  /** Runs the first task in the queue until it sleeps or is done; false if the queue is empty. */
  private runNext(): boolean {
    const { ram } = this.env;
    this.env.runTimers();
    this.wakeSleepers();
    const node = listFirst(ram, this.runQueue);
    if (node === this.runQueue) return false;
    listDelInit(ram, node);
    this.run(node - TaskContext.w.run_list - CONTEXT);
    return true;
  }

  /** Virtual time at which something will happen by itself. */
  private nextEvent(): number {
    let next = this.env.nextTimer();
    for (const task of this.env.tasks.all()) {
      const at = this.context(task).wake_at;
      if (at >= 0) next = Math.min(next, at);
    }
    return next;
  }

  /** Nobody can run: time goes on to the next timer. False if there is none. */
  private idle(): boolean {
    const next = this.nextEvent();
    if (next === Number.POSITIVE_INFINITY) return false;
    this.env.advanceTo(Math.max(next, this.env.clock.ns));
    return true;
  }

  private wakeSleepers(): void {
    const now = this.env.clock.ns;
    for (const task of this.env.tasks.all()) {
      const at = this.context(task).wake_at;
      if (at >= 0 && at <= now) this.wake(task, ~0);
    }
  }

  /** @linux kernel/hung_task.c:check_hung_task partial: only when nothing can wake the task any more */
  private hung(task: Handle): boolean {
    const { clock, log, tasks } = this.env;
    const t = TaskStruct.at(this.env.ram, task);
    if (!(t.__state & TASK_UNINTERRUPTIBLE)) return false;
    this.env.advanceTo(clock.ns + HUNG_TASK_SECONDS * 1e9);
    const name = `${tasks.commOf(task)}:${t.pid}`;
    log.log(KERN_ERR, `INFO: task ${name} blocked for more than ${HUNG_TASK_SECONDS} seconds.`);
    this.env.oops().showTask(tasks.commOf(task), t.pid);
    return false;
  }

  /** Switches to a task and lets it run. */
  private run(task: Handle): void {
    const { tasks, ram } = this.env;
    ram.add64(this.switches, 1);
    this.env.touchWatchdog();
    tasks.switchTo(task, () => {
      try {
        this.proceed(task);
      } catch (error) {
        if (!(error instanceof TaskKilled)) throw error;
        ram.host32[REG.suspend >> 2] = SUSPEND.none;
        this.rooted = false;
        this.finish(task, 0, error.signal);
      }
    });
    for (const dead of this.toReap.splice(0)) this.release(dead);
  }

  /** Finished tasks that nobody waits for; empty whenever no task runs. */
  private readonly toReap: Handle[] = [];

  /** Frees a finished task once it is off its stack. */
  reap(task: Handle): void {
    this.toReap.push(task);
  }

  /** Whether another task could run now. */
  someoneWaits(): boolean {
    return !listEmpty(this.env.ram, this.runQueue);
  }

  /** Steps and C functions of the current task, one after the other, until it sleeps or is done. */
  private proceed(task: Handle): void {
    for (;;) {
      const c = this.context(task);
      let result = 0;
      if (c.fn !== 0) {
        result = this.callC(task);
        if (this.context(task).suspended) return;
        c.fn = 0;
      }
      const outcome = this.stepByName.get(this.stepNames[c.step])!(this.readWords(task, 'data'), result);
      if (outcome.kind === 'done') return this.finish(task, outcome.result, 0);
      c.step = this.stepNames.indexOf(outcome.step);
      this.writeWords(task, 'data', outcome.data);
      if (outcome.kind === 'sleep') return;
      c.fn = outcome.fn;
      c.signature = this.strings.numberOf(outcome.signature);
      c.nr_args = outcome.args.length;
      c.trace = this.strings.numberOf(outcome.frames.join(' '));
      this.writeWords(task, 'args', outcome.args);
    }
  }

  private readWords(task: Handle, field: 'args' | 'data', n = MAX_ARGUMENTS): number[] {
    const at = this.words(task, field);
    return Array.from({ length: n }, (_, i) => this.env.ram.s64(at + 2 * i));
  }

  private writeWords(task: Handle, field: 'args' | 'data', values: readonly number[]): void {
    values.forEach((value, i) => {
      this.env.ram.set64(this.words(task, field) + 2 * i, value);
    });
  }

  /** Calls the task's C function, or winds its saved frames up again. */
  private callC(task: Handle): number {
    const { ram, functions } = this.env;
    const { host32 } = ram;
    const c = this.context(task);
    const signature = this.strings.text(c.signature);
    const args = this.readWords(task, 'args', c.nr_args);
    const frames = this.strings
      .text(c.trace)
      .split(' ')
      .filter((name) => name !== '');
    const resumed = c.suspended === 1;
    if (resumed) {
      c.suspended = 0;
      host32[REG.suspend >> 2] = SUSPEND.rewinding;
      host32[REG.frames >> 2] = c.frames;
      host32[REG.framesEnd >> 2] = this.framesStart(c.frames_page) + FRAMES_BYTES;
      ram.hostView.setBigInt64(REG.sp, BigInt(c.sp), true);
    }
    this.rooted = true;
    const result = functions.withFrames(
      frames.map((name) => this.env.returnAddress(name)),
      () => functions.callAddress(c.fn, signature, (address, id) => this.env.target(address, id), ...args),
    );
    this.rooted = false;
    if (host32[REG.suspend >> 2] !== SUSPEND.unwinding) return result;
    host32[REG.suspend >> 2] = SUSPEND.none;
    c.suspended = 1;
    c.frames = host32[REG.frames >> 2];
    c.sp = Number(ram.hostView.getBigInt64(REG.sp, true));
    return 0;
  }

  /** True while the outermost call of C is one that this scheduler made, and can make again. */
  private rooted = false;

  private framesStart(page: Handle): number {
    return RAM_BASE + this.env.pages().pageToPfn(page) * PAGE_SIZE;
  }

  /** The task is over. */
  private finish(task: Handle, result: number, signal: number): void {
    const { ram } = this.env;
    const c = this.context(task);
    c.result = result;
    c.killed_by = signal;
    c.done = 1;
    c.fn = 0;
    TaskStruct.at(ram, task).__state = TASK_DEAD;
    for (const node of listEntries(ram, task + CONTEXT + TaskContext.w.exit_waiters)) {
      listDelInit(ram, node);
      this.wake(node - TaskContext.w.wait_node - CONTEXT, ~0);
    }
    if (this.onExit) this.onExit(task);
  }

  /** Told when a task is over, while it is still the current one. */
  onExit: ((task: Handle) => void) | undefined;

  /** How a finished task ended. */
  result(task: Handle): { result: number; signal: number } {
    const c = this.context(task);
    return { result: c.result, signal: c.killed_by };
  }

  isDone(task: Handle): boolean {
    return this.context(task).done === 1;
  }

  /** Gives a finished task's memory back. */
  release(task: Handle): void {
    const c = this.context(task);
    if (c.frames_page !== 0) this.env.pages().freePages(c.frames_page, FRAMES_ORDER);
    listDelInit(this.env.ram, task + CONTEXT + TaskContext.w.run_list);
    this.env.tasks.free(task);
  }

  // ---------------------------------------------------------------- kernel functions that C calls and that sleep

  /**
   * Makes a kernel function that may sleep out of its stages. Stage 0 runs when C calls it; a stage that returns
   * `this.sleep(n)` puts the task to sleep, and stage n runs when it is woken.
   */
  sleeping<A extends readonly number[]>(stages: Stages<A>): (...args: A) => number {
    return (...args) => {
      const { host32 } = this.env.ram;
      let stage = 0;
      if (host32[REG.suspend >> 2] === SUSPEND.rewinding) {
        host32[REG.suspend >> 2] = SUSPEND.none;
        stage = this.context(this.env.tasks.currentHandle).stage;
      }
      const result = stages(stage, args);
      return result === SLEEP ? 0 : result;
    };
  }

  /** From a stage: the current task sleeps in the state it has set; the given stage runs when it is woken. */
  sleep(stage: number): typeof SLEEP {
    const { ram, oops, tasks } = this.env;
    const task = tasks.currentHandle;
    const preempt = this.env.preemptCount();
    const possible = this.rooted && this.env.functions.depth === 1 && this.env.canSuspend();
    if (preempt !== 0 || !possible) oops().schedulingWhileAtomic(preempt, !possible);
    const c = this.context(task);
    if (c.frames_page === 0) {
      const page = this.env.pages().allocPages(GFP_KERNEL, FRAMES_ORDER);
      if (page === 0) throw new TaskKilled(9);
      c.frames_page = page;
    }
    c.stage = stage;
    const start = this.framesStart(c.frames_page);
    ram.host32[REG.frames >> 2] = start;
    ram.host32[REG.framesEnd >> 2] = start + FRAMES_BYTES;
    ram.host32[REG.suspend >> 2] = SUSPEND.unwinding;
    if (TaskStruct.at(ram, task).__state === TASK_RUNNING) this.enqueue(task);
    return SLEEP;
  }

  /** A word that the sleeping function of the current task keeps across its stages. */
  getSaved(i: number): number {
    return this.env.ram.s64(this.words(this.env.tasks.currentHandle, 'saved') + 2 * i);
  }

  setSaved(i: number, value: number): void {
    if (i >= SAVED_WORDS) throw new RangeError(`saved word ${i}`);
    this.env.ram.set64(this.words(this.env.tasks.currentHandle, 'saved') + 2 * i, value);
  }

  /** Sets the current task's state, as C does before it sleeps. */
  setState(state: number): void {
    TaskStruct.at(this.env.ram, this.env.tasks.currentHandle).__state = state;
  }

  /** Has the current task woken at a virtual time at the latest. */
  wakeAt(ns: number): void {
    this.context(this.env.tasks.currentHandle).wake_at = ns;
  }

  /** schedule(): sleeps in the state that was set, or lets others run. @linux kernel/sched/core.c:schedule full */
  readonly schedule = this.sleeping<readonly []>((stage) => (stage === 0 ? this.sleep(1) : 0));

  /** Wakes a task when another is done: steps that wait for a task put themselves on its list. */
  waitForExit(task: Handle): void {
    const { ram, tasks } = this.env;
    const node = tasks.currentHandle + CONTEXT + TaskContext.w.wait_node;
    listDelInit(ram, node);
    listAddTail(ram, node, task + CONTEXT + TaskContext.w.exit_waiters);
  }

  /** The current task, for messages. */
  current(): CurrentTask {
    return this.env.tasks.current();
  }
}
