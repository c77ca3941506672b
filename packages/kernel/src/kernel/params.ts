// SPDX-License-Identifier: MIT
/**
 * Parameters of modules: `insmod x.ko n=7 s="two words"` and /sys/module/x/parameters.
 *
 * A module has an array of struct kernel_param; each names a table of functions that set and show it. The standard
 * tables (`param_ops_int`…) lie in the kernel's data, and their functions are kernel functions like any other; a
 * module may bring tables of its own, whose functions are C.
 */

import type { KernelExports } from '../arch/wasm64/exports.js';
import type { CallC } from '../lib/c_call.js';
import { nextArg } from '../lib/cmdline.js';
import { KERN_ERR, KERN_NOTICE, KERN_WARNING, type Log } from '../lib/env.js';
import { EINVAL, ENOENT, ENOMEM, ENOSPC, EPERM } from '../lib/errno.js';
import {
  type GuestAccess,
  readBytes,
  readCString,
  readS64,
  readU8,
  readUnsigned,
  writeBytes,
  writeInteger,
  writeU8,
} from '../lib/guest_access.js';
import { initListHead, ListHead, listAdd, listDel, listEntries } from '../lib/list.js';
import type { StaticData } from '../lib/static_data.js';
import { skipSpaces } from '../lib/string.js';
import { decodeUtf8 } from '../lib/utf8.js';
import { type Handle, PAGE_SIZE, type Vaddr } from '../machine/layout.js';
import { KernelParam, KernelParamOps, KparamArray, Module } from './module_types.js';
import { type ParamType, paramName, paramTypes, setUintMinMax } from './param_ops.js';

const GFP_KERNEL = 0xcc0;
const KERNEL_PARAM_OPS_FL_NOARG = 1;
const KERNEL_PARAM_FL_UNSAFE = 1;
const COMMA = 44;

export interface ParamsDeps extends GuestAccess {
  readonly data: StaticData;
  readonly log: Log;
  readonly callC: CallC;
  /** Memory for copies of strings; 0 if there is none. */
  kmalloc(bytes: number, gfp: number): Vaddr;
  kfree(address: Vaddr): void;
  /** Address of a function that the kernel offers to C. */
  symbolAddress(name: string): Vaddr | undefined;
  /** Adds a taint flag by its letter. */
  taint?(flag: string): void;
  /** Takes an argument that is no parameter of the module, such as `dyndbg=+p`; false if it means nothing. */
  takeArgument?(module: string, name: string, value: string | undefined): boolean;
}

/** An array of struct kernel_param. */
export interface ParamTable {
  readonly address: Vaddr;
  readonly count: number;
}

/** `-` and `_` are one in names. @linux kernel/params.c:parameq full */
const sameName = (a: string, b: string) => a.replaceAll('-', '_') === b.replaceAll('-', '_');

export class Params {
  private readonly types: { readonly [name: string]: ParamType };
  /** Handle of each standard table. */
  private readonly tables: ReadonlyMap<string, Handle>;
  /** List of the strings that charp parameters own. */
  private readonly owned: Handle;
  /** A struct kernel_param for one element of an array. */
  private readonly element: Handle;

  constructor(private readonly deps: ParamsDeps) {
    const { data } = deps;
    this.types = paramTypes({
      ram: deps.ram,
      guest: deps.guest,
      log: deps.log,
      duplicate: (text, bytes) => this.duplicate(text, bytes),
      release: (text) => this.release(text),
    });
    const names = [...Object.keys(this.types).map((name) => `param_ops_${name}`), 'param_array_ops'];
    this.tables = new Map(names.map((name) => [name, data.declare(name, KernelParamOps.size)]));
    this.owned = data.declare('kmalloced_params', ListHead.size);
    this.element = data.declare('param_array_element', KernelParam.size);
  }

  /** Fills the standard tables; the exported functions must have their addresses. */
  boot(): void {
    const { ram } = this.deps;
    const find = (symbol: string) => this.deps.symbolAddress(symbol) ?? 0;
    initListHead(ram, this.owned);
    for (const [name, type] of Object.entries(this.types)) {
      const ops = KernelParamOps.at(ram, this.tables.get(`param_ops_${name}`)!);
      ops.flags = type.noArg ? KERNEL_PARAM_OPS_FL_NOARG : 0;
      ops.set = find(setterSymbol(name));
      ops.get = find(getterSymbol(name));
      ops.free = type.free ? find('param_free_charp') : 0;
    }
    const array = KernelParamOps.at(ram, this.tables.get('param_array_ops')!);
    array.set = find('param_array_set');
    array.get = find('param_array_get');
    array.free = find('param_array_free');
  }

