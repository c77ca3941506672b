// SPDX-License-Identifier: MIT
/**
 * A module's image in memory: where each part of a relocatable object goes, what its symbols resolve to, and the
 * relocations of its data.
 *
 *     base → | text r-x          | the code section's bytes: function addresses and oops offsets are real
 *            | rodata r--        | .rodata*, __ksymtab*, __param, .module_init …
 *            | data rw-          | struct module, then everything else
 *
 * Each part begins on a page of its own.
 */

import { FormatError } from '../../arch/wasm64/binary.js';
import {
  type ObjectFile,
  type ObjectSymbol,
  R,
  type Segment,
  SYM_BINDING_WEAK,
  SYM_UNDEFINED,
} from '../../arch/wasm64/object.js';
import { PAGE_SIZE, type Vaddr } from '../../machine/layout.js';
import { Module as ModuleStruct } from '../module_types.js';

const READ_ONLY = /^\.rodata|^__ksymtab|^__param$|^\.module_init$|^\.module_exit$|^__ex_table$/;
/** `__start_SECTION` and `__stop_SECTION`. */
const SECTION_BORDER = /^__(start|stop)_(\w+)$/;

export interface PlacedSegment {
  readonly segment: Segment;
  /** Offset from the image's base. */
  readonly offset: number;
}

export interface Layout {
  readonly segments: readonly PlacedSegment[];
  readonly textPages: number;
  readonly rodataPages: number;
  readonly dataPages: number;
  /** Offset of struct module from the base. */
  readonly moduleOffset: number;
  /** Bytes of the whole image, a multiple of PAGE_SIZE. */
  readonly size: number;
}

const pagesOf = (bytes: number) => Math.ceil(bytes / PAGE_SIZE);
const align = (n: number, log2: number) => Math.ceil(n / 2 ** log2) * 2 ** log2;

/** Decides where everything goes. Throws FormatError for alignments that a page cannot give. */
export function layoutImage(object: ObjectFile): Layout {
  const textPages = Math.max(1, pagesOf(object.code.length));
  const placed = new Map<Segment, number>();
  const place = (segments: Segment[], start: number): number => {
    let at = start;
    for (const s of segments) {
      if (s.alignLog2 > 12) throw new FormatError(`section ${s.name} wants an alignment of 2^${s.alignLog2}`);
      at = align(at, s.alignLog2);
      placed.set(s, at);
      at += s.bytes.length;
    }
    return at;
  };
  // Sections of one name lie together, so that __start_ and __stop_ enclose them.
  const sorted = [...object.segments].sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  const rodataStart = textPages * PAGE_SIZE;
  const rodataEnd = place(
    sorted.filter((s) => READ_ONLY.test(s.name)),
    rodataStart,
  );
  const rodataPages = pagesOf(rodataEnd - rodataStart);
  const moduleOffset = (textPages + rodataPages) * PAGE_SIZE;
  const dataEnd = place(
    sorted.filter((s) => !READ_ONLY.test(s.name)),
    moduleOffset + align(ModuleStruct.size, 6),
  );
  const dataPages = pagesOf(dataEnd - moduleOffset);
  return {
    segments: object.segments.map((segment) => ({ segment, offset: placed.get(segment)! })),
    textPages,
    rodataPages,
    dataPages,
    moduleOffset,
    size: (textPages + rodataPages + dataPages) * PAGE_SIZE,
  };
}

/** What the loader knows outside of the object: address and kind of an undefined symbol. */
export type Resolve = (name: string, kind: 'function' | 'data') => Vaddr | undefined;

export interface ResolvedSymbols {
  /** Address by symbol index; 0 for weak symbols that nobody defines. */
  readonly addresses: readonly Vaddr[];
  /** Names that nobody defines. */
  readonly unknown: readonly string[];
}

/** Gives every symbol of an object its address. */
export function resolveSymbols(
  object: ObjectFile,
  layout: Layout,
  base: Vaddr,
  resolve: Resolve,
): ResolvedSymbols {
  const unknown = new Set<string>();
  const addresses = object.symbols.map((s): Vaddr => {
    if (s.kind !== 'function' && s.kind !== 'data') return 0;
    if (!(s.flags & SYM_UNDEFINED)) {
      if (s.kind === 'data') return base + layout.segments[s.segment].offset + s.offset;
      return base + object.functions[s.index - object.imports.length].start;
    }
    const address = specialSymbol(layout, base, s) ?? resolve(s.name, s.kind);
    if (address === undefined && !(s.flags & SYM_BINDING_WEAK)) unknown.add(s.name);
    return address ?? 0;
  });
  return { addresses, unknown: [...unknown] };
}

/** Symbols that the loader itself defines. */
function specialSymbol(layout: Layout, base: Vaddr, s: ObjectSymbol): Vaddr | undefined {
  if (s.kind !== 'data') return undefined;
  if (s.name === '__this_module') return base + layout.moduleOffset;
  const border = SECTION_BORDER.exec(s.name);
  if (!border) return undefined;
  const inSection = layout.segments.filter(({ segment }) => segment.name === border[2]);
  if (inSection.length === 0) return undefined;
  const starts = inSection.map(({ offset }) => offset);
  const ends = inSection.map(({ offset, segment }) => offset + segment.bytes.length);
  return base + (border[1] === 'start' ? Math.min(...starts) : Math.max(...ends));
}

/** The bytes of a segment with its relocations applied. */
export function relocateSegment(segment: Segment, addresses: readonly Vaddr[]): Uint8Array {
  const bytes = segment.bytes.slice();
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (const { type, offset, index, addend } of segment.relocations) {
    if (type !== R.MEMORY_ADDR_I64 && type !== R.TABLE_INDEX_I64)
      throw new FormatError(`relocation type ${type} in data: built for wasm32?`);
    if (offset + 8 > bytes.length || addresses[index] === undefined)
      throw new FormatError(`relocation outside of section ${segment.name}`);
    const value = addresses[index] + addend;
    view.setInt32(offset, value | 0, true);
    view.setInt32(offset + 4, Math.floor(value / 4294967296), true);
  }
  return bytes;
}

/** Parses the `modinfo` section: `key=value` strings, NUL-separated. */
export function parseModinfo(section: Uint8Array | undefined): { key: string; value: string }[] {
  if (!section) return [];
  const text = Array.from(section, (b) => String.fromCharCode(b)).join('');
  return text
    .split('\0')
    .filter((s) => s.includes('='))
    .map((s) => ({ key: s.slice(0, s.indexOf('=')), value: s.slice(s.indexOf('=') + 1) }));
}
