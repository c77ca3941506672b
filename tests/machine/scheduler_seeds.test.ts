// SPDX-License-Identifier: MIT
/**
 * Every example, and every module whose threads meet, logs the same on 1, 2 and 4 CPUs, whoever the scheduler picks:
 * 100 seeds each. A machine is booted once for each number of CPUs, and forked for each seed.
 * More seeds: SEEDS=1000.
 */

import { readdirSync, readFileSync } from 'node:fs';
import { Machine } from '@pagewalk/kernel/machine';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { brokenInvariants, memoryLost, memoryOf } from '../support/memory.js';
import { build, closeCompiler, moduleLog } from '../support/modules.js';

const SEEDS = Number(process.env['SEEDS'] ?? 100);
const CPUS = [1, 2, 4];
const MB = 2 ** 20;
const O_RDWR = 2;
const O_CREAT = 0o100;

const examples = new URL('../../examples/', import.meta.url);
const modules = new URL('../modules/', import.meta.url);
/** Modules of tests/modules whose log must be their golden one. */
const MEETING = [
  'hrtimers',
  'kthreads',
  'mutexes',
  'rculist',
  'semaphores',
  'softirqs',
  'waitqueues',
  'works',
];

const built = new Map<string, Uint8Array>();

const ko = (name: string): Uint8Array => built.get(name)!;
const once = (machine: Machine, name: string, parameters = '', use: () => void = () => {}): void => {
  machine.insmod(ko(name), parameters);
  use();
  machine.rmmod(name);
};

function write(machine: Machine, path: string, text: string): void {
  const { status: fd } = machine.open(path, O_RDWR | O_CREAT, 0o644);
  const bytes = new TextEncoder().encode(text);
  expect(machine.write(fd, bytes).status, path).toBe(bytes.length);
  machine.close(fd);
}

/** What is done with an example that more than loading and unloading belongs to. */
const RUNS: { readonly [example: string]: (machine: Machine) => void } = {
  exports(machine) {
    machine.insmod(ko('provider'));
    once(machine, 'user');
    machine.rmmod('provider');
  },
  parameters: (machine) => once(machine, 'parameters', 'count=2 name=kernel sizes=16,100'),
  producer_consumer: (machine) => once(machine, 'producer_consumer', 'count=3', () => machine.sleep(1e9)),
  echo_device: (machine) =>
    once(machine, 'echo_device', '', () => {
      const { status } = machine.open('/dev/echo', O_RDWR);
      machine.write(status, new TextEncoder().encode('one'));
      machine.lseek(status, 0);
      const { bytes } = machine.read(status, 100);
      expect(new TextDecoder().decode(bytes)).toBe('one');
      machine.close(status);
    }),
  settings: (machine) =>
    once(machine, 'settings', '', () => {
      write(machine, '/proc/sys/settings/volume', '7');
      write(machine, '/proc/sys/settings/speaker', 'right');
    }),
  keyboard: (machine) => once(machine, 'keyboard', '', () => machine.sleep(1e9)),
  init_memory: (machine) => once(machine, 'init_memory', '', () => machine.sleep(1e9)),
  file_reader: (machine) => once(machine, 'file_reader', 'path=/notes'),
  ram_file_system: (machine) =>
    once(machine, 'ram_file_system', '', () => {
      const process = machine.process();
      process.mkdir('/box');
      expect(process.mount('none', '/box', 'ram_file_system').status).toBe(0);
      process.mkdir('/box/folder');
      write(machine, '/box/folder/file', 'kept in the page cache');
      expect(process.umount('/box').status).toBe(0);
      process.rmdir('/box');
      process.exit();
    }),
};

/** Those that spoil memory, or stay loaded, come last. */
const LAST = ['leak', 'use_after_free', 'vmalloc_guard', 'init_memory', 'null_pointer'];
const names = readdirSync(examples, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map((entry) => entry.name)
  .sort((a, b) => LAST.indexOf(a) - LAST.indexOf(b) || (a < b ? -1 : 1));

beforeAll(async () => {
  for (const name of names) {
    const folder = new URL(`${name}/`, examples);
    for (const file of readdirSync(folder).filter((file) => /^[^.]+\.c$/.test(file)))
      built.set(
        file.slice(0, -2),
        await build(file.slice(0, -2), readFileSync(new URL(file, folder), 'utf8')),
      );
  }
  for (const name of MEETING)
    built.set(name, await build(name, readFileSync(new URL(`${name}.c`, modules), 'utf8')));
  closeCompiler();
}, 300_000);
afterAll(closeCompiler);

/** The log without what differs from CPU to CPU, and without addresses. */
const comparable = (machine: Machine): string =>
  machine
    .dmesg()
    .map(({ text }) =>
      text
        .replace(/CPU(: |#)\d+/g, 'CPU')
        .replace(/PID: \d+/g, 'PID')
        .replace(/[0-9a-f]{8,16}/g, 'ADDRESS'),
    )
    .filter((text) => !/^(RIP|RSP|CR2|Code|PGD|.* Comm: )/.test(text))
    .join('\n');

function runExamples(machine: Machine, example: string): string {
  machine.clearDmesg();
  (RUNS[example] ?? ((m: Machine) => once(m, example)))(machine);
  return comparable(machine);
}

/** Boots for each number of CPUs, and gives a fork for each seed. */
function eachSeed(body: (machine: Machine, where: string) => void): void {
  for (const cpus of CPUS) {
    const base = new Machine({ memory: 16 * MB, cpus }).checkpoint();
    for (let seed = 0; seed < SEEDS; seed++) {
      const machine = Machine.at(base);
      machine.seedScheduler(seed);
      body(machine, `${cpus} CPUs, seed ${seed}`);
    }
  }
}

describe(`on ${CPUS} CPUs, ${SEEDS} seeds of the scheduler`, () => {
  it('every example logs the same', { timeout: 0 }, () => {
    const expected = new Map<string, string>();
    eachSeed((machine, where) => {
      for (const name of names) {
        const log = runExamples(machine, name);
        if (!expected.has(name)) expected.set(name, log);
        if (log !== expected.get(name))
          expect(`${name}, ${where}:\n${log}`).toBe(`${name}, ${where}:\n${expected.get(name)}`);
      }
    });
    expect(expected.size).toBe(names.length);
  });

  it('every example that is not a mistake gives back what it took', () => {
    const machine = new Machine({ memory: 16 * MB, cpus: 2 });
    const right = names.filter((name) => !LAST.includes(name));
    expect(right.length).toBe(names.length - LAST.length);
    // The first time, what the kernel keeps for good is made: buffers of the trace, descriptors of a program.
    for (const name of right) runExamples(machine, name);
    for (const name of right) {
      const before = memoryOf(machine);
      runExamples(machine, name);
      expect(memoryLost(machine, before), name).toEqual([]);
    }
    expect(brokenInvariants(machine)).toEqual([]);
  });

  it('modules whose threads meet log what is golden', { timeout: 0 }, () => {
    const golden = new Map(
      MEETING.map((name) => [name, readFileSync(new URL(`${name}.log`, modules), 'utf8')]),
    );
    eachSeed((machine, where) => {
      for (const name of MEETING) {
        machine.clearDmesg();
        once(machine, name);
        const log = `${moduleLog(machine).join('\n')}\n`;
        if (log !== golden.get(name)) expect(log, `${name}, ${where}`).toBe(golden.get(name));
      }
      expect(brokenInvariants(machine), where).toEqual([]);
    });
  });
});
