// SPDX-License-Identifier: MIT
/** The public face of a machine: what a command line, a lab page or a test does with it. */

import { type BootOptions, Kernel } from './boot.js';
import type { ProcRoot } from './fs/proc/root.js';
import type { Process, SystemCallResult } from './fs/process.js';
import { moduleTexts, slabTexts } from './fs/sys_texts.js';
import { NR_IRQS } from './kernel/irq/manage.js';
import type { ModuleInfo } from './kernel/module/main.js';
import { dynamicDebugControl } from './kernel/printk/dynamic_debug_control.js';
import { recordText } from './kernel/printk/record_text.js';
import type { LogRecord } from './kernel/printk/ringbuffer.js';
import {
  EXIT_DEAD,
  EXIT_ZOMBIE,
  PF_KTHREAD,
  TASK_DEAD,
  TASK_IDLE,
  TASK_INTERRUPTIBLE,
  TASK_NEW,
  TASK_UNINTERRUPTIBLE,
  TaskStruct,
} from './kernel/sched.js';
import { UTS_RELEASE, UTS_VERSION } from './kernel/utsname.js';
import { EIO, ENOMEM } from './lib/errno.js';
import { decodeUtf8 } from './lib/utf8.js';
import { hashRam, type MachineImage } from './machine/image.js';
import {
  type Compress,
  type Decompress,
  decodeImage,
  encodeImage,
  SnapshotError,
} from './machine/image_file.js';
import { type Handle, REG } from './machine/layout.js';
import { type FileStat, MachineFiles } from './machine_files.js';
import { procFiles } from './proc_files.js';
import type { TraceRecord, TraceRegistry } from './trace/registry.js';

const O_WRONLY = 1;
const KERNEL_VERSION = `${UTS_RELEASE} ${UTS_VERSION}`;
/** Virtual time that a command takes at least, in nanoseconds: threads and timers get their turn. */
const COMMAND_NS = 4_000_000;

/** How a command's work in the kernel ended. */
export interface CommandResult {
  /** 0 or a negative errno. */
  readonly status: number;
  /** The signal that killed the task, if one did: 9 after a bad access, 11 after BUG() and other traps. */
  readonly signal?: 9 | 11;
  /** True if the task sleeps and nothing will ever wake it. */
  readonly blocked?: boolean;
  /** True if the kernel has panicked: nothing runs on this machine any more. */
  readonly panicked?: boolean;
}

export interface MachineOptions extends BootOptions {
  /** Gets each line that reaches the console, with its timestamp. */
  readonly console?: (line: string) => void;
}

/** A line of the log as dmesg reads it. */
export interface DmesgRecord {
  /** 0 (KERN_EMERG) to 7 (KERN_DEBUG). */
  readonly level: number;
  /** Nanoseconds since power-on. */
  readonly ns: number;
  readonly text: string;
}

/** A task, as ps shows it. */
export interface TaskInfo {
  readonly pid: number;
  readonly ppid: number;
  readonly comm: string;
  /** `R` runs or could, `S` sleeps, `D` sleeps and no signal wakes it, `I` is idle, `X` is over. */
  readonly state: 'R' | 'S' | 'D' | 'I' | 'X';
  readonly kthread: boolean;
  /** Nanoseconds since power-on. */
  readonly startNs: number;
}

type ConsoleOption = Pick<MachineOptions, 'console'>;

export interface LoadOptions extends ConsoleOption {
  /** Undoes what `save` was given to compress with. */
  readonly decompress?: Decompress;
}

/** A machine at one moment, to go back to. */
export interface Checkpoint {
  readonly options: Required<BootOptions>;
  readonly image: MachineImage;
}

export class Machine {
  readonly kernel: Kernel;
  private readonly proc: ProcRoot;
  /** All tracepoints by name. */
  readonly tracepoints: TraceRegistry;
  /** Devices, /proc and /sys as programs use them. */
  readonly files: MachineFiles;

