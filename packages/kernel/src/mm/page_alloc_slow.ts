// SPDX-License-Identifier: MIT
/**
 * What an allocation does when no zone is above its low watermark: wake kswapd, go down to the min mark, open the
 * reserves that its flags and its task entitle it to, reclaim, and at last fail with a report.
 */

import { type Env, KERN_EMERG, KERN_WARNING } from '../lib/env.js';
import type { Handle } from '../machine/layout.js';
import {
  __GFP_ATOMIC,
  __GFP_DIRECT_RECLAIM,
  __GFP_DMA,
  __GFP_HIGH,
  __GFP_KSWAPD_RECLAIM,
  __GFP_MEMALLOC,
  __GFP_NOFAIL,
  __GFP_NOMEMALLOC,
  __GFP_NORETRY,
  __GFP_NOWARN,
  __GFP_RETRY_MAYFAIL,
  formatGfp,
} from './gfp.js';
import { PAGE_ALLOC_COSTLY_ORDER, ZONE_DMA } from './mmzone.js';
import type { PageAllocator } from './page_alloc.js';
import { showMem } from './show_mem.js';
import { ALLOCSTALL_DMA } from './vmstat.js';
import {
  ALLOC_CPUSET,
  ALLOC_HARDER,
  ALLOC_KSWAPD,
  ALLOC_NO_WATERMARKS,
  ALLOC_WMARK_MIN,
  managedPages,
} from './watermark.js';

/** Rounds of reclaim without progress before an allocation gives up. */
const MAX_RECLAIM_RETRIES = 16;
/** A failure report at most every ten seconds. */
const NOPAGE_INTERVAL_NS = 10e9;

/** One allocation that is being tried hard. */
interface Attempt {
  readonly gfp: number;
  readonly order: number;
  readonly highest: number;
  readonly migratetype: number;
  allocFlags: number;
}

export class PageAllocSlow {
  /** True for a task that may use the reserves because it frees memory (PF_MEMALLOC). */
  isMemalloc: () => boolean = () => false;
  /** Kernel functions between C and the page allocator, innermost first: for the failure report's call trace. */
  callers: readonly string[] = [];
  /** { next report allowed at: u64, reports suppressed: u32 }. */
  private readonly nopageRate: Handle;
  /** Places whose warning was given, one bit each. */
  private readonly warned: Handle;
  private readonly warnPlaces: string[] = [
    'mm/page_alloc.c:5534',
    'mm/page_alloc.c:5008',
    'mm/page_alloc.c:5252',
    'mm/page_alloc.c:5267',
  ];

  constructor(
    private readonly env: Env,
    private readonly mm: PageAllocator,
  ) {
    this.nopageRate = env.data.declare('nopage_rs', 16);
    this.warned = env.data.declare('page_alloc_warned', 4);
  }

  /** WARN_ON_ONCE. */
  warnOnce(file: string, line: number, symbol: string): void {
    const { i32 } = this.env.ram;
    const bit = 1 << this.warnPlaces.indexOf(`${file}:${line}`);
    if (i32[this.warned] & bit) return;
    i32[this.warned] |= bit;
    this.env.reports.warn(file, line, symbol);
  }

  /** @linux mm/page_alloc.c:__alloc_pages_slowpath partial: no compaction */
  allocPages(gfp: number, order: number, highest: number, migratetype: number): Handle {
    if ((gfp & (__GFP_ATOMIC | __GFP_DIRECT_RECLAIM)) === (__GFP_ATOMIC | __GFP_DIRECT_RECLAIM)) {
      this.warnOnce('mm/page_alloc.c', 5008, '__alloc_pages_slowpath');
      gfp &= ~__GFP_ATOMIC;
    }
    const attempt: Attempt = { gfp, order, highest, migratetype, allocFlags: this.gfpToAllocFlags(gfp) };
    if (attempt.allocFlags & ALLOC_KSWAPD) this.mm.wakeKswapd?.(gfp, order, highest);
    let page = this.tryFreelist(attempt);
    if (page !== 0) return page;
    page = this.tryHarder(attempt);
    if (page !== 0) return page;
    if (gfp & __GFP_NOFAIL) {
      page = this.neverFail(attempt);
      if (page !== 0) return page;
    }
    this.warnAlloc(gfp, `page allocation failure: order:${order}`);
    return 0;
  }

  private tryFreelist({ gfp, order, highest, migratetype, allocFlags }: Attempt, add = 0): Handle {
    return this.mm.getPageFromFreelist(gfp, order, allocFlags | add, highest, migratetype);
  }

