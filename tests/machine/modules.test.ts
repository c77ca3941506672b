// SPDX-License-Identifier: MIT
/** Loading and unloading: what the loader refuses and says, and random sequences against a model of who may go. */

import type { Machine } from '@pagewalk/kernel/machine';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { brokenInvariants, memoryLost, memoryOf } from '../support/memory.js';
import { boot, build, closeCompiler, moduleLog } from '../support/modules.js';

const [ENOENT, ENOEXEC, EAGAIN, EBUSY, EEXIST] = [-2, -8, -11, -16, -17];

const module = (body: string, license = 'GPL') =>
  `#include <linux/module.h>\n#include <linux/slab.h>\n${body}\nMODULE_LICENSE("${license}");\n`;
const LIVES = `static int __init i(void) { return 0; } static void __exit e(void) { }
module_init(i); module_exit(e);`;

const SOURCES: Readonly<Record<string, string>> = {
  base: module(`static volatile int counter, start = 41;
int base_value(void) { counter++; return start + 1; } EXPORT_SYMBOL(base_value);
int base_gpl(void) { return 43; } EXPORT_SYMBOL_GPL(base_gpl); ${LIVES}`),
  second: module(`extern int base_value(void); int second_value(void) { return base_value() + 1; }
EXPORT_SYMBOL(second_value); ${LIVES}`),
  third: module(`extern int base_value(void); extern int second_value(void);
static int __init i(void) { pr_info("%d %d\\n", base_value(), second_value()); return 0; }
static void __exit e(void) { } module_init(i); module_exit(e);`),
  closed: module(
    `extern int base_gpl(void);
static int __init i(void) { return base_gpl() - 43; } static void __exit e(void) { }
module_init(i); module_exit(e);`,
    'Proprietary',
  ),
  twin: module(`int base_value(void) { return 1; } EXPORT_SYMBOL(base_value); ${LIVES}`),
  rival: module(`void *__kmalloc(size_t n, gfp_t f) { return NULL; } EXPORT_SYMBOL(__kmalloc); ${LIVES}`),
  failing: module(`static int status; module_param(status, int, 0);
static int __init i(void) { return status; } static void __exit e(void) { } module_init(i); module_exit(e);`),
  lonely: module('extern int nobody(void); static int __init i(void) { return nobody(); } module_init(i);'),
  optional: module(`extern int nobody(void) __attribute__((weak));
static int __init i(void) { pr_info("nobody is %s\\n", nobody ? "here" : "missing"); return 0; }
static void __exit e(void) { } module_init(i); module_exit(e);`),
  permanent: module('static int __init i(void) { return 0; } module_init(i);'),
  data: module('int data_only = 3; EXPORT_SYMBOL(data_only);'),
  held: module(`static int __init i(void) { return try_module_get(THIS_MODULE) ? 0 : -EINVAL; }
static void __exit e(void) { } module_init(i); module_exit(e);`),
  bad_exit: module(`static int __init i(void) { return 0; } static void __exit e(void) { BUG(); }
module_init(i); module_exit(e);`),
};

const built: Record<string, Uint8Array> = {};
beforeAll(async () => {
  for (const [name, source] of Object.entries(SOURCES)) built[name] = await build(name, source);
});
afterAll(closeCompiler);

const last = (machine: Machine) => moduleLog(machine).at(-1);
const usedBy = (machine: Machine, name: string) => machine.modules().find((m) => m.name === name)?.usedBy;

