// SPDX-License-Identifier: MIT
/**
 * Powers a machine on and boots the kernel: the one place that knows every part.
 *
 * Constructors declare static data, in this file's order, and attach; `boot()` of each part writes the first values.
 */

import { COMPILER_RT, compilerRuntime } from './arch/wasm64/compiler_rt.js';
import { addFastFunctions } from './arch/wasm64/fast_functions.js';
import { Functions } from './arch/wasm64/functions.js';
import { Guest } from './arch/wasm64/guest.js';
import { Mmu } from './arch/wasm64/mmu.js';
import { MMU_FUNCTIONS, mmuFunctions } from './arch/wasm64/mmu_functions.js';
import { pageFastPaths } from './arch/wasm64/page_functions.js';
import { mapKernel, mapMemmap } from './arch/wasm64/setup.js';
import { slabFastPaths } from './arch/wasm64/slab_functions.js';
import { SlowPaths } from './arch/wasm64/slow_paths.js';
import { TRAP } from './arch/wasm64/translate.js';
import { Traps } from './arch/wasm64/traps.js';
import { DriverModel } from './drivers/base/driver_model.js';
import { MemDevices } from './drivers/char/mem.js';
import {
  bootRegions,
  filesystemDeps,
  kernelSettings,
  memDeviceServices,
  moduleEnvironment,
  moduleQueryDeps,
  oopsEnvironment,
  pageCacheDeps,
  shrinkerDeps,
  trapEnvironment,
} from './environments.js';
import { FILE_TRACE_FUNCTIONS, Filesystems } from './fs/filesystems.js';
import { ProcSysctl } from './fs/proc/proc_sysctl.js';
import { doSysctlArgs } from './fs/proc/sysctl_args.js';
import { SysctlTables } from './fs/proc/sysctl_register.js';
import { commandLineParameters } from './kernel/command_line.js';
import { Concurrency } from './kernel/concurrency.js';
import { Kallsyms } from './kernel/kallsyms.js';
import { Kthreads } from './kernel/kthread.js';
import { Library } from './kernel/library.js';
import { Modules } from './kernel/module/main.js';
import { ModuleQueries } from './kernel/module/queries.js';
import { ModuleSpace } from './kernel/module/space.js';
import { ModuleSteps } from './kernel/module/steps.js';
import { Oops, TaskKilled } from './kernel/oops.js';
import { PageLocks } from './kernel/page_lock.js';
import { Params } from './kernel/params.js';
import { Preempt } from './kernel/preempt.js';
import { DynamicDebug } from './kernel/printk/dynamic_debug.js';
import { makeFormatContext } from './kernel/printk/format_services.js';
import { Printk } from './kernel/printk/printk.js';
import { PrintkRatelimit, type RatelimitDeps } from './kernel/printk/ratelimit.js';
import { Scheduler } from './kernel/sched/core.js';
import { Sleep } from './kernel/sched/sleep.js';
import { WaitQueues } from './kernel/sched/wait.js';
import { WaitBits } from './kernel/sched/wait_bit.js';
import { INTERRUPT_FRAMES } from './kernel/softirq.js';
import { KernelSymbols, SYSCALL_FRAMES } from './kernel/symbols.js';
import { SysctlHandlers } from './kernel/sysctl.js';
import { Taint } from './kernel/taint.js';
import { TaskServices } from './kernel/task_services.js';
import { Tasks } from './kernel/tasks.js';
import { UserModeHelpers, type UserProgram } from './kernel/umh.js';
import { UTS_RELEASE, UTS_VERSION } from './kernel/utsname.js';
import { Watchdog } from './kernel/watchdog.js';
import { kernelExports, sleepingExports } from './kernel_exports.js';
import { crc32 } from './lib/crc32.js';
import { type BootParameters, type Env, KERN_INFO, KERN_NOTICE } from './lib/env.js';
import { ErrorNames } from './lib/errname_table.js';
import { HexTables } from './lib/hex_tables.js';
import { Random } from './lib/random.js';
import { STATIC_DATA_PADDR, StaticData } from './lib/static_data.js';
import { encodeUtf8 } from './lib/utf8.js';
import type { FormatContext } from './lib/vsprintf.js';
import { restStep } from './lib/walk.js';
import { Clock } from './machine/clock.js';
import { captureImage, type MachineImage, restoreImage, restoreTlbs } from './machine/image.js';
import { SnapshotError } from './machine/image_file.js';
import { type Handle, KERNEL_TEXT_START, PAGE_SIZE, type Paddr, REG, type Vaddr } from './machine/layout.js';
import { Ram } from './machine/ram.js';
import { PageCache } from './mm/filemap.js';
import { formatGfp, GFP_KERNEL } from './mm/gfp.js';
import { Ioremap } from './mm/ioremap.js';
import { KernelMap } from './mm/kernel_map.js';
import { Memblock } from './mm/memblock.js';
import { PageAllocator } from './mm/page_alloc.js';
import { bootFlag } from './mm/page_debug.js';
import { PageTables } from './mm/pgtable.js';
import { Shrinkers } from './mm/shrinker.js';
import { Slub } from './mm/slub.js';
import { formatPageFlags } from './mm/slub_report.js';
import { formatVmaFlags } from './mm/vma_flags.js';
import { Vmalloc } from './mm/vmalloc.js';
import {
  concurrencyServices,
  kthreadDeps,
  pageLockDeps,
  schedulerEnvironment,
  sleepDeps,
  taskServiceDeps,
  waitDeps,
} from './task_environments.js';
import { KernelTrace } from './trace/events/all.js';
import { TRACE_FUNCTIONS, Tracing } from './trace/tracing.js';
import { traceRegistry } from './tracepoints.js';
import { tracingEnvironment } from './tracing_environment.js';

