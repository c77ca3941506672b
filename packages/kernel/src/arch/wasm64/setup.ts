// SPDX-License-Identifier: MIT
/** The kernel's own page tables: direct map, static data, kernel text, struct pages. */

import {
  KERNEL_DATA_START,
  KERNEL_TEXT_START,
  PAGE_OFFSET,
  PAGE_SIZE,
  type Paddr,
  VMEMMAP_START,
} from '../../machine/layout.js';
import type { Ram } from '../../machine/ram.js';
import { PAGE_KERNEL, PAGE_KERNEL_ROX, type PageTables } from '../../mm/pgtable.js';

export interface KernelMap {
  /** False if single pages will be taken out of the direct map; default true. */
  readonly largePages?: boolean;
  /** Physical address and bytes of the static data. */
  readonly data: Paddr;
  readonly dataBytes: number;
  /** A page frame of zeros: what kernel text reads as. */
  readonly textFrame: Paddr;
  readonly textBytes: number;
}

/** Maps what the kernel needs. Memory for the tables must not run out. @linux arch/x86/mm/init.c:init_mem_mapping full */
export function mapKernel(ram: Ram, tables: PageTables, map: KernelMap): void {
  const round = (bytes: number) => Math.ceil(bytes / PAGE_SIZE) * PAGE_SIZE;
  tables.mapRange(PAGE_OFFSET, 0, ram.size, PAGE_KERNEL, map.largePages);
  tables.mapRange(KERNEL_DATA_START, map.data, round(map.dataBytes), PAGE_KERNEL);
  for (let at = 0; at < map.textBytes; at += PAGE_SIZE)
    tables.map(KERNEL_TEXT_START + at, map.textFrame, PAGE_KERNEL_ROX);
}

/** Maps the array of struct pages. @linux arch/x86/mm/init_64.c:vmemmap_populate full */
export function mapMemmap(tables: PageTables, memmap: Paddr, bytes: number): void {
  tables.mapRange(VMEMMAP_START, memmap, Math.ceil(bytes / PAGE_SIZE) * PAGE_SIZE, PAGE_KERNEL);
}
