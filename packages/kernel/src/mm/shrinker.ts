// SPDX-License-Identifier: MIT
/**
 * Shrinkers: functions of C that tell how many objects of a cache could go, and let some of them go.
 *
 * They are asked when an allocation finds no memory, with more and more pressure, and by drop_caches:
 *
 *     count_objects()  1000            priority 12: 1000 >> 12 → 0   nothing
 *                                      priority  9: 1 · 4 / seeks 2  = 2 … less than a batch: kept for the next time
 *     scan_objects(nr_to_scan = 128)   as often as a whole batch is due, until SHRINK_STOP
 */

import type { KernelExports } from '../arch/wasm64/exports.js';
import { PF_MEMALLOC, TaskStruct } from '../kernel/sched.js';
import type { CallC } from '../lib/c_call.js';
import type { Env } from '../lib/env.js';
import { ENOMEM } from '../lib/errno.js';
import { type GuestAccess, readS64, readUnsigned, writeInteger } from '../lib/guest_access.js';
import { GuestList } from '../lib/guest_list.js';
import { ListHead } from '../lib/list.js';
import { addr, fn, gfp, int, long, struct, uint, ulong } from '../lib/struct.js';
import type { Handle, Vaddr } from '../machine/layout.js';
import { GFP_KERNEL } from './gfp.js';
import type { PageAllocator } from './page_alloc.js';

const Shrinker = struct('shrinker', {
  count_objects: fn('unsigned long', 'struct shrinker *, struct shrink_control *sc'),
  scan_objects: fn('unsigned long', 'struct shrinker *, struct shrink_control *sc'),
  batch: long,
  seeks: int,
  flags: uint,
  list: ListHead,
  nr_deferred: addr('atomic_long_t'),
});
const ShrinkControl = struct('shrink_control', {
  gfp_mask: gfp,
  nid: int,
  nr_to_scan: ulong,
  nr_scanned: ulong,
  memcg: addr('struct mem_cgroup'),
});

const S = Shrinker.o;
/** Least pressure: a 4096th of what could go. */
const DEF_PRIORITY = 12;
const SHRINK_BATCH = 128;
/** Pages that one reclaim is to find. */
const SWAP_CLUSTER_MAX = 32;
/** drop_caches gives up after so many rounds. */
const DROP_ROUNDS = 32;
/** After so many rounds that freed nothing a notifier's word counts no more. */
const OOM_EMPTY_ROUNDS = 16;
/** -1 and -2 as C returns them: SHRINK_STOP and SHRINK_EMPTY. */
const isCount = (n: number) => n >= 0;

export interface ShrinkerDeps {
  readonly env: Env;
  readonly pages: PageAllocator;
  readonly callC: CallC;
  currentTask(): Handle;
  kmalloc(bytes: number, gfp: number): Vaddr;
  kfree(address: Vaddr): void;
  /** Tells who registered for it that memory has run out: pages that they say they freed. */
  notifyOom(): number;
}

export class Shrinkers {
  private readonly mem: GuestAccess;
  private readonly list: GuestList;
  private readonly head: Handle;
  private readonly control: Handle;
  private readonly oomEmptyRounds: Handle;

  constructor(private readonly deps: ShrinkerDeps) {
    const { ram, guest, data } = deps.env;
    this.mem = { ram, guest };
    this.list = new GuestList(this.mem);
    this.head = data.declareObject('shrinker_list', 16);
    this.control = data.declareObject('shrink_control', ShrinkControl.size);
    this.oomEmptyRounds = data.declare('oom_empty_rounds', 4);
    deps.pages.reclaim = (mask) => this.reclaim(mask);
    deps.pages.outOfMemory = () => this.outOfMemory();
  }

  boot(): void {
    this.list.init(this.mem.ram.addressOf(this.head));
  }

  private shrinkers(): Vaddr[] {
    const { ram } = this.mem;
    return [...this.list.nodes(ram.addressOf(this.head))].map((node) => node - S.list);
  }

  private isRegistered(shrinker: Vaddr): boolean {
    return this.shrinkers().includes(shrinker);
  }

  private ask(shrinker: Vaddr, fn: 'count_objects' | 'scan_objects', toScan: number): number {
    const { ram } = this.mem;
    const sc = ShrinkControl.at(ram, this.control);
    sc.nr_to_scan = toScan;
    sc.nr_scanned = toScan;
    return this.deps.callC(
      readS64(this.mem, shrinker + S[fn]),
      'l:pp',
      shrinker,
      ram.addressOf(this.control),
    );
  }

  // ---------------------------------------------------------------- shrinking

  /** Work that was too little for a batch waits for the next time. */
  private deferredOf(shrinker: Vaddr): Vaddr {
    return readS64(this.mem, shrinker + S.nr_deferred);
  }

