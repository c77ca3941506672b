// SPDX-License-Identifier: MIT
/** One conversion of a printf format: what stands between `%` and the letter, and how numbers and strings obey it. */

import type { ByteOutput } from './byte_output.js';

export const LEFT = 1;
export const PLUS = 2;
export const SPACE = 4;
export const SPECIAL = 8;
export const ZEROPAD = 16;
/** Lower-case hexadecimal digits. */
export const SMALL = 32;
export const SIGN = 64;

/** Limits of a `*` argument; a number in the format itself wraps at the same widths. */
export const FIELD_WIDTH_MAX = (1 << 23) - 1;
export const PRECISION_MAX = (1 << 15) - 1;

export interface Spec {
  flags: number;
  /** Least number of characters; -1 if not given. */
  width: number;
  /** -1 if not given. */
  precision: number;
  base: 8 | 10 | 16;
}

export const spec = (fields: Partial<Spec> = {}): Spec => ({
  flags: 0,
  width: -1,
  precision: -1,
  base: 10,
  ...fields,
});

const TWO32 = 4294967296;
const CHAR_SPACE = 32;
const CHAR_0 = 48;

/** Digits of an unsigned 64-bit integer given as halves; exact. */
function digits(hi: number, lo: number, base: number): string {
  const high = hi >>> 0;
  if (high === 0) return (lo >>> 0).toString(base);
  if (base === 16) return high.toString(16) + (lo >>> 0).toString(16).padStart(8, '0');
  if (high < 2 ** 21) return (high * TWO32 + (lo >>> 0)).toString(base);
  return ((BigInt(high) << 32n) | BigInt(lo >>> 0)).toString(base);
}

/** The sign character that a signed conversion prints, '' if none. */
function signOf(negative: boolean, flags: number): string {
  if (!(flags & SIGN)) return '';
  if (negative) return '-';
  if (flags & PLUS) return '+';
  return flags & SPACE ? ' ' : '';
}

/**
 * Prints a 64-bit integer given as halves. With SIGN it is signed.
 *
 * Unlike C's printf, and like Linux: a precision does not cancel the 0 flag, `%.0d` of 0 prints `0`, and `%#x`
 * of 0 prints `0x0`.
 * @linux lib/vsprintf.c:number full
 */
export function putNumber(out: ByteOutput, hi: number, lo: number, s: Spec): void {
  const negative = (s.flags & SIGN) !== 0 && (hi | 0) < 0;
  const low = negative ? -lo | 0 : lo;
  const high = negative ? (low === 0 ? -hi : ~hi) | 0 : hi;
  let text = digits(high, low, s.base);
  if (s.base === 16 && !(s.flags & SMALL)) text = text.toUpperCase();

  let prefix = '';
  if (s.flags & SPECIAL) {
    if (s.base === 16) prefix = s.flags & SMALL ? '0x' : '0X';
    else if (s.base === 8 && (high !== 0 || low !== 0)) prefix = '0';
  }
  const sign = signOf(negative, s.flags);
  const zeros = Math.max(0, s.precision - text.length);
  const padding = s.width - sign.length - prefix.length - zeros - text.length;
  const padZero = (s.flags & ZEROPAD) !== 0 && !(s.flags & LEFT);
  if (!padZero && !(s.flags & LEFT)) out.fill(CHAR_SPACE, padding);
  out.ascii(sign);
  out.ascii(prefix);
  if (padZero) out.fill(CHAR_0, padding);
  out.fill(CHAR_0, zeros);
  out.ascii(text);
  if (s.flags & LEFT) out.fill(CHAR_SPACE, padding);
}

/** Prints an integer within ±2^53. */
export const putInteger = (out: ByteOutput, value: number, s: Spec): void =>
  putNumber(out, Math.floor(value / TWO32) | 0, value | 0, s);

/**
 * Prints bytes, at most `precision` of them, padded to the width.
 * @linux lib/vsprintf.c:string_nocheck full
 */
export function putString(out: ByteOutput, bytes: Uint8Array, s: Spec): void {
  const shown = s.precision >= 0 && s.precision < bytes.length ? bytes.subarray(0, s.precision) : bytes;
  const padding = s.width - shown.length;
  if (!(s.flags & LEFT)) out.fill(CHAR_SPACE, padding);
  out.bytes(shown);
  if (s.flags & LEFT) out.fill(CHAR_SPACE, padding);
}

/** Prints ASCII text under the same rules. */
export const putText = (out: ByteOutput, text: string, s: Spec): void =>
  putString(
    out,
    Uint8Array.from(text, (c) => c.charCodeAt(0)),
    s,
  );

/**
 * Prints what stands for a value that cannot be shown, such as `(null)`; without a precision, at most 16 bytes.
 * @linux lib/vsprintf.c:error_string full
 */
export const putError = (out: ByteOutput, text: string, s: Spec): void =>
  putText(out, text, s.precision === -1 ? { ...s, precision: 16 } : s);
