// SPDX-License-Identifier: MIT
/** The same inputs give the same memory in Chromium as in Node: the built kernel, served from localhost to a page. */

import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Machine } from '@pagewalk/kernel/machine';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { closeCompiler } from '../support/modules.js';
import { buildModules, STEPS } from './inputs.js';
import { type Replayed, replay } from './replay.mjs';

const OPTIONS = { memory: 64 * 2 ** 20, seed: 7 };
const dist = fileURLToPath(new URL('../../packages/kernel/dist/', import.meta.url));

/** A Chromium that runs, or undefined. */
function findBrowser(): string | undefined {
  const names = ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome'];
  return [process.env['CHROMIUM'], ...names].find((name) => {
    if (!name) return false;
    try {
      execFileSync(name, ['--version'], { stdio: 'ignore' });
      return true;
    } catch {
      return false;
    }
  });
}

/**
 * The page loads a machine that was saved here, if there is one, puts it through the steps, saves it, and sends back
 * what came of it.
 */
const PAGE = `<!doctype html><script type="module">
import { Machine } from '/kernel/machine.js';
import { replay } from '/replay.mjs';
const answer = (path, body) => fetch(path, { method: 'POST', body });
const bytes = async (path) => new Uint8Array(await (await fetch(path)).arrayBuffer());
try {
  const { options, steps, modules, load } = await (await fetch('/job.json')).json();
  const files = {};
  for (const name of modules) files[name] = await bytes('/' + name + '.ko');
  const machine = load ? Machine.load(await bytes('/saved')) : new Machine(options);
  const result = replay(machine, steps, files);
  await answer('/saved', machine.save());
  await answer('/result', JSON.stringify(result));
} catch (error) {
  await answer('/result', JSON.stringify({ error: String(error && error.stack) }));
}
</script>`;

interface Job {
  readonly options?: object;
  readonly load?: Uint8Array;
  readonly steps: (typeof STEPS)[number];
}

interface Outcome {
  readonly result: Replayed;
  readonly saved: Uint8Array;
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/** Serves a job to one page; resolves when the page has answered. */
function serve(job: Job, modules: Record<string, Uint8Array>): { server: Server; outcome: Promise<Outcome> } {
  let saved: Uint8Array = new Uint8Array();
  let resolve: (outcome: Outcome) => void;
  let reject: (error: Error) => void;
  const outcome = new Promise<Outcome>((yes, no) => {
    [resolve, reject] = [yes, no];
  });
  const files = (path: string): [string, string | Uint8Array] | undefined => {
    if (path === '/') return ['text/html', PAGE];
    if (path === '/job.json') {
      const { options, steps, load } = job;
      const names = Object.keys(modules);
      return [
        'application/json',
        JSON.stringify({ options, steps, modules: names, load: load !== undefined }),
      ];
    }
    if (path === '/saved') return ['application/octet-stream', job.load ?? new Uint8Array()];
    if (path === '/replay.mjs')
      return ['text/javascript', readFileSync(new URL('replay.mjs', import.meta.url))];
    if (path.endsWith('.ko')) return ['application/octet-stream', modules[path.slice(1, -3)]];
    const file = path.startsWith('/kernel/') ? join(dist, path.slice('/kernel/'.length)) : '';
    return file.startsWith(dist) && existsSync(file) ? ['text/javascript', readFileSync(file)] : undefined;
  };
  const server = createServer(async (request, response) => {
    const path = new URL(request.url ?? '/', 'http://localhost').pathname;
    if (request.method === 'POST') {
      const body = await bodyOf(request);
      response.end();
      if (path === '/saved') saved = new Uint8Array(body);
      else {
        const result = JSON.parse(body.toString()) as Replayed & { error?: string };
        if (result.error === undefined) resolve({ result, saved });
        else reject(new Error(`in the page: ${result.error}`));
      }
      return;
    }
    const file = files(path);
    response.writeHead(file ? 200 : 404, { 'content-type': file?.[0] ?? 'text/plain' }).end(file?.[1] ?? '');
  });
  return { server, outcome };
}

/** Runs a job in a page of its own, in a browser of its own. */
async function inBrowser(browser: string, job: Job, modules: Record<string, Uint8Array>): Promise<Outcome> {
  const { server, outcome } = serve(job, modules);
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const profile = mkdtempSync(join(tmpdir(), 'pagewalk-chromium-'));
  const flags = [
    '--headless=new',
    '--no-sandbox',
    '--disable-gpu',
    '--disable-dev-shm-usage',
    '--no-first-run',
  ];
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const child: ChildProcess = spawn(browser, [...flags, `--user-data-dir=${profile}`, url], {
    stdio: 'ignore',
  });
  const gone = new Promise<void>((exited) => child.on('exit', () => exited()));
  try {
    const died = gone.then(() => {
      throw new Error('the browser has ended without an answer');
    });
    return await Promise.race([outcome, died]);
  } finally {
    child.kill('SIGKILL');
    await gone;
    server.close();
    server.closeAllConnections();
    // The browser's other processes may write for a moment longer.
    rmSync(profile, { recursive: true, force: true, maxRetries: 50, retryDelay: 100 });
  }
}

const browser = findBrowser();
if (!browser)
  console.warn('SKIPPED: no Chromium is installed, so nothing here shows that a browser computes the same');

describe.skipIf(!browser)('the same inputs in Chromium and in Node', () => {
  let modules: Record<string, Uint8Array>;
  beforeAll(async () => {
    modules = await buildModules();
  });
  afterAll(closeCompiler);

  it('give the same memory, and a machine may go from one to the other', async () => {
    const here = new Machine(OPTIONS);
    const expected = replay(here, STEPS.flat(), modules);
    const whole = await inBrowser(browser!, { options: OPTIONS, steps: STEPS.flat() }, modules);
    expect(whole.result).toEqual(expected);
    expect(Buffer.compare(whole.saved, here.save())).toBe(0);

    const half = new Machine(OPTIONS);
    replay(half, STEPS[0], modules);
    const resumed = await inBrowser(browser!, { load: half.save(), steps: STEPS[1] }, modules);
    expect(resumed.result.hash).toBe(expected.hash);
    expect(resumed.result.dmesg).toEqual(expected.dmesg);
    expect(Machine.load(resumed.saved).memoryHash()).toBe(expected.hash);
  }, 120_000);
});
