// SPDX-License-Identifier: MIT
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Handle, PAGE_OFFSET } from '../machine/layout.js';
import { writeBytes } from './guest_access.js';
import { idrExports } from './idr.js';
import { radixTreeExports } from './radix_tree.js';
import { makeTestEnv } from './testing.js';
import { XA_ZERO_ENTRY, XArrays } from './xarray.js';
import { highWord, lowWord } from './xarray_exports.js';
import { XaNode, XaNodes } from './xarray_node.js';

const env = makeTestEnv();
const XA = PAGE_OFFSET + 0x10000;
const ARENA = 0x40000 / 4;
const WORDS = XaNode.size / 4;

/** Nodes from an arena; `left` says how many allocations may still succeed. */
const memory = {
  left: Number.POSITIVE_INFINITY,
  live: new Set<Handle>(),
  alloc(): Handle {
    if (memory.left-- <= 0) return 0;
    let node = ARENA;
    while (memory.live.has(node)) node += WORDS;
    memory.live.add(node);
    env.ram.fill(node * 4, XaNode.size, 0xa5);
    return node;
  },
  free(node: Handle): void {
    expect(memory.live.delete(node)).toBe(true);
    env.ram.fill(node * 4, XaNode.size, 0x6b);
  },
};
const arrays = new XArrays(env, new XaNodes(env.ram), memory);

const FLAGS_ALLOC = 4 | (1 << 27);
const init = (flags: number) => {
  writeBytes(env, XA, new Uint8Array(24));
  arrays.setFlags(XA, flags);
};
const store = (index: bigint, entry: bigint) => arrays.store(XA, highWord(index), lowWord(index), entry, 0);
const load = (index: bigint) => arrays.load(XA, highWord(index), lowWord(index));
const find = (from: bigint, max: bigint, filter = 8) => {
  const found = arrays.findFrom(XA, highWord(from), lowWord(from), highWord(max), lowWord(max), filter);
  return found && [(BigInt(found.hi) << 32n) | BigInt(found.lo), found.entry];
};
const MAX = (1n << 64n) - 1n;

beforeEach(() => {
  memory.left = Number.POSITIVE_INFINITY;
  init(0);
});
afterEach(() => {
  arrays.destroy(XA);
  expect(memory.live.size).toBe(0);
});

it('has nodes of the size that Linux has', () => expect(XaNode.size).toBe(576));

/** Indices near each other, near the ends of nodes, and anywhere. */
const index = fc.oneof(
  fc.bigInt({ min: 0n, max: 130n }),
  fc.constantFrom(
    0n,
    63n,
    64n,
    4095n,
    4096n,
    (1n << 30n) - 1n,
    1n << 30n,
    1n << 32n,
    (1n << 36n) + 5n,
    1n << 63n,
    MAX,
  ),
  fc.bigInt({ min: 0n, max: MAX }),
);
const entry = fc.oneof(
  fc.bigInt({ min: 0n, max: MAX >> 1n }).map((value) => (value << 1n) | 1n),
  fc.bigInt({ min: 1n, max: MAX >> 2n }).map((value) => value << 2n),
);

describe('a sparse array', () => {
  it('holds what was stored, in order, and no node more than it needs', () => {
    const operation = fc.tuple(index, fc.option(entry, { nil: 0n }));
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 60 }), index, index, (operations, from, max) => {
        const model = new Map<bigint, bigint>();
        for (const [at, value] of operations) {
          expect(store(at, value)).toBe(model.get(at) ?? 0n);
          if (value === 0n) model.delete(at);
          else model.set(at, value);
        }
        for (const [at] of operations) expect(load(at)).toBe(model.get(at) ?? 0n);
        const sorted = [...model.keys()].sort((a, b) => (a < b ? -1 : 1));
        const seen: bigint[] = [];
        for (let at = find(0n, MAX); at; at = at[0] === MAX ? undefined : find(at[0] + 1n, MAX))
          seen.push(at[0]);
        expect(seen).toEqual(sorted);
        const first = sorted.find((at) => at >= from && at <= max);
        expect(find(from, max)).toEqual(first === undefined ? undefined : [first, model.get(first)]);
        for (const at of model.keys()) store(at, 0n);
        expect(memory.live.size).toBe(0);
        expect(arrays.load(XA, 0, 0)).toBe(0n);
      }),
      { seed: 5, numRuns: 150 },
    );
  });

  it('finds marked entries, and forgets marks with the entry', () => {
    const operation = fc.tuple(fc.constantFrom('store', 'erase', 'mark', 'clear'), index, fc.nat(2));
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 80 }), (operations) => {
        init(0);
        const model = new Map<bigint, Set<number>>();
        for (const [what, at, mark] of operations) {
          const marks = model.get(at);
          if (what === 'store') {
            store(at, 4n);
            model.set(at, marks ?? new Set());
          } else if (what === 'erase') {
            store(at, 0n);
            model.delete(at);
          } else {
            arrays.setMark(XA, highWord(at), lowWord(at), mark, what === 'mark');
            if (what === 'mark') marks?.add(mark);
            else marks?.delete(mark);
          }
        }
        for (let mark = 0; mark < 3; mark++) {
          const marked = [...model].filter(([, marks]) => marks.has(mark)).map(([at]) => at);
          marked.sort((a, b) => (a < b ? -1 : 1));
          const seen: bigint[] = [];
          for (let at = find(0n, MAX, mark); at; at = at[0] === MAX ? undefined : find(at[0] + 1n, MAX, mark))
            seen.push(at[0]);
          expect(seen).toEqual(marked);
          expect(arrays.headMarked(XA, mark)).toBe(marked.length > 0);
          for (const [at, marks] of model)
            expect(arrays.getMark(XA, highWord(at), lowWord(at), mark)).toBe(marks.has(mark));
        }
        arrays.destroy(XA);
      }),
      { seed: 6, numRuns: 150 },
    );
  });

  it('is as it was when memory runs out', () => {
    fc.assert(
      fc.property(fc.array(index, { minLength: 1, maxLength: 8 }), index, fc.nat(10), (before, at, left) => {
        memory.left = Number.POSITIVE_INFINITY;
        for (const i of before) store(i, 4n);
        const { size } = memory.live;
        memory.left = left;
        const result = store(at, 8n);
        if (typeof result === 'number') expect([result, memory.live.size]).toEqual([-12, size]);
        for (const i of before) expect(load(i)).toBe(i === at && typeof result !== 'number' ? 8n : 4n);
        arrays.destroy(XA);
      }),
      { seed: 7, numRuns: 100 },
    );
  });
});

