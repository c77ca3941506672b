// SPDX-License-Identifier: MIT
/**
 * RCU whose readers may sleep: `struct srcu_struct` counts its readers, in two groups.
 *
 *     readers[0]  readers[1]  idx      new readers join the group that idx names
 *
 * Who waits, waits first for the group that idx does not name, which can only shrink; then turns idx over and waits for
 * the other: so every reader that was there at first has left. Those that come after the turn are not waited for.
 */

import type { KernelExports } from '../../arch/wasm64/exports.js';
import type { CallC } from '../../lib/c_call.js';
import { type GuestAccess, readUnsigned, writeBytes, writeU32 } from '../../lib/guest_access.js';
import { initListHead, ListHead, listAddTail, listDel, listEmpty, listEntries } from '../../lib/list.js';
import { WaitQueueHead } from '../../lib/lock_types.js';
import type { StaticData } from '../../lib/static_data.js';
import { addr, struct } from '../../lib/struct.js';
import type { Handle, Vaddr } from '../../machine/layout.js';
import { GFP_ATOMIC } from '../../mm/gfp.js';
import type { Mutexes } from '../locking/mutex.js';
import type { Scheduler, SLEEP } from '../sched/core.js';
import type { WaitLists } from '../sched/wait_list.js';
import { TASK_UNINTERRUPTIBLE } from '../sched.js';
import { type Interrupts, SRCU_SOFTIRQ } from '../softirq.js';

/** Offsets of `struct srcu_struct`. */
const READERS = 0;
const IDX = 8;
const LOCK = 16;
const WAIT = LOCK + 32;
const BYTES = WAIT + WaitQueueHead.size;

/** A callback that waits for the readers of its srcu_struct. */
const SrcuCallback = struct('srcu_callback', { node: ListHead, ssp: addr(), head: addr(), func: addr() });

export interface SrcuDeps extends GuestAccess {
  readonly scheduler: Scheduler;
  readonly interrupts: Interrupts;
  readonly waits: WaitLists;
  readonly mutexes: Mutexes;
  readonly callC: CallC;
  kmalloc(bytes: number, gfp: number): Vaddr;
  kfree(address: Vaddr): void;
}

export class Srcu {
  private readonly callbacks: Handle;

  constructor(
    private readonly deps: SrcuDeps,
    data: StaticData,
  ) {
    this.callbacks = data.declare('srcu_callbacks', 16);
    const { interrupts } = deps;
    interrupts.openSoftirq(SRCU_SOFTIRQ, () => {
      for (const ssp of this.ready()) this.runCallbacks(ssp);
    });
    interrupts.addSource({
      hardirq: (cpu) => {
        if (this.ready().length > 0) interrupts.raiseSoftirq(SRCU_SOFTIRQ, cpu);
      },
    });
  }

  boot(): void {
    initListHead(this.deps.ram, this.callbacks);
  }

  private waiters(ssp: Vaddr): Vaddr {
    return ssp + WAIT + WaitQueueHead.o.head;
  }

  /** @linux kernel/rcu/srcutree.c:init_srcu_struct full */
  private init(ssp: Vaddr): number {
    writeBytes(this.deps, ssp, new Uint8Array(BYTES));
    this.deps.mutexes.init(ssp + LOCK);
    this.deps.waits.list.init(this.waiters(ssp));
    return 0;
  }

  private group(ssp: Vaddr): number {
    return readUnsigned(this.deps, ssp + IDX, 4) & 1;
  }

  private readers(ssp: Vaddr, group: number): number {
    return readUnsigned(this.deps, ssp + READERS + 4 * group, 4);
  }

  private addReaders(ssp: Vaddr, group: number, n: number): void {
    writeU32(this.deps, ssp + READERS + 4 * group, this.readers(ssp, group) + n);
  }

  /** @returns the group that the reader joined @linux kernel/rcu/srcutree.c:__srcu_read_lock full */
  private readLock(ssp: Vaddr): number {
    const group = this.group(ssp);
    this.addReaders(ssp, group, 1);
    return group;
  }

  /** @linux kernel/rcu/srcutree.c:__srcu_read_unlock full */
  private readUnlock(ssp: Vaddr, group: number): void {
    this.addReaders(ssp, group & 1, -1);
    if (this.readers(ssp, group & 1) !== 0) return;
    this.deps.waits.wakeAll(this.waiters(ssp));
  }

