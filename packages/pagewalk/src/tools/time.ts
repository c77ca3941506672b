// SPDX-License-Identifier: MIT
/** Commands about time: all of it virtual. */

import type { VirtualClock } from '../clock.js';
import type { Command } from '../shell/command.js';
import { parseFlags, UsageError, withUsage } from './arguments.js';
import type { CommandSet } from './kmod.js';

const UNITS: Record<string, number> = { '': 1, s: 1, m: 60, h: 3600, d: 86_400 };

const sleep =
  (clock: VirtualClock): Command =>
  (context) =>
    withUsage(context, async () => {
      let seconds = 0;
      for (const arg of context.args) {
        const match = /^(\d+(?:\.\d*)?|\.\d+)([smhd]?)$/.exec(arg);
        if (!match && arg !== 'infinity') throw new UsageError(`invalid time interval '${arg}'`);
        seconds += match ? Number(match[1]) * UNITS[match[2]] : Number.POSITIVE_INFINITY;
      }
      if (context.args.length === 0) throw new UsageError('missing operand');
      return (await clock.sleep(Math.round(seconds * 1e9), context.signal)) ? 0 : 130;
    });

const WEEKDAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];
const MONTHS = [
  ...['January', 'February', 'March', 'April', 'May', 'June', 'July'],
  ...['August', 'September', 'October', 'November', 'December'],
];
const two = (value: number) => String(value).padStart(2, '0');

/** What each letter of a date's format stands for. */
function dateField(letter: string, now: Date, nanoseconds: number): string | undefined {
  const part = (format: string) => formatDate(format, now, nanoseconds);
  const newYear = Date.UTC(now.getUTCFullYear(), 0, 1);
  const hour = now.getUTCHours();
  const fields: Record<string, () => string> = {
    Y: () => String(now.getUTCFullYear()),
    y: () => two(now.getUTCFullYear() % 100),
    m: () => two(now.getUTCMonth() + 1),
    d: () => two(now.getUTCDate()),
    e: () => String(now.getUTCDate()).padStart(2),
    H: () => two(hour),
    I: () => two(hour % 12 || 12),
    p: () => (hour < 12 ? 'AM' : 'PM'),
    M: () => two(now.getUTCMinutes()),
    S: () => two(now.getUTCSeconds()),
    s: () => String(Math.floor(now.getTime() / 1000)),
    N: () => String(nanoseconds).padStart(9, '0'),
    a: () => WEEKDAYS[now.getUTCDay()].slice(0, 3),
    A: () => WEEKDAYS[now.getUTCDay()],
    b: () => MONTHS[now.getUTCMonth()].slice(0, 3),
    B: () => MONTHS[now.getUTCMonth()],
    j: () => String(Math.floor((now.getTime() - newYear) / 86_400_000) + 1).padStart(3, '0'),
    u: () => String(now.getUTCDay() || 7),
    w: () => String(now.getUTCDay()),
    Z: () => 'UTC',
    z: () => '+0000',
    F: () => part('%Y-%m-%d'),
    T: () => part('%H:%M:%S'),
    R: () => part('%H:%M'),
    D: () => part('%m/%d/%y'),
    c: () => part('%a %b %e %T %Y'),
    n: () => '\n',
    t: () => '\t',
    '%': () => '%',
  };
  return fields[letter]?.();
}

const formatDate = (format: string, now: Date, nanoseconds: number): string =>
  format.replace(/%([a-zA-Z%])/g, (all, letter: string) => dateField(letter, now, nanoseconds) ?? all);

const date =
  (clock: VirtualClock): Command =>
  (context) =>
    withUsage(context, async () => {
      const formats: Record<string, string> = { R: '%a, %d %b %Y %T %z', I: '%F' };
      const flags = parseFlags(context.args, 'uRId:', {
        utc: 'u',
        date: 'd',
        'rfc-email': 'R',
        'iso-8601': 'I',
      });
      const [operand] = flags.operands;
      if (operand !== undefined && !operand.startsWith('+'))
        throw new UsageError(`invalid date '${operand}'`);
      const given = flags.value('d');
      const seconds = given === undefined ? undefined : /^@(-?\d{1,11})$/.exec(given)?.[1];
      if (given !== undefined && seconds === undefined) throw new UsageError(`invalid date '${given}'`);
      const now = new Date(seconds === undefined ? clock.dateMs : Number(seconds) * 1000);
      const nanoseconds = seconds === undefined ? clock.ns % 1e9 : 0;
      const letter = ['R', 'I'].find((item) => flags.has(item));
      const format = operand?.slice(1) ?? formats[letter ?? ''] ?? '%a %b %e %T %Z %Y';
      await context.out(`${formatDate(format, now, nanoseconds)}\n`);
      return 0;
    });

