// SPDX-License-Identifier: MIT
/**
 * printk: messages of the kernel and its modules on their way into the log buffer and to the console.
 *
 * One call makes one record. A text without a newline at its end stays open: KERN_CONT from the same caller adds
 * to it, anything else closes it, and readers see it only then. So a message that lacks its newline appears late,
 * as on Linux.
 */

import type { BootParameters, Log } from '../../lib/env.js';
import { KERN_WARNING } from '../../lib/env.js';
import { EINVAL } from '../../lib/errno.js';
import type { StaticData } from '../../lib/static_data.js';
import { encodeUtf8 } from '../../lib/utf8.js';
import { step } from '../../lib/walk.js';
import type { Clock } from '../../machine/clock.js';
import type { Handle } from '../../machine/layout.js';
import type { Ram } from '../../machine/ram.js';
import { charge, RECORD_COUNT } from '../../machine/work.js';
import { LOG_CONT, LOG_FINAL, LOG_NEWLINE, LogBuffer, type LogRecord } from './ringbuffer.js';

/** Size of the log buffer unless `log_buf_len=` asks for more (CONFIG_LOG_BUF_SHIFT 17). */
export const LOG_BUF_LEN = 1 << 17;
/** Longest text of one record, with its level prefix and a NUL. */
export const LOG_LINE_MAX = 1024 - 32;
/** Virtual time that one record costs; it keeps timestamps strictly increasing. */
export const PRINTK_NS = 2_000;
/** What one record counts among the steps of walks: what finds ever more to complain about ends too. */
const RECORD_STEPS = 64;

const KERN_SOH = 1;
const NEWLINE = 10;

export interface PrintkDeps {
  readonly ram: Ram;
  readonly data: StaticData;
  readonly clock: Clock;
  readonly parameters: BootParameters;
}

/** sysctl kernel.printk_devkmsg: what programs may write to /dev/kmsg. */
export const DEVKMSG_CHOICES: readonly string[] = ['on', 'off', 'ratelimit'];
export const DEVKMSG_ON = 0;
export const DEVKMSG_OFF = 1;
const DEVKMSG_RATELIMIT = 2;
/** A console level that lets everything through. */
const CONSOLE_LOGLEVEL_MOTORMOUTH = 15;
const CONSOLE_LOGLEVEL_DEBUG = 10;
const CONSOLE_LOGLEVEL_QUIET = 4;
const NSEC_PER_MSEC = 1e6;

/** Words of `console_printk`, as /proc/sys/kernel/printk shows them. */
const CONSOLE_LOGLEVEL = 0;
const DEFAULT_MESSAGE_LOGLEVEL = 1;
const MINIMUM_CONSOLE_LOGLEVEL = 2;
const DEFAULT_CONSOLE_LOGLEVEL = 3;

/** A level prefix taken off a message. */
interface Prefix {
  /** 0 to 7, or -1 if the message names none. */
  readonly level: number;
  readonly cont: boolean;
  /** Bytes of all prefixes. */
  readonly length: number;
}

/** @linux kernel/printk/printk.c:printk_parse_prefix full */
function parsePrefix(bytes: Uint8Array): Prefix {
  let level = -1;
  let cont = false;
  let at = 0;
  for (; bytes[at] === KERN_SOH; at += 2) {
    const letter = bytes[at + 1];
    if (letter === 99) cont = true;
    else if (letter >= 48 && letter <= 55) level = level < 0 ? letter - 48 : level;
    else break;
  }
  return { level, cont, length: at };
}

/** The number at the start of a boot parameter; NaN if none. */
const option = (text: string | undefined) => Number.parseInt(text ?? '', 10);

/** `log_buf_len=`: digits and K, M or G, rounded up to a power of two; only more than the default counts. */
function logBufLength(parameters: BootParameters, ramSize: number): number {
  const match = /^(\d+|0x[0-9a-f]+)([kmg]?)/i.exec(parameters.get('log_buf_len') ?? '');
  if (!match) return LOG_BUF_LEN;
  const unit = { '': 1, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30 }[match[2].toLowerCase()] ?? 1;
  const wanted = 2 ** Math.ceil(Math.log2(Math.max(1, Number(match[1]) * unit)));
  return wanted > LOG_BUF_LEN && wanted <= ramSize / 8 ? wanted : LOG_BUF_LEN;
}

export class Printk implements Log {
  readonly buffer: LogBuffer;
  /** Gets each finished record whose level is below the console's. */
  console: ((record: LogRecord) => void) | undefined;
  /** Number of the task that writes, 0 outside of any: set when there are tasks. */
  currentPid: () => number = () => 0;
  /** Told when readers can see one more record. */
  onRecord: (() => void) | undefined;
  /** Told when a message has held its writer up for some time. */
  onDelay: (() => void) | undefined;
  private readonly levels: Handle;
  private readonly ignoreLoglevel: Handle;
  private readonly delayMsec: Handle;
  private readonly devkmsg: Handle;

