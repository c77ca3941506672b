// SPDX-License-Identifier: MIT
/**
 * Tracepoints as ftrace records them: which are on, their filters, and what an event becomes in the buffer.
 *
 *     trace_event_files[i] { enabled, filter_bad, filter ──▶ text, NUL }       i: place in the registry; in RAM
 *
 * Layouts, compiled filters and the listeners of the tracepoints are caches over that.
 */

import { EINVAL, ENOMEM } from '../lib/errno.js';
import { struct, uint, vaddr } from '../lib/struct.js';
import { encodeUtf8 } from '../lib/utf8.js';
import type { Handle, Vaddr } from '../machine/layout.js';
import { EventLayout, formatFile } from './event_fields.js';
import { compileFilter, FilterError, type Predicate } from './event_filter.js';
import type { AnyTracepoint, TraceRegistry } from './registry.js';
import { FIRST_EVENT_TYPE, type Trace } from './trace.js';
import type { TraceEvent, TraceFields } from './tracepoint.js';

const TraceEventFile = struct('trace_event_file', {
  enabled: uint,
  /** The text is that of an error: all events pass. */
  filter_bad: uint,
  filter: vaddr,
});
/** The longest filter: a page. */
const FILTER_MAX = 4096;

export interface EventMemory {
  kmalloc(bytes: number): Vaddr;
  kfree(address: Vaddr): void;
}

/** A tracepoint with its place in the buffer. */
export class EventFile {
  readonly name: string;
  readonly system: string;
  readonly event: string;
  readonly layout: EventLayout;
  /** Ends the listening; undefined if the event is off. */
  stop: (() => void) | undefined;
  predicate: Predicate | undefined;

  constructor(
    readonly tracepoint: AnyTracepoint,
    /** Place in the table. */
    readonly index: number,
  ) {
    this.name = tracepoint.name;
    [this.system, this.event] = tracepoint.name.split(':', 2);
    this.layout = new EventLayout(tracepoint.schema.fields);
  }

  get id(): number {
    return FIRST_EVENT_TYPE + this.index;
  }

  get format(): string {
    return formatFile(this.name, this.id, this.layout, this.tracepoint.schema.print);
  }

  get enabled(): boolean {
    return this.stop !== undefined;
  }
}

export class TraceEvents {
  readonly files: readonly EventFile[];
  private readonly table: Handle;

  constructor(
    private readonly trace: Trace,
    private readonly registry: TraceRegistry,
    private readonly memory: EventMemory,
  ) {
    this.files = registry.all().map((tracepoint, i) => new EventFile(tracepoint, i));
    this.table = trace.deps.data.declare(
      'trace_event_files',
      Math.max(1, this.files.length) * TraceEventFile.size,
    );
  }

  private cell(file: EventFile) {
    return TraceEventFile.at(this.trace.deps.ram, this.table + (file.index * TraceEventFile.size) / 4);
  }

  /** Rebuilds listeners and filters: which there are stands in RAM. */
  attach(): void {
    for (const file of this.files) {
      const { enabled, filter, filter_bad } = this.cell(file);
      if (filter !== 0 && !filter_bad) file.predicate = compileFilter(this.textAt(filter), file.layout);
      if (enabled) this.listen(file);
    }
  }

  /** Systems, sorted. */
  systems(): string[] {
    return [...new Set(this.files.map(({ system }) => system))].sort();
  }

  of(system: string): EventFile[] {
    return this.files.filter((file) => file.system === system);
  }

  find(name: string): EventFile | undefined {
    return this.files.find((file) => file.name === name);
  }

  // ---------------------------------------------------------------- on and off

  /** @returns 0 or a negative errno @linux kernel/trace/trace_events.c:__ftrace_event_enable_disable full */
  enable(files: readonly EventFile[], on: boolean): number {
    const error = on ? this.trace.expand() : 0;
    if (error !== 0) return error;
    for (const file of files) {
      this.cell(file).enabled = on ? 1 : 0;
      if (on) this.listen(file);
      else {
        file.stop?.();
        file.stop = undefined;
      }
    }
    return 0;
  }

  private listen(file: EventFile): void {
    file.stop ??= file.tracepoint.listen((event) => this.record(file, event));
  }

