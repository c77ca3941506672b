// SPDX-License-Identifier: MIT
/** The string functions, as C calls them. memcpy, memmove and memset are generated code: see arch. */

import type { KernelExports } from '../arch/wasm64/exports.js';
import type { Vaddr } from '../machine/layout.js';
import { isSpace } from './ctype.js';
import type { Reports } from './env.js';
import {
  type GuestAccess,
  readBytes,
  readCString,
  stringLength,
  writeBytes,
  writeInteger,
} from './guest_access.js';
import type { StringAllocator } from './sprintf_exports.js';
import * as s from './string.js';

/** Functions that only read and write what they are given. */
export function stringExports(mem: GuestAccess, reports: Reports): KernelExports {
  const equal = (m: GuestAccess, a: Vaddr, b: Vaddr) => s.strncmp(m, a, b) === 0;
  return {
    strlen: ['z:p', (a: Vaddr) => stringLength(mem, a)],
    strnlen: ['z:pz', (a: Vaddr, n: number) => s.strnlen(mem, a, n)],
    strcpy: ['p:pp', (d: Vaddr, a: Vaddr) => s.strcpy(mem, d, a)],
    stpcpy: ['p:pp', (d: Vaddr, a: Vaddr) => s.stpcpy(mem, d, a)],
    strncpy: ['p:ppz', (d: Vaddr, a: Vaddr, n: number) => s.strncpy(mem, d, a, n)],
    strscpy: ['l:ppz', (d: Vaddr, a: Vaddr, n: number) => s.strscpy(mem, d, a, n)],
    strscpy_pad: ['l:ppz', (d: Vaddr, a: Vaddr, n: number) => s.strscpyPad(mem, d, a, n)],
    strlcpy: ['z:ppz', (d: Vaddr, a: Vaddr, n: number) => s.strlcpy(mem, d, a, n)],
    strcat: ['p:pp', (d: Vaddr, a: Vaddr) => s.strncat(mem, d, a, Number.POSITIVE_INFINITY)],
    strncat: ['p:ppz', (d: Vaddr, a: Vaddr, n: number) => s.strncat(mem, d, a, n)],
    strlcat: [
      'z:ppz',
      (d: Vaddr, a: Vaddr, n: number) => {
        const length = s.strlcat(mem, d, a, n);
        return length < 0 ? reports.bug('lib/string.c', 239, 'strlcat') : length;
      },
    ],
    strcmp: ['i:pp', (a: Vaddr, b: Vaddr) => s.strncmp(mem, a, b)],
    strncmp: ['i:ppz', (a: Vaddr, b: Vaddr, n: number) => s.strncmp(mem, a, b, n)],
    strcasecmp: ['i:pp', (a: Vaddr, b: Vaddr) => s.strncasecmp(mem, a, b)],
    strncasecmp: ['i:ppz', (a: Vaddr, b: Vaddr, n: number) => s.strncasecmp(mem, a, b, n)],
    memcmp: ['i:ppz', (a: Vaddr, b: Vaddr, n: number) => s.memcmp(mem, a, b, n)],
    bcmp: ['i:ppz', (a: Vaddr, b: Vaddr, n: number) => s.memcmp(mem, a, b, n)],
    strchr: ['p:pi', (a: Vaddr, c: number) => s.strnchr(mem, a, Number.POSITIVE_INFINITY, c)],
    strchrnul: ['p:pi', (a: Vaddr, c: number) => s.strnchrnul(mem, a, Number.POSITIVE_INFINITY, c)],
    strnchrnul: ['p:pzi', (a: Vaddr, n: number, c: number) => s.strnchrnul(mem, a, n, c)],
    strnchr: ['p:pzi', (a: Vaddr, n: number, c: number) => s.strnchr(mem, a, n, c)],
    strrchr: ['p:pi', (a: Vaddr, c: number) => s.strrchr(mem, a, c)],
    strstr: ['p:pp', (a: Vaddr, b: Vaddr) => s.strstr(mem, a, b)],
    strnstr: ['p:ppz', (a: Vaddr, b: Vaddr, n: number) => s.strnstr(mem, a, b, n)],
    strspn: ['z:pp', (a: Vaddr, set: Vaddr) => s.strspn(mem, a, set)],
    strcspn: ['z:pp', (a: Vaddr, set: Vaddr) => s.strcspn(mem, a, set)],
    strpbrk: ['p:pp', (a: Vaddr, set: Vaddr) => s.strpbrk(mem, a, set)],
    strsep: ['p:pp', (a: Vaddr, set: Vaddr) => s.strsep(mem, a, set)],
    strim: ['p:p', (a: Vaddr) => s.strim(mem, a)],
    skip_spaces: ['p:p', (a: Vaddr) => s.skipSpaces(mem, a)],
    strreplace: ['p:pii', (a: Vaddr, old: number, c: number) => s.strreplace(mem, a, old, c)],
    sysfs_streq: ['b:pp', (a: Vaddr, b: Vaddr) => s.sysfsStreq(mem, a, b)],
    match_string: ['i:pzp', (a: Vaddr, n: number, b: Vaddr) => s.matchString(mem, a, n, b, equal)],
    __sysfs_match_string: [
      'i:pzp',
      (a: Vaddr, n: number, b: Vaddr) => s.matchString(mem, a, n, b, s.sysfsStreq),
    ],
    memchr: ['p:piz', (a: Vaddr, c: number, n: number) => s.memchr(mem, a, c, n)],
    memchr_inv: ['p:piz', (a: Vaddr, c: number, n: number) => s.memchrInv(mem, a, c, n)],
    memscan: ['p:piz', (a: Vaddr, c: number, n: number) => s.memscan(mem, a, c, n)],
    memset16: ['p:puz', (a: Vaddr, v: number, n: number) => s.memsetN(mem, a, BigInt(v), 2, n)],
    memset32: ['p:puz', (a: Vaddr, v: number, n: number) => s.memsetN(mem, a, BigInt(v), 4, n)],
    memset64: ['p:pqz', (a: Vaddr, v: bigint, n: number) => s.memsetN(mem, a, v, 8, n)],
  };
}

