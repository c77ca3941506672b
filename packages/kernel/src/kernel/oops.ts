// SPDX-License-Identifier: MIT
/**
 * Reports of what went wrong in the kernel: oopses, BUG, WARN, stack dumps, in the format of Linux 6.1 on x86-64.
 *
 * Registers that this machine has are printed: RIP, RSP, CR2, CR3. An oops ends the task that ran, by throwing
 * `TaskKilled` through its guest frames.
 */

import {
  type CurrentTask,
  DataCorruption,
  KERN_ALERT,
  KERN_EMERG,
  KERN_ERR,
  KERN_INFO,
  KERN_WARNING,
  type Log,
  type Reports,
} from '../lib/env.js';
import type { StaticData } from '../lib/static_data.js';
import { EndlessWalk, restStep } from '../lib/walk.js';
import { type Handle, REG, SHADOW_STACK, type Vaddr, vaddr } from '../machine/layout.js';
import type { Ram } from '../machine/ram.js';
import { charge } from '../machine/work.js';
import { internalErrors } from './internal_error.js';
import { hex64, type Kallsyms } from './kallsyms.js';
import { PanicSettings, reportPanic } from './panic.js';
import type { Preempt } from './preempt.js';
import { TAINT_DIE, TAINT_WARN, type Taint } from './taint.js';
import { UTS_RELEASE } from './utsname.js';

/** Thrown to end the current task; it unwinds every guest and kernel frame of the task. */
export class TaskKilled extends Error {
  override name = 'TaskKilled';
  /** @param signal 9 after a bad memory access, 11 after BUG() and other traps, as in Linux */
  constructor(readonly signal: 9 | 11) {
    super(`killed by signal ${signal}`);
  }
}

/** Thrown where a kernel thread ends itself: like TaskKilled, but nothing has gone wrong. */
export class TaskExit extends Error {
  override name = 'TaskExit';
  constructor(readonly result: number) {
    super(`exit with ${result}`);
  }
}

/** Thrown when the kernel panics: the machine stands still from here on. */
export class KernelPanic extends Error {
  override name = 'KernelPanic';
}

export interface OopsEnvironment {
  readonly ram: Ram;
  readonly log: Log;
  readonly kallsyms: Kallsyms;
  readonly taint: Taint;
  current(): CurrentTask;
  readonly preempt: Preempt;
  /** Names for "Modules linked in:", with their flags. */
  modules(): readonly string[];
  /** Physical address of a guest address, or -1. */
  translate(address: Vaddr): number;
}

export interface Registers {
  /** Address of the instruction; of the call that led there, if `symbol` says where it really was. */
  readonly rip: Vaddr;
  /** A kernel function that is in no symbol table: the kernel's own code is not at any address. */
  readonly symbol?: string;
  /** The faulting address, if there was one. */
  readonly cr2?: Vaddr;
}

/** What the report of a walk without end says: 2 · watchdog_thresh, and the next sample. */
const LOCKUP_SECONDS = 22;
/** What it costs to make up a line of a report, in loop iterations of translated code, beside what printk takes. */
const REPORT_LINE_COUNT = 1600;
/** Level of what is printed without one. */
const KERN_DEFAULT = KERN_WARNING;
const CODE_BEFORE = 42;
const CODE_BYTES = 64;
/** Of a deep stack this many frames from each end are printed: all would push the report out of the log. */
const SHOWN_FRAMES = 64;
/** As deep as calls can be. */
const MAX_FRAMES = 4096;

export class Oops implements Reports {
  private readonly counter: Handle;
  readonly panicSettings: PanicSettings;
  /** Told of every panic. */
  onPanic: ((message: string) => void) | undefined;
  /** Lets every message reach the console. */
  consoleVerbose: () => void = () => {};

  constructor(
    private readonly env: OopsEnvironment,
    data: StaticData,
  ) {
    this.counter = data.declare('die_counter', 4);
    this.panicSettings = new PanicSettings(env.ram, data);
  }

  /** The full address of a recorded program counter: kernel text lies in the last 4 GiB. */
  fullAddress(pc: number): Vaddr {
    return vaddr(0xffffffff, pc);
  }

  /** Return addresses on the shadow call stack, innermost first. */
  stackTrace(max = MAX_FRAMES): Vaddr[] {
    const { host32 } = this.env.ram;
    const trace: Vaddr[] = [];
    for (let at = host32[REG.ssp >> 2] - 4; at >= SHADOW_STACK && trace.length < max; at -= 4) {
      const pc = host32[at >> 2];
      if (pc !== 0) trace.push(this.fullAddress(pc));
    }
    return trace;
  }

  callerAddress(): Vaddr {
    return this.stackTrace(1)[0] ?? 0;
  }

