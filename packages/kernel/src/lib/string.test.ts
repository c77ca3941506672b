// SPDX-License-Identifier: MIT
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { KernelFunction } from '../arch/wasm64/exports.js';
import { PAGE_OFFSET, PAGE_SIZE } from '../machine/layout.js';
import { readBytes, readS64, writeBytes, writeInteger } from './guest_access.js';
import { stringCopyExports, stringExports } from './string_exports.js';
import { makeTestEnv, TestFault } from './testing.js';

/** Room that ends where the next page is not mapped: whoever reads too far is caught. */
const env = makeTestEnv();
const ROOM_A = PAGE_OFFSET + 0x400000;
const ROOM_B = PAGE_OFFSET + 0x500000;
const ROOM = 2 * PAGE_SIZE;
for (const room of [ROOM_A, ROOM_B]) env.guest.holes.add((room - PAGE_OFFSET + ROOM) / PAGE_SIZE);

const functions = {
  ...stringExports(env, env.reports),
  ...stringCopyExports(env, (n) => (n > 4096 ? 0 : ROOM_B)),
};
const call = (name: string, ...args: (number | bigint)[]) => (functions[name][1] as KernelFunction)(...args);

/** Puts bytes so that they end with the room. */
function atEnd(room: number, bytes: number[]): number {
  const address = room + ROOM - bytes.length;
  writeBytes(env, address, Uint8Array.from(bytes));
  return address;
}
const codes = (text: string) => Array.from(text, (c) => c.charCodeAt(0));
const cString = (room: number, text: string) => atEnd(room, [...codes(text), 0]);
const text = (address: number, length: number) => String.fromCharCode(...readBytes(env, address, length));

/** Few letters, so that matches happen; long runs, so that pages are crossed. */
const shortText = fc.string({ unit: fc.constantFrom('a', 'b', 'A', ' ', '\t', '\xe9'), maxLength: 12 });
const anyText = fc.oneof(
  shortText,
  fc
    .tuple(shortText, fc.integer({ min: 4000, max: 4200 }), shortText)
    .map(([a, n, b]) => a + 'b'.repeat(n) + b),
);
const property = (check: (a: string, b: string, n: number) => void) =>
  fc.assert(fc.property(anyText, anyText, fc.integer({ min: 0, max: 16 }), check), {
    seed: 11,
    numRuns: 400,
  });
const sign = (x: unknown) => Math.sign(x as number);
const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);
/** What C's functions give for a position: an address or NULL. */
const where = (base: number, index: number) => (index < 0 ? 0 : base + index);

