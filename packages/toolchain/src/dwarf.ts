// SPDX-License-Identifier: MIT
/** What the decoders of DWARF's sections share: fixed-width integers, strings, attribute forms. 32-bit format. */

import { FormatError, Reader } from '@pagewalk/kernel/arch/wasm64/binary';

export const u16 = (r: Reader) => r.u8() + r.u8() * 256;
export const u32 = (r: Reader) => u16(r) + u16(r) * 65536;

const utf8 = new TextDecoder();

export function cstring(r: Reader): string {
  const from = r.at;
  while (r.u8() !== 0);
  return utf8.decode(r.bytes.subarray(from, r.at - 1));
}

export function cstringAt(section: Uint8Array | undefined, offset: number): string {
  if (!section || offset >= section.length) throw new FormatError(`no DWARF string at ${offset}`);
  return cstring(new Reader(section, offset));
}

export function unitLength(r: Reader): number {
  const length = u32(r);
  if (length >= 0xfffffff0) throw new FormatError('64-bit DWARF is not supported');
  return length;
}
