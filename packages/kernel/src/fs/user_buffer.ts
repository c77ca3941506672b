// SPDX-License-Identifier: MIT
/**
 * The user memory that a system call passes to the kernel: pages with the user bit in the lower half of the address
 * space, mapped for the call and freed after it. What is to be read is mapped at once, what is to be written when it
 * is first touched.
 *
 * Each task has 4 GiB of addresses of its own, by its number.
 */

import { TaskStruct } from '../kernel/sched.js';
import type { Handle, Paddr, Vaddr } from '../machine/layout.js';
import { PAGE_MASK_LOW, PAGE_SIZE } from '../machine/layout.js';
import { GFP_KERNEL } from '../mm/gfp.js';
import {
  _PAGE_ACCESSED,
  _PAGE_DIRTY,
  _PAGE_PRESENT,
  _PAGE_RW,
  _PAGE_USER,
  type Protection,
} from '../mm/pgtable.js';
import type { FsDeps } from './fs_context.js';
import { FilesStruct } from './fs_context.js';

const BASE = 0x7000_0000_0000;
const TASKS = 4096;
const SPAN = 2 ** 32;
const TABLE_WORDS = PAGE_SIZE / 4;
const USER_PAGE: Protection = {
  flags: _PAGE_USER | _PAGE_RW | _PAGE_ACCESSED | _PAGE_DIRTY,
  executable: false,
};
/** In a page of its own each time, so that a neighbour is not mapped by chance. */
const OFFSET = 0x10;

export class UserBuffers {
  constructor(private readonly deps: FsDeps) {
    const earlier = deps.user.faultIn;
    deps.user.faultIn = (address, write) => this.faultIn(address) || earlier(address, write);
  }

  private files(task: Handle): Handle {
    return this.deps.ram.ptr(task + TaskStruct.w.files);
  }

  /** Gives the calling task a buffer of so many bytes; nothing is mapped yet. */
  reserve(task: Handle, bytes: number): Vaddr {
    const { ram } = this.deps;
    const f = FilesStruct.at(ram, this.files(task));
    const start = BASE + (TaskStruct.at(ram, task).pid % TASKS) * SPAN + OFFSET;
    f.user_start = start;
    f.user_bytes = bytes;
    return start;
  }

  /** Reserves a buffer and fills it; 0 if there is no memory. */
  fill(task: Handle, bytes: Uint8Array): Vaddr {
    const start = this.reserve(task, bytes.length);
    const { ram } = this.deps;
    for (let done = 0; done < bytes.length; ) {
      const address = start + done;
      const frame = this.mapPage(address - (address & PAGE_MASK_LOW));
      if (frame < 0) {
        this.release(task);
        return 0;
      }
      const offset = address & PAGE_MASK_LOW;
      const n = Math.min(PAGE_SIZE - offset, bytes.length - done);
      ram.fill(frame, offset, 0);
      ram.u8.set(n === bytes.length ? bytes : bytes.subarray(done, done + n), frame + offset);
      ram.fill(frame + offset + n, PAGE_SIZE - offset - n, 0);
      done += n;
    }
    return start;
  }

  /** Maps a fresh page, whose bytes are whatever was there; its frame, or -1. */
  private mapPage(page: Vaddr): Paddr {
    const { pages } = this.deps;
    const p = pages.allocPages(GFP_KERNEL, 0);
    if (p === 0) return -1;
    const frame = pages.pageToPfn(p) * PAGE_SIZE;
    if (this.deps.pageTables().map(page, frame, USER_PAGE)) return frame;
    pages.freePages(p, 0);
    this.freeTables(page);
    return -1;
  }

  /** A page of the current task's buffer is touched. */
  private faultIn(address: Vaddr): boolean {
    const files = this.files(this.deps.tasks.currentHandle);
    if (files === 0) return false;
    const { user_start, user_bytes } = FilesStruct.at(this.deps.ram, files);
    const page = address - (address & PAGE_MASK_LOW);
    if (address < user_start || address >= user_start + user_bytes) return false;
    const frame = this.mapPage(page);
    if (frame < 0) return false;
    this.deps.ram.fill(frame, PAGE_SIZE, 0);
    return true;
  }

  /** Bytes from the start of a task's buffer; zeros where nothing was written. */
  read(task: Handle, bytes: number): Uint8Array {
    const { ram } = this.deps;
    const { user_start, user_bytes } = FilesStruct.at(ram, this.files(task));
    const out = new Uint8Array(Math.min(bytes, user_bytes));
    for (let done = 0; done < out.length; ) {
      const address = user_start + done;
      const n = Math.min(PAGE_SIZE - (address & PAGE_MASK_LOW), out.length - done);
      const p = this.deps.user.translate(address, false);
      if (p >= 0) out.set(ram.u8.subarray(p, p + n), done);
      done += n;
    }
    return out;
  }

  /** Unmaps and frees a task's buffer. */
  release(task: Handle): void {
    const { ram } = this.deps;
    const f = FilesStruct.at(ram, this.files(task));
    const tables = this.deps.pageTables();
    const end = f.user_start + f.user_bytes;
    let page = f.user_start - (f.user_start & PAGE_MASK_LOW);
    while (page < end) {
      const { level, entry } = tables.walk(page);
      // On to where the next table of the last level could be.
      const span = PAGE_SIZE * 512 ** (level === 3 ? 1 : 3 - level);
      const next = (Math.floor(page / span) + 1) * span;
      if (level === 3) {
        this.unmapRange(page, Math.min(next, end), entry);
        this.freeTables(page);
      }
      page = next;
    }
    f.user_bytes = 0;
  }

  /** Unmaps and frees what is mapped from one page to before another. @param first the first one's entry; the others lie behind it */
  private unmapRange(start: Vaddr, end: Vaddr, first: Handle): void {
    const { ram, pages } = this.deps;
    const tables = this.deps.pageTables();
    for (let page = start, entry = first; page < end; page += PAGE_SIZE, entry += 2) {
      if (!(ram.i32[entry] & _PAGE_PRESENT)) continue;
      const frame = tables.frame(entry);
      ram.set64(entry, 0);
      pages.freePages(pages.pfnToPage(frame / PAGE_SIZE), 0);
      this.deps.flushPage(page);
    }
  }

  /** Frees the tables above an address that have no entry left. */
  private freeTables(address: Vaddr): void {
    const { ram, pages } = this.deps;
    const tables = this.deps.pageTables();
    const path = tables.path(address);
    for (let level = path.length - 1; level > 0; level--) {
      const table = path[level] - (path[level] % TABLE_WORDS);
      for (let w = table; w < table + TABLE_WORDS; w++) if (ram.i32[w] !== 0) return;
      ram.set64(path[level - 1], 0);
      pages.freePages(pages.pfnToPage((table * 4) / PAGE_SIZE), 0);
    }
  }
}
