// SPDX-License-Identifier: MIT
/** irq:*, with Linux's fields and text. */

import type { Env } from '../../lib/env.js';
import type { Tracepoint } from '../tracepoint.js';
import { eventTools } from './support.js';

type SoftirqEvent = { vec: number };

const SOFTIRQS = [
  'HI',
  'TIMER',
  'NET_TX',
  'NET_RX',
  'BLOCK',
  'IRQ_POLL',
  'TASKLET',
  'SCHED',
  'HRTIMER',
  'RCU',
];

export class IrqTrace {
  readonly handlerEntry: Tracepoint<{ irq: number; name: string }>;
  readonly handlerExit: Tracepoint<{ irq: number; ret: number }>;
  readonly softirqEntry: Tracepoint<SoftirqEvent>;
  readonly softirqExit: Tracepoint<SoftirqEvent>;
  readonly softirqRaise: Tracepoint<SoftirqEvent>;

  constructor(env: Env) {
    const { event } = eventTools(env);
    const softirq = (name: string) =>
      event<SoftirqEvent>(
        `irq:${name}`,
        ['unsigned int vec'],
        `"vec=%u [action=%s]", REC->vec, __print_symbolic(REC->vec, ${SOFTIRQS.map((s, i) => `{ ${i}, "${s}" }`).join(', ')})`,
        (f) => `vec=${f.vec} [action=${SOFTIRQS[f.vec]}]`,
      );
    this.handlerEntry = event(
      'irq:irq_handler_entry',
      ['int irq', '__data_loc char[] name'],
      '"irq=%d name=%s", REC->irq, __get_str(name)',
      (f) => `irq=${f.irq} name=${f.name}`,
    );
    this.handlerExit = event(
      'irq:irq_handler_exit',
      ['int irq', 'int ret'],
      '"irq=%d ret=%s", REC->irq, REC->ret ? "handled" : "unhandled"',
      (f) => `irq=${f.irq} ret=${f.ret ? 'handled' : 'unhandled'}`,
    );
    this.softirqEntry = softirq('softirq_entry');
    this.softirqExit = softirq('softirq_exit');
    this.softirqRaise = softirq('softirq_raise');
  }
}
