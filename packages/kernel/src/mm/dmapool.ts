// SPDX-License-Identifier: MIT
/**
 * Memory that devices can reach, which here is any: coherent blocks, and pools of small ones cut from them.
 *
 *     dma_pool.page_list ⇄ dma_page: vaddr → | 0 free: next = 64 | 64 in use | 128 free: next = allocation |
 *                                    offset of the first free block; each free block begins with the next one's
 */

import { KERN_ERR } from '../lib/env.js';
import { readUnsigned, writeInteger } from '../lib/guest_access.js';
import { initListHead, ListHead, listAdd, listDel, listEntries } from '../lib/list.js';
import { addr, chars, struct, type Type, u32, u64, uint, ulong } from '../lib/struct.js';
import { type Handle, PAGE_OFFSET, PAGE_SIZE, type Vaddr } from '../machine/layout.js';
import { __GFP_ZERO, GFP_KERNEL } from './gfp.js';
import type { Slub } from './slub.js';
import { alignUp, getOrder } from './slub_order.js';
import { hexAddress } from './slub_report.js';

const spinlock: Type<number> = { ...u32, declare: (name) => `spinlock_t ${name}` };
const INT_MAX = 2147483647;
const NAME_SIZE = 32;

export const DmaPool = struct('dma_pool', {
  page_list: ListHead,
  lock: spinlock,
  size: ulong,
  dev: addr('struct device'),
  allocation: ulong,
  boundary: ulong,
  name: chars(NAME_SIZE),
  pools: ListHead,
});

/** Where the list node lies that links a device's pools. */
const POOLS = DmaPool.w.pools;

const DmaPage = struct('dma_page', {
  page_list: ListHead,
  vaddr: addr(),
  dma: u64,
  in_use: uint,
  offset: uint,
});

export class DmaMemory {
  constructor(private readonly slub: Slub) {}

  /**
   * The pool at an address that C passed; 0 if there is none: following its list, as Linux would, is an oops then if
   * that leads nowhere. A pool's unused list node `pools` points to itself, which tells a pool from other memory.
   */
  private poolAt(pool: Vaddr): Handle {
    const { ram, guest } = this.slub.env;
    const h = ram.isDirect(pool, DmaPool.size) && (pool - PAGE_OFFSET) % 8 === 0 ? ram.handleOf(pool) : 0;
    if (h !== 0 && ram.ptr(h + POOLS) === h + POOLS && ram.ptr(h + POOLS + 2) === h + POOLS) return h;
    guest.read(Number(BigInt.asIntN(64, guest.readU64(pool))), 8);
    return 0;
  }

  /**
   * Zeroed memory of its own pages.
   * @param handle where C wants the bus address, which is the physical one
   * Unlike on Linux, `dev` may be NULL: every address suits every device.
   */
  allocCoherent(size: number, handle: Vaddr, gfp: number): Vaddr {
    const { pages, ram } = this.slub.core;
    const page = pages.allocPages(gfp & ~__GFP_ZERO, getOrder(size));
    if (page === 0) return 0;
    const address = pages.pageAddress(page);
    ram.fill(address - PAGE_OFFSET, PAGE_SIZE << getOrder(size), 0);
    if (handle !== 0) writeInteger(this.slub.env, handle, address - PAGE_OFFSET, 8);
    return address;
  }

  /** Frees a coherent block of that size. */
  freeCoherent(size: number, address: Vaddr): void {
    const page = this.slub.headPage(address);
    if (address !== 0) this.slub.core.pages.freePages(page, Math.min(getOrder(size), 10));
  }

  /**
   * @param boundary blocks do not cross multiples of it; 0: no such limit
   * @returns 0 if the sizes make no sense or there is no memory
   * @linux mm/dmapool.c:dma_pool_create full
   */
  create(name: string, dev: Vaddr, wanted: number, align: number, boundary: number): Vaddr {
    const powerOfTwo = (n: number) => Number.isInteger(Math.log2(n));
    if ((align !== 0 && !powerOfTwo(align)) || !(wanted >= 1 && wanted <= INT_MAX)) return 0;
    const size = alignUp(Math.max(wanted, 4), Math.max(align, 1));
    const allocation = Math.max(size, PAGE_SIZE);
    if (boundary !== 0 && (boundary < size || !powerOfTwo(boundary))) return 0;
    const pool = this.slub.kmalloc(DmaPool.size, GFP_KERNEL | __GFP_ZERO);
    if (pool === 0) return 0;
    const view = DmaPool.at(this.slub.env.ram, this.slub.env.ram.handleOf(pool));
    for (let i = 0; i < Math.min(name.length, NAME_SIZE - 1); i++) view.name[i] = name.charCodeAt(i);
    view.dev = dev;
    view.size = size;
    view.allocation = allocation;
    view.boundary = boundary === 0 ? allocation : Math.min(boundary, allocation);
    initListHead(this.slub.env.ram, view.h);
    initListHead(this.slub.env.ram, view.h + POOLS);
    return pool;
  }

