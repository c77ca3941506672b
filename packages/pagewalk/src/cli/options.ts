// SPDX-License-Identifier: MIT
/** Options that every command takes, and what a command line is made of. */

import { parseArgs } from 'node:util';

/** A command line that makes no sense: said on standard error, exit status 2. */
export class CommandLineError extends Error {
  override name = 'CommandLineError';
}

export interface GlobalOptions {
  /** RAM in bytes. */
  memory: number;
  cpus: number;
  seed: number;
  commandLine: string;
  /** Files to load the machine from, and to save it to at the end. */
  load?: string | undefined;
  save?: string | undefined;
  json: boolean;
  help: boolean;
}

type OptionTable = Record<string, { type: 'string' | 'boolean'; short?: string }>;

export const GLOBAL_OPTIONS = {
  mem: { type: 'string' },
  smp: { type: 'string' },
  seed: { type: 'string' },
  append: { type: 'string' },
  load: { type: 'string' },
  save: { type: 'string' },
  json: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
  version: { type: 'boolean' },
} as const satisfies OptionTable;

export const GLOBAL_HELP = `Options of the machine:
  --mem SIZE       RAM, 8M to 2G (default 64M)
  --smp N          virtual CPUs, 1 to 8 (default 1)
  --seed N         seed of the machine's randomness, 0 to 4294967295 (default 1)
  --append TEXT    kernel command line, for instance 'slub_debug=FZPU'
  --save FILE      at the end, keep the machine in a file: memory, modules, sleeping threads, the log
  --load FILE      go on with a machine that was saved; it has its own --mem, --smp, --seed and --append

Other options:
  --json           machine-readable output
  -h, --help       this text
`;

const UNITS: Record<string, number> = { '': 1, K: 2 ** 10, M: 2 ** 20, G: 2 ** 30 };
const MEMORY_MIN = 8 * 2 ** 20;
const MEMORY_MAX = 2 ** 31;
const PAGE = 4096;

/** `64M` in bytes. */
export function parseMemory(text: string): number {
  const match = /^(\d+)([KMG]?)$/i.exec(text);
  const bytes = match ? Number(match[1]) * UNITS[match[2].toUpperCase()] : Number.NaN;
  if (!(bytes >= MEMORY_MIN && bytes <= MEMORY_MAX && bytes % PAGE === 0)) {
    throw new CommandLineError(`--mem: got '${text}', expected 8M to 2G in whole pages, for instance 64M`);
  }
  return bytes;
}

function parseInteger(option: string, text: string, min: number, max: number): number {
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= min && value <= max))
    throw new CommandLineError(`--${option}: got '${text}', expected ${min} to ${max}`);
  return value;
}

export interface Parsed {
  values: Record<string, string | boolean | undefined>;
  positionals: string[];
}

/** Parses strictly, in words of our own. With `stopAtOperand` everything from the first operand on is an operand. */
export function parseStrictly(args: readonly string[], options: OptionTable, stopAtOperand = false): Parsed {
  const loose = parseArgs({ args: [...args], options, strict: false, allowPositionals: true, tokens: true });
  const first = loose.tokens.find((token) => token.kind === 'positional');
  const end = stopAtOperand && first ? first.index : args.length;
  const result: Parsed = { values: {}, positionals: [] };
  for (const token of loose.tokens) {
    if (token.index >= end) break;
    if (token.kind === 'positional') result.positionals.push(token.value);
    if (token.kind !== 'option') continue;
    const known = options[token.name];
    if (!known) throw new CommandLineError(`unknown option '${token.rawName}'`);
    if (known.type === 'string' && token.value === undefined)
      throw new CommandLineError(`${token.rawName} needs a value`);
    if (known.type === 'boolean' && token.value !== undefined)
      throw new CommandLineError(`${token.rawName} takes no value, got '${token.value}'`);
    result.values[token.name] = token.value ?? true;
  }
  if (end < args.length) result.positionals.push(...args.slice(end));
  return result;
}

export function globalOptions(values: Parsed['values']): GlobalOptions {
  const text = (name: string) => values[name] as string | undefined;
  const own = ['mem', 'smp', 'seed', 'append'].find((name) => values[name] !== undefined);
  if (text('load') !== undefined && own !== undefined)
    throw new CommandLineError(`--load and --${own}: a machine that was saved has its own --${own}`);
  return {
    memory: parseMemory(text('mem') ?? '64M'),
    cpus: parseInteger('smp', text('smp') ?? '1', 1, 8),
    seed: parseInteger('seed', text('seed') ?? '1', 0, 2 ** 32 - 1),
    commandLine: text('append') ?? '',
    load: text('load'),
    save: text('save'),
    json: values['json'] === true,
    help: values['help'] === true,
  };
}
