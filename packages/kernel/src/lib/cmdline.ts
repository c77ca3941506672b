// SPDX-License-Identifier: MIT
/** Words and numbers of command lines: the kernel's, a module's, a driver option's. In guest memory, as C wants. */

import type { KernelExports } from '../arch/wasm64/exports.js';
import type { Vaddr } from '../machine/layout.js';
import { isSpace } from './ctype.js';
import {
  type GuestAccess,
  readCString,
  readS64,
  readU8,
  readUnsigned,
  writeInteger,
  writeU8,
} from './guest_access.js';
import { simpleStrtoull } from './kstrtox.js';
import { skipSpaces } from './string.js';
import { decodeLatin1 } from './utf8.js';

const QUOTE = 34;
const COMMA = 44;
const MINUS = 45;
const EQUALS = 61;

export interface NextArg {
  readonly param: Vaddr;
  /** 0 if the word has no `=`. */
  readonly value: Vaddr;
  /** Where the next word begins. */
  readonly next: Vaddr;
}

/**
 * Cuts one `name=value` off a command line, in place. Quotes keep white space together, around the value or around
 * the whole word, and are taken off.
 */
export function nextArg(mem: GuestAccess, args: Vaddr): NextArg {
  const quoted = readU8(mem, args) === QUOTE;
  const param = quoted ? args + 1 : args;
  const text = readCString(mem, param);
  let inQuote = quoted;
  let equals = 0;
  let end = 0;
  for (; end < text.length; end++) {
    if (isSpace(text[end]) && !inQuote) break;
    if (equals === 0 && text[end] === EQUALS) equals = end;
    if (text[end] === QUOTE) inQuote = !inQuote;
  }
  let value: Vaddr = 0;
  let closed = false;
  if (equals > 0) {
    writeU8(mem, param + equals, 0);
    value = param + equals + 1;
    if (text[equals + 1] === QUOTE) {
      value++;
      closed = text[end - 1] === QUOTE;
    }
  }
  if (closed || (quoted && end > 0 && text[end - 1] === QUOTE)) writeU8(mem, param + end - 1, 0);
  if (end < text.length) writeU8(mem, param + end, 0);
  return { param, value, next: skipSpaces(mem, param + Math.min(end + 1, text.length)) };
}

/** How the number that getOption read ends. */
const NO_INT = 0;
const INT = 1;
const INT_THEN_COMMA = 2;
const INT_THEN_RANGE = 3;

/** Reads an integer at `*str`, moves it on past it and a comma, and says what followed. */
function getOption(mem: GuestAccess, str: Vaddr, result: Vaddr): number {
  const start = readS64(mem, str);
  if (start === 0) return NO_INT;
  const text = readCString(mem, start);
  if (text.length === 0) return NO_INT;
  const negative = text[0] === MINUS;
  const digits = text.subarray(negative ? 1 : 0);
  const { value, end } = simpleStrtoull(digits, 0);
  if (result !== 0) writeInteger(mem, result, Number(BigInt.asIntN(32, negative ? -value : value)), 4);
  let after = start + (negative ? 1 : 0) + end;
  writeInteger(mem, str, after, 8);
  if (end === 0) return NO_INT;
  const follows = digits[end];
  if (follows === COMMA) {
    writeInteger(mem, str, ++after, 8);
    return INT_THEN_COMMA;
  }
  return follows === MINUS ? INT_THEN_RANGE : INT;
}

/** Most numbers that one range may stand for; more is taken for a mistake. */
const MAX_RANGE = 65536;

/**
 * Reads `3,5-7,9` into an array whose element 0 gets the count; a `-` between two numbers stands for all between.
 * @param cell memory for a pointer
 * @param ints size of the array; 0: only count
 * @returns where the list ends
 */
function getOptions(mem: GuestAccess, text: Vaddr, n: number, ints: Vaddr, cell: Vaddr): Vaddr {
  writeInteger(mem, cell, text, 8);
  const validate = n === 0;
  let i = 1;
  while (i < n || validate) {
    const slot = validate ? ints : ints + 4 * i;
    const kind = getOption(mem, cell, slot);
    if (kind === NO_INT) break;
    if (kind === INT_THEN_RANGE) {
      const low = readUnsigned(mem, slot, 4) | 0;
      writeInteger(mem, cell, readS64(mem, cell) + 1, 8);
      getOption(mem, cell, ints);
      const high = readUnsigned(mem, ints, 4) | 0;
      if (high < low || high - low > MAX_RANGE) break;
      for (let x = low; x <= high && !validate && i + x - low < n; x++)
        writeInteger(mem, slot + 4 * (x - low), x, 4);
      i += high - low;
    }
    i++;
    if (kind === INT) break;
  }
  writeInteger(mem, ints, i - 1, 4);
  return readS64(mem, cell);
}

/** A size with a suffix K, M, G, T, P or E: bytes modulo 2^64, and characters read. */
export function memparse(text: Uint8Array): { value: bigint; end: number } {
  const { value, end } = simpleStrtoull(text, 0);
  const power = 'KMGTPE'.indexOf(String.fromCharCode(text[end] ?? 0).toUpperCase()) + 1;
  return { value: BigInt.asUintN(64, value << BigInt(10 * power)), end: end + (power > 0 ? 1 : 0) };
}

/** True if a comma-separated list has an option. */
export function parseOptionStr(list: string, option: string): boolean {
  return option === '' ? list !== '' : list.split(',').includes(option);
}

/** @param cell 8 bytes of memory that the kernel owns */
export function cmdlineExports(mem: GuestAccess, cell: Vaddr): KernelExports {
  const string = (address: Vaddr) => decodeLatin1(readCString(mem, address));
  return {
    next_arg: [
      'p:ppp',
      (args: Vaddr, param: Vaddr, value: Vaddr) => {
        const found = nextArg(mem, args);
        writeInteger(mem, param, found.param, 8);
        writeInteger(mem, value, found.value, 8);
        return found.next;
      },
    ],
    get_option: ['i:pp', (str: Vaddr, result: Vaddr) => getOption(mem, str, result)],
    get_options: ['p:pip', (str: Vaddr, n: number, ints: Vaddr) => getOptions(mem, str, n, ints, cell)],
    memparse: [
      'q:pp',
      (str: Vaddr, end: Vaddr) => {
        const parsed = memparse(readCString(mem, str));
        if (end !== 0) writeInteger(mem, end, str + parsed.end, 8);
        return parsed.value;
      },
    ],
    parse_option_str: ['b:pp', (list: Vaddr, option: Vaddr) => parseOptionStr(string(list), string(option))],
  };
}
