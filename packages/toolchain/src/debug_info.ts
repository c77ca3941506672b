// SPDX-License-Identifier: MIT
/**
 * Finds in DWARF which section each function was written for (`__init`, `__exit`): clang forgets a function's
 * section when it writes a WebAssembly object, but not a declaration's tags, which `linux/init.h` therefore adds:
 *
 *     DW_TAG_subprogram         low_pc 0x2, abstract_origin → the entry that says what it is, if it was also inlined
 *       DW_TAG_LLVM_annotation  name "btf_decl_tag", const_value "section=.init.text"
 *
 * Versions 4 and 5 of `.debug_info`. As in the line table, clang and wasm-ld have stored addresses and offsets in
 * place: offsets in the code section's payload. Of a function that wasm-ld left out the address names none.
 */

import { FormatError, Reader } from '@pagewalk/kernel/arch/wasm64/binary';
import { cstring, cstringAt, u16, u32, unitLength } from './dwarf.js';

export interface InfoSections {
  readonly info: Uint8Array;
  readonly abbrev?: Uint8Array;
  readonly str?: Uint8Array;
  readonly lineStr?: Uint8Array;
  /** Version 5 refers to addresses and strings by number. */
  readonly addr?: Uint8Array;
  readonly strOffsets?: Uint8Array;
}

const TAG_SUBPROGRAM = 0x2e;
const TAG_LLVM_ANNOTATION = 0x6000;
const AT = {
  name: 0x03,
  lowPc: 0x11,
  constValue: 0x1c,
  abstractOrigin: 0x31,
  specification: 0x47,
  strOffsetsBase: 0x72,
  addrBase: 0x73,
} as const;
const WANTED = new Set<number>(Object.values(AT));

const SECTION_TAG = 'section=';
const NAME_TAG = 'btf_decl_tag';

interface Abbreviation {
  readonly tag: number;
  readonly children: boolean;
  readonly attributes: readonly { readonly at: number; readonly form: number; readonly implicit: number }[];
}

/** An entry that may stand for a function, by its offset in the section. */
interface Subprogram {
  readonly lowPc: number | undefined;
  readonly origin: number | undefined;
  section?: string;
}

/** For the address of each function that has one: the section that it was written for. Throws FormatError. */
export function functionSections(sections: InfoSections): Map<number, string> {
  const subprograms = new Map<number, Subprogram>();
  const r = new Reader(sections.info);
  while (!r.done) {
    const start = r.at;
    new Unit(r.sub(unitLength(r)), start, sections).readInto(subprograms);
  }
  const found = new Map<number, string>();
  for (const subprogram of subprograms.values()) {
    const section = sectionOf(subprograms, subprogram);
    if (subprogram.lowPc !== undefined && section !== undefined) found.set(subprogram.lowPc, section);
  }
  return found;
}

function sectionOf(all: ReadonlyMap<number, Subprogram>, subprogram: Subprogram): string | undefined {
  let at: Subprogram | undefined = subprogram;
  for (let steps = 0; at && steps < 4; steps++) {
    if (at.section !== undefined) return at.section;
    at = at.origin === undefined ? undefined : all.get(at.origin);
  }
  return undefined;
}

class Unit {
  private readonly version: number;
  private readonly addressBytes: number;
  private readonly abbreviations: ReadonlyMap<number, Abbreviation>;
  private addrBase = 8;
  private strOffsetsBase = 8;

  /** @param start where the unit begins in the section: entries are named relative to it */
  constructor(
    private readonly r: Reader,
    private readonly start: number,
    private readonly sections: InfoSections,
  ) {
    this.version = u16(r);
    if (this.version !== 4 && this.version !== 5)
      throw new FormatError(`debugging information of DWARF ${this.version}, expected 4 or 5`);
    if (this.version === 5) r.u8(); // kind of unit
    const first = this.version === 5 ? r.u8() : 0;
    const abbrevOffset = u32(r);
    this.addressBytes = this.version === 5 ? first : r.u8();
    this.abbreviations = readAbbreviations(new Reader(sections.abbrev ?? new Uint8Array(), abbrevOffset));
  }

  readInto(subprograms: Map<number, Subprogram>): void {
    const { r } = this;
    const parents: (Subprogram | undefined)[] = [];
    while (!r.done) {
      const offset = r.at;
      const code = r.uleb();
      if (code === 0) {
        parents.pop();
        continue;
      }
      const abbreviation = this.abbreviations.get(code);
      if (!abbreviation) throw new FormatError(`DWARF entry of unknown kind ${code} at ${offset}`);
      const values = this.attributes(abbreviation);
      const entry = this.subprogram(abbreviation, values);
      if (entry) subprograms.set(offset, entry);
      if (abbreviation.tag === TAG_LLVM_ANNOTATION) noteTag(parents.at(-1), values);
      if (abbreviation.children) parents.push(entry);
    }
  }

  private subprogram(
    { tag }: Abbreviation,
    values: ReadonlyMap<number, string | number>,
  ): Subprogram | undefined {
    if (tag !== TAG_SUBPROGRAM) return undefined;
    const number = (at: number) => values.get(at) as number | undefined;
    return { lowPc: number(AT.lowPc), origin: number(AT.abstractOrigin) ?? number(AT.specification) };
  }

