// SPDX-License-Identifier: MIT
/**
 * Who runs works: pools of workers, each a task that takes one work after the other.
 *
 * A pool has as many workers as it needs to keep one running: when a worker sleeps in its work and others wait,
 * another one is woken or made. A work never runs in two workers at once.
 */

import { KERN_ALERT, type Log, type Reports } from '../../lib/env.js';
import { type GuestAccess, readS64 } from '../../lib/guest_access.js';
import { initListHead, listAddTail, listDel, listEntries } from '../../lib/list.js';
import type { StaticData } from '../../lib/static_data.js';
import type { Handle, Vaddr } from '../../machine/layout.js';
import { GFP_KERNEL } from '../../mm/gfp.js';
import type { WorkqueueTrace } from '../../trace/events/workqueue.js';
import type { Preempt } from '../preempt.js';
import { done, type Outcome, sleepThen } from '../sched/context.js';
import type { Scheduler } from '../sched/core.js';
import type { WaitLists } from '../sched/wait_list.js';
import { PF_KTHREAD, PF_WQ_WORKER, TASK_IDLE, TASK_NEW, TASK_RUNNING, TaskStruct } from '../sched.js';
import { COLOR_SHIFT, ENTRY, FUNC, NR_COLORS, PoolWorkqueue, Worker, WorkerPool } from './types.js';

/** Idle workers beyond two leave after this long. */
const IDLE_WORKER_TIMEOUT_NS = 300e9;
const SPARE_IDLE_WORKERS = 2;

export interface WorkerDeps extends GuestAccess {
  readonly scheduler: Scheduler;
  readonly waits: WaitLists;
  readonly preempt: Preempt;
  readonly reports: Reports;
  readonly trace: WorkqueueTrace;
  readonly log: Log;
  readonly nrCpus: number;
  current(): Handle;
  /** Name and PID of a task. */
  nameOf(task: Handle): string;
  now(): number;
  kmalloc(bytes: number, gfp: number): Vaddr;
  kfree(address: Vaddr): void;
}

/** What workers ask of the queues. */
export interface Works {
  data(work: Vaddr): number;
  /** The pool_workqueue of a queued work. */
  pwqOf(work: Vaddr): Handle;
  setOffQueue(work: Vaddr, pool: Handle, bits: number): void;
  workEnded(pwq: Handle, work: Vaddr, color: number, wasActive: boolean): void;
}

export class Workers {
  private readonly pools: Handle;

  constructor(
    private readonly deps: WorkerDeps,
    data: StaticData,
    private readonly works: Works,
  ) {
    this.pools = data.declare('worker_pools', (2 * deps.nrCpus + 1) * WorkerPool.size);
    const { scheduler } = deps;
    scheduler.step('worker', ([worker]) => this.nextWork(worker));
    scheduler.step('worker:done', ([worker]) => this.workDone(worker));
    scheduler.onSleep = (task) => this.sleeps(task);
  }

  boot(): void {
    const { ram, nrCpus } = this.deps;
    for (let id = 0; id <= 2 * nrCpus; id++) {
      const h = this.poolAt(id);
      const pool = WorkerPool.at(ram, h);
      initListHead(ram, h + WorkerPool.w.worklist);
      initListHead(ram, h + WorkerPool.w.workers);
      pool.id = id;
      pool.cpu = id === 2 * nrCpus ? -1 : id >> 1;
      pool.high = id === 2 * nrCpus ? 0 : id & 1;
    }
  }

  private poolAt(id: number): Handle {
    return this.pools + (id * WorkerPool.size) / 4;
  }

  /** @param cpu -1: the pool for works that may run anywhere */
  pool(cpu: number, highPriority: boolean): Handle {
    return this.poolAt(cpu < 0 ? 2 * this.deps.nrCpus : 2 * cpu + Number(highPriority));
  }

  private workers(pool: Handle): Handle[] {
    const nodes = listEntries(this.deps.ram, pool + WorkerPool.w.workers);
    return [...nodes].map((node) => node - Worker.w.node);
  }

