// SPDX-License-Identifier: MIT
/**
 * Addresses for physical memory that is not RAM: what a driver maps its device's registers with. RAM is refused, as
 * on x86, since two mappings of one page with different caching would not agree. This machine has no devices: what
 * is mapped here can be read by nobody without a machine check, but for the hole below 1 MiB.
 */

import { KERN_ERR, KERN_WARNING } from '../lib/env.js';
import type { Handle } from '../machine/layout.js';
import { PAGE_OFFSET, PAGE_SIZE, type Paddr, type Vaddr } from '../machine/layout.js';
import { GFP_KERNEL } from './gfp.js';
import { LOW_1M } from './memblock.js';
import { PG_reserved, pageFlag } from './page.js';
import { _PAGE_PCD, _PAGE_PWT, PAGE_KERNEL, type Protection } from './pgtable.js';
import { hexAddress } from './slub_report.js';
import type { Vmalloc } from './vmalloc.js';
import { VM_IOREMAP } from './vmalloc_types.js';
import { protectionBits } from './vmap_pages.js';

const FILE = 'arch/x86/mm/ioremap.c';
/** Bits of a physical address that the CPU has. */
const X86_PHYS_BITS = 46n;
const ONE = 1n;
const MASK64 = (ONE << 64n) - ONE;

export const MEMREMAP_WB = 1;
const MEMREMAP_WT = 2;
const MEMREMAP_WC = 4;

const cached = (bits: number): Protection => ({ ...PAGE_KERNEL, flags: PAGE_KERNEL.flags | bits });
/** Page protections by way of caching. */
export const IOREMAP_UC_MINUS = cached(_PAGE_PCD);
export const IOREMAP_UC = cached(_PAGE_PCD | _PAGE_PWT);
export const IOREMAP_WC = cached(_PAGE_PWT);
export const IOREMAP_WT = cached(_PAGE_PWT);
export const IOREMAP_WB = PAGE_KERNEL;

/** Bits of the warnings that are given once. */
const WARNED = { invalid: 1, ram: 2, mixed: 4, notWb: 8 } as const;

export class Ioremap {
  private readonly warnedVar: Handle;

  constructor(private readonly vmalloc: Vmalloc) {
    this.warnedVar = vmalloc.env.data.declare('ioremap_warned', 4);
  }

  /**
   * Maps `size` bytes from a physical address.
   * @returns the address of the first byte, or 0
   * @linux arch/x86/mm/ioremap.c:__ioremap_caller partial: no memory types to agree with
   */
  map(physical: bigint, size: bigint, prot: Protection, caller: Vaddr): Vaddr {
    const { vmalloc } = this;
    const last = (physical + size - ONE) & MASK64;
    if (size === 0n || last < physical) return 0;
    if (physical >> X86_PHYS_BITS !== 0n) {
      vmalloc.env.log.log(KERN_WARNING, `ioremap: invalid physical address ${physical.toString(16)}`);
      this.warnOnce('invalid', FILE, 201, '__ioremap_caller');
      return 0;
    }
    const start = Number(physical);
    if (this.usesRam(start, Number(last))) {
      const range = `${pa(physical)} - ${pa(last)}`;
      this.warnOnce('ram', FILE, 216, '__ioremap_caller', `ioremap on RAM at ${range}`);
      return 0;
    }
    const frame = start - (start % PAGE_SIZE);
    const bytes = Math.ceil((Number(last) + 1) / PAGE_SIZE) * PAGE_SIZE - frame;
    const vm = vmalloc.getVmArea({ size: bytes, gfp: GFP_KERNEL, caller, flags: VM_IOREMAP });
    if (vm === 0) return 0;
    const v = vmalloc.vm(vm);
    v.phys_addr = frame;
    if (vmalloc.mapping.mapFrames(v.addr, v.addr + bytes, frame, protectionBits(prot)) === 0)
      return v.addr + (start % PAGE_SIZE);
    vmalloc.freeVmArea(vm);
    return 0;
  }

  /** Undoes `map`. @linux arch/x86/mm/ioremap.c:iounmap full */
  unmap(address: Vaddr): void {
    const { vmalloc } = this;
    const { env, deps } = vmalloc;
    if (address >= 0 || address <= PAGE_OFFSET + env.ram.size) return;
    const page = Math.floor(address / PAGE_SIZE) * PAGE_SIZE;
    const vm = vmalloc.findVmArea(page);
    if (vm === 0) {
      env.log.log(KERN_ERR, `iounmap: bad address ${hexAddress(page)}`);
      env.reports.dumpStack(['iounmap']);
      return;
    }
    if (vmalloc.removeVmArea(page) !== vm) env.reports.bug(FILE, 488, 'iounmap');
    deps.slub.free(vm);
  }

  /**
   * Memory at a physical address as ordinary memory: RAM by its place in the direct map.
   * @param flags MEMREMAP_*
   */
  memremap(physical: bigint, size: bigint, flags: number, caller: Vaddr): Vaddr {
    if (flags === 0) return 0;
    const ram = this.ramShare(physical, size);
    const where = `${pa(physical)} size: 0x${size.toString(16)}`;
    if (ram === 'mixed') {
      this.warnOnce('mixed', 'kernel/iomem.c', 82, 'memremap', `memremap attempted on mixed range ${where}`);
      return 0;
    }
    if (ram === 'all' && flags & MEMREMAP_WB) return PAGE_OFFSET + Number(physical);
    if (flags & MEMREMAP_WB) {
      const address = this.map(physical, size, IOREMAP_WB, caller);
      if (address !== 0) return address;
    }
    if (ram === 'all') {
      this.warnOnce('notWb', 'kernel/iomem.c', 112, 'memremap', `memremap attempted on ram ${where}`);
      return 0;
    }
    const through = flags & MEMREMAP_WT ? this.map(physical, size, IOREMAP_WT, caller) : 0;
    return through === 0 && flags & MEMREMAP_WC ? this.map(physical, size, IOREMAP_WC, caller) : through;
  }

  /** Undoes `memremap`. */
  memunmap(address: Vaddr): void {
    if (this.vmalloc.isVmallocAddr(address)) this.unmap(address);
  }

  private warnOnce(
    what: keyof typeof WARNED,
    file: string,
    line: number,
    symbol: string,
    message?: string,
  ): void {
    const { ram, reports } = this.vmalloc.env;
    if (ram.i32[this.warnedVar] & WARNED[what]) return;
    ram.i32[this.warnedVar] |= WARNED[what];
    reports.warn(file, line, symbol, message);
  }

  /** True if a page that the kernel gives out lies in [start, last]. @linux arch/x86/mm/ioremap.c:__ioremap_check_ram full */
  private usesRam(start: Paddr, last: Paddr): boolean {
    const { map } = this.vmalloc.deps.pages;
    const end = Math.min(Math.floor(last / PAGE_SIZE) + 1, map.maxPfn);
    for (let pfn = Math.floor(start / PAGE_SIZE); pfn < end; pfn++)
      if (!pageFlag(map.ram, map.pfnToPage(pfn), PG_reserved)) return true;
    return false;
  }

  /** How much of a range is RAM above the first MiB. */
  private ramShare(physical: bigint, size: bigint): 'none' | 'all' | 'mixed' {
    const end = physical + size;
    const [low, high] = [BigInt(LOW_1M), BigInt(this.vmalloc.env.ram.size)];
    if (physical >= low && end <= high) return 'all';
    return end <= low || physical >= high ? 'none' : 'mixed';
  }
}

/** A physical address as %pa prints it. */
const pa = (physical: bigint): string => `0x${physical.toString(16).padStart(16, '0')}`;
