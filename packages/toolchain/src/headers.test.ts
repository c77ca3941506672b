// SPDX-License-Identifier: MIT
/** The kernel headers: each compiles alone, modules that use them compile, C and TypeScript agree on every struct. */

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { runLLVM, type Tree } from '@yowasp/clang';
import { beforeAll, describe, expect, test } from 'vitest';
import { splitModinfo } from './compile.js';
import { structAssertions } from './gen_headers.js';
import { loadHeaders } from './headers.node.js';
import { findCustom, readSections } from './object.js';

const FLAGS = [
  ...[
    '--target=wasm64-unknown-emscripten',
    '-U__EMSCRIPTEN__',
    '-std=gnu11',
    '-O2',
    '-nostdinc',
    '-ffreestanding',
  ],
  ...['-mno-bulk-memory', '-mno-bulk-memory-opt', '-fno-strict-aliasing', '-fno-common', '-Iinclude'],
  ...['-Iinclude/uapi', '-D__KERNEL__', '-DMODULE', '-DKBUILD_MODNAME="sample"'],
];
const WARNINGS = [
  ...['-Wall', '-Wextra', '-Wundef', '-Wstrict-prototypes', '-Wdeclaration-after-statement', '-Werror'],
  // What Kbuild switches off too:
  ...['-Wno-unused-parameter', '-Wno-sign-compare', '-Wno-missing-field-initializers', '-Wno-pointer-sign'],
  ...['-Wno-gnu', '-Wno-unused-const-variable', '-Wno-initializer-overrides'],
];

const headers = loadHeaders();

/** The header tree as the compiler's sandbox wants it: nested objects. */
function includeFolder(): Tree {
  const root: Tree = {};
  for (const [path, text] of headers) {
    const parts = path.split('/');
    let folder = root;
    for (const part of parts.slice(0, -1)) folder = (folder[part] ??= {}) as Tree;
    folder[parts.at(-1)!] = text;
  }
  return root;
}
const include = includeFolder();

async function clang(args: string[], files: Tree): Promise<{ out: Tree; text: string }> {
  const chunks: Uint8Array[] = [];
  const stream = (bytes: Uint8Array | null) => {
    if (bytes) chunks.push(bytes.slice());
  };
  let out: Tree = {};
  try {
    out = ((await runLLVM(
      args,
      { ...files, include },
      { stdout: stream, stderr: stream, fetchProgress() {} },
    )) ?? {}) as Tree;
  } catch {
    // The exit status says no more than the diagnostics do.
  }
  return { out, text: Buffer.concat(chunks).toString() };
}

/** Arguments of the compiler proper: unlike the driver, it takes many files in one run. */
let frontend: string[];
beforeAll(async () => {
  const { text } = await clang(['clang', ...FLAGS, ...WARNINGS, '-fsyntax-only', '-###', 'x.c'], {
    'x.c': '',
  });
  const line = text.split('\n').find((l) => l.includes('"-cc1"'))!;
  const words = [...line.matchAll(/"((?:[^"\\]|\\.)*)"/g)].map((m) => m[1].replace(/\\(.)/g, '$1'));
  frontend = words.slice(words.indexOf('-cc1'), -1);
  frontend.splice(frontend.indexOf('-main-file-name'), 2);
});

/** Diagnostics of compiling all files, each by itself. */
const check = async (files: Record<string, string>) =>
  (await clang(['clang', ...frontend, '-ferror-limit', '0', ...Object.keys(files)], files)).text;

const folder = (relative: string) => fileURLToPath(new URL(relative, import.meta.url));
const sourcesIn = (path: string) =>
  Object.fromEntries(
    readdirSync(path)
      .filter((name) => name.endsWith('.c'))
      .map((name) => [name, readFileSync(`${path}/${name}`, 'utf8')]),
  );

/** The header that a header includes before it says anything else: compiling the one alone compiles the other alone. */
const firstInclude = (text: string) =>
  /^\/\*.*\*\/\n#pragma once\n\s*(?:\/\*[^*]*\*\/\s*)*#include <([^>]*)>/.exec(text)?.[1];

test('every header compiles alone, without a warning', { timeout: 120_000 }, async () => {
  const written = [...headers.keys()].filter((path) => !path.startsWith('generated/'));
  const comesFirst = new Set(written.map((path) => firstInclude(headers.get(path)!)));
  const alone = written.filter((path) => !comesFirst.has(path));
  const compiled = new Set<string>();
  for (const start of alone)
    for (
      let path: string | undefined = start;
      path && headers.has(path);
      path = firstInclude(headers.get(path)!)
    )
      compiled.add(path);
  expect(written.filter((path) => !compiled.has(path))).toEqual([]);
  expect(written.length).toBeGreaterThan(250);
  const files = alone.map((path) => [`${path.replace(/[/.]/g, '_')}.c`, `#include <${path}>\n`]);
  expect(await check(Object.fromEntries(files))).toBe('');
});

