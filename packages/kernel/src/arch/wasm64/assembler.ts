// SPDX-License-Identifier: MIT
/** Writes WebAssembly: an instruction writer with one method an instruction form, and a module builder. */

import { Writer } from './binary.js';
import type { FunctionType } from './object.js';

/** Opcodes that generated code uses by name. */
export const OP = {
  unreachable: 0x00,
  block: 0x02,
  loop: 0x03,
  if: 0x04,
  else: 0x05,
  end: 0x0b,
  br: 0x0c,
  br_if: 0x0d,
  br_table: 0x0e,
  return: 0x0f,
  call: 0x10,
  call_indirect: 0x11,
  drop: 0x1a,
  select: 0x1b,
  local_get: 0x20,
  local_set: 0x21,
  local_tee: 0x22,
  global_get: 0x23,
  global_set: 0x24,
  i32_load: 0x28,
  i64_load: 0x29,
  i64_load32_u: 0x35,
  i64_store32: 0x3e,
  i64_load8_u: 0x31,
  i32_load8_u: 0x2d,
  i32_store: 0x36,
  i64_store: 0x37,
  i32_store8: 0x3a,
  i64_store8: 0x3c,
  i32_const: 0x41,
  i64_const: 0x42,
  i32_eqz: 0x45,
  i32_eq: 0x46,
  i32_ne: 0x47,
  i32_lt_s: 0x48,
  i32_lt_u: 0x49,
  i32_gt_s: 0x4a,
  i32_gt_u: 0x4b,
  i32_le_u: 0x4d,
  i32_ge_u: 0x4f,
  i64_eqz: 0x50,
  i64_eq: 0x51,
  i64_ne: 0x52,
  i64_lt_s: 0x53,
  i64_lt_u: 0x54,
  i64_gt_u: 0x56,
  i64_le_u: 0x58,
  i64_ge_u: 0x5a,
  i32_clz: 0x67,
  i32_add: 0x6a,
  i32_sub: 0x6b,
  i32_mul: 0x6c,
  i32_and: 0x71,
  i32_or: 0x72,
  i32_xor: 0x73,
  i32_shl: 0x74,
  i32_shr_s: 0x75,
  i32_shr_u: 0x76,
  i64_add: 0x7c,
  i64_sub: 0x7d,
  i64_and: 0x83,
  i64_or: 0x84,
  i64_xor: 0x85,
  i64_shl: 0x86,
  i64_shr_s: 0x87,
  i64_shr_u: 0x88,
  i32_wrap_i64: 0xa7,
  i64_extend_i32_s: 0xac,
  i64_extend_i32_u: 0xad,
  f64_convert_i32_s: 0xb7,
  f64_convert_i64_s: 0xb9,
  f64_promote_f32: 0xbb,
  f32_demote_f64: 0xb6,
  i32_reinterpret_f32: 0xbc,
  i64_reinterpret_f64: 0xbd,
} as const;

/** Block type of a block that leaves nothing on the stack. */
export const VOID = 0x40;

/** Natural alignment of an access does not matter to engines; 0 is always valid. */
const ALIGN = 0;

export class Asm extends Writer {
  op(...opcodes: number[]): this {
    return this.u8(...opcodes);
  }
  get(local: number): this {
    return this.u8(OP.local_get).uleb(local);
  }
  set(local: number): this {
    return this.u8(OP.local_set).uleb(local);
  }
  tee(local: number): this {
    return this.u8(OP.local_tee).uleb(local);
  }
  i32(value: number): this {
    return this.u8(OP.i32_const).sleb(value | 0);
  }
  /** @param value an integer within ±2^53 */
  i64(value: number): this {
    return this.u8(OP.i64_const).sleb(value);
  }
  /** Any load or store, at the address on the stack plus `offset` bytes. */
  mem(opcode: number, offset: number): this {
    return this.u8(opcode, ALIGN).uleb(offset);
  }
  call(fn: number): this {
    return this.u8(OP.call).uleb(fn);
  }
  callIndirect(type: number, table = 0): this {
    return this.u8(OP.call_indirect).uleb(type).uleb(table);
  }
  block(type: number = VOID): this {
    return this.u8(OP.block, type);
  }
  loop(type: number = VOID): this {
    return this.u8(OP.loop, type);
  }
  if(type: number = VOID): this {
    return this.u8(OP.if, type);
  }
  else(): this {
    return this.u8(OP.else);
  }
  end(): this {
    return this.u8(OP.end);
  }
  br(depth: number): this {
    return this.u8(OP.br).uleb(depth);
  }
  brIf(depth: number): this {
    return this.u8(OP.br_if).uleb(depth);
  }
  return(): this {
    return this.u8(OP.return);
  }
  memoryCopy(): this {
    return this.u8(0xfc, 10, 0, 0);
  }
  memoryFill(): this {
    return this.u8(0xfc, 11, 0);
  }
}

