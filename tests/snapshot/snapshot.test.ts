// SPDX-License-Identifier: MIT
import { readFileSync } from 'node:fs';
import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { Machine } from '@pagewalk/kernel/machine';
import { SnapshotError } from '@pagewalk/kernel/machine/image_file';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { boot, build, closeCompiler } from '../support/modules.js';
import { checkRebuild } from '../support/rebuild.js';

const source = (name: string) => readFileSync(new URL(`${name}.c`, import.meta.url), 'utf8');
const MS = 1e6;
const modules = new Map<string, Uint8Array>();
const ko = (name: string) => modules.get(name)!;

beforeAll(async () => {
  for (const name of ['sleeper', 'exporter', 'user', 'stale', 'workers'])
    modules.set(name, await build(name, source(name)));
});
afterAll(closeCompiler);

const texts = (machine: Machine) => machine.dmesg().map(({ text }) => text);
const reload = (machine: Machine) =>
  Machine.load(machine.save({ compress: (bytes) => deflateRawSync(bytes, { level: 1 }) }), {
    decompress: (bytes, size) => inflateRawSync(bytes, { maxOutputLength: size }),
  });

describe('a machine that was saved and loaded', () => {
  it('is the same memory, byte for byte, before anything runs', () => {
    const machine = boot();
    const loaded = reload(machine);
    expect(Buffer.compare(loaded.kernel.ram.u8, machine.kernel.ram.u8)).toBe(0);
  });

  it.each([0, 3, 20, 36, 60, 100])('goes on where C functions slept, after %d ms', (ms) => {
    const run = (interrupt: (machine: Machine) => Machine) => {
      let machine = boot();
      expect(machine.insmod(ko('sleeper'), 'period=9')).toEqual({ status: 0 });
      machine.sleep(ms * MS);
      machine = interrupt(machine);
      machine.sleep(50 * MS);
      expect(machine.rmmod('sleeper')).toEqual({ status: 0 });
      return machine;
    };
    const plain = run((machine) => machine);
    const saved = run(reload);
    expect(texts(saved)).toEqual(texts(plain));
    expect(texts(plain).some((text) => text.includes('weight'))).toBe(true);
    expect(Buffer.compare(saved.kernel.ram.u8, plain.kernel.ram.u8)).toBe(0);
  });

  it.each([1, 12, 23, 34, 45])('goes on amid locks, timers and work, after %d ms', (ms) => {
    const run = (cpus: number, interrupt: (machine: Machine) => Machine) => {
      let machine = boot({ memory: 24 * 2 ** 20, cpus });
      expect(machine.insmod(ko('workers'))).toEqual({ status: 0 });
      machine.sleep(ms * MS);
      machine = interrupt(machine);
      machine.sleep(60 * MS);
      machine = interrupt(machine);
      expect(machine.rmmod('workers')).toEqual({ status: 0 });
      return machine;
    };
    for (const cpus of [1, 4]) {
      const plain = run(cpus, (machine) => machine);
      const saved = run(cpus, reload);
      expect(texts(saved)).toEqual(texts(plain));
      expect(texts(plain)).toContain('late work in the mutex');
      expect(saved.memoryHash()).toBe(plain.memoryHash());
    }
  });

  it('has its modules, what they export, their parameters and their symbols', () => {
    const run = (interrupt: (machine: Machine) => Machine) => {
      let machine = boot();
      machine.insmod(ko('exporter'), 'initial=40 label=forty');
      machine = interrupt(machine);
      machine.insmod(ko('user'));
      machine = interrupt(machine);
      expect(machine.rmmod('exporter')).toEqual({ status: -11 });
      machine.rmmod('user');
      machine = interrupt(machine);
      machine.rmmod('exporter');
      return interrupt(machine);
    };
    const plain = run((machine) => machine);
    const saved = run(reload);
    expect(texts(saved)).toEqual(texts(plain));
    expect(texts(saved)).toContain('forty ends at 46');
    expect(saved.memoryHash()).toBe(plain.memoryHash());
  });

  it('reaches through its TLB what the other would, though the page table says otherwise', () => {
    const run = (interrupt: (machine: Machine) => Machine) => {
      let machine = boot();
      machine.insmod(ko('stale'));
      machine.sleep(25 * MS);
      const page = /page at ffff(\w{12})/.exec(texts(machine).join('\n'))![1];
      const entry = machine.kernel.pageTables.path(Number.parseInt(page, 16) - 2 ** 48).at(-1)!;
      machine.kernel.ram.i32[entry] &= ~1; // no longer present, and not flushed
      machine = interrupt(machine);
      machine.sleep(30 * MS);
      machine.kernel.ram.i32[entry] |= 1;
      machine.sleep(200 * MS);
      return machine;
    };
    const plain = run((machine) => machine);
    expect(texts(plain)).toContain('look 4: x');
    const saved = run(reload);
    expect(texts(saved)).toEqual(texts(plain));
    expect(saved.memoryHash()).toBe(plain.memoryHash());
  });

  it('differs in nothing that can be seen', () => {
    const machine = boot();
    machine.insmod(ko('exporter'));
    machine.insmod(ko('user'));
    machine.insmod(ko('sleeper'));
    machine.sleep(40 * MS);
    checkRebuild(machine);
  });
});

