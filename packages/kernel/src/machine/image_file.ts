// SPDX-License-Identifier: MIT
/**
 * A machine's image as a file. All numbers are little-endian.
 *
 *     offset  bytes
 *     0       8      89 50 57 4d 0d 0a 1a 0a: as PNG's, it shows when a transfer has changed line ends or cut bit 7
 *     8       4      format version
 *     12      4      CRC-32 of all that follows
 *     16      4      bytes of the description
 *     20      4      bytes of the state as stored
 *     24      4      bytes of the state
 *     28      …      description: JSON in UTF-8, see ImageDescription
 *             …      state, stored or deflated
 *
 *     state          CPU_BYTES        the CPU's state
 *                    4                number of page frames
 *                    4 each           their numbers, ascending
 *                    4096 each        their contents
 */

import { crc32 } from '../lib/crc32.js';
import { decodeUtf8, encodeUtf8 } from '../lib/utf8.js';
import { CPU_BYTES, type MachineImage } from './image.js';
import { PAGE_SIZE } from './layout.js';

const MAGIC = [0x89, 0x50, 0x57, 0x4d, 0x0d, 0x0a, 0x1a, 0x0a];
/** Changes with the meaning of anything in the file. */
export const IMAGE_VERSION = 1;
const HEADER_BYTES = 28;
const TWO32 = 2 ** 32;

/** A saved machine that cannot be loaded, or a machine that cannot be saved. The message says why. */
export class SnapshotError extends Error {
  override name = 'SnapshotError';
}

/** What the machine was made with, and which kernel it runs. */
export interface ImageDescription {
  readonly kernel: string;
  /** The image's: which kernel can read it. */
  readonly layout: string;
  readonly memory: number;
  readonly cpus: number;
  readonly seed: number;
  readonly commandLine: string;
  readonly compression: 'none' | 'deflate';
}

/** Raw DEFLATE, as `zlib.deflateRawSync` in Node. */
export type Compress = (bytes: Uint8Array) => Uint8Array;
/** Its reverse, as `zlib.inflateRawSync`: gives `size` bytes, or throws. */
export type Decompress = (bytes: Uint8Array, size: number) => Uint8Array;

function encodeState({ cpu, frames, contents }: MachineImage): Uint8Array {
  const state = new Uint8Array(cpu.length + 4 + 4 * frames.length + contents.length);
  const view = new DataView(state.buffer);
  state.set(cpu);
  view.setUint32(cpu.length, frames.length, true);
  frames.forEach((pfn, i) => {
    view.setUint32(cpu.length + 4 + 4 * i, pfn, true);
  });
  state.set(contents, cpu.length + 4 + 4 * frames.length);
  return state;
}

function decodeState(state: Uint8Array, { memory, layout }: ImageDescription): MachineImage {
  const damaged = () => new SnapshotError('the saved machine is damaged: its memory does not add up');
  if (state.length < CPU_BYTES + 4) throw damaged();
  const view = new DataView(state.buffer, state.byteOffset, state.length);
  const count = view.getUint32(CPU_BYTES, true);
  const start = CPU_BYTES + 4 + 4 * count;
  if (state.length !== start + count * PAGE_SIZE) throw damaged();
  const frames = Uint32Array.from({ length: count }, (_, i) => view.getUint32(CPU_BYTES + 4 + 4 * i, true));
  frames.forEach((pfn, i) => {
    if (pfn * PAGE_SIZE >= memory || (i > 0 && pfn <= frames[i - 1])) throw damaged();
  });
  return { layout, cpu: state.slice(0, CPU_BYTES), frames, contents: state.subarray(start) };
}

export function encodeImage(
  image: MachineImage,
  options: Omit<ImageDescription, 'compression' | 'layout'>,
  compress?: Compress,
): Uint8Array {
  const state = encodeState(image);
  const stored = compress ? compress(state) : state;
  const compression = compress ? 'deflate' : 'none';
  const description = encodeUtf8(
    JSON.stringify({ ...options, layout: image.layout, compression } satisfies ImageDescription),
  );
  const file = new Uint8Array(HEADER_BYTES + description.length + stored.length);
  const view = new DataView(file.buffer);
  file.set(MAGIC);
  view.setUint32(8, IMAGE_VERSION, true);
  view.setUint32(16, description.length, true);
  view.setUint32(20, stored.length, true);
  view.setUint32(24, state.length, true);
  file.set(description, HEADER_BYTES);
  file.set(stored, HEADER_BYTES + description.length);
  view.setUint32(12, crc32(file.subarray(16)), true);
  return file;
}

export interface DecodedImage {
  readonly description: ImageDescription;
  readonly image: MachineImage;
}

/** Reads a file. Throws SnapshotError for what is no saved machine, one of another version, or a damaged one. */
export function decodeImage(file: Uint8Array, decompress?: Decompress): DecodedImage {
  if (MAGIC.some((byte, i) => file[i] !== byte)) throw new SnapshotError('this is not a saved machine');
  if (file.length < HEADER_BYTES)
    throw new SnapshotError(`the saved machine is cut off: ${file.length} bytes are less than its header`);
  const view = new DataView(file.buffer, file.byteOffset, file.length);
  const version = view.getUint32(8, true);
  if (version !== IMAGE_VERSION)
    throw new SnapshotError(
      `the machine was saved in format ${version}, this program reads ${IMAGE_VERSION}`,
    );
  const [descriptionBytes, storedBytes, stateBytes] = [16, 20, 24].map((at) => view.getUint32(at, true));
  const whole = HEADER_BYTES + descriptionBytes + storedBytes;
  if (file.length < whole)
    throw new SnapshotError(`the saved machine is cut off: ${file.length} of ${whole} bytes are there`);
  if (file.length > whole || crc32(file.subarray(16)) !== view.getUint32(12, true))
    throw new SnapshotError('the saved machine is damaged: its checksum is wrong');
  const description = decodeDescription(file.subarray(HEADER_BYTES, HEADER_BYTES + descriptionBytes));
  const stored = file.subarray(HEADER_BYTES + descriptionBytes);
  const state = inflate(stored, stateBytes, description, decompress);
  if (state.length !== stateBytes)
    throw new SnapshotError(
      `the saved machine is damaged: got ${state.length} bytes, expected ${stateBytes}`,
    );
  return { description, image: decodeState(state, description) };
}

function inflate(
  stored: Uint8Array,
  size: number,
  { compression }: ImageDescription,
  decompress?: Decompress,
): Uint8Array {
  if (compression === 'none') return stored;
  if (!decompress)
    throw new SnapshotError('the saved machine is compressed, and nothing here can decompress it');
  try {
    return decompress(stored, size);
  } catch (error) {
    throw new SnapshotError(
      `the saved machine cannot be decompressed: ${error instanceof Error ? error.message : error}`,
    );
  }
}

function decodeDescription(bytes: Uint8Array): ImageDescription {
  const wrong = new SnapshotError('the saved machine is damaged: its description makes no sense');
  let parsed: unknown;
  try {
    parsed = JSON.parse(decodeUtf8(bytes));
  } catch {
    throw wrong;
  }
  const d = parsed as Partial<ImageDescription> | null;
  const isText = [d?.kernel, d?.layout, d?.commandLine].every((value) => typeof value === 'string');
  const isNumber = [d?.memory, d?.cpus, d?.seed].every(
    (value) => Number.isInteger(value) && Number(value) >= 0 && Number(value) < TWO32,
  );
  if (!isText || !isNumber || (d?.compression !== 'none' && d?.compression !== 'deflate')) throw wrong;
  return d as ImageDescription;
}
