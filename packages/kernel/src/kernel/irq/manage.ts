// SPDX-License-Identifier: MIT
/**
 * Handlers of interrupt lines. There is no hardware behind a line: tests and devices of the machine raise it.
 *
 *     irq_desc[n] { depth, pending, actions } → irqaction → irqaction     one for each request_irq()
 */

import type { KernelExports } from '../../arch/wasm64/exports.js';
import type { InterruptLine } from '../../fs/proc/interrupts.js';
import type { CallC } from '../../lib/c_call.js';
import { KERN_ERR, type Log, type Reports } from '../../lib/env.js';
import { EBUSY, EINVAL, ENOMEM } from '../../lib/errno.js';
import { type GuestAccess, readCString } from '../../lib/guest_access.js';
import { initListHead, ListHead, listAddTail, listDel, listEmpty, listEntries } from '../../lib/list.js';
import type { StaticData } from '../../lib/static_data.js';
import { addr, ptr, struct, uint, ulong } from '../../lib/struct.js';
import { decodeLatin1 } from '../../lib/utf8.js';
import type { Handle, Vaddr } from '../../machine/layout.js';
import { GFP_KERNEL } from '../../mm/gfp.js';
import type { IrqTrace } from '../../trace/events/irq.js';
import { KTHREAD_AWAITED } from '../kthread.js';
import type { Preempt } from '../preempt.js';
import { contextOf, done, sleepThen } from '../sched/context.js';
import type { Scheduler } from '../sched/core.js';
import { PF_KTHREAD, TASK_INTERRUPTIBLE, TASK_NEW, TASK_UNINTERRUPTIBLE, TaskStruct } from '../sched.js';
import type { Interrupts } from '../softirq.js';

/** Interrupt lines. */
export const NR_IRQS = 64;
const IRQF_SHARED = 0x80;
const IRQF_ONESHOT = 0x2000;
/** Bytes of a handler's name that messages show at most. */
const MAX_NAME = 256;
const IRQ_HANDLED = 1;
const IRQ_WAKE_THREAD = 2;

export const IrqDesc = struct('irq_desc', { depth: uint, pending: uint, actions: ListHead });
export const IrqAction = struct('irqaction', {
  node: ListHead,
  handler: addr(),
  thread_fn: addr(),
  dev_id: addr(),
  name: addr('const char'),
  flags: ulong,
  irq: uint,
  /** How often the thread is still to run; whether it is to end. */
  thread_pending: uint,
  thread_stop: uint,
  thread: ptr('struct task_struct'),
});

export interface IrqDeps extends GuestAccess {
  readonly interrupts: Interrupts;
  readonly preempt: Preempt;
  readonly nrCpus: number;
  readonly scheduler: Scheduler;
  readonly log: Log;
  readonly reports: Reports;
  readonly trace: IrqTrace;
  readonly callC: CallC;
  kmalloc(bytes: number, gfp: number): Vaddr;
  kfree(address: Vaddr): void;
}

/** What a handler was requested as. */
const nameText = (access: GuestAccess, name: Vaddr): string =>
  name === 0 ? '(null)' : decodeLatin1(readCString(access, name, 64));

export class Irqs {
  private readonly descs: Handle;
  /** How often each CPU has handled each line: a word a CPU, line after line. */
  private readonly counts: Handle;

  constructor(
    private readonly deps: IrqDeps,
    data: StaticData,
  ) {
    this.descs = data.declare('irq_desc', NR_IRQS * IrqDesc.size);
    this.counts = data.declare('kstat_irqs', NR_IRQS * deps.nrCpus * 4);
    const { scheduler } = deps;
    scheduler.step('irq_thread', ([h]) => {
      const action = IrqAction.at(deps.ram, h);
      if (action.thread_pending > 0) {
        action.thread_pending = 0;
        const { irq, dev_id, thread_fn } = action;
        const frames = ['ret_from_fork', 'kthread', 'irq_thread'];
        const next = { step: 'irq_thread', data: [h], frames } as const;
        return { kind: 'call', fn: thread_fn, signature: 'i:ip', args: [irq, dev_id], ...next };
      }
      if (action.thread_stop !== 0) return done(0);
      scheduler.setState(TASK_INTERRUPTIBLE);
      return sleepThen('irq_thread', h);
    });
  }

  boot(): void {
    for (let irq = 0; irq < NR_IRQS; irq++) initListHead(this.deps.ram, this.desc(irq) + IrqDesc.w.actions);
  }

  private desc(irq: number): Handle {
    return this.descs + (irq * IrqDesc.size) / 4;
  }