export interface FunctionImportSpec {
  readonly module: string;
  readonly name: string;
  readonly type: FunctionType;
}

/** Builds a module of functions over one imported memory (`env.memory`) and one imported table (`env.table`). */
export class ModuleBuilder {
  private readonly types: FunctionType[] = [];
  private readonly imports: FunctionImportSpec[] = [];
  private readonly bodies: { type: number; locals: number[]; code: Asm }[] = [];
  private readonly exports: { name: string; fn: number }[] = [];
  private readonly typeIndex = new Map<string, number>();

  type(type: FunctionType): number {
    const key = `${type.params}>${type.results}`;
    let index = this.typeIndex.get(key);
    if (index === undefined) {
      index = this.types.push(type) - 1;
      this.typeIndex.set(key, index);
    }
    return index;
  }

  /** Adds an import; all imports come before the first function. Returns its function index. */
  import(module: string, name: string, type: FunctionType): number {
    if (this.bodies.length > 0) throw new Error('imports come before functions');
    this.type(type);
    return this.imports.push({ module, name, type }) - 1;
  }

  /**
   * Adds a function; returns its index. The body ends without `end`.
   * @param locals value types of the locals after the parameters
   */
  func(name: string, type: FunctionType, locals: number[], code: Asm): number {
    const fn = this.imports.length + this.bodies.push({ type: this.type(type), locals, code }) - 1;
    if (name) this.exports.push({ name, fn });
    return fn;
  }

  build(): Uint8Array {
    const out = new Writer().u8(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0);
    const types = new Writer().uleb(this.types.length);
    for (const t of this.types) writeType(types, t);
    out.section(1, types);
    const imports = new Writer().uleb(this.imports.length + 2);
    writeEnvironment(imports);
    for (const i of this.imports) imports.name(i.module).name(i.name).u8(0).uleb(this.type(i.type));
    out.section(2, imports);
    const functions = new Writer().uleb(this.bodies.length);
    for (const b of this.bodies) functions.uleb(b.type);
    out.section(3, functions);
    const exports = new Writer().uleb(this.exports.length);
    for (const e of this.exports) exports.name(e.name).u8(0).uleb(e.fn);
    out.section(7, exports);
    const code = new Writer().uleb(this.bodies.length);
    for (const b of this.bodies) writeBody(code, b.locals, b.code);
    return out.section(10, code).finish();
  }
}

export function writeType(out: Writer, type: FunctionType): void {
  out
    .u8(0x60)
    .uleb(type.params.length)
    .u8(...type.params)
    .uleb(type.results.length)
    .u8(...type.results);
}

/** The two imports that every host module has: the machine's memory and its function table. */
export function writeEnvironment(out: Writer): void {
  out.name('env').name('memory').u8(2, 0).uleb(0);
  out.name('env').name('table').u8(1, 0x70, 0).uleb(0);
}

function writeBody(out: Writer, locals: number[], code: Asm): void {
  const body = new Writer().uleb(locals.length);
  for (const type of locals) body.uleb(1).u8(type);
  body.raw(code.bytes, 0, code.length).u8(OP.end);
  out.uleb(body.length).raw(body.bytes, 0, body.length);
}
