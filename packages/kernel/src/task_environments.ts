// SPDX-License-Identifier: MIT
/** What tasks are given of the rest of the kernel: the scheduler, sleeping, threads, and all that runs beside them. */

import type { Kernel } from './boot.js';
import type { ConcurrencyServices } from './kernel/concurrency.js';
import type { KthreadDeps } from './kernel/kthread.js';
import type { PageLockDeps } from './kernel/page_lock.js';
import type { SchedulerEnvironment } from './kernel/sched/core.js';
import type { SleepDeps } from './kernel/sched/sleep.js';
import type { WaitDeps } from './kernel/sched/wait.js';
import type { TaskServiceDeps } from './kernel/task_services.js';
import type { GuestAccess } from './lib/guest_access.js';
import { VaList } from './lib/valist.js';
import { vsprintf } from './lib/vsprintf.js';
import type { Vaddr } from './machine/layout.js';
import { kvfree } from './mm/util.js';

/** Longest name that printf makes for a thread or a queue. */
const MAX_NAME = 64;

/** Whether a signal keeps the current task from sleeping. */
const signalPending = (k: Kernel, state?: number) =>
  k.taskServices.signals.pending(k.tasks.currentHandle, state);

const formatName = (k: Kernel, format: Vaddr, args: Vaddr) =>
  vsprintf(k.format, k.guest.readString(format), new VaList(k.format, args), MAX_NAME);

export function schedulerEnvironment(k: Kernel): SchedulerEnvironment {
  return {
    ram: k.ram,
    tasks: k.tasks,
    functions: k.functions,
    oops: () => k.oops,
    pages: () => k.pages,
    returnAddress: (name) => k.symbols.returnAddress(name),
    target: (address, id) => k.traps.target(address, id),
    canSuspend: () => framesCanBeSaved(k),
    preempt: k.preempt,
    trace: k.trace.sched,
    now: () => k.library.time.monotonicNs,
    seed: Number.parseInt(k.parameters.get('sched_seed') ?? '0', 10) || 0,
    nrCpus: k.env.nrCpus,
    runTimers: () => {
      k.concurrency.interrupts.poll();
      k.taskServices.load.update();
    },
    nextTimer: () => k.concurrency.nextTimer(),
    advanceTo: (ns) => k.concurrency.advanceTo(ns),
    touchWatchdog: () => k.watchdog.touch(),
  };
}

/** Whether every function of a module on the call stack was translated so that its frame can be saved. */
function framesCanBeSaved(k: Kernel): boolean {
  return k.oops.stackTrace(Number.POSITIVE_INFINITY).every((address) => {
    const symbol = k.kallsyms.lookup(address)?.symbol;
    if (symbol?.module === undefined) return true;
    return k.functions.at(symbol.address)?.suspends === true;
  });
}

export function taskServiceDeps(k: Kernel): TaskServiceDeps {
  return {
    env: k.env,
    tasks: k.tasks,
    scheduler: k.scheduler,
    slub: k.slub,
    jiffies: () => k.watchdog.jiffiesNow,
  };
}

export function waitDeps(k: Kernel, access: GuestAccess): WaitDeps {
  return {
    ...access,
    scheduler: k.scheduler,
    callC: (fn, signature, ...args) => k.callC(fn, signature, ...args),
    current: () => k.tasks.currentHandle,
    symbol: (name) => k.symbols.find(name),
    signalPending: (state) => signalPending(k, state),
  };
}

export function sleepDeps(k: Kernel, access: GuestAccess): SleepDeps {
  return {
    ...access,
    scheduler: k.scheduler,
    current: () => k.tasks.currentHandle,
    now: () => k.library.time.monotonicNs,
    jiffies: () => k.watchdog.jiffiesNow,
    timeOf: (jiffies) => k.watchdog.timeOf(jiffies),
    signalPending: (state) => signalPending(k, state),
  };
}

export function kthreadDeps(k: Kernel): KthreadDeps {
  return {
    ram: k.ram,
    scheduler: k.scheduler,
    tasks: k.tasks,
    nrCpus: k.env.nrCpus,
    format: (format, args) => formatName(k, format, args),
    complete: (completion) => k.sleep.complete(completion),
    modulePut: (module) => k.modules.put(k.ram.handleOf(module)),
    makeKthread: (task) => k.taskServices.makeKthread(task),
  };
}

export function concurrencyServices(k: Kernel): ConcurrencyServices {
  return {
    env: k.env,
    oops: k.oops,
    preempt: k.preempt,
    functions: k.functions,
    tasks: k.tasks,
    scheduler: k.scheduler,
    kthreads: k.kthreads,
    watchdog: k.watchdog,
    trace: k.trace,
    library: k.library,
    slub: k.slub,
    callC: (fn, signature, ...args) => k.callC(fn, signature, ...args),
    symbol: (name) => k.symbols.find(name),
    returnAddress: (name) => k.symbols.returnAddress(name),
    format: (format, args) => formatName(k, format, args),
    signalPending: (state) => signalPending(k, state),
    kvfree: (address) => kvfree({ slub: k.slub, vmalloc: k.slub.vmalloc }, address),
  };
}

export function pageLockDeps(k: Kernel): PageLockDeps {
  const { waits } = k.concurrency;
  const pending = (state?: number) => signalPending(k, state);
  return { cache: k.pageCache, scheduler: k.scheduler, waits, signalPending: pending };
}
