// SPDX-License-Identifier: MIT
/**
 * printf for C code in the kernel: formats bytes, with arguments in guest memory.
 *
 * Where Linux differs from the C standard, this is Linux: no floating point, no `%n`, no `j`; `%p` takes letters
 * after it (see vsprintf_pointer.ts); an unknown conversion ends the output, because from there on the arguments
 * would be out of step.
 */

import type { Vaddr } from '../machine/layout.js';
import { ByteOutput } from './byte_output.js';
import { type GuestAccess, readBytes, stringLength } from './guest_access.js';
import { badPointer } from './pointer_conversion.js';
import type { PointerHash } from './pointer_hash.js';
import type { VaList } from './valist.js';
import { putPointer } from './vsprintf_pointer.js';
import {
  FIELD_WIDTH_MAX,
  LEFT,
  PLUS,
  PRECISION_MAX,
  putError,
  putNumber,
  putString,
  SIGN,
  SMALL,
  SPACE,
  SPECIAL,
  type Spec,
  spec,
  ZEROPAD,
} from './vsprintf_spec.js';

/** What formats of kernel objects ask the rest of the kernel. */
export interface FormatServices {
  /** `%pS` symbol+offset/size [module]; `%ps` without offset; `%pB` as a return address, so of the call before it. */
  symbolize(address: Vaddr, form: 'S' | 's' | 'B'): string;
  /** `%pd`, `%pD`: the name of a dentry or of a file's dentry with its `depth` - 1 parents, `/`-separated. */
  dentryName?(dentry: Vaddr, depth: number): Uint8Array;
  fileName?(file: Vaddr, depth: number): Uint8Array;
  /** `%pGp`, `%pGg`, `%pGv`: the names of page, GFP and VMA flags; undefined: shown as a number. */
  flagNames?(kind: 'p' | 'g' | 'v', hi: number, lo: number): string | undefined;
  /** sysctl kernel.kptr_restrict, 0 to 2. */
  kptrRestrict?(): number;
  /** True in a handler of an interrupt or softirq. */
  inInterrupt?(): boolean;
  /** A warning that Linux gives once a boot; the receiver keeps count. */
  warnOnce?(kind: FormatWarning, message: string): void;
}
export type FormatWarning = 'conversion' | 'width' | 'precision' | 'size';

/** Everything a conversion needs. */
export interface FormatContext extends GuestAccess {
  readonly services: FormatServices;
  readonly hash: PointerHash;
}

/** How deep %pV may nest: a format that contains itself ends here. */
const MAX_DEPTH = 16;
const CHAR_SPACE = 32;
const PERCENT = 37;
const STAR = 42;
const DOT = 46;
const FLAGS: { readonly [char: number]: number } = {
  45: LEFT,
  43: PLUS,
  32: SPACE,
  35: SPECIAL,
  48: ZEROPAD,
};

const isDigit = (c: number) => c >= 48 && c <= 57;
const isAlnum = (c: number) => isDigit(c) || ((c | 32) >= 97 && (c | 32) <= 122);

/** Walks one format string. */
class Formatter {
  private at = 0;

  constructor(
    private readonly context: FormatContext,
    private readonly format: Uint8Array,
    private readonly args: VaList,
    private readonly out: ByteOutput,
    /** How many %pV are open. */
    private readonly depth: number,
  ) {}

  run(): void {
    const { format, out } = this;
    while (this.at < format.length) {
      const percent = format.indexOf(PERCENT, this.at);
      const end = percent < 0 ? format.length : percent;
      out.bytes(format.subarray(this.at, end));
      this.at = end + 1;
      if (percent >= 0 && !this.conversion()) return;
    }
  }

  /** The character `ahead` places on, 0 past the end. */
  private peek(ahead = 0): number {
    return this.format[this.at + ahead] ?? 0;
  }

  /**
   * One conversion, after its `%`. False if it is none that Linux knows.
   * @linux lib/vsprintf.c:format_decode full
   */
  private conversion(): boolean {
    const s = spec();
    for (let flag: number | undefined; (flag = FLAGS[this.peek()]) !== undefined; this.at++) s.flags |= flag;
    this.width(s);
    this.precision(s);
    const qualifier = this.qualifier();
    const letter = String.fromCharCode(this.peek());
    this.at++;
    switch (letter) {
      case 'c':
        this.char(s);
        return true;
      case 's':
        this.string(s);
        return true;
      case 'p':
        this.pointer(s);
        return true;
      case '%':
        this.out.byte(PERCENT);
        return true;
      case 'd':
      case 'i':
        s.flags |= SIGN;
        break;
      case 'u':
        break;
      case 'o':
        s.base = 8;
        break;
      case 'x':
        s.flags |= SMALL;
        s.base = 16;
        break;
      case 'X':
        s.base = 16;
        break;
      default:
        this.warn('conversion', `Please remove unsupported %${letter} in format string`);
        return false;
    }
    this.number(qualifier, s);
    return true;
  }

