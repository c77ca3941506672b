// SPDX-License-Identifier: MIT
/** Translates one function: see translate.ts for what becomes of which instruction. */

import { REG, SHADOW_STACK_END, TLB_ENTRIES, TLB_FETCH, type Vaddr } from '../../machine/layout.js';
import { ACCESS_BASE, type AccessTarget, emitAddress } from './access.js';
import { Asm, OP } from './assembler.js';
import { FormatError, Reader, Writer } from './binary.js';
import { DIVISIONS, LOADS, MIN_I64, STORES, skipImmediates, TRUNCATIONS } from './instructions.js';
import { F32, F64, type FunctionType, I32, I64, type ObjectFile, R, type Relocation } from './object.js';

/** Functions that every translated module imports from the machine, in this order. */
export const HELPERS: readonly { name: string; type: FunctionType }[] = [
  { name: 'readSlow', type: { params: [I64, I32, I32], results: [I32] } },
  { name: 'writeSlow', type: { params: [I64, I64, I32, I32], results: [I32] } },
  { name: 'fetchSlow', type: { params: [I64, I32, I32], results: [I32] } },
  { name: 'tick', type: { params: [I32], results: [] } },
  { name: 'trap', type: { params: [I32, I32], results: [] } },
  { name: 'memmove', type: { params: [I64, I64, I64, I32], results: [I64] } },
  { name: 'memset', type: { params: [I64, I32, I64, I32], results: [I64] } },
];
export const HELPER = {
  readSlow: 0,
  writeSlow: 1,
  fetchSlow: 2,
  tick: 3,
  trap: 4,
  memmove: 5,
  memset: 6,
} as const;

/** Why the `trap` helper is called. */
export const TRAP = { divideError: 0, invalidOpcode: 1, stackOverflow: 2, notSupported: 3 } as const;

export interface TranslateOptions {
  /** Address of a defined function's body. */
  functionAddress(index: number): Vaddr;
  /**
   * Address of a function (by index, imports first) that may be gone by the time somebody who stays calls it: such a
   * call looks where it goes. Undefined for all others, and by default.
   */
  vanishing?(index: number): Vaddr | undefined;
  /** Bytes of RAM that the direct map reaches without a TLB look-up; 0 sends every access through the TLB. */
  readonly directBytes: number;
  /** Address of a symbol (by symbol index): of the data, or of the function. */
  symbolAddress(symbol: number): Vaddr;
  /** Whether an imported function (by index) may suspend its caller; default: none does. */
  importSuspends?(index: number): boolean;
  /** Number of a canonical signature, as the fetch TLB compares it. */
  signatureId(type: FunctionType): number;
}

/** What a call into the kernel counts for, in loop iterations: so that a loop of such calls is noticed as soon. */
const KERNEL_CALL_UNITS = 16;

/** Frames of more locals than this are charged as several, so that the host's stack cannot run out first. */
const LOCALS_PER_FRAME = 16;

export class FunctionTranslator {
  readonly framed: boolean;
  protected readonly in: Reader;
  protected readonly out = new Asm();
  protected readonly type: FunctionType;
  private readonly target: AccessTarget;
  private readonly weight: number;
  /** What turns an offset in the code section's payload into an address of this function. */
  private readonly siteBase: Vaddr;
  private readonly vanishes: boolean;
  protected readonly extra: {
    a: number;
    d: number;
    v64: number;
    e: number;
    fp: number;
    v32: number;
    f32: number;
    f64: number;
  };
  protected readonly localsHeader: Writer;
  protected usesFloats = false;
  protected depth = 0;
  /** Offset of the instruction being translated, in the code section's payload. */
  protected pc = 0;
  /** The last instruction, if it was a constant: where its translation starts and its value. */
  protected lastConst: { at: number; value: number } | undefined;

  constructor(
    protected readonly object: ObjectFile,
    private readonly options: TranslateOptions,
    private readonly relocations: readonly Relocation[],
    public relocation: number,
    index: number,
  ) {
    const body = object.functions[index];
    this.siteBase = options.functionAddress(index) - body.start;
    this.vanishes = options.vanishing?.(object.imports.length + index) !== undefined;
    this.type = object.types[body.type];
    this.in = new Reader(object.code, body.start, body.end);
    this.localsHeader = new Writer();
    const locals = this.readLocals();
    const first = this.type.params.length + locals;
    this.extra = {
      a: first,
      d: first + 1,
      v64: first + 2,
      e: first + 3,
      fp: first + 4,
      v32: first + 5,
      f32: first + 6,
      f64: first + 7,
    };
    this.weight = Math.ceil((first + 8) / LOCALS_PER_FRAME);
    this.framed = this.findCalls();
    this.target = { ...this.extra, directBytes: options.directBytes };
  }

