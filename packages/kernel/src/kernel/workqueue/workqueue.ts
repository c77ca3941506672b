// SPDX-License-Identifier: MIT
/**
 * Work queues: C functions that run later, in a task, and may sleep.
 *
 *     queue_work ─▶ pool's worklist ─▶ a worker takes it: PENDING is cleared, so it may be queued again ─▶ runs
 *               └▶ pwq's inactive_works, while max_active of the queue's works are under way on that CPU
 *
 * A pool has as many workers as it needs to keep one running: when a worker sleeps in its work and others wait,
 * another one is woken or made. A work never runs in two workers at once.
 *
 *     work->data, queued      | address of the pool_workqueue 56 | colour 4 | – | PWQ | INACTIVE | PENDING |
 *     work->data, not queued  | number of the pool it ran in     | CANCELING…             |    0     |
 */

import { KERN_ALERT, type Log, type Reports } from '../../lib/env.js';
import { type GuestAccess, readS64, writeS64 } from '../../lib/guest_access.js';
import { initListHead, listAddTail, listDel, listEntries } from '../../lib/list.js';
import type { StaticData } from '../../lib/static_data.js';
import { decodeLatin1 } from '../../lib/utf8.js';
import type { Handle, Vaddr } from '../../machine/layout.js';
import { GFP_KERNEL } from '../../mm/gfp.js';
import type { WorkqueueTrace } from '../../trace/events/workqueue.js';
import type { Preempt } from '../preempt.js';
import { CONTEXT, done, type Outcome, sleepThen, TaskContext } from '../sched/context.js';
import type { Scheduler } from '../sched/core.js';
import type { WaitLists } from '../sched/wait_list.js';
import { PF_KTHREAD, PF_WQ_WORKER, TASK_IDLE, TASK_NEW, TASK_RUNNING, TaskStruct } from '../sched.js';
import type { Timers } from '../time/timer.js';
import { WorkStruct } from '../time_types.js';
import {
  __WQ_DRAINING,
  COLOR_SHIFT,
  NR_COLORS,
  PoolWorkqueue,
  PWQ_ALIGN,
  WORK_STRUCT_INACTIVE,
  WORK_STRUCT_PENDING,
  WORK_STRUCT_PWQ,
  Worker,
  WorkerPool,
  WorkqueueStruct,
  WQ_DFL_ACTIVE,
  WQ_HIGHPRI,
  WQ_MAX_ACTIVE,
  WQ_NAME_LEN,
  WQ_UNBOUND,
} from './types.js';

export const ENTRY = WorkStruct.o.entry;
const FUNC = WorkStruct.o.func;
const OFFQ_POOL_SHIFT = 5;
/** Idle workers beyond two leave after this long. */
const IDLE_WORKER_TIMEOUT_NS = 300e9;
const SPARE_IDLE_WORKERS = 2;

export interface WorkqueueDeps extends GuestAccess {
  readonly scheduler: Scheduler;
  readonly waits: WaitLists;
  readonly preempt: Preempt;
  readonly timers: Timers;
  readonly reports: Reports;
  readonly trace: WorkqueueTrace;
  readonly log: Log;
  readonly nrCpus: number;
  current(): Handle;
  /** Name and PID of a task. */
  nameOf(task: Handle): string;
  cpu(): number;
  jiffies(): number;
  now(): number;
  kmalloc(bytes: number, gfp: number): Vaddr;
  kfree(address: Vaddr): void;
  symbol(name: string): Vaddr | undefined;
}

export class Workqueues {
  private readonly pools: Handle;
  private readonly all: Handle;

  constructor(
    readonly deps: WorkqueueDeps,
    data: StaticData,
  ) {
    this.pools = data.declare('worker_pools', (2 * deps.nrCpus + 1) * WorkerPool.size);
    this.all = data.declare('workqueues', 16);
    const { scheduler } = deps;
    scheduler.step('worker', ([worker]) => this.nextWork(worker));
    scheduler.step('worker:done', ([worker]) => this.workDone(worker));
    scheduler.onSleep = (task) => this.workerSleeps(task);
  }

