// SPDX-License-Identifier: MIT
/** ps: from /proc where it has folders of tasks, else from the kernel's list. */

import type { VirtualClock } from '../clock.js';
import type { Machine, TaskInfo } from '../machine.js';
import type { Command, CommandContext } from '../shell/command.js';
import { UsageError, withUsage } from './arguments.js';
import type { CommandSet } from './kmod.js';

const decoder = new TextDecoder();
const PF_KTHREAD = 0x200000;
/** Ticks of /proc/PID/stat in a second. */
const USER_HZ = 100;

interface Row extends TaskInfo {
  readonly args: string;
  readonly cpuSeconds: number;
  /** KiB. */
  readonly vsz: number;
  readonly rss: number;
}

/** A row from /proc/PID/stat; undefined if the task is gone or there is no such file. */
function rowOf(context: CommandContext, pid: string): Row | undefined {
  const { fs } = context;
  if (!fs.exists(`/proc/${pid}/stat`)) return undefined;
  const match = /^(\d+) \(([\s\S]*)\) (\S) ([\s\S]*)$/.exec(decoder.decode(fs.readFile(`/proc/${pid}/stat`)));
  if (!match) return undefined;
  const fields = match[4].split(' ').map(Number);
  const kthread = (fields[5] & PF_KTHREAD) !== 0;
  const line = fs.exists(`/proc/${pid}/cmdline`) ? decoder.decode(fs.readFile(`/proc/${pid}/cmdline`)) : '';
  return {
    pid: Number(match[1]),
    comm: match[2],
    state: match[3],
    ppid: fields[0],
    kthread,
    startNs: (fields[18] ?? 0) * (1e9 / USER_HZ),
    args: line === '' ? `[${match[2]}]` : line.replace(/\0$/, '').replaceAll('\0', ' '),
    cpuSeconds: ((fields[10] ?? 0) + (fields[11] ?? 0)) / USER_HZ,
    vsz: Math.floor((fields[19] ?? 0) / 1024),
    rss: (fields[20] ?? 0) * 4,
  };
}

function allRows(machine: Machine, context: CommandContext): Row[] {
  const pids = context.fs.readdir('/proc').filter((name) => /^\d+$/.test(name));
  const rows = pids.map((pid) => rowOf(context, pid)).filter((row) => row !== undefined);
  if (rows.length > 0) return rows.sort((a, b) => a.pid - b.pid);
  return machine.tasks().map((task) => ({
    ...task,
    args: task.kthread ? `[${task.comm}]` : task.comm,
    cpuSeconds: 0,
    vsz: 0,
    rss: 0,
  }));
}

const two = (value: number) => String(Math.floor(value)).padStart(2, '0');
const hms = (seconds: number) => `${two(seconds / 3600)}:${two((seconds / 60) % 60)}:${two(seconds % 60)}`;

interface Column {
  readonly title: string;
  readonly width: number;
  readonly left?: boolean;
  text(row: Row, clock: VirtualClock): string;
}

const startText = ({ startNs }: Row, clock: VirtualClock): string =>
  new Date(clock.dateMs - (clock.ns - startNs) / 1e6).toISOString().slice(11, 16);

