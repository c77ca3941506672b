// SPDX-License-Identifier: MIT
/**
 * All that happens beside or between tasks, and what tasks wait for: interrupts, timers, tasklets, RCU, locks that
 * sleep, work queues. Made and wired in one place.
 */

import type { KernelExports } from '../arch/wasm64/exports.js';
import type { Functions } from '../arch/wasm64/functions.js';
import type { CallC } from '../lib/c_call.js';
import type { Env } from '../lib/env.js';
import { NSEC_PER_TICK } from '../machine/clock.js';
import type { Vaddr } from '../machine/layout.js';
import type { Slub } from '../mm/slub.js';
import type { KernelTrace } from '../trace/events/all.js';
import { Irqs } from './irq/manage.js';
import { IrqWork } from './irq_work.js';
import type { Kthreads } from './kthread.js';
import type { Library } from './library.js';
import { Mutexes } from './locking/mutex.js';
import { RwSemaphores } from './locking/rwsem.js';
import { Semaphores } from './locking/semaphore.js';
import type { Oops } from './oops.js';
import type { Preempt } from './preempt.js';
import { Rcu } from './rcu/rcu.js';
import { Srcu } from './rcu/srcu.js';
import type { Scheduler } from './sched/core.js';
import { HungTasks } from './sched/hung_task.js';
import { WaitLists } from './sched/wait_list.js';
import { smpExports } from './smp.js';
import { Interrupts } from './softirq.js';
import { Tasklets } from './tasklet.js';
import type { Tasks } from './tasks.js';
import { Hrtimers } from './time/hrtimer.js';
import { hrtimerExports } from './time/hrtimer_exports.js';
import { Timers } from './time/timer.js';
import { timerExports } from './time/timer_exports.js';
import type { Watchdog } from './watchdog.js';
import { WorkFlush } from './workqueue/flush.js';
import { SystemQueues } from './workqueue/system.js';
import { Workqueues } from './workqueue/workqueue.js';

export interface ConcurrencyServices {
  readonly env: Env;
  readonly oops: Oops;
  readonly preempt: Preempt;
  readonly functions: Functions;
  readonly tasks: Tasks;
  readonly scheduler: Scheduler;
  readonly kthreads: Kthreads;
  readonly watchdog: Watchdog;
  readonly trace: KernelTrace;
  readonly library: Library;
  readonly slub: Slub;
  readonly callC: CallC;
  symbol(name: string): Vaddr | undefined;
  returnAddress(name: string): Vaddr;
  format(format: Vaddr, args: Vaddr): Uint8Array;
  /** Whether a signal ends a wait in a state; in an interruptible one by default. */
  signalPending(state?: number): boolean;
  kvfree(address: Vaddr): void;
}

export class Concurrency {
  readonly interrupts: Interrupts;
  readonly waits: WaitLists;
  readonly timers: Timers;
  readonly hrtimers: Hrtimers;
  readonly irqWork: IrqWork;
  readonly irqs: Irqs;
  readonly tasklets: Tasklets;
  readonly rcu: Rcu;
  readonly srcu: Srcu;
  readonly mutexes: Mutexes;
  readonly semaphores: Semaphores;
  readonly rwsems: RwSemaphores;
  readonly workqueues: Workqueues;
  readonly workFlush: WorkFlush;
  readonly systemQueues: SystemQueues;
  readonly hungTasks: HungTasks;

