// SPDX-License-Identifier: MIT
/**
 * Loading and unloading of modules: what init_module(2) and delete_module(2) do in Linux 6.1.
 *
 * The list of modules, their structs and their images lie in RAM; the objects here (parsed file, host instance,
 * symbols) are caches over them.
 */

import { FormatError } from '../../arch/wasm64/binary.js';
import { parseObject } from '../../arch/wasm64/object.js';
import { KERN_ERR, KERN_NOTICE, KERN_WARNING } from '../../lib/env.js';
import { EBUSY, EEXIST, EINVAL, ENOENT, ENOEXEC, ENOMEM, EWOULDBLOCK } from '../../lib/errno.js';
import { initListHead, listAdd, listAddTail, listDel, listEmpty, listEntries } from '../../lib/list.js';
import type { Handle, Vaddr } from '../../machine/layout.js';
import { PERCPU_MODULE_RESERVE } from '../../mm/percpu.js';
import type { ModuleTrace } from '../../trace/events/module.js';
import {
  MODULE_NAME_LEN,
  MODULE_STATE_COMING,
  MODULE_STATE_GOING,
  MODULE_STATE_LIVE,
  Module as ModuleStruct,
  ModuleUse,
} from '../module_types.js';
import { TAINT_OOT_MODULE, TAINT_PROPRIETARY_MODULE, TAINT_UNSIGNED_MODULE } from '../taint.js';
import { UTS_RELEASE } from '../utsname.js';
import type { ModuleEnvironment } from './environment.js';
import { ModuleFiles, stripObject } from './file.js';
import { layoutImage, parseModinfo, resolveSymbols } from './image.js';
import {
  allocImage,
  attachImage,
  dropInit,
  freeImage,
  type LoadedModule,
  linkImage,
  releaseImage,
} from './link.js';

/** What a module's `vermagic` must be. */
export const VERMAGIC = `${UTS_RELEASE} SMP preempt mod_unload `;

const GPL_COMPATIBLE = new Set([
  'GPL',
  'GPL v2',
  'GPL and additional rights',
  'Dual BSD/GPL',
  'Dual MIT/GPL',
  'Dual MPL/GPL',
]);

/** One line of /proc/modules. */
export interface ModuleInfo {
  readonly name: string;
  /** Bytes: of the core, and of what goes after init as long as it is there. */
  readonly size: number;
  readonly coreSize: number;
  readonly initSize: number;
  readonly refcount: number;
  readonly usedBy: readonly string[];
  /** It has an init function and no exit function: it can never go. */
  readonly permanent: boolean;
  readonly state: 'Live' | 'Loading' | 'Unloading';
  readonly address: Vaddr;
  /** `OE+`, without parentheses; may be empty. */
  readonly flags: string;
}

/** What the loader asks a module's `modinfo` section for. Throws FormatError without a name. */
function describeModinfo(modinfo: LoadedModule['modinfo']) {
  const info = (key: string) => modinfo.find((entry) => entry.key === key)?.value;
  const name = info('name');
  if (name === undefined || name === '' || name.length >= MODULE_NAME_LEN)
    throw new FormatError(
      `module name: got ${JSON.stringify(name)}, expected 1 to ${MODULE_NAME_LEN - 1} characters`,
    );
  const license = info('license') ?? 'unspecified';
  return { name, license, inTree: info('intree') !== undefined, vermagic: info('vermagic') };
}

/** Taint letters that a module brings: all modules are unsigned here. */
function taintsOf(license: string, inTree: boolean): string {
  const proprietary = GPL_COMPATIBLE.has(license) ? '' : TAINT_PROPRIETARY_MODULE;
  return proprietary + (inTree ? '' : TAINT_OOT_MODULE) + TAINT_UNSIGNED_MODULE;
}

export class Modules {
  private readonly head: Handle;
  private readonly byName = new Map<string, LoadedModule>();
  private readonly signatureWarned: Handle;
  private readonly files: ModuleFiles;

