// SPDX-License-Identifier: MIT
/** Reads expressions, the loosest-binding operator first. */

import { AwkError, type Expression, type Target } from './ast.js';
import type { Token } from './lexer.js';

const ASSIGNMENTS = new Set(['=', '+=', '-=', '*=', '/=', '%=', '^=']);
const COMPARISONS = new Set(['<', '<=', '==', '!=', '>', '>=']);

export abstract class ExpressionParser {
  protected position = 0;
  /** In `print a > b` the `>` is no comparison. */
  protected noGreater = false;

  constructor(protected readonly tokens: readonly Token[]) {}

  protected get token(): Token {
    return this.tokens[this.position];
  }

  protected at(text: string): boolean {
    const { kind, text: now } = this.token;
    return now === text && (kind === 'operator' || kind === 'keyword');
  }

  protected accept(text: string): boolean {
    if (!this.at(text)) return false;
    this.position++;
    return true;
  }

  protected fail(): never {
    const { text, line } = this.token;
    throw new AwkError(
      `syntax error at source line ${line}: unexpected ${text === '\n' ? 'newline' : `'${text}'`}`,
    );
  }

  protected expect(text: string): void {
    if (!this.accept(text)) this.fail();
  }

  protected skipNewlines(): void {
    while (this.token.kind === 'newline') this.position++;
  }

  protected name(): string {
    const { kind, text } = this.token;
    if (kind !== 'name' && kind !== 'call') this.fail();
    this.position++;
    return text;
  }

  protected list(end: string): Expression[] {
    const items: Expression[] = [];
    this.skipNewlines();
    if (this.accept(end)) return items;
    const { noGreater } = this;
    this.noGreater = false;
    do {
      this.skipNewlines();
      items.push(this.expression());
      this.skipNewlines();
    } while (this.accept(','));
    this.noGreater = noGreater;
    this.expect(end);
    return items;
  }

  protected expression(): Expression {
    const left = this.conditional();
    if (this.token.kind !== 'operator' || !ASSIGNMENTS.has(this.token.text)) return left;
    const target = asTarget(left);
    if (!target) this.fail();
    const operator = this.token.text;
    this.position++;
    this.skipNewlines();
    return { kind: 'assign', operator, target, value: this.expression() };
  }

  private conditional(): Expression {
    const test = this.or();
    if (!this.accept('?')) return test;
    this.skipNewlines();
    const yes = this.expression();
    this.skipNewlines();
    this.expect(':');
    this.skipNewlines();
    return { kind: 'conditional', test, yes, no: this.expression() };
  }

  private or(): Expression {
    let left = this.and();
    while (this.accept('||')) {
      this.skipNewlines();
      left = { kind: 'binary', operator: '||', left, right: this.and() };
    }
    return left;
  }

  private and(): Expression {
    let left = this.membership();
    while (this.accept('&&')) {
      this.skipNewlines();
      left = { kind: 'binary', operator: '&&', left, right: this.membership() };
    }
    return left;
  }

  private membership(): Expression {
    let left = this.matching();
    while (this.accept('in')) {
      const subscripts = left.kind === 'group' ? left.items : [left];
      left = { kind: 'in', subscripts, name: this.name() };
    }
    return left;
  }

  private matching(): Expression {
    let left = this.comparison();
    while (this.at('~') || this.at('!~')) {
      const negated = this.token.text === '!~';
      this.position++;
      left = { kind: 'match', negated, left, right: this.comparison() };
    }
    return left;
  }

  private comparison(): Expression {
    let left = this.concatenation();
    for (;;) {
      const { kind, text } = this.token;
      if (this.at('|') && this.tokens[this.position + 1].text === 'getline') {
        this.position += 2;
        left = { kind: 'getline', from: 'command', source: left, ...this.getlineTarget() };
      } else if (kind === 'operator' && COMPARISONS.has(text) && !(this.noGreater && text === '>')) {
        this.position++;
        left = { kind: 'binary', operator: text, left, right: this.concatenation() };
      } else return left;
    }
  }

  private concatenation(): Expression {
    let left = this.additive();
    while (this.beginsOperand()) left = { kind: 'binary', operator: ' ', left, right: this.additive() };
    return left;
  }

