// SPDX-License-Identifier: MIT
/**
 * The C functions that tasks run. One that sleeps takes its frames off the host's stack into the task's pages, and is
 * wound up again when the task goes on: README.md draws it.
 */

import type { Functions } from '../../arch/wasm64/functions.js';
import type { StaticData } from '../../lib/static_data.js';
import { StringTable } from '../../lib/string_table.js';
import { type Handle, PAGE_SIZE, RAM_BASE, REG, SUSPEND, type Vaddr } from '../../machine/layout.js';
import type { Ram } from '../../machine/ram.js';
import { GFP_KERNEL } from '../../mm/gfp.js';
import type { PageAllocator } from '../../mm/page_alloc.js';
import { TaskKilled } from '../oops.js';
import { CONTEXT, contextOf, MAX_ARGUMENTS, type Outcome, TaskContext } from './context.js';

/** Pages for the saved frames of one task. */
const FRAMES_ORDER = 2;
const FRAMES_BYTES = PAGE_SIZE << FRAMES_ORDER;
/** Room for the signatures and frame names of all steps. */
const STRINGS_BYTES = 4096;

export interface TaskCallDeps {
  readonly ram: Ram;
  readonly functions: Functions;
  pages(): PageAllocator;
  /** Return address within a kernel function, for call traces. */
  returnAddress(name: string): Vaddr;
  /** Host table index for a call, or an oops. */
  target(address: Vaddr, signatureId: number): number;
  /** Whether the frames of all C functions on the call stack can be saved. */
  canSuspend(): boolean;
}

export class TaskCalls {
  /** Signatures of C functions, and call frame names, that tasks refer to. */
  private readonly strings: StringTable;
  /** What `framesOf` has found, by the number of the string. */
  private readonly frames: (readonly Vaddr[])[] = [];
  /** True while the outermost call of C is one that was made here, and can be made again. */
  private rooted = false;

  constructor(
    private readonly deps: TaskCallDeps,
    data: StaticData,
  ) {
    this.strings = new StringTable(deps.ram, data, 'task_strings', STRINGS_BYTES);
  }

  /** Notes what C function a task runs next. */
  prepare(task: Handle, call: Outcome & { kind: 'call' }): void {
    const c = contextOf(this.deps.ram, task);
    c.fn = call.fn;
    c.signature = this.strings.numberOf(call.signature);
    c.nr_args = call.args.length;
    c.trace = this.strings.numberOf(call.frames.join(' '));
    this.writeWords(task, 'args', call.args);
  }

  /** Calls the task's C function, or winds its saved frames up again. The result counts unless it is suspended then. */
  run(task: Handle): number {
    const { ram, functions, target } = this.deps;
    const { host32 } = ram;
    const c = contextOf(ram, task);
    const signature = this.strings.text(c.signature);
    const args = this.readWords(task, 'args', c.nr_args);
    const frames = this.framesOf(c.trace);
    if (c.suspended === 1) this.rewind(task);
    this.rooted = true;
    const result = functions.withFrames(frames, () =>
      functions.callAddress(c.fn, signature, (address, id) => target(address, id), ...args),
    );
    this.rooted = false;
    if (host32[REG.suspend >> 2] !== SUSPEND.unwinding) return result;
    host32[REG.suspend >> 2] = SUSPEND.none;
    c.suspended = 1;
    c.frames = host32[REG.frames >> 2];
    c.sp = Number(ram.hostView.getBigInt64(REG.sp, true));
    return 0;
  }

  /** Return addresses within the functions that a string of the table names. */
  private framesOf(trace: number): readonly Vaddr[] {
    this.frames[trace] ??= this.strings
      .text(trace)
      .split(' ')
      .filter((name) => name !== '')
      .map((name) => this.deps.returnAddress(name));
    return this.frames[trace];
  }

  /** Has the next call wind the saved frames up. */
  private rewind(task: Handle): void {
    const { ram } = this.deps;
    const c = contextOf(ram, task);
    c.suspended = 0;
    ram.host32[REG.suspend >> 2] = SUSPEND.rewinding;
    ram.host32[REG.frames >> 2] = c.frames;
    ram.host32[REG.framesEnd >> 2] = this.framesStart(c.frames_page) + FRAMES_BYTES;
    ram.hostView.setBigInt64(REG.sp, BigInt(c.sp), true);
  }

  /** Whether the C that runs now could be taken off the stack. */
  get canUnwind(): boolean {
    return this.rooted && this.deps.functions.depth === 1 && this.deps.canSuspend();
  }

  /** Has C save its frames and return, from here down to `run`. */
  unwind(task: Handle): void {
    const { ram, pages } = this.deps;
    const c = contextOf(ram, task);
    if (c.frames_page === 0) {
      const page = pages().allocPages(GFP_KERNEL, FRAMES_ORDER);
      if (page === 0) throw new TaskKilled(9);
      c.frames_page = page;
    }
    const start = this.framesStart(c.frames_page);
    ram.host32[REG.frames >> 2] = start;
    ram.host32[REG.framesEnd >> 2] = start + FRAMES_BYTES;
    ram.host32[REG.suspend >> 2] = SUSPEND.unwinding;
  }

  /** The C that ran was left by an exception. */
  abandon(): void {
    this.deps.ram.host32[REG.suspend >> 2] = SUSPEND.none;
    this.rooted = false;
  }

  /** Frees a task's pages for frames. */
  free(task: Handle): void {
    const c = contextOf(this.deps.ram, task);
    if (c.frames_page !== 0) this.deps.pages().freePages(c.frames_page, FRAMES_ORDER);
    c.frames_page = 0;
  }

  private framesStart(page: Handle): number {
    return RAM_BASE + this.deps.pages().pageToPfn(page) * PAGE_SIZE;
  }

  /** Arguments for C, or the data of the task's step. */
  readWords(task: Handle, field: 'args' | 'data', n = MAX_ARGUMENTS): number[] {
    const { ram } = this.deps;
    const at = task + CONTEXT + TaskContext.w[field];
    const words: number[] = [];
    for (let i = 0; i < Math.min(n, MAX_ARGUMENTS); i++) words.push(ram.s64(at + 2 * i));
    return words;
  }

  writeWords(task: Handle, field: 'args' | 'data', values: readonly number[]): void {
    const at = task + CONTEXT + TaskContext.w[field];
    for (let i = 0; i < values.length; i++) this.deps.ram.set64(at + 2 * i, values[i]);
  }
}
