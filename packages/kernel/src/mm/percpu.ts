// SPDX-License-Identifier: MIT
/**
 * Per-CPU memory: one object for each CPU.
 *
 * A chunk is one block of pages, cut into a unit for every CPU, all UNIT_SIZE apart:
 *
 *     chunk   | unit of CPU 0 | unit of CPU 1 | … |
 *             ^ object        ^ object + UNIT_SIZE
 *
 * A per-CPU pointer is the address of CPU 0's copy; CPU n's lies n·UNIT_SIZE further, in every chunk. Which bytes
 * of a unit are taken, a map of 16-byte granules in a page of its own tells: bit "taken", and bit "last of its
 * object", by which freeing knows the size.
 */

import type { Env } from '../lib/env.js';
import { array, ptr, struct, u32, uint } from '../lib/struct.js';
import { step } from '../lib/walk.js';
import { type Handle, PAGE_SIZE, type Vaddr } from '../machine/layout.js';
import { GFP_KERNEL } from './gfp.js';

/** What per-CPU memory needs of the page allocator. */
export interface PerCpuPageSource {
  allocPages(gfp: number, order: number): Handle;
  freePages(page: Handle, order: number): void;
  pageAddress(page: Handle): Vaddr;
}

export const PCPU_UNIT_SIZE = 32768;
/** Bytes that the static variables of modules may take for each CPU. */
export const PERCPU_MODULE_RESERVE = 8192;
/** From one CPU's copy to the next, in words. */
export const PCPU_UNIT_WORDS = PCPU_UNIT_SIZE / 4;
const GRANULE = 16;
const MAP_WORDS = PCPU_UNIT_SIZE / GRANULE / 32;
const MAX_ALIGN = PAGE_SIZE;

/** The head of a chunk, in its own page. */
const PcpuChunk = struct('pcpu_chunk', {
  next: ptr('struct pcpu_chunk'),
  base: ptr('void'),
  free_granules: uint,
  order: uint,
  alloc_map: array(u32, MAP_WORDS),
  bound_map: array(u32, MAP_WORDS),
});
const BASE = PcpuChunk.w.base;
const FREE = PcpuChunk.w.free_granules;
const ALLOC_MAP = PcpuChunk.w.alloc_map;
const BOUND_MAP = PcpuChunk.w.bound_map;

export class PerCpu {
  private readonly chunks: Handle;
  /** `unsigned long __per_cpu_offset[nr_cpus]`: from CPU 0's copy to each CPU's. */
  private readonly offsets: Handle;

  constructor(
    private readonly env: Env,
    private readonly pages: PerCpuPageSource,
  ) {
    this.chunks = env.data.declare('pcpu_chunk_list', 8);
    this.offsets = env.data.declare('__per_cpu_offset', 8 * env.nrCpus);
  }

  /** @linux mm/percpu.c:setup_per_cpu_areas full */
  boot(): void {
    for (let cpu = 0; cpu < this.env.nrCpus; cpu++)
      this.env.ram.set64(this.offsets + 2 * cpu, cpu * PCPU_UNIT_SIZE);
  }

  /**
   * Allocates `size` zeroed bytes for every CPU.
   * @param size 1 to PCPU_UNIT_SIZE
   * @param align a power of two up to a page
   * @returns handle of CPU 0's copy; 0 if there is no memory, or size or alignment are out of range
   * @linux mm/percpu.c:pcpu_alloc differs: units are always backed by pages
   */
  alloc(size: number, align: number, gfp = GFP_KERNEL): Handle {
    if (!(size >= 1 && size <= PCPU_UNIT_SIZE && align <= MAX_ALIGN && (align & (align - 1)) === 0)) {
      this.env.reports.warn(
        'mm/percpu.c',
        1755,
        'pcpu_alloc',
        `illegal size (${size}) or align (${align}) for percpu allocation`,
      );
      return 0;
    }
    const granules = Math.ceil(size / GRANULE);
    const stride = Math.max(1, align / GRANULE);
    for (const chunk of this.allChunks()) {
      const at = this.findRun(chunk, granules, stride);
      if (at >= 0) return this.take(chunk, at, granules);
    }
    const chunk = this.addChunk(gfp);
    return chunk === 0 ? 0 : this.take(chunk, 0, granules);
  }

  /**
   * Frees what `alloc` returned; 0 is ignored, and so is a handle that no chunk knows.
   * @linux mm/percpu.c:free_percpu partial: empty chunks are kept
   */
  free(object: Handle): void {
    const { ram } = this.env;
    for (const chunk of this.allChunks()) {
      const offset = (object - ram.ptr(chunk + BASE)) * 4;
      if (!(offset >= 0 && offset < PCPU_UNIT_SIZE) || offset % GRANULE !== 0) continue;
      this.release(chunk, offset / GRANULE);
      return;
    }
  }

