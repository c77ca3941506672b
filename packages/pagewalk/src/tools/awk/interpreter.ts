// SPDX-License-Identifier: MIT
/** Runs an awk program: BEGIN, each record of the input, END. */

import { FsError } from '../../fs/filesystem.js';
import type { CommandContext } from '../../shell/command.js';
import { Input } from '../../shell/stream.js';
import type { Program, Rule, Statement } from './ast.js';
import { Evaluator, type Run, wait } from './evaluate.js';
import { unescapeAwk } from './lexer.js';
import { RecordReader, Streams } from './streams.js';
import { formatAwk, fromInput, toBoolean, toNumber, toText, type Value } from './values.js';

/** Turns of loops between two looks at Ctrl-C. */
const TURNS = 20_000;

class Leave extends Error {
  constructor(
    readonly how: 'next' | 'nextfile' | 'break' | 'continue' | 'exit' | 'return',
    readonly value?: Value,
  ) {
    super(how);
  }
}

const DEFAULTS: Record<string, Value> = {
  FS: ' ',
  OFS: ' ',
  RS: '\n',
  ORS: '\n',
  SUBSEP: '\x1c',
  CONVFMT: '%.6g',
  OFMT: '%.6g',
  NR: 0,
  FNR: 0,
  RSTART: 0,
  RLENGTH: -1,
  FILENAME: '',
};

export class Awk extends Evaluator {
  private readonly inRange = new Set<Rule>();
  private reader: RecordReader | undefined;
  private operand = 1;
  private sawFile = false;
  private turns = 0;
  private exitStatus = 0;

  constructor(
    program: Program,
    private readonly context: CommandContext,
    operands: readonly string[],
  ) {
    super(program, new Streams(context));
    for (const [name, value] of Object.entries(DEFAULTS)) this.setVariable(name, value);
    this.setVariable('ARGC', operands.length + 1);
    const argv = this.cell('ARGV').elements();
    for (const [index, text] of ['awk', ...operands].entries()) argv.set(String(index), fromInput(text));
    const environ = this.cell('ENVIRON').elements();
    for (const [name, value] of context.env) environ.set(name, fromInput(value));
  }

  /** `-v name=value`, or an operand of that form. */
  assignText(name: string, text: string): void {
    this.setVariable(name, fromInput(unescapeAwk(text)));
  }

  private status = 0;

  /** Runs to the end; the exit status. */
  async run(): Promise<number> {
    const { begin, rules, end } = this.program;
    let ended = await this.leaves(this.all(begin), 'exit');
    if (!ended && (rules.length > 0 || end.length > 0)) ended = await this.leaves(this.records(), 'exit');
    // `exit` skips the rest of the input, not END; in END it ends all.
    await this.leaves(this.all(end), 'exit');
    await this.reportMissing();
    await this.streams.closeAll();
    return this.exitStatus || this.status;
  }

  /** Drives a generator; true if it ended by leaving so. */
  private async leaves(run: Run<unknown>, how: Leave['how']): Promise<boolean> {
    try {
      let step = run.next();
      while (!step.done) {
        let value: unknown;
        try {
          value = await step.value;
        } catch (error) {
          step = run.throw(error);
          continue;
        }
        step = run.next(value);
      }
      return false;
    } catch (error) {
      if (!(error instanceof Leave) || error.how !== how) throw error;
      return true;
    }
  }

  private *all(statements: readonly Statement[]): Run<void> {
    for (const statement of statements) yield* this.statement(statement);
  }

  private *records(): Run<void> {
    for (;;) {
      const text = yield* wait(this.nextRecord());
      if (text === undefined) return;
      this.record.set(text);
      try {
        for (const rule of this.program.rules) yield* this.rule(rule);
      } catch (error) {
        if (!(error instanceof Leave) || !error.how.startsWith('next')) throw error;
        if (error.how === 'nextfile') this.closeFile();
      }
      if (this.streams.full || !this.reader?.ready) yield* wait(this.streams.flush());
      if (this.context.signal.aborted) throw new Leave('exit');
    }
  }

  private *rule(rule: Rule): Run<void> {
    const { pattern, end, body } = rule;
    const holds = function* (this: Awk, e: NonNullable<Rule['pattern']>): Run<boolean> {
      return toBoolean(yield* this.evaluate(e));
    }.bind(this);
    if (pattern && end) {
      if (!this.inRange.has(rule) && !(yield* holds(pattern))) return;
      this.inRange.add(rule);
      if (yield* holds(end)) this.inRange.delete(rule);
    } else if (pattern && !(yield* holds(pattern))) return;
    if (body) yield* this.statement(body);
    else this.streams.print(this.toText(this.record.get(0)) + this.text('ORS'));
  }

  // ---------------------------------------------------------------- input

  private closeFile(): void {
    this.reader?.close();
    this.reader = undefined;
  }

