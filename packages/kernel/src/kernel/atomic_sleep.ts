// SPDX-License-Identifier: MIT
/**
 * Finds code that may sleep where it must not: with a spin lock held, preemption or interrupts off, or in an
 * interrupt. On with boot parameter `debug_atomic_sleep`, as with CONFIG_DEBUG_ATOMIC_SLEEP; else the checks cost
 * nothing, because exported functions that may sleep are wrapped only then.
 */

import type { ExportTable, KernelExports, KernelFunction } from '../arch/wasm64/exports.js';
import { type BootParameters, KERN_ERR } from '../lib/env.js';
import type { StaticData } from '../lib/static_data.js';
import { HZ } from '../machine/clock.js';
import type { Handle, Vaddr } from '../machine/layout.js';
import type { Ram } from '../machine/ram.js';
import { __GFP_DIRECT_RECLAIM } from '../mm/gfp.js';
import type { Preempt } from './preempt.js';

export interface AtomicSleepServices {
  readonly ram: Ram;
  readonly preempt: Preempt;
  log(level: number, text: string): void;
  dumpStack(frames: readonly string[]): void;
  taint(flag: string): void;
  current(): { readonly pid: number; readonly comm: string };
  jiffies(): number;
  /** Whether C is being wound up again after it slept. */
  isResuming(): boolean;
}

/** Where might_alloc() stands in Linux 6.1. */
const MIGHT_ALLOC = ['include/linux/sched/mm.h', 274] as const;

export class AtomicSleep {
  readonly enabled: boolean;
  private readonly lastReport: Handle;

  constructor(
    private readonly k: AtomicSleepServices,
    data: StaticData,
    parameters: BootParameters,
  ) {
    this.enabled = parameters.has('debug_atomic_sleep') && parameters.get('debug_atomic_sleep') !== '0';
    this.lastReport = data.declare('prev_jiffy', 8);
  }

  /**
   * Reports a caller that must not sleep, at most once a second.
   * @param frames kernel functions between C and the check, innermost first
   * @linux kernel/sched/core.c:__might_resched full
   */
  mightSleep(file: string, line: number, frames: readonly string[]): void {
    if (!this.enabled) return;
    const { k } = this;
    const { preempt, ram } = k;
    if (!preempt.inAtomic && !preempt.irqsDisabled && preempt.rcuNesting === 0) return;
    const last = ram.u64(this.lastReport);
    const now = k.jiffies();
    if (last !== 0 && now < last + HZ) return;
    ram.set64(this.lastReport, now);
    const { pid, comm } = k.current();
    const bit = (value: boolean) => Number(value);
    const say = (text: string) => k.log(KERN_ERR, text);
    say(`BUG: sleeping function called from invalid context at ${file}:${line}`);
    say(
      `in_atomic(): ${bit(preempt.inAtomic)}, irqs_disabled(): ${bit(preempt.irqsDisabled)}, non_block: 0, pid: ${pid}, name: ${comm}`,
    );
    say(`preempt_count: ${(preempt.count >>> 0).toString(16)}, expected: 0`);
    say(`RCU nest depth: ${preempt.rcuNesting}, expected: 0`);
    k.dumpStack(['dump_stack_lvl', '__might_resched', ...frames]);
    k.taint('W');
  }

  /** An allocation that may wait for memory. */
  mightAlloc(gfp: number, frames: readonly string[]): void {
    if (gfp & __GFP_DIRECT_RECLAIM) this.mightSleep(...MIGHT_ALLOC, frames);
  }

  /** `might_sleep()` in C. */
  exports(fileName: (file: Vaddr) => string): KernelExports {
    return {
      __might_sleep: [
        'v:pi',
        (file: Vaddr, line: number) => {
          if (this.enabled) this.mightSleep(fileName(file), line, ['__might_sleep']);
        },
      ],
      __cant_sleep: ['v:pii', () => undefined],
    };
  }

  /** Puts a check before each function that sleeps, if checks are on. */
  checkSleepers(table: ExportTable): void {
    if (!this.enabled) return;
    for (const [name, [file, line]] of Object.entries(SLEEPERS)) {
      const found = table.get(name);
      if (!found) continue;
      const [signature, fn] = found;
      const check: KernelFunction = (...args: number[]) => {
        if (!this.k.isResuming()) this.mightSleep(file, line, ['__might_sleep', name]);
        return fn(...args);
      };
      table.set(name, [signature, check]);
    }
  }

  /** Puts a check before the exports that may sleep, if checks are on. */
  check(table: ExportTable): void {
    if (!this.enabled) return;
    for (const [name, gfpIndex] of Object.entries(ALLOCATORS)) {
      const found = table.get(name);
      if (!found) continue;
      const [signature, fn] = found;
      const check: KernelFunction = (...args: number[]) => {
        this.mightAlloc(gfpIndex === NO_GFP ? __GFP_DIRECT_RECLAIM : args[gfpIndex], [name]);
        return fn(...args);
      };
      table.set(name, [signature, check]);
    }
  }
}

/** Of functions that sleep: file and line that a report names, those of Linux 6.1 as far as they are known. */
const SLEEPERS: { readonly [name: string]: readonly [file: string, line: number] } = {
  mutex_lock: ['kernel/locking/mutex.c', 282],
  mutex_lock_interruptible: ['kernel/locking/mutex.c', 979],
  mutex_lock_killable: ['kernel/locking/mutex.c', 999],
  down: ['kernel/locking/semaphore.c', 57],
  down_interruptible: ['kernel/locking/semaphore.c', 79],
  down_killable: ['kernel/locking/semaphore.c', 104],
  down_timeout: ['kernel/locking/semaphore.c', 156],
  down_read: ['kernel/locking/rwsem.c', 1519],
  down_read_killable: ['kernel/locking/rwsem.c', 1544],
  down_write: ['kernel/locking/rwsem.c', 1570],
  down_write_killable: ['kernel/locking/rwsem.c', 1583],
  wait_for_completion: ['kernel/sched/completion.c', 101],
  wait_for_completion_timeout: ['kernel/sched/completion.c', 101],
  wait_for_completion_interruptible: ['kernel/sched/completion.c', 101],
  flush_work: ['kernel/workqueue.c', 3063],
  cancel_work_sync: ['kernel/workqueue.c', 3063],
  kthread_stop: ['kernel/sched/completion.c', 101],
  synchronize_rcu: ['kernel/sched/completion.c', 101],
};

/** Of a function that always may sleep. */
const NO_GFP = -1;

/** Functions that allocate, and which argument holds the gfp flags. */
const ALLOCATORS: { readonly [name: string]: number } = {
  __kmalloc: 1,
  __kmalloc_node: 1,
  krealloc: 2,
  kvmalloc_node: 1,
  kvrealloc: 3,
  kmem_cache_alloc: 1,
  kmem_cache_alloc_node: 1,
  kmem_cache_alloc_lru: 2,
  kmem_cache_alloc_bulk: 1,
  kmem_cache_create: NO_GFP,
  kmem_cache_create_usercopy: NO_GFP,
  kmem_cache_destroy: NO_GFP,
  __alloc_pages: 0,
  alloc_pages: 0,
  __get_free_pages: 0,
  get_zeroed_page: 0,
  alloc_pages_exact: 1,
  mempool_alloc: 1,
  xa_store: 3,
  kstrdup: 1,
  kstrndup: 2,
  kmemdup: 2,
  kasprintf: 0,
  kvasprintf: 0,
  vmalloc: NO_GFP,
  vzalloc: NO_GFP,
};
