// SPDX-License-Identifier: MIT
/** Compound commands: groups, `if`, loops, `case`, conditions. */

import { evaluate } from './arithmetic.js';
import type { Command, List, Word } from './ast.js';
import { holds } from './conditions.js';
import { expandSegments, expandText, expandWords } from './expand.js';
import type { Shell } from './interpreter.js';
import { matches } from './pattern.js';
import { Leave } from './state.js';

/** A command of one kind. */
type Kind<K extends Command['kind']> = Command & { kind: K };

export async function runCompound(shell: Shell, command: Command): Promise<void> {
  switch (command.kind) {
    case 'group':
      return shell.list(command.body);
    case 'subshell': {
      const child = shell.fork();
      shell.status = await child.subshell(() => child.list(command.body));
      return;
    }
    case 'if':
      return runIf(shell, command);
    case 'while':
      return runWhile(shell, command);
    case 'for':
      return runFor(shell, command);
    case 'forArithmetic':
      return runForArithmetic(shell, command);
    case 'case':
      return runCase(shell, command);
    case 'function':
      shell.functions.set(command.name, command.body);
      shell.status = 0;
      return;
    case 'condition':
      shell.status = (await holds(command.condition, shell)) ? 0 : 1;
      return;
    case 'arithmetic':
      shell.status = (await number(shell, command.expression)) !== 0n ? 0 : 1;
  }
}

const number = async (shell: Shell, expression: Word): Promise<bigint> =>
  evaluate(await expandText(expression, shell), shell);

async function runIf(shell: Shell, { clauses, otherwise }: Kind<'if'>): Promise<void> {
  for (const { condition, body } of clauses) {
    await shell.forgiving(() => shell.list(condition));
    if (shell.status === 0) return shell.list(body);
  }
  shell.status = 0;
  if (otherwise) await shell.list(otherwise);
}

function runWhile(shell: Shell, { condition, until, body }: Kind<'while'>): Promise<void> {
  const next = async () => {
    await shell.forgiving(() => shell.list(condition));
    return (shell.status === 0) !== until;
  };
  return loop(shell, next, body);
}

async function runFor(shell: Shell, { name, words, body }: Kind<'for'>): Promise<void> {
  const left = words ? await expandWords(words, shell) : [...shell.positional];
  const next = async () => {
    const word = left.shift();
    if (word !== undefined) shell.set(name, word);
    return word !== undefined;
  };
  return loop(shell, next, body);
}

async function runForArithmetic(shell: Shell, command: Kind<'forArithmetic'>): Promise<void> {
  await number(shell, command.start);
  let first = true;
  const next = async () => {
    if (!first) await number(shell, command.step);
    first = false;
    return command.condition.length === 0 || (await number(shell, command.condition)) !== 0n;
  };
  return loop(shell, next, command.body);
}

/** Runs a body as often as `next` says, or until it breaks off. */
async function loop(shell: Shell, next: () => Promise<boolean>, body: List): Promise<void> {
  let status = 0;
  shell.loopDepth++;
  try {
    for (;;) {
      await shell.breathe();
      if (!(await next())) break;
      try {
        await shell.list(body);
        status = shell.status;
      } catch (error) {
        if (!(error instanceof Leave) || (error.kind !== 'break' && error.kind !== 'continue')) throw error;
        status = 0;
        if (error.value > 1 && shell.loopDepth > 1) throw new Leave(error.kind, error.value - 1);
        if (error.kind === 'break') break;
      }
    }
  } finally {
    shell.loopDepth--;
  }
  shell.status = status;
}

async function runCase(shell: Shell, command: Kind<'case'>): Promise<void> {
  const text = await expandText(command.word, shell);
  let falls = false;
  shell.status = 0;
  for (const { patterns, body, fallThrough } of command.clauses) {
    let hit = falls;
    for (const pattern of hit ? [] : patterns) hit ||= matches(await expandSegments(pattern, shell), text);
    if (!hit) continue;
    await shell.list(body);
    if (!fallThrough) return;
    falls = true;
  }
}
