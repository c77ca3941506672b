// SPDX-License-Identifier: MIT
/** What a module loses once its init function has returned: memory, names, sizes; and what becomes of later uses. */

import { readFileSync } from 'node:fs';
import type { Machine } from '@pagewalk/kernel/machine';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { brokenInvariants, memoryLost, memoryOf } from '../support/memory.js';
import { boot, build, closeCompiler, moduleLog } from '../support/modules.js';

const MS = 1e6;
const [ENOMEM, ENODEV] = [12, 19];
const NAME = 'init_sections';
let ko: Uint8Array;
beforeAll(async () => {
  ko = await build(NAME, readFileSync(new URL(`${NAME}.c`, import.meta.url), 'utf8'));
});
afterAll(closeCompiler);

const insmod = (machine: Machine, what: string) => machine.insmod(ko, `what=${what}`);
const read = (machine: Machine, path: string) => new TextDecoder().decode(machine.readProc(path)).trim();
const info = (machine: Machine) => machine.modules().find((m) => m.name === NAME)!;
/** The log with addresses, sizes of functions and lines left out. */
const log = (machine: Machine) =>
  moduleLog(machine).map((line) =>
    line
      .replace(/ffffffffc[0-9a-f]{7}/g, 'ADDR')
      .replace(/\+0x[0-9a-f]+\/0x[0-9a-f]+/g, '+OFF')
      .replace(/ \(\S+:\d+\)$/, ''),
  );
const inLog = (machine: Machine, ...lines: string[]) => {
  const found = log(machine);
  for (const line of lines) expect(found, found.join('\n')).toContain(line);
};

describe('after init', () => {
  test('the module is smaller, and its init functions have no names', () => {
    const machine = boot();
    expect(insmod(machine, 'sleep')).toEqual({ status: 0, blocked: true });
    const loading = info(machine);
    expect(loading.state).toBe('Loading');
    expect(loading.initSize).toBeGreaterThan(0);
    expect(loading.size).toBe(loading.coreSize + loading.initSize);
    expect(read(machine, '/proc/kallsyms')).toContain('init_sections_init\t[init_sections]');
    expect(read(machine, '/proc/vmallocinfo').match(/load_module/g)).toHaveLength(2);
    machine.raiseIrq(5);
    machine.sleep(50 * MS);
    const live = info(machine);
    expect(live).toMatchObject({
      state: 'Live',
      initSize: 0,
      coreSize: loading.coreSize,
      size: loading.coreSize,
    });
    expect(read(machine, '/proc/modules')).toMatch(new RegExp(`^init_sections ${loading.coreSize} 0 - Live`));
    const symbols = read(machine, '/proc/kallsyms');
    expect(symbols).not.toContain('init_sections_init\t');
    expect(symbols).not.toMatch(/ early\t| number\t/);
    expect(symbols).toContain('init_sections_exit\t[init_sections]');
    expect(read(machine, '/proc/vmallocinfo').match(/load_module/g)).toHaveLength(1);
  });

  test.each([['none'], ['fail']])('no page is lost: %s', (what) => {
    const machine = boot({ commandLine: 'page_owner=on' });
    const once = () => {
      const { status } = insmod(machine, what);
      expect(status).toBe(what === 'fail' ? -ENODEV : 0);
      if (status === 0) expect(machine.rmmod(NAME)).toEqual({ status: 0 });
    };
    once();
    const before = memoryOf(machine);
    for (let i = 0; i < 3; i++) once();
    expect(memoryLost(machine, before)).toEqual([]);
    expect(brokenInvariants(machine)).toEqual([]);
    expect(machine.modules()).toEqual([]);
  });

  test('a module that does not get its second area gives the first back', () => {
    const machine = boot({ commandLine: 'page_owner=on' });
    insmod(machine, 'none');
    machine.rmmod(NAME);
    const before = memoryOf(machine);
    const { moduleSpace } = machine.kernel;
    const { alloc } = moduleSpace;
    let calls = 0;
    moduleSpace.alloc = (bytes) =>
      (++calls === 2 ? 0 : alloc.call(moduleSpace, bytes)) as ReturnType<typeof alloc>;
    expect(insmod(machine, 'none')).toEqual({ status: -ENOMEM });
    moduleSpace.alloc = alloc;
    expect(calls).toBe(2);
    expect(memoryLost(machine, before)).toEqual([]);
  });
});