  symbolize(address: Vaddr): string {
    return this.env.kallsyms.symbolize(address);
  }

  taint(letter: string): void {
    this.env.taint.add(letter);
  }

  tainted(): string {
    return this.env.taint.toString();
  }

  /**
   * Prints an oops and ends the task.
   * @param header lines before the one that counts the oops
   * @param what `Oops`, `general protection fault`, …: what stands before the error code
   * @linux arch/x86/kernel/dumpstack.c:__die full
   */
  die(header: readonly string[], what: string, errorCode: number, regs: Registers, signal: 9 | 11): never {
    const { log, taint, ram } = this.env;
    const count = ++ram.i32[this.counter];
    this.consoleVerbose();
    for (const line of header) log.log(KERN_ALERT, line);
    const code = errorCode.toString(16).padStart(4, '0');
    log.log(KERN_DEFAULT, `${what}: ${code} [#${count}] PREEMPT SMP NOPTI`);
    this.print(KERN_DEFAULT, this.taskLines());
    this.print(KERN_DEFAULT, this.registerLines(regs));
    this.print(KERN_DEFAULT, this.traceLines(this.traceFrom(regs)));
    log.log(KERN_DEFAULT, this.modulesLine());
    if (regs.cr2 !== undefined) log.log(KERN_DEFAULT, `CR2: ${hex64(regs.cr2)}`);
    log.log(KERN_DEFAULT, '---[ end trace 0000000000000000 ]---');
    this.print(KERN_DEFAULT, this.registerLines(regs));
    taint.add(TAINT_DIE);
    if (this.env.preempt.inInterrupt) this.panic('Fatal exception in interrupt');
    if (this.panicSettings.onOops) this.panic('Fatal exception');
    if (signal === 9) {
      const { comm, pid } = this.env.current();
      log.log(KERN_DEFAULT, `note: ${comm}[${pid}] exited with irqs disabled`);
    }
    this.leaveAtomic();
    const tooMany = this.panicSettings.afterOops();
    if (tooMany !== undefined) this.panic(tooMany);
    throw new TaskKilled(signal);
  }

  /** The task that dies may hold locks: it leaves the CPU as one that holds none. @linux kernel/exit.c:make_task_dead partial: no panic in interrupts */
  private leaveAtomic(): void {
    const { log, preempt } = this.env;
    const { comm, pid } = this.env.current();
    if (preempt.inAtomic)
      log.log(KERN_INFO, `note: ${comm}[${pid}] exited with preempt_count ${preempt.count}`);
    preempt.reset();
  }

  /** The frames above an instruction; its own function's slot on the shadow stack is no return address. */
  private traceFrom({ rip, symbol }: Registers): Vaddr[] {
    const trace = this.stackTrace();
    if (symbol !== undefined) return trace;
    const here = this.env.kallsyms.lookup(rip)?.symbol;
    const first = trace.length > 0 ? this.env.kallsyms.lookup(trace[0])?.symbol : undefined;
    return here !== undefined && here === first ? trace.slice(1) : trace;
  }

  private print(level: number, lines: readonly string[]): void {
    charge(this.env.ram, lines.length * REPORT_LINE_COUNT);
    for (const line of lines) this.env.log.log(level, line);
  }

  /** @linux lib/dump_stack.c:dump_stack_print_info full */
  private taskLines(): string[] {
    const { cpu, pid, comm } = this.env.current();
    return [
      `CPU: ${cpu} PID: ${pid} Comm: ${comm} ${this.env.taint} ${UTS_RELEASE} #1`,
      'Hardware name: Pagewalk wasm64 virtual machine',
    ];
  }

  /** Where registers say that the CPU was. */
  private where({ rip, symbol }: Registers, withLine: boolean): string {
    const { kallsyms } = this.env;
    if (symbol !== undefined) return `${symbol}+0x20/0x40`;
    return withLine ? kallsyms.symbolizeWithLine(rip) : kallsyms.symbolize(rip);
  }

  private registerLines(regs: Registers): string[] {
    const { ram } = this.env;
    const { rip, cr2 } = regs;
    const sp = ram.host32[(REG.sp >> 2) + 1] * 4294967296 + (ram.host32[REG.sp >> 2] >>> 0);
    const cr3 = ram.host32[REG.cr3 >> 2];
    return [
      `RIP: 0010:${this.where(regs, true)}`,
      this.codeLine(rip),
      `RSP: 0018:${hex64(sp)} EFLAGS: 00010246`,
      'CS:  0010 DS: 0000 ES: 0000 CR0: 0000000080050033',
      `CR2: ${hex64(cr2 ?? 0)} CR3: ${hex64(cr3)} CR4: 00000000003006f0`,
    ];
  }

