// SPDX-License-Identifier: MIT
/**
 * The handlers that tables of settings name: proc_dointvec() and its kin. Each reads or writes what the table's entry
 * points to, as text in a buffer of the kernel.
 */

import type { KernelExports } from '../arch/wasm64/exports.js';
import { EINVAL } from '../lib/errno.js';
import {
  type GuestAccess,
  readBytes,
  readS64,
  readUnsigned,
  stringLength,
  writeBigInt,
  writeBytes,
  writeS64,
} from '../lib/guest_access.js';
import type { StaticData } from '../lib/static_data.js';
import { encodeUtf8 } from '../lib/utf8.js';
import { type Handle, PAGE_SIZE, type Vaddr } from '../machine/layout.js';
import {
  BOOL_CODEC,
  type Codec,
  INT_CODEC,
  JIFFIES_CODEC,
  MS_CODEC,
  printVector,
  storeVector,
  stringValue,
  U8_CODEC,
  UINT_CODEC,
  ULONG_CODEC,
  ULONG_MS_CODEC,
  USERHZ_CODEC,
  type Vector,
} from './sysctl_text.js';
import { CtlTable, SYSCTL_VALS } from './sysctl_types.js';

interface NumberHandler {
  readonly codec: Codec;
  /** extra1 and extra2 point to the lowest and the highest value. */
  readonly limited: boolean;
}

const NUMBER_HANDLERS: { readonly [name: string]: NumberHandler } = {
  proc_dointvec: { codec: INT_CODEC, limited: false },
  proc_dointvec_minmax: { codec: INT_CODEC, limited: true },
  proc_douintvec: { codec: UINT_CODEC, limited: false },
  proc_douintvec_minmax: { codec: UINT_CODEC, limited: true },
  proc_dobool: { codec: BOOL_CODEC, limited: false },
  proc_dou8vec_minmax: { codec: U8_CODEC, limited: true },
  proc_dointvec_jiffies: { codec: JIFFIES_CODEC, limited: false },
  proc_dointvec_userhz_jiffies: { codec: USERHZ_CODEC, limited: false },
  proc_dointvec_ms_jiffies: { codec: MS_CODEC, limited: false },
  proc_dointvec_ms_jiffies_minmax: { codec: MS_CODEC, limited: true },
  proc_doulongvec_minmax: { codec: ULONG_CODEC, limited: true },
  proc_doulongvec_ms_jiffies_minmax: { codec: ULONG_MS_CODEC, limited: true },
};

/** Names of all handlers that need `data` and `maxlen`: what is checked when a table is registered. */
export const CHECKED_HANDLERS: readonly string[] = ['proc_dostring', ...Object.keys(NUMBER_HANDLERS)];

/** Bytes of a buffer that are filled at once, however long it is. */
const LONGEST_READ = 65536;

/** A call of a handler, as C makes it. */
interface HandlerCall {
  readonly table: Vaddr;
  readonly write: boolean;
  readonly buffer: Vaddr;
  /** size_t: bytes of the buffer; afterwards bytes that were read or written. */
  readonly lenp: Vaddr;
  /** loff_t: where in the file. */
  readonly ppos: Vaddr;
}

export class SysctlHandlers {
  private readonly vals: Handle;
  private readonly longVals: Handle;

  constructor(
    private readonly mem: GuestAccess,
    data: StaticData,
  ) {
    this.vals = data.declare('sysctl_vals', 4 * SYSCTL_VALS.length);
    this.longVals = data.declare('sysctl_long_vals', 24);
  }

  boot(): void {
    const { ram } = this.mem;
    ram.i32.set(SYSCTL_VALS, this.vals);
    ram.set64(this.longVals + 2, 1);
    ram.i32.set([-1, 0x7fffffff], this.longVals + 4);
  }

  private field(table: Vaddr, name: 'data' | 'extra1' | 'extra2'): Vaddr {
    return readS64(this.mem, table + CtlTable.o[name]);
  }

  private maxlen(table: Vaddr): number {
    return readUnsigned(this.mem, table + CtlTable.o.maxlen, 4);
  }

  private integer(at: Vaddr, bytes: 1 | 4 | 8, signed: boolean): bigint {
    const { mem } = this;
    if (bytes === 1) return BigInt(readUnsigned(mem, at, 1));
    const low = BigInt(readUnsigned(mem, at, 4));
    const value = bytes === 8 ? (BigInt(readUnsigned(mem, at + 4, 4)) << 32n) | low : low;
    return signed ? BigInt.asIntN(8 * bytes, value) : value;
  }

