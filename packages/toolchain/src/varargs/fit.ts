// SPDX-License-Identifier: MIT
/**
 * Makes arguments of printf-like calls as large as their formats say.
 *
 * WebAssembly's C passes variadic arguments packed: an int takes 4 bytes, a long 8. On x86-64 each takes 8, and `%d`
 * of a long prints its lower half. Here `%d` would take half of the long, and the next conversion the rest. So where
 * clang warns of such an argument, its value is cut or widened before the call. That is done in LLVM's intermediate
 * representation, before any optimization: there macros are gone, formats are constants, and each value has a size.
 * Widening is with zeros, whatever the sign, as a move into a 32-bit register does on x86-64.
 */

import { basename } from '../includes.js';
import { argumentSizes } from './conversions.js';
import { type IrCall, parseCall } from './ir_call.js';
import type { FormatWarning } from './warnings.js';

export interface Fitted {
  readonly ir: string;
  /** Calls that were changed. */
  readonly nrFitted: number;
  /** Warnings about calls that could not be changed. */
  readonly unfitted: readonly FormatWarning[];
}

/** A variadic call whose arguments do not fit its format, or whose format is not known. */
interface Suspect extends FormatWarning {
  readonly index: number;
  /** The lines to put in its place; undefined: it cannot be done. */
  readonly fitted: readonly string[] | undefined;
}

/** Fits the calls that `warnings` are about. */
export function fitArguments(ir: string, warnings: readonly FormatWarning[]): Fitted {
  const lines = ir.split('\n');
  const suspects = findSuspects(lines);
  const chosen = new Map<number, Suspect>();
  const unfitted: FormatWarning[] = [];
  for (const warning of warnings) {
    const calls = callsAt(suspects, warning);
    for (const call of calls) if (call.fitted) chosen.set(call.index, call);
    if (calls.some(({ fitted }) => !fitted)) unfitted.push(warning);
  }
  const out = lines.flatMap((line, index) => chosen.get(index)?.fitted ?? [line]);
  return { ir: out.join('\n'), nrFitted: chosen.size, unfitted };
}

/** The calls that begin in the last line, not behind the warning's, in which one does; none if they left no code. */
function callsAt(suspects: readonly Suspect[], { file, line }: FormatWarning): Suspect[] {
  const name = basename(file);
  const before = suspects.filter((call) => call.file === name && call.line <= line);
  const nearest = Math.max(...before.map((call) => call.line));
  return before.filter((call) => call.line === nearest);
}

function findSuspects(lines: readonly string[]): Suspect[] {
  const formats = new Formats(lines);
  const places = new Places(lines);
  const suspects: Suspect[] = [];
  lines.forEach((line, index) => {
    formats.see(line);
    const call = line.includes('...) ') ? parseCall(line) : undefined;
    if (!call || /scanf/.test(call.callee)) return;
    const format = formats.of(call);
    const fitted = format === undefined ? undefined : fit(call, format, `%pagewalk.${index}`);
    if (fitted?.length === 1 && fitted[0] === line) return;
    suspects.push({ ...places.of(call), index, fitted });
  });
  return suspects;
}

/** The call with arguments that fit; itself if they do. Undefined if one is of no size that can be changed. */
function fit(call: IrCall, format: string, prefix: string): string[] | undefined {
  const sizes = argumentSizes(format);
  const out = call.arguments.map(({ text }) => text);
  const conversions: string[] = [];
  for (const [i, size] of sizes.entries()) {
    const at = call.nrFixed + i;
    const argument = call.arguments[at];
    const wanted = `i${size * 8}`;
    if (!argument) out.push(`${wanted} 0`);
    else if (sizeOf(argument.type) === undefined) return undefined;
    else if (sizeOf(argument.type) !== size) {
      const operation = argument.type === 'ptr' ? 'ptrtoint' : size === 4 ? 'trunc' : 'zext';
      conversions.push(`  ${prefix}.${i} = ${operation} ${argument.type} ${argument.value} to ${wanted}`);
      out[at] = `${wanted} ${prefix}.${i}`;
    }
  }
  return [...conversions, `${call.before}${out.join(', ')}${call.after}`];
}

function sizeOf(type: string): number | undefined {
  return { i32: 4, i64: 8, ptr: 8 }[type];
}

/** The constant texts of a module, and where a function has loaded a pointer to one. */
class Formats {
  private readonly texts = new Map<string, string>();
  private readonly pointers = new Map<string, string>();
  private readonly loaded = new Map<string, string>();

  constructor(lines: readonly string[]) {
    for (const line of lines) {
      const text = /^(@\S+) = .*\bconstant \[\d+ x i8\] c"([^"]*)"/.exec(line);
      if (text) this.texts.set(text[1], unescaped(text[2]));
      const pointer = /^(@\S+) = .*\bconstant ptr (@[^\s,]+)/.exec(line);
      if (pointer) this.pointers.set(pointer[1], pointer[2]);
    }
  }

  /** Takes note of loads. */
  see(line: string): void {
    if (line.startsWith('define ')) this.loaded.clear();
    const load = /^\s*(%\S+) = load ptr, ptr (@[^\s,]+)/.exec(line);
    if (load) this.loaded.set(load[1], this.pointers.get(load[2]) ?? '');
  }

  /** The format of a call: its last fixed argument that is a text. */
  of(call: IrCall): string | undefined {
    const texts = call.arguments
      .slice(0, call.nrFixed)
      .map(({ value }) => this.texts.get(this.loaded.get(value) ?? value));
    return texts.filter((text) => text !== undefined).at(-1);
  }
}

/** A text of the IR up to its NUL. */
function unescaped(text: string): string {
  const bytes = text.replace(/\\([0-9A-F]{2})/g, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16)));
  return bytes.split('\0')[0];
}

/** Lines of the source, by the debugging information. */
class Places {
  private readonly locations = new Map<string, { line: number; scope: string }>();
  private readonly fileOfScope = new Map<string, string>();
  private readonly names = new Map<string, string>();

  constructor(lines: readonly string[]) {
    for (const line of lines) {
      const found =
        /^(!\d+) = (?:distinct )?!DI(Location|File|Subprogram|LexicalBlock(?:File)?)\((.*)\)$/.exec(line);
      if (!found) continue;
      const [, id, kind, fields] = found;
      if (kind === 'Location') {
        const scope = /\bscope: (!\d+)/.exec(fields)?.[1] ?? '';
        this.locations.set(id, { line: Number(/\bline: (\d+)/.exec(fields)?.[1] ?? 0), scope });
      } else if (kind === 'File')
        this.names.set(id, basename(/\bfilename: "([^"]*)"/.exec(fields)?.[1] ?? ''));
      else this.fileOfScope.set(id, /\bfile: (!\d+)/.exec(fields)?.[1] ?? '');
    }
  }

  of({ location }: IrCall): FormatWarning {
    const found = this.locations.get(location ?? '');
    return {
      file: this.names.get(this.fileOfScope.get(found?.scope ?? '') ?? '') ?? '',
      line: found?.line ?? 0,
    };
  }
}
