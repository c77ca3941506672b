// SPDX-License-Identifier: MIT
/**
 * Decodes DWARF line programs, versions 4 and 5, 32-bit format (the section `.debug_line`): the only part of
 * DWARF that a module keeps. Addresses are offsets in the code section's payload; clang and wasm-ld have already
 * stored them in place, so the section's relocations need not be applied.
 */

import { FormatError, Reader } from '@pagewalk/kernel/arch/wasm64/binary';
import { cstring, cstringAt, u16, u32, unitLength } from './dwarf.js';

export interface LineRow {
  /** Bytes from the start of the code section's payload. */
  readonly offset: number;
  readonly file: string;
  /** 0: no line. */
  readonly line: number;
}

export interface DebugSections {
  readonly line: Uint8Array;
  /** `.debug_line_str` and `.debug_str`: only version 5 refers to them. */
  readonly lineStr?: Uint8Array;
  readonly str?: Uint8Array;
}

const FORM_BLOCK = 0x09;
const FORM_DATA2 = 0x05;
const FORM_STRING = 0x08;
const FORM_DATA1 = 0x0b;
const FORM_STRP = 0x0e;
const FORM_UDATA = 0x0f;
const FORM_DATA16 = 0x1e;
const FORM_LINE_STRP = 0x1f;
const CONTENT_PATH = 1;
const CONTENT_DIRECTORY = 2;

/** All rows of all sequences, sorted by offset; each sequence ends with a row of line 0. Throws FormatError. */
export function decodeDebugLine(sections: DebugSections): LineRow[] {
  const sequences: LineRow[][] = [];
  const r = new Reader(sections.line);
  while (!r.done) {
    sequences.push(...new LineProgram(r.sub(unitLength(r)), sections).sequences());
  }
  return sequences.sort((a, b) => a[0].offset - b[0].offset).flat();
}

/** The path as the compiler was given it: an entry of directory 0 is relative to where clang ran. */
function join(directory: string, name: string): string {
  if (name.startsWith('/') || directory === '' || directory === '/' || directory === '.') return name;
  return `${directory.replace(/\/$/, '')}/${name}`;
}

class LineProgram {
  private readonly files: string[];
  private readonly minInstructionLength: number;
  private readonly lineBase: number;
  private readonly lineRange: number;
  private readonly opcodeBase: number;
  private readonly operandCounts: number[] = [];

  constructor(
    private readonly r: Reader,
    private readonly strings: DebugSections,
  ) {
    const version = u16(r);
    if (version !== 4 && version !== 5)
      throw new FormatError(`line table of DWARF ${version}, expected 4 or 5`);
    if (version === 5) r.skip(2); // address and segment selector size
    const program = u32(r) + r.at;
    this.minInstructionLength = r.u8();
    r.skip(2); // maximum operations an instruction, default is_stmt
    const base = r.u8();
    this.lineBase = base < 128 ? base : base - 256;
    this.lineRange = r.u8();
    this.opcodeBase = r.u8();
    if (this.lineRange === 0 || this.opcodeBase === 0)
      throw new FormatError('invalid header of a line table');
    for (let i = 1; i < this.opcodeBase; i++) this.operandCounts[i] = r.u8();
    this.files = version === 5 ? this.fileTable5() : this.fileTable4();
    r.skip(program - r.at);
  }

  private fileTable4(): string[] {
    const { r } = this;
    const directories = [''];
    for (let d = cstring(r); d !== ''; d = cstring(r)) directories.push(d);
    const files = [''];
    for (let name = cstring(r); name !== ''; name = cstring(r)) {
      files.push(join(directories[r.uleb()] ?? '', name));
      r.uleb(); // time of last change
      r.uleb(); // length
    }
    return files;
  }

  private fileTable5(): string[] {
    const directories = this.entries().map((e) => e.path);
    return this.entries().map((e) => join(e.directory === 0 ? '' : (directories[e.directory] ?? ''), e.path));
  }

  /** A directory or file table of version 5, which describes its own columns. */
  private entries(): { path: string; directory: number }[] {
    const { r } = this;
    const columns = Array.from({ length: r.u8() }, () => ({ content: r.uleb(), form: r.uleb() }));
    return Array.from({ length: r.uleb() }, () => {
      const entry = { path: '', directory: 0 };
      for (const { content, form } of columns) {
        const value = this.form(form);
        if (content === CONTENT_PATH) entry.path = String(value);
        else if (content === CONTENT_DIRECTORY) entry.directory = Number(value);
      }
      return entry;
    });
  }

  private form(form: number): string | number {
    const { r } = this;
    switch (form) {
      case FORM_STRING:
        return cstring(r);
      case FORM_LINE_STRP:
        return cstringAt(this.strings.lineStr, u32(r));
      case FORM_STRP:
        return cstringAt(this.strings.str, u32(r));
      case FORM_UDATA:
        return r.uleb();
      case FORM_DATA1:
        return r.u8();
      case FORM_DATA2:
        return u16(r);
      case FORM_DATA16:
        r.skip(16);
        return 0;
      case FORM_BLOCK:
        r.skip(r.uleb());
        return 0;
      default:
        throw new FormatError(`unknown DWARF form 0x${form.toString(16)} in a line table`);
    }
  }

  /** Runs the program. Sequences without rows are left out. */
  sequences(): LineRow[][] {
    const { r } = this;
    const done: LineRow[][] = [];
    let rows: LineRow[] = [];
    let offset = 0;
    let file = 1;
    let line = 1;
    const emit = () => rows.push({ offset, file: this.files[file] ?? '', line });
    const advance = (operations: number) => {
      offset += operations * this.minInstructionLength;
    };
    const endSequence = () => {
      rows.push({ offset, file: '', line: 0 });
      if (rows.length > 1) done.push(rows);
      rows = [];
      offset = 0;
      file = line = 1;
    };
    while (!r.done) {
      const opcode = r.u8();
      if (opcode >= this.opcodeBase) {
        const adjusted = opcode - this.opcodeBase;
        advance(Math.floor(adjusted / this.lineRange));
        line += this.lineBase + (adjusted % this.lineRange);
        emit();
        continue;
      }
      switch (opcode) {
        case 0: {
          const extended = r.sub(r.uleb());
          const code = extended.u8();
          if (code === 1) endSequence();
          else if (code === 2) offset = u32(extended);
          break;
        }
        case 1:
          emit();
          break;
        case 2:
          advance(r.uleb());
          break;
        case 3:
          line += r.sleb();
          break;
        case 4:
          file = r.uleb();
          break;
        case 8:
          advance(Math.floor((255 - this.opcodeBase) / this.lineRange));
          break;
        case 9:
          offset += u16(r);
          break;
        default: // column, is_stmt, block marks, instruction set, and what is not yet known
          for (let i = 0; i < (this.operandCounts[opcode] ?? 0); i++) r.uleb();
      }
    }
    return done;
  }
}
