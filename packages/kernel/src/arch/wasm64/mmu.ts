// SPDX-License-Identifier: MIT
/**
 * The memory-management unit: TLBs and the walker of x86-64 page tables, as one generated WebAssembly module, and
 * the same walk for the kernel's own use.
 *
 * Page-table entries have x86-64's format. The walker sets the accessed bit of the leaf, and the dirty bit when it
 * walks for a write; it fills the read TLB or the write TLB accordingly, so the first write to a clean page always
 * walks. The kernel runs with CR0.WP, NX, SMEP and SMAP in effect.
 */

import {
  PAGE_OFFSET,
  REG,
  TLB_ENTRIES,
  TLB_FETCH,
  TLB_READ,
  TLB_WRITE,
  type Vaddr,
} from '../../machine/layout.js';
import type { Ram } from '../../machine/ram.js';
import { buildMmuModule, WALK_FAILED, WALK_NONCANONICAL } from './mmu_code.js';

export {
  PF_INSTR,
  PF_PROT,
  PF_RSVD,
  PF_USER,
  PF_WRITE,
  WALK_BUS_ERROR,
  WALK_NONCANONICAL,
} from './mmu_code.js';

/** What the MMU asks of the kernel. Addresses come as two 32-bit halves. */
export interface MmuHandlers {
  /**
   * A walk failed. Returns to have it tried again, or throws.
   * @param code x86 page-fault error code, or WALK_NONCANONICAL or WALK_BUS_ERROR
   * @param pc low 32 bits of the address of the guest instruction; 0 if the kernel itself made the access
   */
  fault(lo: number, hi: number, size: number, code: number, pc: number): void;
  /** Looks up the target of an indirect call: the host table index, or throws. */
  fetch(lo: number, hi: number, signature: number, pc: number): number;
}

interface MmuExports {
  readSlow: unknown;
  writeSlow: unknown;
  fetchSlow: unknown;
  memmove: unknown;
  memset: unknown;
  /** walk(lo, hi, access): physical address, or WALK_FAILED | code. */
  walk(lo: number, hi: number, access: number): number;
}

const TWO32 = 4294967296;

export class Mmu {
  readonly code: MmuExports;

  constructor(
    private readonly ram: Ram,
    table: WebAssembly.Table,
    private readonly handlers: MmuHandlers,
    /** Bytes of the direct map that are mapped for certain: all of RAM, unless pages are taken out of it. */
    readonly directBytes = ram.size,
  ) {
    const module = new WebAssembly.Module(buildMmuModule(ram.size, directBytes));
    const instance = new WebAssembly.Instance(module, {
      env: { memory: ram.memory, table },
      kernel: { fault: handlers.fault.bind(handlers), fetch: handlers.fetch.bind(handlers) },
    });
    this.code = instance.exports as unknown as MmuExports;
    this.flush();
  }

  get cr3(): number {
    return this.ram.host32[REG.cr3 >> 2];
  }

  /** Switches page tables; flushes the TLBs. */
  set cr3(paddr: number) {
    this.ram.host32[REG.cr3 >> 2] = paddr;
    this.flush();
  }

  /** Empties all TLBs. An empty entry holds the tag of a page that selects the neighbouring entry. */
  flush(): void {
    const { host32 } = this.ram;
    for (let i = 0; i < TLB_ENTRIES; i++) {
      for (const tlb of [TLB_READ, TLB_WRITE]) {
        const w = (tlb >> 2) + 4 * i;
        host32[w] = (i ^ 1) << 12;
        host32[w + 1] = 0;
      }
    }
    this.flushFetch();
  }

  /** Forgets where indirect calls lead: after code was unloaded or its page permissions changed. */
  flushFetch(): void {
    const { host32 } = this.ram;
    for (let i = 0; i < TLB_ENTRIES; i++) {
      const w = (TLB_FETCH >> 2) + 4 * i;
      host32[w] = i ^ 1;
      host32[w + 1] = 0;
    }
  }

  /** Forgets one page, as INVLPG does. */
  flushPage(address: Vaddr): void {
    const page = Math.floor(address / 4096);
    const i = page & (TLB_ENTRIES - 1);
    for (const tlb of [TLB_READ, TLB_WRITE]) {
      const w = (tlb >> 2) + 4 * i;
      this.ram.host32[w] = (i ^ 1) << 12;
      this.ram.host32[w + 1] = 0;
    }
  }

  /** Remembers the host table index of an indirect call's target for one signature. */
  fillFetch(lo: number, hi: number, signature: number, index: number): void {
    const w = (TLB_FETCH >> 2) + 4 * (lo & (TLB_ENTRIES - 1));
    const { host32 } = this.ram;
    host32[w] = lo;
    host32[w + 1] = hi;
    host32[w + 2] = signature;
    host32[w + 3] = index;
  }

  /**
   * Walks the page tables as an access would, setting accessed and dirty bits.
   * @param access PF_WRITE, PF_INSTR or 0
   * @returns the physical address, or a negative number whose low bits are the fault code
   */
  walk(address: Vaddr, access: number): number {
    return this.code.walk(address | 0, Math.floor(address / TWO32) | 0, access);
  }

  /**
   * Physical address of a guest address for an access by the kernel; a failed walk is a fault of the kernel's own,
   * which the handler reports (and does not return from unless it mapped the page).
   */
  resolve(address: Vaddr, write: boolean): number {
    const direct = address - PAGE_OFFSET;
    if (direct >= 0 && direct < this.directBytes) return direct;
    for (;;) {
      const p = this.walkChecked(address, write);
      if (p >= 0) return p;
      this.handlers.fault(address | 0, Math.floor(address / TWO32) | 0, 1, p & ~WALK_FAILED, 0);
    }
  }

  /** Physical address, or -1 if the kernel could not make this access. Never faults. */
  translate(address: Vaddr, write = false): number {
    const direct = address - PAGE_OFFSET;
    if (direct >= 0 && direct < this.directBytes) return direct;
    const p = this.walkChecked(address, write);
    return p >= 0 ? p : -1;
  }

  /** A number that is no 64-bit address at all (a careless cast in the kernel) counts as non-canonical. */
  private walkChecked(address: Vaddr, write: boolean): number {
    if (!Number.isSafeInteger(address)) return WALK_FAILED | WALK_NONCANONICAL;
    return this.walk(address, write ? 2 : 0);
  }
}