  constructor(private readonly env: ModuleEnvironment) {
    this.head = env.data.declare('modules', 16);
    this.signatureWarned = env.data.declare('module_verification_warned', 4);
    this.files = new ModuleFiles(env.ram, env.data, env.pages);
  }

  boot(): void {
    initListHead(this.env.ram, this.head);
    this.files.boot();
  }

  /** Rebuilds all caches over the modules in RAM, in the order in which they were loaded. */
  attach(): void {
    const { env } = this;
    for (const entry of [...listEntries(env.ram, this.head)].reverse()) {
      const handle = entry - ModuleStruct.w.list;
      const object = parseObject(this.files.read(handle));
      const modinfo = parseModinfo(object.customSections.get('modinfo'));
      const { name, license, inTree } = describeModinfo(modinfo);
      const layout = layoutImage(object);
      const { core_layout, init_layout, percpu } = ModuleStruct.at(env.ram, handle);
      const bases = { core: core_layout.base, init: this.files.initBase(handle), percpu };
      const hasInit = init_layout.size !== 0;
      const gpl = GPL_COMPATIBLE.has(license);
      const { addresses } = resolveSymbols(object, layout, bases, (s) => this.resolve(s, gpl, new Set()));
      const taints = taintsOf(license, inTree);
      const { vanishes } = this;
      const request = { name, object, modinfo, layout, bases, hasInit, addresses, taints, vanishes };
      this.byName.set(name, attachImage(env, request));
    }
  }

  /**
   * Loads a module, up to where its init function is to be called; `initDone` is what follows.
   * @param image the bytes of a `.ko`
   * @param args parameters as insmod passes them: `n=7 s=hello`
   * @returns the module, or a negative errno
   * @linux kernel/module/main.c:load_module partial: signatures are always missing, no live patching
   */
  load(image: Uint8Array, args = ''): LoadedModule | number {
    const { log } = this.env;
    try {
      const loaded = this.form(image);
      if (typeof loaded === 'number') return loaded;
      return this.prepare(loaded, args);
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      log.log(KERN_ERR, `Invalid module format: ${error.message}`);
      return -ENOEXEC;
    }
  }

  /** Everything before the module's code can run: checks, placement, symbols, relocation, translation. */
  private form(image: Uint8Array): LoadedModule | number {
    const { env } = this;
    const object = parseObject(image);
    const modinfo = parseModinfo(object.customSections.get('modinfo'));
    const { name, license, inTree, vermagic } = describeModinfo(modinfo);
    if (vermagic !== VERMAGIC) {
      env.log.log(KERN_ERR, `${name}: version magic '${vermagic ?? ''}' should be '${VERMAGIC}'`);
      return -ENOEXEC;
    }
    const taints = this.checkTaints(name, license, inTree);
    if (this.byName.has(name)) return -EEXIST;
    this.checkSignature(name);

    const layout = layoutImage(object);
    const bases = allocImage(env, layout);
    if (!bases) {
      const { size } = layout.percpu;
      if (size > PERCPU_MODULE_RESERVE)
        env.log.log(KERN_WARNING, `${name}: Could not allocate ${size} bytes percpu data`);
      return -ENOMEM;
    }
    const hasInit = layout.init.size !== 0;
    const uses = new Set<LoadedModule>();
    const gpl = GPL_COMPATIBLE.has(license);
    const refused = new Set<string>();
    const resolved = resolveSymbols(object, layout, bases, (symbol) => {
      const address = this.resolve(symbol, gpl, uses);
      if (address === undefined || this.checkNamespace(name, symbol, modinfo)) return address;
      refused.add(symbol);
      return undefined;
    });
    if (resolved.unknown.length > 0) {
      const errors = resolved.unknown.map((symbol) => (refused.has(symbol) ? -EINVAL : -ENOENT));
      resolved.unknown.forEach((symbol, i) => {
        env.log.log(KERN_WARNING, `${name}: Unknown symbol ${symbol} (err ${errors[i]})`);
      });
      freeImage(env, { layout, bases, hasInit });
      return errors.at(-1)!;
    }
    const loaded = linkImage(env, {
      name,
      object,
      modinfo,
      layout,
      bases,
      hasInit,
      addresses: resolved.addresses,
      taints,
      vanishes: this.vanishes,
    });
    const duplicate = loaded.exports.find((e) => this.resolve(e.name, true, new Set()) !== undefined);
    if (duplicate) {
      const owner = this.ownerOf(duplicate.name)?.name ?? 'kernel';
      env.log.log(KERN_ERR, `${name}: exports duplicate symbol ${duplicate.name} (owned by ${owner})`);
      releaseImage(env, loaded);
      return -ENOEXEC;
    }
    if (!this.files.keep(loaded.handle, stripObject(image), bases.init)) {
      releaseImage(env, loaded);
      return -ENOMEM;
    }
    this.enlist(loaded, uses);
    return loaded;
  }

