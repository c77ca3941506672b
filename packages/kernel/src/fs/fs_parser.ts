// SPDX-License-Identifier: MIT
/** Options of mounts by a table that says which there are, and what their values look like: fs_parse(). */

import type { KernelExports } from '../arch/wasm64/exports.js';
import { EINVAL } from '../lib/errno.js';
import { readCString, readS64, readU8, readUnsigned, writeInteger, writeU8 } from '../lib/guest_access.js';
import { decodeUtf8 } from '../lib/utf8.js';
import type { Vaddr } from '../machine/layout.js';
import type { FsDeps } from './fs_context.js';
import { ENOPARAM } from './mount_context.js';
import { FsParameter, FsParameterSpec, FsParseResult, PLog } from './vfs_types.js';

const NEG_WITH_NO = 2;
const DEPRECATED = 8;
const FS_VALUE_IS_FLAG = 1;
const FS_VALUE_IS_STRING = 2;
const MAX_OPTIONS = 256;
const CONSTANT_BYTES = 16;
const BOOLEANS: { readonly [text: string]: boolean } = {
  '0': false,
  '1': true,
  false: false,
  no: false,
  true: true,
  yes: true,
};

/** A whole number as kstrtoull() reads it, between bounds. */
function numberOf(text: string, base: number, min: number, max: number): number | undefined {
  const match = /^([+-]?)(0x)?([0-9a-f]+)\n?$/i.exec(text);
  if (!match) return undefined;
  const [, sign, hex, digits] = match;
  const radix = base !== 0 ? base : hex ? 16 : digits.length > 1 && digits.startsWith('0') ? 8 : 10;
  if (hex && radix !== 16) return undefined;
  const allowed = { 8: /^[0-7]+$/, 10: /^[0-9]+$/, 16: /^[0-9a-f]+$/i }[radix];
  if (!allowed?.test(digits)) return undefined;
  const value = Number.parseInt(digits, radix) * (sign === '-' ? -1 : 1);
  return value >= min && value <= max ? value : undefined;
}

export class FsParser {
  constructor(private readonly deps: FsDeps) {}

  private text(at: Vaddr): string {
    return at === 0 ? '' : decodeUtf8(readCString(this.deps, at, 4096));
  }

  private log(log: Vaddr, level: number, message: string): void {
    const prefix = log === 0 ? 0 : readS64(this.deps, log + PLog.o.prefix);
    this.deps.env.log.log(level, `${prefix === 0 ? '' : `${this.text(prefix)}: `}${message}`);
  }

  /** A value makes no sense. @linux fs/fs_parser.c:fs_param_bad_value full */
  private bad(log: Vaddr, param: Vaddr): number {
    const key = this.text(readS64(this.deps, param + FsParameter.o.key));
    this.log(log, 3, `Bad value for '${key}'`);
    return -EINVAL;
  }

  /** The option of a name; 0 if there is none. @linux fs/fs_parser.c:fs_lookup_key full */
  private find(table: Vaddr, key: string, isFlag: boolean): { spec: Vaddr; negated: boolean } | undefined {
    const { deps } = this;
    let other: { spec: Vaddr; negated: boolean } | undefined;
    for (let n = 0, at = table; n < MAX_OPTIONS; n++, at += FsParameterSpec.size) {
      const name = readS64(deps, at + FsParameterSpec.o.name);
      if (name === 0) break;
      const flags = readUnsigned(deps, at + FsParameterSpec.o.flags, 2);
      const takesFlag = readS64(deps, at + FsParameterSpec.o.type) === 0;
      if (this.text(name) === key) {
        if (takesFlag === isFlag) return { spec: at, negated: false };
        other = { spec: at, negated: false };
      } else if (isFlag && flags & NEG_WITH_NO && key === `no${this.text(name)}`)
        return { spec: at, negated: true };
    }
    return other;
  }