describe('the loader', () => {
  let machine: Machine;
  const insmod = (name: string, parameters = '') => machine.insmod(built[name], parameters);
  const fresh = () => {
    machine = boot({ commandLine: 'page_owner=on' });
  };

  test('a module that uses another, and its references', () => {
    fresh();
    expect(insmod('third')).toEqual({ status: ENOENT });
    expect(moduleLog(machine)).toEqual([
      'third: Unknown symbol base_value (err -2)',
      'third: Unknown symbol second_value (err -2)',
    ]);
    for (const name of ['base', 'second', 'third']) expect(insmod(name)).toEqual({ status: 0 });
    expect(last(machine)).toBe('42 43');
    expect(usedBy(machine, 'base')).toEqual(['third', 'second']);
    expect(machine.modules().map(({ name, refcount }) => [name, refcount])).toEqual([
      ['third', 0],
      ['second', 1],
      ['base', 2],
    ]);
    expect(machine.rmmod('base')).toEqual({ status: EAGAIN });
    for (const name of ['third', 'second', 'base']) expect(machine.rmmod(name)).toEqual({ status: 0 });
  });

  test('symbols in /proc/kallsyms: upper case for what EXPORT_SYMBOL offers', () => {
    fresh();
    insmod('base');
    const lines = new TextDecoder().decode(machine.readProc('/proc/kallsyms')).split('\n');
    const letterOf = (name: string) =>
      lines.find((line) => line.endsWith(` ${name}\t[base]`))?.replace(/^[0-9a-f]{16} (.) .*/, '$1');
    expect(letterOf('base_value')).toBe('T');
    expect(letterOf('base_gpl')).toBe('t');
    expect(letterOf('counter')).toBe('b');
    expect(letterOf('start')).toBe('d');
    expect(letterOf('__ksymtab_base_value')).toBe('r');
  });

  test('the same module twice', () => {
    fresh();
    insmod('base');
    expect(insmod('base')).toEqual({ status: EEXIST });
  });

  test('an export that another module, or the kernel, has', () => {
    fresh();
    insmod('base');
    expect(insmod('twin')).toEqual({ status: ENOEXEC });
    expect(last(machine)).toBe('twin: exports duplicate symbol base_value (owned by base)');
    expect(insmod('rival')).toEqual({ status: ENOEXEC });
    expect(last(machine)).toBe('rival: exports duplicate symbol __kmalloc (owned by kernel)');
    expect(machine.modules().map(({ name }) => name)).toEqual(['base']);
  });

  test('a GPL-only symbol in a proprietary module', () => {
    fresh();
    insmod('base');
    expect(insmod('closed')).toEqual({ status: ENOENT });
    const log = moduleLog(machine);
    expect(log).toContain("closed: module license 'Proprietary' taints kernel.");
    expect(log.at(-1)).toBe('closed: Unknown symbol base_gpl (err -2)');
  });

  test('an init function that fails', () => {
    fresh();
    expect(insmod('failing', 'status=-5')).toEqual({ status: -5 });
    expect(machine.modules()).toEqual([]);
    expect(machine.rmmod('failing')).toEqual({ status: ENOENT });
  });

  test('an init function that returns a positive number', () => {
    fresh();
    expect(insmod('failing', 'status=3')).toEqual({ status: 0 });
    const log = moduleLog(machine);
    expect(log[0]).toBe(
      "do_init_module: 'failing'->init suspiciously returned 3, it should follow 0/-E convention",
    );
    expect(log[1]).toBe('do_init_module: loading module anyway...');
    expect(log[2]).toMatch(/^CPU: 0 PID: \d+ Comm: insmod /);
    expect(machine.rmmod('failing')).toEqual({ status: 0 });
  });

  test('symbols that nobody has, strong and weak', () => {
    fresh();
    expect(insmod('lonely')).toEqual({ status: ENOENT });
    expect(last(machine)).toBe('lonely: Unknown symbol nobody (err -2)');
    expect(insmod('optional')).toEqual({ status: 0 });
    expect(last(machine)).toBe('nobody is missing');
  });

  test('modules without exit, without init', () => {
    fresh();
    expect(insmod('permanent')).toEqual({ status: 0 });
    expect(machine.rmmod('permanent')).toEqual({ status: EBUSY });
    expect(new TextDecoder().decode(machine.readProc('/proc/modules'))).toMatch(
      /^permanent \d+ 0 \[permanent\], Live /,
    );
    expect(insmod('data')).toEqual({ status: 0 });
    expect(machine.rmmod('data')).toEqual({ status: 0 });
  });

  test('a module that holds itself', () => {
    fresh();
    expect(insmod('held')).toEqual({ status: 0 });
    expect(machine.modules()[0].refcount).toBe(1);
    expect(machine.rmmod('held')).toEqual({ status: EAGAIN });
  });

  test('an exit function that dies: the module stays, going', () => {
    fresh();
    expect(insmod('bad_exit')).toEqual({ status: 0 });
    expect(machine.rmmod('bad_exit')).toEqual({ status: 0, signal: 11 });
    expect(machine.modules()[0].state).toBe('Unloading');
    expect(machine.rmmod('bad_exit')).toEqual({ status: EBUSY });
    expect(insmod('base')).toEqual({ status: 0 });
    expect(machine.rmmod('base')).toEqual({ status: 0 });
  });

  test('what is refused costs no memory', () => {
    fresh();
    insmod('base');
    const before = memoryOf(machine);
    for (const name of ['base', 'twin', 'rival', 'closed', 'lonely', 'third']) insmod(name);
    insmod('failing', 'status=-5');
    insmod('failing', 'status=abc');
    expect(memoryLost(machine, before)).toEqual([]);
    expect(brokenInvariants(machine)).toEqual([]);
  });
});

