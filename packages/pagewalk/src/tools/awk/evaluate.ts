// SPDX-License-Identifier: MIT
/**
 * Values of expressions. Evaluation is a generator, so that an expression can wait for a command or a line without a
 * promise for every node: what is yielded is waited for.
 */

import { AwkError, type Expression, type Program, type Target } from './ast.js';
import { AwkRandom, pureBuiltin, replacement } from './builtins.js';
import { AwkRecord } from './record.js';
import type { RecordReader, Streams } from './streams.js';
import {
  awkRegExp,
  Cell,
  compare,
  fromInput,
  splitAt,
  splitText,
  toBoolean,
  toNumber,
  toText,
  type Value,
} from './values.js';

export type Run<T> = Generator<Promise<unknown>, T, unknown>;

/** Waits for a promise. */
export function* wait<T>(promise: Promise<T>): Run<T> {
  return (yield promise) as T;
}

const MAX_DEPTH = 500;

export abstract class Evaluator {
  readonly globals = new Map<string, Cell>();
  readonly record = new AwkRecord(() => ({
    fs: this.text('FS'),
    ofs: this.text('OFS'),
    convfmt: this.text('CONVFMT'),
  }));
  private readonly frames: Map<string, Cell>[] = [];
  private readonly random = new AwkRandom();

  constructor(
    protected readonly program: Program,
    protected readonly streams: Streams,
  ) {}

  /** Runs a function's body; the value it returns. */
  protected abstract runFunction(name: string): Run<Value>;
  /** The next record of the main input; undefined at its end. */
  protected abstract nextRecord(): Promise<string | undefined>;

  cell(name: string): Cell {
    const local = this.frames[this.frames.length - 1]?.get(name);
    if (local) return local;
    let cell = this.globals.get(name);
    if (!cell) this.globals.set(name, (cell = new Cell()));
    return cell;
  }

  variable(name: string): Value {
    return name === 'NF' ? this.record.count : this.cell(name).scalar();
  }

  setVariable(name: string, value: Value): void {
    if (name === 'NF') this.record.count = toNumber(value);
    else {
      const cell = this.cell(name);
      cell.scalar();
      cell.value = value;
    }
  }

  /** A global as text. */
  text(name: string): string {
    return toText(this.globals.get(name)?.value, '%.6g');
  }

  toText(value: Value): string {
    return typeof value === 'string' ? value : toText(value, this.text('CONVFMT'));
  }

  *subscript(items: readonly Expression[]): Run<string> {
    const parts: string[] = [];
    for (const item of items) parts.push(this.toText(yield* this.evaluate(item)));
    return parts.length === 1 ? parts[0] : parts.join(this.text('SUBSEP'));
  }

  *evaluate(e: Expression): Run<Value> {
    switch (e.kind) {
      case 'number':
      case 'string':
        return e.value;
      case 'variable':
        return this.variable(e.name);
      case 'field':
        return this.record.get(this.fieldIndex(yield* this.evaluate(e.index)));
      case 'element': {
        const key = yield* this.subscript(e.subscripts);
        const array = this.cell(e.name).elements();
        if (!array.has(key)) array.set(key, undefined);
        return array.get(key);
      }
      case 'regex':
        return Number(awkRegExp(e.source).test(this.toText(this.record.get(0))));
      case 'group':
        return yield* this.evaluate(e.items[0]);
      case 'assign':
        return yield* this.assign(e.operator, e.target, e.value);
      case 'conditional':
        return yield* this.evaluate(toBoolean(yield* this.evaluate(e.test)) ? e.yes : e.no);
      case 'binary':
        return yield* this.binary(e.operator, e.left, e.right);
      case 'match': {
        const text = this.toText(yield* this.evaluate(e.left));
        return Number((yield* this.regex(e.right)).test(text) !== e.negated);
      }
      case 'in': {
        const key = yield* this.subscript(e.subscripts);
        return Number(this.cell(e.name).elements().has(key));
      }
      case 'unary': {
        const value = yield* this.evaluate(e.operand);
        if (e.operator === '!') return Number(!toBoolean(value));
        return e.operator === '-' ? -toNumber(value) : toNumber(value);
      }
      case 'step': {
        const reference = yield* this.reference(e.target);
        const before = toNumber(reference.get());
        reference.set(before + e.by);
        return e.prefix ? before + e.by : before;
      }
      case 'call':
        return yield* this.call(e.name, e.args);
      case 'builtin':
        return yield* this.builtin(e.name, e.args);
      case 'getline':
        return yield* this.getline(e);
    }
  }

