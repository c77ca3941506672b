// SPDX-License-Identifier: MIT
/** CRC-32 as zip and Ethernet have it: polynomial 0x04c11db7, reflected, all ones before and after. */

const POLYNOMIAL = 0xedb88320;

/** TABLES[k][byte]: the effect of a byte with k more bytes behind it. */
const TABLES = Array.from({ length: 4 }, () => new Int32Array(256));
for (let n = 0; n < 256; n++) {
  let c = n;
  for (let k = 0; k < 8; k++) c = c & 1 ? (c >>> 1) ^ POLYNOMIAL : c >>> 1;
  TABLES[0][n] = c;
}
for (let k = 1; k < 4; k++)
  for (let n = 0; n < 256; n++) {
    const before = TABLES[k - 1][n];
    TABLES[k][n] = (before >>> 8) ^ TABLES[0][before & 0xff];
  }

/** The checksum, 0 ≤ c < 2^32; four bytes at a time. */
export function crc32(bytes: Uint8Array): number {
  const [t0, t1, t2, t3] = TABLES;
  let c = -1;
  let i = 0;
  for (; i + 4 <= bytes.length; i += 4) {
    c ^= bytes[i] | (bytes[i + 1] << 8) | (bytes[i + 2] << 16) | (bytes[i + 3] << 24);
    c = t3[c & 0xff] ^ t2[(c >>> 8) & 0xff] ^ t1[(c >>> 16) & 0xff] ^ t0[c >>> 24];
  }
  for (; i < bytes.length; i++) c = (c >>> 8) ^ t0[(c ^ bytes[i]) & 0xff];
  return ~c >>> 0;
}
