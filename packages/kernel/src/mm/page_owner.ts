// SPDX-License-Identifier: MIT
/**
 * `page_owner=on`: who allocated each page and who last freed it, by stack. What is known of a page lies in a
 * record of its own (Linux's page_ext), in a table taken from memory at boot; stacks are kept once each.
 */

import { type Env, KERN_ALERT } from '../lib/env.js';
import { StackDepot } from '../lib/stackdepot.js';
import { chars, s16, s32, struct, u16, u32, u64 } from '../lib/struct.js';
import { type Handle, PAGE_SIZE } from '../machine/layout.js';
import { formatGfp, gfpMigratetype } from './gfp.js';
import type { Memblock } from './memblock.js';
import { MIGRATETYPE_NAMES, PAGEBLOCK_ORDER } from './mmzone.js';
import { PAGE_WORDS } from './page.js';
import type { PageAllocator } from './page_alloc.js';

const STACK_DEPTH = 16;
/** Memory for stacks: one page in so many, at least 32 pages. */
const DEPOT_SHARE = 128;

export const PageOwnerExt = struct('page_owner', {
  order: u16,
  last_migrate_reason: s16,
  gfp_mask: u32,
  handle: u32,
  free_handle: u32,
  ts_nsec: u64,
  free_ts_nsec: u64,
  comm: chars(16),
  pid: s32,
  tgid: s32,
  /** PAGE_EXT_OWNER: the record was ever written. PAGE_EXT_OWNER_ALLOCATED: the page is in use. */
  flags: u32,
});
const PAGE_EXT_OWNER = 1;
const PAGE_EXT_OWNER_ALLOCATED = 2;
const EXT_WORDS = PageOwnerExt.size / 4;
const w = PageOwnerExt.w;

export class PageOwner {
  /** { table of records: pointer, next page for stacks and end of them: frame numbers }. */
  private readonly root: Handle;
  private readonly depot: StackDepot;

  constructor(
    private readonly env: Env,
    private readonly mm: PageAllocator,
  ) {
    this.root = env.data.declare('page_ext', 16);
    const depotRoot = env.data.declare('stack_depot_page_owner', 16);
    this.depot = new StackDepot(env.ram, depotRoot, () => this.stackPage());
  }

  /** @linux mm/page_owner.c:init_page_owner full */
  boot(memblock: Memblock): void {
    const { ram } = this.env;
    const bytes = (ram.size / PAGE_SIZE) * PageOwnerExt.size;
    const table = memblock.alloc(bytes, PAGE_SIZE);
    ram.fill(table, bytes, 0);
    ram.setPtr(this.root, table / 4);
    const stackPages = Math.max(32, Math.floor(ram.size / PAGE_SIZE / DEPOT_SHARE));
    const stacks = memblock.alloc(stackPages * PAGE_SIZE, PAGE_SIZE) / PAGE_SIZE;
    ram.i32[this.root + 2] = stacks;
    ram.i32[this.root + 3] = stacks + stackPages;
    this.mm.check.dumpOwner = (page) => this.dumpPageOwner(page);
  }

  private stackPage(): Handle {
    const { i32 } = this.env.ram;
    if (i32[this.root + 2] === i32[this.root + 3]) return 0;
    return i32[this.root + 2]++ * (PAGE_SIZE / 4);
  }

  private ext(page: Handle): Handle {
    return this.env.ram.ptr(this.root) + this.mm.pageToPfn(page) * EXT_WORDS;
  }

  /** @linux mm/page_owner.c:__set_page_owner full */
  setPageOwner(page: Handle, order: number, gfp: number): void {
    const { env } = this;
    const { ram } = env;
    const task = env.current();
    const handle = this.depot.save(env.reports.stackTrace(STACK_DEPTH));
    const comm = Uint8Array.from({ length: 16 }, (_, i) => (i < 15 ? task.comm.charCodeAt(i) || 0 : 0));
    for (let i = 0; i < 1 << order; i++) {
      const ext = this.ext(page + i * PAGE_WORDS);
      const owner = PageOwnerExt.at(ram, ext);
      owner.order = order;
      owner.last_migrate_reason = -1;
      ram.i32[ext + w.gfp_mask] = gfp;
      ram.i32[ext + w.handle] = handle;
      ram.set64(ext + w.ts_nsec, env.clock.ns);
      owner.comm.set(comm);
      ram.i32[ext + w.pid] = ram.i32[ext + w.tgid] = task.pid;
      ram.i32[ext + w.flags] = PAGE_EXT_OWNER | PAGE_EXT_OWNER_ALLOCATED;
    }
  }

