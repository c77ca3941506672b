// SPDX-License-Identifier: MIT
/**
 * Packs each package as npm would publish it, installs the tarballs in an empty folder, and builds and runs an
 * example there: what is missing from `files` or `dependencies` shows here and nowhere else.
 */

import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build, install, npm, root } from './prepare.mjs';

const packages = ['kernel', 'toolchain', 'pagewalk'];
const expected = ['Initializing memory allocation module', 'Exiting memory allocation module'];

function pack(destination) {
  for (const name of packages) {
    const code = npm(['pack', '--silent', '--pack-destination', destination], {
      cwd: join(root, 'packages', name),
    });
    if (code !== 0) throw new Error(`npm pack of packages/${name} ended with ${code}`);
  }
  return readdirSync(destination).filter((file) => file.endsWith('.tgz'));
}

function tryInstalled(folder, tarballs) {
  writeFileSync(join(folder, 'package.json'), '{ "private": true }\n');
  const code = npm(['install', '--no-audit', '--no-fund', '--prefer-offline', ...tarballs], { cwd: folder });
  if (code !== 0) throw new Error(`npm install of the tarballs ended with ${code}`);
  cpSync(join(root, 'examples', 'mem_alloc', 'mem_alloc.c'), join(folder, 'mem_alloc.c'));
  const result = spawnSync('npx --no-install pagewalk run mem_alloc.c', {
    cwd: folder,
    shell: true,
    encoding: 'utf8',
  });
  process.stdout.write(result.stdout);
  process.stderr.write(result.stderr);
  if (result.status !== 0) throw new Error(`pagewalk run ended with ${result.status}`);
  const missing = expected.filter((text) => !result.stdout.includes(text));
  if (missing.length > 0) throw new Error(`not in the output: ${missing.join(', ')}`);
}

install();
build(join('packages', 'pagewalk'));
const folder = mkdtempSync(join(tmpdir(), 'pagewalk-pack-'));
try {
  const tarballs = pack(folder).map((file) => join(folder, file));
  const empty = join(folder, 'empty');
  mkdirSync(empty);
  tryInstalled(empty, tarballs);
  console.log('The packed packages work.');
} catch (error) {
  console.error(`pack check: ${error instanceof Error ? error.message : error}`);
  process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
