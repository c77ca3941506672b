// SPDX-License-Identifier: MIT
/** Kernel threads: C functions that run as tasks of their own. */

import type { KernelExports } from '../arch/wasm64/exports.js';
import { EINTR, ENOMEM } from '../lib/errno.js';
import { decodeUtf8 } from '../lib/utf8.js';
import type { Handle, Vaddr } from '../machine/layout.js';
import type { Ram } from '../machine/ram.js';
import { CONTEXT, done, TaskContext } from './sched/context.js';
import type { Scheduler } from './sched/core.js';
import { PF_KTHREAD, TASK_COMM_LEN, TASK_NEW, TASK_UNINTERRUPTIBLE, TaskStruct } from './sched.js';
import type { Tasks } from './tasks.js';

const KTHREAD_SHOULD_STOP = 1;
const KTHREAD_SHOULD_PARK = 2;
/** The thread's function has begun. */
const KTHREAD_STARTED = 4;
/** Somebody waits in kthread_stop(), and will free the task. */
const KTHREAD_AWAITED = 8;
const MAX_ERRNO_POINTER = (errno: number): Vaddr => -errno;

export interface KthreadDeps {
  readonly ram: Ram;
  readonly scheduler: Scheduler;
  readonly tasks: Tasks;
  /** Formats a thread's name. */
  format(format: Vaddr, args: Vaddr): Uint8Array;
}

export class Kthreads {
  constructor(private readonly deps: KthreadDeps) {
    const { scheduler } = deps;
    scheduler.step('kthread', ([fn, data]) => {
      const c = this.context(this.deps.tasks.currentHandle);
      if (c.kthread_flags & KTHREAD_SHOULD_STOP) return done(-EINTR);
      c.kthread_flags |= KTHREAD_STARTED;
      const frames = ['ret_from_fork', 'kthread'];
      return { kind: 'call', fn, signature: 'i:p', args: [data], step: 'kthread:exit', data: [], frames };
    });
    scheduler.step('kthread:exit', (_data, result) => done(result));
    scheduler.onExit = (task) => this.exited(task);
  }

  private context(task: Handle) {
    return TaskContext.at(this.deps.ram, task + CONTEXT);
  }

  /** A thread that nobody waits for is freed as soon as it is off its stack. */
  private exited(task: Handle): void {
    const t = TaskStruct.at(this.deps.ram, task);
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

  /** @linux kernel/kthread.c:kthread_parkme full */
  private parkme() {
    const { scheduler, tasks } = this.deps;
    return scheduler.sleeping<readonly []>(() => {
      if (!(this.flagsOf(tasks.currentHandle) & KTHREAD_SHOULD_PARK)) return 0;
      scheduler.setState(0x40);
      return scheduler.sleep(1);
    });
  }

  sleepingExports(): KernelExports {
    return { kthread_stop: ['i:p', this.stop()], kthread_parkme: ['v:', this.parkme()] };
  }

  exports(): KernelExports {
    const { ram, scheduler, tasks, format } = this.deps;
    const current = () => this.flagsOf(tasks.currentHandle);
    return {
      kthread_create_on_node: [
        'p:ppip…',
        (fn: Vaddr, data: Vaddr, _node: number, name: Vaddr, args: Vaddr) =>
          this.create(fn, data, format(name, args)),
      ],
      kthread_create_on_cpu: [
        'p:ppup',
        (fn: Vaddr, data: Vaddr, _cpu: number, name: Vaddr) => this.create(fn, data, format(name, 0)),
      ],
      kthread_bind: ['v:pu', () => undefined],
      kthread_should_stop: ['b:', () => (current() & KTHREAD_SHOULD_STOP) !== 0],
      kthread_should_park: ['b:', () => (current() & KTHREAD_SHOULD_PARK) !== 0],
      kthread_data: ['p:p', (task: Vaddr) => this.context(ram.handleOf(task)).kthread_data],
      kthread_park: [
        'i:p',
        (task: Vaddr) => {
          this.setFlag(ram.handleOf(task), KTHREAD_SHOULD_PARK);
          scheduler.wake(ram.handleOf(task), ~0);
          return 0;
        },
      ],
      kthread_unpark: [
        'v:p',
        (task: Vaddr) => {
          this.setFlag(ram.handleOf(task), KTHREAD_SHOULD_PARK, false);
          scheduler.wake(ram.handleOf(task), ~0);
        },
      ],
    };
  }
}