  translate(): Writer {
    const { out, type } = this;
    if (this.framed) this.enter();
    const result = type.results.length === 0 ? 0x40 : type.results[0];
    if (type.results.length > 1) throw new FormatError('function with several results');
    out.block(result);
    this.depth = 1;
    while (this.depth > 0) this.instruction();
    if (!this.in.done) throw new FormatError('code after the end of a function');
    if (this.framed) out.i32(0).get(this.extra.fp).mem(OP.i32_store, REG.ssp);
    out.end();

    const body = new Writer();
    const { groups } = this;
    body.uleb(groups + (this.usesFloats ? 4 : 2)).raw(this.localsHeader.bytes, 0, this.localsHeader.length);
    body.uleb(3).u8(I64).uleb(3).u8(I32);
    if (this.usesFloats) body.uleb(1).u8(F32).uleb(1).u8(F64);
    return body.raw(out.bytes, 0, out.length);
  }

  protected groups = 0;

  private readLocals(): number {
    const groups = this.in.uleb();
    let count = 0;
    for (let g = 0; g < groups; g++) {
      const n = this.in.uleb();
      const type = this.in.u8();
      if (type < F64 || type > I32) throw new FormatError(`local of unknown type 0x${type.toString(16)}`);
      count += n;
      if (count > 50000) throw new FormatError('more than 50000 locals');
      this.localsHeader.uleb(n).u8(type);
    }
    this.groups = groups;
    return count;
  }

  /** Looks ahead for anything that can reach other code. */
  private findCalls(): boolean {
    const r = new Reader(this.in.bytes, this.in.at, this.in.end);
    while (!r.done) {
      const op = r.u8();
      if (op === OP.call || op === OP.call_indirect || op === 0x12 || op === 0x13) return true;
      if (op === 0xfc && r.bytes[r.at] >= 8) return true;
      skipImmediates(r, op);
    }
    return false;
  }

  /** The guest address of the current instruction, low 32 bits. */
  protected get site(): number {
    return (this.siteBase + this.pc) | 0;
  }

  protected trap(kind: number): void {
    this.out.i32(kind).i32(this.site).call(HELPER.trap).op(OP.unreachable);
  }

  /** Counts work down, and calls the kernel when a tick of virtual time has passed. */
  protected tick(units = 1): void {
    const { out, extra } = this;
    out.i32(0).i32(0).mem(OP.i32_load, REG.ticks).i32(units).op(OP.i32_sub).tee(extra.e);
    out.mem(OP.i32_store, REG.ticks).i32(1).get(extra.e).op(OP.i32_gt_s).if();
    out.i32(this.site).call(HELPER.tick).end();
  }

  /** Function entry: a slot on the shadow call stack (more for large frames), and a tick. */
  protected enter(): void {
    const { out, extra, weight } = this;
    this.pc = this.in.at;
    out
      .i32(0)
      .mem(OP.i32_load, REG.ssp)
      .tee(extra.fp)
      .i32(SHADOW_STACK_END - 4 * weight) // below zero for a frame that no stack can hold
      .op(OP.i32_gt_s)
      .if();
    this.trap(TRAP.stackOverflow);
    out.end();
    out.get(extra.fp).i32(this.site).mem(OP.i32_store, 0);
    for (let i = 1; i < weight; i++)
      out
        .get(extra.fp)
        .i32(0)
        .mem(OP.i32_store, 4 * i);
    out
      .i32(0)
      .get(extra.fp)
      .i32(4 * weight)
      .op(OP.i32_add)
      .mem(OP.i32_store, REG.ssp);
    this.tick();
  }

  protected markCall(): void {
    this.out.get(this.extra.fp).i32(this.site).mem(OP.i32_store, 0);
  }

  /** If a relocation applies to the field at the reader's place, returns it and moves on. */
  private relocationHere(): Relocation | undefined {
    const { relocations } = this;
    while (this.relocation < relocations.length && relocations[this.relocation].offset < this.in.at)
      this.relocation++;
    const r = relocations[this.relocation];
    return r?.offset === this.in.at ? r : undefined;
  }

