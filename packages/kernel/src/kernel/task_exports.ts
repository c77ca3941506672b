// SPDX-License-Identifier: MIT
/** Small questions about a task: its name, its stack. */

import type { KernelExports } from '../arch/wasm64/exports.js';
import { type GuestAccess, readCString, readS64, writeBytes } from '../lib/guest_access.js';
import type { Vaddr } from '../machine/layout.js';
import { TASK_COMM_LEN, TaskStruct } from './sched.js';

const COMM = TaskStruct.o.comm;
const STACK = TaskStruct.o.stack;
const THREAD_SIZE = 16384;

/** @param current address of the running task */
export function taskExports(mem: GuestAccess, current: () => Vaddr): KernelExports {
  /** Writes a string into a buffer of `size` bytes, with a NUL. */
  const put = (to: Vaddr, size: number, text: Uint8Array) => {
    if (size <= 0) return;
    const kept = text.subarray(0, size - 1);
    writeBytes(mem, to, kept);
    writeBytes(mem, to + kept.length, Uint8Array.of(0));
  };
  return {
    __get_task_comm: [
      'p:pzp',
      (to: Vaddr, size: number, task: Vaddr) => {
        put(to, size, readCString(mem, task + COMM, TASK_COMM_LEN));
        return to;
      },
    ],
    __set_task_comm: [
      'v:ppb',
      (task: Vaddr, from: Vaddr) => put(task + COMM, TASK_COMM_LEN, readCString(mem, from, TASK_COMM_LEN)),
    ],
    object_is_on_stack: [
      'i:p',
      (object: Vaddr) => {
        const offset = object - readS64(mem, current() + STACK);
        return Number(offset >= 0 && offset < THREAD_SIZE);
      },
    ],
  };
}