const COLUMNS: Record<string, Column> = {
  pid: { title: 'PID', width: 5, text: ({ pid }) => String(pid) },
  ppid: { title: 'PPID', width: 7, text: ({ ppid }) => String(ppid) },
  user: { title: 'USER', width: 8, left: true, text: () => 'root' },
  uid: { title: 'UID', width: 8, left: true, text: () => 'root' },
  tty: { title: 'TTY', width: 8, left: true, text: () => '?' },
  stat: { title: 'STAT', width: 4, left: true, text: ({ state }) => state },
  s: { title: 'S', width: 1, text: ({ state }) => state },
  time: { title: 'TIME', width: 8, text: ({ cpuSeconds }) => hms(cpuSeconds) },
  bsdtime: {
    title: 'TIME',
    width: 6,
    text: ({ cpuSeconds }) => `${Math.floor(cpuSeconds / 60)}:${two(cpuSeconds % 60)}`,
  },
  etimes: {
    title: 'ELAPSED',
    width: 7,
    text: ({ startNs }, clock) => String(Math.floor((clock.ns - startNs) / 1e9)),
  },
  start: { title: 'START', width: 5, left: true, text: startText },
  stime: { title: 'STIME', width: 5, left: true, text: startText },
  c: { title: 'C', width: 2, text: () => '0' },
  pcpu: { title: '%CPU', width: 4, text: () => '0.0' },
  pmem: { title: '%MEM', width: 4, text: () => '0.0' },
  vsz: { title: 'VSZ', width: 6, text: ({ vsz }) => String(vsz) },
  rss: { title: 'RSS', width: 5, text: ({ rss }) => String(rss) },
  comm: { title: 'CMD', width: 0, left: true, text: ({ comm }) => comm },
  args: { title: 'CMD', width: 0, left: true, text: ({ args }) => args },
  command: { title: 'COMMAND', width: 0, left: true, text: ({ args }) => args },
};

const SYNONYMS: Record<string, string> = {
  cmd: 'args',
  ucmd: 'comm',
  state: 's',
  tt: 'tty',
  tname: 'tty',
  '%cpu': 'pcpu',
  '%mem': 'pmem',
};
const AUX = 'user,pid,pcpu,pmem,vsz,rss,tty,stat,start,bsdtime,command';

function columnsOf(args: readonly string[]): { names: string; only?: Set<number> } {
  let names = 'pid,tty,time,comm';
  let only: Set<number> | undefined;
  const queue = [...args];
  for (let arg = queue.shift(); arg !== undefined; arg = queue.shift()) {
    const letters = arg.replace(/^-/, '');
    if (letters.endsWith('o')) names = queue.shift() ?? '';
    else if (letters === 'p') only = new Set((queue.shift() ?? '').split(',').map(Number));
    else if (/^[auxewAT]+$/.test(letters) && !arg.startsWith('-'))
      names = letters.includes('u') ? AUX : names;
    else if (letters.includes('f')) names = 'uid,pid,ppid,c,stime,tty,time,args';
    else if (!/^[eAaTwux]+$/.test(letters)) throw new UsageError(`unsupported option '${arg}'`);
  }
  return { names, ...(only && { only }) };
}

const ps =
  (machine: Machine, clock: VirtualClock): Command =>
  (context) =>
    withUsage(context, async () => {
      const { names, only } = columnsOf(context.args);
      const columns = names.split(',').map((spec) => {
        const [name, title] = spec.toLowerCase().split('=');
        const column = COLUMNS[SYNONYMS[name] ?? name];
        if (!column) throw new UsageError(`unknown user-defined format specifier "${name}"`);
        return title === undefined ? column : { ...column, title: spec.slice(spec.indexOf('=') + 1) };
      });
      const line = (cells: readonly string[]) =>
        `${cells
          .map((cell, index) => {
            const { width, left } = columns[index];
            if (left) return index === columns.length - 1 ? cell : cell.padEnd(width);
            return cell.padStart(width);
          })
          .join(' ')}\n`;
      const rows = allRows(machine, context).filter(({ pid }) => !only || only.has(pid));
      if (columns.some(({ title }) => title !== ''))
        await context.out(line(columns.map(({ title }) => title)));
      for (const row of rows) await context.out(line(columns.map((column) => column.text(row, clock))));
      return only && rows.length === 0 ? 1 : 0;
    });

export const taskTools = (machine: Machine, clock: VirtualClock): CommandSet => ({
  ps: [ps(machine, clock), 'tasks of the kernel', 'usage: ps [aux | -ef | -e -o COLUMN,...] [-p PID]'],
});
