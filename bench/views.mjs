// SPDX-License-Identifier: MIT
/**
 * Walks of a list and a tree of kernel objects in RAM, by the forms that kernel code uses, against the same walks over
 * a bare Uint32Array by index.
 */

import { ListHead, listFirst, listNext } from '../packages/kernel/dist/lib/list.js';
import { RbNode } from '../packages/kernel/dist/lib/rbtree.js';
import { s32, struct, u32 } from '../packages/kernel/dist/lib/struct.js';
import { Ram } from '../packages/kernel/dist/machine/ram.js';
import { formatTable, interleave, number, time } from './measure.mjs';

const GOAL = 1.5;
const Item = struct('bench_item', {
  flags: u32,
  count: s32,
  list: ListHead,
  rb: RbNode,
  key: u32,
  value: u32,
});
const WORDS = Item.size / 4;
const BASE = 4096;
const LOOKUPS = 5000;

/** Items linked as a ring in shuffled order, and as a balanced tree by key. */
function build(n) {
  const ram = new Ram(8 * 2 ** 20 + Math.ceil((n * Item.size) / 4096) * 4096);
  const handles = Array.from({ length: n }, (_, i) => BASE + i * WORDS);
  let x = 12345;
  for (let i = n - 1; i > 0; i--) {
    x = (Math.imul(x, 1664525) + 1013904223) >>> 0;
    const j = x % (i + 1);
    [handles[i], handles[j]] = [handles[j], handles[i]];
  }
  const head = BASE - 8;
  [head, ...handles.map((h) => h + Item.w.list)].forEach((node, i, ring) => {
    const next = ring[(i + 1) % ring.length];
    ram.setPtr(node + ListHead.w.next, next);
    ram.setPtr(next + ListHead.w.prev, node);
  });
  handles.forEach((h, i) => {
    const item = Item.at(ram, h);
    item.key = i;
    item.value = i & 255;
  });
  const link = (from, to) => {
    if (from >= to) return 0;
    const middle = (from + to) >> 1;
    const node = handles[middle] + Item.w.rb;
    ram.setPtr(node + RbNode.w.rb_left, link(from, middle));
    ram.setPtr(node + RbNode.w.rb_right, link(middle + 1, to));
    return node;
  };
  return { ram, head, root: link(0, n), n };
}

const KEY = Item.w.key - Item.w.rb;
const LEFT = RbNode.w.rb_left;
const RIGHT = RbNode.w.rb_right;
const VALUE = Item.w.value - Item.w.list;

/** A key to look for, spread over all. */
const nextKey = (key, n) => (key + 40503) % n;

const LIST_WALKS = {
  bare({ array, head }) {
    let sum = 0;
    for (let pos = array[head] >>> 2; pos !== head; pos = array[pos] >>> 2) sum += array[pos + VALUE];
    return sum;
  },
  functions({ ram, head }) {
    let sum = 0;
    for (let pos = listFirst(ram, head); pos !== head; pos = listNext(ram, pos)) sum += ram.u32[pos + VALUE];
    return sum;
  },
  views({ ram, head }) {
    let sum = 0;
    for (let pos = ListHead.at(ram, head).next; pos !== head; pos = ListHead.at(ram, pos).next)
      sum += Item.at(ram, pos - Item.w.list).value;
    return sum;
  },
};

const TREE_WALKS = {
  bare({ array, root, n }) {
    let found = 0;
    for (let i = 0, key = 1; i < LOOKUPS; i++, key = nextKey(key, n)) {
      let node = root;
      while (node !== 0 && array[node + KEY] !== key)
        node = array[node + (key < array[node + KEY] ? LEFT : RIGHT)] >>> 2;
      found += node & 255;
    }
    return found;
  },
  functions({ ram, root, n }) {
    let found = 0;
    for (let i = 0, key = 1; i < LOOKUPS; i++, key = nextKey(key, n)) {
      let node = root;
      while (node !== 0) {
        const at = ram.u32[node + KEY];
        if (at === key) break;
        node = ram.ptr(node + (key < at ? LEFT : RIGHT));
      }
      found += node & 255;
    }
    return found;
  },
  views({ ram, root, n }) {
    let found = 0;
    for (let i = 0, key = 1; i < LOOKUPS; i++, key = nextKey(key, n)) {
      let node = root;
      while (node !== 0) {
        const at = Item.at(ram, node - Item.w.rb).key;
        if (at === key) break;
        const view = RbNode.at(ram, node);
        node = key < at ? view.rb_left : view.rb_right;
      }
      found += node & 255;
    }
    return found;
  },
};

/** @param quick a smoke run */
export async function run({ quick }) {
  const timing = quick ? { rounds: 1, warmUp: 0 } : { rounds: 41, warmUp: 10 };
  const rows = [];
  for (const [name, walks] of [
    ['list', LIST_WALKS],
    ['rbtree', TREE_WALKS],
  ])
    for (const [size, n] of quick
      ? [['small', 1000]]
      : [
          ['64 KiB', 800],
          ['16 MiB', 200_000],
        ]) {
      const data = build(n);
      data.array = data.ram.u32;
      const repeat = quick || name === 'rbtree' ? 1 : Math.ceil(200_000 / n);
      const results = Object.values(walks).map((walk) => walk(data));
      if (new Set(results).size > 1) throw new Error(`${name}: results differ: ${results.join(', ')}`);
      const ns = await interleave(
        Object.fromEntries(
          Object.entries(walks).map(([form, walk]) => [
            form,
            () =>
              time(() => {
                for (let i = 0; i < repeat; i++) walk(data);
              }),
          ]),
        ),
        timing,
      );
      const nodes = name === 'list' ? n * repeat : LOOKUPS * repeat;
      rows.push({
        name: `${name}, ${size}`,
        bareNs: ns.bare / nodes,
        functions: ns.functions / ns.bare,
        views: ns.views / ns.bare,
      });
    }
  return { rows, goal: GOAL };
}

export function format({ rows, goal }) {
  const table = formatTable(
    ['', 'bare ns', 'lib functions', 'views'],
    rows.map((r) => [r.name, number(r.bareNs), number(r.functions), number(r.views)]),
  );
  const worst = Math.max(...rows.flatMap((r) => [r.functions, r.views]));
  return [
    'Kernel objects, times a bare Uint32Array by index (list: a node; rbtree: a look-up)',
    table,
    `worst ${number(worst)} (goal ${goal})`,
  ].join('\n');
}
