#!/usr/bin/env node
// SPDX-License-Identifier: MIT
/** The program `pagewalk`: turns failures into messages and exit statuses. */

import { main } from './cli/commands.js';
import { CommandLineError } from './cli/options.js';
import { closeToolchain } from './cli/toolchain.js';

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof CommandLineError)) throw error;
  process.stderr.write(`pagewalk: ${error.message}\nTry 'pagewalk --help'.\n`);
  process.exitCode = 2;
} finally {
  await closeToolchain();
}
process.stdin.unref?.();
