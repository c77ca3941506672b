// SPDX-License-Identifier: MIT
/**
 * `node scripts/fuzz.mjs [--seed N] [--count M]`: compares M random C programs, from seed N on, on the machine and as
 * plain wasm32. A difference names the seed that shows it again. `--print` writes program N instead.
 */

import { spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';
import { root } from './prepare.mjs';

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    count: { type: 'string', default: '1' },
    print: { type: 'boolean', default: false },
  },
});
const env = {
  ...process.env,
  PAGEWALK_FUZZ: `${Number(values.seed)},${Number(values.count)}`,
  PAGEWALK_FUZZ_PRINT: values.print ? '1' : '',
};
const args = ['node_modules/vitest/vitest.mjs', 'run', 'tests/fuzz', '--disable-console-intercept'];
process.exit(spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit', env }).status ?? 1);
