// SPDX-License-Identifier: MIT
/**
 * Numbers of /proc/sys as text: `4\t4\t1\t7\n`, and back.
 *
 * A codec says how a number in memory is shown: jiffies as seconds, a bool as 0 or 1. A write takes as many numbers as
 * it brings and the setting has; each is stored when it has been read, so a mistake in the second leaves the first.
 */

import { EINVAL } from '../lib/errno.js';
import { parseInteger } from '../lib/kstrtox.js';
import { decodeLatin1 } from '../lib/utf8.js';
import { HZ } from '../machine/clock.js';
import { PAGE_SIZE } from '../machine/layout.js';

/** A number of a write: its sign apart, since `-0` is no unsigned number. */
export interface SysctlNumber {
  readonly magnitude: bigint;
  readonly negative: boolean;
}

/** How a number in memory is shown. */
export interface Codec {
  /** Bytes from one number to the next. */
  readonly stride: 4 | 8;
  /** Bytes of it that are looked at. */
  readonly bytes: 1 | 4 | 8;
  readonly signed: boolean;
  /** Only one number, and a write that brings more is taken as a whole. */
  readonly single: boolean;
  /** What to store, or undefined if it cannot be. */
  encode(number: SysctlNumber): bigint | undefined;
  /** What to show. */
  decode(stored: bigint): bigint;
}

/** Numbers of a setting. */
export interface Vector {
  readonly codec: Codec;
  readonly length: number;
  get(i: number): bigint;
  set(i: number, value: bigint): void;
  /** Lowest and highest value as stored. */
  min?(i: number): bigint;
  max?(i: number): bigint;
}

const INT_MAX = 0x7fffffffn;
const UINT_MAX = 0xffffffffn;
const LONG_MAX = 0x7fffffffffffffffn;
const TICKS = BigInt(HZ);
const USER_HZ = 100n;
const MS_PER_TICK = 1000n / TICKS;

const signedValue = ({ magnitude, negative }: SysctlNumber) => (negative ? -magnitude : magnitude);
const toInt = (number: SysctlNumber) =>
  number.magnitude <= (number.negative ? INT_MAX + 1n : INT_MAX) ? signedValue(number) : undefined;
const unsigned = (max: bigint) => (number: SysctlNumber) =>
  number.negative || number.magnitude > max ? undefined : number.magnitude;
/** Division as C's, but of the magnitude: what the sign is put before. */
const scale = (value: bigint, by: (magnitude: bigint) => bigint) => (value < 0n ? -by(-value) : by(value));
const same = (stored: bigint) => stored;
const INT = { stride: 4, bytes: 4, signed: true, single: false } as const;
const LONG = { stride: 8, bytes: 8, signed: false, single: false } as const;

/** Linux's do_proc_dointvec_conv(). */
export const INT_CODEC: Codec = { ...INT, encode: toInt, decode: same };

/** Linux's do_proc_douintvec_conv(). */
export const UINT_CODEC: Codec = {
  ...INT,
  signed: false,
  single: true,
  encode: unsigned(UINT_MAX),
  decode: same,
};

/** Linux's do_proc_dobool_conv(): the stored byte is a bool, the place of an int is left for it. */
export const BOOL_CODEC: Codec = {
  ...INT,
  bytes: 1,
  signed: false,
  encode: ({ magnitude }) => (magnitude === 0n ? 0n : 1n),
  decode: (stored) => (stored === 0n ? 0n : 1n),
};

/** A byte: what is stored is 0 to 255, whatever the table says. */
export const U8_CODEC: Codec = { ...UINT_CODEC, bytes: 1, encode: unsigned(255n) };

export const ULONG_CODEC: Codec = {
  ...LONG,
  encode: ({ magnitude, negative }) => (negative ? undefined : magnitude),
  decode: same,
};

/** Jiffies, shown in milliseconds. */
export const ULONG_MS_CODEC: Codec = {
  ...LONG,
  encode: ({ magnitude, negative }) => (negative ? undefined : BigInt.asUintN(64, TICKS * magnitude) / 1000n),
  decode: (stored) => BigInt.asUintN(64, 1000n * stored) / TICKS,
};

/** Jiffies, shown in seconds. */
export const JIFFIES_CODEC: Codec = {
  ...INT,
  encode: (number) => (number.magnitude > INT_MAX / TICKS ? undefined : signedValue(number) * TICKS),
  decode: (stored) => scale(stored, (magnitude) => magnitude / TICKS),
};

