// SPDX-License-Identifier: MIT
/** `linux/radix-tree.h`: the older interface to the XArray, with tags for marks and no locking of its own. */

import type { KernelExports } from '../arch/wasm64/exports.js';
import type { Vaddr } from '../machine/layout.js';
import { EEXIST, EINVAL } from './errno.js';
import { type GuestAccess, writeBigInt } from './guest_access.js';
import { isInternal, XA_MAX_MARKS, XA_PRESENT, type XArrays } from './xarray.js';
import { highWord, lowWord } from './xarray_exports.js';

/** The bits of a root's flags that are the gfp mask of its nodes. */
const GFP_MASK = 0x03fffff0;
const U32_MAX = 0xffffffff;
const u64 = (n: bigint) => BigInt.asUintN(64, n);

export function radixTreeExports(
  mem: GuestAccess,
  arrays: XArrays,
  preemptDisable: () => void,
): KernelExports {
  const load = (root: Vaddr, index: bigint) => arrays.load(root, highWord(index), lowWord(index));
  /** Removes an item, if it is the one expected. @linux lib/radix-tree.c:radix_tree_delete_item full */
  const remove = (root: Vaddr, index: bigint, expected: bigint): bigint => {
    const item = load(root, index);
    if (item === 0n || (expected !== 0n && item !== u64(expected))) return 0n;
    arrays.store(root, highWord(index), lowWord(index), 0n, 0);
    return item;
  };
  /** Copies items from an index on; their number. @linux lib/radix-tree.c:radix_tree_gang_lookup full */
  const gang = (root: Vaddr, results: Vaddr, first: bigint, max: number, filter: number): number => {
    let index = u64(first);
    for (let n = 0; n < max; n++) {
      const found = arrays.findFrom(root, highWord(index), lowWord(index), U32_MAX, U32_MAX, filter);
      if (found === undefined) return n;
      writeBigInt(mem, results + 8 * n, found.entry, 8);
      index = ((BigInt(found.hi) << 32n) | BigInt(found.lo)) + 1n;
      if (index >> 64n) return n + 1;
    }
    return max;
  };
  const tag = (on: boolean) => (root: Vaddr, index: bigint, mark: number) => {
    const item = load(root, index);
    if (item !== 0n && mark < XA_MAX_MARKS) arrays.setMark(root, highWord(index), lowWord(index), mark, on);
    return item;
  };
  const preload = () => {
    preemptDisable();
    return 0;
  };
  return {
    radix_tree_insert: [
      'i:pqq',
      (root: Vaddr, index: bigint, item: bigint) => {
        if (isInternal(u64(item))) return -EINVAL;
        if (load(root, index) !== 0n) return -EEXIST;
        const gfp = arrays.flags(root) & GFP_MASK;
        const old = arrays.store(root, highWord(index), lowWord(index), u64(item), gfp);
        return typeof old === 'number' ? old : 0;
      },
    ],
    radix_tree_lookup: ['q:pq', load],
    radix_tree_delete: ['q:pq', (root: Vaddr, index: bigint) => remove(root, index, 0n)],
    radix_tree_delete_item: ['q:pqq', remove],
    radix_tree_gang_lookup: [
      'u:ppqu',
      (root: Vaddr, results: Vaddr, first: bigint, max: number) =>
        gang(root, results, first, max, XA_PRESENT),
    ],
    radix_tree_gang_lookup_tag: [
      'u:ppquu',
      (root: Vaddr, results: Vaddr, first: bigint, max: number, mark: number) =>
        mark < XA_MAX_MARKS ? gang(root, results, first, max, mark) : 0,
    ],
    radix_tree_preload: ['i:u', preload],
    radix_tree_maybe_preload: ['i:u', preload],
    radix_tree_tag_set: ['q:pqu', tag(true)],
    radix_tree_tag_clear: ['q:pqu', tag(false)],
    radix_tree_tag_get: [
      'i:pqu',
      (root: Vaddr, index: bigint, mark: number) =>
        Number(mark < XA_MAX_MARKS && arrays.getMark(root, highWord(index), lowWord(index), mark)),
    ],
    radix_tree_tagged: [
      'i:pu',
      (root: Vaddr, mark: number) => Number(mark < XA_MAX_MARKS && arrays.headMarked(root, mark)),
    ],
  };
}
