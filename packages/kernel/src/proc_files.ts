// SPDX-License-Identifier: MIT
/** Every file of /proc and /sys. */

import type { Kernel } from './boot.js';
import { interruptsText } from './fs/proc/interrupts.js';
import { createKernelFiles } from './fs/proc/kernel_files.js';
import { meminfo } from './fs/proc/meminfo.js';
import { ProcRoot } from './fs/proc/root.js';
import { slabinfoText } from './fs/proc/slabinfo.js';
import { createTaskFiles } from './fs/proc/task_files.js';
import { TaskLinks } from './fs/proc/task_links.js';
import { vmallocinfo } from './fs/proc/vmallocinfo.js';
import { vmstat } from './fs/proc/vmstat.js';
import { buddyinfo, pagetypeinfo, zoneinfo } from './fs/proc/zoneinfo.js';

/** Makes /proc. */
export function procFiles(k: Kernel): ProcRoot {
  const proc = new ProcRoot();
  createKernelFiles(proc, {
    commandLine: k.options.commandLine ?? '',
    nrCpus: k.env.nrCpus,
    now: () => k.clock.ns,
    modules: () => k.modules.list(),
    kallsyms: k.kallsyms,
    showsAddresses: () => k.format.services.kptrRestrict?.() !== 2,
  });
  proc.create('meminfo', () => meminfo(k.pages, { vmallocUsed: k.vmalloc.nrPages }));
  proc.create('vmallocinfo', () => vmallocinfo(k.vmalloc));
  proc.create('buddyinfo', () => buddyinfo(k.pages));
  proc.create('pagetypeinfo', () => pagetypeinfo(k.pages));
  proc.create('zoneinfo', () => zoneinfo(k.pages));
  proc.create('vmstat', () => vmstat(k.pages));
  proc.create('slabinfo', () => slabinfoText(k.slub));
  proc.create('interrupts', () => interruptsText(k.concurrency.irqs.lines(), k.env.nrCpus));
  proc.create('iomem', () => k.drivers.resources.text('iomem'));
  proc.create('ioports', () => k.drivers.resources.text('ioport'));
  proc.create('misc', () => k.fs.misc.text());
  proc.create('devices', () => {
    const lines = k.fs.charDevices
      .devices()
      .map(({ major, name }) => `${String(major).padStart(3)} ${name}\n`);
    return `Character devices:\n${lines.join('')}\nBlock devices:\n`;
  });
  proc.create('filesystems', () => k.fs.vfs.supers.text());
  proc.create('mounts', () => k.fs.vfs.mounts.text());
  const { files, mounts, walker } = k.fs.vfs;
  proc.links = new TaskLinks({ ram: k.ram, tasks: k.tasks, files, mounts, root: () => walker().root });
  createTaskFiles(proc, {
    ram: k.ram,
    tasks: k.tasks,
    scheduler: k.scheduler,
    nrCpus: k.env.nrCpus,
    now: () => k.clock.ns,
    mounts: () => k.fs.vfs.mounts.text(),
    bootTime: () => k.library.time.realBase,
    loadAverages: () => k.taskServices.load.text(),
  });
  return proc;
}