  /** CPU `cpu`'s copy of a per-CPU object. */
  of(object: Handle, cpu: number): Handle {
    return object + cpu * PCPU_UNIT_WORDS;
  }

  /** True if an address lies in per-CPU memory. @linux mm/percpu.c:is_kernel_percpu_address full */
  contains(address: Vaddr): boolean {
    const { ram, nrCpus } = this.env;
    for (const chunk of this.allChunks()) {
      const offset = address - ram.addressOf(ram.ptr(chunk + BASE));
      if (offset >= 0 && offset < nrCpus * PCPU_UNIT_SIZE) return true;
    }
    return false;
  }

  /** Pages that chunks occupy. @linux mm/percpu.c:pcpu_nr_pages full */
  nrPages(): number {
    const { ram } = this.env;
    let nr = 0;
    for (const chunk of this.allChunks()) nr += 1 << ram.u32[chunk + PcpuChunk.w.order];
    return nr;
  }

  /** Bytes in use in one CPU's units. */
  usedBytes(): number {
    const { ram } = this.env;
    let used = 0;
    for (const chunk of this.allChunks()) used += PCPU_UNIT_SIZE - ram.u32[chunk + FREE] * GRANULE;
    return used;
  }

  /** Newest first. */
  private *allChunks(): Generator<Handle> {
    const { ram } = this.env;
    for (let chunk = ram.ptr(this.chunks); chunk !== 0; chunk = ram.ptr(chunk)) {
      step(ram);
      yield chunk;
    }
  }

  private taken(chunk: Handle, granule: number): boolean {
    return ((this.env.ram.i32[chunk + ALLOC_MAP + (granule >> 5)] >>> (granule & 31)) & 1) === 1;
  }

  /** First fit. */
  private findRun(chunk: Handle, granules: number, step: number): number {
    const total = PCPU_UNIT_SIZE / GRANULE;
    if (this.env.ram.u32[chunk + FREE] < granules) return -1;
    for (let start = 0; start + granules <= total; start += step) {
      let length = 0;
      while (length < granules && !this.taken(chunk, start + length)) length++;
      if (length === granules) return start;
      start = Math.floor((start + length) / step) * step;
    }
    return -1;
  }

  private take(chunk: Handle, start: number, granules: number): Handle {
    const { ram, nrCpus } = this.env;
    for (let g = start; g < start + granules; g++) ram.i32[chunk + ALLOC_MAP + (g >> 5)] |= 1 << (g & 31);
    const last = start + granules - 1;
    ram.i32[chunk + BOUND_MAP + (last >> 5)] |= 1 << (last & 31);
    ram.u32[chunk + FREE] -= granules;
    const object = ram.ptr(chunk + BASE) + (start * GRANULE) / 4;
    for (let cpu = 0; cpu < nrCpus; cpu++) ram.fill(this.of(object, cpu) * 4, granules * GRANULE, 0);
    return object;
  }

  private release(chunk: Handle, start: number): void {
    const { ram } = this.env;
    for (let g = start; g < PCPU_UNIT_SIZE / GRANULE && this.taken(chunk, g); g++) {
      const bit = 1 << (g & 31);
      const word = g >> 5;
      ram.i32[chunk + ALLOC_MAP + word] &= ~bit;
      ram.u32[chunk + FREE]++;
      if ((ram.i32[chunk + BOUND_MAP + word] & bit) === 0) continue;
      ram.i32[chunk + BOUND_MAP + word] &= ~bit;
      return;
    }
  }

  private addChunk(gfp: number): Handle {
    const { ram, nrCpus } = this.env;
    let order = 3;
    while (4096 << order < PCPU_UNIT_SIZE * nrCpus) order++;
    const head = this.pages.allocPages(gfp, 0);
    if (head === 0) return 0;
    const page = this.pages.allocPages(gfp, order);
    if (page === 0) {
      this.pages.freePages(head, 0);
      return 0;
    }
    const chunk = ram.handleOf(this.pages.pageAddress(head));
    ram.fill(chunk * 4, PAGE_SIZE, 0);
    ram.setPtr(chunk + BASE, ram.handleOf(this.pages.pageAddress(page)));
    ram.u32[chunk + FREE] = PCPU_UNIT_SIZE / GRANULE;
    ram.u32[chunk + PcpuChunk.w.order] = order;
    ram.setPtr(chunk, ram.ptr(this.chunks));
    ram.setPtr(this.chunks, chunk);
    return chunk;
  }
}
