// SPDX-License-Identifier: MIT
/**
 * Random C programs give the same results on the machine as when compiled to plain wasm32. A short run here; a long
 * one by `node scripts/fuzz.mjs --seed N --count M`, which sets PAGEWALK_FUZZ.
 */

import { describe, expect, test } from 'vitest';
import { generateProgram } from './generate.js';
import { compareProgram } from './run.js';

const [first, count] = (process.env['PAGEWALK_FUZZ'] ?? '1,8').split(',').map(Number);
const campaign = process.env['PAGEWALK_FUZZ'] !== undefined;

describe('random programs', () => {
  test('the generator is the same for the same seed', () => {
    expect(generateProgram(5)).toBe(generateProgram(5));
    expect(generateProgram(5)).not.toBe(generateProgram(6));
  });

  test(`${count} of them from seed ${first}`, { timeout: campaign ? 0 : 120_000 }, async () => {
    if (process.env['PAGEWALK_FUZZ_PRINT']) return console.log(generateProgram(first));
    for (let seed = first; seed < first + count; seed++) {
      const differences = await compareProgram(seed);
      if (differences.length > 0)
        throw new Error(
          `program ${seed} (node scripts/fuzz.mjs --seed ${seed}): ${JSON.stringify(differences, null, 1)}`,
        );
      if (campaign && (seed - first) % 50 === 49) console.log(`${seed - first + 1} programs agree`);
    }
  });
});
