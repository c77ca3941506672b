// SPDX-License-Identifier: MIT
/** workqueue:*, with Linux's fields and text. */

import type { Env } from '../../lib/env.js';
import type { Tracepoint } from '../tracepoint.js';
import { eventTools } from './support.js';

type WorkEvent = { work: number; function: number };

export class WorkqueueTrace {
  readonly queueWork: Tracepoint<WorkEvent & { workqueue: string; req_cpu: number; cpu: number }>;
  readonly activateWork: Tracepoint<{ work: number }>;
  readonly executeStart: Tracepoint<WorkEvent>;
  readonly executeEnd: Tracepoint<WorkEvent>;

  constructor(env: Env) {
    const { event, fn } = eventTools(env);
    const execute = (name: string) =>
      event<WorkEvent>(
        `workqueue:${name}`,
        ['void * work', 'void * function'],
        '"work struct %p: function %ps", REC->work, REC->function',
        (f, p) => `work struct ${p(f.work)}: function ${fn(f.function)}`,
      );
    this.queueWork = event(
      'workqueue:workqueue_queue_work',
      ['void * work', 'void * function', '__data_loc char[] workqueue', 'int req_cpu', 'int cpu'],
      '"work struct=%p function=%ps workqueue=%s req_cpu=%d cpu=%d", REC->work, REC->function, ' +
        '__get_str(workqueue), REC->req_cpu, REC->cpu',
      (f, p) =>
        `work struct=${p(f.work)} function=${fn(f.function)} workqueue=${f.workqueue} req_cpu=${f.req_cpu} cpu=${f.cpu}`,
    );
    this.activateWork = event(
      'workqueue:workqueue_activate_work',
      ['void * work'],
      '"work struct %p", REC->work',
      (f, p) => `work struct ${p(f.work)}`,
    );
    this.executeStart = execute('workqueue_execute_start');
    this.executeEnd = execute('workqueue_execute_end');
  }
}
