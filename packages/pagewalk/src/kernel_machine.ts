// SPDX-License-Identifier: MIT
/** The kernel's machine, as the command line uses it. */

import { boot, type Machine as KernelMachine } from '@pagewalk/kernel';
import { dmesg } from '@pagewalk/kernel/kernel/printk/dmesg';
import { ZONE_NAMES } from '@pagewalk/kernel/mm/mmzone';
import type { Machine, MachineOptions, SlabEvent } from './machine.js';

/** Parts that the kernel's machine may have. */
type Extras = Partial<Pick<Machine, 'writeProc'>>;

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
    readProc: (path) => machine.readProc(path),
    listProc: (path) => machine.listProc(path) ?? (path === '/sys' ? [] : undefined),
    kernelSymbols: () => machine.exportedSymbols().map((name) => ({ name, gplOnly: false })),
    onSlab: (listener) => watchSlabs(machine, listener),
    ...(machine.writeProc && { writeProc: machine.writeProc.bind(machine) }),
  };
}

/** Stands in front of whatever else watches the slabs. */
function watchSlabs({ kernel }: KernelMachine, listener: (event: SlabEvent) => void): () => void {
  const { slub, pages, oops } = kernel;
  const before = slub.hooks;
  const report = (kind: SlabEvent['kind'], address: number, bytes: number) => {
    const info = slub.objectInfo(address);
    if (!info) return;
    const { map } = pages;
    const zone = ZONE_NAMES[map.zoneIndex(map.zoneOfPage(info.slabPage))];
    const site = oops.callerAddress();
    const caller = site === 0 ? undefined : oops.symbolize(site);
    listener({
      kind,
      address,
      bytes,
      cache: info.cache,
      index: info.index,
      pfn: pages.pageToPfn(info.slabPage),
      zone,
      caller,
    });
  };
  slub.hooks = {
    ...before,
    allocated: (cache, object, size, gfp, caller) => {
      before?.allocated?.(cache, object, size, gfp, caller);
      report('alloc', object, size);
    },
    freeing: (cache, object, caller) => {
      report('free', object, 0);
      return before?.freeing?.(cache, object, caller) ?? false;
    },
  };
  return () => {
    slub.hooks = before;
  };
}
