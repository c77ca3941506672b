// SPDX-License-Identifier: MIT
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';
import { closeCompiler, logOf } from '../support/modules.js';

const folder = fileURLToPath(new URL('.', import.meta.url));
const names = readdirSync(folder)
  .filter((file) => file.endsWith('.c'))
  .map((file) => file.slice(0, -2));

afterAll(closeCompiler);

test.each(names)('%s', async (name) => {
  const source = readFileSync(`${folder}${name}.c`, 'utf8');
  const parameters = /^\/\/ insmod: (.*)$/m.exec(source)?.[1] ?? '';
  const lines = await logOf(name, source, parameters);
  // Which page frame it is depends on what the kernel took before.
  const log = `${lines.join('\n')}\n`
    .replace(/page:[0-9a-f]{16}/g, 'page:HASH')
    .replace(/pfn:0x[0-9a-f]+/g, 'pfn:N');
  const golden = `${folder}${name}.log`;
  if (process.env['GOLDEN'] === 'write') writeFileSync(golden, log);
  expect(existsSync(golden), `${name}.log is missing`).toBe(true);
  expect(log).toBe(readFileSync(golden, 'utf8'));
});
