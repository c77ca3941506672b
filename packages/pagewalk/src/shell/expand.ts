// SPDX-License-Identifier: MIT
/** Words to strings: tilde, parameters, command substitution, arithmetic, field splitting, file names. */

import type { Vfs } from '../fs/vfs.js';
import { evaluate } from './arithmetic.js';
import type { List, Parameter, Word } from './ast.js';
import { expandBraces } from './braces.js';
import { glob, hasPattern, matches, patternSource, type Segment } from './pattern.js';

/** What expansion needs of the shell. */
export interface ExpansionScope {
  readonly fs: Vfs;
  readonly cwd: string;
  /** `set -f`. */
  readonly noGlob: boolean;
  /** `set -u`. */
  readonly noUnset: boolean;
  readonly positional: readonly string[];
  /** Value of a variable or special parameter other than `@` and `*`. */
  get(name: string): string | undefined;
  set(name: string, value: string): void;
  /** Output of commands, without trailing newlines. */
  substitute(body: List): Promise<string>;
}

export class ExpansionError extends Error {
  override name = 'ExpansionError';
}

/** The arguments that words stand for. */
export async function expandWords(words: readonly Word[], scope: ExpansionScope): Promise<string[]> {
  const result: string[] = [];
  for (const word of words) {
    for (const single of expandBraces(word)) {
      for (const field of await new FieldBuilder(scope, true).build(single)) {
        const names = !scope.noGlob && hasPattern(field) ? glob(field, scope.fs, scope.cwd) : [];
        if (names.length > 0) result.push(...names);
        else result.push(plain(field));
      }
    }
  }
  return result;
}

/** One string, neither split nor matched with file names: values of variables, targets of redirects. */
export const expandText = async (word: Word, scope: ExpansionScope): Promise<string> =>
  plain(await expandSegments(word, scope));

/** As `expandText`, but it still says what was quoted: patterns. */
export async function expandSegments(word: Word, scope: ExpansionScope): Promise<Segment[]> {
  const fields = await new FieldBuilder(scope, false).build(word);
  return fields.flatMap((field, index) => (index > 0 ? [{ text: ' ', quoted: true }, ...field] : field));
}

const plain = (segments: readonly Segment[]): string => segments.map(({ text }) => text).join('');

class FieldBuilder {
  private readonly fields: Segment[][] = [];
  private current: Segment[] | undefined;

  constructor(
    private readonly scope: ExpansionScope,
    private readonly splits: boolean,
  ) {}

  async build(word: Word): Promise<Segment[][]> {
    await this.addWord(word, true);
    this.endField();
    return this.fields;
  }

  private add(text: string, quoted: boolean): void {
    this.current ??= [];
    this.current.push({ text, quoted });
  }

  private endField(): void {
    if (this.current) this.fields.push(this.current);
    this.current = undefined;
  }

  private async addWord(word: Word, first: boolean): Promise<void> {
    for (const [index, part] of word.entries()) {
      switch (part.kind) {
        case 'text':
          this.add(first && index === 0 && !part.quoted ? this.tilde(part.text) : part.text, part.quoted);
          break;
        case 'parameter':
          await this.parameter(part.parameter, part.quoted);
          break;
        case 'command':
          this.addValue(await this.scope.substitute(part.body), part.quoted);
          break;
        case 'arithmetic': {
          const text = await expandText(part.expression, this.scope);
          this.addValue(evaluate(text, this.scope).toString(), part.quoted);
        }
      }
    }
  }

  private tilde(text: string): string {
    return /^~(\/|$)/.test(text) ? (this.scope.get('HOME') ?? '/root') + text.slice(1) : text;
  }

  /** A value that came from an expansion: split at IFS unless quoted. */
  private addValue(value: string, quoted: boolean): void {
    if (quoted || !this.splits) {
      this.add(value, quoted);
      return;
    }
    const separators = this.scope.get('IFS') ?? ' \t\n';
    const isSeparator = (character: string) => separators.includes(character);
    const isBlank = (character: string) => isSeparator(character) && ' \t\n'.includes(character);
    let start = 0;
    let at = 0;
    while (at < value.length) {
      if (!isSeparator(value[at])) {
        at++;
        continue;
      }
      if (at > start) this.add(value.slice(start, at), false);
      let hard = 0;
      while (at < value.length && isSeparator(value[at]) && hard + Number(!isBlank(value[at])) <= 1) {
        hard += Number(!isBlank(value[at++]));
      }
      if (hard > 0) this.current ??= [];
      this.endField();
      start = at;
    }
    if (at > start) this.add(value.slice(start), false);
  }

