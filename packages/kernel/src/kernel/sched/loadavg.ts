// SPDX-License-Identifier: MIT
/** The load averages: how many tasks ran or could not be interrupted, over 1, 5 and 15 minutes. */

import type { StaticData } from '../../lib/static_data.js';
import { NSEC_PER_TICK } from '../../machine/clock.js';
import type { Handle } from '../../machine/layout.js';
import type { Ram } from '../../machine/ram.js';
import { TASK_NOLOAD, TASK_UNINTERRUPTIBLE, TaskStruct } from '../sched.js';
import type { Tasks } from '../tasks.js';
import type { Scheduler } from './core.js';

/** Load averages are fixed-point numbers with so many binary places. */
const FSHIFT = 11;
const FIXED_1 = 1 << FSHIFT;
/** exp(-5 s / 1 min) and so on, as fixed-point numbers. */
const EXP = [1884, 2014, 2037] as const;
const HZ = 1e9 / NSEC_PER_TICK;
/** Ticks between two looks: five seconds and one tick. */
const LOAD_FREQ = 5 * HZ + 1;
/** After so many looks at an idle machine every average is 0. */
const FORGOTTEN = 20000;

export interface LoadDeps {
  readonly ram: Ram;
  readonly tasks: Tasks;
  readonly scheduler: Scheduler;
  jiffies(): number;
}

export class LoadAverage {
  private readonly averages: Handle;
  private readonly nextUpdate: Handle;

  constructor(
    private readonly deps: LoadDeps,
    data: StaticData,
  ) {
    this.averages = data.declare('avenrun', 8 * EXP.length);
    this.nextUpdate = data.declare('calc_load_update', 8);
  }

  boot(): void {
    this.deps.ram.set64(this.nextUpdate, this.deps.jiffies() + LOAD_FREQ);
  }

  /** Tasks that run, could run, or sleep where no signal wakes them. @linux kernel/sched/loadavg.c:calc_load_fold_active full */
  private active(): number {
    const { ram, tasks, scheduler } = this.deps;
    const asleep = tasks.all().filter((task) => {
      const { __state: state } = TaskStruct.at(ram, task);
      return (state & (TASK_UNINTERRUPTIBLE | TASK_NOLOAD)) === TASK_UNINTERRUPTIBLE;
    });
    return scheduler.queue.tasks().length + Number(tasks.currentHandle !== tasks.initTask) + asleep.length;
  }

  /** Looks, as often as it should have looked by now. @linux kernel/sched/loadavg.c:calc_global_load full */
  update(): void {
    const { ram, jiffies } = this.deps;
    const late = jiffies() - ram.s64(this.nextUpdate);
    if (late < 0) return;
    const looks = Math.floor(late / LOAD_FREQ) + 1;
    ram.set64(this.nextUpdate, ram.s64(this.nextUpdate) + looks * LOAD_FREQ);
    const active = this.active() * FIXED_1;
    EXP.forEach((exp, i) => {
      let load = ram.u64(this.averages + 2 * i);
      for (let n = 0; n < Math.min(looks, FORGOTTEN); n++) load = decay(load, exp, active);
      ram.set64(this.averages + 2 * i, load);
    });
  }

  /** `0.12 0.05 0.01` @linux fs/proc/loadavg.c:loadavg_proc_show full */
  text(): string {
    return EXP.map((_, i) => {
      const load = this.deps.ram.u64(this.averages + 2 * i) + FIXED_1 / 200;
      const fraction = Math.floor(((load % FIXED_1) * 100) / FIXED_1);
      return `${Math.floor(load / FIXED_1)}.${String(fraction).padStart(2, '0')}`;
    }).join(' ');
  }
}

/** One step towards the number of active tasks. @linux include/linux/sched/loadavg.h:calc_load full */
function decay(load: number, exp: number, active: number): number {
  const sum = load * exp + active * (FIXED_1 - exp);
  return Math.floor((active >= load ? sum + FIXED_1 - 1 : sum) / FIXED_1);
}
