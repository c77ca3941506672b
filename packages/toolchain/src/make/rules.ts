// SPDX-License-Identifier: MIT
/** What a makefile says about targets. */

import { type Scope, stemOf, withStem } from './variables.js';

export interface RecipeLine {
  /** Unexpanded, without the leading tab; may hold backslash-newlines. */
  readonly text: string;
  /** `Makefile:7` */
  readonly where: string;
}

export interface Rule {
  readonly prerequisites: string[];
  readonly orderOnly: string[];
  recipe: RecipeLine[];
  readonly where: string;
  /** `::`: one of several independent rules of its target. */
  readonly doubleColon: boolean;
  /** What `%` stood for, in a static pattern rule or a pattern rule that was applied. */
  readonly stem: string;
}

export interface PatternRule extends Rule {
  readonly targets: string[];
}

/** All that is said about one target. */
export interface Target {
  readonly name: string;
  readonly rules: Rule[];
  /** Target-specific variables, in order: set in the target's scope when it is made. */
  readonly variables: ((scope: Scope) => Promise<void>)[];
}

export class RuleBook {
  readonly targets = new Map<string, Target>();
  readonly patterns: PatternRule[] = [];
  readonly patternVariables: { pattern: string; set: (scope: Scope) => Promise<void> }[] = [];
  defaultGoal = '';

  target(name: string): Target {
    let target = this.targets.get(name);
    if (!target) this.targets.set(name, (target = { name, rules: [], variables: [] }));
    return target;
  }

  addExplicit(name: string, rule: Rule): void {
    const target = this.target(name);
    target.rules.push(rule);
    const special = name.startsWith('.') && !name.includes('/');
    if (this.defaultGoal === '' && !special) this.defaultGoal = name;
  }

  /** Whether a special target such as .PHONY names `name`, or names nothing and so means all. */
  special(kind: string, name: string, bareMeansAll = false): boolean {
    const rules = this.targets.get(kind)?.rules;
    if (!rules) return false;
    const listed = rules.flatMap((rule) => rule.prerequisites);
    return listed.includes(name) || (bareMeansAll && listed.length === 0);
  }

  /** The explicit rule that gives `name` its recipe; of several the last. */
  recipeRule(name: string): Rule | undefined {
    return this.targets
      .get(name)
      ?.rules.filter((rule) => rule.recipe.length > 0)
      .at(-1);
  }

  /** Recipes that another of the same target replaces, with the one that does. */
  overridden(): { name: string; old: RecipeLine; by: RecipeLine }[] {
    const found: { name: string; old: RecipeLine; by: RecipeLine }[] = [];
    for (const { name, rules } of this.targets.values()) {
      const withRecipe = rules.filter((rule) => rule.recipe.length > 0 && !rule.doubleColon);
      for (let i = 1; i < withRecipe.length; i++)
        found.push({ name, old: withRecipe[i - 1].recipe[0], by: withRecipe[i].recipe[0] });
    }
    return found;
  }

  /** Pattern rules for `name`, applied to it, the most specific (shortest stem) first. */
  matching(name: string): Rule[] {
    const found: Rule[] = [];
    for (const rule of this.patterns)
      for (const pattern of rule.targets) {
        const match = matchPattern(pattern, name);
        if (!match || rule.recipe.length === 0) continue;
        const apply = (text: string) =>
          text.includes('%') ? match.directory + withStem(text, match.stem) : text;
        found.push({
          ...rule,
          prerequisites: rule.prerequisites.map(apply),
          orderOnly: rule.orderOnly.map(apply),
          stem: match.directory + match.stem,
        });
      }
    return found.sort((a, b) => a.stem.length - b.stem.length);
  }
}

/** A pattern without a slash matches the file part of a path; the folder then goes to the prerequisites too. */
function matchPattern(pattern: string, name: string): { stem: string; directory: string } | undefined {
  const slash = pattern.includes('/') ? 0 : name.lastIndexOf('/') + 1;
  const stem = stemOf(pattern, name.slice(slash));
  return stem === undefined || stem === '' ? undefined : { stem, directory: name.slice(0, slash) };
}
