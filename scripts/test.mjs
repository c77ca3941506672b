// SPDX-License-Identifier: MIT
/** `npm test`: installs what is missing, runs every test, ends with the line `N passed, N failed`. */

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build, install, node } from './prepare.mjs';

/** Runs vitest with the given arguments; a file that cannot even be loaded counts as one failure. */
function vitest(args) {
  const folder = mkdtempSync(join(tmpdir(), 'pagewalk-test-'));
  const report = join(folder, 'report.json');
  try {
    const code = node([
      join('node_modules', 'vitest', 'vitest.mjs'),
      'run',
      '--reporter=default',
      '--reporter=json',
      `--outputFile=${report}`,
      ...args,
    ]);
    return countVitest(report, code);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function countVitest(report, code) {
  let results;
  try {
    results = JSON.parse(readFileSync(report, 'utf8'));
  } catch {
    return { passed: 0, failed: 1, skipped: [] };
  }
  const tests = results.testResults.flatMap((file) => file.assertionResults);
  const unloaded = results.testResults.filter(
    (f) => f.status === 'failed' && f.assertionResults.length === 0,
  );
  const failed = tests.filter((test) => test.status === 'failed').length + unloaded.length;
  return {
    passed: tests.filter((test) => test.status === 'passed').length,
    failed: failed === 0 && code !== 0 ? 1 : failed,
    skipped: tests.filter((test) => !['passed', 'failed'].includes(test.status)).map((test) => test.fullName),
  };
}

install();
build(join('packages', 'pagewalk')); // tests start `pagewalk` as a user would, from the built files
const runners = [vitest];
const results = runners.map((runner) => runner(process.argv.slice(2)));

const sum = (key) => results.reduce((total, result) => total + result[key], 0);
const skipped = results.flatMap((result) => result.skipped);
if (skipped.length > 0)
  console.log(`\nSKIPPED, so not proven here:\n${skipped.map((name) => `  ${name}`).join('\n')}`);
const failed = sum('failed');
console.log(
  `\n${sum('passed')} passed, ${failed} failed${skipped.length > 0 ? `, ${skipped.length} skipped` : ''}`,
);
process.exit(failed > 0 ? 1 : 0);
