// SPDX-License-Identifier: MIT
/**
 * From power-on to the first command, and `make` of examples/mem_alloc: the whole command line in a process of its own
 * with an empty and with a filled build cache. The peer is Node itself, which does nothing.
 */

import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Machine } from '../packages/kernel/dist/machine.js';
import { formatTable, interleave, number, time } from './measure.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const program = join(root, 'packages', 'pagewalk', 'dist', 'main.js');
const MIB = 2 ** 20;
const BOOT_GOAL_MS = 30;

/** A boot, and a command that looks at the machine. */
const boot = (memory) => () =>
  time(() => {
    const machine = new Machine({ memory });
    if (!machine.readProc('/proc/meminfo')) throw new Error('no /proc/meminfo');
  });

/** Milliseconds in a process of its own. */
function process_(args, options) {
  return time(() => {
    const { status, stderr } = spawnSync(process.execPath, args, { ...options, encoding: 'utf8' });
    if (status !== 0) throw new Error(stderr);
  });
}

/** @param quick a smoke run: one round, figures without meaning */
export async function run({ quick }) {
  const firstBoot = boot(64 * MIB)();
  const folder = mkdtempSync(join(tmpdir(), 'pagewalk-bench-'));
  const cache = join(folder, 'cache');
  const sources = join(folder, 'mem_alloc');
  const env = { ...process.env, PAGEWALK_CACHE: cache, HOME: folder };
  const shell = (command) => process_([program, 'sh', '-c', command], { cwd: sources, env });
  const fresh = () => {
    rmSync(sources, { recursive: true, force: true });
    cpSync(join(root, 'examples', 'mem_alloc'), sources, { recursive: true });
    rmSync(join(sources, 'mem_alloc.ko'), { force: true });
  };
  try {
    fresh();
    const boots = await interleave(
      { boot64: boot(64 * MIB), boot512: boot(512 * MIB) },
      quick ? { rounds: 1, warmUp: 0 } : { rounds: 21, warmUp: 3 },
    );
    const processes = await interleave(
      {
        node: () => process_(['-e', '0']),
        sh: () => shell('true'),
        makeCold() {
          fresh();
          rmSync(cache, { recursive: true, force: true });
          return shell('make');
        },
        makeWarm() {
          fresh();
          return shell('make');
        },
      },
      quick ? { rounds: 1, warmUp: 0 } : { rounds: 7, warmUp: 1 },
    );
    return { firstBoot, ...boots, ...processes };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

export function format(ns) {
  const row = (name, value, goal) => [
    name,
    number(value / 1e6),
    number(value / ns.node),
    goal ? `≤ ${goal}: ${value / 1e6 <= goal ? 'met' : 'missed'}` : '',
  ];
  return [
    'From power-on to work',
    formatTable(
      ['', 'ms', '/ node -e 0', 'goal'],
      [
        row('node -e 0, a process', ns.node),
        row('boot of 64 MiB to the first command, in a process that runs', ns.boot64, BOOT_GOAL_MS),
        row('the first one, with code that is not compiled yet', ns.firstBoot),
        row('boot of 512 MiB', ns.boot512),
        row('pagewalk sh -c true, a process', ns.sh),
        row('make of examples/mem_alloc, nothing in the build cache', ns.makeCold),
        row('make, all in the build cache', ns.makeWarm),
      ],
    ),
  ].join('\n');
}
