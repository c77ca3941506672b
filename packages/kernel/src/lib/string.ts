// SPDX-License-Identifier: MIT
/**
 * The string functions of C, on guest memory. Each works a page at a time, and touches no byte that the C loop would
 * not touch, so that a fault comes where it would come there.
 */

import type { Vaddr } from '../machine/layout.js';
import { chargeBytes } from '../machine/work.js';
import { isSpace, toLower } from './ctype.js';
import { E2BIG, EINVAL } from './errno.js';
import {
  bytesToPageEnd,
  type GuestAccess,
  physical,
  readBytes,
  readCString,
  readS64,
  readU8,
  stringLength,
  writeBytes,
  writeInteger,
  writeU8,
} from './guest_access.js';

/** What a byte costs that a function is called for, beside one that is only compared. */
const TEST_COST = 3;
const INT_MAX = 2 ** 31 - 1;
const NUL = Uint8Array.of(0);

/** Index of the first byte of `n` for which `stop` holds, or -1. */
function indexWhere(mem: GuestAccess, s: Vaddr, n: number, stop: (byte: number) => boolean): number {
  const { u8 } = mem.ram;
  for (let done = 0; done < n; ) {
    const p = physical(mem, s + done);
    const count = Math.min(n - done, bytesToPageEnd(s + done));
    let i = 0;
    while (i < count && !stop(u8[p + i])) i++;
    chargeBytes(mem.ram, TEST_COST * i);
    done += i;
    if (i < count) return done;
  }
  return -1;
}

/**
 * Index of the first byte of `n` at which two areas differ, or at which both end; -1 if none.
 * @param fold maps bytes before they are compared
 */
function firstDifference(
  mem: GuestAccess,
  a: Vaddr,
  b: Vaddr,
  n: number,
  strings: boolean,
  fold?: (c: number) => number,
): number {
  const { u8 } = mem.ram;
  for (let done = 0; done < n; ) {
    const p = physical(mem, a + done);
    const q = physical(mem, b + done);
    const count = Math.min(n - done, bytesToPageEnd(a + done), bytesToPageEnd(b + done));
    let i = 0;
    for (; i < count; i++) {
      const x = u8[p + i];
      const y = u8[q + i];
      if ((x !== y && (!fold || fold(x) !== fold(y))) || (strings && x === 0)) break;
    }
    chargeBytes(mem.ram, fold ? TEST_COST * i : i);
    done += i;
    if (i < count) return done;
  }
  return -1;
}

/** Writes one byte `n` times. */
function fill(mem: GuestAccess, s: Vaddr, value: number, n: number): void {
  for (let done = 0; done < n; ) {
    const p = physical(mem, s + done, true);
    const count = Math.min(n - done, bytesToPageEnd(s + done));
    mem.ram.u8.fill(value, p, p + count);
    done += count;
  }
}

const at = (s: Vaddr, index: number): Vaddr => (index < 0 ? 0 : s + index);
const INFINITE = Number.POSITIVE_INFINITY;

/** @linux lib/string.c:strnlen full */
export const strnlen = (mem: GuestAccess, s: Vaddr, n: number): number => stringLength(mem, s, n);

// ------------------------------------------------------------------------------------------------
// Copying

/** Copies `bytes` and a NUL after them. */
function put(mem: GuestAccess, dest: Vaddr, bytes: Uint8Array): void {
  writeBytes(mem, dest, bytes);
  writeBytes(mem, dest + bytes.length, NUL);
}

/** @linux lib/string.c:strcpy full */
export function strcpy(mem: GuestAccess, dest: Vaddr, src: Vaddr): Vaddr {
  put(mem, dest, readCString(mem, src));
  return dest;
}

/** As strcpy; returns where the NUL is. @linux lib/string.c:stpcpy full */
export function stpcpy(mem: GuestAccess, dest: Vaddr, src: Vaddr): Vaddr {
  const bytes = readCString(mem, src);
  put(mem, dest, bytes);
  return dest + bytes.length;
}

/** Fills exactly `n` bytes: without a NUL if the string is as long. @linux lib/string.c:strncpy full */
export function strncpy(mem: GuestAccess, dest: Vaddr, src: Vaddr, n: number): Vaddr {
  const bytes = readCString(mem, src, n);
  writeBytes(mem, dest, bytes);
  fill(mem, dest + bytes.length, 0, n - bytes.length);
  return dest;
}

/** The length that was copied, or -E2BIG if it was cut. @linux lib/string.c:strscpy full */
export function strscpy(mem: GuestAccess, dest: Vaddr, src: Vaddr, size: number): number {
  if (size === 0 || size > INT_MAX) return -E2BIG;
  const length = stringLength(mem, src, size);
  put(mem, dest, readBytes(mem, src, Math.min(length, size - 1)));
  return length < size ? length : -E2BIG;
}

