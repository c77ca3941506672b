// SPDX-License-Identifier: MIT
/**
 * Red-black trees of C's own nodes, which may lie anywhere in guest memory; `rbtree.ts` is for the kernel's. What is
 * said there of the rules holds here. An augmented tree keeps a value over each subtree: callbacks into C mend it.
 *
 *       old             new        a rotation puts `new` where `old` was: rotate(old, new) gives `new`
 *      ╱   ╲           ╱   ╲       the value of the whole, and computes that of `old` anew
 *     a    new   →   old    c
 *         ╱   ╲     ╱   ╲
 *        b     c   a     b
 */

import type { Vaddr } from '../machine/layout.js';
import { type GuestAccess, readS64, writeS64 } from './guest_access.js';
import { RbNode } from './rbtree.js';

const RIGHT = RbNode.o.rb_right;
const LEFT = RbNode.o.rb_left;
type Side = typeof LEFT | typeof RIGHT;
const opposite = (side: Side): Side => (LEFT + RIGHT - side) as Side;

const RED = 0;
const BLACK = 1;
/** Deeper than any tree that memory can hold: whoever climbs so far goes round in a circle. */
const DEPTH_MAX = 256;

/** What keeps an augmented tree's values true: `struct rb_augment_callbacks`. */
export interface Augment {
  /** Computes the values from a node up to, not including, `stop`. */
  propagate(node: Vaddr, stop: Vaddr): void;
  /** Gives one node the value of another. */
  copy(old: Vaddr, now: Vaddr): void;
  rotate(old: Vaddr, now: Vaddr): void;
}

const PLAIN: Augment = { propagate: () => {}, copy: () => {}, rotate: () => {} };

export class GuestRbTree {
  /** @param stuck what happens to a CPU that follows a damaged tree round and round */
  constructor(
    private readonly mem: GuestAccess,
    private readonly stuck: () => never,
  ) {}

  private child(node: Vaddr, side: Side): Vaddr {
    return readS64(this.mem, node + side);
  }

  private setChild(node: Vaddr, side: Side, child: Vaddr): void {
    writeS64(this.mem, node + side, child);
  }

  private parent(node: Vaddr): Vaddr {
    const word = readS64(this.mem, node);
    return word - (word & 3);
  }

  private color(node: Vaddr): number {
    return node === 0 ? BLACK : readS64(this.mem, node) & 1;
  }

  private setParentColor(node: Vaddr, parent: Vaddr, color: number): void {
    writeS64(this.mem, node, parent + color);
  }

  private setParent(node: Vaddr, parent: Vaddr): void {
    this.setParentColor(node, parent, this.color(node));
  }

  private setColor(node: Vaddr, color: number): void {
    this.setParentColor(node, this.parent(node), color);
  }

  /** Puts `now` where `old` hangs: under its parent, or at the root. */
  private replaceChild(root: Vaddr, parent: Vaddr, old: Vaddr, now: Vaddr): void {
    if (parent === 0) writeS64(this.mem, root, now);
    else this.setChild(parent, this.child(parent, LEFT) === old ? LEFT : RIGHT, now);
  }

  /** Turns a node down to `side`; its child of the other side takes its place and is returned. */
  private turn(root: Vaddr, node: Vaddr, side: Side, augment: Augment): Vaddr {
    const up = this.child(node, opposite(side));
    const inner = this.child(up, side);
    const parent = this.parent(node);
    this.setChild(node, opposite(side), inner);
    if (inner !== 0) this.setParent(inner, node);
    this.replaceChild(root, parent, node, up);
    this.setParent(up, parent);
    this.setChild(up, side, node);
    this.setParent(node, up);
    augment.rotate(node, up);
    return up;
  }

  /** Mends the colours above a node that was linked in, red. @linux lib/rbtree.c:__rb_insert_augmented full */
  insert(inserted: Vaddr, root: Vaddr, augment = PLAIN): void {
    let node = inserted;
    for (let depth = 0; depth < DEPTH_MAX; depth++) {
      const parent = this.parent(node);
      if (parent === 0) {
        this.setParentColor(node, 0, BLACK);
        return;
      }
      if (this.color(parent) === BLACK) return;
      const grandparent = this.parent(parent);
      const side = this.child(grandparent, LEFT) === parent ? LEFT : RIGHT;
      const uncle = this.child(grandparent, opposite(side));
      if (this.color(uncle) === RED) {
        this.setColor(parent, BLACK);
        this.setColor(uncle, BLACK);
        this.setColor(grandparent, RED);
        node = grandparent;
        continue;
      }
      const top = this.child(parent, side) === node ? parent : this.turn(root, parent, side, augment);
      this.setColor(top, BLACK);
      this.setColor(grandparent, RED);
      this.turn(root, grandparent, opposite(side), augment);
      return;
    }
    this.stuck();
  }

  /** Takes a node out; its own fields keep their values. */
  erase(node: Vaddr, root: Vaddr, augment = PLAIN): void {
    const left = this.child(node, LEFT);
    const right = this.child(node, RIGHT);
    if (left !== 0 && right !== 0) {
      this.eraseInner(node, left, right, root, augment);
      return;
    }
    const only = left === 0 ? right : left;
    const parent = this.parent(node);
    const color = this.color(node);
    this.replaceChild(root, parent, node, only);
    if (only !== 0) this.setParentColor(only, parent, color);
    augment.propagate(parent, 0);
    if (only === 0 && color === BLACK && parent !== 0) this.eraseColor(parent, root, augment);
  }

