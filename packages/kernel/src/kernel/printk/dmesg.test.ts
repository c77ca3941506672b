// SPDX-License-Identifier: MIT
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { makeTestEnv } from '../../lib/testing.js';
import { decodeUtf8, encodeUtf8 } from '../../lib/utf8.js';
import { dmesg } from './dmesg.js';
import { Printk } from './printk.js';

/** Seconds since 1970 at power-on: 11 December 2022, 22:15. */
const BOOT = 1670796900;

/** A log of these lines, `<pri>[seconds.micros] text`. */
function logOf(lines: readonly string[]): Printk {
  const env = makeTestEnv();
  const printk = new Printk(env);
  printk.boot();
  for (const line of lines) {
    const [, priority, seconds, micros, text] = /^<(\d+)>\[ *(\d+)\.(\d+)\] (.*)$/s.exec(line)!;
    printk.buffer.append({
      ts_nsec: Number(seconds) * 1e9 + Number(micros) * 1e3,
      caller_id: 1,
      level: Number(priority) & 7,
      facility: Number(priority) >> 3,
      flags: 1,
      text: encodeUtf8(text),
    });
  }
  return printk;
}

const LINES = [
  '<5>[    0.000000] Linux version 6.1.0-pagewalk',
  '<4>[    2.944482] refu: loading out-of-tree module taints kernel.',
  '<4>[    2.948240] refu: Unknown symbol reft_shared (err -2)',
  '<6>[    3.022909] n=7 s=hello arr=3 00000000665a798b ffff888005cf2f00 size=128',
  "<3>[    5.509516] reft: `abc' invalid for parameter `n'",
  '<30>[   12.000001] udevd[100]: "starting" \\ caf\u00e9\tx',
  '<6>[   70.500000] x',
  '<7>[  100.000001] bye\x01',
];
const run = (printk: Printk, ...args: string[]) => decodeUtf8(dmesg(printk, args, BOOT).out);

describe('dmesg', () => {
  it('shows seconds since boot', () => {
    const shown = run(logOf(LINES.slice(0, 5)));
    expect(shown).toBe(
      `${LINES.slice(0, 5)
        .map((line) => line.replace(/^<\d+>/, ''))
        .join('\n')}\n`,
    );
  });

  it('shows what was logged in some time', () => {
    const texts = (...args: string[]) => run(logOf(LINES), '-t', ...args).split('\n').length - 1;
    const iso = run(logOf(LINES), '--time-format', 'iso').slice(0, 10);
    expect(texts('--since', `@${BOOT + 5}`)).toBe(4);
    expect(texts('--until', `@${BOOT + 5}`)).toBe(4);
    expect(texts('--since', `@${BOOT + 1}`, '--until', `@${BOOT + 6}`)).toBe(4);
    expect(texts('--since', iso)).toBe(8);
    expect(texts('--since', '2022-12-11 22:15:05')).toBe(4);
    expect(texts('--since', '2022-12-11T22:16')).toBe(2);
    expect(texts('--since=+1s')).toBe(7);
    expect(texts('--until=1s ago')).toBe(0);
    for (const bad of ['2022-13-01', '2022-02-30', '25:00', 'soon', '+x', '5 years ago', ''])
      expect(dmesg(logOf(LINES), ['--since', bad], BOOT).err, bad).toBe(
        `dmesg: invalid time value "${bad}"\n`,
      );
  });

  it('shows dates', () => {
    expect(run(logOf(LINES), '-T', '-l', 'err')).toBe(
      "[Sun Dec 11 22:15:05 2022] reft: `abc' invalid for parameter `n'\n",
    );
  });

  it('prefixes each line of a long message', () => {
    const printk = logOf(['<6>[   10.557798] The buggy address belongs\n which belongs']);
    expect(run(printk)).toBe('[   10.557798] The buggy address belongs\n[   10.557798]  which belongs\n');
  });

  it('writes JSON', () => {
    const parsed = JSON.parse(run(logOf(LINES), '-J'));
    expect(parsed.dmesg[4]).toEqual({ pri: 3, time: 5.509516, msg: "reft: `abc' invalid for parameter `n'" });
    expect(JSON.parse(run(logOf([]), '--json'))).toEqual({ dmesg: [] });
    expect(JSON.parse(run(logOf(LINES), '-Jx')).dmesg[5].fac).toBe('daemon');
  });

  it('clears what it shows, not what is there', () => {
    const printk = logOf(LINES);
    expect(run(printk, '-c')).toContain('Linux version');
    expect(run(printk)).toBe('');
    expect([...printk.records()].length).toBe(LINES.length);
    printk.log(6, 'new');
    expect(run(printk, '-t')).toBe('new\n');
    dmesg(printk, ['-C']);
    expect(run(printk)).toBe('');
  });

  it('moves the console level', () => {
    const printk = logOf([]);
    dmesg(printk, ['-n', 'err']);
    expect(printk.consoleLoglevel).toBe(4);
    dmesg(printk, ['-D']);
    expect(printk.consoleLoglevel).toBe(1);
    dmesg(printk, ['-E']);
    expect(printk.consoleLoglevel).toBe(7);
  });

  it('says from where to follow', () => {
    const printk = logOf(LINES);
    expect(dmesg(printk, ['-w']).follow?.fromSeq).toBe(LINES.length);
    const fresh = dmesg(printk, ['-W']);
    expect([fresh.out.length, fresh.follow?.fromSeq]).toEqual([0, LINES.length]);
  });
});

