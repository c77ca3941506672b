// SPDX-License-Identifier: MIT
/**
 * The buffer of events of each CPU: page frames in a ring, in RAM.
 *
 *        head                     tail
 *         ▼                        ▼
 *     ┌───────┐   ┌───────┐   ┌───────┐   ┌───────┐
 *  ┌─▶│░░█████│──▶│███████│──▶│███    │──▶│ unused│─┐      ░ consumed, █ events to be read
 *  │  └───────┘   └───────┘   └───────┘   └───────┘ │
 *  └────────────────────────────────────────────────┘
 *
 * A new event goes to the tail; when its page is full, to the next. If that is the head, the buffer is full: in
 * overwrite mode the head moves on, and its events are lost, else the new event is.
 *
 *     page   time_stamp 8 | commit 4, bytes of events | next 4, frame number | events…
 *     event  type_len:5, time_delta:27 | data             type_len: words of data, 1 to 28
 *                                                         0: the first word holds the length in bytes, itself included
 *                                                         30: no data, one word with upper bits of the delta
 *
 * Times are nanoseconds; a delta counts from the event before, in the first of a page from time_stamp.
 */

import type { StaticData } from '../lib/static_data.js';
import { struct, u64, uint, ulong } from '../lib/struct.js';
import { type Handle, PAGE_SIZE, type Pfn } from '../machine/layout.js';
import type { Ram } from '../machine/ram.js';

/** Bytes of events that a page holds: BUF_PAGE_SIZE. */
export const BUF_PAGE_SIZE = PAGE_SIZE - 16;
const PAGE_WORDS = PAGE_SIZE / 4;
/** Words of a page's head. */
const COMMIT = 2;
const NEXT = 3;
const DATA = 4;
const TYPE_TIME_EXTEND = 30;
const TYPE_LEN_MAX = 28;
const TS_SHIFT = 27;
const TS_LIMIT = 2 ** TS_SHIFT;
const MIN_PAGES = 2;

export const RingBufferPerCpu = struct('ring_buffer_per_cpu', {
  nr_pages: uint,
  head: uint,
  tail: uint,
  /** Bytes of the head page that were consumed. */
  read: uint,
  entries: ulong,
  /** Events that were overwritten. */
  overrun: ulong,
  /** Events that found no room. */
  dropped: ulong,
  read_events: ulong,
  bytes: ulong,
  /** Events lost since the last one was consumed. */
  lost: ulong,
  /** Time of the newest event, and of the last one consumed. */
  write_stamp: u64,
  read_stamp: u64,
});

/** Where buffers get their page frames. */
export interface BufferPages {
  /** -1 if there is no memory. */
  alloc(): Pfn | -1;
  free(pfn: Pfn): void;
}

/** An event in RAM. */
export interface RingEvent {
  readonly ns: number;
  readonly data: DataView;
}

const align4 = (n: number) => (n + 3) & ~3;

export class RingBuffer {
  private readonly cells: Handle;

  constructor(
    private readonly ram: Ram,
    data: StaticData,
    readonly nrCpus: number,
    private readonly pages: BufferPages,
  ) {
    this.cells = data.declare('trace_buffers', RingBufferPerCpu.size * nrCpus);
  }

  /** Counters of a CPU's buffer. */
  cpu(cpu: number) {
    return RingBufferPerCpu.at(this.ram, this.cells + (cpu * RingBufferPerCpu.size) / 4);
  }

  private word(pfn: number, i: number): number {
    return this.ram.u32[pfn * PAGE_WORDS + i];
  }

  private setWord(pfn: number, i: number, value: number): void {
    this.ram.u32[pfn * PAGE_WORDS + i] = value;
  }

  /** More than there can be: lists that guest code has damaged end. */
  private get mostPages(): number {
    return this.ram.size / PAGE_SIZE;
  }

  private clearPage(pfn: number): void {
    this.ram.set64(pfn * PAGE_WORDS, 0);
    this.setWord(pfn, COMMIT, 0);
  }

  // ---------------------------------------------------------------- size

