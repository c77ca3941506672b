// SPDX-License-Identifier: MIT
/** What each part of the kernel is given of the others: the seams between the rooms, in one place. */

import { TRAP } from './arch/wasm64/translate.js';
import type { TrapEnvironment } from './arch/wasm64/traps.js';
import type { Kernel } from './boot.js';
import type { MemDeviceServices } from './drivers/char/mem.js';
import type { FsDeps } from './fs/fs_context.js';
import { Cred } from './kernel/cred.js';
import { calleeAt } from './kernel/module/callee.js';
import type { ModuleEnvironment } from './kernel/module/environment.js';
import type { ModuleQueryDeps } from './kernel/module/queries.js';
import { MODULE_NAME_LEN } from './kernel/module_types.js';
import type { OopsEnvironment } from './kernel/oops.js';
import type { BootRegion } from './kernel/resource.js';
import { TaskStruct } from './kernel/sched.js';
import type { SysctlEntry } from './kernel/sysctl_entry.js';
import { dropCaches, fsSysctls } from './kernel/sysctl_fs.js';
import { kernelSysctls } from './kernel/sysctl_kernel.js';
import { vmSysctls } from './kernel/sysctl_vm.js';
import { KERN_INFO } from './lib/env.js';
import type { GuestAccess } from './lib/guest_access.js';
import { STATIC_DATA_PADDR } from './lib/static_data.js';
import { encodeUtf8 } from './lib/utf8.js';
import { VaList } from './lib/valist.js';
import { vsprintf } from './lib/vsprintf.js';
import { KERNEL_TEXT_START, PAGE_SIZE, type Vaddr } from './machine/layout.js';
import type { PageCacheDeps } from './mm/filemap.js';
import { GFP_KERNEL } from './mm/gfp.js';
import { LOW_1M, LOW_MEMORY_END } from './mm/memblock.js';
import { PCPU_UNIT_SIZE, PERCPU_MODULE_RESERVE } from './mm/percpu.js';
import type { ShrinkerDeps } from './mm/shrinker.js';
import { describeVmallocAddress } from './mm/vmalloc_report.js';

/** Capabilities. */
const CAP_SYS_RAWIO = 17;
const CAP_SYSLOG = 34;
/** Firmware at the end of the first MiB. */
const FIRMWARE_START = 0xf0000;

/** C that calls the VFS, which calls C, and so on: deeper than that no task's stack reaches. */
const MAX_NESTED_CALLS = 64;

/** What files and filesystems are given. */
export function filesystemDeps(k: Kernel, access: GuestAccess): FsDeps {
  return {
    ...access,
    env: k.env,
    scheduler: k.scheduler,
    tasks: k.tasks,
    slub: k.slub,
    pages: k.pages,
    user: k.library.user,
    pageCache: k.pageCache,
    now: () => {
      const { time } = k.library;
      return { sec: time.realSeconds, nsec: time.monotonicNs % 1e9 };
    },
    callC: (fn, signature, ...args) => {
      if (k.functions.depth > MAX_NESTED_CALLS) k.traps.trap(TRAP.stackOverflow, k.oops.callerAddress() | 0);
      return k.callC(fn, signature, ...args);
    },
    pageTables: () => k.pageTables,
    modules: () => k.modules,
    flushPage: (address) => k.mmu.flushPage(address),
    inFrames: (names, body) =>
      k.functions.withFrames(
        names.map((name) => k.symbols.returnAddress(name)),
        body,
      ),
    symbol: (name) => k.symbols.find(name)!,
    format: (format, args, max = 256) =>
      vsprintf(k.format, k.guest.readString(format), new VaList(k.format, args), max),
    kmalloc: (bytes, gfp = GFP_KERNEL) => k.slub.kmalloc(bytes, gfp),
    kfree: (address) => void k.slub.kfree(address),
  };
}

