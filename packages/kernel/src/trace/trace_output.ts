// SPDX-License-Identifier: MIT
/** The buffer as text: the files `trace` and `trace_pipe`. */

import type { Vaddr } from '../machine/layout.js';
import { getCommon } from './event_fields.js';
import { contextLetters, ftraceHeader, lineContext } from './ftrace_text.js';
import type { RingEvent } from './ring_buffer.js';
import { FIRST_EVENT_TYPE, STACK_CALLERS, TRACE_PRINT, TRACE_STACK, type Trace } from './trace.js';
import type { TraceEvents } from './trace_events.js';

export interface OutputDeps {
  /** The function that an address lies in, with or without its offset, never with its module. */
  symbol(address: Vaddr, withOffset: boolean): string;
  /** %p and %px. */
  pointer(address: Vaddr, hashed: boolean): string;
}

type CpuEvent = RingEvent & { readonly cpu: number };

export class TraceOutput {
  constructor(
    private readonly trace: Trace,
    private readonly events: TraceEvents,
    private readonly deps: OutputDeps,
  ) {}

  private get cpus(): number[] {
    return Array.from({ length: this.trace.deps.nrCpus }, (_, cpu) => cpu);
  }

  /**
   * The file `trace`.
   * @param only the CPU whose file it is
   * @linux kernel/trace/trace.c:trace_default_header full
   */
  text(only?: number): string {
    const { trace } = this;
    const { buffer } = trace;
    const cpus = only === undefined ? this.cpus : [only];
    const entries = cpus.reduce((sum, cpu) => sum + buffer.cpu(cpu).entries, 0);
    const overruns = cpus.reduce((sum, cpu) => sum + buffer.cpu(cpu).overrun, 0);
    const lines: string[] = [];
    if (trace.option('context-info'))
      lines.push(ftraceHeader(entries, entries + overruns, trace.deps.nrCpus, trace.option('irq-info')));
    const started = new Set<number>();
    for (const event of this.merged(cpus)) {
      const announce = overruns > 0 && trace.option('annotate') && started.size > 0;
      if (announce && !started.has(event.cpu)) lines.push(`##### CPU ${event.cpu} buffer started ####\n`);
      started.add(event.cpu);
      lines.push(this.line(event));
    }
    return lines.join('');
  }

  /** Events of several CPUs by time; of equal times those of the lower CPU first. */
  private *merged(cpus: readonly number[]): Generator<CpuEvent> {
    const sources = cpus.map((cpu) => {
      const events = this.trace.buffer.events(cpu);
      return { cpu, events, next: events.next() };
    });
    for (;;) {
      let first: (typeof sources)[number] | undefined;
      for (const source of sources)
        if (!source.next.done && (!first || source.next.value.ns < first.next.value!.ns)) first = source;
      if (!first) return;
      yield { ...(first.next.value as RingEvent), cpu: first.cpu };
      first.next = first.events.next();
    }
  }

  /**
   * The file `trace_pipe`: what has come since it was last read, which is gone then.
   * @param max ends behind the line that reaches so many characters
   * @linux kernel/trace/trace.c:tracing_read_pipe partial: never waits
   */
  pipe(only?: number, max = 1 << 20): string {
    const { buffer } = this.trace;
    const cpus = only === undefined ? this.cpus : [only];
    const parts: string[] = [];
    for (let length = 0; length < max; ) {
      let first = -1;
      let firstNs = Number.POSITIVE_INFINITY;
      for (const cpu of cpus) {
        const ns = buffer.peek(cpu)?.ns ?? Number.POSITIVE_INFINITY;
        if (ns < firstNs) [first, firstNs] = [cpu, ns];
      }
      if (first < 0) break;
      const { lost } = buffer.cpu(first);
      buffer.cpu(first).lost = 0;
      const event = buffer.consume(first);
      if (!event) break;
      const line = this.line({ ...event, cpu: first });
      parts.push(lost === 0 ? line : `CPU:${first} [LOST ${lost} EVENTS]\n${line}`);
      length += parts.at(-1)!.length;
    }
    return parts.join('');
  }

  /** One event. @linux kernel/trace/trace.c:print_trace_fmt full */
  private line({ ns, cpu, data }: CpuEvent): string {
    const { trace } = this;
    const { type, flags, preemptCount, pid } = getCommon(data);
    const letters = trace.option('irq-info') ? contextLetters(flags, preemptCount) : undefined;
    const context = trace.option('context-info')
      ? lineContext({ ns, cpu, pid, comm: trace.nameOf(pid) }, letters)
      : '';
    return context + this.body(type, data);
  }

  private body(type: number, data: DataView): string {
    if (type === TRACE_PRINT) return `${this.symbol(address(data, 8))}: ${printed(data)}`;
    if (type === TRACE_STACK) {
      const n = Math.min(data.getInt32(8, true), (data.byteLength - STACK_CALLERS) / 8);
      const frames = Array.from({ length: n }, (_, i) => this.symbol(address(data, STACK_CALLERS + 8 * i)));
      return `<stack trace>\n${frames.map((frame) => ` => ${frame}\n`).join('')}`;
    }
    const file = this.events.files[type - FIRST_EVENT_TYPE];
    if (!file) return `Unknown type ${type}\n`;
    const hashed = this.trace.option('hash-ptr');
    const pointer = (p: number) => this.deps.pointer(p, hashed);
    return `${file.event}: ${file.tracepoint.text(file.layout.decode(data), pointer)}\n`;
  }

  /** @linux kernel/trace/trace_output.c:seq_print_ip_sym full */
  private symbol(ip: Vaddr): string {
    const { trace, deps } = this;
    if (ip === 0) return '0';
    const name = deps.symbol(ip, trace.option('sym-offset'));
    return trace.option('sym-addr') ? `${name} <${deps.pointer(ip, false)}>` : name;
  }

  /** per_cpu/cpuN/stats. @linux kernel/trace/trace.c:tracing_stats_read full */
  stats(cpu: number): string {
    const { buffer, deps } = this.trace;
    const c = buffer.cpu(cpu);
    const time = (ns: number) => {
      const us = Math.floor((ns + 500) / 1000);
      return `${String(Math.floor(us / 1e6)).padStart(5)}.${String(us % 1e6).padStart(6, '0')}`;
    };
    return [
      `entries: ${c.entries}`,
      `overrun: ${c.overrun}`,
      'commit overrun: 0',
      `bytes: ${c.bytes}`,
      `oldest event ts: ${time(buffer.peek(cpu)?.ns ?? 0)}`,
      `now ts: ${time(deps.now())}`,
      `dropped events: ${c.dropped}`,
      `read events: ${c.read_events}`,
      '',
    ].join('\n');
  }
}

const address = (data: DataView, at: number): Vaddr =>
  data.getInt32(at + 4, true) * 4294967296 + data.getUint32(at, true);

/** The text of a TRACE_PRINT record. */
function printed(data: DataView): string {
  const bytes = new Uint8Array(data.buffer, data.byteOffset + 16, data.byteLength - 16);
  return String.fromCharCode(...bytes.subarray(0, bytes.indexOf(0)));
}
