// SPDX-License-Identifier: MIT
/** The files of /sys/kernel/tracing, which are those of /sys/kernel/debug/tracing too. */

import type { TextProvider } from '../fs/text_files.js';
import { EBADF, EINVAL } from '../lib/errno.js';
import { decodeUtf8, encodeUtf8 } from '../lib/utf8.js';
import { EventLayout, formatFile } from './event_fields.js';
import { MAX_EVENT_PIDS, TRACE_BUF_SIZE, TRACE_OPTIONS, TRACE_PRINT, type TraceOption } from './trace.js';
import type { EventFile } from './trace_events.js';
import { withLineEnd } from './trace_printk.js';
import type { Tracing } from './tracing.js';

/** What tracefs adds to a provider of texts. */
export interface TracefsTexts extends TextProvider {
  /** A file was opened with O_TRUNC: clears `trace`, `set_event` and `set_event_pid`, is nothing to the others. */
  truncate(path: string): void;
}

/** One file: what it shows, what becomes of what is written. Without `read` it cannot be read. */
interface TraceFile {
  readonly read?: () => string;
  /** @returns 0 or a negative errno */
  readonly write?: (bytes: Uint8Array) => number;
  readonly truncate?: () => void;
}
/** A folder's names. */
type Folder = readonly string[];

const MOUNTS = ['/sys/kernel/tracing', '/sys/kernel/debug/tracing'];
const MODE_READ = 0o440;
const MODE_WRITE = 0o640;
const MODE_WRITE_ONLY = 0o220;

const README = `Mini-HOWTO of the trace buffer

  available_events     events that there are, as system:event
  set_event            those that are recorded: write kmem:kmalloc, kmem:*, !kmem:kfree
  events/SYS/EVENT/    enable (0 or 1), filter, format, id of one event
  set_event_pid        tasks whose events alone are recorded
  trace                the buffer; write to clear it
  trace_pipe           the buffer; what was read is gone
  trace_marker         what is written becomes a line of the trace
  tracing_on           0: nothing is recorded
  buffer_size_kb       size of each CPU's buffer; per_cpu/cpuN/ has those of each
  trace_options        how the trace is recorded and shown: write NAME or noNAME, or 0 and 1 to options/NAME
  saved_cmdlines       names of tasks by PID

A filter compares fields of the event with ==, !=, <, <=, >, >=, & and, strings, with ~, and joins comparisons with
&&, ||, ! and parentheses: bytes_req > 100 && comm == "insmod". Write 0 to take it away.
`;
const SYSTEM_FILTER = `### global filter ###
# A filter written here is given to all events of this system that have its fields.
`;
const FTRACE_PRINT = new EventLayout(['unsigned long ip', 'char buf[]']);

const yes = (on: boolean) => (on ? '1\n' : '0\n');

/** As kstrtoul() takes a number. */
function number(bytes: Uint8Array): number | undefined {
  const text = decodeUtf8(bytes).trim();
  if (/^(0x[0-9a-f]{1,12}|[1-9]\d{0,14}|0)$/i.test(text)) return Number(text);
  return /^0[0-7]{1,12}$/.test(text) ? Number.parseInt(text, 8) : undefined;
}

/** A file that takes 0 and 1. */
const flag = (get: () => string, set: (on: boolean) => number): TraceFile => ({
  read: get,
  write: (bytes) => {
    const n = number(bytes);
    return n === 0 || n === 1 ? set(n === 1) : -EINVAL;
  },
});

export class Tracefs {
  constructor(private readonly tracing: Tracing) {}

  provider(): TracefsTexts {
    const file = (path: string): TraceFile | undefined => {
      const found = this.at(path);
      return found === undefined || isFolder(found) ? undefined : found;
    };
    return {
      mode: (path) => {
        const f = file(path);
        if (!f) return undefined;
        return f.read ? (f.write ? MODE_WRITE : MODE_READ) : MODE_WRITE_ONLY;
      },
      list: (path) => {
        if (path === '/sys/kernel' || path === '/sys/kernel/debug') return ['tracing/'];
        const found = this.at(path);
        return found && isFolder(found) ? found : undefined;
      },
      read: (path) => {
        const text = file(path)?.read?.();
        return text === undefined ? undefined : encodeBytes(text);
      },
      write: (path, bytes) => file(path)?.write?.(bytes) ?? -EINVAL,
      truncate: (path) => file(path)?.truncate?.(),
    };
  }

  /** What is at a full path. */
  private at(path: string): TraceFile | Folder | undefined {
    const mount = MOUNTS.find((m) => path === m || path.startsWith(`${m}/`));
    if (mount === undefined) return undefined;
    const [head = '', ...rest] = path
      .slice(mount.length)
      .split('/')
      .filter((name) => name !== '');
    const root = this.root();
    if (head === '') return [...Object.keys(root), 'events/', 'options/', 'per_cpu/'];
    if (head === 'events') return this.events(rest);
    if (head === 'options') return this.options(rest);
    if (head === 'per_cpu') return this.perCpu(rest);
    return rest.length === 0 && Object.hasOwn(root, head) ? root[head] : undefined;
  }

