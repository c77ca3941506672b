// SPDX-License-Identifier: MIT
/** free, vmstat and slabtop: /proc in the tables of procps. */

import type { VirtualClock } from '../clock.js';
import type { Command, CommandContext } from '../shell/command.js';
import { count, type Flags, UsageError } from './arguments.js';
import type { CommandSet } from './kmod.js';
import { tool } from './text.js';

const decoder = new TextDecoder();
const readText = (context: CommandContext, path: string) =>
  context.fs.exists(path) ? decoder.decode(context.fs.readFile(path)) : '';

/** Numbers of lines such as `MemTotal:  65536 kB` or `nr_free_pages 15000`; 0 for a name that is not there. */
function numbersOf(text: string): (name: string) => number {
  const values = new Map(
    text.split('\n').map((line) => {
      const [name, value] = line.split(/:?\s+/);
      return [name, Number.parseInt(value, 10) || 0];
    }),
  );
  return (name) => values.get(name) ?? 0;
}

/** KiB in a unit of free's; `h` is the largest unit that keeps three digits. */
function amount(kib: number, unit: string): string {
  if (unit !== 'h')
    return String(Math.floor((kib * 1024) / { b: 1, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30 }[unit]!));
  const bytes = kib * 1024;
  if (bytes < 1000) return `${bytes}B`;
  for (const [index, letter] of [...'KMGT'].entries()) {
    const value = bytes / 1024 ** (index + 1);
    for (const text of [value.toFixed(1), String(Math.floor(value))])
      if (text.length <= 3) return `${text}${letter}i`;
  }
  return `${Math.floor(bytes / 2 ** 50)}Pi`;
}

function freeTable(context: CommandContext, flags: Flags): string {
  const of = numbersOf(readText(context, '/proc/meminfo'));
  const unit = [...'bkmgh'].find((letter) => flags.has(letter)) ?? 'k';
  const cached = of('Cached') + of('SReclaimable');
  const used = Math.max(0, of('MemTotal') - (of('MemAvailable') || of('MemFree')));
  const caches = flags.has('w') ? [of('Buffers'), cached] : [of('Buffers') + cached];
  const swapUsed = of('SwapTotal') - of('SwapFree');
  const rows: [string, number[]][] = [
    ['Mem:', [of('MemTotal'), used, of('MemFree'), of('Shmem'), ...caches, of('MemAvailable')]],
    ['Swap:', [of('SwapTotal'), swapUsed, of('SwapFree')]],
  ];
  if (flags.has('t'))
    rows.push([
      'Total:',
      [of('MemTotal') + of('SwapTotal'), used + swapUsed, of('MemFree') + of('SwapFree')],
    ]);
  const line = (name: string, cells: readonly string[]) =>
    `${name.padEnd(9)}${cells.map((cell) => cell.padStart(11)).join(' ')}\n`;
  const heads = [
    'total',
    'used',
    'free',
    'shared',
    ...(flags.has('w') ? ['buffers', 'cache'] : ['buff/cache']),
  ];
  return (
    line('', [...heads, 'available']) +
    rows
      .map(([name, values]) =>
        line(
          name,
          values.map((kib) => amount(kib, unit)),
        ),
      )
      .join('')
  );
}

const free = (clock: VirtualClock): Command =>
  tool(
    'bkmghwts:c:',
    async (context, flags) => {
      const seconds = Number(flags.value('s') ?? 1);
      if (!(seconds > 0)) throw new UsageError(`seconds argument '${flags.value('s')}' failed`);
      const endless = flags.has('s') && !flags.has('c');
      const times = endless ? Number.POSITIVE_INFINITY : count(flags.value('c') ?? '1', 'count');
      for (let turn = 1; turn <= times; turn++) {
        await context.out(freeTable(context, flags));
        if (turn === times) break;
        await context.out('\n');
        if (!(await clock.sleep(seconds * 1e9, context.signal))) return 130;
      }
      return 0;
    },
    {
      bytes: 'b',
      kibi: 'k',
      mebi: 'm',
      gibi: 'g',
      human: 'h',
      wide: 'w',
      total: 't',
      seconds: 's',
      count: 'c',
    },
  );

// ---------------------------------------------------------------- vmstat

const VMSTAT_HEADER = `procs -----------memory---------- ---swap-- -----io---- -system-- ------cpu-----
 r  b   swpd   free   buff  cache   si   so    bi    bo   in   cs us sy id wa st
`;

/** Counters of /proc/stat: `cpu` and its kind by column. */
function statCounters(context: CommandContext): { cpu: number[]; of: (name: string) => number } {
  const text = readText(context, '/proc/stat');
  const cpu = (/^cpu +(.*)$/m.exec(text)?.[1] ?? '').split(' ').map((item) => Number(item) || 0);
  return { cpu: Array.from({ length: 10 }, (_, i) => cpu[i] ?? 0), of: numbersOf(text) };
}

