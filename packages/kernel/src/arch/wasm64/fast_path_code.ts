// SPDX-License-Identifier: MIT
/** What all generated fast paths share: how they look at RAM, and how they give up. */

import { PAGE_OFFSET, RAM_BASE, REG, SLOW_PATHS } from '../../machine/layout.js';
import { Asm, OP } from './assembler.js';
import type { FunctionType } from './object.js';

export interface FastPathBody {
  readonly type: FunctionType;
  readonly locals: number[];
  readonly code: Asm;
}

/**
 * A function that tries a fast path.
 * @param emit writes it; jumping out of the outermost block gives up, so nothing may have been stored by then
 * @param slow what is done then: ends the function
 */
export function fastPathBody(
  type: FunctionType,
  locals: number[],
  emit: (out: Asm) => void,
  slow: Asm,
): FastPathBody {
  const code = new Asm().block();
  code.i32(0).mem(OP.i32_load, SLOW_PATHS).brIf(0);
  emit(code);
  return { type, locals, code: code.end().raw(slow.bytes, 0, slow.length) };
}

/** Methods leave the wasm stack as they found it, and jump out of `depth` more blocks to give up. */
export class FastPathCode {
  constructor(
    readonly out: Asm,
    protected readonly ramSize: number,
    protected readonly nrCpus: number,
  ) {}

  /** Pushes a 32-bit word of RAM, or what another load gives, at the physical address in a local plus an offset. */
  load(local: number, offset: number, opcode: number = OP.i32_load): Asm {
    return this.out.get(local).mem(opcode, RAM_BASE + offset);
  }

  /** Gives up if the physical address in a local has not so many bytes of RAM behind it. */
  inRam(local: number, bytes: number, depth = 0): void {
    this.out
      .get(local)
      .i32(this.ramSize - bytes)
      .op(OP.i32_gt_u)
      .brIf(depth);
  }

  /** Sets `to` to the physical address behind an i64 local, or gives up. */
  physical(address: number, to: number, bytes: number): void {
    const { out } = this;
    out
      .get(address)
      .i64(-PAGE_OFFSET)
      .op(OP.i64_add)
      .i64(this.ramSize - bytes)
      .op(OP.i64_gt_u)
      .brIf(0);
    out.get(address).op(OP.i32_wrap_i64).set(to); // PAGE_OFFSET has no low word
  }

  /** Moves the address in a local from CPU 0's copy to that of the running CPU. */
  ofThisCpu(local: number, stride: number): void {
    if (this.nrCpus === 1) return;
    const { out } = this;
    out.get(local).i32(0).mem(OP.i32_load, REG.cpu).i32(stride).op(OP.i32_mul, OP.i32_add).set(local);
  }
}
