// SPDX-License-Identifier: MIT
/**
 * The counters of memory: per zone, per node, and of events since boot.
 *
 * Linux spreads each over the CPUs and adds the parts up now and then, so that what it shows may lag. Here each is one
 * 64-bit word and always exact. A counter is named as /proc/vmstat shows it.
 */

import type { Env } from '../lib/env.js';
import type { Handle } from '../machine/layout.js';
import type { Ram } from '../machine/ram.js';
import { type MemMap, ZONE_WORDS } from './memmap.js';
import { MAX_NR_ZONES, PglistData, Zone } from './mmzone.js';

const words = (text: string): readonly string[] => text.trim().split(/\s+/);

/** Counters of a zone, in the order of `enum zone_stat_item`. */
export const ZONE_STAT_NAMES = words(`
  nr_free_pages nr_zone_inactive_anon nr_zone_active_anon nr_zone_inactive_file nr_zone_active_file
  nr_zone_unevictable nr_zone_write_pending nr_mlock nr_bounce nr_zspages nr_free_cma`);

/** NUMA events of a zone. */
export const NUMA_EVENT_NAMES = words(`
  numa_hit numa_miss numa_foreign numa_interleave numa_local numa_other`);

/** Counters of the node, in the order of `enum node_stat_item`. */
export const NODE_STAT_NAMES = words(`
  nr_inactive_anon nr_active_anon nr_inactive_file nr_active_file nr_unevictable nr_slab_reclaimable
  nr_slab_unreclaimable nr_isolated_anon nr_isolated_file workingset_nodes workingset_refault_anon
  workingset_refault_file workingset_activate_anon workingset_activate_file workingset_restore_anon
  workingset_restore_file workingset_nodereclaim nr_anon_pages nr_mapped nr_file_pages nr_dirty
  nr_writeback nr_writeback_temp nr_shmem nr_shmem_hugepages nr_shmem_pmdmapped nr_file_hugepages
  nr_file_pmdmapped nr_anon_transparent_hugepages nr_vmscan_write nr_vmscan_immediate_reclaim nr_dirtied
  nr_written nr_throttled_written nr_kernel_misc_reclaimable nr_foll_pin_acquired nr_foll_pin_released
  nr_kernel_stack nr_page_table_pages nr_sec_page_table_pages nr_swapcached pgpromote_success
  pgpromote_candidate`);

/** Events since boot, in the order of `enum vm_event_item`. */
export const VM_EVENT_NAMES = words(`
  pgpgin pgpgout pswpin pswpout pgalloc_dma pgalloc_dma32 pgalloc_normal pgalloc_movable pgalloc_device
  allocstall_dma allocstall_dma32 allocstall_normal allocstall_movable allocstall_device pgskip_dma
  pgskip_dma32 pgskip_normal pgskip_movable pgskip_device pgfree pgactivate pgdeactivate pglazyfree pgfault
  pgmajfault pglazyfreed pgrefill pgreuse pgsteal_kswapd pgsteal_direct pgdemote_kswapd pgdemote_direct
  pgscan_kswapd pgscan_direct pgscan_direct_throttle pgscan_anon pgscan_file pgsteal_anon pgsteal_file
  zone_reclaim_failed pginodesteal slabs_scanned kswapd_inodesteal kswapd_low_wmark_hit_quickly
  kswapd_high_wmark_hit_quickly pageoutrun pgrotated drop_pagecache drop_slab oom_kill numa_pte_updates
  numa_huge_pte_updates numa_hint_faults numa_hint_faults_local numa_pages_migrated pgmigrate_success
  pgmigrate_fail thp_migration_success thp_migration_fail thp_migration_split compact_migrate_scanned
  compact_free_scanned compact_isolated compact_stall compact_fail compact_success compact_daemon_wake
  compact_daemon_migrate_scanned compact_daemon_free_scanned htlb_buddy_alloc_success htlb_buddy_alloc_fail
  unevictable_pgs_culled unevictable_pgs_scanned unevictable_pgs_rescued unevictable_pgs_mlocked
  unevictable_pgs_munlocked unevictable_pgs_cleared unevictable_pgs_stranded thp_fault_alloc
  thp_fault_fallback thp_fault_fallback_charge thp_collapse_alloc thp_collapse_alloc_failed thp_file_alloc
  thp_file_fallback thp_file_fallback_charge thp_file_mapped thp_split_page thp_split_page_failed
  thp_deferred_split_page thp_split_pmd thp_scan_exceed_none_pte thp_scan_exceed_swap_pte
  thp_scan_exceed_share_pte thp_split_pud thp_zero_page_alloc thp_zero_page_alloc_failed thp_swpout
  thp_swpout_fallback balloon_inflate balloon_deflate balloon_migrate swap_ra swap_ra_hit ksm_swpin_copy
  cow_ksm zswpin zswpout direct_map_level2_splits direct_map_level3_splits`);

