// SPDX-License-Identifier: MIT
/** `npm start`: from a fresh clone to a booted machine that runs examples/mem_alloc. */

import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build, install, root } from './prepare.mjs';

install();
build(join('packages', 'pagewalk'));
const built = pathToFileURL(join(root, 'packages', 'pagewalk', 'dist', 'cli', 'demo.js'));
const { demo } = await import(built.href);
process.exitCode = await demo(join(root, 'examples', 'mem_alloc'), process.argv.slice(2));
