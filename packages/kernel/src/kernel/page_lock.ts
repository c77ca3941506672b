// SPDX-License-Identifier: MIT
/**
 * Waiting for a page that is locked: the functions of the page cache that may sleep.
 *
 * Who finds a page locked sets PG_waiters and sleeps on one list that all pages share; who unlocks such a page wakes
 * all of it, and each looks at its own page again.
 */

import type { KernelExports } from '../arch/wasm64/exports.js';
import { AddressSpace } from '../fs/fs_types.js';
import { EINTR, ENOMEM } from '../lib/errno.js';
import { writeS64 } from '../lib/guest_access.js';
import type { StaticData } from '../lib/static_data.js';
import { type Handle, PAGE_SIZE, type Vaddr } from '../machine/layout.js';
import type { PageCache } from '../mm/filemap.js';
import { kernelObject, PagePointers } from '../mm/filemap_args.js';
import { __GFP_FS, GFP_NOWAIT } from '../mm/gfp.js';
import { PG_referenced, PG_waiters, setPageFlag } from '../mm/page.js';
import type { Scheduler, SLEEP } from './sched/core.js';
import type { WaitLists } from './sched/wait_list.js';
import { TASK_KILLABLE, TASK_UNINTERRUPTIBLE } from './sched.js';

const FGP_ACCESSED = 0x1;
const FGP_LOCK = 0x2;
const FGP_CREAT = 0x4;
const FGP_WRITE = 0x8;
const FGP_NOFS = 0x10;
const FGP_NOWAIT = 0x20;
const FGP_FOR_MMAP = 0x40;
const FGP_STABLE = 0x200;
const FGP_WRITE_BEGIN = FGP_LOCK | FGP_WRITE | FGP_CREAT | FGP_STABLE;

export interface PageLockDeps {
  readonly cache: PageCache;
  readonly scheduler: Scheduler;
  readonly waits: WaitLists;
  signalPending(state?: number): boolean;
}

type Outcome = number | typeof SLEEP;

export class PageLocks {
  /** Head of the list of tasks that wait for a page. */
  private readonly waiters: Vaddr;
  private readonly pointers: PagePointers;

  constructor(
    private readonly deps: PageLockDeps,
    data: StaticData,
  ) {
    const { cache } = deps;
    this.waiters = cache.ram.addressOf(data.declare('folio_wait_table', 16));
    this.pointers = new PagePointers(cache);
    cache.wakePageWaiters = () => this.wakeAll();
  }

  /** @linux mm/filemap.c:folio_wake_bit differs: wakes the waiters of other pages too, which then wait on */
  private wakeAll(): void {
    if (this.deps.waits.first(this.waiters) !== 0) this.deps.waits.wakeAll(this.waiters);
  }

  /** Sleeps until a page may have been unlocked. @linux mm/filemap.c:folio_wait_bit_common differs: no hand-over of the lock */
  private wait(page: Handle, state = TASK_UNINTERRUPTIBLE): typeof SLEEP {
    const { cache, scheduler, waits } = this.deps;
    setPageFlag(cache.ram, page, PG_waiters);
    if (waits.list.next(this.waiters) === 0) waits.list.init(this.waiters);
    waits.add(this.waiters);
    scheduler.setState(state);
    return scheduler.sleep(1);
  }

  /** @linux mm/filemap.c:__folio_lock full */
  private lock(page: Handle, stage: number, state: number): Outcome {
    const { cache, waits, signalPending } = this.deps;
    if (cache.tryLockPage(page)) return 0;
    if (stage > 0 && state === TASK_KILLABLE && signalPending(state)) {
      waits.remove(waits.deps.current());
      return -EINTR;
    }
    return this.wait(page, state);
  }

  /**
   * Finds a page, or makes one. Each stage begins anew: while the task slept the page may have left the file.
   * @returns the page's handle, 0 if there is none
   * @linux mm/filemap.c:__filemap_get_folio partial: no entries that are no pages
   */
  private getPage(mapping: Handle, index: number, fgp: number, gfp: number): Outcome {
    const { cache } = this.deps;
    const page = cache.findGetPage(mapping, index);
    if (page === 0) return fgp & FGP_CREAT ? this.createPage(mapping, index, fgp, gfp) : 0;
    if (fgp & FGP_LOCK && !cache.tryLockPage(page)) {
      cache.putPage(page);
      return fgp & FGP_NOWAIT ? 0 : this.wait(page);
    }
    if (fgp & FGP_ACCESSED) cache.markPageAccessed(page);
    return page;
  }

  private createPage(mapping: Handle, index: number, fgp: number, gfp: number): Handle {
    const { cache } = this.deps;
    const without = fgp & FGP_NOFS ? __GFP_FS : 0;
    const page = cache.findOrCreatePage(mapping, index, fgp & FGP_NOWAIT ? GFP_NOWAIT : gfp & ~without);
    if (page === 0) return 0;
    if (fgp & FGP_ACCESSED) setPageFlag(cache.ram, page, PG_referenced);
    if ((fgp & FGP_FOR_MMAP) === 0) cache.tryLockPage(page);
    return page;
  }

  /** @linux fs/libfs.c:simple_write_begin full */
  private writeBegin(mapping: Handle, pos: number, bytes: number, pagep: Vaddr): Outcome {
    const { cache } = this.deps;
    const gfp = cache.gfpMask(mapping);
    const page = this.getPage(mapping, Math.floor(pos / PAGE_SIZE), FGP_WRITE_BEGIN, gfp);
    if (typeof page !== 'number') return page;
    if (page === 0) return -ENOMEM;
    cache.zeroAround(page, pos, bytes);
    writeS64(cache.deps, pagep, cache.pageAddress(page));
    return 0;
  }

  private mapping(pointer: Vaddr): Handle {
    return kernelObject(this.deps.cache.deps, pointer, AddressSpace.size);
  }

  sleepingExports(): KernelExports {
    const { scheduler, cache } = this.deps;
    const pointerTo = (page: Outcome): Outcome => (typeof page === 'number' ? cache.pageAddress(page) : page);
    const lock = (state: number) =>
      scheduler.sleeping<readonly [Vaddr]>((stage, [page]) =>
        this.lock(this.pointers.page(page), stage, state),
      );
    const get = () =>
      scheduler.sleeping<readonly [Vaddr, number, number, number]>((_stage, [mapping, index, fgp, gfp]) =>
        pointerTo(this.getPage(this.mapping(mapping), index, fgp, gfp)),
      );
    const grab = scheduler.sleeping<readonly [Vaddr, number]>((_stage, [pointer, index]) => {
      const mapping = this.mapping(pointer);
      return pointerTo(this.getPage(mapping, index, FGP_WRITE_BEGIN, cache.gfpMask(mapping)));
    });
    const begin = scheduler.sleeping<readonly [Vaddr, Vaddr, number, number, Vaddr, Vaddr]>(
      (_stage, [, mapping, pos, bytes, pagep]) => this.writeBegin(this.mapping(mapping), pos, bytes, pagep),
    );
    return {
      __folio_lock: ['v:p', lock(TASK_UNINTERRUPTIBLE)],
      __folio_lock_killable: ['i:p', lock(TASK_KILLABLE)],
      pagecache_get_page: ['p:pzuu', get()],
      __filemap_get_folio: ['p:pzuu', get()],
      grab_cache_page_write_begin: ['p:pz', grab],
      simple_write_begin: ['i:pplupp', begin],
    };
  }
}
