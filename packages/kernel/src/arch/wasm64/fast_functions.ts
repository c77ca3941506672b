// SPDX-License-Identifier: MIT
/** Puts generated fast paths before TypeScript functions that C calls. */

import type { Vaddr } from '../../machine/layout.js';
import type { Ram } from '../../machine/ram.js';
import { type Asm, ModuleBuilder } from './assembler.js';
import type { FastPathBody } from './fast_path_code.js';
import type { Functions, GuestFunction } from './functions.js';
import type { FunctionType } from './object.js';
import { kernelShimCode, lower, loweredType } from './shims.js';

/** By name: a function with a fast path, given what to do where that gives up. */
export type FastPaths = { readonly [name: string]: (slow: Asm) => FastPathBody };

/**
 * Replaces functions among those that C can call, under the same addresses. Where a fast path gives up, the function
 * that was there before is called with the same arguments.
 */
export function addFastFunctions(
  ram: Ram,
  functions: Functions,
  addressOf: (name: string) => Vaddr,
  paths: FastPaths,
): void {
  const m = new ModuleBuilder();
  const slow: Record<string, unknown> = {};
  const names = Object.keys(paths);
  const shims = names.map((name) => {
    const { body } = functions.at(addressOf(name)) as GuestFunction;
    if (body.kind !== 'kernel') throw new Error(`${name} is no TypeScript function`);
    slow[name] = lower(body.signature, body.fn);
    const callee = m.import('slow', name, loweredType(body.signature));
    return kernelShimCode(body.signature.type, body.signature, callee);
  });
  const types = names.map((name, i): FunctionType => {
    const { type, locals, code } = paths[name](shims[i]);
    m.func(name, type, locals, code);
    return type;
  });
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(m.build()), {
    env: { memory: ram.memory, table: functions.table },
    slow,
  });
  names.forEach((name, i) => {
    const body = { kind: 'wasm', fn: exports[name] } as const;
    functions.add({ name, address: addressOf(name), type: types[i], body });
  });
}