  /**
   * Boots a machine, or with an image goes on with a copy of another one, made with the same options.
   * Throws RangeError for options that no machine can have.
   */
  constructor(
    private readonly options: MachineOptions,
    image?: MachineImage,
  ) {
    this.kernel = new Kernel(options, image);
    this.proc = procFiles(this.kernel);
    this.tracepoints = this.kernel.tracing.registry;
    this.files = new MachineFiles(this.kernel);
    this.kernel.fs.texts.providers.push(
      this.kernel.sysctl.provider(),
      this.proc.provider(),
      moduleTexts(this.kernel.modules, this.kernel.params),
      slabTexts(this.kernel.slub),
      this.kernel.tracing.texts(),
      dynamicDebugControl(this.kernel.dynamicDebug),
    );
    const { console } = options;
    if (console)
      this.kernel.printk.console = (record: LogRecord) => console(decodeUtf8(recordText(record)).trimEnd());
  }

  /** Runs a new task until it is done; whatever guest code does, this returns. */
  private command(newTask: () => Handle): CommandResult {
    const { scheduler } = this.kernel;
    return this.guarded(() => {
      const task = newTask();
      if (task === 0) return { status: -ENOMEM };
      scheduler.wake(task, TASK_NEW);
      if (!scheduler.loop.runUntilDone(task)) return { status: 0, blocked: true };
      const { result, signal } = scheduler.result(task);
      scheduler.release(task);
      scheduler.loop.passTime(COMMAND_NS);
      return signal === 0 ? { status: result } : { status: 0, signal: signal as 9 | 11 };
    });
  }

  /** A call into the kernel; a machine that has panicked makes none. */
  private guarded(call: () => SystemCallResult): SystemCallResult {
    const panicked: SystemCallResult = { status: 0, panicked: true };
    return this.kernel.panicked ? panicked : this.kernel.guard(panicked, call);
  }

  /** Raises an interrupt line: what a device would do. Its handlers run at once, threads that they wake after them. */
  raiseIrq(irq: number): void {
    if (!Number.isInteger(irq) || irq < 0 || irq >= NR_IRQS)
      throw new RangeError(`interrupt line: got ${irq}, expected 0 to ${NR_IRQS - 1}`);
    this.guarded(() => {
      this.kernel.concurrency.irqs.raise(irq);
      this.kernel.scheduler.loop.settle();
      return { status: 0 };
    });
  }

  /**
   * Sends a signal to a task, as kill(2) does; threads that it wakes run at once.
   * @param signal 1 to 64; 0 only asks whether the task is there
   * @returns 0, -ESRCH (no such task) or -EINVAL (no such signal)
   */
  kill(pid: number, signal: number): number {
    const { status } = this.guarded(() => {
      const sent = this.kernel.taskServices.signals.killByNumber(pid, signal);
      this.kernel.scheduler.loop.settle();
      return { status: sent };
    });
    return status;
  }

  /** Lets virtual time pass: timers go off, threads run. */
  sleep(ns: number): void {
    this.guarded(() => {
      this.kernel.scheduler.loop.passTime(ns);
      return { status: 0 };
    });
  }

  /**
   * The machine as a file, to be loaded by `Machine.load`. Threads may be asleep, in C too.
   * Throws SnapshotError while a command runs.
   */
  save({ compress }: { compress?: Compress } = {}): Uint8Array {
    const { options, image } = this.checkpoint();
    return encodeImage(image, { kernel: KERNEL_VERSION, ...options }, compress);
  }

  /** Makes a machine that goes on where a saved one stood. Throws SnapshotError for what it cannot load. */
  static load(file: Uint8Array, { decompress, console }: LoadOptions = {}): Machine {
    const { description, image } = decodeImage(file, decompress);
    const { kernel, memory, cpus, seed, commandLine } = description;
    if (kernel !== KERNEL_VERSION)
      throw new SnapshotError(`the machine was saved by kernel '${kernel}', this is '${KERNEL_VERSION}'`);
    return Machine.at(
      { options: { memory, cpus, seed, commandLine }, image },
      { ...(console && { console }) },
    );
  }

  /** A second machine that goes on from where this one stands, on its own; folders of the host are seen by both. */
  fork(host: ConsoleOption = {}): Machine {
    const machine = Machine.at(this.checkpoint(), host);
    machine.kernel.fs.vfs.hostfs.shareWith(this.kernel.fs.vfs.hostfs);
    return machine;
  }

  /**
   * What this machine stands at now; `Machine.at` makes a machine that goes on from there, any number of times.
   * Throws SnapshotError while a command runs.
   */
  checkpoint(): Checkpoint {
    const { memory, cpus = 1, seed = 1, commandLine = '' } = this.options;
    return { options: { memory, cpus, seed, commandLine }, image: this.kernel.image() };
  }

