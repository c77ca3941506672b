// SPDX-License-Identifier: MIT
/** Reads words: quotes, parameters, command and arithmetic substitution, here-documents. */

import { type List, type Parameter, type Part, ShellSyntaxError, type Word } from './ast.js';

const NAME = /[A-Za-z_][A-Za-z0-9_]*/y;
const SPECIAL_PARAMETERS = '@*#?-$!0123456789';
const OPERATORS = [
  ':-',
  ':=',
  ':?',
  ':+',
  '##',
  '%%',
  '//',
  '^^',
  ',,',
  '-',
  '=',
  '?',
  '+',
  '#',
  '%',
  '/',
  '^',
  ',',
  ':',
];
const ESCAPES: Record<string, string> = {
  n: '\n',
  t: '\t',
  r: '\r',
  a: '\x07',
  b: '\b',
  e: '\x1b',
  f: '\f',
  v: '\v',
  '\\': '\\',
  "'": "'",
  '"': '"',
};

export abstract class WordParser {
  protected position = 0;

  constructor(protected source: string) {}

  /** Parses commands up to a closing parenthesis, which it consumes. */
  protected abstract listInParentheses(): List;

  protected peek(ahead = 0): string {
    return this.source[this.position + ahead] ?? '';
  }

  protected at(text: string): boolean {
    return this.source.startsWith(text, this.position);
  }

  protected get line(): number {
    let line = 1;
    for (
      let at = this.source.indexOf('\n');
      at >= 0 && at < this.position;
      at = this.source.indexOf('\n', at + 1)
    )
      line++;
    return line;
  }

  protected fail(message: string, incomplete = false): never {
    throw new ShellSyntaxError(message, this.line, incomplete);
  }

  protected name(): string {
    NAME.lastIndex = this.position;
    const match = NAME.exec(this.source);
    if (!match) return '';
    this.position += match[0].length;
    return match[0];
  }

  /** A word up to an unquoted character that `ends` accepts. */
  protected wordUntil(ends: (character: string) => boolean, inDoubleQuotes = false): Word {
    const parts: Word = [];
    while (this.position < this.source.length) {
      const character = this.peek();
      if (ends(character)) break;
      if (character === "'" && !inDoubleQuotes) parts.push(this.singleQuoted());
      else if (character === '"') this.doubleQuoted(parts);
      else if (character === '\\') this.escaped(parts, inDoubleQuotes);
      else if (character === '$' && this.peek(1) === "'" && !inDoubleQuotes) parts.push(this.ansiQuoted());
      else if (character === '$' || character === '`') this.dollar(parts, inDoubleQuotes);
      else {
        this.addText(parts, character, inDoubleQuotes);
        this.position++;
      }
    }
    return parts;
  }

  private addText(parts: Word, text: string, quoted: boolean): void {
    const last = parts[parts.length - 1];
    if (last?.kind === 'text' && last.quoted === quoted) last.text += text;
    else parts.push({ kind: 'text', text, quoted });
  }

  private singleQuoted(): Part {
    const end = this.source.indexOf("'", this.position + 1);
    if (end < 0) this.fail("unexpected EOF while looking for matching `''", true);
    const text = this.source.slice(this.position + 1, end);
    this.position = end + 1;
    return { kind: 'text', text, quoted: true };
  }

  private doubleQuoted(parts: Word): void {
    this.position++;
    const inner = this.wordUntil((character) => character === '"', true);
    if (this.peek() !== '"') this.fail('unexpected EOF while looking for matching `"\'', true);
    this.position++;
    if (inner.length === 0) parts.push({ kind: 'text', text: '', quoted: true });
    else parts.push(...inner);
  }

  private escaped(parts: Word, inDoubleQuotes: boolean): void {
    const next = this.peek(1);
    this.position += 2;
    if (next === '\n') return;
    if (next === '') {
      this.position = this.source.length;
      this.addText(parts, '\\', true);
    } else if (inDoubleQuotes && !'$`"\\'.includes(next)) this.addText(parts, `\\${next}`, true);
    else this.addText(parts, next, true);
  }

