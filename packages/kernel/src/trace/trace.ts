// SPDX-License-Identifier: MIT
/**
 * ftrace: whether tracing is on, its options, its buffer, and what is written into it. All of that lies in RAM.
 *
 * The buffer is made when it is first needed: by the first event that is switched on, the first trace_printk(), or a
 * module that has one.
 */

import { KERN_WARNING, type Log } from '../lib/env.js';
import { ENOMEM } from '../lib/errno.js';
import type { StaticData } from '../lib/static_data.js';
import { array, struct, u32, uint } from '../lib/struct.js';
import { type Handle, PAGE_SIZE, type Pfn, REG, type Vaddr } from '../machine/layout.js';
import type { Ram } from '../machine/ram.js';
import { type CommonFields, putCommon } from './event_fields.js';
import {
  TRACE_FLAG_BH_OFF,
  TRACE_FLAG_HARDIRQ,
  TRACE_FLAG_IRQS_OFF,
  TRACE_FLAG_NMI,
  TRACE_FLAG_SOFTIRQ,
} from './ftrace_text.js';
import { BUF_PAGE_SIZE, type BufferPages, RingBuffer } from './ring_buffer.js';

/** Types of records that are no tracepoint's; those of tracepoints follow. */
export const TRACE_STACK = 4;
export const TRACE_PRINT = 5;
export const FIRST_EVENT_TYPE = 21;
/** The longest text of one record. */
export const TRACE_BUF_SIZE = 1024;
/** Entries of a recorded call trace. */
const STACK_ENTRIES = 64;
/** Where a record of TRACE_STACK has its entries: behind the common fields and their number. */
export const STACK_CALLERS = 16;

/** Kilobytes of each CPU's buffer, if RAM has room for it. */
const DEFAULT_SIZE_KB = 1408;
/** All buffers together take at most this part of RAM, unless somebody asks for more. */
const RAM_SHARE = 16;
const MIN_SIZE_KB = 7;

/** Options that there are, in Linux's order, and whether each is on at first. */
export const TRACE_OPTIONS = {
  'sym-offset': false,
  'sym-addr': false,
  trace_printk: true,
  annotate: true,
  'context-info': true,
  'record-cmd': true,
  overwrite: true,
  'irq-info': true,
  markers: true,
  'hash-ptr': true,
  stacktrace: false,
} as const;
export type TraceOption = keyof typeof TRACE_OPTIONS;
const OPTION_NAMES = Object.keys(TRACE_OPTIONS) as TraceOption[];

const TraceArray = struct('trace_array', {
  tracing_on: uint,
  options: uint,
  /** Kilobytes that each CPU's buffer gets, or has. */
  size_kb: uint,
  /** Whether the buffers are there. */
  expanded: uint,
  /** Whether the log says that trace_printk() is in use. */
  printk_noticed: uint,
  /** Frame number of the page with names and PIDs. */
  names: uint,
  next_name: uint,
  nr_pids: uint,
});
/** Names of tasks, to be found by PID when the task is gone; then the PIDs of set_event_pid. */
const SavedCmdline = struct('saved_cmdline', { pid: uint, comm: array(u32, 4) });
const SAVED_CMDLINES = 128;
const PIDS_AT = SAVED_CMDLINES * SavedCmdline.size;
export const MAX_EVENT_PIDS = (PAGE_SIZE - PIDS_AT) / 4;

export interface TraceDeps {
  readonly ram: Ram;
  readonly data: StaticData;
  readonly nrCpus: number;
  readonly log: Log;
  readonly pages: BufferPages;
  /** Nanoseconds since power-on. */
  now(): number;
  cpu(): number;
  current(): { readonly pid: number; readonly comm: string };
  /** What keeps the CPU from being interrupted. */
  context(): { readonly preemptCount: number; readonly irqsDisabled: boolean };
  /** Return addresses of the guest call stack, innermost first. */
  stackTrace(max: number): readonly Vaddr[];
}