/** `3 min`, ` 1:49`, `2 days,  1:49`. */
function upText(seconds: number): string {
  const minutes = Math.floor(seconds / 60);
  const hours = Math.floor(minutes / 60) % 24;
  const days = Math.floor(minutes / 1440);
  const short = hours > 0 ? `${String(hours).padStart(2)}:${two(minutes % 60)}` : `${minutes % 60} min`;
  return `${days > 0 ? `${days} day${days > 1 ? 's' : ''}, ` : ''}${short}`;
}

const prettyUp = (seconds: number): string => {
  const parts = [
    [Math.floor(seconds / 86_400), 'day'],
    [Math.floor(seconds / 3600) % 24, 'hour'],
    [Math.floor(seconds / 60) % 60, 'minute'],
  ] as const;
  const shown = parts.filter(([count, unit]) => count > 0 || (unit === 'minute' && seconds < 3600));
  return `up ${shown.map(([count, unit]) => `${count} ${unit}${count === 1 ? '' : 's'}`).join(', ')}`;
};

const uptime =
  (clock: VirtualClock): Command =>
  (context) =>
    withUsage(context, async () => {
      const flags = parseFlags(context.args, 'ps', { pretty: 'p', since: 's' });
      const text = new TextDecoder().decode(context.fs.readFile('/proc/uptime'));
      const seconds = Number.parseFloat(text);
      const now = new Date(clock.dateMs);
      let line = ` ${formatDate('%T', now, 0)} up ${upText(seconds)},  1 user,  load average: ${loadAverage(context.fs)}`;
      if (flags.has('p')) line = prettyUp(seconds);
      if (flags.has('s')) line = formatDate('%F %T', new Date(clock.dateMs - seconds * 1000), 0);
      await context.out(`${line}\n`);
      return 0;
    });

function loadAverage(fs: { exists(path: string): boolean; readFile(path: string): Uint8Array }): string {
  if (!fs.exists('/proc/loadavg')) return '0.00, 0.00, 0.00';
  return new TextDecoder().decode(fs.readFile('/proc/loadavg')).split(' ').slice(0, 3).join(', ');
}

const watch =
  (clock: VirtualClock): Command =>
  (context) =>
    withUsage(context, async () => {
      const end = context.args.findIndex(
        (arg, index) => !arg.startsWith('-') && context.args[index - 1] !== '-n',
      );
      const flags = parseFlags(context.args.slice(0, end < 0 ? undefined : end), 'n:tdcxeg', {
        interval: 'n',
        'no-title': 't',
        chgexit: 'g',
      });
      if (end < 0) throw new UsageError('usage: watch [-n SECONDS] [-t] COMMAND');
      const seconds = Math.max(0.1, Number(flags.value('n') ?? 2));
      if (Number.isNaN(seconds)) throw new UsageError(`failed to parse argument: '${flags.value('n')}'`);
      const command = context.args.slice(end).join(' ');
      const title = `Every ${seconds.toFixed(1)}s: ${command}\n\n`;
      do {
        await context.out(`\x1b[H\x1b[2J${flags.has('t') ? '' : title}`);
        await context.run(['sh', '-c', command]);
      } while (await clock.sleep(seconds * 1e9, context.signal, true));
      return 0;
    });

export const timeTools = (clock: VirtualClock): CommandSet => ({
  sleep: [sleep(clock), 'let virtual time pass', 'usage: sleep NUMBER[smhd]...'],
  date: [date(clock), "the machine's date and time", 'usage: date [-u] [-d @SECONDS] [+FORMAT]'],
  uptime: [uptime(clock), 'time since boot, on the virtual clock', 'usage: uptime [-p|-s]'],
  watch: [watch(clock), 'run a command again and again', 'usage: watch [-n SECONDS] [-t] COMMAND'],
});
