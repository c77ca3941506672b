// SPDX-License-Identifier: MIT
/**
 * Kernel functions that call C which may sleep: seq_read() calls a module's show(), and show() may wait for a mutex.
 *
 * Such a function is written in stages. Its arguments and its few words of state lie in a `FileCall`, so that nothing
 * of it is in JavaScript while C sleeps. Where a system call reaches it through a table of functions, the stages are
 * steps of the task; where C itself calls it, they run one after the other, and C below it cannot sleep.
 */

import type { KernelExports } from '../arch/wasm64/exports.js';
import type { Outcome } from '../kernel/sched/context.js';
import { SYSCALL_FRAMES } from '../kernel/symbols.js';
import { ENOMEM } from '../lib/errno.js';
import type { Handle, Vaddr } from '../machine/layout.js';
import { CALL_ARGS, FileCall, type FsDeps, type Next, type StagedFunction } from './fs_context.js';

/** What follows when the function has its result. */
export type After = (call: Handle, result: number) => Outcome;

export class Staged {
  private readonly functions: { name: string; signature: string; fn: StagedFunction }[] = [];
  private readonly afters: After[] = [];
  private addresses: Map<Vaddr, number> | undefined;

  constructor(private readonly deps: FsDeps) {
    deps.scheduler.step('file:staged', ([call, index, stage, after], result) =>
      this.advance(call, index, stage, after, this.functions[index].fn(call, stage, result)),
    );
    deps.scheduler.step('file:called', ([call, after], result) => this.afters[after](call, result));
  }

  /** Registers a kernel function by its C name. */
  add(name: string, signature: string, fn: StagedFunction): void {
    this.functions.push({ name, signature, fn });
  }

  /** Registers what may follow a call; always in the same order. */
  after(after: After): number {
    return this.afters.push(after) - 1;
  }

  /** The number of the staged function at an address, or -1. */
  private indexOf(address: Vaddr): number {
    this.addresses ??= new Map(this.functions.map(({ name }, i) => [this.deps.symbol(name), i]));
    return this.addresses.get(address) ?? -1;
  }

  args(call: Handle): Handle {
    return call + FileCall.w.args;
  }

  arg(call: Handle, i: number): number {
    return this.deps.ram.s64(call + FileCall.w.args + 2 * i);
  }

  word(call: Handle, i: number): number {
    return this.deps.ram.s64(call + FileCall.w.words + 2 * i);
  }

  setWord(call: Handle, i: number, value: number): void {
    this.deps.ram.set64(call + FileCall.w.words + 2 * i, value);
  }

  private setArgs(call: Handle, args: readonly number[]): void {
    for (let i = 0; i < CALL_ARGS; i++) this.deps.ram.set64(call + FileCall.w.args + 2 * i, args[i] ?? 0);
  }

  /**
   * Calls the function at an address, in stages or in C, from a step of the current task.
   * @param after a number that `after` gave
   * @param frames kernel functions that call traces show
   */
  invoke(
    call: Handle,
    fn: Vaddr,
    signature: string,
    args: readonly number[],
    after: number,
    frames: readonly string[],
  ): Outcome {
    const index = this.indexOf(fn);
    if (index < 0)
      return { kind: 'call', fn, signature, args, step: 'file:called', data: [call, after], frames };
    this.setArgs(call, args);
    return this.advance(call, index, 0, after, this.functions[index].fn(call, 0, 0), frames);
  }

  private advance(
    call: Handle,
    index: number,
    _stage: number,
    after: number,
    next: Next,
    frames: readonly string[] = SYSCALL_FRAMES,
  ): Outcome {
    if (typeof next === 'number') return this.afters[after](call, next);
    const { fn, signature, args, stage } = next;
    const data = [call, index, stage, after];
    return {
      kind: 'call',
      fn,
      signature,
      args,
      step: 'file:staged',
      data,
      frames: [...frames, this.functions[index].name],
    };
  }

  /** Runs a staged function to its end, on behalf of C that called it. */
  private run(fn: StagedFunction, args: readonly number[]): number {
    const { deps } = this;
    const record = deps.kmalloc(FileCall.size);
    if (record === 0) return -ENOMEM;
    const call = deps.ram.handleOf(record);
    deps.ram.fill(call * 4, FileCall.size, 0);
    this.setArgs(call, args);
    let next = fn(call, 0, 0);
    while (typeof next !== 'number')
      next = fn(call, next.stage, deps.callC(next.fn, next.signature, ...next.args));
    deps.kfree(record);
    return next;
  }

  exports(): KernelExports {
    return Object.fromEntries(
      this.functions.map(({ name, signature, fn }) => [
        name,
        [signature, (...args: number[]) => this.run(fn, args)] as const,
      ]),
    );
  }
}
