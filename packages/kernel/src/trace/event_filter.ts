// SPDX-License-Identifier: MIT
/**
 * Filters of events: `bytes_req > 100 && (gfp_flags & 0x400 || comm == "insmod")`.
 *
 *     expression  term { || term }        term  factor { && factor }
 *     factor      ! factor | ( expression ) | field operator value
 *
 * Values are numbers (decimal, 0x, octal; compared in the field's own type) or strings in quotes. Strings know ==, !=
 * and ~, whose right side may hold `*`, `?` and `[a-z]`. What is wrong with a filter is said as Linux does.
 */

import { type EventField, type EventLayout, getText, getWords } from './event_fields.js';

/** What an event is looked at by: its record, and who caused it. */
export interface Filtered {
  readonly record: DataView;
  readonly comm: string;
  readonly cpu: number;
}

export type Predicate = (event: Filtered) => boolean;

/** Errors of Linux's parser. */
export const FILTER_ERRORS = {
  invalidOp: 'Invalid operator',
  tooManyOpen: "Too many '('",
  tooManyClose: "Too few '('",
  missingQuote: 'Missing matching quote',
  operandTooLong: 'Operand too long',
  expectString: 'Expecting string field',
  expectDigit: 'Expecting numeric field',
  illegalFieldOp: 'Illegal operation for field type',
  fieldNotFound: 'Field not found',
  illegalIntval: 'Illegal integer value',
  tooManyPreds: 'Too many terms in predicate expression',
  invalidFilter: 'Meaningless filter expression',
  invalidValue: 'Invalid value (did you forget quotes)?',
  noFilter: 'No filter found',
} as const;

export class FilterError extends Error {
  override name = 'FilterError';
  constructor(
    readonly kind: keyof typeof FILTER_ERRORS,
    /** Index of the character at which it was noticed. */
    readonly position: number,
  ) {
    super(FILTER_ERRORS[kind]);
  }

  /** What the `filter` file shows: the filter, a mark, the error. @linux kernel/trace/trace_events_filter.c:append_filter_err full */
  report(filter: string): string {
    const column = Math.min(this.position + 1, filter.length);
    const mark = column === 0 ? '^' : '^'.padStart(column + 1);
    return `${filter}\n${mark}\nparse_error: ${this.message}\n`;
  }
}

/** This comes before that of which it is the longer. */
const OPERATORS = ['~', '!=', '==', '<=', '<', '>=', '>', '&'] as const;
type Operator = (typeof OPERATORS)[number];
const MAX_FILTER_STR_VAL = 256;
/** How deep parentheses may nest. */
const MAX_DEPTH = 64;

/** @linux kernel/trace/trace_events_filter.c:predicate_parse full */
export function compileFilter(text: string, layout: EventLayout): Predicate {
  return new Parser(text, layout).parse();
}

class Parser {
  private at = 0;
  private depth = 0;

  constructor(
    private readonly text: string,
    private readonly layout: EventLayout,
  ) {}

  parse(): Predicate {
    this.checkBalance();
    this.skipSpace();
    if (this.at === this.text.length) throw new FilterError('noFilter', 0);
    const all = this.expression();
    if (this.at < this.text.length)
      throw new FilterError(this.text[this.at] === ')' ? 'tooManyClose' : 'tooManyPreds', this.at);
    return all;
  }

  /** Quotes and parentheses come in pairs. @linux kernel/trace/trace_events_filter.c:calc_stack full */
  private checkBalance(): void {
    let open = 0;
    let quote = '';
    let quoteAt = 0;
    for (let i = 0; i < this.text.length; i++) {
      const c = this.text[i];
      if (quote !== '') {
        if (c === quote) quote = '';
      } else if (c === "'" || c === '"') {
        quote = c;
        quoteAt = i;
      } else if (c === '(') open++;
      else if (c === ')' && --open < 0) throw new FilterError('tooManyClose', i);
    }
    if (quote !== '') throw new FilterError('missingQuote', quoteAt);
    if (open > 0) throw new FilterError('tooManyOpen', this.text.length);
  }

