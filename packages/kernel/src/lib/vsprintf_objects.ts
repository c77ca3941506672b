// SPDX-License-Identifier: MIT
/** %p conversions of memory and of kernel objects: dumps, bitmaps, escapes, resources, names, flags, times. */

import type { Vaddr } from '../machine/layout.js';
import { bitmapListText, bitmapText } from './bitmap_text.js';
import { ByteOutput } from './byte_output.js';
import { civilTime } from './civil_time.js';
import { readBytes, readS64, readUnsigned } from './guest_access.js';
import { badPointer, type PointerConversion } from './pointer_conversion.js';
import { escapeFlags, escapeInto } from './string_escape.js';
import { addr, struct, u64, ulong } from './struct.js';
import {
  putError,
  putInteger,
  putNumber,
  putString,
  putText,
  SMALL,
  SPECIAL,
  type Spec,
  spec,
  ZEROPAD,
} from './vsprintf_spec.js';

const TWO32 = 4294967296;
const hex2 = (byte: number) => byte.toString(16).padStart(2, '0');

/** Prints why the pointer cannot be followed; true if it can. */
function usable({ address, out, spec: s }: PointerConversion): boolean {
  const bad = badPointer(address);
  if (bad) putError(out, bad, s);
  return !bad;
}

/** `%*ph`: as many bytes as the width says, at most 64; C, D, N: `:`, `-`, nothing between. @linux lib/vsprintf.c:hex_string full */
export function hexString(conversion: PointerConversion): void {
  const { context, out, address, letters, spec: s } = conversion;
  if (s.width === 0 || !usable(conversion)) return;
  const separator = { C: ':', D: '-', N: '' }[letters[1]] ?? ' ';
  const bytes = readBytes(context, address, s.width > 0 ? Math.min(s.width, 64) : 1);
  out.ascii(Array.from(bytes, hex2).join(separator));
}

/** `%*pb` 32 bits a group, `%*pbl` as ranges; the width is the number of bits. @linux lib/vsprintf.c:bitmap_string full */
export function bitmap(conversion: PointerConversion): void {
  const { context, out, address, letters, spec: s } = conversion;
  if (!usable(conversion)) return;
  const bits = Math.max(0, s.width);
  const bytes = readBytes(context, address, Math.ceil(bits / 64) * 8);
  out.ascii(letters[1] === 'l' ? bitmapListText(bytes, bits) : bitmapText(bytes, bits));
}

/** `%*pE`: a string with escapes; letters choose which. @linux lib/vsprintf.c:escaped_string full */
export function escaped(conversion: PointerConversion): void {
  const { context, out, address, letters, spec: s } = conversion;
  if (s.width === 0 || !usable(conversion)) return;
  escapeInto(out, readBytes(context, address, s.width < 0 ? 1 : s.width), escapeFlags(letters.slice(1)));
}

/** `%pa`, `%pap`, `%pad`: a physical or DMA address, by reference. @linux lib/vsprintf.c:address_val full */
export function addressValue(conversion: PointerConversion): void {
  const { context, out, address, spec: s } = conversion;
  if (!usable(conversion)) return;
  putHex(out, readUnsigned(context, address + 4, 4), readUnsigned(context, address, 4), 18, s);
}

/** `%pNF`: network device features, by reference. @linux lib/vsprintf.c:netdev_bits full */
export function netdevBits(conversion: PointerConversion): void {
  if (conversion.letters[1] === 'F') addressValue(conversion);
  else putError(conversion.out, '(%pN?)', conversion.spec);
}

const putHex = (out: ByteOutput, hi: number, lo: number, width: number, base: Spec) =>
  putNumber(out, hi, lo, { ...base, width, precision: -1, base: 16, flags: SPECIAL | SMALL | ZEROPAD });

export const Resource = struct('resource', {
  start: u64,
  end: u64,
  name: addr('const char'),
  flags: ulong,
  desc: ulong,
  parent: addr('struct resource'),
  sibling: addr('struct resource'),
  child: addr('struct resource'),
});

/** Kinds by flag, in the order in which they are tried, with the shape of their numbers. */
const RESOURCE_KINDS: readonly (readonly [flag: number, name: string, shape: Spec])[] = [
  [0x100, 'io  ', spec({ base: 16, width: 6, flags: SPECIAL | SMALL | ZEROPAD })],
  [0x200, 'mem ', spec({ base: 16, width: 10, flags: SPECIAL | SMALL | ZEROPAD })],
  [0x400, 'irq ', spec()],
  [0x800, 'dma ', spec()],
  [0x1000, 'bus ', spec({ base: 16, width: 2, flags: SMALL | ZEROPAD })],
];
const RESOURCE_NOTES: readonly (readonly [flag: number, note: string])[] = [
  [0x100000, ' 64bit'],
  [0x2000, ' pref'],
  [0x200000, ' window'],
  [0x10000000, ' disabled'],
];
const IORESOURCE_UNSET = 0x20000000;

