// SPDX-License-Identifier: MIT
/** The mistakes of linux-6.1/*.c, made here and on a real Linux 6.1: the logs say the same. */

import { readFileSync } from 'node:fs';
import type { Machine } from '@pagewalk/kernel/machine';
import { afterAll, expect, test } from 'vitest';
import { boot, build, closeCompiler } from '../support/modules.js';
import { applyDifferences, type KnownDifference, normalize, sectionOf, withoutAmounts } from './normalize.js';

afterAll(closeCompiler);

const read = (name: string) => readFileSync(new URL(`linux-6.1/${name}`, import.meta.url), 'utf8');
const recorded = (name: string) => normalize(sectionOf(read(`${name}.txt`), 'dmesg'));
const module = (name: string) => build(name, read(`${name}.c`));

/** The log from the first line of a module's on. */
function logFrom(machine: Machine, name: string): string[] {
  const texts = machine.dmesg().map(({ text }) => text);
  return normalize(texts.slice(texts.findIndex((text) => text.startsWith(`${name}: `))));
}

interface Mistake {
  readonly name: string;
  /** How insmod ends; after that rmmod. */
  readonly insmod: { readonly status: number; readonly signal?: number };
  readonly rmmod: { readonly status: number };
  readonly known?: readonly KnownDifference[];
}

const EBUSY = -16;
const ENOENT = -2;
const ENOMEM = -12;

const MISTAKES: readonly Mistake[] = [
  { name: 'null_deref', insmod: { status: 0, signal: 9 }, rmmod: { status: EBUSY } },
  { name: 'warn_bug', insmod: { status: 0, signal: 11 }, rmmod: { status: EBUSY } },
  { name: 'double_free', insmod: { status: 0, signal: 11 }, rmmod: { status: EBUSY } },
  { name: 'atomic_sleep', insmod: { status: 0 }, rmmod: { status: 0 } },
];

test.each(MISTAKES)('debian-$name', async ({ name, insmod, rmmod, known = [] }) => {
  const machine = boot();
  expect(machine.insmod(await module(name))).toEqual(insmod);
  expect(machine.rmmod(name)).toEqual(rmmod);
  expect(logFrom(machine, name)).toEqual(applyDifferences(recorded(`debian-${name}`), known));
});

test('debian-alloc_fail: the report of a failed allocation', async () => {
  const machine = boot({ memory: 256 * 2 ** 20 });
  expect(machine.insmod(await module('alloc_fail'))).toEqual({ status: ENOMEM });
  expect(machine.rmmod('alloc_fail')).toEqual({ status: ENOENT });
  expect(withoutAmounts(logFrom(machine, 'alloc_fail'))).toEqual(
    withoutAmounts(recorded('debian-alloc_fail')),
  );
});

/** Allocates `n` objects of `size` bytes and frees them on unloading: other users of the cache. */
const USER = `#include <linux/module.h>
#include <linux/slab.h>
static int n, size;
module_param(n, int, 0); module_param(size, int, 0);
static void *object[64];
static int __init user_init(void)
{
  for (int i = 0; i < n; i++)
    if (!(object[i] = kmalloc(size, GFP_KERNEL)))
      return -ENOMEM;
  return 0;
}
static void __exit user_exit(void)
{
  for (int i = 0; i < n; i++)
    kfree(object[i]);
}
module_init(user_init); module_exit(user_exit); MODULE_LICENSE("GPL");
`;

/** The taint messages come from the first module, whichever it is. */
const named = (lines: readonly string[], name: string) =>
  lines.map((line) => line.replace(/^user: /, `${name}: `));
/** The first report of a log, down to where the stack that found it begins. */
const report = (lines: readonly string[]) =>
  lines.slice(
    0,
    lines.findIndex((line) => line.startsWith('CPU: ')),
  );
const fixes = (lines: readonly string[]) => lines.filter((line) => /^FIX |^Disabling /.test(line));
/** How many other objects of the slab are in use is a matter of who else runs. */
const uses = (lines: readonly string[]) =>
  lines.map((line) => line.replace(/ used=\d+/, ' used=N').replace(/ fp=\S+/, ' fp=X'));

/** The header's kmalloc() calls __kmalloc for constant sizes too, and a track begins with the C function. */
const KNOWN_TRACK: readonly KnownDifference[] = [{ linux: ' kmalloc_trace+OFF', here: null }];

/** Frames of C functions that stand only in our track of a free: gcc made the calls in kfree jumps. */
const withoutFreeFrame = (lines: readonly string[]) =>
  lines.filter(
    (line, i) => !(/^ (\w+_init\+OFF \[\w+\]|ADDR)$/.test(line) && lines[i - 1]?.startsWith('Freed in ')),
  );

test('slubdebug-double_free', async () => {
  const machine = boot({ memory: 256 * 2 ** 20, cpus: 2, commandLine: 'slub_debug=FZPU' });
  expect(machine.insmod(await build('user', USER), 'n=4 size=128')).toEqual({ status: 0 });
  expect(machine.insmod(await module('double_free'))).toEqual({ status: 0 });
  expect(machine.rmmod('double_free')).toEqual({ status: 0 });
  const here = withoutFreeFrame(uses(named(logFrom(machine, 'user'), 'double_free')));
  const linux = applyDifferences(uses(recorded('slubdebug-double_free')), KNOWN_TRACK);
  // What follows in the recording is found at shutdown, when a serial port's interrupt is given back.
  expect(here).toEqual(linux.slice(0, linux.indexOf('double_free: exit') + 1));
});

test('slubdebug-uaf_write: found when the object is handed out again', async () => {
  const machine = boot({ memory: 256 * 2 ** 20, cpus: 2, commandLine: 'slub_debug=FZPU' });
  expect(machine.insmod(await module('uaf_write'))).toEqual({ status: 0 });
  expect(machine.insmod(await build('later', USER), 'n=1 size=64')).toEqual({ status: 0 });
  const here = withoutFreeFrame(uses(logFrom(machine, 'uaf_write')));
  const linux = applyDifferences(uses(recorded('slubdebug-uaf_write')), KNOWN_TRACK);
  expect(report(here)).toEqual(report(linux));
  expect(fixes(here)).toEqual(fixes(linux).slice(0, 3));
});