describe('strings against JavaScript', () => {
  it('length and comparison', () =>
    property((a, b, n) => {
      const p = cString(ROOM_A, a);
      const q = cString(ROOM_B, b);
      expect(call('strlen', p)).toBe(a.length);
      expect(call('strnlen', p, n)).toBe(Math.min(n, a.length));
      expect(call('strcmp', p, q)).toBe(compare(a, b));
      expect(call('strncmp', p, q, n)).toBe(compare(a.slice(0, n), b.slice(0, n)));
      expect(sign(call('strcasecmp', p, q))).toBe(compare(a.toLowerCase(), b.toLowerCase()));
      const m = Math.min(a.length, b.length, n);
      expect(sign(call('memcmp', p, q, m))).toBe(compare(a.slice(0, m), b.slice(0, m)));
    }));

  it('search', () =>
    property((a, b, n) => {
      const p = cString(ROOM_A, a);
      const short = b.slice(0, 2);
      const q = cString(ROOM_B, short);
      for (const letter of 'aA\xe9x') {
        const c = letter.charCodeAt(0);
        const i = a.indexOf(letter);
        expect(call('strchr', p, c)).toBe(where(p, i));
        expect(call('strchr', p, c - 256)).toBe(where(p, i));
        expect(call('strchrnul', p, c)).toBe(p + (i < 0 ? a.length : i));
        expect(call('strrchr', p, c)).toBe(where(p, a.lastIndexOf(letter)));
        const head = a.slice(0, n);
        expect(call('strnchr', p, n, c)).toBe(where(p, head.indexOf(letter)));
        expect(call('strnchrnul', p, n, c)).toBe(p + (head.includes(letter) ? i : head.length));
        expect(call('memchr', p, c, head.length)).toBe(where(p, head.indexOf(letter)));
        expect(call('memscan', p, c, head.length)).toBe(p + (head.includes(letter) ? i : head.length));
        const other = Array.from(a).findIndex((x) => x !== letter);
        expect(call('memchr_inv', p, c, a.length)).toBe(where(p, other));
      }
      expect(call('strchr', p, 0)).toBe(p + a.length);
      expect(call('strstr', p, q)).toBe(where(p, a.indexOf(short)));
      expect(call('strnstr', p, q, Math.min(n, a.length))).toBe(where(p, a.slice(0, n).indexOf(short)));
      const span = Array.from(a).findIndex((x) => !short.includes(x));
      expect(call('strspn', p, q)).toBe(span < 0 ? a.length : span);
      const cspan = Array.from(a).findIndex((x) => short.includes(x));
      expect(call('strcspn', p, q)).toBe(cspan < 0 ? a.length : cspan);
      expect(call('strpbrk', p, q)).toBe(where(p, cspan));
    }));

  it('copies', () =>
    property((a, b, n) => {
      const p = cString(ROOM_A, a);
      const fresh = (bytes: number) => atEnd(ROOM_B, Array(bytes).fill(0x2a));
      let d = fresh(a.length + 1);
      expect(call('strcpy', d, p)).toBe(d);
      expect(text(d, a.length + 1)).toBe(`${a}\0`);
      d = fresh(a.length + 1);
      expect(call('stpcpy', d, p)).toBe(d + a.length);
      d = fresh(n);
      expect(call('strncpy', d, p, n)).toBe(d);
      expect(text(d, n)).toBe(a.slice(0, n).padEnd(n, '\0'));
      d = fresh(n);
      expect(call('strscpy', d, p, n)).toBe(a.length < n ? a.length : -7);
      if (n > 0) expect(text(d, Math.min(n, a.length + 1))).toBe(`${a.slice(0, n - 1)}\0`);
      d = fresh(n);
      call('strscpy_pad', d, p, n);
      expect(text(d, n)).toBe(a.slice(0, Math.max(0, n - 1)).padEnd(n, '\0'));
      d = fresh(n);
      expect(call('strlcpy', d, p, n)).toBe(a.length);
      if (n > 0) expect(text(d, Math.min(n, a.length + 1))).toBe(`${a.slice(0, n - 1)}\0`);
      const start = b.slice(0, 5);
      const catRoom = () => atEnd(ROOM_B, [...codes(start), 0, ...Array(a.length).fill(0x2a)]);
      d = catRoom();
      expect(call('strcat', d, p)).toBe(d);
      expect(text(d, start.length + a.length + 1)).toBe(`${start}${a}\0`);
      d = catRoom();
      call('strncat', d, p, n);
      expect(text(d, start.length + Math.min(n, a.length) + 1)).toBe(`${start}${a.slice(0, n)}\0`);
      d = catRoom();
      const size = start.length + 1 + Math.min(n, a.length);
      expect(call('strlcat', d, p, size)).toBe(start.length + a.length);
      expect(text(d, size)).toBe(`${(start + a).slice(0, size - 1)}\0`);
    }));

  it('trimming and splitting', () =>
    property((a, b) => {
      const p = cString(ROOM_A, a);
      const blank = /^[ \t]*/.exec(a)![0].length;
      expect(call('skip_spaces', p)).toBe(p + blank);
      const trimmed = a.replace(/^[ \t]+|[ \t]+$/g, '');
      const t = call('strim', p) as number;
      expect(text(t, trimmed.length + 1)).toBe(`${trimmed}\0`);

      const q = cString(ROOM_A, a);
      const cell = PAGE_OFFSET + 0x300000;
      const set = cString(ROOM_B, b.slice(0, 1));
      writeInteger(env, cell, q, 8);
      const tokens: string[] = [];
      for (let token: number; (token = call('strsep', cell, set) as number) !== 0; )
        tokens.push(text(token, call('strlen', token) as number));
      expect(tokens).toEqual(b === '' ? [a] : a.split(b[0]));
      expect(readS64(env, cell)).toBe(0);

      const r = cString(ROOM_A, a);
      expect(call('strreplace', r, 97, 122)).toBe(r + a.length);
      expect(text(r, a.length)).toBe(a.replaceAll('a', 'z'));
    }));
});

