// SPDX-License-Identifier: MIT
/**
 * Page tables of four levels in x86-64's format, in RAM.
 *
 *     bits 47-39  PGD index     entry: bits 51-12 the frame of the next table or of the page
 *     bits 38-30  PUD index            bit 0 present, 1 writable, 2 user, 5 accessed, 6 dirty,
 *     bits 29-21  PMD index                7 large page (PMD: 2 MiB), 8 global, 63 not executable
 *     bits 20-12  PTE index
 *
 * This file only reads and writes entries; the walk that hardware does is in arch/wasm64/mmu.ts, and whoever changes
 * or removes an entry flushes the TLB.
 */

import { type Handle, PAGE_SIZE, type Paddr, type Vaddr } from '../machine/layout.js';
import type { Ram } from '../machine/ram.js';

export const _PAGE_PRESENT = 0x1;
export const _PAGE_RW = 0x2;
export const _PAGE_USER = 0x4;
export const _PAGE_PWT = 0x8;
export const _PAGE_PCD = 0x10;
export const _PAGE_ACCESSED = 0x20;
export const _PAGE_DIRTY = 0x40;
export const _PAGE_PSE = 0x80;
export const _PAGE_GLOBAL = 0x100;
/** Bit 63, kept apart from the low flags because it lies in the upper word. */
export const _PAGE_NX_HI = 0x80000000 | 0;

export const PGDIR_SHIFT = 39;
export const PUD_SHIFT = 30;
export const PMD_SHIFT = 21;
export const PMD_SIZE = 2 ** PMD_SHIFT;
const SHIFTS = [PGDIR_SHIFT, PUD_SHIFT, PMD_SHIFT, 12] as const;
const ENTRIES = 512;

/** Protection of a page. */
export interface Protection {
  /** Low flag bits, without _PAGE_PRESENT. */
  readonly flags: number;
  readonly executable: boolean;
}

const kernelPage = _PAGE_GLOBAL | _PAGE_ACCESSED;
export const PAGE_KERNEL: Protection = { flags: kernelPage | _PAGE_RW | _PAGE_DIRTY, executable: false };
export const PAGE_KERNEL_RO: Protection = { flags: kernelPage, executable: false };
export const PAGE_KERNEL_ROX: Protection = { flags: kernelPage, executable: true };
export const PAGE_KERNEL_EXEC: Protection = { flags: kernelPage | _PAGE_RW | _PAGE_DIRTY, executable: true };

/** An entry where a walk ended, and at which level: 0 PGD, 1 PUD, 2 PMD, 3 PTE. */
export interface Walk {
  readonly entry: Handle;
  readonly level: number;
}

/** The index of an address in the table of a level. */
export function tableIndex(address: Vaddr, level: number): number {
  return Math.floor(address / 2 ** SHIFTS[level]) & (ENTRIES - 1);
}

export class PageTables {
  /**
   * @param root physical address of the top table
   * @param allocTable gives a zeroed page frame for a table, or -1
   */
  constructor(
    private readonly ram: Ram,
    readonly root: Paddr,
    private readonly allocTable: () => Paddr,
  ) {}

  /** Frame that an entry leads to. */
  frame(entry: Handle): Paddr {
    return (
      (this.ram.u32[entry + 1] & 0xfffff) * 4294967296 + ((this.ram.u32[entry] & ~(PAGE_SIZE - 1)) >>> 0)
    );
  }

  /** Follows the tables as far as they go: the last entry read, present or not. */
  walk(address: Vaddr): Walk {
    let table = this.root;
    for (let level = 0; ; level++) {
      const entry = table / 4 + 2 * tableIndex(address, level);
      const low = this.ram.i32[entry];
      if (level === 3 || !(low & _PAGE_PRESENT) || low & _PAGE_PSE) return { entry, level };
      table = this.frame(entry);
      if (table >= this.ram.size) return { entry, level };
    }
  }

