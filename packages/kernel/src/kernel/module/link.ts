// SPDX-License-Identifier: MIT
/** Puts a module's image into memory and makes its code callable. */

import { FormatError } from '../../arch/wasm64/binary.js';
import type { GuestFunction } from '../../arch/wasm64/functions.js';
import { decodeLines, LINES_SECTION } from '../../arch/wasm64/lines.js';
import { type ObjectFile, SYM_UNDEFINED } from '../../arch/wasm64/object.js';
import { translate } from '../../arch/wasm64/translate.js';
import { type Handle, PAGE_SIZE, type Vaddr } from '../../machine/layout.js';
import { PAGE_KERNEL_RO, PAGE_KERNEL_ROX, type Protection } from '../../mm/pgtable.js';
import type { KernelSymbol, SourceLine } from '../kallsyms.js';
import { KernelParam, KernelSymbol as KernelSymbolStruct, Module as ModuleStruct } from '../module_types.js';
import { Ddebug } from '../printk/dynamic_debug.js';
import type { ModuleEnvironment } from './environment.js';
import {
  addressIn,
  type Bases,
  codeOffsetOf,
  isReadOnly,
  type Layout,
  type PartName,
  relocateSegment,
} from './image.js';

export interface ExportedSymbol {
  readonly name: string;
  readonly address: Vaddr;
  readonly gpl: boolean;
  /** What a module must import to use it; '': nothing. */
  readonly namespace: string;
}

/** A module in memory. */
export interface LoadedModule {
  readonly name: string;
  readonly object: ObjectFile;
  readonly modinfo: readonly { key: string; value: string }[];
  readonly layout: Layout;
  /** Where its two areas are; `init` still says where the second was once it is gone. */
  readonly bases: Bases;
  /** Whether the init area is there: a cache of `init_layout.size` in its struct. */
  hasInit: boolean;
  /** Its struct module, by the direct-map handle of its page. */
  readonly handle: Handle;
  /** Address by symbol index of the object. */
  readonly addresses: readonly Vaddr[];
  /** Address that each function import of the object is bound to; 0 for a weak one that nobody defines. */
  readonly importAddresses: readonly Vaddr[];
  readonly init: Vaddr;
  readonly exit: Vaddr;
  readonly constructors: readonly Vaddr[];
  readonly exports: readonly ExportedSymbol[];
  /** Where its `struct kernel_param`s are, and how many. */
  readonly params: { readonly address: Vaddr; readonly count: number };
  /** The same of the descriptors of its pr_debug() calls. */
  readonly ddebug: { readonly address: Vaddr; readonly count: number };
  /** Taint letters it brought. */
  readonly taints: string;
}

export interface LinkRequest {
  readonly name: string;
  readonly object: ObjectFile;
  readonly modinfo: LoadedModule['modinfo'];
  readonly layout: Layout;
  readonly bases: Bases;
  readonly hasInit: boolean;
  readonly addresses: readonly Vaddr[];
  readonly taints: string;
  /** Whether a function that this module imports is in another's init area. */
  vanishes(address: Vaddr): boolean;
}

const PARTS: readonly PartName[] = ['core', 'init'];
/** Those of a module's areas that are there. */
const partsOf = (m: { readonly hasInit: boolean }) => (m.hasInit ? PARTS : PARTS.slice(0, 1));

/** Memory for both areas of a module; undefined if there is not enough. @linux kernel/module/main.c:move_module full */
export function allocImage(env: ModuleEnvironment, layout: Layout): Bases | undefined {
  const { size, align } = layout.percpu;
  const percpu = size === 0 ? 0 : env.percpu.alloc(size, align);
  const core = size !== 0 && percpu === 0 ? 0 : env.moduleAlloc(layout.core.size);
  const init = core === 0 || layout.init.size === 0 ? 0 : env.moduleAlloc(layout.init.size);
  if (core !== 0 && (init !== 0 || layout.init.size === 0)) return { core, init, percpu };
  if (core !== 0) env.moduleFree(core, layout.core.size);
  if (percpu !== 0) env.percpu.free(percpu);
  return undefined;
}

/** Gives back what is there of a module's memory. */
export function freeImage(
  env: ModuleEnvironment,
  m: Pick<LinkRequest, 'layout' | 'bases' | 'hasInit'>,
): void {
  for (const part of [...partsOf(m)].reverse()) env.moduleFree(m.bases[part], m.layout[part].size);
  if (m.bases.percpu !== 0) env.percpu.free(m.bases.percpu);
}

/** Fills an image with zeros: its pages may have been anybody's. */
function clearImage({ mmu, ram }: ModuleEnvironment, base: Vaddr, bytes: number): void {
  for (let at = base; at < base + bytes; at += PAGE_SIZE) ram.fill(mmu.translate(at), PAGE_SIZE, 0);
}

