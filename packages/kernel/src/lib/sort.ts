// SPDX-License-Identifier: MIT
/** Sorting and searching with C's comparison functions. */

import type { KernelExports } from '../arch/wasm64/exports.js';
import type { Vaddr } from '../machine/layout.js';
import type { CallC } from './c_call.js';
import { type GuestAccess, readBytes, readS64, writeBytes, writeInteger } from './guest_access.js';

/** Swaps two elements, by C's function or byte by byte. */
function swap(mem: GuestAccess, callC: CallC, fn: Vaddr, a: Vaddr, b: Vaddr, size: number): void {
  if (fn !== 0) {
    callC(fn, 'v:ppi', a, b, size);
    return;
  }
  const held = readBytes(mem, a, size);
  writeBytes(mem, a, readBytes(mem, b, size));
  writeBytes(mem, b, held);
}

/**
 * Heap sort, in place: nothing but the elements is touched, and a fault inside a comparison leaves a permutation.
 * @param compare less than, equal to or greater than 0, of two addresses
 */
function heapSort(
  base: Vaddr,
  n: number,
  size: number,
  compare: (a: Vaddr, b: Vaddr) => number,
  exchange: (a: Vaddr, b: Vaddr) => void,
): void {
  const at = (i: number) => base + i * size;
  const sink = (from: number, count: number) => {
    for (let root = from; ; ) {
      let child = 2 * root + 1;
      if (child >= count) return;
      if (child + 1 < count && compare(at(child), at(child + 1)) < 0) child++;
      if (compare(at(root), at(child)) >= 0) return;
      exchange(at(root), at(child));
      root = child;
    }
  };
  for (let i = Math.floor(n / 2) - 1; i >= 0; i--) sink(i, n);
  for (let end = n - 1; end > 0; end--) {
    exchange(at(0), at(end));
    sink(0, end);
  }
}

/** The element equal to the key, by halving, or NULL. */
function bsearch(
  key: Vaddr,
  base: Vaddr,
  n: number,
  size: number,
  compare: (key: Vaddr, element: Vaddr) => number,
): Vaddr {
  for (let low = base, count = n; count > 0; ) {
    const pivot = low + Math.floor(count / 2) * size;
    const order = compare(key, pivot);
    if (order === 0) return pivot;
    if (order > 0) {
      low = pivot + size;
      count--;
    }
    count = Math.floor(count / 2);
  }
  return 0;
}

/**
 * Stable merge sort of a struct list_head list: equal nodes keep their order.
 * @param compare greater than 0 if the first node must come after the second
 */
function listSort(mem: GuestAccess, head: Vaddr, compare: (a: Vaddr, b: Vaddr) => number): void {
  const nodes: Vaddr[] = [];
  for (let node = readS64(mem, head); node !== head; node = readS64(mem, node)) {
    // More nodes than memory can hold: the list never comes back to its head. It is left as it is.
    if (nodes.length > mem.ram.size / 16) return;
    nodes.push(node);
  }
  const sorted = mergeSort(nodes, compare);
  let previous = head;
  for (const node of [...sorted, head]) {
    writeInteger(mem, previous, node, 8);
    writeInteger(mem, node + 8, previous, 8);
    previous = node;
  }
}

function mergeSort(nodes: Vaddr[], compare: (a: Vaddr, b: Vaddr) => number): Vaddr[] {
  if (nodes.length < 2) return nodes;
  const middle = nodes.length >> 1;
  const left = mergeSort(nodes.slice(0, middle), compare);
  const right = mergeSort(nodes.slice(middle), compare);
  const merged: Vaddr[] = [];
  let i = 0;
  let j = 0;
  while (i < left.length && j < right.length)
    merged.push(compare(left[i], right[j]) <= 0 ? left[i++] : right[j++]);
  return [...merged, ...left.slice(i), ...right.slice(j)];
}

export function sortExports(mem: GuestAccess, callC: CallC): KernelExports {
  const sort = (
    base: Vaddr,
    n: number,
    size: number,
    compare: (a: Vaddr, b: Vaddr) => number,
    swapFn: Vaddr,
  ) => {
    // No more elements than addresses: the first comparison of so many faults, and the counts stay exact.
    if (size > 0)
      heapSort(base, Math.min(n, 2 ** 47), size, compare, (a, b) => swap(mem, callC, swapFn, a, b, size));
  };
  return {
    sort: [
      'v:pzzpp',
      (base: Vaddr, n: number, size: number, compare: Vaddr, swapFn: Vaddr) =>
        sort(base, n, size, (a, b) => callC(compare, 'i:pp', a, b), swapFn),
    ],
    sort_r: [
      'v:pzzppp',
      (base: Vaddr, n: number, size: number, compare: Vaddr, swapFn: Vaddr, context: Vaddr) =>
        sort(base, n, size, (a, b) => callC(compare, 'i:ppp', a, b, context), swapFn),
    ],
    bsearch: [
      'p:ppzzp',
      (key: Vaddr, base: Vaddr, n: number, size: number, compare: Vaddr) =>
        bsearch(key, base, n, size, (a, b) => callC(compare, 'i:pp', a, b)),
    ],
    list_sort: [
      'v:ppp',
      (context: Vaddr, head: Vaddr, compare: Vaddr) =>
        listSort(mem, head, (a, b) => callC(compare, 'i:ppp', context, a, b)),
    ],
  };
}
