// SPDX-License-Identifier: MIT
/** Short and long options in the manner of GNU tools. */

import type { CommandContext } from '../shell/command.js';

export interface Flags {
  has(letter: string): boolean;
  /** Value of an option that takes one. */
  value(letter: string): string | undefined;
  operands: string[];
}

/** What is wrong with a command line; the tool says it and ends with `status`. */
export class UsageError extends Error {
  override name = 'UsageError';
}

/**
 * @param spec letters; one followed by `:` takes a value. `long` maps `--name` to a letter.
 * Options may follow operands; `--` ends them.
 */
export function parseFlags(args: readonly string[], spec: string, long: Record<string, string> = {}): Flags {
  const values = new Map<string, string>();
  const operands: string[] = [];
  const takesValue = (letter: string) => spec[spec.indexOf(letter) + 1] === ':';
  for (let at = 0; at < args.length; at++) {
    const arg = args[at];
    if (arg === '--') {
      operands.push(...args.slice(at + 1));
      break;
    }
    if (arg.startsWith('--')) {
      const [name, value] = arg.slice(2).split(/=(.*)/s);
      const letter = long[name];
      if (letter === undefined) throw new UsageError(`unrecognized option '${arg}'`);
      values.set(letter, takesValue(letter) ? (value ?? args[++at] ?? '') : '');
    } else if (arg.length > 1 && arg.startsWith('-')) {
      for (let index = 1; index < arg.length; index++) {
        const letter = arg[index];
        if (letter === ':' || !spec.includes(letter)) throw new UsageError(`invalid option -- '${letter}'`);
        if (!takesValue(letter)) {
          values.set(letter, '');
          continue;
        }
        const value = arg.slice(index + 1) || args[++at];
        if (value === undefined) throw new UsageError(`option requires an argument -- '${letter}'`);
        values.set(letter, value);
        break;
      }
    } else operands.push(arg);
  }
  return { has: (letter) => values.has(letter), value: (letter) => values.get(letter), operands };
}

/** Runs a tool's body; its usage errors become messages. */
export async function withUsage(
  context: CommandContext,
  body: () => Promise<number>,
  status = 1,
): Promise<number> {
  try {
    return await body();
  } catch (error) {
    if (error instanceof UsageError) return context.fail(error.message, status);
    throw error;
  }
}

/** A count such as `-n 5`, `-n +3`: digits only. */
export function count(text: string, what: string): number {
  if (!/^[0-9]+$/.test(text)) throw new UsageError(`invalid ${what}: '${text}'`);
  return Number(text);
}