/** The host's dmesg on the same log, in UTC; undefined where there is none of util-linux. */
function hostDmesg(args: readonly string[]): { status: number | null; out: string; err: string } | undefined {
  if (!spawnSync('dmesg', ['--version'], { encoding: 'utf8' }).stdout?.includes('util-linux'))
    return undefined;
  const folder = mkdtempSync(join(tmpdir(), 'dmesg-'));
  try {
    writeFileSync(join(folder, 'log'), `${LINES.join('\n')}\n`);
    const env = { ...process.env, TZ: 'UTC', LC_ALL: 'C.UTF-8' };
    const { status, stdout, stderr } = spawnSync('dmesg', ['-F', join(folder, 'log'), ...args], {
      encoding: 'utf8',
      env,
    });
    return { status, out: stdout, err: stderr };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

it('agrees with the host dmesg', ({ skip }) => {
  if (!hostDmesg([])) return skip('no util-linux dmesg on this host');
  const commands = [
    '',
    '-x',
    '-r',
    '-t',
    '-d',
    '-t -d',
    '-x -d',
    '-xt',
    '-k',
    '-u',
    '-l warn,err',
    '--level=info',
    '-lerr -fkern',
    '-f daemon',
    '--facility daemon --notime',
    '--time-format notime',
    '--time-format delta',
    '-xr',
    '--raw --ctime',
    '-l bogus',
    '-f kern,bogus',
    '-q',
    '--nosuch',
    'word',
    '--time-format bogus',
    '-l',
    '-C -c',

    '--noti',
    '--t',
  ]; // prettier-ignore
  for (const command of commands) {
    const args = command.split(' ').filter((word) => word !== '');
    const host = hostDmesg(args)!;
    const ours = dmesg(logOf(LINES), args);
    expect(decodeUtf8(ours.out), command).toBe(host.out);
    if (!/is ambiguous/.test(host.err)) expect(ours.err, command).toBe(host.err);
    expect(ours.status, command).toBe(host.status);
  }
});

it('agrees with the host on minutes', ({ skip }) => {
  const host = hostDmesg(['-e', '-l', 'err,warn,info'])?.out;
  if (!host) return skip('no util-linux dmesg on this host');
  const deltas = (text: string) => text.split('\n').map((line) => line.replace(/^\[[A-Z].*?\]/, '[minute]'));
  const ours = deltas(run(logOf(LINES), '-e', '-l', 'err,warn,info'));
  expect(ours.slice(0, 3)).toEqual(deltas(host).slice(0, 3));
  expect(run(logOf(LINES), '-H')).toContain('[Dec11 22:16] ');
});
