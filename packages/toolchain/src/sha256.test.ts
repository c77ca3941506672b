// SPDX-License-Identifier: MIT
import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { sha256 } from './sha256.js';

test('agrees with Node at every length around a block, and on UTF-8', () => {
  for (const length of [...Array(140).keys(), 100_000]) {
    const bytes = Uint8Array.from({ length }, (_, i) => (i * 7 + length) & 0xff);
    expect(sha256(bytes)).toBe(createHash('sha256').update(bytes).digest('hex'));
  }
  expect(sha256('커널')).toBe(createHash('sha256').update('커널').digest('hex'));
});
