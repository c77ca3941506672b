// SPDX-License-Identifier: MIT
/**
 * Waiting for works: flush_work() and flush_workqueue() for those queued so far, cancel_work_sync() for what runs.
 *
 * A task that waits for one work counts how many times it is still to end: once if it runs, once more if it is
 * queued. One that waits for a queue keeps a set of colours: what was queued before it came has one of these, what
 * is queued afterwards has another.
 */

import type { KernelExports } from '../../arch/wasm64/exports.js';
import { readS64, writeS64, writeU32 } from '../../lib/guest_access.js';
import type { StaticData } from '../../lib/static_data.js';
import type { Handle, Vaddr } from '../../machine/layout.js';
import { GFP_KERNEL } from '../../mm/gfp.js';
import { CONTEXT, TaskContext } from '../sched/context.js';
import type { SLEEP } from '../sched/core.js';
import { TASK_UNINTERRUPTIBLE } from '../sched.js';
import { DelayedWork, WorkStruct } from '../time_types.js';
import {
  __WQ_DRAINING,
  ENTRY,
  NR_COLORS,
  PoolWorkqueue,
  WORK_OFFQ_CANCELING,
  WORK_STRUCT_PENDING,
  WorkqueueStruct,
} from './types.js';
import type { Workqueues } from './workqueue.js';

const TIMER = DelayedWork.o.timer;
/** In a drainer's set of colours: waits until nothing at all is left. */
const EVERYTHING = 1 << 30;

/** Words from a task's handle to those that it keeps while it sleeps. */
const SAVED = CONTEXT + TaskContext.w.saved;
/** What the words mean that a waiting task keeps. */
const WORK = 0;
const LEFT = 1;
const RESULT = 2;
const COLORS = 0;

export class WorkFlush {
  private readonly waiters: Handle;

  constructor(
    private readonly wqs: Workqueues,
    data: StaticData,
  ) {
    this.waiters = data.declare('work_flush_waiters', 16);
    wqs.onWorkEnded = (wq, work) => {
      this.workEnded(work);
      this.queueMoved(wq);
    };
  }

  boot(): void {
    this.d.waits.list.init(this.waitersAddress);
  }

  private get d() {
    return this.wqs.deps;
  }

  private get waitersAddress(): Vaddr {
    return this.d.ram.addressOf(this.waiters);
  }

  /** A word that a sleeping task keeps. */
  private saved(task: Handle, i: number): number {
    return this.d.ram.s64(task + SAVED + 2 * i);
  }

  // ---------------------------------------------------------------- one work

  /** One instance of a work has ended, or will not run. */
  private workEnded(work: Vaddr): void {
    const { ram, waits } = this.d;
    for (const task of waits.tasks(this.waitersAddress)) {
      if (this.saved(task, WORK) !== work) continue;
      const left = this.saved(task, LEFT) - 1;
      ram.set64(task + SAVED + 2 * LEFT, left);
      if (left <= 0) waits.wake(task);
    }
  }

  /** The current task waits until a work has ended so many times. */
  private awaitWork(work: Vaddr, times: number, stage: number): typeof SLEEP {
    const { scheduler } = this.d;
    scheduler.setSaved(WORK, work);
    scheduler.setSaved(LEFT, times);
    return this.goOnWaiting(stage);
  }

  private goOnWaiting(stage: number): typeof SLEEP {
    const { scheduler, waits } = this.d;
    waits.add(this.waitersAddress);
    scheduler.setState(TASK_UNINTERRUPTIBLE);
    return scheduler.sleep(stage);
  }

  /** @linux kernel/workqueue.c:flush_work full */
  private flushStage(stage: number, work: Vaddr): number | typeof SLEEP {
    const { scheduler } = this.d;
    if (stage === 1) return scheduler.getSaved(LEFT) > 0 ? this.goOnWaiting(1) : 1;
    const times = Number(this.wqs.workers.running(work) !== 0) + Number(this.wqs.pwqOf(work) !== 0);
    return times === 0 ? 0 : this.awaitWork(work, times, 1);
  }