  /** `$'…'`. */
  private ansiQuoted(): Part {
    let text = '';
    this.position += 2;
    for (;;) {
      const character = this.peek();
      if (character === '') this.fail("unexpected EOF while looking for matching `''", true);
      this.position++;
      if (character === "'") return { kind: 'text', text, quoted: true };
      if (character !== '\\') {
        text += character;
        continue;
      }
      const number = /x[0-9a-fA-F]{1,2}|u[0-9a-fA-F]{1,4}|[0-7]{1,3}/y;
      number.lastIndex = this.position;
      const match = number.exec(this.source)?.[0];
      if (match) {
        this.position += match.length;
        text += String.fromCodePoint(
          /^[xu]/.test(match) ? Number.parseInt(match.slice(1), 16) : Number.parseInt(match, 8),
        );
      } else {
        text += ESCAPES[this.peek()] ?? `\\${this.peek()}`;
        this.position++;
      }
    }
  }

  private dollar(parts: Word, quoted: boolean): void {
    if (this.peek() === '`') {
      parts.push(this.backquoted(quoted));
    } else if (this.at('$((')) {
      parts.push(this.arithmetic(quoted));
    } else if (this.at('$(')) {
      this.position += 2;
      parts.push({ kind: 'command', quoted, body: this.listInParentheses() });
    } else if (this.at('${')) {
      this.position += 2;
      parts.push({ kind: 'parameter', quoted, parameter: this.bracedParameter(quoted) });
    } else {
      this.position++;
      const name = this.name() || this.specialParameter();
      if (name) parts.push({ kind: 'parameter', quoted, parameter: { name } });
      else this.addText(parts, '$', quoted);
    }
  }

  private specialParameter(): string {
    const character = this.peek();
    if (character === '' || !SPECIAL_PARAMETERS.includes(character)) return '';
    this.position++;
    return character;
  }

  private backquoted(quoted: boolean): Part {
    let text = '';
    for (this.position++; this.peek() !== '`'; this.position++) {
      if (this.peek() === '') this.fail("unexpected EOF while looking for matching ``'", true);
      if (this.peek() === '\\' && '$`\\'.includes(this.peek(1) || ' ')) this.position++;
      text += this.peek();
    }
    this.position++;
    return { kind: 'command', quoted, body: this.parseOther(text) };
  }

  /** Parses another text as commands. */
  protected abstract parseOther(text: string): List;

  private arithmetic(quoted: boolean): Part {
    this.position += 3;
    const expression = this.arithmeticText();
    return { kind: 'arithmetic', quoted, expression };
  }

  /** The expression up to the `))` that closes it, which it consumes. */
  protected arithmeticText(): Word {
    let depth = 0;
    const expression = this.wordUntil((character) => {
      if (character === '(') depth++;
      else if (character === ')') {
        if (depth === 0) return true;
        depth--;
      }
      return false;
    });
    if (!this.at('))')) this.fail("unexpected EOF while looking for matching `)'", this.peek() === '');
    this.position += 2;
    return expression;
  }

  private bracedParameter(quoted: boolean): Parameter {
    const closes = (character: string) => character === '}';
    const parameter: Parameter = { name: '' };
    if (this.peek() === '#' && this.peek(1) !== '}') {
      parameter.length = true;
      this.position++;
    } else if (this.peek() === '!') {
      parameter.indirect = true;
      this.position++;
    }
    const digits = /[0-9]+/y;
    digits.lastIndex = this.position;
    const number = digits.exec(this.source)?.[0];
    if (number) this.position += number.length;
    parameter.name = number ?? (this.name() || this.specialParameter());
    if (!parameter.name)
      this.fail(`bad substitution at \`${this.source.slice(this.position, this.position + 20)}'`);
    const operator = OPERATORS.find((text) => this.at(text));
    if (operator && this.peek() !== '}') {
      parameter.operator = operator;
      this.position += operator.length;
      if ((operator === '/' || operator === '//') && (this.at('#') || this.at('%'))) {
        parameter.operator += this.peek();
        this.position++;
      }
      const separator = operator.startsWith('/') ? '/' : operator === ':' ? ':' : '';
      parameter.argument = this.wordUntil((c) => closes(c) || c === separator, quoted);
      if (separator && this.peek() === separator) {
        this.position++;
        parameter.second = this.wordUntil(closes, quoted);
      }
    }
    if (this.peek() !== '}') this.fail("unexpected EOF while looking for matching `}'", this.peek() === '');
    this.position++;
    return parameter;
  }
}
