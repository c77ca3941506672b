// SPDX-License-Identifier: MIT
/**
 * Memory before the page allocator: which physical ranges are RAM, which are taken, and a first allocator.
 *
 * The machine's memory map is a PC's: RAM from 4 KiB to 636 KiB, a hole for firmware up to 1 MiB, RAM from there.
 * The first MiB stays reserved as in Linux 6.1. Allocations come from the top, so that low memory stays free for
 * those who can use no other. This object lives only until `PageAllocator.boot()` has taken over.
 */

import { KernelBug } from '../lib/env.js';
import { PAGE_SIZE, type Paddr } from '../machine/layout.js';

/** A range of physical memory, end excluded. */
export interface MemblockRegion {
  readonly start: Paddr;
  readonly end: Paddr;
}

export const LOW_MEMORY_END = 0x9f000;
export const LOW_1M = 0x100000;

export class Memblock {
  /** RAM. */
  readonly memory: readonly MemblockRegion[];
  /** Taken ranges, sorted and merged. */
  readonly reserved: MemblockRegion[] = [];

  /**
   * @param ramSize bytes of RAM
   * @param dataEnd one past the kernel's static data, which lies from 1 MiB up
   */
  constructor(
    readonly ramSize: number,
    dataEnd: Paddr,
  ) {
    this.memory = [
      { start: PAGE_SIZE, end: LOW_MEMORY_END },
      { start: LOW_1M, end: ramSize },
    ];
    this.reserve(0, LOW_1M);
    this.reserve(LOW_1M, dataEnd);
  }

  /** Takes a range; it may overlap what is taken. @linux mm/memblock.c:memblock_reserve full */
  reserve(start: Paddr, end: Paddr): void {
    if (end <= start) return;
    const merged = { start, end };
    const rest = this.reserved.filter((r) => {
      if (r.end < merged.start || r.start > merged.end) return true;
      merged.start = Math.min(merged.start, r.start);
      merged.end = Math.max(merged.end, r.end);
      return false;
    });
    rest.push(merged);
    rest.sort((a, b) => a.start - b.start);
    this.reserved.splice(0, this.reserved.length, ...rest);
  }

  /**
   * Takes zeroed memory, the highest that fits. Too little memory for the kernel's own tables is a panic in Linux
   * and cannot happen here: the smallest machine has room for them.
   * @linux mm/memblock.c:memblock_phys_alloc_range full
   */
  alloc(bytes: number, align = 64): Paddr {
    let top = this.ramSize;
    for (let i = this.reserved.length - 1; i >= -1; i--) {
      const start = Math.floor((top - bytes) / align) * align;
      const floor = i < 0 ? LOW_1M : this.reserved[i].end;
      if (start >= floor) {
        this.reserve(start, start + bytes);
        return start;
      }
      if (i >= 0) top = this.reserved[i].start;
    }
    throw new KernelBug(`memblock: no ${bytes} bytes free for the kernel's own tables`);
  }

  /** RAM that nobody has taken, lowest first. @linux mm/memblock.c:memblock_free_all partial: ranges only */
  free(): MemblockRegion[] {
    const ranges: MemblockRegion[] = [];
    for (const { start, end } of this.memory) {
      let at = start;
      for (const r of this.reserved) {
        if (r.end <= at || r.start >= end) continue;
        if (r.start > at) ranges.push({ start: at, end: r.start });
        at = r.end;
      }
      if (at < end) ranges.push({ start: at, end });
    }
    return ranges;
  }

  /** Pages of RAM within [startPfn, endPfn). */
  presentPages(startPfn: number, endPfn: number): number {
    let pages = 0;
    for (const { start, end } of this.memory)
      pages += Math.max(0, Math.min(end / PAGE_SIZE, endPfn) - Math.max(start / PAGE_SIZE, startPfn));
    return pages;
  }
}
