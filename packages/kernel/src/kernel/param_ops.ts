// SPDX-License-Identifier: MIT
/** The standard types of module parameters: how each is set from text and shown as text. */

import { KERN_ERR, type Log } from '../lib/env.js';
import { EINVAL, ENOMEM, ENOSPC, EROFS } from '../lib/errno.js';
import {
  type GuestAccess,
  readCString,
  readS64,
  readU8,
  readUnsigned,
  stringLength,
  writeBigInt,
  writeBytes,
  writeInteger,
} from '../lib/guest_access.js';
import { kstrto, kstrtobool } from '../lib/kstrtox.js';
import { strcpy } from '../lib/string.js';
import { decodeUtf8, encodeUtf8 } from '../lib/utf8.js';
import type { Vaddr } from '../machine/layout.js';
import { PAGE_SIZE } from '../machine/layout.js';
import { KernelParam, KparamString } from './module_types.js';

export interface ParamOpsDeps extends GuestAccess {
  readonly log: Log;
  /** A copy of a string that is freed with `release`; 0 if memory is short. */
  duplicate(text: Vaddr, bytes: number): Vaddr;
  /** Frees such a copy; anything else is left alone. */
  release(text: Vaddr): void;
}

/** `ops->set(val, kp)` and `ops->get(buffer, kp)`: 0 or a length, or a negative errno. */
export type ParamSet = (value: Vaddr, kp: Vaddr) => number;
export type ParamGet = (buffer: Vaddr, kp: Vaddr) => number;

export interface ParamType {
  readonly set: ParamSet;
  readonly get: ParamGet;
  readonly free?: (arg: Vaddr) => void;
  /** The name may stand alone. */
  readonly noArg?: boolean;
}

interface IntegerType {
  readonly bits: 8 | 16 | 32 | 64;
  readonly signed: boolean;
  readonly show?: (value: bigint) => string;
}

const hexint = (value: bigint) => `0x${value.toString(16).padStart(6, '0')}`;
const INTEGERS: { readonly [name: string]: IntegerType } = {
  byte: { bits: 8, signed: false },
  short: { bits: 16, signed: true },
  ushort: { bits: 16, signed: false },
  int: { bits: 32, signed: true },
  uint: { bits: 32, signed: false },
  long: { bits: 64, signed: true },
  ulong: { bits: 64, signed: false },
  ullong: { bits: 64, signed: false },
  hexint: { bits: 32, signed: false, show: hexint },
};

/** Longest text of a charp parameter. */
const CHARP_MAX = 1024;

/** The variable that a parameter sets. */
export const paramArg = (mem: GuestAccess, kp: Vaddr): Vaddr => readS64(mem, kp + KernelParam.o.arg);
export const paramName = (mem: GuestAccess, kp: Vaddr): string =>
  decodeUtf8(readCString(mem, readS64(mem, kp + KernelParam.o.name), PAGE_SIZE));

/** Writes text and a newline into a page; its length. */
function show(mem: GuestAccess, buffer: Vaddr, text: Uint8Array): number {
  const shown = text.subarray(0, PAGE_SIZE - 2);
  writeBytes(mem, buffer, Uint8Array.of(...shown, 10, 0).subarray(0, PAGE_SIZE));
  return shown.length + 1;
}

function integerType(mem: GuestAccess, { bits, signed, show: format }: IntegerType): ParamType {
  const bytes = (bits / 8) as 1 | 2 | 4 | 8;
  return {
    set(value, kp) {
      const parsed = kstrto(readCString(mem, value), 0, bits, signed);
      if (typeof parsed === 'number') return parsed;
      writeBigInt(mem, paramArg(mem, kp), parsed, bytes);
      return 0;
    },
    get(buffer, kp) {
      const arg = paramArg(mem, kp);
      const low = BigInt(readUnsigned(mem, arg, bytes === 8 ? 4 : bytes));
      const raw = bytes === 8 ? (BigInt(readUnsigned(mem, arg + 4, 4)) << 32n) | low : low;
      const value = signed ? BigInt.asIntN(bits, raw) : raw;
      return show(mem, buffer, encodeUtf8(format ? format(value) : value.toString()));
    },
  };
}

/** What a text says of a boolean: 1, 0 or -EINVAL; no text at all means yes. */
const truth = (mem: GuestAccess, value: Vaddr) => (value === 0 ? 1 : kstrtobool(readCString(mem, value, 2)));