  /** Whether what follows can be the right side of a concatenation. */
  private beginsOperand(): boolean {
    const { kind, text } = this.token;
    if (kind === 'operator') return ['$', '(', '++', '--'].includes(text);
    return ['number', 'string', 'regex', 'name', 'call', 'builtin'].includes(kind);
  }

  private additive(): Expression {
    let left = this.multiplicative();
    while (this.at('+') || this.at('-')) {
      const operator = this.token.text;
      this.position++;
      left = { kind: 'binary', operator, left, right: this.multiplicative() };
    }
    return left;
  }

  private multiplicative(): Expression {
    let left = this.unary();
    while (this.at('*') || this.at('/') || this.at('%')) {
      const operator = this.token.text;
      this.position++;
      left = { kind: 'binary', operator, left, right: this.unary() };
    }
    return left;
  }

  private unary(): Expression {
    for (const operator of ['!', '-', '+']) {
      if (this.accept(operator)) return { kind: 'unary', operator, operand: this.unary() };
    }
    return this.power();
  }

  private power(): Expression {
    const left = this.postfix();
    if (!this.accept('^')) return left;
    const signs = this.at('-') || this.at('+') || this.at('!');
    return { kind: 'binary', operator: '^', left, right: signs ? this.unary() : this.power() };
  }

  private postfix(): Expression {
    for (const [operator, by] of [['++', 1] as const, ['--', -1] as const]) {
      if (!this.accept(operator)) continue;
      const target = asTarget(this.primary());
      if (!target) this.fail();
      return { kind: 'step', prefix: true, by, target };
    }
    const operand = this.primary();
    const target = asTarget(operand);
    if (target && this.accept('++')) return { kind: 'step', prefix: false, by: 1, target };
    if (target && this.accept('--')) return { kind: 'step', prefix: false, by: -1, target };
    return operand;
  }

  private primary(): Expression {
    const { kind, text } = this.token;
    switch (kind) {
      case 'number':
        this.position++;
        return { kind: 'number', value: Number(text) };
      case 'string':
        this.position++;
        return { kind: 'string', value: text };
      case 'regex':
        this.position++;
        return { kind: 'regex', source: text };
      case 'builtin': {
        this.position++;
        if (this.accept('(')) return { kind: 'builtin', name: text, args: this.list(')') };
        if (text !== 'length') this.fail();
        return { kind: 'builtin', name: text, args: [] };
      }
      case 'call':
        this.position += 2;
        return { kind: 'call', name: text, args: this.list(')') };
      case 'name':
        this.position++;
        if (this.accept('[')) return { kind: 'element', name: text, subscripts: this.list(']') };
        return { kind: 'variable', name: text };
      default:
        return this.otherPrimary();
    }
  }

  private otherPrimary(): Expression {
    if (this.accept('$')) {
      for (const [operator, by] of [['++', 1] as const, ['--', -1] as const]) {
        if (!this.accept(operator)) continue;
        const target = asTarget(this.primary());
        if (!target) this.fail();
        return { kind: 'field', index: { kind: 'step', prefix: true, by, target } };
      }
      if (this.accept('-'))
        return { kind: 'field', index: { kind: 'unary', operator: '-', operand: this.primary() } };
      return { kind: 'field', index: this.primary() };
    }
    if (this.accept('(')) {
      const items = this.list(')');
      if (items.length === 0 || (items.length > 1 && !this.at('in') && !this.noGreater)) this.fail();
      return { kind: 'group', items };
    }
    if (!this.accept('getline')) this.fail();
    const target = this.getlineTarget();
    if (!this.accept('<')) return { kind: 'getline', from: 'main', ...target };
    return { kind: 'getline', from: 'file', source: this.postfix(), ...target };
  }

  private getlineTarget(): { target?: Target } {
    if (this.token.kind !== 'name' && !this.at('$')) return {};
    const target = asTarget(this.primary());
    return target ? { target } : {};
  }
}

export function asTarget(expression: Expression): Target | undefined {
  return expression.kind === 'variable' || expression.kind === 'field' || expression.kind === 'element'
    ? expression
    : undefined;
}
