// SPDX-License-Identifier: MIT
/**
 * Interrupts of the virtual CPUs, and the soft interrupts that follow them.
 *
 * Nothing interrupts C at any instruction: interrupts are taken at timer ticks, when softirqs are turned on again,
 * and between tasks. A handler runs to its end on a stack of its own; it cannot sleep.
 *
 *     a task runs C ─ tick ─▶ hard interrupts (hrtimers) ─▶ softirqs: timers, tasklets, RCU ─▶ C goes on
 *
 * A CPU takes its own interrupts whenever they are on, whatever its task holds: so a handler that takes the task's
 * spin lock deadlocks, as it would on Linux. Those of other CPUs wait until the running task holds no lock.
 */

import type { Functions } from '../arch/wasm64/functions.js';
import type { StaticData } from '../lib/static_data.js';
import { type Handle, REG, SUSPEND, type Vaddr } from '../machine/layout.js';
import type { Ram } from '../machine/ram.js';
import { charge } from '../machine/work.js';
import type { IrqTrace } from '../trace/events/irq.js';
import { type Oops, TaskExit, TaskKilled } from './oops.js';
import { HARDIRQ_OFFSET, type Preempt, SOFTIRQ_OFFSET } from './preempt.js';

export const HI_SOFTIRQ = 0;
export const TIMER_SOFTIRQ = 1;
export const TASKLET_SOFTIRQ = 6;
/** Linux has SCHED_SOFTIRQ here, and runs callbacks of SRCU from a work queue. */
export const SRCU_SOFTIRQ = 7;
export const HRTIMER_SOFTIRQ = 8;
export const RCU_SOFTIRQ = 9;
const NR_SOFTIRQS = 10;
/** How often softirqs that were raised meanwhile run at once; then they wait for the next interrupt. */
const MAX_SOFTIRQ_RESTART = 10;

const IRQ_STACK_BYTES = 16384;
/** Bytes below the stack pointer that an interrupted function may use. */
const RED_ZONE = 256;
/** What an interrupt costs, in loop iterations of translated code. */
const INTERRUPT_COUNT = 64;

export interface InterruptDeps {
  readonly ram: Ram;
  readonly preempt: Preempt;
  readonly functions: Functions;
  readonly oops: Oops;
  readonly nrCpus: number;
  readonly trace: IrqTrace;
  returnAddress(name: string): Vaddr;
  /** Runs something as the idle task. */
  asIdle(body: () => void): void;
}

/** What may have something to do at an interrupt. */
export interface InterruptSource {
  /** Does what is due in hard interrupts, and raises softirqs. */
  hardirq(cpu: number): void;
}

export class Interrupts {
  private readonly stack: Handle;
  private readonly pending: Handle;
  private readonly sources: InterruptSource[] = [];
  private readonly handlers: (((cpu: number) => void) | undefined)[] = new Array(NR_SOFTIRQS).fill(undefined);

  constructor(
    private readonly deps: InterruptDeps,
    data: StaticData,
  ) {
    this.stack = data.declare('irq_stack_backing_store', IRQ_STACK_BYTES, 4096);
    this.pending = data.declare('irq_stat', 4 * deps.nrCpus);
    deps.preempt.onBhEnable = () => this.runSoftirqs(this.cpu);
  }

  get cpu(): number {
    return this.deps.ram.host32[REG.cpu >> 2];
  }

  /** Adds a source; interrupts ask them in the order in which they were added. */
  addSource(source: InterruptSource): void {
    this.sources.push(source);
  }

  /** @linux kernel/softirq.c:open_softirq full */
  openSoftirq(nr: number, handler: (cpu: number) => void): void {
    this.handlers[nr] = handler;
  }

  /** @linux kernel/softirq.c:raise_softirq differs: no ksoftirqd to wake, the next interrupt runs it */
  raiseSoftirq(nr: number, cpu = this.cpu): void {
    const { ram, trace } = this.deps;
    if (trace.softirqRaise.enabled) trace.softirqRaise.emit({ vec: nr });
    ram.i32[this.pending + cpu] |= 1 << nr;
  }

  /** Whether any CPU has softirqs that have not run. */
  get softirqPending(): boolean {
    const { ram, nrCpus } = this.deps;
    for (let cpu = 0; cpu < nrCpus; cpu++) if (ram.i32[this.pending + cpu] !== 0) return true;
    return false;
  }

