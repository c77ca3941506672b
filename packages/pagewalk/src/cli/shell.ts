// SPDX-License-Identifier: MIT
/** `pagewalk sh`: a command line or a script on a booted machine. */

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Sink } from '../fs/filesystem.js';
import { hostFolder } from '../fs/host_folder.js';
import type { Machine } from '../machine.js';
import { createSession } from '../session.js';
import { Shell } from '../shell/interpreter.js';
import { type Descriptor, Interrupted } from '../shell/state.js';
import { ByteBuffer, Input } from '../shell/stream.js';
import { CommandLineError, GLOBAL_OPTIONS, type GlobalOptions, parseStrictly } from './options.js';
import { closeMachine, openMachine } from './saved.js';
import { sinkOf, sourceOfStdin } from './terminal.js';
import { makeCommand } from './toolchain.js';

export const SH_HELP = `usage: pagewalk [OPTIONS] sh [OPTIONS] -c COMMANDS [NAME [ARGUMENT...]]
       pagewalk [OPTIONS] sh [OPTIONS] SCRIPT [ARGUMENT...]

Boots a machine and runs commands on it. The current folder is mounted at /host, where the commands start.
The exit status is that of the last command. With --json, one object is printed at the end:
{ "status", "stdout", "stderr", "log": [{ "level", "ns", "text" }] }

Examples:
  pagewalk sh -c 'make && insmod hello.ko && rmmod hello && dmesg | tail'
  pagewalk --mem 128M sh lab.sh

`;

/** The toolchain's include folder: beside its `dist`. */
const headersFolder = (): string =>
  join(dirname(createRequire(import.meta.url).resolve('@pagewalk/toolchain')), '..', 'include');

/** This package's manual: beside its `dist` or `src`. */
const manualFolder = (): string => fileURLToPath(new URL('../../man', import.meta.url));

export interface ShellSession {
  machine: Machine;
  shell: Shell;
}

/** A shell in /host, on a machine that has just booted or was loaded. */
export function openShell(
  options: GlobalOptions,
  streams: { stdin: Input; stdout: Sink; stderr: Sink },
  signal: AbortSignal,
  { paced = false } = {},
): ShellSession {
  const machine = openMachine(options);
  const extra = {
    make: [makeCommand(machine.kernelSymbols?.()), 'build modules', 'usage: make [-C FOLDER] [TARGET]...'],
  } as const;
  const session = createSession({
    machine,
    host: hostFolder(process.cwd(), true),
    headers: hostFolder(headersFolder(), false),
    manual: hostFolder(manualFolder(), false),
    paced,
    extra: { make: [...extra.make] },
  });
  const descriptors = new Map<number, Descriptor>([
    [0, streams.stdin],
    [1, streams.stdout],
    [2, streams.stderr],
  ]);
  const shell = new Shell(session, descriptors, signal);
  const environment = {
    HOME: '/root',
    PATH: '/sbin:/bin',
    PWD: '/host',
    USER: 'root',
    SHELL: '/bin/sh',
    TERM: process.env['TERM'] ?? 'dumb',
  };
  for (const [name, value] of Object.entries(environment)) shell.export(name, value);
  shell.cwd = '/host';
  return { machine, shell };
}

function scriptOf(args: readonly string[]): { text: string; name: string; args: string[] } {
  const { values, positionals } = parseStrictly(
    args,
    { ...GLOBAL_OPTIONS, command: { type: 'string', short: 'c' } },
    true,
  );
  const inline = values['command'];
  if (typeof inline === 'string') {
    const [name = 'sh', ...rest] = positionals;
    return { text: inline, name, args: rest };
  }
  const [file, ...rest] = positionals;
  if (file === undefined)
    throw new CommandLineError("sh: got neither a script nor -c, expected 'sh SCRIPT' or 'sh -c COMMANDS'");
  try {
    return { text: readFileSync(file, 'utf8'), name: file, args: rest };
  } catch (error) {
    throw new CommandLineError(
      `sh: cannot read '${file}': ${error instanceof Error ? error.message : error}`,
    );
  }
}

export async function shellCommand(options: GlobalOptions, args: readonly string[]): Promise<number> {
  const script = scriptOf(args);
  const controller = new AbortController();
  process.on('SIGINT', () => controller.abort());
  const captured = options.json ? { stdout: new ByteBuffer(), stderr: new ByteBuffer() } : undefined;
  const streams = captured ?? { stdout: sinkOf(process.stdout), stderr: sinkOf(process.stderr) };
  const { machine, shell } = openShell(
    options,
    { stdin: new Input(sourceOfStdin()), ...streams },
    controller.signal,
  );
  shell.scriptName = script.name;
  shell.positional = script.args;
  const status = await shell
    .subshell(() => shell.execute(script.text))
    .catch((error: unknown) => {
      if (error instanceof Interrupted) return 130;
      throw error;
    });
  closeMachine(machine, options);
  if (captured) {
    const result = {
      status,
      stdout: captured.stdout.text(),
      stderr: captured.stderr.text(),
      log: machine.dmesg(),
    };
    process.stdout.write(`${JSON.stringify(result, null, 2)}\n`);
  }
  return status;
}
