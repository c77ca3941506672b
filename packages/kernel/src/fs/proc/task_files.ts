// SPDX-License-Identifier: MIT
/** /proc/PID/comm, stat and status; /proc/loadavg and /proc/stat. */

import type { Scheduler } from '../../kernel/sched/core.js';
import { DEFAULT_PRIO, MAX_RT_PRIO, stateLetter, TASK_DEAD, TaskStruct } from '../../kernel/sched.js';
import type { Tasks } from '../../kernel/tasks.js';
import type { Handle } from '../../machine/layout.js';
import type { Ram } from '../../machine/ram.js';
import type { ProcFile, ProcRoot } from './root.js';

/** Clock ticks a second, as programs see them. */
const USER_HZ = 100;
const STAT_FIELDS = 52;
const ticks = (ns: number): number => Math.floor((ns * USER_HZ) / 1e9);

export interface TaskFileDeps {
  readonly ram: Ram;
  readonly tasks: Tasks;
  readonly scheduler: Scheduler;
  readonly nrCpus: number;
  /** Nanoseconds since power-on. */
  now(): number;
  /** Text of /proc/PID/mounts. */
  mounts(): string;
  /** Seconds since 1970 at power-on. */
  bootTime(): number;
  /** `0.12 0.05 0.01` */
  loadAverages(): string;
}

const STATE_NAMES: { readonly [letter: string]: string } = {
  R: 'running',
  S: 'sleeping',
  D: 'disk sleep',
  T: 'stopped',
  t: 'tracing stop',
  X: 'dead',
  Z: 'zombie',
  P: 'parked',
  I: 'idle',
};

/** Letter and name of a task's state. @linux fs/proc/array.c:get_task_state full */
export function taskState(state: number): readonly [letter: string, name: string] {
  const letter = state & TASK_DEAD ? 'X' : stateLetter(state);
  return [letter, STATE_NAMES[letter]];
}

export function createTaskFiles(proc: ProcRoot, deps: TaskFileDeps): void {
  const { tasks } = deps;
  proc.createComputed(() => {
    const files = new Map<string, ProcFile>();
    for (const task of tasks.all()) {
      const { pid } = TaskStruct.at(deps.ram, task);
      files.set(`${pid}/comm`, () => `${tasks.commOf(task)}\n`);
      files.set(`${pid}/stat`, () => statText(deps, task));
      files.set(`${pid}/mounts`, () => deps.mounts());
      files.set(`${pid}/status`, () => statusText(deps, task));
    }
    return files;
  });
  proc.create('loadavg', () => {
    const { runnable } = deps.scheduler.statistics;
    const all = tasks.all();
    const last = Math.max(0, ...all.map((task) => TaskStruct.at(deps.ram, task).pid));
    return `${deps.loadAverages()} ${Math.max(1, runnable)}/${all.length + 1} ${last}\n`;
  });
  proc.create('stat', () => systemStat(deps));
}

/** @linux fs/proc/array.c:do_task_stat partial: what this kernel does not count is 0 */
function statText({ ram, tasks }: TaskFileDeps, task: Handle): string {
  const t = TaskStruct.at(ram, task);
  const fields = new Array<number | string>(STAT_FIELDS).fill(0);
  const set = (field: number, value: number | string) => {
    fields[field - 1] = value;
  };
  set(1, t.pid);
  set(2, `(${tasks.commOf(task)})`);
  set(3, taskState(t.__state)[0]);
  set(4, TaskStruct.at(ram, t.real_parent).pid);
  set(8, -1);
  set(9, t.flags);
  set(14, ticks(t.utime));
  set(15, ticks(t.stime));
  set(18, t.prio - MAX_RT_PRIO);
  set(19, t.static_prio - DEFAULT_PRIO);
  set(20, 1);
  set(22, ticks(t.start_time));
  set(38, 17);
  set(39, t.thread_info.cpu);
  set(40, t.rt_priority);
  set(41, t.policy);
  return `${fields.join(' ')}\n`;
}

/** `0-1,3`: the CPUs of a mask. */
function cpuList(mask: number): string {
  const cpus = Array.from({ length: 32 }, (_, cpu) => cpu).filter((cpu) => (mask >>> cpu) & 1);
  const starts = cpus.filter((cpu) => !cpus.includes(cpu - 1));
  return starts
    .map((start) => {
      let end = start;
      while (cpus.includes(end + 1)) end++;
      return end === start ? String(start) : `${start}-${end}`;
    })
    .join(',');
}

/** @linux fs/proc/array.c:proc_pid_status partial: no memory, signals and capabilities */
function statusText({ ram, tasks }: TaskFileDeps, task: Handle): string {
  const t = TaskStruct.at(ram, task);
  const lines = [
    `Name:\t${tasks.commOf(task)}`,
    `State:\t${taskState(t.__state).join(' (')})`,
    `Tgid:\t${t.tgid}`,
    `Pid:\t${t.pid}`,
    `PPid:\t${TaskStruct.at(ram, t.real_parent).pid}`,
    'Uid:\t0\t0\t0\t0',
    'Gid:\t0\t0\t0\t0',
    'Threads:\t1',
    `Cpus_allowed_list:\t${cpuList(t.cpus_mask)}`,
    `voluntary_ctxt_switches:\t${t.nvcsw}`,
    `nonvoluntary_ctxt_switches:\t${t.nivcsw}`,
  ];
  return `${lines.join('\n')}\n`;
}

/** @linux fs/proc/stat.c:show_stat partial: all time counts as idle */
function systemStat({ scheduler, tasks, nrCpus, now, bootTime }: TaskFileDeps): string {
  const idle = Math.floor((now() * USER_HZ) / 1e9);
  const cpus = Array.from({ length: nrCpus }, (_, cpu) => `cpu${cpu} 0 0 0 ${idle} 0 0 0 0 0 0`);
  const { switches, runnable } = scheduler.statistics;
  const lines = [
    `cpu  0 0 0 ${idle * nrCpus} 0 0 0 0 0 0`,
    ...cpus,
    'intr 0',
    `ctxt ${switches}`,
    `btime ${bootTime()}`,
    `processes ${tasks.all().length}`,
    `procs_running ${Math.max(1, runnable)}`,
    'procs_blocked 0',
  ];
  return `${lines.join('\n')}\n`;
}
