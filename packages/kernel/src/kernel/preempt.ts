// SPDX-License-Identifier: MIT
/**
 * What a CPU may be interrupted by: the preempt count, whether interrupts are on, and how deep RCU readers nest.
 *
 *     preempt_count   | 0000 0000 | NMI 4 | hardirq 4 | softirq 8 | preempt 8 |     in_atomic(): not 0
 *                                                        ^ odd while a softirq runs; local_bh_disable() adds 2
 *
 * Each CPU has one of each. They belong to what runs there: a switch of tasks saves and restores them.
 */

import type { KernelExports } from '../arch/wasm64/exports.js';
import type { StaticData } from '../lib/static_data.js';
import type { Handle } from '../machine/layout.js';
import type { Ram } from '../machine/ram.js';

export const PREEMPT_OFFSET = 1;
export const SOFTIRQ_OFFSET = 1 << 8;
export const HARDIRQ_OFFSET = 1 << 16;
export const NMI_OFFSET = 1 << 20;
/** What local_bh_disable() adds. */
export const SOFTIRQ_DISABLE_OFFSET = 2 * SOFTIRQ_OFFSET;
const PREEMPT_MASK = 0xff;
const SOFTIRQ_MASK = 0xff00;
const HARDIRQ_MASK = 0xf0000;
const NMI_MASK = 0xf00000;

/** Words of one CPU. */
const COUNT = 0;
const IRQS_OFF = 1;
const RCU_NESTING = 2;
const WORDS = 4;

/** What of a CPU's state belongs to the task that runs. */
export interface PreemptState {
  readonly count: number;
  readonly irqsDisabled: boolean;
  readonly rcuNesting: number;
}

export class Preempt {
  private readonly cells: Handle;

  constructor(
    private readonly ram: Ram,
    data: StaticData,
    private readonly nrCpus: number,
    private readonly cpu: () => number,
  ) {
    this.cells = data.declare('pcpu_hot', 4 * WORDS * nrCpus, 64);
  }

  private cell(word: number): Handle {
    return this.cells + this.cpu() * WORDS + word;
  }

  get count(): number {
    return this.ram.i32[this.cell(COUNT)];
  }

  add(value: number): void {
    this.ram.i32[this.cell(COUNT)] += value;
  }

  sub(value: number): void {
    this.ram.i32[this.cell(COUNT)] -= value;
  }

  set count(value: number) {
    this.ram.i32[this.cell(COUNT)] = value;
  }

  get irqsDisabled(): boolean {
    return this.ram.i32[this.cell(IRQS_OFF)] !== 0;
  }

  set irqsDisabled(off: boolean) {
    this.ram.i32[this.cell(IRQS_OFF)] = off ? 1 : 0;
  }

  /** Turns interrupts off; the flags to give back to `irqRestore`: 1 if they were off. */
  irqSave(): number {
    const was = Number(this.irqsDisabled);
    this.irqsDisabled = true;
    return was;
  }

  irqRestore(flags: number): void {
    this.irqsDisabled = flags !== 0;
  }

  /** Open rcu_read_lock() sections. */
  get rcuNesting(): number {
    return this.ram.i32[this.cell(RCU_NESTING)];
  }

  set rcuNesting(depth: number) {
    this.ram.i32[this.cell(RCU_NESTING)] = depth;
  }

  get inAtomic(): boolean {
    return this.count !== 0;
  }

  /** In a handler of an interrupt or softirq, or with softirqs off. */
  get inInterrupt(): boolean {
    return (this.count & (HARDIRQ_MASK | SOFTIRQ_MASK | NMI_MASK)) !== 0;
  }

  get inHardirq(): boolean {
    return (this.count & HARDIRQ_MASK) !== 0;
  }

  get inServingSoftirq(): boolean {
    return (this.count & SOFTIRQ_OFFSET) !== 0;
  }

  /** Whether a CPU is inside of rcu_read_lock() or has preemption off: this one, or one that an interrupt of this one looks at. */
  get hasReaders(): boolean {
    const { i32 } = this.ram;
    for (let cell = this.cells; cell < this.cells + this.nrCpus * WORDS; cell += WORDS)
      if (i32[cell + RCU_NESTING] > 0 || (i32[cell + COUNT] & PREEMPT_MASK) !== 0) return true;
    return false;
  }

  /** The running task's state, to be restored when it runs again. */
  save(): PreemptState {
    return { count: this.count, irqsDisabled: this.irqsDisabled, rcuNesting: this.rcuNesting };
  }

  restore(state: PreemptState): void {
    this.count = state.count;
    this.irqsDisabled = state.irqsDisabled;
    this.rcuNesting = state.rcuNesting;
  }

  /** As a new task begins: everything on. */
  reset(): void {
    this.restore({ count: 0, irqsDisabled: false, rcuNesting: 0 });
  }

  /** Runs when the last local_bh_disable() ends with interrupts on: pending softirqs have their turn. */
  onBhEnable: () => void = () => {};

  bhDisable(): void {
    this.add(SOFTIRQ_DISABLE_OFFSET);
  }

  bhEnable(offset = SOFTIRQ_DISABLE_OFFSET): void {
    this.sub(offset);
    if (!this.inInterrupt) this.onBhEnable();
  }
}

export function preemptExports(preempt: Preempt): KernelExports {
  return {
    __pagewalk_preempt_count: ['i:', () => preempt.count],
    preempt_count_add: ['v:i', (value: number) => preempt.add(value)],
    preempt_count_sub: ['v:i', (value: number) => preempt.sub(value)],
    __pagewalk_irq_save: ['z:', () => preempt.irqSave()],
    __pagewalk_irq_restore: ['v:z', (flags: number) => preempt.irqRestore(flags)],
    __pagewalk_irq_disable: ['v:', () => preempt.irqRestore(1)],
    __pagewalk_irq_enable: ['v:', () => preempt.irqRestore(0)],
    __pagewalk_irqs_disabled: ['b:', () => preempt.irqsDisabled],
    local_bh_disable: ['v:', () => preempt.bhDisable()],
    local_bh_enable: ['v:', () => preempt.bhEnable()],
    __local_bh_enable_ip: ['v:zu', (_ip: number, offset: number) => preempt.bhEnable(offset)],
    __rcu_read_lock: ['v:', () => void preempt.rcuNesting++],
    __rcu_read_unlock: ['v:', () => void preempt.rcuNesting--],
    rcu_read_lock_held_common: ['b:', () => preempt.rcuNesting > 0],
  };
}