  private root(): { readonly [name: string]: TraceFile } {
    const { trace, events } = this.tracing;
    const { nrCpus } = trace.deps;
    const total = (kb: number) => `${kb * nrCpus}`;
    return {
      README: { read: () => README },
      available_events: { read: () => events.files.map(({ name }) => `${name}\n`).join('') },
      available_tracers: { read: () => 'nop\n' },
      buffer_size_kb: this.bufferSize(),
      buffer_total_size_kb: {
        read: () => {
          if (!trace.expanded) return `${total(trace.sizeKb()!)} (expanded: ${total(trace.wantedKb)})\n`;
          let sum = 0;
          for (let cpu = 0; cpu < nrCpus; cpu++) sum += trace.sizeKb(cpu)!;
          return `${sum}\n`;
        },
      },
      current_tracer: only('nop\n'),
      saved_cmdlines: {
        read: () =>
          trace
            .savedNames()
            .map(({ pid, comm }) => `${pid} ${comm}\n`)
            .join(''),
      },
      set_event: this.setEvent(),
      set_event_pid: this.setEventPid(),
      trace: this.traceFile(),
      trace_clock: { read: () => '[local]\n', write: only('local\n').write },
      trace_marker: { write: (bytes) => this.marker(bytes) },
      trace_options: this.traceOptions(),
      trace_pipe: { read: () => this.tracing.output.pipe() },
      tracing_on: flag(
        () => yes(trace.on),
        (on) => {
          trace.on = on;
          return 0;
        },
      ),
    };
  }

  // ---------------------------------------------------------------- the buffer

  /** `trace` of all CPUs or one: whatever is written clears it. @linux kernel/trace/trace.c:tracing_open partial: does not stop the recording */
  private traceFile(cpu?: number): TraceFile {
    const { trace, output } = this.tracing;
    const clear = () => {
      if (cpu !== undefined) trace.buffer.reset(cpu);
      else for (let i = 0; i < trace.deps.nrCpus; i++) trace.buffer.reset(i);
    };
    return {
      read: () => output.text(cpu),
      write: () => {
        clear();
        return 0;
      },
      truncate: clear,
    };
  }

  /** @linux kernel/trace/trace.c:tracing_entries_write full */
  private bufferSize(cpu?: number): TraceFile {
    const { trace } = this.tracing;
    return {
      read: () => {
        const size = trace.sizeKb(cpu);
        if (size === undefined) return 'X\n';
        return trace.expanded ? `${size}\n` : `${size} (expanded: ${trace.wantedKb})\n`;
      },
      write: (bytes) => {
        const kb = number(bytes);
        return kb === undefined || kb === 0 ? -EINVAL : trace.resize(kb, cpu);
      },
    };
  }

  /** A line of a program's own. @linux kernel/trace/trace.c:tracing_mark_write full */
  private marker(bytes: Uint8Array): number {
    const { trace, markerAddress } = this.tracing;
    if (!trace.option('markers')) return -EINVAL;
    for (let at = 0; at < bytes.length; at += TRACE_BUF_SIZE - 1) {
      const part = withLineEnd(bytes.subarray(at, at + TRACE_BUF_SIZE - 1));
      if (!trace.print(markerAddress(), part)) return -EBADF;
    }
    return 0;
  }

  private perCpu([name, file, ...rest]: readonly string[]): TraceFile | Folder | undefined {
    const { trace, output } = this.tracing;
    const names = Array.from({ length: trace.deps.nrCpus }, (_, cpu) => `cpu${cpu}`);
    if (name === undefined) return names.map((n) => `${n}/`);
    const cpu = names.indexOf(name);
    if (cpu < 0 || rest.length > 0) return undefined;
    const files: { readonly [name: string]: TraceFile } = {
      buffer_size_kb: this.bufferSize(cpu),
      stats: { read: () => output.stats(cpu) },
      trace: this.traceFile(cpu),
      trace_pipe: { read: () => output.pipe(cpu) },
    };
    if (file === undefined) return Object.keys(files);
    return Object.hasOwn(files, file) ? files[file] : undefined;
  }

  // ---------------------------------------------------------------- options

  private traceOptions(): TraceFile {
    const { trace } = this.tracing;
    return {
      read: () => optionNames.map((name) => `${trace.option(name) ? '' : 'no'}${name}\n`).join(''),
      write: (bytes) => {
        const text = decodeUtf8(bytes).trim();
        const name = optionNames.find((option) => text === option || text === `no${option}`);
        if (name === undefined) return -EINVAL;
        trace.setOption(name, text === name);
        return 0;
      },
    };
  }