  private async parameter(parameter: Parameter, quoted: boolean): Promise<void> {
    const { name, operator } = parameter;
    if ((name === '@' || name === '*') && !parameter.length && !/^:?[-=?+]$/.test(operator ?? '')) {
      await this.positionals(parameter, quoted);
      return;
    }
    let value = name === '@' || name === '*' ? this.joined() : this.scope.get(name);
    if (parameter.indirect && value !== undefined) value = this.scope.get(value);
    if (parameter.length) {
      this.addValue(
        String(name === '@' || name === '*' ? this.scope.positional.length : [...(value ?? '')].length),
        quoted,
      );
      return;
    }
    if (operator && /^:?[-=?+]$/.test(operator)) {
      await this.alternative(parameter, value, quoted);
      return;
    }
    if (value === undefined && this.scope.noUnset) throw new ExpansionError(`${name}: unbound variable`);
    this.addValue(await this.transform(value ?? '', parameter), quoted);
  }

  private joined(): string {
    const separator = this.scope.get('IFS') ?? ' ';
    return this.scope.positional.join(separator.slice(0, 1));
  }

  /** `$@` and `$*`. */
  private async positionals(parameter: Parameter, quoted: boolean): Promise<void> {
    const isSlice = parameter.operator === ':';
    let values = [...this.scope.positional];
    if (isSlice) {
      const [start, length] = await this.sliceBounds(parameter, values.length + 1);
      values = [this.scope.get('0') ?? '', ...values].slice(start, length);
    } else if (parameter.operator) {
      values = await Promise.all(values.map((value) => this.transform(value, parameter)));
    }
    if (quoted && parameter.name === '*') {
      this.add(values.join((this.scope.get('IFS') ?? ' ').slice(0, 1)), true);
      return;
    }
    for (const [index, value] of values.entries()) {
      if (index > 0) this.endField();
      this.addValue(value, quoted);
    }
  }

  /** `${x:-word}` and its kin. */
  private async alternative(parameter: Parameter, value: string | undefined, quoted: boolean): Promise<void> {
    const operator = parameter.operator!;
    const absent = value === undefined || (operator.startsWith(':') && value === '');
    const word = parameter.argument ?? [];
    switch (operator.slice(-1)) {
      case '-':
        if (absent) await this.addWord(word, !quoted);
        else this.addValue(value, quoted);
        break;
      case '+':
        if (!absent) await this.addWord(word, !quoted);
        break;
      case '=':
        if (absent) this.scope.set(parameter.name, await expandText(word, this.scope));
        this.addValue(this.scope.get(parameter.name) ?? '', quoted);
        break;
      default: {
        if (!absent) return this.addValue(value, quoted);
        const message = await expandText(word, this.scope);
        throw new ExpansionError(`${parameter.name}: ${message || 'parameter null or not set'}`);
      }
    }
    if (quoted) this.add('', true);
  }

  private async transform(value: string, parameter: Parameter): Promise<string> {
    const { operator } = parameter;
    if (!operator) return value;
    if (operator === ':') {
      const [start, end] = await this.sliceBounds(parameter, value.length);
      return value.slice(start, end);
    }
    const pattern = await expandSegments(parameter.argument ?? [], this.scope);
    if (operator === '#' || operator === '##') return withoutPrefix(value, pattern, operator === '##');
    if (operator === '%' || operator === '%%') return withoutSuffix(value, pattern, operator === '%%');
    if (operator.startsWith('/')) {
      const source = patternSource(pattern);
      if (source === '') return value;
      const anchored = operator.endsWith('#')
        ? `^(?:${source})`
        : operator.endsWith('%')
          ? `(?:${source})$`
          : source;
      const replacement = await expandText(parameter.second ?? [], this.scope);
      return value.replace(new RegExp(anchored, operator.startsWith('//') ? 'gu' : 'u'), () => replacement);
    }
    const change = (text: string) => (operator.startsWith('^') ? text.toUpperCase() : text.toLowerCase());
    return operator.length === 2 ? change(value) : change(value.slice(0, 1)) + value.slice(1);
  }

  /** Start and end of `${x:offset:length}`; negative ones count from the end. */
  private async sliceBounds(parameter: Parameter, size: number): Promise<[number, number]> {
    const number = async (word: Word) => Number(evaluate(await expandText(word, this.scope), this.scope));
    const offset = await number(parameter.argument ?? []);
    const start = Math.min(size, offset < 0 ? Math.max(0, size + offset) : offset);
    if (!parameter.second) return [start, size];
    const length = await number(parameter.second);
    return [start, Math.max(start, length < 0 ? size + length : start + length)];
  }
}

function withoutPrefix(value: string, pattern: Segment[], longest: boolean): string {
  for (let step = 0; step <= value.length; step++) {
    const end = longest ? value.length - step : step;
    if (matches(pattern, value.slice(0, end))) return value.slice(end);
  }
  return value;
}

function withoutSuffix(value: string, pattern: Segment[], longest: boolean): string {
  for (let step = 0; step <= value.length; step++) {
    const start = longest ? step : value.length - step;
    if (matches(pattern, value.slice(start))) return value.slice(0, start);
  }
  return value;
}
