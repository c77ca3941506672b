// SPDX-License-Identifier: MIT
/**
 * What a task needs to go on after it has slept, beside its task_struct: in the same slab object, right behind it.
 *
 * A task's work is a sequence of steps. A step is TypeScript and runs to its end; it says what comes next:
 *
 *     done(result)                          the task is over
 *     call(C function, arguments, step)     that function runs, and may sleep; then the step runs with its result
 *     sleep(step)                           the task sleeps; when it is woken the step runs
 *
 * Nothing of a sleeping task is in a JavaScript object: the step's number, its data, the C function that is to be
 * called again to wind its frames up, and those frames, all lie in RAM.
 */

import { ListHead } from '../../lib/list.js';
import { array, int, long, ptr, s64, struct, u32, uint, ulong, vaddr } from '../../lib/struct.js';
import type { Handle, Vaddr } from '../../machine/layout.js';
import type { Ram } from '../../machine/ram.js';
import { TaskStruct } from '../sched.js';

/** Words that a kernel function which sleeps may keep. */
export const SAVED_WORDS = 4;
/** Arguments that a step may pass to C. */
export const MAX_ARGUMENTS = 4;

export const TaskContext = struct('task_context', {
  /** Index of the step that runs when the C function returns, or when the task wakes. */
  step: uint,
  /** The C function that runs or is suspended; 0 if the task is between calls. */
  fn: vaddr,
  /** Its signature, by number in the scheduler's table of strings, and its arguments. */
  signature: uint,
  nr_args: uint,
  args: array(long, MAX_ARGUMENTS),
  /** The step's own data. */
  data: array(long, MAX_ARGUMENTS),
  /** 1 while C frames are saved below. */
  suspended: uint,
  /** The C stack pointer when it was suspended. */
  sp: vaddr,
  /** Host offset of the end of the saved frames. */
  frames: u32,
  /** Pages for saved frames: handle of the first; 0 until they are needed. */
  frames_page: ptr('struct page'),
  /** The call frame names shown below C in call traces, by number in the same table. */
  trace: uint,
  /** Stage of the kernel function that C called and that sleeps, and its words. */
  stage: uint,
  saved: array(long, SAVED_WORDS),
  /** When a sleeping task is to be woken, in nanoseconds of the virtual clock; -1 if never. */
  wake_at: s64,
  /** Links the task into the run queue. */
  run_list: ListHead,
  /** Links the task into a lock's wait list; also says what it waits for. */
  wait_node: ListHead,
  wait_granted: uint,
  wait_type: uint,
  /** RCU read-side sections that it has open while it does not run. */
  rcu_nesting: uint,
  /** When it ran last, in nanoseconds of the virtual clock; whether it has been reported as hung since. */
  last_ran: s64,
  /** 1 once it has run at all. */
  step_started: uint,
  hung_reported: uint,
  /** Result, once it is done; signal that killed it. */
  result: long,
  done: uint,
  killed_by: int,
  /** kthread: KTHREAD_* flags. */
  kthread_flags: ulong,
  kthread_data: vaddr,
  exit_waiters: ListHead,
});

/** Bytes of task_struct and context. */
export const TASK_BYTES = TaskStruct.size + TaskContext.size;
/** Words from a task's handle to its context. */
export const CONTEXT = TaskStruct.size / 4;
/** Words from a task's handle to what is looked at whenever tasks are switched. */
export const WAKE_AT = CONTEXT + TaskContext.w.wake_at;
export const DONE = CONTEXT + TaskContext.w.done;
export const LAST_RAN = CONTEXT + TaskContext.w.last_ran;
export const FN = CONTEXT + TaskContext.w.fn;
export const STEP = CONTEXT + TaskContext.w.step;
export const SUSPENDED = CONTEXT + TaskContext.w.suspended;
export const STATE = TaskStruct.w.__state;

/** The context of a task. */
export const contextOf = (ram: Ram, task: Handle) => TaskContext.at(ram, task + CONTEXT);

/** What a step leads to. */
export type Outcome =
  | { readonly kind: 'done'; readonly result: number }
  | { readonly kind: 'sleep'; readonly step: string; readonly data: readonly number[] }
  | {
      readonly kind: 'call';
      readonly fn: Vaddr;
      readonly signature: string;
      readonly args: readonly number[];
      readonly step: string;
      readonly data: readonly number[];
      /** Kernel functions between the system call, or the thread's start, and C: outermost first. */
      readonly frames: readonly string[];
    };

export const done = (result: number): Outcome => ({ kind: 'done', result });
export const sleepThen = (step: string, ...data: number[]): Outcome => ({ kind: 'sleep', step, data });