  /** @returns objects that went @linux mm/vmscan.c:do_shrink_slab full */
  private shrink(shrinker: Vaddr, priority: number): number {
    const freeable = this.ask(shrinker, 'count_objects', 0);
    if (!isCount(freeable) || freeable === 0) return 0;
    const at = this.deferredOf(shrinker);
    const waiting = at === 0 ? 0 : readS64(this.mem, at);
    const seeks = readUnsigned(this.mem, shrinker + S.seeks, 4);
    const batch = readS64(this.mem, shrinker + S.batch) || SHRINK_BATCH;
    const delta =
      seeks === 0 ? Math.floor(freeable / 2) : Math.floor((Math.floor(freeable / 2 ** priority) * 4) / seeks);
    let toScan = Math.min(Math.floor(waiting / 2 ** priority) + delta, 2 * freeable);
    let scanned = 0;
    let freed = 0;
    while (toScan >= batch || toScan >= freeable) {
      const step = Math.min(batch, toScan);
      const gone = this.ask(shrinker, 'scan_objects', step);
      if (!isCount(gone) || !this.isRegistered(shrinker)) break;
      freed += gone;
      const looked = ShrinkControl.at(this.mem.ram, this.control).nr_scanned;
      toScan -= looked;
      scanned += looked;
      if (looked === 0 || step === 0) break;
    }
    const left = Math.min(Math.max(waiting + delta - scanned, 0), 2 * freeable);
    if (at !== 0 && this.isRegistered(shrinker)) writeInteger(this.mem, at, left, 8);
    return freed;
  }

  /** @linux mm/vmscan.c:shrink_slab partial: one node, no memory cgroups */
  private shrinkAll(mask: number, priority: number): number {
    const sc = ShrinkControl.at(this.mem.ram, this.control);
    sc.gfp_mask = mask >>> 0;
    sc.nid = 0;
    let freed = 0;
    for (const shrinker of this.shrinkers())
      if (this.isRegistered(shrinker)) freed += this.shrink(shrinker, priority);
    return freed;
  }

  /** Runs a body as a task that frees memory: it may use the reserves, and does not reclaim itself. */
  private asReclaimer<T>(body: () => T): T {
    const t = TaskStruct.at(this.mem.ram, this.deps.currentTask());
    const before = t.flags & PF_MEMALLOC;
    if (before) return body();
    t.flags |= PF_MEMALLOC;
    try {
      return body();
    } finally {
      t.flags &= ~PF_MEMALLOC;
    }
  }

  private freePages(): number {
    return this.deps.pages.nrFreePages() + this.deps.pages.nrPcpPages();
  }

  /** @returns pages that came free @linux mm/vmscan.c:do_try_to_free_pages partial: shrinkers only */
  reclaim(mask: number): number {
    if (this.shrinkers().length === 0) return 0;
    if (TaskStruct.at(this.mem.ram, this.deps.currentTask()).flags & PF_MEMALLOC) return 0;
    const before = this.freePages();
    const found = () => this.freePages() - before;
    return this.asReclaimer(() => {
      for (let priority = DEF_PRIORITY; priority >= 0 && found() < SWAP_CLUSTER_MAX; priority--)
        this.shrinkAll(mask, priority);
      return Math.max(0, found());
    });
  }

  /** What writing 2 to drop_caches does: asks until hardly anything goes any more. @linux mm/vmscan.c:drop_slab full */
  dropSlab(): void {
    this.asReclaimer(() => {
      for (let round = 0; round < DROP_ROUNDS; round++)
        if (Math.floor(this.shrinkAll(GFP_KERNEL, 0) / 2 ** round) <= 1) return;
    });
  }

  /** Nothing can be reclaimed: whoever registered for it may free something. @linux mm/oom_kill.c:out_of_memory partial: nobody is killed */
  private outOfMemory(): boolean {
    const { i32 } = this.mem.ram;
    const before = this.freePages();
    const claimed = this.deps.notifyOom();
    if (this.freePages() > before) i32[this.oomEmptyRounds] = 0;
    else if (claimed > 0 && ++i32[this.oomEmptyRounds] > OOM_EMPTY_ROUNDS) {
      i32[this.oomEmptyRounds] = 0;
      return false;
    }
    return claimed > 0;
  }

  // ---------------------------------------------------------------- registering

  /** @linux mm/vmscan.c:register_shrinker partial: nothing in debugfs */
  private register(shrinker: Vaddr): number {
    const deferred = this.deps.kmalloc(8, GFP_KERNEL);
    if (deferred === 0) return -ENOMEM;
    writeInteger(this.mem, deferred, 0, 8);
    writeInteger(this.mem, shrinker + S.nr_deferred, deferred, 8);
    this.list.addTail(shrinker + S.list, this.mem.ram.addressOf(this.head));
    return 0;
  }

  private unregister(shrinker: Vaddr): void {
    if (!this.isRegistered(shrinker)) return;
    this.list.del(shrinker + S.list);
    this.deps.kfree(this.deferredOf(shrinker));
    writeInteger(this.mem, shrinker + S.nr_deferred, 0, 8);
  }

  exports(): KernelExports {
    return {
      register_shrinker: ['i:pp…', (shrinker: Vaddr) => this.register(shrinker)],
      unregister_shrinker: ['v:p', (shrinker: Vaddr) => this.unregister(shrinker)],
      // Nobody is in a shrinker while another task runs.
      synchronize_shrinkers: ['v:', () => undefined],
    };
  }
}
