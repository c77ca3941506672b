// SPDX-License-Identifier: MIT
/** C's printf conversions of one value: flags, width, precision. */

export interface Conversion {
  /** Any of `-+ 0#`. */
  readonly flags: string;
  readonly width: number;
  readonly precision: number | undefined;
  /** `d`, `x`, `g`, `s`, … */
  readonly letter: string;
}

/** Puts a converted text, sign included, into its field. */
export function padField(text: string, { flags, width }: Conversion, zeros: boolean): string {
  if (flags.includes('-')) return text.padEnd(width);
  if (!zeros || !flags.includes('0')) return text.padStart(width);
  const prefix = /^[-+ ]?(0[xX])?/.exec(text)![0];
  return prefix + text.slice(prefix.length).padStart(width - prefix.length, '0');
}

const signOf = (negative: boolean, flags: string): string =>
  negative ? '-' : flags.includes('+') ? '+' : flags.includes(' ') ? ' ' : '';

/** `d i o x X u` of a whole number. */
export function formatInteger(value: bigint, conversion: Conversion): string {
  const { flags, precision, letter } = conversion;
  const signed = letter === 'd' || letter === 'i';
  const radix = letter === 'o' ? 8 : letter === 'x' || letter === 'X' ? 16 : 10;
  const magnitude = signed ? (value < 0n ? -value : value) : BigInt.asUintN(64, value);
  let text = magnitude.toString(radix).padStart(precision ?? 1, '0');
  if (precision === 0 && magnitude === 0n) text = '';
  if (flags.includes('#') && radix === 16 && magnitude !== 0n) text = `0x${text}`;
  if (flags.includes('#') && radix === 8 && !text.startsWith('0')) text = `0${text}`;
  if (letter === 'X') text = text.toUpperCase();
  const sign = signed ? signOf(value < 0n, flags) : '';
  return padField(sign + text, conversion, precision === undefined);
}

/** toFixed, but a number half way between two goes to the even one, as C rounds. */
function fixed(value: number, digits: number): string {
  if (value >= 1e21) return BigInt(value).toString() + (digits > 0 ? `.${'0'.repeat(digits)}` : '');
  const scaled = value * 10 ** digits;
  const isTie = digits < 16 && Number.isInteger(value * 2 ** (digits + 1)) && scaled % 1 === 0.5;
  const below = Math.floor(scaled);
  if (isTie && below % 2 === 0) return (below / 10 ** digits).toFixed(digits);
  return value.toFixed(Math.min(digits, 100));
}

const exponential = (value: number, digits: number): string =>
  value.toExponential(Math.min(digits, 100)).replace(/e([-+])(\d)$/, 'e$10$2');

/** `%g`: the shorter of both, without trailing zeros. */
function general(value: number, precision: number, keepZeros: boolean): string {
  const digits = precision === 0 ? 1 : precision;
  const exponent = value === 0 ? 0 : Number(value.toExponential(Math.min(digits - 1, 100)).split('e')[1]);
  const plain = exponent >= -4 && exponent < digits;
  const text = plain ? fixed(value, digits - 1 - exponent) : exponential(value, digits - 1);
  if (keepZeros || !text.includes('.')) return text;
  return text.replace(/\.?0+(e|$)/, '$1');
}

/** `e f g` and their capitals. */
export function formatFloat(value: number, conversion: Conversion): string {
  const { flags, letter } = conversion;
  const precision = conversion.precision ?? 6;
  const magnitude = Math.abs(value);
  const sign = signOf(value < 0 || Object.is(value, -0), flags);
  let text: string;
  if (Number.isNaN(value)) text = 'nan';
  else if (magnitude === Number.POSITIVE_INFINITY) text = 'inf';
  else if (letter.toLowerCase() === 'f') text = fixed(magnitude, precision);
  else if (letter.toLowerCase() === 'e') text = exponential(magnitude, precision);
  else text = general(magnitude, precision, flags.includes('#'));
  if (letter !== letter.toLowerCase()) text = text.toUpperCase();
  return padField(sign + text, conversion, Number.isFinite(value));
}

/** A number cut to a whole one; what is none, or too large for BigInt, becomes 0. */
export const wholeNumber = (value: number): bigint =>
  Number.isFinite(value) ? BigInt(Math.trunc(value)) : 0n;