/** What /dev/null and its kin are given. */
export function memDeviceServices(k: Kernel): MemDeviceServices {
  const { charDevices, devices, classes, vfs } = k.fs;
  const restricted = k.data.variables.find(({ name }) => name === 'dmesg_restrict')!.handle;
  const capable = (cap: number) => {
    const { cap_effective } = Cred.at(k.ram, TaskStruct.at(k.ram, k.tasks.currentHandle).cred);
    return Math.floor(cap_effective / 2 ** cap) % 2 === 1;
  };
  return {
    charDevices,
    devices,
    classes,
    devtmpfs: vfs.devtmpfs,
    printk: k.printk,
    waitQueues: k.waitQueues,
    waits: k.concurrency.waits,
    ratelimit: k.ratelimitDeps,
    signalPending: () => k.taskServices.signals.pending(k.tasks.currentHandle),
    mayReadLog: () => k.ram.i32[restricted] === 0 || capable(CAP_SYSLOG),
    mayAccessHardware: () => capable(CAP_SYS_RAWIO),
  };
}

export function pageCacheDeps(k: Kernel, access: GuestAccess): PageCacheDeps {
  return {
    ...access,
    env: k.env,
    pages: k.pages,
    user: k.library.user,
    nodes: k.library.nodeMemory,
    callC: (fn, signature, ...args) => k.callC(fn, signature, ...args),
    symbol: (name) => k.symbols.find(name),
    kmalloc: (bytes, gfp) => k.slub.kmalloc(bytes, gfp),
    kfree: (address) => void k.slub.kfree(address),
  };
}

/** What the physical memory holds, for /proc/iomem: ranges that contain others first. */
export function bootRegions(k: Kernel): BootRegion[] {
  const text = k.pageTables.frame(k.pageTables.walk(KERNEL_TEXT_START).entry);
  return [
    { name: 'Reserved', start: 0, bytes: PAGE_SIZE },
    { name: 'System RAM', start: PAGE_SIZE, bytes: LOW_MEMORY_END - PAGE_SIZE },
    { name: 'Reserved', start: LOW_MEMORY_END, bytes: PAGE_SIZE },
    { name: 'Reserved', start: FIRMWARE_START, bytes: LOW_1M - FIRMWARE_START },
    { name: 'System RAM', start: LOW_1M, bytes: k.ram.size - LOW_1M },
    { name: 'Kernel code', start: text, bytes: PAGE_SIZE },
    { name: 'Kernel data', start: STATIC_DATA_PADDR, bytes: k.data.end - STATIC_DATA_PADDR },
  ];
}

/** The kernel's own settings below /proc/sys. */
export function kernelSettings(k: Kernel): SysctlEntry[] {
  const { ram, data, printk, taint, watchdog, random, pages } = k;
  data.declare('sysctl_bootid', 16);
  const variable = (name: string) => data.variables.find((v) => v.name === name)!.handle;
  return [
    ...kernelSysctls({ ram, printk, taint, watchdog, random, variable }),
    ...vmSysctls({ ram, settings: pages.settings, variable }),
    dropCaches({
      ram,
      at: data.declare('sysctl_drop_caches', 4),
      dropSlab: () => k.shrinkers.dropSlab(),
      log: (message) => printk.log(KERN_INFO, message),
      current: () => k.tasks.current(),
    }),
    ...fsSysctls({
      files: k.fs.files,
      inodes: () => k.fs.vfs.supers.inodeCount(),
      dentries: () => k.fs.vfs.supers.dentryCount(),
    }),
  ];
}

export function oopsEnvironment(k: Kernel): OopsEnvironment {
  return {
    ram: k.ram,
    log: k.printk,
    kallsyms: k.kallsyms,
    taint: k.taint,
    current: () => k.tasks.current(),
    preempt: k.preempt,
    modules: () => k.modules.list().map(({ name, flags }) => (flags ? `${name}(${flags})` : name)),
    translate: (address: Vaddr) => k.mmu.translate(address),
  };
}