  private fieldIndex(value: Value): number {
    const index = Math.trunc(toNumber(value));
    if (index < 0) throw new AwkError(`trying to access out of range field ${index}`);
    return index;
  }

  /** A place whose subscripts have been evaluated, once. */
  *reference(target: Target): Run<{ get(): Value; set(value: Value): void }> {
    if (target.kind === 'variable') {
      const { name } = target;
      return { get: () => this.variable(name), set: (value) => this.setVariable(name, value) };
    }
    if (target.kind === 'field') {
      const index = this.fieldIndex(yield* this.evaluate(target.index));
      return { get: () => this.record.get(index), set: (value) => this.record.put(index, value) };
    }
    const key = yield* this.subscript(target.subscripts);
    const array = this.cell(target.name).elements();
    return { get: () => array.get(key), set: (value) => array.set(key, value) };
  }

  private *assign(operator: string, target: Target, expression: Expression): Run<Value> {
    const reference = yield* this.reference(target);
    let value = yield* this.evaluate(expression);
    if (operator !== '=') value = arithmetic(operator[0], toNumber(reference.get()), toNumber(value));
    reference.set(value);
    return value;
  }

  private *binary(operator: string, leftSide: Expression, rightSide: Expression): Run<Value> {
    const left = yield* this.evaluate(leftSide);
    if (operator === '&&') return Number(toBoolean(left) && toBoolean(yield* this.evaluate(rightSide)));
    if (operator === '||') return Number(toBoolean(left) || toBoolean(yield* this.evaluate(rightSide)));
    const right = yield* this.evaluate(rightSide);
    if (operator === ' ') return this.toText(left) + this.toText(right);
    if (!/^[<>=!]/.test(operator)) return arithmetic(operator, toNumber(left), toNumber(right));
    const order = compare(left, right, this.text('CONVFMT'));
    switch (operator) {
      case '<':
        return Number(order < 0);
      case '<=':
        return Number(order <= 0);
      case '>':
        return Number(order > 0);
      case '>=':
        return Number(order >= 0);
      default:
        return Number((order === 0) === (operator === '=='));
    }
  }

  private *regex(e: Expression): Run<RegExp> {
    return awkRegExp(e.kind === 'regex' ? e.source : this.toText(yield* this.evaluate(e)));
  }

  private *call(name: string, args: readonly Expression[]): Run<Value> {
    const { parameters } = this.program.functions.get(name)!;
    if (args.length > parameters.length)
      throw new AwkError(
        `function ${name} called with ${args.length} args, accepts only ${parameters.length}`,
      );
    if (this.frames.length >= MAX_DEPTH) throw new AwkError(`function ${name}: nested too deeply`);
    const frame = new Map<string, Cell>();
    for (const [index, parameter] of parameters.entries()) {
      const arg = args[index];
      const origin = arg?.kind === 'variable' && arg.name !== 'NF' ? this.cell(arg.name) : undefined;
      const cell = new Cell(origin?.value === undefined ? origin : undefined);
      if (origin?.array) cell.array = origin.array;
      else if (arg) cell.value = yield* this.evaluate(arg);
      frame.set(parameter, cell);
    }
    this.frames.push(frame);
    try {
      return yield* this.runFunction(name);
    } finally {
      this.frames.pop();
    }
  }