  /** The bytes around an instruction, that at RIP in angle brackets. */
  private codeLine(rip: Vaddr): string {
    const { ram, translate } = this.env;
    const start = rip - CODE_BEFORE;
    if (translate(start) < 0 || translate(rip) < 0)
      return `Code: Unable to access opcode bytes at 0x${hex64(start)}.`;
    const bytes = Array.from({ length: CODE_BYTES }, (_, i) => {
      const p = translate(start + i);
      const byte = p < 0 ? '??' : ram.u8[p].toString(16).padStart(2, '0');
      return start + i === rip ? `<${byte}>` : byte;
    });
    return `Code: ${bytes.join(' ')}`;
  }

  private traceLines(trace: readonly Vaddr[]): string[] {
    const frames = trace.map((address) => ` ${this.env.kallsyms.symbolizeWithLine(address)}`);
    const left = frames.length - 2 * SHOWN_FRAMES;
    if (left > 0) frames.splice(SHOWN_FRAMES, left, ` ... ${left} frames ...`);
    return ['Call Trace:', ' <TASK>', ...frames, ' </TASK>'];
  }

  /** @linux kernel/module/main.c:print_modules full */
  printModules(): void {
    this.env.log.log(KERN_DEFAULT, this.modulesLine());
  }

  private modulesLine(): string {
    return `Modules linked in:${this.env
      .modules()
      .map((name) => ` ${name}`)
      .join('')}`;
  }

  /** Registers for a kernel function of ours that noticed something. */
  private registersIn(symbol: string): Registers {
    const found = this.env.kallsyms.find(symbol);
    return found ? { rip: found.address + 0x20 } : { rip: this.callerAddress(), symbol };
  }

  bug(file: string, line: number, symbol: string): never {
    this.reportBug(file, line, this.registersIn(symbol));
  }

  /** BUG() at a guest instruction. */
  bugAt(file: string, line: number, rip: Vaddr): never {
    this.reportBug(file, line, { rip });
  }

  private reportBug(file: string, line: number, regs: Registers): never {
    this.env.log.log(KERN_EMERG, '------------[ cut here ]------------');
    this.env.log.log(KERN_EMERG, `kernel BUG at ${file}:${line}!`);
    this.die([], 'invalid opcode', 0, regs, 11);
  }

  warn(file: string, line: number, symbol: string, message?: string): void {
    this.reportWarning(file, line, this.registersIn(symbol), message);
  }

  /** WARN() at a guest instruction. */
  warnAt(file: string, line: number, rip: Vaddr, message?: string, taint = TAINT_WARN): void {
    this.reportWarning(file, line, { rip }, message, taint);
  }

  /** @linux kernel/panic.c:__warn full */
  private reportWarning(
    file: string,
    line: number,
    regs: Registers,
    message?: string,
    flag = TAINT_WARN,
  ): void {
    const { log, taint } = this.env;
    const { cpu, pid } = this.env.current();
    log.log(KERN_WARNING, '------------[ cut here ]------------');
    if (message !== undefined) log.log(KERN_WARNING, message);
    log.log(KERN_WARNING, `WARNING: CPU: ${cpu} PID: ${pid} at ${file}:${line} ${this.where(regs, false)}`);
    log.log(KERN_WARNING, this.modulesLine());
    this.print(KERN_WARNING, this.taskLines());
    this.print(KERN_WARNING, this.registerLines(regs));
    this.print(KERN_WARNING, this.traceLines(this.traceFrom(regs)));
    this.checkPanicOnWarn('kernel');
    log.log(KERN_WARNING, '---[ end trace 0000000000000000 ]---');
    taint.add(flag);
  }

  private checkPanicOnWarn(origin: string): void {
    const message = this.panicSettings.afterWarning(origin);
    if (message !== undefined) this.panic(message);
  }

  dumpStack(frames: readonly string[] = []): void {
    this.print(KERN_DEFAULT, this.taskLines());
    const { kallsyms } = this.env;
    const own = ['dump_stack_lvl', ...frames].map(
      (name) => ` ${name}+0x20/0x${(kallsyms.find(name)?.size ?? 0x40).toString(16)}`,
    );
    const [title, open, ...rest] = this.traceLines(this.stackTrace());
    this.print(KERN_DEFAULT, [title, open, ...own, ...rest]);
  }

