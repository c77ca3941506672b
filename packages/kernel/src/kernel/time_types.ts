// SPDX-License-Identifier: MIT
/** Timers and deferred work as C embeds them in its own structs. */

import { named } from '../lib/c_types.js';
import { HlistNode, ListHead } from '../lib/list.js';
import { RbNode } from '../lib/rbtree.js';
import { addr, bool, fn, int, long, ptr, s64, struct, u8, u32, ulong } from '../lib/struct.js';

const ktime = named(s64, 'ktime_t');

/** `entry.pprev` is NULL unless the timer is pending; `expires` is in jiffies. */
export const TimerList = struct('timer_list', {
  entry: HlistNode,
  expires: ulong,
  function: fn('void', 'struct timer_list *timer'),
  flags: u32,
});

/** Bit 0 of `data`: the work is queued and has not begun. */
export const WorkStruct = struct('work_struct', {
  data: named(long, 'atomic_long_t'),
  entry: ListHead,
  func: fn('void', 'struct work_struct *work'),
});

export const DelayedWork = struct('delayed_work', {
  work: WorkStruct,
  timer: TimerList,
  wq: ptr('struct workqueue_struct'),
  cpu: int,
});

export const TimerqueueNode = struct('timerqueue_node', { node: RbNode, expires: ktime });

/** `state` 1: enqueued. */
export const Hrtimer = struct('hrtimer', {
  node: TimerqueueNode,
  _softexpires: ktime,
  function: fn('enum hrtimer_restart', 'struct hrtimer *timer'),
  base: addr('struct hrtimer_clock_base'),
  state: u8,
  is_rel: u8,
  is_soft: u8,
  is_hard: u8,
});

/** Bits of `state`: 0 scheduled, 1 running. `count` above 0: disabled. */
export const TaskletStruct = struct('tasklet_struct', {
  next: addr('struct tasklet_struct'),
  state: ulong,
  count: named(int, 'atomic_t'),
  use_callback: bool,
  /** func(data), or callback(tasklet) if use_callback is set. */
  handler: {
    union: {
      func: { func: fn('void', 'unsigned long data') },
      callback: { callback: fn('void', 'struct tasklet_struct *t') },
    },
  },
  data: ulong,
});
