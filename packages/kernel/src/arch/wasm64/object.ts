// SPDX-License-Identifier: MIT
/**
 * Reads a relocatable wasm64 object, as `clang -c` or `wasm-ld -r` write it: our `.ko`.
 *
 * The format is the WebAssembly core specification's, with the "linking" and "reloc.*" custom sections of the
 * tool conventions (WebAssembly/tool-conventions, Linking.md). Nothing here trusts the file: what does not fit
 * is a FormatError, which `insmod` reports as "Invalid module format".
 */

import { FormatError, Reader } from './binary.js';
import { decodeSections, SECTIONS_SECTION, TEXT } from './sections.js';

export const I32 = 0x7f;
export const I64 = 0x7e;
export const F32 = 0x7d;
export const F64 = 0x7c;

export interface FunctionType {
  readonly params: readonly number[];
  readonly results: readonly number[];
}

export interface Relocation {
  /** One of R. */
  readonly type: number;
  /** Byte offset of the field in its section's payload. */
  readonly offset: number;
  /** Symbol index, or a type index for R.TYPE_INDEX_LEB. */
  readonly index: number;
  readonly addend: number;
}

/** Relocation types of the tool conventions. */
export const R = {
  FUNCTION_INDEX_LEB: 0,
  TABLE_INDEX_SLEB: 1,
  TABLE_INDEX_I32: 2,
  MEMORY_ADDR_LEB: 3,
  MEMORY_ADDR_SLEB: 4,
  MEMORY_ADDR_I32: 5,
  TYPE_INDEX_LEB: 6,
  GLOBAL_INDEX_LEB: 7,
  FUNCTION_OFFSET_I32: 8,
  SECTION_OFFSET_I32: 9,
  TAG_INDEX_LEB: 10,
  GLOBAL_INDEX_I32: 13,
  MEMORY_ADDR_LEB64: 14,
  MEMORY_ADDR_SLEB64: 15,
  MEMORY_ADDR_I64: 16,
  TABLE_INDEX_SLEB64: 18,
  TABLE_INDEX_I64: 19,
  TABLE_NUMBER_LEB: 20,
  FUNCTION_OFFSET_I64: 22,
  FUNCTION_INDEX_I32: 26,
} as const;

const WITH_ADDEND = new Set<number>([3, 4, 5, 8, 9, 11, 14, 15, 16, 17, 21, 22, 23, 25]);

export interface FunctionImport {
  readonly name: string;
  readonly type: number;
}

export interface FunctionBody {
  readonly type: number;
  /** Offset of the body (its local declarations) in the code section's payload. */
  readonly start: number;
  readonly end: number;
  /** Name from the symbol table, else from the name section. */
  name: string;
  /** The C section it was written for: `.text`, `.init.text`… */
  section: string;
}

export interface Segment {
  /** The C section name: `.data.foo`, `.rodata..L.str`, `__param`… */
  readonly name: string;
  /** Log2 of the alignment. */
  readonly alignLog2: number;
  readonly bytes: Uint8Array;
  /** Offset of `bytes` in the data section's payload. */
  readonly start: number;
  readonly relocations: Relocation[];
}

export type ObjectSymbol =
  | { kind: 'function'; name: string; flags: number; index: number }
  | { kind: 'data'; name: string; flags: number; segment: number; offset: number; size: number }
  | { kind: 'global'; name: string; flags: number; index: number }
  | { kind: 'section'; name: string; flags: number; index: number }
  | { kind: 'table'; name: string; flags: number; index: number }
  | { kind: 'tag'; name: string; flags: number; index: number };

export const SYM_BINDING_WEAK = 1;
export const SYM_BINDING_LOCAL = 2;
export const SYM_UNDEFINED = 0x10;
const SYM_EXPLICIT_NAME = 0x40;
const SYM_ABSOLUTE = 0x200;

export interface ObjectFile {
  readonly types: FunctionType[];
  readonly imports: FunctionImport[];
  readonly globals: string[];
  readonly functions: FunctionBody[];
  readonly code: Uint8Array;
  readonly codeRelocations: Relocation[];
  readonly segments: Segment[];
  readonly symbols: ObjectSymbol[];
  /** Constructors in order of priority: symbol indices. */
  readonly initFunctions: number[];
  readonly customSections: Map<string, Uint8Array>;
}

const MAGIC = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0];

class Parser {
  readonly types: FunctionType[] = [];
  readonly imports: FunctionImport[] = [];
  readonly globals: string[] = [];
  readonly functions: FunctionBody[] = [];
  code: Uint8Array = new Uint8Array();
  codeRelocations: Relocation[] = [];
  segments: Segment[] = [];
  symbols: ObjectSymbol[] = [];
  initFunctions: number[] = [];
  readonly customSections = new Map<string, Uint8Array>();

