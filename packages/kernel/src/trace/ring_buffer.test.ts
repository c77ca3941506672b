// SPDX-License-Identifier: MIT
/** The ring buffer against a list: random writes, reads, sizes. */

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { StaticData } from '../lib/static_data.js';
import type { Pfn } from '../machine/layout.js';
import { Ram } from '../machine/ram.js';
import { BUF_PAGE_SIZE, RingBuffer } from './ring_buffer.js';

/** Page frames from 8 MiB on; how many are taken can be asked. */
function pool(limit: number) {
  const free = Array.from({ length: limit }, (_, i) => (2048 + i) as Pfn);
  return {
    alloc: () => free.pop() ?? (-1 as const),
    free: (pfn: Pfn) => void free.push(pfn),
    taken: () => limit - free.length,
  };
}

function make(limit = 64) {
  const ram = new Ram(16 * 2 ** 20);
  const pages = pool(limit);
  return { pages, ram, buffer: new RingBuffer(ram, new StaticData(), 2, pages) };
}

const bytesOf = ({ byteOffset, byteLength, buffer }: DataView) => [
  ...new Uint8Array(buffer, byteOffset, byteLength),
];
const padded = (bytes: readonly number[]) => [...bytes, ...new Array((4 - (bytes.length % 4)) % 4).fill(0)];

type Op =
  | { kind: 'write'; length: number; ns: number; overwrite: boolean }
  | { kind: 'consume' }
  | { kind: 'resize'; pages: number }
  | { kind: 'reset' };

const op: fc.Arbitrary<Op> = fc.oneof(
  {
    weight: 20,
    arbitrary: fc.record({
      kind: fc.constant('write' as const),
      length: fc.oneof(fc.integer({ min: 1, max: 120 }), fc.integer({ min: 1, max: BUF_PAGE_SIZE - 8 })),
      ns: fc.oneof(fc.integer({ min: 0, max: 1000 }), fc.integer({ min: 0, max: 2 ** 40 })),
      overwrite: fc.boolean(),
    }),
  },
  { weight: 5, arbitrary: fc.constant({ kind: 'consume' as const }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('resize' as const), pages: fc.integer({ min: 1, max: 8 }) }),
  },
  { weight: 1, arbitrary: fc.constant({ kind: 'reset' as const }) },
);

test('keeps the newest events in order, whole, with their times, and counts the others', () => {
  fc.assert(
    fc.property(fc.array(op, { maxLength: 120 }), (ops) => {
      const { buffer, pages } = make();
      buffer.resize(0, 3);
      let model: { ns: number; bytes: number[] }[] = [];
      let now = 1;
      let written = 0;
      let consumed = 0;
      let next = 0;
      for (const o of ops) {
        const c = buffer.cpu(0);
        if (o.kind === 'write') {
          now += o.ns;
          const bytes = Array.from({ length: o.length }, () => (next = (next * 5 + 1) & 0xff));
          const kept = buffer.write(0, now, Uint8Array.from(bytes), o.length, o.overwrite);
          if (kept) model.push({ ns: now, bytes: padded(bytes) });
          if (kept) written++;
          expect(kept || !o.overwrite).toBe(true);
        } else if (o.kind === 'consume') {
          const event = buffer.consume(0);
          const first = model.shift();
          expect(event && { ns: event.ns, bytes: bytesOf(event.data) }).toEqual(first);
          if (event) consumed++;
        } else if (o.kind === 'resize') {
          expect(buffer.resize(0, o.pages)).toBe(true);
          expect(pages.taken()).toBe(Math.max(2, o.pages));
        } else {
          buffer.reset(0);
          model = [];
          written = 0;
          consumed = 0;
        }
        model = model.slice(model.length - c.entries);
        expect(model).toHaveLength(c.entries);
        expect(c.overrun).toBe(written - consumed - c.entries);
        expect([...buffer.events(0)].map(({ ns, data }) => ({ ns, bytes: bytesOf(data) }))).toEqual(model);
        expect(buffer.peek(0)?.ns).toBe(model[0]?.ns);
      }
      buffer.release(0);
      expect(pages.taken()).toBe(0);
    }),
    { seed: 20221211, numRuns: 150 },
  );
});

test('a second object over the same memory sees the same events', () => {
  const { buffer, ram, pages } = make();
  buffer.resize(1, 2);
  for (let i = 0; i < 500; i++) buffer.write(1, 10 * i, Uint8Array.of(i & 0xff), 1, true);
  buffer.consume(1);
  const other = new RingBuffer(ram, new StaticData(), 2, pages);
  const seen = (b: RingBuffer) => [...b.events(1)].map(({ ns, data }) => [ns, ...bytesOf(data)]);
  expect(seen(other)).toEqual(seen(buffer));
  expect(other.consume(1)?.ns).toBe(buffer.peek(1)?.ns === undefined ? undefined : seen(buffer)[0][0] - 10);
});

test('nothing changes when there is no memory', () => {
  const { buffer, pages } = make(10);
  expect(buffer.resize(0, 6)).toBe(true);
  buffer.write(0, 1, Uint8Array.of(1), 1, true);
  expect(buffer.resize(0, 11)).toBe(false);
  expect(pages.taken()).toBe(6);
  expect([...buffer.events(0)]).toHaveLength(1);
  expect(buffer.write(1, 1, Uint8Array.of(1), 1, true)).toBe(false);
});

test('what guest code has scribbled over is read to an end', () => {
  fc.assert(
    fc.property(
      fc.infiniteStream(fc.nat({ max: 0xffffffff })),
      fc.integer({ min: 1, max: 1024 }),
      (words, step) => {
        const { buffer, ram } = make();
        buffer.resize(0, 3);
        for (let i = 0; i < 300; i++) buffer.write(0, 10 * i, Uint8Array.of(i & 0xff), 1, true);
        for (let at = 2048 * 1024; at < 2112 * 1024; at += step) ram.u32[at] = words.next().value!;
        expect([...buffer.events(0)].length).toBeLessThan(3 * BUF_PAGE_SIZE);
        for (let i = 0; i < 1000 && buffer.consume(0); i++);
        expect(buffer.cpu(0).entries).toBe(0);
      },
    ),
    { seed: 20221211, numRuns: 100 },
  );
});