  /** @linux kernel/module/main.c:check_modinfo partial: no staging, no retpoline */
  private checkTaints(name: string, license: string, inTree: boolean): string {
    const { taint, log } = this.env;
    const flags = taintsOf(license, inTree);
    if (!inTree && !taint.has(TAINT_OOT_MODULE))
      log.log(KERN_WARNING, `${name}: loading out-of-tree module taints kernel.`);
    if (flags.includes(TAINT_PROPRIETARY_MODULE) && !taint.has(TAINT_PROPRIETARY_MODULE))
      log.log(KERN_WARNING, `${name}: module license '${license}' taints kernel.`);
    for (const flag of flags) if (flag !== TAINT_UNSIGNED_MODULE) taint.add(flag);
    return flags;
  }

  private checkSignature(name: string): void {
    const { taint, log, ram } = this.env;
    if (!ram.i32[this.signatureWarned])
      log.log(
        KERN_NOTICE,
        `${name}: module verification failed: signature and/or required key missing - tainting kernel`,
      );
    ram.i32[this.signatureWarned] = 1;
    taint.add(TAINT_UNSIGNED_MODULE);
  }

  /** Address of a symbol that the kernel or a live module exports; notes whose it is. */
  private resolve(symbol: string, gpl: boolean, uses: Set<LoadedModule>): Vaddr | undefined {
    const own = this.env.kernelSymbol(symbol);
    if (own !== undefined) return own;
    const owner = this.ownerOf(symbol);
    const found = owner?.exports.find((e) => e.name === symbol);
    if (!owner || !found || (found.gpl && !gpl)) return undefined;
    uses.add(owner);
    return found.address;
  }

  /** Whether a module imports the namespace that a symbol is in. @linux kernel/module/main.c:verify_namespace_is_imported full */
  private checkNamespace(name: string, symbol: string, modinfo: LoadedModule['modinfo']): boolean {
    if (this.env.kernelSymbol(symbol) !== undefined) return true;
    const namespace = this.ownerOf(symbol)?.exports.find((e) => e.name === symbol)?.namespace ?? '';
    if (namespace === '') return true;
    if (modinfo.some(({ key, value }) => key === 'import_ns' && value === namespace)) return true;
    this.env.log.log(
      KERN_ERR,
      `${name}: module uses symbol (${symbol}) from namespace ${namespace}, but does not import it.`,
    );
    return false;
  }

  /** Whether an exported function is one of its module's `__init` functions, which modpost warns of. */
  private readonly vanishes = (address: Vaddr): boolean =>
    address !== 0 &&
    [...this.byName.values()].some(
      ({ exports, bases, layout }) =>
        address >= bases.init &&
        address < bases.init + layout.init.size &&
        exports.some((e) => e.address === address),
    );

  private ownerOf(symbol: string): LoadedModule | undefined {
    for (const m of this.byName.values())
      if (this.struct(m).state !== MODULE_STATE_GOING && m.exports.some((e) => e.name === symbol)) return m;
    return undefined;
  }

  struct(m: LoadedModule) {
    return ModuleStruct.at(this.env.ram, m.handle);
  }

