// SPDX-License-Identifier: MIT
/** Filters: random expressions against a plain evaluator, and what is said of wrong ones. */

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { EventLayout } from './event_fields.js';
import { compileFilter, FilterError, globMatch } from './event_filter.js';

const LAYOUT = new EventLayout([
  'unsigned char small',
  'int node',
  'unsigned int order',
  'const void * ptr',
  's64 when',
  'char comm_field[8]',
  '__data_loc char[] name',
]);
type Values = {
  small: number;
  node: number;
  order: number;
  ptr: bigint;
  when: bigint;
  comm_field: string;
  name: string;
};

/** Writes a record byte by byte, past the encoder, so that all 64 bits count. */
function record(values: Values): DataView {
  const view = new DataView(new ArrayBuffer(128));
  LAYOUT.encode(view, { type: 21, flags: 0, preemptCount: 0, pid: 78 }, { ...values, ptr: 0, when: 0 });
  view.setBigUint64(LAYOUT.find('ptr')!.offset, values.ptr, true);
  view.setBigInt64(LAYOUT.find('when')!.offset, values.when, true);
  return view;
}

const TYPES = {
  small: [8, false],
  node: [32, true],
  order: [32, false],
  ptr: [64, false],
  when: [64, true],
} as const;
type NumberField = keyof typeof TYPES;
type Expression =
  | { kind: 'number'; field: NumberField; op: string; value: bigint }
  | { kind: 'text'; field: 'comm_field' | 'name' | 'comm'; op: string; value: string }
  | { kind: 'not'; a: Expression }
  | { kind: 'and' | 'or'; a: Expression; b: Expression };

const letters = (max: number) => fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: max });
const interesting = (signed: boolean) =>
  fc.oneof(
    fc.bigInt(0n, 300n),
    fc.constantFrom(0n, 1n, 255n, 2n ** 31n - 1n, 2n ** 31n, 2n ** 32n, 2n ** 63n - 1n),
    signed ? fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n) : fc.bigInt(0n, 2n ** 64n - 1n),
  );
const comparison = fc.constantFrom(...(Object.keys(TYPES) as NumberField[])).chain((field) =>
  fc.record({
    kind: fc.constant('number' as const),
    field: fc.constant(field),
    op: fc.constantFrom('==', '!=', '<', '<=', '>', '>=', '&'),
    value: interesting(TYPES[field][1]),
  }),
);
const text = fc.record({
  kind: fc.constant('text' as const),
  field: fc.constantFrom('comm_field' as const, 'name' as const, 'comm' as const),
  op: fc.constantFrom('==', '!=', '~'),
  value: fc.string({ unit: fc.constantFrom('a', 'b', 'c', '*', '?'), maxLength: 5 }),
});
const { expression } = fc.letrec<{ expression: Expression }>((tie) => ({
  expression: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    comparison,
    text,
    fc.record({ kind: fc.constant('not' as const), a: tie('expression') }),
    fc.record({
      kind: fc.constantFrom('and' as const, 'or' as const),
      a: tie('expression'),
      b: tie('expression'),
    }),
  ),
}));

/** As few parentheses as the grammar needs: so that precedence is tested. */
function write(e: Expression, spaces: string, inside: 'any' | 'and' | 'not' = 'any'): string {
  switch (e.kind) {
    case 'number':
      return `${e.field}${spaces}${e.op}${spaces}${e.value > 9n ? `0x${e.value.toString(16)}` : e.value}`;
    case 'text':
      return `${e.field}${spaces}${e.op}${spaces}"${e.value}"`;
    case 'not':
      return `!(${write(e.a, spaces)})`;
    case 'and': {
      const text = `${write(e.a, spaces, 'and')}${spaces}&&${spaces}${write(e.b, spaces, 'and')}`;
      return inside === 'not' ? `(${text})` : text;
    }
    case 'or': {
      const text = `${write(e.a, spaces)}${spaces}||${spaces}${write(e.b, spaces)}`;
      return inside === 'any' ? text : `(${text})`;
    }
  }
}

/** The plain evaluator: whole numbers, regular expressions. */
function evaluate(e: Expression, values: Values & { comm: string }): boolean {
  switch (e.kind) {
    case 'not':
      return !evaluate(e.a, values);
    case 'and':
      return evaluate(e.a, values) && evaluate(e.b, values);
    case 'or':
      return evaluate(e.a, values) || evaluate(e.b, values);
    case 'text': {
      const value = values[e.field];
      if (e.op === '~')
        return new RegExp(`^${e.value.replaceAll('*', '.*').replaceAll('?', '.')}$`).test(value);
      return (value === e.value) === (e.op === '==');
    }
    case 'number': {
      const [bits, signed] = TYPES[e.field];
      const b = signed ? BigInt.asIntN(bits, e.value) : BigInt.asUintN(bits, e.value);
      const a = BigInt(values[e.field]);
      const results: { [op: string]: boolean } = {
        '==': a === b,
        '!=': a !== b,
        '<': a < b,
        '<=': a <= b,
        '>': a > b,
        '>=': a >= b,
        '&': (a & b) !== 0n,
      };
      return results[e.op];
    }
  }
}