export class Trace {
  readonly buffer: RingBuffer;
  private readonly cell: Handle;
  /** Where a record is put together before it goes to RAM. */
  readonly scratch = new DataView(new ArrayBuffer(BUF_PAGE_SIZE));
  /** True while a record is made: what that does itself is not recorded. */
  private busy = false;

  constructor(readonly deps: TraceDeps) {
    this.cell = deps.data.declare('global_trace', TraceArray.size);
    this.buffer = new RingBuffer(deps.ram, deps.data, deps.nrCpus, deps.pages);
  }

  private get state() {
    return TraceArray.at(this.deps.ram, this.cell);
  }

  boot(): void {
    const { ram, nrCpus } = this.deps;
    const fair = Math.floor(ram.size / 1024 / RAM_SHARE / nrCpus);
    this.state.tracing_on = 1;
    this.state.size_kb = Math.min(DEFAULT_SIZE_KB, fair);
    for (const name of OPTION_NAMES) this.setOption(name, TRACE_OPTIONS[name]);
  }

  // ---------------------------------------------------------------- settings

  get on(): boolean {
    return this.state.tracing_on !== 0;
  }

  set on(yes: boolean) {
    this.state.tracing_on = yes ? 1 : 0;
  }

  option(name: TraceOption): boolean {
    return (this.state.options & (1 << OPTION_NAMES.indexOf(name))) !== 0;
  }

  setOption(name: TraceOption, on: boolean): void {
    const bit = 1 << OPTION_NAMES.indexOf(name);
    this.state.options = on ? this.state.options | bit : this.state.options & ~bit;
  }

  // ---------------------------------------------------------------- the buffer's size

  get expanded(): boolean {
    return this.state.expanded !== 0;
  }

  /** Kilobytes of one CPU's buffer; undefined for all: then undefined too if they differ. */
  sizeKb(cpu?: number): number | undefined {
    if (!this.expanded) return MIN_SIZE_KB;
    const sizes = Array.from({ length: this.deps.nrCpus }, (_, i) => this.cpuSizeKb(i));
    if (cpu !== undefined) return sizes[cpu];
    return sizes.every((size) => size === sizes[0]) ? sizes[0] : undefined;
  }

  private cpuSizeKb(cpu: number): number {
    const pages = this.buffer.cpu(cpu).nr_pages;
    const { size_kb } = this.state;
    return pages === pagesFor(size_kb) ? size_kb : Math.floor((pages * BUF_PAGE_SIZE) / 1024);
  }

  /** Kilobytes that a buffer has, or will have once it is needed. */
  get wantedKb(): number {
    return this.state.size_kb;
  }

  /** @returns 0 or a negative errno @linux kernel/trace/trace.c:tracing_resize_ring_buffer full */
  resize(kb: number, only?: number): number {
    const error = this.expand();
    if (error !== 0) return error;
    const { nrCpus } = this.deps;
    const cpus = only === undefined ? Array.from({ length: nrCpus }, (_, i) => i) : [only];
    const before = cpus.map((cpu) => this.buffer.cpu(cpu).nr_pages);
    for (const [i, cpu] of cpus.entries()) {
      if (this.quietly(() => this.buffer.resize(cpu, pagesFor(kb)))) continue;
      for (let j = 0; j < i; j++) this.buffer.resize(cpus[j], before[j]);
      return -ENOMEM;
    }
    if (only === undefined) this.state.size_kb = kb;
    return 0;
  }

  /**
   * Has the buffers made, if they are not there.
   * @returns 0 or -ENOMEM
   * @linux kernel/trace/trace.c:tracing_update_buffers full
   */
  expand(): number {
    const { state, deps } = this;
    if (state.expanded) return 0;
    return this.quietly(() => {
      const names = deps.pages.alloc();
      if (names === -1) return -ENOMEM;
      for (let cpu = 0; cpu < deps.nrCpus; cpu++) {
        if (this.buffer.resize(cpu, pagesFor(state.size_kb))) continue;
        this.freeBuffers(names);
        return -ENOMEM;
      }
      deps.ram.fill(names * PAGE_SIZE, PAGE_SIZE, 0);
      state.names = names;
      state.expanded = 1;
      return 0;
    });
  }