describe('random sequences of insmod and rmmod', () => {
  const NEEDS: Readonly<Record<string, readonly string[]>> = {
    base: [],
    second: ['base'],
    third: ['base', 'second'],
    optional: [],
    failing: [],
    data: [],
  };
  const NAMES = Object.keys(NEEDS);

  test.each([1, 2, 3, 4, 5, 6, 7, 8])('seed %d', (seed) => {
    let state = seed;
    const random = (below: number) => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return Math.floor((state / 2 ** 32) * below);
    };
    const machine = boot({ memory: 16 * 2 ** 20, cpus: 1 + (seed & 3), commandLine: 'page_owner=on' });
    for (const name of NAMES) machine.insmod(built[name]);
    for (const name of [...NAMES].reverse()) machine.rmmod(name);
    const before = memoryOf(machine);
    let loaded: string[] = [];
    const users = (name: string) => loaded.filter((other) => NEEDS[other].includes(name));

    for (let step = 0; step < 150; step++) {
      const name = NAMES[random(NAMES.length)];
      const what = `seed ${seed}, step ${step}: ${name}, loaded: ${loaded}`;
      if (random(2) === 0) {
        const fails = name === 'failing' && random(2) === 0;
        const missing = NEEDS[name].some((needed) => !loaded.includes(needed));
        const expected = loaded.includes(name) ? EEXIST : missing ? ENOENT : fails ? -12 : 0;
        expect(machine.insmod(built[name], fails ? 'status=-12' : ''), what).toEqual({ status: expected });
        if (expected === 0) loaded = [name, ...loaded];
      } else {
        const expected = !loaded.includes(name) ? ENOENT : users(name).length > 0 ? EAGAIN : 0;
        expect(machine.rmmod(name), what).toEqual({ status: expected });
        if (expected === 0) loaded = loaded.filter((other) => other !== name);
      }
      expect(
        machine.modules().map((m) => [m.name, m.refcount, [...m.usedBy].sort()]),
        what,
      ).toEqual(loaded.map((m) => [m, users(m).length, users(m).sort()]));
    }
    while (loaded.length > 0) {
      const free = loaded.find((name) => users(name).length === 0)!;
      expect(machine.rmmod(free)).toEqual({ status: 0 });
      loaded = loaded.filter((other) => other !== free);
    }
    expect(memoryLost(machine, before)).toEqual([]);
    expect(brokenInvariants(machine)).toEqual([]);
  });
});
