// SPDX-License-Identifier: MIT
/**
 * Red-black trees threaded through the objects themselves (`struct rb_node`), in the direct map, with room for a
 * value that each node keeps about its subtree.
 *
 *     rules   a red node's children are black; every way down from a node meets equally many black nodes
 *     so      no leaf is more than twice as deep as another
 *
 * Every function takes handles of the `rb_node` members and of the `rb_root`; 0 is NULL. Who inserts searches the tree
 * himself, as C does:
 *
 *     let link = root, parent = 0;                     the place where the new node's pointer will be written
 *     while ((node = rbFollow(ram, link)) !== 0) {
 *       parent = node;
 *       link = key < keyOf(node) ? node + RB_LEFT : node + RB_RIGHT;
 *     }
 *     rbInsert(ram, node, parent, link, root, update);
 *
 * `update(node)` is called for each node whose children have changed, children before parents: it computes the value
 * that the node keeps from the node itself and its two children.
 */

import { type Handle, PAGE_OFFSET_HI } from '../machine/layout.js';
import type { Ram } from '../machine/ram.js';
import { RbNode, RbRoot } from './rbtree.js';
import { step } from './walk.js';

/** Word offsets of the child pointers in a node, and of the pointer in a root. */
export const RB_RIGHT = RbNode.w.rb_right;
export const RB_LEFT = RbNode.w.rb_left;
const PARENT_COLOR = RbNode.w.__rb_parent_color;
const ROOT = RbRoot.w.rb_node;
const BLACK = 1;
const SIDES = RB_RIGHT + RB_LEFT;

/** Recomputes what a node keeps about its subtree. */
export type RbUpdate = (node: Handle) => void;

/** The node that a pointer leads to: a child's, or a root's. Every walk through a tree comes here, and so ends. */
export function rbFollow(ram: Ram, link: Handle): Handle {
  step(ram);
  return ram.i32[link] >>> 2;
}
export const rbLeft = (ram: Ram, node: Handle): Handle => rbFollow(ram, node + RB_LEFT);
export const rbRight = (ram: Ram, node: Handle): Handle => rbFollow(ram, node + RB_RIGHT);
export const rbParent = (ram: Ram, node: Handle): Handle => rbFollow(ram, node + PARENT_COLOR);
/** True for a black node, and for no node. */
export const rbIsBlack = (ram: Ram, node: Handle): boolean =>
  node === 0 || (ram.i32[node + PARENT_COLOR] & BLACK) !== 0;

function setParentColor(ram: Ram, node: Handle, parent: Handle, color: number): void {
  ram.i32[node + PARENT_COLOR] = (parent << 2) | color;
  ram.i32[node + PARENT_COLOR + 1] = parent === 0 ? 0 : PAGE_OFFSET_HI;
}

function setParent(ram: Ram, node: Handle, parent: Handle): void {
  setParentColor(ram, node, parent, ram.i32[node + PARENT_COLOR] & BLACK);
}

function setColor(ram: Ram, node: Handle, color: number): void {
  ram.i32[node + PARENT_COLOR] = (ram.i32[node + PARENT_COLOR] & ~BLACK) | color;
}

/** The pointer, in the parent or in the root, that leads to a node. */
function linkTo(ram: Ram, node: Handle, root: Handle): Handle {
  const parent = rbParent(ram, node);
  if (parent === 0) return root + ROOT;
  return rbLeft(ram, parent) === node ? parent + RB_LEFT : parent + RB_RIGHT;
}

/** The outermost node on one side of a subtree. */
function outermost(ram: Ram, node: Handle, side: number): Handle {
  for (let next = node; next !== 0; next = rbFollow(ram, node + side)) node = next;
  return node;
}

/** The neighbour in order, on one side; 0 if there is none. */
function neighbour(ram: Ram, node: Handle, side: number): Handle {
  const child = rbFollow(ram, node + side);
  if (child !== 0) return outermost(ram, child, SIDES - side);
  let parent = rbParent(ram, node);
  while (parent !== 0 && rbFollow(ram, parent + side) === node) {
    node = parent;
    parent = rbParent(ram, node);
  }
  return parent;
}

/** @linux lib/rbtree.c:rb_first full */
export const rbFirst = (ram: Ram, root: Handle): Handle =>
  outermost(ram, rbFollow(ram, root + ROOT), RB_LEFT);
/** @linux lib/rbtree.c:rb_last full */
export const rbLast = (ram: Ram, root: Handle): Handle =>
  outermost(ram, rbFollow(ram, root + ROOT), RB_RIGHT);
/** @linux lib/rbtree.c:rb_next full */
export const rbNext = (ram: Ram, node: Handle): Handle => neighbour(ram, node, RB_RIGHT);
/** @linux lib/rbtree.c:rb_prev full */
export const rbPrev = (ram: Ram, node: Handle): Handle => neighbour(ram, node, RB_LEFT);

/** Recomputes a node and all above it: after the value of the node itself has changed. */
export function rbPropagate(ram: Ram, node: Handle, update: RbUpdate): void {
  for (; node !== 0; node = rbParent(ram, node)) update(node);
}

/**
 * Lifts a node's child on one side into its place; the node becomes that child's child.
 *
 *         x                 y
 *        / \               / \
 *       a   y      →      x   c        side = right
 *          / \           / \
 *         b   c         a   b
 */
function rotate(ram: Ram, x: Handle, side: number, root: Handle, update?: RbUpdate): void {
  const y = rbFollow(ram, x + side);
  const inner = rbFollow(ram, y + SIDES - side);
  const link = linkTo(ram, x, root);
  setParent(ram, y, rbParent(ram, x));
  ram.setPtr(link, y);
  ram.setPtr(x + side, inner);
  if (inner !== 0) setParent(ram, inner, x);
  ram.setPtr(y + SIDES - side, x);
  setParent(ram, x, y);
  update?.(x);
  update?.(y);
}

