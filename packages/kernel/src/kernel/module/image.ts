// SPDX-License-Identifier: MIT
/**
 * A module's image in memory: where each part of a relocatable object goes, what its symbols resolve to, and the
 * relocations of its data.
 *
 *     core → | text r-x          | the functions' bytes: function addresses and oops offsets are real
 *            | rodata r--        | .rodata*, __ksymtab*, __param, .module_init …
 *            | rw-, r-- later    | .data..ro_after_init, read-only once init has returned
 *            | data rw-          | struct module, then everything else
 *
 *     init → | text r-x          | __init functions: gone once init has returned, with all of this
 *            | rodata r--        | .init.rodata
 *            | data rw-          | .init.data
 *
 * Each part begins on a page of its own; core and init are two areas. What `.data..percpu` holds goes into per-CPU
 * memory, once for each CPU; its symbols name CPU 0's copy.
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

const READ_ONLY =
  /^(\.init|\.exit|\.ref)?\.rodata|^__ksymtab|^__param$|^\.module_init$|^\.module_exit$|^__ex_table$/;
const RO_AFTER_INIT = /^\.data\.\.ro_after_init$/;
/** What goes when init has returned. @linux kernel/module/main.c:module_init_section full */
const INIT_SECTION = /^\.init/;
const PERCPU_SECTION = /^\.data\.\.percpu/;
/** `__start_SECTION` and `__stop_SECTION`. */
const SECTION_BORDER = /^__(start|stop)_(\w+)$/;

/** The two areas of a module. */
export type PartName = 'core' | 'init';

/** Where something may lie: the areas and per-CPU memory. */
export type PlaceName = PartName | 'percpu';

/** Something's place: the offset from the base of its part. */
export interface Placed {
  readonly part: PlaceName;
  readonly offset: number;
}

export interface PlacedSegment extends Placed {
  readonly segment: Segment;
}

/** `offset` is that of the function's body. */
export interface PlacedFunction extends Placed {
  readonly part: PartName;
  /** Its place in the code section's payload: the body is from `start` to `end`; what is copied begins at `from`. */
  readonly from: number;
  readonly start: number;
  readonly end: number;
}

/** What one area holds, in this order. */
export interface PartLayout {
  readonly textPages: number;
  readonly rodataPages: number;
  readonly roAfterInitPages: number;
  readonly dataPages: number;
  /** Bytes, a multiple of PAGE_SIZE; 0 if there is no such area. */
  readonly size: number;
}

export interface Layout {
  readonly core: PartLayout;
  readonly init: PartLayout;
  /** Bytes of per-CPU data, and their alignment. */
  readonly percpu: { readonly size: number; readonly align: number };
  readonly segments: readonly PlacedSegment[];
  /** By index of defined function. */
  readonly functions: readonly PlacedFunction[];
  /** Offset of struct module from the core's base. */
  readonly moduleOffset: number;
}

/** Where the areas of a module are; `init` is 0 if it has none, `percpu` is CPU 0's copy. */
export type Bases = Readonly<Record<PlaceName, Vaddr>>;

export const isReadOnly = (section: string): boolean => READ_ONLY.test(section);
export const addressIn = (bases: Bases, { part, offset }: Placed): Vaddr => bases[part] + offset;

const pagesOf = (bytes: number) => Math.ceil(bytes / PAGE_SIZE);
const align = (n: number, log2: number) => Math.ceil(n / 2 ** log2) * 2 ** log2;
const partOf = (section: string): PartName => (INIT_SECTION.test(section) ? 'init' : 'core');
const placeOf = (section: string): PlaceName => (PERCPU_SECTION.test(section) ? 'percpu' : partOf(section));

/**
 * Decides where everything goes. Throws FormatError for alignments that a page cannot give.
 * @linux kernel/module/main.c:layout_sections full
 */
export function layoutImage(object: ObjectFile): Layout {
  const { functions, textBytes } = layoutText(object);
  const offsets = new Map<Segment, number>();
  // Sections of one name lie together, so that __start_ and __stop_ enclose them.
  const sorted = [...object.segments].sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  const core = layoutPart(
    sorted.filter((s) => placeOf(s.name) === 'core'),
    Math.max(1, pagesOf(textBytes.core)),
    align(ModuleStruct.size, 6),
    offsets,
  );
  const init = layoutPart(
    sorted.filter((s) => placeOf(s.name) === 'init'),
    pagesOf(textBytes.init),
    0,
    offsets,
  );
  const percpu = layoutPercpu(
    sorted.filter((s) => placeOf(s.name) === 'percpu'),
    offsets,
  );
  return {
    core,
    init,
    percpu,
    segments: object.segments.map((segment) => ({
      segment,
      part: placeOf(segment.name),
      offset: offsets.get(segment)!,
    })),
    functions,
    moduleOffset: (core.textPages + core.rodataPages + core.roAfterInitPages) * PAGE_SIZE,
  };
}

