// SPDX-License-Identifier: MIT
/**
 * `npm run bench [-- options] [suite…]`: every suite in bench/ (or those named), each a ratio against a named peer
 * measured in the same run. `--json` prints figures instead of tables, `--quick` only shows that everything runs.
 *
 * A suite is a module with `run({ quick })`, which resolves to its figures, and `format(figures)`.
 */

import { existsSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { build, fail, install, root } from './prepare.mjs';

/** In the order in which they are shown. */
const SUITES = ['guest', 'views', 'alloc', 'files', 'boot'];

const { values, positionals } = parseArgs({
  options: { json: { type: 'boolean', default: false }, quick: { type: 'boolean', default: false } },
  allowPositionals: true,
});
const path = (suite) => join(root, 'bench', `${suite}.mjs`);
const known = SUITES.filter((suite) => existsSync(path(suite)));
const unknown = positionals.filter((suite) => !known.includes(suite));
if (unknown.length > 0) fail(`no benchmark ${unknown.join(', ')}; there are ${known.join(', ')}`);

install();
build(join('packages', 'pagewalk'));
const figures = { node: process.version, processor: cpus()[0]?.model, quick: values.quick };
for (const suite of positionals.length > 0 ? positionals : known) {
  const { run, format } = await import(pathToFileURL(path(suite)).href);
  figures[suite] = await run({ quick: values.quick });
  if (!values.json) console.log(`${format(figures[suite])}\n`);
}
if (values.json) console.log(JSON.stringify(figures, null, 2));
