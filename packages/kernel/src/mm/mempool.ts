// SPDX-License-Identifier: MIT
/**
 * Memory pools: elements set aside so that an allocation succeeds when memory is tight.
 *
 *     elements  | e0 | e1 | e2 |    |     min_nr = 4, curr_nr = 3
 *                             ^ the next one that is taken when alloc() finds no memory; a free puts one back
 *
 * A pool lies where C put it, so its fields are read and written through the page tables.
 */

import { ENOMEM } from '../lib/errno.js';
import { readS64, readUnsigned, writeInteger } from '../lib/guest_access.js';
import { WaitQueueHead } from '../lib/lock_types.js';
import { addr, fn, int, struct, type Type, u32 } from '../lib/struct.js';
import type { Vaddr } from '../machine/layout.js';
import {
  __GFP_DIRECT_RECLAIM,
  __GFP_IO,
  __GFP_NOMEMALLOC,
  __GFP_NORETRY,
  __GFP_NOWARN,
  __GFP_ZERO,
  GFP_KERNEL,
} from './gfp.js';
import type { Slub } from './slub.js';

const spinlock: Type<number> = { ...u32, declare: (name) => `spinlock_t ${name}` };

export const Mempool = struct('mempool_s', {
  lock: spinlock,
  min_nr: int,
  curr_nr: int,
  elements: addr('void *'),
  pool_data: addr(),
  alloc: fn('void *', 'gfp_t, void *'),
  free: fn('void', 'void *, void *'),
  wait: WaitQueueHead,
});

export class Mempools {
  constructor(private readonly slub: Slub) {}

  private get<K extends 'elements' | 'pool_data' | 'alloc' | 'free'>(pool: Vaddr, field: K): Vaddr {
    return readS64(this.slub.env, pool + Mempool.o[field]);
  }

  private count(pool: Vaddr, field: 'min_nr' | 'curr_nr'): number {
    return readUnsigned(this.slub.env, pool + Mempool.o[field], 4) | 0;
  }

  private set(pool: Vaddr, field: keyof typeof Mempool.o, value: number, bytes: 4 | 8): void {
    writeInteger(this.slub.env, pool + Mempool.o[field], value, bytes);
  }

  private callAlloc(pool: Vaddr, gfp: number): Vaddr {
    return this.slub.callGuest(this.get(pool, 'alloc'), 'p:up', gfp, this.get(pool, 'pool_data'));
  }

  private callFree(pool: Vaddr, element: Vaddr): void {
    this.slub.callGuest(this.get(pool, 'free'), 'v:pp', element, this.get(pool, 'pool_data'));
  }

  private add(pool: Vaddr, element: Vaddr): void {
    const n = this.count(pool, 'curr_nr');
    writeInteger(this.slub.env, this.get(pool, 'elements') + 8 * n, element, 8);
    this.set(pool, 'curr_nr', n + 1, 4);
  }

  private take(pool: Vaddr): Vaddr {
    const n = this.count(pool, 'curr_nr') - 1;
    this.set(pool, 'curr_nr', n, 4);
    return readS64(this.slub.env, this.get(pool, 'elements') + 8 * n);
  }

  /** @returns the pool; 0 if there is no memory @linux mm/mempool.c:mempool_create full */
  create(minNr: number, alloc: Vaddr, free: Vaddr, poolData: Vaddr): Vaddr {
    const pool = this.slub.kmalloc(Mempool.size, GFP_KERNEL | __GFP_ZERO);
    if (pool === 0) return 0;
    if (this.init(pool, minNr, alloc, free, poolData) === 0) return pool;
    this.slub.kfree(pool);
    return 0;
  }

