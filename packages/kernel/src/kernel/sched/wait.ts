// SPDX-License-Identifier: MIT
/**
 * Wait queues of C: `struct wait_queue_head`, whose entries lie on the stacks of the tasks that wait.
 *
 * The macros of <linux/wait.h> do the waiting: they put an entry on the queue, look at the condition, and call
 * schedule(). Here are the functions that they call, and wake_up().
 */

import type { KernelExports } from '../../arch/wasm64/exports.js';
import type { CallC } from '../../lib/c_call.js';
import { ERESTARTSYS } from '../../lib/errno.js';
import { type GuestAccess, readS64, readUnsigned, writeInteger } from '../../lib/guest_access.js';
import { GuestList } from '../../lib/guest_list.js';
import { WaitQueueEntry, WaitQueueHead } from '../../lib/lock_types.js';
import type { Handle, Vaddr } from '../../machine/layout.js';
import type { Scheduler } from './core.js';

const WQ_FLAG_EXCLUSIVE = 1;
const WQ_FLAG_WOKEN = 2;
const WQ_FLAG_PRIORITY = 32;

const ENTRY = WaitQueueEntry.o.entry;
const HEAD = WaitQueueHead.o.head;

export interface WaitDeps extends GuestAccess {
  readonly scheduler: Scheduler;
  readonly callC: CallC;
  /** Handle and address of the running task. */
  current(): Handle;
  /** Address of a kernel function that C may name. */
  symbol(name: string): Vaddr | undefined;
  /** Whether a signal ends a wait in a state; in an interruptible one by default. */
  signalPending(state?: number): boolean;
}

export class WaitQueues {
  private readonly list: GuestList;
  /** wake_bit_function(), for entries that wait for a bit or a variable. */
  wakeBit: ((entry: Vaddr, mode: number, key: Vaddr) => number) | undefined;

  constructor(readonly deps: WaitDeps) {
    this.list = new GuestList(deps);
  }

  private flags(entry: Vaddr): number {
    return readUnsigned(this.deps, entry + WaitQueueEntry.o.flags, 4);
  }

  private setFlags(entry: Vaddr, flags: number): void {
    writeInteger(this.deps, entry + WaitQueueEntry.o.flags, flags, 4);
  }

  /** @linux kernel/sched/wait.c:__init_waitqueue_head full */
  init(head: Vaddr): void {
    writeInteger(this.deps, head + WaitQueueHead.o.lock, 0, 4);
    this.list.init(head + HEAD);
  }

  /** @linux kernel/sched/wait.c:init_wait_entry full */
  initEntry(entry: Vaddr, flags: number): void {
    this.setFlags(entry, flags);
    writeInteger(
      this.deps,
      entry + WaitQueueEntry.o.private,
      this.deps.ram.addressOf(this.deps.current()),
      8,
    );
    const wake = this.deps.symbol('autoremove_wake_function') ?? 0;
    writeInteger(this.deps, entry + WaitQueueEntry.o.func, wake, 8);
    this.list.init(entry + ENTRY);
  }

  add(head: Vaddr, entry: Vaddr, exclusive: boolean): void {
    const flags = this.flags(entry);
    this.setFlags(entry, exclusive ? flags | WQ_FLAG_EXCLUSIVE : flags & ~WQ_FLAG_EXCLUSIVE);
    if (exclusive) this.list.addTail(entry + ENTRY, head + HEAD);
    else this.list.add(entry + ENTRY, head + HEAD);
  }

  remove(entry: Vaddr): void {
    this.list.del(entry + ENTRY);
  }

  /** Puts an entry on the queue, unless it is there, and sets the task's state. */
  prepare(head: Vaddr, entry: Vaddr, state: number, exclusive: boolean): boolean {
    const wasEmpty = this.list.empty(head + HEAD);
    if (this.list.empty(entry + ENTRY)) this.add(head, entry, exclusive);
    this.deps.scheduler.setState(state);
    return wasEmpty;
  }

  /** @linux kernel/sched/wait.c:prepare_to_wait_event full */
  prepareEvent(head: Vaddr, entry: Vaddr, state: number): number {
    if (this.deps.signalPending(state)) {
      this.list.delInit(entry + ENTRY);
      return -ERESTARTSYS;
    }
    this.prepare(head, entry, state, (this.flags(entry) & WQ_FLAG_EXCLUSIVE) !== 0);
    return 0;
  }

  /** @linux kernel/sched/wait.c:finish_wait full */
  finish(entry: Vaddr): void {
    this.deps.scheduler.setState(0);
    if (!this.list.empty(entry + ENTRY)) this.list.delInit(entry + ENTRY);
  }

