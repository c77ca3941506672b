// SPDX-License-Identifier: MIT
/** All tracepoints of a machine, by name, and listening to many of them at once. */

import type { PointerText, RecordSchema, TraceEvent, TraceFields, Tracepoint } from './tracepoint.js';

/** An event, and its fields as ftrace's text shows them. */
export interface TraceRecord extends TraceEvent {
  readonly text: string;
}

/** A tracepoint of any fields: its own events are all that it formats. */
export interface AnyTracepoint {
  readonly name: string;
  readonly schema: RecordSchema;
  listen(listener: (event: TraceEvent) => void): () => void;
  text(fields: TraceFields, pointer?: PointerText): string;
}

/** The record of an event of which only the text is known. */
const TEXT_ONLY: RecordSchema = { fields: ['__data_loc char[] text'], print: '"%s", __get_str(text)' };

export class TraceRegistry {
  private readonly tracepoints = new Map<string, AnyTracepoint>();

  /** Adds what a subsystem's trace object holds. */
  add<F extends TraceFields>(...tracepoints: readonly Tracepoint<F>[]): void {
    for (const tracepoint of tracepoints) {
      const { name, schema } = tracepoint;
      const more = (fields: TraceFields) => ({ text: tracepoint.format(fields as F) });
      this.tracepoints.set(name, {
        name,
        schema: (schema as RecordSchema | undefined) ?? { ...TEXT_ONLY, more },
        listen: (listener) => tracepoint.listen(listener),
        text: (fields, pointer) =>
          schema ? tracepoint.format(fields as F, pointer) : String(fields['text'] ?? ''),
      });
    }
  }

  /** All of them, in the order in which they were added: always the same. */
  all(): AnyTracepoint[] {
    return [...this.tracepoints.values()];
  }

  /** Full names, `kmem:kmalloc`, sorted. */
  names(): string[] {
    return [...this.tracepoints.keys()].sort();
  }

  /**
   * Full names that a list of patterns matches. A pattern is that of Linux's `set_event`: `kmem:kmalloc`, `kmem:*`,
   * `kmem:` (all of kmem), `kmalloc` (of any system, or all of a system of that name), with `*` and `?`; several are
   * separated by commas or spaces.
   */
  match(patterns: string): string[] {
    const wanted = patterns
      .split(/[\s,]+/)
      .filter((pattern) => pattern !== '')
      .map(toRegExp);
    return this.names().filter((name) => wanted.some((pattern) => pattern.test(name)));
  }

  /**
   * Calls a listener with each event of the tracepoints that match.
   * @returns the function that ends it
   */
  listen(patterns: string, listener: (record: TraceRecord) => void): () => void {
    const stops = this.match(patterns).map((name) => {
      const tracepoint = this.tracepoints.get(name)!;
      const text = ({ fields }: TraceEvent) =>
        tracepoint.text({ ...fields, ...tracepoint.schema.more?.(fields) });
      return tracepoint.listen((event) => listener({ ...event, text: text(event) }));
    });
    return () => {
      for (const stop of stops) stop();
    };
  }
}

/** @linux kernel/trace/trace_events.c:ftrace_set_clr_event partial: no `:mod:` */
function toRegExp(pattern: string): RegExp {
  const part = (glob: string) =>
    glob === ''
      ? '.*'
      : glob
          .replace(/[.+^${}()|[\]\\]/g, '\\$&')
          .replaceAll('*', '.*')
          .replaceAll('?', '.');
  if (!pattern.includes(':')) return new RegExp(`^(?:${part(pattern)}:.*|.*:${part(pattern)})$`);
  const [system, event] = pattern.split(':', 2);
  return new RegExp(`^${part(system)}:${part(event)}$`);
}
