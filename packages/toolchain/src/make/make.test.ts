// SPDX-License-Identifier: MIT
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { fromHostPath, nodeFs } from '../fs.node.js';
import { make, type Sh } from '../make.js';
import { MAKE_CASES, type MakeCase } from './cases.js';

interface Printed {
  stdout: string;
  stderr: string;
  status: number;
}

const env = { GREETING: 'hello', PATH: process.env['PATH'] ?? '', LC_ALL: 'C' };

/** Lays the files of a case out in a new folder; removes it afterwards. Paths in the output become `$D`. */
async function inFolder(files: MakeCase['files'], run: (folder: string) => Printed | Promise<Printed>) {
  const folder = mkdtempSync(join(tmpdir(), 'pagewalk-make-'));
  try {
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), text);
    }
    const { stdout, stderr, status } = await run(folder);
    const clean = (text: string) => text.replaceAll(fromHostPath(folder), '$D');
    return { stdout: clean(stdout), stderr: clean(stderr), status };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const sh: Sh = async (command, { cwd, env: variables }) => {
  const run = spawnSync('/bin/sh', ['-c', command], { cwd, env: variables, encoding: 'utf8' });
  return { status: run.status ?? 1, stdout: run.stdout, stderr: run.stderr };
};

const here = ({ files, args = [] }: MakeCase) =>
  inFolder(files, async (folder) => {
    const out = { stdout: '', stderr: '' };
    const status = await make(
      args,
      {
        cwd: fromHostPath(folder),
        fs: nodeFs,
        sh,
        env: { ...env, PWD: fromHostPath(folder) },
        stdout: (text) => {
          out.stdout += text;
        },
        stderr: (text) => {
          out.stderr += text;
        },
      },
      async () => 0,
    );
    return { ...out, status };
  });

const gnu = ({ files, args = [] }: MakeCase) =>
  inFolder(files, (cwd) => {
    const { stdout, stderr, status } = spawnSync('make', args, {
      cwd,
      env: { ...env, PWD: cwd },
      encoding: 'utf8',
    });
    return { stdout, stderr, status: status ?? -1 };
  });

const goldenPath = fileURLToPath(new URL('./golden.json', import.meta.url));
const golden: Record<string, Printed> = existsSync(goldenPath)
  ? JSON.parse(readFileSync(goldenPath, 'utf8'))
  : {};

function hasGnuMake(): boolean {
  try {
    return execFileSync('make', ['--version'], { encoding: 'utf8' }).startsWith('GNU Make 4.3');
  } catch {
    return false;
  }
}

describe.skipIf(process.platform === 'win32')('make prints what GNU make 4.3 prints', () => {
  test.each(MAKE_CASES.filter((c) => !c.needsMake || hasGnuMake()))('$name', async (makeCase) => {
    expect(await here(makeCase)).toEqual(golden[makeCase.name]);
  });
});

// The record of GNU make's output is made by GNU make itself: PAGEWALK_RECORD=1 rewrites it.
test.skipIf(!hasGnuMake())('the record is what GNU make prints', async () => {
  const now: Record<string, Printed> = {};
  for (const makeCase of MAKE_CASES) now[makeCase.name] = await gnu(makeCase);
  if (process.env['PAGEWALK_RECORD']) writeFileSync(goldenPath, `${JSON.stringify(now, null, 1)}\n`);
  else expect(now).toEqual(golden);
});
