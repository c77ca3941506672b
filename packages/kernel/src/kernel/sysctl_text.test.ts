// SPDX-License-Identifier: MIT
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeUtf8 } from '../lib/utf8.js';
import {
  BOOL_CODEC,
  type Codec,
  INT_CODEC,
  JIFFIES_CODEC,
  MS_CODEC,
  parseNumber,
  printVector,
  storeVector,
  stringValue,
  UINT_CODEC,
  ULONG_CODEC,
  ULONG_MS_CODEC,
  USERHZ_CODEC,
} from './sysctl_text.js';

function vectorOf(codec: Codec, values: bigint[], limits: { min?: bigint; max?: bigint } = {}) {
  const { min, max } = limits;
  return {
    codec,
    length: values.length,
    get: (i: number) => values[i],
    set: (i: number, value: bigint) => {
      values[i] = value;
    },
    ...(min !== undefined && { min: () => min }),
    ...(max !== undefined && { max: () => max }),
  };
}

/** Writes a text; the values after it, and what the write led to. */
function write(codec: Codec, before: bigint[], text: string, limits = {}) {
  const values = [...before];
  const { error, used } = storeVector(vectorOf(codec, values, limits), encodeUtf8(text));
  return { error, used, values };
}

/** Slow and obvious: what Linux makes of the words of a text that ends in no junk. */
function model(words: readonly string[], before: readonly bigint[]) {
  const values = [...before];
  let error = 0;
  let stored = 0;
  for (; stored < words.length && stored < values.length; stored++) {
    const value = /^-?(0x[0-9a-f]+|0[0-7]*|[1-9][0-9]*)$/i.test(words[stored])
      ? BigInt(words[stored].replace('-', '').replace(/^0(?=[0-7])/, '0o')) *
        (words[stored].startsWith('-') ? -1n : 1n)
      : undefined;
    if (value === undefined || value > 0x7fffffffn || value < -0x80000000n) {
      error = -22;
      break;
    }
    values[stored] = value;
  }
  return { values, error: stored === 0 ? -22 : error };
}

describe('numbers', () => {
  it('agree with a plain model for any words', () => {
    const number = fc.oneof(
      fc.integer().map(String),
      fc.integer({ min: 0 }).map((n) => `0x${n.toString(16)}`),
      fc.integer({ min: 0 }).map((n) => `0${n.toString(8)}`),
      fc.bigInt({ min: -(2n ** 65n), max: 2n ** 65n }).map(String),
      fc.constantFrom(
        '2147483647',
        '2147483648',
        '-2147483648',
        '-2147483649',
        '08',
        '0x',
        '-',
        '+1',
        '1e3',
        'x',
        '9-',
      ),
    );
    const blank = fc.constantFrom(' ', '\t', '\n', '  ', ' \t');
    fc.assert(
      fc.property(
        fc.array(number, { maxLength: 5 }),
        fc.array(blank, { minLength: 6, maxLength: 6 }),
        fc.integer({ min: 1, max: 4 }),
        (words, blanks, length) => {
          const before = Array.from({ length }, (_, i) => BigInt(i));
          const text = words.map((word, i) => `${blanks[i]}${word}`).join('') + blanks[5];
          const { values, error } = write(INT_CODEC, before, text);
          expect({ values, error }, JSON.stringify(text)).toEqual(model(words, before));
        },
      ),
      { seed: 61, numRuns: 1000 },
    );
  });

  it('never throw, and take no more than there is, whatever the bytes', () => {
    const codecs = [
      INT_CODEC,
      UINT_CODEC,
      BOOL_CODEC,
      JIFFIES_CODEC,
      MS_CODEC,
      USERHZ_CODEC,
      ULONG_CODEC,
      ULONG_MS_CODEC,
    ];
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), fc.constantFrom(...codecs), (bytes, codec) => {
        const values = [7n, 8n];
        const { error, used } = storeVector(vectorOf(codec, values), bytes);
        expect([0, -22]).toContain(error);
        expect(used).toBeLessThanOrEqual(bytes.length);
        for (const value of values) expect(BigInt.asUintN(8 * codec.stride, value)).toBeDefined();
      }),
      { seed: 62, numRuns: 1000 },
    );
  });

  it('come back as they were written', () => {
    fc.assert(
      fc.property(fc.array(fc.integer(), { minLength: 1, maxLength: 6 }), (numbers) => {
        const values = numbers.map(BigInt);
        const text = printVector(vectorOf(INT_CODEC, values), 4096);
        expect(text).toBe(`${numbers.join('\t')}\n`);
        expect(
          write(
            INT_CODEC,
            values.map(() => 0n),
            text,
          ),
        ).toEqual({ error: 0, used: text.length, values });
      }),
      { seed: 63 },
    );
  });

  it('are at most 20 characters long', () => {
    expect(parseNumber(encodeUtf8('18446744073709551615'), 0)?.number.magnitude).toBe(2n ** 64n - 1n);
    expect(parseNumber(encodeUtf8('18446744073709551616'), 0)).toBeUndefined();
    expect(parseNumber(encodeUtf8(`${'0'.repeat(20)}`), 0)?.end).toBe(20);
    expect(parseNumber(encodeUtf8(`${'0'.repeat(21)}`), 0)).toBeUndefined();
  });

  it('stay within limits', () => {
    const limits = { min: 0n, max: 4n };
    expect(write(INT_CODEC, [2n], '4', limits).values).toEqual([4n]);
    expect(write(INT_CODEC, [2n], '5', limits)).toEqual({ error: -22, used: 0, values: [2n] });
    expect(write(INT_CODEC, [2n, 2n], '1 -1', limits)).toEqual({ error: -22, used: 4, values: [1n, 2n] });
  });

  it('are shown in other units', () => {
    expect(write(JIFFIES_CODEC, [0n], '-2').values).toEqual([-500n]);
    expect(printVector(vectorOf(JIFFIES_CODEC, [-749n]), 99)).toBe('-2\n');
    expect(write(JIFFIES_CODEC, [0n], '8589935').error).toBe(-22);
    expect(write(MS_CODEC, [0n], '1').values).toEqual([1n]);
    expect(write(MS_CODEC, [0n], '-1').error).toBe(-22);
    expect(write(USERHZ_CODEC, [0n], '100').values).toEqual([250n]);
    expect(write(ULONG_MS_CODEC, [0n], '1000').values).toEqual([250n]);
    expect(write(ULONG_CODEC, [0n], '-1').error).toBe(-22);
    expect(write(BOOL_CODEC, [0n], '-3').values).toEqual([1n]);
    expect(write(UINT_CODEC, [0n], '5 junk')).toEqual({ error: 0, used: 6, values: [5n] });
  });

  it('are cut where the reader has no room', () => {
    expect(printVector(vectorOf(INT_CODEC, [12n, 345n]), 4)).toBe('12\t3');
    expect(printVector(vectorOf(INT_CODEC, [12n]), 2)).toBe('12');
    expect(printVector(vectorOf(INT_CODEC, []), 9)).toBe('');
  });
});

it('strings end at a newline or NUL', () => {
  const value = (text: string, max: number) => String.fromCharCode(...stringValue(encodeUtf8(text), max));
  expect(value('abc\ndef', 9)).toBe('abc');
  expect(value('abc\0def', 9)).toBe('abc');
  expect(value('abcdef', 4)).toBe('abcd');
});
