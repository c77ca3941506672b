// SPDX-License-Identifier: MIT
/** Picks the command. */

import { readFileSync } from 'node:fs';
import { interactiveCommand } from './interactive.js';
import {
  CommandLineError,
  GLOBAL_HELP,
  GLOBAL_OPTIONS,
  type GlobalOptions,
  globalOptions,
  parseStrictly,
} from './options.js';
import { RUN_HELP, runCommand } from './run.js';
import { SH_HELP, shellCommand } from './shell.js';
import { TRACE_HELP, TRACE_OPTIONS, traceCommand } from './trace.js';

interface Subcommand {
  summary: string;
  help: string;
  run(options: GlobalOptions, args: readonly string[]): Promise<number>;
}

const COMMANDS: Record<string, Subcommand> = {
  run: {
    summary: 'build, load and unload a kernel module, and print its log',
    help: RUN_HELP,
    run: runCommand,
  },
  sh: { summary: 'run a command line or a script on a booted machine', help: SH_HELP, run: shellCommand },
  trace: {
    summary: 'run a command with tracepoints on, and show their events',
    help: TRACE_HELP,
    run: traceCommand,
  },
};

const HELP = `usage: pagewalk [OPTIONS] [COMMAND]

Linux's memory management, runnable: builds C kernel modules and loads them into a machine of its own.
Without a command: an interactive shell on a machine that has just booted.

Commands:
${Object.entries(COMMANDS)
  .map(([name, { summary }]) => `  ${name.padEnd(16)} ${summary}`)
  .join('\n')}

'pagewalk COMMAND --help' tells more.

`;

function version(): string {
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
    version: string;
  };
  return version;
}

/**
 * Runs a command line; resolves to the exit status, rejects with CommandLineError if it makes no sense.
 * Options before the command count as much as those behind it, which win.
 */
export async function main(argv: readonly string[]): Promise<number> {
  const { values, positionals } = parseStrictly(argv, GLOBAL_OPTIONS, true);
  const [name, ...args] = positionals;
  if (values['version'] === true) {
    process.stdout.write(`pagewalk ${version()}\n`);
    return 0;
  }
  if (name === undefined) {
    const options = globalOptions(values);
    if (options.help) process.stdout.write(HELP + GLOBAL_HELP);
    return options.help ? 0 : interactiveCommand(options);
  }
  if (!Object.hasOwn(COMMANDS, name)) {
    throw new CommandLineError(
      `got '${name}', expected ${Object.keys(COMMANDS)
        .map((key) => `'${key}'`)
        .join(' or ')}`,
    );
  }
  const command = COMMANDS[name];
  const behind = parseStrictly(
    args,
    {
      ...GLOBAL_OPTIONS,
      ...(name === 'trace' ? TRACE_OPTIONS : { command: { type: 'string', short: 'c' } as const }),
    },
    name !== 'run',
  );
  if (values['help'] === true || behind.values['help'] === true) {
    process.stdout.write(command.help + GLOBAL_HELP);
    return 0;
  }
  return command.run(globalOptions({ ...values, ...behind.values }), args);
}
