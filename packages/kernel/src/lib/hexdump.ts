// SPDX-License-Identifier: MIT
/** Memory as hexadecimal lines, as kernel logs show it. */

const isPrint = (byte: number) => byte >= 32 && byte < 127;

/** The shape of a line after the corrections that Linux makes to odd arguments. */
export interface HexDumpShape {
  readonly rowsize: 16 | 32;
  readonly groupsize: 1 | 2 | 4 | 8;
  /** Bytes that the line shows. */
  readonly length: number;
}

export function hexDumpShape(length: number, rowsize: number, groupsize: number): HexDumpShape {
  const row = rowsize === 32 ? 32 : 16;
  const shown = Math.min(length, row);
  const group = groupsize === 2 || groupsize === 4 || groupsize === 8 ? groupsize : 1;
  return { rowsize: row, groupsize: shown % group === 0 ? group : 1, length: shown };
}

/** Column where the characters begin. */
const asciiColumn = ({ rowsize, groupsize }: HexDumpShape) => rowsize * 2 + rowsize / groupsize + 1;

/** How long the whole line would be. */
export function hexDumpLength(shape: HexDumpShape, ascii: boolean): number {
  const { groupsize, length } = shape;
  return ascii ? asciiColumn(shape) + length : (groupsize * 2 + 1) * (length / groupsize) - 1;
}

/**
 * One line: groups of bytes, each as the little-endian number it is, then the characters.
 * @param bytes at least `shape.length`
 */
export function hexDumpLine(bytes: Uint8Array, shape: HexDumpShape, ascii: boolean): string {
  const { groupsize, length } = shape;
  if (length === 0) return '';
  const groups: string[] = [];
  for (let i = 0; i < length; i += groupsize) {
    let group = '';
    for (let k = groupsize - 1; k >= 0; k--) group += bytes[i + k].toString(16).padStart(2, '0');
    groups.push(group);
  }
  const line = groups.join(' ');
  if (!ascii) return line;
  const chars = Array.from(bytes.subarray(0, length), (b) => (isPrint(b) ? String.fromCharCode(b) : '.'));
  return line.padEnd(asciiColumn(shape)) + chars.join('');
}
