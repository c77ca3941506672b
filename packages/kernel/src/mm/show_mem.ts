// SPDX-License-Identifier: MIT
/** Mem-Info: the state of all memory, as a failed allocation, the OOM killer and SysRq-m log it. */

import { KERN_WARNING } from '../lib/env.js';
import type { Handle } from '../machine/layout.js';
import type { Buddy } from './free_area.js';
import {
  MAX_NR_ZONES,
  MAX_ORDER,
  MIGRATE_TYPES,
  WMARK_HIGH,
  WMARK_LOW,
  WMARK_MIN,
  ZONE_NAMES,
  Zone,
} from './mmzone.js';
import type { PageAllocator } from './page_alloc.js';
import { nodeStatItem, zoneStatItem } from './vmstat.js';
import { wmarkPages } from './watermark.js';

/** Letters of the migrate types that a free area holds. */
const TYPE_LETTERS = 'UMEHI';
const kB = (pages: number): number => pages * 4;

/** Logs the report. @linux include/linux/mm.h:show_mem full */
export function showMem(mm: PageAllocator): void {
  mm.env.log.log(KERN_WARNING, memInfo(mm).join('\n'));
}

/** The report's lines. @linux mm/page_alloc.c:__show_free_areas full */
export function memInfo(mm: PageAllocator): string[] {
  const populated = Array.from({ length: MAX_NR_ZONES }, (_, z) => z).filter((z) => present(mm, z) > 0);
  const node = (name: string) => mm.stat.globalNodePageState(nodeStatItem(name));
  return [
    'Mem-Info:',
    ...globalLines(mm, node),
    nodeLine(node),
    ...populated.flatMap((z) => [zoneLine(mm, z), reserveLine(mm, z)]),
    ...populated.map((z) => freeAreaLine(mm, z)),
    'Node 0 hugepages_total=0 hugepages_free=0 hugepages_surp=0 hugepages_size=2048kB',
    `${node('nr_file_pages')} total pagecache pages`,
    `${node('nr_swapcached')} pages in swap cache`,
    'Free swap  = 0kB',
    'Total swap = 0kB',
    ...totalLines(mm),
  ];
}

const zoneField = (mm: PageAllocator, z: number, field: number): number =>
  mm.map.ram.i32[mm.map.zone(z) + field];
const present = (mm: PageAllocator, z: number): number => zoneField(mm, z, Zone.w.present_pages);
const managed = (mm: PageAllocator, z: number): number => zoneField(mm, z, Zone.w.managed_pages);

function globalLines(mm: PageAllocator, node: (name: string) => number): string[] {
  const zoneSum = (name: string) => mm.stat.globalZonePageState(zoneStatItem(name));
  return [
    `active_anon:${node('nr_active_anon')} inactive_anon:${node('nr_inactive_anon')} ` +
      `isolated_anon:${node('nr_isolated_anon')}`,
    ` active_file:${node('nr_active_file')} inactive_file:${node('nr_inactive_file')} ` +
      `isolated_file:${node('nr_isolated_file')}`,
    ` unevictable:${node('nr_unevictable')} dirty:${node('nr_dirty')} writeback:${node('nr_writeback')}`,
    ` slab_reclaimable:${node('nr_slab_reclaimable')} slab_unreclaimable:${node('nr_slab_unreclaimable')}`,
    ` mapped:${node('nr_mapped')} shmem:${node('nr_shmem')} pagetables:${node('nr_page_table_pages')}`,
    ` sec_pagetables:${node('nr_sec_page_table_pages')} bounce:${zoneSum('nr_bounce')}`,
    ` kernel_misc_reclaimable:${node('nr_kernel_misc_reclaimable')}`,
    ` free:${mm.nrFreePages()} free_pcp:${mm.nrPcpPages()} free_cma:0`,
  ];
}

