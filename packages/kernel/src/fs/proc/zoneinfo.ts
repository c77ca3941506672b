// SPDX-License-Identifier: MIT
/** What the zones hold: /proc/buddyinfo, /proc/pagetypeinfo, /proc/zoneinfo. */

import type { Handle } from '../../machine/layout.js';
import {
  MAX_NR_ZONES,
  MAX_ORDER,
  MIGRATE_TYPES,
  MIGRATETYPE_NAMES,
  PAGEBLOCK_NR_PAGES,
  PAGEBLOCK_ORDER,
  WMARK_HIGH,
  WMARK_LOW,
  WMARK_MIN,
  ZONE_NAMES,
  Zone,
} from '../../mm/mmzone.js';
import type { PageAllocator } from '../../mm/page_alloc.js';
import { NODE_STAT_NAMES, NR_FREE_PAGES, NUMA_EVENT_NAMES, ZONE_STAT_NAMES } from '../../mm/vmstat.js';
import { calculateNormalThreshold, wmarkPages } from '../../mm/watermark.js';

const orders = Array.from({ length: MAX_ORDER }, (_, order) => order);
const zones = Array.from({ length: MAX_NR_ZONES }, (_, z) => z);
const types = Array.from({ length: MIGRATE_TYPES }, (_, type) => type);

const field = (mm: PageAllocator, zone: Handle, word: number): number => mm.map.i32[zone + word];
/** Zones that have memory. */
const populated = (mm: PageAllocator): number[] =>
  zones.filter((z) => field(mm, mm.map.zone(z), Zone.w.present_pages) > 0);
const right = (value: number | string, width: number): string => `${value}`.padStart(width);
const zoneTitle = (z: number): string => `Node 0, zone ${right(ZONE_NAMES[z], 8)}`;

/** Free blocks of each order. @linux mm/vmstat.c:frag_show full */
export function buddyinfo(mm: PageAllocator): string {
  const row = (z: number) =>
    orders.map((order) => `${right(mm.buddy.nrFree(mm.map.zone(z), order), 6)} `).join('');
  return populated(mm)
    .map((z) => `${zoneTitle(z)} ${row(z)}\n`)
    .join('');
}

/** Free blocks by migrate type, and pageblocks of each type. @linux mm/vmstat.c:pagetypeinfo_show full */
export function pagetypeinfo(mm: PageAllocator): string {
  const free = populated(mm).flatMap((z) => {
    const counts = mm.buddy.countLists(mm.map.zone(z));
    return types.map((type) => {
      const row = counts[type].map((blocks) => `${right(blocks, 6)} `).join('');
      return `Node    0, zone ${right(ZONE_NAMES[z], 8)}, type ${right(MIGRATETYPE_NAMES[type], 12)} ${row}\n`;
    });
  });
  const blocks = populated(mm).map((z) => {
    const row = blockCounts(mm, mm.map.zone(z)).map((n) => `${right(n, 12)} `);
    return `${zoneTitle(z)} ${row.join('')}\n`;
  });
  return [
    `Page block order: ${PAGEBLOCK_ORDER}\n`,
    `Pages per block:  ${PAGEBLOCK_NR_PAGES}\n\n`,
    `${'Free pages count per migrate type at order'.padEnd(43)} ${orders.map((o) => `${right(o, 6)} `).join('')}\n`,
    ...free,
    `\n${'Number of blocks type'.padEnd(22)} ${MIGRATETYPE_NAMES.map((name) => `${right(name, 12)} `).join('')}\n`,
    ...blocks,
  ].join('');
}

/** @linux mm/vmstat.c:pagetypeinfo_showblockcount_print full */
function blockCounts(mm: PageAllocator, zone: Handle): number[] {
  const counts = types.map(() => 0);
  const start = field(mm, zone, Zone.w.zone_start_pfn);
  const end = start + field(mm, zone, Zone.w.spanned_pages);
  for (let pfn = start; pfn < end; pfn += PAGEBLOCK_NR_PAGES) counts[mm.buddy.pfnblockMigratetype(pfn)]++;
  return counts;
}

/** @linux mm/vmstat.c:zoneinfo_show full */
export function zoneinfo(mm: PageAllocator): string {
  const first = populated(mm)[0];
  return zones.map((z) => `${zoneLines(mm, z, z === first).join('\n')}\n`).join('');
}

/** One zone. @linux mm/vmstat.c:zoneinfo_show_print full */
function zoneLines(mm: PageAllocator, z: number, withNode: boolean): string[] {
  const zone = mm.map.zone(z);
  const number = (word: number) => field(mm, zone, word);
  const stat = (name: string, value: number) => `      ${name.padEnd(12)} ${value}`;
  const protection = zones.map((j) => number(Zone.w.lowmem_reserve + 2 * j)).join(', ');
  const lines = [
    zoneTitle(z),
    ...(withNode
      ? ['  per-node stats', ...NODE_STAT_NAMES.map((name, i) => stat(name, mm.stat.globalNodePageState(i)))]
      : []),
    `  pages free     ${mm.stat.zonePageState(zone, NR_FREE_PAGES)}`,
    `        boost    ${number(Zone.w.watermark_boost)}`,
    `        min      ${wmarkPages(mm.map, zone, WMARK_MIN)}`,
    `        low      ${wmarkPages(mm.map, zone, WMARK_LOW)}`,
    `        high     ${wmarkPages(mm.map, zone, WMARK_HIGH)}`,
    `        spanned  ${number(Zone.w.spanned_pages)}`,
    `        present  ${number(Zone.w.present_pages)}`,
    `        managed  ${number(Zone.w.managed_pages)}`,
    '        cma      0',
    `        protection: (${protection})`,
  ];
  if (number(Zone.w.present_pages) === 0) return lines;
  return [
    ...lines,
    ...ZONE_STAT_NAMES.map((name, i) => stat(name, mm.stat.zonePageState(zone, i))),
    ...NUMA_EVENT_NAMES.map((name, i) => stat(name, mm.stat.zoneNumaEvent(zone, i))),
    ...pagesetLines(mm, z),
    '  node_unreclaimable:  0',
    `  start_pfn:           ${number(Zone.w.zone_start_pfn)}`,
  ];
}

function pagesetLines(mm: PageAllocator, z: number): string[] {
  const threshold = calculateNormalThreshold(field(mm, mm.map.zone(z), Zone.w.managed_pages), mm.map.nrCpus);
  const cpus = Array.from({ length: mm.map.nrCpus }, (_, cpu) => cpu);
  return [
    '  pagesets',
    ...cpus.flatMap((cpu) => [
      `    cpu: ${cpu}`,
      `              count: ${mm.pcp.count(z, cpu)}`,
      `              high:  ${mm.pcp.highOf(z, cpu)}`,
      `              batch: ${mm.pcp.batchOf(z, cpu)}`,
      `  vm stats threshold: ${threshold}`,
    ]),
  ];
}