test('clang lays every shared struct out as TypeScript does', async () => {
  const includes = ['module', 'slub_def', 'mm', 'sched', 'fs', 'interrupt', 'completion', 'semaphore'].concat(
    'cdev',
    'miscdevice',
    'sysctl',
  );
  const source = includes.map((name) => `#include <linux/${name}.h>\n`).join('') + structAssertions();
  expect(source).toContain('sizeof(struct task_struct)');
  expect(await check({ 'assertions.c': source })).toBe('');
  const wrong = source.replace(/(sizeof\(struct vm_area_struct\) == )\d+/, '$11');
  expect(await check({ 'wrong.c': wrong })).toContain('sizeof(struct vm_area_struct)');
});

test('modules that use all of it compile', { timeout: 60_000 }, async () => {
  const samples = sourcesIn(folder('samples'));
  expect(Object.keys(samples)).toContain('containers.c');
  expect(await check(samples)).toBe('');
});

describe('modules from outside', () => {
  const shared = folder('../../../../shared');
  const present = existsSync(shared);
  if (!present) console.warn(`SKIPPED: ${shared} is not there; the chapter's modules are not compiled`);

  test.runIf(present)('compile unmodified', { timeout: 60_000 }, async () => {
    const files = { ...sourcesIn(`${shared}/tutorial`), ...sourcesIn(`${shared}/reference/linux-6.1`) };
    // A fragment without includes: the types that it uses come first, and its structs must be ours in part.
    const fragment = files['structs.c'];
    delete files['structs.c'];
    expect(await check(files)).toBe('');
    const prefix = '#include <linux/rbtree.h>\n#include <linux/atomic.h>\n#include <asm/pgtable_types.h>\n';
    expect(await check({ 'structs.c': prefix + fragment })).toBe('');
  });
});

describe('module information', () => {
  let object: Uint8Array;
  beforeAll(async () => {
    const source = readFileSync(folder('samples/params.c'), 'utf8');
    const { out, text } = await clang(['clang', ...FLAGS, '-c', 'params.c', '-o', 'params.o'], {
      'params.c': source,
    });
    expect(text).toBe('');
    object = out['params.o'] as Uint8Array;
  });

  test('strings keep their quotes, backslashes, per cents and letters', () => {
    const strings = splitModinfo(findCustom(readSections(object), 'modinfo')!.payload);
    expect(strings).toContain('author=A "B" <c@d>');
    expect(strings).toContain('author=macro <x@y>');
    expect(strings).toContain('description=한글 100% \\ back\tslash joined');
    expect(strings).toContain("custom=it's; #1, /* not a comment */ 0x%p\n");
    expect(strings).toContain('alias=hz:250');
    expect(strings).toContain('parm=count:how many, at "most" 100%');
    expect(strings).toContain('parmtype=array:array of int');
    expect(strings).toContain('parmtype=text:string');
    expect(strings).toContain('parmtype=renamed:int');
    expect(strings.filter((s) => s.startsWith('license='))).toEqual(['license=GPL']);
  });

  test('what the loader looks for has a segment', () => {
    const text = Buffer.from(object).toString('latin1');
    for (const name of ['.module_init', '.module_exit', '__param', '__ksymtab', '__ksymtab_gpl'])
      expect(text).toContain(name);
    expect(text).toContain('params_init');
  });
});

describe('what is not there is said at compile time', () => {
  const module = '#include <linux/module.h>\n';
  const cases: [string, string, RegExp][] = [
    ['a header', '#include <linux/usb.h>\n', /fatal error: 'linux\/usb.h' file not found/],
    [
      'a function',
      'int f(void) { return cpu_has_feature_x(); }',
      /call to undeclared function 'cpu_has_feature_x'/,
    ],
    [
      'a wrong init function',
      'static void f(void) {}\nmodule_init(f);',
      /incompatible function pointer types/,
    ],
    ['a parameter of another type', 'static long l;\nmodule_param(l, int, 0);', /incompatible pointer types/],
    ['permissions that all may write', 'static int i;\nmodule_param(i, int, 0666);', /negative width/],
    ['min of two types', 'int f(int a, unsigned long b) { return min(a, b); }', /distinct pointer types/],
    ['array size of a pointer', 'int f(int *a) { return ARRAY_SIZE(a); }', /negative width/],
    [
      'container_of by a wrong member',
      'void *f(int *p) { return container_of(p, struct list_head, next); }',
      /mismatch/,
    ],
  ];
  test.each(cases)('%s', async (_name, source, message) => {
    expect(await check({ 'x.c': module + source })).toMatch(message);
  });
});
