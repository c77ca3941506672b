// SPDX-License-Identifier: MIT
/**
 * The last checks before a module is made, as scripts/mod/modpost.c of Linux 6.1 does them: licence, undefined
 * symbols, GPL-only symbols, references to what is freed; and the entries that it adds to a module's modinfo.
 */

import {
  type ObjectFile,
  type ObjectSymbol,
  parseObject,
  type Segment,
  SYM_BINDING_LOCAL,
  SYM_BINDING_WEAK,
  SYM_UNDEFINED,
} from '@pagewalk/kernel/arch/wasm64/object';
import { splitModinfo } from './compile.js';
import { readSections } from './object.js';
import { sectionMismatches } from './section_mismatch.js';
import { sectionsOf } from './sections.js';

export const UTS_RELEASE = '6.1.0-pagewalk';
export const VERMAGIC = `${UTS_RELEASE} SMP preempt mod_unload `;

/** One exported symbol; a line of Module.symvers. */
export interface ExportedSymbol {
  readonly name: string;
  /** Who exports it: `vmlinux`, or a module's path without suffix. */
  readonly module: string;
  readonly gplOnly: boolean;
  /** What a module must import with MODULE_IMPORT_NS() to use it; without: nothing. */
  readonly namespace?: string;
}

export interface ModpostModule {
  /** Path without suffix. */
  readonly path: string;
  readonly object: Uint8Array;
  /** Text that srcversion is made of: the module's own sources. Without it there is no srcversion. */
  readonly sourceDigest?: string;
}

export interface ModpostOptions {
  /** What the kernel and other modules export. */
  readonly known?: readonly ExportedSymbol[];
  /** What a symbol is that nobody exports; nothing at all when the kernel's exports are not known. Default: error. */
  readonly unresolved?: 'error' | 'warning' | 'ignored';
}

export interface ModpostResult {
  /** Lines to show on stderr, each with its newline. */
  readonly messages: string;
  /** Some message is an error: no module may be made. */
  readonly failed: boolean;
  /** For each module, in order: the modinfo entries to append. */
  readonly modinfo: string[][];
  /** What the modules export. */
  readonly exports: ExportedSymbol[];
}

/** Provided by the loader itself, whatever the kernel exports. */
const LOADER_SYMBOLS = new Set(['__this_module', '__stack_pointer']);
/** compiler-rt's integer helpers, which the kernel links into every module that needs them. */
const RUNTIME_HELPER = /^__(mul|u?div|u?mod|u?divmod|ashl|lshr|ashr)[dt]i[34]$/;
const MAX_UNRESOLVED_REPORTS = 10;

interface Examined {
  readonly module: ModpostModule;
  readonly info: string[];
  readonly undefinedSymbols: { name: string; weak: boolean }[];
  readonly exports: ExportedSymbol[];
  /** References to what is freed after init, or is for the exit alone. */
  readonly mismatches: readonly string[];
}

/** Checks modules that are built together. Throws FormatError for what is no object. */
export function modpost(modules: readonly ModpostModule[], options: ModpostOptions = {}): ModpostResult {
  let messages = '';
  let failed = false;
  const error = (text: string) => {
    messages += `ERROR: modpost: ${text}\n`;
    failed = true;
  };
  const warn = (text: string) => {
    messages += `WARNING: modpost: ${text}\n`;
  };

  const { unresolved = 'error' } = options;

  const examined = modules.map(examine);
  for (const { module, info, mismatches } of examined) {
    if (!entryOf(info, 'license')) error(`missing MODULE_LICENSE() in ${module.path}.o`);
    mismatches.forEach(warn);
  }

  const known = new Map<string, ExportedSymbol>();
  for (const symbol of options.known ?? []) known.set(symbol.name, symbol);
  for (const { exports } of examined)
    for (const symbol of exports) {
      const other = known.get(symbol.name);
      if (other && other.module !== symbol.module)
        error(`${symbol.module}: '${symbol.name}' exported twice. Previous export was in ${other.module}`);
      else known.set(symbol.name, symbol);
    }

  const depends: string[][] = examined.map(() => []);
  let nrUnresolved = 0;
  examined.forEach(({ module, info, undefinedSymbols }, i) => {
    const gplCompatible = isGplCompatible(entryOf(info, 'license') ?? '');
    for (const { name, weak } of undefinedSymbols) {
      const from = known.get(name);
      if (!from) {
        if (unresolved === 'ignored' || weak || LOADER_SYMBOLS.has(name) || RUNTIME_HELPER.test(name))
          continue;
        if (nrUnresolved++ < MAX_UNRESOLVED_REPORTS)
          (unresolved === 'error' ? error : warn)(`"${name}" [${module.path}.ko] undefined!`);
        continue;
      }
      const { namespace } = from;
      if (namespace && !info.includes(`import_ns=${namespace}`))
        error(
          `module ${baseOf(module.path)} uses symbol ${name} from namespace ${namespace}, but does not import it.`,
        );
      if (from.gplOnly && !gplCompatible)
        error(`GPL-incompatible module ${baseOf(module.path)}.ko uses GPL-only symbol '${name}'`);
      const provider = baseOf(from.module);
      if (from.module !== 'vmlinux' && !depends[i].includes(provider)) depends[i].push(provider);
    }
  });
  if (nrUnresolved > MAX_UNRESOLVED_REPORTS)
    warn(
      `suppressed ${nrUnresolved - MAX_UNRESOLVED_REPORTS} unresolved symbol warnings because there were too many)`,
    );

  return {
    messages,
    failed,
    modinfo: examined.map((e, i) => addedModinfo(e, depends[i])),
    exports: examined.flatMap((e) => e.exports),
  };
}

