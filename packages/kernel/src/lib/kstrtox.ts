// SPDX-License-Identifier: MIT
/**
 * Text to numbers. The kstrto family is strict: the whole text, one newline at its end allowed, must be one number
 * that fits. The simple_strto family takes what it can and says where it stopped.
 */

import { digitValue } from './ctype.js';
import { EINVAL, ERANGE } from './errno.js';

const LETTER_X = 120;
const NEWLINE = 10;
const PLUS = 43;
const MINUS = 45;
const ZERO = 48;

export interface ParsedInteger {
  /** Modulo 2^64. */
  readonly value: bigint;
  /** True if it did not fit into 64 bits. */
  readonly overflow: boolean;
  /** Digits that were read. */
  readonly digits: number;
  /** Index after them. */
  readonly end: number;
}

/** Base and index of the first digit, after `0x` where that belongs to it. Base 0 asks the text: 0x…, 0…, decimal. */
function radix(text: Uint8Array, at: number, base: number): { base: number; at: number } {
  const isHex = text[at] === ZERO && (text[at + 1] | 0x20) === LETTER_X;
  let actual = base;
  if (base === 0) {
    if (text[at] !== ZERO) actual = 10;
    else actual = isHex && digitValue(text[at + 2] ?? 0) < 16 ? 16 : 8;
  }
  return { base: actual, at: actual === 16 && isHex ? at + 2 : at };
}

/**
 * Digits from an index on, after an optional prefix.
 * @param base 0, or 2 to 16
 * @param limit most characters that may be read, prefix included
 */
export function parseInteger(
  text: Uint8Array,
  start: number,
  base: number,
  limit = Number.POSITIVE_INFINITY,
): ParsedInteger {
  const found = radix(text, start, base);
  if (found.at - start >= limit) return { value: 0n, overflow: false, digits: 0, end: start + limit };
  const stop = Math.min(text.length, start + limit);
  let end = found.at;
  let value = 0n;
  let small = 0;
  let overflow = false;
  for (; end < stop; end++) {
    const digit = digitValue(text[end]);
    if (digit >= Math.min(found.base, 16)) break;
    // Numbers while they are exact, big integers after.
    if (end - found.at < 12) value = BigInt((small = small * found.base + digit));
    else value = value * BigInt(found.base) + BigInt(digit);
    overflow ||= value > 0xffffffffffffffffn;
    if (overflow) value = BigInt.asUintN(64, value);
  }
  return { value, overflow, digits: end - found.at, end };
}

/** The whole text from an index on as an unsigned number, or -EINVAL, -ERANGE. */
function wholeUnsigned(text: Uint8Array, start: number, base: number): bigint | number {
  const { value, overflow, digits, end } = parseInteger(text, start, base);
  if (overflow) return -ERANGE;
  if (digits === 0) return -EINVAL;
  return end + (text[end] === NEWLINE ? 1 : 0) === text.length ? value : -EINVAL;
}

/**
 * A number that fits an integer type.
 * @param text without its NUL
 * @param base 0, or 2 to 16
 * @returns the value, or -EINVAL, -ERANGE
 */
export function kstrto(
  text: Uint8Array,
  base: number,
  bits: 8 | 16 | 32 | 64,
  signed: boolean,
): bigint | number {
  if (signed && text[0] === MINUS) {
    const magnitude = wholeUnsigned(text, 1, base);
    if (typeof magnitude === 'number') return magnitude;
    return magnitude > 1n << BigInt(bits - 1) ? -ERANGE : -magnitude;
  }
  const value = wholeUnsigned(text, text[0] === PLUS ? 1 : 0, base);
  if (typeof value === 'number') return value;
  return value >> BigInt(signed ? bits - 1 : bits) === 0n ? value : -ERANGE;
}

const YES = 'yYtT1';
const NO = 'nNfF0';

/** `y`, `n`, `1`, `0`, `true`, `on`, `off`…: 1 or 0 by the first letter or two, or -EINVAL. */
export function kstrtobool(text: Uint8Array): number {
  const first = String.fromCharCode(text[0] ?? 0);
  if (YES.includes(first)) return 1;
  if (NO.includes(first)) return 0;
  const second = String.fromCharCode(text[1] ?? 0);
  if ('oO'.includes(first) && 'nN'.includes(second)) return 1;
  return 'oO'.includes(first) && 'fF'.includes(second) ? 0 : -EINVAL;
}

/** @linux lib/vsprintf.c:simple_strtoull full */
export function simpleStrtoull(
  text: Uint8Array,
  base: number,
  limit?: number,
): { value: bigint; end: number } {
  const { value, end } = parseInteger(text, 0, base, limit);
  return { value, end };
}

/** As simple_strtoull, with a minus sign; the value is modulo 2^64, signed. @linux lib/vsprintf.c:simple_strtoll full */
export function simpleStrtoll(
  text: Uint8Array,
  base: number,
  limit = Number.POSITIVE_INFINITY,
): { value: bigint; end: number } {
  const negative = text[0] === MINUS && limit > 1;
  const { value, end } = parseInteger(text, negative ? 1 : 0, base, negative ? limit - 1 : limit);
  return { value: BigInt.asIntN(64, negative ? -value : value), end };
}
