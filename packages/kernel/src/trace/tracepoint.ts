// SPDX-License-Identifier: MIT
/**
 * Tracepoints: named places in the kernel that tools may listen to. They bear Linux's names and fields.
 *
 * A place that nobody listens to costs one branch:
 *
 *     if (trace.kmalloc.enabled) trace.kmalloc.emit({ call_site, ptr, … });
 *
 * Listeners only look: what they do must not change the machine. (ftrace's ring buffer is part of the machine.)
 */

import type { Env } from '../lib/env.js';

export type TraceFields = { readonly [field: string]: number | string };

export interface TraceEvent<F extends TraceFields = TraceFields> {
  /** `kmem:kmalloc` */
  readonly name: string;
  /** Nanoseconds since power-on. */
  readonly ns: number;
  readonly cpu: number;
  readonly pid: number;
  readonly comm: string;
  readonly fields: F;
}

/** When and by whom: what every event carries. */
export type TraceContext = () => { ns: number; cpu: number; pid: number; comm: string };

/** The context of events that the running task causes. */
export const contextOf =
  (env: Env): TraceContext =>
  () => ({ ns: env.clock.ns, ...env.current() });

/** Writes an address as %p does: hashed, or as it is. */
export type PointerText = (address: number) => string;

/** How an event lies in ftrace's buffer, and how its `format` file describes it. */
export interface RecordSchema<F extends TraceFields = TraceFields> {
  /** C declarations in the order of the record, as TRACE_EVENT() has them: `unsigned long call_site`. */
  readonly fields: readonly string[];
  /** What stands behind `print fmt:`. */
  readonly print: string;
  /** Fields of the record that the event does not have under their names. */
  readonly more?: (fields: F) => TraceFields;
}

export class Tracepoint<F extends TraceFields = TraceFields> {
  /** True while somebody listens. */
  enabled = false;
  /** Called when `enabled` may have changed. */
  onToggle: () => void = () => {};
  private listeners: ((event: TraceEvent<F>) => void)[] = [];

  /**
   * @param format writes the fields as ftrace's text does
   * @param schema how it is recorded; without one its text is
   */
  constructor(
    readonly name: string,
    private readonly context: TraceContext,
    readonly format: (fields: F, pointer?: PointerText) => string,
    readonly schema?: RecordSchema<F>,
  ) {}

  /** Calls all listeners. Callers look at `enabled` first, so that no fields are made in vain. */
  emit(fields: F): void {
    const event = { name: this.name, ...this.context(), fields };
    for (const listener of this.listeners) listener(event);
  }

  /** Starts listening; returns the function that ends it. */
  listen(listener: (event: TraceEvent<F>) => void): () => void {
    this.listeners = [...this.listeners, listener];
    this.toggle();
    return () => {
      this.listeners = this.listeners.filter((l) => l !== listener);
      this.toggle();
    };
  }

  private toggle(): void {
    this.enabled = this.listeners.length > 0;
    this.onToggle();
  }
}
