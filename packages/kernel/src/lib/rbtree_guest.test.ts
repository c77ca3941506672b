// SPDX-License-Identifier: MIT
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PAGE_OFFSET, type Vaddr } from '../machine/layout.js';
import { readS64, readU8, writeS64 } from './guest_access.js';
import { type Augment, GuestRbTree } from './rbtree_guest.js';
import { makeTestEnv } from './testing.js';

const LEFT = 16;
const RIGHT = 8;
const SIZE = 24; // of the subtree, behind the node
const ROOT = PAGE_OFFSET + 0x10ff8; // across two pages with what follows
const NODES = 64;
/** Nodes lie unevenly, some across the end of a page. */
const nodeOf = (key: number): Vaddr => PAGE_OFFSET + 0x20000 + key * 4096 - (key % 3) * 8 - 16;
const keyOf = (node: Vaddr): number => Math.ceil((node + 16 - PAGE_OFFSET - 0x20000) / 4096);

const env = makeTestEnv();
const tree = new GuestRbTree(env, () => {
  throw new Error('stuck');
});
const get = (address: Vaddr) => readS64(env, address);

const sizeOf = (node: Vaddr): number => (node === 0 ? 0 : get(node + SIZE));
const count = (node: Vaddr) =>
  writeS64(env, node + SIZE, 1 + sizeOf(get(node + LEFT)) + sizeOf(get(node + RIGHT)));
const parentOf = (node: Vaddr) => get(node) - (get(node) & 3);
const sizes: Augment = {
  propagate: (node, stop) => {
    for (let at = node; at !== stop; at = parentOf(at)) count(at);
  },
  copy: (old, now) => writeS64(env, now + SIZE, sizeOf(old)),
  rotate: (old, now) => {
    writeS64(env, now + SIZE, sizeOf(old));
    count(old);
  },
};

function add(key: number): void {
  const node = nodeOf(key);
  let parent: Vaddr = 0;
  let link = ROOT;
  while (get(link) !== 0) {
    parent = get(link);
    writeS64(env, parent + SIZE, sizeOf(parent) + 1);
    link = parent + (key < keyOf(parent) ? LEFT : RIGHT);
  }
  writeS64(env, node, parent);
  writeS64(env, node + LEFT, 0);
  writeS64(env, node + RIGHT, 0);
  writeS64(env, node + SIZE, 1);
  writeS64(env, link, node);
  tree.insert(node, ROOT, sizes);
}

/** Checks the rules and the sizes below a node; the number of black nodes on every way down. */
function check(node: Vaddr, parent: Vaddr, parentRed: boolean): number {
  if (node === 0) return 1;
  const red = (readU8(env, node) & 1) === 0;
  expect(parentOf(node)).toBe(parent);
  expect(red && parentRed).toBe(false);
  const left = check(get(node + LEFT), node, red);
  expect(check(get(node + RIGHT), node, red)).toBe(left);
  expect(sizeOf(node)).toBe(1 + sizeOf(get(node + LEFT)) + sizeOf(get(node + RIGHT)));
  return left + (red ? 0 : 1);
}

function walk(first: Vaddr, next: (node: Vaddr) => Vaddr): number[] {
  const keys: number[] = [];
  for (let node = first; node !== 0; node = next(node)) keys.push(keyOf(node));
  return keys;
}

function postorder(node: Vaddr): number[] {
  return node === 0 ? [] : [...postorder(get(node + LEFT)), ...postorder(get(node + RIGHT)), keyOf(node)];
}

describe('trees of C nodes', () => {
  it('keep order, colours and subtree values, against a plain set', () => {
    const operation = fc.nat(NODES - 1);
    fc.assert(
      fc.property(fc.array(operation, { minLength: 1, maxLength: 200 }), (operations) => {
        const model = new Set<number>();
        writeS64(env, ROOT, 0);
        for (const key of operations) {
          if (model.delete(key)) tree.erase(nodeOf(key), ROOT, sizes);
          else {
            model.add(key);
            add(key);
          }
        }
        expect(check(get(ROOT), 0, true)).toBeGreaterThan(0);
        const sorted = [...model].sort((a, b) => a - b);
        expect(walk(tree.first(ROOT), (node) => tree.next(node))).toEqual(sorted);
        expect(walk(tree.last(ROOT), (node) => tree.prev(node))).toEqual([...sorted].reverse());
        expect(walk(tree.firstPostorder(ROOT), (node) => tree.nextPostorder(node))).toEqual(
          postorder(get(ROOT)),
        );
      }),
      { seed: 11, numRuns: 60 },
    );
  });

  it('put one node in the place of another', () => {
    writeS64(env, ROOT, 0);
    for (const key of [10, 20, 30, 40, 50]) add(key);
    const spare = nodeOf(60);
    tree.replace(nodeOf(40), spare, ROOT);
    const keys = walk(tree.first(ROOT), (node) => tree.next(node));
    expect(keys).toEqual([10, 20, 30, 60, 50]);
  });

  it('say that a node in no tree has no neighbours', () => {
    writeS64(env, nodeOf(1), nodeOf(1));
    expect([tree.next(nodeOf(1)), tree.prev(nodeOf(1)), tree.nextPostorder(0)]).toEqual([0, 0, 0]);
  });

  it('do not go round for ever in a damaged tree', () => {
    writeS64(env, ROOT, nodeOf(1));
    writeS64(env, nodeOf(1), 1);
    writeS64(env, nodeOf(1) + LEFT, nodeOf(1));
    expect(() => tree.first(ROOT)).toThrow('stuck');
    expect(() => tree.firstPostorder(ROOT)).toThrow('stuck');
  });
});
