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
  const log = `${(await logOf(name, source, parameters)).join('\n')}\n`;
  const golden = `${folder}${name}.log`;
  if (process.env['GOLDEN'] === 'write') writeFileSync(golden, log);
  expect(existsSync(golden), `${name}.log is missing`).toBe(true);
  expect(log).toBe(readFileSync(golden, 'utf8'));
});