describe('a machine', () => {
  it('is forked, and both go their own way', () => {
    const machine = boot();
    machine.insmod(ko('exporter'), 'initial=1');
    const fork = machine.fork();
    fork.insmod(ko('user'));
    const untouched = machine.memoryHash();
    fork.sleep(100 * MS);
    expect(machine.memoryHash()).toBe(untouched);
    expect(machine.modules().map(({ name }) => name)).toEqual(['exporter']);
    expect(fork.modules().map(({ name }) => name)).toEqual(['user', 'exporter']);
    machine.insmod(ko('user'));
    machine.sleep(100 * MS);
    expect(machine.memoryHash()).toBe(fork.memoryHash());
  });

  it('steps back to a checkpoint, any number of times', () => {
    const machine = boot();
    machine.insmod(ko('sleeper'));
    machine.sleep(30 * MS);
    const before = machine.checkpoint();
    const hash = machine.memoryHash();
    machine.sleep(30 * MS);
    const lines: string[] = [];
    const runs = [1, 2].map(() => {
      const again = Machine.at(before, { console: (line) => lines.push(line) });
      expect(again.memoryHash()).toBe(hash);
      again.sleep(30 * MS);
      return again.memoryHash();
    });
    expect(runs).toEqual([machine.memoryHash(), machine.memoryHash()]);
    expect(lines.filter((line) => line.includes('wrote')).length).toBeGreaterThan(2);
  });

  it('that has panicked stays so', async () => {
    const panics = `#include <linux/module.h>
      static int __init start(void) { panic("enough"); }
      module_init(start); MODULE_LICENSE("GPL");`;
    const machine = boot();
    expect(machine.insmod(await build('panics', panics))).toEqual({ status: 0, panicked: true });
    const loaded = reload(machine);
    expect(loaded.insmod(ko('exporter'))).toEqual({ status: 0, panicked: true });
    expect(texts(loaded).some((text) => text.includes('Kernel panic - not syncing: enough'))).toBe(true);
  });

  it('cannot be saved while a command runs', () => {
    let attempt: unknown;
    const machine: Machine = boot({
      commandLine: 'ignore_loglevel',
      console: (line) => {
        if (!line.includes('starts at')) return;
        try {
          machine.save();
        } catch (error) {
          attempt = error;
        }
      },
    });
    machine.insmod(ko('exporter'));
    expect(attempt).toEqual(
      new SnapshotError('a machine can be saved between two commands, and not while one runs'),
    );
  });
});
