// SPDX-License-Identifier: MIT
/** memcpy, memmove and memset as C calls them: the MMU's generated code, at addresses in kernel text. */

import { REG, type Vaddr } from '../../machine/layout.js';
import type { Ram } from '../../machine/ram.js';
import { Asm, ModuleBuilder, OP } from './assembler.js';
import type { Functions, GuestFunction } from './functions.js';
import type { Mmu } from './mmu.js';
import { type FunctionType, I32, I64 } from './object.js';

const COPY: FunctionType = { params: [I64, I64, I64], results: [I64] };
const SET: FunctionType = { params: [I64, I32, I64], results: [I64] };

/** Names and types. memcpy of overlapping memory moves, which C leaves undefined. */
export const MMU_FUNCTIONS: {
  readonly [name: string]: { type: FunctionType; callee: 'memmove' | 'memset' };
} = {
  memcpy: { type: COPY, callee: 'memmove' },
  memmove: { type: COPY, callee: 'memmove' },
  memset: { type: SET, callee: 'memset' },
  __memcpy: { type: COPY, callee: 'memmove' },
  __memmove: { type: COPY, callee: 'memmove' },
  __memset: { type: SET, callee: 'memset' },
};

/** @param addressOf address in kernel text of each name in MMU_FUNCTIONS */
export function mmuFunctions(
  mmu: Mmu,
  ram: Ram,
  functions: Functions,
  addressOf: (name: string) => Vaddr,
): GuestFunction[] {
  const m = new ModuleBuilder();
  const withPc = (t: FunctionType): FunctionType => ({ ...t, params: [...t.params, I32] });
  const callee = {
    memmove: m.import('mmu', 'memmove', withPc(COPY)),
    memset: m.import('mmu', 'memset', withPc(SET)),
  };
  const names = Object.keys(MMU_FUNCTIONS);
  for (const name of names) {
    const { type, callee: target } = MMU_FUNCTIONS[name];
    const pc = addressOf(name) + 0x10;
    const out = new Asm().i32(0).i32(0).mem(OP.i32_load, REG.ticks);
    // 128 bytes are worth one loop iteration; the mask bounds lengths that no memory has.
    out.get(2).i64(7).op(OP.i64_shr_u, OP.i32_wrap_i64).i32(0xffffff).op(OP.i32_and);
    out.op(OP.i32_sub).mem(OP.i32_store, REG.ticks);
    m.func(name, type, [], out.get(0).get(1).get(2).i32(pc).call(callee[target]));
  }
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(m.build()), {
    env: { memory: ram.memory, table: functions.table },
    mmu: mmu.code as unknown as Record<string, unknown>,
  });
  return names.map((name) => ({
    name,
    address: addressOf(name),
    type: MMU_FUNCTIONS[name].type,
    body: { kind: 'wasm', fn: exports[name] },
  }));
}