  /**
   * Makes a pool of a struct that C provides, and fills it.
   * @returns 0 or a negative errno
   * @linux mm/mempool.c:mempool_init full
   */
  init(pool: Vaddr, minNr: number, alloc: Vaddr, free: Vaddr, poolData: Vaddr): number {
    this.set(pool, 'lock', 0, 4);
    this.set(pool, 'min_nr', minNr, 4);
    this.set(pool, 'curr_nr', 0, 4);
    this.set(pool, 'pool_data', poolData, 8);
    this.set(pool, 'alloc', alloc, 8);
    this.set(pool, 'free', free, 8);
    const head = pool + Mempool.o.wait + WaitQueueHead.o.head;
    writeInteger(this.slub.env, pool + Mempool.o.wait, 0, 4);
    writeInteger(this.slub.env, head, head, 8);
    writeInteger(this.slub.env, head + 8, head, 8);
    const elements = minNr < 0 ? 0 : this.slub.kmalloc(8 * minNr, GFP_KERNEL);
    this.set(pool, 'elements', elements, 8);
    if (elements === 0) return -ENOMEM;
    while (this.count(pool, 'curr_nr') < minNr) {
      const element = this.callAlloc(pool, GFP_KERNEL);
      if (element === 0) {
        this.exit(pool);
        return -ENOMEM;
      }
      this.add(pool, element);
    }
    return 0;
  }

  /** Frees what a pool holds. @linux mm/mempool.c:mempool_exit full */
  exit(pool: Vaddr): void {
    while (this.count(pool, 'curr_nr') > 0) this.callFree(pool, this.take(pool));
    this.slub.kfree(this.get(pool, 'elements'));
    this.set(pool, 'elements', 0, 8);
  }

  /** @linux mm/mempool.c:mempool_destroy full */
  destroy(pool: Vaddr): void {
    if (pool === 0) return;
    this.exit(pool);
    this.slub.kfree(pool);
  }

  /**
   * Changes how many elements a pool keeps.
   * @returns 0 or a negative errno
   * @linux mm/mempool.c:mempool_resize full
   */
  resize(pool: Vaddr, minNr: number): number {
    if (minNr <= 0) this.slub.env.reports.bug('mm/mempool.c', 318, 'mempool_resize');
    while (this.count(pool, 'curr_nr') > minNr) this.callFree(pool, this.take(pool));
    const old = this.get(pool, 'elements');
    const elements = this.slub.kmalloc(8 * minNr, GFP_KERNEL);
    if (elements === 0) return minNr > this.count(pool, 'min_nr') ? -ENOMEM : 0;
    const { env } = this.slub;
    for (let i = 0; i < this.count(pool, 'curr_nr'); i++)
      writeInteger(env, elements + 8 * i, readS64(env, old + 8 * i), 8);
    this.slub.kfree(old);
    this.set(pool, 'elements', elements, 8);
    this.set(pool, 'min_nr', minNr, 4);
    while (this.count(pool, 'curr_nr') < minNr) {
      const element = this.callAlloc(pool, GFP_KERNEL);
      if (element === 0) break;
      this.add(pool, element);
    }
    return 0;
  }

  /**
   * An element: from its allocator, first without effort, else from the pool.
   * @linux mm/mempool.c:mempool_alloc differs: does not wait for an element when the pool is empty
   */
  alloc(pool: Vaddr, gfp: number): Vaddr {
    const hard = (gfp & ~__GFP_ZERO) | __GFP_NOMEMALLOC | __GFP_NORETRY | __GFP_NOWARN;
    const easy = hard & ~(__GFP_DIRECT_RECLAIM | __GFP_IO);
    const element = this.callAlloc(pool, easy);
    if (element !== 0) return element;
    if (this.count(pool, 'curr_nr') > 0) return this.take(pool);
    return hard === easy ? 0 : this.callAlloc(pool, hard);
  }

  /** Gives an element back: to the pool if that lacks one. @linux mm/mempool.c:mempool_free full */
  free(element: Vaddr, pool: Vaddr): void {
    if (element === 0) return;
    if (this.count(pool, 'curr_nr') < this.count(pool, 'min_nr')) this.add(pool, element);
    else this.callFree(pool, element);
  }
}
