// SPDX-License-Identifier: MIT
/** /proc/meminfo. */

import { MAX_NR_ZONES, PglistData, WMARK_LOW } from '../../mm/mmzone.js';
import type { PageAllocator } from '../../mm/page_alloc.js';
import { nodeStatItem, zoneStatItem } from '../../mm/vmstat.js';
import { wmarkPages } from '../../mm/watermark.js';

/** What the page allocator does not know. Pages, where the name says nothing else. */
export interface MemInfoSources {
  buffers?: number;
  swapTotal?: number;
  swapFree?: number;
  committed?: number;
  commitLimit?: number;
  vmallocUsed?: number;
  percpu?: number;
  directMap4k?: number;
  directMap2M?: number;
}

const VMALLOC_TOTAL_KB = 34359738367;

/**
 * Pages that a new program could use without swapping: what is free, and half of what reclaim finds easily.
 * @linux mm/page_alloc.c:si_mem_available full
 */
export function siMemAvailable(mm: PageAllocator): number {
  const node = (name: string) => mm.stat.globalNodePageState(nodeStatItem(name));
  let low = 0;
  for (let z = 0; z < MAX_NR_ZONES; z++) low += wmarkPages(mm.map, mm.map.zone(z), WMARK_LOW);
  const reserve = mm.map.ram.u64(mm.map.pgdat + PglistData.w.totalreserve_pages);
  const pageCache = node('nr_active_file') + node('nr_inactive_file');
  const reclaimable = node('nr_slab_reclaimable') + node('nr_kernel_misc_reclaimable');
  const easy = (pages: number) => pages - Math.min(Math.floor(pages / 2), low);
  return Math.max(mm.nrFreePages() - reserve + easy(pageCache) + easy(reclaimable), 0);
}

/** @linux fs/proc/meminfo.c:meminfo_proc_show full */
export function meminfo(mm: PageAllocator, more: MemInfoSources = {}): string {
  const node = (name: string) => mm.stat.globalNodePageState(nodeStatItem(name));
  const zone = (name: string) => mm.stat.globalZonePageState(zoneStatItem(name));
  const total = mm.totalramPages;
  const buffers = more.buffers ?? 0;
  const slabReclaimable = node('nr_slab_reclaimable');
  const slabUnreclaimable = node('nr_slab_unreclaimable');
  const activeAnon = node('nr_active_anon');
  const inactiveAnon = node('nr_inactive_anon');
  const activeFile = node('nr_active_file');
  const inactiveFile = node('nr_inactive_file');
  const swapTotal = more.swapTotal ?? 0;
  const value = (name: string, n: number) => {
    const label = `${name}:`.padEnd(16);
    return label + `${n}`.padStart(24 - label.length);
  };
  const line = (name: string, kB: number) => `${value(name, kB)} kB\n`;
  const pages = (name: string, n: number) => line(name, n * 4);
  const count = (name: string, n: number) => `${value(name, n)}\n`;
  return [
    pages('MemTotal', total),
    pages('MemFree', mm.nrFreePages()),
    pages('MemAvailable', siMemAvailable(mm)),
    pages('Buffers', buffers),
    pages('Cached', Math.max(node('nr_file_pages') - node('nr_swapcached') - buffers, 0)),
    pages('SwapCached', node('nr_swapcached')),
    pages('Active', activeAnon + activeFile),
    pages('Inactive', inactiveAnon + inactiveFile),
    pages('Active(anon)', activeAnon),
    pages('Inactive(anon)', inactiveAnon),
    pages('Active(file)', activeFile),
    pages('Inactive(file)', inactiveFile),
    pages('Unevictable', node('nr_unevictable')),
    pages('Mlocked', zone('nr_mlock')),
    pages('SwapTotal', swapTotal),
    pages('SwapFree', more.swapFree ?? 0),
    pages('Zswap', 0),
    pages('Zswapped', 0),
    pages('Dirty', node('nr_dirty')),
    pages('Writeback', node('nr_writeback')),
    pages('AnonPages', node('nr_anon_pages')),
    pages('Mapped', node('nr_mapped')),
    pages('Shmem', node('nr_shmem')),
    pages('KReclaimable', slabReclaimable + node('nr_kernel_misc_reclaimable')),
    pages('Slab', slabReclaimable + slabUnreclaimable),
    pages('SReclaimable', slabReclaimable),
    pages('SUnreclaim', slabUnreclaimable),
    line('KernelStack', node('nr_kernel_stack')),
    pages('PageTables', node('nr_page_table_pages')),
    pages('SecPageTables', node('nr_sec_page_table_pages')),
    pages('NFS_Unstable', 0),
    pages('Bounce', zone('nr_bounce')),
    pages('WritebackTmp', node('nr_writeback_temp')),
    pages('CommitLimit', more.commitLimit ?? mm.settings.commitLimit(total) + swapTotal),
    pages('Committed_AS', more.committed ?? 0),
    line('VmallocTotal', VMALLOC_TOTAL_KB),
    pages('VmallocUsed', more.vmallocUsed ?? 0),
    pages('VmallocChunk', 0),
    pages('Percpu', more.percpu ?? 0),
    pages('HardwareCorrupted', 0),
    pages('AnonHugePages', node('nr_anon_transparent_hugepages')),
    pages('ShmemHugePages', node('nr_shmem_hugepages')),
    pages('ShmemPmdMapped', node('nr_shmem_pmdmapped')),
    pages('FileHugePages', node('nr_file_hugepages')),
    pages('FilePmdMapped', node('nr_file_pmdmapped')),
    count('HugePages_Total', 0),
    count('HugePages_Free', 0),
    count('HugePages_Rsvd', 0),
    count('HugePages_Surp', 0),
    line('Hugepagesize', 2048),
    pages('Hugetlb', 0),
    pages('DirectMap4k', more.directMap4k ?? 0),
    pages('DirectMap2M', more.directMap2M ?? 0),
  ].join('');
}
