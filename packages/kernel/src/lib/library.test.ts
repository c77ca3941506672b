// SPDX-License-Identifier: MIT
/** The small library functions that C calls, each against a plain model. */
import { crc32 as zlibCrc32 } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { KernelFunction } from '../arch/wasm64/exports.js';
import { PAGE_OFFSET, PAGE_SIZE, type Vaddr } from '../machine/layout.js';
import { bitmapExports } from './bitmap.js';
import { conversionExports } from './conversion_exports.js';
import { findBitExports } from './find_bit.js';
import { readBytes, readS64, readUnsigned, writeBytes, writeInteger } from './guest_access.js';
import { randomExports } from './random_exports.js';
import { sortExports } from './sort.js';
import { makeTestEnv, TestFault } from './testing.js';

const env = makeTestEnv();
const callbacks = new Map<Vaddr, (...args: number[]) => number>();
const functions = {
  ...bitmapExports(
    env,
    () => A,
    () => {},
  ),
  ...findBitExports(env),
  ...sortExports(env, (fn, _signature, ...args) => callbacks.get(fn)!(...args)),
  ...randomExports(env, env.random),
  ...conversionExports(env, env.random),
};
const call = (name: string, ...args: (number | bigint | boolean)[]) =>
  (functions[name as keyof typeof functions][1] as KernelFunction)(...args);
/** Across the end of a page. */
const A = PAGE_OFFSET + 0x400000 + PAGE_SIZE - 16;
const B = PAGE_OFFSET + 0x500000 + PAGE_SIZE - 8;
const C = PAGE_OFFSET + 0x600000;

const put = (at: Vaddr, bits: readonly boolean[]) => {
  const bytes = new Uint8Array(Math.ceil(bits.length / 64) * 8);
  bits.forEach((on, i) => {
    if (on) bytes[i >> 3] |= 1 << (i & 7);
  });
  writeBytes(env, at, bytes);
};
const get = (at: Vaddr, n: number) => {
  const bytes = readBytes(env, at, Math.ceil(n / 64) * 8);
  return Array.from({ length: n }, (_, i) => ((bytes[i >> 3] >> (i & 7)) & 1) === 1);
};
const text = (at: Vaddr, content: string) => {
  writeBytes(env, at, Uint8Array.from([...Array.from(content, (c) => c.charCodeAt(0)), 0]));
  return at;
};
const string = (at: Vaddr, length: number) => String.fromCharCode(...readBytes(env, at, length));

const bits = fc.integer({ min: 1, max: 300 }).chain((n) =>
  fc.record({
    n: fc.constant(n),
    a: fc.array(fc.boolean(), { minLength: n, maxLength: n }),
    b: fc.array(fc.boolean(), { minLength: n, maxLength: n }),
    start: fc.nat(n),
    count: fc.nat(n),
  }),
);