  /** @linux kernel/rcu/srcutree.c:synchronize_srcu full */
  private synchronize() {
    const { scheduler, waits } = this.deps;
    const GROUP = 0;
    const TURNS = 1;
    return scheduler.sleeping<readonly [Vaddr]>((stage, [ssp]): number | typeof SLEEP => {
      if (stage === 0) {
        scheduler.setSaved(TURNS, 0);
        scheduler.setSaved(GROUP, 1 - this.group(ssp));
      }
      for (;;) {
        if (this.readers(ssp, scheduler.getSaved(GROUP)) > 0) {
          waits.add(this.waiters(ssp));
          scheduler.setState(TASK_UNINTERRUPTIBLE);
          return scheduler.sleep(1);
        }
        if (scheduler.getSaved(TURNS) === 1) return 0;
        scheduler.setSaved(TURNS, 1);
        this.turn(ssp, GROUP);
      }
    });
  }

  /** New readers join the other group; the old one is remembered. */
  private turn(ssp: Vaddr, word: number): void {
    this.deps.scheduler.setSaved(word, this.group(ssp));
    writeU32(this.deps, ssp + IDX, readUnsigned(this.deps, ssp + IDX, 4) + 1);
  }

  // ---------------------------------------------------------------- callbacks

  /** @linux kernel/rcu/srcutree.c:call_srcu partial: runs when there is no reader at all */
  private call(ssp: Vaddr, head: Vaddr, func: Vaddr): void {
    const { ram, kmalloc } = this.deps;
    const address = kmalloc(SrcuCallback.size, GFP_ATOMIC);
    if (address === 0) return;
    const h = ram.handleOf(address);
    Object.assign(SrcuCallback.at(ram, h), { ssp, head, func });
    listAddTail(ram, h + SrcuCallback.w.node, this.callbacks);
  }

  private idle(ssp: Vaddr): boolean {
    return this.readers(ssp, 0) + this.readers(ssp, 1) === 0;
  }

  private all(): Handle[] {
    return [...listEntries(this.deps.ram, this.callbacks)].map((node) => node - SrcuCallback.w.node);
  }

  /** Those whose callbacks can run. */
  private ready(): Vaddr[] {
    if (listEmpty(this.deps.ram, this.callbacks)) return [];
    const ssps = new Set(this.all().map((h) => SrcuCallback.at(this.deps.ram, h).ssp));
    return [...ssps].filter((ssp) => this.idle(ssp));
  }

  /** Whether callbacks can run now. */
  get isReady(): boolean {
    return this.ready().length > 0;
  }

  private pending(ssp: Vaddr): Handle[] {
    return this.all().filter((h) => SrcuCallback.at(this.deps.ram, h).ssp === ssp);
  }

  private runCallbacks(ssp: Vaddr): void {
    const { ram, kfree, callC, waits } = this.deps;
    if (!this.idle(ssp)) return;
    for (const h of this.pending(ssp)) {
      const { head, func } = SrcuCallback.at(ram, h);
      listDel(ram, h + SrcuCallback.w.node);
      kfree(ram.addressOf(h));
      callC(func, 'v:p', head);
    }
    waits.wakeAll(this.waiters(ssp));
  }

  /** @linux kernel/rcu/srcutree.c:srcu_barrier full */
  private barrier() {
    const { scheduler, waits } = this.deps;
    return scheduler.sleeping<readonly [Vaddr]>((_stage, [ssp]) => {
      if (this.pending(ssp).length === 0) return 0;
      waits.add(this.waiters(ssp));
      scheduler.setState(TASK_UNINTERRUPTIBLE);
      return scheduler.sleep(1);
    });
  }

  sleepingExports(): KernelExports {
    return { synchronize_srcu: ['v:p', this.synchronize()], srcu_barrier: ['v:p', this.barrier()] };
  }

  exports(): KernelExports {
    return {
      init_srcu_struct: ['i:p', (ssp: Vaddr) => this.init(ssp)],
      cleanup_srcu_struct: ['v:p', () => undefined],
      srcu_read_lock: ['i:p', (ssp: Vaddr) => this.readLock(ssp)],
      srcu_read_unlock: ['v:pi', (ssp: Vaddr, group: number) => this.readUnlock(ssp, group)],
      call_srcu: ['v:ppp', (ssp: Vaddr, head: Vaddr, func: Vaddr) => this.call(ssp, head, func)],
    };
  }
}