/** Copies bytes into mapped pages, whatever their protection. */
function copyIn(env: ModuleEnvironment, address: Vaddr, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length; ) {
    const p = env.mmu.translate(address + done);
    const n = Math.min(bytes.length - done, PAGE_SIZE - (p % PAGE_SIZE));
    env.ram.u8.set(bytes.subarray(done, done + n), p);
    done += n;
  }
}

/**
 * Writes the image, translates and instantiates the code, protects the pages, and registers functions and symbols.
 * If it throws, because the code is no code, the image's memory is free again.
 */
export function linkImage(env: ModuleEnvironment, request: LinkRequest): LoadedModule {
  try {
    return link(env, request);
  } catch (error) {
    freeImage(env, request);
    throw error;
  }
}

function link(env: ModuleEnvironment, request: LinkRequest): LoadedModule {
  const { object, layout, bases } = request;
  const segments = segmentsOf(request);
  const code = translateImage(env, request);
  for (const part of partsOf(request)) clearImage(env, bases[part], layout[part].size);
  for (const f of layout.functions)
    copyIn(env, addressIn(bases, f) - (f.start - f.from), object.code.subarray(f.from, f.end));
  layout.segments.forEach((placed, i) => {
    const address = addressIn(bases, placed);
    const copies = placed.part === 'percpu' ? env.percpu.copies(address) : [address];
    for (const copy of copies) copyIn(env, copy, segments[i]);
  });
  const m = describe(env, request, segments);
  writeStruct(env, m);
  makeCallable(env, m, code);
  protect(env, m);
  return m;
}

/** Makes a module callable again whose image is in memory: in a machine that was saved and loaded. */
export function attachImage(env: ModuleEnvironment, request: LinkRequest): LoadedModule {
  const m = describe(env, request, segmentsOf(request));
  makeCallable(env, m, translateImage(env, request));
  return m;
}

const segmentsOf = ({ layout, addresses }: LinkRequest) =>
  layout.segments.map(({ segment }) => relocateSegment(segment, addresses));

interface HostCode {
  readonly host: WebAssembly.Module;
  /** For each function, whether its frame can be saved. */
  readonly suspending: readonly boolean[];
}

function translateImage(env: ModuleEnvironment, request: LinkRequest): HostCode {
  const { object, layout, bases, addresses } = request;
  const nrImports = object.imports.length;
  const imported = object.imports.map((_, i) => importAddressOf(object, addresses, i));
  const { bytes, suspending } = translate(object, {
    functionAddress: (i) => addressIn(bases, layout.functions[i]),
    vanishing: (i) => {
      if (i < nrImports) return request.vanishes(imported[i]) ? imported[i] : undefined;
      const placed = layout.functions[i - nrImports];
      return placed?.part === 'init' ? addressIn(bases, placed) : undefined;
    },
    directBytes: env.directBytes,
    symbolAddress: (symbol) => addresses[symbol],
    signatureId: (type) => env.functions.signatureId(type),
    importSuspends: (i) => env.suspends(imported[i]),
  });
  return { host: compileHost(bytes), suspending };
}

/** Instantiates the code and registers functions and symbols: all of this is cache. */
function makeCallable(env: ModuleEnvironment, m: LoadedModule, { host, suspending }: HostCode): void {
  const imports = bindImports(env, m);
  const instance = new WebAssembly.Instance(host, {
    env: { memory: env.ram.memory, table: env.functions.table, ...env.helpers },
    guest: Object.fromEntries(imports.map((f, i) => [i, f])),
  });
  registerFunctions(env, m, instance.exports, suspending);
  addNames(env, m);
}

function addNames(env: ModuleEnvironment, m: LoadedModule): void {
  env.kallsyms.add(m.name, symbolsOf(m), lineLookup(m));
}

/** Compiles translated code. What only a validator finds wrong with an object is a FormatError, too. */
function compileHost(bytes: Uint8Array): WebAssembly.Module {
  try {
    return new WebAssembly.Module(bytes);
  } catch (error) {
    throw new FormatError(`code that does not validate: ${error instanceof Error ? error.message : error}`);
  }
}

/** Address that a function import of an object is bound to; 0 if nobody defines it. */
function importAddressOf(object: ObjectFile, addresses: readonly Vaddr[], index: number): Vaddr {
  const symbol = object.symbols.findIndex((s) => s.kind === 'function' && s.index === index);
  return symbol < 0 ? 0 : addresses[symbol];
}