  /** A block, and its bus address where C wants it. @linux mm/dmapool.c:dma_pool_alloc full */
  alloc(pool: Vaddr, gfp: number, handle: Vaddr): Vaddr {
    const { ram } = this.slub.env;
    const found = this.poolAt(pool);
    if (found === 0) return 0;
    const view = DmaPool.at(ram, found);
    let page: Handle = 0;
    for (const entry of listEntries(ram, view.h))
      if (DmaPage.at(ram, entry).offset < view.allocation) {
        page = entry;
        break;
      }
    if (page === 0) page = this.addPage(view.h, gfp);
    if (page === 0) return 0;
    const at = DmaPage.at(ram, page);
    const address = at.vaddr + at.offset;
    if (handle !== 0) writeInteger(this.slub.env, handle, at.dma + at.offset, 8);
    at.in_use++;
    at.offset = readUnsigned(this.slub.env, address, 4);
    if (gfp & __GFP_ZERO) ram.fill(address - PAGE_OFFSET, view.size, 0);
    return address;
  }

  /** @linux mm/dmapool.c:pool_alloc_page full */
  private addPage(pool: Handle, gfp: number): Handle {
    const { ram } = this.slub.env;
    const { size, allocation, boundary } = DmaPool.at(ram, pool);
    const address = this.slub.kmalloc(DmaPage.size, gfp & ~__GFP_ZERO);
    if (address === 0) return 0;
    const vaddr = this.allocCoherent(allocation, 0, gfp);
    if (vaddr === 0) {
      this.slub.kfree(address);
      return 0;
    }
    const page = ram.handleOf(address);
    const view = DmaPage.at(ram, page);
    view.vaddr = vaddr;
    view.dma = vaddr - PAGE_OFFSET;
    view.in_use = 0;
    view.offset = 0;
    let end = boundary;
    for (let offset = 0; offset < allocation; ) {
      let next = offset + size;
      if (next + size >= end) {
        next = end;
        end += boundary;
      }
      writeInteger(this.slub.env, vaddr + offset, next, 4);
      offset = next;
    }
    listAdd(ram, page, pool);
    return page;
  }

  /** @linux mm/dmapool.c:dma_pool_free full */
  free(pool: Vaddr, address: Vaddr, dma: number): void {
    const { ram, log } = this.slub.env;
    const found = this.poolAt(pool);
    if (found === 0) return;
    const view = DmaPool.at(ram, found);
    for (const entry of listEntries(ram, view.h)) {
      const page = DmaPage.at(ram, entry);
      const offset = dma - page.dma;
      if (!(offset >= 0 && offset + 4 <= view.allocation)) continue;
      writeInteger(this.slub.env, page.vaddr + offset, page.offset, 4);
      page.in_use--;
      page.offset = offset;
      return;
    }
    log.log(
      KERN_ERR,
      `dma_pool_free ${this.nameOf(view.h)}, ${hexAddress(address)}/0x${dma.toString(16).padStart(16, '0')} (bad dma)`,
    );
  }

  /** Gives a pool up; blocks that are still in use are lost. @linux mm/dmapool.c:dma_pool_destroy full */
  destroy(pool: Vaddr): void {
    if (pool === 0) return;
    const { ram, log } = this.slub.env;
    const found = this.poolAt(pool);
    if (found === 0) return;
    const view = DmaPool.at(ram, found);
    for (const entry of listEntries(ram, view.h)) {
      const page = DmaPage.at(ram, entry);
      if (page.in_use > 0)
        log.log(KERN_ERR, `dma_pool_destroy ${this.nameOf(view.h)}, ${hexAddress(page.vaddr)} busy`);
      else this.freeCoherent(view.allocation, page.vaddr);
      listDel(ram, entry);
      this.slub.free(entry);
    }
    this.slub.kfree(pool);
  }

  private nameOf(pool: Handle): string {
    return this.slub.core.cString(pool + DmaPool.w.name);
  }
}
