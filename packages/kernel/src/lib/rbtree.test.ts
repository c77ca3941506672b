// SPDX-License-Identifier: MIT
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Handle } from '../machine/layout.js';
import { RAM_MIN, Ram } from '../machine/ram.js';
import {
  RB_LEFT,
  RB_RIGHT,
  RbNode,
  rbErase,
  rbFirst,
  rbInsertColor,
  rbLast,
  rbLeft,
  rbLinkNode,
  rbNext,
  rbParent,
  rbPrev,
  rbReplaceNode,
  rbRight,
} from './rbtree.js';

const ram = new Ram(RAM_MIN);
const ROOT: Handle = 1024;
const NODES: Handle = 2048;
/** A node's key is its place in RAM: node n lies at NODES + n·8 words. */
const nodeOf = (key: number): Handle => NODES + key * 8;
const keyOf = (node: Handle): number => (node - NODES) / 8;

function insert(key: number): void {
  let parent = 0;
  let link = ROOT;
  for (let node = ram.ptr(ROOT); node !== 0; node = ram.ptr(link)) {
    parent = node;
    link = node + (key < keyOf(node) ? RB_LEFT : RB_RIGHT);
  }
  rbLinkNode(ram, nodeOf(key), parent, link);
  rbInsertColor(ram, nodeOf(key), ROOT);
}

/** Black nodes on every way down from `node`; fails if a rule is broken. */
function blackHeight(node: Handle, parent: Handle): number {
  if (node === 0) return 1;
  expect(rbParent(ram, node)).toBe(parent);
  const black = ram.i32[node] & 1;
  if (!black) expect(parent !== 0 && (ram.i32[parent] & 1) === 1).toBe(true);
  const left = blackHeight(rbLeft(ram, node), node);
  expect(blackHeight(rbRight(ram, node), node)).toBe(left);
  return left + black;
}

function forwards(): number[] {
  const keys: number[] = [];
  for (let node = rbFirst(ram, ROOT); node !== 0; node = rbNext(ram, node)) keys.push(keyOf(node));
  return keys;
}

function backwards(): number[] {
  const keys: number[] = [];
  for (let node = rbLast(ram, ROOT); node !== 0; node = rbPrev(ram, node)) keys.push(keyOf(node));
  return keys;
}

test('any order of insertions and removals keeps the order and the rules', () => {
  const operations = fc.array(fc.integer({ min: 0, max: 60 }), { maxLength: 200 });
  fc.assert(
    fc.property(operations, (keys) => {
      ram.setPtr(ROOT, 0);
      const model = new Set<number>();
      for (const key of keys) {
        if (model.delete(key)) rbErase(ram, nodeOf(key), ROOT);
        else {
          model.add(key);
          insert(key);
        }
        blackHeight(ram.ptr(ROOT), 0);
      }
      const sorted = [...model].sort((a, b) => a - b);
      expect(forwards()).toEqual(sorted);
      expect(backwards()).toEqual(sorted.reverse());
    }),
    { seed: 1, numRuns: 200 },
  );
});

test('a large tree stays flat', () => {
  ram.setPtr(ROOT, 0);
  const count = 4096;
  for (let key = 0; key < count; key++) insert(key);
  const depth = (node: Handle): number =>
    node === 0 ? 0 : 1 + Math.max(depth(rbLeft(ram, node)), depth(rbRight(ram, node)));
  expect(depth(ram.ptr(ROOT))).toBeLessThanOrEqual(2 * Math.log2(count + 1));
  for (let key = 0; key < count; key += 2) rbErase(ram, nodeOf(key), ROOT);
  blackHeight(ram.ptr(ROOT), 0);
  expect(forwards()).toEqual(Array.from({ length: count / 2 }, (_, i) => 2 * i + 1));
});

test('a node can take the place of another', () => {
  ram.setPtr(ROOT, 0);
  for (const key of [2, 4, 6, 8, 10]) insert(key);
  for (const key of [4, 2, 10]) rbReplaceNode(ram, nodeOf(key), nodeOf(key + 1), ROOT);
  blackHeight(ram.ptr(ROOT), 0);
  expect(forwards()).toEqual([3, 5, 6, 8, 11]);
});

test('pointers are those that C follows', () => {
  ram.setPtr(ROOT, 0);
  for (const key of [1, 2, 3]) insert(key);
  const node = RbNode.at(ram, nodeOf(2));
  expect([node.rb_left, node.rb_right]).toEqual([nodeOf(1), nodeOf(3)]);
  expect(ram.s64(ROOT)).toBe(ram.addressOf(nodeOf(2)));
  expect(ram.s64(nodeOf(1))).toBe(ram.addressOf(nodeOf(2)));
});
