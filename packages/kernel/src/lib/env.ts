// SPDX-License-Identifier: MIT
/** What every subsystem of the kernel is given: hardware, static data, the log, and the ways to report a bug. */

import type { Clock } from '../machine/clock.js';
import type { Vaddr } from '../machine/layout.js';
import type { Ram } from '../machine/ram.js';
import type { Random } from './random.js';
import type { StaticData } from './static_data.js';

/** Log levels of printk, as Linux numbers them. */
export const KERN_EMERG = 0;
export const KERN_ALERT = 1;
export const KERN_CRIT = 2;
export const KERN_ERR = 3;
export const KERN_WARNING = 4;
export const KERN_NOTICE = 5;
export const KERN_INFO = 6;
export const KERN_DEBUG = 7;

/** The kernel command line, parsed: `slub_debug=FZPU quiet` gives { slub_debug: 'FZPU', quiet: '' }. */
export type BootParameters = ReadonlyMap<string, string>;

/** The log, for subsystems below printk. */
export interface Log {
  /** Logs text; each line becomes a record. No trailing newline needed. */
  log(level: number, text: string): void;
}

/** Ways to report a kernel bug; the format is that of Linux 6.1. */
export interface Reports {
  /**
   * `kernel BUG at FILE:LINE!` and an oops; ends the current task, so it never returns. `symbol` is the kernel
   * function that noticed (it stands in RIP). What had to be printed first the caller has logged.
   */
  bug(file: string, line: number, symbol: string): never;
  /** `WARNING: CPU: …` with registers and call trace, once or each time as the caller decides. */
  warn(file: string, line: number, symbol: string, message?: string): void;
  /** The "CPU: … PID: … Comm: …" line, `Call Trace:` and frames; `frames` are kernel functions above C. */
  dumpStack(frames?: readonly string[]): void;
  /** Address of the guest instruction that called into the kernel, 0 if none: what Linux calls _RET_IP_. */
  callerAddress(): Vaddr;
  /** Return addresses of the guest call stack, innermost first. */
  stackTrace(max: number): Vaddr[];
  /** `symbol+0xoffset/0xsize [module]`, or the bare hexadecimal address: the %pS conversion. */
  symbolize(address: Vaddr): string;
  /** Adds a taint flag by its letter, as printed after "Tainted:" (`B` bad page, `W` warning, `D` died…). */
  taint(flag: string): void;
  /** `Not tainted`, or `Tainted: G           OE     `, as messages show it. */
  tainted?(): string;
}

/** Guest memory as the kernel reads and writes it through the page tables, by virtual address. */
export interface GuestMemory {
  /** Physical address, or -1 if not mapped (or not writable, where `write` is set). Never faults, never logs. */
  translate(address: Vaddr, write?: boolean): number;
  /** Bytes at an address; throws an oops if any is not mapped, as kernel C would. */
  read(address: Vaddr, bytes: number): Uint8Array;
  write(address: Vaddr, bytes: Uint8Array): void;
  /** A NUL-terminated string as bytes, without the NUL, at most `max` bytes. */
  readString(address: Vaddr, max?: number): Uint8Array;
  readU32(address: Vaddr): number;
  readU64(address: Vaddr): bigint;
}

/** The current task, as messages name it. */
export interface CurrentTask {
  readonly pid: number;
  readonly comm: string;
  readonly cpu: number;
}

export interface Env {
  readonly ram: Ram;
  readonly data: StaticData;
  readonly clock: Clock;
  readonly random: Random;
  readonly parameters: BootParameters;
  readonly log: Log;
  readonly reports: Reports;
  readonly guest: GuestMemory;
  current(): CurrentTask;
  /** Number of virtual CPUs, 1 to 8. */
  readonly nrCpus: number;
  /** The CPU that runs now. */
  cpu(): number;
}

/** A broken invariant of our own. Nothing that a guest or a user passes may reach one. */
export class KernelBug extends Error {
  override name = 'KernelBug';
}

/**
 * RAM holds what the kernel has never written there: guest code has overwritten its structures. Ends the task as an
 * oops that names what was found, or outside of any task the machine as a panic.
 */
export class DataCorruption extends Error {
  override name = 'DataCorruption';
  /** @param file line and function that `kernel BUG at` names */
  constructor(
    message: string,
    readonly file = 'lib/list_debug.c',
    readonly line = 59,
    readonly symbol = '__list_del_entry_valid',
  ) {
    super(message);
  }
}