  private skipSpace(): void {
    while (/\s/.test(this.text[this.at] ?? '')) this.at++;
  }

  private take(token: string): boolean {
    this.skipSpace();
    if (!this.text.startsWith(token, this.at)) return false;
    this.at += token.length;
    this.skipSpace();
    return true;
  }

  private expression(): Predicate {
    let left = this.term();
    while (this.take('||')) left = either(left, this.term());
    return left;
  }

  private term(): Predicate {
    let left = this.factor();
    while (this.take('&&')) left = both(left, this.factor());
    return left;
  }

  private factor(): Predicate {
    if (++this.depth > MAX_DEPTH) throw new FilterError('tooManyOpen', this.at);
    try {
      if (this.take('!')) {
        const inner = this.factor();
        return (event) => !inner(event);
      }
      if (!this.take('(')) return this.predicate();
      const inner = this.expression();
      if (!this.take(')')) throw new FilterError('tooManyPreds', this.at);
      return inner;
    } finally {
      this.depth--;
    }
  }

  /** One comparison. @linux kernel/trace/trace_events_filter.c:parse_pred partial: no .ustring, no functions by name */
  private predicate(): Predicate {
    const [name] = /^\w*/.exec(this.text.slice(this.at))!;
    if (name === '') throw new FilterError('invalidFilter', this.at);
    this.at += name.length;
    const field = this.field(name);
    if (!field) throw new FilterError('fieldNotFound', this.at);
    this.skipSpace();
    const op = OPERATORS.find((candidate) => this.text.startsWith(candidate, this.at));
    if (!op) throw new FilterError('invalidOp', this.at);
    this.at += op.length;
    this.skipSpace();
    const c = this.text[this.at] ?? '';
    const result =
      c === '"' || c === "'"
        ? this.stringTest(field, op, c)
        : /[\d-]/.test(c)
          ? this.numberTest(field, op)
          : undefined;
    if (!result) throw new FilterError('invalidValue', this.at);
    this.skipSpace();
    return result;
  }

  private field(name: string): FilterField | undefined {
    if (/^(comm|COMM)$/.test(name)) return { text: ({ comm }) => comm };
    if (/^(cpu|CPU)$/.test(name)) return { size: 4, signed: true, words: ({ cpu }) => ({ hi: 0, lo: cpu }) };
    const field = this.layout.find(name);
    return field && filterField(field);
  }

  private stringTest(field: FilterField, op: Operator, quote: string): Predicate {
    if (op !== '~' && op !== '==' && op !== '!=') throw new FilterError('illegalFieldOp', this.at);
    if (!('text' in field)) throw new FilterError('expectDigit', this.at);
    const end = this.text.indexOf(quote, this.at + 1);
    if (end < 0) throw new FilterError('missingQuote', this.text.length);
    const value = this.text.slice(this.at + 1, end);
    this.at = end;
    if (value.length >= MAX_FILTER_STR_VAL) throw new FilterError('operandTooLong', this.at);
    this.at++;
    const { text } = field;
    if (op === '==') return (event) => text(event) === value;
    if (op === '!=') return (event) => text(event) !== value;
    const not = value.startsWith('!');
    const glob = not ? value.slice(1) : value;
    return (event) => globMatch(glob, text(event)) !== not;
  }

  private numberTest(field: FilterField, op: Operator): Predicate {
    if (!('words' in field)) throw new FilterError('expectString', this.at);
    if (op === '~') throw new FilterError('illegalFieldOp', this.at);
    const start = this.at;
    const [digits] = /^-?[0-9A-Za-z]*/.exec(this.text.slice(start))!;
    this.at += digits.length;
    const value = parseInteger(digits, field.signed);
    if (value === undefined) throw new FilterError('illegalIntval', start);
    return comparison(field, op, truncate(value, field));
  }
}

type FilterField =
  | { readonly text: (event: Filtered) => string }
  | {
      readonly size: number;
      readonly signed: boolean;
      /** The value, its sign extended. */
      readonly words: (event: Filtered) => Words;
    };
type Words = { readonly hi: number; readonly lo: number };