  private freeBuffers(names: Pfn): void {
    this.deps.pages.free(names);
    for (let cpu = 0; cpu < this.deps.nrCpus; cpu++) this.buffer.release(cpu);
  }

  /** Does something that is no event, and takes no virtual time. */
  private quietly<T>(body: () => T): T {
    const { host32 } = this.deps.ram;
    const ticks = host32[REG.ticks >> 2];
    const { busy } = this;
    this.busy = true;
    try {
      return body();
    } finally {
      this.busy = busy;
      host32[REG.ticks >> 2] = ticks;
    }
  }

  // ---------------------------------------------------------------- recording

  /** Whether an event would be recorded now. */
  get listens(): boolean {
    return this.on && !this.busy;
  }

  /** @linux kernel/trace/trace.c:tracing_gen_ctx_irq_test partial: nobody needs to be rescheduled, nor keeps from migrating */
  common(type: number): CommonFields {
    const { preemptCount: count, irqsDisabled } = this.deps.context();
    const flags =
      (irqsDisabled ? TRACE_FLAG_IRQS_OFF : 0) |
      (count & 0xf00000 ? TRACE_FLAG_NMI : 0) |
      (count & 0xf0000 ? TRACE_FLAG_HARDIRQ : 0) |
      (count & 0x100 ? TRACE_FLAG_SOFTIRQ : 0) |
      (count & 0xfe00 ? TRACE_FLAG_BH_OFF : 0);
    const preemptCount = Math.min(count & 0xff, 15);
    return { type, flags, preemptCount, pid: this.deps.current().pid };
  }

  /** Writes the record in `scratch` into this CPU's buffer. False if it was lost. */
  commit(length: number, withStack = this.option('stacktrace')): boolean {
    if (this.expand() !== 0) return false;
    const { now, cpu, current } = this.deps;
    const { pid, comm } = current();
    if (this.option('record-cmd')) this.saveName(pid, comm);
    const bytes = new Uint8Array(this.scratch.buffer, 0, length);
    const kept = this.buffer.write(cpu(), now(), bytes, length, this.option('overwrite'));
    if (withStack) this.stack(this.deps.stackTrace(STACK_ENTRIES));
    return kept;
  }

  /**
   * Records a text.
   * @param ip the address whose function stands before it
   * @returns false if it was not recorded
   * @linux kernel/trace/trace.c:__trace_array_puts full
   */
  print(ip: Vaddr, text: Uint8Array): boolean {
    if (!this.listens) return false;
    const { scratch } = this;
    const n = Math.min(text.length, TRACE_BUF_SIZE);
    putCommon(scratch, this.common(TRACE_PRINT));
    putAddress(scratch, 8, ip);
    new Uint8Array(scratch.buffer).set(text.subarray(0, n), 16);
    scratch.setUint8(16 + n, 0);
    return this.commit(17 + n);
  }

  /** Records a call trace. @linux kernel/trace/trace.c:__ftrace_trace_stack full */
  stack(callers: readonly Vaddr[]): void {
    if (!this.listens) return;
    const { scratch } = this;
    putCommon(scratch, this.common(TRACE_STACK));
    scratch.setInt32(8, callers.length, true);
    scratch.setInt32(12, 0, true);
    callers.forEach((address, i) => {
      putAddress(scratch, STACK_CALLERS + 8 * i, address);
    });
    this.commit(STACK_CALLERS + 8 * callers.length, false);
  }

  /** Records the call trace of C. */
  dumpStack(skip: number): void {
    this.stack(this.deps.stackTrace(STACK_ENTRIES + Math.max(0, skip)).slice(Math.max(0, skip)));
  }

  // ---------------------------------------------------------------- names of tasks, PIDs that count

  private nameCell(i: number): Handle {
    return (this.state.names * PAGE_SIZE + i * SavedCmdline.size) / 4;
  }

