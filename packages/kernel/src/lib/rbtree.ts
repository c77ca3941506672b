// SPDX-License-Identifier: MIT
/**
 * Red-black trees threaded through the objects themselves (`struct rb_node`), as C code sees them.
 *
 * The rules: the root is black, a red node has black children, and every way from the root down to a missing child
 * passes as many black nodes. So no way is more than twice as long as another.
 *
 *     black      insertion makes a red leaf; a red parent with a red sibling passes the red up,
 *     ╱   ╲      any other red parent is mended by at most two rotations
 *   red   red
 *
 * Functions take handles of the `rb_node` members; 0 is "none". Who inserts walks down himself, to the place where a
 * child is missing, links the node there with `rbLinkNode`, and then calls `rbInsertColor`.
 */

import { type Handle, PAGE_OFFSET_HI } from '../machine/layout.js';
import type { Ram } from '../machine/ram.js';
import { ptr, struct, ulong } from './struct.js';
import { step } from './walk.js';

/** A node: the parent's address with the colour in bit 0 (0 red, 1 black), and the children. */
export const RbNode = struct(
  'rb_node',
  { __rb_parent_color: ulong, rb_right: ptr('struct rb_node'), rb_left: ptr('struct rb_node') },
  { align: 8 },
);
export const RbRoot = struct('rb_root', { rb_node: ptr('struct rb_node') });
/** A root that knows its leftmost node. */
export const RbRootCached = struct('rb_root_cached', { rb_root: RbRoot, rb_leftmost: ptr('struct rb_node') });

/** Word offsets of the children in a node: which of the two tells the side. */
export const RB_RIGHT = RbNode.w.rb_right;
export const RB_LEFT = RbNode.w.rb_left;
type Side = typeof RB_RIGHT;
const opposite = (side: Side): Side => RB_LEFT + RB_RIGHT - side;

const BLACK = 1;

export function rbLeft(ram: Ram, node: Handle): Handle {
  return child(ram, node, RB_LEFT);
}

export function rbRight(ram: Ram, node: Handle): Handle {
  return child(ram, node, RB_RIGHT);
}

/** The parent; 0 at the root. */
export function rbParent(ram: Ram, node: Handle): Handle {
  return child(ram, node, RbNode.w.__rb_parent_color);
}

function isBlack(ram: Ram, node: Handle): boolean {
  return node === 0 || (ram.i32[node] & BLACK) !== 0;
}

function setColor(ram: Ram, node: Handle, color: number): void {
  ram.i32[node] = (ram.i32[node] & ~BLACK) | color;
}

function setParent(ram: Ram, node: Handle, parent: Handle): void {
  ram.i32[node] = (parent << 2) | (ram.i32[node] & BLACK);
  ram.i32[node + 1] = parent === 0 ? 0 : PAGE_OFFSET_HI;
}

/** Every walk through a tree comes here, and so ends. */
function child(ram: Ram, node: Handle, side: Side): Handle {
  step(ram);
  return ram.i32[node + side] >>> 2;
}

/** Puts `now` where `old` hangs: under its parent, or at the root. */
function replaceChild(ram: Ram, root: Handle, parent: Handle, old: Handle, now: Handle): void {
  if (parent === 0) ram.setPtr(root, now);
  else ram.setPtr(parent + (child(ram, parent, RB_LEFT) === old ? RB_LEFT : RB_RIGHT), now);
}

/** Turns `node` down to `side`; its child of the other side takes its place and is returned. */
function rotate(ram: Ram, root: Handle, node: Handle, side: Side): Handle {
  const other = opposite(side);
  const up = child(ram, node, other);
  const inner = child(ram, up, side);
  const parent = rbParent(ram, node);
  ram.setPtr(node + other, inner);
  if (inner !== 0) setParent(ram, inner, node);
  replaceChild(ram, root, parent, node, up);
  setParent(ram, up, parent);
  ram.setPtr(up + side, node);
  setParent(ram, node, up);
  return up;
}

/**
 * Hangs a node, red, where a child is missing. @linux include/linux/rbtree.h:rb_link_node full
 * @param link word index of the missing child's pointer: `parent + RB_LEFT`, `parent + RB_RIGHT`, or the root
 */
export function rbLinkNode(ram: Ram, node: Handle, parent: Handle, link: Handle): void {
  ram.setPtr(node, parent);
  ram.setPtr(node + RB_LEFT, 0);
  ram.setPtr(node + RB_RIGHT, 0);
  ram.setPtr(link, node);
}

/** Mends the colours after `rbLinkNode`. @linux lib/rbtree.c:rb_insert_color full */
export function rbInsertColor(ram: Ram, node: Handle, root: Handle): void {
  for (;;) {
    const parent = rbParent(ram, node);
    if (parent === 0 || isBlack(ram, parent)) break;
    const grandparent = rbParent(ram, parent);
    const side = child(ram, grandparent, RB_LEFT) === parent ? RB_LEFT : RB_RIGHT;
    const uncle = child(ram, grandparent, opposite(side));
    if (!isBlack(ram, uncle)) {
      setColor(ram, parent, BLACK);
      setColor(ram, uncle, BLACK);
      setColor(ram, grandparent, 0);
      node = grandparent;
      continue;
    }
    const top = child(ram, parent, side) === node ? parent : rotate(ram, root, parent, side);
    rotate(ram, root, grandparent, opposite(side));
    setColor(ram, top, BLACK);
    setColor(ram, grandparent, 0);
    return;
  }
  if (rbParent(ram, node) === 0) setColor(ram, node, BLACK);
}

