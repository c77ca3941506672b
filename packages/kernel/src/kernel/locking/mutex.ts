// SPDX-License-Identifier: MIT
/**
 * Mutexes. Whoever unlocks hands the mutex to the task that has waited longest, so nobody can slip in between:
 *
 *     owner A            owner A | 1         owner B | 1          owner C
 *     wait_list: –       wait_list: B, C     wait_list: C         wait_list: –
 *                 B and C lock        A unlocks           B unlocks
 *
 * `owner` is the holder's task_struct, with bit 0 set while others wait, as C sees it on Linux.
 */

import type { KernelExports } from '../../arch/wasm64/exports.js';
import { EINTR } from '../../lib/errno.js';
import { readS64, readUnsigned, writeS64, writeU32 } from '../../lib/guest_access.js';
import { Mutex } from '../../lib/lock_types.js';
import type { Vaddr } from '../../machine/layout.js';
import type { Scheduler, SLEEP } from '../sched/core.js';
import type { WaitLists } from '../sched/wait_list.js';
import { TASK_INTERRUPTIBLE, TASK_KILLABLE, TASK_UNINTERRUPTIBLE } from '../sched.js';

const OWNER = Mutex.o.owner;
const WAIT_LIST = Mutex.o.wait_list;
const MUTEX_FLAG_WAITERS = 1;
/** Addresses of tasks have these bits clear. */
const MUTEX_FLAGS = 7;

export interface LockDeps {
  readonly scheduler: Scheduler;
  readonly waits: WaitLists;
  /** Whether a signal ends a wait in a state; in an interruptible one by default. */
  signalPending(state?: number): boolean;
}

export class Mutexes {
  constructor(private readonly deps: LockDeps) {}

  private get mem() {
    return this.deps.waits.deps;
  }

  private get self(): Vaddr {
    return this.mem.ram.addressOf(this.mem.current());
  }

  private owner(lock: Vaddr): Vaddr {
    const word = readS64(this.mem, lock + OWNER);
    return word - (word & MUTEX_FLAGS);
  }

  private setOwner(lock: Vaddr, task: Vaddr): void {
    const waiters = this.deps.waits.list.empty(lock + WAIT_LIST) ? 0 : MUTEX_FLAG_WAITERS;
    writeS64(this.mem, lock + OWNER, task + waiters);
  }

  /** @linux kernel/locking/mutex.c:__mutex_init full */
  init(lock: Vaddr): void {
    writeS64(this.mem, lock + OWNER, 0);
    writeS64(this.mem, lock + Mutex.o.wait_lock, 0);
    this.deps.waits.list.init(lock + WAIT_LIST);
  }

  /** @linux kernel/locking/mutex.c:mutex_trylock full */
  tryLock(lock: Vaddr): boolean {
    if (this.owner(lock) !== 0) return false;
    this.setOwner(lock, this.self);
    return true;
  }

  /** @linux kernel/locking/mutex.c:mutex_unlock differs: hands over to the first waiter at once */
  unlock(lock: Vaddr): void {
    const { waits } = this.deps;
    const next = waits.first(lock + WAIT_LIST);
    if (next === 0) return this.setOwner(lock, 0);
    waits.remove(next);
    waits.context(next).wait_granted = 1;
    this.setOwner(lock, this.mem.ram.addressOf(next));
    waits.wake(next);
  }

  /** One stage of taking a mutex: 0, -EINTR or SLEEP. @linux kernel/locking/mutex.c:__mutex_lock_common partial: no spinning, no wound/wait */
  lockStage(stage: number, lock: Vaddr, state: number): number | typeof SLEEP {
    const { waits, scheduler, signalPending } = this.deps;
    const task = this.mem.current();
    const c = waits.context(task);
    if (stage === 0) {
      if (this.tryLock(lock)) return 0;
      c.wait_granted = 0;
      waits.add(lock + WAIT_LIST);
    } else if (c.wait_granted === 1) return 0;
    if (signalPending(state)) {
      waits.remove(task);
      this.setOwner(lock, this.owner(lock));
      return -EINTR;
    }
    this.setOwner(lock, this.owner(lock));
    scheduler.setState(state);
    return scheduler.sleep(1);
  }

  /** Counts down, and takes the mutex if that leads to 0. @linux kernel/locking/mutex.c:atomic_dec_and_mutex_lock full */
  private decAndLock(stage: number, count: Vaddr, lock: Vaddr): number | typeof SLEEP {
    const value = readUnsigned(this.mem, count, 4);
    if (stage === 0 && value !== 1) {
      writeU32(this.mem, count, value - 1);
      return 0;
    }
    const locked = this.lockStage(stage, lock, TASK_UNINTERRUPTIBLE);
    if (locked !== 0) return locked;
    const left = (readUnsigned(this.mem, count, 4) - 1) | 0;
    writeU32(this.mem, count, left);
    if (left === 0) return 1;
    this.unlock(lock);
    return 0;
  }

  sleepingExports(): KernelExports {
    const { scheduler } = this.deps;
    const lock = (state: number) =>
      scheduler.sleeping<readonly [Vaddr]>((stage, [mutex]) => this.lockStage(stage, mutex, state));
    const decAndLock = scheduler.sleeping<readonly [Vaddr, Vaddr]>((stage, [count, mutex]) =>
      this.decAndLock(stage, count, mutex),
    );
    return {
      mutex_lock: ['v:p', lock(TASK_UNINTERRUPTIBLE)],
      mutex_lock_io: ['v:p', lock(TASK_UNINTERRUPTIBLE)],
      mutex_lock_interruptible: ['i:p', lock(TASK_INTERRUPTIBLE)],
      mutex_lock_killable: ['i:p', lock(TASK_KILLABLE)],
      atomic_dec_and_mutex_lock: ['i:pp', decAndLock],
      refcount_dec_and_mutex_lock: ['b:pp', decAndLock],
    };
  }

  exports(): KernelExports {
    return {
      __mutex_init: ['v:ppp', (lock: Vaddr) => this.init(lock)],
      mutex_is_locked: ['b:p', (lock: Vaddr) => this.owner(lock) !== 0],
      mutex_trylock: ['i:p', (lock: Vaddr) => Number(this.tryLock(lock))],
      mutex_unlock: ['v:p', (lock: Vaddr) => this.unlock(lock)],
    };
  }
}
