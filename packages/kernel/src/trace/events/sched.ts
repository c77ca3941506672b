// SPDX-License-Identifier: MIT
/** sched:*, with Linux's fields and text. */

import { PF_KTHREAD, TASK_DEAD, TaskStruct } from '../../kernel/sched.js';
import type { Env } from '../../lib/env.js';
import type { Handle } from '../../machine/layout.js';
import type { Tracepoint } from '../tracepoint.js';
import { eventTools } from './support.js';

type TaskEvent = { comm: string; pid: number; prio: number };
type WakeEvent = TaskEvent & { target_cpu: number };
type SwitchEvent = {
  prev_comm: string;
  prev_pid: number;
  prev_prio: number;
  prev_state: number;
  next_comm: string;
  next_pid: number;
  next_prio: number;
};

/** States that are reported, by bit. */
const STATES = ['S', 'D', 'T', 't', 'X', 'Z', 'P', 'I'];
const TASK_REPORT = 0x7f;
const TASK_NOLOAD = 0x400;
const EXIT_DEAD = 0x10;
const EXIT_ZOMBIE = 0x20;
const REPORT_IDLE = 0x80;
const TASK_PRINT = '"comm=%s pid=%d prio=%d", REC->comm, REC->pid, REC->prio';

export class SchedTrace {
  readonly switch: Tracepoint<SwitchEvent>;
  readonly waking: Tracepoint<WakeEvent>;
  readonly wakeup: Tracepoint<WakeEvent>;
  readonly wakeupNew: Tracepoint<WakeEvent>;
  readonly processExit: Tracepoint<TaskEvent>;

  constructor(private readonly env: Env) {
    const { event } = eventTools(env);
    const wake = (name: string) =>
      event<WakeEvent>(
        `sched:${name}`,
        ['char comm[16]', 'pid_t pid', 'int prio', 'int target_cpu'],
        '"comm=%s pid=%d prio=%d target_cpu=%03d", REC->comm, REC->pid, REC->prio, REC->target_cpu',
        (f) =>
          `comm=${f.comm} pid=${f.pid} prio=${f.prio} target_cpu=${String(f.target_cpu).padStart(3, '0')}`,
      );
    this.waking = wake('sched_waking');
    this.wakeup = wake('sched_wakeup');
    this.wakeupNew = wake('sched_wakeup_new');
    this.switch = event(
      'sched:sched_switch',
      [
        'char prev_comm[16]',
        'pid_t prev_pid',
        'int prev_prio',
        'long prev_state',
        'char next_comm[16]',
        'pid_t next_pid',
        'int next_prio',
      ],
      '"prev_comm=%s prev_pid=%d prev_prio=%d prev_state=%s%s ==> next_comm=%s next_pid=%d next_prio=%d", ' +
        'REC->prev_comm, REC->prev_pid, REC->prev_prio, (REC->prev_state & 0xff) ? ' +
        `__print_flags(REC->prev_state & 0xff, "|", ${STATES.map((s, i) => `{ 0x${(1 << i).toString(16).padStart(4, '0')}, "${s}" }`).join(', ')}) : "R", ` +
        'REC->prev_state & 0x100 ? "+" : "", REC->next_comm, REC->next_pid, REC->next_prio',
      (f) =>
        `prev_comm=${f.prev_comm} prev_pid=${f.prev_pid} prev_prio=${f.prev_prio} ` +
        `prev_state=${stateText(f.prev_state)} ==> next_comm=${f.next_comm} next_pid=${f.next_pid} next_prio=${f.next_prio}`,
    );
    this.processExit = event(
      'sched:sched_process_exit',
      ['char comm[16]', 'pid_t pid', 'int prio'],
      TASK_PRINT,
      (f) => `comm=${f.comm} pid=${f.pid} prio=${f.prio}`,
    );
  }

  private describe(task: Handle): TaskEvent {
    const t = TaskStruct.at(this.env.ram, task);
    const end = t.comm.indexOf(0);
    const comm = String.fromCharCode(...t.comm.subarray(0, end < 0 ? t.comm.length : end));
    return { comm, pid: t.pid, prio: t.prio };
  }

  /** A CPU goes from idling to a task. Whoever calls has looked whether somebody listens. */
  switchTo(task: Handle): void {
    const { comm, pid, prio } = this.describe(task);
    const idle = this.idle();
    this.switch.emit({
      ...{ prev_comm: idle.comm, prev_pid: 0, prev_prio: idle.prio, prev_state: 0 },
      ...{ next_comm: comm, next_pid: pid, next_prio: prio },
    });
  }

  /** A task leaves its CPU, which idles, if only for a moment. */
  switchFrom(task: Handle): void {
    const { comm, pid, prio } = this.describe(task);
    const idle = this.idle();
    this.switch.emit({
      ...{ prev_comm: comm, prev_pid: pid, prev_prio: prio, prev_state: this.stateOf(task) },
      ...{ next_comm: idle.comm, next_pid: 0, next_prio: idle.prio },
    });
  }

  private idle(): { comm: string; prio: number } {
    return { comm: `swapper/${this.env.cpu()}`, prio: 120 };
  }

  /** One bit, or 0. @linux include/linux/sched.h:__task_state_index full */
  private stateOf(task: Handle): number {
    const { __state, flags } = TaskStruct.at(this.env.ram, task);
    if (__state & TASK_DEAD) return flags & PF_KTHREAD ? EXIT_DEAD : EXIT_ZOMBIE;
    if (__state & TASK_NOLOAD) return REPORT_IDLE;
    const state = __state & TASK_REPORT;
    return state === 0 ? 0 : 1 << (31 - Math.clz32(state));
  }

  /** A task is woken, for the first time or again. */
  woken(task: Handle, isNew: boolean): void {
    const target_cpu = TaskStruct.at(this.env.ram, task).thread_info.cpu;
    const event = { ...this.describe(task), target_cpu };
    if (isNew) return this.wakeupNew.emit(event);
    this.waking.emit(event);
    this.wakeup.emit(event);
  }

  get hearsWakeups(): boolean {
    return this.wakeup.enabled || this.waking.enabled || this.wakeupNew.enabled;
  }

  exit(task: Handle): void {
    this.processExit.emit(this.describe(task));
  }
}

function stateText(state: number): string {
  const names = STATES.filter((_, i) => state & (1 << i));
  return (names.length === 0 ? 'R' : names.join('|')) + (state & 0x100 ? '+' : '');
}