  private actions(irq: number): Handle[] {
    const nodes = listEntries(this.deps.ram, this.desc(irq) + IrqDesc.w.actions);
    return [...nodes].map((node) => node - IrqAction.w.node);
  }

  /** @linux kernel/irq/manage.c:request_threaded_irq partial: no trigger types; one shot or not, the thread runs later */
  request(irq: number, handler: Vaddr, threadFn: Vaddr, flags: number, name: Vaddr, dev: Vaddr): number {
    const { ram, kmalloc } = this.deps;
    const shared = (flags & IRQF_SHARED) !== 0;
    if (irq >= NR_IRQS || (handler === 0 && threadFn === 0) || (shared && dev === 0)) return -EINVAL;
    const others = this.actions(irq);
    const odd = others.find((h) => !shared || !(IrqAction.at(ram, h).flags & IRQF_SHARED));
    if (odd !== undefined) {
      this.reportMismatch(irq, flags, name, odd);
      return -EBUSY;
    }
    if (handler === 0 && (flags & IRQF_ONESHOT) === 0) {
      const who = `${this.nameAt(name)} (irq ${irq})`;
      this.deps.log.log(KERN_ERR, `genirq: Threaded irq requested with handler=NULL and !ONESHOT for ${who}`);
      return -EINVAL;
    }
    const address = kmalloc(IrqAction.size, GFP_KERNEL);
    if (address === 0) return -ENOMEM;
    const h = ram.handleOf(address);
    ram.fill(h * 4, IrqAction.size, 0);
    const action = IrqAction.at(ram, h);
    Object.assign(action, { handler, thread_fn: threadFn, dev_id: dev, name, flags, irq });
    if (threadFn !== 0 && !this.startThread(h)) {
      this.deps.kfree(address);
      return -ENOMEM;
    }
    listAddTail(ram, h + IrqAction.w.node, this.desc(irq) + IrqDesc.w.actions);
    return 0;
  }

  private nameAt(name: Vaddr): string {
    return name === 0 ? '(null)' : decodeLatin1(this.deps.guest.readString(name, MAX_NAME));
  }

  private reportMismatch(irq: number, flags: number, name: Vaddr, other: Handle): void {
    const old = IrqAction.at(this.deps.ram, other);
    const shown = (f: number, n: Vaddr) => `${f.toString(16).padStart(8, '0')} (${this.nameAt(n)})`;
    const both = `${shown(flags, name)} vs. ${shown(old.flags, old.name)}`;
    this.deps.log.log(KERN_ERR, `genirq: Flags mismatch irq ${irq}. ${both}`);
  }

  private startThread(h: Handle): boolean {
    const { ram, scheduler } = this.deps;
    const action = IrqAction.at(ram, h);
    const task = scheduler.create(`irq/${action.irq}-${this.nameAt(action.name)}`, 'irq_thread', h);
    if (task === 0) return false;
    TaskStruct.at(ram, task).flags |= PF_KTHREAD;
    contextOf(ram, task).kthread_flags = KTHREAD_AWAITED;
    action.thread = task;
    scheduler.wake(task, TASK_NEW);
    return true;
  }

  /** An interrupt on a line: its handlers run now, or when the line is enabled again. */
  raise(irq: number): void {
    const { ram, interrupts } = this.deps;
    const desc = IrqDesc.at(ram, this.desc(irq));
    if (desc.depth > 0) {
      desc.pending = 1;
      return;
    }
    interrupts.inHardirq(['common_interrupt', 'handle_irq_event'], () => this.handle(irq));
    interrupts.poll();
  }

  /**
   * What a driver calls for a line behind its own, a controller for instance; with interrupts off.
   * @linux kernel/irq/irqdesc.c:generic_handle_irq partial: no chips that insist on interrupt context
   */
  private genericHandle(irq: number): number {
    if (irq >= NR_IRQS) return -EINVAL;
    const desc = IrqDesc.at(this.deps.ram, this.desc(irq));
    if (desc.depth > 0) desc.pending = 1;
    else this.handle(irq);
    return 0;
  }

  /** @linux kernel/irq/irqdesc.c:generic_handle_irq_safe full */
  private genericHandleSafe(irq: number): number {
    const { preempt } = this.deps;
    const flags = preempt.irqSave();
    const error = this.genericHandle(irq);
    preempt.irqRestore(flags);
    return error;
  }

