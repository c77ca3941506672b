// SPDX-License-Identifier: MIT
import { deflateRawSync, inflateRawSync, crc32 as zlibCrc32 } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { crc32 } from '../lib/crc32.js';
import { Machine } from '../machine.js';
import { SnapshotError } from './image_file.js';

const OPTIONS = { memory: 8 * 2 ** 20, cpus: 2, seed: 3, commandLine: 'quiet' };
const compress = (bytes: Uint8Array) => deflateRawSync(bytes);
const decompress = (bytes: Uint8Array, size: number) =>
  inflateRawSync(bytes, { maxOutputLength: Math.max(1, size) });

const saved = new Machine(OPTIONS).save({ compress });
const load = (file: Uint8Array) => () => Machine.load(file, { decompress });

/** The file with some bytes changed, and its checksum made right again. */
function forged(change: (file: Uint8Array, view: DataView) => void): Uint8Array {
  const file = saved.slice();
  const view = new DataView(file.buffer);
  change(file, view);
  view.setUint32(12, crc32(file.subarray(16)), true);
  return file;
}

/** The file with another description. */
function described(change: (description: Record<string, unknown>) => unknown): Uint8Array {
  const view = new DataView(saved.buffer, saved.byteOffset);
  const length = view.getUint32(16, true);
  const description = JSON.parse(Buffer.from(saved.subarray(28, 28 + length)).toString());
  const text = Buffer.from(JSON.stringify(change(description)));
  const file = new Uint8Array(saved.length - length + text.length);
  file.set(saved.subarray(0, 28));
  file.set(text, 28);
  file.set(saved.subarray(28 + length), 28 + text.length);
  const out = new DataView(file.buffer);
  out.setUint32(16, text.length, true);
  out.setUint32(12, crc32(file.subarray(16)), true);
  return file;
}

describe('a saved machine', () => {
  it('has its options, also without compression', () => {
    for (const machine of [load(saved)(), Machine.load(new Machine(OPTIONS).save())]) {
      expect(machine.checkpoint().options).toEqual(OPTIONS);
      expect(machine.save({ compress })).toEqual(saved);
    }
  });

  it('is refused when it is something else, of another format, or of another kernel', () => {
    expect(load(new Uint8Array())).toThrow(new SnapshotError('this is not a saved machine'));
    expect(load(new Uint8Array(100))).toThrow(new SnapshotError('this is not a saved machine'));
    expect(load(forged((_, view) => view.setUint32(8, 9, true)))).toThrow(
      new SnapshotError('the machine was saved in format 9, this program reads 1'),
    );
    expect(load(described((d) => ({ ...d, kernel: 'Linux 7' })))).toThrow(
      /^the machine was saved by kernel 'Linux 7', this is '6\.1\.0-pagewalk /,
    );
    expect(load(described((d) => ({ ...d, layout: '12345678' })))).toThrow(
      /another version of the kernel, whose memory this one cannot read/,
    );
  });

  it('is refused when it is cut off, wherever', () => {
    for (let length = 0; length < saved.length; length += length < 300 ? 1 : 997)
      expect(load(saved.subarray(0, length)), `${length} bytes`).toThrow(SnapshotError);
    expect(load(saved.subarray(0, -1))).toThrow(/^the saved machine is cut off: \d+ of \d+ bytes are there$/);
    expect(load(Buffer.concat([saved, saved]))).toThrow(
      'the saved machine is damaged: its checksum is wrong',
    );
  });

  it('is refused when a byte of it has changed, whichever', () => {
    for (let at = 0; at < saved.length; at += at < 300 ? 1 : 331) {
      const file = saved.slice();
      file[at] ^= 0x10;
      expect(load(file), `byte ${at}`).toThrow(SnapshotError);
    }
  });

  it('is refused when it has been forged', () => {
    const wrong = 'the saved machine is damaged: its description makes no sense';
    for (const change of [
      { memory: -1 },
      { memory: '8M' },
      { cpus: 1.5 },
      { compression: 'zip' },
      { seed: null },
    ])
      expect(load(described((d) => ({ ...d, ...change }))), JSON.stringify(change)).toThrow(wrong);
    expect(load(described(() => null))).toThrow(wrong);
    expect(load(described((d) => ({ ...d, memory: 2 ** 20 })))).toThrow(SnapshotError);
    expect(load(described((d) => ({ ...d, memory: 12345678 })))).toThrow(SnapshotError);
    expect(load(described((d) => ({ ...d, cpus: 99 })))).toThrow(SnapshotError);
    expect(load(described((d) => ({ ...d, cpus: 1 })))).toThrow(SnapshotError);
    expect(load(described((d) => ({ ...d, compression: 'none' })))).toThrow(SnapshotError);
    expect(load(forged((_, view) => view.setUint32(24, 17, true)))).toThrow(SnapshotError);
    expect(load(forged((file) => file.fill(0xff, 400)))).toThrow(SnapshotError);
    expect(() =>
      Machine.load(saved, {
        decompress: () => {
          throw new Error('no');
        },
      }),
    ).toThrow('the saved machine cannot be decompressed: no');
  });

  it('needs what decompresses it', () => {
    expect(() => Machine.load(saved)).toThrow(
      new SnapshotError('the saved machine is compressed, and nothing here can decompress it'),
    );
  });
});

it('crc32 is that of zlib', () => {
  const bytes = Uint8Array.from({ length: 1000 }, (_, i) => (i * i * 31) & 0xff);
  for (const length of [0, 1, 2, 3, 4, 5, 8, 999, 1000])
    expect(crc32(bytes.subarray(0, length))).toBe(zlibCrc32(bytes.subarray(0, length)));
});