  /**
   * Gives a CPU's buffer a number of pages, at least two. If it shrinks, unused pages go first, then the oldest events.
   * @returns false if there is no memory; then nothing has changed
   * @linux kernel/trace/ring_buffer.c:ring_buffer_resize full
   */
  resize(cpu: number, nrPages: number): boolean {
    const c = this.cpu(cpu);
    const wanted = Math.max(nrPages, MIN_PAGES);
    const taken: Pfn[] = [];
    while (c.nr_pages + taken.length < wanted) {
      const pfn = this.pages.alloc();
      if (pfn === -1) {
        for (const page of taken) this.pages.free(page);
        return false;
      }
      taken.push(pfn);
    }
    for (const pfn of taken.reverse()) this.insert(cpu, pfn);
    while (c.nr_pages > wanted) this.removeOne(cpu);
    return true;
  }

  /** Gives a CPU's buffer back. */
  release(cpu: number): void {
    const { nr_pages, head } = this.cpu(cpu);
    for (let i = 0, page = head; i < nr_pages; i++) {
      const next = this.word(page, NEXT);
      this.pages.free(page as Pfn);
      page = next;
    }
    this.ram.fill(this.cells * 4 + cpu * RingBufferPerCpu.size, RingBufferPerCpu.size, 0);
  }

  /** Puts a page behind the tail. */
  private insert(cpu: number, pfn: Pfn): void {
    const c = this.cpu(cpu);
    this.clearPage(pfn);
    if (c.nr_pages === 0) {
      c.head = pfn;
      c.tail = pfn;
      this.setWord(pfn, NEXT, pfn);
    } else {
      this.setWord(pfn, NEXT, this.word(c.tail, NEXT));
      this.setWord(c.tail, NEXT, pfn);
    }
    c.nr_pages++;
  }

  /** Takes out the page behind the tail. @linux kernel/trace/ring_buffer.c:rb_remove_pages full */
  private removeOne(cpu: number): void {
    const c = this.cpu(cpu);
    const victim = this.word(c.tail, NEXT);
    if (victim === c.head) this.dropHead(cpu);
    this.setWord(c.tail, NEXT, this.word(victim, NEXT));
    c.nr_pages--;
    this.pages.free(victim as Pfn);
  }

  /** Forgets all events and counts. @linux kernel/trace/ring_buffer.c:rb_reset_cpu full */
  reset(cpu: number): void {
    const c = this.cpu(cpu);
    const { nr_pages, head } = c;
    const start = this.cells * 4 + cpu * RingBufferPerCpu.size;
    this.ram.fill(start, RingBufferPerCpu.size, 0);
    if (nr_pages === 0) return;
    Object.assign(c, { nr_pages, head, tail: head });
    const pages = Math.min(nr_pages, this.mostPages);
    for (let i = 0, page = head; i < pages; i++, page = this.word(page, NEXT)) this.clearPage(page);
  }

  // ---------------------------------------------------------------- writing

  /**
   * Appends an event.
   * @param data its bytes, of which `length` count
   * @returns false if there was no room
   * @linux kernel/trace/ring_buffer.c:ring_buffer_write full
   */
  write(cpu: number, ns: number, data: Uint8Array, length: number, overwrite: boolean): boolean {
    const c = this.cpu(cpu);
    const stamp = Math.max(ns, c.write_stamp);
    const large = align4(length) / 4 > TYPE_LEN_MAX;
    const size = 4 + (large ? 4 : 0) + align4(length);
    if (c.nr_pages === 0 || size > BUF_PAGE_SIZE || !this.makeRoom(cpu, size, stamp, overwrite)) {
      c.dropped++;
      return false;
    }
    const before = this.word(c.tail, COMMIT);
    if (before === 0) this.ram.set64(c.tail * PAGE_WORDS, stamp);
    let delta = before === 0 ? 0 : stamp - c.write_stamp;
    let at = c.tail * PAGE_WORDS + DATA + before / 4;
    const put = (type: number, low: number) => {
      this.ram.u32[at++] = (type | (low << 5)) >>> 0;
    };
    if (delta >= TS_LIMIT) {
      put(TYPE_TIME_EXTEND, delta % TS_LIMIT);
      this.ram.u32[at++] = Math.floor(delta / TS_LIMIT);
      delta = 0;
    }
    put(large ? 0 : align4(length) / 4, delta);
    if (large) this.ram.u32[at++] = align4(length) + 4;
    if (length % 4 !== 0) this.ram.u32[at + (length >> 2)] = 0;
    this.ram.u8.set(data.subarray(0, length), at * 4);
    const commit = (at - c.tail * PAGE_WORDS - DATA) * 4 + align4(length);
    this.setWord(c.tail, COMMIT, commit);
    c.entries++;
    c.bytes += commit - before;
    c.write_stamp = stamp;
    return true;
  }

