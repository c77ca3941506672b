// SPDX-License-Identifier: MIT
/** The kernel's machine, as the command line uses it. */

import { boot, type Machine as KernelMachine } from '@pagewalk/kernel';
import { dmesg } from '@pagewalk/kernel/kernel/printk/dmesg';
import type { Machine, MachineOptions } from './machine.js';

/** Parts that the kernel's machine may have. */
type Extras = Partial<Pick<Machine, 'readProc' | 'listProc' | 'writeProc' | 'onKmalloc' | 'kernelSymbols'>>;

export function bootMachine({ memory, cpus, seed, commandLine, console }: MachineOptions): Machine {
  return adapt(boot({ memory, cpus, seed, commandLine, ...(console && { console }) }));
}

function adapt(machine: KernelMachine & Extras): Machine {
  return {
    insmod: (image, params) => machine.insmod(image, params),
    rmmod: (name) => machine.rmmod(name),
    modules: () => machine.modules(),
    dmesg: () => machine.dmesg(),
    clearDmesg: () => machine.clearDmesg(),
    dmesgCommand: (args) => {
      const { status, out, err } = dmesg(machine.kernel.printk, args);
      return { status, stdout: out, stderr: err };
    },
    readProc: (path) => machine.readProc?.(path),
    listProc: (path) => machine.listProc?.(path) ?? (path === '/proc' || path === '/sys' ? [] : undefined),
    ...(machine.writeProc && { writeProc: machine.writeProc.bind(machine) }),
    ...(machine.onKmalloc && { onKmalloc: machine.onKmalloc.bind(machine) }),
    ...(machine.kernelSymbols && { kernelSymbols: machine.kernelSymbols.bind(machine) }),
  };
}
