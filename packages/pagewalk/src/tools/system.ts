// SPDX-License-Identifier: MIT
/** Commands about the machine: they read /proc, as their models do. */

import {
  UTS_MACHINE,
  UTS_NODENAME,
  UTS_RELEASE,
  UTS_SYSNAME,
  UTS_VERSION,
} from '@pagewalk/kernel/kernel/utsname';
import type { VirtualClock } from '../clock.js';
import { FsError } from '../fs/filesystem.js';
import type { LogRecord, Machine } from '../machine.js';
import type { Command, CommandContext } from '../shell/command.js';
import { parseFlags, UsageError, withUsage } from './arguments.js';
import type { CommandSet } from './kmod.js';
import { SYSCTL_USAGE, sysctl } from './sysctl.js';
import { tool } from './text.js';

const decoder = new TextDecoder();
const readText = (context: CommandContext, path: string) => decoder.decode(context.fs.readFile(path));

export const RELEASE = UTS_RELEASE;

/** The machine's name, which /proc/sys/kernel/hostname sets. */
function hostname(context: CommandContext): string {
  try {
    return readText(context, '/proc/sys/kernel/hostname').trim();
  } catch (error) {
    if (!(error instanceof FsError)) throw error;
    return UTS_NODENAME;
  }
}

const uname = tool(
  'asnrvmpio',
  async (context, flags) => {
    if (flags.operands.length > 0) throw new UsageError(`extra operand '${flags.operands[0]}'`);
    const fields: [string, string][] = [
      ['s', UTS_SYSNAME],
      ['n', hostname(context)],
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

/** How often `dmesg -w` looks. */
const FOLLOW_NS = 100_000_000;

const dmesg =
  (machine: Machine, clock: VirtualClock): Command =>
  (context) =>
    withUsage(context, async () => {
      if (machine.dmesgCommand) {
        const { stdout, stderr, status, follow } = machine.dmesgCommand(context.args);
        await context.stdout.write(stdout);
        if (stderr) await context.err(stderr);
        while (follow && (await clock.sleep(FOLLOW_NS, context.signal, true)))
          await context.stdout.write(follow());
        return follow ? 130 : status;
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

const mountTable = (context: CommandContext) => context.fs.mountTable();

const mount: Command = async (context) => {
  if (context.args.length > 0)
    return context.fail('mounting is not possible here; without arguments it lists the mounts', 32);
  for (const { point, type } of mountTable(context))
    await context.out(`${type} on ${point} type ${type} (rw,relatime)\n`);
  return 0;
};

/** File systems that have no blocks: what is in RAM is counted in /proc/meminfo. */
const df: Command = tool('hkTaP', async (context) => {
  const row = (cells: readonly string[]) =>
    `${cells[0].padEnd(14)} ${cells[1].padStart(9)} ${cells[2].padStart(4)} ${cells[3].padStart(9)} ${cells[4].padStart(4)} ${cells[5]}\n`;
  await context.out(row(['Filesystem', '1K-blocks', 'Used', 'Available', 'Use%', 'Mounted on']));
  for (const { point, type } of mountTable(context))
    await context.out(row([type, '0', '0', '0', '-', point]));
  return 0;
});

export function systemTools(machine: Machine, clock: VirtualClock): CommandSet {
  return {
    uname: [uname, 'name and release of the kernel', 'usage: uname [-asnrvmo]'],
    dmesg: [dmesg(machine, clock), 'the kernel log'],
    sysctl: [sysctl, 'read and set kernel parameters', SYSCTL_USAGE.trim()],
    df: [df, 'mounted file systems', 'usage: df'],
    mount: [mount, 'list what is mounted', 'usage: mount'],
  };
}