  /** @returns what the table calls the option, or a negative errno @linux fs/fs_parser.c:__fs_parse full */
  private parse(log: Vaddr, table: Vaddr, param: Vaddr, result: Vaddr): number {
    const { deps } = this;
    const key = this.text(readS64(deps, param + FsParameter.o.key));
    writeInteger(deps, result + FsParseResult.o.uint_64, 0, 8);
    const isFlag = readU8(deps, param + FsParameter.o.type) === FS_VALUE_IS_FLAG;
    const found = this.find(table, key, isFlag);
    if (found === undefined) return -ENOPARAM;
    const { spec, negated } = found;
    writeU8(deps, result + FsParseResult.o.negated, Number(negated));
    if (readUnsigned(deps, spec + FsParameterSpec.o.flags, 2) & DEPRECATED)
      this.log(log, 4, `Deprecated parameter '${key}'`);
    const type = readS64(deps, spec + FsParameterSpec.o.type);
    if (type === 0) {
      if (!isFlag) return this.bad(log, param);
      writeU8(deps, result + FsParseResult.o.boolean, Number(!negated));
    } else {
      const error = deps.callC(type, 'i:pppp', log, spec, param, result);
      if (error !== 0) return error;
    }
    return readU8(deps, spec + FsParameterSpec.o.opt);
  }

  /** The text of a value; undefined if it is none. */
  private value(param: Vaddr): string | undefined {
    const { deps } = this;
    if (readU8(deps, param + FsParameter.o.type) !== FS_VALUE_IS_STRING) return undefined;
    const at = readS64(deps, param + FsParameter.o.string);
    return at === 0 ? undefined : this.text(at);
  }

  private number(bytes: 4 | 8, min: number, max: number, usesData: boolean) {
    return (log: Vaddr, spec: Vaddr, param: Vaddr, result: Vaddr): number => {
      const base = usesData ? readS64(this.deps, spec + FsParameterSpec.o.data) : 0;
      const value = numberOf(this.value(param) ?? '', base, min, max);
      if (value === undefined) return this.bad(log, param);
      writeInteger(this.deps, result + FsParseResult.o.uint_64, value, bytes);
      return 0;
    };
  }

  private boolean(log: Vaddr, param: Vaddr, result: Vaddr): number {
    const value = BOOLEANS[this.value(param) ?? ''];
    if (value === undefined) return this.bad(log, param);
    writeU8(this.deps, result + FsParseResult.o.boolean, Number(value));
    return 0;
  }

  /** @linux fs/fs_parser.c:lookup_constant full */
  private constant(table: Vaddr, name: string): number | undefined {
    const { deps } = this;
    for (let n = 0, at = table; n < MAX_OPTIONS; n++, at += CONSTANT_BYTES) {
      const text = readS64(deps, at);
      if (text === 0) return undefined;
      if (this.text(text) === name) return readUnsigned(deps, at + 8, 4) | 0;
    }
    return undefined;
  }

  exports(): KernelExports {
    const { deps } = this;
    return {
      __fs_parse: [
        'i:pppp',
        (log: Vaddr, table: Vaddr, param: Vaddr, result: Vaddr) => this.parse(log, table, param, result),
      ],
      lookup_constant: [
        'i:ppi',
        (table: Vaddr, name: Vaddr, none: number) => this.constant(table, this.text(name)) ?? none,
      ],
      fs_param_is_bool: [
        'i:pppp',
        (log: Vaddr, _spec: Vaddr, param: Vaddr, result: Vaddr) => this.boolean(log, param, result),
      ],
      fs_param_is_u32: ['i:pppp', this.number(4, 0, 2 ** 32 - 1, true)],
      fs_param_is_s32: ['i:pppp', this.number(4, -(2 ** 31), 2 ** 31 - 1, false)],
      fs_param_is_u64: ['i:pppp', this.number(8, 0, Number.MAX_SAFE_INTEGER, false)],
      fs_param_is_enum: [
        'i:pppp',
        (log: Vaddr, spec: Vaddr, param: Vaddr, result: Vaddr) => {
          const table = readS64(deps, spec + FsParameterSpec.o.data);
          const value = this.constant(table, this.value(param) ?? '');
          if (value === undefined) return this.bad(log, param);
          writeInteger(deps, result + FsParseResult.o.uint_32, value, 4);
          return 0;
        },
      ],
      fs_param_is_string: [
        'i:pppp',
        (log: Vaddr, _spec: Vaddr, param: Vaddr) => (this.value(param) ? 0 : this.bad(log, param)),
      ],
    };
  }
}
