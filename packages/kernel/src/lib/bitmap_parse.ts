// SPDX-License-Identifier: MIT
/** The two texts that name a bit map: a list such as `0-3,8,16-31:2/4`, and groups of hexadecimal digits. */

import { isSpace } from './ctype.js';
import { EINVAL, EOVERFLOW, ERANGE } from './errno.js';

const U32_MAX = 0xffffffff;
const CHUNK_BITS = 32;

/** Bits start to end; of each group of bits only the first `used`. */
export interface Region {
  readonly start: number;
  readonly end: number;
  readonly used: number;
  readonly group: number;
}

/** A list as far as it can be read: the regions before an error count. */
export interface ParsedList {
  readonly regions: readonly Region[];
  /** 0 or a negative errno. */
  readonly status: number;
}

const isSeparator = (text: string, at: number) =>
  at < text.length && (text[at] === ',' || isSpace(text.charCodeAt(at)));
const isEnd = (text: string, at: number) => at >= text.length || text[at] === '\n';

class ListParser {
  private at = 0;

  constructor(
    private readonly text: string,
    private readonly bits: number,
  ) {}

  /** The next region, an errno, or undefined at the end. */
  next(): Region | number | undefined {
    while (isSeparator(this.text, this.at)) this.at++;
    if (isEnd(this.text, this.at)) return undefined;
    const region = this.region();
    if (typeof region === 'number') return region;
    const { start, end, used, group } = region;
    if (start > end || group === 0 || used > group) return -EINVAL;
    return end >= this.bits ? -ERANGE : region;
  }

  /** A number, or the errno of none: `N` is the last bit. @linux lib/bitmap.c:bitmap_getnum full */
  private number(): number {
    if (this.text[this.at] === 'N') {
      this.at++;
      return this.bits - 1;
    }
    const digits = /^\d*/.exec(this.text.slice(this.at))![0];
    this.at += digits.length;
    if (digits === '') return -EINVAL;
    return Number(digits) > U32_MAX ? -EOVERFLOW : Number(digits);
  }

  private atRegionEnd(): boolean {
    return isEnd(this.text, this.at) || isSeparator(this.text, this.at);
  }

  /** @linux lib/bitmap.c:bitmap_parse_region full */
  private region(): Region | number {
    let start = 0;
    let end = this.bits - 1;
    if (this.text.slice(this.at, this.at + 3).toLowerCase() === 'all') this.at += 3;
    else {
      start = this.number();
      if (start < 0) return start;
      if (this.atRegionEnd()) return { start, end: start, used: start + 1, group: start + 1 };
      if (this.text[this.at++] !== '-') return -EINVAL;
      end = this.number();
      if (end < 0) return end;
    }
    if (this.atRegionEnd()) return { start, end, used: end + 1, group: end + 1 };
    if (this.text[this.at++] !== ':') return -EINVAL;
    const used = this.number();
    if (used < 0) return used;
    if (this.text[this.at++] !== '/') return -EINVAL;
    const group = this.number();
    return group < 0 ? group : { start, end, used, group };
  }
}

/** @linux lib/bitmap.c:bitmap_parselist full */
export function parseList(text: string, bits: number): ParsedList {
  const parser = new ListParser(text, bits);
  const regions: Region[] = [];
  for (let region = parser.next(); region !== undefined; region = parser.next()) {
    if (typeof region === 'number') return { regions, status: region };
    regions.push(region);
  }
  return { regions, status: 0 };
}

/**
 * The bits that groups of hexadecimal digits name, the last group first, or a negative errno.
 * @linux lib/bitmap.c:bitmap_parse full
 */
export function parseMask(text: string, bits: number): bigint | number {
  const line = text.split('\n', 1)[0];
  let end = line.length - 1;
  let value = 0n;
  for (let chunk = 0; ; chunk++) {
    while (end >= 0 && isSeparator(line, end)) end--;
    if (end < 0) return value >> BigInt(bits) === 0n ? value : -EOVERFLOW;
    if (chunk >= Math.ceil(bits / CHUNK_BITS)) return -EOVERFLOW;
    for (let shift = 0; ; shift += 4) {
      const digit = Number.parseInt(line[end--], 16);
      // What stands before eight digits is skipped if it is no ninth.
      if (shift === CHUNK_BITS) {
        if (Number.isNaN(digit)) break;
        return -EOVERFLOW;
      }
      if (Number.isNaN(digit)) return -EINVAL;
      value |= BigInt(digit) << BigInt(chunk * CHUNK_BITS + shift);
      if (end < 0 || isSeparator(line, end)) break;
    }
  }
}
