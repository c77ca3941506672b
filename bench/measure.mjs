// SPDX-License-Identifier: MIT
/** Timing: medians of interleaved rounds, and tables of them. */

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

export const geometricMean = (values) =>
  Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);

/** Nanoseconds that a function takes. */
export function time(body) {
  const start = process.hrtime.bigint();
  body();
  return Number(process.hrtime.bigint() - start);
}

/**
 * Runs every variant once a round, so that what disturbs the host disturbs all alike, and gives the median of each.
 * A pause before each run makes it begin with a fresh time slice.
 * @param variants name → function that does the work and returns (a promise of) its nanoseconds
 * @param warmUp rounds that do not count: the engine is still compiling
 */
export async function interleave(variants, { rounds, warmUp }) {
  const times = Object.fromEntries(Object.keys(variants).map((name) => [name, []]));
  for (let round = -warmUp; round < rounds; round++)
    for (const [name, run] of Object.entries(variants)) {
      await new Promise((resolve) => setTimeout(resolve, 2));
      const ns = await run();
      if (round >= 0) times[name].push(ns);
    }
  return Object.fromEntries(Object.entries(times).map(([name, list]) => [name, median(list)]));
}

/** Lays out rows of cells; the first column to the left, the others to the right. */
export function formatTable(header, rows) {
  const all = [header, ...rows];
  const widths = header.map((_, column) => Math.max(...all.map((row) => row[column].length)));
  const line = (row) =>
    row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))).join('  ');
  return [line(header), widths.map((width) => '-'.repeat(width)).join('  '), ...rows.map(line)].join('\n');
}

/** A number with as many places as say something. */
export const number = (value) =>
  value === undefined
    ? ''
    : value >= 100
      ? value.toFixed(0)
      : value >= 10
        ? value.toFixed(1)
        : value.toFixed(2);
