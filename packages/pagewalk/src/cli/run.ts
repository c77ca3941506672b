// SPDX-License-Identifier: MIT
/** `pagewalk run FILE.c`: builds a module, loads it, unloads it, prints what it logged. */

import { readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, extname, join } from 'node:path';
import { MACHINE_STOPPED } from '../fs/filesystem.js';
import { type CommandResult, hasOopsed, type LogRecord, type Machine } from '../machine.js';
import { Interrupted } from '../shell/state.js';
import { errnoMessage } from '../tools/errno.js';
import { insmodReason } from '../tools/kmod.js';
import { timeStamp } from '../tools/system.js';
import { CommandLineError, GLOBAL_OPTIONS, type GlobalOptions, parseStrictly } from './options.js';
import { closeMachine, openMachine } from './saved.js';
import { loadToolchain } from './toolchain.js';

export const RUN_HELP = `usage: pagewalk [OPTIONS] run [OPTIONS] FILE.c... [PARAMETER=VALUE...]
       pagewalk [OPTIONS] run [OPTIONS] FILE.ko [PARAMETER=VALUE...]

Builds one module (of several files, if several are named; the first one names it), boots a machine, loads the
module with the parameters, unloads it, and prints what the kernel logged. Headers beside the file are found.

Exit status: 0 all went well, 1 the build, loading or unloading failed, 2 the command line was wrong,
3 the kernel reported a bug (oops, BUG, panic).

With --json, one object: { "module", "build": { "ok", "diagnostics" }, "insmod", "rmmod": { "status", "signal" },
"log": [{ "level", "ns", "text" }], "status" }

`;

interface Report {
  module: string;
  build: { ok: boolean; diagnostics: string };
  insmod?: CommandResult;
  rmmod?: CommandResult;
  log: LogRecord[];
  status: number;
}

interface Image {
  ko?: Uint8Array | undefined;
  diagnostics: string;
}

function read(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new CommandLineError(
      `run: cannot read '${file}': ${error instanceof Error ? error.message : error}`,
    );
  }
}

/** The files named, and every header beside the first, so that `#include "x.h"` works. */
function sourcesOf(files: readonly string[]): Record<string, string> {
  const folder = dirname(files[0]);
  const sources: Record<string, string> = {};
  for (const name of readdirSync(folder)) {
    if (extname(name) === '.h') sources[name] = readFileSync(join(folder, name), 'utf8');
  }
  for (const file of files) sources[basename(file)] = read(file).toString('utf8');
  return sources;
}

async function build(
  files: readonly string[],
  module: string,
  machine: Machine,
  signal: AbortSignal,
): Promise<Image> {
  if (files.length === 1 && extname(files[0]) === '.ko')
    return { ko: new Uint8Array(read(files[0])), diagnostics: '' };
  const sources = sourcesOf(files);
  const toolchain = await loadToolchain(machine.kernelSymbols?.());
  const { ko, stderr } = await toolchain.buildModule({ name: module, sources, signal });
  return { ko, diagnostics: stderr };
}

function operandsOf(args: readonly string[]): { files: string[]; parameters: string[] } {
  const { positionals } = parseStrictly(args, GLOBAL_OPTIONS);
  const isFile = (arg: string) => /\.(c|ko)$/.test(arg) && !arg.includes('=');
  const files = positionals.filter(isFile);
  const parameters = positionals.filter((arg) => !isFile(arg));
  if (files.length === 0) throw new CommandLineError("run: got no file, expected 'run FILE.c'");
  const wrong = parameters.find((arg) => !/^[\w.-]+(=|$)/.test(arg));
  if (wrong !== undefined)
    throw new CommandLineError(`run: got '${wrong}', expected a .c or .ko file or PARAMETER=VALUE`);
  return { files, parameters };
}

/** What went wrong with a system call, in kmod's words; empty if nothing did. */
function complaint(name: string, action: 'insert' | 'remove', result: CommandResult): string {
  if (result.panicked) return MACHINE_STOPPED;
  if (result.signal !== undefined) return result.signal === 11 ? 'Segmentation fault' : 'Killed';
  if (result.status >= 0) return '';
  const reason = action === 'insert' ? insmodReason(-result.status) : errnoMessage(-result.status);
  return `${action === 'insert' ? 'insmod' : 'rmmod'}: ERROR: could not ${action} module ${name}: ${reason}`;
}

export async function runCommand(options: GlobalOptions, args: readonly string[]): Promise<number> {
  const { files, parameters } = operandsOf(args);
  const controller = new AbortController();
  process.on('SIGINT', () => controller.abort(new Interrupted()));
  const module = basename(files[0], extname(files[0])).replaceAll('-', '_');
  const machine = openMachine(options);
  const report: Report = { module, build: { ok: false, diagnostics: '' }, log: [], status: 1 };
  const say = (text: string) => {
    if (!options.json) process.stderr.write(text);
  };

  const { ko, diagnostics } = await build(files, module, machine, controller.signal);
  report.build = { ok: ko !== undefined, diagnostics };
  say(diagnostics);
  if (ko) {
    const since = machine.dmesg().length;
    report.insmod = machine.insmod(ko, parameters.join(' '));
    const failure = complaint(module, 'insert', report.insmod);
    if (failure) say(`${failure}\n`);
    else {
      report.rmmod = machine.rmmod(module);
      const stuck = complaint(module, 'remove', report.rmmod);
      if (stuck) say(`${stuck}\n`);
    }
    report.log = machine.dmesg().slice(since);
    report.status = hasOopsed(report.log)
      ? 3
      : failure || report.rmmod?.status || report.rmmod?.signal
        ? 1
        : 0;
  }
  closeMachine(machine, options);
  if (options.json) process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
  else
    for (const { ns, text } of report.log)
      process.stdout.write(
        text
          .split('\n')
          .map((line) => `${timeStamp(ns)}${line}\n`)
          .join(''),
      );
  return report.status;
}
