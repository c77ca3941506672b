// SPDX-License-Identifier: MIT
/** All tracepoints of a machine, by name, and listening to many of them at once. */

import type { TraceEvent, TraceFields, Tracepoint } from './tracepoint.js';

/** An event, and its fields as ftrace's text shows them. */
export interface TraceRecord extends TraceEvent {
  readonly text: string;
}

/** A tracepoint of any fields: its own events are all that it formats. */
interface AnyTracepoint {
  readonly name: string;
  listen(listener: (event: TraceEvent) => void): () => void;
  text(event: TraceEvent): string;
}

export class TraceRegistry {
  private readonly tracepoints = new Map<string, AnyTracepoint>();

  /** Adds what a subsystem's trace object holds. */
  add<F extends TraceFields>(...tracepoints: readonly Tracepoint<F>[]): void {
    for (const tracepoint of tracepoints)
      this.tracepoints.set(tracepoint.name, {
        name: tracepoint.name,
        listen: (listener) => tracepoint.listen(listener),
        text: ({ fields }) => tracepoint.format(fields as F),
      });
  }

  /** Full names, `kmem:kmalloc`, sorted. */
  names(): string[] {
    return [...this.tracepoints.keys()].sort();
  }

  /**
   * Full names that a list of patterns matches. A pattern is that of Linux's `set_event`: `kmem:kmalloc`, `kmem:*`,
   * `kmem:` (all of kmem), `kmalloc` (of any system), with `*` and `?`; several are separated by commas or spaces.
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
      return tracepoint.listen((event) => listener({ ...event, text: tracepoint.text(event) }));
    });
    return () => {
      for (const stop of stops) stop();
    };
  }
}

function toRegExp(pattern: string): RegExp {
  const [system, event] = pattern.includes(':') ? pattern.split(':', 2) : ['*', pattern];
  const part = (glob: string) =>
    glob === ''
      ? '.*'
      : glob
          .replace(/[.+^${}()|[\]\\]/g, '\\$&')
          .replaceAll('*', '.*')
          .replaceAll('?', '.');
  return new RegExp(`^${part(system)}:${part(event)}$`);
}