  /** The functions behind the tables, which C may call too. */
  exports(): KernelExports {
    const all: { [symbol: string]: KernelExports[string] } = {};
    for (const [name, type] of Object.entries(this.types)) {
      all[setterSymbol(name)] = ['i:pp', type.set];
      all[getterSymbol(name)] = ['i:pp', type.get];
    }
    return {
      ...all,
      param_free_charp: ['v:p', (arg: Vaddr) => void this.types['charp'].free!(arg)],
      param_array_set: ['i:pp', (value: Vaddr, kp: Vaddr) => this.setArray(value, kp)],
      param_array_get: ['i:pp', (buffer: Vaddr, kp: Vaddr) => this.getArray(buffer, kp)],
      param_array_free: ['v:p', (arg: Vaddr) => void this.freeArray(arg)],
      param_set_uint_minmax: [
        'i:ppuu',
        (value: Vaddr, kp: Vaddr, min: number, max: number) => setUintMinMax(this.deps, value, kp, min, max),
      ],
      kernel_param_lock: ['v:p', () => undefined],
      kernel_param_unlock: ['v:p', () => undefined],
    };
  }

  /** Copies a command line into kernel memory, where parsing cuts it up and C may keep pointers into it; 0 if short. */
  copyArgs(args: Uint8Array): Vaddr {
    const address = this.deps.kmalloc(args.length + 1, GFP_KERNEL);
    if (address === 0) return 0;
    writeBytes(this.deps, address, args);
    writeU8(this.deps, address + args.length, 0);
    return address;
  }

  /** Keeps a module's arguments in its struct module and sets its parameters from them: 0 or a negative errno. */
  setModuleArgs(module: Handle, name: string, args: Uint8Array, table: ParamTable): number {
    const copy = this.copyArgs(args);
    if (copy === 0) return -ENOMEM;
    Module.at(this.deps.ram, module).args = copy;
    return this.parseModuleArgs(name, copy, table);
  }

  /** Gives back what setModuleArgs and the parameters of a module own. */
  freeModuleArgs(module: Handle, table: ParamTable): void {
    const struct = Module.at(this.deps.ram, module);
    this.destroy(table);
    if (struct.args !== 0) this.deps.kfree(struct.args);
    struct.args = 0;
  }

  /**
   * Sets a module's parameters. Unknown ones are noted and passed over; the last error wins.
   * @param doing the module's name
   * @param args a command line in kernel memory, see copyArgs
   * @returns 0 or a negative errno
   */
  parseModuleArgs(doing: string, args: Vaddr, table: ParamTable): number {
    const unknown = (param: string, value: Vaddr) => {
      const text = value === 0 ? undefined : decodeUtf8(readCString(this.deps, value));
      if (this.deps.takeArgument?.(doing, param, text)) return 0;
      this.deps.log.log(KERN_WARNING, `${doing}: unknown parameter '${param}' ignored`);
      return 0;
    };
    const { error, rest } = this.parseArgs(doing, args, table, unknown);
    if (error === 0 && rest !== 0) {
      const text = decodeUtf8(readCString(this.deps, rest));
      this.deps.log.log(KERN_WARNING, `${doing}: parameters '${text}' after \`--' ignored`);
    }
    return error;
  }

  /**
   * @param unknown gets the names that no parameter has
   * @returns the last error, and what follows `--` (0 without one)
   * @linux kernel/params.c:parse_args full
   */
  parseArgs(
    doing: string,
    args: Vaddr,
    table: ParamTable,
    unknown?: (param: string, value: Vaddr) => number,
  ): { error: number; rest: Vaddr } {
    const { deps } = this;
    let error = 0;
    for (let at = skipSpaces(deps, args); readU8(deps, at) !== 0; ) {
      const { param, value, next } = nextArg(deps, at);
      at = next;
      const name = decodeUtf8(readCString(deps, param));
      if (value === 0 && name === '--') return { error, rest: at };
      const result = this.parseOne(name, value, table, unknown);
      if (result === 0) continue;
      error = result;
      const text = value === 0 ? '' : decodeUtf8(readCString(deps, value));
      if (result === -ENOENT) deps.log.log(KERN_ERR, `${doing}: Unknown parameter \`${name}'`);
      else
        deps.log.log(
          KERN_ERR,
          `${doing}: \`${text}' ${result === -ENOSPC ? 'too large' : 'invalid'} for parameter \`${name}'`,
        );
    }
    return { error, rest: 0 };
  }