function filterField(field: EventField): FilterField {
  if (field.kind !== 'number') return { text: ({ record }) => getText(record, field) };
  const { size, signed } = field;
  return { size, signed, words: ({ record }) => getWords(record, field) };
}

const both =
  (a: Predicate, b: Predicate): Predicate =>
  (event) =>
    a(event) && b(event);
const either =
  (a: Predicate, b: Predicate): Predicate =>
  (event) =>
    a(event) || b(event);

/** As kstrtoll() and kstrtoull() with base 0 read a number. */
function parseInteger(digits: string, signed: boolean): bigint | undefined {
  const [, minus, rest] = /^(-?)(.*)$/.exec(digits)!;
  let value: bigint;
  if (/^0x[0-9a-f]+$/i.test(rest)) value = BigInt(rest);
  else if (/^0[0-7]*$/.test(rest)) value = BigInt(`0o${rest}`);
  else if (/^[1-9]\d*$/.test(rest)) value = BigInt(rest);
  else return undefined;
  if (minus !== '') value = -value;
  const [low, high] = signed ? [-(2n ** 63n), 2n ** 63n - 1n] : [0n, 2n ** 64n - 1n];
  return (minus !== '' && !signed) || value < low || value > high ? undefined : value;
}

/** A number as the field's type holds it, its sign extended. */
function truncate(value: bigint, { size, signed }: { size: number; signed: boolean }): Words {
  const bits = 8 * size;
  const held = signed ? BigInt.asIntN(bits, value) : BigInt.asUintN(bits, value);
  return { hi: Number(BigInt.asIntN(32, held >> 32n)), lo: Number(BigInt.asUintN(32, held)) };
}

function comparison(
  { signed, words }: Extract<FilterField, { words: unknown }>,
  op: Exclude<Operator, '~'>,
  value: Words,
): Predicate {
  const order = (event: Filtered): number => {
    const { hi, lo } = words(event);
    const [a, b] = signed ? [hi, value.hi] : [hi >>> 0, value.hi >>> 0];
    return a === b ? lo - value.lo : a - b;
  };
  const tests: { readonly [op in Exclude<Operator, '~'>]: Predicate } = {
    '==': (event) => order(event) === 0,
    '!=': (event) => order(event) !== 0,
    '<': (event) => order(event) < 0,
    '<=': (event) => order(event) <= 0,
    '>': (event) => order(event) > 0,
    '>=': (event) => order(event) >= 0,
    '&': (event) => {
      const { hi, lo } = words(event);
      return ((hi & value.hi) | (lo & value.lo)) !== 0;
    },
  };
  return tests[op];
}

/** Whether the whole of a text is as a pattern says. @linux lib/glob.c:glob_match full */
export function globMatch(glob: string, text: string): boolean {
  let g = 0;
  let t = 0;
  let star = -1;
  let starText = 0;
  while (t < text.length) {
    if (glob[g] === '*') {
      star = g++;
      starText = t;
      continue;
    }
    const next = matchOne(glob, g, text[t]);
    if (next >= 0) {
      g = next;
      t++;
    } else {
      if (star < 0) return false;
      g = star + 1; // the last star takes one character more
      t = ++starText;
    }
  }
  while (glob[g] === '*') g++;
  return g === glob.length;
}

/** Where the pattern goes on if its next element is a character; -1 if it is not. */
function matchOne(glob: string, g: number, c: string): number {
  const p = glob[g];
  if (p === undefined) return -1;
  if (p === '?') return g + 1;
  if (p === '\\' && g + 1 < glob.length) return glob[g + 1] === c ? g + 2 : -1;
  const not = glob[g + 1] === '!';
  const first = not ? g + 2 : g + 1;
  const end = p === '[' ? glob.indexOf(']', first + 1) : -1;
  if (end < 0) return p === c ? g + 1 : -1;
  let found = false;
  for (let i = first; i < end; i++) {
    const range = glob[i + 1] === '-' && i + 2 < end;
    if (c >= glob[i] && c <= (range ? glob[i + 2] : glob[i])) found = true;
    if (range) i += 2;
  }
  return found === not ? -1 : end + 1;
}
