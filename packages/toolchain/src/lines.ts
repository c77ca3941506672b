// SPDX-License-Identifier: MIT
/** Makes a module's line table, the custom section `pagewalk.lines`, whose format the kernel's `decodeLines` states. */

import { Writer } from '@pagewalk/kernel/arch/wasm64/binary';
import { LINES_VERSION } from '@pagewalk/kernel/arch/wasm64/lines';
import { decodeDebugLine, type LineRow } from './debug_line.js';
import { findCustom, type Section } from './object.js';

const utf8 = new TextEncoder();

/** The line table of an object that still has its DWARF, or undefined if it was compiled without. */
export function linesOf(sections: readonly Section[]): Uint8Array | undefined {
  const line = findCustom(sections, '.debug_line')?.payload;
  if (!line) return undefined;
  const lineStr = findCustom(sections, '.debug_line_str')?.payload;
  const str = findCustom(sections, '.debug_str')?.payload;
  return encodeLines(decodeDebugLine({ line, lineStr, str }));
}

/** Encodes rows sorted by offset. Where several rows share an offset the last counts, as for a debugger. */
export function encodeLines(rows: readonly LineRow[]): Uint8Array {
  const kept = distinct(rows);
  const files = new Map<string, number>();
  for (const { file, line } of kept) if (line !== 0 && !files.has(file)) files.set(file, files.size);

  const out = new Writer().uleb(LINES_VERSION).uleb(files.size);
  for (const path of files.keys()) {
    const bytes = utf8.encode(path);
    out.uleb(bytes.length).raw(bytes);
  }
  out.uleb(kept.length);
  let before = { offset: 0, file: 0, line: 0 };
  for (const row of kept) {
    const file = row.line === 0 ? before.file : files.get(row.file)!;
    const changed = file !== before.file;
    out.uleb(2 * (row.offset - before.offset) + (changed ? 1 : 0));
    if (changed) out.uleb(file);
    out.sleb(row.line - before.line);
    before = { offset: row.offset, file, line: row.line };
  }
  return out.finish();
}

/** Drops rows of no length and rows that repeat the line before them. */
function distinct(rows: readonly LineRow[]): LineRow[] {
  const kept: LineRow[] = [];
  for (const row of rows) {
    if (kept.at(-1)?.offset === row.offset) kept.pop();
    const last = kept.at(-1);
    if (last?.line === row.line && (row.line === 0 || last.file === row.file)) continue;
    kept.push(row);
  }
  return kept;
}
