// SPDX-License-Identifier: MIT
/** Escaping of bytes for people: what `%*pE` and string_escape_mem print. */

import type { ByteOutput } from './byte_output.js';

export const ESCAPE_SPACE = 1 << 0;
export const ESCAPE_SPECIAL = 1 << 1;
export const ESCAPE_NULL = 1 << 2;
export const ESCAPE_OCTAL = 1 << 3;
export const ESCAPE_ANY = ESCAPE_SPACE | ESCAPE_OCTAL | ESCAPE_SPECIAL | ESCAPE_NULL;
export const ESCAPE_NP = 1 << 4;
export const ESCAPE_ANY_NP = ESCAPE_ANY | ESCAPE_NP;
export const ESCAPE_HEX = 1 << 5;

const LETTERS: { readonly [letter: string]: number } = {
  a: ESCAPE_ANY,
  c: ESCAPE_SPECIAL,
  h: ESCAPE_HEX,
  n: ESCAPE_NULL,
  o: ESCAPE_OCTAL,
  p: ESCAPE_NP,
  s: ESCAPE_SPACE,
};
const SPACES: { readonly [byte: number]: string } = { 10: 'n', 13: 'r', 9: 't', 11: 'v', 12: 'f' };
const SPECIALS: { readonly [byte: number]: string } = { 92: '\\', 7: 'a', 27: 'e', 34: '"' };

/** Flags of the letters that follow %pE; none of them: ESCAPE_ANY_NP. */
export function escapeFlags(letters: string): number {
  let flags = 0;
  for (const letter of letters) {
    if (!(letter in LETTERS)) break;
    flags |= LETTERS[letter];
  }
  return flags || ESCAPE_ANY_NP;
}

/** The escape of one byte, or '' if it stays. */
function escapeByte(byte: number, flags: number): string {
  const printable = (byte >= 32 && byte < 127) || byte >= 0xa0;
  if (flags & ESCAPE_NP && printable) return '';
  if (flags & ESCAPE_SPACE && byte in SPACES) return `\\${SPACES[byte]}`;
  if (flags & ESCAPE_SPECIAL && byte in SPECIALS) return `\\${SPECIALS[byte]}`;
  if (flags & ESCAPE_NULL && byte === 0) return '\\0';
  if (flags & ESCAPE_OCTAL) return `\\${byte.toString(8).padStart(3, '0')}`;
  if (flags & ESCAPE_HEX) return `\\x${byte.toString(16).padStart(2, '0')}`;
  return '';
}

/** Puts bytes, escaped by the flags; ESCAPE_NA, ESCAPE_NAP and ESCAPE_APPEND are not known. */
export function escapeInto(out: ByteOutput, bytes: Uint8Array, flags: number): void {
  for (const byte of bytes) {
    const text = escapeByte(byte, flags);
    if (text) out.ascii(text);
    else out.byte(byte);
  }
}
