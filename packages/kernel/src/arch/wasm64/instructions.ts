// SPDX-License-Identifier: MIT
/** WebAssembly's instructions as the translator sees them: groups by opcode, and how long each instruction is. */

import { OP } from './assembler.js';
import { FormatError, type Reader } from './binary.js';
import { F32, F64, I32, I64 } from './object.js';

/** Loads: bytes by opcode. */
export const LOADS: Record<number, number> = {
  40: 4, 41: 8, 42: 4, 43: 8, 44: 1, 45: 1, 46: 2, 47: 2,
  48: 1, 49: 1, 50: 2, 51: 2, 52: 4, 53: 4,
}; // biome-ignore format: a table by opcode
/** Stores: bytes and type of the value by opcode. */
export const STORES: Record<number, { size: number; type: number }> = {
  54: { size: 4, type: I32 },
  55: { size: 8, type: I64 },
  56: { size: 4, type: F32 },
  57: { size: 8, type: F64 },
  58: { size: 1, type: I32 },
  59: { size: 2, type: I32 },
  60: { size: 1, type: I64 },
  61: { size: 2, type: I64 },
  62: { size: 4, type: I64 },
};
/** Division and remainder: operand type and whether MIN / -1 traps too. */
export const DIVISIONS: Record<number, { type: number; signed: boolean }> = {
  109: { type: I32, signed: true },
  110: { type: I32, signed: false },
  111: { type: I32, signed: true },
  112: { type: I32, signed: false },
  127: { type: I64, signed: true },
  128: { type: I64, signed: false },
  129: { type: I64, signed: true },
  130: { type: I64, signed: false },
};
/** Trapping float-to-integer conversions, and the saturating form (after 0xfc) of each. */
export const TRUNCATIONS: Record<number, number> = {
  168: 0,
  169: 1,
  170: 2,
  171: 3,
  174: 4,
  175: 5,
  176: 6,
  177: 7,
};

export const MIN_I64 = new Uint8Array([0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x7f]);

/** Skips an instruction's immediates; throws FormatError for instructions that C never compiles to. */
export function skipImmediates(r: Reader, op: number): void {
  if (op >= 0x28 && op <= 0x3e) {
    r.uleb();
    r.uleb();
    return;
  }
  switch (op) {
    case OP.block:
    case OP.loop:
    case OP.if:
    case OP.i32_const:
    case OP.i64_const:
      r.sleb();
      return;
    case OP.br:
    case OP.br_if:
    case OP.call:
    case OP.local_get:
    case OP.local_set:
    case OP.local_tee:
    case OP.global_get:
    case OP.global_set:
    case 0x12:
      r.uleb();
      return;
    case 0x3f:
    case 0x40:
      r.u8();
      return;
    case OP.br_table:
      r.vector(() => r.uleb());
      r.uleb();
      return;
    case OP.call_indirect:
    case 0x13:
      r.uleb();
      r.uleb();
      return;
    case 0x1c:
      r.vector(() => r.u8());
      return;
    case 0x43:
      r.skip(4);
      return;
    case 0x44:
      r.skip(8);
      return;
    case 0xfc: {
      const sub = r.uleb();
      if (sub === 10) r.skip(2);
      else if (sub === 11) r.skip(1);
      return;
    }
    default:
      if (
        op <= 0x01 ||
        op === OP.else ||
        op === OP.end ||
        op === OP.return ||
        op === OP.drop ||
        op === OP.select
      )
        return;
      if (op >= 0x45 && op <= 0xc4) return;
      throw new FormatError(`instruction 0x${op.toString(16)} does not belong in a module`);
  }
}
