// SPDX-License-Identifier: MIT
/** What lies below /lib/modules/$(uname -r): the modules there, and the indexes that depmod writes and modprobe reads. */

import { parseObject, SYM_UNDEFINED } from '@pagewalk/kernel/arch/wasm64/object';
import type { Vfs } from '../fs/vfs.js';
import { basename } from '../fs/vfs.js';
import { readModinfo } from './modinfo.js';

/** `mem-alloc.ko` and `path/mem_alloc.ko` both mean mem_alloc. */
export const moduleName = (file: string): string => basename(file).replace(/\.ko$/, '').replaceAll('-', '_');

export interface ModuleFile {
  /** Below the library's folder. */
  readonly path: string;
  readonly name: string;
  readonly info: [key: string, value: string][];
  readonly exports: string[];
  readonly undefined: string[];
}

export interface SoftDependency {
  readonly pre: string[];
  readonly post: string[];
}

const decoder = new TextDecoder();

/** Every .ko below a folder. */
export function modulesBelow(fs: Vfs, folder: string, below = ''): ModuleFile[] {
  return fs
    .readdir(`${folder}${below}`)
    .sort()
    .flatMap((name): ModuleFile[] => {
      const path = `${below}/${name}`;
      if (below === '' && (name === 'build' || name === 'source')) return [];
      if (fs.isDirectory(folder + path)) return modulesBelow(fs, folder, path);
      if (!name.endsWith('.ko')) return [];
      const described = describe(fs.readFile(folder + path));
      return described ? [{ path: path.slice(1), name: moduleName(name), ...described }] : [];
    });
}

function describe(image: Uint8Array): Pick<ModuleFile, 'info' | 'exports' | 'undefined'> | undefined {
  try {
    const { symbols } = parseObject(image);
    const named = symbols.filter((s) => s.kind === 'function' || s.kind === 'data');
    return {
      info: readModinfo(image),
      exports: named.flatMap(({ name, flags }) =>
        flags & SYM_UNDEFINED || !/^__ksymtab_(?!strings)/.test(name)
          ? []
          : [name.slice('__ksymtab_'.length)],
      ),
      undefined: named.filter(({ flags }) => flags & SYM_UNDEFINED).map(({ name }) => name),
    };
  } catch {
    return undefined; // no module: depmod passes over it
  }
}

const infoValues = ({ info }: ModuleFile, key: string): string[] =>
  info.filter(([name]) => name === key).map(([, value]) => value);

/** Whom each module needs, its direct needs first; those that need others stand before these. Cycles are named. */
export function dependencies(modules: readonly ModuleFile[]): {
  of: Map<ModuleFile, ModuleFile[]>;
  cycles: string[];
} {
  const owners = new Map(modules.flatMap((module) => module.exports.map((name) => [name, module] as const)));
  const direct = new Map(
    modules.map((module) => [
      module,
      [...new Set(module.undefined.flatMap((name) => owners.get(name) ?? []))],
    ]),
  );
  const cycles: string[] = [];
  const visit = (module: ModuleFile, open: readonly ModuleFile[], found: ModuleFile[]): void => {
    for (const needed of direct.get(module)!) {
      if (open.includes(needed)) {
        cycles.push([...open.slice(open.indexOf(needed)), needed].map(({ name }) => name).join(' -> '));
        continue;
      }
      const before = found.indexOf(needed);
      if (before >= 0) found.splice(before, 1); // it must come behind all that need it
      found.push(needed);
      visit(needed, [...open, needed], found);
    }
  };
  const of = new Map<ModuleFile, ModuleFile[]>();
  for (const module of modules) {
    const found: ModuleFile[] = [];
    visit(module, [module], found);
    of.set(module, found);
  }
  return { of, cycles: [...new Set(cycles)] };
}

/** The index files by name. */
export function indexFiles(modules: readonly ModuleFile[]): Record<string, string> {
  const { of } = dependencies(modules);
  const lines = (list: readonly string[]) => list.map((line) => `${line}\n`).join('');
  const each = (make: (module: ModuleFile) => string[]) => lines(modules.flatMap(make));
  return {
    'modules.dep': each((m) => [
      `${m.path}:${of
        .get(m)!
        .map(({ path }) => ` ${path}`)
        .join('')}`,
    ]),
    'modules.alias': `# Aliases extracted from modules themselves.\n${each((m) => infoValues(m, 'alias').map((alias) => `alias ${alias} ${m.name}`))}`,
    'modules.symbols': `# Aliases for symbols, used by symbol_request().\n${each((m) => m.exports.map((name) => `alias symbol:${name} ${m.name}`))}`,
    'modules.softdep': `# Soft dependencies extracted from modules themselves.\n${each((m) => infoValues(m, 'softdep').map((text) => `softdep ${m.name} ${text}`))}`,
  };
}

/** `pre: a b post: c`. */
export function parseSoftdep(words: readonly string[]): SoftDependency {
  const result: SoftDependency = { pre: [], post: [] };
  let list: string[] | undefined;
  for (const word of words) {
    if (word === 'pre:' || word === 'post:') list = result[word.slice(0, -1) as 'pre' | 'post'];
    else list?.push(word.replaceAll('-', '_'));
  }
  return result;
}

/** A text file's lines as words; none if there is no such file. */
export function wordLines(fs: Vfs, path: string): string[][] {
  if (!fs.exists(path)) return [];
  return decoder
    .decode(fs.readFile(path))
    .split('\n')
    .map((line) => line.replace(/#.*/, '').trim().split(/\s+/))
    .filter(([first]) => first !== '');
}