  /** Every entry on the way to an address, from the PGD down. */
  path(address: Vaddr): Handle[] {
    const entries: Handle[] = [];
    let table = this.root;
    for (let level = 0; level < 4 && table < this.ram.size; level++) {
      const entry = table / 4 + 2 * tableIndex(address, level);
      entries.push(entry);
      const low = this.ram.i32[entry];
      if (!(low & _PAGE_PRESENT) || low & _PAGE_PSE) break;
      table = this.frame(entry);
    }
    return entries;
  }

  /** Entry of an address at a level, with tables made on the way; 0 if there is no memory for one. */
  private entryFor(address: Vaddr, level: number): Handle {
    let table = this.root;
    for (let l = 0; l < level; l++) {
      const entry = table / 4 + 2 * tableIndex(address, l);
      if (!(this.ram.i32[entry] & _PAGE_PRESENT)) {
        const frame = this.allocTable();
        if (frame < 0) return 0;
        this.write(entry, frame, { flags: _PAGE_RW | _PAGE_ACCESSED, executable: true });
        this.ram.i32[entry] |= address >= 0 ? _PAGE_USER : 0;
      }
      table = this.frame(entry);
    }
    return table / 4 + 2 * tableIndex(address, level);
  }

  private write(entry: Handle, frame: Paddr, { flags, executable }: Protection): void {
    this.ram.i32[entry] = frame | flags | _PAGE_PRESENT;
    this.ram.i32[entry + 1] = Math.floor(frame / 4294967296) | (executable ? 0 : _PAGE_NX_HI);
  }

  /** Maps one page of 4 KiB; false if there is no memory for a table. */
  map(address: Vaddr, frame: Paddr, protection: Protection): boolean {
    const entry = this.entryFor(address, 3);
    if (entry === 0) return false;
    this.write(entry, frame, protection);
    return true;
  }

  /** Maps one page of 2 MiB. */
  mapLarge(address: Vaddr, frame: Paddr, { flags, executable }: Protection): boolean {
    const entry = this.entryFor(address, 2);
    if (entry === 0) return false;
    this.write(entry, frame, { flags: flags | _PAGE_PSE, executable });
    return true;
  }

  /** Maps a range of RAM with the largest pages that fit, or only with 4 KiB pages. */
  mapRange(address: Vaddr, frame: Paddr, bytes: number, protection: Protection, largePages = true): boolean {
    for (let done = 0; done < bytes; ) {
      const large =
        largePages &&
        (address + done) % PMD_SIZE === 0 &&
        (frame + done) % PMD_SIZE === 0 &&
        bytes - done >= PMD_SIZE;
      const ok = large
        ? this.mapLarge(address + done, frame + done, protection)
        : this.map(address + done, frame + done, protection);
      if (!ok) return false;
      done += large ? PMD_SIZE : PAGE_SIZE;
    }
    return true;
  }

  /** Removes the mapping of a 4 KiB page; returns its frame, or -1 if there was none. */
  unmap(address: Vaddr): Paddr {
    const { entry, level } = this.walk(address);
    if (level !== 3 || !(this.ram.i32[entry] & _PAGE_PRESENT)) return -1;
    const frame = this.frame(entry);
    this.ram.i32[entry] = 0;
    this.ram.i32[entry + 1] = 0;
    return frame;
  }

  /** Makes a page that has an entry present, or not; the frame and protection in the entry stay. */
  setPresent(address: Vaddr, present: boolean): void {
    const { entry, level } = this.walk(address);
    if (level !== 3) return;
    const low = this.ram.i32[entry];
    this.ram.i32[entry] = present ? low | _PAGE_PRESENT : low & ~_PAGE_PRESENT;
  }

  /** Changes the protection of a mapped 4 KiB page. */
  protect(address: Vaddr, protection: Protection): void {
    const { entry, level } = this.walk(address);
    if (level === 3 && this.ram.i32[entry] & _PAGE_PRESENT) this.write(entry, this.frame(entry), protection);
  }
}
