// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import { GFP_KERNEL } from '../../mm/gfp.js';
import { pageMachine } from '../../mm/page_alloc_testing.js';
import { meminfo } from './meminfo.js';
import { vmstat } from './vmstat.js';
import { buddyinfo, pagetypeinfo, zoneinfo } from './zoneinfo.js';

/** Text with every number but those of the format itself replaced: what must equal the real file's shape. */
const shape = (text: string) => text.replace(/ *\b\d+\b/g, ' #');

describe('/proc files of memory', () => {
  const { env, mm } = pageMachine(256, 2);
  const page = mm.allocPages(GFP_KERNEL, 0);

  it('meminfo counts what is there', () => {
    const text = meminfo(mm);
    const value = (name: string) => Number(new RegExp(`^${name}: +(\\d+) kB$`, 'm').exec(text)?.[1]);
    expect(value('MemTotal')).toBe(mm.totalramPages * 4);
    expect(value('MemFree')).toBe(mm.nrFreePages() * 4);
    expect(text).toContain('VmallocTotal:   34359738367 kB\n');
    expect(text).toContain('HugePages_Total:       0\n');
    expect(text).toContain('Hugepagesize:       2048 kB\n');
    expect(text.split('\n')[0]).toMatch(/^MemTotal: {9}\d{6} kB$/);
  });

  it('buddyinfo has a row for each zone with memory', () => {
    const rows = buddyinfo(mm).split('\n');
    expect(rows).toHaveLength(3);
    expect(shape(rows[0])).toBe(`Node #, zone      DMA${' #'.repeat(11)} `);
    expect(rows[1].slice(0, 21)).toBe('Node 0, zone    DMA32');
  });

  it('pagetypeinfo adds up to buddyinfo', () => {
    const text = pagetypeinfo(mm);
    expect(text.split('\n').slice(0, 4)).toEqual([
      'Page block order: 9',
      'Pages per block:  512',
      '',
      'Free pages count per migrate type at order       0      1      2      3      4      5      6      7      8      9     10 ',
    ]);
    expect(text).toContain('Node    0, zone      DMA, type    Unmovable ');
    expect(text).toContain(
      '\nNumber of blocks type     Unmovable      Movable  Reclaimable   HighAtomic      Isolate \n',
    );
    const columns = (row: string) =>
      row
        .slice(row.indexOf('DMA32') + 5)
        .match(/\d+/g)!
        .map(Number);
    const byType = text.split('\n').filter((l) => l.includes('DMA32, type'));
    const sums = byType.map(columns).reduce((a, b) => a.map((n, i) => n + b[i]));
    expect(sums).toEqual(columns(buddyinfo(mm).split('\n')[1]));
  });

  it('zoneinfo shows five zones, pagesets for each CPU', () => {
    const lines = zoneinfo(mm).split('\n');
    expect(lines.slice(0, 3)).toEqual([
      'Node 0, zone      DMA',
      '  per-node stats',
      '      nr_inactive_anon 0',
    ]);
    expect(lines).toContain('        spanned  4095');
    expect(lines).toContain('        present  3998');
    expect(lines.filter((l) => l === '  vm stats threshold: 8')).toHaveLength(2);
    expect(lines.slice(-12)).toEqual([
      'Node 0, zone   Device',
      '  pages free     0',
      '        boost    0',
      '        min      0',
      '        low      0',
      '        high     0',
      '        spanned  0',
      '        present  0',
      '        managed  0',
      '        cma      0',
      '        protection: (0, 0, 0, 0, 0)',
      '',
    ]);
  });

  it('vmstat counts allocations and frees in pages', () => {
    const value = (name: string) => Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(vmstat(mm))?.[1]);
    const before = [value('pgalloc_dma32'), value('pgfree'), value('numa_hit')];
    mm.freePages(mm.allocPages(GFP_KERNEL, 4), 4);
    expect([value('pgalloc_dma32'), value('pgfree'), value('numa_hit')]).toEqual([
      before[0] + 16,
      before[1] + 16,
      before[2] + 1,
    ]);
    expect(value('numa_local')).toBe(value('numa_hit'));
    expect(vmstat(mm).endsWith('\nnr_unstable 0\n')).toBe(true);
    mm.freePages(page, 0);
    expect(env.lines).toEqual([]);
  });
});
