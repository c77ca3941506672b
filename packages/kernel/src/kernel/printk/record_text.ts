// SPDX-License-Identifier: MIT
/** How the kernel itself writes a record out: for the console, for syslog(2), for /dev/kmsg. */

import { ByteOutput } from '../../lib/byte_output.js';
import { LOG_CONT, type LogRecord } from './ringbuffer.js';

const NEWLINE = 10;

/** `[    0.123456]`: seconds in five columns or more, microseconds. @linux kernel/printk/printk.c:print_time full */
export function timestamp(ns: number): string {
  const us = Math.floor(ns / 1000);
  const seconds = String(Math.floor(us / 1e6)).padStart(5);
  return `[${seconds}.${String(us % 1e6).padStart(6, '0')}]`;
}

/**
 * The record as lines, each with its prefix: `[    0.123456] text`, before it `<6>` for syslog.
 * @linux kernel/printk/printk.c:record_print_text full
 */
export function recordText(record: LogRecord, options: { syslog?: boolean } = {}): Uint8Array {
  const priority = options.syslog ? `<${record.facility * 8 + record.level}>` : '';
  const prefix = `${priority}${timestamp(record.ts_nsec)} `;
  const out = new ByteOutput();
  for (let start = 0; start <= record.text.length; ) {
    const newline = record.text.indexOf(NEWLINE, start);
    const end = newline < 0 ? record.text.length : newline;
    out.ascii(prefix);
    out.bytes(record.text.subarray(start, end));
    out.byte(NEWLINE);
    start = end + 1;
  }
  return out.kept();
}

/**
 * What one read of /dev/kmsg gives: `6,339,5140900,-;text`, with unprintable bytes as \xNN.
 * @linux kernel/printk/printk.c:info_print_ext_header full
 */
export function kmsgText(record: LogRecord): Uint8Array {
  const out = new ByteOutput();
  const flag = record.flags & LOG_CONT ? 'c' : '-';
  out.ascii(
    `${record.facility * 8 + record.level},${record.seq},${Math.floor(record.ts_nsec / 1000)},${flag};`,
  );
  for (const byte of record.text)
    if (byte < 32 || byte >= 127 || byte === 92) out.ascii(`\\x${byte.toString(16).padStart(2, '0')}`);
    else out.byte(byte);
  out.byte(NEWLINE);
  return out.kept();
}
