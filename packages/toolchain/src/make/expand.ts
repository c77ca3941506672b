// SPDX-License-Identifier: MIT
/** Expands `$(…)` references: variables, substitution references and functions. */

import { MakeError } from './error.js';
import { FUNCTIONS, type FunctionContext } from './functions.js';
import { patsubst, Scope } from './variables.js';

const MAX_DEPTH = 200;
/** Bounds on what one make may expand, so that a makefile that calls itself ends in an error. */
const MAX_REFERENCES = 1_000_000;
const MAX_CHARACTERS = 1 << 24;

/** What expansion needs of the world around it. */
export interface ExpandHost {
  /** A command's output, without its last newlines and with blanks for the others. */
  shell(command: string): Promise<string>;
  /** Paths that match a wildcard pattern, sorted. */
  glob(pattern: string): Promise<string[]>;
  exists(path: string): Promise<boolean>;
  /** For $(abspath) and $(realpath). */
  readonly cwd: string;
  info(text: string): void;
  warn(text: string): void;
  /** `$(eval)`: reads the text as part of the makefile. */
  evaluate(text: string): Promise<void>;
  /** References expanded so far, by all expanders of this make. */
  nrReferences: number;
  /** The line being read, or of the recipe that runs: `Makefile:7`. */
  readonly where: string | undefined;
}

/** Index of the parenthesis that closes the one at `open`, or -1. Only the same kind of parenthesis counts. */
export function closing(text: string, open: number): number {
  const opener = text[open];
  const closer = opener === '(' ? ')' : '}';
  let depth = 0;
  for (let i = open; i < text.length; i++) {
    if (text[i] === opener) depth++;
    else if (text[i] === closer && --depth === 0) return i;
  }
  return -1;
}

/** Splits at commas outside of parentheses, into at most `max` parts. */
function splitArguments(text: string, max: number): string[] {
  const parts: string[] = [];
  let depth = 0;
  let from = 0;
  for (let i = 0; i < text.length && parts.length < max - 1; i++) {
    const c = text[i];
    if (c === '(' || c === '{') depth++;
    else if (c === ')' || c === '}') depth--;
    else if (c === ',' && depth === 0) {
      parts.push(text.slice(from, i));
      from = i + 1;
    }
  }
  parts.push(text.slice(from));
  return parts;
}

export class Expander {
  private readonly expanding = new Set<string>();
  private depth = 0;
  /** Where the variable being expanded was assigned. */
  private definedAt: string | undefined;

  constructor(
    readonly scope: Scope,
    readonly host: ExpandHost,
  ) {}

  /** Throws MakeError: unterminated reference, a variable that contains itself, `$(error)`. */
  async expand(text: string): Promise<string> {
    let out = '';
    let from = 0;
    for (let at = text.indexOf('$'); at >= 0; at = text.indexOf('$', from)) {
      out += text.slice(from, at);
      if (++this.host.nrReferences > MAX_REFERENCES || out.length > MAX_CHARACTERS)
        throw new MakeError('expansion does not end', this.where);
      const next = text[at + 1];
      if (next === undefined) return `${out}$`;
      from = at + 2;
      if (next === '$') out += '$';
      else if (next === '(' || next === '{') {
        const end = closing(text, at + 1);
        if (end < 0) throw this.unterminated(text.slice(at + 1));
        out += await this.reference(text.slice(at + 2, end));
        from = end + 1;
      } else out += await this.variable(next);
    }
    return out + text.slice(from);
  }

  /** The inside of `$(…)`. */
  private async reference(body: string): Promise<string> {
    const call = /^([a-z-]+)(?:[ \t\n]+|$)/.exec(body);
    const fn = call && (call[0].length > call[1].length || call[1] === body) ? FUNCTIONS[call[1]] : undefined;
    if (call && fn && /[ \t\n]/.test(body[call[1].length] ?? '')) {
      const args = splitArguments(body.slice(call[0].length), fn.max);
      if (args.length < fn.min)
        throw new MakeError(
          `insufficient number of arguments (${args.length}) to function '${call[1]}'`,
          this.where,
        );
      return fn.run(this.context(), fn.lazy ? args : await this.each(args));
    }
    const name = await this.expand(body);
    const substitution = /^([^:]+):([^=]*)=(.*)$/s.exec(name);
    if (substitution && !this.scope.get(name)) {
      const [, variable, from, to] = substitution;
      const pattern = from.includes('%') ? from : `%${from}`;
      return patsubst(pattern, from.includes('%') ? to : `%${to}`, await this.variable(variable));
    }
    return this.variable(name);
  }

  /** A variable's expanded value; '' if there is none. */
  async variable(name: string): Promise<string> {
    const variable = this.scope.get(name);
    if (!variable) return '';
    if (!variable.recursive) return variable.value;
    const outer = this.definedAt;
    this.definedAt = variable.where ?? outer;
    if (this.expanding.has(name))
      throw new MakeError(`Recursive variable '${name}' references itself (eventually)`, this.where);
    this.expanding.add(name);
    try {
      return await this.expand(variable.value);
    } finally {
      this.expanding.delete(name);
      this.definedAt = outer;
    }
  }

  /** What a message about the text being expanded names: the line that defined it, else the line that uses it. */
  private get where(): string | undefined {
    return this.definedAt ?? this.host.where;
  }

  private unterminated(reference: string): MakeError {
    const [, opener, name] = /^([({])([a-z-]+)[ \t]/.exec(reference) ?? [];
    if (!name || !FUNCTIONS[name]) return new MakeError('unterminated variable reference', this.where);
    const missing = opener === '(' ? ')' : '}';
    return new MakeError(`unterminated call to function '${name}': missing '${missing}'`, this.where);
  }

  private async each(texts: readonly string[]): Promise<string[]> {
    const out: string[] = [];
    for (const text of texts) out.push(await this.expand(text));
    return out;
  }

  private context(): FunctionContext {
    return {
      host: this.host,
      where: this.where,
      scope: this.scope,
      expand: (text) => this.expand(text),
      expandWith: (values, text) => this.expandWith(values, text),
    };
  }

  /** Expands with some variables set for the time being: `$(foreach)`'s, or `$(call)`'s $(1), $(2), … */
  private async expandWith(values: ReadonlyMap<string, string>, text: string): Promise<string> {
    if (this.depth >= MAX_DEPTH) throw new MakeError('functions nest too deeply', this.where);
    const scope = new Scope(this.scope);
    for (const [name, value] of values) scope.set(name, value, false, 'automatic');
    const inner = new Expander(scope, this.host);
    inner.depth = this.depth + 1;
    inner.definedAt = this.definedAt;
    return inner.expand(text);
  }
}
