// SPDX-License-Identifier: MIT
/** `linux/string_helpers.h`: sizes for people, escapes both ways. */

import type { KernelExports } from '../arch/wasm64/exports.js';
import type { Vaddr } from '../machine/layout.js';
import { ByteOutput } from './byte_output.js';
import { type GuestAccess, readBytes, readCString, stringLength, writeBytes } from './guest_access.js';
import { ESCAPE_HEX, escapeInto } from './string_escape.js';
import { encodeUtf8 } from './utf8.js';

const PREFIXES = ['', 'k', 'M', 'G', 'T', 'P', 'E', 'Z', 'Y'];
const U64 = (n: bigint) => BigInt.asUintN(64, n);

/**
 * A size with three digits and a unit: `7.45 GiB`, `8.00 GB`.
 * @param binary units of 1024 bytes
 */
export function sizeText(size: bigint, blockSize: bigint, binary: boolean): string {
  if (size === 0n || blockSize === 0n) return '0 B';
  const divisor = binary ? 1024n : 1000n;
  let [power, whole, block, rest] = [0, size, blockSize, 0n];
  // Linux multiplies in 64 bits: both factors come below 2^32 first.
  for (; block >> 32n; power++) block /= divisor;
  for (; whole >> 32n; power++) whole /= divisor;
  for (whole *= block; whole >= divisor; power++) [rest, whole] = [whole % divisor, whole / divisor];
  const digits = whole >= 100n ? 0 : whole >= 10n ? 1 : 2;
  let fraction = (binary ? (rest * 1000n) >> 10n : rest) + [500n, 50n, 5n][digits];
  if (fraction >= 1000n) {
    fraction -= 1000n;
    whole++;
  }
  const prefix = PREFIXES[power];
  const unit =
    prefix === undefined ? 'UNK' : prefix === '' ? 'B' : binary ? `${prefix.toUpperCase()}iB` : `${prefix}B`;
  const shown = digits === 0 ? '' : `.${fraction.toString().padStart(3, '0').slice(0, digits)}`;
  return `${whole}${shown} ${unit}`;
}

const UNESCAPE_SPACE = 1;
const UNESCAPE_OCTAL = 2;
const UNESCAPE_HEX = 4;
const UNESCAPE_SPECIAL = 8;
const UNESCAPE_ANY = 15;
const SPACES: { readonly [letter: string]: number } = { n: 10, r: 13, t: 9, v: 11, f: 12 };
const SPECIALS: { readonly [letter: string]: number } = { '"': 34, '\\': 92, a: 7, e: 27 };

/** The byte that an escape stands for, with the escape's length after the backslash. */
function unescapeOne(text: string, flags: number): readonly [byte: number, length: number] | undefined {
  const letter = text[0];
  if (flags & UNESCAPE_SPACE && letter in SPACES) return [SPACES[letter], 1];
  const octal = /^[0-7]{1,3}/.exec(text)?.[0];
  if (flags & UNESCAPE_OCTAL && octal !== undefined) {
    // Three digits count only while the value stays a byte.
    const digits = Number.parseInt(octal, 8) > 255 ? octal.slice(0, 2) : octal;
    return [Number.parseInt(digits, 8), digits.length];
  }
  const hex = /^x([0-9a-f]{1,2})/i.exec(text);
  if (flags & UNESCAPE_HEX && hex) return [Number.parseInt(hex[1], 16), hex[0].length];
  return flags & UNESCAPE_SPECIAL && letter in SPECIALS ? [SPECIALS[letter], 1] : undefined;
}

/** Resolves escapes, into at most `room` bytes. */
export function unescapeBytes(source: Uint8Array, room: number, flags: number): number[] {
  const out: number[] = [];
  for (let i = 0; i < source.length && out.length < room; ) {
    const rest = source[i] === 92 ? String.fromCharCode(...source.subarray(i + 1, i + 5)) : '';
    // An escape needs room for itself as it stands.
    const found = rest !== '' && room - out.length > 1 ? unescapeOne(rest, flags || UNESCAPE_ANY) : undefined;
    out.push(found ? found[0] : source[i]);
    i += found ? 1 + found[1] : 1;
  }
  return out;
}

export function stringHelperExports(
  mem: GuestAccess,
  kmalloc: (bytes: number, gfp: number) => Vaddr,
  /** The running task's command line. */
  commandLine: (task: Vaddr) => string,
): KernelExports {
  const put = (address: Vaddr, bytes: Uint8Array, size: number) => {
    if (size <= 0) return;
    const kept = bytes.subarray(0, size - 1);
    writeBytes(mem, address, kept);
    writeBytes(mem, address + kept.length, Uint8Array.of(0));
  };
  const escaped = (bytes: Uint8Array, flags: number, only: ReadonlySet<number>): Uint8Array => {
    const out = new ByteOutput(4 * bytes.length + 1);
    for (const byte of bytes) {
      if (only.size > 0 && !only.has(byte)) out.byte(byte);
      else escapeInto(out, Uint8Array.of(byte), flags);
    }
    return out.kept();
  };
  const duplicate = (bytes: Uint8Array, gfp: number): Vaddr => {
    const copy = kmalloc(bytes.length + 1, gfp);
    if (copy !== 0) put(copy, bytes, bytes.length + 1);
    return copy;
  };
  /** What would not stand in quotes as it is. */
  const QUOTED = new Set(encodeUtf8('\f\n\r\t\v\x07\x1b\\"'));
  const quotable = (bytes: Uint8Array, gfp: number) => duplicate(escaped(bytes, ESCAPE_HEX, QUOTED), gfp);
  return {
    string_get_size: [
      'v:qqipi',
      (size: bigint, block: bigint, units: number, buffer: Vaddr, length: number) =>
        put(buffer, encodeUtf8(sizeText(U64(size), U64(block), units === 1)), length),
    ],
    string_unescape: [
      'i:ppzu',
      (source: Vaddr, dst: Vaddr, size: number, flags: number) => {
        const bytes = readCString(mem, source);
        const out = unescapeBytes(bytes, size === 0 ? bytes.length + 1 : size - 1, flags);
        put(dst, Uint8Array.from(out), out.length + 1);
        return out.length;
      },
    ],
    string_escape_mem: [
      'i:pzpzup',
      (source: Vaddr, n: number, dst: Vaddr, size: number, flags: number, only: Vaddr) => {
        const chosen = new Set(only === 0 ? [] : readCString(mem, only));
        const out = escaped(readBytes(mem, source, n), flags, chosen);
        writeBytes(mem, dst, out.subarray(0, size));
        return out.length;
      },
    ],
    kstrdup_quotable: [
      'p:pu',
      (s: Vaddr, gfp: number) => (s === 0 ? 0 : quotable(readBytes(mem, s, stringLength(mem, s)), gfp)),
    ],
    kstrdup_quotable_cmdline: [
      'p:pu',
      (task: Vaddr, gfp: number) => quotable(encodeUtf8(commandLine(task)), gfp),
    ],
  };
}
