// SPDX-License-Identifier: MIT
/** What the command line needs of a machine. `boot()` of @pagewalk/kernel gives it; tests give a fake. */

import type { TraceRecord } from '@pagewalk/kernel/trace/registry';

import type { KernelFiles } from './fs/kernel_files.js';

export interface LoadedModule {
  readonly name: string;
  /** Bytes. */
  readonly size: number;
  readonly refcount: number;
  readonly usedBy: readonly string[];
  readonly state: 'Live' | 'Loading' | 'Unloading';
}

export interface LogRecord {
  /** 0 (KERN_EMERG) to 7 (KERN_DEBUG). */
  level: number;
  /** Nanoseconds since boot on the virtual clock. */
  ns: number;
  text: string;
}

/** How a system call made for a command ended. */
export interface CommandResult {
  /** 0 or a negative errno. */
  readonly status: number;
  /** The signal that killed the calling task: 9 after an oops, 11 after a trap such as BUG(). */
  readonly signal?: 9 | 11;
  /** The kernel has panicked; nothing runs any more. */
  readonly panicked?: boolean;
}

/** An object of kmalloc or kfree, and where it lies. */
export interface SlabEvent {
  readonly kind: 'alloc' | 'free';
  readonly address: number;
  /** Bytes that were asked for; 0 for a free. */
  readonly bytes: number;
  /** The cache: `kmalloc-256`. */
  readonly cache: string;
  /** Number of the object in its slab. */
  readonly index: number;
  /** First page frame of the slab. */
  readonly pfn: number;
  /** `DMA32`. */
  readonly zone: string;
  /** Code that called: `init+0x10/0x80 [module]`. */
  readonly caller: string;
}

/** A task of the kernel, as ps shows it. */
export interface TaskInfo {
  readonly pid: number;
  readonly ppid: number;
  readonly comm: string;
  readonly state: string;
  readonly kthread: boolean;
  /** Nanoseconds since boot. */
  readonly startNs: number;
}

/** What `dmesg` prints at once, and, for `-w`, what comes later. */
export interface DmesgOutput {
  readonly stdout: Uint8Array;
  readonly stderr: string;
  readonly status: number;
  /** New records since the last call, as they are to be shown. */
  readonly follow?: () => Uint8Array;
}

export interface Machine {
  /** Virtual nanoseconds since boot. */
  now(): number;
  /** Seconds since 1970 at boot. */
  bootTime(): number;
  /** Lets virtual time pass: timers go off, kernel threads run. */
  sleep(ns: number): void;
  tasks(): readonly TaskInfo[];
  /** Sends a task a signal: 0 or a negated errno. */
  kill?(pid: number, signal: number): number;
  insmod(image: Uint8Array, params: string): CommandResult;
  rmmod(name: string): CommandResult;
  modules(): LoadedModule[];
  /** Text of a file of /proc or /sys; undefined if there is none. */
  readProc(path: string): Uint8Array | undefined;
  /** Names in a folder of /proc or /sys; a folder's name ends in a slash; undefined if there is no such folder. */
  listProc(path: string): string[] | undefined;
  /** Files, by system calls. */
  readonly files: KernelFiles;
  dmesg(): LogRecord[];
  clearDmesg(): void;
  /** The whole dmesg command, where the machine has it. */
  dmesgCommand?(args: readonly string[]): DmesgOutput;
  /** The machine as a file that `--load` takes. Throws if it cannot be saved. */
  save?(): Uint8Array;
  /** What modules may use of the kernel. */
  kernelSymbols?(): readonly { name: string; gplOnly: boolean }[];
  /** Watches kmalloc and kfree; returns the function that stops it. Listeners only look. */
  onSlab?(listener: (event: SlabEvent) => void): () => void;
  /** Names of all tracepoints. */
  tracepoints?(): readonly string[];
  /** Listens to tracepoints, named as in set_event; undefined if there are none of that name. Listeners only look. */
  trace?(events: string, listener: (record: TraceRecord) => void): (() => void) | undefined;
}

export interface MachineOptions {
  /** RAM in bytes. */
  memory: number;
  cpus: number;
  seed: number;
  /** The kernel command line. */
  commandLine: string;
  /** Where console lines go; without it they are only in the log. */
  console?: ((line: string) => void) | undefined;
}

/** Whether the log holds an oops, a kernel BUG or a panic. */
export function hasOopsed(log: readonly LogRecord[]): boolean {
  return log.some(({ text }) =>
    /^(Oops: |invalid opcode: |general protection fault|kernel BUG at |Kernel panic)/.test(text),
  );
}
