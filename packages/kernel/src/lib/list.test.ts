// SPDX-License-Identifier: MIT
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { RAM_MIN, Ram } from '../machine/ram.js';
import {
  hlistAddHead,
  hlistDelInit,
  hlistFirst,
  hlistNext,
  hlistUnhashed,
  initListHead,
  ListHead,
  listAdd,
  listAddTail,
  listCount,
  listDel,
  listDelInit,
  listEmpty,
  listForEach,
  listLast,
  listMove,
  listMoveTail,
  listPrev,
  listSpliceInit,
} from './list.js';

const ram = new Ram(RAM_MIN);
const HEAD = 1024;
const OTHER = 1032;
/** The list_head lies two words into the object. */
const MEMBER = 2;
const nodeOf = (n: number) => 2048 + n * 16 + MEMBER;

function contents(head: number): number[] {
  const found: number[] = [];
  listForEach(ram, head, MEMBER, (object) => found.push((object - 2048) / 16));
  const back: number[] = [];
  for (let pos = listLast(ram, head); pos !== head; pos = listPrev(ram, pos))
    back.unshift((pos - MEMBER - 2048) / 16);
  expect(back).toEqual(found);
  return found;
}

test('any sequence of operations does what it does to an array', () => {
  const step = fc.tuple(fc.integer({ min: 0, max: 4 }), fc.integer({ min: 0, max: 9 }));
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      initListHead(ram, HEAD);
      let model: number[] = [];
      for (const [operation, n] of steps) {
        const present = model.includes(n);
        const rest = model.filter((m) => m !== n);
        const front = operation % 2 === 0;
        if (operation === 4) {
          if (present) listDel(ram, nodeOf(n));
          model = rest;
          continue;
        }
        if (!present) (front ? listAdd : listAddTail)(ram, nodeOf(n), HEAD);
        else (front ? listMove : listMoveTail)(ram, nodeOf(n), HEAD);
        model = front ? [n, ...rest] : [...rest, n];
      }
      expect(contents(HEAD)).toEqual(model);
      expect(listEmpty(ram, HEAD)).toBe(model.length === 0);
      expect(listCount(ram, HEAD)).toBe(model.length);
    }),
    { seed: 1, numRuns: 300 },
  );
});

test('splicing puts one list before another', () => {
  initListHead(ram, HEAD);
  initListHead(ram, OTHER);
  for (const n of [1, 2]) listAddTail(ram, nodeOf(n), HEAD);
  listSpliceInit(ram, OTHER, HEAD);
  for (const n of [3, 4]) listAddTail(ram, nodeOf(n), OTHER);
  listSpliceInit(ram, OTHER, HEAD);
  expect(contents(HEAD)).toEqual([3, 4, 1, 2]);
  expect(listEmpty(ram, OTHER)).toBe(true);
});

test('the visited object may be removed; a removed node is poisoned as in Linux', () => {
  initListHead(ram, HEAD);
  for (const n of [1, 2, 3]) listAddTail(ram, nodeOf(n), HEAD);
  listForEach(ram, HEAD, MEMBER, (object) => listDel(ram, object + MEMBER));
  expect(listEmpty(ram, HEAD)).toBe(true);
  const word = (h: number) => (BigInt(ram.u32[h + 1]) << 32n) | BigInt(ram.u32[h]);
  expect(word(nodeOf(1) + ListHead.w.next)).toBe(0xdead000000000100n);
  expect(word(nodeOf(1) + ListHead.w.prev)).toBe(0xdead000000000122n);
});

test('a node taken out to be used again is an empty list', () => {
  initListHead(ram, HEAD);
  listAdd(ram, nodeOf(1), HEAD);
  listDelInit(ram, nodeOf(1));
  expect(listEmpty(ram, nodeOf(1))).toBe(true);
});

test('hash buckets: newest first, removal anywhere', () => {
  ram.setPtr(HEAD, 0);
  for (const n of [1, 2, 3]) {
    ram.fill(nodeOf(n) * 4, 16, 0);
    hlistAddHead(ram, nodeOf(n), HEAD);
  }
  const bucket = () => {
    const nodes: number[] = [];
    for (let node = hlistFirst(ram, HEAD); node !== 0; node = hlistNext(ram, node)) nodes.push(node);
    return nodes;
  };
  expect(bucket()).toEqual([3, 2, 1].map(nodeOf));
  hlistDelInit(ram, nodeOf(2));
  expect(bucket()).toEqual([3, 1].map(nodeOf));
  hlistDelInit(ram, nodeOf(3));
  hlistDelInit(ram, nodeOf(3));
  expect(bucket()).toEqual([1].map(nodeOf));
  expect(hlistUnhashed(ram, nodeOf(3))).toBe(true);
});

test('a list that never comes back to its head is noticed', () => {
  initListHead(ram, HEAD);
  for (const n of [0, 1, 2]) listAddTail(ram, nodeOf(n), HEAD);
  ram.setPtr(nodeOf(2), nodeOf(1));
  expect(() => listCount(ram, HEAD)).toThrow(
    /^list_del corruption. next->prev should be ffff8880\w{8}, but was/,
  );
});
