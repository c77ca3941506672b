// SPDX-License-Identifier: MIT
/** Kernel threads: C functions that run as tasks of their own. */

import type { KernelExports } from '../arch/wasm64/exports.js';
import { EINTR, ENOMEM, ENOSYS } from '../lib/errno.js';
import { decodeUtf8 } from '../lib/utf8.js';
import type { Handle, Vaddr } from '../machine/layout.js';
import type { Ram } from '../machine/ram.js';
import { TaskExit } from './oops.js';
import { contextOf, done, sleepThen } from './sched/context.js';
import type { Scheduler } from './sched/core.js';
import {
  PF_KTHREAD,
  PF_NO_SETAFFINITY,
  TASK_COMM_LEN,
  TASK_NEW,
  TASK_PARKED,
  TASK_UNINTERRUPTIBLE,
  TaskStruct,
} from './sched.js';
import type { Tasks } from './tasks.js';

const KTHREAD_SHOULD_STOP = 1;
const KTHREAD_SHOULD_PARK = 2;
/** It sleeps because it was told to park. */
const KTHREAD_IS_PARKED = 16;
/** The thread's function has begun. */
const KTHREAD_STARTED = 4;
/** Somebody waits in kthread_stop(), and will free the task. */
export const KTHREAD_AWAITED = 8;
const MAX_ERRNO_POINTER = (errno: number): Vaddr => -errno;

export interface KthreadDeps {
  readonly ram: Ram;
  readonly scheduler: Scheduler;
  readonly tasks: Tasks;
  /** Formats a thread's name. */
  format(format: Vaddr, args: Vaddr): Uint8Array;
  complete(completion: Vaddr): void;
  /** Gives back a reference to a module. */
  modulePut(module: Vaddr): void;
  /** Makes a task a kernel thread in what others keep of it: signals, group. */
  makeKthread(task: Handle): void;
  readonly nrCpus: number;
}

export class Kthreads {
  constructor(private readonly deps: KthreadDeps) {
    const { scheduler } = deps;
    scheduler.step('kthread', ([fn, data]) => {
      const c = this.context(this.deps.tasks.currentHandle);
      if (c.kthread_flags & KTHREAD_SHOULD_STOP) return done(-EINTR);
      if (c.kthread_flags & KTHREAD_SHOULD_PARK) {
        this.park(this.deps.tasks.currentHandle);
        return sleepThen('kthread', fn, data);
      }
      c.kthread_flags &= ~KTHREAD_IS_PARKED;
      c.kthread_flags |= KTHREAD_STARTED;
      const frames = ['ret_from_fork', 'kthread'];
      return { kind: 'call', fn, signature: 'i:p', args: [data], step: 'kthread:exit', data: [], frames };
    });
    scheduler.step('kthread:exit', (_data, result) => done(result));
    scheduler.onExit = (task) => this.exited(task);
  }

  /** Told when any task is over. */
  onExit: ((task: Handle) => void) | undefined;

  private context(task: Handle) {
    return contextOf(this.deps.ram, task);
  }

  /** A thread that nobody waits for is freed as soon as it is off its stack. */
  private exited(task: Handle): void {
    const t = TaskStruct.at(this.deps.ram, task);
    this.onExit?.(task);
    if (t.flags & PF_KTHREAD && !(this.context(task).kthread_flags & KTHREAD_AWAITED))
      this.deps.scheduler.reap(task);
  }

  /**
   * Makes a thread; it runs when it is woken.
   * @returns its task_struct, or an error pointer
   * @linux kernel/kthread.c:kthread_create_on_node full
   */
  create(fn: Vaddr, data: Vaddr, name: Uint8Array): Vaddr {
    const { ram, scheduler } = this.deps;
    const comm = decodeUtf8(name).slice(0, TASK_COMM_LEN - 1);
    const task = scheduler.create(comm, 'kthread', fn, data);
    if (task === 0) return MAX_ERRNO_POINTER(ENOMEM);
    const t = TaskStruct.at(ram, task);
    t.flags |= PF_KTHREAD;
    this.deps.makeKthread(task);
    t.__state = TASK_UNINTERRUPTIBLE | TASK_NEW;
    this.context(task).kthread_data = data;
    return ram.addressOf(task);
  }

  private flagsOf(task: Handle): number {
    return this.context(task).kthread_flags;
  }

  private setFlag(task: Handle, flag: number, on = true): void {
    const c = this.context(task);
    c.kthread_flags = on ? c.kthread_flags | flag : c.kthread_flags & ~flag;
  }

  /** @linux kernel/kthread.c:kthread_stop full */
  private stop() {
    const { ram, scheduler } = this.deps;
    return scheduler.sleeping<readonly [Vaddr]>((stage, [address]) => {
      const task = ram.handleOf(address);
      if (stage === 0) {
        this.setFlag(task, KTHREAD_SHOULD_STOP | KTHREAD_AWAITED);
        this.setFlag(task, KTHREAD_SHOULD_PARK, false);
        scheduler.wake(task, ~0);
      }
      if (!scheduler.isDone(task)) {
        scheduler.setState(TASK_UNINTERRUPTIBLE);
        scheduler.waitForExit(task);
        return scheduler.sleep(1);
      }
      const { result } = scheduler.result(task);
      scheduler.release(task);
      return result | 0;
    });
  }

