// SPDX-License-Identifier: MIT
/** Commands about the machine: they read /proc, as their models do. */

import {
  MNT_DETACH,
  MS_BIND,
  MS_NOATIME,
  MS_NODEV,
  MS_NOEXEC,
  MS_NOSUID,
  MS_RDONLY,
  MS_REMOUNT,
} from '@pagewalk/kernel/fs/namespace';
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

const HOSTNAME = '/proc/sys/kernel/hostname';
/** The machine's name, which /proc/sys/kernel/hostname sets. */
function hostname(context: CommandContext): string {
  try {
    return readText(context, HOSTNAME).trim();
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

/** Options of mount(8) that are flags of mount(2); what else is given is for the file system. */
const MOUNT_FLAGS: Readonly<Record<string, number>> = {
  defaults: 0,
  rw: 0,
  relatime: 0,
  ro: MS_RDONLY,
  nosuid: MS_NOSUID,
  nodev: MS_NODEV,
  noexec: MS_NOEXEC,
  remount: MS_REMOUNT,
  noatime: MS_NOATIME,
  bind: MS_BIND,
};
/** Status of mount and umount when the call fails. */
const MOUNT_FAILED = 32;

const hostnameCommand: Command = (context) =>
  withUsage(context, async () => {
    const [name] = context.args;
    if (name === undefined) await context.out(readText(context, HOSTNAME));
    else context.fs.writeFile(HOSTNAME, new TextEncoder().encode(name));
    return 0;
  });

const mount: Command = tool('t:o:r', async (context, flags) => {
  const wantedType = flags.value('t');
  const { operands } = flags;
  if (operands.length === 0) {
    for (const { device, point, type, options } of context.fs.mountTable())
      if (wantedType === undefined || type === wantedType)
        await context.out(`${device} on ${point} type ${type} (${options})\n`);
    return 0;
  }
  const options = (flags.value('o') ?? '').split(',').filter((option) => option !== '');
  const known = options.filter((option) => option in MOUNT_FLAGS);
  const bits = known.reduce((all, option) => all | MOUNT_FLAGS[option], flags.has('r') ? MS_RDONLY : 0);
  const data = options.filter((option) => !(option in MOUNT_FLAGS)).join(',');
  const single = operands.length === 1 && (bits & MS_REMOUNT) !== 0;
  const [device, point] = single ? ['none', operands[0]] : operands;
  if (point === undefined || operands.length > 2)
    throw new UsageError('usage: mount [-t TYPE] [-o OPTION,...] DEVICE FOLDER');
  const source = bits & MS_BIND ? context.path(device) : device;
  if (wantedType === undefined && !(bits & (MS_BIND | MS_REMOUNT)))
    return context.fail(`${point}: no file system type specified (-t TYPE)`, MOUNT_FAILED);
  try {
    context.fs.mount(source, context.path(point), wantedType ?? '', bits, data);
    // A bind takes no options: the mount is changed once it is there.
    if (bits & MS_BIND && !(bits & MS_REMOUNT) && bits !== MS_BIND)
      context.fs.mount('none', context.path(point), '', bits | MS_REMOUNT, data);
    return 0;
  } catch (error) {
    if (!(error instanceof FsError)) throw error;
    const reasons: Partial<Record<string, string>> = {
      ENOENT: 'mount point does not exist.',
      ENOTDIR: 'mount point is not a directory.',
      ENODEV: `unknown filesystem type '${wantedType}'.`,
    };
    return context.fail(`${point}: ${reasons[error.code] ?? `${error.reason}.`}`, MOUNT_FAILED);
  }
});

const umount: Command = tool('l', async (context, flags) => {
  if (flags.operands.length === 0) throw new UsageError('usage: umount [-l] FOLDER...');
  let status = 0;
  for (const point of flags.operands) {
    try {
      context.fs.umount(context.path(point), flags.has('l') ? MNT_DETACH : 0);
    } catch (error) {
      if (!(error instanceof FsError)) throw error;
      const reasons: Partial<Record<string, string>> = {
        EBUSY: 'target is busy.',
        EINVAL: 'not mounted.',
        ENOENT: 'no mount point specified.',
      };
      status = await context.fail(`${point}: ${reasons[error.code] ?? `${error.reason}.`}`, MOUNT_FAILED);
    }
  }
  return status;
});

/** Sizes of file systems; those in RAM have none of their own: `free` tells what is left for them. */
const df: Command = tool('hkTaPi', async (context, flags) => {
  const row = (cells: readonly string[]) =>
    `${cells[0].padEnd(14)} ${cells[1].padStart(9)} ${cells[2].padStart(4)} ${cells[3].padStart(9)} ${cells[4].padStart(4)} ${cells[5]}\n`;
  const wanted = flags.operands.map((path) => context.path(path));
  await context.out(row(['Filesystem', '1K-blocks', 'Used', 'Available', 'Use%', 'Mounted on']));
  for (const { device, point } of context.fs.mountTable()) {
    if (wanted.length > 0 && !wanted.includes(point)) continue;
    const { bsize, blocks, bfree } = context.fs.statfs(point);
    const [total, free] = [blocks, bfree].map((count) => (count * bsize) / 1024);
    const percent = total === 0 ? '-' : `${Math.ceil(((total - free) * 100) / total)}%`;
    await context.out(row([device, String(total), String(total - free), String(free), percent, point]));
  }
  return 0;
});

export function systemTools(machine: Machine, clock: VirtualClock): CommandSet {
  return {
    hostname: [hostnameCommand, "the machine's name", 'usage: hostname [NAME]'],
    uname: [uname, 'name and release of the kernel', 'usage: uname [-asnrvmo]'],
    dmesg: [dmesg(machine, clock), 'the kernel log'],
    sysctl: [sysctl, 'read and set kernel parameters', SYSCTL_USAGE.trim()],
    df: [df, 'mounted file systems', 'usage: df'],
    mount: [mount, 'list or make mounts', 'usage: mount [-t TYPE] [-o OPTION,...] [DEVICE FOLDER]'],
    umount: [umount, 'take mounts away', 'usage: umount [-l] FOLDER...'],
  };
}
