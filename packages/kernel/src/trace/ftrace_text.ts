// SPDX-License-Identifier: MIT
/** Events as /sys/kernel/tracing/trace shows them. */

import type { TraceRecord } from './registry.js';

/** Interrupts on, no need to reschedule, no interrupt, not in atomic context, migration allowed. */
const PLAIN_CONTEXT = '.....';
const NS_PER_US = 1000;
const US_PER_S = 1e6;

/** One line, without its end. @linux kernel/trace/trace_output.c:trace_print_context partial: the flags are always those of plain task context */
export function ftraceLine({ name, ns, cpu, pid, comm, text }: TraceRecord): string {
  const us = Math.floor(ns / NS_PER_US);
  const seconds = String(Math.floor(us / US_PER_S)).padStart(5);
  const fraction = String(us % US_PER_S).padStart(6, '0');
  const task = `${(pid === 0 ? '<idle>' : comm).padStart(16)}-${String(pid).padEnd(7)}`;
  const event = name.slice(name.indexOf(':') + 1);
  return `${task} [${String(cpu).padStart(3, '0')}] ${PLAIN_CONTEXT} ${seconds}.${fraction}: ${event}: ${text}`;
}

/**
 * The lines that stand above the events.
 * @param entries events in the buffer
 * @param written events that were written to it
 */
export function ftraceHeader(entries: number, written: number, nrCpus: number): string {
  return `# tracer: nop
#
# entries-in-buffer/entries-written: ${entries}/${written}   #P:${nrCpus}
#
#                                _-----=> irqs-off/BH-disabled
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
