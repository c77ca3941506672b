// SPDX-License-Identifier: MIT
/** How bitmaps are written: `ff,00000001` in groups of 32 bits, or `0-3,8` as ranges. */

const bit = (bytes: Uint8Array, n: number) => (bytes[n >> 3] >> (n & 7)) & 1;

/**
 * Hexadecimal, most significant group first; the first group has as many digits as its bits need.
 * @linux lib/vsprintf.c:bitmap_string full
 */
export function bitmapText(bytes: Uint8Array, bits: number): string {
  const groups: string[] = [];
  for (let start = Math.ceil(bits / 32) * 32 - 32; start >= 0; start -= 32) {
    const width = Math.min(32, bits - start);
    let value = 0;
    for (let i = 0; i < width; i++) value += bit(bytes, start + i) * 2 ** i;
    groups.push(value.toString(16).padStart(Math.ceil(width / 4), '0'));
  }
  return groups.join(',');
}

/** @linux lib/vsprintf.c:bitmap_list_string full */
export function bitmapListText(bytes: Uint8Array, bits: number): string {
  const ranges: string[] = [];
  for (let start = 0; start < bits; start++) {
    if (!bit(bytes, start)) continue;
    let end = start;
    while (end + 1 < bits && bit(bytes, end + 1)) end++;
    ranges.push(end === start ? String(start) : `${start}-${end}`);
    start = end;
  }
  return ranges.join(',');
}
