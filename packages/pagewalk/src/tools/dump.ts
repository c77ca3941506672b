// SPDX-License-Identifier: MIT
/** hexdump and od: bytes as numbers. */

import type { Command, CommandContext } from '../shell/command.js';
import { concat, readAll } from '../shell/stream.js';
import { UsageError } from './arguments.js';
import type { CommandSet } from './kmod.js';
import { eachInput, tool } from './text.js';

const LINE = 16;

/** `16`, `0x10`, `4k`. */
function size(text: string): number {
  const match = /^(0[xX][0-9a-fA-F]+|\d+)([bkm]?)$/.exec(text);
  if (!match) throw new UsageError(`invalid number of bytes: '${text}'`);
  return Number(match[1]) * { '': 1, b: 512, k: 1024, m: 2 ** 20 }[match[2] as '' | 'b' | 'k' | 'm'];
}

/** The bytes that `-j`/`-s` and `-n` leave, and what could not be read. */
async function input(context: CommandContext, files: readonly string[], skip: number, limit: number) {
  const chunks: Uint8Array[] = [];
  let wanted = skip + limit;
  const status = await eachInput(context, files, async (file) => {
    if (limit === Number.POSITIVE_INFINITY) chunks.push(await readAll(file));
    while (limit !== Number.POSITIVE_INFINITY && wanted > 0) {
      const chunk = await file.read();
      if (!chunk) break;
      chunks.push(chunk.subarray(0, wanted));
      wanted -= chunk.length;
    }
  });
  return { bytes: concat(chunks).subarray(skip, skip + limit), status };
}

/** Prints lines of 16 bytes; of equal ones in a row the first and a star. */
async function dump(
  context: CommandContext,
  bytes: Uint8Array,
  all: boolean,
  line: (part: Uint8Array, at: number) => string,
): Promise<void> {
  let starred = false;
  for (let at = 0; at < bytes.length && !context.signal.aborted; at += LINE) {
    const part = bytes.subarray(at, at + LINE);
    const before = bytes.subarray(at - LINE, at);
    const repeats = !all && at >= LINE && part.length === LINE && part.every((byte, i) => byte === before[i]);
    if (!repeats) await context.out(line(part, at));
    else if (!starred) await context.out('*\n');
    starred = repeats;
  }
}

const hex = (byte: number) => byte.toString(16).padStart(2, '0');

/** `hexdump -C`. */
function canonical(part: Uint8Array): string {
  const half = (from: number) => [...part.subarray(from, from + 8)].map(hex).join(' ').padEnd(23);
  const text = [...part].map((byte) => (byte >= 32 && byte < 127 ? String.fromCharCode(byte) : '.')).join('');
  return `  ${half(0)}  ${half(8)}  |${text}|\n`;
}

function words(part: Uint8Array): string {
  const shown: string[] = [];
  for (let at = 0; at < part.length; at += 2) shown.push(hex(part[at + 1] ?? 0) + hex(part[at]));
  return ` ${shown.join(' ').padEnd(39)}\n`;
}

const hexdump = tool('Cvxn:s:', async (context, flags) => {
  const skip = size(flags.value('s') ?? '0');
  const limit = flags.has('n') ? size(flags.value('n')!) : Number.POSITIVE_INFINITY;
  const { bytes, status } = await input(context, flags.operands, skip, limit);
  const offset = (at: number) => at.toString(16).padStart(flags.has('C') ? 8 : 7, '0');
  await dump(context, bytes, flags.has('v'), (part, at) => {
    const body = flags.has('C') ? canonical(part) : words(part);
    return offset(skip + at) + body;
  });
  if (bytes.length > 0) await context.out(`${offset(skip + bytes.length)}\n`);
  return status;
});

// ---------------------------------------------------------------- od

const CHARACTERS: Record<number, string> = {
  0: '\\0',
  7: '\\a',
  8: '\\b',
  9: '\\t',
  10: '\\n',
  11: '\\v',
  12: '\\f',
  13: '\\r',
};
const NAMES =
  'nul soh stx etx eot enq ack bel bs ht nl vt ff cr so si dle dc1 dc2 dc3 dc4 nak syn etb can em sub esc fs gs rs us sp'.split(
    ' ',
  );

interface OdType {
  readonly bytes: number;
  readonly width: number;
  text(view: DataView): string;
}

function character(byte: number): string {
  if (CHARACTERS[byte]) return CHARACTERS[byte];
  return byte >= 32 && byte < 127 ? String.fromCharCode(byte) : byte.toString(8).padStart(3, '0');
}

