// SPDX-License-Identifier: MIT
/** Work for hard interrupt context that any context may queue: `struct irq_work`. */

import type { KernelExports } from '../arch/wasm64/exports.js';
import type { CallC } from '../lib/c_call.js';
import { type GuestAccess, readS64, readUnsigned, writeS64, writeU32 } from '../lib/guest_access.js';
import type { StaticData } from '../lib/static_data.js';
import type { Handle, Vaddr } from '../machine/layout.js';
import type { Preempt } from './preempt.js';
import type { Interrupts } from './softirq.js';

/** Offsets of `struct irq_work`: the link, the flags, the function. */
const FLAGS = 8;
const FUNC = 16;
const PENDING = 1;
const BUSY = 2;

export interface IrqWorkDeps extends GuestAccess {
  readonly interrupts: Interrupts;
  readonly preempt: Preempt;
  readonly callC: CallC;
}

export class IrqWork {
  private readonly head: Handle;

  constructor(
    private readonly deps: IrqWorkDeps,
    data: StaticData,
  ) {
    this.head = data.declare('raised_list', 8);
    deps.interrupts.addSource({ hardirq: () => this.run() });
  }

  get isPending(): boolean {
    return this.deps.ram.s64(this.head) !== 0;
  }

  /**
   * Queues a work; it runs at once if interrupts are on.
   * @returns false if it was queued already
   * @linux kernel/irq_work.c:irq_work_queue full
   */
  queue(work: Vaddr): boolean {
    const { deps } = this;
    const flags = readUnsigned(deps, work + FLAGS, 4);
    if (flags & PENDING) return false;
    writeU32(deps, work + FLAGS, flags | PENDING | BUSY);
    writeS64(deps, work, deps.ram.s64(this.head));
    deps.ram.set64(this.head, work);
    if (!deps.preempt.irqsDisabled && !deps.preempt.inHardirq) this.run();
    return true;
  }

  /** Newest first, as a list without locks has them. @linux kernel/irq_work.c:irq_work_run_list full */
  private run(): void {
    const { ram, interrupts, callC } = this.deps;
    if (!this.isPending) return;
    interrupts.inHardirq(['irq_work_run_list'], () => {
      let work = ram.s64(this.head);
      ram.set64(this.head, 0);
      while (work !== 0) {
        const next = readS64(this.deps, work);
        writeU32(this.deps, work + FLAGS, readUnsigned(this.deps, work + FLAGS, 4) & ~PENDING);
        callC(readS64(this.deps, work + FUNC), 'v:p', work);
        writeU32(this.deps, work + FLAGS, readUnsigned(this.deps, work + FLAGS, 4) & ~BUSY);
        work = next;
      }
    });
  }

  exports(): KernelExports {
    return {
      irq_work_queue: ['b:p', (work: Vaddr) => this.queue(work)],
      irq_work_sync: ['v:p', () => this.run()],
    };
  }
}