  /**
   * Report of a task that has not let go of its CPU for too long.
   * @param panics as sysctl kernel.softlockup_panic says
   * @linux kernel/watchdog.c:watchdog_timer_fn partial: the task is killed
   */
  softLockup(seconds: number, rip: Vaddr, panics: boolean): never {
    const { cpu, pid, comm } = this.env.current();
    const { log, taint } = this.env;
    log.log(KERN_EMERG, `watchdog: BUG: soft lockup - CPU#${cpu} stuck for ${seconds}s! [${comm}:${pid}]`);
    log.log(KERN_EMERG, this.modulesLine());
    this.print(KERN_EMERG, this.taskLines());
    this.print(KERN_EMERG, this.registerLines({ rip }));
    this.print(KERN_EMERG, this.traceLines(this.traceFrom({ rip })));
    taint.add('L');
    if (panics) this.panic('softlockup: hung tasks');
    this.leaveAtomic();
    throw new TaskKilled(9);
  }

  /** Ends a task that has not let go of its CPU while nobody watched: on Linux that CPU would be lost. */
  endUnwatched(seconds: number): never {
    const { pid, comm } = this.env.current();
    this.env.log.log(
      KERN_EMERG,
      `pagewalk: ${comm}[${pid}] has run for ${seconds}s with no watchdog: killed`,
    );
    this.leaveAtomic();
    throw new TaskKilled(9);
  }

  /**
   * A task wants to sleep where it must not. If its frames cannot be saved at all it is killed.
   * @linux kernel/sched/core.c:__schedule_bug full
   */
  schedulingWhileAtomic(preemptCount: number, fatal: boolean): void {
    const { comm, pid } = this.env.current();
    const count = (preemptCount >>> 0).toString(16).padStart(8, '0');
    this.env.log.log(KERN_ERR, `BUG: scheduling while atomic: ${comm}/${pid}/0x${count}`);
    this.env.log.log(KERN_DEFAULT, this.modulesLine());
    this.checkPanicOnWarn('scheduling while atomic');
    this.dumpStack();
    this.env.taint.add(TAINT_WARN);
    if (!fatal) return;
    this.env.log.log(KERN_ERR, 'pagewalk: a caller on this stack cannot be suspended: see docs/limits.md');
    throw new TaskKilled(9);
  }

  /** A line of `ps` and the stack of a task that does not run. @linux kernel/sched/core.c:sched_show_task partial: no stack */
  showTask(comm: string, pid: number): void {
    const release = UTS_RELEASE;
    this.env.log.log(
      KERN_ERR,
      `      ${this.env.taint.value === 0 ? 'Not tainted' : this.env.taint} ${release} #1`,
    );
    this.env.log.log(KERN_ERR, '"echo 0 > /proc/sys/kernel/hung_task_timeout_secs" disables this message.');
    this.env.log.log(
      KERN_DEFAULT,
      `task:${comm.padEnd(15)} state:D stack:0     pid:${String(pid).padEnd(5)} ppid:0      flags:0x00004000`,
    );
  }

  panic(message: string): never {
    const { log, taint } = this.env;
    this.panicSettings.forgetWarnings();
    this.consoleVerbose();
    reportPanic(
      {
        log,
        reports: this,
        stack: !taint.has(TAINT_DIE),
        timeout: this.panicSettings.timeout,
        ...(this.onPanic && { notify: this.onPanic }),
      },
      message,
    );
    throw new KernelPanic(message);
  }

  /**
   * How a task ends after it, or the kernel for it, has thrown something.
   * Throws KernelPanic for what ends the machine.
   */
  endOfTask(thrown: unknown): TaskKilled | TaskExit {
    if (thrown instanceof TaskKilled || thrown instanceof TaskExit) return thrown;
    if (!(thrown instanceof DataCorruption)) throw this.asPanic(thrown);
    try {
      restStep(this.env.ram);
      if (thrown instanceof EndlessWalk) return this.softLockup(LOCKUP_SECONDS, this.callerAddress(), false);
      this.env.log.log(KERN_EMERG, thrown.message);
      return this.bug(thrown.file, thrown.line, thrown.symbol);
    } catch (error) {
      if (error instanceof TaskKilled) return error;
      throw this.asPanic(error);
    }
  }

  /** What was thrown where no task could be ended for it: the panic that it leads to, which has been reported. */
  asPanic(thrown: unknown): KernelPanic {
    if (thrown instanceof KernelPanic) return thrown;
    const expected = thrown instanceof DataCorruption || thrown instanceof TaskKilled;
    if (!expected && internalErrors.action === 'throw') throw thrown;
    if (!expected) this.internalError = thrown;
    const message =
      thrown instanceof TaskKilled
        ? 'Attempted to kill the idle task!'
        : thrown instanceof DataCorruption
          ? thrown.message
          : `internal error: ${thrown}`;
    try {
      restStep(this.env.ram);
      reportPanic({ log: this.env.log, reports: this }, message);
    } catch {
      // Not even the log can be used any more.
    }
    return new KernelPanic(message);
  }

  /** What was thrown and nobody had expected, if the kernel panicked because of it: for whoever looks for mistakes. */
  internalError: unknown;
}