/** What a CPU says that was sent to where an init function was. */
const FETCH = [
  'BUG: unable to handle page fault for address: ADDR',
  ...ofFault('instruction fetch', '0x0010'),
];
function ofFault(kind: string, code: string): string[] {
  return [`#PF: supervisor ${kind} in kernel mode`, `#PF: error_code(${code}) - not-present page`];
}

describe('a use of what is gone', () => {
  test.each([
    ['direct', FETCH, 'exit direct'],
    ['pointer', FETCH, 'exit pointer'],
    ['data', [FETCH[0], ...ofFault('read access', '0x0000')], 'exit data'],
    ['const', [FETCH[0], ...ofFault('read access', '0x0000')], 'exit const'],
    ['write', [FETCH[0], ...ofFault('write access', '0x0002')], 'exit write'],
    [
      'ro_after_init',
      [
        FETCH[0],
        '#PF: supervisor write access in kernel mode',
        '#PF: error_code(0x0003) - permissions violation',
      ],
      'exit ro_after_init',
    ],
  ])('by the exit function: %s', (what, lines, last) => {
    const machine = boot();
    expect(insmod(machine, what)).toEqual({ status: 0 });
    inLog(machine, 'direct call', 'early 42', 'back with 43');
    expect(machine.rmmod(NAME)).toEqual({ status: 0, signal: 9 });
    inLog(machine, last, ...lines);
    if (lines === FETCH) inLog(machine, 'RIP: 0010:0xADDR', ' init_sections_exit+OFF [init_sections]');
    if (what === 'direct') inLog(machine, ' direct+OFF [init_sections]');
    expect(log(machine)).not.toContain('exit done, fixed 8');
    expect(info(machine).state).toBe('Unloading');
    expect(brokenInvariants(machine)).toEqual([]);
  });

  test('by a thread that sleeps in an init function when it goes', () => {
    const machine = boot();
    expect(insmod(machine, 'thread')).toEqual({ status: 0 });
    inLog(machine, 'thread starts');
    machine.sleep(100 * MS);
    inLog(machine, ...FETCH);
    expect(log(machine)).not.toContain('thread goes on');
    expect(machine.rmmod(NAME)).toEqual({ status: 0 });
  });

  test('by a thread whose callee is gone when it wakes', () => {
    const machine = boot();
    expect(insmod(machine, 'core_thread')).toEqual({ status: 0 });
    inLog(machine, 'early sleeper 3');
    machine.sleep(100 * MS);
    inLog(machine, ...FETCH, ' core_thread+OFF [init_sections]');
    expect(log(machine)).not.toContain('early sleeper is back');
    expect(machine.rmmod(NAME)).toEqual({ status: 0 });
  });

  test('by a work item', () => {
    const machine = boot();
    expect(insmod(machine, 'work')).toEqual({ status: 0 });
    machine.sleep(100 * MS);
    inLog(machine, ...FETCH);
    expect(log(machine)).not.toContain('work');
  });

  test('by a timer: in an interrupt that is the end', () => {
    const machine = boot();
    expect(insmod(machine, 'timer')).toEqual({ status: 0 });
    machine.sleep(100 * MS);
    inLog(machine, ...FETCH, 'Kernel panic - not syncing: Fatal exception in interrupt');
    expect(insmod(machine, 'none')).toEqual({ status: 0, panicked: true });
  });

  test('while init runs, a report names its functions', () => {
    const machine = boot();
    expect(insmod(machine, 'fault')).toEqual({ status: 0, signal: 9 });
    inLog(
      machine,
      'BUG: kernel NULL pointer dereference, address: 0000000000000008',
      'RIP: 0010:fall+OFF [init_sections]',
      ' init_sections_init+OFF [init_sections]',
    );
    const trace = moduleLog(machine).find((line) => line.startsWith('RIP: 0010:fall'));
    expect(trace).toMatch(/\(init_sections\.c:\d+\)$/);
    expect(info(machine)).toMatchObject({ state: 'Loading' });
    expect(info(machine).initSize).toBeGreaterThan(0);
  });

  test('a parameter in .init.data: unloading frees what it points to, and faults', async () => {
    const text = `#include <linux/module.h>
static char *text __initdata; module_param(text, charp, 0);
static int __init i(void) { pr_info("%s\\n", text); return 0; } static void __exit e(void) { }
module_init(i); module_exit(e); MODULE_LICENSE("GPL");`;
    const machine = boot();
    expect(machine.insmod(await build('charp', text), 'text=hello')).toEqual({ status: 0 });
    expect(machine.rmmod('charp')).toEqual({ status: 0, signal: 9 });
    inLog(machine, 'hello', FETCH[0], ...ofFault('read access', '0x0000'));
    expect(machine.modules().map(({ name, state }) => [name, state])).toEqual([['charp', 'Unloading']]);
  });

  test('by another module, of an init function that is exported', async () => {
    const owner = `#include <linux/completion.h>
#include <linux/interrupt.h>
#include <linux/module.h>
static DECLARE_COMPLETION(go);
static irqreturn_t wake(int irq, void *data) { complete(&go); return IRQ_HANDLED; }
noinline int __init early(int n) { pr_info("early %d\\n", n); return n; } EXPORT_SYMBOL(early);
static int __init i(void)
{ if (request_irq(5, wake, 0, "wake", &go)) return -EBUSY; wait_for_completion(&go); free_irq(5, &go); return 0; }
static void __exit e(void) { }
module_init(i); module_exit(e); MODULE_LICENSE("GPL");`;
    const user = `#include <linux/module.h>
extern int early(int n);
static int __init i(void) { return early(2) - 2; } static void __exit e(void) { early(3); }
module_init(i); module_exit(e); MODULE_LICENSE("GPL");`;
    const machine = boot();
    expect(machine.insmod(await build('owner', owner))).toEqual({ status: 0, blocked: true });
    expect(machine.insmod(await build('user', user))).toEqual({ status: 0 });
    machine.raiseIrq(5);
    expect(machine.modules().map(({ state }) => state)).toEqual(['Live', 'Live']);
    expect(machine.rmmod('user')).toEqual({ status: 0, signal: 9 });
    inLog(machine, 'early 2', ...FETCH, ' e+OFF [user]');
    expect(log(machine)).not.toContain('early 3');
  });
});

