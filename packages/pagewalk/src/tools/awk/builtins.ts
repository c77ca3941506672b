// SPDX-License-Identifier: MIT
/** Functions of awk that neither read nor write. */

import { AwkError } from './ast.js';
import { formatAwk, toNumber, toText, type Value } from './values.js';

/** Pseudo-random numbers that the seed alone decides. */
export class AwkRandom {
  private state = 0;
  private seed = 0;

  /** The seed before. */
  reseed(seed: number): number {
    const before = this.seed;
    this.seed = seed;
    this.state = Math.trunc(seed) >>> 0;
    return before;
  }

  next(): number {
    this.state = (this.state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.state ^ (this.state >>> 15), this.state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  }
}

function substring(text: string, from: Value, length: Value, hasLength: boolean): string {
  const start = Math.round(toNumber(from));
  const end = hasLength ? start + Math.round(toNumber(length)) : Number.POSITIVE_INFINITY;
  if (Number.isNaN(start) || Number.isNaN(end)) return '';
  return text.slice(Math.max(0, start - 1), Math.max(0, end - 1));
}

/** @param convfmt CONVFMT */
export function pureBuiltin(name: string, args: readonly Value[], convfmt: string, random: AwkRandom): Value {
  const text = (index: number) => toText(args[index], convfmt);
  const number = (index: number) => toNumber(args[index]);
  switch (name) {
    case 'int':
      return Math.trunc(number(0));
    case 'sqrt':
    case 'exp':
    case 'log':
    case 'sin':
    case 'cos':
      return Math[name](number(0));
    case 'atan2':
      return Math.atan2(number(0), number(1));
    case 'rand':
      return random.next();
    case 'srand':
      return random.reseed(args.length > 0 ? number(0) : 0);
    case 'index':
      return text(0).indexOf(text(1)) + 1;
    case 'substr':
      return substring(text(0), args[1], args[2], args.length > 2);
    case 'tolower':
      return text(0).toLowerCase();
    case 'toupper':
      return text(0).toUpperCase();
    case 'sprintf':
      return formatAwk(text(0), args.slice(1), convfmt);
    default:
      throw new AwkError(`function ${name} is not known`);
  }
}

/** In the replacement of sub and gsub `&` is what matched, `\&` an ampersand. */
export const replacement = (text: string, matched: string): string =>
  text.replace(/\\\\&|\\&|&/g, (mark) => (mark === '&' ? matched : mark === '\\&' ? '&' : `\\${matched}`));
