// SPDX-License-Identifier: MIT
/** Makes targets: decides what is out of date and runs recipes. */

import type { BuildFs } from '../fs.js';
import { resolvePath } from '../includes.js';
import { MakeError } from './error.js';
import { Expander, type ExpandHost } from './expand.js';
import { type RecipeHost, runRecipe } from './recipe.js';
import type { Rule, RuleBook } from './rules.js';
import { Scope, stemOf } from './variables.js';

export interface UpdateOptions {
  /** -k */
  readonly keepGoing: boolean;
  /** -n */
  readonly dryRun: boolean;
  /** -s */
  readonly silent: boolean;
  /** -i */
  readonly ignoreErrors: boolean;
  /** -B */
  readonly alwaysMake: boolean;
}

export interface UpdateHost extends RecipeHost {
  readonly fs: BuildFs;
  readonly cwd: string;
  readonly expand: ExpandHost;
  /** `make[1]` */
  readonly program: string;
}

interface Outcome {
  /** Time of the last change; infinite for what was made now, or is no file. */
  readonly mtimeMs: number;
  readonly failed: boolean;
}

/** A recipe failed: its message is printed already, and what depends on it is not made. */
class RecipeFailed extends Error {}

export class Updater {
  private readonly outcomes = new Map<string, Outcome>();
  private readonly inProgress = new Set<string>();
  /** Targets that some rule knows how to make. */
  private readonly withRecipe = new Set<string>();
  private nrCommands = 0;

  constructor(
    private readonly book: RuleBook,
    private readonly scope: Scope,
    private readonly options: UpdateOptions,
    private readonly host: UpdateHost,
  ) {}

  /** Makes the goals in turn. Returns the exit status: 0, or 2 if something failed. */
  async make(goals: readonly string[]): Promise<number> {
    let status = 0;
    for (const goal of goals) {
      const before = this.nrCommands;
      let outcome: Outcome;
      try {
        outcome = await this.update(goal, undefined, this.scope);
      } catch (error) {
        if (!(error instanceof RecipeFailed)) throw error;
        return 2;
      }
      if (outcome.failed) {
        status = 2;
        this.host.stderr(`${this.host.program}: Target '${goal}' not remade because of errors.\n`);
      } else if (this.nrCommands === before && !this.options.silent) this.report(goal);
    }
    return status;
  }

  private report(goal: string): void {
    const { program, stdout } = this.host;
    if (this.withRecipe.has(goal) && !this.isPhony(goal)) stdout(`${program}: '${goal}' is up to date.\n`);
    else stdout(`${program}: Nothing to be done for '${goal}'.\n`);
  }

  private isPhony(name: string): boolean {
    return this.book.special('.PHONY', name);
  }

  private async update(name: string, neededBy: string | undefined, outer: Scope): Promise<Outcome> {
    const known = this.outcomes.get(name);
    if (known) return known;
    this.inProgress.add(name);
    const outcome = await this.remake(name, neededBy, outer);
    this.inProgress.delete(name);
    this.outcomes.set(name, outcome);
    return outcome;
  }

  private async remake(name: string, neededBy: string | undefined, outer: Scope): Promise<Outcome> {
    const target = this.book.targets.get(name);
    const phony = this.isPhony(name);
    const stat = phony ? undefined : await this.stat(name);
    const scope = await this.targetScope(name, outer);
    const explicit = target?.rules ?? [];
    const separate = explicit.filter((rule) => rule.doubleColon);
    if (separate.length > 0) return this.remakeSeparately(name, separate, scope, stat?.mtimeMs);

    const implicit = this.book.recipeRule(name) || phony ? undefined : await this.implicitRule(name);
    if (explicit.length === 0 && !implicit) {
      if (stat) return { mtimeMs: stat.mtimeMs, failed: false };
      return this.noRule(name, neededBy);
    }
    const recipeRule = implicit ?? this.book.recipeRule(name);
    if (recipeRule) this.withRecipe.add(name);
    const rules = recipeRule ? [recipeRule, ...explicit.filter((rule) => rule !== recipeRule)] : explicit;
    return this.remakeBy(name, rules, recipeRule, scope, stat?.mtimeMs);
  }

  /** `::` rules: each is judged and run on its own. */
  private async remakeSeparately(
    name: string,
    rules: readonly Rule[],
    scope: Scope,
    mtimeMs: number | undefined,
  ): Promise<Outcome> {
    let last: Outcome = { mtimeMs: mtimeMs ?? Number.POSITIVE_INFINITY, failed: false };
    for (const rule of rules) {
      const outcome = await this.remakeBy(
        name,
        [rule],
        rule,
        scope,
        rule.prerequisites.length ? mtimeMs : undefined,
      );
      last = { mtimeMs: Math.max(last.mtimeMs, outcome.mtimeMs), failed: last.failed || outcome.failed };
    }
    return last;
  }