/** Takes a node out of its tree; its own fields keep their values. @linux lib/rbtree.c:rb_erase full */
export function rbErase(ram: Ram, node: Handle, root: Handle): void {
  const left = rbLeft(ram, node);
  const right = rbRight(ram, node);
  if (left !== 0 && right !== 0) {
    eraseInner(ram, node, left, right, root);
    return;
  }
  const only = left || right;
  const parent = rbParent(ram, node);
  const wasBlack = isBlack(ram, node);
  replaceChild(ram, root, parent, node, only);
  if (only !== 0) {
    setParent(ram, only, parent);
    setColor(ram, only, BLACK); // an only child is red, and its parent was black
  } else if (wasBlack) mendShortage(ram, root, 0, parent);
}

/** Erases a node that has both children: its successor takes its place and colour. */
function eraseInner(ram: Ram, node: Handle, left: Handle, right: Handle, root: Handle): void {
  let successor = right;
  for (let next = rbLeft(ram, successor); next !== 0; next = rbLeft(ram, successor)) successor = next;
  const orphan = rbRight(ram, successor);
  const wasBlack = isBlack(ram, successor);
  let parent = successor;
  if (successor !== right) {
    parent = rbParent(ram, successor);
    ram.setPtr(parent + RB_LEFT, orphan);
    ram.setPtr(successor + RB_RIGHT, right);
    setParent(ram, right, successor);
  }
  if (orphan !== 0) setParent(ram, orphan, parent);
  ram.setPtr(successor + RB_LEFT, left);
  setParent(ram, left, successor);
  replaceChild(ram, root, rbParent(ram, node), node, successor);
  ram.i32[successor] = ram.i32[node];
  ram.i32[successor + 1] = ram.i32[node + 1];
  if (orphan !== 0) setColor(ram, orphan, BLACK);
  else if (wasBlack) mendShortage(ram, root, 0, parent);
}

/** Below `parent`, on the side of `node` (which may be 0), every way has a black node too few. */
function mendShortage(ram: Ram, root: Handle, node: Handle, parent: Handle): void {
  while (parent !== 0 && isBlack(ram, node)) {
    const side = child(ram, parent, RB_LEFT) === node ? RB_LEFT : RB_RIGHT;
    const other = opposite(side);
    let sibling = child(ram, parent, other);
    if (!isBlack(ram, sibling)) {
      rotate(ram, root, parent, side);
      setColor(ram, sibling, BLACK);
      setColor(ram, parent, 0);
      sibling = child(ram, parent, other);
    }
    const near = child(ram, sibling, side);
    if (isBlack(ram, near) && isBlack(ram, child(ram, sibling, other))) {
      setColor(ram, sibling, 0);
      node = parent;
      parent = rbParent(ram, node);
      continue;
    }
    if (isBlack(ram, child(ram, sibling, other))) {
      setColor(ram, near, BLACK);
      setColor(ram, sibling, 0);
      sibling = rotate(ram, root, sibling, other);
    }
    rotate(ram, root, parent, side);
    setColor(ram, sibling, isBlack(ram, parent) ? BLACK : 0);
    setColor(ram, parent, BLACK);
    setColor(ram, child(ram, sibling, other), BLACK);
    return;
  }
  if (node !== 0) setColor(ram, node, BLACK);
}

function outermost(ram: Ram, root: Handle, side: Side): Handle {
  let node = ram.ptr(root);
  if (node === 0) return 0;
  for (let next = child(ram, node, side); next !== 0; next = child(ram, node, side)) node = next;
  return node;
}

/** The neighbour on a side: the innermost node below, or the first ancestor that lies on that side. */
function neighbour(ram: Ram, node: Handle, side: Side): Handle {
  let next = child(ram, node, side);
  if (next !== 0) {
    const inward = opposite(side);
    for (let n = child(ram, next, inward); n !== 0; n = child(ram, next, inward)) next = n;
    return next;
  }
  let parent = rbParent(ram, node);
  while (parent !== 0 && child(ram, parent, side) === node) {
    node = parent;
    parent = rbParent(ram, node);
  }
  return parent;
}

/** The leftmost node; 0 if the tree is empty. @linux lib/rbtree.c:rb_first full */
export function rbFirst(ram: Ram, root: Handle): Handle {
  return outermost(ram, root, RB_LEFT);
}

/** @linux lib/rbtree.c:rb_last full */
export function rbLast(ram: Ram, root: Handle): Handle {
  return outermost(ram, root, RB_RIGHT);
}

/** The next node in order; 0 after the last. @linux lib/rbtree.c:rb_next full */
export function rbNext(ram: Ram, node: Handle): Handle {
  return neighbour(ram, node, RB_RIGHT);
}

/** @linux lib/rbtree.c:rb_prev full */
export function rbPrev(ram: Ram, node: Handle): Handle {
  return neighbour(ram, node, RB_LEFT);
}

/** Puts `now`, which is in no tree, in the place of `victim`. @linux lib/rbtree.c:rb_replace_node full */
export function rbReplaceNode(ram: Ram, victim: Handle, now: Handle, root: Handle): void {
  for (let word = 0; word < RbNode.size / 4; word++) ram.i32[now + word] = ram.i32[victim + word];
  for (const side of [RB_LEFT, RB_RIGHT]) {
    const below = child(ram, victim, side);
    if (below !== 0) setParent(ram, below, now);
  }
  replaceChild(ram, root, rbParent(ram, victim), victim, now);
}
