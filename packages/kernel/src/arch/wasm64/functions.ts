// SPDX-License-Identifier: MIT
/**
 * Functions by guest address: what an indirect call finds, what an image's imports are bound to, and how the
 * kernel calls C.
 *
 * A function's address is that of its code in guest memory. The host's function table is a cache: an entry is made
 * the first time an address is called with some signature.
 */

import { REG, SHADOW_STACK, SHADOW_STACK_END, type Vaddr } from '../../machine/layout.js';
import type { Ram } from '../../machine/ram.js';
import { ModuleBuilder } from './assembler.js';
import type { KernelFunction } from './exports.js';
import type { FunctionType } from './object.js';
import {
  adaptable,
  adaptorCode,
  addTrampoline,
  directCall,
  kernelShimCode,
  lower,
  loweredType,
  parseSignature,
  type Signature,
  sameType,
} from './shims.js';

/** A function that C can call. */
export interface GuestFunction {
  readonly name: string;
  readonly address: Vaddr;
  readonly type: FunctionType;
  /** The module it belongs to; undefined for the kernel's own. */
  readonly module?: string;
  /** Whether its frame can be saved and restored, so that it may be on the stack when a task sleeps. */
  readonly suspends?: boolean;
  readonly body:
    | { readonly kind: 'wasm'; readonly fn: unknown }
    | { readonly kind: 'kernel'; readonly signature: Signature; readonly fn: KernelFunction };
}

/** Makes the description of a function that the kernel offers to C. */
export function kernelFunction(
  name: string,
  address: Vaddr,
  signatureText: string,
  fn: KernelFunction,
): GuestFunction {
  const signature = parseSignature(signatureText);
  return { name, address, type: signature.type, body: { kind: 'kernel', signature, fn } };
}

type Trampoline = (index: number, ...args: (number | bigint)[]) => number | undefined;

/** How the kernel calls C functions of a signature. */
interface Caller {
  readonly signatureId: number;
  readonly trampoline: Trampoline;
}

export class Functions {
  readonly table = new WebAssembly.Table({ element: 'anyfunc', initial: 1 });
  private readonly byAddress = new Map<Vaddr, GuestFunction>();
  private readonly signatureIds = new Map<string, number>();
  /** Host table indices by address, for each number of a function type. */
  private readonly indices: Map<Vaddr, number>[] = [];
  private readonly free: number[] = [];
  /** Calls of C by the kernel that are under way. */
  depth = 0;
  private readonly trampolines = new Map<string, Trampoline>();
  /** The kernel's functions that need no shim; null for those that do. */
  private readonly ownFunctions = new Map<GuestFunction, Trampoline | null>();
  /** By the text of a signature. */
  private readonly callers = new Map<string, Caller>();

  constructor(private readonly ram: Ram) {}

  add(fn: GuestFunction): void {
    this.byAddress.set(fn.address, fn);
  }

  /** Forgets the functions of a module that is gone; the caller flushes the fetch TLB. */
  removeModule(module: string): void {
    for (const fn of [...this.byAddress.values()]) if (fn.module === module) this.remove(fn.address);
  }

  /** Forgets the functions in a range of addresses; the caller flushes the fetch TLB. */
  removeRange(from: Vaddr, to: Vaddr): void {
    for (const address of [...this.byAddress.keys()])
      if (address >= from && address < to) this.remove(address);
  }

  private remove(address: Vaddr): void {
    this.byAddress.delete(address);
    for (const indices of this.indices) {
      const index = indices?.get(address);
      if (index === undefined) continue;
      indices.delete(address);
      this.table.set(index, null);
      this.free.push(index);
    }
  }

  at(address: Vaddr): GuestFunction | undefined {
    return this.byAddress.get(address);
  }

  /** Called when C jumps to an address where no function is: a weak function that nobody defines. */
  onMissing: (address: Vaddr) => void = () => {};

  /** What a direct call of an address without a function is bound to. */
  missing(address: Vaddr): GuestFunction {
    return kernelFunction('', address, 'v:', () => {
      this.onMissing(address);
      return undefined;
    });
  }

  /** A small number for each distinct function type: what an indirect call site compares. */
  signatureId(type: FunctionType): number {
    const key = `${type.params}>${type.results}`;
    let id = this.signatureIds.get(key);
    if (id === undefined) {
      id = this.signatureIds.size + 1;
      this.signatureIds.set(key, id);
    }
    return id;
  }

  private typeOf(signatureId: number): FunctionType {
    const key = [...this.signatureIds.keys()][signatureId - 1];
    const [params, results] = key.split('>').map((list) => (list === '' ? [] : list.split(',').map(Number)));
    return { params, results };
  }

  /**
   * Host table index through which the function at an address can be called with a signature.
   * @returns -1 if no function begins there, -2 if the types cannot be adapted
   */
  indexFor(address: Vaddr, signatureId: number): number {
    const known = this.indices[signatureId]?.get(address);
    if (known !== undefined) return known;
    const fn = this.byAddress.get(address);
    if (!fn) return -1;
    const type = this.typeOf(signatureId);
    if (!adaptable(type, fn.type)) return -2;
    const index = this.free.pop() ?? this.table.grow(1);
    this.table.set(index, this.bind([{ type, fn }])[0]);
    this.indices[signatureId] ??= new Map();
    this.indices[signatureId].set(address, index);
    return index;
  }