  /** @linux kernel/irq/handle.c:__handle_irq_event_percpu full */
  private handle(irq: number): void {
    const { ram, callC, log, trace, interrupts, nrCpus } = this.deps;
    let handled = 0;
    ram.i32[this.counts + irq * nrCpus + interrupts.cpu]++;
    for (const h of this.actions(irq)) {
      const { handler, dev_id, name } = IrqAction.at(ram, h);
      if (trace.handlerEntry.enabled) trace.handlerEntry.emit({ irq, name: nameText(this.deps, name) });
      const result = handler === 0 ? IRQ_WAKE_THREAD : callC(handler, 'i:ip', irq, dev_id);
      if (trace.handlerExit.enabled) trace.handlerExit.emit({ irq, ret: result });
      handled |= result;
      if (result === IRQ_WAKE_THREAD) this.wakeThread(h);
    }
    if (!(handled & (IRQ_HANDLED | IRQ_WAKE_THREAD))) log.log(KERN_ERR, `irq ${irq}: nobody cared`);
  }

  private wakeThread(h: Handle): void {
    const action = IrqAction.at(this.deps.ram, h);
    if (action.thread === 0) return;
    action.thread_pending = 1;
    this.deps.scheduler.wake(action.thread, TASK_INTERRUPTIBLE);
  }

  private disable(irq: number): void {
    if (irq < NR_IRQS) IrqDesc.at(this.deps.ram, this.desc(irq)).depth++;
  }

  /** @linux kernel/irq/manage.c:enable_irq full */
  private enable(irq: number): void {
    if (irq >= NR_IRQS) return;
    const desc = IrqDesc.at(this.deps.ram, this.desc(irq));
    if (desc.depth === 0 || --desc.depth > 0 || desc.pending === 0) return;
    desc.pending = 0;
    this.raise(irq);
  }

  /** @returns the name it was requested with, NULL if there is no such handler @linux kernel/irq/manage.c:free_irq full */
  private free() {
    const { ram, scheduler, kfree, reports } = this.deps;
    return scheduler.sleeping<readonly [number, Vaddr]>((_stage, [irq, dev]) => {
      if (irq >= NR_IRQS) return 0;
      const h = this.actions(irq).find((a) => IrqAction.at(ram, a).dev_id === dev);
      if (h === undefined) {
        reports.warn('kernel/irq/manage.c', 1893, 'free_irq', `Trying to free already-free IRQ ${irq}`);
        return 0;
      }
      const action = IrqAction.at(ram, h);
      const { thread, name } = action;
      if (thread !== 0 && !scheduler.isDone(thread)) {
        action.thread_stop = 1;
        scheduler.wake(thread, ~0);
        scheduler.setState(TASK_UNINTERRUPTIBLE);
        scheduler.waitForExit(thread);
        return scheduler.sleep(1);
      }
      if (thread !== 0) scheduler.release(thread);
      listDel(ram, h + IrqAction.w.node);
      kfree(ram.addressOf(h));
      return name;
    });
  }

  /** Whether a line has a handler. */
  hasHandler(irq: number): boolean {
    return irq >= 0 && irq < NR_IRQS && !listEmpty(this.deps.ram, this.desc(irq) + IrqDesc.w.actions);
  }

  /** Lines that have a handler, or had an interrupt. */
  lines(): InterruptLine[] {
    const { ram, nrCpus } = this.deps;
    const names = (irq: number) =>
      this.actions(irq).map((h) => nameText(this.deps, IrqAction.at(ram, h).name));
    const counts = (irq: number) => {
      const first = this.counts + irq * nrCpus;
      return Array.from(ram.i32.subarray(first, first + nrCpus), (count) => count >>> 0);
    };
    return Array.from({ length: NR_IRQS }, (_, irq) => ({
      irq,
      counts: counts(irq),
      names: names(irq),
    })).filter((line) => line.names.length > 0 || line.counts.some((count) => count > 0));
  }

  sleepingExports(): KernelExports {
    return { free_irq: ['p:up', this.free()] };
  }

  exports(): KernelExports {
    return {
      request_threaded_irq: [
        'i:uppzpp',
        (irq: number, handler: Vaddr, threadFn: Vaddr, flags: number, name: Vaddr, dev: Vaddr) =>
          this.request(irq, handler, threadFn, flags, name, dev),
      ],
      disable_irq: ['v:u', (irq: number) => this.disable(irq)],
      disable_irq_nosync: ['v:u', (irq: number) => this.disable(irq)],
      generic_handle_irq: ['i:u', (irq: number) => this.genericHandle(irq)],
      generic_handle_irq_safe: ['i:u', (irq: number) => this.genericHandleSafe(irq)],
      enable_irq: ['v:u', (irq: number) => this.enable(irq)],
      // A handler runs to its end before any task goes on.
      synchronize_irq: ['v:u', () => undefined],
    };
  }
}