test('random filters decide as a plain evaluator does', () => {
  const values = fc.record({
    small: fc.integer({ min: 0, max: 255 }),
    node: fc.oneof(fc.integer({ min: -2, max: 2 }), fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 })),
    order: fc.oneof(fc.integer({ min: 0, max: 11 }), fc.integer({ min: 0, max: 2 ** 32 - 1 })),
    ptr: interesting(false),
    when: interesting(true),
    comm_field: letters(7),
    name: letters(6),
    comm: letters(6),
  });
  fc.assert(
    fc.property(expression, values, fc.constantFrom('', ' ', '  '), (e, v, spaces) => {
      const predicate = compileFilter(write(e, spaces), LAYOUT);
      const seen = predicate({ record: record(v), comm: v.comm, cpu: 0 });
      expect(seen).toBe(evaluate(e, v));
    }),
    { seed: 20221211, numRuns: 3000 },
  );
});

describe('what is wrong is said', () => {
  test.each([
    ['', 'No filter found'],
    ['nothing == 1', 'Field not found'],
    ['node', 'Invalid operator'],
    ['node = 1', 'Invalid operator'],
    ['node == x', 'Invalid value (did you forget quotes)?'],
    ['node == 12x', 'Illegal integer value'],
    ['order == -1', 'Illegal integer value'],
    ['ptr == 0x10000000000000000', 'Illegal integer value'],
    ['node == "1"', 'Expecting numeric field'],
    ['name == 1', 'Expecting string field'],
    ['name > "a"', 'Illegal operation for field type'],
    ['node ~ 1', 'Illegal operation for field type'],
    ['name == "a', 'Missing matching quote'],
    ['(node == 1', "Too many '('"],
    ['node == 1)', "Too few '('"],
    ['node == 1 node == 2', 'Too many terms in predicate expression'],
    ['node == 1 & order == 2', 'Too many terms in predicate expression'],
    ['node == 1 &&', 'Meaningless filter expression'],
    [`name == "${'a'.repeat(256)}"`, 'Operand too long'],
    [`${'('.repeat(5000)}node == 1${')'.repeat(5000)}`, "Too many '('"],
  ])('%s', (filter, message) => {
    expect(() => compileFilter(filter, LAYOUT)).toThrow(
      new FilterError('noFilter', 0).constructor as typeof FilterError,
    );
    expect(() => compileFilter(filter, LAYOUT)).toThrow(message);
  });

  test('whatever is written is taken or refused with an error of its own', () => {
    const piece = fc.constantFrom(
      'node',
      'name',
      '==',
      '&&',
      '||',
      '(',
      ')',
      '!',
      '"',
      "'",
      '1',
      '-',
      ' ',
      '~',
      '*',
      '&',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        const filter = pieces.join('');
        try {
          compileFilter(filter, LAYOUT);
        } catch (error) {
          expect(error).toBeInstanceOf(FilterError);
          expect((error as FilterError).report(filter)).toMatch(/\^\nparse_error: /);
        }
      }),
      { seed: 20221211, numRuns: 2000 },
    );
  });
});

test('fields that every event has', () => {
  const v = { small: 1, node: 2, order: 3, ptr: 4n, when: 5n, comm_field: 'x', name: 'y' };
  const passes = (filter: string) =>
    compileFilter(filter, LAYOUT)({ record: record(v), comm: 'insmod', cpu: 3 });
  expect(passes('common_pid == 78 && common_type == 21')).toBe(true);
  expect(passes('COMM ~ "ins*" && CPU == 3 && !(cpu != 3)')).toBe(true);
  expect(passes('comm ~ "!ins*"')).toBe(false);
});

test('patterns as glob_match() takes them', () => {
  const cases: [string, string, boolean][] = [
    ['[a-c]x', 'bx', true],
    ['[!a-c]x', 'bx', false],
    ['[!a-c]x', 'dx', true],
    ['[]]', ']', true],
    ['[a', '[a', true],
    ['\\*', '*', true],
    ['\\*', 'a', false],
    ['a*b*c', 'axxbxxbc', true],
    ['*', '', true],
    ['?', '', false],
    [`${'*a'.repeat(30)}*b`, 'a'.repeat(4000), false],
  ];
  for (const [glob, value, expected] of cases) expect(globMatch(glob, value), glob).toBe(expected);
});
