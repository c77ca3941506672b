// SPDX-License-Identifier: MIT
/** Commands about the machine: they read /proc, as their models do. */

import {
  UTS_MACHINE,
  UTS_NODENAME,
  UTS_RELEASE,
  UTS_SYSNAME,
  UTS_VERSION,
} from '@pagewalk/kernel/kernel/utsname';
import { FsError } from '../fs/filesystem.js';
import type { LogRecord, Machine } from '../machine.js';
import type { Command, CommandContext } from '../shell/command.js';
import { parseFlags, UsageError, withUsage } from './arguments.js';
import type { CommandSet } from './kmod.js';
import { tool } from './text.js';

const decoder = new TextDecoder();
const readText = (context: CommandContext, path: string) => decoder.decode(context.fs.readFile(path));

export const RELEASE = UTS_RELEASE;

const uname = tool(
  'asnrvmpio',
  async (context, flags) => {
    if (flags.operands.length > 0) throw new UsageError(`extra operand '${flags.operands[0]}'`);
    const fields: [string, string][] = [
      ['s', UTS_SYSNAME],
      ['n', UTS_NODENAME],
      ['r', RELEASE],
      ['v', UTS_VERSION],
      ['m', UTS_MACHINE],
      ['o', 'GNU/Linux'],
    ];
    const none = !fields.some(([letter]) => flags.has(letter)) && !flags.has('p') && !flags.has('i');
    const shown = fields.filter(
      ([letter]) => flags.has('a') || flags.has(letter) || (none && letter === 's'),
    );
    const unknown = ['p', 'i'].filter((letter) => flags.has(letter) && !flags.has('a')).map(() => 'unknown');
    await context.out(`${[...shown.map(([, value]) => value), ...unknown].join(' ')}\n`);
    return 0;
  },
  {
    all: 'a',
    'kernel-name': 's',
    nodename: 'n',
    'kernel-release': 'r',
    'kernel-version': 'v',
    machine: 'm',
    'operating-system': 'o',
  },
);

const LEVELS = ['emerg', 'alert', 'crit', 'err', 'warn', 'notice', 'info', 'debug'];

/** `[    2.688233] ` */
export const timeStamp = (ns: number): string =>
  `[${(Math.floor(ns / 1000) / 1e6).toFixed(6).padStart(12)}] `;

/** A record as dmesg shows it; each line of its text carries the prefix. */
export function recordLines(record: LogRecord, flags: { has(letter: string): boolean }): string {
  const time = flags.has('t') ? '' : timeStamp(record.ns);
  const level = flags.has('r')
    ? `<${record.level}>`
    : flags.has('x')
      ? `kern  :${LEVELS[record.level].padEnd(6)}: `
      : '';
  return record.text
    .replace(/\n$/, '')
    .split('\n')
    .map((line) => `${level}${time}${line}\n`)
    .join('');
}

const DMESG_LONG = {
  clear: 'C',
  'read-clear': 'c',
  notime: 't',
  raw: 'r',
  decode: 'x',
  level: 'l',
  human: 'H',
  nopager: 'P',
  kernel: 'k',
};

const dmesg =
  (machine: Machine): Command =>
  (context) =>
    withUsage(context, async () => {
      if (machine.dmesgCommand) {
        const { stdout, stderr, status } = machine.dmesgCommand(context.args);
        await context.stdout.write(stdout);
        if (stderr) await context.err(stderr);
        return status;
      }
      const flags = parseFlags(context.args, 'cCtrxl:HPk', DMESG_LONG);
      const levels = flags
        .value('l')
        ?.split(',')
        .map((name) => {
          const level = LEVELS.indexOf(name);
          if (level < 0) throw new UsageError(`unknown level '${name}'`);
          return level;
        });
      if (!flags.has('C')) {
        for (const record of machine.dmesg())
          if (!levels || levels.includes(record.level)) await context.out(recordLines(record, flags));
      }
      if (flags.has('c') || flags.has('C')) machine.clearDmesg();
      return 0;
    });

/** Values of /proc/meminfo in KiB. */
function meminfo(context: CommandContext): (name: string) => number {
  const values = new Map(
    readText(context, '/proc/meminfo')
      .split('\n')
      .map((line) => [line.split(':')[0], Number.parseInt(line.split(':')[1], 10)]),
  );
  return (name) => values.get(name) ?? 0;
}

const FREE_DIVISORS: Record<string, number> = { b: 1 / 1024, k: 1, m: 1024, g: 1024 * 1024 };

const human = (kib: number): string => {
  let value = kib;
  let unit = 0;
  for (; value >= 1024; unit++) value /= 1024;
  return `${value < 10 && unit > 0 ? value.toFixed(1) : Math.round(value)}${['Ki', 'Mi', 'Gi', 'Ti'][unit]}`;
};