  protected instruction(): void {
    const { in: r, out } = this;
    this.pc = r.at;
    const from = r.at;
    const op = r.u8();
    const constant = this.lastConst;
    this.lastConst = undefined;
    if (LOADS[op] !== undefined) return this.load(op, LOADS[op], constant);
    if (STORES[op] !== undefined) return this.store(op, STORES[op]);
    if (DIVISIONS[op] !== undefined) return this.divide(op, DIVISIONS[op], constant);
    if (TRUNCATIONS[op] !== undefined) {
      out.u8(0xfc, TRUNCATIONS[op]);
      return;
    }
    switch (op) {
      case OP.block:
      case OP.loop:
      case OP.if:
        r.sleb();
        this.depth++;
        out.raw(r.bytes, from, r.at);
        if (op === OP.loop) this.tick();
        return;
      case OP.end:
        this.depth--;
        out.u8(op);
        return;
      case OP.return:
        out.br(this.depth - 1);
        return;
      case OP.unreachable:
        return this.trap(TRAP.invalidOpcode);
      case OP.call:
        return this.call(this.callee());
      case OP.call_indirect:
        return this.callIndirect(false);
      case 0x12:
        this.call(this.callee());
        out.br(this.depth - 1);
        return;
      case 0x13:
        return this.callIndirect(true);
      case OP.i32_const: {
        const value = r.sleb();
        this.lastConst = { at: out.length, value };
        out.raw(r.bytes, from, r.at);
        return;
      }
      case OP.i64_const:
        return this.i64Const();
      case OP.global_get:
      case OP.global_set:
        return this.stackPointer(op);
      case 0x3f:
      case 0x40:
        r.skip(1);
        return this.trap(TRAP.notSupported);
      case 0xfc:
        return this.prefixed(from);
      case 0xfd:
        throw new FormatError('SIMD instruction: kernel code is built without -msimd128');
      case 0xfe:
        throw new FormatError('atomic instruction: kernel code is built without -matomics');
      default:
        skipImmediates(r, op);
        out.raw(r.bytes, from, r.at);
    }
  }

  private i64Const(): void {
    const { in: r, out } = this;
    const relocation = this.relocationHere();
    const from = r.at;
    if (relocation === undefined) {
      const value = r.sleb();
      this.lastConst = { at: out.length, value };
      out.u8(OP.i64_const).raw(r.bytes, from, r.at);
      return;
    }
    r.sleb();
    const value = this.relocated(relocation);
    this.lastConst = { at: out.length, value };
    out.i64(value);
  }

  private relocated(r: Relocation): number {
    switch (r.type) {
      case R.MEMORY_ADDR_SLEB64:
      case R.MEMORY_ADDR_LEB64:
      case R.TABLE_INDEX_SLEB64:
        return this.symbolAddress(r);
      default:
        throw new FormatError(`relocation type ${r.type} in code: built with -fPIC or for wasm32?`);
    }
  }

  private symbolAddress({ index, addend }: Relocation): number {
    const address = this.options.symbolAddress(index) + addend;
    if (this.object.symbols[index] === undefined || !Number.isSafeInteger(address))
      throw new FormatError(`relocation against symbol ${index}, which does not exist`);
    return address;
  }

  /** Reads a memarg; an address in its offset field is resolved. */
  private memarg(): { offset: number; symbolic: boolean } {
    const { in: r } = this;
    if (r.uleb() >= 64) throw new FormatError('access to a second memory');
    const relocation = this.relocationHere();
    if (relocation === undefined) return { offset: r.address(), symbolic: false };
    r.uleb();
    return { offset: this.relocated(relocation), symbolic: true };
  }

  private load(op: number, size: number, constant: { at: number; value: number } | undefined): void {
    const { out, target } = this;
    const { offset, symbolic } = this.memarg();
    let address: number | undefined;
    if (constant !== undefined && Number.isSafeInteger(constant.value + offset)) {
      address = constant.value + offset;
      out.length = constant.at;
    }
    emitAddress(out, target, { offset, size, address, symbolic }, () => {
      out.get(target.a).i32(size).i32(this.site).call(HELPER.readSlow);
    });
    out.mem(op, ACCESS_BASE);
  }

  private store(op: number, { size, type }: { size: number; type: number }): void {
    const { out, target, extra } = this;
    const { offset, symbolic } = this.memarg();
    const value = { [I32]: extra.v32, [I64]: extra.v64, [F32]: extra.f32, [F64]: extra.f64 }[type]!;
    if (type === F32 || type === F64) this.usesFloats = true;
    out.set(value);
    emitAddress(out, target, { offset, size, write: true, symbolic }, () => {
      out.get(target.a).get(value);
      if (type === F32) out.op(OP.i32_reinterpret_f32);
      if (type === F64) out.op(OP.i64_reinterpret_f64);
      if (type === I32 || type === F32) out.op(OP.i64_extend_i32_u);
      out.i32(size).i32(this.site).call(HELPER.writeSlow);
    });
    out.get(value).mem(op, ACCESS_BASE);
  }