  /** Has the tail at a page with room for an event. @linux kernel/trace/ring_buffer.c:rb_move_tail full */
  private makeRoom(cpu: number, size: number, ns: number, overwrite: boolean): boolean {
    const c = this.cpu(cpu);
    const commit = this.word(c.tail, COMMIT);
    const extend = commit !== 0 && ns - c.write_stamp >= TS_LIMIT ? 8 : 0;
    if (commit + size + extend <= BUF_PAGE_SIZE) return true;
    const next = this.word(c.tail, NEXT);
    if (next === c.head) {
      if (!overwrite) return false;
      this.dropHead(cpu);
    }
    this.clearPage(next);
    c.tail = next;
    return true;
  }

  /** Loses the oldest page's events. */
  private dropHead(cpu: number): void {
    const c = this.cpu(cpu);
    const { head, read } = c;
    let count = 0;
    for (const _ of this.eventsOf(head, read, 0)) count++;
    c.entries -= count;
    c.overrun += count;
    c.lost += count;
    c.bytes -= this.word(head, COMMIT) - read;
    c.head = this.word(head, NEXT);
    c.read = 0;
  }

  // ---------------------------------------------------------------- reading

  /** Events of one page from a byte on; `ns` is the time that the first delta counts from. */
  private *eventsOf(page: number, from: number, ns: number): Generator<RingEvent & { end: number }> {
    const { ram } = this;
    const start = page * PAGE_WORDS + DATA;
    const end = start + Math.min(this.word(page, COMMIT) || 0, BUF_PAGE_SIZE) / 4;
    let stamp = from === 0 ? ram.u64(page * PAGE_WORDS) : ns;
    for (let at = start + from / 4; at < end; ) {
      const head = ram.u32[at++];
      const type = head & 31;
      stamp += head >>> 5;
      if (type === TYPE_TIME_EXTEND) {
        stamp += ram.u32[at++] * TS_LIMIT;
        continue;
      }
      const length = type === 0 ? ram.u32[at++] - 4 : type * 4;
      if (length < 0 || at + length / 4 > end) return; // guest code has written here
      const data = new DataView(ram.u8.buffer, ram.u8.byteOffset + at * 4, length);
      at += length / 4;
      yield { ns: stamp, data, end: (at - start) * 4 };
    }
  }

  /** A CPU's events, oldest first; they stay. */
  *events(cpu: number): Generator<RingEvent> {
    const c = this.cpu(cpu);
    if (c.nr_pages === 0) return;
    let { read, read_stamp } = c;
    for (
      let page = c.head, n = 0;
      n < Math.min(c.nr_pages, this.mostPages);
      page = this.word(page, NEXT), n++
    ) {
      yield* this.eventsOf(page, read, read_stamp);
      if (page === c.tail) return;
      read = 0;
      read_stamp = 0;
    }
  }

  /** The oldest event, which stays. */
  peek(cpu: number): RingEvent | undefined {
    const next = this.events(cpu).next();
    return next.done ? undefined : next.value;
  }

  /**
   * Takes the oldest event out. Its bytes are good until the next is written.
   * @linux kernel/trace/ring_buffer.c:ring_buffer_consume full
   */
  consume(cpu: number): RingEvent | undefined {
    const c = this.cpu(cpu);
    if (c.entries === 0) return undefined;
    for (let n = 0; n <= Math.min(c.nr_pages, this.mostPages); n++) {
      const next = this.eventsOf(c.head, c.read, c.read_stamp).next();
      if (next.done) {
        c.head = this.word(c.head, NEXT);
        c.read = 0;
        continue;
      }
      const { ns, end } = next.value;
      c.bytes -= end - c.read;
      c.read = end;
      c.read_stamp = ns;
      c.entries--;
      c.read_events++;
      return next.value;
    }
    this.reset(cpu); // fewer events than were counted: guest code has written here
    return undefined;
  }
}