/** The types of `-t`: a letter and a size. */
function odType(letter: string, bytes: number): OdType {
  if (letter === 'c') return { bytes: 1, width: 3, text: (view) => character(view.getUint8(0)) };
  if (letter === 'a')
    return {
      bytes: 1,
      width: 3,
      text: (view) => {
        const code = view.getUint8(0) & 127;
        return NAMES[code] ?? (code === 127 ? 'del' : String.fromCharCode(code));
      },
    };
  if (letter === 'f') {
    const show = (value: number, digits: number) => String(Number(value.toPrecision(digits)));
    if (bytes === 4) return { bytes, width: 15, text: (view) => show(view.getFloat32(0, true), 8) };
    return { bytes: 8, width: 24, text: (view) => show(view.getFloat64(0, true), 17) };
  }
  const radix = { x: 16, o: 8, d: 10, u: 10 }[letter];
  if (radix === undefined || ![1, 2, 4, 8].includes(bytes))
    throw new UsageError(`invalid type string '${letter}${bytes}'`);
  const widths: Record<string, number[]> = {
    x: [2, 4, 8, 16],
    o: [3, 6, 11, 22],
    d: [4, 6, 11, 20],
    u: [3, 5, 10, 20],
  };
  const width = widths[letter][Math.log2(bytes)];
  const padded = letter === 'x' || letter === 'o';
  return {
    bytes,
    width,
    text: (view) => {
      let value = 0n;
      for (let i = bytes - 1; i >= 0; i--) value = (value << 8n) | BigInt(view.getUint8(i));
      if (letter === 'd') value = BigInt.asIntN(bytes * 8, value);
      return value.toString(radix).padStart(padded ? width : 0, '0');
    },
  };
}

/** `x1`, `d4z`, `c`; several in one string. */
function odTypes(text: string): OdType[] {
  const sizes: Record<string, number> = { C: 1, S: 2, I: 4, L: 8, F: 4, D: 8 };
  const types = [...text.matchAll(/([acdfoux])(\d+|[CSILFD])?/g)].map(([, letter, wide]) =>
    odType(letter, wide === undefined ? (letter === 'f' ? 8 : 4) : (sizes[wide] ?? Number(wide))),
  );
  if (types.length === 0) throw new UsageError(`invalid type string '${text}'`);
  return types;
}

function odLine(part: Uint8Array, type: OdType, width: number): string {
  const cells: string[] = [];
  for (let at = 0; at < part.length; at += type.bytes) {
    const whole = new Uint8Array(type.bytes);
    whole.set(part.subarray(at, at + type.bytes));
    cells.push(type.text(new DataView(whole.buffer)).padStart(width * type.bytes - 1));
  }
  return ` ${cells.join(' ')}\n`;
}

const od: Command = tool(
  'A:t:j:N:vcxbdosiau',
  async (context, flags) => {
    const shorthand: Record<string, string> = {
      c: 'c',
      x: 'x2',
      b: 'o1',
      d: 'u2',
      o: 'o2',
      s: 'd2',
      i: 'd4',
      a: 'a',
    };
    const letters = Object.keys(shorthand).filter((letter) => flags.has(letter));
    const types = odTypes([...letters.map((l) => shorthand[l]), flags.value('t') ?? ''].join('') || 'o2');
    const radix = flags.value('A') ?? 'o';
    if (!'doxn'.includes(radix)) throw new UsageError(`invalid output address radix '${radix}'`);
    const skip = size(flags.value('j') ?? '0');
    const limit = flags.has('N') ? size(flags.value('N')!) : Number.POSITIVE_INFINITY;
    const { bytes, status } = await input(context, flags.operands, skip, limit);
    const offset = (at: number) =>
      radix === 'n'
        ? ''
        : at.toString({ d: 10, o: 8, x: 16 }[radix as 'd' | 'o' | 'x']).padStart(radix === 'x' ? 6 : 7, '0');
    // Every type gets the width a byte that the widest needs, so that the lines of several types align.
    const width = Math.max(...types.map((type) => Math.ceil((type.width + 1) / type.bytes)));
    await dump(context, bytes, flags.has('v'), (part, at) => {
      const blank = ' '.repeat(offset(skip + at).length);
      return types
        .map((type, index) => {
          const own = types.length === 1 ? (type.width + 1) / type.bytes : width;
          return (index === 0 ? offset(skip + at) : blank) + odLine(part, type, own);
        })
        .join('');
    });
    if (radix !== 'n') await context.out(`${offset(skip + bytes.length)}\n`);
    return status;
  },
  { 'address-radix': 'A', format: 't', 'skip-bytes': 'j', 'read-bytes': 'N', 'output-duplicates': 'v' },
);

export const dumpTools: CommandSet = {
  hexdump: [hexdump, 'bytes in hexadecimal', 'usage: hexdump [-C] [-v] [-s SKIP] [-n LENGTH] [FILE]...'],
  od: [
    od,
    'bytes in octal and other forms',
    'usage: od [-A doxn] [-t TYPE] [-j SKIP] [-N LENGTH] [-v] [FILE]...',
  ],
};