  constructor(private readonly deps: PrintkDeps) {
    this.levels = deps.data.declare('console_printk', 16);
    this.ignoreLoglevel = deps.data.declare('ignore_loglevel', 4);
    this.delayMsec = deps.data.declare('printk_delay_msec', 4);
    this.devkmsg = deps.data.declare('devkmsg_log', 8);
    deps.data.declare('dmesg_restrict', 4);
    this.buffer = new LogBuffer(deps.ram, deps.data, logBufLength(deps.parameters, deps.ram.size));
  }

  /** Writes the first values; must come before anything is logged. @linux kernel/printk/printk.c:setup_log_buf full */
  boot(): void {
    const { ram, parameters } = this.deps;
    this.buffer.boot();
    ram.i32.set([7, KERN_WARNING, 1, 7], this.levels);
    if (parameters.has('quiet')) ram.i32[this.levels + CONSOLE_LOGLEVEL] = CONSOLE_LOGLEVEL_QUIET;
    if (parameters.has('debug')) ram.i32[this.levels + CONSOLE_LOGLEVEL] = CONSOLE_LOGLEVEL_DEBUG;
    const level = option(parameters.get('loglevel'));
    if (!Number.isNaN(level)) ram.i32[this.levels + CONSOLE_LOGLEVEL] = level;
    ram.i32[this.ignoreLoglevel] = Number(parameters.has('ignore_loglevel'));
    this.bootDevkmsg();
  }

  /** `printk.devkmsg=on|off|ratelimit`: what the boot parameter says, stays. @linux kernel/printk/printk.c:control_devkmsg full */
  private bootDevkmsg(): void {
    const { ram, parameters } = this.deps;
    const choice = DEVKMSG_CHOICES.indexOf(parameters.get('printk.devkmsg') ?? '');
    ram.i32[this.devkmsg] = choice < 0 ? DEVKMSG_RATELIMIT : choice;
    ram.i32[this.devkmsg + 1] = Number(choice >= 0);
  }

  /** Index in DEVKMSG_CHOICES. */
  get devkmsgChoice(): number {
    return this.deps.ram.i32[this.devkmsg];
  }

  /** @returns 0, or -EINVAL if the choice was made at boot. @linux kernel/printk/printk.c:devkmsg_sysctl_set_loglvl full */
  chooseDevkmsg(choice: number): number {
    const { i32 } = this.deps.ram;
    if (i32[this.devkmsg + 1] !== 0) return -EINVAL;
    i32[this.devkmsg] = choice;
    return 0;
  }

  /** Lets everything reach the console from now on. */
  verbose(): void {
    const { i32 } = this.deps.ram;
    if (i32[this.levels + CONSOLE_LOGLEVEL] !== 0)
      i32[this.levels + CONSOLE_LOGLEVEL] = CONSOLE_LOGLEVEL_MOTORMOUTH;
  }

  /** Records below this level reach the console; at least 1. */
  get consoleLoglevel(): number {
    return this.deps.ram.i32[this.levels + CONSOLE_LOGLEVEL];
  }

  set consoleLoglevel(level: number) {
    const { i32 } = this.deps.ram;
    i32[this.levels + CONSOLE_LOGLEVEL] = Math.max(level, i32[this.levels + MINIMUM_CONSOLE_LOGLEVEL]);
  }

  /** The level that `dmesg -E` restores. */
  get defaultConsoleLoglevel(): number {
    return this.deps.ram.i32[this.levels + DEFAULT_CONSOLE_LOGLEVEL];
  }

  get minimumConsoleLoglevel(): number {
    return this.deps.ram.i32[this.levels + MINIMUM_CONSOLE_LOGLEVEL];
  }

  /** Logs text of the kernel's own: one record a line, all with one timestamp. */
  log(level: number, text: string): void {
    const lines = (text.endsWith('\n') ? text.slice(0, -1) : text).split('\n');
    const ts_nsec = this.now();
    for (const line of lines) this.store(level, 0, LOG_NEWLINE, encodeUtf8(line), ts_nsec);
  }

  /**
   * Logs a message of C: formatted bytes that may start with KERN_SOH prefixes.
   * @returns the length of the text that was stored
   * @linux kernel/printk/printk.c:vprintk_store full
   */
  vprintk(message: Uint8Array): number {
    const prefix = parsePrefix(message);
    const flags = prefix.cont ? LOG_CONT : 0;
    const level = prefix.level < 0 ? this.deps.ram.i32[this.levels + DEFAULT_MESSAGE_LOGLEVEL] : prefix.level;
    this.delay(level & 7);
    return this.emit(level & 7, 0, flags, message.subarray(prefix.length, LOG_LINE_MAX - 1));
  }

