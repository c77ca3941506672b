// SPDX-License-Identifier: MIT
/** `npm start`: from a fresh clone to a booted machine that runs examples/mem_alloc. */

import { join } from 'node:path';
import { build, install, node } from './prepare.mjs';

install();
build(join('packages', 'pagewalk'));
process.exit(node([join('packages', 'pagewalk', 'dist', 'main.js'), 'demo', ...process.argv.slice(2)]));
