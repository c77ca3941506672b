// SPDX-License-Identifier: MIT
/** Compiles one C file of a kernel module to a relocatable object, as Kbuild's `CC [M]` does. */

import type { BuildCache } from './cache.js';
import type { ToolRunner } from './clang.js';
import { explain, explainCrash, explainUnfitted } from './explain.js';
import { digestOf, includeClosure, normalize, type ReadText } from './includes.js';
import { findCustom, readSections, writeSections } from './object.js';
import { sha256 } from './sha256.js';
import { fitObject } from './varargs/recompile.js';

/** Version of the npm package `@yowasp/clang` that this package depends on: part of every cache key. */
export const CLANG_VERSION = '22.0.0-git20542-10';

/** Counts what this package does to objects: another result for the same input means another number. */
const OBJECT_VERSION = 2;

/** The kernel headers: path below the include folder (`linux/slab.h`) → text. */
export type HeaderTree = ReadonlyMap<string, string>;

/** Where clang sees the kernel headers, and so how diagnostics spell them, as in a kernel tree. */
export const INCLUDE_ROOT = './include';

const TARGET = ['--target=wasm64-unknown-emscripten', '-U__EMSCRIPTEN__'];

/** What Linux 6.1's Makefile gives to clang, without what only its own code or x86 needs. */
const KBUILD_CFLAGS = [
  '-std=gnu11',
  '-nostdinc',
  '-fno-strict-aliasing',
  '-fno-common',
  '-fshort-wchar',
  '-fno-PIE',
  '-fno-strict-overflow',
  '-fno-delete-null-pointer-checks',
  '-fno-stack-protector',
  '-fomit-frame-pointer',
  '-O2',
  '-g',
  '-Wall',
  '-Wundef',
  '-Werror=strict-prototypes',
  '-Wno-trigraphs',
  '-Werror=implicit-function-declaration',
  '-Werror=implicit-int',
  '-Werror=return-type',
  '-Werror=date-time',
  '-Werror=incompatible-pointer-types',
  '-Wno-format-security',
  '-Wno-frame-address',
  '-Wno-address-of-packed-member',
  '-Wno-gnu',
  '-Wno-unused-but-set-variable',
  '-Wno-unused-const-variable',
  '-Wno-pointer-sign',
  '-Wno-sign-compare',
  '-Wno-initializer-overrides',
  '-Wno-tautological-constant-out-of-range-compare',
  '-Wdeclaration-after-statement',
  '-Wvla',
  '-Wimplicit-fallthrough',
  '-Wframe-larger-than=2048',
];

/** What this machine needs beyond Linux's flags. */
const MACHINE_CFLAGS = [
  '-ffreestanding', // a call of strcpy or memset stays one: the kernel's own checks it
  '-mno-bulk-memory',
  '-mno-bulk-memory-opt',
  '-Wno-unknown-warning-option', // Makefiles are written for gcc
  '-Qunused-arguments',
  '-Wno-null-dereference', // "will be deleted, not trap" is not true with -fno-delete-null-pointer-checks
];

const FORCED_INCLUDES = ['linux/compiler-version.h', 'linux/kconfig.h', 'linux/compiler_types.h'];

export interface CompileRequest {
  /** Path of the C file as diagnostics and line numbers shall show it; `read` is asked for it. */
  readonly source: string;
  /** Reads the module's own files. Kernel headers come from the toolchain. */
  readonly read: ReadText;
  /** The module that the object becomes part of: KBUILD_MODNAME. */
  readonly module: string;
  /** The module's path without suffix: KBUILD_MODFILE. Default: `module`. */
  readonly modfile?: string;
  /** ccflags-y, EXTRA_CFLAGS, CFLAGS_foo.o in Linux's order. */
  readonly flags?: readonly string[];
  /** Flags to leave out of the kernel's own: ccflags-remove-y, CFLAGS_REMOVE_foo.o. */
  readonly removeFlags?: readonly string[];
  readonly signal?: AbortSignal;
}

export interface CompileResult {
  /** clang's exit status. */
  readonly status: number;
  /** The object, with its DWARF; undefined if the status is not 0. */
  readonly object?: Uint8Array;
  /** clang's diagnostics, as it printed them. */
  readonly stderr: string;
  /** The cache key: it changes exactly when something that the object depends on does. */
  readonly key: string;
}