const index = (names: readonly string[]) => (name: string) => {
  const i = names.indexOf(name);
  if (i < 0) throw new RangeError(`no counter ${name}`);
  return i;
};
/** Index of a zone, node or event counter by name: for constants, not for hot paths. */
export const zoneStatItem = index(ZONE_STAT_NAMES);
export const nodeStatItem = index(NODE_STAT_NAMES);
export const vmEventItem = index(VM_EVENT_NAMES);

export const NR_FREE_PAGES = zoneStatItem('nr_free_pages');
export const PGALLOC_DMA = vmEventItem('pgalloc_dma');
export const ALLOCSTALL_DMA = vmEventItem('allocstall_dma');
export const PGFREE = vmEventItem('pgfree');

const NUMA_HIT = NUMA_EVENT_NAMES.indexOf('numa_hit');
const NUMA_LOCAL = NUMA_EVENT_NAMES.indexOf('numa_local');

export const ZONE_VM_STAT = Zone.w.vm_stat;
export const ZONE_NUMA_EVENT = Zone.w.vm_numa_event;
const NODE_VM_STAT = PglistData.w.vm_stat;

/** Adds to a 64-bit counter whose sum stays within ±2^53. */
export function addCounter(ram: Ram, word: Handle, delta: number): void {
  const lo = ram.u32[word] + delta;
  if (lo >= 0 && lo < 4294967296) ram.u32[word] = lo;
  else ram.add64(word, delta);
}

/** Adds 0 < n < 2^31 to a 64-bit counter, for hot paths: a carry is seen by the sign of the lower word. */
export function countUp(i32: Int32Array, word: Handle, n: number): void {
  const old = i32[word];
  const sum = (old + n) | 0;
  i32[word] = sum;
  if (old < 0 && sum >= 0) i32[word + 1]++;
}

export class VmStat {
  private readonly ram: Ram;
  /** Events, 64 bits each. */
  readonly events: Handle;

  constructor(
    env: Env,
    private readonly map: MemMap,
  ) {
    this.ram = env.ram;
    this.events = env.data.declare('vm_event_states', VM_EVENT_NAMES.length * 8);
  }

  /** @linux mm/vmstat.c:mod_zone_page_state differs: exact at once */
  modZonePageState(zone: Handle, item: number, delta: number): void {
    addCounter(this.ram, zone + ZONE_VM_STAT + 2 * item, delta);
  }

  /** @linux mm/vmstat.c:mod_node_page_state differs: exact at once */
  modNodePageState(item: number, delta: number): void {
    addCounter(this.ram, this.map.pgdat + NODE_VM_STAT + 2 * item, delta);
  }

  /** @linux include/linux/vmstat.h:count_vm_events differs: one counter for all CPUs */
  countVmEvents(item: number, n: number): void {
    addCounter(this.ram, this.events + 2 * item, n);
  }

  /** @linux include/linux/vmstat.h:zone_page_state full */
  zonePageState(zone: Handle, item: number): number {
    return this.ram.s64(zone + ZONE_VM_STAT + 2 * item);
  }

  /** @linux include/linux/vmstat.h:zone_numa_event_state full */
  zoneNumaEvent(zone: Handle, item: number): number {
    // With one node every hit is local, so that one counter serves both.
    return this.ram.s64(zone + ZONE_NUMA_EVENT + 2 * (item === NUMA_LOCAL ? NUMA_HIT : item));
  }

  /** @linux include/linux/vmstat.h:global_zone_page_state full */
  globalZonePageState(item: number): number {
    return this.sumZones(ZONE_VM_STAT + 2 * item);
  }

  /** @linux include/linux/vmstat.h:global_numa_event_state full */
  globalNumaEvent(item: number): number {
    let sum = 0;
    for (let z = 0; z < MAX_NR_ZONES; z++) sum += this.zoneNumaEvent(this.map.zone(z), item);
    return sum;
  }

  /** @linux include/linux/vmstat.h:global_node_page_state full */
  globalNodePageState(item: number): number {
    return this.ram.s64(this.map.pgdat + NODE_VM_STAT + 2 * item);
  }

  vmEvent(item: number): number {
    return this.ram.s64(this.events + 2 * item);
  }

  private sumZones(word: number): number {
    let sum = 0;
    for (let z = 0; z < MAX_NR_ZONES; z++) sum += this.ram.s64(this.map.zones + z * ZONE_WORDS + word);
    return sum;
  }
}
