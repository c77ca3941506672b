// SPDX-License-Identifier: MIT
/**
 * How an event's fields lie in a record of ftrace's buffer: C's layout, read from C declarations.
 *
 *     0  common_type 2 | common_flags 1 | common_preempt_count 1     4  common_pid 4     8  the event's own fields
 *
 * A `__data_loc char[]` is a word, length << 16 | offset, of a string behind the fields.
 */

import type { TraceFields } from './tracepoint.js';

const TWO32 = 4294967296;

export interface EventField {
  readonly name: string;
  /** As the `format` file has it, `char comm[16]`. */
  readonly declaration: string;
  readonly kind: 'number' | 'chars' | 'string';
  readonly offset: number;
  /** Bytes. */
  readonly size: number;
  readonly signed: boolean;
}

/** What every record begins with. */
export interface CommonFields {
  readonly type: number;
  readonly flags: number;
  readonly preemptCount: number;
  readonly pid: number;
}

const SIZES: { readonly [type: string]: readonly [size: number, signed: boolean] } = {
  char: [1, true],
  bool: [1, false],
  'unsigned char': [1, false],
  u8: [1, false],
  'unsigned short': [2, false],
  u16: [2, false],
  int: [4, true],
  pid_t: [4, true],
  clockid_t: [4, true],
  'unsigned int': [4, false],
  u32: [4, false],
  gfp_t: [4, false],
  long: [8, true],
  s64: [8, true],
  'unsigned long': [8, false],
  size_t: [8, false],
  u64: [8, false],
};

const typeOf = (c: string): readonly [size: number, signed: boolean] => {
  if (c.endsWith('*')) return [8, false];
  const known = SIZES[c] ?? (c.startsWith('enum ') ? SIZES['unsigned int'] : undefined);
  if (!known) throw new RangeError(`field type: got '${c}', expected a C type of trace/event_fields.ts`);
  return known;
};

const COMMON = [
  'unsigned short common_type',
  'unsigned char common_flags',
  'unsigned char common_preempt_count',
  'int common_pid',
];
export const COMMON_BYTES = 8;

/** Places declarations one behind the other. */
function place(declarations: readonly string[], start: number): { fields: EventField[]; end: number } {
  let at = start;
  const fields = declarations.map((declaration): EventField => {
    const [, c, name, count] = /^(.*[ *])(\w+)(?:\[(\d*)\])?$/.exec(declaration)!;
    if (c === '__data_loc char[] ') {
      at = Math.ceil(at / 4) * 4;
      at += 4;
      return { name, declaration, kind: 'string', offset: at - 4, size: 4, signed: true };
    }
    const [size, signed] = typeOf(c.trim());
    const offset = Math.ceil(at / size) * size;
    const bytes = count === undefined ? size : size * Number(count);
    at = offset + bytes;
    return { name, declaration, kind: count === undefined ? 'number' : 'chars', offset, size: bytes, signed };
  });
  return { fields, end: at };
}

const latin1 = (bytes: Uint8Array): string => String.fromCharCode(...bytes);

export class EventLayout {
  readonly common: readonly EventField[];
  readonly fields: readonly EventField[];
  /** Bytes of a record without its strings. */
  private readonly end: number;

  constructor(declarations: readonly string[]) {
    this.common = place(COMMON, 0).fields;
    const { fields, end } = place(declarations, COMMON_BYTES);
    this.fields = fields;
    this.end = end;
  }

  find(name: string): EventField | undefined {
    return this.fields.find((f) => f.name === name) ?? this.common.find((f) => f.name === name);
  }