  /** @linux kernel/trace/trace.c:trace_save_cmdline full */
  private saveName(pid: number, comm: string): void {
    if (pid === 0) return;
    const { ram } = this.deps;
    const { state } = this;
    let i = this.nameIndex(pid);
    if (i < 0) {
      i = state.next_name;
      state.next_name = (i + 1) % SAVED_CMDLINES;
    }
    const at = this.nameCell(i);
    ram.u32[at] = pid;
    for (let c = 0; c < 16; c++) ram.u8[at * 4 + 4 + c] = c < 15 ? comm.charCodeAt(c) || 0 : 0;
  }

  private nameIndex(pid: number): number {
    const { ram } = this.deps;
    for (let i = 0; i < SAVED_CMDLINES; i++) if (ram.u32[this.nameCell(i)] === pid) return i;
    return -1;
  }

  private nameAt(i: number): string {
    const at = this.nameCell(i) * 4 + 4;
    return String.fromCharCode(...this.deps.ram.u8.subarray(at, at + 16)).split('\0')[0];
  }

  /** @linux kernel/trace/trace.c:trace_find_cmdline full */
  nameOf(pid: number): string {
    if (pid === 0) return '<idle>';
    const i = this.expanded ? this.nameIndex(pid) : -1;
    return i < 0 ? '<...>' : this.nameAt(i);
  }

  /** Tasks whose names are kept. */
  savedNames(): { pid: number; comm: string }[] {
    if (!this.expanded) return [];
    return Array.from({ length: SAVED_CMDLINES }, (_, i) => ({
      pid: this.deps.ram.u32[this.nameCell(i)],
      comm: this.nameAt(i),
    })).filter(({ pid }) => pid !== 0);
  }

  private get pidCells(): Uint32Array {
    const at = (this.state.names * PAGE_SIZE + PIDS_AT) / 4;
    return this.deps.ram.u32.subarray(at, at + MAX_EVENT_PIDS);
  }

  /** The tasks whose events alone are recorded; empty: those of all. */
  get pids(): readonly number[] {
    return this.expanded ? [...this.pidCells.subarray(0, this.state.nr_pids)] : [];
  }

  /** @param pids at most MAX_EVENT_PIDS */
  setPids(pids: readonly number[]): number {
    const error = this.expand();
    if (error !== 0) return error;
    this.pidCells.set(pids);
    this.state.nr_pids = pids.length;
    return 0;
  }

  /** @linux kernel/trace/trace_events.c:trace_event_ignore_this_pid full */
  ignores(pid: number): boolean {
    const { nr_pids } = this.state;
    return nr_pids > 0 && !this.pidCells.subarray(0, nr_pids).includes(pid);
  }

  // ---------------------------------------------------------------- trace_printk

  /** A module that calls trace_printk() has come. @linux kernel/trace/trace.c:trace_printk_init_buffers full */
  noticePrintk(): void {
    const { state } = this;
    if (state.printk_noticed || this.expand() !== 0) return;
    state.printk_noticed = 1;
    const border = '*'.repeat(58);
    const notice = 'NOTICE NOTICE NOTICE NOTICE NOTICE NOTICE NOTICE';
    const lines = [
      `  ${notice}`,
      '',
      'trace_printk() being used. Allocating extra memory.',
      '',
      'This means that this is a DEBUG kernel and it is',
      'unsafe for production use.',
      '',
      'If you see this message and you are not debugging',
      'the kernel, report this immediately to your vendor!',
      '',
      `  ${notice}`,
    ].map((line) => `** ${line.padEnd(52)} **`);
    for (const line of [border, ...lines, border]) this.deps.log.log(KERN_WARNING, line);
  }
}

/** Pages that a buffer of so many kilobytes has. */
const pagesFor = (kb: number): number => Math.max(2, Math.ceil((kb * 1024) / BUF_PAGE_SIZE));

function putAddress(to: DataView, at: number, address: Vaddr): void {
  to.setInt32(at, address | 0, true);
  to.setInt32(at + 4, Math.floor(address / 4294967296) | 0, true);
}
