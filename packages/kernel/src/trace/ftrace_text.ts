// SPDX-License-Identifier: MIT
/** Events as /sys/kernel/tracing/trace shows them. */

import type { TraceRecord } from './registry.js';

/** Interrupts on, no need to reschedule, no interrupt, not in atomic context, migration allowed. */
const PLAIN_CONTEXT = '.....';
const NS_PER_US = 1000;
const US_PER_S = 1e6;

/** Bits of common_flags. */
export const TRACE_FLAG_IRQS_OFF = 0x01;
export const TRACE_FLAG_HARDIRQ = 0x08;
export const TRACE_FLAG_SOFTIRQ = 0x10;
export const TRACE_FLAG_NMI = 0x40;
export const TRACE_FLAG_BH_OFF = 0x80;

/**
 * The five letters of a context.
 * @linux kernel/trace/trace_output.c:trace_print_lat_fmt full
 */
export function contextLetters(flags: number, preemptCount: number): string {
  const bhOff = (flags & TRACE_FLAG_BH_OFF) !== 0;
  const irqs = flags & TRACE_FLAG_IRQS_OFF ? (bhOff ? 'D' : 'd') : bhOff ? 'b' : '.';
  const hard = (flags & TRACE_FLAG_HARDIRQ) !== 0;
  const soft = (flags & TRACE_FLAG_SOFTIRQ) !== 0;
  const nmi = (flags & TRACE_FLAG_NMI) !== 0;
  const inside = nmi ? (hard ? 'Z' : 'z') : hard ? (soft ? 'H' : 'h') : soft ? 's' : '.';
  const digit = (n: number) => (n === 0 ? '.' : n.toString(16));
  return `${irqs}.${inside}${digit(preemptCount & 15)}${digit(preemptCount >> 4)}`;
}

/** `  12.345679`, rounded. @linux kernel/trace/trace_output.c:trace_print_time full */
export function traceTime(ns: number): string {
  const us = Math.floor((ns + NS_PER_US / 2) / NS_PER_US);
  return `${String(Math.floor(us / US_PER_S)).padStart(5)}.${String(us % US_PER_S).padStart(6, '0')}`;
}

export interface LineContext {
  readonly ns: number;
  readonly cpu: number;
  readonly pid: number;
  readonly comm: string;
}

/**
 * What stands before an event's name.
 * @param letters undefined: left out
 * @linux kernel/trace/trace_output.c:trace_print_context full
 */
export function lineContext({ ns, cpu, pid, comm }: LineContext, letters?: string): string {
  const task = `${(pid === 0 ? '<idle>' : comm).padStart(16)}-${String(pid).padEnd(7)}`;
  const context = letters === undefined ? '' : `${letters} `;
  return `${task} [${String(cpu).padStart(3, '0')}] ${context}${traceTime(ns)}: `;
}

/** One line, without its end. */
export function ftraceLine(record: TraceRecord): string {
  const { name, text } = record;
  return `${lineContext(record, PLAIN_CONTEXT)}${name.slice(name.indexOf(':') + 1)}: ${text}`;
}

/**
 * The lines that stand above the events.
 * @param entries events in the buffer
 * @param written events that were written to it
 * @param irqInfo whether each line shows its context's letters
 */
export function ftraceHeader(entries: number, written: number, nrCpus: number, irqInfo = true): string {
  const counts = `# tracer: nop
#
# entries-in-buffer/entries-written: ${entries}/${written}   #P:${nrCpus}
#
`;
  if (!irqInfo)
    return `${counts}#           TASK-PID     CPU#     TIMESTAMP  FUNCTION
#              | |         |         |         |
`;
  return `${counts}#                                _-----=> irqs-off/BH-disabled
#                               / _----=> need-resched
#                              | / _---=> hardirq/softirq
#                              || / _--=> preempt-depth
#                              ||| / _-=> migrate-disable
#                              |||| /     delay
#           TASK-PID     CPU#  |||||  TIMESTAMP  FUNCTION
#              | |         |   |||||     |         |
`;
}

/** The whole file. */
export function ftraceText(records: readonly TraceRecord[], nrCpus: number): string {
  const lines = records.map((record) => `${ftraceLine(record)}\n`);
  return ftraceHeader(records.length, records.length, nrCpus) + lines.join('');
}
