// SPDX-License-Identifier: MIT
/**
 * Stack traces kept once each, named by a 32-bit handle, so that a record of who allocated an object is small.
 *
 * A table of buckets (one page) heads chains of records, which fill further pages one after the other:
 *
 *     record   next: u32 | hash: u32 | size: u32 | (unused) | size addresses of 64 bits
 *
 * A stack's handle is its record's word index in RAM. Records are never freed.
 */

import { type Handle, PAGE_SIZE, type Vaddr } from '../machine/layout.js';
import type { Ram } from '../machine/ram.js';
import { step } from './walk.js';

const BUCKETS = PAGE_SIZE / 4;
const PAGE_WORDS = PAGE_SIZE / 4;
const HEADER_WORDS = 4;
const MAX_ENTRIES = 64;

export class StackDepot {
  /**
   * @param root handle of 16 bytes of static data: the table, the page being filled, words used in it
   * @param allocPage gives a page of memory by handle, 0 if there is none
   */
  constructor(
    private readonly ram: Ram,
    private readonly root: Handle,
    private readonly allocPage: () => Handle,
  ) {}

  /**
   * The handle of a stack; 0 if it is empty or there is no memory to keep it.
   */
  save(entries: readonly Vaddr[]): number {
    const size = Math.min(entries.length, MAX_ENTRIES);
    if (size === 0) return 0;
    const { i32 } = this.ram;
    const table = i32[this.root] || this.makeTable();
    if (table === 0) return 0;
    const hash = hashOf(entries, size);
    const bucket = table + (hash & (BUCKETS - 1));
    for (let record = i32[bucket]; record !== 0; record = i32[record]) {
      step(this.ram);
      if (i32[record + 1] === hash && this.equals(record, entries, size)) return record;
    }
    const record = this.room(HEADER_WORDS + 2 * size);
    if (record === 0) return 0;
    i32[record] = i32[bucket];
    i32[record + 1] = hash;
    i32[record + 2] = size;
    for (let i = 0; i < size; i++) this.ram.set64(record + HEADER_WORDS + 2 * i, entries[i]);
    i32[bucket] = record;
    return record;
  }

  /** The stack of a handle; empty for 0 and for what is no handle. */
  fetch(handle: number): Vaddr[] {
    if (handle <= 0 || handle + HEADER_WORDS >= this.ram.i32.length) return [];
    const size = this.ram.i32[handle + 2];
    if (size < 0 || size > MAX_ENTRIES) return [];
    return Array.from({ length: size }, (_, i) => this.ram.s64(handle + HEADER_WORDS + 2 * i));
  }

  private equals(record: Handle, entries: readonly Vaddr[], size: number): boolean {
    if (this.ram.i32[record + 2] !== size) return false;
    for (let i = 0; i < size; i++)
      if (this.ram.s64(record + HEADER_WORDS + 2 * i) !== entries[i]) return false;
    return true;
  }

  private makeTable(): Handle {
    const table = this.allocPage();
    if (table !== 0) this.ram.fill(table * 4, PAGE_SIZE, 0);
    this.ram.i32[this.root] = table;
    return table;
  }

  private room(words: number): Handle {
    const { i32 } = this.ram;
    if (i32[this.root + 1] === 0 || i32[this.root + 2] + words > PAGE_WORDS) {
      const page = this.allocPage();
      if (page === 0) return 0;
      i32[this.root + 1] = page;
      i32[this.root + 2] = 0;
    }
    const record = i32[this.root + 1] + i32[this.root + 2];
    i32[this.root + 2] += words;
    return record;
  }
}

/** FNV-1a over the low words: kernel addresses differ there. */
function hashOf(entries: readonly Vaddr[], size: number): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < size; i++) hash = Math.imul(hash ^ (entries[i] | 0), 0x01000193);
  return hash | 0;
}
