// SPDX-License-Identifier: MIT
/** Text to numbers, as C calls it. */

import type { KernelExports } from '../arch/wasm64/exports.js';
import type { Vaddr } from '../machine/layout.js';
import { EFAULT, EINVAL } from './errno.js';
import { type GuestAccess, readCString, writeBigInt, writeInteger } from './guest_access.js';
import { kstrto, kstrtobool, simpleStrtoll, simpleStrtoull } from './kstrtox.js';
import { vsscanf } from './sscanf.js';
import { VaList } from './valist.js';

/** Suffix of the kstrto functions, with what they make. */
const TYPES: readonly (readonly [suffix: string, bits: 8 | 16 | 32 | 64, signed: boolean])[] = [
  ['ull', 64, false],
  ['ll', 64, true],
  ['ul', 64, false],
  ['l', 64, true],
  ['uint', 32, false],
  ['int', 32, true],
  ['u16', 16, false],
  ['s16', 16, true],
  ['u8', 8, false],
  ['s8', 8, true],
];
/** Longest text of a number that is copied from a program: sign, 64 bits in base 2, newline. */
const MAX_TEXT = 1 + 64 + 1;
const MAX_BOOL_TEXT = 3;

/** Up to `count` bytes of a program's memory as a string, or -EFAULT; touches nothing that is not mapped. */
export type CopyFromUser = (from: Vaddr, count: number) => Uint8Array | undefined;

/** The text up to its first NUL. */
const untilNul = (bytes: Uint8Array) => {
  const nul = bytes.indexOf(0);
  return nul < 0 ? bytes : bytes.subarray(0, nul);
};

export function kstrtoxExports(mem: GuestAccess, copyFromUser?: CopyFromUser): KernelExports {
  const exports: { [symbol: string]: KernelExports[string] } = {};
  for (const [suffix, bits, signed] of TYPES) {
    const convert = (text: Uint8Array, base: number, result: Vaddr): number => {
      const value = kstrto(text, base, bits, signed);
      if (typeof value === 'number') return value;
      writeBigInt(mem, result, value, (bits / 8) as 1 | 2 | 4 | 8);
      return 0;
    };
    exports[`kstrto${suffix}`] = [
      'i:pup',
      (s: Vaddr, base: number, result: Vaddr) => convert(readCString(mem, s), base, result),
    ];
    exports[`kstrto${suffix}_from_user`] = [
      'i:pzup',
      (s: Vaddr, count: number, base: number, result: Vaddr) => {
        const text = copyFromUser?.(s, Math.min(count, MAX_TEXT));
        return text ? convert(untilNul(text), base, result) : -EFAULT;
      },
    ];
  }
  const toBool = (text: Uint8Array, result: Vaddr): number => {
    const value = kstrtobool(text);
    if (value < 0) return value;
    writeInteger(mem, result, value, 1);
    return 0;
  };
  /** Bytes of a string, at least the two that decide. */
  const boolText = (s: Vaddr) => untilNul(readCString(mem, s, 2));
  return {
    ...exports,
    kstrtobool: ['i:pp', (s: Vaddr, result: Vaddr) => (s === 0 ? -EINVAL : toBool(boolText(s), result))],
    kstrtobool_from_user: [
      'i:pzp',
      (s: Vaddr, count: number, result: Vaddr) => {
        const text = copyFromUser?.(s, Math.min(count, MAX_BOOL_TEXT));
        return text ? toBool(untilNul(text), result) : -EFAULT;
      },
    ],
    ...simpleExports(mem),
    sscanf: ['i:pp…', (s: Vaddr, fmt: Vaddr, area: Vaddr) => vsscanf(mem, s, fmt, new VaList(mem, area))],
    vsscanf: ['i:ppp', (s: Vaddr, fmt: Vaddr, area: Vaddr) => vsscanf(mem, s, fmt, new VaList(mem, area))],
  };
}

function simpleExports(mem: GuestAccess): KernelExports {
  const convert =
    (parse: typeof simpleStrtoull, signed: boolean) =>
    (s: Vaddr, end: Vaddr, base: number): bigint => {
      const { value, end: length } = parse(readCString(mem, s), base);
      if (end !== 0) writeInteger(mem, end, s + length, 8);
      return signed ? value : BigInt.asUintN(64, value);
    };
  return {
    simple_strtoul: ['q:ppu', convert(simpleStrtoull, false)],
    simple_strtoull: ['q:ppu', convert(simpleStrtoull, false)],
    simple_strtol: ['q:ppu', convert(simpleStrtoll, true)],
    simple_strtoll: ['q:ppu', convert(simpleStrtoll, true)],
  };
}
