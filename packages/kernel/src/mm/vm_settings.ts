// SPDX-License-Identifier: MIT
/** The vm.* settings that shape the page allocator's reserves, and what follows from them. */

import type { Env } from '../lib/env.js';
import type { Handle } from '../machine/layout.js';
import type { MemMap } from './memmap.js';
import { MAX_NR_ZONES, MIGRATE_TYPES, PAGEBLOCK_NR_PAGES, Zone } from './mmzone.js';
import type { PerCpuLists } from './pcp.js';
import {
  ALLOC_WMARK_LOW,
  calculateMinFreeKbytes,
  LOWMEM_RESERVE_RATIO,
  managedByZone,
  setupPerZoneLowmemReserve,
  setupPerZoneWmarks,
  WATERMARK_BOOST_FACTOR,
  WATERMARK_SCALE_FACTOR,
  wmarkPages,
  zoneBatchsize,
  zoneHighsize,
} from './watermark.js';

/** Percent: sysctl vm.overcommit_ratio. */
const OVERCOMMIT_RATIO = 50;

export class VmSettings {
  private readonly i32: Int32Array;
  private readonly u32: Uint32Array;
  private readonly minFreeKbytesVar: Handle;
  private readonly scaleFactorVar: Handle;
  private readonly boostFactorVar: Handle;
  private readonly lowmemRatioVar: Handle;
  private readonly groupingDisabledVar: Handle;
  private readonly highFractionVar: Handle;
  private readonly overcommitRatioVar: Handle;
  private readonly overcommitKbytesVar: Handle;

  constructor(
    env: Env,
    private readonly map: MemMap,
    private readonly pcp: PerCpuLists,
  ) {
    this.i32 = env.ram.i32;
    this.u32 = env.ram.u32;
    this.groupingDisabledVar = env.data.declare('page_group_by_mobility_disabled', 4);
    this.minFreeKbytesVar = env.data.declare('min_free_kbytes', 4);
    this.scaleFactorVar = env.data.declare('watermark_scale_factor', 4);
    this.boostFactorVar = env.data.declare('watermark_boost_factor', 4);
    this.lowmemRatioVar = env.data.declare('sysctl_lowmem_reserve_ratio', 4 * MAX_NR_ZONES);
    this.highFractionVar = env.data.declare('percpu_pagelist_high_fraction', 4);
    this.overcommitRatioVar = env.data.declare('sysctl_overcommit_ratio', 4);
    this.overcommitKbytesVar = env.data.declare('sysctl_overcommit_kbytes', 8);
  }

  /** Linux's defaults for a machine of this size. @linux mm/page_alloc.c:init_per_zone_wmark_min full */
  boot(totalramPages: number): void {
    const { i32 } = this;
    i32[this.groupingDisabledVar] = totalramPages < PAGEBLOCK_NR_PAGES * MIGRATE_TYPES ? 1 : 0;
    i32[this.scaleFactorVar] = WATERMARK_SCALE_FACTOR;
    i32[this.boostFactorVar] = WATERMARK_BOOST_FACTOR;
    i32[this.overcommitRatioVar] = OVERCOMMIT_RATIO;
    LOWMEM_RESERVE_RATIO.forEach((ratio, i) => {
      i32[this.lowmemRatioVar + i] = ratio;
    });
    i32[this.minFreeKbytesVar] = calculateMinFreeKbytes(totalramPages * 4);
    this.setupReserves();
  }

  /** Recomputes everything that follows from managed pages and these settings. */
  setupReserves(): void {
    const { map, i32 } = this;
    setupPerZoneWmarks(map, this.minFreeKbytes, this.watermarkScaleFactor);
    setupPerZoneLowmemReserve(map, this.lowmemReserveRatio);
    managedByZone(map).forEach((managed, z) => {
      const zone = map.zone(z);
      const batch = zoneBatchsize(managed);
      const fraction = this.percpuPagelistHighFraction;
      const share = fraction === 0 ? wmarkPages(map, zone, ALLOC_WMARK_LOW) : Math.floor(managed / fraction);
      const high = zoneHighsize(share, batch, map.nrCpus);
      i32[zone + Zone.w.pageset_batch] = batch;
      i32[zone + Zone.w.pageset_high] = high;
      for (let cpu = 0; cpu < map.nrCpus; cpu++) this.pcp.setSize(map.pcp(z, cpu), high, batch);
    });
  }

  /** True on machines too small to keep mobility types apart: fewer pages than five pageblocks. */
  get groupingDisabled(): boolean {
    return this.i32[this.groupingDisabledVar] !== 0;
  }

  get minFreeKbytes(): number {
    return this.i32[this.minFreeKbytesVar];
  }

  set minFreeKbytes(kbytes: number) {
    this.i32[this.minFreeKbytesVar] = kbytes;
    this.setupReserves();
  }

  get watermarkScaleFactor(): number {
    return this.i32[this.scaleFactorVar];
  }

  /** 1 to 1000, in ten-thousandths of a zone. */
  set watermarkScaleFactor(factor: number) {
    this.i32[this.scaleFactorVar] = factor;
    this.setupReserves();
  }

  get watermarkBoostFactor(): number {
    return this.i32[this.boostFactorVar];
  }

  set watermarkBoostFactor(factor: number) {
    this.i32[this.boostFactorVar] = factor;
  }

  /** Each CPU may hold one page in this many of a zone; 0: as many as the low watermark says. */
  get percpuPagelistHighFraction(): number {
    return this.i32[this.highFractionVar];
  }

  set percpuPagelistHighFraction(fraction: number) {
    this.i32[this.highFractionVar] = fraction;
    this.setupReserves();
  }

  /** Pages that programs may be promised, of RAM. @linux mm/util.c:vm_commit_limit partial: no swap */
  commitLimit(totalramPages: number): number {
    const kbytes = this.u32[this.overcommitKbytesVar] + this.u32[this.overcommitKbytesVar + 1] * 2 ** 32;
    if (kbytes !== 0) return Math.floor(kbytes / 4);
    return Math.floor((totalramPages * this.i32[this.overcommitRatioVar]) / 100);
  }

  get lowmemReserveRatio(): number[] {
    return Array.from(this.i32.subarray(this.lowmemRatioVar, this.lowmemRatioVar + MAX_NR_ZONES));
  }

  set lowmemReserveRatio(ratios: readonly number[]) {
    ratios.slice(0, MAX_NR_ZONES).forEach((ratio, i) => {
      this.i32[this.lowmemRatioVar + i] = ratio;
    });
    this.setupReserves();
  }
}
