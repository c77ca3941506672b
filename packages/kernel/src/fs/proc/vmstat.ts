// SPDX-License-Identifier: MIT
/** /proc/vmstat. */

import { PglistData } from '../../mm/mmzone.js';
import type { PageAllocator } from '../../mm/page_alloc.js';
import {
  NODE_STAT_NAMES,
  NUMA_EVENT_NAMES,
  nodeStatItem,
  VM_EVENT_NAMES,
  ZONE_STAT_NAMES,
} from '../../mm/vmstat.js';

/** vm.dirty_ratio and vm.dirty_background_ratio by default, in 1/4096 as the kernel keeps them. */
const DIRTY_RATIO = Math.floor((20 * 4096) / 100);
const DIRTY_BACKGROUND_RATIO = Math.floor((10 * 4096) / 100);

/** Pages that may hold dirty data: free ones above the reserves, and the page cache. */
function dirtyableMemory(mm: PageAllocator): number {
  const node = (name: string) => mm.stat.globalNodePageState(nodeStatItem(name));
  const free = mm.nrFreePages();
  const reserve = mm.map.ram.u64(mm.map.pgdat + PglistData.w.totalreserve_pages);
  return free - Math.min(free, reserve) + node('nr_inactive_file') + node('nr_active_file');
}

/** @linux mm/vmstat.c:vmstat_show full */
export function vmstat(mm: PageAllocator): string {
  const { stat } = mm;
  const dirtyable = dirtyableMemory(mm);
  const rows: [string, number][] = [
    ...ZONE_STAT_NAMES.map((name, i): [string, number] => [name, stat.globalZonePageState(i)]),
    ...NUMA_EVENT_NAMES.map((name, i): [string, number] => [name, stat.globalNumaEvent(i)]),
    ...NODE_STAT_NAMES.map((name, i): [string, number] => [name, stat.globalNodePageState(i)]),
    ['nr_dirty_threshold', Math.floor((DIRTY_RATIO * dirtyable) / 4096)],
    ['nr_dirty_background_threshold', Math.floor((DIRTY_BACKGROUND_RATIO * dirtyable) / 4096)],
    ...VM_EVENT_NAMES.map((name, i): [string, number] => [name, stat.vmEvent(i)]),
    ['nr_unstable', 0],
  ];
  return rows.map(([name, value]) => `${name} ${value}\n`).join('');
}
