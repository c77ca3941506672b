// SPDX-License-Identifier: MIT
/** Custom sections of a WebAssembly file: what a module file keeps its description in. */

/** Content of the first custom section of that name; undefined if there is none or the file is no WebAssembly. */
export function customSection(file: Uint8Array, wanted: string): Uint8Array | undefined {
  const magic = [0, 0x61, 0x73, 0x6d];
  if (!magic.every((byte, index) => file[index] === byte)) return undefined;
  let at = 8;
  const leb = (): number => {
    let value = 0;
    for (let shift = 0; at < file.length; shift += 7) {
      const byte = file[at++];
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) break;
    }
    return value;
  };
  while (at < file.length) {
    const id = file[at++];
    const size = leb();
    const end = at + size;
    if (id === 0) {
      const length = leb();
      const name = new TextDecoder().decode(file.subarray(at, at + length));
      if (name === wanted) return file.subarray(at + length, end);
    }
    at = end;
  }
  return undefined;
}
