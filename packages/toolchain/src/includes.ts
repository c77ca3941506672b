// SPDX-License-Identifier: MIT
/**
 * Finds every file that compiling a source can read, by following its `#include` lines, whatever the conditionals
 * around them. clang is given these files and no others, and their contents are the key of the build cache.
 */

import { sha256 } from './sha256.js';

/** Text of the file at a path, or undefined if there is none. */
export type ReadText = (path: string) => Promise<string | undefined>;

export interface IncludeClosure {
  /** Path → text of the source and of everything it can include. */
  readonly files: Map<string, string>;
  /** Some file includes by a macro (`#include NAME`), so that text alone cannot tell what. */
  readonly computed: boolean;
}

interface Scan {
  readonly includes: readonly { name: string; quoted: boolean; next: boolean }[];
  readonly computed: boolean;
  readonly digest: string;
}

const INCLUDE = /^[ \t]*#[ \t]*include(_next)?[ \t]*(?:"([^"\n]+)"|<([^>\n]+)>|([A-Za-z_]\w*))/gm;

/** Scans are kept by text: kernel headers are the same text at every compile. */
const scans = new Map<string, Scan>();
const MAX_SCANS = 4096;

function scan(text: string): Scan {
  const known = scans.get(text);
  if (known) return known;
  const includes: { name: string; quoted: boolean; next: boolean }[] = [];
  let computed = false;
  for (const [, next, quoted, angled, macro] of text.matchAll(INCLUDE)) {
    if (macro !== undefined) computed = true;
    else includes.push({ name: quoted ?? angled, quoted: quoted !== undefined, next: next !== undefined });
  }
  const result = { includes, computed, digest: sha256(text) };
  if (scans.size >= MAX_SCANS) scans.clear();
  scans.set(text, result);
  return result;
}

/** Content digest of a text that was scanned, or of any other. */
export const digestOf = (text: string): string => scan(text).digest;

/** `a/./b/../c` as `a/c`; leading `..` of a relative path stay. */
export function normalize(path: string): string {
  const out: string[] = [];
  for (const part of path.split('/')) {
    if (part === '..' && out.length > 0 && out.at(-1) !== '..' && out.at(-1) !== '') out.pop();
    else if (part !== '.' && (part !== '' || out.length === 0)) out.push(part);
  }
  return out.join('/') || (path.startsWith('/') ? '/' : '.');
}

export const dirname = (path: string): string => {
  const slash = path.lastIndexOf('/');
  return slash < 0 ? '.' : slash === 0 ? '/' : path.slice(0, slash);
};

export const basename = (path: string): string => path.slice(path.lastIndexOf('/') + 1);

export const resolvePath = (directory: string, path: string): string =>
  normalize(path.startsWith('/') ? path : `${directory}/${path}`);

/**
 * The closure of `roots` (the source and the files of `-include`) over `#include`, searching `searchPath` as clang
 * would. Files that do not exist are left out: clang says so better, if it gets there at all.
 */
export async function includeClosure(
  roots: readonly string[],
  searchPath: readonly string[],
  read: ReadText,
): Promise<IncludeClosure> {
  const files = new Map<string, string>();
  const missing = new Set<string>();
  let computed = false;
  const load = async (path: string): Promise<string | undefined> => {
    if (missing.has(path)) return undefined;
    const text = files.get(path) ?? (await read(path));
    if (text === undefined) missing.add(path);
    return text;
  };
  const queue = roots.map(normalize);
  for (let path = queue.pop(); path !== undefined; path = queue.pop()) {
    if (files.has(path)) continue;
    const text = await load(path);
    if (text === undefined) continue;
    files.set(path, text);
    const scanned = scan(text);
    computed ||= scanned.computed;
    for (const { name, quoted, next } of scanned.includes) {
      const from = name.startsWith('/') ? ['/'] : quoted ? [dirname(path), ...searchPath] : searchPath;
      for (const directory of from) {
        const candidate = resolvePath(directory, name);
        if ((await load(candidate)) === undefined) continue;
        queue.push(candidate);
        if (!next) break; // #include_next skips some of the search path: take every file of that name
      }
    }
  }
  return { files, computed };
}
