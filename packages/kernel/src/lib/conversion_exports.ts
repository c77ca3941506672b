// SPDX-License-Identifier: MIT
/** Small conversions for C: hexadecimal, decimal, UUIDs, checksums. */

import type { KernelExports } from '../arch/wasm64/exports.js';
import type { Vaddr } from '../machine/layout.js';
import { chargeBytes } from '../machine/work.js';
import { digitValue } from './ctype.js';
import { EINVAL } from './errno.js';
import {
  bytesToPageEnd,
  type GuestAccess,
  physical,
  readBytes,
  readCString,
  writeBytes,
} from './guest_access.js';
import type { Random } from './random.js';
import { encodeUtf8 } from './utf8.js';

const hexValue = (c: number) => {
  const value = digitValue(c);
  return value < 16 ? value : -1;
};

/** A table of a checksum that takes the lowest bit first. */
function reflectedTable(polynomial: number): Uint32Array {
  return Uint32Array.from({ length: 256 }, (_, n) => {
    let c = n;
    for (let k = 0; k < 8; k++) c = c & 1 ? (c >>> 1) ^ polynomial : c >>> 1;
    return c;
  });
}
const CRC32 = reflectedTable(0xedb88320);
const CRC32C = reflectedTable(0x82f63b78);
const CRC16 = reflectedTable(0xa001);
const CRC32_BE = Uint32Array.from({ length: 256 }, (_, n) => {
  let c = n << 24;
  for (let k = 0; k < 8; k++) c = c & 0x80000000 ? (c << 1) ^ 0x04c11db7 : c << 1;
  return c;
});

/** Runs a checksum over guest memory. */
function checksum(
  mem: GuestAccess,
  start: number,
  address: Vaddr,
  n: number,
  step: (c: number, byte: number) => number,
): number {
  let c = start;
  for (let done = 0; done < n; ) {
    const p = physical(mem, address + done);
    const count = Math.min(n - done, bytesToPageEnd(address + done));
    for (let i = 0; i < count; i++) c = step(c, mem.ram.u8[p + i]);
    chargeBytes(mem.ram, 3 * count);
    done += count;
  }
  return c >>> 0;
}
const reflected = (table: Uint32Array) => (c: number, byte: number) => table[(c ^ byte) & 0xff] ^ (c >>> 8);

/** Bytes of a UUID's text, `xxxxxxxx-xxxx-…`, or undefined. */
function parseUuid(text: string): Uint8Array | undefined {
  if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/i.test(text)) return undefined;
  const hex = text.slice(0, 36).replaceAll('-', '');
  return Uint8Array.from({ length: 16 }, (_, i) => Number.parseInt(hex.slice(2 * i, 2 * i + 2), 16));
}

/** Order of a GUID's bytes: its first three fields are little-endian. */
const guidOrder = (bytes: Uint8Array) =>
  Uint8Array.from([3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15], (i) => bytes[i]);

/** What a byte costs that is made into text, beside one that is looked at. */
const TEXT_COST = 48;

export function conversionExports(mem: GuestAccess, random: Random): KernelExports {
  const parse = (s: Vaddr, target: Vaddr, order: (bytes: Uint8Array) => Uint8Array) => {
    const bytes = parseUuid(String.fromCharCode(...readCString(mem, s, 36)));
    if (!bytes) return -EINVAL;
    writeBytes(mem, target, order(bytes));
    return 0;
  };
  /** A random UUID of version 4. */
  const generate = () => {
    const bytes = Uint8Array.from({ length: 16 }, () => random.u32() & 0xff);
    bytes[6] = (bytes[6] & 0x0f) | 0x40;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    return bytes;
  };
  const crc = (table: Uint32Array) => (start: number, p: Vaddr, n: number) =>
    checksum(mem, start, p, n, reflected(table));
  return {
    hex_to_bin: ['i:u', (c: number) => hexValue(c & 0xff)],
    hex2bin: [
      'i:ppz',
      (dst: Vaddr, src: Vaddr, n: number) => {
        for (let i = 0; i < n; i++) {
          const [high, low] = Array.from(readBytes(mem, src + 2 * i, 2), hexValue);
          if (high < 0 || low < 0) return -EINVAL;
          writeBytes(mem, dst + i, Uint8Array.of(high * 16 + low));
        }
        return 0;
      },
    ],
    bin2hex: [
      'p:ppz',
      (dst: Vaddr, src: Vaddr, n: number) => {
        for (let i = 0; i < n; i += 4096) {
          const bytes = readBytes(mem, src + i, Math.min(4096, n - i));
          const text = Array.from(bytes, (b) => b.toString(16).padStart(2, '0')).join('');
          writeBytes(mem, dst + 2 * i, encodeUtf8(text));
          chargeBytes(mem.ram, TEXT_COST * bytes.length);
        }
        return dst + 2 * n;
      },
    ],
    num_to_str: [
      'i:piqu',
      (buffer: Vaddr, size: number, value: bigint, width: number) => {
        const text = BigInt.asUintN(64, value).toString();
        if (text.length > size || width > size) return 0;
        writeBytes(mem, buffer, encodeUtf8(text.padStart(width)));
        return Math.max(width, text.length);
      },
    ],
    mac_pton: [
      'b:pp',
      (s: Vaddr, mac: Vaddr) => {
        const text = String.fromCharCode(...readCString(mem, s, 17));
        if (!/^([0-9a-f]{2}:){5}[0-9a-f]{2}$/i.test(text)) return false;
        writeBytes(
          mem,
          mac,
          Uint8Array.from(text.split(':'), (byte) => Number.parseInt(byte, 16)),
        );
        return true;
      },
    ],
    crc32_le: ['u:upz', crc(CRC32)],
    __crc32c_le: ['u:upz', crc(CRC32C)],
    crc32_be: [
      'u:upz',
      (start: number, p: Vaddr, n: number) =>
        checksum(mem, start, p, n, (c, byte) => (c << 8) ^ CRC32_BE[((c >>> 24) ^ byte) & 0xff]),
    ],
    crc16: ['u:upz', crc(CRC16)],
    uuid_gen: ['v:p', (u: Vaddr) => writeBytes(mem, u, generate())],
    guid_gen: ['v:p', (u: Vaddr) => writeBytes(mem, u, guidOrder(generate()))],
    generate_random_uuid: ['v:p', (u: Vaddr) => writeBytes(mem, u, generate())],
    generate_random_guid: ['v:p', (u: Vaddr) => writeBytes(mem, u, guidOrder(generate()))],
    uuid_is_valid: [
      'b:p',
      (s: Vaddr) => parseUuid(String.fromCharCode(...readCString(mem, s, 36))) !== undefined,
    ],
    uuid_parse: ['i:pp', (s: Vaddr, u: Vaddr) => parse(s, u, (bytes) => bytes)],
    guid_parse: ['i:pp', (s: Vaddr, u: Vaddr) => parse(s, u, guidOrder)],
  };
}