  /** A node with two children gives its place to the next one, which has no left child. */
  private eraseInner(node: Vaddr, left: Vaddr, right: Vaddr, root: Vaddr, augment: Augment): void {
    let successor = right;
    let parent = right;
    for (let depth = 0; this.child(successor, LEFT) !== 0; depth++) {
      if (depth === DEPTH_MAX) this.stuck();
      parent = successor;
      successor = this.child(successor, LEFT);
    }
    const orphan = this.child(successor, RIGHT);
    const color = this.color(successor);
    if (successor === right) {
      parent = successor;
      augment.copy(node, successor);
    } else {
      this.setChild(parent, LEFT, orphan);
      this.setChild(successor, RIGHT, right);
      this.setParent(right, successor);
      augment.copy(node, successor);
      augment.propagate(parent, successor);
    }
    this.setChild(successor, LEFT, left);
    this.setParent(left, successor);
    this.replaceChild(root, this.parent(node), node, successor);
    this.setParentColor(successor, this.parent(node), this.color(node));
    if (orphan !== 0) this.setParentColor(orphan, parent, BLACK);
    augment.propagate(successor, 0);
    if (orphan === 0 && color === BLACK) this.eraseColor(parent, root, augment);
  }

  /** Mends the tree below `parent`, one of whose sides is a black node short. */
  private eraseColor(above: Vaddr, root: Vaddr, augment: Augment): void {
    let node: Vaddr = 0;
    let parent = above;
    for (let depth = 0; depth < DEPTH_MAX; depth++) {
      const short: Side = this.child(parent, RIGHT) === node ? RIGHT : LEFT;
      const far = opposite(short);
      let sibling = this.child(parent, far);
      if (this.color(sibling) === RED) {
        this.setColor(sibling, BLACK);
        this.setColor(parent, RED);
        this.turn(root, parent, short, augment);
        sibling = this.child(parent, far);
      }
      const near = this.child(sibling, short);
      if (this.color(this.child(sibling, far)) === BLACK) {
        if (this.color(near) === BLACK) {
          this.setColor(sibling, RED);
          const wasRed = this.color(parent) === RED;
          this.setColor(parent, BLACK);
          if (wasRed) return;
          node = parent;
          parent = this.parent(node);
          if (parent === 0) return;
          continue;
        }
        sibling = this.turn(root, sibling, far, augment);
      }
      this.setColor(sibling, this.color(parent));
      this.setColor(parent, BLACK);
      this.setColor(this.child(sibling, far), BLACK);
      this.turn(root, parent, short, augment);
      return;
    }
    this.stuck();
  }

  /** The node furthest to one side below a node; the node itself if there is none. */
  private furthest(node: Vaddr, side: Side): Vaddr {
    let at = node;
    for (let depth = 0; depth < DEPTH_MAX; depth++) {
      const next = this.child(at, side);
      if (next === 0) return at;
      at = next;
    }
    return this.stuck();
  }

  /** The first node, towards the left, or the last; NULL if the tree is empty. */
  private end(root: Vaddr, side: Side): Vaddr {
    const top = readS64(this.mem, root);
    return top === 0 ? 0 : this.furthest(top, side);
  }

  /** @linux lib/rbtree.c:rb_first full */
  first(root: Vaddr): Vaddr {
    return this.end(root, LEFT);
  }

  /** @linux lib/rbtree.c:rb_last full */
  last(root: Vaddr): Vaddr {
    return this.end(root, RIGHT);
  }

  /** The neighbour of a node in order; NULL past the end, and for a node that is in no tree. */
  private neighbour(node: Vaddr, side: Side): Vaddr {
    if (this.parent(node) === node) return 0;
    const below = this.child(node, side);
    if (below !== 0) return this.furthest(below, opposite(side));
    let at = node;
    for (let depth = 0; depth < DEPTH_MAX; depth++) {
      const parent = this.parent(at);
      if (parent === 0 || this.child(parent, side) !== at) return parent;
      at = parent;
    }
    return this.stuck();
  }

  /** @linux lib/rbtree.c:rb_next full */
  next(node: Vaddr): Vaddr {
    return this.neighbour(node, RIGHT);
  }

  /** @linux lib/rbtree.c:rb_prev full */
  prev(node: Vaddr): Vaddr {
    return this.neighbour(node, LEFT);
  }

  /** The first leaf: children come before their parents. */
  private deepest(node: Vaddr): Vaddr {
    let at = node;
    for (let depth = 0; depth < DEPTH_MAX; depth++) {
      const next = this.child(at, LEFT) || this.child(at, RIGHT);
      if (next === 0) return at;
      at = next;
    }
    return this.stuck();
  }

  /** @linux lib/rbtree.c:rb_first_postorder full */
  firstPostorder(root: Vaddr): Vaddr {
    const top = readS64(this.mem, root);
    return top === 0 ? 0 : this.deepest(top);
  }

  /** @linux lib/rbtree.c:rb_next_postorder full */
  nextPostorder(node: Vaddr): Vaddr {
    if (node === 0) return 0;
    const parent = this.parent(node);
    if (parent === 0) return 0;
    const right = this.child(parent, RIGHT);
    return this.child(parent, LEFT) === node && right !== 0 ? this.deepest(right) : parent;
  }

  /** Puts a node exactly where another is. @linux lib/rbtree.c:rb_replace_node full */
  replace(victim: Vaddr, now: Vaddr, root: Vaddr): void {
    const parent = this.parent(victim);
    this.setParentColor(now, parent, this.color(victim));
    for (const side of [LEFT, RIGHT] as const) {
      const child = this.child(victim, side);
      this.setChild(now, side, child);
      if (child !== 0) this.setParent(child, now);
    }
    this.replaceChild(root, parent, victim, now);
  }
}
