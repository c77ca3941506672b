// SPDX-License-Identifier: MIT
/** The `@linux` tags name functions that Linux 6.1 has, and docs/coverage.md says what they say. */

import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const script = fileURLToPath(new URL('../../scripts/coverage.mjs', import.meta.url));
const page = new URL('../../docs/coverage.md', import.meta.url);

test('every tag is well-formed and names a function of 6.1; the page is up to date', () => {
  const before = readFileSync(page, 'utf8');
  // Ends with an error, and with its list of bad tags, if there are any; writes the page.
  expect(() => execFileSync(process.execPath, [script], { encoding: 'utf8' })).not.toThrow();
  if (process.env['CI']) expect(readFileSync(page, 'utf8'), 'run node scripts/coverage.mjs').toBe(before);
});