function vmstatLine(context: CommandContext): string {
  const memory = numbersOf(readText(context, '/proc/meminfo'));
  const events = numbersOf(readText(context, '/proc/vmstat'));
  const stat = statCounters(context);
  const uptime = Number.parseFloat(readText(context, '/proc/uptime')) || 1;
  const rate = (value: number) => Math.round(value / uptime);
  const ticks = stat.cpu.slice(0, 8).reduce((sum, value) => sum + value, 0);
  const share = (...indices: number[]) =>
    ticks === 0 ? 0 : Math.round((100 * indices.reduce((sum, i) => sum + stat.cpu[i], 0)) / ticks);
  const cells: [number, number][] = [
    [Math.max(1, stat.of('procs_running')), 2],
    [stat.of('procs_blocked'), 2],
    [memory('SwapTotal') - memory('SwapFree'), 6],
    [memory('MemFree'), 6],
    [memory('Buffers'), 6],
    [memory('Cached') + memory('SReclaimable'), 6],
    [rate(events('pswpin') * 4), 4],
    [rate(events('pswpout') * 4), 4],
    [rate(events('pgpgin')), 5],
    [rate(events('pgpgout')), 5],
    [rate(stat.of('intr')), 4],
    [rate(stat.of('ctxt')), 4],
    [share(0, 1), 2],
    [share(2, 5, 6), 2],
    [ticks === 0 ? 100 : share(3), 2],
    [share(4), 2],
    [share(7), 2],
  ];
  return `${cells.map(([value, width]) => String(value).padStart(width)).join(' ')}\n`;
}

function vmstatSums(context: CommandContext): string {
  const memory = numbersOf(readText(context, '/proc/meminfo'));
  const events = numbersOf(readText(context, '/proc/vmstat'));
  const { cpu, of } = statCounters(context);
  const rows: [number, string][] = [
    [memory('MemTotal'), 'K total memory'],
    [Math.max(0, memory('MemTotal') - memory('MemAvailable')), 'K used memory'],
    [memory('Active'), 'K active memory'],
    [memory('Inactive'), 'K inactive memory'],
    [memory('MemFree'), 'K free memory'],
    [memory('Buffers'), 'K buffer memory'],
    [memory('Cached') + memory('SReclaimable'), 'K swap cache'],
    [memory('SwapTotal'), 'K total swap'],
    [memory('SwapTotal') - memory('SwapFree'), 'K used swap'],
    [memory('SwapFree'), 'K free swap'],
    [cpu[0], 'non-nice user cpu ticks'],
    [cpu[1], 'nice user cpu ticks'],
    [cpu[2], 'system cpu ticks'],
    [cpu[3], 'idle cpu ticks'],
    [cpu[4], 'IO-wait cpu ticks'],
    [cpu[5], 'IRQ cpu ticks'],
    [cpu[6], 'softirq cpu ticks'],
    [cpu[7], 'stolen cpu ticks'],
    [cpu[8], 'non-nice guest cpu ticks'],
    [cpu[9], 'nice guest cpu ticks'],
    [events('pgpgin'), 'K paged in'],
    [events('pgpgout'), 'K paged out'],
    [events('pswpin'), 'pages swapped in'],
    [events('pswpout'), 'pages swapped out'],
    [of('intr'), 'interrupts'],
    [of('ctxt'), 'CPU context switches'],
    [of('btime'), 'boot time'],
    [of('processes'), 'forks'],
  ];
  return rows.map(([value, label]) => `${String(value).padStart(13)} ${label}\n`).join('');
}

const vmstat = (clock: VirtualClock): Command =>
  tool(
    'samn',
    async (context, flags) => {
      if (flags.has('s')) return context.out(vmstatSums(context)).then(() => 0);
      if (flags.has('m')) return context.out(slabTable(context)).then(() => 0);
      const [delay, turns] = flags.operands.map((text) => count(text, 'argument'));
      const times = delay === undefined ? 1 : (turns ?? Number.POSITIVE_INFINITY);
      for (let turn = 0; turn < times; turn++) {
        if (turn % 20 === 0) await context.out(VMSTAT_HEADER);
        await context.out(vmstatLine(context));
        if (turn + 1 < times && !(await clock.sleep(delay * 1e9, context.signal))) return 130;
      }
      return 0;
    },
    { stats: 's', slabs: 'm', active: 'a', 'one-header': 'n' },
  );

function slabTable(context: CommandContext): string {
  const cell = (value: number) => String(value).padStart(6);
  const rows = slabRows(readText(context, '/proc/slabinfo')).map(
    ({ name, active, objects, bytes, perSlab }) =>
      `${name.slice(0, 24).padEnd(24)} ${[active, objects, bytes, perSlab].map(cell).join(' ')}\n`,
  );
  return `Cache                       Num  Total   Size  Pages\n${rows.join('')}`;
}

// ---------------------------------------------------------------- slabtop

interface SlabRow {
  name: string;
  active: number;
  objects: number;
  bytes: number;
  perSlab: number;
  pagesPerSlab: number;
  slabs: number;
}

