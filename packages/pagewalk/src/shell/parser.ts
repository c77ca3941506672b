// SPDX-License-Identifier: MIT
/** Text to tree: pipelines, lists, compound commands. */

import type {
  AndOr,
  Assignment,
  Command,
  CommandBody,
  Condition,
  List,
  Pipeline,
  Redirect,
  Word,
} from './ast.js';
import { ShellSyntaxError } from './ast.js';
import { WordParser } from './word_parser.js';

const RESERVED_ENDS = new Set([
  'then',
  'else',
  'elif',
  'fi',
  'do',
  'done',
  'esac',
  '}',
  ')',
  ';;',
  ';&',
  ';;&',
]);
const META = ' \t\n;&|<>()';
const isMeta = (character: string) => META.includes(character);
const REDIRECT = /([0-9]*)(<<<|<<-|<<|&>>|&>|>>|>&|<&|>\||<>|<|>)/y;
const UNARY_TESTS = /^-[abcdefghknoprstuvwxzGLNOS]$/;
const BINARY_TESTS = new Set([
  '=',
  '==',
  '!=',
  '=~',
  '<',
  '>',
  '-eq',
  '-ne',
  '-lt',
  '-le',
  '-gt',
  '-ge',
  '-nt',
  '-ot',
  '-ef',
]);

export function parse(source: string, aliases: ReadonlyMap<string, string> = new Map()): List {
  return new Parser(source, aliases).script();
}

class Parser extends WordParser {
  /** Here-documents whose bodies begin after the next newline. */
  private pending: { redirect: Redirect; delimiter: string; quoted: boolean; stripTabs: boolean }[] = [];

  constructor(
    source: string,
    private readonly aliases: ReadonlyMap<string, string>,
  ) {
    super(source);
  }

  script(): List {
    const list = this.list();
    if (this.position < this.source.length) this.unexpected();
    this.hereDocuments();
    return list;
  }

  protected parseOther(text: string): List {
    return parse(text, this.aliases);
  }

  protected listInParentheses(): List {
    const list = this.list();
    this.expect(')');
    return list;
  }

  private unexpected(): never {
    this.blanks();
    if (this.position >= this.source.length) this.fail('syntax error: unexpected end of file', true);
    const token = /;;&?|;&|&&|\|\||[;&|<>()\n]|[^\s;&|<>()]+/y;
    token.lastIndex = this.position;
    const text = token.exec(this.source)?.[0] ?? this.peek();
    this.fail(`syntax error near unexpected token \`${text === '\n' ? 'newline' : text}'`);
  }

  /** Spaces, line continuations and comments. */
  private blanks(): void {
    for (;;) {
      const character = this.peek();
      if (character === ' ' || character === '\t' || character === '\r') this.position++;
      else if (character === '\\' && this.peek(1) === '\n') this.position += 2;
      else if (character === '#') {
        while (this.position < this.source.length && this.peek() !== '\n') this.position++;
      } else return;
    }
  }

  /** Blanks and newlines; bodies of here-documents are read after a newline. */
  private newlines(): void {
    for (this.blanks(); this.peek() === '\n'; this.blanks()) {
      this.position++;
      this.hereDocuments();
    }
  }

  private hereDocuments(): void {
    for (const { redirect, delimiter, quoted, stripTabs } of this.pending.splice(0)) {
      let body = '';
      for (;;) {
        if (this.position >= this.source.length) this.fail(`here-document wants \`${delimiter}'`, true);
        const end = this.source.indexOf('\n', this.position);
        let line = this.source.slice(this.position, end < 0 ? undefined : end);
        this.position = end < 0 ? this.source.length : end + 1;
        if (stripTabs) line = line.replace(/^\t+/, '');
        if (line === delimiter) break;
        body += `${line}\n`;
      }
      redirect.target = quoted
        ? [{ kind: 'text', text: body, quoted: true }]
        : new HereDocument(body, this.aliases).read();
    }
  }

  /** Commands up to a word that ends a compound command, or the end. */
  private list(): List {
    const items: List = [];
    for (;;) {
      this.newlines();
      if (this.position >= this.source.length || RESERVED_ENDS.has(this.peekToken())) return items;
      const item = this.andOr();
      items.push(item);
      this.blanks();
      if (this.peek() === '&' && this.peek(1) !== '&') {
        item.background = true;
        this.position++;
      } else if (this.peek() === ';' && !this.at(';;') && !this.at(';&')) this.position++;
      else if (this.peek() !== '\n') return items;
    }
  }

  private andOr(): AndOr {
    const item: AndOr = { first: this.pipeline(), rest: [], background: false };
    for (;;) {
      this.blanks();
      if (!this.at('&&') && !this.at('||')) return item;
      const operator = this.at('&&') ? '&&' : '||';
      this.position += 2;
      this.newlines();
      item.rest.push({ operator, pipeline: this.pipeline() });
    }
  }

