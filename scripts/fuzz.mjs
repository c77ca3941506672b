// SPDX-License-Identifier: MIT
/**
 * `node scripts/fuzz.mjs [--seed N] [--count M]`: compares M random C programs, from seed N on, on the machine and as
 * plain wasm32. A difference names the seed that shows it again. `--print` writes program N instead.
 *
 * `node scripts/fuzz.mjs --corrupt [--seed N] [--count M] [--cpus C]`: overwrites the kernel's memory of M machines at
 * random, from seed N on, and uses them; what hangs, dies or throws names its seed.
 */

import { spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';
import { build, root } from './prepare.mjs';

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    count: { type: 'string', default: '1' },
    print: { type: 'boolean', default: false },
    corrupt: { type: 'boolean', default: false },
    cpus: { type: 'string', default: '2' },
  },
});
const range = `${Number(values.seed)},${Number(values.count)}`;
const env = values.corrupt
  ? { ...process.env, PAGEWALK_CORRUPT: `${range},${Number(values.cpus)}` }
  : { ...process.env, PAGEWALK_FUZZ: range, PAGEWALK_FUZZ_PRINT: values.print ? '1' : '' };
if (values.corrupt) build('packages/pagewalk'); // the cases run in processes of their own, from the built files
const file = values.corrupt ? 'tests/fuzz/corrupt.test.ts' : 'tests/fuzz/fuzz.test.ts';
const args = ['node_modules/vitest/vitest.mjs', 'run', file, '--disable-console-intercept'];
process.exit(spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit', env }).status ?? 1);
