// SPDX-License-Identifier: MIT
/** Compiles C for tests of the machine: no headers, no Kbuild, objects kept on disk by content. */

import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { BareMachine, type BareOptions } from '@pagewalk/kernel/arch/wasm64/testing';
import { runLLVM, type Tree } from '@yowasp/clang';

const CACHE = fileURLToPath(new URL('../../node_modules/.cache/pagewalk-tests/', import.meta.url));
const COMMON = ['-O2', '-g', '-nostdinc', '-ffreestanding', '-fno-strict-aliasing', '-Wno-everything'];
const NO_BULK = ['-mno-bulk-memory', '-mno-bulk-memory-opt'];
const WASM64 = ['--target=wasm64-unknown-emscripten', '-U__EMSCRIPTEN__'];
const WASM32 = ['--target=wasm32-unknown-unknown', '-g0'];
const LINK = ['wasm-ld', '--no-entry', '--export-all', '--import-memory', '--allow-undefined'];

async function run(commands: readonly string[][], source: string, output: string): Promise<Uint8Array> {
  const key = createHash('sha256')
    .update(JSON.stringify([commands, source]))
    .digest('hex');
  const cached = join(CACHE, key);
  const keep = process.env['PAGEWALK_FUZZ'] === undefined; // a campaign would fill the disk
  if (keep && existsSync(cached)) return new Uint8Array(readFileSync(cached));
  let messages = '';
  const collect = (bytes: Uint8Array | null) => {
    if (bytes) messages += new TextDecoder().decode(bytes);
  };
  let files: Tree = { 't.c': source };
  for (const command of commands) {
    try {
      const made = await runLLVM(command, files, { stdout: collect, stderr: collect, fetchProgress() {} });
      files = { ...files, ...made };
    } catch (error) {
      throw new Error(`${command.join(' ')}: ${error}\n${messages}`);
    }
  }
  const bytes = files[output];
  if (!(bytes instanceof Uint8Array)) throw new Error(`no output:\n${messages}`);
  if (!keep) return bytes;
  mkdirSync(CACHE, { recursive: true });
  const temporary = `${cached}.${process.pid}.${Math.round(performance.now() * 1000)}`;
  writeFileSync(temporary, bytes);
  renameSync(temporary, cached);
  return bytes;
}

/** A relocatable wasm64 object: what the machine loads. Later flags win. */
export function compile64(source: string, flags: readonly string[] = []): Promise<Uint8Array> {
  return run(
    [['clang', ...WASM64, ...COMMON, ...NO_BULK, ...flags, '-c', 't.c', '-o', 't.o']],
    source,
    't.o',
  );
}

/** The same C as an ordinary wasm32 module, which imports `env.memory`. */
export function compile32(source: string, flags: readonly string[] = []): Promise<Uint8Array> {
  const compile = ['clang', ...WASM32, ...COMMON, ...NO_BULK, ...flags, '-c', 't.c', '-o', 't.o'];
  return run([compile, [...LINK, 't.o', '-o', 't.wasm']], source, 't.wasm');
}

/** A machine with C loaded. */
export async function machineWith(
  source: string,
  { flags = [], ...options }: BareOptions & { flags?: readonly string[] } = {},
): Promise<BareMachine> {
  const machine = new BareMachine(options);
  machine.load(await compile64(source, flags));
  return machine;
}
