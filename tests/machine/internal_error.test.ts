// SPDX-License-Identifier: MIT
/** What nobody has foreseen, thrown while the kernel works, is the machine's panic and not the host's end. */

import { internalErrors } from '@pagewalk/kernel/kernel/internal_error';
import { Machine } from '@pagewalk/kernel/machine';
import { afterAll, afterEach, expect, test } from 'vitest';
import { build, closeCompiler } from '../support/modules.js';

const SOURCE = `#include <linux/module.h>
#include <linux/delay.h>
static int __init one_init(void) { msleep(5); return 0; }
static void __exit one_exit(void) { }
module_init(one_init); module_exit(one_exit); MODULE_LICENSE("GPL");
`;
const MISTAKE = new TypeError('a mistake of ours');

afterEach(() => {
  internalErrors.action = 'throw';
});
afterAll(closeCompiler);

/** A machine whose kernel throws when a task goes to sleep. */
function mistaken(): Machine {
  const machine = new Machine({ memory: 2 ** 25 });
  machine.kernel.scheduler.onSleep = () => {
    throw MISTAKE;
  };
  return machine;
}

test('in a task', async () => {
  const ko = await build('one', SOURCE);
  internalErrors.action = 'panic';
  const machine = mistaken();
  expect(machine.insmod(ko)).toEqual({ status: 0, panicked: true });
  const texts = machine.dmesg().map(({ text }) => text);
  expect(texts).toContain('Kernel panic - not syncing: internal error: TypeError: a mistake of ours');
  expect(machine.kernel.oops.internalError).toBe(MISTAKE);
  expect(machine.rmmod('one')).toEqual({ status: 0, panicked: true });
});

test('in a look from outside', () => {
  internalErrors.action = 'panic';
  const machine = new Machine({ memory: 2 ** 25 });
  machine.kernel.modules.list = () => {
    throw MISTAKE;
  };
  expect(machine.modules()).toEqual([]);
  expect(machine.kernel.panicked).toBe(true);
});

test('tests have it thrown', async () => {
  const ko = await build('one', SOURCE);
  expect(() => mistaken().insmod(ko)).toThrow(MISTAKE);
});

test('a list that C has knotted is the oops of who walks it, or the panic of the machine', async () => {
  const ko = await build('one', SOURCE);
  const machine = new Machine({ memory: 2 ** 25 });
  const { ram } = machine.kernel;
  const { handle } = machine.kernel.data.variables.find(({ name }) => name === 'modules')!;
  expect(machine.insmod(ko)).toEqual({ status: 0 });
  ram.i32[(ram.i32[handle] >>> 2) + 2] = 0; // the first module's prev
  expect(machine.modules()).toEqual([]);
  expect(machine.kernel.panicked).toBe(true);
  expect(
    machine.dmesg().some(({ text }) => text.startsWith('Kernel panic - not syncing: list_del corruption.')),
  ).toBe(true);
});
