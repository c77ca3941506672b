// SPDX-License-Identifier: MIT
/** A bare machine for tests and benchmarks of translated code: RAM, page tables, an MMU, and no kernel. */

import { layoutImage, relocateSegment, resolveSymbols } from '../../kernel/module/image.js';
import {
  KERNEL_TEXT_START,
  PAGE_OFFSET,
  PAGE_SIZE,
  type Paddr,
  REG,
  type Vaddr,
  VMALLOC_START,
  vaddr,
} from '../../machine/layout.js';
import { Ram } from '../../machine/ram.js';
import { PAGE_KERNEL, PAGE_KERNEL_RO, PAGE_KERNEL_ROX, PageTables } from '../../mm/pgtable.js';
import { COMPILER_RT, compilerRuntime } from './compiler_rt.js';
import type { KernelExports } from './exports.js';
import { Functions, type GuestFunction, kernelFunction } from './functions.js';
import { Mmu, PF_INSTR } from './mmu.js';
import { MMU_FUNCTIONS, mmuFunctions } from './mmu_functions.js';
import { parseObject } from './object.js';
import { parseSignature } from './shims.js';
import { TRAP, translate } from './translate.js';

/** What a test sees when guest code does something that a kernel would report. */
export class GuestTrap extends Error {
  override name = 'GuestTrap';
  constructor(
    readonly kind: string,
    readonly address: Vaddr,
    readonly code: number,
    /** Offset of the instruction in the code section. */
    readonly offset: number,
  ) {
    super(`${kind} at ${address} (code ${code}, instruction ${offset})`);
  }
}

export interface BareOptions {
  /** Bytes of RAM. */
  memory?: number;
  /** False sends direct-map accesses through the TLB too. */
  directMap?: boolean;
  /** Names of imported functions that may suspend their caller. */
  suspends?: readonly string[];
  /** Loop iterations and calls after which a `tick` trap is thrown; default: never. */
  ticks?: number;
}

/** Memory that guest code gets: the image from here, a stack below it, the heap from HEAP. */
const IMAGE = vaddr(0xffffffff, 0xc0000000);
const STACK_BYTES = 65536;

export class BareMachine {
  readonly ram: Ram;
  readonly tables: PageTables;
  readonly functions: Functions;
  readonly mmu: Mmu;
  private next: Paddr = 0x100000;
  private readonly symbols = new Map<string, Vaddr>();
  private readonly defined = new Map<string, Vaddr>();

  constructor(private readonly options: BareOptions = {}) {
    this.ram = new Ram(options.memory ?? 16 * 2 ** 20);
    const root = this.frame();
    this.tables = new PageTables(this.ram, root, () => this.frame());
    this.tables.mapRange(PAGE_OFFSET, 0, this.ram.size, PAGE_KERNEL);
    this.functions = new Functions(this.ram);
    const trap = (kind: string, address: Vaddr, code: number, pc: number): never => {
      throw new GuestTrap(kind, address, code, (pc - (IMAGE | 0)) >>> 0);
    };
    this.mmu = new Mmu(this.ram, this.functions.table, {
      fault: (lo, hi, _size, code, pc) => {
        const address = hi * 4294967296 + (lo >>> 0);
        if (!this.onFault(address, code)) trap('fault', address, code, pc);
      },
      fetch: (lo, hi, signature, pc) => {
        const address = hi * 4294967296 + (lo >>> 0);
        const walked = this.mmu.walk(address, PF_INSTR);
        if (walked < 0) trap('fault', address, walked & 0x7fffffff, pc);
        const index = this.functions.indexFor(address, signature);
        if (index < 0) trap('fetch', address, index, pc);
        this.mmu.fillFetch(lo, hi, signature, index);
        return index;
      },
    });
    this.mmu.cr3 = root;
    this.functions.reset();
    this.functions.onMissing = (address) => trap('missing', address, 0, 0);
    const stack = this.alloc(STACK_BYTES);
    this.ram.hostView.setBigInt64(REG.sp, BigInt(stack + STACK_BYTES), true);
    this.ram.hostView.setBigInt64(REG.spLimit, BigInt(stack), true);
    this.ram.host32[REG.ticks >> 2] = options.ticks ?? 0x7fffffff;
    this.trap = trap;
    this.offer(mmuFunctions(this.mmu, this.ram, this.functions, this.reserve(Object.keys(MMU_FUNCTIONS))));
    const divideError = (pc: number) => trap('trap', 0, TRAP.divideError, pc);
    this.offer(compilerRuntime(this.mmu, this.ram, this.functions, this.reserve(COMPILER_RT), divideError));
  }

  /** The page-fault handler: true if it mapped the page, false to have a `fault` trap thrown. */
  onFault: (address: Vaddr, code: number) => boolean = () => false;

  private readonly trap: (kind: string, address: Vaddr, code: number, pc: number) => never;

  /** A page frame, zeroed. */
  frame(): Paddr {
    const at = this.next;
    this.next += PAGE_SIZE;
    if (this.next > this.ram.size) throw new Error('the bare machine is out of memory');
    return at;
  }

