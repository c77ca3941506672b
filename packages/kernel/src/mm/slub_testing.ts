// SPDX-License-Identifier: MIT
/** A machine with page and slab allocator and nothing else, for tests. */

import type { TestEnv } from '../lib/testing.js';
import type { PageAllocator } from './page_alloc.js';
import { pageMachine } from './page_alloc_testing.js';
import { Slub } from './slub.js';

export interface SlubMachine {
  readonly env: TestEnv;
  readonly mm: PageAllocator;
  readonly slub: Slub;
}

export function slubMachine(
  options: { mib?: number; nrCpus?: number; parameters?: Record<string, string> } = {},
): SlubMachine {
  const { env, mm } = pageMachine(options.mib ?? 16, options.nrCpus ?? 1, options.parameters ?? {});
  return { env, mm, slub: attachBooted(env, mm) };
}

function attachBooted(env: TestEnv, mm: PageAllocator): Slub {
  const slub = new Slub(env, mm);
  slub.boot();
  return slub;
}