  private *builtin(name: string, args: readonly Expression[]): Run<Value> {
    const at = (index: number): Expression => {
      if (!args[index]) throw new AwkError(`${name}: not enough arguments`);
      return args[index];
    };
    switch (name) {
      case 'length': {
        const array =
          args[0]?.kind === 'variable' && args[0].name !== 'NF' ? this.cell(args[0].name).array : undefined;
        if (array) return array.size;
        return [...this.toText(args[0] ? yield* this.evaluate(args[0]) : this.record.get(0))].length;
      }
      case 'split':
        return yield* this.split(at(0), at(1), args[2]);
      case 'sub':
      case 'gsub':
        return yield* this.substitute(name === 'gsub', at(0), at(1), args[2]);
      case 'match': {
        const text = this.toText(yield* this.evaluate(at(0)));
        const match = (yield* this.regex(at(1))).exec(text);
        this.setVariable('RSTART', match ? match.index + 1 : 0);
        this.setVariable('RLENGTH', match ? match[0].length : -1);
        return match ? match.index + 1 : 0;
      }
      case 'system':
        return yield* wait(this.streams.system(this.toText(yield* this.evaluate(at(0)))));
      case 'close':
        return yield* wait(this.streams.close(this.toText(yield* this.evaluate(at(0)))));
      case 'fflush':
        yield* wait(this.streams.flush());
        return 0;
      default: {
        const values: Value[] = [];
        for (const arg of args) values.push(yield* this.evaluate(arg));
        return pureBuiltin(name, values, this.text('CONVFMT'), this.random);
      }
    }
  }

  private *split(source: Expression, array: Expression, separator: Expression | undefined): Run<Value> {
    const text = this.toText(yield* this.evaluate(source));
    if (array.kind !== 'variable') throw new AwkError('split: the second argument is no array');
    let fields: string[];
    if (separator?.kind === 'regex') fields = splitAt(text, awkRegExp(separator.source));
    else fields = splitText(text, separator ? this.toText(yield* this.evaluate(separator)) : this.text('FS'));
    const elements = this.cell(array.name).elements();
    elements.clear();
    for (const [index, field] of fields.entries()) elements.set(String(index + 1), fromInput(field));
    return fields.length;
  }

  private *substitute(
    all: boolean,
    pattern: Expression,
    by: Expression,
    place: Expression | undefined,
  ): Run<Value> {
    const regex = yield* this.regex(pattern);
    const source = new RegExp(regex.source, all ? 'gs' : 's');
    const text = this.toText(yield* this.evaluate(by));
    const target: Expression = place ?? { kind: 'field', index: { kind: 'number', value: 0 } };
    const isTarget = target.kind === 'variable' || target.kind === 'field' || target.kind === 'element';
    if (!isTarget) throw new AwkError('sub and gsub need a variable, a field or an element to change');
    const reference = yield* this.reference(target);
    let count = 0;
    let end = -1;
    const changed = this.toText(reference.get()).replace(source, (matched, ...rest) => {
      const at = rest.find((item): item is number => typeof item === 'number')!;
      // Right behind a match there is no empty one.
      if (matched === '' && at === end) return '';
      end = at + matched.length;
      count++;
      return replacement(text, matched);
    });
    if (count > 0) reference.set(changed);
    return count;
  }

  private *getline(e: Expression & { kind: 'getline' }): Run<Value> {
    let record: string | undefined;
    if (e.from === 'main') record = yield* wait(this.nextRecord());
    else {
      const name = this.toText(yield* this.evaluate(e.source!));
      let reader: RecordReader | undefined;
      if (e.from === 'file') reader = this.streams.file(name);
      else reader = yield* wait(this.streams.command(name));
      if (!reader) return -1;
      record = yield* wait(reader.next(this.text('RS')));
      if (record !== undefined && e.from === 'command') this.countRecord('NR');
    }
    if (record === undefined) return 0;
    if (e.target) (yield* this.reference(e.target)).set(fromInput(record));
    else this.record.set(record);
    return 1;
  }

  protected countRecord(name: 'NR' | 'FNR'): void {
    this.setVariable(name, toNumber(this.globals.get(name)?.value) + 1);
  }
}

function arithmetic(operator: string, left: number, right: number): number {
  switch (operator) {
    case '+':
      return left + right;
    case '-':
      return left - right;
    case '*':
      return left * right;
    case '^':
      return left ** right;
    default:
      if (right === 0) throw new AwkError(operator === '/' ? 'division by zero' : 'division by zero in %');
      return operator === '/' ? left / right : left % right;
  }
}
