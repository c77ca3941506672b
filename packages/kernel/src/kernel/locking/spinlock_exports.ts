// SPDX-License-Identifier: MIT
/** The locks of `linux/spinlock.h` and `linux/rwlock.h`, with each way of keeping interrupts out meanwhile. */

import type { KernelExports } from '../../arch/wasm64/exports.js';
import { type GuestAccess, readUnsigned, writeU32 } from '../../lib/guest_access.js';
import type { Vaddr } from '../../machine/layout.js';
import { type Preempt, SOFTIRQ_DISABLE_OFFSET } from '../preempt.js';
import type { SpinLocks } from './spinlock.js';

interface LockOps {
  take(lock: Vaddr): void;
  tryTake(lock: Vaddr): boolean;
  release(lock: Vaddr): void;
}

/** What a lock with its variants is called: `_raw_spin`, `_raw_read`, `_raw_write`. */
function family(prefix: string, preempt: Preempt, ops: LockOps): KernelExports {
  const lock = (l: Vaddr) => {
    preempt.add(1);
    ops.take(l);
  };
  const unlock = (l: Vaddr) => {
    ops.release(l);
    preempt.sub(1);
  };
  /** @param undo gives back what was taken before a lock that is not free */
  const tryLock = (l: Vaddr, undo: () => void) => {
    preempt.add(1);
    if (ops.tryTake(l)) return 1;
    preempt.sub(1);
    undo();
    return 0;
  };
  return {
    [`${prefix}_lock`]: ['v:p', lock],
    [`${prefix}_unlock`]: ['v:p', unlock],
    [`${prefix}_trylock`]: ['i:p', (l: Vaddr) => tryLock(l, () => {})],
    [`${prefix}_lock_bh`]: [
      'v:p',
      (l: Vaddr) => {
        preempt.bhDisable();
        lock(l);
      },
    ],
    [`${prefix}_unlock_bh`]: [
      'v:p',
      (l: Vaddr) => {
        unlock(l);
        preempt.bhEnable();
      },
    ],
    [`${prefix}_trylock_bh`]: [
      'i:p',
      (l: Vaddr) => {
        preempt.bhDisable();
        return tryLock(l, () => preempt.bhEnable(SOFTIRQ_DISABLE_OFFSET));
      },
    ],
    [`${prefix}_lock_irq`]: [
      'v:p',
      (l: Vaddr) => {
        preempt.irqSave();
        lock(l);
      },
    ],
    [`${prefix}_unlock_irq`]: [
      'v:p',
      (l: Vaddr) => {
        ops.release(l);
        preempt.irqRestore(0);
        preempt.sub(1);
      },
    ],
    [`${prefix}_lock_irqsave`]: [
      'z:p',
      (l: Vaddr) => {
        const flags = preempt.irqSave();
        lock(l);
        return flags;
      },
    ],
    [`${prefix}_unlock_irqrestore`]: [
      'v:pz',
      (l: Vaddr, flags: number) => {
        ops.release(l);
        preempt.irqRestore(flags);
        preempt.sub(1);
      },
    ],
  };
}

export function spinlockExports(mem: GuestAccess, locks: SpinLocks): KernelExports {
  const { preempt } = locks;
  const spin: LockOps = {
    take: (l) => locks.take(l),
    tryTake: (l) => locks.tryTake(l),
    release: (l) => locks.release(l),
  };
  /** Takes a counter from 1 to 0 with the lock held; any other it lowers without. */
  const decAndLock = (counter: Vaddr, lock: Vaddr): number => {
    const value = readUnsigned(mem, counter, 4) | 0;
    if (value !== 1) {
      writeU32(mem, counter, value - 1);
      return 0;
    }
    preempt.add(1);
    locks.take(lock);
    writeU32(mem, counter, 0);
    return 1;
  };
  return {
    ...family('_raw_spin', preempt, spin),
    ...family('_raw_read', preempt, {
      take: (l) => locks.readTake(l),
      tryTake: (l) => locks.readTryTake(l),
      release: (l) => locks.readRelease(l),
    }),
    ...family('_raw_write', preempt, {
      ...spin,
      take: (l) => locks.writeTake(l),
      release: (l) => locks.writeRelease(l),
    }),
    _atomic_dec_and_lock: ['i:pp', decAndLock],
    // No lock spins in code of its own: nothing that a profile should leave out.
    in_lock_functions: ['i:z', () => 0],
  };
}
