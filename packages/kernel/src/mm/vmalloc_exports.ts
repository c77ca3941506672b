// SPDX-License-Identifier: MIT
/** vmalloc, vmap and ioremap as C modules call them. Whatever they pass, they get what Linux gives: memory, NULL or a report. */

import type { KernelExports } from '../arch/wasm64/exports.js';
import { type Handle, PAGE_SIZE, type Vaddr, VMEMMAP_START } from '../machine/layout.js';
import { __GFP_ZERO, GFP_DMA32, GFP_KERNEL } from './gfp.js';
import { IOREMAP_UC, IOREMAP_UC_MINUS, IOREMAP_WB, IOREMAP_WC, IOREMAP_WT, type Ioremap } from './ioremap.js';
import { Page, pageToVmemmap } from './page.js';
import { _PAGE_NX_HI, type Protection } from './pgtable.js';
import { vmMapRam, vmUnmapRam } from './vm_map_ram.js';
import type { Vmalloc } from './vmalloc.js';
import { VM_ALLOW_HUGE_VMAP, VM_USERMAP, VmStruct } from './vmalloc_types.js';

const GFP_VMALLOC32 = GFP_DMA32 | GFP_KERNEL;
const GFP_ZEROED = GFP_KERNEL | __GFP_ZERO;
const EXACT = 2n ** 53n;

export const vmallocExports = (vmalloc: Vmalloc, ioremap: Ioremap): KernelExports => ({
  ...allocExports(vmalloc),
  ...mapExports(vmalloc),
  ...ioremapExports(vmalloc, ioremap),
});

function allocExports(vmalloc: Vmalloc): KernelExports {
  const { reports } = vmalloc.env;
  /** Sizes come as bigints so that a report shows them to the last digit. */
  const alloc = (bytes: bigint, gfp: number, flags = 0): Vaddr => {
    const size = BigInt.asUintN(64, bytes);
    if (size > EXACT) return vmalloc.tooLarge(gfp, size);
    return vmalloc.alloc({ size: Number(size), gfp, flags, caller: reports.callerAddress() });
  };
  const array = (n: bigint, size: bigint, gfp: number): Vaddr => {
    const bytes = BigInt.asUintN(64, n) * BigInt.asUintN(64, size);
    return bytes >> 64n === 0n ? alloc(bytes, gfp) : 0;
  };
  return {
    vmalloc: ['p:q', (size: bigint) => alloc(size, GFP_KERNEL)],
    vzalloc: ['p:q', (size: bigint) => alloc(size, GFP_ZEROED)],
    vmalloc_node: ['p:qi', (size: bigint) => alloc(size, GFP_KERNEL)],
    vzalloc_node: ['p:qi', (size: bigint) => alloc(size, GFP_ZEROED)],
    vmalloc_user: ['p:q', (size: bigint) => alloc(size, GFP_ZEROED, VM_USERMAP)],
    vmalloc_32: ['p:q', (size: bigint) => alloc(size, GFP_VMALLOC32)],
    vmalloc_32_user: ['p:q', (size: bigint) => alloc(size, GFP_VMALLOC32 | __GFP_ZERO, VM_USERMAP)],
    vmalloc_huge: ['p:qu', (size: bigint, gfp: number) => alloc(size, gfp, VM_ALLOW_HUGE_VMAP)],
    __vmalloc: ['p:qu', (size: bigint, gfp: number) => alloc(size, gfp)],
    __vmalloc_array: ['p:qqu', (n: bigint, size: bigint, gfp: number) => array(n, size, gfp)],
    vmalloc_array: ['p:qq', (n: bigint, size: bigint) => array(n, size, GFP_KERNEL)],
    __vcalloc: ['p:qqu', (n: bigint, size: bigint, gfp: number) => array(n, size, gfp | __GFP_ZERO)],
    vcalloc: ['p:qq', (n: bigint, size: bigint) => array(n, size, GFP_ZEROED)],
    vfree: ['v:p', (address: Vaddr) => void vmalloc.vfree(address)],
    // Nothing here runs in interrupt context, so nothing need be put off.
    vfree_atomic: ['v:p', (address: Vaddr) => void vmalloc.vfree(address)],
  };
}

