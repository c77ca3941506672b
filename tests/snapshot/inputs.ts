// SPDX-License-Identifier: MIT
/** What the tests of sameness put into a machine. */

import { readFileSync } from 'node:fs';
import { build } from '../support/modules.js';
import type { Step } from './replay.mjs';

const NAMES = ['sleeper', 'exporter', 'user', 'faulty', 'workers'] as const;

/** The modules of this folder, built. */
export async function buildModules(): Promise<Record<string, Uint8Array>> {
  const modules: Record<string, Uint8Array> = {};
  for (const name of NAMES)
    modules[name] = await build(name, readFileSync(new URL(`${name}.c`, import.meta.url), 'utf8'));
  return modules;
}

/** A run that meets most of what a machine can do, in two halves. */
export const STEPS: readonly (readonly Step[])[] = [
  [
    { do: 'insmod', module: 'sleeper', parameters: 'period=9' },
    { do: 'insmod', module: 'exporter', parameters: 'initial=40 label=forty' },
    { do: 'sleep', ms: 25 },
    { do: 'insmod', module: 'user' },
    { do: 'read', path: '/proc/slabinfo' },
    { do: 'insmod', module: 'faulty' },
    { do: 'rmmod', module: 'exporter' },
  ],
  [
    { do: 'sleep', ms: 40 },
    { do: 'rmmod', module: 'user' },
    { do: 'rmmod', module: 'exporter' },
    { do: 'insmod', module: 'exporter' },
    { do: 'rmmod', module: 'sleeper' },
    { do: 'rmmod', module: 'faulty' },
    { do: 'read', path: '/proc/vmallocinfo' },
    { do: 'read', path: '/proc/meminfo' },
    { do: 'sleep', ms: 1000 },
  ],
];