  /**
   * Host functions through which each given function can be called with each given type: itself where the types
   * agree, else a generated shim, which for types that cannot be adapted jumps into nothing. All shims are made in
   * one module.
   */
  bind(requested: readonly { type: FunctionType; fn: GuestFunction }[]): unknown[] {
    const wanted = requested.map(({ type, fn }) => ({
      type,
      fn: adaptable(type, fn.type) ? fn : this.missing(fn.address),
    }));
    const m = new ModuleBuilder();
    const imports: Record<string, unknown> = {};
    const needShim = wanted.map(({ type, fn }) => fn.body.kind === 'kernel' || !sameType(type, fn.type));
    if (!needShim.includes(true)) return wanted.map(({ fn }) => (fn.body as { fn: unknown }).fn);
    const callees = wanted.map(({ fn }, i) => {
      if (!needShim[i]) return -1;
      const { body } = fn;
      const lowered = body.kind === 'kernel';
      imports[i] = lowered ? lower(body.signature, body.fn) : body.fn;
      return m.import('f', String(i), lowered ? loweredType(body.signature) : fn.type);
    });
    wanted.forEach(({ type, fn: { type: to, body } }, i) => {
      if (!needShim[i]) return;
      const code =
        body.kind === 'kernel'
          ? kernelShimCode(type, body.signature, callees[i])
          : adaptorCode(type, to, callees[i]);
      m.func(String(i), type, [], code);
    });
    const { exports } = this.instantiate(m, imports);
    return wanted.map(({ fn }, i) => (needShim[i] ? exports[i] : (fn.body as { fn: unknown }).fn));
  }

  private instantiate(m: ModuleBuilder, f: Record<string, unknown>): WebAssembly.Instance {
    return new WebAssembly.Instance(new WebAssembly.Module(m.build()), {
      env: { memory: this.ram.memory, table: this.table },
      f,
    });
  }

  /** How functions of a signature are called; signatures of the same types share a trampoline. */
  private caller(signatureText: string): Caller {
    const known = this.callers.get(signatureText);
    if (known) return known;
    const signature = parseSignature(signatureText);
    const key = `${signature.type.params}>${signature.type.results}`;
    let trampoline = this.trampolines.get(key);
    if (!trampoline) {
      const m = new ModuleBuilder();
      addTrampoline(m, 'call', signature);
      trampoline = this.instantiate(m, {}).exports['call'] as Trampoline;
      this.trampolines.set(key, trampoline);
    }
    const caller = { signatureId: this.signatureId(signature.type), trampoline };
    this.callers.set(signatureText, caller);
    return caller;
  }

  /**
   * Calls a C function by host table index. Whatever it throws (an oops, a kill) passes through, with the call
   * stack and the stack pointer as they were.
   */
  call(index: number, signatureText: string, ...args: (number | bigint)[]): number {
    return this.enter(this.caller(signatureText).trampoline, index, args);
  }

  private enter(trampoline: Trampoline, index: number, args: readonly (number | bigint)[]): number {
    const { host32 } = this.ram;
    const ssp = host32[REG.ssp >> 2];
    const sp = host32[REG.sp >> 2];
    const spHigh = host32[(REG.sp + 4) >> 2];
    this.depth++;
    try {
      return trampoline(index, ...args) ?? 0;
    } catch (error) {
      host32[REG.ssp >> 2] = ssp;
      host32[REG.sp >> 2] = sp;
      host32[(REG.sp + 4) >> 2] = spHigh;
      throw error;
    } finally {
      this.depth--;
    }
  }

  /**
   * Calls the C function at an address. A function of the kernel's own is called without a way through C, for which
   * a shim would have to be made.
   * @param target finds the host table index, or throws what a jump there leads to
   */
  callAddress(
    address: Vaddr,
    signatureText: string,
    target: (address: Vaddr, signatureId: number) => number,
    ...args: (number | bigint)[]
  ): number {
    const own = this.ownFunction(address, signatureText);
    if (own) return this.enter(own, 0, args);
    return this.call(target(address, this.caller(signatureText).signatureId), signatureText, ...args);
  }

  /** The kernel's function at an address if it has this very signature and only integers. */
  private ownFunction(address: Vaddr, signatureText: string): Trampoline | undefined {
    const fn = this.byAddress.get(address);
    if (fn?.body.kind !== 'kernel' || fn.body.signature !== parseSignature(signatureText)) return undefined;
    let own = this.ownFunctions.get(fn);
    if (own === undefined) {
      own = directCall(fn.body.signature, fn.body.fn) ?? null;
      this.ownFunctions.set(fn, own);
    }
    return own ?? undefined;
  }

  /** Runs `body` with return addresses on the shadow call stack, outermost first. */
  withFrames<T>(addresses: readonly Vaddr[], body: () => T): T {
    const { host32 } = this.ram;
    const base = host32[REG.ssp >> 2];
    if (base + 4 * addresses.length > SHADOW_STACK_END) return body();
    addresses.forEach((address, i) => {
      host32[(base >> 2) + i] = address | 0;
    });
    host32[REG.ssp >> 2] = base + 4 * addresses.length;
    try {
      return body();
    } finally {
      host32[REG.ssp >> 2] = base;
    }
  }

  /** Empties the shadow call stack: at power-on. */
  reset(): void {
    this.ram.host32[REG.ssp >> 2] = SHADOW_STACK;
  }
}