export function trapEnvironment(k: Kernel): TrapEnvironment {
  return {
    ram: k.ram,
    oops: k.oops,
    kallsyms: k.kallsyms,
    functions: k.functions,
    pageTables: () => k.pageTables,
    mmu: () => k.mmu,
    describeAddress: (address: Vaddr) => describeVmallocAddress(k.vmalloc, address),
    calleeAt: (site: Vaddr) => {
      for (const m of k.modules.loaded()) {
        const callee = calleeAt(m, site);
        if (callee !== undefined) return callee;
      }
      return undefined;
    },
  };
}

export function moduleEnvironment(k: Kernel): ModuleEnvironment {
  return {
    ram: k.ram,
    data: k.data,
    log: k.printk,
    trace: k.trace.module,
    notifyState: (m, state) => {
      k.tracing.moduleState(m, state);
      return k.library.notifiers.notifyModule(k.ram.addressOf(m.handle), state);
    },
    reports: k.oops,
    taint: k.taint,
    kallsyms: k.kallsyms,
    functions: k.functions,
    mmu: k.mmu,
    get pageTables() {
      return k.pageTables;
    },
    helpers: {
      ...k.mmu.code,
      tick: (pc: number) => k.watchdog.tick(pc),
      trap: (kind: number, pc: number) => k.traps.trap(kind, pc),
    },
    directBytes: k.mmu.directBytes,
    slab: {
      alloc: (bytes) => k.ram.handleOf(k.slub.kmalloc(bytes, GFP_KERNEL)),
      free: (object) => k.slub.kfree(k.ram.addressOf(object)),
    },
    moduleAlloc: (bytes) => k.moduleSpace.alloc(bytes),
    moduleFree: (base) => k.moduleSpace.free(base),
    percpu: {
      alloc: (bytes, align) => {
        const { percpu } = k.slub;
        const object = bytes > PERCPU_MODULE_RESERVE ? 0 : percpu.alloc(bytes, align);
        return object === 0 ? 0 : k.ram.addressOf(object);
      },
      free: (base) => k.slub.percpu.free(k.ram.handleOf(base)),
      copies: (address) => Array.from({ length: k.env.nrCpus }, (_, cpu) => address + cpu * PCPU_UNIT_SIZE),
    },
    pages: {
      alloc: () => {
        const page = k.pages.allocPages(GFP_KERNEL, 0);
        return page === 0 ? 0 : k.ram.handleOf(k.pages.pageAddress(page));
      },
      free: (page) => k.pages.freePages(k.pages.virtToPage(k.ram.addressOf(page)), 0),
    },
    kernelSymbol: (name) => k.symbols.find(name),
    parseArgs: (m, args) => k.params.setModuleArgs(m.handle, m.name, encodeUtf8(args), m.params),
    freeArgs: (m) => k.params.freeModuleArgs(m.handle, m.params),
    suspends: (address) => k.sleepers.has(address) || k.functions.at(address)?.suspends === true,
    runConstructors: (m) => {
      for (const ctor of m.constructors) k.callInFrames(['do_init_module'], ctor, 'v:');
    },
  };
}

export function moduleQueryDeps(k: Kernel, access: GuestAccess): ModuleQueryDeps {
  return {
    ...access,
    scheduler: k.scheduler,
    modules: () => k.modules,
    kernelSymbol: (name) => k.symbols.find(name),
    printModules: () => k.oops.printModules(),
    format: (format, args) =>
      vsprintf(k.format, k.guest.readString(format), new VaList(k.format, args), MODULE_NAME_LEN),
    modprobe: (name) => (k.modprobe === undefined ? 'no modprobe' : k.modprobe(name)),
    insmod: (image) => k.moduleSteps.task('insmod', { image, text: '' }),
  };
}

export function shrinkerDeps(k: Kernel): ShrinkerDeps {
  return {
    env: k.env,
    pages: k.pages,
    callC: (fn, signature, ...args) => k.callC(fn, signature, ...args),
    currentTask: () => k.tasks.currentHandle,
    kmalloc: (bytes, gfp) => k.slub.kmalloc(bytes, gfp),
    kfree: (address) => void k.slub.kfree(address),
    notifyOom: () => k.library.notifiers.notifyOom(),
  };
}
