// SPDX-License-Identifier: MIT
/** Call traces and symbol names as C modules ask for them: `linux/stacktrace.h`, `linux/kallsyms.h`. */

import type { KernelExports } from '../arch/wasm64/exports.js';
import { KERN_WARNING } from '../lib/env.js';
import { type GuestAccess, readS64, writeBytes, writeS64 } from '../lib/guest_access.js';
import { encodeUtf8 } from '../lib/utf8.js';
import { KERNEL_TEXT_START, type Vaddr } from '../machine/layout.js';
import type { Kallsyms } from './kallsyms.js';

export interface StackTraceServices {
  readonly mem: GuestAccess;
  readonly kallsyms: Kallsyms;
  log(level: number, text: string): void;
  /** Return addresses of the guest call stack, innermost first. */
  stackTrace(max: number): readonly Vaddr[];
  /** One past the kernel's own text. */
  textEnd(): Vaddr;
  dumpStack(): void;
}

/** The longest line that sprint_symbol() writes: KSYM_SYMBOL_LEN. */
const KSYM_SYMBOL_LEN = 512;
/** Traces are printed of at most so many entries: what is more is no stack. */
const ENTRIES_MAX = 1024;

export function stackTraceExports(k: StackTraceServices): KernelExports {
  const { mem, kallsyms } = k;
  /** Writes a line with its NUL; its length. */
  const put = (buffer: Vaddr, text: string): number => {
    const bytes = encodeUtf8(text).subarray(0, KSYM_SYMBOL_LEN - 1);
    writeBytes(mem, buffer, bytes);
    writeBytes(mem, buffer + bytes.length, Uint8Array.of(0));
    return bytes.length;
  };
  const withoutOffset = (address: Vaddr): string => {
    const found = kallsyms.lookup(address);
    if (!found) return kallsyms.symbolize(address);
    const { name, module } = found.symbol;
    return module === undefined ? name : `${name} [${module}]`;
  };
  const lines = (entries: Vaddr, n: number, spaces: number): string[] =>
    Array.from({ length: Math.min(n, ENTRIES_MAX) }, (_, i) => {
      const indent = ' '.repeat(Math.min(Math.max(spaces + 1, 0), 64));
      return indent + kallsyms.symbolize(readS64(mem, entries + 8 * i));
    });
  const isText = (address: Vaddr): boolean => address >= KERNEL_TEXT_START && address < k.textEnd();
  const isAnyText = (address: Vaddr): boolean => {
    const type = kallsyms.lookup(address)?.symbol.type;
    return isText(address) || type === 't' || type === 'T';
  };
  return {
    sprint_symbol: ['i:pp', (buffer: Vaddr, address: Vaddr) => put(buffer, kallsyms.symbolize(address))],
    sprint_symbol_no_offset: ['i:pp', (buffer: Vaddr, address: Vaddr) => put(buffer, withoutOffset(address))],
    // A return address names the call before it.
    sprint_backtrace: [
      'i:pp',
      (buffer: Vaddr, address: Vaddr) => put(buffer, kallsyms.symbolize(address - 1)),
    ],
    stack_trace_save: [
      'u:puu',
      (store: Vaddr, size: number, skip: number) => {
        const trace = k.stackTrace(Math.min(size + skip, ENTRIES_MAX)).slice(skip);
        trace.forEach((address, i) => {
          writeS64(mem, store + 8 * i, address);
        });
        return trace.length;
      },
    ],
    stack_trace_print: [
      'v:pui',
      (entries: Vaddr, n: number, spaces: number) => {
        for (const line of lines(entries, n, spaces)) k.log(KERN_WARNING, line);
      },
    ],
    stack_trace_snprint: [
      'i:pzpui',
      (buffer: Vaddr, size: number, entries: Vaddr, n: number, spaces: number) => {
        const text = encodeUtf8(
          lines(entries, n, spaces)
            .map((line) => `${line}\n`)
            .join(''),
        );
        const kept = text.subarray(0, Math.max(size - 1, 0));
        if (size > 0) {
          writeBytes(mem, buffer, kept);
          writeBytes(mem, buffer + kept.length, Uint8Array.of(0));
        }
        return text.length;
      },
    ],
    show_stack: ['v:ppp', () => k.dumpStack()],
    core_kernel_text: ['i:p', (address: Vaddr) => Number(isText(address))],
    kernel_text_address: ['i:p', (address: Vaddr) => Number(isAnyText(address))],
    __kernel_text_address: ['i:p', (address: Vaddr) => Number(isAnyText(address))],
    func_ptr_is_kernel_text: ['i:p', (address: Vaddr) => Number(isAnyText(address))],
  };
}
