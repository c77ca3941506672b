// SPDX-License-Identifier: MIT
/**
 * Tasklets: functions that run once in a softirq after they were scheduled.
 *
 *     tasklet_vec[cpu] → tasklet → tasklet     linked by `next`; state bit 0: scheduled, bit 1: running
 */

import type { KernelExports } from '../arch/wasm64/exports.js';
import type { CallC } from '../lib/c_call.js';
import type { Reports } from '../lib/env.js';
import {
  type GuestAccess,
  readS64,
  readUnsigned,
  writeBytes,
  writeS64,
  writeU8,
  writeU32,
} from '../lib/guest_access.js';
import type { StaticData } from '../lib/static_data.js';
import type { Handle, Vaddr } from '../machine/layout.js';
import type { Scheduler } from './sched/core.js';
import type { WaitLists } from './sched/wait_list.js';
import { TASK_UNINTERRUPTIBLE } from './sched.js';
import { HI_SOFTIRQ, type Interrupts, TASKLET_SOFTIRQ } from './softirq.js';
import { TaskletStruct } from './time_types.js';

const { next: NEXT, state: STATE, count: COUNT, data: DATA, use_callback: USE_CALLBACK } = TaskletStruct.o;
const HANDLER = TaskletStruct.o.func;
const SCHED = 1;
const RUN = 2;
/** One list for each of two priorities and each CPU: first and last tasklet. */
const VEC_WORDS = 4;

export interface TaskletDeps extends GuestAccess {
  readonly interrupts: Interrupts;
  readonly reports: Reports;
  readonly scheduler: Scheduler;
  readonly waits: WaitLists;
  readonly callC: CallC;
  readonly nrCpus: number;
}

export class Tasklets {
  private readonly vecs: Handle;
  private readonly waiters: Handle;

  constructor(
    private readonly deps: TaskletDeps,
    data: StaticData,
  ) {
    this.vecs = data.declare('tasklet_vec', 2 * 4 * VEC_WORDS * deps.nrCpus);
    this.waiters = data.declare('tasklet_waiters', 16);
    for (const nr of [HI_SOFTIRQ, TASKLET_SOFTIRQ])
      deps.interrupts.openSoftirq(nr, (cpu) => this.run(nr, cpu));
  }

  boot(): void {
    this.deps.waits.list.init(this.waitersAddress);
  }

  private get waitersAddress(): Vaddr {
    return this.deps.ram.addressOf(this.waiters);
  }

  private vec(nr: number, cpu: number): Handle {
    return this.vecs + (2 * cpu + (nr === HI_SOFTIRQ ? 0 : 1)) * VEC_WORDS;
  }

  private state(t: Vaddr): number {
    return readUnsigned(this.deps, t + STATE, 4);
  }

  private setState(t: Vaddr, state: number): void {
    writeU32(this.deps, t + STATE, state);
  }

  /** The tasklet's state says already that it is scheduled. @linux kernel/softirq.c:__tasklet_schedule_common full */
  schedule(t: Vaddr, nr: number): void {
    const { ram, interrupts } = this.deps;
    const vec = this.vec(nr, interrupts.cpu);
    writeS64(this.deps, t + NEXT, 0);
    const last = ram.s64(vec + 2);
    if (last === 0) ram.set64(vec, t);
    else writeS64(this.deps, last + NEXT, t);
    ram.set64(vec + 2, t);
    interrupts.raiseSoftirq(nr);
  }

  /** @linux kernel/softirq.c:tasklet_action_common full */
  private run(nr: number, cpu: number): void {
    const { ram, reports, waits } = this.deps;
    const vec = this.vec(nr, cpu);
    let t = ram.s64(vec);
    ram.set64(vec, 0);
    ram.set64(vec + 2, 0);
    while (t !== 0) {
      const next = readS64(this.deps, t + NEXT);
      if (readUnsigned(this.deps, t + COUNT, 4) !== 0) this.schedule(t, nr);
      else {
        const state = this.state(t);
        if (!(state & SCHED)) reports.warn('kernel/softirq.c', 776, 'tasklet_action_common');
        this.setState(t, (state & ~SCHED) | RUN);
        this.call(t);
        this.setState(t, this.state(t) & ~RUN);
        waits.wakeAll(this.waitersAddress);
      }
      t = next;
    }
  }

  private call(t: Vaddr): void {
    const fn = readS64(this.deps, t + HANDLER);
    const withCallback = readUnsigned(this.deps, t + USE_CALLBACK, 1) !== 0;
    this.deps.callC(fn, 'v:p', withCallback ? t : readS64(this.deps, t + DATA));
  }

  private init(t: Vaddr, fn: Vaddr, data: number, callback: boolean): void {
    writeBytes(this.deps, t, new Uint8Array(TaskletStruct.size));
    writeS64(this.deps, t + HANDLER, fn);
    writeS64(this.deps, t + DATA, data);
    writeU8(this.deps, t + USE_CALLBACK, Number(callback));
  }

  /** Waits until a tasklet that is scheduled has run. @linux kernel/softirq.c:tasklet_kill full */
  private kill() {
    const { scheduler, waits } = this.deps;
    return scheduler.sleeping<readonly [Vaddr]>((_stage, [t]) => {
      if (!(this.state(t) & SCHED)) return 0;
      scheduler.setState(TASK_UNINTERRUPTIBLE);
      waits.add(this.waitersAddress);
      return scheduler.sleep(1);
    });
  }

  sleepingExports(): KernelExports {
    return { tasklet_kill: ['v:p', this.kill()] };
  }

  exports(): KernelExports {
    return {
      __tasklet_schedule: ['v:p', (t: Vaddr) => this.schedule(t, TASKLET_SOFTIRQ)],
      __tasklet_hi_schedule: ['v:p', (t: Vaddr) => this.schedule(t, HI_SOFTIRQ)],
      tasklet_init: ['v:ppl', (t: Vaddr, fn: Vaddr, data: number) => this.init(t, fn, data, false)],
      tasklet_setup: ['v:pp', (t: Vaddr, fn: Vaddr) => this.init(t, fn, 0, true)],
      // A tasklet runs to its end before any task goes on.
      tasklet_unlock_wait: ['v:p', () => undefined],
    };
  }
}
