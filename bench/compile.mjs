// SPDX-License-Identifier: MIT
/** Compiles the kernels: for the machine, as plain wasm32, and natively where there is a compiler. */

import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { runLLVM } from '@yowasp/clang';

const file = (name) => fileURLToPath(new URL(name, import.meta.url));
const source = readFileSync(file('kernels.c'), 'utf8');
const FLAGS = [
  '-O2',
  '-nostdinc',
  '-ffreestanding',
  '-fno-strict-aliasing',
  '-mno-bulk-memory',
  '-mno-bulk-memory-opt',
];

async function clang(commands, output) {
  let messages = '';
  const collect = (bytes) => {
    if (bytes) messages += new TextDecoder().decode(bytes);
  };
  let files = { 'kernels.c': source };
  for (const command of commands)
    try {
      const made = await runLLVM(command, files, { stdout: collect, stderr: collect, fetchProgress() {} });
      files = { ...files, ...made };
    } catch {
      throw new Error(`${command[0]} failed:\n${messages}`);
    }
  return files[output];
}

/** A relocatable object for the machine, compiled as a module is. */
export function compileGuest() {
  const target = ['--target=wasm64-unknown-emscripten', '-U__EMSCRIPTEN__', '-g'];
  return clang([['clang', ...target, ...FLAGS, '-c', 'kernels.c', '-o', 'k.o']], 'k.o');
}

/** The same C as plain wasm32. */
export function compilePlain() {
  const link = ['wasm-ld', '--no-entry', '--export-all', '--import-memory', 'k.o', '-o', 'k.wasm'];
  const compile = ['clang', '--target=wasm32-unknown-unknown', ...FLAGS, '-c', 'kernels.c', '-o', 'k.o'];
  return clang([compile, link], 'k.wasm');
}

/** Its functions, with so many bytes of memory to work on. */
export function loadPlain(file, bytes) {
  const pages = Math.ceil((bytes + 2 ** 20) / 65536);
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(file), { env: { memory } });
  return { call: (name, n) => exports[name](exports.__heap_base.value, n) };
}

/** A C program's functions natively, in a process of their own; undefined where there is no gcc. */
export function native(bytes, source = 'native.c') {
  const folder = mkdtempSync(join(tmpdir(), 'pagewalk-bench-'));
  const program = join(folder, 'native');
  const gcc = spawnSync('gcc', ['-O2', '-w', '-fno-strict-aliasing', '-o', program, file(source)]);
  if (gcc.error || gcc.status !== 0) {
    rmSync(folder, { recursive: true });
    return undefined;
  }
  const child = spawn(program, [String(bytes)], { stdio: ['pipe', 'pipe', 'inherit'] });
  const waiting = [];
  createInterface({ input: child.stdout }).on('line', (line) => waiting.shift()(line));
  return {
    /** Resolves to nanoseconds and result. */
    run: (name, n) =>
      new Promise((resolve) => {
        waiting.push((line) => {
          const [ns, result] = line.split(' ').map(Number);
          resolve({ ns, result });
        });
        child.stdin.write(`${name} ${n}\n`);
      }),
    close() {
      child.stdin.end();
      rmSync(folder, { recursive: true });
    },
  };
}
