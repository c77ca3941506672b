// SPDX-License-Identifier: MIT
/**
 * The log buffer: a ring of records in RAM that overwrites its oldest.
 *
 *     offset 0                                                     size
 *     | text of 7 |  free  | record 4 | record 5 | record 6 | (wrap) |
 *                 ^tail    ^head
 *
 * A record is a `printk_record` header and its text, together a multiple of 8 bytes, never split: one that does
 * not fit before the end starts at 0, and a header whose text_len is WRAP marks the gap it leaves.
 */

import type { StaticData } from '../../lib/static_data.js';
import { struct, u8, u16, u32, u64 } from '../../lib/struct.js';
import { step } from '../../lib/walk.js';
import type { Handle } from '../../machine/layout.js';
import type { Ram } from '../../machine/ram.js';

export const PrintkRecord = struct('printk_record', {
  /** Nanoseconds since power-on. */
  ts_nsec: u64,
  seq: u64,
  /** PID of the writer, or 0x80000000 + CPU outside a task. */
  caller_id: u32,
  text_len: u16,
  facility: u8,
  /** Level in the low 3 bits, LOG_* flags above. */
  flags_level: u8,
});

export const PrintkRingbuffer = struct('printk_ringbuffer', {
  first_seq: u64,
  next_seq: u64,
  /** What dmesg shows starts here: moved by `dmesg -C`. */
  clear_seq: u64,
  /** Offset of the oldest record, of the next one, and of the newest. */
  head: u32,
  tail: u32,
  last: u32,
  size: u32,
});

/** The record can no longer grow: readers see it. */
export const LOG_FINAL = 1;
/** The text ended with a newline. */
export const LOG_NEWLINE = 2;
/** The text was begun or continued by KERN_CONT. */
export const LOG_CONT = 8;

const WRAP = 0xffff;
const HEADER = PrintkRecord.size;

/** A record, copied out of the ring. */
export interface LogRecord {
  readonly seq: number;
  readonly ts_nsec: number;
  readonly caller_id: number;
  readonly level: number;
  readonly facility: number;
  readonly flags: number;
  readonly text: Uint8Array;
}

export class LogBuffer {
  private readonly root: Handle;
  private readonly buffer: Handle;

  /** @param size bytes, a power of two, at least 4096 */
  constructor(
    private readonly ram: Ram,
    data: StaticData,
    readonly size: number,
  ) {
    this.root = data.declare('printk_rb_static', PrintkRingbuffer.size);
    this.buffer = data.declare('__log_buf', size);
  }

  boot(): void {
    this.state.size = this.size;
  }

  private get state() {
    return PrintkRingbuffer.at(this.ram, this.root);
  }

  /** Oldest sequence number still there. @linux kernel/printk/printk_ringbuffer.c:prb_first_seq full */
  get firstSeq(): number {
    return this.state.first_seq;
  }

  /** Sequence number of the next record. @linux kernel/printk/printk_ringbuffer.c:prb_next_seq full */
  get nextSeq(): number {
    return this.state.next_seq;
  }

  get clearSeq(): number {
    return this.state.clear_seq;
  }

  set clearSeq(seq: number) {
    this.state.clear_seq = seq;
  }

  /** Appends a record; drops the oldest ones that stand in its way. The text is at most 2,048 bytes. */
  append(record: Omit<LogRecord, 'seq'>): number {
    const bytes = Math.ceil((HEADER + record.text.length) / 8) * 8;
    const offset = this.reserve(bytes);
    const state = this.state;
    const seq = state.next_seq;
    const header = this.header(offset);
    header.ts_nsec = record.ts_nsec;
    header.seq = seq;
    header.caller_id = record.caller_id;
    header.text_len = record.text.length;
    header.facility = record.facility;
    header.flags_level = record.level | (record.flags << 3);
    this.ram.u8.set(record.text, this.buffer * 4 + offset + HEADER);
    state.last = offset;
    state.tail = offset + bytes;
    state.next_seq = seq + 1;
    return seq;
  }

  /** The newest record, or undefined. */
  newest(): LogRecord | undefined {
    const state = this.state;
    return state.first_seq === state.next_seq ? undefined : this.recordAt(state.last);
  }

  /** Lets readers see the newest record. @linux kernel/printk/printk_ringbuffer.c:desc_make_final full */
  finalize(): void {
    if (this.newest()) this.header(this.state.last).flags_level |= LOG_FINAL << 3;
  }

  /** Replaces the newest record; it keeps its sequence number. */
  replaceNewest(record: Omit<LogRecord, 'seq'>): void {
    const state = this.state;
    state.tail = state.last;
    state.next_seq--;
    this.append(record);
  }

  /** Finished records from a sequence number on, oldest first. The log may grow meanwhile. */
  *records(fromSeq = 0): Generator<LogRecord, void, undefined> {
    let offset = -1;
    for (let seq = fromSeq; ; seq++) {
      step(this.ram);
      const state = this.state;
      if (seq < state.first_seq || offset < 0) {
        seq = Math.max(seq, state.first_seq);
        offset = this.find(seq);
      }
      if (seq >= state.next_seq) return;
      offset = this.skipWrap(offset);
      const record = this.recordAt(offset);
      if (!(record.flags & LOG_FINAL)) return;
      offset += this.lengthAt(offset);
      yield record;
    }
  }

  /** Offset of a record that is still there, or of the end. */
  private find(seq: number): number {
    const state = this.state;
    let offset = state.head;
    for (let at = state.first_seq; at < Math.min(seq, state.next_seq); at++) {
      step(this.ram);
      offset = this.skipWrap(offset);
      offset += this.lengthAt(offset);
    }
    return offset;
  }

  /** Makes room for contiguous bytes at `tail` and returns it. @linux kernel/printk/printk_ringbuffer.c:data_alloc full */
  private reserve(bytes: number): number {
    const state = this.state;
    for (;;) {
      step(this.ram);
      const empty = state.first_seq === state.next_seq;
      if (empty) state.head = state.tail;
      if (empty || state.tail > state.head) {
        if (this.size - state.tail >= bytes) return state.tail;
        if (this.size - state.tail >= HEADER) this.header(state.tail).text_len = WRAP;
        state.tail = 0;
        if (empty) state.head = 0;
        if (empty) return 0;
      }
      if (state.head - state.tail >= bytes) return state.tail;
      this.dropOldest();
    }
  }

  private dropOldest(): void {
    const state = this.state;
    const offset = state.head + this.lengthAt(state.head);
    state.first_seq++;
    state.head = state.first_seq === state.next_seq ? offset : this.skipWrap(offset);
  }

  private skipWrap(offset: number): number {
    return this.size - offset < HEADER || this.header(offset).text_len === WRAP ? 0 : offset;
  }

  private lengthAt(offset: number): number {
    return Math.ceil((HEADER + this.header(offset).text_len) / 8) * 8;
  }

  private header(offset: number) {
    return PrintkRecord.at(this.ram, this.buffer + offset / 4);
  }

  private recordAt(offset: number): LogRecord {
    const { ts_nsec, seq, caller_id, text_len, facility, flags_level } = this.header(offset);
    const start = this.buffer * 4 + offset + HEADER;
    const text = this.ram.u8.slice(start, start + text_len);
    return { seq, ts_nsec, caller_id, level: flags_level & 7, facility, flags: flags_level >> 3, text };
  }
}
