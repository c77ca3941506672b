// SPDX-License-Identifier: MIT
/** The command line of dmesg. */

import { parseMoment } from './dmesg_time.js';

export const LEVELS = ['emerg', 'alert', 'crit', 'err', 'warn', 'notice', 'info', 'debug'];
export const FACILITIES = [
  'kern',
  'user',
  'mail',
  'daemon',
  'auth',
  'syslog',
  'lpr',
  'news',
  'uucp',
  'cron',
  'authpriv',
  'ftp',
];
/** What -f takes: the ones that the help names. */
const NAMED_FACILITIES = 8;

/** How a record's time is shown. */
export type DmesgTime = 'time' | 'notime' | 'delta' | 'reltime' | 'ctime' | 'iso';

export interface DmesgOptions {
  action: 'show' | 'clear' | 'console' | 'help';
  raw: boolean;
  decode: boolean;
  json: boolean;
  /** Control characters as they are. */
  noescape: boolean;
  time: DmesgTime;
  /** The time since the record before, too. */
  delta: boolean;
  levels?: Set<number>;
  facilities?: Set<number>;
  clearAfter: boolean;
  /** Seconds since 1970. */
  since?: number;
  until?: number;
  /** Records below this level reach the console from now on. */
  consoleLevel?: number | 'default';
  /** Wait for what comes: after what is there, or only that. */
  follow?: 'all' | 'new';
}

/** Long option, its letter, and whether it takes a value (`?`: may). */
const OPTIONS: readonly (readonly [string, string, ('value' | '?')?])[] = [
  ['buffer-size', 's', 'value'],
  ['clear', 'C'],
  ['color', 'L', '?'],
  ['console-level', 'n', 'value'],
  ['console-off', 'D'],
  ['console-on', 'E'],
  ['ctime', 'T'],
  ['decode', 'x'],
  ['facility', 'f', 'value'],
  ['follow', 'w'],
  ['follow-new', 'W'],
  ['force-prefix', 'p'],
  ['help', 'h'],
  ['human', 'H'],
  ['json', 'J'],
  ['kernel', 'k'],
  ['level', 'l', 'value'],
  ['noescape', '#'],
  ['nopager', 'P'],
  ['notime', 't'],
  ['raw', 'r'],
  ['read-clear', 'c'],
  ['reltime', 'e'],
  ['show-delta', 'd'],
  ['since', '1', 'value'],
  ['syslog', 'S'],
  ['time-format', '@', 'value'],
  ['until', '2', 'value'],
  ['userspace', 'u'],
];

export const DMESG_HELP = `
Usage:
 dmesg [options]

Shows or controls the kernel's log buffer.

Options:
 -C, --clear                 empty the log
 -c, --read-clear            show the log, then empty it
 -D, --console-off           keep messages off the console
 -E, --console-on            let messages reach the console again
 -n, --console-level <level> which messages reach the console
 -f, --facility <list>       only these facilities
 -l, --level <list>          only these levels
 -k, --kernel                only the kernel's messages
 -u, --userspace             only messages of programs
 -x, --decode                show facility and level by name
 -r, --raw                   show facility and level as a number
 -d, --show-delta            show the time since the message before
 -e, --reltime               show minutes, and times within them
 -H, --human                 the same, for people
 -T, --ctime                 show date and time
 -t, --notime                show no time
     --noescape              show control characters as they are
     --since <time>          only what was logged from then on: now, -5min, 10:00, 2026-01-01 10:00, @seconds
     --until <time>          only what was logged up to then
     --time-format <format>  delta, reltime, ctime, notime or iso
 -J, --json                  JSON
 -w, --follow                wait for more
 -W, --follow-new            wait for more, show only that

Levels: ${LEVELS.join(' ')}
Facilities: ${FACILITIES.slice(0, NAMED_FACILITIES).join(' ')}
`;

const TRY = "Try 'dmesg --help' for more information.\n";
/** Options of which only one may be there; messages list them so. */
const EXCLUSIVE: readonly (readonly string[])[] = [
  ['clear', 'console-off', 'console-on', 'read-clear', 'console-level', 'raw'],
  ['raw', 'decode'],
  ['ctime', 'raw'],
];

interface Word {
  readonly name: string;
  readonly value: string;
}

