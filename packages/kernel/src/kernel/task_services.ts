// SPDX-License-Identifier: MIT
/** What C asks and tells about tasks: their numbers, signals, classes, and how busy they keep the machine. */

import type { KernelExports } from '../arch/wasm64/exports.js';
import { type Env, KERN_INFO } from '../lib/env.js';
import type { Handle, Vaddr } from '../machine/layout.js';
import { MmStruct } from '../mm/mm_types.js';
import type { Slub } from '../mm/slub.js';
import { Pids } from './pid.js';
import type { Scheduler } from './sched/core.js';
import { LoadAverage } from './sched/loadavg.js';
import { SchedPolicy } from './sched/policy.js';
import { PF_KTHREAD, stateLetter, TASK_RUNNING, TaskStruct } from './sched.js';
import { Signals } from './signal.js';
import type { Tasks } from './tasks.js';

export interface TaskServiceDeps {
  readonly env: Env;
  readonly tasks: Tasks;
  readonly scheduler: Scheduler;
  readonly slub: Slub;
  jiffies(): number;
}

export class TaskServices {
  readonly signals: Signals;
  readonly pids: Pids;
  readonly policy: SchedPolicy;
  readonly load: LoadAverage;

  constructor(private readonly deps: TaskServiceDeps) {
    const { env, tasks, scheduler, slub } = deps;
    const { ram, guest, data, nrCpus } = env;
    const common = { ram, guest, tasks, scheduler, slub };
    // A task's signals are made before its number, which they refer to.
    this.signals = new Signals({ ...common, pids: () => this.pids }, data);
    this.pids = new Pids(common, data);
    this.policy = new SchedPolicy({ ...common, nrCpus, cpu: () => env.cpu() });
    this.load = new LoadAverage({ ...common, jiffies: deps.jiffies }, data);
  }

  boot(): void {
    this.signals.boot();
    this.pids.boot();
  }

  /** Makes a new task a kernel thread, in what is not its own work. */
  makeKthread(task: Handle): void {
    this.signals.ignoreAll(task);
    this.pids.joinKernel(task);
  }

  /** A line about a task; and its stack, if it is the one that runs. @linux kernel/sched/core.c:sched_show_task partial: no stacks of others */
  private show(task: Handle): void {
    const { env, tasks } = this.deps;
    const t = TaskStruct.at(env.ram, task);
    const parent = TaskStruct.at(env.ram, t.real_parent);
    const running = t.__state === TASK_RUNNING ? '  running task    ' : '';
    const number = (value: number, width: number) => String(value).padEnd(width);
    const line =
      `task:${tasks.commOf(task).padEnd(15)} state:${stateLetter(t.__state, t.exit_state)}${running}` +
      ` stack:${number(0, 5)} pid:${number(t.pid, 5)} ppid:${number(parent.pid, 6)}` +
      ` flags:0x${t.thread_info.flags.toString(16).padStart(8, '0')}`;
    env.log.log(KERN_INFO, line);
    if (task === tasks.currentHandle) env.reports.dumpStack(['sched_show_task']);
  }

  /** The address space of a process; NULL for a kernel thread. @linux kernel/fork.c:get_task_mm full */
  private taskMm(task: Handle): Vaddr {
    const { ram } = this.deps.env;
    const { mm, flags } = TaskStruct.at(ram, task);
    if (mm === 0 || flags & PF_KTHREAD) return 0;
    MmStruct.at(ram, mm).mm_users++;
    return ram.addressOf(mm);
  }

  exports(): KernelExports {
    const { env, tasks } = this.deps;
    const { ram } = env;
    const mmput = (mm: Vaddr) => {
      MmStruct.at(ram, ram.handleOf(mm)).mm_users--;
    };
    return {
      ...this.pids.exports(),
      ...this.signals.exports(),
      ...this.policy.exports(),
      sched_show_task: ['v:p', (task: Vaddr) => this.show(ram.handleOf(task))],
      __put_task_struct: ['v:p', (task: Vaddr) => tasks.freeStruct(ram.handleOf(task))],
      get_task_mm: ['p:p', (task: Vaddr) => this.taskMm(ram.handleOf(task))],
      mmput: ['v:p', mmput],
      mmput_async: ['v:p', mmput],
    };
  }
}