  /** A run of digits as a C int. */
  private digits(): number {
    let value = 0;
    for (; isDigit(this.peek()); this.at++) value = (value * 10 + this.peek() - 48) % 4294967296;
    return value | 0;
  }

  /** @linux lib/vsprintf.c:set_field_width full */
  private width(s: Spec): void {
    if (isDigit(this.peek())) s.width = (this.digits() << 8) >> 8;
    else if (this.peek() === STAR) {
      this.at++;
      const asked = this.args.int();
      const width = Math.max(-FIELD_WIDTH_MAX, Math.min(FIELD_WIDTH_MAX, asked));
      if (width !== asked) this.warn('width', `field width ${asked} too large`);
      if (width < 0) s.flags |= LEFT;
      s.width = Math.abs(width);
    }
  }

  /** A dot with neither digits nor a star counts as no precision. @linux lib/vsprintf.c:set_precision full */
  private precision(s: Spec): void {
    if (this.peek() !== DOT) return;
    this.at++;
    if (isDigit(this.peek())) s.precision = Math.max(0, (this.digits() << 16) >> 16);
    else if (this.peek() === STAR) {
      this.at++;
      const asked = this.args.int();
      const precision = Math.max(0, Math.min(PRECISION_MAX, asked));
      if (asked > PRECISION_MAX || asked < -PRECISION_MAX - 1)
        this.warn('precision', `precision ${asked} too large`);
      s.precision = precision;
    }
  }

  /** '' or h, hh, l, ll, z, t; `L` is `ll`. */
  private qualifier(): string {
    const first = String.fromCharCode(this.peek());
    if (!'hlLzt'.includes(first) || this.peek() === 0) return '';
    this.at++;
    if (first === 'L') {
      if (this.peek() === 76) this.at++;
      return 'll';
    }
    if ((first === 'h' || first === 'l') && this.peek() === first.charCodeAt(0)) {
      this.at++;
      return first + first;
    }
    return first;
  }

  private number(qualifier: string, s: Spec): void {
    const { args, out } = this;
    if (qualifier === 'l' || qualifier === 'll' || qualifier === 'z' || qualifier === 't') {
      args.long();
      putNumber(out, args.hi, args.lo, s);
      return;
    }
    let value = args.int();
    const unused = qualifier === 'hh' ? 24 : qualifier === 'h' ? 16 : 0;
    value = s.flags & SIGN ? (value << unused) >> unused : (value << unused) >>> unused;
    putNumber(out, s.flags & SIGN && value < 0 ? -1 : 0, value, s);
  }

  private char(s: Spec): void {
    const value = this.args.int() & 0xff;
    if (!(s.flags & LEFT)) this.out.fill(CHAR_SPACE, s.width - 1);
    this.out.byte(value);
    if (s.flags & LEFT) this.out.fill(CHAR_SPACE, s.width - 1);
  }

  private pointer(s: Spec): void {
    const { context, out, depth } = this;
    let letters = '';
    for (; isAlnum(this.peek()); this.at++) letters += String.fromCharCode(this.peek());
    const nested = (format: Uint8Array, args: VaList) => {
      if (depth === MAX_DEPTH) return false;
      new Formatter(context, format, args, out, depth + 1).run();
      return true;
    };
    putPointer({ context, out, address: this.args.pointer(), letters, spec: s, nested });
  }

  /** @linux lib/vsprintf.c:string full */
  private string(s: Spec): void {
    const address = this.args.pointer();
    const bad = badPointer(address);
    if (bad) {
      putError(this.out, bad, s);
      return;
    }
    const max = s.precision >= 0 ? s.precision : Number.POSITIVE_INFINITY;
    putString(this.out, readBytes(this.context, address, stringLength(this.context, address, max)), s);
  }

  private warn(kind: FormatWarning, message: string): void {
    this.context.services.warnOnce?.(kind, message);
  }
}

/**
 * Formats into `out`, which decides how much is kept; `out.length` then is what vsnprintf returns.
 * @param format the format string without its NUL
 * @linux lib/vsprintf.c:vsnprintf full
 */
export function formatInto(context: FormatContext, out: ByteOutput, format: Uint8Array, args: VaList): void {
  new Formatter(context, format, args, out, 0).run();
}

/** The formatted bytes, at most `limit` of them. */
export function vsprintf(
  context: FormatContext,
  format: Uint8Array,
  args: VaList,
  limit = Number.POSITIVE_INFINITY,
): Uint8Array {
  const out = new ByteOutput(limit);
  formatInto(context, out, format, args);
  return out.kept();
}
