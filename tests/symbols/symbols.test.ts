// SPDX-License-Identifier: MIT
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Machine } from '@pagewalk/kernel/machine';
import { expect, test } from 'vitest';
import { declaredSymbols } from './declared.js';

const root = fileURLToPath(new URL('../../', import.meta.url));
const document = `${root}docs/missing-symbols.md`;

const INTRODUCTION = `# What headers declare and the kernel does not offer yet

Written by \`MISSING=write npx vitest run tests/symbols\`. A module that calls one of these does not load
("Unknown symbol"). The list may only shrink: a test compares it with the kernel.
`;

/** Names that the linker or the loader provides, so no kernel does. */
const ELSEWHERE = new Set(['__this_module', 'init_module', 'cleanup_module']);

function missing(): Map<string, string[]> {
  const exported = new Set(new Machine({ memory: 32 * 2 ** 20 }).exportedSymbols());
  const byHeader = new Map<string, string[]>();
  for (const [header, names] of declaredSymbols(`${root}packages/toolchain/include`)) {
    const absent = names.filter((name) => !exported.has(name) && !ELSEWHERE.has(name)).sort();
    if (absent.length > 0) byHeader.set(header, absent);
  }
  return byHeader;
}

const listed = (text: string) =>
  new Set([...text.matchAll(/^- .*?: (.*)$/gm)].flatMap(([, names]) => names.match(/\w+/g) ?? []));

test('the list of missing symbols only shrinks', () => {
  const now = missing();
  const text = `${INTRODUCTION}\n${[...now].map(([header, names]) => `- \`${header}\`: ${names.map((n) => `\`${n}\``).join(', ')}`).join('\n')}\n`;
  if (process.env['MISSING'] === 'write') writeFileSync(document, text);
  const known = listed(readFileSync(document, 'utf8'));
  const names = [...now.values()].flat();
  expect(
    names.filter((name) => !known.has(name)),
    'new symbols that headers declare and nobody exports',
  ).toEqual([]);
});
