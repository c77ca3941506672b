// SPDX-License-Identifier: MIT
/** From an address to its slab and object, also when the address is wrong. */

import { KERN_WARNING } from '../lib/env.js';
import { step } from '../lib/walk.js';
import {
  type Handle,
  PAGE_OFFSET,
  PAGE_SIZE,
  type Paddr,
  type Vaddr,
  VMEMMAP_START,
} from '../machine/layout.js';
import { C_LIST_W, CPU_FREELIST_W, CPU_SLAB_W, SLAB_FREELIST_W } from './slab.js';
import { ONCE_NOT_A_SLAB, type SlabCore } from './slab_core.js';
import { printTracking } from './slub_report.js';

const TWO64 = 2 ** 64;
/** Kernel image and modules: mapped at physical address 0 there, not at PAGE_OFFSET. */
const START_KERNEL_MAP = -2147483648;
const COMPOUND_HEAD_OFFSET = 8;

/**
 * The head page of an address outside the direct map, by the kernel's own arithmetic: its struct page lies nowhere
 * in vmemmap as a rule, and reading it is the oops that Linux gives.
 */
export function wildHeadPage(core: SlabCore, address: Vaddr): Handle {
  const { guest } = core.env;
  let physical = address - PAGE_OFFSET;
  if (address >= START_KERNEL_MAP && address < 0) {
    const known = guest.translate(address);
    physical = known >= 0 ? known : address - START_KERNEL_MAP;
  }
  let page = VMEMMAP_START + Math.floor(physical / PAGE_SIZE) * 64;
  if (page >= TWO64 / 2) page -= TWO64;
  if (page < -TWO64 / 2) page += TWO64;
  guest.read(page + COMPOUND_HEAD_OFFSET, 8);
  const at = guest.translate(page);
  // A page that can be read but is none of RAM's does not exist here; page 0 is reserved, so nothing is freed.
  return at < 0 ? core.memmap : core.headPageOf(((at / 4 - core.memmap) >> 4) * PAGE_SIZE);
}

/**
 * Says that an object is not of the cache it is freed to.
 * @returns true if it may be freed to the cache that it is of
 * @linux mm/slab.h:cache_from_obj full
 */
export function wrongCache(core: SlabCore, cache: Handle, owner: Handle, address: Vaddr): boolean {
  const { reports } = core.env;
  if (owner === 0) {
    if (core.once(ONCE_NOT_A_SLAB))
      reports.warn('mm/slab.h', 405, 'kmem_cache_free', 'virt_to_cache: Object is not a Slab page!');
    return false;
  }
  const message = `cache_from_obj: Wrong slab cache. ${core.cacheName(cache)} but object is from ${core.cacheName(owner)}`;
  reports.warn('mm/slab.h', 688, 'kmem_cache_free', message);
  const p = address - PAGE_OFFSET;
  if (p % 8 === 0) printTracking(core, owner, p);
  return true;
}

/** True if an object of a slab is on a freelist: its own, or that of the CPU that owns the slab. */
export function isFreeObject(core: SlabCore, cache: Handle, slab: Handle, p: Paddr): boolean {
  if (followsTo(core, cache, slab, slab + SLAB_FREELIST_W, p)) return true;
  for (let cpu = 0; cpu < core.env.nrCpus; cpu++) {
    const c = core.cpuSlab(cache, cpu);
    if (core.slabPtr(c + CPU_SLAB_W) === slab && followsTo(core, cache, slab, c + CPU_FREELIST_W, p))
      return true;
  }
  return false;
}

function followsTo(core: SlabCore, cache: Handle, slab: Handle, word: Handle, p: Paddr): boolean {
  let fp = core.address(word);
  for (let n = core.objects(slab); n > 0 && fp !== 0 && core.validPointer(cache, slab, fp); n--) {
    if (fp === PAGE_OFFSET + p) return true;
    fp = core.getFreepointer(cache, fp - PAGE_OFFSET);
  }
  return false;
}

/**
 * The cache at an address that C passed; 0 if there is none. A pointer that leads nowhere is the oops that using it
 * is on Linux.
 */
export function cacheAt(core: SlabCore, address: Vaddr): Handle {
  const p = address - PAGE_OFFSET;
  if (p >= 0 && p < core.ram.size && p % 8 === 0) {
    const slab = core.headPageOf(p);
    const h = p / 4;
    if (
      core.isSlab(slab) &&
      core.cacheOf(slab) === core.ram.ptr(core.roots.kmem_cache) &&
      core.ram.ptr(h) !== 0
    )
      return h;
  }
  const perCpu = core.env.guest.readU64(address);
  core.env.guest.read(Number(BigInt.asIntN(64, perCpu)), 8);
  core.env.log.log(KERN_WARNING, `SLUB: no cache at 0x${BigInt.asUintN(64, BigInt(address)).toString(16)}`);
  return 0;
}

/** First cache on the list, for walks; 0 at the end. */
export function nextCache(core: SlabCore, cache: Handle): Handle {
  const head = core.roots.slab_caches;
  step(core.ram);
  const entry = core.ram.ptr(cache === 0 ? head : cache + C_LIST_W);
  return entry === head || entry === 0 ? 0 : entry - C_LIST_W;
}
