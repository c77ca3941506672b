// SPDX-License-Identifier: MIT
/** Each module logs what its golden log says, on every kind of machine, and leaves nothing behind. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { MachineOptions } from '@pagewalk/kernel/machine';
import { afterAll, expect, test } from 'vitest';
import { brokenInvariants, memoryLost, memoryOf } from '../support/memory.js';
import { boot, build, closeCompiler } from '../support/modules.js';
import { checkRebuild } from '../support/rebuild.js';
import { transcript } from './transcript.js';

/** What `// boot: …` in a source puts on the command line. */
const bootOf = (source: string) => /^\/\/ boot: (.*)$/m.exec(source)?.[1] ?? '';

const folder = fileURLToPath(new URL('.', import.meta.url));
const names = readdirSync(folder)
  .filter((file) => file.endsWith('.c'))
  .map((file) => file.slice(0, -2));

/** Other machines, on which the same is logged. */
const MACHINES: readonly Partial<MachineOptions>[] = [
  { cpus: 2, commandLine: 'slub_debug=FZPU page_poison=1 sched_seed=1' },
  { cpus: 4, commandLine: 'slab_nomerge init_on_alloc=1 init_on_free=1 sched_seed=2', memory: 128 * 2 ** 20 },
];

afterAll(closeCompiler);

test.each(names)('%s', { timeout: 60_000 }, async (name) => {
  const source = readFileSync(`${folder}${name}.c`, 'utf8');
  const ko = await build(name, source);
  const machine = boot({ commandLine: bootOf(source) });
  const log = transcript(machine, name, source, ko);
  const golden = `${folder}${name}.log`;
  if (process.env['GOLDEN'] === 'write') writeFileSync(golden, log);
  expect(existsSync(golden), `${name}.log is missing`).toBe(true);
  expect(log).toBe(readFileSync(golden, 'utf8'));

  // The first time leaves what allocators keep for good. After that every page comes back.
  const before = memoryOf(machine);
  transcript(machine, name, source, ko);
  expect(memoryLost(machine, before)).toEqual([]);
  expect(brokenInvariants(machine)).toEqual([]);
  checkRebuild(machine);
});

test.each(names)('%s logs the same elsewhere', { timeout: 120_000 }, async (name) => {
  const source = readFileSync(`${folder}${name}.c`, 'utf8');
  const ko = await build(name, source);
  const golden = readFileSync(`${folder}${name}.log`, 'utf8');
  for (const options of MACHINES) {
    const commandLine = `${options.commandLine} ${bootOf(source)}`;
    const log = transcript(boot({ ...options, commandLine }), name, source, ko);
    expect(log, JSON.stringify(options)).toBe(golden);
  }
});
