// SPDX-License-Identifier: MIT
/** Commands that run other commands, wait, or tell about the session. */

import { FsError } from '../fs/filesystem.js';
import type { Command, CommandContext } from '../shell/command.js';
import { emptySource, Input, readAll } from '../shell/stream.js';
import { count, parseFlags, withUsage } from './arguments.js';
import { linesOf } from './text.js';

const xargs: Command = (context) =>
  withUsage(context, async () => {
    const end = context.args.findIndex(
      (arg, index) => !arg.startsWith('-') && !/^-[nIdL]$/.test(context.args[index - 1] ?? ''),
    );
    const options = end < 0 ? context.args : context.args.slice(0, end);
    const command = end < 0 ? ['echo'] : context.args.slice(end);
    const flags = parseFlags(options, 'n:I:d:0rtL:');
    const text = new TextDecoder().decode(await readAll(context.stdin));
    const byLine = flags.has('I') || flags.has('L');
    const separator = flags.has('0') ? '\0' : flags.value('d');
    const items =
      separator !== undefined
        ? text.split(separator).filter((item) => item !== '')
        : byLine
          ? linesOf(text)
          : shellWords(text);
    const size = byLine ? 1 : flags.has('n') ? count(flags.value('n')!, 'number') : Math.max(1, items.length);
    if (items.length === 0)
      return flags.has('r') || flags.has('I') ? 0 : context.run(command, { stdin: new Input(emptySource) });
    let status = 0;
    for (let at = 0; at < items.length && !context.signal.aborted; at += size) {
      const group = items.slice(at, at + size);
      const place = flags.value('I');
      const argv =
        place !== undefined ? command.map((arg) => arg.replaceAll(place, group[0])) : [...command, ...group];
      if (flags.has('t')) await context.err(`${argv.join(' ')}\n`);
      const result = await context.run(argv, { stdin: new Input(emptySource) });
      if (result !== 0) status = result === 127 || result === 126 ? result : 123;
    }
    return status;
  });

/** Words at blanks, with quotes and backslashes as xargs reads them. */
const shellWords = (text: string): string[] =>
  (text.match(/(?:"[^"]*"|'[^']*'|\\.|[^\s"'\\])+/gs) ?? []).map((word) =>
    word.replace(/"([^"]*)"|'([^']*)'|\\(.)/gs, (_, a, b, c) => a ?? b ?? c),
  );

const env: Command = async (context) => {
  const at = context.args.findIndex((arg) => !arg.includes('='));
  if (at >= 0) {
    const quoted = context.args.slice(0, at).map((arg) => arg);
    return quoted.length === 0
      ? context.run(context.args.slice(at))
      : context.run(['sh', '-c', 'export "$@"; shift $#', 'env', ...quoted]);
  }
  for (const [name, value] of context.env) await context.out(`${name}=${value}\n`);
  return 0;
};

const printenv: Command = async (context) => {
  if (context.args.length === 0) return env(context);
  const value = context.env.get(context.args[0]);
  if (value === undefined) return 1;
  await context.out(`${value}\n`);
  return 0;
};

const dd: Command = async (context) => {
  const options = new Map(context.args.map((arg) => arg.split(/=(.*)/s) as [string, string]));
  const sizes: Record<string, number> = { '': 1, c: 1, w: 2, k: 1024, K: 1024, M: 2 ** 20, G: 2 ** 30 };
  const number = (name: string, fallback: number) => {
    const match = /^(\d+)([cwkKMG]?)$/.exec(options.get(name) ?? String(fallback));
    return match ? Number(match[1]) * sizes[match[2]] : fallback;
  };
  const block = number('bs', 512);
  const limit = options.has('count') ? number('count', 0) * block : Number.POSITIVE_INFINITY;
  const name = (key: string) => options.get(key);
  const opened: { close?(): void }[] = [];
  /** What is being done, for the message if it fails. */
  let doing = `failed to open '${name('if')}'`;
  try {
    const input = name('if')
      ? new Input(context.fs.openRead(context.path(name('if')!), context.signal))
      : context.stdin;
    doing = `failed to open '${name('of')}'`;
    const output = name('of')
      ? context.fs.openWrite(context.path(name('of')!), false, context.signal)
      : context.stdout;
    if (name('if')) opened.push(input);
    if (name('of')) opened.push(output);
    let skip = number('skip', 0) * block;
    let total = 0;
    while (total < limit && !context.signal.aborted) {
      doing = `error reading '${name('if') ?? 'standard input'}'`;
      const chunk = await input.read();
      if (!chunk) break;
      doing = `error writing '${name('of') ?? 'standard output'}'`;
      const kept = chunk.subarray(Math.min(skip, chunk.length));
      skip -= chunk.length - kept.length;
      const part = kept.subarray(0, Math.min(kept.length, limit - total));
      // A device sees blocks of the size that was asked for.
      for (let at = 0; at < part.length; at += block) await output.write(part.subarray(at, at + block));
      total += part.length;
    }
    const records = `${Math.floor(total / block)}+${total % block > 0 ? 1 : 0}`;
    if (options.get('status') !== 'none')
      await context.err(`${records} records in\n${records} records out\n${total} bytes copied\n`);
    return 0;
  } catch (error) {
    if (error instanceof FsError) return context.fail(`${doing}: ${error.reason}`);
    throw error;
  } finally {
    for (const file of opened) file.close?.();
  }
};

export const runTools: Record<string, [Command, string]> = {
  xargs: [xargs, 'run a command with words of standard input as arguments'],
  env: [env, 'print the environment'],
  printenv: [printenv, 'print the environment'],
  dd: [dd, 'copy blocks of bytes'],
  clear: [(context: CommandContext) => context.out('\x1b[H\x1b[2J\x1b[3J').then(() => 0), 'clear the screen'],
  sync: [() => 0, 'write everything to disk'],
};
