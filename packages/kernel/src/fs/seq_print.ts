// SPDX-License-Identifier: MIT
/** What a module's show() writes records with: seq_printf() and its kin, and paths. */

import type { KernelExports } from '../arch/wasm64/exports.js';
import { ByteOutput } from '../lib/byte_output.js';
import { readCString } from '../lib/guest_access.js';
import { hexDumpLine, hexDumpShape } from '../lib/hexdump.js';
import { escapeInto } from '../lib/string_escape.js';
import { encodeUtf8 } from '../lib/utf8.js';
import type { Vaddr } from '../machine/layout.js';
import { CPointers, objectAt } from './c_pointers.js';
import type { FsDeps } from './fs_context.js';
import { File, SeqFile } from './fs_types.js';
import type { Vfs } from './vfs.js';

const BACKSLASH = 0x5c;

export class SeqPrint {
  constructor(
    private readonly deps: FsDeps,
    private readonly vfs: Pick<Vfs, 'mounts' | 'dcache' | 'walker'>,
  ) {}

  private at(m: Vaddr) {
    return SeqFile.at(this.deps.ram, objectAt(this.deps, m, SeqFile.size));
  }

  /** Adds text to the record; what does not fit makes the buffer count as full. */
  private put(m: Vaddr, bytes: Uint8Array): number {
    const seq = this.at(m);
    if (seq.count + bytes.length >= seq.size) {
      seq.count = seq.size;
      return -1;
    }
    this.deps.guest.write(seq.buf + seq.count, bytes);
    seq.count += bytes.length;
    return 0;
  }

  private printf(m: Vaddr, fmt: Vaddr, args: Vaddr): undefined {
    const seq = this.at(m);
    const room = seq.size - seq.count;
    this.put(m, this.deps.format(fmt, args, room + 1));
  }

  private pad(m: Vaddr, c: number): undefined {
    const seq = this.at(m);
    const size = seq.pad_until - seq.count;
    if (size > 0) this.put(m, new Uint8Array(Math.min(size, seq.size)).fill(32));
    if (c !== 0) this.put(m, Uint8Array.of(c));
  }

  private number(m: Vaddr, delimiter: Vaddr, value: bigint): undefined {
    if (delimiter !== 0) this.put(m, readCString(this.deps, delimiter));
    this.put(m, encodeUtf8(String(value)));
  }

  /** @linux fs/seq_file.c:seq_hex_dump full */
  private hexDump(
    m: Vaddr,
    prefix: Vaddr,
    type: number,
    row: number,
    group: number,
    buf: Vaddr,
    len: number,
    ascii: boolean,
  ): undefined {
    const size = row === 32 ? 32 : 16;
    const name = String.fromCharCode(...readCString(this.deps, prefix));
    for (let at = 0; at < len; at += size) {
      const n = Math.min(size, len - at);
      const line = hexDumpLine(this.deps.guest.read(buf + at, n), hexDumpShape(n, size, group), ascii);
      const where = type === 2 ? `${at.toString(16).padStart(8, '0')}: ` : '';
      if (this.put(m, encodeUtf8(`${name}${where}${line}\n`)) < 0) return;
    }
  }

  // ---------------------------------------------------------------- paths

  /** Bytes with some of them as backslash and three octal digits. */
  private mangled(bytes: Uint8Array, esc: Vaddr): Uint8Array {
    const special = new Set(readCString(this.deps, esc));
    const octal = (c: number) => [BACKSLASH, ...encodeUtf8(c.toString(8).padStart(3, '0'))];
    return Uint8Array.from([...bytes].flatMap((c) => (special.has(c) ? octal(c) : [c])));
  }

  /** @linux fs/seq_file.c:mangle_path full */
  private manglePath(to: Vaddr, from: Vaddr, esc: Vaddr): Vaddr {
    const { deps } = this;
    const special = new Set(readCString(deps, esc));
    const source = readCString(deps, from);
    let at = to;
    let next = from;
    for (const c of source) {
      next++;
      const text = special.has(c) ? this.mangled(Uint8Array.of(c), esc) : Uint8Array.of(c);
      if (at + text.length > next) return 0;
      deps.guest.write(at, text);
      at += text.length;
    }
    return at;
  }

