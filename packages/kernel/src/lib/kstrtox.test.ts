// SPDX-License-Identifier: MIT
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { KernelFunction } from '../arch/wasm64/exports.js';
import { PAGE_OFFSET } from '../machine/layout.js';
import { readBytes, readS64, writeBytes } from './guest_access.js';
import { kstrtoxExports } from './kstrtox_exports.js';
import { makeTestEnv } from './testing.js';
import { AREA, layOut } from './vsprintf_testing.js';

const env = makeTestEnv();
const functions = kstrtoxExports(env, (from, count) =>
  from === 4 ? undefined : readBytes(env, from, count),
);
const call = (name: string, ...args: (number | bigint)[]) => (functions[name][1] as KernelFunction)(...args);
const TEXT = PAGE_OFFSET + 0x500000;
const RESULT = PAGE_OFFSET + 0x510000;
const put = (text: string, at = TEXT) => {
  writeBytes(env, at, Uint8Array.from([...Array.from(text, (c) => c.charCodeAt(0)), 0]));
  return at;
};
const value = (bytes: number, signed: boolean) => {
  const v = readBytes(env, RESULT, bytes).reduceRight((sum, b) => (sum << 8n) | BigInt(b), 0n);
  return signed ? BigInt.asIntN(8 * bytes, v) : v;
};
/** What the function gives: a value, or a negative errno. */
function convert(suffix: string, text: string, base: number): bigint | number {
  const [bits, signed] = {
    ull: [64, false],
    ll: [64, true],
    uint: [32, false],
    int: [32, true],
    u16: [16, false],
    s16: [16, true],
    u8: [8, false],
    s8: [8, true],
  }[suffix] as [number, boolean]; // prettier-ignore
  const error = call(`kstrto${suffix}`, put(text), base, RESULT) as number;
  return error < 0 ? error : value(bits / 8, signed);
}

describe('kstrto', () => {
  it.each([
    ['int', '7', 0, 7n],
    ['int', '-12', 0, -12n],
    ['int', '0x1f', 0, 31n],
    ['int', '017', 0, 15n],
    ['int', '0x', 0, -22],
    ['int', '0xg', 16, -22],
    ['int', '+5\n', 10, 5n],
    ['int', '5\n\n', 10, -22],
    ['int', ' 5', 10, -22],
    ['int', '', 10, -22],
    ['int', '\n', 10, -22],
    ['int', '-', 10, -22],
    ['int', '-+1', 10, -22],
    ['int', 'abc', 0, -22],
    ['int', 'abc', 16, 0xabcn],
    ['int', '12a', 10, -22],
    ['int', '2147483647', 10, 2147483647n],
    ['int', '2147483648', 10, -34],
    ['int', '-2147483648', 10, -2147483648n],
    ['int', '-2147483649', 10, -34],
    ['uint', '-1', 10, -22],
    ['uint', '4294967296', 10, -34],
    ['u8', '255', 10, 255n],
    ['u8', '256', 10, -34],
    ['s8', '-128', 10, -128n],
    ['u16', '0XfFfF', 0, 65535n],
    ['ull', '18446744073709551615', 10, 2n ** 64n - 1n],
    ['ull', '18446744073709551616', 10, -34],
    ['ull', '99999999999999999999x', 10, -34],
    ['ll', '-9223372036854775808', 10, -(2n ** 63n)],
    ['ll', '9223372036854775808', 10, -34],
    ['ull', '1010', 2, 10n],
    ['ull', '12', 2, -22],
  ] as const)('%s of %j in base %i', (suffix, text, base, expected) =>
    expect(convert(suffix, text, base)).toBe(expected),
  );

  it('takes every number that fits and no other', () =>
    fc.assert(
      fc.property(
        fc.bigInt(-(2n ** 66n), 2n ** 66n),
        fc.constantFrom(0, 2, 8, 10, 16),
        fc.constantFrom('ull', 'll', 'uint', 'int', 'u8', 's16'),
        (n, base, suffix) => {
          const magnitude = n < 0n ? -n : n;
          const small = suffix === 'ull' || suffix === 'll' ? magnitude : magnitude % 100000n;
          const text = `${n < 0n ? '-' : ''}${base === 16 ? '0x' : ''}${small.toString(base || 10)}`;
          const wanted = n < 0n ? -small : small;
          const [low, high] = {
            ull: [0n, 2n ** 64n],
            ll: [-(2n ** 63n), 2n ** 63n],
            uint: [0n, 2n ** 32n],
            int: [-(2n ** 31n), 2n ** 31n],
            u8: [0n, 256n],
            s16: [-32768n, 32768n],
          }[suffix]!;
          const unsigned = suffix.startsWith('u');
          const expected = unsigned && n < 0n ? -22 : wanted < low || wanted >= high ? -34 : wanted;
          expect(convert(suffix, text, base)).toBe(expected);
        },
      ),
      { seed: 5, numRuns: 2000 },
    ));

  it('reads booleans', () => {
    const bool = (text: string) => {
      const error = call('kstrtobool', put(text), RESULT) as number;
      return error < 0 ? error : Number(value(1, false));
    };
    expect(['y', 'Yes', '1', 't', 'on', 'ON!'].map(bool)).toEqual(Array(6).fill(1));
    expect(['n', 'No', '0x', 'false', 'off', 'oF'].map(bool)).toEqual(Array(6).fill(0));
    expect(['', 'o', 'x', '2', ' 1'].map(bool)).toEqual(Array(5).fill(-22));
    expect(call('kstrtobool', 0, RESULT)).toBe(-22);
  });

  it('copies from a program', () => {
    put('42\nrubbish');
    expect(call('kstrtoint_from_user', TEXT, 3, 10, RESULT)).toBe(0);
    expect(value(4, true)).toBe(42n);
    expect(call('kstrtoint_from_user', 4, 3, 10, RESULT)).toBe(-14);
    expect(call('kstrtobool_from_user', TEXT, 1, RESULT)).toBe(-22);
  });
});

