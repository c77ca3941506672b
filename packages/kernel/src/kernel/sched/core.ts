// SPDX-License-Identifier: MIT
/**
 * The scheduler: making tasks, switching to them, sleeping and waking.
 *
 * One host thread runs all tasks, those of every virtual CPU. A task gives up its CPU only where it sleeps or calls
 * schedule().
 *
 *     run_loop.ts    for how long tasks run, and the virtual time that passes when nobody does
 *     run_queue.ts   which of them is next
 *     task_calls.ts  their C functions, and the frames of those that sleep
 */

import { type CurrentTask, DataCorruption } from '../../lib/env.js';
import { initListHead, listAddTail, listDelInit, listEntries } from '../../lib/list.js';
import type { StaticData } from '../../lib/static_data.js';
import { restStep } from '../../lib/walk.js';
import { type Handle, REG, SUSPEND } from '../../machine/layout.js';
import { charge } from '../../machine/work.js';
import type { SchedTrace } from '../../trace/events/sched.js';
import { TaskExit } from '../oops.js';
import type { Preempt } from '../preempt.js';
import { TASK_DEAD, TASK_NEW, TASK_RUNNING, TaskStruct } from '../sched.js';
import {
  CONTEXT,
  contextOf,
  DONE,
  FN,
  type Outcome,
  SAVED_WORDS,
  STATE,
  STEP,
  SUSPENDED,
  TaskContext,
  WAKE_AT,
} from './context.js';
import { RunLoop, type RunLoopDeps } from './run_loop.js';
import { RunQueue } from './run_queue.js';
import { type TaskCallDeps, TaskCalls } from './task_calls.js';

/** A step: what it is given is the step's data and the result of the C function that was called. */
export type Step = (data: readonly number[], result: number) => Outcome;

/** What a switch of tasks costs, in loop iterations of translated code: a little over a microsecond. */
const SWITCH_COUNT = 20;