export interface BootOptions {
  /** Bytes of RAM, 8 MiB to 2 GiB, a multiple of 4096. */
  readonly memory: number;
  /** Virtual CPUs, 1 to 8. */
  readonly cpus?: number;
  /** Seed of all randomness. */
  readonly seed?: number;
  /** The kernel command line. */
  readonly commandLine?: string;
}

const MAX_CPUS = 8;
/** PID of the first command: what came before it on a real machine were kernel threads and init. */
const FIRST_PID = 78;

/** %pGp, %pGg and %pGv. */
const flagNames = (kind: 'p' | 'g' | 'v', hi: number, lo: number): string | undefined => {
  if (kind === 'g') return formatGfp(lo);
  if (kind === 'v') return formatVmaFlags(hi, lo);
  return formatPageFlags(lo, hi);
};

/** The kernel's parts, wired together. */
export class Kernel {
  readonly ram: Ram;
  readonly data = new StaticData();
  readonly parameters: BootParameters;
  readonly clock: Clock;
  readonly random: Random;
  readonly taint: Taint;
  readonly printk: Printk;
  readonly kallsyms = new Kallsyms();
  readonly functions: Functions;
  readonly preempt: Preempt;
  readonly oops: Oops;
  readonly watchdog: Watchdog;
  readonly mmu: Mmu;
  readonly guest: Guest;
  readonly tasks: Tasks;
  readonly env: Env;
  readonly pages: PageAllocator;
  readonly slub: Slub;
  /** Whether C's allocations take the generated fast paths. */
  readonly slowPaths: SlowPaths;
  readonly modules: Modules;
  readonly moduleSteps: ModuleSteps;
  readonly scheduler: Scheduler;
  readonly waitQueues: WaitQueues;
  readonly waitBits: WaitBits;
  readonly sleep: Sleep;
  readonly kthreads: Kthreads;
  readonly taskServices: TaskServices;
  readonly library: Library;
  readonly concurrency: Concurrency;
  /** Pages of files. */
  readonly pageCache: PageCache;
  readonly pageLocks: PageLocks;
  readonly params: Params;
  /** Files of devices, /proc, debugfs and sysfs. */
  readonly fs: Filesystems;
  readonly moduleQueries: ModuleQueries;
  /** What the host's modprobe finds for a name: images, dependencies first. Without it there is no modprobe. */
  modprobe: ((name: string) => readonly Uint8Array[] | undefined) | undefined;
  /** What programs that modules start do; without it there are none. */
  userProgram: UserProgram | undefined;
  readonly userModeHelpers: UserModeHelpers;
  readonly errorNames: ErrorNames;
  readonly kernelMap: KernelMap;
  readonly shrinkers: Shrinkers;
  /** Buses, managed resources, and who uses which addresses. */
  readonly drivers: DriverModel;
  /** /dev/null and its kin. */
  readonly memDevices: MemDevices;
  /** /proc/sys. */
  readonly sysctl: ProcSysctl;
  readonly sysctlTables: SysctlTables;
  readonly sysctlHandlers: SysctlHandlers;
  readonly dynamicDebug: DynamicDebug;
  /** Tracepoints of tasks, modules, timers, work queues, interrupts. */
  readonly trace: KernelTrace;
  /** ftrace: the buffer of events, and what is written into it. */
  readonly tracing: Tracing;
  readonly symbols: KernelSymbols;
  readonly format: FormatContext;
  pageTables!: PageTables;
  readonly ratelimitDeps: RatelimitDeps;
  readonly printkRatelimit: PrintkRatelimit;
  readonly traps: Traps;
  /** Addresses of kernel functions that may put their caller to sleep. */
  readonly sleepers: ReadonlySet<Vaddr>;
  private readonly hexTables: HexTables;
  readonly vmalloc: Vmalloc;
  readonly ioremap: Ioremap;
  readonly moduleSpace: ModuleSpace;

