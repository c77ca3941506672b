// SPDX-License-Identifier: MIT
/** The tracepoints of kernel/: tasks, modules, timers, work queues, interrupts. */

import type { Env } from '../../lib/env.js';
import type { TraceRegistry } from '../registry.js';
import { IrqTrace } from './irq.js';
import { ModuleTrace } from './module.js';
import { SchedTrace } from './sched.js';
import { TimerTrace } from './timer.js';
import { WorkqueueTrace } from './workqueue.js';

export class KernelTrace {
  readonly sched: SchedTrace;
  readonly module: ModuleTrace;
  readonly timer: TimerTrace;
  readonly workqueue: WorkqueueTrace;
  readonly irq: IrqTrace;

  constructor(env: Env) {
    this.sched = new SchedTrace(env);
    this.module = new ModuleTrace(env);
    this.timer = new TimerTrace(env);
    this.workqueue = new WorkqueueTrace(env);
    this.irq = new IrqTrace(env);
  }

  register(registry: TraceRegistry): void {
    const { sched, module, timer, workqueue, irq } = this;
    registry.add(sched.switch);
    registry.add(sched.waking, sched.wakeup, sched.wakeupNew);
    registry.add(sched.processExit);
    registry.add(module.load);
    registry.add(module.free);
    registry.add(module.get, module.put);
    registry.add(timer.timerInit, timer.timerExpireExit, timer.timerCancel);
    registry.add(timer.timerStart);
    registry.add(timer.timerExpireEntry);
    registry.add(timer.hrtimerInit);
    registry.add(timer.hrtimerStart);
    registry.add(timer.hrtimerExpireEntry);
    registry.add(timer.hrtimerExpireExit, timer.hrtimerCancel);
    registry.add(workqueue.queueWork);
    registry.add(workqueue.activateWork);
    registry.add(workqueue.executeStart, workqueue.executeEnd);
    registry.add(irq.handlerEntry);
    registry.add(irq.handlerExit);
    registry.add(irq.softirqEntry, irq.softirqExit, irq.softirqRaise);
  }
}