  protected async nextRecord(): Promise<string | undefined> {
    for (;;) {
      this.reader ??= this.nextFile();
      if (!this.reader) return undefined;
      const text = await this.reader.next(this.text('RS'));
      if (text !== undefined) {
        this.countRecord('NR');
        this.countRecord('FNR');
        return text;
      }
      this.closeFile();
      if (this.usesStdin) return undefined;
      await this.reportMissing();
    }
  }

  private usesStdin = false;
  private missing: string[] = [];

  private async reportMissing(): Promise<void> {
    for (const message of this.missing.splice(0)) this.status = await this.context.fail(message, 2);
  }

  /** The next operand that is a file; assignments on the way are made. */
  private nextFile(): RecordReader | undefined {
    const argv = this.cell('ARGV').elements();
    while (this.operand < toNumber(this.variable('ARGC'))) {
      const name = this.toText(argv.get(String(this.operand++)));
      const assignment = /^([A-Za-z_]\w*)=([\s\S]*)$/.exec(name);
      if (name === '') continue;
      if (assignment) {
        this.assignText(assignment[1], assignment[2]);
        continue;
      }
      this.sawFile = true;
      this.setVariable('FILENAME', name);
      this.setVariable('FNR', 0);
      if (name === '-') return new RecordReader(this.context.stdin);
      try {
        return new RecordReader(new Input(this.context.fs.openRead(this.context.path(name))));
      } catch (error) {
        if (!(error instanceof FsError)) throw error;
        this.missing.push(`cannot open "${name}" (${error.reason})`);
      }
    }
    if (this.sawFile || this.usesStdin) return undefined;
    this.usesStdin = true;
    return new RecordReader(this.context.stdin);
  }

  // ---------------------------------------------------------------- statements

  protected *runFunction(name: string): Run<Value> {
    try {
      yield* this.statement(this.program.functions.get(name)!.body);
    } catch (error) {
      if (!(error instanceof Leave) || error.how !== 'return') throw error;
      return error.value;
    }
    return undefined;
  }

  private *statement(s: Statement): Run<void> {
    switch (s.kind) {
      case 'expression':
        yield* this.evaluate(s.expression);
        return;
      case 'print':
        return yield* this.print(s);
      case 'block':
        return yield* this.all(s.body);
      case 'if':
        if (toBoolean(yield* this.evaluate(s.test))) yield* this.statement(s.yes);
        else if (s.no) yield* this.statement(s.no);
        return;
      case 'while':
        while (toBoolean(yield* this.evaluate(s.test))) if (yield* this.turn(s.body)) return;
        return;
      case 'do':
        do if (yield* this.turn(s.body)) return;
        while (toBoolean(yield* this.evaluate(s.test)));
        return;
      case 'for':
        if (s.start) yield* this.statement(s.start);
        while (!s.test || toBoolean(yield* this.evaluate(s.test))) {
          if (yield* this.turn(s.body)) return;
          if (s.step) yield* this.statement(s.step);
        }
        return;
      case 'forIn':
        for (const key of [...this.cell(s.array).elements().keys()]) {
          this.setVariable(s.variable, fromInput(key));
          if (yield* this.turn(s.body)) return;
        }
        return;
      case 'delete': {
        const elements = this.cell(s.name).elements();
        if (s.subscripts) elements.delete(yield* this.subscript(s.subscripts));
        else elements.clear();
        return;
      }
      case 'leave':
        throw new Leave(s.how);
      case 'return':
        throw new Leave('return', s.value && (yield* this.evaluate(s.value)));
      case 'exit':
        if (s.value) this.exitStatus = toNumber(yield* this.evaluate(s.value)) & 255;
        throw new Leave('exit');
    }
  }

  /** One turn of a loop; true if it was the last. */
  private *turn(body: Statement): Run<boolean> {
    if (++this.turns % TURNS === 0) {
      if (this.streams.full) yield* wait(this.streams.flush());
      yield* wait(new Promise((resolve) => setTimeout(resolve, 0)));
      if (this.context.signal.aborted) throw new Leave('exit');
    }
    try {
      yield* this.statement(body);
    } catch (error) {
      if (!(error instanceof Leave) || (error.how !== 'break' && error.how !== 'continue')) throw error;
      return error.how === 'break';
    }
    return false;
  }

  private *print(s: Statement & { kind: 'print' }): Run<void> {
    const values: Value[] = [];
    for (const arg of s.args) values.push(yield* this.evaluate(arg));
    let text: string;
    if (s.formatted) text = formatAwk(this.toText(values[0]), values.slice(1), this.text('CONVFMT'));
    else {
      const shown = values.length > 0 ? values : [this.record.get(0)];
      const format = this.text('OFMT');
      text = shown.map((value) => toText(value, format)).join(this.text('OFS')) + this.text('ORS');
    }
    if (!s.redirection) return this.streams.print(text);
    const name = this.toText(yield* this.evaluate(s.redirection.target));
    yield* wait(this.streams.redirect(s.redirection.operator, name, text));
  }
}
