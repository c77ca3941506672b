// SPDX-License-Identifier: MIT
/**
 * Edits a relocatable wasm object section by section: adds custom sections, drops debug information. Reading
 * symbols and relocations is the kernel's own `parseObject`, so that builder and loader agree on what a module is.
 */

import { Reader, Writer } from '@pagewalk/kernel/arch/wasm64/binary';

const CUSTOM = 0;
const HEADER = 8;
const SYMBOL_TABLE = 8;
const SYMBOL_SECTION = 3;

const utf8 = new TextEncoder();

export interface Section {
  readonly id: number;
  /** Of a custom section; empty for the others. */
  readonly name: string;
  /** The section's content, after the name of a custom section. */
  payload: Uint8Array;
}

/** The sections of an object, in file order. Throws FormatError. */
export function readSections(file: Uint8Array): Section[] {
  const r = new Reader(file, HEADER);
  const sections: Section[] = [];
  while (!r.done) {
    const id = r.u8();
    const body = r.sub(r.uleb());
    const name = id === CUSTOM ? body.name() : '';
    sections.push({ id, name, payload: file.subarray(body.at, body.end) });
  }
  return sections;
}

export function writeSections(sections: readonly Section[]): Uint8Array {
  const out = new Writer().u8(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0);
  for (const { id, name, payload } of sections) {
    const body = new Writer();
    if (id === CUSTOM) {
      const bytes = utf8.encode(name);
      body.uleb(bytes.length).raw(bytes);
    }
    out.section(id, body.raw(payload));
  }
  return out.finish();
}

export const customSection = (name: string, payload: Uint8Array): Section => ({ id: CUSTOM, name, payload });

export function findCustom(sections: readonly Section[], name: string): Section | undefined {
  return sections.find((s) => s.id === CUSTOM && s.name === name);
}

const isDebug = (s: Section) => s.name.startsWith('.debug_') || s.name.startsWith('reloc..debug_');

/**
 * The sections without DWARF. Section numbers in relocation sections and section symbols are adapted; a symbol of a
 * dropped section is left pointing at the `linking` section, since symbols are numbered by position.
 */
export function dropDebug(sections: readonly Section[]): Section[] {
  const kept = sections.filter((s) => !isDebug(s));
  const linking = kept.findIndex((s) => s.id === CUSTOM && s.name === 'linking');
  const renumber = (index: number) => {
    const now = kept.indexOf(sections[index]);
    return now < 0 ? linking : now;
  };
  return kept.map((s) => {
    if (s.name === 'linking') return { ...s, payload: renumberSymbols(s.payload, renumber) };
    if (s.name.startsWith('reloc.')) return { ...s, payload: renumberRelocations(s.payload, renumber) };
    return s;
  });
}

function renumberRelocations(payload: Uint8Array, renumber: (index: number) => number): Uint8Array {
  const r = new Reader(payload);
  return new Writer().uleb(renumber(r.uleb())).raw(payload, r.at).finish();
}

function renumberSymbols(payload: Uint8Array, renumber: (index: number) => number): Uint8Array {
  const r = new Reader(payload);
  const out = new Writer().uleb(r.uleb());
  while (!r.done) {
    const kind = r.u8();
    const body = r.sub(r.uleb());
    const rewritten = new Writer();
    if (kind === SYMBOL_TABLE) copySymbols(body, rewritten, renumber);
    else rewritten.raw(body.take(body.end - body.at));
    out.section(kind, rewritten);
  }
  return out.finish();
}

const UNDEFINED = 0x10;
const EXPLICIT_NAME = 0x40;
const SYMBOL_DATA = 1;

function copySymbols(r: Reader, out: Writer, renumber: (index: number) => number): void {
  const nrSymbols = r.uleb();
  out.uleb(nrSymbols);
  for (let i = 0; i < nrSymbols; i++) {
    const from = r.at;
    const kind = r.u8();
    const flags = r.uleb();
    if (kind === SYMBOL_SECTION) {
      out.u8(kind).uleb(flags).uleb(renumber(r.uleb()));
      continue;
    }
    const defined = (flags & UNDEFINED) === 0;
    if (kind === SYMBOL_DATA) {
      r.name();
      if (defined) for (let field = 0; field < 3; field++) r.uleb();
    } else {
      r.uleb();
      if (defined || flags & EXPLICIT_NAME) r.name();
    }
    out.raw(r.bytes, from, r.at);
  }
}