  /** The worker of a task, 0 if it is none. */
  private workerOf(task: Handle): Handle {
    const t = TaskStruct.at(this.deps.ram, task);
    return t.flags & PF_WQ_WORKER ? this.deps.ram.handleOf(t.worker_private) : 0;
  }

  /** The worker that runs a work now, 0 if none does. */
  running(work: Vaddr): Handle {
    const { ram, nrCpus } = this.deps;
    for (let id = 0; id <= 2 * nrCpus; id++)
      for (const worker of this.workers(this.poolAt(id)))
        if (Worker.at(ram, worker).current_work === work) return worker;
    return 0;
  }

  /** The work that the current task runs, if it is a worker. */
  currentWork(): Vaddr {
    const worker = this.workerOf(this.deps.current());
    return worker === 0 ? 0 : Worker.at(this.deps.ram, worker).current_work;
  }

  /** The queue whose work the current task runs, 0 if it is no worker. */
  currentQueue(): Handle {
    const { ram } = this.deps;
    const worker = this.workerOf(this.deps.current());
    const pwq = worker === 0 ? 0 : Worker.at(ram, worker).current_pwq;
    return pwq === 0 ? 0 : PoolWorkqueue.at(ram, pwq).wq;
  }

  /** Workers of a pool that could go on now. */
  private awake(pool: Handle): number {
    const { ram } = this.deps;
    return this.workers(pool).filter((h) => {
      const { idle, task } = Worker.at(ram, h);
      return idle === 0 && TaskStruct.at(ram, task).__state === TASK_RUNNING;
    }).length;
  }

  private hasWork(pool: Handle): boolean {
    const { ram, waits } = this.deps;
    return !waits.list.empty(ram.addressOf(pool + WorkerPool.w.worklist));
  }

  /** Has a worker look at a pool's list, unless one does already. @linux kernel/workqueue.c:need_more_worker full */
  wakeFor(pool: Handle): void {
    const { ram, scheduler } = this.deps;
    const bound = WorkerPool.at(ram, pool).cpu >= 0;
    if (!this.hasWork(pool) || (bound && this.awake(pool) > 0)) return;
    const worker = this.workers(pool).find((h) => Worker.at(ram, h).idle === 1) ?? this.create(pool);
    if (worker === 0) return;
    const w = Worker.at(ram, worker);
    w.idle = 0;
    scheduler.wake(w.task, TASK_IDLE | TASK_NEW);
  }

  /** @linux kernel/workqueue.c:create_worker full */
  private create(pool: Handle): Handle {
    const { ram, scheduler, kmalloc, nrCpus } = this.deps;
    const { cpu, high, id } = WorkerPool.at(ram, pool);
    const number = WorkerPool.at(ram, pool).next_worker_id++;
    const name = cpu < 0 ? `kworker/u${id}:${number}` : `kworker/${cpu}:${number}${high ? 'H' : ''}`;
    const address = kmalloc(Worker.size, GFP_KERNEL);
    const worker = ram.handleOf(address);
    const task = address === 0 ? 0 : scheduler.create(name, 'worker', worker);
    if (task === 0) {
      if (address !== 0) this.deps.kfree(address);
      return 0;
    }
    ram.fill(worker * 4, Worker.size, 0);
    Object.assign(Worker.at(ram, worker), { pool, task });
    const t = TaskStruct.at(ram, task);
    t.flags |= PF_KTHREAD | PF_WQ_WORKER;
    t.worker_private = address;
    scheduler.setCpu(task, cpu < 0 ? number % nrCpus : cpu);
    listAddTail(ram, worker + Worker.w.node, pool + WorkerPool.w.workers);
    return worker;
  }

  /** A worker's task ends: of its own will, or because its work died; that work then never ends. */
  exits(task: Handle): void {
    const worker = this.workerOf(task);
    if (worker === 0) return;
    const { pool } = Worker.at(this.deps.ram, worker);
    listDel(this.deps.ram, worker + Worker.w.node);
    this.deps.kfree(this.deps.ram.addressOf(worker));
    TaskStruct.at(this.deps.ram, task).worker_private = 0;
    this.wakeFor(pool);
  }