describe('bit maps', () => {
  it('search', () =>
    fc.assert(
      fc.property(bits, ({ n, a, b, start }) => {
        put(A, a);
        put(B, b);
        const first = (from: number, test: (i: number) => boolean) => {
          for (let i = from; i < n; i++) if (test(i)) return i;
          return n;
        };
        expect(call('_find_first_bit', A, n)).toBe(first(0, (i) => a[i]));
        expect(call('_find_next_bit', A, n, start)).toBe(first(start, (i) => a[i]));
        expect(call('_find_next_zero_bit', A, n, start)).toBe(first(start, (i) => !a[i]));
        expect(call('_find_next_and_bit', A, B, n, start)).toBe(first(start, (i) => a[i] && b[i]));
        expect(call('_find_next_andnot_bit', A, B, n, start)).toBe(first(start, (i) => a[i] && !b[i]));
        const last = a.lastIndexOf(true);
        expect(call('_find_last_bit', A, n)).toBe(last < 0 ? n : last);
      }),
      { seed: 1, numRuns: 500 },
    ));

  it('combine', () =>
    fc.assert(
      fc.property(bits, ({ n, a, b, start, count }) => {
        put(A, a);
        put(B, b);
        const result = (name: string, ...args: number[]) => {
          call(name, C, ...args);
          return get(C, n);
        };
        expect(result('__bitmap_and', A, B, n)).toEqual(a.map((x, i) => x && b[i]));
        expect(result('__bitmap_or', A, B, n)).toEqual(a.map((x, i) => x || b[i]));
        expect(result('__bitmap_xor', A, B, n)).toEqual(a.map((x, i) => x !== b[i]));
        expect(result('__bitmap_andnot', A, B, n)).toEqual(a.map((x, i) => x && !b[i]));
        expect(result('__bitmap_complement', A, n)).toEqual(a.map((x) => !x));
        expect(result('__bitmap_shift_left', A, start, n)).toEqual(a.map((_, i) => a[i - start] ?? false));
        expect(result('__bitmap_shift_right', A, start, n)).toEqual(a.map((_, i) => a[i + start] ?? false));
        expect(call('__bitmap_weight', A, n)).toBe(a.filter(Boolean).length);
        expect(call('__bitmap_intersects', A, B, n)).toBe(a.some((x, i) => x && b[i]));
        expect(call('__bitmap_subset', A, B, n)).toBe(a.every((x, i) => !x || b[i]));
        expect(call('__bitmap_equal', A, A, n)).toBe(true);
        const run = Math.min(count, n - start);
        call('__bitmap_set', A, start, run);
        const set = a.map((x, i) => x || (i >= start && i < start + run));
        expect(get(A, n)).toEqual(set);
        call('__bitmap_clear', A, start, run);
        expect(get(A, n)).toEqual(set.map((x, i) => x && !(i >= start && i < start + run)));
      }),
      { seed: 2, numRuns: 400 },
    ));

  it('are written and read back', () =>
    fc.assert(
      fc.property(bits, fc.boolean(), ({ n, a }, list) => {
        put(A, a);
        const length = call('bitmap_print_to_pagebuf', list, C, A, n) as number;
        const shown = string(C, length);
        const error = list
          ? call('bitmap_parselist', text(C, shown), B, n)
          : call('bitmap_parse', text(C, shown), 4096, B, n);
        expect([error, get(B, n)]).toEqual([0, a]);
      }),
      { seed: 3, numRuns: 300 },
    ));

  it('are parsed strictly', () => {
    const list = (s: string, n = 16) => {
      const error = call('bitmap_parselist', text(C, s), B, n);
      return error === 0 ? get(B, n).flatMap((on, i) => (on ? [i] : [])) : error;
    };
    expect(list('0-3,8')).toEqual([0, 1, 2, 3, 8]);
    expect(list('0-15:2/4')).toEqual([0, 1, 4, 5, 8, 9, 12, 13]);
    expect(list('all')).toHaveLength(16);
    expect(list('14-N\n')).toEqual([14, 15]);
    expect([list('3-1'), list('16'), list('a'), list('1-'), list('0-3:1/0')]).toEqual([
      -22, -34, -22, -22, -22,
    ]);
    const mask = (s: string) => call('bitmap_parse', text(C, s), 100, B, 16);
    expect([mask('ff'), mask('10000'), mask('x'), mask('123456789'), mask('')]).toEqual([
      0, -75, -22, -75, 0,
    ]);
  });

  it('give and take back regions', () => {
    put(A, Array(64).fill(false));
    expect([0, 1, 2].map(() => call('bitmap_find_free_region', A, 64, 2))).toEqual([0, 4, 8]);
    call('bitmap_release_region', A, 4, 2);
    expect(call('bitmap_allocate_region', A, 8, 2)).toBe(-16);
    expect(call('bitmap_find_next_zero_area_off', A, 64, 0, 5, 7, 0)).toBe(16);
    expect(call('bitmap_find_next_zero_area_off', A, 64, 0, 3, 0, 0)).toBe(4);
    expect(call('bitmap_find_free_region', A, 64, 6)).toBe(-12);
  });

  it('fault where they end, however long they are said to be', () => {
    expect(() => call('__bitmap_set', A, 0, 2 ** 31 - 1)).toThrow(TestFault);
    expect(() => call('__bitmap_weight', A, 2 ** 32 - 1)).toThrow(TestFault);
  });
});

