// SPDX-License-Identifier: MIT
/** The queues that everybody may use, and those that modules make. */

import type { KernelExports } from '../../arch/wasm64/exports.js';
import { type GuestAccess, readS64, writeS64 } from '../../lib/guest_access.js';
import type { StaticData } from '../../lib/static_data.js';
import { encodeUtf8 } from '../../lib/utf8.js';
import type { Handle, Vaddr } from '../../machine/layout.js';
import { WorkStruct } from '../time_types.js';
import {
  WORK_STRUCT_PENDING,
  WQ_FREEZABLE,
  WQ_HIGHPRI,
  WQ_MAX_ACTIVE,
  WQ_POWER_EFFICIENT,
  WQ_UNBOUND,
} from './types.js';
import type { Workqueues } from './workqueue.js';

/** Variable, name, flags, and works at once (0: the default). */
const SYSTEM_QUEUES = [
  ['system_wq', 'events', 0, 0],
  ['system_highpri_wq', 'events_highpri', WQ_HIGHPRI, 0],
  ['system_long_wq', 'events_long', 0, 0],
  ['system_unbound_wq', 'events_unbound', WQ_UNBOUND, WQ_MAX_ACTIVE],
  ['system_freezable_wq', 'events_freezable', WQ_FREEZABLE, 0],
  ['system_power_efficient_wq', 'events_power_efficient', WQ_POWER_EFFICIENT, 0],
] as const;

/** Offsets of `struct rcu_work`. */
const RCU_WORK_RCU = WorkStruct.size;
const RCU_WORK_WQ = WorkStruct.size + 16;

export interface SystemQueueDeps extends GuestAccess {
  /** Formats a queue's name. */
  format(format: Vaddr, args: Vaddr): Uint8Array;
  callRcu(head: Vaddr, fn: Vaddr): void;
  symbol(name: string): Vaddr | undefined;
  nrCpus: number;
}

export class SystemQueues {
  private readonly variables: readonly Handle[];

  constructor(
    private readonly wqs: Workqueues,
    private readonly deps: SystemQueueDeps,
    data: StaticData,
  ) {
    this.variables = SYSTEM_QUEUES.map(([variable]) => data.declare(variable, 8));
  }

  /** @linux kernel/workqueue.c:workqueue_init_early full */
  boot(): void {
    SYSTEM_QUEUES.forEach(([, name, flags, maxActive], i) => {
      this.deps.ram.set64(this.variables[i], this.wqs.create(encodeUtf8(name), flags, maxActive));
    });
  }

  /** Handle of system_wq. */
  get systemWq(): Handle {
    return this.deps.ram.ptr(this.variables[0]);
  }

  /** The queue of an rcu_work queues it when the grace period is over. @linux kernel/workqueue.c:queue_rcu_work full */
  private queueRcuWork(wq: Vaddr, rwork: Vaddr): boolean {
    const { wqs, deps } = this;
    if (wqs.isPending(rwork)) return false;
    wqs.setData(rwork, wqs.data(rwork) + WORK_STRUCT_PENDING);
    writeS64(deps, rwork + RCU_WORK_WQ, wq);
    deps.callRcu(rwork + RCU_WORK_RCU, deps.symbol('rcu_work_rcufn') ?? 0);
    return true;
  }

  exports(): KernelExports {
    const { deps, wqs } = this;
    return {
      alloc_workqueue: [
        'p:pui…',
        (format: Vaddr, flags: number, maxActive: number, args: Vaddr) =>
          wqs.create(deps.format(format, args), flags, maxActive),
      ],
      queue_rcu_work: ['b:pp', (wq: Vaddr, rwork: Vaddr) => this.queueRcuWork(wq, rwork)],
      rcu_work_rcufn: [
        'v:p',
        (head: Vaddr) => {
          const rwork = head - RCU_WORK_RCU;
          wqs.insert(deps.nrCpus, deps.ram.handleOf(readS64(deps, rwork + RCU_WORK_WQ)), rwork);
        },
      ],
    };
  }
}