/** In the order that gcc gives the strings of a `.mod.c` file, which is the one that `modinfo` shows. */
function addedModinfo({ module, info }: Examined, depends: readonly string[]): string[] {
  const srcversion =
    module.sourceDigest !== undefined && entryOf(info, 'version') !== undefined
      ? [`srcversion=${module.sourceDigest.slice(0, 24).toUpperCase()}`]
      : [];
  const name = baseOf(module.path).replace(/-/g, '_');
  return [...srcversion, `depends=${depends.join(',')}`, `name=${name}`, `vermagic=${VERMAGIC}`];
}

function examine(module: ModpostModule): Examined {
  const object = parseObject(module.object);
  const undefinedSymbols = object.symbols
    .filter((s) => (s.kind === 'function' || s.kind === 'data') && s.flags & SYM_UNDEFINED)
    .map((s) => ({ name: s.name, weak: (s.flags & 3) === SYM_BINDING_WEAK }));
  return {
    module,
    info: splitModinfo(object.customSections.get('modinfo') ?? new Uint8Array()),
    undefinedSymbols,
    exports: exportsOf(object, module.path),
    mismatches: sectionMismatches(
      `${module.path}.o`,
      object,
      sectionsOf(object, readSections(module.object)),
    ),
  };
}

const KERNEL_SYMBOL_SIZE = 24;
const NAMESPACE_OFFSET = 16;

/** EXPORT_SYMBOL leaves a `struct kernel_symbol` in `__ksymtab` or `__ksymtab_gpl`; its first word is the symbol. */
function exportsOf(object: ObjectFile, module: string): ExportedSymbol[] {
  const exported: ExportedSymbol[] = [];
  for (const segment of object.segments) {
    const kind = /^_*ksymtab(_gpl)?(?:\+|\.|$)/.exec(segment.name);
    if (!kind) continue;
    for (const relocation of segment.relocations) {
      if (relocation.offset % KERNEL_SYMBOL_SIZE !== 0) continue;
      const symbol = object.symbols[relocation.index];
      if (!symbol) continue;
      const namespace = namespaceOf(object, segment, relocation.offset);
      const gplOnly = kind[1] !== undefined;
      exported.push({ name: publicName(object, symbol), module, gplOnly, ...(namespace && { namespace }) });
    }
  }
  return exported;
}

/** The text that the last word of a `struct kernel_symbol` points to. */
function namespaceOf(object: ObjectFile, segment: Segment, start: number): string {
  const pointer = segment.relocations.find(({ offset }) => offset === start + NAMESPACE_OFFSET);
  const symbol = pointer && object.symbols[pointer.index];
  if (symbol?.kind !== 'data') return '';
  const text = object.segments[symbol.segment]?.bytes.subarray(symbol.offset + pointer!.addend) ?? [];
  return String.fromCharCode(...text.slice(0, text.indexOf(0)));
}

/** A relocation may name a local alias of what is exported. */
function publicName(object: ObjectFile, symbol: ObjectSymbol): string {
  if (!(symbol.flags & SYM_BINDING_LOCAL) || symbol.kind !== 'function') return symbol.name;
  const alias = object.symbols.find(
    (s) => s.kind === 'function' && s.index === symbol.index && !(s.flags & SYM_BINDING_LOCAL),
  );
  return alias?.name ?? symbol.name;
}

const entryOf = (info: readonly string[], key: string): string | undefined =>
  info.find((entry) => entry.startsWith(`${key}=`))?.slice(key.length + 1);

const baseOf = (path: string) => path.slice(path.lastIndexOf('/') + 1);

const GPL_COMPATIBLE = new Set([
  'GPL',
  'GPL v2',
  'GPL and additional rights',
  'Dual BSD/GPL',
  'Dual MIT/GPL',
  'Dual MPL/GPL',
]);

/** Whether a module of this licence may use GPL-only symbols. @linux include/linux/license.h:license_is_gpl_compatible full */
export const isGplCompatible = (license: string): boolean => GPL_COMPATIBLE.has(license);

/** Module.symvers: one symbol a line; no checksums, since modules carry none. */
export function writeSymvers(symbols: readonly ExportedSymbol[]): string {
  return symbols
    .map(
      (s) =>
        `0x00000000\t${s.name}\t${s.module}\t${s.gplOnly ? 'EXPORT_SYMBOL_GPL' : 'EXPORT_SYMBOL'}\t${s.namespace ?? ''}\n`,
    )
    .join('');
}

export function parseSymvers(text: string): ExportedSymbol[] {
  return text
    .split('\n')
    .map((line) => line.split('\t'))
    .filter((fields) => fields.length >= 4)
    .map(([, name, module, kind, namespace]) => ({
      name,
      module,
      gplOnly: kind === 'EXPORT_SYMBOL_GPL',
      ...(namespace && { namespace }),
    }));
}