/** Splits the command line as getopt_long does; a string is the error. */
function words(args: readonly string[]): Word[] | string {
  const found: Word[] = [];
  const queue = [...args];
  for (let arg = queue.shift(); arg !== undefined; arg = queue.shift()) {
    if (arg === '--' || !arg.startsWith('-') || arg === '-') {
      if (arg === '--' && queue.length === 0) break;
      return `dmesg: bad usage\n${TRY}`;
    }
    if (arg.startsWith('--')) {
      const [name, ...rest] = arg.slice(2).split('=');
      const matching = OPTIONS.filter(([long]) => long.startsWith(name));
      const option = matching.find(([long]) => long === name) ?? matching[0];
      if (!option || (matching.length > 1 && option[0] !== name))
        return `dmesg: unrecognized option '${arg}'\n${TRY}`;
      const value = rest.length > 0 ? rest.join('=') : option[2] === 'value' ? queue.shift() : '';
      if (value === undefined) return `dmesg: option '--${option[0]}' requires an argument\n${TRY}`;
      found.push({ name: option[0], value });
      continue;
    }
    for (let i = 1; i < arg.length; i++) {
      const option = OPTIONS.find(([, letter]) => letter === arg[i] && /[A-Za-z]/.test(letter));
      if (!option) return `dmesg: invalid option -- '${arg[i]}'\n${TRY}`;
      let value: string | undefined = '';
      if (option[2]) {
        value = arg.slice(i + 1);
        if (value === '' && option[2] === 'value') value = queue.shift();
        if (value === undefined) return `dmesg: option requires an argument -- '${arg[i]}'\n${TRY}`;
        i = arg.length;
      }
      found.push({ name: option[0], value });
    }
  }
  return found;
}

/** Numbers of comma-separated names; a string is the error. */
function list(text: string, names: readonly string[], kind: string): Set<number> | string {
  const numbers = text.split(',').map((name) => names.indexOf(name));
  const bad = numbers.indexOf(-1);
  return bad < 0 ? new Set(numbers) : `dmesg: unknown ${kind} '${text.split(',')[bad]}'\n`;
}

/** Notes one option; a string is the error. */
function apply(options: DmesgOptions, { name, value }: Word, now: number): string | undefined {
  switch (name) {
    case 'since':
    case 'until': {
      const moment = parseMoment(value, now);
      if (moment === undefined) return `dmesg: invalid time value "${value}"\n`;
      options[name] = moment;
      return;
    }
    case 'level': {
      const levels = list(value, LEVELS, 'level');
      if (typeof levels === 'string') return levels;
      options.levels = levels;
      return;
    }
    case 'facility': {
      const facilities = list(value, FACILITIES.slice(0, NAMED_FACILITIES), 'facility');
      if (typeof facilities === 'string') return facilities;
      options.facilities = facilities;
      return;
    }
    case 'console-level': {
      const number = /^[1-8]$/.test(value) ? Number(value) : LEVELS.indexOf(value) + 1;
      if (number === 0) return `dmesg: unknown level '${value}'\n`;
      options.consoleLevel = number;
      options.action = 'console';
      return;
    }
    case 'time-format':
      if (!['delta', 'reltime', 'ctime', 'notime', 'iso'].includes(value))
        return `dmesg: unknown time format: ${value}\n`;
      options.time = value as DmesgTime;
      options.delta ||= value === 'delta';
      return;
    default:
      applyFlag(options, name);
  }
}

function applyFlag(options: DmesgOptions, name: string): void {
  const flags: { readonly [name: string]: Partial<DmesgOptions> } = {
    clear: { action: 'clear' },
    'console-off': { action: 'console', consoleLevel: 1 },
    'console-on': { action: 'console', consoleLevel: 'default' },
    ctime: { time: 'ctime' },
    decode: { decode: true },
    follow: { follow: 'all' },
    'follow-new': { follow: 'new' },
    help: { action: 'help' },
    human: { time: 'reltime', delta: true },
    json: { json: true },
    kernel: { facilities: new Set([0]) },
    noescape: { noescape: true },
    notime: { time: 'notime' },
    raw: { raw: true },
    'read-clear': { clearAfter: true },
    reltime: { time: 'reltime' },
    'show-delta': { delta: true },
    userspace: { facilities: new Set(FACILITIES.map((_, i) => i).filter((i) => i > 0)) },
  };
  Object.assign(options, flags[name] ?? {});
}

/**
 * The options, or what to print on stderr.
 * @param now seconds since 1970
 */
export function parseDmesg(args: readonly string[], now = 0): DmesgOptions | string {
  const found = words(args);
  if (typeof found === 'string') return found;
  const names = found.map(({ name }) => name);
  for (const group of EXCLUSIVE)
    if (new Set(names.filter((name) => group.includes(name))).size > 1)
      return `dmesg: mutually exclusive arguments: ${group.map((name) => `--${name}`).join(' ')}\n`;
  const options: DmesgOptions = {
    action: 'show',
    raw: false,
    decode: false,
    json: false,
    noescape: false,
    time: 'time',
    delta: false,
    clearAfter: false,
  };
  for (const word of found) {
    const error = apply(options, word, now);
    if (error) return error;
  }
  return options;
}
