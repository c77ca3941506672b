// SPDX-License-Identifier: MIT
/** What ftrace is given of the rest of the kernel. */

import type { Kernel } from './boot.js';
import { hex64 } from './kernel/kallsyms.js';
import { __GFP_NORETRY, __GFP_NOWARN, GFP_KERNEL } from './mm/gfp.js';
import type { TracingDeps } from './trace/tracing.js';

/** Of buffers: rather none than that others go without. */
const GFP_TRACE = GFP_KERNEL | __GFP_NORETRY | __GFP_NOWARN;

export function tracingEnvironment(k: Kernel): TracingDeps {
  const { ram, pages } = k;
  return {
    ram,
    data: k.data,
    nrCpus: k.env.nrCpus,
    log: k.printk,
    format: k.format,
    pages: {
      alloc: () => {
        const page = pages.allocPages(GFP_TRACE, 0);
        return page === 0 ? -1 : pages.pageToPfn(page);
      },
      free: (pfn) => pages.freePages(pages.pfnToPage(pfn), 0),
    },
    kmalloc: (bytes) => k.slub.kmalloc(bytes, GFP_KERNEL),
    kfree: (address) => void k.slub.kfree(address),
    now: () => k.library.time.monotonicNs,
    cpu: () => k.env.cpu(),
    current: () => k.tasks.current(),
    context: () => ({ preemptCount: k.preempt.count, irqsDisabled: k.preempt.irqsDisabled }),
    stackTrace: (max) => k.oops.stackTrace(max),
    callerAddress: () => k.oops.callerAddress(),
    markerAddress: () => k.symbols.returnAddress('tracing_mark_write'),
    symbol: (address, withOffset) => {
      const found = k.kallsyms.lookup(address);
      if (!found) return k.kallsyms.symbolize(address);
      const { name, size } = found.symbol;
      return withOffset ? `${name}+0x${found.offset.toString(16)}/0x${size.toString(16)}` : name;
    },
    pointer: (address, hashed) =>
      hashed && address !== 0 ? pages.check.formatPointer(address) : hex64(address),
  };
}