describe('sorting', () => {
  const ints = fc.array(fc.integer({ min: -50, max: 50 }), { maxLength: 40 });
  const int = (at: Vaddr) => readUnsigned(env, at, 4) | 0;
  callbacks.set(1, (a, b) => int(a) - int(b));
  callbacks.set(2, (a, b, size) => {
    const held = readBytes(env, a, size);
    writeBytes(env, a, readBytes(env, b, size));
    writeBytes(env, b, held);
    return 0;
  });
  callbacks.set(3, (_priv, a, b) => int(a + 16) - int(b + 16));
  const place = (values: number[]) => {
    for (const [i, v] of values.entries()) writeInteger(env, A + 4 * i, v, 4);
  };

  it('sorts arrays and finds in them', () =>
    fc.assert(
      fc.property(ints, fc.constantFrom(0, 2), (values, swap) => {
        place(values);
        call('sort', A, values.length, 4, 1, swap);
        const sorted = [...values].sort((x, y) => x - y);
        expect(values.map((_, i) => int(A + 4 * i))).toEqual(sorted);
        for (const key of [-51, 0, ...values]) {
          writeInteger(env, C, key, 4);
          const found = call('bsearch', C, A, values.length, 4, 1) as number;
          expect(found === 0 ? undefined : int(found)).toBe(values.includes(key) ? key : undefined);
        }
      }),
      { seed: 4, numRuns: 300 },
    ));

  it('sorts lists stably', () =>
    fc.assert(
      fc.property(ints, (values) => {
        const node = (i: number) => C + 64 + 32 * i;
        const order = [C, ...values.map((_, i) => node(i)), C];
        order.slice(0, -1).forEach((at, i) => {
          writeInteger(env, at, order[i + 1], 8);
          writeInteger(env, order[i + 1] + 8, at, 8);
        });
        for (const [i, v] of values.entries()) writeInteger(env, node(i) + 16, v, 4);
        call('list_sort', 0, C, 3);
        const seen: number[] = [];
        for (let at = readS64(env, C); at !== C; at = readS64(env, at)) {
          expect(readS64(env, readS64(env, at) + 8)).toBe(at);
          seen.push((at - node(0)) / 32);
        }
        const expected = values.map((_, i) => i).sort((x, y) => values[x] - values[y] || x - y);
        expect(seen).toEqual(expected);
      }),
      { seed: 5, numRuns: 200 },
    ));
});

describe('numbers and names', () => {
  it('converts hexadecimal', () => {
    writeBytes(env, A, Uint8Array.of(0xde, 0xad, 0x01));
    expect(call('bin2hex', C, A, 3)).toBe(C + 6);
    expect(string(C, 6)).toBe('dead01');
    expect(call('hex2bin', B, C, 3)).toBe(0);
    expect([...readBytes(env, B, 3)]).toEqual([0xde, 0xad, 1]);
    expect(call('hex2bin', B, text(C, '0g'), 1)).toBe(-22);
    expect(['0', 'f', 'F', 'g'].map((c) => call('hex_to_bin', c.charCodeAt(0)))).toEqual([0, 15, 15, -1]);
    expect(call('num_to_str', C, 30, 2n ** 64n - 1n, 22)).toBe(22);
    expect(string(C, 22)).toBe('  18446744073709551615');
    expect(call('num_to_str', C, 3, 1234n, 0)).toBe(0);
  });

  it('checks sums', () => {
    const sample = text(A, '123456789');
    expect((call('crc32_le', 0xffffffff, sample, 9) as number) ^ -1).toBe(0xcbf43926 | 0);
    expect((call('__crc32c_le', 0xffffffff, sample, 9) as number) ^ -1).toBe(0xe3069283 | 0);
    expect((call('crc32_be', 0xffffffff, sample, 9) as number) ^ -1).toBe(0xfc891918 | 0);
    expect(call('crc16', 0, sample, 9)).toBe(0xbb3d);
    if (zlibCrc32)
      fc.assert(
        fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
          writeBytes(env, A, bytes);
          expect(((call('crc32_le', 0xffffffff, A, bytes.length) as number) ^ -1) >>> 0).toBe(
            zlibCrc32(bytes),
          );
        }),
        { seed: 6 },
      );
  });

  it('makes and reads UUIDs', () => {
    call('uuid_gen', A);
    const bytes = readBytes(env, A, 16);
    expect([bytes[6] >> 4, bytes[8] >> 6]).toEqual([4, 2]);
    const id = text(C, '00112233-4455-6677-8899-aabbccddeeff');
    expect([call('uuid_is_valid', id), call('uuid_parse', id, A), call('guid_parse', id, B)]).toEqual([
      true,
      0,
      0,
    ]);
    expect([...readBytes(env, A, 4), ...readBytes(env, B, 4)]).toEqual([
      0, 0x11, 0x22, 0x33, 0x33, 0x22, 0x11, 0,
    ]);
    expect(call('uuid_parse', text(C, 'no'), A)).toBe(-22);
  });

  it('draws numbers that a seed repeats', () => {
    const draw = () => {
      env.random.boot(7);
      call('get_random_bytes', A, 40);
      return [string(A, 40), call('get_random_u32'), call('get_random_u64'), call('get_random_u8')];
    };
    expect(draw()).toEqual(draw());
    for (let i = 0; i < 4; i++) writeInteger(env, C + 4 * i, 1000 + i, 4);
    const first = call('prandom_u32_state', C);
    for (let i = 0; i < 4; i++) writeInteger(env, C + 4 * i, 1000 + i, 4);
    expect(call('prandom_u32_state', C)).toBe(first);
    expect(call('prandom_u32_state', C)).not.toBe(first);
  });
});
