// SPDX-License-Identifier: MIT
/** kernel.*: what the core kernel can be told. */

import type { Random } from '../lib/random.js';
import { HZ } from '../machine/clock.js';
import type { Handle } from '../machine/layout.js';
import type { Ram } from '../machine/ram.js';
import { DEVKMSG_CHOICES, type Printk } from './printk/printk.js';
import { RatelimitState } from './printk/ratelimit.js';
import { choiceEntry, type SysctlEntry, stringEntry, textEntry, wordEntry } from './sysctl_entry.js';
import { JIFFIES_CODEC, storeVector, UINT_CODEC, ULONG_CODEC } from './sysctl_text.js';
import { UTS_FIELD } from './system_state.js';
import { LETTERS, type Taint } from './taint.js';
import { MAX_WATCHDOG_THRESH, type Watchdog } from './watchdog.js';

export interface KernelSysctlDeps {
  readonly ram: Ram;
  readonly printk: Printk;
  readonly taint: Taint;
  readonly watchdog: Watchdog;
  readonly random: Random;
  /** Where a variable of the kernel lies. */
  variable(name: string): Handle;
}

const INT_MAX = 0x7fffffff;
const MAX_PRINTK_DELAY = 10000;
/** Bits of the entropy pool, which is always full. */
const POOL_BITS = 256;
const UUID_BYTES = 16;

/** Fields of struct new_utsname, by number. */
const UTS = [
  ['ostype', 0, 0o444],
  ['hostname', 1, 0o644],
  ['osrelease', 2, 0o444],
  ['version', 3, 0o444],
  ['domainname', 5, 0o644],
] as const;

function utsEntries({ ram, variable }: KernelSysctlDeps): SysctlEntry[] {
  const names = variable('init_uts_ns') * 4;
  return UTS.map(([name, field, mode]) =>
    stringEntry(`kernel/${name}`, ram, names + field * UTS_FIELD, UTS_FIELD, mode),
  );
}

function panicEntries({ ram, variable }: KernelSysctlDeps): SysctlEntry[] {
  const word = (name: string, symbol: string, options = {}) =>
    wordEntry(`kernel/${name}`, ram, variable(symbol), options);
  return [
    word('panic', 'panic_timeout'),
    word('panic_on_oops', 'panic_on_oops'),
    word('panic_on_warn', 'panic_on_warn', { min: 0, max: 1 }),
    word('oops_limit', 'oops_limit', { codec: UINT_CODEC }),
    word('warn_limit', 'warn_limit', { codec: UINT_CODEC }),
  ];
}

function printkEntries({ ram, printk, variable }: KernelSysctlDeps): SysctlEntry[] {
  const ratelimit = variable('printk_ratelimit_state');
  const word = (name: string, symbol: string, options = {}) =>
    wordEntry(`kernel/${name}`, ram, variable(symbol), options);
  return [
    word('printk', 'console_printk', { length: 4 }),
    wordEntry('kernel/printk_ratelimit', ram, ratelimit + RatelimitState.w.interval, {
      codec: JIFFIES_CODEC,
    }),
    wordEntry('kernel/printk_ratelimit_burst', ram, ratelimit + RatelimitState.w.burst),
    word('printk_delay', 'printk_delay_msec', { min: 0, max: MAX_PRINTK_DELAY }),
    choiceEntry(
      'kernel/printk_devkmsg',
      DEVKMSG_CHOICES,
      () => printk.devkmsgChoice,
      (choice) => printk.chooseDevkmsg(choice),
    ),
    word('dmesg_restrict', 'dmesg_restrict', { min: 0, max: 1 }),
    word('kptr_restrict', 'kptr_restrict', { min: 0, max: 2 }),
  ];
}

function watchdogEntries({ ram, watchdog, variable }: KernelSysctlDeps): SysctlEntry[] {
  const word = (name: string, symbol: string, max?: number, min = 0) =>
    wordEntry(`kernel/${name}`, ram, variable(symbol), { min, ...(max !== undefined && { max }) });
  /** Shows whether the watchdog works, whatever was written last. */
  const shown = (entry: SysctlEntry): SysctlEntry => ({
    ...entry,
    read: () => `${Number(watchdog.enabled)}\n`,
  });
  return [
    shown(word('watchdog', 'watchdog_user_enabled', 1)),
    shown(word('soft_watchdog', 'soft_watchdog_user_enabled', 1)),
    word('watchdog_thresh', 'watchdog_thresh', MAX_WATCHDOG_THRESH),
    word('softlockup_panic', 'softlockup_panic', 1),
    wordEntry('kernel/hung_task_timeout_secs', ram, variable('sysctl_hung_task_timeout_secs'), {
      codec: ULONG_CODEC,
      // LONG_MAX jiffies: no double knows it to the second.
      max: Math.floor(2 ** 63 / HZ),
    }),
    word('hung_task_panic', 'sysctl_hung_task_panic', 1),
    word('hung_task_warnings', 'sysctl_hung_task_warnings', INT_MAX, -1),
  ];
}

/** A write adds flags; none can be taken away. @linux kernel/sysctl.c:proc_taint full */
function taintEntry({ taint }: KernelSysctlDeps): SysctlEntry {
  return {
    path: 'kernel/tainted',
    mode: 0o644,
    read: () => `${taint.value}\n`,
    write: (text) => {
      let mask = 0n;
      const set = (_i: number, value: bigint) => {
        mask = value;
      };
      const { error } = storeVector({ codec: ULONG_CODEC, length: 1, get: () => 0n, set }, text);
      if (error !== 0) return error;
      [...LETTERS].forEach((letter, bit) => {
        if ((mask >> BigInt(bit)) & 1n) taint.add(letter);
      });
      return 0;
    },
  };
}

const hex = (bytes: Uint8Array) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');

/** `8-4-4-4-12` digits. */
function uuidText(bytes: Uint8Array): string {
  const digits = hex(bytes);
  return [0, 8, 12, 16, 20].map((at, i) => digits.slice(at, [8, 12, 16, 20, 32][i])).join('-');
}

/** A random UUID (version 4). @linux lib/uuid.c:generate_random_uuid full */
function randomUuid(random: Random): Uint8Array {
  const bytes = new Uint8Array(UUID_BYTES);
  for (let i = 0; i < UUID_BYTES; i++) bytes[i] = random.u32() >>> 24;
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  return bytes;
}

/** @linux drivers/char/random.c:proc_do_uuid full */
function randomEntries({ ram, random, variable }: KernelSysctlDeps): SysctlEntry[] {
  const at = variable('sysctl_bootid') * 4;
  const bootId = () => {
    const bytes = ram.u8.subarray(at, at + UUID_BYTES);
    if (bytes[8] === 0) bytes.set(randomUuid(random));
    return uuidText(bytes);
  };
  return [
    textEntry('kernel/random/boot_id', bootId),
    textEntry('kernel/random/uuid', () => uuidText(randomUuid(random))),
    textEntry('kernel/random/entropy_avail', () => String(POOL_BITS)),
    textEntry('kernel/random/poolsize', () => String(POOL_BITS)),
  ];
}

export function kernelSysctls(deps: KernelSysctlDeps): SysctlEntry[] {
  return [
    ...utsEntries(deps),
    ...panicEntries(deps),
    ...printkEntries(deps),
    ...watchdogEntries(deps),
    taintEntry(deps),
    ...randomEntries(deps),
  ];
}
