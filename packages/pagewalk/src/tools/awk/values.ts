// SPDX-License-Identifier: MIT
/** Values: numbers, strings, input that looks like a number, and what was never set. */

import { formatFloat, formatInteger, padField, wholeNumber } from '../c_format.js';
import { posixRegExp } from '../grep.js';
import { AwkError } from './ast.js';

/** A text from outside that reads as a number: compares as one. */
export class NumericText {
  constructor(
    readonly text: string,
    readonly number: number,
  ) {}
}

/** `undefined` is what was never set: 0 and the empty string at once. */
export type Value = number | string | NumericText | undefined;

const LEADING_NUMBER = /^[ \t\n\r\f\v]*[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?/;
const WHOLE_NUMBER = /^[ \t\n\r\f\v]*[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?[ \t\n\r\f\v]*$/;

/** A field, a getline, an argument. */
export const fromInput = (text: string): Value =>
  WHOLE_NUMBER.test(text) ? new NumericText(text, Number(text)) : text;

export function toNumber(value: Value): number {
  if (typeof value === 'number') return value;
  if (value === undefined) return 0;
  if (value instanceof NumericText) return value.number;
  return Number(LEADING_NUMBER.exec(value)?.[0] ?? 0);
}

export function toText(value: Value, format: string): string {
  if (typeof value === 'string') return value;
  if (value === undefined) return '';
  if (value instanceof NumericText) return value.text;
  if (Number.isInteger(value) && Math.abs(value) < 1e16) return value === 0 ? '0' : String(value);
  return formatAwk(format, [value], format);
}

export const toBoolean = (value: Value): boolean => {
  if (value instanceof NumericText) return value.number !== 0;
  return typeof value === 'string' ? value !== '' : (value ?? 0) !== 0;
};

const isNumeric = (value: Value): boolean => typeof value !== 'string';

/** Below 0, 0 or above, as strings unless both look like numbers. */
export function compare(left: Value, right: Value, format: string): number {
  if (isNumeric(left) && isNumeric(right) && !(left === undefined && right === undefined))
    return toNumber(left) - toNumber(right);
  const [a, b] = [toText(left, format), toText(right, format)];
  return a < b ? -1 : a > b ? 1 : 0;
}

const CONVERSION = /%([-+ 0#]*)(\*|\d+)?(?:\.(\*|\d*))?(?:[hlLjzt]*)([a-zA-Z%])/g;

/** printf and sprintf. */
export function formatAwk(format: string, args: readonly Value[], numberFormat: string): string {
  let next = 0;
  const take = () => args[next++];
  const count = (text: string | undefined): number | undefined =>
    text === undefined ? undefined : text === '*' ? Math.trunc(toNumber(take())) : Number(text);
  return format.replace(CONVERSION, (all, flags: string, wide: string, precise: string, letter: string) => {
    if (letter === '%') return '%';
    const width = count(wide) ?? 0;
    const precision = count(precise);
    const conversion = { flags: width < 0 ? `${flags}-` : flags, width: Math.abs(width), precision, letter };
    if ('diouxX'.includes(letter)) return formatInteger(wholeNumber(toNumber(take())), conversion);
    if ('eEfFgG'.includes(letter)) return formatFloat(toNumber(take()), conversion);
    if (letter === 's') return padField(toText(take(), numberFormat).slice(0, precision), conversion, false);
    if (letter !== 'c') return all;
    const value = take();
    const text =
      typeof value === 'string' ? value.slice(0, 1) : value === undefined ? '' : character(toNumber(value));
    return padField(text, conversion, false);
  });
}

const character = (code: number): string =>
  code >= 0 && code <= 0x10ffff ? String.fromCodePoint(Math.trunc(code)) : '';

const compiled = new Map<string, RegExp>();

/** A POSIX extended regular expression, global. */
export function awkRegExp(source: string): RegExp {
  let regex = compiled.get(source);
  if (!regex) {
    try {
      regex = new RegExp(posixRegExp(source, true), 'gs');
    } catch {
      throw new AwkError(`regular expression compile failed: ${source}`);
    }
    if (compiled.size > 500) compiled.clear();
    compiled.set(source, regex);
  }
  regex.lastIndex = 0;
  return regex;
}

/** Fields of a text: at blanks for a single space, at each occurrence otherwise. */
export function splitText(text: string, separator: string): string[] {
  if (separator === ' ') return text.split(/[ \t\n]+/).filter((field) => field !== '');
  if (text === '') return [];
  if (separator === '') return [...text];
  if (separator.length === 1 && separator !== '\\') return text.split(separator);
  return splitAt(text, awkRegExp(separator));
}

/** `split` of JavaScript would add what parentheses caught. */
export function splitAt(text: string, regex: RegExp): string[] {
  if (text === '') return [];
  const fields: string[] = [];
  let start = 0;
  for (const match of text.matchAll(regex)) {
    if (match[0] === '') continue;
    fields.push(text.slice(start, match.index));
    start = match.index + match[0].length;
  }
  fields.push(text.slice(start));
  return fields;
}

/** A variable; it holds a value or an array, and becomes an array by being used as one. */
export class Cell {
  value: Value;
  array: Map<string, Value> | undefined;

  /** @param origin the caller's variable that an argument stands for */
  constructor(private readonly origin?: Cell) {}

  elements(): Map<string, Value> {
    if (this.value !== undefined) throw new AwkError("can't use a scalar as an array");
    this.array ??= this.origin?.elements() ?? new Map();
    return this.array;
  }

  scalar(): Value {
    if (this.array) throw new AwkError("can't use an array as a scalar");
    return this.value;
  }
}