  /** Reserves, reclaim and the OOM killer, as far as the flags allow. */
  private tryHarder(attempt: Attempt): Handle {
    const { gfp, order } = attempt;
    const costly = order > PAGE_ALLOC_COSTLY_ORDER;
    const canReclaim = (gfp & __GFP_DIRECT_RECLAIM) !== 0;
    for (let noProgress = 0; ; ) {
      if (this.mayUseReserves(gfp)) attempt.allocFlags |= ALLOC_NO_WATERMARKS;
      let page = this.tryFreelist(attempt);
      if (page !== 0 || !canReclaim || this.isMemalloc()) return page;
      const reclaimed = this.directReclaim(attempt);
      page = this.tryFreelist(attempt);
      if (page === 0 && this.releaseHeldBack(attempt, reclaimed === 0)) page = this.tryFreelist(attempt);
      if (page !== 0 || gfp & __GFP_NORETRY) return page;
      if (costly && (gfp & __GFP_RETRY_MAYFAIL) === 0) return 0;
      noProgress = reclaimed > 0 && !costly ? 0 : noProgress + 1;
      if (reclaimed > 0 && noProgress <= MAX_RECLAIM_RETRIES) continue;
      if (costly || gfp & __GFP_RETRY_MAYFAIL || !this.mm.outOfMemory?.(gfp, order)) return 0;
      noProgress = 0;
    }
  }

  /** @linux mm/page_alloc.c:__alloc_pages_direct_reclaim full */
  private directReclaim({ gfp, order, highest }: Attempt): number {
    this.mm.stat.countVmEvents(ALLOCSTALL_DMA + highest, 1);
    return this.mm.reclaim?.(gfp, order) ?? 0;
  }

  /** Gives back pages on per-CPU lists and in high-order atomic pageblocks; true if that may have helped. */
  private releaseHeldBack({ migratetype, highest }: Attempt, force: boolean): boolean {
    const { mm } = this;
    let released = mm.nrPcpPages() > 0;
    for (let z = highest; z >= 0; z--)
      if (mm.fallback.unreserveHighatomic(mm.map.zone(z), migratetype, force)) released = true;
    mm.drainAllPages();
    return released;
  }

  /**
   * Goes on without regard to watermarks, until something is free.
   * @linux mm/page_alloc.c:__alloc_pages_cpuset_fallback full
   */
  private neverFail(attempt: Attempt): Handle {
    const { gfp, order } = attempt;
    if ((gfp & __GFP_DIRECT_RECLAIM) === 0) {
      this.warnOnce('mm/page_alloc.c', 5252, '__alloc_pages_slowpath');
      return 0;
    }
    if (order > PAGE_ALLOC_COSTLY_ORDER) this.warnOnce('mm/page_alloc.c', 5267, '__alloc_pages_slowpath');
    for (;;) {
      let page = this.tryFreelist(attempt, ALLOC_HARDER);
      if (page === 0) page = this.tryFreelist(attempt, ALLOC_NO_WATERMARKS);
      if (page !== 0) return page;
      if (this.directReclaim(attempt) > 0 || this.mm.outOfMemory?.(gfp, order)) continue;
      this.env.log.log(KERN_EMERG, 'Kernel panic - not syncing: System is deadlocked on memory');
      return this.env.reports.bug('mm/oom_kill.c', 1173, 'out_of_memory');
    }
  }

  /** @linux mm/page_alloc.c:gfp_to_alloc_flags partial: no real-time tasks */
  private gfpToAllocFlags(gfp: number): number {
    let flags = ALLOC_WMARK_MIN | ALLOC_CPUSET | (gfp & (__GFP_HIGH | __GFP_KSWAPD_RECLAIM));
    if (gfp & __GFP_ATOMIC) {
      if ((gfp & __GFP_NOMEMALLOC) === 0) flags |= ALLOC_HARDER;
      flags &= ~ALLOC_CPUSET;
    }
    return flags;
  }

  /** @linux mm/page_alloc.c:__gfp_pfmemalloc_flags partial: no OOM victims */
  private mayUseReserves(gfp: number): boolean {
    if (gfp & __GFP_NOMEMALLOC) return false;
    return (gfp & __GFP_MEMALLOC) !== 0 || this.isMemalloc();
  }

  /**
   * The failure report: flags, stack, Mem-Info; at most one in ten seconds.
   * @linux mm/page_alloc.c:warn_alloc full
   */
  warnAlloc(gfp: number, message: string, frames: readonly string[] = SLOWPATH_FRAMES): void {
    const { env, mm } = this;
    if (gfp & __GFP_NOWARN || !this.mayWarn()) return;
    if (gfp & __GFP_DMA && managedPages(mm.map, mm.map.zone(ZONE_DMA)) === 0) return;
    const mode = `mode:0x${(gfp >>> 0).toString(16)}(${formatGfp(gfp)})`;
    env.log.log(
      KERN_WARNING,
      `${env.current().comm}: ${message}, ${mode}, nodemask=(null),cpuset=/,mems_allowed=0`,
    );
    env.reports.dumpStack([...frames, ...this.callers]);
    showMem(mm);
  }

  private mayWarn(): boolean {
    const { ram, clock, log } = this.env;
    const at = this.nopageRate;
    if (clock.ns < ram.u64(at)) {
      ram.i32[at + 2]++;
      return false;
    }
    if (ram.i32[at + 2] > 0) log.log(KERN_WARNING, `warn_alloc: ${ram.i32[at + 2]} callbacks suppressed`);
    ram.set64(at, clock.ns + NOPAGE_INTERVAL_NS);
    ram.i32[at + 2] = 0;
    return true;
  }
}

const SLOWPATH_FRAMES = ['warn_alloc', '__alloc_pages_slowpath', '__alloc_pages'];