  private async remakeBy(
    name: string,
    rules: readonly Rule[],
    recipeRule: Rule | undefined,
    scope: Scope,
    mtimeMs: number | undefined,
  ): Promise<Outcome> {
    const all = rules.flatMap((rule) => rule.prerequisites);
    const orderOnly = [...new Set(rules.flatMap((rule) => rule.orderOnly))];
    const newer: string[] = [];
    let failed = false;
    const prerequisites: string[] = [];
    for (const prerequisite of all) {
      if (this.inProgress.has(prerequisite)) {
        this.host.stderr(`${this.host.program}: Circular ${name} <- ${prerequisite} dependency dropped.\n`);
        continue;
      }
      prerequisites.push(prerequisite);
      const outcome = await this.update(prerequisite, name, scope);
      failed ||= outcome.failed;
      if (mtimeMs === undefined || outcome.mtimeMs > mtimeMs) newer.push(prerequisite);
    }
    for (const prerequisite of orderOnly) failed ||= (await this.update(prerequisite, name, scope)).failed;
    if (failed) return { mtimeMs: Number.POSITIVE_INFINITY, failed };

    const outOfDate = mtimeMs === undefined || newer.length > 0 || this.options.alwaysMake;
    if (!outOfDate) return { mtimeMs, failed: false };
    if (!recipeRule || recipeRule.recipe.length === 0)
      return { mtimeMs: Number.POSITIVE_INFINITY, failed: false };

    const automatic = automaticScope(scope, { name, stem: recipeRule.stem, prerequisites, newer, orderOnly });
    const ok = await this.run(name, recipeRule, automatic);
    const now = this.options.dryRun || this.isPhony(name) ? undefined : await this.stat(name);
    const changed = now && now.mtimeMs !== mtimeMs;
    return { mtimeMs: changed ? now.mtimeMs : Number.POSITIVE_INFINITY, failed: !ok };
  }

  private async run(name: string, rule: Rule, scope: Scope): Promise<boolean> {
    const result = await runRecipe({
      target: name,
      recipe: rule.recipe,
      expander: new Expander(scope, this.host.expand),
      silent: this.options.silent || this.book.special('.SILENT', name, true),
      dryRun: this.options.dryRun,
      ignoreErrors: this.options.ignoreErrors || this.book.special('.IGNORE', name, true),
      program: this.host.program,
      host: this.host,
    });
    this.nrCommands += result.nrCommands;
    if (result.ok || this.options.keepGoing) return result.ok;
    throw new RecipeFailed();
  }

  private noRule(name: string, neededBy: string | undefined): Outcome {
    const needed = neededBy === undefined ? '' : `, needed by '${neededBy}'`;
    const message = `No rule to make target '${name}'${needed}`;
    if (!this.options.keepGoing) throw new MakeError(message);
    this.host.stderr(`${this.host.program}: *** ${message}.\n`);
    return { mtimeMs: Number.POSITIVE_INFINITY, failed: true };
  }

  /** The first pattern rule all of whose prerequisites exist, are targets, or can be made by a pattern rule. */
  private async implicitRule(name: string): Promise<Rule | undefined> {
    for (const chained of [false, true])
      for (const rule of this.book.matching(name)) {
        let fits = true;
        for (const p of rule.prerequisites)
          fits &&=
            this.book.targets.has(p) ||
            (await this.stat(p)) !== undefined ||
            (chained && (await this.canMake(p)));
        if (fits) return rule;
      }
    return undefined;
  }

  private async canMake(name: string): Promise<boolean> {
    for (const rule of this.book.matching(name)) {
      const found = await Promise.all(rule.prerequisites.map((p) => this.stat(p)));
      if (found.every((stat) => stat !== undefined)) return true;
    }
    return false;
  }

  private async targetScope(name: string, outer: Scope): Promise<Scope> {
    const specific = this.book.targets.get(name)?.variables ?? [];
    const patterned = this.book.patternVariables.filter((v) => stemOf(v.pattern, name) !== undefined);
    if (specific.length === 0 && patterned.length === 0) return outer;
    const scope = new Scope(outer);
    for (const { set } of patterned) await set(scope);
    for (const set of specific) await set(scope);
    return scope;
  }

  private stat(path: string) {
    return this.host.fs.stat(resolvePath(this.host.cwd, path));
  }
}

interface Automatic {
  readonly name: string;
  readonly stem: string;
  readonly prerequisites: readonly string[];
  readonly newer: readonly string[];
  readonly orderOnly: readonly string[];
}

function automaticScope(outer: Scope, { name, stem, prerequisites, newer, orderOnly }: Automatic): Scope {
  const scope = new Scope(outer);
  const values: Record<string, readonly string[]> = {
    '@': [name],
    '<': prerequisites.slice(0, 1),
    '^': [...new Set(prerequisites)],
    '+': prerequisites,
    '?': [...new Set(newer)],
    '|': orderOnly,
    '*': stem === '' ? [] : [stem],
  };
  const folder = (path: string) => (path.includes('/') ? path.slice(0, path.lastIndexOf('/')) || '/' : '.');
  const file = (path: string) => path.slice(path.lastIndexOf('/') + 1);
  for (const [variable, list] of Object.entries(values)) {
    scope.set(variable, list.join(' '), false, 'automatic');
    scope.set(`${variable}D`, list.map(folder).join(' '), false, 'automatic');
    scope.set(`${variable}F`, list.map(file).join(' '), false, 'automatic');
  }
  return scope;
}
