// SPDX-License-Identifier: MIT
/** Reads an awk program: rules, functions, statements. */

import { AwkError, type Expression, type Program, type Redirection, type Statement } from './ast.js';
import { ExpressionParser } from './expressions.js';
import { tokenize } from './lexer.js';

export function parseAwk(source: string): Program {
  return new Parser(tokenize(source)).program();
}

class Parser extends ExpressionParser {
  program(): Program {
    const program: Program = { begin: [], rules: [], end: [], functions: new Map() };
    for (;;) {
      while (this.token.kind === 'newline' || this.at(';')) this.position++;
      if (this.token.kind === 'end') break;
      this.item(program);
    }
    this.checkCalls(program);
    return program;
  }

  private checkCalls(program: Program): void {
    for (const { kind, text, line } of this.tokens) {
      if (kind === 'call' && !program.functions.has(text))
        throw new AwkError(`function ${text} is not defined, at source line ${line}`);
    }
  }

  private item(program: Program): void {
    if (this.accept('function')) {
      const name = this.name();
      this.expect('(');
      const parameters: string[] = [];
      while (!this.accept(')')) {
        parameters.push(this.name());
        this.skipNewlines();
        if (!this.at(')')) this.expect(',');
        this.skipNewlines();
      }
      this.skipNewlines();
      program.functions.set(name, { parameters, body: this.block() });
    } else if (this.accept('BEGIN')) program.begin.push(this.block());
    else if (this.accept('END')) program.end.push(this.block());
    else if (this.at('{')) program.rules.push({ body: this.block() });
    else {
      const pattern = this.expression();
      let end: Expression | undefined;
      if (this.accept(',')) {
        this.skipNewlines();
        end = this.expression();
      }
      const body = this.at('{') ? this.block() : undefined;
      program.rules.push({ pattern, ...(end && { end }), ...(body && { body }) });
    }
  }

  private block(): Statement {
    this.expect('{');
    const body: Statement[] = [];
    for (;;) {
      while (this.token.kind === 'newline' || this.at(';')) this.position++;
      if (this.accept('}')) return { kind: 'block', body };
      body.push(this.statement());
    }
  }

  /** What ends a simple statement; a closing brace does too, and stays. */
  private terminator(): void {
    if (this.token.kind === 'newline' || this.at(';')) this.position++;
    else if (!this.at('}') && this.token.kind !== 'end') this.fail();
  }

  /** The body of an `if` or a loop. */
  private body(): Statement {
    this.skipNewlines();
    if (this.accept(';')) return { kind: 'block', body: [] };
    return this.statement();
  }

  private statement(): Statement {
    if (this.at('{')) return this.block();
    if (this.accept('if')) return this.ifStatement();
    if (this.accept('while')) {
      const test = this.test();
      if (this.accept(';')) return { kind: 'while', test, body: { kind: 'block', body: [] } };
      return { kind: 'while', test, body: this.body() };
    }
    if (this.accept('for')) return this.forStatement();
    if (this.accept('do')) {
      const body = this.body();
      while (this.token.kind === 'newline' || this.at(';')) this.position++;
      this.expect('while');
      const test = this.test();
      this.terminator();
      return { kind: 'do', test, body };
    }
    const simple = this.simple();
    this.terminator();
    return simple;
  }

  private test(): Expression {
    this.expect('(');
    const [test, ...more] = this.list(')');
    if (!test || more.length > 0) this.fail();
    return test;
  }

  private ifStatement(): Statement {
    const test = this.test();
    const yes = this.body();
    const before = this.position;
    while (this.token.kind === 'newline' || this.at(';')) this.position++;
    if (this.accept('else')) return { kind: 'if', test, yes, no: this.body() };
    this.position = before;
    return { kind: 'if', test, yes };
  }

  private forStatement(): Statement {
    this.expect('(');
    const [variable, word, , close] = this.tokens.slice(this.position, this.position + 4);
    if (variable.kind === 'name' && word.text === 'in' && close.text === ')') {
      this.position += 2;
      const array = this.name();
      this.expect(')');
      return { kind: 'forIn', variable: variable.text, array, body: this.body() };
    }
    const start = this.at(';') ? undefined : this.simple();
    this.expect(';');
    this.skipNewlines();
    const test = this.at(';') ? undefined : this.expression();
    this.expect(';');
    this.skipNewlines();
    const step = this.at(')') ? undefined : this.simple();
    this.expect(')');
    const body = this.body();
    return { kind: 'for', ...(start && { start }), ...(test && { test }), ...(step && { step }), body };
  }

  private ends(): boolean {
    return this.token.kind === 'newline' || this.token.kind === 'end' || this.at(';') || this.at('}');
  }

  private simple(): Statement {
    for (const how of ['next', 'nextfile', 'break', 'continue'] as const)
      if (this.accept(how)) return { kind: 'leave', how };
    for (const kind of ['exit', 'return'] as const)
      if (this.accept(kind)) return this.ends() ? { kind } : { kind, value: this.expression() };
    if (this.accept('delete')) {
      const name = this.name();
      return this.accept('[')
        ? { kind: 'delete', name, subscripts: this.list(']') }
        : { kind: 'delete', name };
    }
    if (this.accept('print')) return this.print(false);
    if (this.accept('printf')) return this.print(true);
    return { kind: 'expression', expression: this.expression() };
  }

  private print(formatted: boolean): Statement {
    const args: Expression[] = [];
    this.noGreater = true;
    if (!this.ends() && !this.at('>') && !this.at('>>') && !this.at('|')) {
      do {
        this.skipNewlines();
        args.push(this.expression());
      } while (this.accept(','));
    }
    this.noGreater = false;
    const redirection = this.redirection();
    const only = args.length === 1 && args[0].kind === 'group' ? args[0].items : args;
    if (formatted && only.length === 0) this.fail();
    return { kind: 'print', formatted, args: only, ...(redirection && { redirection }) };
  }

  private redirection(): Redirection | undefined {
    for (const operator of ['>', '>>', '|'] as const) {
      if (!this.accept(operator)) continue;
      this.noGreater = true;
      const target = this.expression();
      this.noGreater = false;
      return { operator, target };
    }
    return undefined;
  }
}