  private functionTypes: number[] = [];
  private dataRelocations: Relocation[] = [];
  private segmentInfo: { name: string; alignLog2: number }[] = [];
  private importNames = { global: [] as string[], table: [] as string[] };
  private readonly sectionIds: number[] = [];
  private linked = false;

  parse(file: Uint8Array): this {
    if (file.length < 8 || MAGIC.some((b, i) => file[i] !== b))
      throw new FormatError('not a WebAssembly object');
    const r = new Reader(file, 8);
    while (!r.done) {
      const id = r.u8();
      const body = r.sub(r.uleb());
      this.sectionIds.push(id);
      this.section(id, body);
    }
    if (!this.linked) throw new FormatError('not a relocatable object: no "linking" section');
    this.finish();
    return this;
  }

  private section(id: number, r: Reader): void {
    switch (id) {
      case 0:
        return this.custom(r);
      case 1:
        this.types.push(...r.vector(() => this.functionType(r)));
        return;
      case 2:
        r.vector(() => this.import(r));
        return;
      case 3:
        this.functionTypes = r.vector(() => r.uleb());
        return;
      case 10:
        return this.codeSection(r);
      case 11:
        return this.dataSection(r);
      case 6:
      case 8:
        throw new FormatError(`section ${id} does not belong in a module`);
    }
  }

  private functionType(r: Reader): FunctionType {
    if (r.u8() !== 0x60) throw new FormatError('unknown kind of type');
    const valueType = () => {
      const type = r.u8();
      if (type < F64 || type > I32) throw new FormatError(`value type 0x${type.toString(16)}`);
      return type;
    };
    const type = { params: r.vector(valueType), results: r.vector(valueType) };
    if (type.results.length > 1) throw new FormatError('function with several results');
    return type;
  }

  private import(r: Reader): void {
    r.name();
    const name = r.name();
    switch (r.u8()) {
      case 0:
        this.imports.push({ name, type: r.uleb() });
        return;
      case 1:
        r.u8();
        this.limits(r);
        this.importNames.table.push(name);
        return;
      case 2:
        this.limits(r);
        return;
      case 3:
        r.u8();
        r.u8();
        this.globals.push(name);
        this.importNames.global.push(name);
        return;
      default:
        throw new FormatError(`unknown kind of import: ${name}`);
    }
  }

  private limits(r: Reader): void {
    const flags = r.u8();
    r.uleb();
    if (flags & 1) r.uleb();
  }

  private codeSection(r: Reader): void {
    const base = r.at;
    this.code = r.bytes.subarray(r.at, r.end);
    r.vector((_, i) => {
      const body = r.sub(r.uleb());
      const type = this.functionTypes[i];
      if (this.types[type] === undefined) throw new FormatError(`function ${i} has no type`);
      this.functions.push({ type, start: body.at - base, end: body.end - base, name: '', section: TEXT });
    });
  }

  private dataSection(r: Reader): void {
    const base = r.at;
    this.segments = r.vector(() => {
      const flags = r.uleb();
      if (flags & 2) r.uleb();
      if (!(flags & 1)) {
        const op = r.u8();
        if (op !== 0x41 && op !== 0x42)
          throw new FormatError('data segment at an address that is no constant');
        r.sleb();
        r.u8();
      }
      const n = r.uleb();
      const start = r.at - base;
      return { name: '.data', alignLog2: 4, bytes: r.take(n), start, relocations: [] };
    });
  }

  private custom(r: Reader): void {
    const name = r.name();
    const rest = r.bytes.subarray(r.at, r.end);
    if (name === 'linking') this.linking(r);
    else if (name.startsWith('reloc.')) this.relocations(r);
    else if (name === 'name') this.names(r);
    else this.customSections.set(name, rest);
  }

  private relocations(r: Reader): void {
    const target = this.sectionIds[r.uleb()];
    const list = r.vector((): Relocation => {
      const type = r.u8();
      const offset = r.uleb();
      const index = r.uleb();
      return { type, offset, index, addend: WITH_ADDEND.has(type) ? r.sleb() : 0 };
    });
    if (target === 10) this.codeRelocations = list;
    else if (target === 11) this.dataRelocations = list;
  }