  /** @linux kernel/params.c:parse_one full */
  private parseOne(
    name: string,
    value: Vaddr,
    table: ParamTable,
    unknown?: (param: string, value: Vaddr) => number,
  ): number {
    const kp = this.find(table, name);
    if (kp === 0) return unknown ? unknown(name, value) : -ENOENT;
    const ops = readS64(this.deps, kp + KernelParam.o.ops);
    const noArg = readUnsigned(this.deps, ops + KernelParamOps.o.flags, 4) & KERNEL_PARAM_OPS_FL_NOARG;
    if (value === 0 && !noArg) return -EINVAL;
    return this.set(kp, value);
  }

  /** Address of the parameter of a name, 0 if there is none. */
  find({ address, count }: ParamTable, name: string): Vaddr {
    for (let i = 0; i < count; i++) {
      const kp = address + i * KernelParam.size;
      if (sameName(paramName(this.deps, kp), name)) return kp;
    }
    return 0;
  }

  /** The parameters by name, with the permissions of their files in sysfs. */
  list({ address, count }: ParamTable): { name: string; kp: Vaddr; mode: number }[] {
    return Array.from({ length: count }, (_, i) => {
      const kp = address + i * KernelParam.size;
      return {
        name: paramName(this.deps, kp),
        kp,
        mode: readUnsigned(this.deps, kp + KernelParam.o.perm, 2),
      };
    });
  }

  /**
   * Sets one parameter from a string in kernel memory (0: no value), as a write to its file does.
   * @linux kernel/params.c:param_attr_store full
   */
  set(kp: Vaddr, value: Vaddr): number {
    const { deps } = this;
    if (readU8(deps, kp + KernelParam.o.flags) & KERNEL_PARAM_FL_UNSAFE) {
      deps.log.log(KERN_NOTICE, `Setting dangerous option ${paramName(deps, kp)} - tainting kernel`);
      deps.taint?.('U');
    }
    const set = this.op(kp, 'set');
    return set === 0 ? -EPERM : this.call(set, 'i:pp', value, kp);
  }

  /** Writes a value as a program does: copies it in, sets it, takes the copy away. */
  store(kp: Vaddr, text: Uint8Array): number {
    const copy = this.copyArgs(text);
    if (copy === 0) return -ENOMEM;
    const result = this.set(kp, copy);
    this.deps.kfree(copy);
    return result < 0 ? result : text.length;
  }

  /** The value as its file shows it, or a negative errno. @linux kernel/params.c:param_attr_show full */
  show(kp: Vaddr): Uint8Array | number {
    const { deps } = this;
    const get = this.op(kp, 'get');
    if (get === 0) return -EPERM;
    // Twice what is shown: the last element of an array may begin just before the end of the page.
    const buffer = deps.kmalloc(2 * PAGE_SIZE, GFP_KERNEL);
    if (buffer === 0) return -ENOMEM;
    const length = this.call(get, 'i:pp', buffer, kp);
    const text = length < 0 ? length : readBytes(deps, buffer, Math.min(length, PAGE_SIZE));
    deps.kfree(buffer);
    return text;
  }

  /** Frees what the parameters of a module own. @linux kernel/params.c:module_destroy_params full */
  destroy(table: ParamTable): void {
    for (const { kp } of this.list(table)) {
      const free = this.op(kp, 'free');
      if (free !== 0) this.call(free, 'v:p', readS64(this.deps, kp + KernelParam.o.arg));
    }
  }

  private op(kp: Vaddr, name: 'set' | 'get' | 'free'): Vaddr {
    const ops = readS64(this.deps, kp + KernelParam.o.ops);
    return readS64(this.deps, ops + KernelParamOps.o[name]);
  }

  private call(fn: Vaddr, signature: string, ...args: number[]): number {
    return this.deps.callC(fn, signature, ...args);
  }

  // --- arrays -----------------------------------------------------------------------------------

  private array(kp: Vaddr) {
    return this.arrayAt(readS64(this.deps, kp + KernelParam.o.arg));
  }

