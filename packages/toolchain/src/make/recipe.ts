// SPDX-License-Identifier: MIT
/** Runs the lines of a recipe. */

import type { Expander } from './expand.js';
import type { RecipeLine } from './rules.js';

export interface RecipeHost {
  /** Runs a command and prints its output; resolves to its exit status. */
  command(text: string): Promise<number>;
  stdout(text: string): void;
  stderr(text: string): void;
  /** The user asked to stop. */
  aborted(): boolean;
  /** Names the line that a message of `$(error)` or `$(warning)` belongs to. */
  setWhere(where: string): void;
}

export interface RecipeRun {
  readonly target: string;
  readonly recipe: readonly RecipeLine[];
  readonly expander: Expander;
  readonly silent: boolean;
  readonly dryRun: boolean;
  readonly ignoreErrors: boolean;
  readonly program: string;
  readonly host: RecipeHost;
}

/** make was told to stop, and has said so. */
export class Interrupted extends Error {}

const USES_MAKE = /\$[({]MAKE[)}]/;

/** Stops at the first line that fails. Prints why. */
export async function runRecipe(run: RecipeRun): Promise<{ ok: boolean; nrCommands: number }> {
  let nrCommands = 0;
  for (const command of await expandRecipe(run)) {
    nrCommands++;
    if (!(await runCommand(run, command))) return { ok: false, nrCommands };
  }
  return { ok: true, nrCommands };
}

interface Command {
  readonly text: string;
  readonly where: string;
  readonly quiet: boolean;
  readonly ignored: boolean;
  /** Runs even in a dry run. */
  readonly always: boolean;
}

/** All lines are expanded before the first one runs. */
async function expandRecipe({ recipe, expander, host, silent, ignoreErrors }: RecipeRun): Promise<Command[]> {
  const commands: Command[] = [];
  for (const { text, where } of recipe) {
    host.setWhere(where);
    for (const line of splitLines(await expander.expand(text))) {
      const [, prefixes, command] = /^([ \t@+-]*)(.*)$/s.exec(line)!;
      if (command.trim() === '') continue;
      commands.push({
        text: command,
        where,
        quiet: prefixes.includes('@') || silent,
        ignored: prefixes.includes('-') || ignoreErrors,
        always: prefixes.includes('+') || USES_MAKE.test(text),
      });
    }
  }
  return commands;
}

/** False if the command failed and the recipe ends with it. */
async function runCommand(
  run: RecipeRun,
  { text, where, quiet, ignored, always }: Command,
): Promise<boolean> {
  const { host, program, target, dryRun } = run;
  if (!quiet || dryRun) host.stdout(`${text}\n`);
  if (dryRun && !always) return true;
  const status = await host.command(text).catch((error: unknown) => {
    if (!host.aborted()) throw error;
    return 0;
  });
  if (host.aborted()) {
    host.stderr(`${program}: *** [${where}: ${target}] Interrupt\n`);
    throw new Interrupted();
  }
  if (status === 0) return true;
  const failure = `[${where}: ${target}] Error ${status}`;
  host.stderr(`${program}: ${ignored ? `${failure} (ignored)` : `*** ${failure}`}\n`);
  return ignored;
}

/** A line may expand to several; those that end with a backslash go on. */
function splitLines(text: string): string[] {
  const lines: string[] = [];
  for (const line of text.split('\n')) {
    const last = lines.at(-1);
    if (last !== undefined && /(^|[^\\])(\\\\)*\\$/.test(last)) lines[lines.length - 1] = `${last}\n${line}`;
    else lines.push(line);
  }
  return lines;
}
