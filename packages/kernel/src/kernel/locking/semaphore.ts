// SPDX-License-Identifier: MIT
/** Counting semaphores: `count` says how many may still pass; up() lets the task pass that has waited longest. */

import type { KernelExports } from '../../arch/wasm64/exports.js';
import { EINTR, ETIME } from '../../lib/errno.js';
import { readUnsigned, writeU32 } from '../../lib/guest_access.js';
import { Semaphore } from '../../lib/lock_types.js';
import { NSEC_PER_TICK } from '../../machine/clock.js';
import type { Vaddr } from '../../machine/layout.js';
import type { SLEEP } from '../sched/core.js';
import { TASK_INTERRUPTIBLE, TASK_KILLABLE, TASK_UNINTERRUPTIBLE } from '../sched.js';
import type { LockDeps } from './mutex.js';

const COUNT = Semaphore.o.count;
const WAIT_LIST = Semaphore.o.wait_list;
/** Longer waits have no end. */
const TICKS_MAX = 2 ** 40;

export class Semaphores {
  /** @param now nanoseconds since power-on */
  constructor(
    private readonly deps: LockDeps,
    private readonly now: () => number,
  ) {}

  private get mem() {
    return this.deps.waits.deps;
  }

  /** @linux kernel/locking/semaphore.c:down_trylock full */
  tryDown(sem: Vaddr): boolean {
    const count = readUnsigned(this.mem, sem + COUNT, 4);
    if ((count | 0) <= 0) return false;
    writeU32(this.mem, sem + COUNT, count - 1);
    return true;
  }

  /** @linux kernel/locking/semaphore.c:up full */
  up(sem: Vaddr): void {
    const { waits } = this.deps;
    const first = waits.first(sem + WAIT_LIST);
    if (first === 0) return writeU32(this.mem, sem + COUNT, readUnsigned(this.mem, sem + COUNT, 4) + 1);
    waits.context(first).wait_granted = 1;
    waits.wake(first);
  }

  /** @linux kernel/locking/semaphore.c:__down_common full */
  private downStage(stage: number, sem: Vaddr, state: number, ticks?: number): number | typeof SLEEP {
    const { waits, scheduler, signalPending } = this.deps;
    const task = this.mem.current();
    const c = waits.context(task);
    if (stage === 0) {
      if (this.tryDown(sem)) return 0;
      c.wait_granted = 0;
      waits.add(sem + WAIT_LIST);
      if (ticks !== undefined) scheduler.setSaved(0, this.now() + Math.min(ticks, TICKS_MAX) * NSEC_PER_TICK);
    } else if (c.wait_granted === 1) return 0;
    const interrupted = signalPending(state);
    const late = ticks !== undefined && this.now() >= scheduler.getSaved(0);
    if (interrupted || late) {
      waits.remove(task);
      return interrupted ? -EINTR : -ETIME;
    }
    scheduler.setState(state);
    if (ticks !== undefined) scheduler.wakeAt(scheduler.getSaved(0));
    return scheduler.sleep(1);
  }

  sleepingExports(): KernelExports {
    const { scheduler } = this.deps;
    const down = (state: number) =>
      scheduler.sleeping<readonly [Vaddr]>((stage, [sem]) => this.downStage(stage, sem, state));
    const downTimeout = scheduler.sleeping<readonly [Vaddr, number]>((stage, [sem, ticks]) =>
      this.downStage(stage, sem, TASK_UNINTERRUPTIBLE, ticks),
    );
    return {
      down: ['v:p', down(TASK_UNINTERRUPTIBLE)],
      down_interruptible: ['i:p', down(TASK_INTERRUPTIBLE)],
      down_killable: ['i:p', down(TASK_KILLABLE)],
      down_timeout: ['i:pl', downTimeout],
    };
  }

  exports(): KernelExports {
    return {
      // As on Linux 0 says that it was taken.
      down_trylock: ['i:p', (sem: Vaddr) => Number(!this.tryDown(sem))],
      up: ['v:p', (sem: Vaddr) => this.up(sem)],
    };
  }
}