  private pipeline(): Pipeline {
    const pipeline: Pipeline = { negated: false, timed: false, commands: [], bothOutputs: [], text: '' };
    this.blanks();
    const start = this.position;
    while (this.peekToken() === 'time') {
      this.take('time');
      pipeline.timed = true;
    }
    while (this.peekToken() === '!') {
      this.take('!');
      pipeline.negated = !pipeline.negated;
    }
    for (;;) {
      pipeline.commands.push(this.command());
      this.blanks();
      if (this.peek() !== '|' || this.peek(1) === '|') break;
      this.position++;
      const both = this.peek() === '&';
      if (both) this.position++;
      pipeline.bothOutputs.push(both);
      this.newlines();
    }
    pipeline.text = this.source.slice(start, this.position).trim();
    return pipeline;
  }

  /** The next token's text, if it is an unquoted word or an operator, without consuming it. */
  private peekToken(): string {
    this.blanks();
    const token = /;;&?|;&|[()]|[^\s;&|<>()'"\\$`]+(?=[\s;&|<>()]|$)/y;
    token.lastIndex = this.position;
    return token.exec(this.source)?.[0] ?? '';
  }

  private take(token: string): void {
    if (this.peekToken() !== token) this.unexpected();
    this.position += token.length;
  }

  private expect(token: string): void {
    this.newlines();
    this.take(token);
  }

  private command(): Command {
    this.expandAlias();
    const line = this.line;
    const redirects: Redirect[] = [];
    const body = this.compound() ?? this.functionDefinition() ?? this.simple(redirects);
    if (body.kind !== 'simple' && body.kind !== 'function') {
      for (let redirect = this.redirect(); redirect; redirect = this.redirect()) redirects.push(redirect);
    }
    return { ...body, redirects, line };
  }

  private expandAlias(): void {
    const seen = new Set<string>();
    for (
      let token = this.peekToken();
      this.aliases.has(token) && !seen.has(token);
      token = this.peekToken()
    ) {
      seen.add(token);
      const rest = this.source.slice(this.position + token.length);
      this.source = this.source.slice(0, this.position) + this.aliases.get(token) + rest;
    }
  }

  private compound(): CommandBody | undefined {
    if (this.at('((')) {
      const start = this.position;
      try {
        this.position += 2;
        return { kind: 'arithmetic', expression: this.arithmeticText() };
      } catch (error) {
        if (!(error instanceof ShellSyntaxError)) throw error;
        this.position = start; // two nested subshells
      }
    }
    const token = this.peekToken();
    switch (token) {
      case '(':
        this.take('(');
        return { kind: 'subshell', body: this.listInParentheses() };
      case '{': {
        this.take('{');
        const body = this.list();
        this.expect('}');
        return { kind: 'group', body };
      }
      case 'if':
        return this.ifCommand();
      case 'while':
      case 'until': {
        this.take(token);
        const condition = this.list();
        return { kind: 'while', until: token === 'until', condition, body: this.doGroup() };
      }
      case 'for':
        return this.forCommand();
      case 'case':
        return this.caseCommand();
      case '[[':
        return this.conditionCommand();
      case 'function': {
        this.take('function');
        this.blanks();
        const name = this.peekToken();
        this.take(name);
        if (this.peekToken() === '(') {
          this.take('(');
          this.take(')');
        }
        this.newlines();
        return { kind: 'function', name, body: this.command() };
      }
      default:
        return undefined;
    }
  }

  private doGroup(): List {
    this.expect('do');
    const body = this.list();
    this.expect('done');
    return body;
  }

  private ifCommand(): CommandBody {
    const clauses: { condition: List; body: List }[] = [];
    this.take('if');
    for (;;) {
      const condition = this.list();
      this.expect('then');
      clauses.push({ condition, body: this.list() });
      this.newlines();
      if (this.peekToken() !== 'elif') break;
      this.take('elif');
    }
    if (this.peekToken() !== 'else') {
      this.expect('fi');
      return { kind: 'if', clauses };
    }
    this.take('else');
    const otherwise = this.list();
    this.expect('fi');
    return { kind: 'if', clauses, otherwise };
  }

  private forCommand(): CommandBody {
    this.take('for');
    this.blanks();
    if (this.at('((')) return this.forArithmetic();
    const name = this.name();
    if (!name) this.unexpected();
    this.newlines();
    if (this.peekToken() !== 'in') {
      if (this.peek() === ';') this.position++;
      return { kind: 'for', name, body: this.doGroup() };
    }
    this.take('in');
    const words: Word[] = [];
    for (let word = this.word(); word; word = this.word()) words.push(word);
    this.blanks();
    if (this.peek() === ';') this.position++;
    return { kind: 'for', name, words, body: this.doGroup() };
  }

  private forArithmetic(): CommandBody {
    this.position += 2;
    const start = this.wordUntil((character) => character === ';');
    this.position++;
    const condition = this.wordUntil((character) => character === ';');
    this.position++;
    const step = this.arithmeticText();
    this.blanks();
    if (this.peek() === ';') this.position++;
    return { kind: 'forArithmetic', start, condition, step, body: this.doGroup() };
  }

  private caseCommand(): CommandBody {
    this.take('case');
    const word = this.word() ?? this.unexpected();
    this.expect('in');
    const clauses: { patterns: Word[]; body: List; fallThrough: boolean }[] = [];
    for (this.newlines(); this.peekToken() !== 'esac'; this.newlines()) {
      if (this.peek() === '(') this.position++;
      const patterns: Word[] = [];
      do {
        patterns.push(this.word() ?? this.unexpected());
        this.blanks();
      } while (this.peek() === '|' && ++this.position);
      this.take(')');
      const body = this.list();
      const end = this.peekToken();
      clauses.push({ patterns, body, fallThrough: end === ';&' });
      if (end === 'esac') break;
      if (!end.startsWith(';')) this.unexpected();
      this.position += end.length;
    }
    this.take('esac');
    return { kind: 'case', word, clauses };
  }

  private functionDefinition(): CommandBody | undefined {
    const match = /([^\s;&|<>()'"\\$`=]+)[ \t]*\([ \t]*\)/y;
    match.lastIndex = this.position;
    const found = match.exec(this.source);
    if (!found) return undefined;
    this.position += found[0].length;
    this.newlines();
    return { kind: 'function', name: found[1], body: this.command() };
  }

  private conditionCommand(): CommandBody {
    this.take('[[');
    const condition = this.orCondition();
    this.expect(']]');
    return { kind: 'condition', condition };
  }

  private orCondition(): Condition {
    let left = this.andCondition();
    for (this.newlines(); this.at('||'); this.newlines()) {
      this.position += 2;
      left = { kind: 'or', left, right: this.andCondition() };
    }
    return left;
  }

  private andCondition(): Condition {
    let left = this.oneCondition();
    for (this.newlines(); this.at('&&'); this.newlines()) {
      this.position += 2;
      left = { kind: 'and', left, right: this.oneCondition() };
    }
    return left;
  }

  private oneCondition(): Condition {
    this.newlines();
    const token = this.peekToken();
    if (token === '!') {
      this.take('!');
      return { kind: 'not', operand: this.oneCondition() };
    }
    if (token === '(') {
      this.take('(');
      const inner = this.orCondition();
      this.expect(')');
      return inner;
    }
    const left = this.word() ?? this.unexpected();
    if (UNARY_TESTS.test(token) && this.peekToken() !== ']]') {
      return { kind: 'unary', operator: token, operand: this.word() ?? this.unexpected() };
    }
    this.blanks();
    const operator = this.peek() === '<' || this.peek() === '>' ? this.peek() : this.peekToken();
    if (!BINARY_TESTS.has(operator)) return { kind: 'unary', operator: '-n', operand: left };
    this.position += operator.length;
    this.blanks();
    const right = operator === '=~' ? this.wordUntil((character) => /\s/.test(character)) : this.word();
    return { kind: 'binary', operator, left, right: right ?? this.unexpected() };
  }

  private simple(redirects: Redirect[]): CommandBody {
    const assignments: Assignment[] = [];
    const words: Word[] = [];
    for (;;) {
      const redirect = this.redirect();
      if (redirect) {
        redirects.push(redirect);
        continue;
      }
      const assignment = words.length === 0 ? this.assignment() : undefined;
      if (assignment) {
        assignments.push(assignment);
        continue;
      }
      const word = this.word();
      if (!word) break;
      words.push(word);
    }
    if (assignments.length + words.length + redirects.length === 0) this.unexpected();
    return { kind: 'simple', assignments, words };
  }

  private assignment(): Assignment | undefined {
    this.blanks();
    const start = /([A-Za-z_][A-Za-z0-9_]*)(\+?)=/y;
    start.lastIndex = this.position;
    const match = start.exec(this.source);
    if (!match) return undefined;
    this.position += match[0].length;
    if (this.peek() === '(') this.fail(`arrays are not supported: \`${match[0]}('`);
    return { name: match[1], append: match[2] === '+', value: this.wordUntil(isMeta) };
  }

  private word(): Word | undefined {
    this.blanks();
    if (this.position >= this.source.length || isMeta(this.peek())) return undefined;
    return this.wordUntil(isMeta);
  }

  private redirect(): Redirect | undefined {
    this.blanks();
    REDIRECT.lastIndex = this.position;
    const match = REDIRECT.exec(this.source);
    if (!match) return undefined;
    this.position += match[0].length;
    const stripTabs = match[2] === '<<-';
    const operator = (stripTabs ? '<<' : match[2]) as Redirect['operator'];
    const fd = match[1] ? Number(match[1]) : operator.startsWith('<') ? 0 : 1;
    const target = this.word() ?? this.unexpected();
    const redirect: Redirect = { fd, operator, target };
    if (operator === '<<') {
      const quoted = target.some((part) => part.kind === 'text' && part.quoted);
      const delimiter = target.map((part) => (part.kind === 'text' ? part.text : '')).join('');
      this.pending.push({ redirect, delimiter, quoted, stripTabs });
    }
    return redirect;
  }
}

/** The body of a here-document: expansions as in double quotes, but quotes are ordinary characters. */
class HereDocument extends Parser {
  constructor(body: string, aliases: ReadonlyMap<string, string>) {
    super(body.replaceAll('"', '\\"'), aliases);
  }

  read(): Word {
    return this.wordUntil(() => false, true);
  }
}
