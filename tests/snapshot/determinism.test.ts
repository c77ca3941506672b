// SPDX-License-Identifier: MIT
/** The same inputs give the same memory, byte for byte: twice, in other processes, with saves and loads in between. */

import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Machine } from '@pagewalk/kernel/machine';
import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { closeCompiler } from '../support/modules.js';
import { checkRebuild } from '../support/rebuild.js';
import { buildModules, STEPS } from './inputs.js';
import { perform, type Replayed, replay, type Step } from './replay.mjs';

const MB = 2 ** 20;
const OPTIONS = { memory: 64 * MB, seed: 7 };
const kernel = new URL('../../packages/kernel/dist/machine.js', import.meta.url);
const script = fileURLToPath(new URL('process.mjs', import.meta.url));
let modules: Record<string, Uint8Array>;
let folder = '';

beforeAll(async () => {
  modules = await buildModules();
  folder = mkdtempSync(join(tmpdir(), 'pagewalk-snapshot-'));
  for (const [name, ko] of Object.entries(modules)) writeFileSync(join(folder, `${name}.ko`), ko);
});
afterAll(() => {
  closeCompiler();
  rmSync(folder, { recursive: true, force: true });
});

interface Job {
  readonly options?: object;
  readonly load?: string;
  readonly save?: string;
  readonly steps: readonly Step[];
}

/** Runs a job in a fresh process, on the built kernel. */
async function inProcess(job: Job): Promise<Replayed> {
  const files = Object.fromEntries(Object.keys(modules).map((name) => [name, join(folder, `${name}.ko`)]));
  const path = join(folder, 'job.json');
  writeFileSync(path, JSON.stringify({ ...job, kernel: kernel.href, modules: files }));
  const run = promisify(execFile);
  const { stdout } = await run(process.execPath, [script, path], { maxBuffer: 64 * MB });
  return JSON.parse(stdout) as Replayed;
}

const withoutOutputs = ({ dmesg, hash }: Replayed) => ({ dmesg, hash });

describe('the same inputs', () => {
  it('give the same memory twice, byte for byte', () => {
    const [a, b] = [0, 1].map(() => {
      const machine = new Machine(OPTIONS);
      replay(machine, STEPS.flat(), modules);
      return machine.kernel.ram.u8;
    });
    expect(Buffer.compare(a, b)).toBe(0);
  });

  it('give other memory under another seed', () => {
    const hashes = [1, 2].map(
      (seed) => replay(new Machine({ ...OPTIONS, seed }), STEPS.flat(), modules).hash,
    );
    expect(hashes[0]).not.toBe(hashes[1]);
  });

  it('give the same memory in a fresh process, and with a save and a load between two processes', async () => {
    if (!existsSync(kernel)) throw new Error(`${fileURLToPath(kernel)} is missing: build the kernel first`);
    const here = replay(new Machine(OPTIONS), STEPS.flat(), modules);
    expect(here.dmesg.some(({ text }) => text.includes('area ends with x'))).toBe(true);
    const there = await inProcess({ options: OPTIONS, steps: STEPS.flat() });
    expect(there, 'is the built kernel up to date?').toEqual(here);
    const save = join(folder, 'machine.pw');
    await inProcess({ options: OPTIONS, steps: STEPS[0], save });
    const resumed = await inProcess({ load: save, steps: STEPS[1] });
    expect(withoutOutputs(resumed)).toEqual(withoutOutputs(here));
    expect(resumed.outputs).toEqual(here.outputs.slice(STEPS[0].length));
  });
});

const moduleName = fc.constantFrom('sleeper', 'exporter', 'user', 'faulty', 'workers');
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('insmod' as const),
      module: moduleName,
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('rmmod' as const),
      module: moduleName,
    }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('sleep' as const), ms: fc.nat(60) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('read' as const),
      path: fc.constantFrom('/proc/slabinfo', '/proc/modules', '/proc/kallsyms', '/proc/zoneinfo'),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('clear' as const) }) },
);

const commandLine = fc.constantFrom(
  '',
  '',
  'slub_debug=FZPU',
  'page_owner=on',
  'debug_pagealloc=on',
  'no_hash_pointers',
);

it('random steps do not notice saves and loads', () => {
  const property = fc.property(
    fc.array(step, { minLength: 4, maxLength: 14 }),
    fc.array(fc.nat(13), { minLength: 1, maxLength: 3 }),
    fc.record({
      memory: fc.constantFrom(12 * MB, 24 * MB),
      cpus: fc.integer({ min: 1, max: 4 }),
      seed: fc.nat(1000),
      commandLine,
    }),
    (steps, saves, options) => {
      const plain = replay(new Machine(options), steps, modules);
      let machine = new Machine(options);
      const outputs = steps.map((s, i) => {
        const output = perform(machine, s, modules);
        if (saves.includes(i)) machine = Machine.load(checkRebuild(machine).save());
        return output;
      });
      expect({ outputs, dmesg: machine.dmesg(), hash: machine.memoryHash() }).toEqual(plain);
    },
  );
  fc.assert(property, { seed: 20261, numRuns: 25 });
}, 120_000);