  /**
   * Makes a work not queued; its pending bit is set afterwards, and is the caller's.
   * @returns whether it was queued, or waited for its timer
   * @linux kernel/workqueue.c:try_to_grab_pending full
   */
  private grab(work: Vaddr, delayed: boolean): boolean {
    const { wqs } = this;
    if (!wqs.isPending(work)) {
      wqs.setData(work, wqs.data(work) + WORK_STRUCT_PENDING);
      return false;
    }
    if (delayed && this.d.timers.delete(work + TIMER)) return true;
    if (wqs.pwqOf(work) === 0) return false;
    wqs.takeOff(work);
    return true;
  }

  private isBeingCanceled(work: Vaddr): boolean {
    return this.wqs.pwqOf(work) === 0 && (this.wqs.data(work) & WORK_OFFQ_CANCELING) !== 0;
  }

  /** @linux kernel/workqueue.c:__cancel_work full */
  private cancel(work: Vaddr, delayed: boolean): boolean {
    if (this.isBeingCanceled(work)) return false;
    const was = this.grab(work, delayed);
    this.wqs.setOffQueue(work, 0, 0);
    return was;
  }

  /** Until it returns the work cannot be queued, not even by itself. @linux kernel/workqueue.c:__cancel_work_timer full */
  private cancelSyncStage(stage: number, work: Vaddr, delayed: boolean): number | typeof SLEEP {
    const { scheduler } = this.d;
    const { wqs } = this;
    if (stage === 1) {
      if (scheduler.getSaved(LEFT) > 0) return this.goOnWaiting(1);
      return this.canceled(work, scheduler.getSaved(RESULT));
    }
    // Somebody else cancels it: when that is done it is our turn.
    if (this.isBeingCanceled(work)) return this.awaitWork(work, 1, 2);
    const was = Number(this.grab(work, delayed));
    const running = wqs.workers.running(work) !== 0;
    wqs.setOffQueue(work, 0, WORK_STRUCT_PENDING + WORK_OFFQ_CANCELING);
    if (!running || wqs.workers.currentWork() === work) return this.canceled(work, was);
    scheduler.setSaved(RESULT, was);
    return this.awaitWork(work, 1, 1);
  }

  private canceled(work: Vaddr, was: number): number {
    this.wqs.setOffQueue(work, 0, 0);
    this.workEnded(work);
    return was;
  }

  // ---------------------------------------------------------------- a whole queue

  /** Works of a queue have ended: tasks that wait for it look again at what is left. */
  private queueMoved(wq: Handle): void {
    const { ram, waits } = this.d;
    const head = ram.addressOf(wq + WorkqueueStruct.w.flushers);
    if (waits.list.empty(head)) return;
    const inFlight = this.wqs.colorsInFlight(wq);
    for (const task of waits.tasks(head)) {
      const wanted = this.saved(task, COLORS);
      const left = wanted & EVERYTHING ? (inFlight === 0 ? 0 : wanted) : wanted & inFlight;
      ram.set64(task + SAVED + 2 * COLORS, left);
      if (left === 0) waits.wake(task);
    }
  }

  private awaitQueue(wq: Handle, stage: number): typeof SLEEP {
    const { ram, scheduler, waits } = this.d;
    waits.add(ram.addressOf(wq + WorkqueueStruct.w.flushers));
    scheduler.setState(TASK_UNINTERRUPTIBLE);
    return scheduler.sleep(stage);
  }

  /** @linux kernel/workqueue.c:__flush_workqueue full */
  private flushQueueStage(stage: number, wq: Handle): number | typeof SLEEP {
    const { scheduler, ram } = this.d;
    if (stage === 1) return scheduler.getSaved(COLORS) !== 0 ? this.awaitQueue(wq, 1) : 0;
    const colors = this.wqs.colorsInFlight(wq);
    if (colors === 0) return 0;
    const queue = WorkqueueStruct.at(ram, wq);
    for (let n = 1; n < NR_COLORS; n++) {
      const next = (queue.work_color + n) % NR_COLORS;
      if (colors & (1 << next)) continue;
      queue.work_color = next;
      break;
    }
    scheduler.setSaved(COLORS, colors);
    return this.awaitQueue(wq, 1);
  }