  /**
   * Writes a record.
   * @returns its length
   */
  encode(to: DataView, common: CommonFields, values: TraceFields): number {
    putCommon(to, common);
    for (let i = COMMON_BYTES; i < this.end; i++) to.setUint8(i, 0);
    let end = this.end;
    for (const field of this.fields) {
      const value = values[field.name] ?? 0;
      if (field.kind === 'number') putNumber(to, field, Number(value));
      else {
        const isChars = field.kind === 'chars';
        const room = isChars ? field.size : to.byteLength - end;
        const text = String(value).slice(0, Math.max(room - 1, 0));
        const at = isChars ? field.offset : end;
        for (let i = 0; i < text.length; i++) to.setUint8(at + i, text.charCodeAt(i));
        if (isChars) continue;
        to.setUint8(end + text.length, 0);
        to.setUint32(field.offset, ((text.length + 1) << 16) | end, true);
        end += text.length + 1;
      }
    }
    return end;
  }

  decode(from: DataView): TraceFields {
    const values: { [name: string]: number | string } = {};
    for (const field of this.fields)
      values[field.name] = field.kind === 'number' ? getNumber(from, field) : getText(from, field);
    return values;
  }
}

export function putCommon(to: DataView, { type, flags, preemptCount, pid }: CommonFields): void {
  to.setUint16(0, type, true);
  to.setUint8(2, flags);
  to.setUint8(3, preemptCount);
  to.setInt32(4, pid, true);
}

export const getCommon = (from: DataView): CommonFields => ({
  type: from.getUint16(0, true),
  flags: from.getUint8(2),
  preemptCount: from.getUint8(3),
  pid: from.getInt32(4, true),
});

function putNumber(to: DataView, { offset, size }: EventField, value: number): void {
  if (size === 1) to.setUint8(offset, value);
  else if (size === 2) to.setUint16(offset, value, true);
  else if (size === 4) to.setInt32(offset, value | 0, true);
  else {
    to.setInt32(offset, value | 0, true);
    to.setInt32(offset + 4, Math.floor(value / TWO32) | 0, true);
  }
}

/** A number of 8 bytes as its two words; a smaller one with its sign in the upper word. */
export function getWords(from: DataView, { offset, size, signed }: EventField): { hi: number; lo: number } {
  if (size === 8) return { hi: from.getInt32(offset + 4, true), lo: from.getUint32(offset, true) };
  let value: number;
  if (size === 1) value = signed ? from.getInt8(offset) : from.getUint8(offset);
  else if (size === 2) value = signed ? from.getInt16(offset, true) : from.getUint16(offset, true);
  else value = signed ? from.getInt32(offset, true) : from.getUint32(offset, true);
  return { hi: value < 0 ? -1 : 0, lo: value >>> 0 };
}

/** Addresses and longs as the kernel has them, signed; sizes and times without a sign. */
function getNumber(from: DataView, field: EventField): number {
  const { hi, lo } = getWords(from, field);
  const unsigned = /^(size_t|u64) /.test(field.declaration);
  return (unsigned ? hi >>> 0 : hi) * TWO32 + lo;
}

/** The characters of a string field, up to its NUL. */
export function getText(from: DataView, { kind, offset, size }: EventField): string {
  let at = offset;
  let length = size;
  if (kind === 'string') {
    const where = from.getUint32(offset, true);
    at = where & 0xffff;
    length = where >>> 16;
  }
  const bytes = new Uint8Array(from.buffer, from.byteOffset + at, Math.min(length, from.byteLength - at));
  const end = bytes.indexOf(0);
  return latin1(end < 0 ? bytes : bytes.subarray(0, end));
}

/**
 * The text of an event's `format` file.
 * @linux kernel/trace/trace_events.c:f_show full
 */
export function formatFile(name: string, id: number, layout: EventLayout, print: string): string {
  const line = ({ declaration, offset, size, signed }: EventField) =>
    `\tfield:${declaration};\toffset:${offset};\tsize:${size};\tsigned:${signed ? 1 : 0};\n`;
  const event = name.slice(name.indexOf(':') + 1);
  return (
    `name: ${event}\nID: ${id}\nformat:\n${layout.common.map(line).join('')}\n` +
    `${layout.fields.map(line).join('')}\nprint fmt: ${print}\n`
  );
}
