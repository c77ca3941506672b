// SPDX-License-Identifier: MIT
/** What work queues are made of, beside `struct work_struct` in C's own memory. */

import { ListHead } from '../../lib/list.js';
import { addr, array, chars, int, ptr, struct, u64, uint } from '../../lib/struct.js';
import { WorkStruct } from '../time_types.js';

/** Offsets in a work. */
export const ENTRY = WorkStruct.o.entry;
export const FUNC = WorkStruct.o.func;

export const WORK_STRUCT_PENDING = 1;
export const WORK_STRUCT_INACTIVE = 2;
export const WORK_STRUCT_PWQ = 4;
/** In a work that is not queued: somebody waits in cancel_work_sync(), so it may not be queued. */
export const WORK_OFFQ_CANCELING = 16;
/** In a work that is queued: which flush it belongs to. */
export const COLOR_SHIFT = 4;
export const NR_COLORS = 15;
/** A pool_workqueue is aligned so that its address leaves room for flags and colour. */
export const PWQ_ALIGN = 256;

export const WQ_UNBOUND = 1 << 1;
export const WQ_FREEZABLE = 1 << 2;
export const WQ_HIGHPRI = 1 << 4;
export const WQ_POWER_EFFICIENT = 1 << 7;
export const __WQ_DRAINING = 1 << 16;
export const __WQ_ORDERED = 1 << 17;
export const WQ_MAX_ACTIVE = 512;
export const WQ_DFL_ACTIVE = WQ_MAX_ACTIVE / 2;
export const WQ_NAME_LEN = 24;

/** Workers that share a list of works: one pool for each CPU and priority, one for works that may run anywhere. */
export const WorkerPool = struct('worker_pool', {
  /** Works that may start now, by their `entry`. */
  worklist: ListHead,
  workers: ListHead,
  /** -1: any. */
  cpu: int,
  id: int,
  high: int,
  next_worker_id: int,
});

/** `current_work` 0: it looks for work, or is idle. */
export const Worker = struct('worker', {
  node: ListHead,
  pool: ptr('struct worker_pool'),
  task: ptr('struct task_struct'),
  current_work: addr('struct work_struct'),
  current_pwq: ptr('struct pool_workqueue'),
  current_func: addr(),
  current_color: int,
  idle: int,
});

/** What a queue has on one CPU. */
export const PoolWorkqueue = struct('pool_workqueue', {
  pool: ptr('struct worker_pool'),
  wq: ptr('struct workqueue_struct'),
  /** Works on the pool's list or running; those beyond max_active wait here. */
  nr_active: int,
  max_active: int,
  inactive_works: ListHead,
  /** Works not finished, by colour. */
  nr_in_flight: array(int, NR_COLORS + 1),
});

export const WorkqueueStruct = struct('workqueue_struct', {
  list: ListHead,
  flags: uint,
  work_color: int,
  nr_pwqs: int,
  nr_drainers: int,
  /** Tasks in flush_workqueue() and the like. */
  flushers: ListHead,
  pwqs: array(u64, 8),
  name: chars(WQ_NAME_LEN),
});