/** Per-CPU variables one after the other. */
function layoutPercpu(segments: readonly Segment[], offsets: Map<Segment, number>): Layout['percpu'] {
  let size = 0;
  for (const s of segments) {
    checkAlignment(s);
    size = align(size, s.alignLog2);
    offsets.set(s, size);
    size += s.bytes.length;
  }
  return { size, align: 2 ** Math.max(0, ...segments.map((s) => s.alignLog2)) };
}

function checkAlignment(s: Segment): void {
  if (s.alignLog2 > 12) throw new FormatError(`section ${s.name} wants an alignment of 2^${s.alignLog2}`);
}

/** Functions one after the other in their part, in the object's order. */
function layoutText(object: ObjectFile): {
  functions: PlacedFunction[];
  textBytes: Record<PartName, number>;
} {
  const textBytes = { core: 0, init: 0 };
  let from = 0;
  const functions = object.functions.map(({ start, end, section }): PlacedFunction => {
    const part = partOf(section);
    const placed = { part, offset: textBytes[part] + start - from, from, start, end };
    textBytes[part] += end - from;
    from = end;
    return placed;
  });
  return { functions, textBytes };
}

/**
 * Lays out one part's data behind its text.
 * @param reserved bytes at the beginning of the writable data
 * @param offsets receives each segment's place
 */
function layoutPart(
  segments: readonly Segment[],
  textPages: number,
  reserved: number,
  offsets: Map<Segment, number>,
): PartLayout {
  /** Places some segments from an offset on; returns how many pages that took. */
  const place = (some: readonly Segment[], startPage: number, skip = 0): number => {
    let at = startPage * PAGE_SIZE + skip;
    for (const s of some) {
      checkAlignment(s);
      at = align(at, s.alignLog2);
      offsets.set(s, at);
      at += s.bytes.length;
    }
    return pagesOf(at) - startPage;
  };
  const isData = (s: Segment) => !READ_ONLY.test(s.name) && !RO_AFTER_INIT.test(s.name);
  const rodataPages = place(
    segments.filter((s) => READ_ONLY.test(s.name)),
    textPages,
  );
  const roAfterInitPages = place(
    segments.filter((s) => RO_AFTER_INIT.test(s.name)),
    textPages + rodataPages,
  );
  const dataStart = textPages + rodataPages + roAfterInitPages;
  const dataPages = place(segments.filter(isData), dataStart, reserved);
  return { textPages, rodataPages, roAfterInitPages, dataPages, size: (dataStart + dataPages) * PAGE_SIZE };
}

/** The place in the code section's payload of an address in a module's text; undefined if it is none. */
export function codeOffsetOf(layout: Layout, bases: Bases, address: Vaddr): number | undefined {
  for (const part of ['core', 'init'] as const) {
    const offset = address - bases[part];
    if (bases[part] === 0 || offset < 0 || offset >= layout[part].textPages * PAGE_SIZE) continue;
    const f = layout.functions.find((f) => f.part === part && offset < f.offset + f.end - f.start);
    return f && f.start + offset - f.offset;
  }
  return undefined;
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
  bases: Bases,
  resolve: Resolve,
): ResolvedSymbols {
  const unknown = new Set<string>();
  const addresses = object.symbols.map((s): Vaddr => {
    if (s.kind !== 'function' && s.kind !== 'data') return 0;
    if (!(s.flags & SYM_UNDEFINED)) {
      if (s.kind === 'data') return addressIn(bases, layout.segments[s.segment]) + s.offset;
      return addressIn(bases, layout.functions[s.index - object.imports.length]);
    }
    const address = specialSymbol(layout, bases, s) ?? resolve(s.name, s.kind);
    if (address === undefined && !(s.flags & SYM_BINDING_WEAK)) unknown.add(s.name);
    return address ?? 0;
  });
  return { addresses, unknown: [...unknown] };
}

/** Symbols that the loader itself defines. */
function specialSymbol(layout: Layout, bases: Bases, s: ObjectSymbol): Vaddr | undefined {
  if (s.kind !== 'data') return undefined;
  if (s.name === '__this_module') return bases.core + layout.moduleOffset;
  const border = SECTION_BORDER.exec(s.name);
  if (!border) return undefined;
  const inSection = layout.segments.filter(({ segment }) => segment.name === border[2]);
  if (inSection.length === 0) return undefined;
  const starts = inSection.map((placed) => addressIn(bases, placed));
  const ends = inSection.map((placed) => addressIn(bases, placed) + placed.segment.bytes.length);
  return border[1] === 'start' ? Math.min(...starts) : Math.max(...ends);
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