/** Jiffies, shown in hundredths of a second. */
export const USERHZ_CODEC: Codec = {
  ...INT,
  encode: ({ magnitude, negative }) => {
    if (magnitude > (LONG_MAX / TICKS) * USER_HZ) return undefined;
    return negative && magnitude > 0n ? -1n : BigInt.asIntN(32, (magnitude * TICKS) / USER_HZ);
  },
  decode: (stored) => scale(stored, (magnitude) => (magnitude * USER_HZ) / TICKS),
};

/** Jiffies, shown in milliseconds. */
export const MS_CODEC: Codec = {
  ...INT,
  encode: (number) => {
    const ms = BigInt.asIntN(32, signedValue(number));
    return ms < 0n ? undefined : (ms + MS_PER_TICK - 1n) / MS_PER_TICK;
  },
  decode: (stored) => scale(stored, (magnitude) => BigInt.asUintN(32, magnitude * MS_PER_TICK)),
};

// ------------------------------------------------------------------------------------------------
// Text

const isSpace = (byte: number) => byte === 32 || (byte >= 9 && byte <= 13);
const isDigit = (byte: number) => byte >= 48 && byte <= 57;
/** What may follow a number: blank, tab, newline. */
const isSeparator = (byte: number) => byte === 32 || byte === 9 || byte === 10;
const DASH = 45;
/** A number with its sign is shorter than this. */
const LONGEST = 21;

export function skipSpaces(text: Uint8Array, at: number): number {
  let end = at;
  while (end < text.length && isSpace(text[end])) end++;
  return end;
}

/**
 * The number at an index, and the index after it; undefined if there is none, or what follows it is no blank.
 * Linux's proc_get_long().
 */
export function parseNumber(text: Uint8Array, at: number): { number: SysctlNumber; end: number } | undefined {
  const negative = text[at] === DASH && at + 1 < text.length;
  const start = negative ? at + 1 : at;
  const limit = at + LONGEST - start;
  if (!isDigit(text[start])) return undefined;
  const { value, overflow, end } = parseInteger(text.subarray(0, at + LONGEST), start, 0, limit);
  if (overflow || end - at >= LONGEST) return undefined;
  if (end < text.length && !isSeparator(text[end])) return undefined;
  return { number: { magnitude: value, negative }, end };
}

/** The text of a setting, at most `limit` bytes of it. */
export function printVector(vector: Vector, limit: number): string {
  let text = '';
  for (let i = 0; i < vector.length && text.length < limit; i++)
    text += `${i === 0 ? '' : '\t'}${vector.codec.decode(vector.get(i))}`;
  return vector.length === 0 ? '' : `${text}\n`.slice(0, limit);
}

/** What a write led to: 0 or a negative errno, and how many bytes it took. */
export interface Stored {
  readonly error: number;
  readonly used: number;
}

/** Stores one number; false if it does not fit. */
function storeNumber(vector: Vector, i: number, number: SysctlNumber): boolean {
  const value = vector.codec.encode(number);
  if (value === undefined) return false;
  if (vector.min !== undefined && value < vector.min(i)) return false;
  if (vector.max !== undefined && value > vector.max(i)) return false;
  vector.set(i, value);
  return true;
}

/** Stores the numbers of a text. Linux's __do_proc_dointvec() and its like. */
export function storeVector(vector: Vector, text: Uint8Array): Stored {
  const bytes = text.subarray(0, PAGE_SIZE - 1);
  let at = 0;
  let stored = 0;
  let error = 0;
  for (; at < bytes.length && stored < vector.length; stored++) {
    at = skipSpaces(bytes, at);
    if (at === bytes.length) break;
    const parsed = parseNumber(bytes, at);
    if (!parsed || (vector.codec.single && parsed.number.negative)) error = -EINVAL;
    if (parsed && error === 0) {
      at = parsed.end;
      if (!storeNumber(vector, stored, parsed.number)) error = -EINVAL;
    }
    if (error !== 0) break;
  }
  if (error === 0) at = skipSpaces(bytes, at);
  if (stored === 0) return { error: -EINVAL, used: 0 };
  return { error, used: vector.codec.single ? text.length : at };
}

/** The characters that a write to a string setting brings: up to a NUL or newline, at most `max`. */
export function stringValue(text: Uint8Array, max: number): Uint8Array {
  let end = 0;
  while (end < text.length && end < max && text[end] !== 0 && text[end] !== 10) end++;
  return text.slice(0, end);
}

/** A setting's text as the kernel's own handlers compare it: without blanks at its ends. */
export const trimmed = (text: Uint8Array): string => decodeLatin1(text).trim();