  private linking(r: Reader): void {
    const version = r.uleb();
    if (version !== 2) throw new FormatError(`linking section of version ${version}, expected 2`);
    this.linked = true;
    while (!r.done) {
      const kind = r.u8();
      const body = r.sub(r.uleb());
      if (kind === 5)
        this.segmentInfo = body.vector(() => {
          const info = { name: body.name(), alignLog2: body.uleb() };
          body.uleb();
          return info;
        });
      else if (kind === 6)
        this.initFunctions = body
          .vector(() => ({ priority: body.uleb(), symbol: body.uleb() }))
          .sort((a, b) => a.priority - b.priority)
          .map((f) => f.symbol);
      else if (kind === 8) this.symbols = body.vector(() => this.symbol(body));
    }
  }

  private symbol(r: Reader): ObjectSymbol {
    const kind = r.u8();
    const flags = r.uleb();
    const defined = !(flags & SYM_UNDEFINED);
    const named = defined || (flags & SYM_EXPLICIT_NAME) !== 0;
    const indexed = (imported: (index: number) => string | undefined) => {
      const index = r.uleb();
      return { flags, index, name: named ? r.name() : (imported(index) ?? '') };
    };
    switch (kind) {
      case 0:
        return { kind: 'function', ...indexed((i) => this.imports[i]?.name) };
      case 1: {
        const name = r.name();
        if (!defined) return { kind: 'data', name, flags, segment: -1, offset: 0, size: 0 };
        if (flags & SYM_ABSOLUTE) throw new FormatError(`absolute symbol ${name}`);
        return { kind: 'data', name, flags, segment: r.uleb(), offset: r.uleb(), size: r.uleb() };
      }
      case 2:
        return { kind: 'global', ...indexed((i) => this.importNames.global[i]) };
      case 3:
        return { kind: 'section', name: '', flags, index: r.uleb() };
      case 4:
        return { kind: 'tag', ...indexed(() => '') };
      case 5:
        return { kind: 'table', ...indexed((i) => this.importNames.table[i]) };
      default:
        throw new FormatError(`unknown kind of symbol: ${kind}`);
    }
  }

  /** Function names, for functions that the symbol table does not name. */
  private names(r: Reader): void {
    while (!r.done) {
      const kind = r.u8();
      const body = r.sub(r.uleb());
      if (kind !== 1) continue;
      body.vector(() => {
        const index = body.uleb() - this.imports.length;
        const name = body.name();
        if (this.functions[index] && this.functions[index].name === '') this.functions[index].name = name;
      });
    }
  }

  private finish(): void {
    if (this.functions.length !== this.functionTypes.length) throw new FormatError('functions without code');
    for (const { type } of this.imports)
      if (!this.types[type]) throw new FormatError('import without a type');
    for (const s of this.symbols) this.checkSymbol(s);
    this.segments = this.segments.map((s, i) => ({ ...s, ...this.segmentInfo[i] }));
    this.placeDataRelocations();
    this.functions.forEach((f, i) => {
      if (f.name === '') f.name = `func${i}`;
    });
    this.placeFunctions();
  }

  private placeFunctions(): void {
    const payload = this.customSections.get(SECTIONS_SECTION);
    if (!payload) return;
    decodeSections(payload, this.functions.length).forEach((section, i) => {
      this.functions[i].section = section;
    });
  }

  /** Gives each segment its relocations. Segments lie in order of their offsets. */
  private placeDataRelocations(): void {
    const { segments } = this;
    let at = 0;
    for (const relocation of [...this.dataRelocations].sort((a, b) => a.offset - b.offset)) {
      while (at < segments.length && relocation.offset >= segments[at].start + segments[at].bytes.length)
        at++;
      const s = segments[at];
      if (!s || relocation.offset < s.start) throw new FormatError('relocation outside of data');
      s.relocations.push({ ...relocation, offset: relocation.offset - s.start });
    }
  }

  private checkSymbol(s: ObjectSymbol): void {
    const undefinedSymbol = (s.flags & SYM_UNDEFINED) !== 0;
    if (s.kind === 'function') {
      const body = this.functions[s.index - this.imports.length];
      if (undefinedSymbol ? !this.imports[s.index] : !body)
        throw new FormatError(`symbol ${s.name} names no function`);
      // A static function's own name comes before the names of its aliases.
      if (body && (body.name === '' || s.flags & SYM_BINDING_LOCAL)) body.name = s.name;
    } else if (s.kind === 'data' && !undefinedSymbol) {
      const segment = this.segments[s.segment];
      if (!segment || s.offset + s.size > segment.bytes.length)
        throw new FormatError(`symbol ${s.name} lies outside of its segment`);
    }
  }
}

/** Parses a relocatable object. Throws FormatError. */
export function parseObject(file: Uint8Array): ObjectFile {
  return new Parser().parse(file);
}
