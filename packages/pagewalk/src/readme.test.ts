// SPDX-License-Identifier: MIT
/** Runs every command that the READMEs show, and compares the output with what they print. */

import { spawn } from 'node:child_process';
import { closeSync, cpSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const dist = join(root, 'packages', 'pagewalk', 'dist');
let folder = '';

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'pagewalk-readme-'));
  cpSync(join(root, 'examples'), join(folder, 'examples'), { recursive: true });
  const demo = pathToFileURL(join(dist, 'cli', 'demo.js')).href;
  const example = JSON.stringify(join(root, 'examples', 'mem_alloc'));
  writeFileSync(
    join(folder, 'start.mjs'),
    `process.exitCode = await (await import('${demo}')).demo(${example}, []);`,
  );
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** `$ COMMAND` lines with the output below them. */
function sessions(text: string): { command: string; output: string }[] {
  const blocks = [...text.matchAll(/^```console\n([\s\S]*?)^```$/gm)].map((match) => match[1]);
  return blocks.flatMap((block) =>
    block
      .split(/^\$ /m)
      .slice(1)
      .map((session) => {
        const end = session.indexOf('\n');
        return { command: session.slice(0, end), output: session.slice(end + 1) };
      }),
  );
}

/** Words of a command line; single and double quotes. */
const words = (command: string): string[] =>
  (command.match(/'[^']*'|"[^"]*"|\S+/g) ?? []).map((word) =>
    word.replace(/^'([\s\S]*)'$|^"([\s\S]*)"$/, '$1$2'),
  );

/** Standard output and error as a terminal shows them: in the order of writing. */
function runShown(command: string): Promise<string> {
  const [program, ...rest] = words(command);
  const args = program === 'npm' ? [join(folder, 'start.mjs')] : [join(dist, 'main.js'), ...rest.slice(1)];
  const screen = join(folder, 'screen');
  const fd = openSync(screen, 'w');
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { cwd: folder, stdio: ['ignore', fd, fd] });
    child.on('error', reject).on('close', () => {
      closeSync(fd);
      resolve(readFileSync(screen, 'utf8'));
    });
  });
}

/**
 * Without what changes whenever the kernel's own data grows, or a line joins the boot log: times, addresses, objects'
 * places in their slabs, sizes of functions, free memory.
 */
function comparable(line: string): string {
  const timeless = line
    .replace(/^\[ *\d+\.\d+\]/, '[TIME]')
    .replace(/@offset=\d+/, '@offset=NUMBER')
    .replace(/^( +\w+)-\d+( +\[\d+\] \S+ +)\d+\.\d+:/, '$1-PID$2TIME:')
    .replace(/\bptr=\w{16}/, 'ptr=HASH')
    .replace(/\binode \d+/, 'inode NUMBER')
    .trimEnd();
  if (/^(Mem(Total|Free):|Node 0, zone)/.test(timeless)) return timeless.replace(/ +\d+/g, ' NUMBER');
  if (/^ +(before|during|after) +kmalloc|, number \d+ of its slab$/.test(timeless))
    return timeless.replace(/ +\d+/g, ' NUMBER').replace(/ffff8880[0-9a-f]{8}/, 'ADDRESS');
  return timeless.replace(/\b(0x[0-9a-f]+|ffff8880[0-9a-f]{8})\b/g, 'ADDRESS');
}

/** A line `…` stands for any lines. */
function pattern(output: string): RegExp {
  const lines = output.split('\n').map((line) =>
    line === '…'
      ? '(?:.*\\n)*?'
      : `${comparable(line)
          .replace(/[.*+?^${}()|[\]\\/]/g, '\\$&')
          .replaceAll('…', '.*')}\\n`,
  );
  return new RegExp(`^${lines.slice(0, -1).join('')}$`);
}

const readmes = ['README.md', 'README.ko.md'].map((name) => readFileSync(join(root, name), 'utf8'));

test.each(sessions(readmes[0]))('README: $command', async ({ command, output }) => {
  const shown = (await runShown(command)).split('\n').map(comparable).join('\n');
  const wanted = pattern(output);
  if (!wanted.test(shown)) expect(shown).toBe(output.split('\n').map(comparable).join('\n'));
});

test('the Korean README shows the same commands and output', () => {
  expect(sessions(readmes[1])).toEqual(sessions(readmes[0]));
});