/** Reads what a module says of itself from its sections. */
function describe(
  env: ModuleEnvironment,
  request: LinkRequest,
  segments: readonly Uint8Array[],
): LoadedModule {
  const { object, layout, bases, addresses } = request;
  const sections = (name: string) =>
    layout.segments.flatMap((placed, i) =>
      placed.segment.name === name ? [{ address: addressIn(bases, placed), bytes: segments[i] }] : [],
    );
  const word = (bytes: Uint8Array, at: number) => {
    const view = new DataView(bytes.buffer, bytes.byteOffset);
    return view.getInt32(at + 4, true) * 4294967296 + view.getUint32(at, true);
  };
  const pointer = (section: string, symbol: string): Vaddr => {
    const [named] = sections(section);
    if (named && named.bytes.length >= 8) return word(named.bytes, 0);
    const index = object.symbols.findIndex(
      (s) => s.kind === 'function' && s.name === symbol && !(s.flags & SYM_UNDEFINED),
    );
    return index < 0 ? 0 : addresses[index];
  };
  const exportsOf = (section: string, gpl: boolean): ExportedSymbol[] =>
    sections(section).flatMap(({ bytes }) =>
      Array.from({ length: Math.floor(bytes.length / KernelSymbolStruct.size) }, (_, i) => {
        const at = i * KernelSymbolStruct.size;
        const name = readCString(env, word(bytes, at + KernelSymbolStruct.o.name));
        const namespace = readCString(env, word(bytes, at + KernelSymbolStruct.o.namespace));
        return { name, gpl, namespace, address: word(bytes, at + KernelSymbolStruct.o.value) };
      }),
    );
  const table = (section: string, size: number) => {
    const parts = sections(section);
    return {
      address: parts.length === 0 ? 0 : Math.min(...parts.map((part) => part.address)),
      count: parts.reduce((n, part) => n + Math.floor(part.bytes.length / size), 0),
    };
  };
  const importAddresses = object.imports.map((_, i) => importAddressOf(object, addresses, i));
  return {
    ...request,
    handle: env.mmu.translate(bases.core + layout.moduleOffset) / 4,
    importAddresses,
    init: pointer('.module_init', 'init_module'),
    exit: pointer('.module_exit', 'cleanup_module'),
    constructors: object.initFunctions.map((symbol) => addresses[symbol]),
    exports: [...exportsOf('__ksymtab', false), ...exportsOf('__ksymtab_gpl', true)],
    params: table('__param', KernelParam.size),
    ddebug: table('__dyndbg', Ddebug.size),
  };
}

function readCString(env: ModuleEnvironment, address: Vaddr): string {
  let text = '';
  for (let a = address; text.length < 512; a++) {
    const p = env.mmu.translate(a);
    if (p < 0 || env.ram.u8[p] === 0) break;
    text += String.fromCharCode(env.ram.u8[p]);
  }
  return text;
}

function writeStruct(env: ModuleEnvironment, m: LoadedModule): void {
  const struct = ModuleStruct.at(env.ram, m.handle);
  struct.name.set(Uint8Array.from(m.name, (c) => c.charCodeAt(0)));
  struct.init = m.init;
  struct.exit = m.exit;
  struct.kp = m.params.address;
  struct.num_kp = m.params.count;
  struct.num_syms = m.exports.filter((e) => !e.gpl).length;
  struct.num_gpl_syms = m.exports.filter((e) => e.gpl).length;
  struct.percpu = m.bases.percpu;
  struct.percpu_size = m.layout.percpu.size;
  for (const part of partsOf(m)) {
    const { textPages, rodataPages, roAfterInitPages, size } = m.layout[part];
    const layout = part === 'core' ? struct.core_layout : struct.init_layout;
    layout.base = m.bases[part];
    layout.size = size;
    layout.text_size = textPages * PAGE_SIZE;
    layout.ro_size = (textPages + rodataPages) * PAGE_SIZE;
    layout.ro_after_init_size = (textPages + rodataPages + roAfterInitPages) * PAGE_SIZE;
  }
}

/** Host functions for the object's imports. A weak function that nobody defines is a jump to address 0. */
function bindImports(env: ModuleEnvironment, m: LoadedModule): unknown[] {
  const wanted = m.object.imports.map(({ type }, i) => {
    const address = m.importAddresses[i];
    const fn = env.functions.at(address) ?? env.functions.missing(address);
    return { type: m.object.types[type], fn };
  });
  return env.functions.bind(wanted);
}

function registerFunctions(
  env: ModuleEnvironment,
  m: LoadedModule,
  exports: Record<string, unknown>,
  suspending: readonly boolean[],
): void {
  m.object.functions.forEach((f, i) => {
    const placed = m.layout.functions[i];
    if (!partsOf(m).includes(placed.part)) return;
    const fn: GuestFunction = {
      name: f.name,
      address: addressIn(m.bases, placed),
      type: m.object.types[f.type],
      module: m.name,
      suspends: suspending[i],
      body: { kind: 'wasm', fn: exports[`f${i}`] },
    };
    env.functions.add(fn);
  });
}

