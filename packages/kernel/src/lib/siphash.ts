// SPDX-License-Identifier: MIT
/** SipHash-2-4 (Aumasson and Bernstein, 2012) of one 64-bit word: what %p shows instead of a pointer. */

const M = 0xffffffffffffffffn;
const rotl = (x: bigint, k: bigint) => ((x << k) | (x >> (64n - k))) & M;

/**
 * @param key0,key1 the 128-bit key, little-endian halves
 * @param word the message, 0 ≤ word < 2^64
 */
export function siphash1u64(word: bigint, key0: bigint, key1: bigint): bigint {
  let v0 = key0 ^ 0x736f6d6570736575n;
  let v1 = key1 ^ 0x646f72616e646f6dn;
  let v2 = key0 ^ 0x6c7967656e657261n;
  let v3 = key1 ^ 0x7465646279746573n;
  const round = () => {
    v0 = (v0 + v1) & M;
    v1 = rotl(v1, 13n) ^ v0;
    v0 = rotl(v0, 32n);
    v2 = (v2 + v3) & M;
    v3 = rotl(v3, 16n) ^ v2;
    v0 = (v0 + v3) & M;
    v3 = rotl(v3, 21n) ^ v0;
    v2 = (v2 + v1) & M;
    v1 = rotl(v1, 17n) ^ v2;
    v2 = rotl(v2, 32n);
  };
  const absorb = (m: bigint) => {
    v3 ^= m;
    round();
    round();
    v0 ^= m;
  };
  absorb(word);
  absorb(8n << 56n); // the last block holds the message length
  v2 ^= 0xffn;
  for (let i = 0; i < 4; i++) round();
  return v0 ^ v1 ^ v2 ^ v3;
}
