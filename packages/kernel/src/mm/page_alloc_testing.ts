// SPDX-License-Identifier: MIT
/** A machine with a page allocator and nothing else, for tests. */

import { makeTestEnv, type TestEnv } from '../lib/testing.js';
import { Ram } from '../machine/ram.js';
import { Memblock } from './memblock.js';
import { PageAllocator } from './page_alloc.js';

export interface PageMachine {
  readonly env: TestEnv;
  readonly mm: PageAllocator;
  /** What booting logged; `env.lines` has only what came later. */
  readonly bootLines: readonly string[];
}

/** @param mib megabytes of RAM */
export function pageMachine(mib: number, nrCpus = 1, parameters: Record<string, string> = {}): PageMachine {
  const ram = new Ram(mib * 2 ** 20);
  const env = makeTestEnv({ ram, nrCpus, parameters });
  const mm = new PageAllocator(env);
  mm.boot(new Memblock(ram.size, env.data.end));
  return { env, mm, bootLines: env.lines.splice(0) };
}