  /** Not 0 once the kernel has panicked. */
  private readonly panicCpu: Handle;

  /**
   * @param image makes a kernel over a machine that was saved, in place of one that boots; the options must be those
   *   that the machine was made with
   */
  constructor(
    readonly options: BootOptions,
    image?: MachineImage,
  ) {
    const cpus = options.cpus ?? 1;
    if (!Number.isInteger(cpus) || cpus < 1 || cpus > MAX_CPUS)
      throw new RangeError(`CPUs: got ${cpus}, expected 1 to ${MAX_CPUS}`);
    const ram = new Ram(options.memory);
    this.ram = ram;
    if (image) restoreImage(ram, image);
    const { data } = this;
    this.panicCpu = data.declare('panic_cpu', 4);
    this.parameters = commandLineParameters(options.commandLine ?? '');
    this.clock = new Clock(ram, data.declare('sched_clock', 8));
    this.random = new Random(ram, data);
    this.taint = new Taint(ram, data);
    this.printk = new Printk({ ram, data, clock: this.clock, parameters: this.parameters });
    this.functions = new Functions(ram);
    this.tasks = new Tasks(ram, data, this.clock, () => this);
    this.preempt = new Preempt(ram, data, cpus, () => ram.host32[REG.cpu >> 2]);
    this.oops = new Oops(oopsEnvironment(this), data);
    this.oops.consoleVerbose = () => this.printk.verbose();
    this.oops.onPanic = (message) => this.library.notifiers.notifyPanic(message);
    this.watchdog = new Watchdog(ram, data, this.clock, this.oops);
    this.printk.onDelay = () => this.watchdog.touch();
    this.traps = new Traps(trapEnvironment(this));
    // debug_pagealloc takes free pages out of the direct map, so that every access to it needs a walk.
    const directBytes = bootFlag(this.parameters, 'debug_pagealloc') ? 0 : ram.size;
    this.mmu = new Mmu(ram, this.functions.table, this.traps, directBytes);
    this.guest = new Guest(ram, this.mmu);
    const access = { ram, guest: this.guest };
    this.format = makeFormatContext({
      ...access,
      data,
      parameters: this.parameters,
      reports: this.oops,
      services: { flagNames, inInterrupt: () => this.preempt.inHardirq || this.preempt.inServingSoftirq },
    });
    this.ratelimitDeps = { ...access, log: this.printk, jiffies: () => this.watchdog.jiffiesNow };
    this.printkRatelimit = new PrintkRatelimit(this.ratelimitDeps, data);
    this.env = {
      ram,
      data,
      clock: this.clock,
      random: this.random,
      parameters: this.parameters,
      log: this.printk,
      reports: this.oops,
      guest: this.guest,
      current: () => this.tasks.current(),
      nrCpus: cpus,
      cpu: () => ram.host32[REG.cpu >> 2],
    };
    this.trace = new KernelTrace(this.env);
    this.pages = new PageAllocator(this.env);
    this.pages.debug.kernelMapPages = (page, nrPages, enable) => {
      const start = this.pages.pageAddress(page);
      for (let i = 0; i < nrPages; i++) {
        this.pageTables.setPresent(start + i * PAGE_SIZE, enable);
        this.mmu.flushPage(start + i * PAGE_SIZE);
      }
    };
    this.pages.check.hash = this.format.hash;
    this.pages.check.printModules = () => this.oops.printModules();
    this.slub = new Slub(this.env, this.pages);
    this.slub.callGuest = (fn, signature, ...args) => this.callC(fn, signature, ...args);
    this.vmalloc = new Vmalloc({
      env: this.env,
      pages: this.pages,
      slub: this.slub,
      tlb: this.mmu,
      pageTables: () => this.pageTables,
      printkRatelimit: (func) => this.printkRatelimit.allows(func),
    });
    this.ioremap = new Ioremap(this.vmalloc);
    this.moduleSpace = new ModuleSpace(this.vmalloc, () => this.symbols.returnAddress('load_module'));
    this.modules = new Modules(moduleEnvironment(this));
    this.scheduler = new Scheduler(schedulerEnvironment(this), data);
    this.moduleSteps = new ModuleSteps(this.scheduler, this.modules);
    this.taskServices = new TaskServices(taskServiceDeps(this));
    this.waitQueues = new WaitQueues(waitDeps(this, access));
    this.waitBits = new WaitBits(access, this.waitQueues, this.data);
    this.sleep = new Sleep(sleepDeps(this, access));
    this.kthreads = new Kthreads(kthreadDeps(this));
    this.library = new Library({
      env: this.env,
      preempt: this.preempt,
      watchdog: this.watchdog,
      kallsyms: this.kallsyms,
      callC: (fn, signature, ...args) => this.callC(fn, signature, ...args),
      currentTask: () => this.tasks.currentHandle,
      initTask: data.variables.find(({ name }) => name === 'init_task')!.handle,
      slub: this.slub,
      taint: this.taint,
      textEnd: () => KERNEL_TEXT_START + this.symbols.textSize,
    });
    this.concurrency = new Concurrency(concurrencyServices(this));
    this.pageCache = new PageCache(pageCacheDeps(this, access));
    this.pageLocks = new PageLocks(pageLockDeps(this), data);
    this.slowPaths = new SlowPaths(ram, this.slub, this.pages, this.library.atomicSleep.enabled);
    this.dynamicDebug = new DynamicDebug({
      ...access,
      log: this.printk,
      tables: () => this.modules.loaded().map((m) => ({ module: m.name, ...m.ddebug })),
      pid: () => this.tasks.current().pid,
    });
    this.hexTables = new HexTables(ram, data);
    this.params = new Params({
      ...access,
      data,
      log: this.printk,
      callC: (fn, signature, ...args) => this.callC(fn, signature, ...args),
      kmalloc: (bytes, gfp) => this.slub.kmalloc(bytes, gfp),
      kfree: (address) => this.slub.kfree(address),
      symbolAddress: (name) => this.symbols.find(name),
      taint: (flag) => this.taint.add(flag),
      takeArgument: (module, name, value) =>
        name === 'dyndbg' && this.dynamicDebug.exec(value ?? '+p', module) >= 0,
    });
    this.fs = new Filesystems(filesystemDeps(this, access), data);
    this.moduleQueries = new ModuleQueries(moduleQueryDeps(this, access));
    this.userModeHelpers = new UserModeHelpers({
      ...access,
      callC: (fn, signature, ...args) => this.callC(fn, signature, ...args),
      program: () => this.userProgram,
      kmalloc: (bytes, gfp) => this.slub.kmalloc(bytes, gfp),
      kfree: (address) => void this.slub.kfree(address),
    });
    this.errorNames = new ErrorNames(ram, data);
    this.kernelMap = new KernelMap({
      env: this.env,
      pages: this.pages,
      tlb: this.mmu,
      pageTables: () => this.pageTables,
    });
    this.shrinkers = new Shrinkers(shrinkerDeps(this));
    const freeIrq = this.concurrency.irqs.sleepingExports()['free_irq'][1];
    this.drivers = new DriverModel(filesystemDeps(this, access), { ...this.fs, freeIrq });
    this.memDevices = new MemDevices(filesystemDeps(this, access), memDeviceServices(this), data);
    this.tracing = new Tracing(tracingEnvironment(this), traceRegistry(this));
    this.sysctlHandlers = new SysctlHandlers(access, data);
    this.sysctl = new ProcSysctl(filesystemDeps(this, access), data);
    this.sysctlTables = new SysctlTables(this.sysctl);
    this.sysctl.add(kernelSettings(this));
    const sleeping = sleepingExports(this);
    this.symbols = new KernelSymbols(
      new Map([...kernelExports(this), ...sleeping]),
      this.functions,
      this.kallsyms,
      data,
      [
        ...Object.keys(MMU_FUNCTIONS),
        ...COMPILER_RT,
        ...FILE_TRACE_FUNCTIONS,
        ...this.fs.calls.traceFunctions(),
        ...TRACE_FUNCTIONS,
        ...INTERRUPT_FRAMES,
        'load_module',
      ],
    );
    const addressOf = (name: string) => this.symbols.find(name)!;
    for (const fn of compilerRuntime(this.mmu, ram, this.functions, addressOf, (pc) =>
      this.traps.trap(TRAP.divideError, pc),
    ))
      this.functions.add(fn);
    for (const fn of mmuFunctions(this.mmu, ram, this.functions, addressOf)) this.functions.add(fn);
    this.sleepers = new Set([...sleeping.keys()].map((name) => this.symbols.find(name)!));
    this.functions.onMissing = (address) => this.traps.jumpTo(address);
    this.printk.currentPid = () => this.tasks.currentPid;
    if (image) this.attach(image);
    else this.boot();
  }