export interface CompileEnv {
  readonly tools: ToolRunner;
  readonly headers: HeaderTree;
  readonly cache?: BuildCache;
}

/** A compile that is ready to run. */
export interface Prepared {
  /** The command, `clang` first. */
  readonly args: string[];
  /** All that clang can read. */
  readonly files: Map<string, string>;
  /** Content key: equal keys give equal objects. */
  readonly key: string;
  /** Digest of the module's own files, without the kernel's headers. */
  readonly sourceDigest: string;
}

/** Compiles, or takes the result from the cache. Rejects only as `ToolRunner.run` does. */
export async function compile(env: CompileEnv, request: CompileRequest): Promise<CompileResult> {
  return compilePrepared(env, await prepareCompile(env, request), request.signal);
}

export async function compilePrepared(
  env: CompileEnv,
  prepared: Prepared,
  signal?: AbortSignal,
): Promise<CompileResult> {
  const { key } = prepared;
  const cached = await env.cache?.get(key);
  if (cached) return { status: 0, key, ...unpack(cached) };

  const result = await runClang(env, prepared, signal);
  const stderr = explain(fromSandbox(result.stderr));
  if (result.status !== 0 || !result.object) return { status: result.status || 1, key, stderr };
  const object = gccOrder(result.object);
  await env.cache?.put(key, pack({ object, stderr }));
  return { status: 0, key, object, stderr };
}

/** Finds what a compile depends on. */
export async function prepareCompile(env: CompileEnv, request: CompileRequest): Promise<Prepared> {
  const { headers } = env;
  const read: ReadText = async (path) =>
    (path.startsWith('include/') ? headers.get(path.slice('include/'.length)) : undefined) ??
    request.read(path);
  const forced = FORCED_INCLUDES.filter((h) => headers.has(h)).map((h) => `${INCLUDE_ROOT}/${h}`);
  const flags = [...(request.flags ?? [])];
  const searchPath = [INCLUDE_ROOT, `${INCLUDE_ROOT}/uapi`, ...includeFlags(flags, '-I')];
  const roots = [request.source, ...forced, ...includeFlags(flags, '-include')];
  const closure = await includeClosure(roots, searchPath, read);
  if (closure.computed) for (const [path, text] of headers) closure.files.set(`include/${path}`, text);

  const args = [
    'clang',
    ...TARGET,
    ...KBUILD_CFLAGS.filter((flag) => !request.removeFlags?.includes(flag)),
    ...MACHINE_CFLAGS,
    `-I${INCLUDE_ROOT}`,
    `-I${INCLUDE_ROOT}/uapi`,
    ...forced.flatMap((path) => ['-include', path]),
    '-D__KERNEL__',
    '-DMODULE',
    ...names(request),
    ...flags.map(toSandbox),
    '-fmacro-prefix-map=./=',
    `-ffile-prefix-map=${SANDBOX_USR}=/usr`,
    '-c',
    toSandbox(request.source),
    '-o',
    OBJECT,
  ];
  const own = [...closure.files].filter(
    ([path]) => !path.startsWith('include/') || !headers.has(path.slice(8)),
  );
  const sourceDigest = sha256(
    own
      .map(([, text]) => digestOf(text))
      .sort()
      .join(),
  );
  return { args, files: closure.files, key: keyOf(args, closure.files), sourceDigest };
}

function keyOf(args: readonly string[], files: ReadonlyMap<string, string>): string {
  const inputs = [...files].map(([path, text]) => `${path} ${digestOf(text)}`).sort();
  return sha256(JSON.stringify([CLANG_VERSION, OBJECT_VERSION, args, inputs]));
}

/** The values of `-Idir`, `-I dir`, `-include file`. */
function includeFlags(flags: readonly string[], option: string): string[] {
  const values: string[] = [];
  flags.forEach((flag, i) => {
    if (flag === option) values.push(flags[i + 1] ?? '');
    else if (option === '-I' && flag.startsWith(option)) values.push(flag.slice(option.length));
  });
  return values.map(normalize);
}

