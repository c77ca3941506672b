// SPDX-License-Identifier: MIT
/** kmalloc, kfree and the like as C calls them: generated fast paths before the TypeScript functions. */

import type { Vaddr } from '../../machine/layout.js';
import type { Ram } from '../../machine/ram.js';
import type { SlabCore } from '../../mm/slab_core.js';
import { ModuleBuilder } from './assembler.js';
import type { Functions, GuestFunction } from './functions.js';
import { kernelShimCode, lower, loweredType } from './shims.js';
import { SLAB_FUNCTIONS, slabFunction } from './slab_code.js';

/**
 * Replaces the slab functions among those that C can call, under the same addresses. The slab allocator must have
 * booted: its tables' places become constants.
 */
export function addSlabFunctions(
  ram: Ram,
  core: SlabCore,
  functions: Functions,
  addressOf: (name: string) => Vaddr,
): void {
  const m = new ModuleBuilder();
  const slow: Record<string, unknown> = {};
  const wanted = SLAB_FUNCTIONS.map((name) => {
    const { body } = functions.at(addressOf(name)) as GuestFunction;
    if (body.kind !== 'kernel') throw new Error(`${name} is no TypeScript function`);
    slow[name] = lower(body.signature, body.fn);
    const callee = m.import('slow', name, loweredType(body.signature));
    return { name, code: kernelShimCode(body.signature.type, body.signature, callee) };
  });
  const { roots, map, env } = core;
  const places = {
    ramSize: ram.size,
    nrCpus: env.nrCpus,
    memmap: map.base * 4,
    kmallocCaches: roots.kmalloc_caches * 4,
    sizeIndex: roots.size_index * 4,
    kmemCache: roots.kmem_cache * 4,
  };
  const types = wanted.map(({ name, code }) => {
    const made = slabFunction(name, places, code);
    m.func(name, made.type, made.locals, made.code);
    return made.type;
  });
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(m.build()), {
    env: { memory: ram.memory, table: functions.table },
    slow,
  });
  wanted.forEach(({ name }, i) => {
    functions.add({
      name,
      address: addressOf(name),
      type: types[i],
      body: { kind: 'wasm', fn: exports[name] },
    });
  });
}