function nodeLine(node: (name: string) => number): string {
  const size = (name: string) => `${kB(node(name))}kB`;
  return [
    'Node 0',
    `active_anon:${size('nr_active_anon')}`,
    `inactive_anon:${size('nr_inactive_anon')}`,
    `active_file:${size('nr_active_file')}`,
    `inactive_file:${size('nr_inactive_file')}`,
    `unevictable:${size('nr_unevictable')}`,
    `isolated(anon):${size('nr_isolated_anon')}`,
    `isolated(file):${size('nr_isolated_file')}`,
    `mapped:${size('nr_mapped')}`,
    `dirty:${size('nr_dirty')}`,
    `writeback:${size('nr_writeback')}`,
    `shmem:${size('nr_shmem')}`,
    `shmem_thp: ${size('nr_shmem_hugepages')}`,
    `shmem_pmdmapped: ${size('nr_shmem_pmdmapped')}`,
    `anon_thp: ${size('nr_anon_transparent_hugepages')}`,
    `writeback_tmp:${size('nr_writeback_temp')}`,
    `kernel_stack:${node('nr_kernel_stack')}kB`,
    `pagetables:${size('nr_page_table_pages')}`,
    `sec_pagetables:${size('nr_sec_page_table_pages')}`,
    'all_unreclaimable? no',
  ].join(' ');
}

function zoneLine(mm: PageAllocator, z: number): string {
  const zone = mm.map.zone(z);
  const size = (name: string) => `${kB(mm.stat.zonePageState(zone, zoneStatItem(name)))}kB`;
  const mark = (n: number) => `${kB(wmarkPages(mm.map, zone, n))}kB`;
  return [
    `Node 0 ${ZONE_NAMES[z]}`,
    `free:${size('nr_free_pages')}`,
    `boost:${kB(zoneField(mm, z, Zone.w.watermark_boost))}kB`,
    `min:${mark(WMARK_MIN)}`,
    `low:${mark(WMARK_LOW)}`,
    `high:${mark(WMARK_HIGH)}`,
    `reserved_highatomic:${kB(zoneField(mm, z, Zone.w.nr_reserved_highatomic))}KB`,
    `active_anon:${size('nr_zone_active_anon')}`,
    `inactive_anon:${size('nr_zone_inactive_anon')}`,
    `active_file:${size('nr_zone_active_file')}`,
    `inactive_file:${size('nr_zone_inactive_file')}`,
    `unevictable:${size('nr_zone_unevictable')}`,
    `writepending:${size('nr_zone_write_pending')}`,
    `present:${kB(present(mm, z))}kB`,
    `managed:${kB(managed(mm, z))}kB`,
    `mlocked:${size('nr_mlock')}`,
    `bounce:${size('nr_bounce')}`,
    `free_pcp:${kB(mm.pcp.zoneCount(z))}kB`,
    `local_pcp:${kB(mm.pcp.count(z, mm.env.cpu()))}kB`,
    'free_cma:0kB',
  ].join(' ');
}

function reserveLine(mm: PageAllocator, z: number): string {
  const reserves = Array.from({ length: MAX_NR_ZONES }, (_, j) =>
    zoneField(mm, z, Zone.w.lowmem_reserve + 2 * j),
  );
  return `lowmem_reserve[]: ${reserves.join(' ')}`;
}

/** `Node 0 DMA: 1*4kB (U) 0*8kB … = 4kB` */
function freeAreaLine(mm: PageAllocator, z: number): string {
  const zone = mm.map.zone(z);
  let total = 0;
  let line = `Node 0 ${ZONE_NAMES[z]}: `;
  for (let order = 0; order < MAX_ORDER; order++) {
    const blocks = mm.buddy.nrFree(zone, order);
    total += blocks << order;
    line += `${blocks}*${kB(1 << order)}kB ${blocks > 0 ? `(${typeLetters(mm.buddy, mm, zone, order)}) ` : ''}`;
  }
  return `${line}= ${kB(total)}kB`;
}

/** @linux mm/page_alloc.c:show_migration_types full */
function typeLetters(buddy: Buddy, mm: PageAllocator, zone: Handle, order: number): string {
  let letters = '';
  for (let type = 0; type < MIGRATE_TYPES; type++)
    if (!mm.map.listEmpty(buddy.freeList(zone, order, type))) letters += TYPE_LETTERS[type];
  return letters;
}

function totalLines(mm: PageAllocator): string[] {
  let total = 0;
  let reserved = 0;
  for (let z = 0; z < MAX_NR_ZONES; z++) {
    total += present(mm, z);
    reserved += present(mm, z) - managed(mm, z);
  }
  return [
    `${total} pages RAM`,
    '0 pages HighMem/MovableOnly',
    `${reserved} pages reserved`,
    '0 pages hwpoisoned',
  ];
}