  /** The current thread goes to sleep because it was told to; who waits for that is woken. */
  private park(task: Handle): void {
    const { scheduler } = this.deps;
    this.setFlag(task, KTHREAD_IS_PARKED);
    scheduler.setState(TASK_PARKED);
    scheduler.wakeWaiters(task);
  }

  /** @linux kernel/kthread.c:kthread_parkme full */
  private parkme() {
    const { scheduler, tasks } = this.deps;
    return scheduler.sleeping<readonly []>(() => {
      const self = tasks.currentHandle;
      if (!(this.flagsOf(self) & KTHREAD_SHOULD_PARK)) {
        this.setFlag(self, KTHREAD_IS_PARKED, false);
        return 0;
      }
      this.park(self);
      return scheduler.sleep(1);
    });
  }

  /** Has a thread park, and waits until it has. @linux kernel/kthread.c:kthread_park full */
  private parkAndWait() {
    const { ram, scheduler, tasks } = this.deps;
    return scheduler.sleeping<readonly [Vaddr]>((stage, [address]) => {
      const task = ram.handleOf(address);
      if (scheduler.isDone(task)) return -ENOSYS;
      if (stage === 0) {
        this.setFlag(task, KTHREAD_SHOULD_PARK);
        if (task === tasks.currentHandle) return 0;
        scheduler.wake(task, ~0);
      }
      if (this.flagsOf(task) & KTHREAD_IS_PARKED) return 0;
      scheduler.setState(TASK_UNINTERRUPTIBLE);
      scheduler.waitForExit(task);
      return scheduler.sleep(1);
    });
  }

  /** @linux kernel/kthread.c:kthread_unpark full */
  private unpark(address: Vaddr): void {
    const task = this.deps.ram.handleOf(address);
    this.setFlag(task, KTHREAD_SHOULD_PARK, false);
    this.deps.scheduler.wake(task, TASK_PARKED);
  }

  /** @linux kernel/kthread.c:kthread_bind_mask full */
  private bindMask(address: Vaddr, mask: number): void {
    const { ram, scheduler, nrCpus } = this.deps;
    const wanted = mask & (2 ** nrCpus - 1);
    if (wanted === 0) return;
    const task = ram.handleOf(address);
    TaskStruct.at(ram, task).flags |= PF_NO_SETAFFINITY;
    scheduler.allowCpus(task, wanted);
  }

  private bind(address: Vaddr, cpu: number): void {
    if (cpu < this.deps.nrCpus) this.bindMask(address, 1 << cpu);
  }

  sleepingExports(): KernelExports {
    return {
      kthread_stop: ['i:p', this.stop()],
      kthread_parkme: ['v:', this.parkme()],
      kthread_park: ['i:p', this.parkAndWait()],
    };
  }

  /** Functions that end the current thread. */
  private endings(): KernelExports {
    const { complete, modulePut } = this.deps;
    const exit = (result: number): never => {
      throw new TaskExit(result);
    };
    return {
      kthread_exit: ['v:l', exit],
      do_exit: ['v:l', exit],
      kthread_complete_and_exit: [
        'v:pl',
        (completion: Vaddr, result: number) => {
          if (completion !== 0) complete(completion);
          exit(result);
        },
      ],
      __module_put_and_kthread_exit: [
        'v:pl',
        (module: Vaddr, result: number) => {
          modulePut(module);
          exit(result);
        },
      ],
    };
  }

  exports(): KernelExports {
    const { ram, tasks, format } = this.deps;
    const current = () => this.flagsOf(tasks.currentHandle);
    return {
      kthread_create_on_node: [
        'p:ppip…',
        (fn: Vaddr, data: Vaddr, _node: number, name: Vaddr, args: Vaddr) =>
          this.create(fn, data, format(name, args)),
      ],
      kthread_create_on_cpu: [
        'p:ppup',
        (fn: Vaddr, data: Vaddr, cpu: number, name: Vaddr) => {
          const task = this.create(fn, data, format(name, 0));
          if (ram.isDirect(task)) this.bind(task, cpu);
          return task;
        },
      ],
      ...this.endings(),
      kthread_bind: ['v:pu', (task: Vaddr, cpu: number) => this.bind(task, cpu)],
      kthread_should_stop: ['b:', () => (current() & KTHREAD_SHOULD_STOP) !== 0],
      kthread_should_park: ['b:', () => (current() & KTHREAD_SHOULD_PARK) !== 0],
      kthread_freezable_should_stop: ['b:p', () => (current() & KTHREAD_SHOULD_STOP) !== 0],
      kthread_data: ['p:p', (task: Vaddr) => this.context(ram.handleOf(task)).kthread_data],
      kthread_unpark: ['v:p', (task: Vaddr) => this.unpark(task)],
    };
  }
}
