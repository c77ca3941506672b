// SPDX-License-Identifier: MIT
/**
 * The scheduler: which task runs, sleeping and waking, and the virtual time that passes when nobody runs.
 *
 * One host thread runs all tasks, those of every virtual CPU. A task gives up its CPU only where it sleeps or calls
 * schedule(); the next is the one that has waited longest, or with boot parameter `sched_seed=N` one that a seeded
 * generator picks. When nobody can run, time jumps to the next timer.
 */

import type { Functions } from '../../arch/wasm64/functions.js';
import { type CurrentTask, DataCorruption, type Log } from '../../lib/env.js';
import { initListHead, listAddTail, listDelInit, listEmpty, listEntries, listFirst } from '../../lib/list.js';
import type { StaticData } from '../../lib/static_data.js';
import { StringTable } from '../../lib/string_table.js';
import { restStep } from '../../lib/walk.js';
import type { Clock } from '../../machine/clock.js';
import { type Handle, PAGE_SIZE, RAM_BASE, REG, SUSPEND, type Vaddr } from '../../machine/layout.js';
import type { Ram } from '../../machine/ram.js';
import { charge } from '../../machine/work.js';
import { GFP_KERNEL } from '../../mm/gfp.js';
import type { PageAllocator } from '../../mm/page_alloc.js';
import type { SchedTrace } from '../../trace/events/sched.js';
import type { Oops } from '../oops.js';
import { TaskExit, TaskKilled } from '../oops.js';
import type { Preempt } from '../preempt.js';
import { MAX_RT_PRIO, SCHED_IDLE, TASK_DEAD, TASK_NEW, TASK_RUNNING, TaskStruct } from '../sched.js';
import type { Tasks } from '../tasks.js';
import { CONTEXT, MAX_ARGUMENTS, type Outcome, SAVED_WORDS, TaskContext } from './context.js';

/** A step: what it is given is the step's data and the result of the C function that was called. */
export type Step = (data: readonly number[], result: number) => Outcome;

/** Pages for the saved frames of one task. */
const FRAMES_ORDER = 2;
const FRAMES_BYTES = PAGE_SIZE << FRAMES_ORDER;
/** Room for the signatures and frame names of all steps. */
const STRINGS_BYTES = 4096;
/** Switches after which tasks that always find something to do no longer keep time from passing. */
const SETTLE_SWITCHES = 10_000;
/** The same in virtual time. */
const SETTLE_NS = 10e9;
/** What a switch of tasks costs, in loop iterations of translated code: a little over a microsecond. */
const SWITCH_COUNT = 20;
/** Virtual time after which a command that sleeps counts as blocked for good, though timers still go off. */
const BLOCKED_NS = 600e9;
/** The same in turns of others, and of timers: they may be many in little time. */
const BLOCKED_TURNS = 150_000;

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
  readonly preempt: Preempt;
  readonly trace: SchedTrace;
  /** Runs what interrupts of all CPUs have to do by now. */
  runTimers(): void;
  /** Nanoseconds since power-on at which the next timer is due; Infinity if none. */
  nextTimer(): number;
  /** Nanoseconds since power-on. */
  now(): number;
  /** Lets time pass until then, if then is not yet; jiffies too. */
  advanceTo(ns: number): void;
  touchWatchdog(): void;
  /** Seed of the choice among tasks that can run; 0: whoever has waited longest. */
  readonly seed: number;
  readonly nrCpus: number;
}

/** Words from a task's handle. */
const WAKE_AT = CONTEXT + TaskContext.w.wake_at;
const DONE = CONTEXT + TaskContext.w.done;
const LAST_RAN = CONTEXT + TaskContext.w.last_ran;
const FN = CONTEXT + TaskContext.w.fn;
const STEP = CONTEXT + TaskContext.w.step;
const SUSPENDED = CONTEXT + TaskContext.w.suspended;
const STATE = TaskStruct.w.__state;

/** Tells the wrapper of a sleeping kernel function that the task goes to sleep now. */
export const SLEEP = Symbol('sleep');

/** One stage of a kernel function that C calls and that may sleep. */
export type Stages<A extends readonly number[]> = (stage: number, args: A) => number | typeof SLEEP;

