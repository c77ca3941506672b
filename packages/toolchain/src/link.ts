// SPDX-License-Identifier: MIT
/** Joins objects to one and makes the `.ko` of it. */

import { LINES_SECTION } from '@pagewalk/kernel/arch/wasm64/lines';
import { parseObject } from '@pagewalk/kernel/arch/wasm64/object';
import { SECTIONS_SECTION } from '@pagewalk/kernel/arch/wasm64/sections';
import type { ToolRunner } from './clang.js';
import { joinModinfo, splitModinfo } from './compile.js';
import { linesOf } from './lines.js';
import { customSection, dropDebug, findCustom, readSections, type Section, writeSections } from './object.js';
import { encodeSections, sectionsOf } from './sections.js';

export interface LinkResult {
  readonly status: number;
  readonly object?: Uint8Array;
  readonly stderr: string;
}

/** `ld -r`: several objects to one. A single object is itself, without a linker. */
export async function linkObjects(
  tools: ToolRunner,
  objects: readonly { path: string; bytes: Uint8Array }[],
  signal?: AbortSignal,
): Promise<LinkResult> {
  if (objects.length === 1) return { status: 0, object: objects[0].bytes, stderr: '' };
  const output = '/.linked.o';
  const inputs = objects.map(({ path, bytes }, i) => ({ path: path.replace(/^\/*/, `/.in${i}/`), bytes }));
  const result = await tools.run(
    {
      args: ['wasm-ld', '-r', '-mwasm64', ...inputs.map((o) => o.path), '-o', output],
      files: Object.fromEntries(inputs.map((o) => [o.path, o.bytes])),
      outputs: [output],
    },
    signal,
  );
  const stderr =
    result.stderr.replace(/\/\.in\d+\//g, '/') + (result.crash && `wasm-ld: error: ${result.crash}\n`);
  if (result.status !== 0) return { status: result.status, stderr };
  return { status: 0, object: result.outputs[output], stderr };
}

export interface FinishOptions {
  /** modinfo entries to append. */
  readonly modinfo: readonly string[];
  /** Keep DWARF beside the line table. Default: false. */
  readonly keepDebug?: boolean;
}

/** The final module: line table and sections of functions made, modinfo completed, DWARF dropped. Throws FormatError. */
export function finishModule(object: Uint8Array, { modinfo, keepDebug = false }: FinishOptions): Uint8Array {
  const all = readSections(object);
  const lines = linesOf(all);
  const functions = encodeSections(sectionsOf(parseObject(object), all));
  const sections: Section[] = keepDebug ? [...all] : dropDebug(all);
  const own = findCustom(sections, 'modinfo');
  const entries = joinModinfo([...splitModinfo(own?.payload ?? new Uint8Array()), ...modinfo]);
  // Appended sections come last, so that the numbers by which relocations name sections stay right.
  if (own) own.payload = entries;
  else sections.push(customSection('modinfo', entries));
  if (lines) sections.push(customSection(LINES_SECTION, lines));
  if (functions) sections.push(customSection(SECTIONS_SECTION, functions));
  return writeSections(sections);
}
