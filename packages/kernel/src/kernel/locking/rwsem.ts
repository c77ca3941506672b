// SPDX-License-Identifier: MIT
/**
 * Semaphores that many readers or one writer may hold. Who comes while others wait queues up behind them; when a
 * reader's turn comes, all readers in the queue go together.
 *
 *     count    | readers … | bit 2 – | bit 1 somebody waits | bit 0 a writer holds it |     a reader counts 256
 *     owner    the writer's task_struct, or that of the last reader with bit 0 set
 */

import type { KernelExports } from '../../arch/wasm64/exports.js';
import { EINTR } from '../../lib/errno.js';
import { readS64, writeS64 } from '../../lib/guest_access.js';
import { RwSemaphore } from '../../lib/lock_types.js';
import type { Handle, Vaddr } from '../../machine/layout.js';
import type { SLEEP } from '../sched/core.js';
import { TASK_INTERRUPTIBLE, TASK_KILLABLE, TASK_UNINTERRUPTIBLE } from '../sched.js';
import type { LockDeps } from './mutex.js';

const COUNT = RwSemaphore.o.count;
const OWNER = RwSemaphore.o.owner;
const WAIT_LIST = RwSemaphore.o.wait_list;
const WRITER_LOCKED = 1;
const FLAG_WAITERS = 2;
const FLAGS = 255;
const READER_BIAS = 256;
const READER_OWNED = 1;

/** What a waiter wants: the values of `wait_type`. */
const WAITING_FOR_READ = 1;
const WAITING_FOR_WRITE = 2;
type Want = typeof WAITING_FOR_READ | typeof WAITING_FOR_WRITE;

export class RwSemaphores {
  constructor(private readonly deps: LockDeps) {}

  private get mem() {
    return this.deps.waits.deps;
  }

  private count(sem: Vaddr): number {
    return readS64(this.mem, sem + COUNT);
  }

  private setCount(sem: Vaddr, count: number): void {
    const waiters = this.deps.waits.list.empty(sem + WAIT_LIST) ? 0 : FLAG_WAITERS;
    writeS64(this.mem, sem + COUNT, count - (count & FLAG_WAITERS) + waiters);
  }

  /** @linux kernel/locking/rwsem.c:__init_rwsem full */
  init(sem: Vaddr): void {
    writeS64(this.mem, sem + COUNT, 0);
    writeS64(this.mem, sem + OWNER, 0);
    writeS64(this.mem, sem + RwSemaphore.o.osq, 0);
    this.deps.waits.list.init(sem + WAIT_LIST);
  }

  /** Gives the semaphore to a task; it must be free for that. */
  private grant(sem: Vaddr, task: Handle, want: Want): void {
    const read = want === WAITING_FOR_READ;
    this.setCount(sem, this.count(sem) + (read ? READER_BIAS : WRITER_LOCKED));
    writeS64(this.mem, sem + OWNER, this.mem.ram.addressOf(task) + (read ? READER_OWNED : 0));
  }

  private isFreeFor(sem: Vaddr, want: Want): boolean {
    const count = this.count(sem);
    if (count & WRITER_LOCKED) return false;
    return want === WAITING_FOR_READ || count - (count & FLAGS) === 0;
  }

  /** @linux kernel/locking/rwsem.c:down_read_trylock full */
  private tryLock(sem: Vaddr, want: Want): boolean {
    if (!this.isFreeFor(sem, want)) return false;
    this.grant(sem, this.mem.current(), want);
    return true;
  }

  /** Lets those pass whose turn it is. @linux kernel/locking/rwsem.c:rwsem_mark_wake full */
  private wakeNext(sem: Vaddr): void {
    const { waits } = this.deps;
    const waiting = waits.tasks(sem + WAIT_LIST);
    if (waiting.length === 0) return;
    const want = waits.context(waiting[0]).wait_type as Want;
    if (!this.isFreeFor(sem, want)) return;
    const together =
      want === WAITING_FOR_WRITE
        ? waiting.slice(0, 1)
        : waiting.filter((task) => waits.context(task).wait_type === WAITING_FOR_READ);
    for (const task of together) {
      waits.context(task).wait_granted = 1;
      waits.remove(task);
      this.grant(sem, task, want);
      waits.wake(task);
    }
  }

  /** @linux kernel/locking/rwsem.c:rwsem_down_read_slowpath differs: never spins, takes turns strictly */
  private lockStage(stage: number, sem: Vaddr, want: Want, state: number): number | typeof SLEEP {
    const { waits, scheduler, signalPending } = this.deps;
    const task = this.mem.current();
    const c = waits.context(task);
    if (stage === 0) {
      if (waits.list.empty(sem + WAIT_LIST) && this.tryLock(sem, want)) return 0;
      c.wait_granted = 0;
      c.wait_type = want;
      waits.add(sem + WAIT_LIST);
      this.setCount(sem, this.count(sem));
    } else if (c.wait_granted === 1) return 0;
    if (signalPending(state)) {
      waits.remove(task);
      this.setCount(sem, this.count(sem));
      this.wakeNext(sem);
      return -EINTR;
    }
    scheduler.setState(state);
    return scheduler.sleep(1);
  }

  /** @linux kernel/locking/rwsem.c:up_read full */
  upRead(sem: Vaddr): void {
    this.setCount(sem, this.count(sem) - READER_BIAS);
    this.wakeNext(sem);
  }

  /** @linux kernel/locking/rwsem.c:up_write full */
  upWrite(sem: Vaddr): void {
    const count = this.count(sem);
    writeS64(this.mem, sem + OWNER, 0);
    this.setCount(sem, count - (count & WRITER_LOCKED));
    this.wakeNext(sem);
  }

  /** The writer goes on as a reader, and other readers with it. @linux kernel/locking/rwsem.c:downgrade_write full */
  downgrade(sem: Vaddr): void {
    const count = this.count(sem);
    this.setCount(sem, count - (count & WRITER_LOCKED) + READER_BIAS);
    writeS64(this.mem, sem + OWNER, this.mem.ram.addressOf(this.mem.current()) + READER_OWNED);
    this.wakeNext(sem);
  }

  sleepingExports(): KernelExports {
    const { scheduler } = this.deps;
    const down = (want: Want, state: number) =>
      scheduler.sleeping<readonly [Vaddr]>((stage, [sem]) => this.lockStage(stage, sem, want, state));
    return {
      down_read: ['v:p', down(WAITING_FOR_READ, TASK_UNINTERRUPTIBLE)],
      down_read_interruptible: ['i:p', down(WAITING_FOR_READ, TASK_INTERRUPTIBLE)],
      down_read_killable: ['i:p', down(WAITING_FOR_READ, TASK_KILLABLE)],
      down_write: ['v:p', down(WAITING_FOR_WRITE, TASK_UNINTERRUPTIBLE)],
      down_write_killable: ['i:p', down(WAITING_FOR_WRITE, TASK_KILLABLE)],
    };
  }

  exports(): KernelExports {
    return {
      __init_rwsem: ['v:ppp', (sem: Vaddr) => this.init(sem)],
      down_read_trylock: ['i:p', (sem: Vaddr) => Number(this.tryLock(sem, WAITING_FOR_READ))],
      down_write_trylock: ['i:p', (sem: Vaddr) => Number(this.tryLock(sem, WAITING_FOR_WRITE))],
      up_read: ['v:p', (sem: Vaddr) => this.upRead(sem)],
      up_write: ['v:p', (sem: Vaddr) => this.upWrite(sem)],
      downgrade_write: ['v:p', (sem: Vaddr) => this.downgrade(sem)],
    };
  }
}
