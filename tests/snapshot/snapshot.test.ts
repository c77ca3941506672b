// SPDX-License-Identifier: MIT
import { readFileSync } from 'node:fs';
import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { Machine } from '@pagewalk/kernel/machine';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { boot, build, closeCompiler } from '../support/modules.js';
import { checkRebuild } from '../support/rebuild.js';

const source = (name: string) => readFileSync(new URL(`${name}.c`, import.meta.url), 'utf8');
const MS = 1e6;
const modules = new Map<string, Uint8Array>();
const ko = (name: string) => modules.get(name)!;

beforeAll(async () => {
  for (const name of ['sleeper', 'exporter', 'user']) modules.set(name, await build(name, source(name)));
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

  it('differs in nothing that can be seen', () => {
    const machine = boot();
    machine.insmod(ko('exporter'));
    machine.insmod(ko('user'));
    machine.insmod(ko('sleeper'));
    machine.sleep(40 * MS);
    checkRebuild(machine);
  });
});
