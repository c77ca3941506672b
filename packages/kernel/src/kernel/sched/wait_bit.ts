// SPDX-License-Identifier: MIT
/**
 * Wait queues that are found by what is waited for: a bit of a word, or a variable.
 *
 *     hash(word, bit) → bit_wait_table[n] → wait_bit_queue_entry { key { word, bit }, entry } → …
 *
 * One queue serves everything of its hash, so whoever is woken compares the key. The loops that wait are C
 * (<linux/wait_bit.h>): what they do between looking and sleeping may be a function of the module's.
 */

import type { KernelExports } from '../../arch/wasm64/exports.js';
import { type GuestAccess, readS64, readUnsigned, writeInteger } from '../../lib/guest_access.js';
import { WaitBitKey, WaitBitQueueEntry, WaitQueueEntry, WaitQueueHead } from '../../lib/lock_types.js';
import type { StaticData } from '../../lib/static_data.js';
import type { Handle, Vaddr } from '../../machine/layout.js';
import { TASK_INTERRUPTIBLE, TASK_UNINTERRUPTIBLE } from '../sched.js';
import type { WaitQueues } from './wait.js';

const WAIT_TABLE_BITS = 8;
const TASK_NORMAL = TASK_INTERRUPTIBLE | TASK_UNINTERRUPTIBLE;
const NR_QUEUES = 1 << WAIT_TABLE_BITS;
/** In place of a bit's number: a variable is waited for. */
const NO_BIT = -1;
const KEY = WaitBitQueueEntry.o.key;
const ENTRY = WaitBitQueueEntry.o.wq_entry;

export class WaitBits {
  private readonly table: Handle;
  /** The key that wake functions are shown. */
  private readonly key: Vaddr;

  constructor(
    private readonly mem: GuestAccess,
    private readonly queues: WaitQueues,
    data: StaticData,
  ) {
    this.table = data.declare('bit_wait_table', NR_QUEUES * WaitQueueHead.size);
    this.key = mem.ram.addressOf(data.declare('wait_bit_key', WaitBitKey.size));
    queues.wakeBit = (entry, mode, key) => this.wakeFunction(entry, mode, key);
  }

  /** A queue of the table, which is empty memory until it is used first. */
  private queue(address: Vaddr, bit: number): Vaddr {
    const words = Math.floor(address / 8) + (bit === NO_BIT ? 0 : bit);
    const hash = Math.imul((words % 0x100000000) | 0, 0x61c88647) >>> (32 - WAIT_TABLE_BITS);
    const queue = this.mem.ram.addressOf(this.table) + hash * WaitQueueHead.size;
    if (readS64(this.mem, queue + WaitQueueHead.o.head) === 0) this.queues.init(queue);
    return queue;
  }

  /** @linux kernel/sched/wait_bit.c:__wake_up_bit full */
  private wake(queue: Vaddr, word: Vaddr, bit: number): void {
    this.setKey(this.key, word, bit);
    this.queues.wakeUp(queue, TASK_NORMAL, bit === NO_BIT ? 0 : 1, this.key);
  }

  private setKey(key: Vaddr, word: Vaddr, bit: number): void {
    writeInteger(this.mem, key + WaitBitKey.o.flags, word, 8);
    writeInteger(this.mem, key + WaitBitKey.o.bit_nr, bit, 4);
    writeInteger(this.mem, key + WaitBitKey.o.timeout, 0, 8);
  }

  private keyOf(key: Vaddr): { word: Vaddr; bit: number } {
    return {
      word: readS64(this.mem, key + WaitBitKey.o.flags),
      bit: readUnsigned(this.mem, key + WaitBitKey.o.bit_nr, 4) | 0,
    };
  }

  /**
   * Wakes the waiter of an entry if it waits for what `key` names, and a bit is clear now.
   * @linux kernel/sched/wait_bit.c:wake_bit_function full
   */
  private wakeFunction(entry: Vaddr, mode: number, key: Vaddr): number {
    const asked = this.keyOf(key);
    const mine = this.keyOf(entry - ENTRY + KEY);
    if (asked.word !== mine.word || asked.bit !== mine.bit) return 0;
    if (asked.bit !== NO_BIT && this.isSet(asked.word, asked.bit)) return 0;
    return this.queues.autoremove(entry, mode);
  }

  private isSet(word: Vaddr, bit: number): boolean {
    return ((readUnsigned(this.mem, word + (bit >> 3), 1) >> (bit & 7)) & 1) === 1;
  }

  /** @linux kernel/sched/wait_bit.c:init_wait_var_entry full */
  private initVarEntry(waiter: Vaddr, variable: Vaddr, flags: number): void {
    this.queues.initEntry(waiter + ENTRY, flags);
    this.setKey(waiter + KEY, variable, NO_BIT);
    const wake = this.queues.deps.symbol('wake_bit_function') ?? 0;
    writeInteger(this.mem, waiter + ENTRY + WaitQueueEntry.o.func, wake, 8);
  }

  exports(): KernelExports {
    return {
      bit_waitqueue: ['p:pi', (word: Vaddr, bit: number) => this.queue(word, bit)],
      __wake_up_bit: ['v:ppi', (queue: Vaddr, word: Vaddr, bit: number) => this.wake(queue, word, bit)],
      wake_up_bit: ['v:pi', (word: Vaddr, bit: number) => this.wake(this.queue(word, bit), word, bit)],
      wake_bit_function: [
        'i:puip',
        (entry: Vaddr, mode: number, _sync: number, key: Vaddr) => this.wakeFunction(entry, mode, key),
      ],
      __var_waitqueue: ['p:p', (variable: Vaddr) => this.queue(variable, NO_BIT)],
      init_wait_var_entry: [
        'v:ppi',
        (waiter: Vaddr, variable: Vaddr, flags: number) => this.initVarEntry(waiter, variable, flags),
      ],
      wake_up_var: ['v:p', (v: Vaddr) => this.wake(this.queue(v, NO_BIT), v, NO_BIT)],
    };
  }
}