  private enlist(m: LoadedModule, uses: ReadonlySet<LoadedModule>): void {
    const { ram } = this.env;
    const struct = this.struct(m);
    struct.state = MODULE_STATE_COMING;
    struct.refcnt = 2; // MODULE_REF_BASE, and one for the init function that runs
    initListHead(ram, m.handle + ModuleStruct.w.source_list);
    initListHead(ram, m.handle + ModuleStruct.w.target_list);
    listAdd(ram, m.handle + ModuleStruct.w.list, this.head);
    this.byName.set(m.name, m);
    for (const used of uses) this.addUse(m, used);
  }

  /** Records that module `a` uses module `b`. @linux kernel/module/main.c:add_module_usage full */
  private addUse(a: LoadedModule, b: LoadedModule): void {
    const { ram, slab } = this.env;
    const use = slab.alloc(ModuleUse.size);
    if (use === 0) return;
    const u = ModuleUse.at(ram, use);
    u.source = a.handle;
    u.target = b.handle;
    listAdd(ram, use + ModuleUse.w.source_list, b.handle + ModuleStruct.w.source_list);
    listAddTail(ram, use + ModuleUse.w.target_list, a.handle + ModuleStruct.w.target_list);
    this.struct(b).refcnt++;
  }

  /** Sets the module's parameters and runs its constructors. */
  private prepare(m: LoadedModule, args: string): LoadedModule | number {
    const refused = this.env.notifyState(m, MODULE_STATE_COMING);
    const bad = refused < 0 ? refused : this.env.parseArgs(m, args);
    if (bad < 0) {
      this.struct(m).state = MODULE_STATE_GOING;
      if (refused >= 0) this.env.notifyState(m, MODULE_STATE_GOING);
      this.discard(m);
      return bad;
    }
    if (this.env.trace.load.enabled) this.env.trace.loaded(m.name, m.taints);
    this.env.runConstructors(m);
    return m;
  }

  /**
   * What follows a module's init function, or its absence.
   * @param result what it returned
   * @returns what init_module(2) returns
   * @linux kernel/module/main.c:do_init_module full
   */
  initDone(m: LoadedModule, result: number): number {
    const struct = this.struct(m);
    if (result < 0) {
      struct.state = MODULE_STATE_GOING;
      this.env.notifyState(m, MODULE_STATE_GOING);
      this.discard(m);
      return result;
    }
    if (result > 0) {
      const { log, reports } = this.env;
      const what = `'${m.name}'->init suspiciously returned ${result}, it should follow 0/-E convention`;
      log.log(KERN_WARNING, `do_init_module: ${what}\ndo_init_module: loading module anyway...`);
      reports.dumpStack(['do_init_module']);
    }
    struct.state = MODULE_STATE_LIVE;
    this.env.notifyState(m, MODULE_STATE_LIVE);
    struct.refcnt--;
    dropInit(this.env, m);
    return 0;
  }

  private discard(m: LoadedModule): void {
    const { ram, slab, trace } = this.env;
    if (trace.free.enabled) trace.free.emit({ name: m.name });
    this.env.freeArgs(m); // may fault, when a parameter was __initdata: the module then stays, GOING
    for (const entry of listEntries(ram, m.handle + ModuleStruct.w.target_list)) {
      const use = entry - ModuleUse.w.target_list;
      const target = ModuleUse.at(ram, use).target;
      ModuleStruct.at(ram, target).refcnt--;
      listDel(ram, use + ModuleUse.w.source_list);
      slab.free(use);
    }
    listDel(ram, m.handle + ModuleStruct.w.list);
    this.byName.delete(m.name);
    this.files.drop(m.handle);
    releaseImage(this.env, m);
  }