/**
 * Puts a node where a search ended, and balances the tree.
 * @param parent the last node of the search, 0 if the tree is empty
 * @param link the pointer there that was NULL
 * @linux lib/rbtree.c:rb_insert_color full
 */
export function rbInsert(
  ram: Ram,
  node: Handle,
  parent: Handle,
  link: Handle,
  root: Handle,
  update?: RbUpdate,
): void {
  setParentColor(ram, node, parent, 0);
  ram.setPtr(node + RB_LEFT, 0);
  ram.setPtr(node + RB_RIGHT, 0);
  ram.setPtr(link, node);
  if (update) rbPropagate(ram, node, update);
  for (;;) {
    const p = rbParent(ram, node);
    if (p === 0) break;
    if (rbIsBlack(ram, p)) return;
    const g = rbParent(ram, p);
    const side = rbLeft(ram, g) === p ? RB_LEFT : RB_RIGHT;
    const uncle = rbFollow(ram, g + SIDES - side);
    if (!rbIsBlack(ram, uncle)) {
      // Both children of the grandparent are red: it hands its black down, and may now be wrong itself.
      setColor(ram, p, BLACK);
      setColor(ram, uncle, BLACK);
      setColor(ram, g, 0);
      node = g;
      continue;
    }
    if (rbFollow(ram, p + SIDES - side) === node) rotate(ram, p, SIDES - side, root, update);
    const top = rbFollow(ram, g + side);
    setColor(ram, top, BLACK);
    setColor(ram, g, 0);
    rotate(ram, g, side, root, update);
    return;
  }
  setColor(ram, node, BLACK);
}

/** Takes a node out, and balances the tree. @linux lib/rbtree.c:rb_erase full */
export function rbErase(ram: Ram, node: Handle, root: Handle, update?: RbUpdate): void {
  const left = rbLeft(ram, node);
  const right = rbRight(ram, node);
  if (left !== 0 && right !== 0) swapWithNext(ram, node, root);
  // Now the node has at most one child, which takes its place.
  const child = rbLeft(ram, node) || rbRight(ram, node);
  const parent = rbParent(ram, node);
  const black = rbIsBlack(ram, node);
  ram.setPtr(linkTo(ram, node, root), child);
  if (child !== 0) setParent(ram, child, parent);
  if (update) rbPropagate(ram, parent, update);
  if (black) restoreBlack(ram, child, parent, root, update);
}

/** Lets a node that has two children and the next one in order change places, colours included. */
function swapWithNext(ram: Ram, node: Handle, root: Handle): void {
  const { i32 } = ram;
  const next = outermost(ram, rbRight(ram, node), RB_LEFT);
  const nodeLink = linkTo(ram, node, root);
  const nextLink = linkTo(ram, next, root);
  const parentColor = i32[node + PARENT_COLOR];
  const nextColor = i32[next + PARENT_COLOR] & BLACK;
  const nextParent = rbParent(ram, next);
  const nextRight = rbRight(ram, next);
  const left = rbLeft(ram, node);
  const right = rbRight(ram, node);

  setParentColor(ram, next, parentColor >>> 2, parentColor & BLACK);
  ram.setPtr(nodeLink, next);
  ram.setPtr(next + RB_LEFT, left);
  setParent(ram, left, next);
  ram.setPtr(node + RB_LEFT, 0);
  ram.setPtr(node + RB_RIGHT, nextRight);
  if (nextRight !== 0) setParent(ram, nextRight, node);
  if (next === right) {
    ram.setPtr(next + RB_RIGHT, node);
    setParentColor(ram, node, next, nextColor);
  } else {
    ram.setPtr(next + RB_RIGHT, right);
    setParent(ram, right, next);
    ram.setPtr(nextLink, node);
    setParentColor(ram, node, nextParent, nextColor);
  }
}

/** Ways through a place (a node, or an empty child of `parent`) have one black node too few. */
function restoreBlack(ram: Ram, node: Handle, parent: Handle, root: Handle, update?: RbUpdate): void {
  while (parent !== 0 && rbIsBlack(ram, node)) {
    const side = rbLeft(ram, parent) === node ? RB_LEFT : RB_RIGHT;
    const far = SIDES - side;
    let sibling = rbFollow(ram, parent + far);
    if (!rbIsBlack(ram, sibling)) {
      setColor(ram, sibling, BLACK);
      setColor(ram, parent, 0);
      rotate(ram, parent, far, root, update);
      sibling = rbFollow(ram, parent + far);
    }
    if (rbIsBlack(ram, rbLeft(ram, sibling)) && rbIsBlack(ram, rbRight(ram, sibling))) {
      setColor(ram, sibling, 0);
      node = parent;
      parent = rbParent(ram, node);
      continue;
    }
    if (rbIsBlack(ram, rbFollow(ram, sibling + far))) {
      setColor(ram, rbFollow(ram, sibling + side), BLACK);
      setColor(ram, sibling, 0);
      rotate(ram, sibling, side, root, update);
      sibling = rbFollow(ram, parent + far);
    }
    setColor(ram, sibling, ram.i32[parent + PARENT_COLOR] & BLACK);
    setColor(ram, parent, BLACK);
    setColor(ram, rbFollow(ram, sibling + far), BLACK);
    rotate(ram, parent, far, root, update);
    return;
  }
  if (node !== 0) setColor(ram, node, BLACK);
}