/** C has written into a task_struct, or what stands in the queue is none. */
const spoiltTask = (): DataCorruption =>
  new DataCorruption(
    'corrupted stack end detected inside scheduler',
    'kernel/sched/core.c',
    5911,
    '__schedule',
  );

export class Scheduler {
  private readonly runQueue: Handle;
  private readonly switches: Handle;
  private readonly random: Handle;
  private readonly lastCpu: Handle;
  /** Not 0 once a task has a class or priority that decides who runs next. */
  private readonly ranked: Handle;
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
    this.random = data.declare('sched_random', 4);
    this.lastCpu = data.declare('sched_last_cpu', 4);
    this.ranked = data.declare('sched_ranked', 4);
  }

  boot(): void {
    const { ram, seed } = this.env;
    initListHead(ram, this.runQueue);
    this.reseed(seed);
    ram.i32[this.lastCpu] = -1;
  }

  /** Chooses the order in which tasks are picked from here on. @param seed 0: whoever has waited longest */
  reseed(seed: number): void {
    this.env.ram.i32[this.random] = seed === 0 ? 0 : Math.imul(seed, 0x9e3779b1) | 1;
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

  /** When a sleeping task is to be woken; -1 if never. */
  private wakeTime(task: Handle): number {
    return this.env.ram.s64(task + WAKE_AT);
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
    c.last_ran = this.env.now();
    ram.i32[this.lastCpu] = (ram.i32[this.lastCpu] + 1) % this.env.nrCpus;
    this.setCpu(task, ram.i32[this.lastCpu]);
    this.allowCpus(task, 2 ** this.env.nrCpus - 1);
    for (const list of ['run_list', 'wait_node', 'exit_waiters'] as const)
      initListHead(ram, task + CONTEXT + TaskContext.w[list]);
    data.forEach((value, i) => {
      ram.set64(this.words(task, 'data') + 2 * i, value);
    });
    return task;
  }

  /** The CPU that a task runs on. */
  cpuOf(task: Handle): number {
    return TaskStruct.at(this.env.ram, task).thread_info.cpu;
  }

  /** Has a task run on a CPU from now on. @linux kernel/sched/core.c:set_task_cpu full */
  setCpu(task: Handle, cpu: number): void {
    const { ram, tasks } = this.env;
    TaskStruct.at(ram, task).thread_info.cpu = cpu;
    if (task === tasks.currentHandle) ram.host32[REG.cpu >> 2] = cpu;
  }

  /** The CPUs that a task may run on, one bit each: at least one of them is there. It moves if it has to. @linux kernel/sched/core.c:__do_set_cpus_allowed full */
  allowCpus(task: Handle, mask: number): void {
    const { ram } = this.env;
    const t = TaskStruct.at(ram, task);
    const cpus = Array.from({ length: this.env.nrCpus }, (_, cpu) => cpu).filter((cpu) => (mask >>> cpu) & 1);
    t.cpus_mask = mask >>> 0;
    t.cpus_ptr = ram.addressOf(task + TaskStruct.w.cpus_mask);
    t.nr_cpus_allowed = cpus.length;
    if (!cpus.includes(t.thread_info.cpu)) this.setCpu(task, cpus[0]);
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
    const { ram, trace } = this.env;
    const state = ram.u32[task + STATE];
    if (!(state & mask) || ram.i32[task + DONE] === 1) return false;
    if (trace.hearsWakeups) trace.woken(task, state === TASK_NEW);
    ram.u32[task + STATE] = TASK_RUNNING;
    ram.set64(task + WAKE_AT, -1);
    if (task !== this.env.tasks.currentHandle) this.enqueue(task);
    return true;
  }

  // ---------------------------------------------------------------- running

  /** Runs tasks until one is done; what it waits for may take any virtual time. False if it can never be done. */
  runUntilDone(task: Handle): boolean {
    return this.orPanic(() => this.runTaskUntilDone(task));
  }

  private runTaskUntilDone(task: Handle): boolean {
    const { ram } = this.env;
    let ran = ram.s64(task + LAST_RAN);
    for (let turns = 0; ram.i32[task + DONE] === 0; turns++) {
      const last = ram.s64(task + LAST_RAN);
      if (last !== ran) turns = 0;
      ran = last;
      const mayGoOn = turns < BLOCKED_TURNS && this.env.now() - ran < BLOCKED_NS;
      if (mayGoOn && (this.runNext() || this.idle())) continue;
      this.onBlocked?.();
      return ram.i32[task + DONE] !== 0;
    }
    return true;
  }

  /** Told when time has passed, and when nothing will ever happen any more: whoever looks for hung tasks. */
  onTimePassed: (() => void) | undefined;
  onBlocked: (() => void) | undefined;

  /** Runs all that can run now, without moving the clock to the next timer. */
  settle(): void {
    this.orPanic(() => this.runAll());
  }

  private runAll(): void {
    const end = this.env.now() + SETTLE_NS;
    for (let i = 0; i < SETTLE_SWITCHES && this.env.now() < end && this.runNext(); i++);
  }

  /** Lets virtual time pass, with all that happens in it. */
  passTime(ns: number): void {
    this.orPanic(() => {
      const until = this.env.now() + ns;
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
      throw this.env.oops().asPanic(error);
    }
  }

  /** Runs a task from the queue until it sleeps or is done; false if the queue is empty. */
  private runNext(): boolean {
    const { ram } = this.env;
    this.env.runTimers();
    this.wakeSleepers();
    const node = this.pick();
    if (node === this.runQueue) return false;
    listDelInit(ram, node);
    this.run(node - TaskContext.w.run_list - CONTEXT);
    return true;
  }

  /** The task that runs next, by its link in the queue; the queue itself if it is empty. */
  private pick(): Handle {
    const { ram } = this.env;
    const first = listFirst(ram, this.runQueue);
    const ranked = ram.i32[this.ranked] !== 0;
    let x = ram.i32[this.random];
    if ((x === 0 && !ranked) || first === this.runQueue) return first;
    const all = this.candidates(ranked);
    if (x === 0) return all[0];
    x ^= x << 13; // xorshift (Marsaglia)
    x ^= x >>> 17;
    x ^= x << 5;
    ram.i32[this.random] = x;
    return all[(x >>> 0) % all.length];
  }

  /** The links of all tasks that may run next, longest waiting first: those of the first class and priority there is. */
  private candidates(ranked: boolean): Handle[] {
    const { ram } = this.env;
    const all = [...listEntries(ram, this.runQueue)];
    if (!ranked) return all;
    const ranks = all.map((node) => this.rank(node - TaskContext.w.run_list - CONTEXT));
    const best = Math.min(...ranks);
    return all.filter((_, i) => ranks[i] === best);
  }

  /** Real-time tasks by priority, then all others, then those of SCHED_IDLE. */
  private rank(task: Handle): number {
    const { prio, policy } = TaskStruct.at(this.env.ram, task);
    if (prio < MAX_RT_PRIO) return prio;
    return policy === SCHED_IDLE ? MAX_RT_PRIO + 1 : MAX_RT_PRIO;
  }

  /** From now on classes and priorities count when a task is picked. */
  useRanks(): void {
    this.env.ram.i32[this.ranked] = 1;
  }

  /** Virtual time at which something will happen by itself. */
  private nextEvent(): number {
    let next = this.env.nextTimer();
    for (const task of this.env.tasks.all()) {
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
    if (ns > this.env.now()) restStep(this.env.ram);
    this.env.advanceTo(ns);
    this.env.touchWatchdog(); // an idle CPU is no stuck one
    this.onTimePassed?.();
  }

  private wakeSleepers(): void {
    const now = this.env.now();
    for (const task of this.env.tasks.all()) {
      const at = this.wakeTime(task);
      if (at < 0 || at > now) continue;
      this.env.ram.set64(task + WAKE_AT, -1);
      this.wake(task, ~0);
    }
  }

  /** Switches to a task and lets it run. */
  private run(task: Handle): void {
    const { tasks, ram, preempt } = this.env;
    const c = this.context(task);
    const { stack, thread_info } = TaskStruct.at(ram, task);
    if (!ram.isDirect(stack) || thread_info.cpu >= this.env.nrCpus) throw spoiltTask();
    ram.add64(this.switches, 1);
    restStep(ram);
    charge(ram, SWITCH_COUNT);
    this.env.touchWatchdog();
    ram.host32[REG.cpu >> 2] = this.cpuOf(task);
    preempt.restore({ count: 0, irqsDisabled: false, rcuNesting: c.rcu_nesting });
    c.hung_reported = 0;
    c.step_started = 1;
    const started = this.env.now();
    if (this.env.trace.switch.enabled) this.env.trace.switchTo(task);
    tasks.switchTo(task, () => {
      try {
        this.proceed(task);
      } catch (thrown) {
        const error = this.env.oops().endOfTask(thrown);
        ram.host32[REG.suspend >> 2] = SUSPEND.none;
        this.rooted = false;
        if (error instanceof TaskExit) this.finish(task, error.result, 0);
        else this.finish(task, 0, error.signal);
      }
      c.rcu_nesting = preempt.rcuNesting;
      c.last_ran = this.env.now();
      this.account(task, c.last_ran - started);
      if (this.env.trace.switch.enabled) this.env.trace.switchFrom(task);
      preempt.reset();
      ram.host32[REG.cpu >> 2] = 0;
    });
    for (const dead of this.toReap.splice(0)) this.release(dead);
  }

  /** Counts a stretch of CPU time, and whether the task gave up its CPU by itself. */
  private account(task: Handle, ns: number): void {
    const { ram } = this.env;
    ram.add64(task + TaskStruct.w.stime, ns);
    const waits = ram.i32[task + STATE] !== TASK_RUNNING;
    ram.add64(task + (waits ? TaskStruct.w.nvcsw : TaskStruct.w.nivcsw), 1);
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
    const { ram } = this.env;
    for (;;) {
      let result = 0;
      if (ram.s64(task + FN) !== 0) {
        result = this.callC(task);
        if (ram.i32[task + SUSPENDED] !== 0) return;
        ram.set64(task + FN, 0);
      }
      const step = this.stepByName.get(this.stepNames[ram.u32[task + STEP]]);
      if (!step) throw spoiltTask();
      const outcome = step(this.readWords(task, 'data'), result);
      if (outcome.kind === 'done') return this.finish(task, outcome.result, 0);
      ram.i32[task + STEP] = this.stepNames.indexOf(outcome.step);
      this.writeWords(task, 'data', outcome.data);
      if (outcome.kind === 'sleep') return;
      const c = this.context(task);
      c.fn = outcome.fn;
      c.signature = this.strings.numberOf(outcome.signature);
      c.nr_args = outcome.args.length;
      c.trace = this.strings.numberOf(outcome.frames.join(' '));
      this.writeWords(task, 'args', outcome.args);
    }
  }

  private readWords(task: Handle, field: 'args' | 'data', n = MAX_ARGUMENTS): number[] {
    const { ram } = this.env;
    const at = this.words(task, field);
    const words: number[] = [];
    for (let i = 0; i < Math.min(n, MAX_ARGUMENTS); i++) words.push(ram.s64(at + 2 * i));
    return words;
  }

  private writeWords(task: Handle, field: 'args' | 'data', values: readonly number[]): void {
    const { ram } = this.env;
    const at = this.words(task, field);
    for (let i = 0; i < values.length; i++) ram.set64(at + 2 * i, values[i]);
  }

  /** Calls the task's C function, or winds its saved frames up again. */
  private callC(task: Handle): number {
    const { ram, functions } = this.env;
    const { host32 } = ram;
    const c = this.context(task);
    const signature = this.strings.text(c.signature);
    const args = this.readWords(task, 'args', c.nr_args);
    const frames = this.framesOf(c.trace);
    const resumed = c.suspended === 1;
    if (resumed) {
      c.suspended = 0;
      host32[REG.suspend >> 2] = SUSPEND.rewinding;
      host32[REG.frames >> 2] = c.frames;
      host32[REG.framesEnd >> 2] = this.framesStart(c.frames_page) + FRAMES_BYTES;
      ram.hostView.setBigInt64(REG.sp, BigInt(c.sp), true);
    }
    this.rooted = true;
    const result = functions.withFrames(frames, () =>
      functions.callAddress(c.fn, signature, (address, id) => this.env.target(address, id), ...args),
    );
    this.rooted = false;
    if (host32[REG.suspend >> 2] !== SUSPEND.unwinding) return result;
    host32[REG.suspend >> 2] = SUSPEND.none;
    c.suspended = 1;
    c.frames = host32[REG.frames >> 2];
    c.sp = Number(ram.hostView.getBigInt64(REG.sp, true));
    return 0;
  }

  /** Return addresses within the functions that a string of the table names. */
  private framesOf(trace: number): readonly Vaddr[] {
    this.frames[trace] ??= this.strings
      .text(trace)
      .split(' ')
      .filter((name) => name !== '')
      .map((name) => this.env.returnAddress(name));
    return this.frames[trace];
  }

  /** What `framesOf` has found, by the number of the string. */
  private readonly frames: (readonly Vaddr[])[] = [];

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
    if (this.env.trace.processExit.enabled) this.env.trace.exit(task);
    c.fn = 0;
    c.wake_at = -1;
    TaskStruct.at(ram, task).__state = TASK_DEAD;
    this.leaveWaitList?.(task);
    this.wakeWaiters(task);
    if (this.onExit) this.onExit(task);
  }

  /** Takes a task that ends off the list of a lock that it waited for: an oops may have come in between. */
  leaveWaitList: ((task: Handle) => void) | undefined;

  /** Wakes those who wait for a task to end, or to park. */
  wakeWaiters(task: Handle): void {
    const { ram } = this.env;
    for (const node of listEntries(ram, task + CONTEXT + TaskContext.w.exit_waiters)) {
      listDelInit(ram, node);
      this.wake(node - TaskContext.w.wait_node - CONTEXT, ~0);
    }
  }

  /** Told when a task is over, while it is still the current one. */
  onExit: ((task: Handle) => void) | undefined;

  /** Switches of tasks since power-on, and tasks that could run now. */
  get statistics(): { readonly switches: number; readonly runnable: number } {
    const { ram } = this.env;
    return { switches: ram.u64(this.switches), runnable: [...listEntries(ram, this.runQueue)].length };
  }

  /** Tasks that could run now, the one that runs not among them. */
  runnable(): Handle[] {
    return [...listEntries(this.env.ram, this.runQueue)].map((n) => n - TaskContext.w.run_list - CONTEXT);
  }

  /** How a finished task ended. */
  result(task: Handle): { result: number; signal: number } {
    const c = this.context(task);
    return { result: c.result, signal: c.killed_by };
  }

  isDone(task: Handle): boolean {
    return this.context(task).done === 1;
  }

  /** Gives a finished task's memory back, unless that has been done; what others refer to stays. */
  release(task: Handle): void {
    if (this.env.tasks.isFreed(task)) return;
    const c = this.context(task);
    if (c.frames_page !== 0) this.env.pages().freePages(c.frames_page, FRAMES_ORDER);
    c.frames_page = 0;
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
    const { preempt } = this.env;
    const possible = this.rooted && this.env.functions.depth === 1 && this.env.canSuspend();
    if (preempt.inAtomic || !possible) oops().schedulingWhileAtomic(preempt.count + 1, !possible);
    if (preempt.rcuNesting > 0) this.sleepsAsReader();
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
    const t = TaskStruct.at(ram, task);
    if (this.signalPending?.(task, t.__state)) t.__state = TASK_RUNNING;
    if (t.__state === TASK_RUNNING) this.enqueue(task);
    else this.onSleep?.(task);
    return SLEEP;
  }

  /** Whether a signal keeps a task from sleeping in a state. */
  signalPending: ((task: Handle, state: number) => boolean) | undefined;

  /** @linux kernel/rcu/tree_plugin.h:rcu_note_context_switch partial: the report */
  private sleepsAsReader(): void {
    const message = 'Voluntary context switch within RCU read-side critical section!';
    this.env.oops().warn('kernel/rcu/tree_plugin.h', 318, 'rcu_note_context_switch', message);
  }

  /** Told when the current task goes to sleep, before another runs. */
  onSleep: ((task: Handle) => void) | undefined;

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

  /** Nanoseconds since power-on. */
  get now(): number {
    return this.env.now();
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

  get currentTask(): Handle {
    return this.env.tasks.currentHandle;
  }

  /** The current task, for messages. */
  current(): CurrentTask {
    return this.env.tasks.current();
  }
}
