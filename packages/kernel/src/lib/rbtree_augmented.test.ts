// SPDX-License-Identifier: MIT
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Handle } from '../machine/layout.js';
import { RAM_MIN, Ram } from '../machine/ram.js';
import {
  RB_LEFT,
  RB_RIGHT,
  rbErase,
  rbFirst,
  rbFollow,
  rbInsert,
  rbIsBlack,
  rbLast,
  rbLeft,
  rbNext,
  rbParent,
  rbPrev,
  rbRight,
} from './rbtree_augmented.js';

const ROOT = 0x1000;
/** Node k: 6 words of rb_node, then its key, then the sum of the keys in its subtree. */
const node = (k: number): Handle => 0x2000 + 8 * k;
const KEY = 6;
const SUM = 7;

function tree(ram: Ram) {
  const { i32 } = ram;
  const sum = (n: Handle) => (n === 0 ? 0 : i32[n + SUM]);
  const update = (n: Handle) => {
    i32[n + SUM] = i32[n + KEY] + sum(rbLeft(ram, n)) + sum(rbRight(ram, n));
  };
  return {
    insert(k: number) {
      i32[node(k) + KEY] = k;
      let [link, parent] = [ROOT, 0];
      for (let n = rbFollow(ram, link); n !== 0; n = rbFollow(ram, link)) {
        parent = n;
        link = n + (k < i32[n + KEY] ? RB_LEFT : RB_RIGHT);
      }
      rbInsert(ram, node(k), parent, link, ROOT, update);
    },
    erase: (k: number) => rbErase(ram, node(k), ROOT, update),
    keys(first = rbFirst, next = rbNext) {
      const keys: number[] = [];
      for (let n = first(ram, ROOT); n !== 0; n = next(ram, n)) keys.push(i32[n + KEY]);
      return keys;
    },
    /** Black height; throws where a rule is broken. */
    check(n = rbFollow(ram, ROOT), parent = 0): number {
      if (n === 0) return 0;
      const [l, r] = [rbLeft(ram, n), rbRight(ram, n)];
      expect(rbParent(ram, n)).toBe(parent);
      if (!rbIsBlack(ram, n)) expect(parent !== 0 && rbIsBlack(ram, l) && rbIsBlack(ram, r)).toBe(true);
      const height = this.check(l, n);
      expect(this.check(r, n)).toBe(height);
      expect(i32[n + SUM]).toBe(i32[n + KEY] + sum(l) + sum(r));
      return height + (rbIsBlack(ram, n) ? 1 : 0);
    },
  };
}

test('random insertion and removal keep order, balance and sums', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(199), { maxLength: 400 }), (steps) => {
      const t = tree(new Ram(RAM_MIN));
      const present = new Set<number>();
      for (const k of steps) {
        if (present.delete(k)) t.erase(k);
        else {
          present.add(k);
          t.insert(k);
        }
        t.check();
      }
      const sorted = [...present].sort((a, b) => a - b);
      expect(t.keys()).toEqual(sorted);
      expect(t.keys(rbLast, rbPrev)).toEqual(sorted.reverse());
    }),
    { numRuns: 30, seed: 20 },
  );
});
