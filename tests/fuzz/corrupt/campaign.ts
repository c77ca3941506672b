// SPDX-License-Identifier: MIT
/**
 * Spoils the memory of machines in processes of their own: whatever they do, hang or die, this goes on, and says with
 * which seed it happened.
 */

import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { build } from '../../support/modules.js';

const MODULES = ['vandal', 'resident', 'burst'];
/** The longest that one call may take, by the host's clock. */
const LIMIT_MS = 5000;
/** The watch within the process is late: it has died with all else. */
const SILENCE_MS = 4 * LIMIT_MS;
const HEAP_MB = 768;

export interface CaseResult {
  readonly seed: number;
  /** `lives`, `oopses` and `panics` are what may happen; `internal` is a panic that nothing had foreseen. */
  readonly end: 'lives' | 'oopses' | 'panics' | 'internal' | 'escaped' | 'hangs' | 'dies';
  /** The call into the machine that was the last. */
  readonly call: string;
  readonly slowest: number;
  readonly slowestCall?: string;
  readonly error?: string;
  readonly stack?: readonly string[];
  /** Parameters of vandal.ko. */
  readonly words?: string;
}

export interface Job {
  readonly first: number;
  readonly count: number;
  readonly memory?: number;
  readonly cpus?: number;
  readonly commandLine?: string;
  /** The built kernel's machine.js. */
  readonly kernel: URL;
}

interface Line extends Partial<CaseResult> {
  readonly done?: boolean;
  readonly hang?: boolean;
}

/** Runs cases; each result is given to `each` as it comes. */
export async function campaign(job: Job, each: (result: CaseResult) => void): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'pagewalk-corrupt-'));
  try {
    const modules: Record<string, string> = {};
    for (const name of MODULES) {
      modules[name] = join(folder, `${name}.ko`);
      const source = readFileSync(new URL(`${name}.c`, import.meta.url), 'utf8');
      writeFileSync(modules[name], await build(name, source));
    }
    const end = job.first + job.count;
    for (let first = job.first; first < end; ) {
      const part = { memory: 2 ** 24, cpus: 1, ...job, first, count: end - first, limitMs: LIMIT_MS };
      const file = join(folder, 'job.json');
      writeFileSync(file, JSON.stringify({ ...part, kernel: job.kernel.href, modules }));
      first = await runProcess(file, first, each);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Runs one process until it ends. @returns the seed to go on with */
async function runProcess(file: string, first: number, each: (result: CaseResult) => void): Promise<number> {
  const script = fileURLToPath(new URL('cases.mjs', import.meta.url));
  const child = spawn(process.execPath, [`--max-old-space-size=${HEAP_MB}`, script, file], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let errors = '';
  child.stderr.on('data', (data) => {
    errors = (errors + data).slice(-4000);
  });
  let current = { seed: first, call: 'boot' };
  let next = first;
  let hang: Line | undefined;
  let done = false;
  let silence = setTimeout(() => child.kill('SIGKILL'), SILENCE_MS);
  for await (const text of createInterface({ input: child.stdout })) {
    clearTimeout(silence);
    silence = setTimeout(() => child.kill('SIGKILL'), SILENCE_MS);
    const line = JSON.parse(text) as Line;
    if (line.done) done = true;
    else if (line.hang) hang = line;
    else if (line.end === undefined) current = { seed: line.seed!, call: line.call! };
    else {
      each(line as CaseResult);
      next = line.seed! + 1;
    }
  }
  clearTimeout(silence);
  if (done) return Number.POSITIVE_INFINITY;
  if (current.call === 'boot') throw new Error(`the first machine does not boot:\n${errors}`);
  const end = hang ? 'hangs' : 'dies';
  each({ ...current, end, slowest: LIMIT_MS, stack: hang?.stack ?? errors.split('\n') });
  return Math.max(next, current.seed + 1);
}

export const failed = ({ end }: CaseResult): boolean =>
  end === 'escaped' || end === 'hangs' || end === 'dies';
