// SPDX-License-Identifier: MIT
/**
 * Whatever C does to the kernel's memory, the host goes on: every call into the machine comes back within seconds, with
 * an errno, an oops or a panic. A short run here; a long one by `node scripts/fuzz.mjs --corrupt --seed N --count M`,
 * which sets PAGEWALK_CORRUPT and lists what ended in a panic that nothing had foreseen.
 */

import { existsSync } from 'node:fs';
import { afterAll, describe, expect, test } from 'vitest';
import { closeCompiler } from '../support/modules.js';
import { type CaseResult, campaign, failed } from './corrupt/campaign.js';

const kernel = new URL('../../packages/kernel/dist/machine.js', import.meta.url);
const [first, count, cpus] = (process.env['PAGEWALK_CORRUPT'] ?? '1,60').split(',').map(Number);
const long = process.env['PAGEWALK_CORRUPT'] !== undefined;

afterAll(closeCompiler);

const text = ({ seed, end, call, error = '', stack = [], words = '' }: CaseResult) =>
  [`seed ${seed} ${end} in ${call}: ${error}`, ...stack, `    ${words.slice(0, 300)}`].join('\n');

/** Panics by what they say, and by where they come from if nothing had foreseen them. */
function summary(results: readonly CaseResult[]): string {
  const kinds = new Map<string, CaseResult[]>();
  for (const result of results.filter(({ end }) => end === 'internal' || end === 'panics')) {
    const text = result.error?.replace(/[0-9a-f]{16}/g, 'ADDRESS').slice(0, 100);
    const key = [text, ...(result.stack?.slice(0, 4) ?? [])].join('\n');
    kinds.set(key, [...(kinds.get(key) ?? []), result]);
  }
  const rows = [...kinds].sort((a, b) => b[1].length - a[1].length);
  return rows.map(([key, list]) => `${list.length} × seed ${list[0].seed}: ${key}`).join('\n');
}

describe.skipIf(!existsSync(kernel))('spoilt memory', () => {
  test(`${count} machines from seed ${first}`, { timeout: long ? 0 : 300_000 }, async () => {
    const results: CaseResult[] = [];
    await campaign({ first, count, cpus: cpus ?? 2, kernel }, (result) => {
      results.push(result);
      if (long && failed(result)) console.log(text(result));
    });
    const ends: Record<string, number> = {};
    for (const { end } of results) ends[end] = (ends[end] ?? 0) + 1;
    const slowest = results.reduce((a, b) => (a.slowest > b.slowest ? a : b));
    console.log(
      `${results.length} machines: ${JSON.stringify(ends)}; the slowest call took ${slowest.slowest} ms (seed ${slowest.seed}, ${slowest.slowestCall})`,
    );
    if (long) console.log(summary(results));
    expect(results).toHaveLength(count);
    expect(results.filter(failed).map(text).join('\n')).toBe('');
    // The memory is spoilt for certain: some machines must have noticed.
    if (count >= 50) expect((ends['oopses'] ?? 0) + (ends['panics'] ?? 0)).toBeGreaterThan(count / 20);
  });
});