function mapExports(vmalloc: Vmalloc): KernelExports {
  const { env, deps, mapping } = vmalloc;
  const { map } = deps.pages;
  const pointer = (page: Handle): Vaddr => (page === 0 ? 0 : pageToVmemmap(map.base, page));
  const vmStructOf = (vm: Handle): Vaddr => (vm === 0 ? 0 : env.ram.addressOf(vm));
  const toPage = (address: Vaddr): Vaddr => pointer(mapping.toPage(address));
  return {
    vmap: [
      'p:puzq',
      (pages: Vaddr, count: number, flags: number, prot: bigint) => {
        // Executable or not: vmap() takes that right away.
        const bits = { lo: Number(prot & BigInt(PAGE_SIZE - 1)), hi: _PAGE_NX_HI };
        return vmalloc.vmap(pages, count, flags | 0, bits, env.reports.callerAddress());
      },
    ],
    vunmap: ['v:p', (address: Vaddr) => void vmalloc.vunmap(address)],
    vm_map_ram: ['p:pui', (pages: Vaddr, count: number) => vmMapRam(vmalloc, pages, count)],
    vm_unmap_ram: ['v:pu', (address: Vaddr) => void vmUnmapRam(vmalloc, address)],
    vm_unmap_aliases: ['v:', () => void vmalloc.areas.purgeLazy()],
    get_vm_area: [
      'p:zz',
      (size: number, flags: number) => {
        const caller = env.reports.callerAddress();
        const vm = size === 0 ? 0 : vmalloc.getVmArea({ size, gfp: GFP_KERNEL, flags: flags | 0, caller });
        return vm === 0 ? 0 : env.ram.addressOf(vm);
      },
    ],
    find_vm_area: ['p:p', (address: Vaddr) => vmStructOf(vmalloc.findVmArea(address))],
    remove_vm_area: ['p:p', (address: Vaddr) => vmStructOf(vmalloc.removeVmArea(address))],
    vmalloc_nr_pages: ['z:', () => vmalloc.nrPages],
    free_vm_area: ['v:p', (vm: Vaddr) => void vmalloc.freeVmArea(vmStructAt(vmalloc, vm))],
    vmalloc_to_page: ['p:p', toPage],
    vmalloc_to_pfn: ['z:p', (address: Vaddr) => (toPage(address) - VMEMMAP_START) / Page.size],
    is_vmalloc_addr: ['b:p', (address: Vaddr) => vmalloc.isVmallocAddr(address)],
    is_vmalloc_or_module_addr: ['i:p', (address: Vaddr) => +vmalloc.isVmallocOrModuleAddr(address)],
  };
}

/** The struct that C points to. A pointer that leads nowhere is the oops that using it is. */
function vmStructAt({ env }: Vmalloc, address: Vaddr): Handle {
  if (env.ram.isDirect(address, VmStruct.size) && address % 8 === 0) return env.ram.handleOf(address);
  env.guest.read(address, VmStruct.size);
  return env.reports.bug('mm/vmalloc.c', 2535, 'free_vm_area');
}

function ioremapExports({ env }: Vmalloc, io: Ioremap): KernelExports {
  const u64 = (n: bigint) => BigInt.asUintN(64, n);
  const map = (prot: Protection) => (physical: bigint, size: bigint) =>
    io.map(u64(physical), u64(size), prot, env.reports.callerAddress());
  return {
    ioremap: ['p:qq', map(IOREMAP_UC_MINUS)],
    ioremap_uc: ['p:qq', map(IOREMAP_UC)],
    ioremap_wc: ['p:qq', map(IOREMAP_WC)],
    ioremap_wt: ['p:qq', map(IOREMAP_WT)],
    ioremap_cache: ['p:qq', map(IOREMAP_WB)],
    iounmap: ['v:p', (address: Vaddr) => void io.unmap(address)],
    memremap: [
      'p:qqz',
      (physical: bigint, size: bigint, flags: number) =>
        io.memremap(u64(physical), u64(size), flags | 0, env.reports.callerAddress()),
    ],
    memunmap: ['v:p', (address: Vaddr) => void io.memunmap(address)],
  };
}