  /** A worker sleeps in its work: another may be needed. @linux kernel/workqueue.c:wq_worker_sleeping full */
  private sleeps(task: Handle): void {
    const worker = this.workerOf(task);
    if (worker !== 0) this.wakeFor(Worker.at(this.deps.ram, worker).pool);
  }

  /** The first work of a pool that no other worker runs. */
  private firstWork(pool: Handle): Vaddr {
    const { ram, waits } = this.deps;
    for (const node of waits.list.nodes(ram.addressOf(pool + WorkerPool.w.worklist)))
      if (this.running(node - ENTRY) === 0) return node - ENTRY;
    return 0;
  }

  /** @linux kernel/workqueue.c:worker_thread full */
  private nextWork(h: Handle): Outcome {
    const { ram } = this.deps;
    const worker = Worker.at(ram, h);
    const bound = WorkerPool.at(ram, worker.pool).cpu >= 0;
    const work = bound && this.awake(worker.pool) > 1 ? 0 : this.firstWork(worker.pool);
    return work === 0 ? this.idle(h) : this.start(h, work);
  }

  private idle(h: Handle): Outcome {
    const { ram, scheduler, now } = this.deps;
    const worker = Worker.at(ram, h);
    const others = this.workers(worker.pool).filter((w) => w !== h && Worker.at(ram, w).idle === 1).length;
    if (worker.idle === 1 && others >= SPARE_IDLE_WORKERS) return done(0);
    worker.idle = 1;
    scheduler.setState(TASK_IDLE);
    if (others >= SPARE_IDLE_WORKERS) scheduler.wakeAt(now() + IDLE_WORKER_TIMEOUT_NS);
    return sleepThen('worker', h);
  }

  /** @linux kernel/workqueue.c:process_one_work full */
  private start(h: Handle, work: Vaddr): Outcome {
    const { ram, waits } = this.deps;
    const worker = Worker.at(ram, h);
    const fn = readS64(this.deps, work + FUNC);
    worker.idle = 0;
    worker.current_pwq = this.works.pwqOf(work);
    worker.current_color = (this.works.data(work) >> COLOR_SHIFT) & NR_COLORS;
    worker.current_work = work;
    worker.current_func = fn;
    waits.list.delInit(work + ENTRY);
    this.works.setOffQueue(work, worker.pool, 0);
    if (WorkerPool.at(ram, worker.pool).cpu < 0) this.wakeFor(worker.pool);
    const { executeStart } = this.deps.trace;
    if (executeStart.enabled) executeStart.emit({ work, function: fn });
    const frames = ['ret_from_fork', 'kthread', 'worker_thread', 'process_one_work'];
    return { kind: 'call', fn, signature: 'v:p', args: [work], step: 'worker:done', data: [h], frames };
  }

  private workDone(h: Handle): Outcome {
    const { ram, preempt } = this.deps;
    const worker = Worker.at(ram, h);
    const { executeEnd } = this.deps.trace;
    if (executeEnd.enabled) executeEnd.emit({ work: worker.current_work, function: worker.current_func });
    if (preempt.inAtomic) this.reportLeak(worker.current_func);
    const { current_work, current_pwq, current_color } = worker;
    worker.current_work = 0;
    worker.current_pwq = 0;
    this.works.workEnded(current_pwq, current_work, current_color, true);
    return this.nextWork(h);
  }

  private reportLeak(fn: Vaddr): void {
    const { preempt, log, reports, current, nameOf } = this.deps;
    const task = current();
    const count = (preempt.count >>> 0).toString(16).padStart(8, '0');
    const { pid } = TaskStruct.at(this.deps.ram, task);
    log.log(KERN_ALERT, `BUG: workqueue leaked lock or atomic: ${nameOf(task)}/0x${count}/${pid}`);
    log.log(KERN_ALERT, `     last function: ${reports.symbolize(fn).replace(/\+0x0\/.*?( |$)/, '$1')}`);
    reports.dumpStack();
    preempt.reset();
  }
}
