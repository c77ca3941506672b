// SPDX-License-Identifier: MIT
/** dmesg, as util-linux's: shows the log buffer in the forms that people and scripts know. */

import { ByteOutput } from '../../lib/byte_output.js';
import { type CivilTime, civilTime, MONTHS, WEEKDAYS } from '../../lib/civil_time.js';
import { decodeUtf8, encodeUtf8 } from '../../lib/utf8.js';
import {
  DMESG_HELP,
  type DmesgOptions,
  type DmesgTime,
  FACILITIES,
  LEVELS,
  parseDmesg,
} from './dmesg_options.js';
import type { Printk } from './printk.js';
import { timestamp } from './record_text.js';
import type { LogRecord } from './ringbuffer.js';

const NEWLINE = 10;
const TAB = 9;

const two = (n: number) => String(n).padStart(2, '0');
const micro = (us: number) => `${Math.floor(us / 1e6)}.${String(us % 1e6).padStart(6, '0')}`;
const ctime = (t: CivilTime) =>
  `${WEEKDAYS[t.weekday]} ${MONTHS[t.month]} ${String(t.day).padStart(2)} ${two(t.hour)}:${two(t.minute)}:${two(t.second)} ${t.year}`;
const isoTime = (t: CivilTime, us: number) =>
  `${t.year}-${two(t.month + 1)}-${two(t.day)}T${two(t.hour)}:${two(t.minute)}:${two(t.second)},${String(us % 1e6).padStart(6, '0')}+00:00`;

/** True if a record passes the filters of the command line. */
export const isShown = (record: LogRecord, options: DmesgOptions): boolean =>
  (!options.levels || options.levels.has(record.level)) &&
  (!options.facilities || options.facilities.has(record.facility));

/** True if a record was logged in the time that the command line asks for. */
function isInTime(record: LogRecord, { since, until }: DmesgOptions, bootTime: number): boolean {
  const seconds = bootTime + record.ts_nsec / 1e9;
  return (since === undefined || seconds >= since) && (until === undefined || seconds <= until);
}

/** Writes records one after another; a delta is the time since the record before. */
export class DmesgFormatter {
  private lastUs = 0;
  /** Minute of the last absolute time that was printed, -1 if none. */
  private lastMinute = -1;

  /** @param bootTime seconds since 1970 at power-on, for absolute times */
  constructor(
    private readonly options: DmesgOptions,
    private readonly bootTime: number,
  ) {}

  /** The record with a newline at its end; one that has several lines carries its prefix on each. */
  record(record: LogRecord): Uint8Array {
    const { raw, decode } = this.options;
    let prefix = '';
    if (raw) prefix = `<${record.facility * 8 + record.level}>`;
    else if (decode) {
      const facility = FACILITIES[record.facility] ?? String(record.facility);
      prefix = `${facility.padEnd(6)}:${LEVELS[record.level].padEnd(6)}: `;
    }
    prefix += this.time(Math.floor(record.ts_nsec / 1000));
    const out = new ByteOutput();
    out.ascii(prefix);
    for (const byte of record.text) {
      out.byte(byte);
      if (byte === NEWLINE) out.ascii(prefix);
    }
    out.byte(NEWLINE);
    return this.options.noescape ? out.kept() : escapeLine(out.kept());
  }

  /** The time column, with the blank after it. */
  private time(us: number): string {
    const { time, delta } = this.options;
    const elapsed = this.lastUs === 0 ? 0 : us - this.lastUs;
    this.lastUs = us;
    const text = this.absolute(time, us, elapsed);
    if (time === 'iso' || !delta || time === 'reltime') return text === '' ? '' : `${text} `;
    const span = `<${micro(elapsed).padStart(12)}>`;
    return text === '' ? `[${span}] ` : `${text.slice(0, -1)} ${span}] `;
  }

