// SPDX-License-Identifier: MIT
/**
 * Reads the line table of a module: the custom section `pagewalk.lines`, which the toolchain makes from DWARF.
 *
 * All integers are LEB128, unsigned unless said otherwise:
 *
 *     version          1
 *     number of files, then for each: length in bytes, path in UTF-8, as clang was given it
 *     number of rows, then for each, in ascending order of offset:
 *         2 * (offset - offset of the row before) + (1 if the file changes)
 *         index of the file                         only if the file changes (the first row starts from file 0)
 *         line - line of the row before             signed; line 0 says "no line from here on"
 *
 * A row holds from its offset up to the next row's. Offsets are in bytes from the start of the code section's
 * payload, as in R_WASM_FUNCTION_OFFSET relocations.
 */

import { FormatError, Reader } from './binary.js';

export const LINES_SECTION = 'pagewalk.lines';
export const LINES_VERSION = 1;

export interface SourceLine {
  readonly file: string;
  /** Counted from 1. */
  readonly line: number;
}

export class LineTable {
  constructor(
    readonly files: readonly string[],
    /** Ascending code offsets, one a row; `rowFiles` and `rowLines` run parallel to it. */
    readonly rowOffsets: Uint32Array,
    /** Index into `files`. */
    readonly rowFiles: Uint32Array,
    /** 0: no line. */
    readonly rowLines: Uint32Array,
  ) {}

  /** The source line of the instruction at `codeOffset`, or undefined where the compiler named none. */
  lookup(codeOffset: number): SourceLine | undefined {
    const row = this.row(codeOffset);
    if (row < 0 || this.rowLines[row] === 0) return undefined;
    return { file: this.files[this.rowFiles[row]], line: this.rowLines[row] };
  }

  /** Index of the last row at or before `codeOffset`, or -1. */
  row(codeOffset: number): number {
    let low = 0;
    let high = this.rowOffsets.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.rowOffsets[middle] <= codeOffset) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }
}

/** Decodes the payload of a `pagewalk.lines` section. Throws FormatError. */
export function decodeLines(payload: Uint8Array): LineTable {
  const r = new Reader(payload);
  const version = r.uleb();
  if (version !== LINES_VERSION)
    throw new FormatError(`line table of version ${version}, expected ${LINES_VERSION}`);
  const files = r.vector(() => r.name());
  const nrRows = r.uleb();
  if (nrRows > r.end - r.at) throw new FormatError(`line table of ${nrRows} rows exceeds its section`);
  const table = new LineTable(
    files,
    new Uint32Array(nrRows),
    new Uint32Array(nrRows),
    new Uint32Array(nrRows),
  );
  let offset = 0;
  let file = 0;
  let line = 0;
  for (let i = 0; i < nrRows; i++) {
    const head = r.uleb();
    offset += Math.floor(head / 2);
    if (head % 2) file = r.uleb();
    line += r.sleb();
    if (line < 0 || (line > 0 && file >= files.length))
      throw new FormatError(`row ${i} of the line table is invalid`);
    table.rowOffsets[i] = offset;
    table.rowFiles[i] = file;
    table.rowLines[i] = line;
  }
  return table;
}
