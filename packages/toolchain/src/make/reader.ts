// SPDX-License-Identifier: MIT
/** Reads a makefile: conditionals, assignments, includes and rules, in the order in which they stand. */

import { assign, parseAssignment } from './assign.js';
import { Conditionals, isConditional } from './conditionals.js';
import { MakeError } from './error.js';
import type { Expander } from './expand.js';
import { readRule } from './rule_line.js';
import type { Rule, RuleBook } from './rules.js';
import { words } from './variables.js';

/** Bounds on `include` and `$(eval)`, so that a makefile that includes itself ends in an error. */
const MAX_NESTED = 100;
const MAX_READ = 10_000;

export interface ReaderHost {
  /** Text of a makefile to include, or undefined. */
  read(path: string): Promise<string | undefined>;
  glob(pattern: string): Promise<string[]>;
  warn(text: string): void;
}

/** Variables named by `export` and `unexport`. */
export interface Exports {
  all: boolean;
  readonly names: Map<string, boolean>;
}

export class Reader {
  /** Where reading is, for messages: `Makefile:7`. */
  where: string | undefined;
  readonly exports: Exports = { all: false, names: new Map() };

  private nrNested = 0;
  private nrRead = 0;
  private lines: string[] = [];
  private next = 0;
  private file = '';
  private conditionals = new Conditionals();
  /** Rules that a line with a tab belongs to. */
  private open: Rule[] | undefined;

  constructor(
    readonly rules: RuleBook,
    readonly expander: Expander,
    private readonly host: ReaderHost,
  ) {}

  /** Reads one makefile. Throws MakeError. */
  async read(file: string, text: string): Promise<void> {
    if (++this.nrNested > MAX_NESTED || ++this.nrRead > MAX_READ)
      throw new MakeError('makefiles include each other without end', this.where);
    const outer = [this.lines, this.next, this.file, this.conditionals, this.open, this.where] as const;
    this.lines = text.split('\n');
    this.next = 0;
    this.file = file;
    this.conditionals = new Conditionals();
    this.open = undefined;
    while (this.next < this.lines.length) await this.line();
    if (this.conditionals.depth > 0) throw new MakeError("missing 'endif'", this.where);
    [this.lines, this.next, this.file, this.conditionals, this.open, this.where] = outer;
    this.nrNested--;
  }

  /** `$(eval text)`. */
  async evaluate(text: string): Promise<void> {
    const { where } = this;
    await this.read(this.file, text);
    this.where = where;
  }

  private async line(): Promise<void> {
    this.where = `${this.file}:${this.next + 1}`;
    if (this.lines[this.next].startsWith('\t') && this.open) return this.recipeLine();

    const raw = this.logicalLine();
    const text = withoutComment(raw).trimStart();
    const line = text.trimEnd();
    if (line === '') return;
    if (isConditional(line)) return this.conditionals.line(line, this.expander, this.where);
    if (/^define\b/.test(line)) return this.define(line);
    if (!this.conditionals.active) return;
    await this.statement(line, text, raw);
  }

  /** Joins lines that end with a backslash; the break becomes one space. */
  private logicalLine(): string {
    let text = this.lines[this.next++];
    while (/(^|[^\\])(\\\\)*\\$/.test(text) && this.next < this.lines.length)
      text = `${text.slice(0, -1).trimEnd()} ${this.lines[this.next++].trimStart()}`;
    return text;
  }

  private recipeLine(): void {
    const where = this.where as string;
    let text = this.lines[this.next++].slice(1);
    while (/(^|[^\\])(\\\\)*\\$/.test(text) && this.next < this.lines.length)
      text += `\n${this.lines[this.next++].replace(/^\t/, '')}`;
    if (!this.conditionals.active || text.trim() === '') return;
    for (const rule of this.open ?? []) rule.recipe.push({ text, where });
  }

  /** `text` is the line with the blanks at its end, which belong to the value of an assignment. */
  private async statement(line: string, text: string, raw: string): Promise<void> {
    const { expander } = this;
    const include = /^(-?include|sinclude)(?:\s+(.*))?$/.exec(line);
    if (include) {
      this.open = undefined;
      return this.include(await expander.expand(include[2] ?? ''), include[1] === 'include');
    }
    const exported = /^(export|unexport)(?:\s+(.*))?$/.exec(line);
    if (exported && !/^(export|unexport)\s*[:+?!]?=/.test(line))
      return this.export(exported[2] ?? '', exported[1] === 'export');
    const undefine = /^(override\s+)?undefine\s+(.*)$/.exec(line);
    if (undefine)
      return expander.scope.undefine(
        (await expander.expand(undefine[2])).trim(),
        undefine[1] ? 'override' : 'file',
      );
    if (/^vpath\b/.test(line)) throw new MakeError("'vpath' is not supported", this.where);
    const assignment = parseAssignment(text);
    if (assignment) {
      this.open = undefined;
      return assign(assignment, expander);
    }
    this.open = await readRule(line, raw, this.where as string, this);
  }

  private async include(list: string, required: boolean): Promise<void> {
    for (const pattern of words(list)) {
      const files = /[*?[]/.test(pattern) ? await this.host.glob(pattern) : [pattern];
      for (const file of files) {
        const text = await this.host.read(file);
        if (text !== undefined) await this.read(file, text);
        else if (required) {
          this.host.warn(`${this.where}: ${file}: No such file or directory\n`);
          throw new MakeError(`No rule to make target '${file}'`);
        }
      }
    }
  }

  private async export(rest: string, on: boolean): Promise<void> {
    const assignment = on ? parseAssignment(rest) : undefined;
    if (assignment) {
      this.exports.names.set((await this.expander.expand(assignment.name)).trim(), true);
      return assign(assignment, this.expander);
    }
    const names = words(await this.expander.expand(rest));
    if (names.length === 0) this.exports.all = on;
    for (const name of names) this.exports.names.set(name, on);
  }

  /** `define NAME` … `endef`. */
  private async define(line: string): Promise<void> {
    const [, name, operator] = /^define\s+(\S+)\s*([:+?]?=)?\s*$/.exec(line) ?? [];
    if (!name) throw new MakeError('empty variable name', this.where);
    const body: string[] = [];
    let depth = 1;
    for (;;) {
      if (this.next >= this.lines.length)
        throw new MakeError("missing 'endef', unterminated 'define'", this.where);
      const text = this.lines[this.next++];
      if (/^\s*define\b/.test(text)) depth++;
      else if (/^\s*endef\b/.test(text) && --depth === 0) break;
      body.push(text);
    }
    this.open = undefined;
    if (!this.conditionals.active) return;
    await assign({ name, operator: operator ?? '=', value: body.join('\n'), override: false }, this.expander);
  }
}

/** A line up to its comment; `\#` is a number sign. */
export function withoutComment(line: string): string {
  for (let at = line.indexOf('#'); at >= 0; at = line.indexOf('#', at + 1)) {
    if (line[at - 1] !== '\\') return line.slice(0, at).replaceAll('\\#', '#');
  }
  return line.replaceAll('\\#', '#');
}
