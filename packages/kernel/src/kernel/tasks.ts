// SPDX-License-Identifier: MIT
/** The task that runs: its number, its name, its kernel stack. One task at a time so far, each a command's. */

import type { CurrentTask } from '../lib/env.js';
import type { StaticData } from '../lib/static_data.js';
import { type Handle, REG, type Vaddr } from '../machine/layout.js';
import type { Ram } from '../machine/ram.js';

/** Bytes of a kernel stack (THREAD_SIZE): four pages. */
export const THREAD_SIZE_ORDER = 2;
export const THREAD_SIZE = 4096 << THREAD_SIZE_ORDER;
const COMM_LENGTH = 16;

/** Pages for kernel stacks: the direct-map address of a block, 0 if there is none. */
export interface StackPages {
  alloc(order: number): Vaddr;
  free(address: Vaddr, order: number): void;
}

export class Tasks {
  private readonly lastPid: Handle;
  private readonly pid: Handle;
  private readonly comm: Handle;

  constructor(
    private readonly ram: Ram,
    data: StaticData,
    private readonly stacks: () => StackPages,
  ) {
    this.lastPid = data.declare('last_pid', 4);
    this.pid = data.declare('current_pid', 4);
    this.comm = data.declare('current_comm', COMM_LENGTH);
  }

  /** @param firstPid the number that the first task gets */
  boot(firstPid: number): void {
    this.ram.i32[this.lastPid] = firstPid - 1;
    this.setCurrent(0, 'swapper/0');
  }

  current(): CurrentTask {
    const bytes = this.ram.u8.subarray(this.comm * 4, this.comm * 4 + COMM_LENGTH);
    const end = bytes.indexOf(0);
    return {
      pid: this.ram.i32[this.pid],
      comm: String.fromCharCode(...bytes.subarray(0, end < 0 ? COMM_LENGTH : end)),
      cpu: 0,
    };
  }

  private setCurrent(pid: number, comm: string): void {
    this.ram.i32[this.pid] = pid;
    const bytes = this.ram.u8.subarray(this.comm * 4, this.comm * 4 + COMM_LENGTH);
    bytes.fill(0);
    bytes.set(Uint8Array.from(comm.slice(0, COMM_LENGTH - 1), (c) => c.charCodeAt(0)));
  }

  /**
   * Runs a function as a new task with a kernel stack of its own.
   * @returns what the function returned, or `noMemory` if there was none for a stack
   */
  run<T>(comm: string, noMemory: T, body: () => T): T {
    const stack = this.stacks().alloc(THREAD_SIZE_ORDER);
    if (stack === 0) return noMemory;
    const before = this.current();
    const { hostView } = this.ram;
    const saved = [hostView.getBigInt64(REG.sp, true), hostView.getBigInt64(REG.spLimit, true)];
    this.setCurrent(++this.ram.i32[this.lastPid], comm);
    hostView.setBigInt64(REG.sp, BigInt(stack + THREAD_SIZE), true);
    hostView.setBigInt64(REG.spLimit, BigInt(stack), true);
    try {
      return body();
    } finally {
      hostView.setBigInt64(REG.sp, saved[0], true);
      hostView.setBigInt64(REG.spLimit, saved[1], true);
      this.setCurrent(before.pid, before.comm);
      this.stacks().free(stack, THREAD_SIZE_ORDER);
    }
  }
}