  /** @linux mm/page_owner.c:__reset_page_owner full */
  resetPageOwner(page: Handle, order: number): void {
    const { ram, clock, reports } = this.env;
    const handle = this.depot.save(reports.stackTrace(STACK_DEPTH));
    for (let i = 0; i < 1 << order; i++) {
      const ext = this.ext(page + i * PAGE_WORDS);
      ram.i32[ext + w.flags] &= ~PAGE_EXT_OWNER_ALLOCATED;
      ram.i32[ext + w.free_handle] = handle;
      ram.set64(ext + w.free_ts_nsec, clock.ns);
    }
  }

  /** @linux mm/page_owner.c:__split_page_owner full */
  splitPageOwner(page: Handle, nrPages: number): void {
    for (let i = 0; i < nrPages; i++)
      PageOwnerExt.at(this.env.ram, this.ext(page + i * PAGE_WORDS)).order = 0;
  }

  private describe(ext: Handle): { gfp: number; order: number; task: string; ts: string; freeTs: string } {
    const { ram } = this.env;
    const owner = PageOwnerExt.at(ram, ext);
    const comm = String.fromCharCode(...owner.comm).replace(/\0.*$/s, '');
    return {
      gfp: owner.gfp_mask,
      order: owner.order,
      task: `pid ${owner.pid}, tgid ${owner.tgid} (${comm})`,
      ts: `ts ${owner.ts_nsec}`,
      freeTs: `free_ts ${owner.free_ts_nsec}`,
    };
  }

  private stackLines(handle: number): string[] {
    return this.depot.fetch(handle).map((address) => ` ${this.env.reports.symbolize(address)}`);
  }

  /** What a page's dump adds. @linux mm/page_owner.c:__dump_page_owner full */
  dumpPageOwner(page: Handle): void {
    const { ram, log } = this.env;
    const ext = this.ext(page);
    const flags = ram.i32[ext + w.flags];
    if ((flags & PAGE_EXT_OWNER) === 0) {
      log.log(KERN_ALERT, 'page_owner info is not present (never set?)');
      return;
    }
    const { gfp, order, task, ts, freeTs } = this.describe(ext);
    const stack = this.stackLines(ram.u32[ext + w.handle]);
    const freeStack = this.stackLines(ram.u32[ext + w.free_handle]);
    log.log(
      KERN_ALERT,
      [
        `page_owner tracks the page as ${flags & PAGE_EXT_OWNER_ALLOCATED ? 'allocated' : 'freed'}`,
        `page last allocated via order ${order}, migratetype ${MIGRATETYPE_NAMES[gfpMigratetype(gfp)]}, ` +
          `gfp_mask 0x${gfp.toString(16)}(${formatGfp(gfp)}), ${task}, ${ts}, ${freeTs}`,
        ...(stack.length > 0 ? stack : ['page_owner allocation stack trace missing']),
        ...(freeStack.length > 0
          ? ['page last free stack trace:', ...freeStack]
          : ['page_owner free stack trace missing']),
      ].join('\n'),
    );
  }

  /** The text of /sys/kernel/debug/page_owner: every block in use. @linux mm/page_owner.c:read_page_owner full */
  text(): string {
    const { mm } = this;
    const { ram } = this.env;
    const records: string[] = [];
    for (let pfn = 0; pfn < mm.map.maxPfn; pfn++) {
      const page = mm.pfnToPage(pfn);
      const ext = this.ext(page);
      if ((ram.i32[ext + w.flags] & PAGE_EXT_OWNER_ALLOCATED) === 0) continue;
      if (pfn & ((1 << PageOwnerExt.at(ram, ext).order) - 1)) continue;
      records.push(this.record(page, ext));
    }
    return records.join('');
  }

  /** One block. @linux mm/page_owner.c:print_page_owner full */
  private record(page: Handle, ext: Handle): string {
    const { mm } = this;
    const pfn = mm.pageToPfn(page);
    const { gfp, order, task, ts, freeTs } = this.describe(ext);
    const blockType = MIGRATETYPE_NAMES[mm.buddy.pfnblockMigratetype(pfn)];
    return [
      `Page allocated via order ${order}, mask 0x${gfp.toString(16)}(${formatGfp(gfp)}), ${task}, ${ts} ns, ${freeTs} ns`,
      `PFN ${pfn} type ${MIGRATETYPE_NAMES[gfpMigratetype(gfp)]} Block ${pfn >> PAGEBLOCK_ORDER} type ${blockType} ` +
        `Flags ${mm.check.formatPageFlags(page)}`,
      ...this.stackLines(this.env.ram.u32[ext + w.handle]),
      '',
      '',
    ].join('\n');
  }
}
