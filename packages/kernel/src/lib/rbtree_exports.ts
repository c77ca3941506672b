// SPDX-License-Identifier: MIT
/** `linux/rbtree.h` and `linux/rbtree_augmented.h`. */

import type { KernelExports } from '../arch/wasm64/exports.js';
import type { Vaddr } from '../machine/layout.js';
import type { CallC } from './c_call.js';
import { type GuestAccess, readS64 } from './guest_access.js';
import { type Augment, GuestRbTree } from './rbtree_guest.js';

/** Offsets in `struct rb_augment_callbacks`. */
const PROPAGATE = 0;
const COPY = 8;
const ROTATE = 16;

export function rbtreeExports(mem: GuestAccess, callC: CallC, stuck: () => never): KernelExports {
  const tree = new GuestRbTree(mem, stuck);
  const augment = (callbacks: Vaddr): Augment => {
    const call = (offset: number) => {
      const fn = readS64(mem, callbacks + offset);
      return (a: Vaddr, b: Vaddr) => void callC(fn, 'v:pp', a, b);
    };
    return { propagate: call(PROPAGATE), copy: call(COPY), rotate: call(ROTATE) };
  };
  const rotateOnly = (rotate: Vaddr): Augment => ({
    propagate: () => {},
    copy: () => {},
    rotate: (a, b) => void callC(rotate, 'v:pp', a, b),
  });
  return {
    rb_insert_color: ['v:pp', (node: Vaddr, root: Vaddr) => tree.insert(node, root)],
    rb_erase: ['v:pp', (node: Vaddr, root: Vaddr) => tree.erase(node, root)],
    rb_next: ['p:p', (node: Vaddr) => tree.next(node)],
    rb_prev: ['p:p', (node: Vaddr) => tree.prev(node)],
    rb_first: ['p:p', (root: Vaddr) => tree.first(root)],
    rb_last: ['p:p', (root: Vaddr) => tree.last(root)],
    rb_first_postorder: ['p:p', (root: Vaddr) => tree.firstPostorder(root)],
    rb_next_postorder: ['p:p', (node: Vaddr) => tree.nextPostorder(node)],
    rb_replace_node: ['v:ppp', (victim: Vaddr, now: Vaddr, root: Vaddr) => tree.replace(victim, now, root)],
    __rb_insert_augmented: [
      'v:ppp',
      (node: Vaddr, root: Vaddr, rotate: Vaddr) => tree.insert(node, root, rotateOnly(rotate)),
    ],
    __rb_erase_augmented: [
      'v:ppp',
      (node: Vaddr, root: Vaddr, callbacks: Vaddr) => tree.erase(node, root, augment(callbacks)),
    ],
  };
}
