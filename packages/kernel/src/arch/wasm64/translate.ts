// SPDX-License-Identifier: MIT
/**
 * The translator: turns the code of a relocatable wasm64 object into a wasm32 module for the host, in which every
 * access to memory goes through the machine's MMU. One pass over the instructions; each is copied, or replaced:
 *
 * - loads and stores: direct-map range check, else TLB look-up, else the MMU's slow path (see `access.ts`);
 * - memory.copy and memory.fill: calls of the MMU's memmove and memset;
 * - call_indirect: the target is a guest address; the fetch TLB gives the host table index, else the slow path
 *   checks fetch permission and signature;
 * - calls: the address of the call is put on the shadow call stack first, so that any report knows the stack;
 * - the C stack pointer: a register in host memory (REG.sp), checked against the stack's limit when set;
 * - function entry: call depth check; loop heads: a tick, so that nothing runs for ever;
 * - division, unreachable, conversions that trap: explicit checks, so that the kernel reports them with an address.
 */

import { OP, writeEnvironment, writeType } from './assembler.js';
import { Reader, Writer } from './binary.js';
import { FunctionTranslator, HELPERS, type TranslateOptions } from './function_translator.js';
import { skipImmediates } from './instructions.js';
import type { ObjectFile } from './object.js';
import { findSuspending } from './structure.js';
import { SuspendableTranslator } from './suspend.js';

export { HELPERS, TRAP, type TranslateOptions } from './function_translator.js';

export interface Translation {
  /** A host module. Exports each defined function as `f` + index; imports `env` (HELPERS) and `guest` (by index). */
  readonly bytes: Uint8Array;
  /** For each defined function, whether it can be suspended. */
  readonly suspending: boolean[];
}

export function translate(object: ObjectFile, options: TranslateOptions): Translation {
  const types = [...object.types, ...HELPERS.map((h) => h.type)];
  const out = new Writer().u8(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0);

  const typeSection = new Writer().uleb(types.length);
  for (const t of types) writeType(typeSection, t);
  out.section(1, typeSection);

  const imports = new Writer().uleb(2 + HELPERS.length + object.imports.length);
  writeEnvironment(imports);
  HELPERS.forEach((h, i) => {
    imports
      .name('env')
      .name(h.name)
      .u8(0)
      .uleb(object.types.length + i);
  });
  object.imports.forEach((f, i) => {
    imports.name('guest').name(String(i)).u8(0).uleb(f.type);
  });
  out.section(2, imports);

  const functions = new Writer().uleb(object.functions.length);
  for (const f of object.functions) functions.uleb(f.type);
  out.section(3, functions);

  const exports = new Writer().uleb(object.functions.length);
  object.functions.forEach((_, i) => {
    exports
      .name(`f${i}`)
      .u8(0)
      .uleb(HELPERS.length + object.imports.length + i);
  });
  out.section(7, exports);

  const relocations = [...object.codeRelocations].sort((a, b) => a.offset - b.offset);
  const importSuspends = (index: number) => options.importSuspends?.(index) ?? false;
  const suspending = findSuspending(object, callsOf(object), importSuspends);
  const maySuspend = (op: number, index: number) => {
    if (op === OP.call_indirect) return true;
    return index < object.imports.length ? importSuspends(index) : suspending[index - object.imports.length];
  };
  const code = new Writer().uleb(object.functions.length);
  let relocation = 0;
  for (let i = 0; i < object.functions.length; i++) {
    const parts = [object, options, relocations, relocation, i] as const;
    const translator = suspending[i]
      ? new SuspendableTranslator(maySuspend, ...parts)
      : new FunctionTranslator(...parts);
    const body = translator.translate();
    relocation = translator.relocation;
    code.uleb(body.length).raw(body.bytes, 0, body.length);
  }
  return { bytes: out.section(10, code).finish(), suspending };
}

/** What each defined function calls. */
function callsOf(object: ObjectFile): { callees: number[]; indirect: boolean }[] {
  return object.functions.map(({ start, end }) => {
    const r = new Reader(object.code, start, end);
    const groups = r.uleb();
    for (let g = 0; g < groups; g++) {
      r.uleb();
      r.u8();
    }
    const callees: number[] = [];
    let indirect = false;
    while (!r.done) {
      const op = r.u8();
      if (op === OP.call || op === 0x12) callees.push(r.uleb());
      else {
        if (op === OP.call_indirect || op === 0x13) indirect = true;
        skipImmediates(r, op);
      }
    }
    return { callees, indirect };
  });
}