  /** Only works that the queue's own works queue are let in meanwhile. @linux kernel/workqueue.c:drain_workqueue full */
  private drainStage(stage: number, wq: Handle): number | typeof SLEEP {
    const { scheduler, ram } = this.d;
    const queue = WorkqueueStruct.at(ram, wq);
    if (stage === 0) {
      queue.nr_drainers++;
      queue.flags |= __WQ_DRAINING;
      scheduler.setSaved(COLORS, EVERYTHING);
      if (this.wqs.colorsInFlight(wq) !== 0) return this.awaitQueue(wq, 1);
    } else if (scheduler.getSaved(COLORS) !== 0) return this.awaitQueue(wq, 1);
    if (--queue.nr_drainers === 0) queue.flags &= ~__WQ_DRAINING;
    return 0;
  }

  /** @linux kernel/workqueue.c:destroy_workqueue partial: what cannot be drained is waited for */
  private destroyStage(stage: number, wq: Handle): number | typeof SLEEP {
    const drained = this.drainStage(stage, wq);
    if (drained === 0) this.wqs.free(wq);
    return drained;
  }

  // ---------------------------------------------------------------- delayed works

  /** @linux kernel/workqueue.c:__queue_delayed_work full */
  private startDelayed(cpu: number, wq: Vaddr, dwork: Vaddr, delay: number): void {
    const { timers, jiffies, ram, nrCpus } = this.d;
    if (delay === 0) return this.wqs.insert(cpu, ram.handleOf(wq), dwork);
    writeS64(this.d, dwork + DelayedWork.o.wq, wq);
    writeU32(this.d, dwork + DelayedWork.o.cpu, cpu);
    timers.delete(dwork + TIMER);
    timers.setExpires(dwork + TIMER, jiffies() + delay);
    timers.add(dwork + TIMER, cpu < nrCpus ? cpu : undefined);
  }

  private queueDelayed(cpu: number, wq: Vaddr, dwork: Vaddr, delay: number): boolean {
    if (this.wqs.isPending(dwork)) return false;
    this.wqs.setData(dwork, this.wqs.data(dwork) + WORK_STRUCT_PENDING);
    this.startDelayed(cpu, wq, dwork, delay);
    return true;
  }

  /** @linux kernel/workqueue.c:mod_delayed_work_on full */
  private modDelayed(cpu: number, wq: Vaddr, dwork: Vaddr, delay: number): boolean {
    if (this.isBeingCanceled(dwork)) return false;
    const was = this.grab(dwork, true);
    this.startDelayed(cpu, wq, dwork, delay);
    return was;
  }

  /** The timer of a delayed work has gone off. */
  private timerFired(dwork: Vaddr): void {
    const wq = readS64(this.d, dwork + DelayedWork.o.wq);
    const cpu = Number(BigInt.asIntN(32, BigInt(readS64(this.d, dwork + DelayedWork.o.cpu) & 0xffffffff)));
    this.wqs.insert(cpu, this.d.ram.handleOf(wq), dwork);
  }

  /** A delayed work that waits for its timer is queued at once. @linux kernel/workqueue.c:flush_delayed_work full */
  private flushDelayedStage(stage: number, dwork: Vaddr): number | typeof SLEEP {
    if (stage === 0 && this.d.timers.delete(dwork + TIMER)) this.timerFired(dwork);
    return this.flushStage(stage, dwork);
  }

  // ---------------------------------------------------------------- on each CPU