/** `%pr`: [mem 0x…-0x… flags 0x…]; `%pR` decodes the flags. @linux lib/vsprintf.c:resource_string full */
export function resourceString(conversion: PointerConversion): void {
  const { context, out, address, letters, spec: s } = conversion;
  if (!usable(conversion)) return;
  const flags = readUnsigned(context, address + Resource.o.flags, 4);
  const kind = RESOURCE_KINDS.find(([flag]) => flags & flag);
  const [, name, shape] = kind ?? [0, '??? ', RESOURCE_KINDS[1][2]];
  const decode = kind !== undefined && letters[0] === 'R';
  const start = readS64(context, address + Resource.o.start);
  const end = readS64(context, address + Resource.o.end);
  const text = new ByteOutput();
  text.ascii(`[${name}`);
  if (decode && flags & IORESOURCE_UNSET) {
    text.ascii('size ');
    putInteger(text, end - start + 1, shape);
  } else {
    putInteger(text, start, shape);
    if (start !== end) {
      text.ascii('-');
      putInteger(text, end, shape);
    }
  }
  if (decode) text.ascii(RESOURCE_NOTES.map(([flag, note]) => (flags & flag ? note : '')).join(''));
  else text.ascii(` flags 0x${flags.toString(16)}`);
  text.ascii(']');
  putString(out, text.kept(), s);
}

/** `%pd`, `%pD`, with 2 to 4 for that many path components. @linux lib/vsprintf.c:dentry_name full */
export function dentryName(conversion: PointerConversion): void {
  const { context, out, address, letters, spec: s } = conversion;
  if (!usable(conversion)) return;
  const depth = /[2-4]/.test(letters[1] ?? '') ? Number(letters[1]) : 1;
  const { services } = context;
  const name =
    letters[0] === 'd' ? services.dentryName?.(address, depth) : services.fileName?.(address, depth);
  if (name) putString(out, name, s);
  else putError(out, `(%p${letters[0]}?)`, s);
}

/** `%pGp` page, `%pGg` GFP, `%pGv` VMA flags, by reference. @linux lib/vsprintf.c:flags_string full */
export function flagsString(conversion: PointerConversion): void {
  const { context, out, address, letters, spec: s } = conversion;
  if (!usable(conversion)) return;
  const kind = letters[1];
  if (kind !== 'p' && kind !== 'g' && kind !== 'v') {
    putError(out, '(%pG?)', s);
    return;
  }
  const lo = readUnsigned(context, address, 4);
  const hi = kind === 'g' ? 0 : readUnsigned(context, address + 4, 4);
  out.ascii(context.services.flagNames?.(kind, hi, lo) ?? `0x${(hi * TWO32 + lo).toString(16)}`);
}

const pad = (n: number, width: number) => String(n).padStart(width, '0');

/** Fields of struct rtc_time: ints in this order. */
interface RtcTime {
  readonly second: number;
  readonly minute: number;
  readonly hour: number;
  readonly day: number;
  /** 0 to 11. */
  readonly month: number;
  readonly year: number;
}

function rtcTime({ context, address }: PointerConversion, at: Vaddr = address): RtcTime {
  const [second, minute, hour, day, month, year] = Array.from(
    { length: 6 },
    (_, i) => readUnsigned(context, at + 4 * i, 4) | 0,
  );
  return { second, minute, hour, day, month, year: year + 1900 };
}

/** `%ptR` struct rtc_time, `%ptT` time64_t; d date, t time, r raw numbers, s a space between. @linux lib/vsprintf.c:time_and_date full */
export function timeAndDate(conversion: PointerConversion): void {
  const { context, out, address, letters, spec: s } = conversion;
  const kind = letters[1];
  if (kind !== 'R' && kind !== 'T') {
    putError(out, '(%pt?)', s);
    return;
  }
  if (!usable(conversion)) return;
  const t: RtcTime = kind === 'R' ? rtcTime(conversion) : civilTime(readS64(context, address));
  let options = letters.slice(2);
  const only = options[0] === 'd' || options[0] === 't' ? options[0] : '';
  if (only) options = options.slice(1);
  const raw = options.includes('r');
  const blank = options.includes('s');
  const year = raw ? t.year - 1900 : t.year;
  const date = `${pad(year, 4)}-${pad(raw ? t.month : t.month + 1, 2)}-${pad(t.day, 2)}`;
  const time = `${pad(t.hour, 2)}:${pad(t.minute, 2)}:${pad(t.second, 2)}`;
  out.ascii(only === 'd' ? date : only === 't' ? time : `${date}${blank ? ' ' : 'T'}${time}`);
}

/** `%p4cc`: a four-character code, by reference, with its order and value. @linux lib/vsprintf.c:fourcc_string full */
export function fourcc(conversion: PointerConversion): void {
  const { context, out, address, letters, spec: s } = conversion;
  if (letters[1] !== 'c' || letters[2] !== 'c') {
    putError(out, '(%p4?)', s);
    return;
  }
  if (!usable(conversion)) return;
  const value = readUnsigned(context, address, 4);
  let text = '';
  for (let i = 0; i < 4; i++) {
    const c = (value >>> (8 * i)) & (i === 3 ? 0x7f : 0xff);
    text += c >= 32 && c < 127 ? String.fromCharCode(c) : '.';
  }
  const order = value & 0x80000000 ? 'big' : 'little';
  putText(out, `${text} ${order}-endian (0x${value.toString(16).padStart(8, '0')})`, s);
}