it('hands out the lowest free index', () => {
  const operation = fc.record({
    free: fc.boolean(),
    at: fc.nat(200),
    min: fc.constantFrom(0, 0, 0, 60, 64, 5000),
  });
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 250 }), (operations) => {
      init(FLAGS_ALLOC);
      const taken = new Set<number>();
      for (const { free, at, min } of operations) {
        if (free) {
          store(BigInt(at), 0n);
          taken.delete(at);
          continue;
        }
        let expected = min;
        while (taken.has(expected)) expected++;
        const got = arrays.findFree(XA, min, 5010);
        expect(got).toBe(expected <= 5010 ? expected : -1);
        if (got < 0) continue;
        arrays.store(XA, 0, got, XA_ZERO_ENTRY, 0);
        arrays.setFreeMark(XA, 0, got, false);
        taken.add(got);
      }
      arrays.destroy(XA);
    }),
    { seed: 8, numRuns: 60 },
  );
});

describe('older interfaces', () => {
  const lines: string[] = [];
  const idr = idrExports({
    mem: env,
    arrays,
    callC: () => 0,
    reports: { ...env.reports, warn: (_file, _line, symbol, message) => lines.push(`${symbol}: ${message}`) },
    preemptDisable: () => {},
    warned: 0x20000 / 4,
  });
  const radix = radixTreeExports(env, arrays, () => {});
  const call = (table: typeof idr, name: string, ...args: unknown[]) => table[name][1](...args);

  it('number objects from a base, NULL among them', () => {
    env.ram.i32[0x10010 / 4] = 10; // idr_base
    expect(call(idr, 'idr_alloc', XA, 0x1000n, 10, 0, 0)).toBe(10);
    expect(call(idr, 'idr_alloc', XA, 0n, 10, 12, 0)).toBe(11);
    expect(call(idr, 'idr_alloc', XA, 0x2000n, 10, 12, 0)).toBe(-28);
    expect([call(idr, 'idr_find', XA, 10n), call(idr, 'idr_find', XA, 11n)]).toEqual([0x1000n, 0n]);
    expect(call(idr, 'idr_replace', XA, 0x3000n, 11n)).toBe(0n);
    expect(call(idr, 'idr_replace', XA, 0x3000n, 99n)).toBe(-2n);
    expect(call(idr, 'idr_remove', XA, 10n)).toBe(0x1000n);
    expect(call(idr, 'idr_remove', XA, 10n)).toBe(0n);
    expect(call(idr, 'idr_alloc_cyclic', XA, 0x4000n, 10, 0, 0)).toBe(10);
    expect(call(idr, 'idr_alloc', XA, 0x4002n, 10, 0, 0)).toBe(-22);
  });

  it('warn of a number freed twice', () => {
    init(FLAGS_ALLOC);
    expect([0, 1].map(() => call(idr, 'ida_alloc_range', XA, 0, 0xffffffff, 0))).toEqual([0, 1]);
    call(idr, 'ida_free', XA, 1);
    call(idr, 'ida_free', XA, 1);
    expect(lines).toEqual(['ida_free: ida_free called for id=1 which is not allocated.']);
  });

  it('look up many items at once', () => {
    for (const i of [3n, 70n, 5000n]) expect(call(radix, 'radix_tree_insert', XA, i, 4n * i)).toBe(0);
    expect(call(radix, 'radix_tree_insert', XA, 3n, 8n)).toBe(-17);
    expect(call(radix, 'radix_tree_tag_set', XA, 70n, 1)).toBe(280n);
    expect(call(radix, 'radix_tree_gang_lookup', XA, XA + 64, 4n, 10)).toBe(2);
    expect(call(radix, 'radix_tree_gang_lookup_tag', XA, XA + 64, 0n, 10, 1)).toBe(1);
    expect([call(radix, 'radix_tree_tagged', XA, 1), call(radix, 'radix_tree_tagged', XA, 0)]).toEqual([
      1, 0,
    ]);
    expect(call(radix, 'radix_tree_delete_item', XA, 70n, 4n)).toBe(0n);
    expect(call(radix, 'radix_tree_delete', XA, 70n)).toBe(280n);
    expect(call(radix, 'radix_tree_tagged', XA, 1)).toBe(0);
  });
});