/**
 * Words of a string, as an array of pointers that NULL ends: one block, the pointers first, then their text.
 * @param count an int that gets their number; may be NULL
 */
function argvSplit(mem: GuestAccess, allocate: StringAllocator, gfp: number, s: Vaddr, count: Vaddr): Vaddr {
  const text = readCString(mem, s);
  const words: number[] = [];
  text.forEach((byte, i) => {
    if (!isSpace(byte) && (i === 0 || isSpace(text[i - 1]))) words.push(i);
  });
  const pointers = 8 * (words.length + 1);
  const block = allocate(pointers + text.length + 1, gfp);
  if (block === 0) return 0;
  words.forEach((start, i) => {
    writeInteger(mem, block + 8 * i, block + pointers + start, 8);
  });
  writeInteger(mem, block + 8 * words.length, 0, 8);
  const cut = text.map((byte) => (isSpace(byte) ? 0 : byte));
  writeBytes(mem, block + pointers, cut);
  writeBytes(mem, block + pointers + text.length, Uint8Array.of(0));
  if (count !== 0) writeInteger(mem, count, words.length, 4);
  return block;
}

/** Functions that return a copy in memory of its own. */
export function stringCopyExports(
  mem: GuestAccess,
  allocate: StringAllocator,
  kfree?: (address: Vaddr) => void,
): KernelExports {
  /** Copies `n` bytes and, if asked, a NUL. Memory comes first: a length that cannot be had is never read. */
  const copy = (from: Vaddr, n: number, terminate: boolean, gfp: number): Vaddr => {
    const address = allocate(n + Number(terminate), gfp);
    if (address === 0) return 0;
    writeBytes(mem, address, readBytes(mem, from, n));
    if (terminate) writeBytes(mem, address + n, Uint8Array.of(0));
    return address;
  };
  const duplicate = (a: Vaddr, gfp: number) => (a === 0 ? 0 : copy(a, stringLength(mem, a), true, gfp));
  return {
    argv_split: [
      'p:upp',
      (gfp: number, text: Vaddr, count: Vaddr) => argvSplit(mem, allocate, gfp, text, count),
    ],
    argv_free: ['v:p', (argv: Vaddr) => kfree?.(argv)],
    kstrdup: ['p:pu', duplicate],
    kstrdup_const: ['p:pu', duplicate],
    kstrndup: [
      'p:pzu',
      (a: Vaddr, n: number, gfp: number) => (a === 0 ? 0 : copy(a, stringLength(mem, a, n), true, gfp)),
    ],
    kmemdup: ['p:pzu', (a: Vaddr, n: number, gfp: number) => copy(a, n, false, gfp)],
    kmemdup_nul: ['p:pzu', (a: Vaddr, n: number, gfp: number) => (a === 0 ? 0 : copy(a, n, true, gfp))],
  };
}
