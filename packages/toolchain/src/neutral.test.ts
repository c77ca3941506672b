// SPDX-License-Identifier: MIT
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const IMPORT = /(?:from|import)\s*\(?\s*'([^']+)'/g;

/** Every module that `entry` brings in from this package, and the names of all others. */
function reachable(entry: string): { files: Set<string>; packages: Set<string> } {
  const files = new Set<string>();
  const packages = new Set<string>();
  const visit = (url: URL) => {
    const path = fileURLToPath(url);
    if (files.has(path)) return;
    files.add(path);
    for (const [, name] of readFileSync(path, 'utf8').matchAll(IMPORT)) {
      const at = new URL(name, url);
      if (!name.startsWith('.')) packages.add(name);
      else visit(existsSync(fileURLToPath(at)) ? at : new URL(name.replace(/js$/, 'ts'), url));
    }
  };
  visit(new URL(entry, import.meta.url));
  return { files, packages };
}

test.each(['./index.ts', './worker.browser.ts', './clang_worker.browser.js'])(
  '%s runs in a browser',
  (entry) => {
    const { files, packages } = reachable(entry);
    expect([...files].filter((path) => path.includes('.node.'))).toEqual([]);
    expect(
      [...packages].filter((name) => !name.startsWith('@pagewalk/kernel/') && name !== '@yowasp/clang'),
    ).toEqual([]);
  },
);

test('the compiler is loaded by nobody but its worker', () => {
  expect([...reachable('./index.node.ts').packages]).not.toContain('@yowasp/clang');
});
