// SPDX-License-Identifier: MIT
/**
 * Guest code: C in a module, its data in the direct map and in vmalloc, against the same C as plain wasm32 and as a
 * native program. Shadow call stack and ticks are in, as they always are. The C stack lies in the direct map, the
 * module's constants in the module area.
 */

import { setFlagsFromString } from 'node:v8';
import { BareMachine } from '../packages/kernel/dist/arch/wasm64/testing.js';
import { compileGuest, compilePlain, loadPlain, native } from './compile.mjs';
import { formatTable, geometricMean, interleave, number, time } from './measure.mjs';

const BYTES = 70 * 2 ** 20;
const TREE = 65536;
const MEBI_NODES = 2 ** 20;

/** `tcg`: times slower than native under QEMU's system emulation, measured once elsewhere: docs/performance.md. */
const CASES = [
  { name: 'sequential sum', kernel: 'sum', n: 1_000_000, init: ['fill', 1_000_000], tcg: 2.9 / 0.63 },
  { name: 'sequential fill', kernel: 'fill', n: 1_000_000 },
  { name: 'byte hash', kernel: 'hash', n: 1_000_000, init: ['fill', 250_000] },
  { name: 'pointer chase, 32 KiB', kernel: 'chase', n: 500_000, init: ['chase_init', 512] },
  {
    name: 'pointer chase, 64 MiB',
    kernel: 'chase',
    n: 200_000,
    init: ['chase_init', MEBI_NODES],
    tcg: 405 / 121,
  },
  { name: 'integer loop', kernel: 'integer', n: 500_000 },
  { name: 'quicksort of 1M', kernel: 'quicksort', n: 1_000_000, tcg: 184 / 66 },
  { name: 'sha256 block', kernel: 'sha256', n: 2_000, init: ['fill', 160_000], tcg: 1428 / 355 },
  { name: 'recursion', kernel: 'recursion', n: 27, operations: 832_040 },
  { name: 'tree search', kernel: 'tree', n: 10_000, init: ['tree_init', TREE] },
];

const GOALS = { direct: { mean: 2.2, worst: 4.5 }, vmalloc: { mean: 2.7, worst: 6 } };

async function measureCase({ name, kernel, n, init, operations = n, tcg }, peers, timing) {
  const { wasm, machine, direct, vmalloc, gcc } = peers;
  const guest = (fn, area, count) => machine.call(fn, 'i:pi', area, count);
  if (init) {
    const [fn, count] = init;
    wasm.call(fn, count);
    for (const area of [direct, vmalloc]) guest(fn, area, count);
    await gcc?.run(fn, count);
  }
  const results = new Set([wasm.call(kernel, n), guest(kernel, direct, n), guest(kernel, vmalloc, n)]);
  if (gcc) results.add((await gcc.run(kernel, n)).result);
  if (results.size > 1) throw new Error(`${name}: results differ: ${[...results].join(', ')}`);
  const ns = await interleave(
    {
      plain: () => time(() => wasm.call(kernel, n)),
      direct: () => time(() => guest(kernel, direct, n)),
      vmalloc: () => time(() => guest(kernel, vmalloc, n)),
      ...(gcc && { native: async () => (await gcc.run(kernel, n)).ns }),
    },
    timing,
  );
  return {
    name,
    plainNs: ns.plain / operations,
    nativeNs: gcc && ns.native / operations,
    direct: ns.direct / ns.plain,
    vmalloc: ns.vmalloc / ns.plain,
    directToNative: gcc && ns.direct / ns.native,
    vmallocToNative: gcc && ns.vmalloc / ns.native,
    tcgToNative: tcg,
  };
}

/**
 * Rounds are short (a few ms) and many: on a busy host most of them then run undisturbed.
 * @param quick a smoke run: small inputs, one round, figures without meaning
 */
export async function run({ quick }) {
  const [object, module] = [await compileGuest(), await compilePlain()];
  // From here on, let the engine optimise before it runs: on a busy host it may get to it only after the last round.
  setFlagsFromString('--no-liftoff');
  const machine = new BareMachine({ memory: 192 * 2 ** 20 });
  machine.load(object);
  const peers = {
    wasm: loadPlain(module, BYTES),
    machine,
    direct: machine.alloc(BYTES),
    vmalloc: machine.vmalloc(BYTES),
    gcc: native(BYTES),
  };
  const rows = [];
  for (const c of CASES) {
    const small = { ...c, n: c.kernel === 'recursion' ? 10 : 1000, operations: undefined };
    const timing = c.kernel === 'quicksort' ? { rounds: 15, warmUp: 3 } : { rounds: 41, warmUp: 10 };
    rows.push(await measureCase(quick ? small : c, peers, quick ? { rounds: 1, warmUp: 0 } : timing));
  }
  peers.gcc?.close();
  const summary = Object.fromEntries(
    Object.keys(GOALS).map((area) => {
      const ratios = rows.map((row) => row[area]);
      return [area, { mean: geometricMean(ratios), worst: Math.max(...ratios), goal: GOALS[area] }];
    }),
  );
  return { rows, summary };
}

export function format({ rows, summary }) {
  const table = formatTable(
    [
      '',
      'plain ns',
      'native ns',
      'direct map',
      'vmalloc',
      'direct/native',
      'vmalloc/native',
      'QEMU TCG/native',
    ],
    rows.map((r) => [
      r.name,
      number(r.plainNs),
      number(r.nativeNs),
      number(r.direct),
      number(r.vmalloc),
      number(r.directToNative),
      number(r.vmallocToNative),
      number(r.tcgToNative),
    ]),
  );
  const lines = Object.entries(summary).map(
    ([area, { mean, worst, goal }]) =>
      `${area}: geometric mean ${number(mean)} (goal ${goal.mean}), worst ${number(worst)} (goal ${goal.worst})`,
  );
  return ['Guest code, times plain wasm32', table, ...lines].join('\n');
}
