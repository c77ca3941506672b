// SPDX-License-Identifier: MIT
/** echo and printf. */

import type { Command } from '../shell/command.js';
import { UsageError, withUsage } from './arguments.js';

const ECHO_ESCAPES: Record<string, string> = {
  n: '\n',
  t: '\t',
  r: '\r',
  a: '\x07',
  b: '\b',
  e: '\x1b',
  f: '\f',
  v: '\v',
  '\\': '\\',
};

/** Backslash escapes as `echo -e` and `printf` know them. */
export const unescapeText = (text: string): string =>
  text.replace(/\\(?:x([0-9a-fA-F]{1,2})|0?([0-7]{1,3})|([ntrabefv\\]))/g, (_, hex, octal, letter) =>
    hex
      ? String.fromCharCode(Number.parseInt(hex, 16))
      : octal
        ? String.fromCharCode(Number.parseInt(octal, 8))
        : ECHO_ESCAPES[letter],
  );

export const echo: Command = async (context) => {
  const args = [...context.args];
  let newline = true;
  let escapes = false;
  while (/^-[neE]+$/.test(args[0] ?? '')) {
    const option = args.shift()!;
    if (option.includes('n')) newline = false;
    if (option.includes('e')) escapes = true;
    if (option.includes('E')) escapes = false;
  }
  const text = args.join(' ');
  await context.out((escapes ? unescapeText(text) : text) + (newline ? '\n' : ''));
  return 0;
};

const CONVERSION = /%([-+ 0#]*)(\*|\d+)?(?:\.(\*|\d+))?([diouxXcsbeEfgG%q])/g;

/** One pass over the format; `take` gives the next argument. */
function formatOnce(format: string, take: () => string): string {
  return format.replace(
    CONVERSION,
    (_, flags: string, width: string, precision: string, conversion: string) => {
      if (conversion === '%') return '%';
      const wide = width === '*' ? Number(take()) : Number(width ?? 0);
      const digits =
        precision === '*' ? Number(take()) : precision === undefined ? undefined : Number(precision);
      const text = convert(conversion, take(), flags, digits);
      if (flags.includes('-')) return text.padEnd(wide);
      if (flags.includes('0') && !'scb'.includes(conversion)) {
        const sign = /^[-+ ]/.exec(text)?.[0] ?? '';
        return sign + text.slice(sign.length).padStart(wide - sign.length, '0');
      }
      return text.padStart(wide);
    },
  );
}

function convert(conversion: string, argument: string, flags: string, precision: number | undefined): string {
  switch (conversion) {
    case 's':
      return precision === undefined ? argument : argument.slice(0, precision);
    case 'q':
      return /^[\w./-]+$/.test(argument) ? argument : `'${argument.replaceAll("'", "'\\''")}'`;
    case 'b':
      return unescapeText(argument);
    case 'c':
      return argument.slice(0, 1);
    case 'e':
    case 'E':
    case 'f':
    case 'g':
    case 'G': {
      const value = Number(argument || 0);
      if (conversion === 'f') return value.toFixed(precision ?? 6);
      if (conversion === 'g' || conversion === 'G') return String(Number(value.toPrecision(precision || 6)));
      return value.toExponential(precision ?? 6).replace(/e([-+])(\d)$/, 'e$10$2');
    }
    default:
      return integerText(conversion, argument, flags, precision);
  }
}

function integerText(conversion: string, argument: string, flags: string, precision = 0): string {
  let value: bigint;
  try {
    value = /^['"]/.test(argument)
      ? BigInt(argument.codePointAt(1) ?? 0)
      : BigInt(
          argument
            .trim()
            .replace(/^([-+]?)0([0-7]+)$/, '$10o$2')
            .replace(/^-(0.*)/, '$1') || 0,
        );
    if (/^-0./.test(argument.trim())) value = -value;
  } catch {
    throw new UsageError(`'${argument}': expected a numeric value`);
  }
  const unsigned = conversion !== 'd' && conversion !== 'i';
  const radix = conversion === 'o' ? 8 : conversion.toLowerCase() === 'x' ? 16 : 10;
  const magnitude = unsigned ? BigInt.asUintN(64, value) : value < 0n ? -value : value;
  let text = magnitude.toString(radix).padStart(precision, '0');
  if (flags.includes('#') && radix === 16 && value !== 0n) text = `0x${text}`;
  if (flags.includes('#') && radix === 8) text = `0${text}`;
  if (conversion === 'X') text = text.toUpperCase();
  const sign = !unsigned && value < 0n ? '-' : !unsigned && flags.includes('+') ? '+' : '';
  return sign + text;
}

export const printf: Command = (context) =>
  withUsage(context, async () => {
    const [format, ...rest] = context.args;
    if (format === undefined) throw new UsageError('usage: printf format [arguments]');
    const text = unescapeText(format);
    do {
      const before = rest.length;
      await context.out(formatOnce(text, () => rest.shift() ?? ''));
      if (rest.length === before) break;
    } while (rest.length > 0);
    return 0;
  });