  /** Queues a function on each CPU and waits for all. @linux kernel/workqueue.c:schedule_on_each_cpu full */
  private onEachCpuStage(stage: number, fn: Vaddr, wq: Handle): number | typeof SLEEP {
    const { d, wqs } = this;
    const { scheduler, nrCpus } = d;
    const WORKS = 3;
    if (stage === 0) {
      const works = d.kmalloc(WorkStruct.size * nrCpus, GFP_KERNEL);
      if (works === 0) return -12;
      for (let cpu = 0; cpu < nrCpus; cpu++) {
        const work = works + cpu * WorkStruct.size;
        wqs.setData(work, 0);
        d.waits.list.init(work + ENTRY);
        writeS64(d, work + WorkStruct.o.func, fn);
        wqs.queue(cpu, d.ram.addressOf(wq), work);
      }
      scheduler.setSaved(WORKS, works);
      return this.awaitWork(works, 1, 1);
    }
    if (scheduler.getSaved(LEFT) > 0) return this.goOnWaiting(1);
    const works = scheduler.getSaved(WORKS);
    for (let cpu = 0; cpu < nrCpus; cpu++) {
      const work = works + cpu * WorkStruct.size;
      if (wqs.isPending(work) || wqs.workers.running(work) !== 0) return this.awaitWork(work, 1, 1);
    }
    d.kfree(works);
    return 0;
  }

  // ---------------------------------------------------------------- what C calls

  /** @param systemWq handle of the queue of schedule_work() */
  sleepingExports(systemWq: () => Handle): KernelExports {
    const { scheduler } = this.d;
    const stages = (body: (stage: number, at: Vaddr) => number | typeof SLEEP) =>
      scheduler.sleeping<readonly [Vaddr]>((stage, [at]) => body(stage, at));
    const queues = (body: (stage: number, wq: Handle) => number | typeof SLEEP) =>
      stages((stage, at) => body(stage, this.d.ram.handleOf(at)));
    return {
      flush_work: ['b:p', stages((stage, work) => this.flushStage(stage, work))],
      flush_delayed_work: ['b:p', stages((stage, dwork) => this.flushDelayedStage(stage, dwork))],
      cancel_work_sync: ['b:p', stages((stage, work) => this.cancelSyncStage(stage, work, false))],
      cancel_delayed_work_sync: ['b:p', stages((stage, work) => this.cancelSyncStage(stage, work, true))],
      flush_workqueue: ['v:p', queues((stage, wq) => this.flushQueueStage(stage, wq))],
      drain_workqueue: ['v:p', queues((stage, wq) => this.drainStage(stage, wq))],
      destroy_workqueue: ['v:p', queues((stage, wq) => this.destroyStage(stage, wq))],
      schedule_on_each_cpu: ['i:p', stages((stage, fn) => this.onEachCpuStage(stage, fn, systemWq()))],
    };
  }

  exports(): KernelExports {
    const { wqs } = this;
    return {
      queue_work_on: ['b:ipp', (cpu: number, wq: Vaddr, work: Vaddr) => wqs.queue(cpu, wq, work)],
      queue_delayed_work_on: [
        'b:ippz',
        (cpu: number, wq: Vaddr, dwork: Vaddr, delay: number) => this.queueDelayed(cpu, wq, dwork, delay),
      ],
      mod_delayed_work_on: [
        'b:ippz',
        (cpu: number, wq: Vaddr, dwork: Vaddr, delay: number) => this.modDelayed(cpu, wq, dwork, delay),
      ],
      cancel_work: ['b:p', (work: Vaddr) => this.cancel(work, false)],
      cancel_delayed_work: ['b:p', (dwork: Vaddr) => this.cancel(dwork, true)],
      delayed_work_timer_fn: ['v:p', (timer: Vaddr) => this.timerFired(timer - TIMER)],
      workqueue_set_max_active: [
        'v:pi',
        (wq: Vaddr, maxActive: number) => wqs.setMaxActive(this.d.ram.handleOf(wq), maxActive),
      ],
      current_work: ['p:', () => wqs.workers.currentWork()],
      work_busy: [
        'u:p',
        (work: Vaddr) => Number(wqs.isPending(work)) + 2 * Number(wqs.workers.running(work) !== 0),
      ],
    };
  }

  /** Whether any work of a queue is under way. */
  isBusy(wq: Handle): boolean {
    return this.wqs.pwqs(wq).some((pwq) => PoolWorkqueue.at(this.d.ram, pwq).nr_active > 0);
  }
}
