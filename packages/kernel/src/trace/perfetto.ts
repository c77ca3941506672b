// SPDX-License-Identifier: MIT
/**
 * Events in the JSON trace format that Perfetto's UI (ui.perfetto.dev) and chrome://tracing open: an instant on its
 * task's track for each, and two counters, bytes of objects and pages in use since the trace began.
 */

import type { TraceRecord } from './registry.js';

const NS_PER_US = 1000;
/** Fields that hold addresses. */
const ADDRESSES = new Set(['call_site', 'ptr']);

type Json = { readonly [key: string]: string | number | Json };

/** What is in use, counted from allocations and frees. */
class InUse {
  private readonly sizes = new Map<number, number>();
  private bytes = 0;
  private pages = 0;

  /** The counter that an event changes, and its new value. */
  after({ name, fields }: TraceRecord): { name: string; value: number } | undefined {
    const number = (field: string) => Number(fields[field]);
    switch (name) {
      case 'kmem:kmalloc':
      case 'kmem:kmem_cache_alloc':
        if (number('ptr') === 0) return undefined;
        this.sizes.set(number('ptr'), number('bytes_alloc'));
        this.bytes += number('bytes_alloc');
        return { name: 'bytes of objects', value: this.bytes };
      case 'kmem:kfree':
      case 'kmem:kmem_cache_free': {
        const size = this.sizes.get(number('ptr'));
        if (size === undefined) return undefined; // allocated before the trace began
        this.sizes.delete(number('ptr'));
        this.bytes -= size;
        return { name: 'bytes of objects', value: this.bytes };
      }
      case 'kmem:mm_page_alloc':
        if (number('pfn') < 0) return undefined;
        this.pages += 2 ** number('order');
        return { name: 'pages', value: this.pages };
      case 'kmem:mm_page_free':
        this.pages -= 2 ** number('order');
        return { name: 'pages', value: this.pages };
    }
    return undefined;
  }
}

const args = ({ fields, text }: TraceRecord): Json => ({
  ...Object.fromEntries(
    Object.entries(fields).map(([key, value]) => [
      key,
      ADDRESSES.has(key) ? `0x${BigInt.asUintN(64, BigInt(value)).toString(16)}` : value,
    ]),
  ),
  text,
});

/** A trace as JSON text. @param machine what the UI calls the process that all tasks belong to */
export function perfettoJson(records: readonly TraceRecord[], machine = 'Pagewalk'): string {
  const process = 1;
  const events: Json[] = [{ ph: 'M', name: 'process_name', pid: process, args: { name: machine } }];
  const tasks = new Map<number, string>();
  const inUse = new InUse();
  for (const record of records) {
    const { name, ns, cpu, pid, comm } = record;
    const ts = ns / NS_PER_US;
    if (tasks.get(pid) !== comm) {
      tasks.set(pid, comm);
      events.push({ ph: 'M', name: 'thread_name', pid: process, tid: pid, args: { name: comm } });
    }
    const [cat, event] = name.split(':');
    events.push({
      ph: 'i',
      s: 't',
      name: event,
      cat,
      ts,
      pid: process,
      tid: pid,
      args: { cpu, ...args(record) },
    });
    const counter = inUse.after(record);
    if (counter)
      events.push({ ph: 'C', name: counter.name, ts, pid: process, args: { value: counter.value } });
  }
  return `{"displayTimeUnit":"ns","traceEvents":[\n${events.map((e) => JSON.stringify(e)).join(',\n')}\n]}\n`;
}