/** Text r-x, read-only data r--, data rw-. @linux kernel/module/strict_rwx.c:module_enable_ro full */
function protect(env: ModuleEnvironment, m: LoadedModule): void {
  for (const part of partsOf(m)) {
    const { textPages, rodataPages } = m.layout[part];
    protectPages(env, m.bases[part], 0, textPages, PAGE_KERNEL_ROX);
    protectPages(env, m.bases[part], textPages, rodataPages, PAGE_KERNEL_RO);
  }
  env.mmu.flush();
}

function protectPages(
  env: ModuleEnvironment,
  base: Vaddr,
  from: number,
  nrPages: number,
  prot: Protection,
): void {
  for (let i = from; i < from + nrPages; i++) env.pageTables.protect(base + i * PAGE_SIZE, prot);
}

/**
 * What a module no longer needs once its init function has returned: the right to write to `__ro_after_init`, and
 * all of its init area, with the names in it.
 * @linux kernel/module/main.c:do_free_init differs: at once, not from a work item after a grace period
 */
export function dropInit(env: ModuleEnvironment, m: LoadedModule): void {
  const { layout, bases } = m;
  const { textPages, rodataPages, roAfterInitPages } = layout.core;
  protectPages(env, bases.core, textPages + rodataPages, roAfterInitPages, PAGE_KERNEL_RO);
  if (m.hasInit) {
    m.hasInit = false;
    Object.assign(ModuleStruct.at(env.ram, m.handle).init_layout, NO_AREA);
    env.functions.removeRange(bases.init, bases.init + layout.init.size);
    env.moduleFree(bases.init, layout.init.size);
    addNames(env, m);
  }
  env.mmu.flush();
}

const NO_AREA = { base: 0, size: 0, text_size: 0, ro_size: 0, ro_after_init_size: 0 };

/** Symbols for kallsyms, in the order of the symbol table. */
function symbolsOf(m: LoadedModule): KernelSymbol[] {
  const { object, layout, bases, addresses, name } = m;
  const symbols = object.symbols.flatMap((s, i): KernelSymbol[] => {
    if (s.flags & SYM_UNDEFINED || (s.kind !== 'function' && s.kind !== 'data')) return [];
    if (s.name.startsWith('.L')) return [];
    const placed =
      s.kind === 'function' ? layout.functions[s.index - object.imports.length] : layout.segments[s.segment];
    if (placed.part === 'percpu' || !partsOf(m).includes(placed.part)) return [];
    const type = s.kind === 'function' ? 't' : typeOfData(object.segments[s.segment].name);
    // Upper case for what EXPORT_SYMBOL() offers, as in Linux: EXPORT_SYMBOL_GPL() does not count.
    const exported = m.exports.some((e) => !e.gpl && e.address === addresses[i] && e.name === s.name);
    const upper = exported ? type.toUpperCase() : type;
    const f = s.kind === 'function' ? object.functions[s.index - object.imports.length] : undefined;
    const size = f ? f.end - f.start : s.kind === 'data' ? s.size : 0;
    return [{ name: s.name, address: addresses[i], size, type: upper, module: name }];
  });
  const self = {
    name: '__this_module',
    address: bases.core + layout.moduleOffset,
    size: ModuleStruct.size,
    type: 'd',
    module: name,
  };
  return [...symbols, self];
}

/** The letter by which nm names data of a section. */
const typeOfData = (section: string) => (isReadOnly(section) ? 'r' : section.startsWith('.bss') ? 'b' : 'd');

function lineLookup(m: LoadedModule): ((address: Vaddr) => SourceLine | undefined) | undefined {
  const section = m.object.customSections.get(LINES_SECTION);
  if (!section) return undefined;
  const table = decodeLines(section);
  return (address) => {
    const offset = codeOffsetOf(m.layout, presentBases(m), address);
    return offset === undefined ? undefined : table.lookup(offset);
  };
}

/** The bases of the areas that are there; 0 for the others. */
export const presentBases = ({ bases, hasInit }: LoadedModule): Bases => ({
  core: bases.core,
  init: hasInit ? bases.init : 0,
  percpu: bases.percpu,
});

/** Takes a module out of memory: nothing of it can be called or named any more. */
export function releaseImage(env: ModuleEnvironment, m: LoadedModule): void {
  env.kallsyms.remove(m.name);
  env.functions.removeModule(m.name);
  freeImage(env, m);
}