  /** Passes over an entry's attributes; returns those that matter. */
  private attributes({ attributes }: Abbreviation): Map<number, string | number> {
    const values = new Map<number, string | number>();
    for (const { at, form, implicit } of attributes) {
      if (!WANTED.has(at)) {
        this.skip(form);
        continue;
      }
      const value = this.value(form, implicit);
      values.set(at, value);
      if (at === AT.addrBase) this.addrBase = value as number;
      if (at === AT.strOffsetsBase) this.strOffsetsBase = value as number;
    }
    return values;
  }

  /** An attribute that matters: a string, or a number; entries as offsets in the section. */
  private value(form: number, implicit: number): string | number {
    const { r, sections } = this;
    switch (form) {
      case 0x01: // addr
        return this.fixed(r, this.addressBytes);
      case 0x08: // string
        return cstring(r);
      case 0x0e: // strp
        return cstringAt(sections.str, u32(r));
      case 0x1f: // line_strp
        return cstringAt(sections.lineStr, u32(r));
      case 0x1a: // strx
        return this.indexedString(r.uleb());
      case 0x25: // strx1 … strx4
      case 0x26:
      case 0x27:
      case 0x28:
        return this.indexedString(this.fixed(r, form - 0x24));
      case 0x1b: // addrx
        return this.indexedAddress(r.uleb());
      case 0x29: // addrx1 … addrx4
      case 0x2a:
      case 0x2b:
      case 0x2c:
        return this.indexedAddress(this.fixed(r, form - 0x28));
      case 0x10: // ref_addr
      case 0x17: // sec_offset
        return u32(r);
      case 0x11: // ref1, ref2, ref4
        return this.start + r.u8();
      case 0x12:
        return this.start + u16(r);
      case 0x13:
        return this.start + u32(r);
      case 0x15: // ref_udata
        return this.start + r.uleb();
      case 0x21: // implicit_const
        return implicit;
      default:
        this.skip(form);
        return 0;
    }
  }

  private fixed(r: Reader, bytes: number): number {
    let value = 0;
    for (let i = 0; i < bytes; i++) value += r.u8() * 256 ** i;
    return value;
  }

  private indexedString(index: number): string {
    const offsets = new Reader(this.sections.strOffsets ?? new Uint8Array(), this.strOffsetsBase + 4 * index);
    return cstringAt(this.sections.str, u32(offsets));
  }

  private indexedAddress(index: number): number {
    const { addr = new Uint8Array() } = this.sections;
    return this.fixed(new Reader(addr, this.addrBase + this.addressBytes * index), this.addressBytes);
  }

  private skip(form: number): void {
    const { r } = this;
    const bytes = form === 0x01 ? this.addressBytes : FORM_BYTES[form];
    if (bytes !== undefined) r.skip(bytes);
    else if (form === 0x08) cstring(r);
    else if (form === 0x03)
      r.skip(u16(r)); // block2
    else if (form === 0x04)
      r.skip(u32(r)); // block4
    else if (form === 0x0a)
      r.skip(r.u8()); // block1
    else if (form === 0x09 || form === 0x18)
      r.skip(r.uleb()); // block, exprloc
    else if (FORMS_LEB.has(form)) r.uleb();
    else throw new FormatError(`unknown DWARF form 0x${form.toString(16)}`);
  }
}

/** Bytes of the forms that always have the same number. */
const FORM_BYTES: Readonly<Record<number, number>> = {
  5: 2,
  6: 4,
  7: 8,
  11: 1,
  12: 1,
  14: 4,
  16: 4,
  17: 1,
  18: 2,
  19: 4,
  20: 8,
  23: 4,
  25: 0,
  28: 4,
  30: 16,
  31: 4,
  32: 8,
  33: 0,
  36: 8,
  37: 1,
  38: 2,
  39: 3,
  40: 4,
  41: 1,
  42: 2,
  43: 3,
  44: 4,
};
/** sdata, udata, ref_udata, strx, addrx, loclistx, rnglistx. */
const FORMS_LEB = new Set([0x0d, 0x0f, 0x15, 0x1a, 0x1b, 0x22, 0x23]);
const IMPLICIT_CONST = 0x21;

function readAbbreviations(r: Reader): Map<number, Abbreviation> {
  const all = new Map<number, Abbreviation>();
  for (let code = r.uleb(); code !== 0; code = r.uleb()) {
    const tag = r.uleb();
    const children = r.u8() !== 0;
    const attributes = [];
    for (;;) {
      const at = r.uleb();
      const form = r.uleb();
      const implicit = form === IMPLICIT_CONST ? r.sleb() : 0;
      if (at === 0 && form === 0) break;
      attributes.push({ at, form, implicit });
    }
    all.set(code, { tag, children, attributes });
  }
  return all;
}

/** An annotation belongs to the entry that it stands below. */
function noteTag(parent: Subprogram | undefined, values: ReadonlyMap<number, string | number>): void {
  const tag = values.get(AT.constValue);
  if (!parent || values.get(AT.name) !== NAME_TAG || typeof tag !== 'string') return;
  if (tag.startsWith(SECTION_TAG)) parent.section = tag.slice(SECTION_TAG.length);
}
