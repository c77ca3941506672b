// SPDX-License-Identifier: MIT
/**
 * Work queues: C functions that run later, in a task, and may sleep.
 *
 *     queue_work ─▶ pool's worklist ─▶ a worker takes it: PENDING is cleared, so it may be queued again ─▶ runs
 *               └▶ pwq's inactive_works, while max_active of the queue's works are under way on that CPU
 *
 * The workers are in worker.ts.
 *
 *     work->data, queued      | address of the pool_workqueue 56 | colour 4 | – | PWQ | INACTIVE | PENDING |
 *     work->data, not queued  | number of the pool it ran in     | CANCELING…             |    0     |
 */

import { readS64, writeS64 } from '../../lib/guest_access.js';
import { initListHead, listAddTail, listDel } from '../../lib/list.js';
import type { StaticData } from '../../lib/static_data.js';
import { decodeLatin1 } from '../../lib/utf8.js';
import type { Handle, Vaddr } from '../../machine/layout.js';
import { GFP_KERNEL } from '../../mm/gfp.js';
import type { Timers } from '../time/timer.js';
import {
  __WQ_DRAINING,
  COLOR_SHIFT,
  ENTRY,
  FUNC,
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
import { type WorkerDeps, Workers } from './worker.js';

const OFFQ_POOL_SHIFT = 5;

export interface WorkqueueDeps extends WorkerDeps {
  readonly timers: Timers;
  cpu(): number;
  jiffies(): number;
  symbol(name: string): Vaddr | undefined;
}

export class Workqueues {
  readonly workers: Workers;
  private readonly all: Handle;

  constructor(
    readonly deps: WorkqueueDeps,
    data: StaticData,
  ) {
    this.workers = new Workers(deps, data, this);
    this.all = data.declare('workqueues', 16);
  }

  boot(): void {
    initListHead(this.deps.ram, this.all);
    this.workers.boot();
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
      const pool = this.workers.pool(flags & WQ_UNBOUND ? -1 : i, (flags & WQ_HIGHPRI) !== 0);
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
    if (queue.flags & __WQ_DRAINING && this.workers.currentQueue() !== wq) {
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
      this.workers.wakeFor(pwq.pool);
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
    const running = this.workers.running(work);
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
    this.workers.wakeFor(pwq.pool);
    return true;
  }

  /** A work of a queue has ended, or was taken off. @linux kernel/workqueue.c:pwq_dec_nr_in_flight full */
  workEnded(h: Handle, work: Vaddr, color: number, wasActive: boolean): void {
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
}
