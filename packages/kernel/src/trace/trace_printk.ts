// SPDX-License-Identifier: MIT
/** What C writes into the trace: trace_printk() and kin, and the switches of tracing. */

import type { KernelExports } from '../arch/wasm64/exports.js';
import { readBytes, readCString } from '../lib/guest_access.js';
import { VaList } from '../lib/valist.js';
import { type FormatContext, vsprintf } from '../lib/vsprintf.js';
import type { Vaddr } from '../machine/layout.js';
import { TRACE_BUF_SIZE, type Trace } from './trace.js';

export interface TracePrintkDeps {
  readonly trace: Trace;
  readonly format: FormatContext;
  /** Address of the guest instruction that called into the kernel. */
  callerAddress(): Vaddr;
}

/** Functions whose users need the buffer from when they are loaded. */
export const TRACE_PRINTK_FUNCTIONS: ReadonlySet<string> = new Set([
  '__ftrace_vbprintk',
  '__ftrace_vprintk',
  '__trace_bprintk',
  '__trace_bputs',
  '__trace_printk',
  '__trace_puts',
]);

const NEWLINE = 10;

/** A text with a line end, put there if there is none. */
export function withLineEnd(text: Uint8Array): Uint8Array {
  return text.at(-1) === NEWLINE ? text : Uint8Array.of(...text, NEWLINE);
}

export function tracePrintkExports({ trace, format, callerAddress }: TracePrintkDeps): KernelExports {
  /** @param ip 0: where the call stands */
  const put = (ip: Vaddr, text: Uint8Array): number =>
    trace.option('trace_printk') && trace.print(ip === 0 ? callerAddress() : ip, text) ? text.length : 0;
  /** Formats and records; how long the text is, 0 if it was not recorded. */
  const print = (ip: Vaddr, fmt: Vaddr, args: Vaddr): number => {
    if (!trace.listens) return 0;
    const text = vsprintf(format, format.guest.readString(fmt), new VaList(format, args), TRACE_BUF_SIZE);
    return put(ip, text);
  };
  return {
    /** @linux kernel/trace/trace_printk.c:__trace_printk full */
    __trace_printk: ['i:pp…', print],
    /** @linux kernel/trace/trace_printk.c:__trace_bprintk differs: formats at once, not when the trace is read */
    __trace_bprintk: ['i:pp…', print],
    __ftrace_vprintk: ['i:ppp', print],
    __ftrace_vbprintk: ['i:ppp', print],
    /** @linux kernel/trace/trace.c:__trace_puts full */
    __trace_puts: [
      'i:ppi',
      (ip: Vaddr, text: Vaddr, size: number) =>
        size <= 0
          ? 0
          : put(ip, withLineEnd(readBytes(format, text, Math.min(size, TRACE_BUF_SIZE - 2))))
            ? size
            : 0,
    ],
    /** @linux kernel/trace/trace.c:__trace_bputs full */
    __trace_bputs: [
      'i:pp',
      (ip: Vaddr, text: Vaddr) => Number(put(ip, readCString(format, text, TRACE_BUF_SIZE)) > 0),
    ],
    trace_dump_stack: ['v:i', (skip: number) => trace.dumpStack(skip)],
    tracing_on: [
      'v:',
      () => {
        trace.on = true;
      },
    ],
    tracing_off: [
      'v:',
      () => {
        trace.on = false;
      },
    ],
    tracing_is_on: ['i:', () => Number(trace.on)],
  };
}
