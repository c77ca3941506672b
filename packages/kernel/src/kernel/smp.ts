// SPDX-License-Identifier: MIT
/** The CPUs that there are, as `linux/cpumask.h` and `linux/smp.h` show them. Each that exists is online. */

import type { KernelExports } from '../arch/wasm64/exports.js';
import type { CallC } from '../lib/c_call.js';
import { ENXIO } from '../lib/errno.js';
import { type GuestAccess, readUnsigned } from '../lib/guest_access.js';
import type { StaticData } from '../lib/static_data.js';
import type { Handle, Vaddr } from '../machine/layout.js';
import type { Ram } from '../machine/ram.js';
import type { Preempt } from './preempt.js';
import type { Interrupts } from './softirq.js';

/** Bytes of `struct cpumask`: NR_CPUS is at most 64. */
const CPUMASK_BYTES = 8;
const MASKS = [
  '__cpu_possible_mask',
  '__cpu_online_mask',
  '__cpu_present_mask',
  '__cpu_active_mask',
] as const;

export class CpuMasks {
  private readonly masks: readonly Handle[];
  private readonly nrCpuIds: Handle;

  constructor(
    private readonly ram: Ram,
    data: StaticData,
    private readonly nrCpus: number,
  ) {
    this.masks = MASKS.map((name) => data.declare(name, CPUMASK_BYTES));
    this.nrCpuIds = data.declare('nr_cpu_ids', 4);
  }

  boot(): void {
    for (const mask of this.masks) this.ram.u32[mask] = 2 ** this.nrCpus - 1;
    this.ram.u32[this.nrCpuIds] = this.nrCpus;
  }
}

export interface SmpDeps {
  readonly mem: GuestAccess;
  readonly nrCpus: number;
  readonly interrupts: Interrupts;
  readonly preempt: Preempt;
  readonly callC: CallC;
}

/** Below a function that another CPU has asked for. */
const IPI_FRAMES = ['asm_sysvec_call_function', 'sysvec_call_function'] as const;

/** Calls on other CPUs. Nothing runs there at this moment, so the call is made at once, in an interrupt. */
export function smpExports({ mem, nrCpus, interrupts, preempt, callC }: SmpDeps): KernelExports {
  const cpu = () => interrupts.cpu;
  /** @linux kernel/smp.c:generic_exec_single full */
  const call = (target: number, fn: Vaddr, info: Vaddr) => {
    const body = () => void callC(fn, 'v:p', info);
    if (target !== cpu()) {
      interrupts.onCpu(target, () => interrupts.inHardirq(IPI_FRAMES, body));
      return;
    }
    const flags = preempt.irqSave();
    body();
    preempt.irqRestore(flags);
  };
  const cpus = Array.from({ length: nrCpus }, (_, n) => n);
  return {
    __pagewalk_smp_processor_id: ['i:', cpu],
    __pagewalk_cpu_relax: ['v:', () => undefined],
    smp_call_function_single: [
      'i:ippi',
      (target: number, fn: Vaddr, info: Vaddr) => {
        if (target < 0 || target >= nrCpus) return -ENXIO;
        call(target, fn, info);
        return 0;
      },
    ],
    smp_call_function: [
      'v:ppi',
      (fn: Vaddr, info: Vaddr) => {
        for (const target of cpus) if (target !== cpu()) call(target, fn, info);
      },
    ],
    on_each_cpu_cond_mask: [
      'v:pppbp',
      (condition: Vaddr, fn: Vaddr, info: Vaddr, _wait: boolean, cpumask: Vaddr) => {
        const wanted = readUnsigned(mem, cpumask, 4);
        for (const target of cpus) {
          if (((wanted >>> target) & 1) === 0) continue;
          if (condition === 0 || callC(condition, 'b:ip', target, info)) call(target, fn, info);
        }
      },
    ],
    cpus_read_lock: ['v:', () => undefined],
    cpus_read_unlock: ['v:', () => undefined],
  };
}