  /** Division: zero, and MIN / -1, are a divide error (#DE), as on x86. */
  private divide(
    op: number,
    { type, signed }: { type: number; signed: boolean },
    constant: { value: number } | undefined,
  ): void {
    const { out, extra } = this;
    if (constant !== undefined && constant.value !== 0 && constant.value !== -1) {
      out.u8(op);
      return;
    }
    const wide = type === I64;
    const y = wide ? extra.v64 : extra.v32;
    const x = wide ? extra.d : extra.e;
    out.set(y);
    if (signed) out.tee(x);
    out.get(y).op(wide ? OP.i64_eqz : OP.i32_eqz);
    if (signed) {
      if (wide) out.get(x).u8(OP.i64_const).raw(MIN_I64).op(OP.i64_eq).get(y).i64(-1).op(OP.i64_eq);
      else out.get(x).i32(-0x80000000).op(OP.i32_eq).get(y).i32(-1).op(OP.i32_eq);
      out.op(OP.i32_and, OP.i32_or);
    }
    out.if();
    this.trap(TRAP.divideError);
    out.end().get(y).u8(op);
  }

  /** Reads a callee; returns its index among the host module's functions. */
  protected callee(): number {
    const fn = this.in.uleb();
    if (fn >= this.object.imports.length + this.object.functions.length)
      throw new FormatError(`call of function ${fn}, which does not exist`);
    return HELPERS.length + fn;
  }

  private call(fn: number): void {
    const { imports, functions } = this.object;
    const callee = fn - HELPERS.length;
    this.markCall();
    const address = this.vanishes ? undefined : this.options.vanishing?.(callee);
    if (address !== undefined) {
      this.out.i64(address);
      return this.callPointer((imports[callee] ?? functions[callee - imports.length]).type);
    }
    if (callee < imports.length) this.tick(KERNEL_CALL_UNITS);
    this.out.call(fn);
  }

  private callIndirect(tail: boolean): void {
    const { in: r, out } = this;
    const index = r.uleb();
    r.uleb();
    if (!this.object.types[index])
      throw new FormatError(`indirect call of type ${index}, which does not exist`);
    this.markCall();
    this.callPointer(index);
    if (tail) out.br(this.depth - 1);
  }

  /** Calls what the address on the stack leads to, with a type by its index. */
  private callPointer(index: number): void {
    const { out, extra } = this;
    const signature = this.options.signatureId(this.object.types[index]);
    out
      .tee(extra.a)
      .op(OP.i32_wrap_i64)
      .i32(TLB_ENTRIES - 1)
      .op(OP.i32_and)
      .i32(4)
      .op(OP.i32_shl)
      .tee(extra.e);
    out.mem(OP.i64_load, TLB_FETCH).get(extra.a).op(OP.i64_eq);
    out
      .get(extra.e)
      .mem(OP.i32_load, TLB_FETCH + 8)
      .i32(signature)
      .op(OP.i32_eq, OP.i32_and);
    out
      .if(I32)
      .get(extra.e)
      .mem(OP.i32_load, TLB_FETCH + 12);
    out.else().get(extra.a).i32(signature).i32(this.site).call(HELPER.fetchSlow).end();
    out.callIndirect(index);
  }

  private stackPointer(op: number): void {
    const { in: r, out, extra } = this;
    const index = r.uleb();
    const name = this.object.globals[index] ?? index;
    if (name !== '__stack_pointer')
      throw new FormatError(`global ${name}: built with -fPIC or with thread-local data?`);
    if (op === OP.global_get) {
      out.i32(0).mem(OP.i64_load, REG.sp);
      return;
    }
    out.tee(extra.d).i32(0).mem(OP.i64_load, REG.spLimit).op(OP.i64_lt_s).if();
    this.trap(TRAP.stackOverflow);
    out.end().i32(0).get(extra.d).mem(OP.i64_store, REG.sp);
  }

  private prefixed(from: number): void {
    const { in: r, out } = this;
    const sub = r.uleb();
    if (sub <= 7) {
      out.raw(r.bytes, from, r.at);
      return;
    }
    if (sub === 10) r.skip(2);
    else if (sub === 11) r.skip(1);
    else throw new FormatError(`instruction 0xfc ${sub} does not belong in a module`);
    this.markCall();
    out
      .i32(this.site)
      .call(sub === 10 ? HELPER.memmove : HELPER.memset)
      .op(OP.drop);
  }
}
