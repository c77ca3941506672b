// SPDX-License-Identifier: MIT
/** Assignments: `=`, `:=`, `::=`, `?=`, `+=`, `!=`. */

import { closing, type Expander } from './expand.js';
import type { Scope } from './variables.js';

export interface Assignment {
  /** Unexpanded. */
  readonly name: string;
  readonly operator: string;
  readonly value: string;
  readonly override: boolean;
}

/** Index of the first of `characters` outside of `$(…)`, or -1. */
export function findOutside(text: string, characters: string, from = 0): number {
  for (let i = from; i < text.length; i++) {
    if (text[i] === '$' && (text[i + 1] === '(' || text[i + 1] === '{')) {
      const end = closing(text, i + 1);
      if (end < 0) return -1;
      i = end;
    } else if (characters.includes(text[i])) return i;
  }
  return -1;
}

/** Takes a line apart that is an assignment; undefined for any other. */
export function parseAssignment(line: string): Assignment | undefined {
  const at = findOutside(line, ':=');
  if (at < 0) return undefined;
  let operator = '=';
  let nameEnd = at;
  let valueAt = at + 1;
  if (line[at] === ':') {
    const simple = /^:{1,3}=/.exec(line.slice(at));
    if (!simple) return undefined;
    operator = ':=';
    valueAt = at + simple[0].length;
  } else if ('+?!'.includes(line[at - 1] ?? ' ')) {
    operator = `${line[at - 1]}=`;
    nameEnd = at - 1;
  }
  let name = line.slice(0, nameEnd).trim();
  let override = false;
  for (let modifier: RegExpExecArray | null; (modifier = /^(override|private)\s+(?=\S)/.exec(name)); ) {
    override ||= modifier[1] === 'override';
    name = name.slice(modifier[0].length);
  }
  if (name === '' || findOutside(name, ' \t') >= 0) return undefined;
  return { name, operator, value: line.slice(valueAt).trimStart(), override };
}

/** Carries an assignment out in the expander's scope, or in another. */
export async function assign(
  assignment: Assignment,
  expander: Expander,
  scope: Scope = expander.scope,
): Promise<void> {
  const name = (await expander.expand(assignment.name)).trim();
  const { operator, value } = assignment;
  const origin = assignment.override ? 'override' : 'file';
  const existing = scope.get(name);
  const { where } = expander.host;
  switch (operator) {
    case '?=':
      if (!existing) scope.set(name, value, true, origin, where);
      return;
    case ':=':
      return scope.set(name, await expander.expand(value), false, origin, where);
    case '!=':
      return scope.set(name, await expander.host.shell(await expander.expand(value)), false, origin, where);
    case '+=': {
      if (!existing) return scope.set(name, value, true, origin, where);
      const more = existing.recursive ? value : await expander.expand(value);
      const joined = existing.value === '' ? more : `${existing.value} ${more}`;
      return scope.set(name, joined, existing.recursive, origin, where);
    }
    default:
      return scope.set(name, value, true, origin, where);
  }
}