  /** Rebuilds what the constructors do not: all truth is in RAM. */
  private attach(image: MachineImage): void {
    if (image.layout !== this.layout)
      throw new SnapshotError(
        'the machine was saved by another version of the kernel, whose memory this one cannot read',
      );
    this.pageTables = new PageTables(this.ram, this.mmu.cr3, () => this.allocFrame());
    this.addFastPaths();
    this.modules.attach();
    this.tracing.attach();
    restoreTlbs(this.ram, image);
  }

  /** Generated code over the allocators' memory: they must have been booted. */
  private addFastPaths(): void {
    addFastFunctions(this.ram, this.functions, (name) => this.symbols.find(name)!, {
      ...slabFastPaths(this.slub.core),
      ...pageFastPaths(this.pages),
    });
  }

  /** A number over the names and places of all that this kernel has at fixed places or numbers. */
  private get layout(): string {
    const variables = this.data.variables.map(({ name, address, size }) => `${name} ${address} ${size}`);
    const names = [...variables, ...this.symbols.names(), ...this.scheduler.steps()];
    return crc32(encodeUtf8(names.join('\n')))
      .toString(16)
      .padStart(8, '0');
  }

  /** A copy of the machine. Throws SnapshotError while C runs. */
  image(): MachineImage {
    if (this.functions.depth !== 0 || this.tasks.current().pid !== 0)
      throw new SnapshotError('a machine can be saved between two commands, and not while one runs');
    return captureImage(this.ram, this.layout);
  }

