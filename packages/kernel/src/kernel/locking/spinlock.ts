// SPDX-License-Identifier: MIT
/**
 * Spin locks and reader-writer locks. The lock is a word in C's memory, 0 when free; held, it names its holder:
 *
 *     spinlock_t, or rwlock_t held by a writer    | pid 24 | 0000 | CPU 3 | 1 |
 *     rwlock_t held by readers (cnts)             | number of readers 23 | 0…0 |     in steps of 512
 *
 * One CPU runs at a time and no holder is switched away, so whoever finds a lock taken would wait for ever. That is
 * reported as a kernel with CONFIG_DEBUG_SPINLOCK does, and then as the soft lockup that follows.
 */

import { KERN_EMERG } from '../../lib/env.js';
import { type GuestAccess, readUnsigned, writeU32 } from '../../lib/guest_access.js';
import type { Vaddr } from '../../machine/layout.js';
import type { Preempt } from '../preempt.js';

const LOCKED = 1;
/** Bits that are 0 in every word that is a lock. */
const SPARE = 0xf0;
const READER = 1 << 9;
/** `.magic` of a lock that is one. */
const SPINLOCK_MAGIC = 0xdead4ead;

export interface LockReports {
  log(level: number, text: string): void;
  dumpStack(): void;
  /** Name and offset of a variable: the %pS conversion. */
  symbolize(address: Vaddr): string;
  current(): { readonly pid: number; readonly comm: string };
  /** Name of a task by its number, if there is one. */
  taskName(pid: number): string | undefined;
  cpu(): number;
  /** Passes virtual time as one who spins does, until the watchdog has the task killed. */
  spinForEver(): never;
}

export class SpinLocks {
  constructor(
    private readonly mem: GuestAccess,
    readonly preempt: Preempt,
    private readonly reports: LockReports,
  ) {}

  private word(lock: Vaddr): number {
    return readUnsigned(this.mem, lock, 4);
  }

  /** The word of a lock that runs on this CPU's account. */
  private mine(): number {
    const { reports } = this;
    return ((reports.current().pid << 8) | (reports.cpu() << 1) | LOCKED) >>> 0;
  }

  /** Takes a lock; the caller has raised the preempt count. @linux kernel/locking/spinlock_debug.c:do_raw_spin_lock full */
  take(lock: Vaddr): void {
    const word = this.word(lock);
    if (word !== 0) this.deadlock('spinlock', lock, word);
    writeU32(this.mem, lock, this.mine());
  }

  /** @linux kernel/locking/spinlock_debug.c:do_raw_spin_trylock full */
  tryTake(lock: Vaddr): boolean {
    if (this.word(lock) !== 0) return false;
    writeU32(this.mem, lock, this.mine());
    return true;
  }

  /** @linux kernel/locking/spinlock_debug.c:do_raw_spin_unlock full */
  release(lock: Vaddr): void {
    const word = this.word(lock);
    const mine = this.mine();
    if (word !== mine) this.spinBug(lock, word, this.releaseError(word, mine));
    writeU32(this.mem, lock, 0);
  }

  private releaseError(word: number, mine: number): string {
    if (word === 0) return 'already unlocked';
    if ((word & LOCKED) === 0 || word & SPARE) return 'bad magic';
    return word >>> 8 !== mine >>> 8 ? 'wrong owner' : 'wrong CPU';
  }

  /** @linux kernel/locking/spinlock_debug.c:debug_spin_lock_before full */
  private lockError(word: number, mine: number): string {
    if ((word & LOCKED) === 0 || word & SPARE) return 'bad magic';
    if (word >>> 8 === mine >>> 8) return 'recursion';
    return (word & 0xe) === (mine & 0xe) ? 'cpu recursion' : 'lockup suspected';
  }

  private deadlock(kind: 'spinlock' | 'rwlock', lock: Vaddr, word: number): never {
    const readers = kind === 'rwlock' && (word & (READER - 1)) === 0;
    const what = readers ? 'lockup suspected' : this.lockError(word, this.mine());
    if (kind === 'spinlock') this.spinBug(lock, word, what);
    else this.rwlockBug(lock, what);
    return this.reports.spinForEver();
  }

  /** @linux kernel/locking/spinlock_debug.c:spin_dump full */
  private spinBug(lock: Vaddr, word: number, what: string): void {
    const { reports } = this;
    const { pid, comm } = reports.current();
    const valid = word & LOCKED && (word & SPARE) === 0;
    const owner = valid ? word >>> 8 : -1;
    const name = valid ? (reports.taskName(owner) ?? '<none>') : '<none>';
    const magic = word === 0 || valid ? SPINLOCK_MAGIC : word;
    reports.log(KERN_EMERG, `BUG: spinlock ${what} on CPU#${reports.cpu()}, ${comm}/${pid}`);
    reports.log(
      KERN_EMERG,
      ` lock: ${reports.symbolize(lock)}, .magic: ${magic.toString(16).padStart(8, '0')}, .owner: ${name}/${owner}, .owner_cpu: ${valid ? (word >> 1) & 7 : -1}`,
    );
    reports.dumpStack();
  }

  /** @linux kernel/locking/spinlock_debug.c:rwlock_bug full */
  private rwlockBug(lock: Vaddr, what: string): void {
    const { reports } = this;
    const { pid, comm } = reports.current();
    const address = BigInt.asUintN(64, BigInt(lock)).toString(16).padStart(16, '0');
    reports.log(KERN_EMERG, `BUG: rwlock ${what} on CPU#${reports.cpu()}, ${comm}/${pid}, ${address}`);
    reports.dumpStack();
  }

  /** @linux kernel/locking/spinlock_debug.c:do_raw_read_lock full */
  readTake(lock: Vaddr): void {
    const word = this.word(lock);
    if (word & (READER - 1)) this.deadlock('rwlock', lock, word);
    writeU32(this.mem, lock, word + READER);
  }

  readTryTake(lock: Vaddr): boolean {
    const word = this.word(lock);
    if (word & (READER - 1)) return false;
    writeU32(this.mem, lock, word + READER);
    return true;
  }

  /** @linux kernel/locking/spinlock_debug.c:do_raw_read_unlock differs: an unlock too many is reported */
  readRelease(lock: Vaddr): void {
    const word = this.word(lock);
    if (word < READER || word & (READER - 1)) this.rwlockBug(lock, 'bad magic');
    else writeU32(this.mem, lock, word - READER);
  }

  /** @linux kernel/locking/spinlock_debug.c:do_raw_write_lock full */
  writeTake(lock: Vaddr): void {
    const word = this.word(lock);
    if (word !== 0) this.deadlock('rwlock', lock, word);
    writeU32(this.mem, lock, this.mine());
  }

  /** @linux kernel/locking/spinlock_debug.c:do_raw_write_unlock full */
  writeRelease(lock: Vaddr): void {
    const word = this.word(lock);
    const mine = this.mine();
    if (word !== mine) this.rwlockBug(lock, word === 0 ? 'wrong owner' : this.releaseError(word, mine));
    writeU32(this.mem, lock, 0);
  }
}
