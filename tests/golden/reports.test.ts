// SPDX-License-Identifier: MIT
/**
 * Each mistake of mistakes.c, on a machine of its own: how the commands end, what the log says (reports/NAME.log, in
 * the format of Linux 6.1), and that the machine is none the worse for it.
 */

import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import type { CommandResult, Machine } from '@pagewalk/kernel/machine';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { brokenInvariants, type MemoryState, memoryLost, memoryOf } from '../support/memory.js';
import { boot, build, closeCompiler } from '../support/modules.js';
import { normalize } from './normalize.js';

const read = (name: string) => readFileSync(new URL(name, import.meta.url), 'utf8');
const NAMES = [...read('mistakes.c').matchAll(/\bMISTAKE\((\w+)\)[,\n]/g)].map((match) => match[1]);

const GOOD = `#include <linux/module.h>
static int __init good_init(void) { pr_info("good\\n"); return 0; }
static void __exit good_exit(void) { }
module_init(good_init); module_exit(good_exit); MODULE_LICENSE("GPL");
`;

let mistakes: Uint8Array;
let good: Uint8Array;

beforeAll(async () => {
  mistakes = await build('mistakes', read('mistakes.c'));
  good = await build('good', GOOD);
});
afterAll(closeCompiler);

const ending = ({ status, signal, panicked }: CommandResult): string =>
  panicked ? 'panicked' : signal ? `killed by signal ${signal}` : `status ${status}`;

/** A machine that has loaded and unloaded modules before: page tables of the module area stay. */
function warmMachine(): Machine {
  const machine = boot({ memory: 32 * 2 ** 20, commandLine: 'page_owner=on' });
  machine.insmod(good);
  machine.insmod(mistakes);
  machine.rmmod('mistakes');
  machine.rmmod('good');
  machine.clearDmesg();
  return machine;
}

/** The log of a mistake and how its commands end. */
function transcript(machine: Machine, what: string): string {
  const insmod = machine.insmod(mistakes, `what=${what}`);
  const log = normalize(machine.dmesg().map(({ text }) => text));
  const rmmod = machine.rmmod('mistakes');
  return `${[`insmod: ${ending(insmod)}`, ...log, `rmmod: ${ending(rmmod)}`].join('\n')}\n`;
}

describe.each(NAMES)('%s', (what) => {
  const golden = new URL(`reports/${what}.log`, import.meta.url);

  test('log', () => {
    const text = transcript(warmMachine(), what);
    if (process.env['GOLDEN'] === 'write') writeFileSync(golden, text);
    expect(existsSync(golden), `reports/${what}.log is missing`).toBe(true);
    expect(text).toBe(readFileSync(golden, 'utf8'));
  });

  test('the machine goes on, with no memory lost', () => {
    const machine = warmMachine();
    const unloaded = memoryOf(machine);
    const { panicked } = machine.insmod(mistakes, `what=${what}`);
    if (panicked) return expect(machine.insmod(good)).toEqual({ status: 0, panicked: true });
    const stays = machine.rmmod('mistakes').status < 0;
    expect(machine.insmod(good)).toEqual({ status: 0 });
    expect(machine.dmesg().at(-1)?.text).toBe('good');
    expect(machine.rmmod('good')).toEqual({ status: 0 });
    expect(brokenInvariants(machine)).toEqual([]);
    expect(memoryLost(machine, stays ? memoryWithModule(what) : unloaded)).toEqual([]);
  });
});

/** A module whose init function died stays, as in Linux: then memory is as if it were loaded. */
function memoryWithModule(what: string): MemoryState {
  const machine = warmMachine();
  machine.insmod(mistakes, `what=${'x'.repeat(what.length)}`);
  machine.insmod(good);
  machine.rmmod('good');
  return memoryOf(machine);
}