  /** Adds a path, with the characters of `esc` escaped. @returns its length, or -1 if it does not fit */
  private putPath(m: Vaddr, text: string, esc: Vaddr): number {
    const bytes = this.mangled(encodeUtf8(text), esc);
    return this.put(m, bytes) < 0 ? -1 : bytes.length;
  }

  /** @linux fs/seq_file.c:seq_path full */
  private path(m: Vaddr, path: Vaddr, esc: Vaddr): number {
    const { mounts, walker } = this.vfs;
    return this.putPath(m, mounts.pathOf(mounts.placeAt(path), walker().root), esc);
  }

  /** @linux fs/seq_file.c:seq_escape_mem partial: the flags that string_escape_mem() knows here */
  private escapeMem(m: Vaddr, from: Vaddr, length: number, flags: number, only: Vaddr): undefined {
    const { deps } = this;
    const dictionary = only === 0 ? undefined : new Set(readCString(deps, only));
    const out = new ByteOutput();
    for (const byte of deps.guest.read(from, length)) {
      if (dictionary && dictionary.size > 0 && !dictionary.has(byte)) out.byte(byte);
      else escapeInto(out, Uint8Array.of(byte), flags);
    }
    this.put(m, out.kept());
  }

  exports(): KernelExports {
    const { deps } = this;
    const { dentry } = new CPointers(deps);
    const string = (at: Vaddr) => readCString(deps, at);
    return {
      seq_write: ['i:ppz', (m: Vaddr, from: Vaddr, n: number) => this.put(m, deps.guest.read(from, n))],
      seq_vprintf: ['v:ppp', (m: Vaddr, fmt: Vaddr, args: Vaddr) => this.printf(m, fmt, args)],
      seq_printf: ['v:pp…', (m: Vaddr, fmt: Vaddr, args: Vaddr) => this.printf(m, fmt, args)],
      seq_putc: ['v:pi', (m: Vaddr, c: number) => void this.put(m, Uint8Array.of(c))],
      seq_puts: ['v:pp', (m: Vaddr, s: Vaddr) => void this.put(m, string(s))],
      seq_put_decimal_ull: [
        'v:ppq',
        (m: Vaddr, d: Vaddr, n: bigint) => this.number(m, d, BigInt.asUintN(64, n)),
      ],
      seq_put_decimal_ll: [
        'v:ppq',
        (m: Vaddr, d: Vaddr, n: bigint) => this.number(m, d, BigInt.asIntN(64, n)),
      ],
      seq_pad: ['v:pi', (m: Vaddr, c: number) => this.pad(m, c)],
      seq_hex_dump: [
        'v:ppiiipzb',
        (
          m: Vaddr,
          prefix: Vaddr,
          type: number,
          row: number,
          group: number,
          buf: Vaddr,
          len: number,
          ascii: boolean,
        ) => this.hexDump(m, prefix, type, row, group, buf, len, ascii),
      ],
      mangle_path: ['p:ppp', (to: Vaddr, from: Vaddr, esc: Vaddr) => this.manglePath(to, from, esc)],
      seq_path: ['i:ppp', (m: Vaddr, path: Vaddr, esc: Vaddr) => this.path(m, path, esc)],
      seq_file_path: [
        'i:ppp',
        (m: Vaddr, file: Vaddr, esc: Vaddr) => this.path(m, file + File.o.f_path, esc),
      ],
      seq_dentry: [
        'i:ppp',
        (m: Vaddr, at: Vaddr, esc: Vaddr) => this.putPath(m, this.vfs.dcache.pathOf(dentry(at)), esc),
      ],
      seq_escape_mem: [
        'v:ppzup',
        (m: Vaddr, from: Vaddr, n: number, flags: number, only: Vaddr) =>
          this.escapeMem(m, from, n, flags, only),
      ],
    };
  }
}
