// SPDX-License-Identifier: MIT
/**
 * Nice values, scheduling classes, and the CPUs that a task may run on.
 *
 * A task of SCHED_FIFO or SCHED_RR is picked before all others, by its priority; one of SCHED_IDLE after all others.
 * Nice values are kept and shown, and change no order: tasks run until they sleep, so there are no slices to weigh.
 * Nobody is preempted: a task that wakes waits until the running one sleeps, whatever their classes.
 */

import type { KernelExports } from '../../arch/wasm64/exports.js';
import { EINVAL } from '../../lib/errno.js';
import { type GuestAccess, readUnsigned, writeInteger } from '../../lib/guest_access.js';
import type { Handle, Vaddr } from '../../machine/layout.js';
import {
  DEFAULT_PRIO,
  MAX_RT_PRIO,
  SCHED_BATCH,
  SCHED_FIFO,
  SCHED_IDLE,
  SCHED_NORMAL,
  SCHED_RR,
  TaskStruct,
} from '../sched.js';
import type { Tasks } from '../tasks.js';
import type { Scheduler } from './core.js';

const MIN_NICE = -20;
const MAX_NICE = 19;
const POLICIES = [SCHED_NORMAL, SCHED_FIFO, SCHED_RR, SCHED_BATCH, SCHED_IDLE];
const isRealTime = (policy: number) => policy === SCHED_FIFO || policy === SCHED_RR;

export interface PolicyDeps extends GuestAccess {
  readonly tasks: Tasks;
  readonly scheduler: Scheduler;
  readonly nrCpus: number;
  cpu(): number;
}

export class SchedPolicy {
  constructor(private readonly deps: PolicyDeps) {}

  private task(task: Handle) {
    return TaskStruct.at(this.deps.ram, task);
  }

  /** @linux kernel/sched/core.c:set_user_nice full */
  setNice(task: Handle, nice: number): void {
    const t = this.task(task);
    if (nice < MIN_NICE || nice > MAX_NICE || t.static_prio - DEFAULT_PRIO === nice) return;
    t.static_prio = DEFAULT_PRIO + nice;
    if (isRealTime(t.policy)) return;
    t.prio = t.static_prio;
    t.normal_prio = t.static_prio;
  }

  /**
   * @param priority 1 to 99 for real-time classes, else 0
   * @returns 0 or -EINVAL
   * @linux kernel/sched/core.c:__sched_setscheduler partial: no deadline class
   */
  set(task: Handle, policy: number, priority: number): number {
    if (!POLICIES.includes(policy) || priority >= MAX_RT_PRIO) return -EINVAL;
    if (isRealTime(policy) !== priority > 0) return -EINVAL;
    const t = this.task(task);
    t.policy = policy;
    t.rt_priority = priority;
    t.normal_prio = isRealTime(policy) ? MAX_RT_PRIO - 1 - priority : t.static_prio;
    t.prio = t.normal_prio;
    if (isRealTime(policy) || policy === SCHED_IDLE) this.deps.scheduler.queue.useRanks();
    return 0;
  }

  /** @linux kernel/sched/core.c:set_cpus_allowed_ptr full */
  private setCpus(task: Handle, mask: Vaddr): number {
    const { scheduler, nrCpus } = this.deps;
    const wanted = readUnsigned(this.deps, mask, 4) & (2 ** nrCpus - 1);
    if (wanted === 0) return -EINVAL;
    scheduler.allowCpus(task, wanted);
    return 0;
  }

  /** Whether a CPU has nothing to run. @linux kernel/sched/core.c:idle_cpu full */
  private isIdle(cpu: number): boolean {
    const { tasks, scheduler } = this.deps;
    const running = tasks.currentHandle !== tasks.initTask && this.deps.cpu() === cpu;
    return !running && !scheduler.queue.tasks().some((task) => scheduler.cpuOf(task) === cpu);
  }

  exports(): KernelExports {
    const { ram, tasks } = this.deps;
    const setParam = (task: Vaddr, policy: number, param: Vaddr) =>
      this.set(ram.handleOf(task), policy, readUnsigned(this.deps, param, 4) | 0);
    const times = (task: Vaddr, user: Vaddr, system: Vaddr) => {
      const t = this.task(ram.handleOf(task));
      writeInteger(this.deps, user, t.utime, 8);
      writeInteger(this.deps, system, t.stime, 8);
    };
    return {
      set_user_nice: ['v:pl', (task: Vaddr, nice: number) => this.setNice(ram.handleOf(task), nice)],
      task_prio: ['i:p', (task: Vaddr) => this.task(ram.handleOf(task)).prio - MAX_RT_PRIO],
      sched_setscheduler: ['i:pip', setParam],
      sched_setscheduler_nocheck: ['i:pip', setParam],
      sched_set_fifo: [
        'v:p',
        (task: Vaddr) => void this.set(ram.handleOf(task), SCHED_FIFO, MAX_RT_PRIO / 2),
      ],
      sched_set_fifo_low: ['v:p', (task: Vaddr) => void this.set(ram.handleOf(task), SCHED_FIFO, 1)],
      sched_set_normal: [
        'v:pi',
        (task: Vaddr, nice: number) => {
          this.set(ram.handleOf(task), SCHED_NORMAL, 0);
          this.setNice(ram.handleOf(task), nice);
        },
      ],
      set_cpus_allowed_ptr: ['i:pp', (task: Vaddr, mask: Vaddr) => this.setCpus(ram.handleOf(task), mask)],
      idle_cpu: ['i:i', (cpu: number) => Number(this.isIdle(cpu))],
      idle_task: ['p:i', () => ram.addressOf(tasks.initTask)],
      task_sched_runtime: [
        'z:p',
        (task: Vaddr) => this.task(ram.handleOf(task)).utime + this.task(ram.handleOf(task)).stime,
      ],
      task_cputime_adjusted: ['v:ppp', times],
      thread_group_cputime_adjusted: ['v:ppp', times],
    };
  }
}
