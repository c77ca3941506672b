// SPDX-License-Identifier: MIT
/**
 * Reads which section each function of a module was written for: the custom section `pagewalk.sections`, which the
 * toolchain makes from DWARF, since a WebAssembly object keeps the sections of data only.
 *
 * All integers are unsigned LEB128:
 *
 *     version              1
 *     number of sections, then for each:
 *         length in bytes, name: `.init.text`
 *         number of functions, then for each, ascending: its index among the defined ones - the index before
 *                                                        (of the first: its index)
 *
 * A function that no section names is in `.text`.
 */

import { FormatError, Reader } from './binary.js';

export const SECTIONS_SECTION = 'pagewalk.sections';
export const SECTIONS_VERSION = 1;
export const TEXT = '.text';

/** Decodes the payload of a `pagewalk.sections` section: a name for each of so many functions. Throws FormatError. */
export function decodeSections(payload: Uint8Array, nrFunctions: number): string[] {
  const r = new Reader(payload);
  const version = r.uleb();
  if (version !== SECTIONS_VERSION)
    throw new FormatError(`sections of functions of version ${version}, expected ${SECTIONS_VERSION}`);
  const names = new Array<string>(nrFunctions).fill(TEXT);
  r.vector(() => {
    const name = r.name();
    let index = 0;
    r.vector(() => {
      index += r.uleb();
      if (index >= nrFunctions)
        throw new FormatError(`section ${name} of function ${index}, which does not exist`);
      names[index] = name;
    });
  });
  return names;
}
