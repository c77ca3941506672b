// SPDX-License-Identifier: MIT
/** Reads the line that begins a rule: targets, prerequisites, and what may follow them. */

import { assign, findOutside, parseAssignment } from './assign.js';
import { MakeError } from './error.js';
import { Expander } from './expand.js';
import type { RecipeLine, Rule, RuleBook } from './rules.js';
import { type Scope, stemOf, withStem, words } from './variables.js';

interface RuleReader {
  readonly rules: RuleBook;
  readonly expander: Expander;
}

/**
 * Enters the rules of a line into the book. Returns them, for the recipe lines that follow; undefined when the line
 * came to nothing. Throws MakeError: missing separator.
 */
export async function readRule(
  line: string,
  raw: string,
  where: string,
  { rules, expander }: RuleReader,
): Promise<Rule[] | undefined> {
  const semicolon = findOutside(line, ';');
  const head = semicolon < 0 ? line : line.slice(0, semicolon);
  const recipe: RecipeLine[] = semicolon < 0 ? [] : [{ text: line.slice(semicolon + 1).trimStart(), where }];

  const colon = findOutside(head, ':');
  const specific =
    colon < 0
      ? undefined
      : parseAssignment(
          line
            .slice(colon + 1)
            .replace(/^:/, '')
            .trim(),
        );
  if (specific) {
    const set = (scope: Scope) => assign(specific, new Expander(scope, expander.host), scope);
    for (const name of words(await expander.expand(line.slice(0, colon))))
      if (name.includes('%')) rules.patternVariables.push({ pattern: name, set });
      else rules.target(name).variables.push(set);
    return undefined;
  }

  const expanded = await expander.expand(head);
  const split = /^(.*?)&?(::?)(.*)$/s.exec(expanded);
  if (!split) {
    if (expanded.trim() === '') return undefined;
    if (raw.startsWith('\t')) throw new MakeError('recipe commences before first target', where);
    const hint = raw.startsWith('        ') ? ' (did you mean TAB instead of 8 spaces?)' : '';
    throw new MakeError(`missing separator${hint}`, where);
  }
  const targets = words(split[1]);
  const doubleColon = split[2] === '::';
  const staticPattern = /^([^:]*):([^:]*)$/.exec(split[3]);
  if (targets.length === 0) throw new MakeError('missing target pattern', where);
  const [normal, orderOnly = ''] = (staticPattern?.[2] ?? split[3]).split('|');
  const base = { orderOnly: words(orderOnly), where, doubleColon };

  if (staticPattern)
    return readStatic(targets, staticPattern[1].trim(), words(normal), { ...base, recipe }, rules);
  if (targets.some((target) => target.includes('%'))) {
    const rule = { ...base, targets, prerequisites: words(normal), recipe, stem: '' };
    rules.patterns.push(rule);
    return [rule];
  }
  const rule: Rule = { ...base, prerequisites: words(normal), recipe, stem: '' };
  for (const target of targets) rules.addExplicit(target, rule);
  return [rule];
}

function readStatic(
  targets: readonly string[],
  pattern: string,
  prerequisites: readonly string[],
  base: Omit<Rule, 'prerequisites' | 'stem'>,
  rules: RuleBook,
): Rule[] {
  return targets.map((target) => {
    const stem = stemOf(pattern, target);
    if (stem === undefined)
      throw new MakeError(`target '${target}' doesn't match the target pattern`, base.where);
    const rule: Rule = {
      ...base,
      recipe: [...base.recipe],
      prerequisites: prerequisites.map((p) => withStem(p, stem)),
      stem,
    };
    rules.addExplicit(target, rule);
    return rule;
  });
}
