// SPDX-License-Identifier: MIT
/** What a page fault's report says of an address in vmalloc or module space. Linux has no such line. */

import { MODULES_END, PAGE_SIZE, type Vaddr, VMALLOC_START } from '../machine/layout.js';
import { hexAddress } from './slub_report.js';
import type { Vmalloc } from './vmalloc.js';
import { VM_NO_GUARD } from './vmalloc_types.js';

const range = (start: Vaddr, end: Vaddr): string => `0x${hexAddress(start)}-0x${hexAddress(end)}`;

/**
 * Names the area that an unmapped address belongs to, or lies next to.
 * @returns undefined if the address is mapped, lies elsewhere, or has nothing near it
 */
export function describeVmallocAddress(vmalloc: Vmalloc, address: Vaddr): string | undefined {
  if (!(address >= VMALLOC_START && address < MODULES_END) || vmalloc.mapping.isMapped(address))
    return undefined;
  const where = inArea(vmalloc, address) ?? inResting(vmalloc, address) ?? beforeArea(vmalloc, address);
  return where && `vmalloc: address is ${where}`;
}

/** `0x…-0x… caller` of the area whose struct vmap_area is given; without its guard page. */
function name(vmalloc: Vmalloc, area: number): string {
  const vm = vmalloc.areas.vm(area);
  if (vm === 0) return `${range(vmalloc.areas.start(area), vmalloc.areas.end(area))} vm_map_ram`;
  const { addr, caller } = vmalloc.vm(vm);
  const who = caller === 0 ? '' : ` ${vmalloc.env.reports.symbolize(caller)}`;
  return range(addr, addr + vmalloc.usableBytes(vm)) + who;
}

function inArea(vmalloc: Vmalloc, address: Vaddr): string | undefined {
  const { areas } = vmalloc;
  const area = areas.find(address);
  if (area === 0) return undefined;
  const vm = areas.vm(area);
  const guarded = vm !== 0 && (vmalloc.vm(vm).flags & VM_NO_GUARD) === 0;
  return guarded && address >= areas.end(area) - PAGE_SIZE
    ? `in the guard page after ${name(vmalloc, area)}`
    : `in ${name(vmalloc, area)}, where nothing is mapped`;
}

function inResting({ areas }: Vmalloc, address: Vaddr): string | undefined {
  const area = areas.findResting(address);
  return area === 0 ? undefined : `in the freed area ${range(areas.start(area), areas.end(area))}`;
}

function beforeArea(vmalloc: Vmalloc, address: Vaddr): string | undefined {
  const next = vmalloc.areas.findNext(address);
  if (next === 0) return undefined;
  const distance = vmalloc.areas.start(next) - address;
  return distance > PAGE_SIZE ? undefined : `${distance} bytes before ${name(vmalloc, next)}`;
}