  /** Whether the kernel has panicked: nothing runs any more. */
  get panicked(): boolean {
    return this.ram.i32[this.panicCpu] !== 0;
  }

  set panicked(yes: boolean) {
    this.ram.i32[this.panicCpu] = Number(yes);
  }

  /**
   * Does work of the kernel's that no task does: a look at its lists from outside, say.
   * @param otherwise the result where the work runs into a fault, and where the machine panics over it
   */
  guard<T>(otherwise: T, work: () => T): T {
    try {
      restStep(this.ram);
      return work();
    } catch (error) {
      if (this.panicked || error instanceof TaskKilled) return otherwise;
      this.oops.asPanic(error);
      this.panicked = true;
      return otherwise;
    }
  }

  private boot(): void {
    const { ram, data, options } = this;
    const memblock = new Memblock(ram.size, data.end);
    this.functions.reset();
    this.random.boot(options.seed ?? 1);
    this.printk.boot();
    this.printk.log(KERN_NOTICE, `Linux version ${UTS_RELEASE} ${UTS_VERSION}`);
    this.printk.log(KERN_INFO, `Command line: ${options.commandLine ?? ''}`);
    this.format.hash.boot(this.random);
    this.printkRatelimit.boot();
    let booting = true;
    const table = () => (booting ? memblock.alloc(PAGE_SIZE, PAGE_SIZE) : this.allocFrame());
    this.pageTables = new PageTables(ram, table(), table);
    // Tables for the direct map come before the page allocator takes what is left of memory.
    const textFrame = table();
    ram.fill(textFrame, PAGE_SIZE, 0);
    mapKernel(ram, this.pageTables, {
      largePages: this.mmu.directBytes !== 0,
      data: STATIC_DATA_PADDR,
      dataBytes: data.end - STATIC_DATA_PADDR,
      textFrame,
      textBytes: this.symbols.textSize,
    });
    this.pages.boot(memblock);
    booting = false;
    const { map } = this.pages;
    mapMemmap(this.pageTables, map.base * 4, (map.end - map.base) * 4);
    this.mmu.cr3 = this.pageTables.root;
    this.slub.boot();
    this.addFastPaths();
    this.vmalloc.boot();
    this.params.boot();
    this.hexTables.boot();
    this.library.boot(this.parameters);
    this.modules.boot();
    this.scheduler.boot();
    this.tasks.boot(FIRST_PID);
    this.taskServices.boot();
    this.errorNames.boot();
    this.kernelMap.boot();
    this.shrinkers.boot();
    this.fs.boot();
    this.drivers.boot(bootRegions(this), this.fs.tree.folder('sys/bus'));
    this.memDevices.boot();
    this.oops.panicSettings.boot(this.parameters);
    this.watchdog.boot(this.parameters);
    this.taskServices.load.boot();
    this.concurrency.boot();
    this.tracing.boot();
    this.sysctlHandlers.boot();
    doSysctlArgs(this.parameters, this.sysctl, this.printk);
  }

  private allocFrame(): Paddr {
    const page = this.pages.allocPages(GFP_KERNEL, 0);
    if (page === 0) return -1;
    const frame = this.pages.pageToPfn(page) * PAGE_SIZE;
    this.ram.fill(frame, PAGE_SIZE, 0);
    return frame;
  }

  /** Calls C as from a system call, through the named kernel functions, innermost first. */
  callInFrames(frames: readonly string[], fn: Vaddr, signature: string): number {
    const stack = [...SYSCALL_FRAMES, ...[...frames].reverse()];
    return this.functions.withFrames(
      stack.map((name) => this.symbols.returnAddress(name)),
      () => this.callC(fn, signature),
    );
  }

  /** Calls the C function at an address; what it throws (an oops) passes through. */
  callC(fn: Vaddr, signature: string, ...args: number[]): number {
    return this.functions.callAddress(
      fn,
      signature,
      (address, id) => this.traps.target(address, id),
      ...args,
    );
  }
}
