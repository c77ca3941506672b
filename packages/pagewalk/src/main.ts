#!/usr/bin/env node
// SPDX-License-Identifier: MIT
/** The program `pagewalk`: turns failures into messages and exit statuses. */

import { main } from './cli/commands.js';
import { CommandLineError } from './cli/options.js';
import { closeToolchain } from './cli/toolchain.js';
import { Interrupted } from './shell/state.js';

function statusOf(error: unknown): number {
  if (error instanceof Interrupted) return 130;
  if (error instanceof CommandLineError) {
    process.stderr.write(`pagewalk: ${error.message}\nTry 'pagewalk --help'.\n`);
    return 2;
  }
  if (error instanceof Error && ['ToolError', 'SavedMachineError'].includes(error.name)) {
    process.stderr.write(`pagewalk: ${error.message}\n`);
    return 1;
  }
  throw error;
}

const status = await main(process.argv.slice(2)).catch(statusOf);
await closeToolchain();
// Background jobs of the shell do not keep the program alive; what was written must come out.
process.stdout.write('', () => process.stderr.write('', () => process.exit(status)));