  /**
   * A line of set_event: patterns, each with `!` before it for "no longer".
   * @returns 0 or a negative errno; what stood before the pattern that is wrong has been done
   * @linux kernel/trace/trace_events.c:ftrace_event_write full
   */
  set(text: string): number {
    for (const token of text.split(/\s+/).filter((t) => t !== '')) {
      const on = !token.startsWith('!');
      const pattern = on ? token : token.slice(1);
      const names = pattern.includes(',') ? [] : this.registry.match(pattern);
      if (names.length === 0) return -EINVAL;
      const error = this.enable(
        names.map((name) => this.find(name)!),
        on,
      );
      if (error !== 0) return error;
    }
    return 0;
  }

  // ---------------------------------------------------------------- recording

  private record(file: EventFile, { fields, pid, comm, cpu }: TraceEvent): void {
    const { trace } = this;
    if (!trace.listens || trace.ignores(pid)) return;
    const more = file.tracepoint.schema.more?.(fields as TraceFields);
    const length = file.layout.encode(
      trace.scratch,
      trace.common(file.id),
      more ? { ...fields, ...more } : fields,
    );
    const record = trace.scratch;
    if (file.predicate && !file.predicate({ record, comm, cpu })) return;
    trace.commit(length);
  }

  // ---------------------------------------------------------------- filters

  private textAt(address: Vaddr): string {
    const { ram } = this.trace.deps;
    const start = ram.handleOf(address) * 4;
    const end = ram.u8.indexOf(0, start);
    return String.fromCharCode(...ram.u8.subarray(start, end));
  }

  /** What a `filter` file shows. @linux kernel/trace/trace_events_filter.c:print_event_filter full */
  filterText(file: EventFile): string {
    const { filter, filter_bad } = this.cell(file);
    if (filter === 0) return 'none\n';
    const text = this.textAt(filter);
    return filter_bad ? text : `${text}\n`;
  }

  /**
   * Sets an event's filter; `0` takes it away. With a wrong one all events pass, and the file shows what is wrong.
   * @returns 0 or a negative errno
   * @linux kernel/trace/trace_events_filter.c:apply_event_filter full
   */
  setFilter(file: EventFile, text: string): number {
    const filter = text.trim();
    if (encodeUtf8(filter).length >= FILTER_MAX || filter.includes('\0')) return -EINVAL;
    if (filter === '0') return this.keep(file, '', undefined);
    try {
      return this.keep(file, filter, compileFilter(filter, file.layout));
    } catch (error) {
      if (!(error instanceof FilterError)) throw error;
      const kept = this.keep(file, error.report(filter), undefined);
      return kept < 0 ? kept : -EINVAL;
    }
  }

  /**
   * Sets the filter of those events of a system that have its fields.
   * @linux kernel/trace/trace_events_filter.c:apply_subsystem_event_filter partial: the error is not kept
   */
  setSystemFilter(system: string, text: string): number {
    const filter = text.trim();
    const fitting = this.of(system).filter((file) => filter === '0' || this.compiles(filter, file));
    if (fitting.length === 0) return -EINVAL;
    for (const file of fitting) {
      const error = this.setFilter(file, filter);
      if (error !== 0) return error;
    }
    return 0;
  }

  private compiles(filter: string, file: EventFile): boolean {
    try {
      compileFilter(filter, file.layout);
      return true;
    } catch (error) {
      if (!(error instanceof FilterError)) throw error;
      return false;
    }
  }

  private keep(file: EventFile, text: string, predicate: Predicate | undefined): number {
    const cell = this.cell(file);
    const { ram } = this.trace.deps;
    const bytes = encodeUtf8(text);
    const address = text === '' ? 0 : this.memory.kmalloc(bytes.length + 1);
    if (text !== '' && address === 0) return -ENOMEM;
    if (address !== 0) {
      ram.u8.set(bytes, ram.handleOf(address) * 4);
      ram.u8[ram.handleOf(address) * 4 + bytes.length] = 0;
    }
    if (cell.filter !== 0) this.memory.kfree(cell.filter);
    cell.filter = address;
    cell.filter_bad = address !== 0 && !predicate ? 1 : 0;
    file.predicate = predicate;
    return 0;
  }
}