/** As strscpy, with zeros to the end. */
export function strscpyPad(mem: GuestAccess, dest: Vaddr, src: Vaddr, size: number): number {
  const written = strscpy(mem, dest, src, size);
  if (written >= 0) fill(mem, dest + written + 1, 0, size - written - 1);
  return written;
}

/** The length of `src`, however much fits. @linux lib/string.c:strlcpy full */
export function strlcpy(mem: GuestAccess, dest: Vaddr, src: Vaddr, size: number): number {
  const length = stringLength(mem, src);
  if (size > 0) put(mem, dest, readBytes(mem, src, Math.min(length, size - 1)));
  return length;
}

/** @linux lib/string.c:strncat full */
export function strncat(mem: GuestAccess, dest: Vaddr, src: Vaddr, n: number): Vaddr {
  if (n > 0) put(mem, dest + stringLength(mem, dest), readCString(mem, src, n));
  return dest;
}

/**
 * @returns the length that the whole would have, or -1 if `dest` already fills its `size` bytes: a kernel bug
 * @linux lib/string.c:strlcat full
 */
export function strlcat(mem: GuestAccess, dest: Vaddr, src: Vaddr, size: number): number {
  const before = stringLength(mem, dest);
  const length = stringLength(mem, src);
  if (before >= size) return -1;
  put(mem, dest + before, readBytes(mem, src, Math.min(length, size - before - 1)));
  return before + length;
}

// ------------------------------------------------------------------------------------------------
// Comparing

/** -1, 0 or 1. @linux lib/string.c:strncmp full */
export function strncmp(mem: GuestAccess, a: Vaddr, b: Vaddr, n = INFINITE): number {
  const i = firstDifference(mem, a, b, n, true);
  if (i < 0) return 0;
  return Math.sign(readU8(mem, a + i) - readU8(mem, b + i));
}

/** The difference of the first two letters that differ, in lower case. @linux lib/string.c:strncasecmp full */
export function strncasecmp(mem: GuestAccess, a: Vaddr, b: Vaddr, n = INFINITE): number {
  const i = firstDifference(mem, a, b, n, true, toLower);
  return i < 0 ? 0 : toLower(readU8(mem, a + i)) - toLower(readU8(mem, b + i));
}

/** The difference of the first two bytes that differ. @linux lib/string.c:memcmp full */
export function memcmp(mem: GuestAccess, a: Vaddr, b: Vaddr, n: number): number {
  const i = firstDifference(mem, a, b, n, false);
  return i < 0 ? 0 : readU8(mem, a + i) - readU8(mem, b + i);
}

/** Equal, if one newline at the end of either is not counted. */
export function sysfsStreq(mem: GuestAccess, a: Vaddr, b: Vaddr): boolean {
  const i = firstDifference(mem, a, b, INFINITE, true);
  const x = readU8(mem, a + i);
  const y = readU8(mem, b + i);
  if (x === y) return true;
  if (x === 0 && y === 10) return readU8(mem, b + i + 1) === 0;
  return x === 10 && y === 0 && readU8(mem, a + i + 1) === 0;
}

/** Index of a string in an array of `n` pointers that a NULL may end, or -EINVAL. */
export function matchString(
  mem: GuestAccess,
  array: Vaddr,
  n: number,
  string: Vaddr,
  equal: (mem: GuestAccess, a: Vaddr, b: Vaddr) => boolean,
): number {
  for (let i = 0; i < n; i++) {
    const item = readS64(mem, array + 8 * i);
    if (item === 0) break;
    if (equal(mem, item, string)) return i;
  }
  return -EINVAL;
}

// ------------------------------------------------------------------------------------------------
// Searching

/** @linux lib/string.c:memchr full */
export function memchr(mem: GuestAccess, s: Vaddr, c: number, n: number): Vaddr {
  const wanted = c & 0xff;
  return at(
    s,
    indexWhere(mem, s, n, (byte) => byte === wanted),
  );
}

/** The first byte that is another one. @linux lib/string.c:memchr_inv full */
export function memchrInv(mem: GuestAccess, s: Vaddr, c: number, n: number): Vaddr {
  const expected = c & 0xff;
  return at(
    s,
    indexWhere(mem, s, n, (byte) => byte !== expected),
  );
}

/** As memchr, but the end of the area where the byte is not there. @linux lib/string.c:memscan full */
export const memscan = (mem: GuestAccess, s: Vaddr, c: number, n: number): Vaddr =>
  memchr(mem, s, c, n) || s + n;

/** Where the byte is, or the NUL, or `s + n`. @linux lib/string.c:strnchrnul full */
export function strnchrnul(mem: GuestAccess, s: Vaddr, n: number, c: number): Vaddr {
  const wanted = c & 0xff;
  const i = indexWhere(mem, s, n, (byte) => byte === wanted || byte === 0);
  return i < 0 ? s + n : s + i;
}

