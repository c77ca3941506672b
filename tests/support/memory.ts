// SPDX-License-Identifier: MIT
/** What a machine's memory holds, so that a test can say: nothing was lost. */

import { slabInfo } from '@pagewalk/kernel/fs/proc/slabinfo';
import type { Machine } from '@pagewalk/kernel/machine';
import { checkPageAllocator } from '@pagewalk/kernel/mm/debug_vm';
import { validateSlub } from '@pagewalk/kernel/mm/slub_validate';

export interface MemoryState {
  /** Page frames that nobody has. */
  readonly freePages: number;
  /** Objects in use, by cache. */
  readonly objects: ReadonlyMap<string, number>;
}

/** Counts pages and objects, with empty slabs given back first: whose they were is a matter of history. */
export function memoryOf({ kernel }: Machine): MemoryState {
  const { slub, pages } = kernel;
  for (const cache of slub.caches()) slub.kmemCacheShrink(cache);
  const objects = new Map<string, number>();
  for (const cache of slub.caches()) {
    const { name, activeObjs } = slabInfo(slub, cache);
    objects.set(name, activeObjs);
  }
  return { freePages: pages.nrFreePages() + pages.nrPcpPages(), objects };
}

/** Everything that the checkers of the page and slab allocators find wrong. */
export function brokenInvariants({ kernel }: Machine): string[] {
  const found = validateSlub(kernel.slub);
  try {
    checkPageAllocator(kernel.pages);
  } catch (error) {
    found.push(String(error));
  }
  return found;
}

/** What is different, a line each; with `page_owner=on` on the command line, who has the pages. */
export function memoryLost(machine: Machine, before: MemoryState): string[] {
  const after = memoryOf(machine);
  const lost: string[] = [];
  for (const [name, count] of after.objects) {
    const more = count - (before.objects.get(name) ?? 0);
    if (more !== 0) lost.push(`${name}: ${more} objects more`);
  }
  for (const name of before.objects.keys())
    if (!after.objects.has(name)) lost.push(`${name}: the cache is gone`);
  const fewer = before.freePages - after.freePages;
  if (fewer !== 0) lost.push(`${fewer} pages fewer`, machine.kernel.pages.debug.owner?.text() ?? '');
  return lost;
}
