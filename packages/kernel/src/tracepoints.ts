// SPDX-License-Identifier: MIT
/** The tracepoints that a kernel has. */

import type { Kernel } from './boot.js';
import { TraceRegistry } from './trace/registry.js';

export function traceRegistry({ trace, slub, pages, pageCache }: Kernel): TraceRegistry {
  const registry = new TraceRegistry();
  const { kmalloc, kmemCacheAlloc, kfree, kmemCacheFree } = slub.trace;
  registry.add(kmalloc, kmemCacheAlloc);
  registry.add(kfree);
  registry.add(kmemCacheFree);
  const page = pages.trace;
  registry.add(page.mmPageAlloc);
  registry.add(page.mmPageFree);
  registry.add(page.mmPageFreeBatched);
  registry.add(page.mmPageAllocZoneLocked);
  registry.add(page.mmPagePcpuDrain);
  registry.add(page.mmPageAllocExtfrag);
  registry.add(pageCache.trace.addToPageCache, pageCache.trace.deleteFromPageCache);
  trace.register(registry);
  return registry;
}
