// SPDX-License-Identifier: MIT
/**
 * Hardened user copies: a copy to or from user space must stay within one slab object, and within the part of it that
 * its cache opens to user copies. What does not is reported, and ends the task.
 */

import { KERN_EMERG, type Log, type Reports } from '../lib/env.js';
import type { Vaddr } from '../machine/layout.js';
import type { Ram } from '../machine/ram.js';
import { KmemCache } from '../mm/slab.js';
import type { Slub } from '../mm/slub.js';

export interface UsercopyServices {
  readonly ram: Ram;
  readonly log: Log;
  readonly reports: Reports;
  readonly slub: Slub;
}

/**
 * Checks the kernel's side of a copy.
 * @linux mm/usercopy.c:__check_object_size partial: looks at slab objects only
 */
export function checkObjectSize(k: UsercopyServices, address: Vaddr, bytes: number, toUser: boolean): void {
  if (bytes === 0) return;
  const info = k.slub.objectInfo(address);
  if (info === undefined) return;
  const { useroffset, usersize } = KmemCache.at(k.ram, info.cacheHandle);
  const offset = info.offset - useroffset;
  if (offset >= 0 && offset <= usersize && bytes <= usersize - offset) return;
  usercopyAbort(k, info.cache, info.offset, bytes, toUser);
}

/** @linux mm/usercopy.c:usercopy_abort full */
function usercopyAbort(
  { log, reports }: UsercopyServices,
  cache: string,
  offset: number,
  bytes: number,
  toUser: boolean,
): never {
  const what = toUser ? 'exposure attempt detected from' : 'overwrite attempt detected to';
  log.log(
    KERN_EMERG,
    `usercopy: Kernel memory ${what} SLUB object '${cache}' (offset ${offset}, size ${bytes})!`,
  );
  return reports.bug('mm/usercopy.c', 101, 'usercopy_abort');
}