export interface SchedulerEnvironment extends RunLoopDeps, TaskCallDeps {
  readonly preempt: Preempt;
  readonly trace: SchedTrace;
  /** Seed of the choice among tasks that can run; 0: whoever has waited longest. */
  readonly seed: number;
  readonly nrCpus: number;
}

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
  readonly queue: RunQueue;
  readonly loop: RunLoop;
  private readonly calls: TaskCalls;
  private readonly switches: Handle;
  private readonly lastCpu: Handle;
  private readonly stepByName = new Map<string, Step>();
  private readonly stepNames: string[] = [];
  /** Finished tasks that nobody waits for; empty whenever no task runs. */
  private readonly toReap: Handle[] = [];

  /** Told when the current task goes to sleep, before another runs. */
  onSleep: ((task: Handle) => void) | undefined;
  /** Told when a task is over, while it is still the current one. */
  onExit: ((task: Handle) => void) | undefined;
  /** Takes a task that ends off the list of a lock that it waited for: an oops may have come in between. */
  leaveWaitList: ((task: Handle) => void) | undefined;
  /** Whether a signal keeps a task from sleeping in a state. */
  signalPending: ((task: Handle, state: number) => boolean) | undefined;

  constructor(
    private readonly env: SchedulerEnvironment,
    data: StaticData,
  ) {
    this.queue = new RunQueue(env.ram, data);
    this.loop = new RunLoop(env, this.queue, this);
    this.calls = new TaskCalls(env, data);
    this.switches = data.declare('nr_context_switches', 8);
    this.lastCpu = data.declare('sched_last_cpu', 4);
  }

  boot(): void {
    const { ram, seed } = this.env;
    this.queue.boot(seed);
    ram.i32[this.lastCpu] = -1;
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
    return contextOf(this.env.ram, task);
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
    this.calls.writeWords(task, 'data', data);
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
    if (task !== this.env.tasks.currentHandle) this.queue.add(task);
    return true;
  }

  // ---------------------------------------------------------------- running

  /** Switches to a task and lets it run until it sleeps or is done. */
  run(task: Handle): void {
    const { tasks, ram, preempt, trace } = this.env;
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
    if (trace.switch.enabled) trace.switchTo(task);
    tasks.switchTo(task, () => {
      try {
        this.proceed(task);
      } catch (thrown) {
        this.diedOf(thrown, task);
      }
      c.rcu_nesting = preempt.rcuNesting;
      c.last_ran = this.env.now();
      this.account(task, c.last_ran - started);
      if (trace.switch.enabled) trace.switchFrom(task);
      preempt.reset();
      ram.host32[REG.cpu >> 2] = 0;
    });
    for (const dead of this.toReap.splice(0)) this.release(dead);
  }

  /** What a task's C threw ends the task, or the machine. */
  private diedOf(thrown: unknown, task: Handle): void {
    const error = this.env.oops().endOfTask(thrown);
    this.calls.abandon();
    if (error instanceof TaskExit) this.finish(task, error.result, 0);
    else this.finish(task, 0, error.signal);
  }

  /** Counts a stretch of CPU time, and whether the task gave up its CPU by itself. */
  private account(task: Handle, ns: number): void {
    const { ram } = this.env;
    ram.add64(task + TaskStruct.w.stime, ns);
    const waits = ram.i32[task + STATE] !== TASK_RUNNING;
    ram.add64(task + (waits ? TaskStruct.w.nvcsw : TaskStruct.w.nivcsw), 1);
  }

  /** Steps and C functions of the current task, one after the other, until it sleeps or is done. */
  private proceed(task: Handle): void {
    const { calls } = this;
    const { ram } = this.env;
    for (;;) {
      let result = 0;
      if (ram.s64(task + FN) !== 0) {
        result = calls.run(task);
        if (ram.i32[task + SUSPENDED] !== 0) return;
        ram.set64(task + FN, 0);
      }
      const step = this.stepByName.get(this.stepNames[ram.u32[task + STEP]]);
      if (!step) throw spoiltTask();
      const outcome = step(calls.readWords(task, 'data'), result);
      if (outcome.kind === 'done') return this.finish(task, outcome.result, 0);
      ram.i32[task + STEP] = this.stepNames.indexOf(outcome.step);
      calls.writeWords(task, 'data', outcome.data);
      if (outcome.kind === 'sleep') return;
      calls.prepare(task, outcome);
    }
  }

  /** Switches of tasks since power-on, and tasks that could run now. */
  get statistics(): { readonly switches: number; readonly runnable: number } {
    return { switches: this.env.ram.u64(this.switches), runnable: this.queue.tasks().length };
  }

  // ---------------------------------------------------------------- the end of a task

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

  /** Wakes those who wait for a task to end, or to park. */
  wakeWaiters(task: Handle): void {
    const { ram } = this.env;
    for (const node of listEntries(ram, task + CONTEXT + TaskContext.w.exit_waiters)) {
      listDelInit(ram, node);
      this.wake(node - TaskContext.w.wait_node - CONTEXT, ~0);
    }
  }

  /** Wakes the current task when another is done: steps that wait for a task put themselves on its list. */
  waitForExit(task: Handle): void {
    const { ram, tasks } = this.env;
    const node = tasks.currentHandle + CONTEXT + TaskContext.w.wait_node;
    listDelInit(ram, node);
    listAddTail(ram, node, task + CONTEXT + TaskContext.w.exit_waiters);
  }

  /** How a finished task ended. */
  result(task: Handle): { result: number; signal: number } {
    const c = this.context(task);
    return { result: c.result, signal: c.killed_by };
  }

  isDone(task: Handle): boolean {
    return this.context(task).done === 1;
  }

  /** Frees a finished task once it is off its stack. */
  reap(task: Handle): void {
    this.toReap.push(task);
  }

  /** Gives a finished task's memory back, unless that has been done; what others refer to stays. */
  release(task: Handle): void {
    if (this.env.tasks.isFreed(task)) return;
    this.calls.free(task);
    this.queue.remove(task);
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
    const { ram, oops, tasks, preempt } = this.env;
    const task = tasks.currentHandle;
    const possible = this.calls.canUnwind;
    if (preempt.inAtomic || !possible) oops().schedulingWhileAtomic(preempt.count + 1, !possible);
    if (preempt.rcuNesting > 0) this.sleepsAsReader();
    this.calls.unwind(task);
    this.context(task).stage = stage;
    const t = TaskStruct.at(ram, task);
    if (this.signalPending?.(task, t.__state)) t.__state = TASK_RUNNING;
    if (t.__state === TASK_RUNNING) this.queue.add(task);
    else this.onSleep?.(task);
    return SLEEP;
  }

  /** @linux kernel/rcu/tree_plugin.h:rcu_note_context_switch partial: the report */
  private sleepsAsReader(): void {
    const message = 'Voluntary context switch within RCU read-side critical section!';
    this.env.oops().warn('kernel/rcu/tree_plugin.h', 318, 'rcu_note_context_switch', message);
  }

  private savedWord(i: number): Handle {
    return this.currentTask + CONTEXT + TaskContext.w.saved + 2 * i;
  }

  /** A word that the sleeping function of the current task keeps across its stages. */
  getSaved(i: number): number {
    return this.env.ram.s64(this.savedWord(i));
  }

  setSaved(i: number, value: number): void {
    if (i >= SAVED_WORDS) throw new RangeError(`saved word ${i}`);
    this.env.ram.set64(this.savedWord(i), value);
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

  get currentTask(): Handle {
    return this.env.tasks.currentHandle;
  }

  /** The current task, for messages. */
  current(): CurrentTask {
    return this.env.tasks.current();
  }
}