describe('a snapshot', () => {
  /** Two lives: one goes on as it is, the other is a copy of itself between any two steps. */
  const lives = (what: string, ...steps: ((machine: Machine) => void)[]) => {
    const plain = boot();
    let copied = boot();
    insmod(plain, what);
    insmod(copied, what);
    for (const step of steps) {
      copied = copied.fork();
      step(plain);
      step(copied);
    }
    expect(copied.memoryHash()).toBe(plain.memoryHash());
    return copied;
  };

  test('taken while init sleeps: it goes on, and what it leaves goes', () => {
    const machine = lives(
      'sleep',
      (m) => m.raiseIrq(5),
      (m) => m.sleep(50 * MS),
      (m) => expect(m.rmmod(NAME)).toEqual({ status: 0 }),
    );
    inLog(machine, 'init goes on, 43', 'exit done, fixed 8');
  });

  test.each([['direct'], ['pointer'], ['data']])('taken after init: what is gone is gone: %s', (what) => {
    const machine = lives(what, (m) => expect(m.rmmod(NAME)).toEqual({ status: 0, signal: 9 }));
    inLog(machine, FETCH[0]);
  });

  test('taken while a thread sleeps in an init function that is gone', () => {
    const machine = lives('thread', (m) => m.sleep(100 * MS));
    inLog(machine, ...FETCH);
  });
});