describe('corners', () => {
  it('compares as sysfs does', () => {
    const equal = (a: string, b: string) => call('sysfs_streq', cString(ROOM_A, a), cString(ROOM_B, b));
    expect([equal('on', 'on'), equal('on\n', 'on'), equal('on', 'on\n'), equal('on\n', 'on\n')]).toEqual(
      Array(4).fill(true),
    );
    expect([equal('on', 'one'), equal('on\n\n', 'on'), equal('on', 'o\n'), equal('', 'x')]).toEqual(
      Array(4).fill(false),
    );
  });

  it('finds a string in an array', () => {
    const array = PAGE_OFFSET + 0x300000;
    const names = ['up', 'down', 'left'].map((name, i) => {
      const address = PAGE_OFFSET + 0x310000 + 16 * i;
      writeBytes(env, address, Uint8Array.from([...codes(name), 0]));
      return address;
    });
    for (let i = 0; i < 4; i++) writeInteger(env, array + 8 * i, names[i] ?? 0, 8);
    expect(call('match_string', array, 3, cString(ROOM_A, 'down'))).toBe(1);
    expect(call('match_string', array, 2 ** 64, cString(ROOM_A, 'no'))).toBe(-22);
    expect(call('match_string', array, 2, cString(ROOM_A, 'left'))).toBe(-22);
    expect(call('__sysfs_match_string', array, 3, cString(ROOM_A, 'left\n'))).toBe(2);
  });

  it('fills with wide values over pages', () => {
    const p = ROOM_A + PAGE_SIZE - 4;
    expect(call('memset64', p, 0x1122334455667788n, 2)).toBe(p);
    expect([...readBytes(env, p, 10)]).toEqual([0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11, 0x88, 0x77]);
    call('memset16', p, 0x1234, 3);
    expect([...readBytes(env, p, 7)]).toEqual([0x34, 0x12, 0x34, 0x12, 0x34, 0x12, 0x22]);
  });

  it('faults where C would', () => {
    const open = atEnd(ROOM_A, codes('abc'));
    expect(() => call('strlen', open)).toThrow(TestFault);
    expect(call('strnlen', open, 3)).toBe(3);
    expect(() => call('memset32', ROOM_A, 1, 2 ** 62)).toThrow(TestFault);
    expect(() => call('strncpy', ROOM_A, cString(ROOM_B, 'x'), 2 ** 64)).toThrow(TestFault);
    expect(() => call('strlen', 0)).toThrow(TestFault);
  });

  it('refuses sizes that no buffer has', () => {
    const p = cString(ROOM_A, 'abc');
    expect(call('strscpy', p, p, 2 ** 31)).toBe(-7);
    expect(() => call('strlcat', p, p, 3)).toThrow('kernel BUG');
  });

  it('splits into words', () => {
    const count = PAGE_OFFSET + 0x300000;
    const argv = call('argv_split', 0, cString(ROOM_A, '  one two\tthree '), count) as number;
    expect([...readBytes(env, count, 4)]).toEqual([3, 0, 0, 0]);
    const words = [0, 1, 2].map((i) => text(readS64(env, argv + 8 * i), 3));
    expect([...words, readS64(env, argv + 24)]).toEqual(['one', 'two', 'thr', 0]);
  });

  it('duplicates', () => {
    const p = cString(ROOM_A, 'abc');
    expect(text(call('kstrdup', p, 0) as number, 4)).toBe('abc\0');
    expect(text(call('kstrndup', p, 2, 0) as number, 3)).toBe('ab\0');
    expect(text(call('kmemdup_nul', p, 2, 0) as number, 3)).toBe('ab\0');
    expect([call('kstrdup', 0, 0), call('kmemdup', p, 2 ** 63, 0)]).toEqual([0, 0]);
  });
});
