// SPDX-License-Identifier: MIT
/** ftrace's parts, made and wired in one place. */

import type { KernelExports } from '../arch/wasm64/exports.js';
import { MODULE_STATE_COMING } from '../kernel/module_types.js';
import type { FormatContext } from '../lib/vsprintf.js';
import type { Vaddr } from '../machine/layout.js';
import type { TraceRegistry } from './registry.js';
import { Trace, type TraceDeps } from './trace.js';
import { type EventMemory, TraceEvents } from './trace_events.js';
import { type OutputDeps, TraceOutput } from './trace_output.js';
import { TRACE_PRINTK_FUNCTIONS, tracePrintkExports } from './trace_printk.js';
import { Tracefs, type TracefsTexts } from './tracefs.js';

/** Kernel functions that traces name. */
export const TRACE_FUNCTIONS = ['tracing_mark_write'] as const;

export interface TracingDeps extends TraceDeps, EventMemory, OutputDeps {
  readonly format: FormatContext;
  callerAddress(): Vaddr;
  /** Address within tracing_mark_write(). */
  markerAddress(): Vaddr;
}

/** A module, by the names of the functions that it calls. */
interface ComingModule {
  readonly object: { readonly imports: readonly { readonly name: string }[] };
}

export class Tracing {
  readonly trace: Trace;
  readonly events: TraceEvents;
  readonly output: TraceOutput;

  constructor(
    private readonly deps: TracingDeps,
    readonly registry: TraceRegistry,
  ) {
    this.trace = new Trace(deps);
    this.events = new TraceEvents(this.trace, registry, deps);
    this.output = new TraceOutput(this.trace, this.events, deps);
  }

  boot(): void {
    this.trace.boot();
  }

  /** Listens again to what a saved machine listened to. */
  attach(): void {
    this.events.attach();
  }

  get markerAddress(): () => Vaddr {
    return this.deps.markerAddress;
  }

  /** A module has a new state. */
  moduleState({ object }: ComingModule, state: number): void {
    if (state !== MODULE_STATE_COMING) return;
    if (object.imports.some(({ name }) => TRACE_PRINTK_FUNCTIONS.has(name))) this.trace.noticePrintk();
  }

  /** The files below /sys/kernel/tracing. */
  texts(): TracefsTexts {
    return new Tracefs(this).provider();
  }

  exports(): KernelExports {
    const { trace, deps } = this;
    return tracePrintkExports({ trace, format: deps.format, callerAddress: deps.callerAddress });
  }
}