  /**
   * A line that a program wrote to /dev/kmsg: `<N>` at its start is facility and level. Without a newline at its end it
   * stays open, as any message does.
   * @linux kernel/printk/printk.c:devkmsg_emit full
   */
  writeKmsg(line: Uint8Array): void {
    let facility = 1;
    let level = this.deps.ram.i32[this.levels + DEFAULT_MESSAGE_LOGLEVEL];
    let text = line.subarray(0, LOG_LINE_MAX - 1);
    const match = /^<(\d{1,9})>/.exec(String.fromCharCode(...text.subarray(0, 12)));
    if (match) {
      level = Number(match[1]) & 7;
      facility = (Number(match[1]) >> 3) & 0xff || 1;
      text = text.subarray(match[0].length);
    }
    const nul = text.indexOf(0);
    this.delay(level);
    this.emit(level, facility, 0, nul < 0 ? text : text.subarray(0, nul));
  }

  /** Finished records from a sequence number on. */
  records(fromSeq?: number): Generator<LogRecord, void, undefined> {
    return this.buffer.records(fromSeq);
  }

  /** Hides what is there from dmesg: `dmesg -C`. @linux kernel/printk/printk.c:syslog_clear full */
  clear(): void {
    this.buffer.clearSeq = this.buffer.nextSeq;
  }

  /** Closes a text that still lacks its newline, for a reader who will not wait for the next message. */
  flush(): void {
    const open = this.open();
    if (!open) return;
    this.buffer.finalize();
    this.show({ ...open, flags: open.flags | LOG_FINAL });
  }

  /** Nanoseconds since power-on. */
  get ns(): number {
    return this.deps.clock.ns;
  }

  private now(): number {
    const { clock } = this.deps;
    clock.advance(PRINTK_NS);
    return clock.ns;
  }

  /** @linux kernel/printk/printk.c:printk_caller_id full */
  private callerId(): number {
    return this.currentPid() || 0x80000000;
  }

  private open(): LogRecord | undefined {
    const newest = this.buffer.newest();
    return newest && !(newest.flags & LOG_FINAL) ? newest : undefined;
  }

  /** One message of C: opens, continues or completes a record. */
  private emit(level: number, facility: number, flags: number, message: Uint8Array): number {
    const ended = message[message.length - 1] === NEWLINE;
    const text = ended ? message.slice(0, -1) : message.slice();
    const allFlags = flags | (ended ? LOG_NEWLINE : 0);
    const open = flags & LOG_CONT ? this.open() : undefined;
    if (!open || open.caller_id !== this.callerId() || open.text.length + text.length > LOG_LINE_MAX)
      this.store(level, facility, allFlags, text, this.now());
    else this.extend(open, text, ended);
    return text.length;
  }

  private extend(open: LogRecord, text: Uint8Array, ended: boolean): void {
    const joined = new Uint8Array(open.text.length + text.length);
    joined.set(open.text);
    joined.set(text, open.text.length);
    const flags = ended ? open.flags | LOG_NEWLINE | LOG_FINAL : open.flags;
    const record = { ...open, text: joined, flags };
    this.buffer.replaceNewest(record);
    if (ended) this.show(record);
  }

  private store(level: number, facility: number, flags: number, text: Uint8Array, ts_nsec: number): void {
    charge(this.deps.ram, RECORD_COUNT);
    step(this.deps.ram, RECORD_STEPS);
    this.flush();
    const final = flags & LOG_NEWLINE ? LOG_FINAL : 0;
    const record = {
      ts_nsec,
      caller_id: this.callerId(),
      level,
      facility,
      flags: flags | final,
      text: text.length < LOG_LINE_MAX ? text : text.subarray(0, LOG_LINE_MAX - 1),
    };
    const seq = this.buffer.append(record);
    if (final) this.show({ ...record, seq });
  }

  /** @linux kernel/printk/printk.c:suppress_message_printing full */
  private isSuppressed(level: number): boolean {
    return level >= this.consoleLoglevel && this.deps.ram.i32[this.ignoreLoglevel] === 0;
  }

  private show(record: LogRecord): void {
    this.onRecord?.();
    if (!this.isSuppressed(record.level)) this.console?.(record);
  }

  /** Holds up who writes to the console, as sysctl kernel.printk_delay says. @linux kernel/printk/printk.c:printk_delay full */
  private delay(level: number): void {
    const msec = this.deps.ram.i32[this.delayMsec];
    if (msec <= 0 || this.isSuppressed(level)) return;
    this.deps.clock.advance(msec * NSEC_PER_MSEC);
    this.onDelay?.();
  }
}
