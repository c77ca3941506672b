// SPDX-License-Identifier: MIT
/** What printk and its kin offer to C. */

import type { KernelExports } from '../../arch/wasm64/exports.js';
import type { Reports } from '../../lib/env.js';
import { readBytes, readCString, writeBytes } from '../../lib/guest_access.js';
import { hexDumpLength, hexDumpLine, hexDumpShape } from '../../lib/hexdump.js';
import { decodeUtf8, encodeUtf8 } from '../../lib/utf8.js';
import { VaList } from '../../lib/valist.js';
import { type FormatContext, vsprintf } from '../../lib/vsprintf.js';
import type { Vaddr } from '../../machine/layout.js';
import type { DynamicDebug } from './dynamic_debug.js';
import { LOG_LINE_MAX, type Printk } from './printk.js';
import { type PrintkRatelimit, type RatelimitDeps, ratelimit, timedRatelimit } from './ratelimit.js';

export interface PrintkExportDeps {
  readonly printk: Printk;
  readonly format: FormatContext;
  readonly reports: Reports;
  readonly ratelimit: RatelimitDeps;
  readonly printkRatelimit: PrintkRatelimit;
  /** Absent: pr_debug prints nothing before its text. */
  readonly dynamicDebug?: DynamicDebug;
  /** Says that the kernel panics, and stops the machine. */
  panic(message: string): never;
}

const DUMP_PREFIX_ADDRESS = 1;
const DUMP_PREFIX_OFFSET = 2;

/** Logs memory, a row a line. */
function printHexDump(
  { printk, format }: PrintkExportDeps,
  level: Vaddr,
  prefix: Vaddr,
  prefixType: number,
  rowsize: number,
  groupsize: number,
  buf: Vaddr,
  len: number,
  ascii: boolean,
): void {
  const text = (address: Vaddr) => String.fromCharCode(...readCString(format, address, LOG_LINE_MAX));
  const start = text(level) + text(prefix);
  const row = rowsize === 32 ? 32 : 16;
  for (let i = 0; i < len; i += row) {
    const shape = hexDumpShape(Math.min(row, len - i), row, groupsize);
    const line = hexDumpLine(readBytes(format, buf + i, shape.length), shape, ascii);
    let where = '';
    if (prefixType === DUMP_PREFIX_OFFSET) where = `${i.toString(16).padStart(8, '0')}: `;
    else if (prefixType === DUMP_PREFIX_ADDRESS) where = `${hashed(format, buf + i)}: `;
    printk.vprintk(Uint8Array.from(`${start}${where}${line}\n`, (c) => c.charCodeAt(0)));
  }
}

/** An address as %p shows it. */
function hashed({ hash }: FormatContext, address: Vaddr): string {
  if (hash.disabled) return BigInt.asUintN(64, BigInt(address)).toString(16).padStart(16, '0');
  const id = hash.id(address);
  return id < 0 ? '(____ptrval____)' : id.toString(16).padStart(16, '0');
}

/** Writes one line into a buffer. */
function hexDumpToBuffer(
  { format }: PrintkExportDeps,
  buf: Vaddr,
  len: number,
  rowsize: number,
  groupsize: number,
  linebuf: Vaddr,
  linebuflen: number,
  ascii: boolean,
): number {
  const shape = hexDumpShape(len, rowsize, groupsize);
  const total = hexDumpLength(shape, ascii);
  if (linebuflen === 0) return total;
  const line = hexDumpLine(readBytes(format, buf, shape.length), shape, ascii).slice(0, linebuflen - 1);
  writeBytes(format, linebuf, encodeUtf8(`${line}\0`));
  return shape.length === 0 ? 0 : total;
}

/** @returns symbols by name; merge them into the kernel's table */
export function printkExports(deps: PrintkExportDeps): KernelExports {
  const { printk, format, reports } = deps;
  const string = (address: Vaddr) => decodeUtf8(readCString(format, address, LOG_LINE_MAX));
  /** Formats at most what a record holds. */
  const text = (fmt: Vaddr, area: Vaddr) =>
    vsprintf(format, readCString(format, fmt), new VaList(format, area), LOG_LINE_MAX - 1);
  const dumpStack = (): undefined => {
    reports.dumpStack();
  };
  const vprintk = (fmt: Vaddr, area: Vaddr) => printk.vprintk(text(fmt, area));
  return {
    _printk: ['i:p…', vprintk],
    _printk_deferred: ['i:p…', vprintk],
    vprintk: ['i:pp', vprintk],
    __dynamic_pr_debug: [
      'v:pp…',
      (descriptor: Vaddr, fmt: Vaddr, area: Vaddr) => {
        const prefix = `\x017${deps.dynamicDebug?.prefix(descriptor) ?? ''}`;
        printk.vprintk(Uint8Array.of(...encodeUtf8(prefix), ...text(fmt, area)));
      },
    ],
    dump_stack: ['v:', dumpStack],
    dump_stack_lvl: ['v:p', dumpStack],
    panic: [
      'v:p…',
      (fmt: Vaddr, area: Vaddr): undefined => deps.panic(decodeUtf8(text(fmt, area)).replace(/\n$/, '')),
    ],
    __printk_ratelimit: ['i:p', (func: Vaddr) => Number(deps.printkRatelimit.allows(string(func)))],
    ___ratelimit: ['i:pp', (rs: Vaddr, func: Vaddr) => Number(ratelimit(deps.ratelimit, rs, string(func)))],
    printk_timed_ratelimit: ['b:pu', (last: Vaddr, ms: number) => timedRatelimit(deps.ratelimit, last, ms)],
    print_hex_dump: [
      'v:ppiiipzb',
      (
        level: Vaddr,
        prefix: Vaddr,
        type: number,
        row: number,
        group: number,
        buf: Vaddr,
        len: number,
        ascii: boolean,
      ): undefined => {
        printHexDump(deps, level, prefix, type, row, group, buf, len, ascii);
      },
    ],
    hex_dump_to_buffer: [
      'i:pziipzb',
      (buf: Vaddr, len: number, row: number, group: number, line: Vaddr, size: number, ascii: boolean) =>
        hexDumpToBuffer(deps, buf, len, row, group, line, size, ascii),
    ],
  };
}