/** A bool; `store` decides what a new value does. */
function boolType(
  mem: GuestAccess,
  store: (arg: Vaddr, value: number) => number,
  options: { inverted?: boolean; noArg?: boolean } = {},
): ParamType {
  return {
    noArg: options.noArg ?? true,
    set(value, kp) {
      const wanted = truth(mem, value);
      return wanted < 0 ? wanted : store(paramArg(mem, kp), wanted);
    },
    get(buffer, kp) {
      const yes = (readU8(mem, paramArg(mem, kp)) !== 0) !== (options.inverted ?? false);
      return show(mem, buffer, encodeUtf8(yes ? 'Y' : 'N'));
    },
  };
}

function boolTypes(mem: GuestAccess): { [name: string]: ParamType } {
  const put = (bytes: 1 | 4, invert: boolean) => (arg: Vaddr, value: number) => {
    writeInteger(mem, arg, invert ? 1 - value : value, bytes);
    return 0;
  };
  const enableOnly = (arg: Vaddr, value: number) => {
    if (value === 0) return readU8(mem, arg) === 0 ? 0 : -EROFS;
    return put(1, false)(arg, value);
  };
  return {
    bool: boolType(mem, put(1, false)),
    bool_enable_only: boolType(mem, enableOnly),
    invbool: boolType(mem, put(1, true), { inverted: true, noArg: false }),
    bint: { ...boolType(mem, put(4, false)), get: integerType(mem, INTEGERS['int']).get },
  };
}

/** @linux kernel/params.c:param_set_charp full */
function charpType(deps: ParamOpsDeps): ParamType {
  return {
    set(value, kp) {
      const length = stringLength(deps, value, CHARP_MAX + 1);
      if (length > CHARP_MAX) {
        deps.log.log(KERN_ERR, `${paramName(deps, kp)}: string parameter too long`);
        return -ENOSPC;
      }
      const arg = paramArg(deps, kp);
      deps.release(readS64(deps, arg));
      const copy = deps.duplicate(value, length);
      writeInteger(deps, arg, copy, 8);
      return copy === 0 ? -ENOMEM : 0;
    },
    get(buffer, kp) {
      const text = readS64(deps, paramArg(deps, kp));
      return show(deps, buffer, text === 0 ? encodeUtf8('(null)') : readCString(deps, text, PAGE_SIZE));
    },
    free: (arg) => deps.release(readS64(deps, arg)),
  };
}

/** @linux kernel/params.c:param_set_copystring full */
function stringType(deps: ParamOpsDeps): ParamType {
  const target = (kp: Vaddr) => readS64(deps, paramArg(deps, kp) + KparamString.o.string);
  return {
    set(value, kp) {
      const max = readUnsigned(deps, paramArg(deps, kp) + KparamString.o.maxlen, 4);
      if (stringLength(deps, value, max) + 1 > max) {
        deps.log.log(KERN_ERR, `${paramName(deps, kp)}: string doesn't fit in ${max - 1} chars.`);
        return -ENOSPC;
      }
      strcpy(deps, target(kp), value);
      return 0;
    },
    get: (buffer, kp) => show(deps, buffer, readCString(deps, target(kp), PAGE_SIZE)),
  };
}

/** An unsigned int between two limits. @linux kernel/params.c:param_set_uint_minmax full */
export function setUintMinMax(mem: GuestAccess, value: Vaddr, kp: Vaddr, min: number, max: number): number {
  if (value === 0) return -EINVAL;
  const parsed = kstrto(readCString(mem, value), 0, 32, false);
  if (typeof parsed === 'number') return parsed;
  if (parsed < BigInt(min) || parsed > BigInt(max)) return -EINVAL;
  writeInteger(mem, paramArg(mem, kp), Number(parsed), 4);
  return 0;
}

/** All the types but arrays, by the names that `module_param` takes. */
export function paramTypes(deps: ParamOpsDeps): { readonly [name: string]: ParamType } {
  const integers = Object.entries(INTEGERS).map(([name, type]) => [name, integerType(deps, type)] as const);
  return {
    ...Object.fromEntries(integers),
    ...boolTypes(deps),
    charp: charpType(deps),
    string: stringType(deps),
  };
}