  /** Memory in the direct map, zeroed, page-aligned. */
  alloc(bytes: number): Vaddr {
    const at = this.next;
    for (let i = 0; i < bytes; i += PAGE_SIZE) this.frame();
    return PAGE_OFFSET + at;
  }

  private vmallocNext = VMALLOC_START;

  /** Memory mapped page by page in the vmalloc area, its frames in reverse order. */
  vmalloc(bytes: number): Vaddr {
    const at = this.vmallocNext;
    const pages = Math.ceil(bytes / PAGE_SIZE);
    for (let i = pages - 1; i >= 0; i--) this.tables.map(at + i * PAGE_SIZE, this.frame(), PAGE_KERNEL);
    this.vmallocNext += (pages + 1) * PAGE_SIZE;
    return at;
  }

  /** Offers functions to the object that is loaded next. */
  export(exports: KernelExports): void {
    const addressOf = this.reserve(Object.keys(exports));
    this.offer(
      Object.entries(exports).map(([name, [signature, fn]]) =>
        kernelFunction(name, addressOf(name), signature, fn),
      ),
    );
  }

  /** Gives each name an address in kernel text, which is mapped. */
  private reserve(names: readonly string[]): (name: string) => Vaddr {
    for (const name of names) {
      const address = KERNEL_TEXT_START + 64 * this.symbols.size;
      if (address % PAGE_SIZE === 0) this.tables.map(address, this.frame(), PAGE_KERNEL_ROX);
      this.symbols.set(name, address);
    }
    return (name) => this.symbols.get(name)!;
  }

  private offer(functions: GuestFunction[]): void {
    for (const fn of functions) this.functions.add(fn);
  }

  /** Loads one object; its functions can then be called by name. */
  load(file: Uint8Array): void {
    const object = parseObject(file);
    const layout = layoutImage(object);
    const bases = { core: IMAGE, init: 0, percpu: 0 };
    const { addresses, unknown } = resolveSymbols(object, layout, bases, (name) => this.symbols.get(name));
    if (unknown.length > 0) throw new Error(`unknown symbols: ${unknown.join(', ')}`);
    const { textPages, rodataPages, size } = layout.core;
    for (let page = 0; page * PAGE_SIZE < size; page++)
      this.tables.map(
        IMAGE + page * PAGE_SIZE,
        this.frame(),
        page < textPages ? PAGE_KERNEL_ROX : page < textPages + rodataPages ? PAGE_KERNEL_RO : PAGE_KERNEL,
      );
    layout.segments.forEach(({ segment, offset }) => {
      relocateSegment(segment, addresses).forEach((byte, i) => {
        this.ram.u8[this.mmu.translate(IMAGE + offset + i)] = byte;
      });
    });
    const { bytes } = translate(object, {
      functionAddress: (i) => IMAGE + layout.functions[i].offset,
      directBytes: this.options.directMap === false ? 0 : this.ram.size,
      symbolAddress: (i) => addresses[i],
      signatureId: (type) => this.functions.signatureId(type),
      importSuspends: (i) => this.options.suspends?.includes(object.imports[i].name) ?? false,
    });
    const imports = this.functions.bind(
      object.imports.map(({ name, type }) => ({
        type: object.types[type],
        fn: this.functions.at(this.symbols.get(name) ?? 0) ?? this.functions.missing(0),
      })),
    );
    const { code } = this.mmu;
    const instance = new WebAssembly.Instance(new WebAssembly.Module(bytes), {
      env: {
        memory: this.ram.memory,
        table: this.functions.table,
        ...code,
        tick: (pc: number) => this.trap('tick', 0, 0, pc),
        trap: (kind: number, pc: number) => this.trap('trap', 0, kind, pc),
      },
      guest: Object.fromEntries(imports.map((f, i) => [i, f])),
    });
    object.functions.forEach((f, i) => {
      const address = IMAGE + layout.functions[i].offset;
      const fn = instance.exports[`f${i}`];
      this.functions.add({ name: f.name, address, type: object.types[f.type], body: { kind: 'wasm', fn } });
      this.defined.set(f.name, address);
    });
    object.symbols.forEach(({ name }, i) => {
      if (name !== '' && addresses[i] !== 0) this.defined.set(name, addresses[i]);
    });
    this.constructors = object.initFunctions.map((i) => object.symbols[i].name);
  }

  /** Address of a function or variable of the loaded object, or of a function offered to it. */
  addressOf(name: string): Vaddr {
    const address = this.defined.get(name) ?? this.symbols.get(name);
    if (address === undefined) throw new Error(`no symbol ${name}`);
    return address;
  }

  /** Names of the loaded object's constructors, in the order in which they are to run. */
  constructors: readonly string[] = [];

  /** Calls a function of the loaded object. */
  call(name: string, signature: string, ...args: (number | bigint)[]): number {
    const address = this.addressOf(name);
    const { type } = parseSignature(signature);
    const index = this.functions.indexFor(address, this.functions.signatureId(type));
    if (index < 0) throw new Error(`${name} cannot be called as ${signature}`);
    return this.functions.call(index, signature, ...args);
  }
}
