// SPDX-License-Identifier: MIT
/**
 * Finds tasks that have been in uninterruptible sleep for too long: those that wait for a lock whose holder waits
 * for them, or for an event that nobody will ever cause. Looks whenever time passes while nobody runs.
 */

import { KERN_ERR, type Log } from '../../lib/env.js';
import type { StaticData } from '../../lib/static_data.js';
import type { Handle } from '../../machine/layout.js';
import type { Ram } from '../../machine/ram.js';
import type { Oops } from '../oops.js';
import { TASK_NOLOAD, TASK_UNINTERRUPTIBLE, TASK_WAKEKILL, TaskStruct } from '../sched.js';
import type { Tasks } from '../tasks.js';
import { CONTEXT, TaskContext } from './context.js';

/** sysctl_hung_task_timeout_secs. */
const TIMEOUT_NS = 120e9;
/** sysctl_hung_task_warnings: how many reports there are at most. */
const WARNINGS = 10;

export interface HungTaskDeps {
  readonly ram: Ram;
  readonly log: Log;
  readonly tasks: Tasks;
  readonly oops: Oops;
  now(): number;
  advanceTo(ns: number): void;
}

export class HungTasks {
  private readonly warningsLeft: Handle;
  private readonly nextCheck: Handle;

  constructor(
    private readonly deps: HungTaskDeps,
    data: StaticData,
  ) {
    this.warningsLeft = data.declare('sysctl_hung_task_warnings', 4);
    this.nextCheck = data.declare('hung_task_next_check', 8);
  }

  boot(): void {
    this.deps.ram.i32[this.warningsLeft] = WARNINGS;
    this.deps.ram.set64(this.nextCheck, TIMEOUT_NS);
  }

  private context(task: Handle) {
    return TaskContext.at(this.deps.ram, task + CONTEXT);
  }

  /** Tasks that sleep so that only a wake-up can help, and have not been reported for it. */
  private sleepers(): Handle[] {
    const { ram, tasks } = this.deps;
    return tasks.all().filter((task) => {
      const state = TaskStruct.at(ram, task).__state;
      const plain = (state & (TASK_UNINTERRUPTIBLE | TASK_WAKEKILL | TASK_NOLOAD)) === TASK_UNINTERRUPTIBLE;
      return plain && this.context(task).step_started === 1 && this.context(task).hung_reported === 0;
    });
  }

  /** Reports who is hung, at most once every two minutes. @linux kernel/hung_task.c:check_hung_uninterruptible_tasks full */
  check(): void {
    const { ram } = this.deps;
    const now = this.deps.now();
    if (now < ram.u64(this.nextCheck)) return;
    ram.set64(this.nextCheck, now + TIMEOUT_NS);
    for (const task of this.sleepers())
      if (now - this.context(task).last_ran >= TIMEOUT_NS) this.report(task, now);
  }

  /** Nothing will ever happen any more: the time until the report passes at once. */
  checkBlocked(): void {
    const waiting = this.sleepers();
    if (waiting.length === 0) return;
    const last = Math.max(...waiting.map((task) => this.context(task).last_ran));
    this.deps.advanceTo(last + TIMEOUT_NS);
    this.deps.ram.set64(this.nextCheck, 0);
    this.check();
  }

  /** @linux kernel/hung_task.c:check_hung_task partial: no backtrace of other CPUs */
  private report(task: Handle, now: number): void {
    const { ram, log, tasks, oops } = this.deps;
    if (ram.i32[this.warningsLeft] <= 0) return;
    ram.i32[this.warningsLeft]--;
    const c = this.context(task);
    c.hung_reported = 1;
    const { pid } = TaskStruct.at(ram, task);
    const comm = tasks.commOf(task);
    const seconds = Math.floor((now - c.last_ran) / 1e9);
    log.log(KERN_ERR, `INFO: task ${comm}:${pid} blocked for more than ${seconds} seconds.`);
    oops.showTask(comm, pid);
  }
}
