// SPDX-License-Identifier: MIT
/**
 * The allocators as C modules use them: against the C library's malloc in a native program, against their own
 * TypeScript paths (the same machine with its generated fast paths switched off), and as memory and the number of
 * caches grow.
 */

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { setFlagsFromString } from 'node:v8';
import { Machine } from '../packages/kernel/dist/machine.js';
import { nodeToolchain } from '../packages/toolchain/dist/index.node.js';
import { native } from './compile.mjs';
import { formatTable, interleave, number, time } from './measure.mjs';

/** `goal` in nanoseconds, or as a ratio to glibc. An operation of a batch is one allocation or one free. */
const CASES = [
  { name: 'kmalloc(128), kfree: a pair', fn: 'pair', n: 100_000, peer: 'pair', goal: { ratio: 1.5 } },
  {
    name: 'batch of 1,024 × 128: an operation',
    fn: 'batch',
    n: 102_400,
    peer: 'batch',
    goal: { ratio: 1.5 },
  },
  { name: 'kzalloc(128), kfree: a pair', fn: 'zeroed_pair', n: 100_000 },
  { name: 'kmem_cache_alloc, _free: a pair', fn: 'cache_pair', n: 100_000, peer: 'pair' },
  { name: '__get_free_page, free_page: a pair', fn: 'page_pair', n: 100_000, goal: { ns: 60 } },
  { name: 'vmalloc of 1 MiB, vfree: a pair', fn: 'vmalloc_pair', n: 40, goal: { ns: 100_000 } },
];
const FRAMES = [16384, 65536, 262_144, 524_288];
const CACHES = [1, 10, 100, 1000];

const file = (name) => readFileSync(fileURLToPath(new URL(name, import.meta.url)), 'utf8');

async function buildModule() {
  const toolchain = nodeToolchain();
  try {
    const sources = { 'alloc.c': file('alloc.c'), 'alloc.h': file('alloc.h') };
    const { ko, stderr } = await toolchain.buildModule({ name: 'alloc', sources });
    if (!ko) throw new Error(stderr);
    return ko;
  } finally {
    toolchain.close();
  }
}

/** A machine with the module loaded, whose functions can be called by name. */
function load(ko, options, parameters = '') {
  const machine = new Machine(options);
  const { status, signal } = machine.insmod(ko, parameters);
  if (status < 0 || signal) throw new Error(`insmod: status ${status}, signal ${signal}`);
  const { kernel } = machine;
  return {
    kernel,
    call(name, n) {
      kernel.watchdog.touch();
      const result = kernel.callC(kernel.kallsyms.find(name).address, 'i:i', n);
      if (result !== 0) throw new Error(`${name}: ${result}`);
    },
  };
}

async function measureCase({ name, fn, n, peer, goal }, { kernel, call }, gcc, timing) {
  const with_ = (slow) => () => {
    kernel.slowPaths.force(slow);
    return time(() => call(fn, n));
  };
  const ns = await interleave(
    {
      fast: with_(false),
      typescript: with_(true),
      ...(gcc && peer && { native: async () => (await gcc.run(peer, n)).ns }),
    },
    timing,
  );
  kernel.slowPaths.force(false);
  return {
    name,
    ns: ns.fast / n,
    typescriptNs: ns.typescript / n,
    glibcNs: ns.native && ns.native / n,
    goal,
  };
}

/** Pairs and batches on machines of several sizes; one object of many caches in turn. */
async function scale(ko, timing, quick) {
  const frames = [];
  for (const count of quick ? [FRAMES[0]] : FRAMES) {
    const { call } = load(ko, { memory: Math.min(count * 4096, 2 ** 31) });
    const run = (fn, n) => () => time(() => call(fn, n)) / n;
    const ns = await interleave(
      {
        pair: run('pair', 50_000),
        batch: run('batch', 51_200),
        page: run('page_pair', 50_000),
        vmalloc: run('vmalloc_pair', 20),
      },
      timing,
    );
    frames.push({ count, ...ns });
  }
  const { call } = load(
    ko,
    { memory: 2 ** 26, commandLine: 'slab_nomerge' },
    `nr_caches=${Math.max(...CACHES)}`,
  );
  const caches = [];
  for (const count of quick ? [1] : CACHES) {
    const n = 50_000;
    const { ns } = await interleave(
      { ns: () => time(() => call('many_caches', n * 1024 + count)) / n },
      timing,
    );
    caches.push({ count, ns });
  }
  return { frames, caches };
}

/** @param quick a smoke run: one round, figures without meaning */
export async function run({ quick }) {
  const ko = await buildModule();
  setFlagsFromString('--no-liftoff');
  const gcc = native(0, 'alloc_native.c');
  const timing = quick ? { rounds: 1, warmUp: 0 } : { rounds: 31, warmUp: 5 };
  const machine = load(ko, { memory: 2 ** 26 });
  const rows = [];
  for (const c of CASES) {
    const n = quick && c.n > 1000 ? 2048 : c.n;
    rows.push(await measureCase({ ...c, n }, machine, gcc, timing));
  }
  gcc?.close();
  return { gcc: gcc !== undefined, rows, ...(await scale(ko, timing, quick)) };
}

const goalText = ({ ns, goal, glibcNs }) => {
  if (!goal) return '';
  const limit = goal.ns ?? (glibcNs === undefined ? undefined : goal.ratio * glibcNs);
  const words = goal.ns ? `≤ ${goal.ns}` : `≤ ${goal.ratio} × glibc`;
  return limit === undefined ? words : `${words}: ${ns <= limit ? 'met' : 'missed'}`;
};

export function format({ gcc, rows, frames, caches }) {
  const main = formatTable(
    ['', 'ns', gcc ? 'glibc ns' : 'no gcc', '/ glibc', 'TypeScript ns', 'goal'],
    rows.map((row) => [
      row.name,
      number(row.ns),
      number(row.glibcNs),
      number(row.glibcNs && row.ns / row.glibcNs),
      number(row.typescriptNs),
      goalText(row),
    ]),
  );
  const byFrames = formatTable(
    ['page frames', 'pair', 'batch', 'page pair', 'vmalloc 1 MiB'],
    frames.map((f) => [String(f.count), ...[f.pair, f.batch, f.page, f.vmalloc].map(number)]),
  );
  const byCaches = formatTable(
    ['caches in turn', 'pair'],
    caches.map(({ count, ns }) => [String(count), number(ns)]),
  );
  return ['Allocation by C modules', main, '', byFrames, '', byCaches].join('\n');
}