  /** A machine that goes on from there. Throws SnapshotError if no kernel can be found in the image. */
  static at({ options, image }: Checkpoint, { console }: ConsoleOption = {}): Machine {
    try {
      return new Machine({ ...options, ...(console && { console }) }, image);
    } catch (error) {
      if (error instanceof SnapshotError) throw error;
      throw new SnapshotError(
        `the saved machine holds no kernel: ${error instanceof Error ? error.message : error}`,
      );
    }
  }

  /**
   * Chooses by seed who of the tasks that can run is picked next, from here on: as boot parameter `sched_seed=N`, but
   * for a machine that runs already, a fork for instance.
   * @param seed 0: whoever has waited longest
   */
  seedScheduler(seed: number): void {
    this.kernel.scheduler.queue.reseed(seed);
  }

  /** A number over all memory: equal for machines that have done the same from the same start. */
  memoryHash(): string {
    return hashRam(this.kernel.ram);
  }

  /**
   * Loads a module and runs its init function, as insmod does.
   * @param image a `.ko`
   * @param parameters `n=7 s=hello`
   */
  insmod(image: Uint8Array, parameters = ''): CommandResult {
    return this.command(() => this.kernel.moduleSteps.task('insmod', { image, text: parameters }));
  }

  /** Unloads a module, as rmmod does. */
  rmmod(name: string): CommandResult {
    return this.command(() => this.kernel.moduleSteps.task('rmmod', { text: name }));
  }

  /** A program that makes system calls of its own. */
  process(comm?: string): Process {
    return this.files.process(comm);
  }

  /**
   * Opens a file of the default program, named `comm` if it has none open yet.
   * @param flags O_*
   * @returns `status`: a descriptor, or a negative errno
   */
  open(path: string, flags = 0, mode = 0, comm?: string): SystemCallResult {
    return this.guarded(() => this.files.default(comm).open(path, flags, mode));
  }

  /** Reads at most `count` bytes: they are in `bytes`. */
  read(fd: number, count: number): SystemCallResult {
    return this.guarded(() => this.files.default().read(fd, count));
  }

  write(fd: number, bytes: Uint8Array): SystemCallResult {
    return this.guarded(() => this.files.default().write(fd, bytes));
  }

  /** @param whence 0 from the start, 1 from here, 2 from the end */
  lseek(fd: number, offset: number, whence = 0): SystemCallResult {
    return this.guarded(() => this.files.default().lseek(fd, offset, whence));
  }

  /** @param arg a number, or bytes that the command reads and writes */
  ioctl(fd: number, command: number, arg: number | Uint8Array = 0): SystemCallResult {
    return this.guarded(() => this.files.default().ioctl(fd, command, arg));
  }

  /** Events of <poll.h> that are there now. */
  poll(fd: number): SystemCallResult {
    return this.guarded(() => this.files.default().poll(fd));
  }

  close(fd: number): SystemCallResult {
    return this.guarded(() => this.files.default().close(fd));
  }

  /** What is at a path below /dev, /proc or /sys, or a negative errno. */
  stat(path: string): FileStat | number {
    return this.kernel.guard<FileStat | number>(-EIO, () => this.files.stat(path));
  }

  /** Names in a folder below /dev, /proc or /sys, or a negative errno. */
  readdir(path: string): string[] | number {
    return this.kernel.guard<string[] | number>(-EIO, () => this.files.readdir(path));
  }

  /**
   * Listens to tracepoints. Listeners only look: what they do must not change the machine.
   * @param events as in Linux's set_event: `kmem:kmalloc`, `kmem:*`, several separated by commas
   * @returns the function that ends it
   */
  trace(events: string, listener: (record: TraceRecord) => void): () => void {
    return this.tracepoints.listen(events, listener);
  }

  /** Loaded modules, newest first. */
  modules(): ModuleInfo[] {
    return this.kernel.guard<ModuleInfo[]>([], () => this.kernel.modules.list());
  }

  /** Virtual nanoseconds since power-on. */
  get now(): number {
    return this.kernel.clock.ns;
  }

  /** Seconds since 1970 at power-on: what the machine's own clock showed. */
  get bootTime(): number {
    return this.kernel.library.time.realBase;
  }