  /** A moment at which interrupts are taken: what is due on each CPU runs. */
  poll(): void {
    const { ram, preempt, nrCpus } = this.deps;
    // While frames are saved or wound up nothing else may run; the next tick will do.
    if (ram.host32[REG.suspend >> 2] !== SUSPEND.none) return;
    const here = this.cpu;
    const othersToo = !preempt.inAtomic && !preempt.irqsDisabled;
    this.pollCpu(here);
    if (!othersToo) return;
    for (let cpu = 0; cpu < nrCpus; cpu++) if (cpu !== here) this.onCpu(cpu, () => this.pollCpu(cpu));
  }

  /** Runs something on another CPU, which is idle. */
  onCpu(cpu: number, body: () => void): void {
    const { ram, asIdle } = this.deps;
    const here = this.cpu;
    asIdle(() => {
      ram.host32[REG.cpu >> 2] = cpu;
      body();
      ram.host32[REG.cpu >> 2] = here;
    });
  }

  private pollCpu(cpu: number): void {
    const { preempt } = this.deps;
    if (preempt.irqsDisabled || preempt.inHardirq) return;
    for (const source of this.sources) source.hardirq(cpu);
    this.runSoftirqs(cpu);
  }

  /** @linux kernel/softirq.c:__do_softirq partial: no ksoftirqd, no limit in time */
  private runSoftirqs(cpu: number): void {
    const { ram, preempt } = this.deps;
    if (preempt.inInterrupt || preempt.irqsDisabled) return;
    for (let round = 0; round < MAX_SOFTIRQ_RESTART; round++) {
      const mask = ram.i32[this.pending + cpu];
      if (mask === 0) return;
      ram.i32[this.pending + cpu] = 0;
      this.enter(SOFTIRQ_OFFSET, ['__irq_exit_rcu', '__do_softirq'], () => {
        for (let nr = 0; nr < NR_SOFTIRQS; nr++) if (mask & (1 << nr)) this.runSoftirq(nr, cpu);
      });
    }
  }

  private runSoftirq(nr: number, cpu: number): void {
    const { trace } = this.deps;
    if (trace.softirqEntry.enabled) trace.softirqEntry.emit({ vec: nr });
    this.handlers[nr]?.(cpu);
    if (trace.softirqExit.enabled) trace.softirqExit.emit({ vec: nr });
  }

  /** Runs a handler in hard interrupt context. */
  inHardirq(frames: readonly string[], body: () => void): void {
    const { preempt } = this.deps;
    const flags = preempt.irqSave();
    this.enter(HARDIRQ_OFFSET, frames, body);
    preempt.irqRestore(flags);
  }

  /** Interrupt context: count raised, stack switched. What dies in it takes the machine with it. */
  private enter(offset: number, frames: readonly string[], body: () => void): void {
    const { ram, preempt, functions, oops, returnAddress } = this.deps;
    const { hostView } = ram;
    const sp = hostView.getBigInt64(REG.sp, true);
    const limit = hostView.getBigInt64(REG.spLimit, true);
    const bottom = BigInt(ram.addressOf(this.stack));
    const nested = sp > bottom && sp <= bottom + BigInt(IRQ_STACK_BYTES);
    const top = nested ? sp - BigInt(RED_ZONE) : bottom + BigInt(IRQ_STACK_BYTES);
    hostView.setBigInt64(REG.sp, top & ~15n, true);
    hostView.setBigInt64(REG.spLimit, bottom, true);
    charge(ram, INTERRUPT_COUNT);
    preempt.add(offset);
    try {
      functions.withFrames(frames.map(returnAddress), body);
    } catch (error) {
      if (error instanceof TaskKilled || error instanceof TaskExit)
        oops.panic('Aiee, killing interrupt handler!');
      throw error;
    }
    preempt.sub(offset);
    hostView.setBigInt64(REG.sp, sp, true);
    hostView.setBigInt64(REG.spLimit, limit, true);
  }
}

/** Functions that call traces name below a handler. */
export const INTERRUPT_FRAMES = [
  'asm_sysvec_apic_timer_interrupt',
  'sysvec_apic_timer_interrupt',
  '__irq_exit_rcu',
  '__do_softirq',
  'run_timer_softirq',
  'call_timer_fn',
  '__hrtimer_run_queues',
  'tasklet_action_common',
  'rcu_core',
  'common_interrupt',
  'asm_sysvec_call_function',
  'sysvec_call_function',
  'handle_irq_event',
  'irq_work_run_list',
  'ret_from_fork',
  'kthread',
  'worker_thread',
  'process_one_work',
  'irq_thread',
] as const;
