// SPDX-License-Identifier: MIT
/** What locks, wait queues and completions look like in memory: C code embeds and initialises them itself. */

import { atomicLong, named } from './c_types.js';
import { ListHead } from './list.js';
import { addr, fn, int, ptr, struct, u32, uint, ulong } from './struct.js';

/** The word of a spinlock. 0: free. */
export const spinlock = named(u32, 'spinlock_t');
export const rawSpinlock = named(u32, 'raw_spinlock_t');

export const OptimisticSpinQueue = struct('optimistic_spin_queue', { tail: named(int, 'atomic_t') });

/** `owner`: the holder's task_struct, with MUTEX_FLAG_* in the low bits; 0: free. */
export const Mutex = struct('mutex', {
  owner: atomicLong,
  wait_lock: rawSpinlock,
  osq: OptimisticSpinQueue,
  wait_list: ListHead,
});

/** `count`: bit 0 a writer has it, bit 1 tasks wait, from bit 8 the number of readers. */
export const RwSemaphore = struct('rw_semaphore', {
  count: atomicLong,
  owner: atomicLong,
  osq: OptimisticSpinQueue,
  wait_lock: rawSpinlock,
  wait_list: ListHead,
});

export const Semaphore = struct('semaphore', { lock: rawSpinlock, count: uint, wait_list: ListHead });

export const WaitQueueHead = struct('wait_queue_head', { lock: spinlock, head: ListHead });

/** `private`: the task to wake, for the usual wake functions. */
export const WaitQueueEntry = struct('wait_queue_entry', {
  flags: uint,
  private: addr(),
  func: fn('int', 'struct wait_queue_entry *wq_entry, unsigned int mode, int flags, void *key'),
  entry: ListHead,
});

/** What a waiter waits for: bit `bit_nr` of the word at `flags`; -1: any change of what is there. */
export const WaitBitKey = struct('wait_bit_key', { flags: addr(), bit_nr: int, timeout: ulong });
export const WaitBitQueueEntry = struct('wait_bit_queue_entry', {
  key: WaitBitKey,
  wq_entry: WaitQueueEntry,
});

/** A queue of waiters without callbacks; what a completion waits on. */
export const SwaitQueueHead = struct('swait_queue_head', { lock: rawSpinlock, task_list: ListHead });
export const SwaitQueue = struct('swait_queue', { task: ptr('struct task_struct'), task_list: ListHead });

/** `done`: how many waiters may pass; UINT_MAX after complete_all(). */
export const Completion = struct('completion', { done: uint, wait: SwaitQueueHead });
