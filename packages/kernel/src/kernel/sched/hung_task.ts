// SPDX-License-Identifier: MIT
/**
 * Finds tasks that have been in uninterruptible sleep for too long: those that wait for a lock whose holder waits
 * for them, or for an event that nobody will ever cause. Looks whenever time passes while nobody runs.
 */

import { type BootParameters, KERN_ERR, type Log } from '../../lib/env.js';
import type { StaticData } from '../../lib/static_data.js';
import type { Handle } from '../../machine/layout.js';
import type { Ram } from '../../machine/ram.js';
import type { Oops } from '../oops.js';
import { TASK_NOLOAD, TASK_UNINTERRUPTIBLE, TASK_WAKEKILL, TaskStruct } from '../sched.js';
import type { Tasks } from '../tasks.js';
import { contextOf } from './context.js';

/** Seconds: sysctl kernel.hung_task_timeout_secs. */
const TIMEOUT_SECONDS = 120;
/** How many reports there are at most: sysctl kernel.hung_task_warnings. */
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
  private readonly lastChecked: Handle;
  private readonly timeoutSecs: Handle;
  private readonly panics: Handle;

  constructor(
    private readonly deps: HungTaskDeps,
    data: StaticData,
  ) {
    this.warningsLeft = data.declare('sysctl_hung_task_warnings', 4);
    this.lastChecked = data.declare('hung_last_checked', 8);
    this.timeoutSecs = data.declare('sysctl_hung_task_timeout_secs', 8);
    this.panics = data.declare('sysctl_hung_task_panic', 4);
  }

  /** Boot parameter `hung_task_panic=1`. */
  boot(parameters: BootParameters): void {
    const { ram } = this.deps;
    ram.i32[this.warningsLeft] = WARNINGS;
    ram.set64(this.timeoutSecs, TIMEOUT_SECONDS);
    ram.i32[this.panics] = Number(parameters.get('hung_task_panic') === '1');
  }

  /** Nanoseconds after which a sleep is too long; 0: nobody looks. */
  private get timeoutNs(): number {
    return this.deps.ram.u64(this.timeoutSecs) * 1e9;
  }

  private context(task: Handle) {
    return contextOf(this.deps.ram, task);
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

  /** Looks for hung tasks when the time has come: once in each timeout. */
  check(): void {
    const { ram } = this.deps;
    const timeout = this.timeoutNs;
    if (timeout !== 0 && this.deps.now() >= ram.u64(this.lastChecked) + timeout) this.reportAll(timeout);
  }

  /** Reports who is hung. @linux kernel/hung_task.c:check_hung_uninterruptible_tasks full */
  private reportAll(timeout: number): void {
    const { ram, oops } = this.deps;
    const now = this.deps.now();
    ram.set64(this.lastChecked, now);
    const hung = this.sleepers().filter((task) => now - this.context(task).last_ran >= timeout);
    for (const task of hung) this.report(task, now);
    if (hung.length > 0 && ram.i32[this.panics] !== 0) oops.panic('hung_task: blocked tasks');
  }

  /** Nothing will ever happen any more: the time until the report passes at once. */
  checkBlocked(): void {
    const waiting = this.sleepers();
    const timeout = this.timeoutNs;
    if (waiting.length === 0 || timeout === 0) return;
    const last = Math.max(...waiting.map((task) => this.context(task).last_ran));
    this.deps.advanceTo(last + timeout);
    this.reportAll(timeout);
  }

  /** @linux kernel/hung_task.c:check_hung_task partial: no backtrace of other CPUs */
  private report(task: Handle, now: number): void {
    const { ram, log, tasks, oops } = this.deps;
    if (ram.i32[this.panics] !== 0) oops.consoleVerbose();
    if (ram.i32[this.warningsLeft] === 0) return;
    if (ram.i32[this.warningsLeft] > 0) ram.i32[this.warningsLeft]--;
    const c = this.context(task);
    c.hung_reported = 1;
    const { pid } = TaskStruct.at(ram, task);
    const comm = tasks.commOf(task);
    const seconds = Math.floor((now - c.last_ran) / 1e9);
    log.log(KERN_ERR, `INFO: task ${comm}:${pid} blocked for more than ${seconds} seconds.`);
    oops.showTask(comm, pid);
  }
}