  private options([name, ...rest]: readonly string[]): TraceFile | Folder | undefined {
    const { trace } = this.tracing;
    if (name === undefined) return optionNames;
    const option = optionNames.find((o) => o === name);
    if (option === undefined || rest.length > 0) return undefined;
    return flag(
      () => yes(trace.option(option)),
      (on) => {
        trace.setOption(option, on);
        return 0;
      },
    );
  }

  // ---------------------------------------------------------------- events

  /** Patterns are added to what is on; a line without any ends all. */
  private setEvent(): TraceFile {
    const { events } = this.tracing;
    const clear = () => void events.enable(events.files, false);
    return {
      read: () => {
        const on = events.files.filter(({ enabled }) => enabled);
        return on.map(({ name }) => `${name}\n`).join('');
      },
      write: (bytes) => {
        const text = decodeUtf8(bytes);
        if (text.trim() === '') clear();
        return events.set(text);
      },
      truncate: clear,
    };
  }

  /** PIDs are added; a line without any takes all away. */
  private setEventPid(): TraceFile {
    const { trace } = this.tracing;
    return {
      read: () => (trace.pids.length === 0 ? 'no pid\n' : trace.pids.map((pid) => `${pid}\n`).join('')),
      write: (bytes) => {
        const words = decodeUtf8(bytes)
          .split(/\s+/)
          .filter((word) => word !== '');
        if (!words.every((word) => /^\d{1,9}$/.test(word))) return -EINVAL;
        const all = words.length === 0 ? [] : [...new Set([...trace.pids, ...words.map(Number)])];
        return all.length > MAX_EVENT_PIDS ? -EINVAL : trace.setPids(all.sort((a, b) => a - b));
      },
      truncate: () => {
        if (trace.pids.length > 0) trace.setPids([]);
      },
    };
  }

  private events([system, event, name, ...rest]: readonly string[]): TraceFile | Folder | undefined {
    const { events } = this.tracing;
    if (rest.length > 0) return undefined;
    if (system === undefined) return ['enable', 'ftrace/', ...events.systems().map((s) => `${s}/`)];
    if (system === 'enable' && event === undefined) return this.enableFile(events.files);
    if (system === 'ftrace') return ftraceEvents(event, name);
    const files = events.of(system);
    if (files.length === 0) return undefined;
    if (event === undefined) return ['enable', 'filter', ...files.map((file) => `${file.event}/`)];
    if (name === undefined && event === 'enable') return this.enableFile(files);
    if (name === undefined && event === 'filter')
      return {
        read: () => SYSTEM_FILTER,
        write: (bytes) => events.setSystemFilter(system, decodeUtf8(bytes)),
      };
    const file = files.find((f) => f.event === event);
    return file && this.eventFile(file, name);
  }

  private eventFile(file: EventFile, name: string | undefined): TraceFile | Folder | undefined {
    const { events } = this.tracing;
    const files: { readonly [name: string]: TraceFile } = {
      enable: this.enableFile([file]),
      filter: {
        read: () => events.filterText(file),
        write: (bytes) => events.setFilter(file, decodeUtf8(bytes)),
      },
      format: { read: () => file.format },
      id: { read: () => `${file.id}\n` },
    };
    if (name === undefined) return Object.keys(files);
    return Object.hasOwn(files, name) ? files[name] : undefined;
  }

  /** `X` where some are on. @linux kernel/trace/trace_events.c:system_enable_read full */
  private enableFile(files: readonly EventFile[]): TraceFile {
    const { events } = this.tracing;
    return flag(
      () => {
        const on = files.filter(({ enabled }) => enabled).length;
        return on > 0 && on < files.length ? 'X\n' : yes(on > 0);
      },
      (on) => events.enable(files, on),
    );
  }
}

const optionNames = Object.keys(TRACE_OPTIONS) as TraceOption[];

/** A file that takes nothing but what it shows. */
const only = (text: string) => ({
  read: () => text,
  write: (bytes: Uint8Array) => (decodeUtf8(bytes).trim() === text.trim() ? 0 : -EINVAL),
});

/** What trace_printk() writes is no event that could be switched on; its format can be seen. */
function ftraceEvents(event: string | undefined, name: string | undefined): TraceFile | Folder | undefined {
  if (event === undefined) return ['print/'];
  if (event !== 'print') return undefined;
  if (name === undefined) return ['format', 'id'];
  if (name === 'id') return { read: () => `${TRACE_PRINT}\n` };
  if (name !== 'format') return undefined;
  return {
    read: () => formatFile('print', TRACE_PRINT, FTRACE_PRINT, '"%ps: %s", (void *)REC->ip, REC->buf'),
  };
}

const isFolder = (found: TraceFile | Folder): found is Folder => Array.isArray(found);

/** Texts of C are bytes; those of the kernel are ASCII. */
function encodeBytes(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c > 255) return encodeUtf8(text);
    bytes[i] = c;
  }
  return bytes;
}
