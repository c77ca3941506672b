// SPDX-License-Identifier: MIT
/** Makes the custom section `pagewalk.sections`, whose format the kernel's `decodeSections` states. */

import { Writer } from '@pagewalk/kernel/arch/wasm64/binary';
import type { ObjectFile } from '@pagewalk/kernel/arch/wasm64/object';
import { SECTIONS_VERSION, TEXT } from '@pagewalk/kernel/arch/wasm64/sections';
import { functionSections } from './debug_info.js';
import { findCustom, type Section } from './object.js';

/** The section that each function of an object with DWARF was written for; `.text` is what nobody says otherwise. */
export function sectionsOf(object: ObjectFile, sections: readonly Section[]): string[] {
  const payload = (name: string) => findCustom(sections, name)?.payload;
  const info = payload('.debug_info');
  if (!info) return object.functions.map(() => TEXT);
  const byAddress = functionSections({
    info,
    abbrev: payload('.debug_abbrev'),
    str: payload('.debug_str'),
    lineStr: payload('.debug_line_str'),
    addr: payload('.debug_addr'),
    strOffsets: payload('.debug_str_offsets'),
  });
  return object.functions.map(({ start }) => byAddress.get(start) ?? TEXT);
}

/** Encodes the names of functions' sections; undefined if all of them are in `.text`. */
export function encodeSections(names: readonly string[]): Uint8Array | undefined {
  const byName = new Map<string, number[]>();
  names.forEach((name, index) => {
    if (name !== TEXT) byName.set(name, [...(byName.get(name) ?? []), index]);
  });
  if (byName.size === 0) return undefined;
  const out = new Writer().uleb(SECTIONS_VERSION).uleb(byName.size);
  for (const [name, indices] of byName) {
    const bytes = new TextEncoder().encode(name);
    out.uleb(bytes.length).raw(bytes).uleb(indices.length);
    indices.forEach((index, i) => {
      out.uleb(index - (indices[i - 1] ?? 0));
    });
  }
  return out.finish();
}