  /**
   * Wakes the waiters: all that are not exclusive, and `nr` that are (0: all).
   * @returns how many exclusive waiters are still to be woken
   * @linux kernel/sched/wait.c:__wake_up_common full
   */
  wakeUp(head: Vaddr, mode: number, nr: number, key: Vaddr): number {
    let left = nr;
    for (const node of this.list.nodes(head + HEAD)) {
      const entry = node - ENTRY;
      const exclusive = (this.flags(entry) & WQ_FLAG_EXCLUSIVE) !== 0;
      const woken = this.callWakeFunction(entry, mode, key);
      if (woken < 0) break;
      if (woken > 0 && exclusive && --left === 0) break;
    }
    return left;
  }

  private callWakeFunction(entry: Vaddr, mode: number, key: Vaddr): number {
    const { symbol, callC } = this.deps;
    const fn = readS64(this.deps, entry + WaitQueueEntry.o.func);
    if (fn === symbol('autoremove_wake_function')) return this.autoremove(entry, mode);
    if (fn === symbol('default_wake_function')) return this.wakeEntry(entry, mode);
    if (fn === symbol('woken_wake_function')) return this.woken(entry, mode);
    if (this.wakeBit && fn === symbol('wake_bit_function')) return this.wakeBit(entry, mode, key);
    return callC(fn, 'i:puip', entry, mode, 0, key);
  }

  /** @linux kernel/sched/core.c:default_wake_function full */
  wakeEntry(entry: Vaddr, mode: number): number {
    const task = this.deps.ram.handleOf(readS64(this.deps, entry + WaitQueueEntry.o.private));
    return this.deps.scheduler.wake(task, mode) ? 1 : 0;
  }

  /** @linux kernel/sched/wait.c:autoremove_wake_function full */
  autoremove(entry: Vaddr, mode: number): number {
    const woken = this.wakeEntry(entry, mode);
    if (woken) this.list.delInit(entry + ENTRY);
    return woken;
  }

  /** @linux kernel/sched/wait.c:woken_wake_function full */
  woken(entry: Vaddr, mode: number): number {
    this.setFlags(entry, this.flags(entry) | WQ_FLAG_WOKEN);
    return this.wakeEntry(entry, mode);
  }

  exports(): KernelExports {
    const wake = (head: Vaddr, mode: number, nr: number, key: Vaddr) => this.wakeUp(head, mode, nr, key);
    return {
      __init_waitqueue_head: ['v:ppp', (head: Vaddr) => this.init(head)],
      init_wait_entry: ['v:pi', (entry: Vaddr, flags: number) => this.initEntry(entry, flags)],
      add_wait_queue: ['v:pp', (head: Vaddr, entry: Vaddr) => this.add(head, entry, false)],
      add_wait_queue_exclusive: ['v:pp', (head: Vaddr, entry: Vaddr) => this.add(head, entry, true)],
      add_wait_queue_priority: [
        'v:pp',
        (head: Vaddr, entry: Vaddr) => {
          this.add(head, entry, false);
          this.setFlags(entry, this.flags(entry) | WQ_FLAG_EXCLUSIVE | WQ_FLAG_PRIORITY);
        },
      ],
      remove_wait_queue: ['v:pp', (_head: Vaddr, entry: Vaddr) => this.remove(entry)],
      prepare_to_wait: [
        'v:ppi',
        (head: Vaddr, entry: Vaddr, state: number) => void this.prepare(head, entry, state, false),
      ],
      prepare_to_wait_exclusive: [
        'b:ppi',
        (head: Vaddr, entry: Vaddr, state: number) => this.prepare(head, entry, state, true),
      ],
      prepare_to_wait_event: [
        'l:ppi',
        (head: Vaddr, entry: Vaddr, state: number) => this.prepareEvent(head, entry, state),
      ],
      finish_wait: ['v:pp', (_head: Vaddr, entry: Vaddr) => this.finish(entry)],
      __wake_up: ['i:puip', wake],
      __wake_up_locked: ['v:pui', (head: Vaddr, mode: number, nr: number) => void wake(head, mode, nr, 0)],
      __wake_up_locked_key: [
        'v:pup',
        (head: Vaddr, mode: number, key: Vaddr) => void wake(head, mode, 1, key),
      ],
      __wake_up_sync: ['v:pu', (head: Vaddr, mode: number) => void wake(head, mode, 1, 0)],
      __wake_up_sync_key: ['v:pup', (head: Vaddr, mode: number, key: Vaddr) => void wake(head, mode, 1, key)],
      default_wake_function: ['i:puip', (entry: Vaddr, mode: number) => this.wakeEntry(entry, mode)],
      autoremove_wake_function: ['i:puip', (entry: Vaddr, mode: number) => this.autoremove(entry, mode)],
      woken_wake_function: ['i:puip', (entry: Vaddr, mode: number) => this.woken(entry, mode)],
    };
  }
}