  constructor(private readonly k: ConcurrencyServices) {
    const { env, scheduler, tasks, preempt, oops, callC, slub, library, watchdog } = k;
    const { ram, guest, data, nrCpus } = env;
    const stuck = (): never => library.wait.forEver(oops.callerAddress());
    this.interrupts = new Interrupts(
      {
        ram,
        preempt,
        oops,
        nrCpus,
        functions: k.functions,
        returnAddress: k.returnAddress,
        trace: k.trace.irq,
        asIdle: tasks.asIdle,
      },
      data,
    );
    const { interrupts } = this;
    const current = () => tasks.currentHandle;
    const now = () => this.now();
    const jiffies = () => watchdog.jiffiesNow;
    const timeOf = (j: number) => watchdog.timeOf(j);
    const kmalloc = (bytes: number, gfp: number) => slub.kmalloc(bytes, gfp);
    const kfree = (address: Vaddr) => void slub.kfree(address);
    this.waits = new WaitLists({ ram, guest, scheduler, current });
    const { waits } = this;
    const common = {
      ram,
      guest,
      interrupts,
      preempt,
      callC,
      scheduler,
      waits,
      reports: env.reports,
      kmalloc,
      kfree,
    };
    const time = { now, jiffies, timeOf, nrCpus };
    // Interrupts ask their sources in this order.
    this.irqWork = new IrqWork(common, data);
    this.hrtimers = new Hrtimers(
      { ...common, ...time, trace: k.trace.timer, stuck, realOffset: () => library.time.realBase * 1e9 },
      data,
    );
    this.timers = new Timers({ ...common, ...time, trace: k.trace.timer, stuck }, data);
    this.tasklets = new Tasklets({ ...common, nrCpus }, data);
    this.rcu = new Rcu({ ...common, ...time, tasks, kvfree: k.kvfree }, data);
    this.irqs = new Irqs({ ...common, nrCpus, trace: k.trace.irq, log: env.log }, data);
    const locks = { scheduler, waits, signalPending: k.signalPending };
    this.mutexes = new Mutexes(locks);
    this.semaphores = new Semaphores(locks, now);
    this.rwsems = new RwSemaphores(locks);
    this.srcu = new Srcu({ ...common, mutexes: this.mutexes }, data);
    const nameOf = tasks.commOf.bind(tasks);
    const { timers } = this;
    this.workqueues = new Workqueues(
      {
        ...common,
        ...time,
        trace: k.trace.workqueue,
        timers,
        current,
        nameOf,
        log: env.log,
        cpu: () => env.cpu(),
        symbol: k.symbol,
      },
      data,
    );
    this.workFlush = new WorkFlush(this.workqueues, data);
    const callRcu = (head: Vaddr, fn: Vaddr) => this.rcu.call(head, fn);
    this.systemQueues = new SystemQueues(
      this.workqueues,
      { ram, guest, nrCpus, callRcu, format: k.format, symbol: k.symbol },
      data,
    );
    this.hungTasks = new HungTasks(
      { ram, log: env.log, tasks, oops, now, advanceTo: (ns) => this.advanceTo(ns) },
      data,
    );
    this.listen();
  }

  private listen(): void {
    const { scheduler, watchdog, kthreads } = this.k;
    scheduler.loop.onTimePassed = () => this.hungTasks.check();
    scheduler.loop.onBlocked = () => this.hungTasks.checkBlocked();
    scheduler.leaveWaitList = (task) => this.waits.remove(task);
    kthreads.onExit = (task) => this.workqueues.workers.exits(task);
    watchdog.onTick = () => this.interrupts.poll();
  }

  boot(): void {
    const { hrtimers, tasklets, rcu, srcu, irqs, workqueues, workFlush, systemQueues, hungTasks } = this;
    for (const part of [hrtimers, tasklets, rcu, srcu, irqs, workqueues, workFlush, systemQueues])
      part.boot();
    hungTasks.boot(this.k.env.parameters);
  }

  /** Nanoseconds since power-on. */
  now(): number {
    return this.k.library.time.monotonicNs;
  }

  /** Lets time pass until then, if then is not yet. */
  advanceTo(ns: number): void {
    this.k.watchdog.passUntil(ns, this.now());
  }

  /** Nanoseconds since power-on at which something happens by itself. */
  nextTimer(): number {
    const { timers, hrtimers, rcu, srcu, interrupts } = this;
    const atOnce = srcu.isReady || this.irqWork.isPending;
    const soon = interrupts.softirqPending ? this.now() + NSEC_PER_TICK : Number.POSITIVE_INFINITY;
    const first = Math.min(timers.nextTimer(), hrtimers.nextTimer(), rcu.nextTimer(), soon);
    return atOnce ? this.now() : first;
  }

  sleepingExports(): KernelExports {
    const { tasklets, irqs, mutexes, semaphores, rwsems, rcu, srcu, workFlush, systemQueues } = this;
    return {
      ...tasklets.sleepingExports(),
      ...irqs.sleepingExports(),
      ...mutexes.sleepingExports(),
      ...semaphores.sleepingExports(),
      ...rwsems.sleepingExports(),
      ...rcu.sleepingExports(),
      ...srcu.sleepingExports(),
      ...workFlush.sleepingExports(() => systemQueues.systemWq),
    };
  }

  /** What it offers to C, in parts. */
  parts(): KernelExports[] {
    const { watchdog, env, preempt, callC, library } = this.k;
    const { interrupts } = this;
    const jiffies = () => watchdog.jiffiesNow;
    return [
      smpExports({ mem: library.mem, nrCpus: env.nrCpus, interrupts, preempt, callC }),
      timerExports(this.timers, jiffies, () => interrupts.cpu),
      hrtimerExports(this.hrtimers),
      this.irqWork.exports(),
      this.irqs.exports(),
      this.tasklets.exports(),
      this.mutexes.exports(),
      this.semaphores.exports(),
      this.rwsems.exports(),
      this.rcu.exports(),
      this.srcu.exports(),
      this.workFlush.exports(),
      this.systemQueues.exports(),
    ];
  }
}