  private absolute(time: DmesgTime, us: number, elapsedUs: number): string {
    if (time === 'time') return timestamp(us * 1000);
    if (time === 'notime' || time === 'delta') return '';
    const seconds = this.bootTime + Math.floor(us / 1e6);
    const civil = civilTime(seconds);
    if (time === 'ctime') return `[${ctime(civil)}]`;
    if (time === 'iso') return isoTime(civil, us);
    const minute = Math.floor(seconds / 60);
    const same = minute === this.lastMinute;
    this.lastMinute = minute;
    if (same) return `[${`+${micro(elapsedUs)}`.padStart(11)}]`;
    return `[${MONTHS[civil.month]}${String(civil.day).padStart(2)} ${two(civil.hour)}:${two(civil.minute)}]`;
  }
}

/** Control characters (but tab and newline) and bytes that are not UTF-8 become \xNN. */
function escapeLine(line: Uint8Array): Uint8Array {
  if (line.every((b) => b === TAB || b === NEWLINE || (b >= 32 && b < 127))) return line;
  const out = new ByteOutput();
  const hex = (byte: number) => out.ascii(`\\x${byte.toString(16).padStart(2, '0')}`);
  for (let i = 0; i < line.length; ) {
    const lead = line[i];
    const length = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    const bytes = line.subarray(i, i + length);
    const printable = lead === TAB || lead === NEWLINE || (lead >= 32 && lead !== 127);
    if (!printable || decodeUtf8(bytes).includes('\ufffd')) {
      hex(lead);
      i++;
    } else {
      out.bytes(bytes);
      i += length;
    }
  }
  return out.kept();
}

/** The records as one JSON document. */
function json(records: readonly LogRecord[], decode: boolean): string {
  const one = (record: LogRecord) => {
    const us = Math.floor(record.ts_nsec / 1000);
    const fields = decode
      ? [`"fac": "${FACILITIES[record.facility] ?? record.facility}"`, `"pri": "${LEVELS[record.level]}"`]
      : [`"pri": ${record.facility * 8 + record.level}`];
    fields.push(`"time": ${micro(us).padStart(12)}`, `"msg": ${JSON.stringify(decodeUtf8(record.text))}`);
    return `{\n         ${fields.join(',\n         ')}\n      }`;
  };
  const body = records.length === 0 ? '' : `\n      ${records.map(one).join(',')}`;
  return `{\n   "dmesg": [${body}\n   ]\n}\n`;
}

export interface DmesgResult {
  readonly status: number;
  readonly out: Uint8Array;
  readonly err: string;
  /** For -w and -W: what still comes is to be shown in these forms, from this sequence number on. */
  readonly follow?: {
    readonly fromSeq: number;
    readonly formatter: DmesgFormatter;
    readonly options: DmesgOptions;
  };
}

/**
 * The dmesg command.
 * @param args the words after `dmesg`
 * @param bootTime seconds since 1970 at power-on
 */
export function dmesg(printk: Printk, args: readonly string[], bootTime = 0): DmesgResult {
  const nothing = new Uint8Array(0);
  const options = parseDmesg(args, bootTime + Math.floor(printk.ns / 1e9));
  if (typeof options === 'string') return { status: 1, out: nothing, err: options };
  if (options.action === 'help') return { status: 0, out: encodeUtf8(DMESG_HELP), err: '' };
  if (options.consoleLevel !== undefined)
    printk.consoleLoglevel =
      options.consoleLevel === 'default' ? printk.defaultConsoleLoglevel : options.consoleLevel;
  if (options.action === 'clear') printk.clear();
  if (options.action !== 'show') return { status: 0, out: nothing, err: '' };

  const { buffer } = printk;
  const nextSeq = buffer.nextSeq;
  const from = options.follow === 'new' ? nextSeq : buffer.clearSeq;
  const formatter = new DmesgFormatter(options, bootTime);
  const out = new ByteOutput();
  const records: LogRecord[] = [];
  let seq = from;
  for (const record of printk.records(from)) {
    seq = record.seq + 1;
    if (isShown(record, options) && isInTime(record, options, bootTime)) records.push(record);
  }
  if (options.json) out.bytes(encodeUtf8(json(records, options.decode)));
  else for (const record of records) out.bytes(formatter.record(record));
  if (options.clearAfter) printk.clear();
  const result = { status: 0, out: out.kept(), err: '' };
  return options.follow ? { ...result, follow: { fromSeq: seq, formatter, options } } : result;
}
