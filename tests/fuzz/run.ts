// SPDX-License-Identifier: MIT
/** Runs one generated program on the machine and as plain wasm32, and compares. */

import { BareMachine } from '@pagewalk/kernel/arch/wasm64/testing';
import { compile32, compile64 } from '../support/clang.js';
import { generateProgram } from './generate.js';

const INPUTS = [0, 1, 77, 123456, -1];
/** How the code for the machine may be compiled: chosen by seed. */
const VARIANTS = [['-O2'], ['-O1'], ['-O2', '-mbulk-memory', '-mbulk-memory-opt'], ['-Os'], ['-O0'], ['-O3']];
const LANGUAGE = ['-g0', '-fwrapv', '-fno-strict-aliasing', '-std=gnu11'];

export interface Outcome {
  readonly where: string;
  readonly input: number;
  readonly expected: number;
  readonly actual: number | string;
}

/** @returns what differs; empty if nothing does */
export async function compareProgram(seed: number): Promise<Outcome[]> {
  const source = generateProgram(seed);
  const plain = await compile32(source, [...LANGUAGE, '-O1']);
  const flags = [...LANGUAGE, ...VARIANTS[seed % VARIANTS.length]];
  const object = await compile64(source, flags);
  const expected = runPlain(plain);
  const differences: Outcome[] = [];
  for (const where of ['direct map', 'direct map through the TLB', 'vmalloc'] as const) {
    const machine = new BareMachine({ directMap: where !== 'direct map through the TLB' });
    machine.load(object);
    const size = machine.call('area_size', 'i:');
    // Not at the start of a page, so that every array crosses a page border somewhere else.
    const area =
      (where === 'vmalloc' ? machine.vmalloc(size + 4096) : machine.alloc(size + 4096)) + 8 * (seed % 512);
    INPUTS.forEach((input, i) => {
      let actual: number | string;
      try {
        actual = machine.call('run', 'i:pi', area, input);
      } catch (error) {
        actual = String(error);
      }
      if (actual !== expected[i])
        differences.push({ where: `${where}, ${flags.join(' ')}`, input, expected: expected[i], actual });
    });
  }
  return differences;
}

function runPlain(module: Uint8Array): number[] {
  const memory = new WebAssembly.Memory({ initial: 32 });
  const bytes = () => new Uint8Array(memory.buffer);
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(module as Uint8Array<ArrayBuffer>), {
    env: {
      memory,
      memcpy: (to: number, from: number, n: number) => bytes().copyWithin(to, from, from + n) && to,
      memmove: (to: number, from: number, n: number) => bytes().copyWithin(to, from, from + n) && to,
      memset: (to: number, value: number, n: number) => bytes().fill(value, to, to + n) && to,
    },
  });
  const run = exports['run'] as (area: number, input: number) => number;
  const base = (exports['__heap_base'] as WebAssembly.Global).value as number;
  return INPUTS.map((input) => run(base, input));
}
