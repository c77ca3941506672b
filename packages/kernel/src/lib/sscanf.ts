// SPDX-License-Identifier: MIT
/** sscanf for C callers, with the conversions and the corners of Linux's: `%[` needs a width, no floating point. */

import type { Vaddr } from '../machine/layout.js';
import { digitValue, isDigit, isSpace } from './ctype.js';
import { type GuestAccess, readCString, writeBigInt, writeBytes, writeInteger } from './guest_access.js';
import { simpleStrtoll, simpleStrtoull } from './kstrtox.js';
import type { VaList } from './valist.js';

const SHRT_MAX = 32767;
const PERCENT = 37;
const MINUS = 45;
const STAR = 42;
const OPEN_BRACKET = 91;
const CLOSE_BRACKET = 93;
const CARET = 94;
/** Bytes of the target by qualifier. */
const SIZES: { readonly [qualifier: string]: 1 | 2 | 4 | 8 } = {
  hh: 1,
  h: 2,
  '': 4,
  l: 8,
  L: 8,
  ll: 8,
  z: 8,
};
const BASES: { readonly [letter: string]: number } = { o: 8, x: 16, X: 16, i: 0, d: 10, u: 10 };

class Scanner {
  /** Index into the format, and into the input. */
  private f = 0;
  private s = 0;
  private matched = 0;

  constructor(
    private readonly mem: GuestAccess,
    private readonly input: Uint8Array,
    private readonly format: Uint8Array,
    private readonly args: VaList,
  ) {}

  /** @returns how many conversions were stored */
  run(): number {
    while (this.f < this.format.length && this.step());
    return this.matched;
  }

  private skipInputSpace(): void {
    while (isSpace(this.input[this.s] ?? 0)) this.s++;
  }

  /** One element of the format; false at the end of what matches. */
  private step(): boolean {
    const { format, input } = this;
    if (isSpace(format[this.f])) {
      while (isSpace(format[this.f] ?? 0)) this.f++;
      this.skipInputSpace();
      return true;
    }
    if (format[this.f] !== PERCENT) return format[this.f++] === input[this.s++];
    this.f++;
    if (format[this.f] === STAR) return this.skipField();
    return this.conversion();
  }

  /** `%*…`: passes over the input up to white space, whatever the conversion. */
  private skipField(): boolean {
    const { format, input } = this;
    if (this.s >= input.length) return false;
    for (; this.f < format.length && !isSpace(format[this.f]) && format[this.f] !== PERCENT; this.f++)
      if (format[this.f] === OPEN_BRACKET) return false;
    while (this.s < input.length && !isSpace(input[this.s])) this.s++;
    return true;
  }

  private conversion(): boolean {
    const width = this.width();
    if (width <= 0 && width !== -1) return false;
    const qualifier = this.qualifier();
    if (this.f >= this.format.length) return false;
    const letter = String.fromCharCode(this.format[this.f++]);
    if (letter === 'n') {
      writeInteger(this.mem, this.args.pointer(), this.s, 4);
      return true;
    }
    if (this.s >= this.input.length) return false;
    if (letter === 'c') return this.chars(width === -1 ? 1 : width);
    if (letter === 's') return this.word(width === -1 ? SHRT_MAX : width);
    if (letter === '[') return width !== -1 && this.set(width);
    if (letter === '%') return this.input[this.s++] === PERCENT;
    return letter in BASES && this.integer(letter, width, SIZES[qualifier]);
  }

  /** A field width, -1 if none is given. */
  private width(): number {
    if (!isDigit(this.format[this.f] ?? 0)) return -1;
    let width = 0;
    for (; isDigit(this.format[this.f] ?? 0); this.f++)
      width = (width * 10 + this.format[this.f] - 48) % 4294967296;
    return (width | 0) === -1 ? 0 : width | 0;
  }

  private qualifier(): string {
    const letter = String.fromCharCode(this.format[this.f] ?? 0);
    if (!'hlLz'.includes(letter) || letter === '\0') return '';
    this.f++;
    const double = (letter === 'h' || letter === 'l') && this.format[this.f] === letter.charCodeAt(0);
    if (double) this.f++;
    return double ? letter + letter : letter;
  }

  /** Stores the next `count` bytes of the input, with a NUL if `terminate`. */
  private store(count: number, terminate: boolean): true {
    const target = this.args.pointer();
    const bytes = this.input.subarray(this.s, this.s + count);
    writeBytes(this.mem, target, bytes);
    if (terminate) writeBytes(this.mem, target + bytes.length, Uint8Array.of(0));
    this.s += bytes.length;
    this.matched++;
    return true;
  }

  private chars(width: number): true {
    return this.store(width, false);
  }

  private word(width: number): true {
    this.skipInputSpace();
    let count = 0;
    while (count < width && this.s + count < this.input.length && !isSpace(this.input[this.s + count]))
      count++;
    return this.store(count, true);
  }

  /** `%5[abc]`, `%5[^abc]`: no ranges; must match something. */
  private set(width: number): boolean {
    const { format, input } = this;
    const negate = format[this.f] === CARET;
    if (negate) this.f++;
    const end = format.indexOf(CLOSE_BRACKET, this.f);
    if (end <= this.f) return false;
    const members = new Set(format.subarray(this.f, end));
    this.f = end + 1;
    let count = 0;
    while (count < width && this.s + count < input.length && members.has(input[this.s + count]) !== negate)
      count++;
    return count > 0 && this.store(count, true);
  }

  private integer(letter: string, width: number, size: 1 | 2 | 4 | 8): boolean {
    this.skipInputSpace();
    const { input } = this;
    const base = BASES[letter];
    const signed = letter === 'd' || letter === 'i';
    let first = input[this.s];
    if (signed && first === MINUS) {
      if (width === 1) return false;
      first = input[this.s + 1];
    }
    if (first === undefined || digitValue(first) >= (base || 10)) return false;
    const rest = input.subarray(this.s);
    const limit = width === -1 ? undefined : width;
    const { value, end } = signed ? simpleStrtoll(rest, base, limit) : simpleStrtoull(rest, base, limit);
    writeBigInt(this.mem, this.args.pointer(), value, size);
    this.matched++;
    this.s += end;
    return true;
  }
}

/**
 * Reads values out of a string.
 * @param args addresses of where they go
 * @returns how many were stored
 * @linux lib/vsprintf.c:vsscanf full
 */
export const vsscanf = (mem: GuestAccess, input: Vaddr, format: Vaddr, args: VaList): number =>
  new Scanner(mem, readCString(mem, input), readCString(mem, format), args).run();