  /** All tasks but the idle one, oldest first. */
  tasks(): TaskInfo[] {
    return this.kernel.guard<TaskInfo[]>([], () => this.taskInfos());
  }

  private taskInfos(): TaskInfo[] {
    const { ram, tasks } = this.kernel;
    return tasks.all().map((handle) => {
      const t = TaskStruct.at(ram, handle);
      return {
        pid: t.pid,
        ppid: TaskStruct.at(ram, t.real_parent).pid,
        comm: tasks.commOf(handle),
        state: stateLetter(t.__state),
        kthread: (t.flags & PF_KTHREAD) !== 0,
        startNs: t.start_time,
      };
    });
  }

  /** Names of the functions and variables that modules may use: what modpost checks against. */
  exportedSymbols(): string[] {
    return this.kernel.symbols.names();
  }

  /** The log since it was last cleared. */
  dmesg(): DmesgRecord[] {
    const { printk } = this.kernel;
    const records = this.kernel.guard([], () => [...printk.records(printk.buffer.clearSeq)]);
    return records.map(({ level, ts_nsec, text }) => ({ level, ns: ts_nsec, text: decodeUtf8(text) }));
  }

  /** Bytes of a file below /proc, by its full path; undefined if there is none. */
  readProc(path: string): Uint8Array | undefined {
    const { sysctl } = this.kernel;
    const clean = path.replace(/\/+$/, '');
    if (sysctl.runsC(clean)) return this.cat(clean);
    if (sysctl.has(clean)) return this.below(path, (rest) => sysctl.read(rest.slice('sys/'.length)));
    return this.below(path, (rest) => this.proc.read(rest));
  }

  /** Bytes of a file that C makes: a program reads them. */
  private cat(path: string): Uint8Array {
    const process = this.process('cat');
    const parts: number[] = [];
    const { status: fd } = process.open(path);
    for (let more = fd >= 0; more; ) {
      const { status, bytes } = process.read(fd, 65536);
      if (bytes) parts.push(...bytes);
      more = status > 0;
    }
    process.exit();
    return Uint8Array.from(parts);
  }

  /** Writes to a file below /proc as a program does. @returns 0 or a negative errno */
  writeProc(path: string, bytes: Uint8Array): number {
    const process = this.process('sh');
    const { status: fd } = process.open(path, O_WRONLY);
    const { status, signal } = fd < 0 ? { status: fd } : process.write(fd, bytes);
    process.exit();
    return signal === undefined ? Math.min(status, 0) : -EIO;
  }

  /** Names in a folder of /proc, folders with a slash at the end; undefined if there is no such folder. */
  listProc(path: string): string[] | undefined {
    return this.below(path, (rest) => this.namesBelow(rest));
  }

  private namesBelow(folder: string): string[] | undefined {
    const settings = this.kernel.sysctl.provider().list(folder === '' ? '/proc' : `/proc/${folder}`);
    const others = this.proc.list(folder);
    if (!settings && !others) return undefined;
    return [...new Set([...(others ?? []), ...(settings ?? [])])].sort();
  }

  private below<T>(path: string, look: (rest: string) => T | undefined): T | undefined {
    const match = /^\/proc(?:\/(.*))?$/.exec(path.replace(/\/+$/, ''));
    if (!match) return undefined;
    // Who looks from outside takes no virtual time.
    const { host32 } = this.kernel.ram;
    const ticks = host32[REG.ticks >> 2];
    const found = this.kernel.guard(undefined, () => look(match[1] ?? ''));
    host32[REG.ticks >> 2] = ticks;
    return found;
  }

  clearDmesg(): void {
    this.kernel.guard(undefined, () => this.kernel.printk.clear());
  }
}

/** @linux fs/proc/array.c:get_task_state partial: no stopped or traced tasks */
function stateLetter(state: number): TaskInfo['state'] {
  if (state & (TASK_DEAD | EXIT_ZOMBIE | EXIT_DEAD)) return 'X';
  if ((state & TASK_IDLE) === TASK_IDLE) return 'I';
  if (state & TASK_UNINTERRUPTIBLE) return 'D';
  return state & TASK_INTERRUPTIBLE ? 'S' : 'R';
}

export function boot(options: MachineOptions): Machine {
  return new Machine(options);
}