/** NULL if the byte is not there; the NUL itself can be found. @linux lib/string.c:strnchr full */
export function strnchr(mem: GuestAccess, s: Vaddr, n: number, c: number): Vaddr {
  const wanted = c & 0xff;
  const i = indexWhere(mem, s, n, (byte) => byte === wanted || byte === 0);
  return i >= 0 && readU8(mem, s + i) === wanted ? s + i : 0;
}

/** @linux lib/string.c:strrchr full */
export function strrchr(mem: GuestAccess, s: Vaddr, c: number): Vaddr {
  const bytes = readCString(mem, s);
  return (c & 0xff) === 0 ? s + bytes.length : at(s, bytes.lastIndexOf(c & 0xff));
}

/** Looks at `n` bytes, also past a NUL. @linux lib/string.c:strnstr full */
export function strnstr(mem: GuestAccess, haystack: Vaddr, needle: Vaddr, n: number): Vaddr {
  const length = stringLength(mem, needle);
  if (length === 0) return haystack;
  const first = readU8(mem, needle);
  for (let start = 0; start + length <= n; start++) {
    const i = indexWhere(mem, haystack + start, n - length + 1 - start, (byte) => byte === first);
    if (i < 0) return 0;
    start += i;
    if (memcmp(mem, haystack + start, needle, length) === 0) return haystack + start;
  }
  return 0;
}

/** @linux lib/string.c:strstr full */
export const strstr = (mem: GuestAccess, haystack: Vaddr, needle: Vaddr): Vaddr =>
  strnstr(mem, haystack, needle, stringLength(mem, haystack));

/** Bytes that a set string names. */
function byteSet(mem: GuestAccess, set: Vaddr): Uint8Array {
  const table = new Uint8Array(256);
  for (const byte of readCString(mem, set)) table[byte] = 1;
  return table;
}

/** How many bytes at the start are in the set. @linux lib/string.c:strspn full */
export function strspn(mem: GuestAccess, s: Vaddr, accept: Vaddr): number {
  const table = byteSet(mem, accept);
  return indexWhere(mem, s, INFINITE, (byte) => table[byte] === 0);
}

/** How many bytes at the start are not in the set. @linux lib/string.c:strcspn full */
export function strcspn(mem: GuestAccess, s: Vaddr, reject: Vaddr): number {
  const table = byteSet(mem, reject);
  return indexWhere(mem, s, INFINITE, (byte) => byte === 0 || table[byte] === 1);
}

/** The first byte that is in the set. @linux lib/string.c:strpbrk full */
export function strpbrk(mem: GuestAccess, s: Vaddr, accept: Vaddr): Vaddr {
  const i = strcspn(mem, s, accept);
  return readU8(mem, s + i) === 0 ? 0 : s + i;
}

// ------------------------------------------------------------------------------------------------
// Taking apart

/** Cuts the next token off `*s`, which may be empty; NULL when there are no more. @linux lib/string.c:strsep full */
export function strsep(mem: GuestAccess, s: Vaddr, delimiters: Vaddr): Vaddr {
  const begin = readS64(mem, s);
  if (begin === 0) return 0;
  const end = strpbrk(mem, begin, delimiters);
  if (end !== 0) writeU8(mem, end, 0);
  writeInteger(mem, s, end === 0 ? 0 : end + 1, 8);
  return begin;
}

/** Where the first character is that is no white space. */
export const skipSpaces = (mem: GuestAccess, s: Vaddr): Vaddr =>
  s + indexWhere(mem, s, INFINITE, (byte) => !isSpace(byte));

/** Cuts white space off both ends. */
export function strim(mem: GuestAccess, s: Vaddr): Vaddr {
  const bytes = readCString(mem, s);
  let end = bytes.length;
  while (end > 0 && isSpace(bytes[end - 1])) end--;
  if (bytes.length > 0) writeU8(mem, s + end, 0);
  return skipSpaces(mem, s);
}

/** Replaces every `old`; returns where the NUL is. */
export function strreplace(mem: GuestAccess, s: Vaddr, old: number, replacement: number): Vaddr {
  const bytes = readCString(mem, s);
  bytes.forEach((byte, i) => {
    if (byte === (old & 0xff)) writeU8(mem, s + i, replacement);
  });
  return s + bytes.length;
}

/** Fills `count` elements of `size` bytes with one value. @linux lib/string.c:memset64 full */
export function memsetN(mem: GuestAccess, s: Vaddr, value: bigint, size: 2 | 4 | 8, count: number): Vaddr {
  const pattern = Uint8Array.from({ length: size }, (_, i) => Number((value >> BigInt(8 * i)) & 0xffn));
  const { u8 } = mem.ram;
  for (let done = 0; done < count * size; ) {
    const p = physical(mem, s + done, true);
    const bytes = Math.min(count * size - done, bytesToPageEnd(s + done));
    for (let i = 0; i < bytes; i++) u8[p + i] = pattern[(done + i) % size];
    chargeBytes(mem.ram, TEST_COST * bytes);
    done += bytes;
  }
  return s;
}