  private arrayAt(arr: Vaddr) {
    const { deps } = this;
    const { o } = KparamArray;
    const num = readS64(deps, arr + o.num);
    const max = readUnsigned(deps, arr + o.max, 4);
    return {
      num,
      max,
      size: readUnsigned(deps, arr + o.elemsize, 4),
      elements: readS64(deps, arr + o.elem),
      ops: readS64(deps, arr + o.ops),
      /** Elements in use. */
      used: num === 0 ? max : readUnsigned(deps, num, 4),
    };
  }

  /** A struct kernel_param for one element. */
  private elementParam(kp: Vaddr, ops: Vaddr, arg: Vaddr): Vaddr {
    const { ram } = this.deps;
    const element = KernelParam.at(ram, this.element);
    element.name = kp === 0 ? 0 : readS64(this.deps, kp + KernelParam.o.name);
    element.mod = 0;
    element.ops = ops;
    element.arg = arg;
    return ram.addressOf(this.element);
  }

  /** Sets elements from a comma-separated list, which it cuts up. @linux kernel/params.c:param_array full */
  private setArray(value: Vaddr, kp: Vaddr): number {
    const { deps } = this;
    const { num, max, size, elements, ops } = this.array(kp);
    const set = readS64(deps, ops + KernelParamOps.o.set);
    const count = (n: number) => {
      if (num !== 0) writeInteger(deps, num, n, 4);
    };
    count(0);
    let at = value;
    for (let n = 0; ; n++) {
      if (n === max) {
        deps.log.log(KERN_ERR, `${paramName(deps, kp)}: can only take ${max} arguments`);
        return -EINVAL;
      }
      const text = readCString(deps, at);
      const comma = text.indexOf(COMMA);
      if (comma >= 0) writeU8(deps, at + comma, 0);
      const result = this.call(set, 'i:pp', at, this.elementParam(kp, ops, elements + n * size));
      if (result !== 0) return result;
      count(n + 1);
      if (comma < 0) return 0;
      at += comma + 1;
    }
  }

  /** The elements, with commas between. @linux kernel/params.c:param_array_get full */
  private getArray(buffer: Vaddr, kp: Vaddr): number {
    const { deps } = this;
    const { size, elements, ops, used } = this.array(kp);
    const get = readS64(deps, ops + KernelParamOps.o.get);
    let length = 0;
    for (let i = 0; i < used && length < PAGE_SIZE; i++) {
      if (i > 0) writeU8(deps, buffer + length - 1, COMMA);
      const result = this.call(get, 'i:pp', buffer + length, this.elementParam(kp, ops, elements + i * size));
      if (result < 0) return result;
      length += result;
    }
    if (length < PAGE_SIZE) writeU8(deps, buffer + length, 0);
    return length;
  }

  /** @linux kernel/params.c:param_array_free full */
  private freeArray(arg: Vaddr): void {
    const { size, elements, ops, used } = this.arrayAt(arg);
    const free = readS64(this.deps, ops + KernelParamOps.o.free);
    for (let i = 0; free !== 0 && i < used; i++) this.call(free, 'v:p', elements + i * size);
  }

  // --- strings that charp parameters own ----------------------------------------------------------

  /** A copy behind a list node. @linux kernel/params.c:kmalloc_parameter full */
  private duplicate(text: Vaddr, bytes: number): Vaddr {
    const { deps } = this;
    const node = deps.kmalloc(ListHead.size + bytes + 1, GFP_KERNEL);
    if (node === 0) return 0;
    listAdd(deps.ram, deps.ram.handleOf(node), this.owned);
    writeBytes(deps, node + ListHead.size, readBytes(deps, text, bytes));
    writeU8(deps, node + ListHead.size + bytes, 0);
    return node + ListHead.size;
  }

  /** Frees a string if a parameter owns it. @linux kernel/params.c:maybe_kfree_parameter full */
  private release(text: Vaddr): void {
    const { ram } = this.deps;
    for (const node of listEntries(ram, this.owned)) {
      const address = ram.addressOf(node);
      if (address + ListHead.size !== text) continue;
      listDel(ram, node);
      this.deps.kfree(address);
      return;
    }
  }
}

/** `string` parameters have functions of an older name; `bint` is shown as an int. */
const setterSymbol = (type: string) => (type === 'string' ? 'param_set_copystring' : `param_set_${type}`);
const getterSymbol = (type: string) => {
  if (type === 'bint') return 'param_get_int';
  return type === 'bool_enable_only' ? 'param_get_bool' : `param_get_${type}`;
};
