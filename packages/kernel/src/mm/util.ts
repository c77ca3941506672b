// SPDX-License-Identifier: MIT
/** Memory from slabs if they can give it, else from vmalloc: the kvmalloc family; and how C names per-CPU memory. */

import {
  KERNEL_DATA_START,
  KERNEL_TEXT_START,
  PAGE_OFFSET,
  PAGE_SIZE,
  type Vaddr,
} from '../machine/layout.js';
import { __GFP_NOFAIL, __GFP_NORETRY, __GFP_NOWARN, __GFP_RETRY_MAYFAIL } from './gfp.js';
import { kfreeSensitive } from './kmalloc.js';
import type { Slub } from './slub.js';

const INT_MAX = 2147483647;
const KERNEL_IMAGE_END = KERNEL_DATA_START + 2 ** 24;

/** vmalloc as this file needs it. */
export interface VmallocSource {
  vmalloc(size: number, gfp: number): Vaddr;
  vfree(address: Vaddr): void;
  /** True for addresses of the vmalloc area. */
  isVmalloc(address: Vaddr): boolean;
}

/** Slabs, and vmalloc once there is one. */
export interface KvmallocSource {
  readonly slub: Slub;
  readonly vmalloc: VmallocSource | undefined;
}

/**
 * Contiguous memory if it can be had without effort, else mapped page by page.
 * @linux mm/util.c:kvmalloc_node full
 */
export function kvmalloc({ slub, vmalloc }: KvmallocSource, size: number, gfp: number): Vaddr {
  let flags = gfp;
  if (size > PAGE_SIZE && vmalloc !== undefined) {
    flags |= __GFP_NOWARN;
    if ((flags & __GFP_RETRY_MAYFAIL) === 0) flags |= __GFP_NORETRY;
    flags &= ~__GFP_NOFAIL;
  }
  const address = slub.kmalloc(size, flags);
  if (address !== 0 || size <= PAGE_SIZE || vmalloc === undefined) return address;
  if (size > INT_MAX) {
    if ((gfp & __GFP_NOWARN) === 0) slub.env.reports.warn('mm/util.c', 595, 'kvmalloc_node');
    return 0;
  }
  return vmalloc.vmalloc(size, gfp);
}

/** @linux mm/util.c:kvfree full */
export function kvfree({ slub, vmalloc }: KvmallocSource, address: Vaddr): void {
  if (vmalloc?.isVmalloc(address)) vmalloc.vfree(address);
  else slub.kfree(address);
}

/** Zeroes `size` bytes and frees them. @linux mm/util.c:kvfree_sensitive full */
export function kvfreeSensitive(source: KvmallocSource, address: Vaddr, size: number): void {
  if (address === 0) return;
  if (!source.vmalloc?.isVmalloc(address)) {
    kfreeSensitive(source.slub, address);
    return;
  }
  const zeros = new Uint8Array(PAGE_SIZE);
  for (let done = 0; done < size; done += PAGE_SIZE)
    source.slub.env.guest.write(address + done, zeros.subarray(0, Math.min(PAGE_SIZE, size - done)));
  source.vmalloc.vfree(address);
}

/** @linux mm/util.c:kvrealloc full */
export function kvrealloc(
  source: KvmallocSource,
  address: Vaddr,
  oldSize: number,
  newSize: number,
  gfp: number,
): Vaddr {
  if (oldSize >= newSize) return address;
  const { guest, ram } = source.slub.env;
  const moved = kvmalloc(source, newSize, gfp);
  if (moved === 0) return 0;
  if (oldSize > 0) {
    const p = address - PAGE_OFFSET;
    if (ram.isDirect(address, oldSize) && ram.isDirect(moved, oldSize))
      ram.u8.copyWithin(moved - PAGE_OFFSET, p, p + oldSize);
    else guest.write(moved, guest.read(address, oldSize).slice());
  }
  kvfree(source, address);
  return moved;
}

/** Frees a string unless it lies in the kernel image. @linux mm/util.c:kfree_const full */
export function kfreeConst(slub: Slub, address: Vaddr): void {
  if (address < KERNEL_TEXT_START || address >= KERNEL_IMAGE_END || address >= 0) slub.kfree(address);
}
