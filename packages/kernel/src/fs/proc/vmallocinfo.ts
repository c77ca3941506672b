// SPDX-License-Identifier: MIT
/** /proc/vmallocinfo: every area of vmalloc and module space, by address; then what was freed and not yet purged. */

import type { Handle } from '../../machine/layout.js';
import { hexAddress } from '../../mm/slub_report.js';
import type { Vmalloc } from '../../mm/vmalloc.js';
import {
  VM_ALLOC,
  VM_DMA_COHERENT,
  VM_IOREMAP,
  VM_MAP,
  VM_UNINITIALIZED,
  VM_USERMAP,
} from '../../mm/vmalloc_types.js';

const KINDS = [
  [VM_IOREMAP, ' ioremap'],
  [VM_ALLOC, ' vmalloc'],
  [VM_MAP, ' vmap'],
  [VM_USERMAP, ' user'],
  [VM_DMA_COHERENT, ' dma-coherent'],
] as const;

/** `0xstart-0xend   bytes` */
const range = (start: number, bytes: number): string =>
  `0x${hexAddress(start)}-0x${hexAddress(start + bytes)} ${String(bytes).padStart(7)}`;

/** What an area's struct vm_struct says. @linux mm/vmalloc.c:s_show differs: addresses are not hashed */
function describe(vmalloc: Vmalloc, vm: Handle): string {
  const v = vmalloc.vm(vm);
  const { flags, nr_pages: nrPages } = v;
  let line = range(v.addr, v.size);
  if (v.caller !== 0) line += ` ${vmalloc.env.reports.symbolize(v.caller)}`;
  if (nrPages !== 0) line += ` pages=${nrPages}`;
  if (v.phys_addr !== 0) line += ` phys=0x${v.phys_addr.toString(16).padStart(16, '0')}`;
  for (const [flag, name] of KINDS) if (flags & flag) line += name;
  if (vmalloc.isVmallocAddr(v.pages)) line += ' vpages';
  if (nrPages !== 0 && (flags & VM_UNINITIALIZED) === 0) line += ` N0=${nrPages}`;
  return line;
}

/** The file's text. */
export function vmallocinfo(vmalloc: Vmalloc): string {
  const { areas } = vmalloc;
  const lines: string[] = [];
  for (const area of areas.areas(areas.busy)) {
    const vm = areas.vm(area);
    const start = areas.start(area);
    lines.push(vm === 0 ? `${range(start, areas.end(area) - start)} vm_map_ram` : describe(vmalloc, vm));
  }
  for (const area of areas.areas(areas.purge)) {
    const start = areas.start(area);
    lines.push(`${range(start, areas.end(area) - start)} unpurged vm_area`);
  }
  return lines.map((line) => `${line}\n`).join('');
}
