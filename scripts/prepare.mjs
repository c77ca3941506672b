// SPDX-License-Identifier: MIT
/** Makes a fresh clone ready: installs what is missing, builds what has changed. Plain Node, no dependencies. */

import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('..', import.meta.url));

const readJson = (path) => JSON.parse(readFileSync(path, 'utf8'));

/** Runs a program in the project's root; its output goes to ours. Returns the exit code. */
export function run(program, args, options = {}) {
  const result = spawnSync(program, args, { cwd: root, stdio: 'inherit', ...options });
  if (result.error) throw result.error;
  return result.status ?? 1;
}

export const node = (args, options) => run(process.execPath, args, options);

/** Runs npm: the one that started us if there is one, since `npm.cmd` cannot be spawned without a shell on Windows. */
export function npm(args, options = {}) {
  const script = process.env.npm_execpath;
  if (script?.endsWith('.js')) return node([script, ...args], options);
  return run('npm', args, { shell: process.platform === 'win32', ...options });
}

/** Whether node_modules holds what package-lock.json asks for; optional packages may be absent, not outdated. */
function isInstalled() {
  const installed = join(root, 'node_modules', '.package-lock.json');
  if (!existsSync(installed)) return false;
  const wanted = readJson(join(root, 'package-lock.json')).packages;
  const present = readJson(installed).packages;
  return Object.entries(wanted).every(([path, entry]) => {
    if (!path.includes('node_modules/')) return true;
    const found = present[path];
    if (!found) return entry.optional === true || entry.peer === true;
    return found.link === true || found.version === entry.version;
  });
}

export function install() {
  if (isInstalled()) return;
  console.error('Installing dependencies (once) …');
  const code = npm(['ci', '--no-audit', '--no-fund'], { stdio: ['ignore', 2, 2] });
  if (code !== 0) fail('npm ci failed; see its messages above', code);
}

/** Type-checks and builds the given projects; quick when nothing has changed. */
export function build(...projects) {
  const code = node([join('node_modules', 'typescript', 'bin', 'tsc'), '-b', ...projects], {
    stdio: ['ignore', 2, 2],
  });
  if (code !== 0) fail('the build failed; see the messages above', code);
}

export function fail(message, code = 1) {
  console.error(`pagewalk: ${message}`);
  process.exit(code);
}

const [major] = process.versions.node.split('.').map(Number);
if (major < 20) fail(`Node 20 or newer is needed, this is ${process.version}`);
