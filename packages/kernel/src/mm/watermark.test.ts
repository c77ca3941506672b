// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import {
  calculateMinFreeKbytes,
  calculateNormalThreshold,
  lowmemReserve,
  zoneBatchsize,
  zoneHighsize,
  zoneWatermarks,
} from './watermark.js';

/**
 * Four machines that ran Linux 6.1: what their /proc/zoneinfo says. The kernel computes the reserves before it
 * frees its own init memory, so `early` are the managed pages of DMA and DMA32 at that time, and `managed` later.
 */
const MACHINES = [
  {
    name: '128 MiB, 2 CPUs',
    cpus: 2,
    early: [3840, 7477],
    managed: [3840, 11970],
    minFreeKbytes: 851,
    dma: { min: 71, low: 88, high: 105, protection: 29, pcpHigh: 44, batch: 1, threshold: 4 },
    dma32: { min: 140, low: 175, high: 210, protection: 0, pcpHigh: 87, batch: 1, threshold: 4 },
  },
  {
    name: '256 MiB, 1 CPU',
    cpus: 1,
    early: [3840, 39756],
    managed: [3840, 44240],
    minFreeKbytes: 1670,
    dma: { min: 36, low: 45, high: 54, protection: 155, pcpHigh: 45, batch: 1, threshold: 2 },
    dma32: { min: 380, low: 475, high: 570, protection: 0, pcpHigh: 475, batch: 7, threshold: 4 },
  },
  {
    name: '256 MiB, 2 CPUs',
    cpus: 2,
    early: [3840, 39694],
    managed: [3840, 44178],
    minFreeKbytes: 1669,
    dma: { min: 36, low: 45, high: 54, protection: 155, pcpHigh: 22, batch: 1, threshold: 4 },
    dma32: { min: 380, low: 475, high: 570, protection: 0, pcpHigh: 237, batch: 7, threshold: 8 },
  },
  {
    name: '512 MiB, 4 CPUs',
    cpus: 4,
    early: [3840, 103950],
    managed: [3840, 108470],
    minFreeKbytes: 2626,
    dma: { min: 23, low: 28, high: 33, protection: 406, pcpHigh: 7, batch: 1, threshold: 6 },
    dma32: { min: 632, low: 790, high: 948, protection: 0, pcpHigh: 197, batch: 31, threshold: 18 },
  },
];

describe.each(MACHINES)('$name', (m) => {
  it('min_free_kbytes', () => {
    expect(calculateMinFreeKbytes((m.early[0] + m.early[1]) * 4)).toBe(m.minFreeKbytes);
  });

  it('watermarks', () => {
    const [dma, dma32] = zoneWatermarks(m.early, m.minFreeKbytes);
    expect(dma).toMatchObject({ min: m.dma.min, low: m.dma.low, high: m.dma.high });
    expect(dma32).toMatchObject({ min: m.dma32.min, low: m.dma32.low, high: m.dma32.high });
  });

  it('lowmem_reserve', () => {
    const reserve = lowmemReserve([...m.early, 0, 0, 0]);
    expect(reserve[0]).toEqual([0, ...new Array(4).fill(m.dma.protection)]);
    expect(reserve[1]).toEqual([0, 0, 0, 0, 0]);
  });

  it('per-CPU batch and high, statistics threshold', () => {
    for (const [i, zone] of [m.dma, m.dma32].entries()) {
      expect(zoneBatchsize(m.early[i])).toBe(zone.batch);
      expect(zoneHighsize(zone.low, zone.batch, m.cpus)).toBe(zone.pcpHigh);
      expect(calculateNormalThreshold(m.managed[i], m.cpus)).toBe(zone.threshold);
    }
  });
});