  boot(): void {
    const { ram, nrCpus } = this.deps;
    initListHead(ram, this.all);
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

  // ---------------------------------------------------------------- queues

  /**
   * Makes a queue.
   * @param maxActive works that may be under way on one CPU; 0: the default
   * @returns its address, 0 if there is no memory
   * @linux kernel/workqueue.c:alloc_workqueue partial: no rescuer, no sysfs
   */
  create(name: Uint8Array, flags: number, maxActive: number): Vaddr {
    const { ram, kmalloc, nrCpus } = this.deps;
    const address = kmalloc(WorkqueueStruct.size, GFP_KERNEL);
    if (address === 0) return 0;
    const h = ram.handleOf(address);
    ram.fill(h * 4, WorkqueueStruct.size, 0);
    const wq = WorkqueueStruct.at(ram, h);
    wq.flags = flags;
    wq.name.set(name.subarray(0, WQ_NAME_LEN - 1));
    initListHead(ram, h + WorkqueueStruct.w.flushers);
    const active = maxActive === 0 ? WQ_DFL_ACTIVE : Math.min(Math.max(maxActive, 1), WQ_MAX_ACTIVE);
    const count = flags & WQ_UNBOUND ? 1 : nrCpus;
    for (let i = 0; i < count; i++) {
      const high = flags & WQ_HIGHPRI ? 1 : 0;
      const pool = this.poolAt(flags & WQ_UNBOUND ? 2 * nrCpus : 2 * i + high);
      const pwq = this.createPwq(h, pool, active);
      if (pwq === 0) {
        this.freePwqs(h);
        this.deps.kfree(address);
        return 0;
      }
      ram.set64(h + WorkqueueStruct.w.pwqs + 2 * i, ram.addressOf(pwq));
      wq.nr_pwqs = i + 1;
    }
    listAddTail(ram, h + WorkqueueStruct.w.list, this.all);
    return address;
  }

  private createPwq(wq: Handle, pool: Handle, maxActive: number): Handle {
    const { ram, kmalloc } = this.deps;
    const address = kmalloc(PWQ_ALIGN, GFP_KERNEL);
    if (address === 0) return 0;
    const h = ram.handleOf(address);
    ram.fill(h * 4, PWQ_ALIGN, 0);
    const pwq = PoolWorkqueue.at(ram, h);
    pwq.pool = pool;
    pwq.wq = wq;
    pwq.max_active = maxActive;
    initListHead(ram, h + PoolWorkqueue.w.inactive_works);
    return h;
  }

  pwqs(wq: Handle): Handle[] {
    const { ram } = this.deps;
    const { nr_pwqs } = WorkqueueStruct.at(ram, wq);
    return Array.from({ length: nr_pwqs }, (_, i) => ram.ptr(wq + WorkqueueStruct.w.pwqs + 2 * i));
  }

  private freePwqs(wq: Handle): void {
    for (const pwq of this.pwqs(wq)) this.deps.kfree(this.deps.ram.addressOf(pwq));
  }

  /** Gives back a queue on which nothing is queued any more. */
  free(wq: Handle): void {
    listDel(this.deps.ram, wq + WorkqueueStruct.w.list);
    this.freePwqs(wq);
    this.deps.kfree(this.deps.ram.addressOf(wq));
  }

  setMaxActive(wq: Handle, maxActive: number): void {
    for (const h of this.pwqs(wq)) {
      const pwq = PoolWorkqueue.at(this.deps.ram, h);
      pwq.max_active = Math.min(Math.max(maxActive, 1), WQ_MAX_ACTIVE);
      while (pwq.nr_active < pwq.max_active && this.activateFirst(h));
    }
  }

  // ---------------------------------------------------------------- the word of a work

  data(work: Vaddr): number {
    return readS64(this.deps, work);
  }

  setData(work: Vaddr, data: number): void {
    writeS64(this.deps, work, data);
  }

  isPending(work: Vaddr): boolean {
    return (this.data(work) & WORK_STRUCT_PENDING) !== 0;
  }

  /** The pool_workqueue of a queued work; 0 if it is not queued. */
  pwqOf(work: Vaddr): Handle {
    const data = this.data(work);
    const low = data & (PWQ_ALIGN - 1);
    return low & WORK_STRUCT_PWQ ? this.deps.ram.handleOf(data - low) : 0;
  }

  /** Not queued any more, or not yet. @linux kernel/workqueue.c:set_work_pool_and_keep_pending full */
  setOffQueue(work: Vaddr, pool: Handle, bits: number): void {
    const id = pool === 0 ? 0 : WorkerPool.at(this.deps.ram, pool).id + 1;
    this.setData(work, id * 2 ** OFFQ_POOL_SHIFT + bits);
  }

  // ---------------------------------------------------------------- queueing

  /** @returns false if it was queued already @linux kernel/workqueue.c:queue_work_on full */
  queue(cpu: number, wq: Vaddr, work: Vaddr): boolean {
    if (this.isPending(work)) return false;
    this.setData(work, this.data(work) + WORK_STRUCT_PENDING);
    this.insert(cpu, this.deps.ram.handleOf(wq), work);
    return true;
  }

  /** Puts a work, which has its pending bit set, on a list. @linux kernel/workqueue.c:__queue_work full */
  insert(cpu: number, wq: Handle, work: Vaddr): void {
    const { ram, waits, reports } = this.deps;
    const queue = WorkqueueStruct.at(ram, wq);
    if (queue.flags & __WQ_DRAINING && this.currentQueue() !== wq) {
      reports.warn('kernel/workqueue.c', 1444, '__queue_work');
      return;
    }
    const h = this.choosePwq(cpu, wq, work);
    const pwq = PoolWorkqueue.at(ram, h);
    const color = queue.work_color;
    this.addInFlight(h, color, 1);
    if (this.deps.trace.queueWork.enabled) this.traceQueue(work, wq, cpu, pwq.pool);
    const active = pwq.nr_active < pwq.max_active;
    const flags = WORK_STRUCT_PENDING + WORK_STRUCT_PWQ + (active ? 0 : WORK_STRUCT_INACTIVE);
    this.setData(work, ram.addressOf(h) + (color << COLOR_SHIFT) + flags);
    if (active) {
      this.traceActivate(work);
      pwq.nr_active++;
      waits.list.addTail(work + ENTRY, ram.addressOf(pwq.pool + WorkerPool.w.worklist));
      this.wakeWorkerFor(pwq.pool);
    } else waits.list.addTail(work + ENTRY, ram.addressOf(h + PoolWorkqueue.w.inactive_works));
  }

  private traceQueue(work: Vaddr, wq: Handle, req_cpu: number, pool: Handle): void {
    const { ram, trace } = this.deps;
    const workqueue = decodeLatin1(WorkqueueStruct.at(ram, wq).name).replace(/\0.*/, '');
    const { cpu } = WorkerPool.at(ram, pool);
    trace.queueWork.emit({ work, function: readS64(this.deps, work + FUNC), workqueue, req_cpu, cpu });
  }

  private traceActivate(work: Vaddr): void {
    const { activateWork } = this.deps.trace;
    if (activateWork.enabled) activateWork.emit({ work });
  }

  /** A work that runs is queued where it runs, so that it does not run twice at once. */
  private choosePwq(cpu: number, wq: Handle, work: Vaddr): Handle {
    const { ram, nrCpus } = this.deps;
    const pwqs = this.pwqs(wq);
    const here = cpu >= 0 && cpu < nrCpus ? cpu : this.deps.cpu();
    const wanted = pwqs[pwqs.length === 1 ? 0 : here];
    const running = this.workerRunning(work);
    if (running === 0) return wanted;
    const { current_pwq } = Worker.at(ram, running);
    return PoolWorkqueue.at(ram, current_pwq).wq === wq ? current_pwq : wanted;
  }

  inFlight(pwq: Handle, color: number): number {
    return this.deps.ram.i32[pwq + PoolWorkqueue.w.nr_in_flight + color];
  }

  private addInFlight(pwq: Handle, color: number, n: number): void {
    this.deps.ram.i32[pwq + PoolWorkqueue.w.nr_in_flight + color] += n;
  }

  /** Colours of which a queue has unfinished works, a bit each. */
  colorsInFlight(wq: Handle): number {
    let mask = 0;
    for (const pwq of this.pwqs(wq))
      for (let color = 0; color < NR_COLORS; color++) if (this.inFlight(pwq, color) > 0) mask |= 1 << color;
    return mask;
  }

  private activateFirst(h: Handle): boolean {
    const { ram, waits } = this.deps;
    const head = ram.addressOf(h + PoolWorkqueue.w.inactive_works);
    const node = waits.list.next(head);
    if (node === head) return false;
    const pwq = PoolWorkqueue.at(ram, h);
    this.traceActivate(node - ENTRY);
    waits.list.del(node);
    waits.list.addTail(node, ram.addressOf(pwq.pool + WorkerPool.w.worklist));
    this.setData(node - ENTRY, this.data(node - ENTRY) - WORK_STRUCT_INACTIVE);
    pwq.nr_active++;
    this.wakeWorkerFor(pwq.pool);
    return true;
  }

  /** A work of a queue has ended, or was taken off. @linux kernel/workqueue.c:pwq_dec_nr_in_flight full */
  private workEnded(h: Handle, work: Vaddr, color: number, wasActive: boolean): void {
    const pwq = PoolWorkqueue.at(this.deps.ram, h);
    if (wasActive) {
      pwq.nr_active--;
      if (pwq.nr_active < pwq.max_active) this.activateFirst(h);
    }
    this.addInFlight(h, color, -1);
    this.onWorkEnded?.(pwq.wq, work);
  }

  /** Told when a work has run to its end or was taken off its queue. */
  onWorkEnded: ((wq: Handle, work: Vaddr) => void) | undefined;

  /** Takes a queued work off; its pending bit stays set. */
  takeOff(work: Vaddr): void {
    const { ram, waits } = this.deps;
    const data = this.data(work);
    const pwq = this.pwqOf(work);
    waits.list.delInit(work + ENTRY);
    this.setOffQueue(work, PoolWorkqueue.at(ram, pwq).pool, WORK_STRUCT_PENDING);
    this.workEnded(pwq, work, (data >> COLOR_SHIFT) & NR_COLORS, !(data & WORK_STRUCT_INACTIVE));
  }

  // ---------------------------------------------------------------- workers

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
  workerRunning(work: Vaddr): Handle {
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

  private currentQueue(): Handle {
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
  private wakeWorkerFor(pool: Handle): void {
    const { ram, scheduler } = this.deps;
    const bound = WorkerPool.at(ram, pool).cpu >= 0;
    if (!this.hasWork(pool) || (bound && this.awake(pool) > 0)) return;
    const worker = this.workers(pool).find((h) => Worker.at(ram, h).idle === 1) ?? this.createWorker(pool);
    if (worker === 0) return;
    const w = Worker.at(ram, worker);
    w.idle = 0;
    scheduler.wake(w.task, TASK_IDLE | TASK_NEW);
  }

  /** @linux kernel/workqueue.c:create_worker full */
  private createWorker(pool: Handle): Handle {
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
  workerExits(task: Handle): void {
    const worker = this.workerOf(task);
    if (worker === 0) return;
    const { pool } = Worker.at(this.deps.ram, worker);
    listDel(this.deps.ram, worker + Worker.w.node);
    this.deps.kfree(this.deps.ram.addressOf(worker));
    TaskStruct.at(this.deps.ram, task).worker_private = 0;
    this.wakeWorkerFor(pool);
  }

  /** A worker sleeps in its work: another may be needed. @linux kernel/workqueue.c:wq_worker_sleeping full */
  private workerSleeps(task: Handle): void {
    const worker = this.workerOf(task);
    if (worker !== 0) this.wakeWorkerFor(Worker.at(this.deps.ram, worker).pool);
  }

  /** The first work of a pool that no other worker runs. */
  private firstWork(pool: Handle): Vaddr {
    const { ram, waits } = this.deps;
    for (const node of waits.list.nodes(ram.addressOf(pool + WorkerPool.w.worklist)))
      if (this.workerRunning(node - ENTRY) === 0) return node - ENTRY;
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
    worker.current_pwq = this.pwqOf(work);
    worker.current_color = (this.data(work) >> COLOR_SHIFT) & NR_COLORS;
    worker.current_work = work;
    worker.current_func = fn;
    waits.list.delInit(work + ENTRY);
    this.setOffQueue(work, worker.pool, 0);
    if (WorkerPool.at(ram, worker.pool).cpu < 0) this.wakeWorkerFor(worker.pool);
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
    this.workEnded(current_pwq, current_work, current_color, true);
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

  /** Words that a sleeping task keeps. */
  saved(task: Handle, i: number): Handle {
    return task + CONTEXT + TaskContext.w.saved + 2 * i;
  }
}