function names({ source, module, modfile }: CompileRequest): string[] {
  const identifier = (name: string) => name.replace(/[-,.]/g, '_');
  const file = source.slice(source.lastIndexOf('/') + 1).replace(/\.[^.]*$/, '');
  return [
    `-DKBUILD_MODFILE="${modfile ?? module}"`,
    `-DKBUILD_BASENAME="${identifier(file)}"`,
    `-DKBUILD_MODNAME="${identifier(module)}"`,
    `-D__KBUILD_MODNAME=kmod_${identifier(module)}`,
  ];
}

// The compiler's own file system has a /usr of its own, which hides any other: a module there moves aside.
const SANDBOX_USR = '/.usr';
const OBJECT = '/.out.o';
const toSandbox = (text: string) => text.replace(/^(-I)?\/usr\//, `$1${SANDBOX_USR}/`);
const fromSandbox = (text: string) => text.replaceAll(`${SANDBOX_USR}/`, '/usr/');

async function runClang(env: CompileEnv, { args, files }: Prepared, signal: AbortSignal | undefined) {
  const sandbox: Record<string, string> = {};
  for (const [path, text] of files) sandbox[toSandbox(path)] = text;
  const run = async (flags: readonly string[]) => {
    const result = await env.tools.run({ args: flags, files: sandbox, outputs: [OBJECT] }, signal);
    return { ...result, object: result.outputs[OBJECT] as Uint8Array | undefined };
  };
  const first = await run(args);
  if (first.crash === '') return fitted(env, first, { args, files: sandbox }, signal);
  const unoptimized = [...args.slice(0, -4), '-O0', ...args.slice(-4)];
  const second = await run(unoptimized);
  if (second.crash !== '') return { ...second, stderr: `${second.stderr}clang: error: ${second.crash}\n` };
  const result = await fitted(env, second, { args: unoptimized, files: sandbox }, signal);
  return { ...result, stderr: `${explainCrash(first.stderr)}${result.stderr}` };
}

interface ClangResult {
  readonly status: number;
  readonly stderr: string;
  readonly object: Uint8Array | undefined;
}

/** The result with an object whose printf-like calls print what they print on x86-64, and what is said of others. */
async function fitted(
  { tools }: CompileEnv,
  result: ClangResult,
  command: { args: readonly string[]; files: Readonly<Record<string, string>> },
  signal: AbortSignal | undefined,
): Promise<ClangResult> {
  const { status, object, stderr } = result;
  if (status !== 0 || !object) return result;
  const fit = await fitObject({ ...command, object, stderr }, (request) => tools.run(request, signal));
  return { status, object: fit.object, stderr: stderr + explainUnfitted(fit.unfitted) };
}

/**
 * clang emits the strings of MODULE_* in source order, gcc in reverse. Linux's modules are built by gcc, and what
 * `modinfo` shows is in that order, so the strings are put in it here.
 */
function gccOrder(object: Uint8Array): Uint8Array {
  const sections = readSections(object);
  const modinfo = findCustom(sections, 'modinfo');
  if (!modinfo) return object;
  modinfo.payload = joinModinfo(splitModinfo(modinfo.payload).reverse());
  return writeSections(sections);
}

/** The `key=value` strings of a modinfo section. */
export function splitModinfo(payload: Uint8Array): string[] {
  return new TextDecoder()
    .decode(payload)
    .split('\0')
    .filter((entry) => entry !== '');
}

export function joinModinfo(entries: readonly string[]): Uint8Array {
  return new TextEncoder().encode(entries.map((entry) => `${entry}\0`).join(''));
}

interface CachedObject {
  object: Uint8Array;
  stderr: string;
}

/** One cache entry: length of the diagnostics as 4 bytes, the diagnostics, the object. */
function pack({ object, stderr }: CachedObject): Uint8Array {
  const text = new TextEncoder().encode(stderr);
  const bytes = new Uint8Array(4 + text.length + object.length);
  new DataView(bytes.buffer).setUint32(0, text.length, true);
  bytes.set(text, 4);
  bytes.set(object, 4 + text.length);
  return bytes;
}

function unpack(bytes: Uint8Array): CachedObject {
  const end = 4 + new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
  return { stderr: new TextDecoder().decode(bytes.subarray(4, end)), object: bytes.slice(end) };
}