describe('simple_strto', () => {
  const simple = (name: string, text: string, base: number) => {
    const result = call(name, put(text), RESULT, base);
    return [result, readS64(env, RESULT) - TEXT];
  };
  it('stops where the number ends', () => {
    expect(simple('simple_strtoul', '123abc', 10)).toEqual([123n, 3]);
    expect(simple('simple_strtoul', '0x1fz', 0)).toEqual([31n, 4]);
    expect(simple('simple_strtoul', '0xz', 16)).toEqual([0n, 2]);
    expect(simple('simple_strtoul', '0xz', 0)).toEqual([0n, 1]);
    expect(simple('simple_strtol', '-5 ', 10)).toEqual([-5n, 2]);
    expect(simple('simple_strtoull', '18446744073709551617', 10)).toEqual([1n, 20]);
    expect(simple('simple_strtoull', '', 10)).toEqual([0n, 0]);
    expect(call('simple_strtol', put('-7'), 0, 10)).toBe(-7n);
  });
});

describe('sscanf', () => {
  /** Runs sscanf with one target of 64 bytes for each argument. */
  const scan = (input: string, format: string, count = 4) => {
    const targets = Array.from({ length: count }, (_, i) => RESULT + 64 * i);
    for (const t of targets) writeBytes(env, t, new Uint8Array(64).fill(0xee));
    layOut(
      env,
      AREA,
      targets.map((p) => ({ p })),
      () => 0,
    );
    const n = call('sscanf', put(input), put(format, TEXT + 0x1000), AREA);
    const int = (i: number, bytes = 4) =>
      readBytes(env, targets[i], bytes).reduceRight((sum, b) => sum * 256 + b, 0) | 0;
    const text = (i: number) => String.fromCharCode(...readBytes(env, targets[i], 64)).split('\0')[0];
    return { n, int, text };
  };

  it('reads integers of every size', () => {
    const { n, int } = scan('12 -34 0x1f 077', '%d %d %i %o');
    expect([n, int(0), int(1), int(2), int(3)]).toEqual([4, 12, -34, 31, 63]);
    const small = scan('300 70000', '%hhu %hd');
    expect([small.n, small.int(0, 1), small.int(1, 2)]).toEqual([2, 44, 4464]);
    expect(scan('300', '%hhu').int(0) >>> 8).toBe(0xeeeeee);
    scan('-1', '%lld');
    expect(readS64(env, RESULT)).toBe(-1);
    scan('ffffffffffffffff', '%lx');
    expect(readBytes(env, RESULT, 8).every((b) => b === 0xff)).toBe(true);
  });

  it('reads words, sets and characters', () => {
    const { n, text } = scan('  key=value rest', ' %10[a-key]=%s %2c');
    expect([n, text(0), text(1)]).toEqual([3, 'key', 'value']);
    expect(scan('abc;', '%4[^;];').text(0)).toBe('abc');
    expect(scan('abc', '%[abc]').n).toBe(0);
    expect(scan('abc', '%3[]').n).toBe(0);
    expect(scan('hello', '%3s%s').text(1)).toBe('lo');
  });

  it('honours widths, literals, skips and %n', () => {
    const { n, int } = scan('2024-11', '%2d%2d-%d');
    expect([n, int(0), int(1), int(2)]).toEqual([3, 20, 24, 11]);
    expect(scan('a1', 'b%d').n).toBe(0);
    expect(scan('x 5 7', '%*s %d%n').int(1)).toBe(3);
    expect(scan('50%', '%d%%').n).toBe(1);
    expect(scan('5', '%d%d').n).toBe(1);
    expect(scan('-', '%d').n).toBe(0);
    expect(scan('-5', '%1d').n).toBe(0);
    expect(scan('', '%d').n).toBe(0);
    expect(scan('5', '%0d').n).toBe(0);
    expect(scan('5', '%q').n).toBe(0);
    expect(scan('0x12', '%1x').n).toBe(1);
  });

  it('survives any format', () => {
    const letters = fc.string({
      unit: fc.constantFrom(
        '%',
        '*',
        '[',
        ']',
        '^',
        'd',
        'x',
        's',
        'c',
        'n',
        'l',
        'h',
        '3',
        '9',
        ' ',
        'a',
        '-',
      ),
      maxLength: 24,
    });
    fc.assert(
      fc.property(letters, letters, (input, format) => {
        const n = scan(input.replaceAll('9', '1'), format.replaceAll('9', '4'), 24).n as number;
        expect(n).toBeLessThanOrEqual(24);
      }),
      { seed: 3, numRuns: 2000 },
    );
  });
});
