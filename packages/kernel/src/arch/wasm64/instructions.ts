// SPDX-License-Identifier: MIT
/** WebAssembly's instructions as the translator sees them: groups by opcode, and how long each instruction is. */

import { OP } from './assembler.js';
import { FormatError, type Reader } from './binary.js';
import { F32, F64, I32, I64 } from './object.js';

/** Loads: bytes by opcode. */
export const LOADS: Record<number, number> = {
  [0x28]: 4,
  [0x29]: 8,
  [0x2a]: 4,
  [0x2b]: 8,
  [0x2c]: 1,
  [0x2d]: 1,
  [0x2e]: 2,
  [0x2f]: 2,
  [0x30]: 1,
  [0x31]: 1,
  [0x32]: 2,
  [0x33]: 2,
  [0x34]: 4,
  [0x35]: 4,
};
/** Stores: bytes and type of the value by opcode. */
export const STORES: Record<number, { size: number; type: number }> = {
  [0x36]: { size: 4, type: I32 },
  [0x37]: { size: 8, type: I64 },
  [0x38]: { size: 4, type: F32 },
  [0x39]: { size: 8, type: F64 },
  [0x3a]: { size: 1, type: I32 },
  [0x3b]: { size: 2, type: I32 },
  [0x3c]: { size: 1, type: I64 },
  [0x3d]: { size: 2, type: I64 },
  [0x3e]: { size: 4, type: I64 },
};
/** Division and remainder: operand type and whether MIN / -1 traps too. */
export const DIVISIONS: Record<number, { type: number; signed: boolean }> = {
  [0x6d]: { type: I32, signed: true },
  [0x6e]: { type: I32, signed: false },
  [0x6f]: { type: I32, signed: true },
  [0x70]: { type: I32, signed: false },
  [0x7f]: { type: I64, signed: true },
  [0x80]: { type: I64, signed: false },
  [0x81]: { type: I64, signed: true },
  [0x82]: { type: I64, signed: false },
};
/** Trapping float-to-integer conversions, and the saturating form (after 0xfc) of each. */
export const TRUNCATIONS: Record<number, number> = {
  [0xa8]: 0,
  [0xa9]: 1,
  [0xaa]: 2,
  [0xab]: 3,
  [0xae]: 4,
  [0xaf]: 5,
  [0xb0]: 6,
  [0xb1]: 7,
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