/** Rows of /proc/slabinfo. */
export function slabRows(text: string): SlabRow[] {
  return text
    .split('\n')
    .slice(2)
    .filter(Boolean)
    .map((line) => {
      const [name, ...rest] = line.split(/\s+/);
      const [active, objects, bytes, perSlab, pagesPerSlab] = rest.slice(0, 5).map(Number);
      const slabs = Number(/slabdata\s+\d+\s+(\d+)/.exec(line)?.[1] ?? 0);
      return { name, active, objects, bytes, perSlab, pagesPerSlab, slabs };
    });
}

/** The five lines above the table. */
function slabSummary(rows: readonly SlabRow[]): string {
  const sum = (of: (row: SlabRow) => number) => rows.reduce((total, row) => total + of(row), 0);
  const kib = (bytes: number) => `${(bytes / 1024).toFixed(2)}K`;
  const line = (title: string, active: number, total: number, show = String as (n: number) => string) =>
    ` ${`Active / Total ${title} (% used)`.padEnd(35)}: ${show(active)} / ${show(total)} (${(total > 0 ? (100 * active) / total : 0).toFixed(1)}%)\n`;
  const slabs = sum((row) => row.slabs);
  const objects = sum((row) => row.objects);
  const size = sum((row) => row.objects * row.bytes);
  const sizes = rows.map((row) => row.bytes);
  return (
    line(
      'Objects',
      sum((row) => row.active),
      objects,
    ) +
    line('Slabs', slabs, slabs) +
    line('Caches', rows.filter((row) => row.slabs > 0).length, rows.length) +
    line(
      'Size',
      sum((row) => row.active * row.bytes),
      size,
      kib,
    ) +
    ` ${'Minimum / Average / Maximum Object'.padEnd(35)}: ${kib(Math.min(...sizes))} / ${kib(objects > 0 ? size / objects : 0)} / ${kib(Math.max(...sizes))}\n\n`
  );
}

const cacheKib = (row: SlabRow) => row.slabs * row.pagesPerSlab * 4;

/** What `-s` may sort by. */
const SORTS: Record<string, (a: SlabRow, b: SlabRow) => number> = {
  a: (a, b) => b.active - a.active,
  b: (a, b) => b.perSlab - a.perSlab,
  c: (a, b) => cacheKib(b) - cacheKib(a),
  l: (a, b) => b.slabs - a.slabs,
  n: (a, b) => (a.name < b.name ? -1 : 1),
  o: (a, b) => b.objects - a.objects,
  p: (a, b) => b.pagesPerSlab - a.pagesPerSlab,
  s: (a, b) => b.bytes - a.bytes,
  u: (a, b) => b.active / (b.objects || 1) - a.active / (a.objects || 1),
};

function slabtopScreen(context: CommandContext, order: string): string {
  const rows = slabRows(readText(context, '/proc/slabinfo'));
  const summary = slabSummary(rows);
  rows.sort(SORTS[order]);
  const lines = rows.map((row) => {
    const use = row.objects > 0 ? Math.floor((100 * row.active) / row.objects) : 0;
    return [
      String(row.objects).padStart(6),
      String(row.active).padStart(6),
      `${String(use).padStart(3)}%`,
      `${(row.bytes / 1024).toFixed(2).padStart(7)}K`,
      String(row.slabs).padStart(6),
      String(row.perSlab).padStart(8),
      `${String(cacheKib(row)).padStart(9)}K`,
      row.name.padEnd(23),
    ].join(' ');
  });
  const header = '  OBJS ACTIVE  USE OBJ SIZE  SLABS OBJ/SLAB CACHE SIZE NAME                   ';
  return `${[summary + header, ...lines].join('\n')}\n`;
}

const slabtop = (clock: VirtualClock): Command =>
  tool(
    'os:d:',
    async (context, flags) => {
      const order = flags.value('s') ?? 'o';
      if (!SORTS[order])
        throw new UsageError(`invalid sort key '${order}', expected one of ${Object.keys(SORTS).join(' ')}`);
      if (flags.has('o')) return context.out(slabtopScreen(context, order)).then(() => 0);
      const seconds = count(flags.value('d') ?? '3', 'delay');
      do {
        const screen = slabtopScreen(context, order).split('\n').slice(0, 23).join('\n');
        await context.out(`\x1b[H\x1b[2J${screen}\n`);
      } while (await clock.sleep(Math.max(1, seconds) * 1e9, context.signal, true));
      return 0;
    },
    { once: 'o', sort: 's', delay: 'd' },
  );

export const memoryTools = (clock: VirtualClock): CommandSet => ({
  free: [
    free(clock),
    'how much memory is free',
    'usage: free [-b|-k|-m|-g|-h] [-w] [-t] [-s SECONDS] [-c COUNT]',
  ],
  vmstat: [vmstat(clock), 'memory, paging and processor', 'usage: vmstat [-s|-m] [DELAY [COUNT]]'],
  slabtop: [slabtop(clock), 'slab caches, largest first', 'usage: slabtop [-o] [-s abclnopsu] [-d SECONDS]'],
});
