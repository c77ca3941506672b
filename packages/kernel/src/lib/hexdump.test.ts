// SPDX-License-Identifier: MIT
import { expect, it } from 'vitest';
import { hexDumpLength, hexDumpLine, hexDumpShape } from './hexdump.js';

const BYTES = Uint8Array.from({ length: 32 }, (_, i) => 0x30 + i);
const dump = (length: number, row: number, group: number, ascii: boolean) => {
  const shape = hexDumpShape(length, row, group);
  const line = hexDumpLine(BYTES, shape, ascii);
  if (length > 0) expect(line.length).toBe(hexDumpLength(shape, ascii));
  return line;
};

it('groups bytes as little-endian numbers', () => {
  expect(dump(8, 16, 1, false)).toBe('30 31 32 33 34 35 36 37');
  expect(dump(8, 16, 2, false)).toBe('3130 3332 3534 3736');
  expect(dump(8, 16, 4, false)).toBe('33323130 37363534');
  expect(dump(16, 16, 8, false)).toBe('3736353433323130 3f3e3d3c3b3a3938');
});

it('puts characters in one column', () => {
  expect(dump(16, 16, 1, true)).toBe('30 31 32 33 34 35 36 37 38 39 3a 3b 3c 3d 3e 3f  0123456789:;<=>?');
  expect(dump(3, 16, 1, true)).toBe(`${'30 31 32'.padEnd(49)}012`);
  expect(dump(4, 16, 4, true)).toBe(`${'33323130'.padEnd(37)}0123`);
});

it('corrects odd rows and groups', () => {
  expect(dump(32, 17, 3, false)).toBe(dump(16, 16, 1, false));
  expect(dump(6, 16, 4, false)).toBe(dump(6, 16, 1, false));
  expect(dump(0, 16, 1, true)).toBe('');
  expect(dump(32, 32, 8, false).length).toBe(67);
});