  /** The numbers that a table's entry names. */
  private vector(table: Vaddr, codec: Codec, limited: boolean): Vector {
    const at = this.field(table, 'data');
    const limit = (extra: 'extra1' | 'extra2') => {
      const pointer = limited ? this.field(table, extra) : 0;
      return pointer === 0 ? undefined : () => this.integer(pointer, codec.stride, codec.signed);
    };
    const min = limit('extra1');
    const max = limit('extra2');
    return {
      codec,
      length: Math.floor(this.maxlen(table) / (codec.single ? codec.bytes : codec.stride)),
      get: (i) => this.integer(at + i * codec.stride, codec.bytes, codec.signed),
      set: (i, value) => writeBigInt(this.mem, at + i * codec.stride, value, codec.bytes),
      ...(min && { min }),
      ...(max && { max }),
    };
  }

  /** @linux kernel/sysctl.c:do_proc_dointvec full */
  private numbers(call: HandlerCall, handler: NumberHandler): number {
    const { mem } = this;
    const { table, write, lenp, ppos } = call;
    const count = readS64(mem, lenp);
    const pos = readS64(mem, ppos);
    const { codec, limited } = handler;
    const wrongSize = codec.single && Math.floor(this.maxlen(table) / codec.bytes) !== 1;
    // A byte's size is looked at before anything else.
    if (codec === U8_CODEC && wrongSize) return -EINVAL;
    const nothing = this.field(table, 'data') === 0 || this.maxlen(table) === 0 || count <= 0;
    if (nothing || wrongSize || (pos !== 0 && !write)) {
      writeS64(mem, lenp, 0);
      return nothing || (pos !== 0 && !write) ? 0 : -EINVAL;
    }
    const vector = this.vector(table, codec, limited);
    if (write && pos !== 0) {
      // What follows a first write is ignored: it was no number of its own.
      writeS64(mem, ppos, pos + count);
      return 0;
    }
    return write ? this.store(call, vector, count) : this.show(call, vector, count);
  }

  private show({ buffer, lenp, ppos }: HandlerCall, vector: Vector, count: number): number {
    const text = encodeUtf8(printVector(vector, Math.min(count, LONGEST_READ)));
    writeBytes(this.mem, buffer, text);
    writeS64(this.mem, lenp, text.length);
    writeS64(this.mem, ppos, text.length);
    return 0;
  }

  private store({ buffer, lenp, ppos }: HandlerCall, vector: Vector, count: number): number {
    const { error, used } = storeVector(vector, readBytes(this.mem, buffer, Math.min(count, PAGE_SIZE - 1)));
    if (used === 0) return error;
    if (!vector.codec.single) {
      writeS64(this.mem, lenp, used);
      writeS64(this.mem, ppos, used);
    }
    return error;
  }

  /** The text at `data`, at most `maxlen` bytes with its NUL. @linux kernel/sysctl.c:proc_dostring full */
  private string({ table, write, buffer, lenp, ppos }: HandlerCall): number {
    const { mem } = this;
    const data = this.field(table, 'data');
    const maxlen = this.maxlen(table);
    const count = readS64(mem, lenp);
    const pos = readS64(mem, ppos);
    if (data === 0 || maxlen === 0 || count <= 0) {
      writeS64(mem, lenp, 0);
      return 0;
    }
    if (write) {
      if (pos > stringLength(mem, data, maxlen - 1)) return 0;
      writeS64(mem, ppos, pos + count);
      const value = stringValue(readBytes(mem, buffer, Math.min(count, maxlen)), maxlen - 1 - pos);
      writeBytes(mem, data + pos, value);
      writeBytes(mem, data + pos + value.length, Uint8Array.of(0));
      return 0;
    }
    const length = stringLength(mem, data, maxlen);
    if (pos > length) {
      writeS64(mem, lenp, 0);
      return 0;
    }
    const shown = Math.min(length - pos, count);
    writeBytes(mem, buffer, readBytes(mem, data + pos, shown));
    const newline = Number(shown < count);
    if (newline) writeBytes(mem, buffer + shown, Uint8Array.of(10));
    writeS64(mem, lenp, shown + newline);
    writeS64(mem, ppos, pos + shown + newline);
    return 0;
  }

  exports(): KernelExports {
    const handler =
      (run: (call: HandlerCall) => number) =>
      (table: Vaddr, write: number, buffer: Vaddr, lenp: Vaddr, ppos: Vaddr): number =>
        run({ table, write: write !== 0, buffer, lenp, ppos });
    const numbers = Object.entries(NUMBER_HANDLERS).map(([name, kind]) => [
      name,
      ['i:pippp', handler((call) => this.numbers(call, kind))],
    ]);
    return {
      ...Object.fromEntries(numbers),
      proc_dostring: ['i:pippp', handler((call) => this.string(call))],
    };
  }
}