const free = tool('bkmghwts:c:', async (context, flags) => {
  const of = meminfo(context);
  const unit = Object.keys(FREE_DIVISORS).find((letter) => flags.has(letter)) ?? 'k';
  const show = (kib: number) =>
    (flags.has('h') ? human(kib) : String(Math.floor(kib / FREE_DIVISORS[unit]))).padStart(12);
  const cache = of('Buffers') + of('Cached') + of('SReclaimable');
  const used = of('MemTotal') - of('MemFree') - cache;
  const rows = [
    ['Mem:', of('MemTotal'), used, of('MemFree'), of('Shmem'), cache, of('MemAvailable')],
    ['Swap:', of('SwapTotal'), of('SwapTotal') - of('SwapFree'), of('SwapFree')],
  ] as const;
  await context.out('               total        used        free      shared  buff/cache   available\n');
  for (const [name, ...values] of rows) await context.out(`${name.padEnd(8)}${values.map(show).join('')}\n`);
  return 0;
});

const uptime: Command = async (context) => {
  const seconds = Number.parseFloat(readText(context, '/proc/uptime'));
  const minutes = Math.floor(seconds / 60);
  const hours = Math.floor(minutes / 60);
  await context.out(
    ` up ${hours > 0 ? `${hours}:${String(minutes % 60).padStart(2, '0')}` : `${minutes} min`},  load average: 0.00, 0.00, 0.00\n`,
  );
  return 0;
};

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

const slabtop = tool(
  'os:d:',
  async (context, flags) => {
    if (!flags.has('o')) throw new UsageError('the display that refreshes is not there yet; use -o');
    const rows = slabRows(readText(context, '/proc/slabinfo'));
    rows.sort((a, b) =>
      flags.value('s') === 'c' ? b.slabs * b.pagesPerSlab - a.slabs * a.pagesPerSlab : b.objects - a.objects,
    );
    await context.out('  OBJS ACTIVE  USE OBJ SIZE  SLABS OBJ/SLAB CACHE SIZE NAME                   \n');
    for (const row of rows) {
      const use = row.objects > 0 ? Math.floor((100 * row.active) / row.objects) : 0;
      const columns = [
        String(row.objects).padStart(6),
        String(row.active).padStart(6),
        `${String(use).padStart(3)}%`,
        `${(row.bytes / 1024).toFixed(2).padStart(7)}K`,
        String(row.slabs).padStart(6),
        String(row.perSlab).padStart(8),
        `${String(row.slabs * row.pagesPerSlab * 4).padStart(9)}K`,
        row.name.padEnd(23),
      ];
      await context.out(`${columns.join(' ')}\n`);
    }
    return 0;
  },
  { once: 'o', sort: 's' },
);

const sysctl = tool('nwa', async (context, flags) => {
  let status = 0;
  for (const operand of flags.operands) {
    const [name, value] = operand.split(/=(.*)/s);
    const path = `/proc/sys/${name.replaceAll('.', '/')}`;
    try {
      if (value !== undefined) context.fs.writeFile(path, new TextEncoder().encode(`${value}\n`));
      const shown = value ?? readText(context, path).trimEnd();
      await context.out(flags.has('n') ? `${shown}\n` : `${name} = ${shown}\n`);
    } catch (error) {
      if (!(error instanceof FsError)) throw error;
      await context.err(
        `sysctl: ${error.code === 'ENOENT' ? `cannot stat ${path}` : `permission denied on key '${name}'`}: ${error.reason}\n`,
      );
      status = 255;
    }
  }
  return status;
});

const mountTable = (context: CommandContext) => context.fs.mountTable();

const mount: Command = async (context) => {
  if (context.args.length > 0)
    return context.fail('mounting is not possible here; without arguments it lists the mounts', 32);
  for (const { point, type } of mountTable(context))
    await context.out(`${type} on ${point} type ${type} (rw,relatime)\n`);
  return 0;
};

export function systemTools(machine: Machine): CommandSet {
  return {
    uname: [uname, 'name and release of the kernel', 'usage: uname [-asnrvmo]'],
    dmesg: [dmesg(machine), 'the kernel log'],
    free: [free, 'how much memory is free', 'usage: free [-b|-k|-m|-g|-h]'],
    uptime: [uptime, 'time since boot, on the virtual clock'],
    slabtop: [slabtop, 'slab caches by size', 'usage: slabtop -o [-s c]'],
    sysctl: [sysctl, 'read and set kernel parameters', 'usage: sysctl [-n] NAME[=VALUE]...'],
    mount: [mount, 'list what is mounted', 'usage: mount'],
  };
}