  /**
   * Begins to unload a module, up to where its exit function is to be called; `exitDone` is what follows.
   * @returns the module, -ENOENT (no such module), -EWOULDBLOCK (in use), or -EBUSY (not live, or it has no exit
   *   function)
   * @linux kernel/module/main.c:SYSCALL_DEFINE2 full
   */
  unload(name: string): LoadedModule | number {
    const { env } = this;
    const m = this.byName.get(name);
    if (!m) return -ENOENT;
    const struct = this.struct(m);
    if (!listEmpty(env.ram, m.handle + ModuleStruct.w.source_list)) return -EWOULDBLOCK;
    if (struct.state !== MODULE_STATE_LIVE) return -EBUSY;
    if (m.init !== 0 && m.exit === 0) return -EBUSY;
    if (struct.refcnt !== 1) return -EWOULDBLOCK;
    struct.refcnt = 0;
    struct.state = MODULE_STATE_GOING;
    return m;
  }

  /** What follows a module's exit function: nothing of the module is left. */
  exitDone(m: LoadedModule): void {
    this.env.notifyState(m, MODULE_STATE_GOING);
    this.discard(m);
  }

  /** The module whose struct is at a handle. */
  byHandle(handle: Handle): LoadedModule | undefined {
    return [...this.byName.values()].find((m) => m.handle === handle);
  }

  /** Loaded modules, newest first. */
  loaded(): LoadedModule[] {
    const { ram } = this.env;
    const byHandle = new Map([...this.byName.values()].map((m) => [m.handle, m]));
    return [...listEntries(ram, this.head)].map((entry) => byHandle.get(entry - ModuleStruct.w.list)!);
  }

  find(name: string): LoadedModule | undefined {
    return this.byName.get(name);
  }

  /** What /proc/modules and lsmod show. */
  list(): ModuleInfo[] {
    return this.loaded().map((m) => {
      const struct = this.struct(m);
      const state = struct.state;
      const mark = state === MODULE_STATE_COMING ? '+' : state === MODULE_STATE_GOING ? '-' : '';
      return {
        name: m.name,
        size: struct.core_layout.size + struct.init_layout.size,
        coreSize: struct.core_layout.size,
        initSize: struct.init_layout.size,
        refcount: Math.max(0, struct.refcnt - 1),
        usedBy: this.usersOf(m),
        permanent: m.init !== 0 && m.exit === 0,
        state: mark === '+' ? 'Loading' : mark === '-' ? 'Unloading' : 'Live',
        address: m.bases.core,
        flags: m.taints + mark,
      };
    });
  }

  private usersOf(m: LoadedModule): string[] {
    const { ram } = this.env;
    return [...listEntries(ram, m.handle + ModuleStruct.w.source_list)].map((entry) => {
      const user = ModuleUse.at(ram, entry - ModuleUse.w.source_list).source;
      const name = ModuleStruct.at(ram, user).name;
      return String.fromCharCode(...name.subarray(0, name.indexOf(0)));
    });
  }

  /** Takes a reference for as long as somebody uses the module. @linux kernel/module/main.c:try_module_get full */
  tryGet(struct: Handle): boolean {
    if (struct === 0) return true;
    const m = ModuleStruct.at(this.env.ram, struct);
    if (m.state === MODULE_STATE_GOING || m.refcnt === 0) return false;
    m.refcnt++;
    if (this.env.trace.get.enabled) this.traceRefcount(this.env.trace.get, m);
    return true;
  }

  /** @linux kernel/module/main.c:module_put full */
  put(struct: Handle): void {
    if (struct === 0) return;
    const m = ModuleStruct.at(this.env.ram, struct);
    if (m.refcnt <= 0) this.env.reports.warn('kernel/module/main.c', 843, 'module_put');
    else {
      m.refcnt--;
      if (this.env.trace.put.enabled) this.traceRefcount(this.env.trace.put, m);
    }
  }

  private traceRefcount(tracepoint: ModuleTrace['get'], m: ReturnType<Modules['struct']>): void {
    const name = String.fromCharCode(...m.name.subarray(0, m.name.indexOf(0)));
    tracepoint.emit({ ip: this.env.reports.callerAddress(), refcnt: m.refcnt, name });
  }
}
