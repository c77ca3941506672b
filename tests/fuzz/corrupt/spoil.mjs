// SPDX-License-Identifier: MIT
/** Chooses, by seed, which words of a machine's memory are overwritten, and with what. */

/** A small seeded generator (Marsaglia's xorshift). */
export class Random {
  constructor(seed) {
    this.x = (Math.imul(seed, 0x9e3779b1) ^ 0x5bd1e995) | 1;
    for (let i = 0; i < 8; i++) this.below(2);
  }
  below(n) {
    this.x ^= this.x << 13;
    this.x ^= this.x >>> 17;
    this.x ^= this.x << 5;
    return (this.x >>> 0) % n;
  }
  pick(list) {
    return list[this.below(list.length)];
  }
}

const DIRECT = 0xffff888000000000n;
const DIRECT_HI = 0xffff8880 | 0;
const PAGE = 4096;
const MAX_WORDS = 40;

/** Physical addresses that static data points to, and what lies there points to. */
function objects({ ram, data }) {
  const found = new Set();
  const scan = (word, words) => {
    for (let i = word; i + 1 < word + words; i += 2)
      if (ram.i32[i + 1] === DIRECT_HI && ram.u32[i] < ram.size && ram.u32[i] % 8 === 0)
        found.add(ram.u32[i]);
  };
  for (const { handle, size } of data.variables) scan(handle & ~1, size / 4);
  for (const address of [...found]) scan(address / 4, 64);
  return [...found];
}

/** Physical addresses of page tables that are in use, and of their entries. */
function tableEntries({ ram, mmu }, random) {
  let table = mmu.cr3;
  for (let level = 3; ; level--) {
    const used = [];
    for (let i = 0; i < 512; i++) if (ram.i32[table / 4 + 2 * i] & 1) used.push(table + 8 * i);
    if (used.length === 0) return table + 8 * random.below(512);
    const entry = random.pick(used);
    const value = ram.u32[entry / 4];
    if (level === 0 || value & 0x80 || random.below(4) === 0) return entry;
    table = value - (value % PAGE);
    if (table + PAGE > ram.size) return entry;
  }
}

const PLACES = [
  // A variable of the kernel's.
  ({ kernel, random }) => {
    const { handle, size } = random.pick(kernel.data.variables);
    return 4 * handle + 8 * random.below(Math.max(1, size >> 3));
  },
  // An object that the kernel can reach: a cache, a task, a module, an area.
  ({ random, reachable }) => random.pick(reachable) + 8 * random.below(random.pick([4, 32, 64])),
  ({ random, reachable }) => random.pick(reachable) + 8 * random.below(random.pick([4, 32, 64])),
  // A struct page.
  ({ kernel, random }) => {
    const { map } = kernel.pages;
    return 4 * map.base + 64 * random.below((map.end - map.base) >> 4) + 8 * random.below(8);
  },
  // Whatever lies in a page frame that is in use.
  ({ random, frames }) => random.pick(frames) * PAGE + 8 * random.below(PAGE / 8),
  ({ kernel, random }) => tableEntries(kernel, random),
];

const VALUES = [
  () => 0n,
  () => 0xffffffffffffffffn,
  ({ random }) => BigInt(random.below(2 ** 32)),
  ({ random }) => (BigInt(random.below(2 ** 32)) << 32n) | BigInt(random.below(2 ** 32)),
  ({ random, reachable }) => DIRECT + BigInt(random.pick(reachable)),
  ({ random, reachable }) => DIRECT + BigInt(random.pick(reachable)) + BigInt(random.below(256)),
  ({ place }) => DIRECT + BigInt(place),
  ({ place }) => DIRECT + BigInt(place) - 8n,
  ({ random, kernel }) => DIRECT + BigInt(random.below(kernel.ram.size)),
  ({ random, kernel }) => 0xffffea0000000000n + 64n * BigInt(random.below(kernel.ram.size / PAGE)),
  ({ random }) => BigInt(random.below(5)),
  ({ old, random }) => old ^ (1n << BigInt(random.below(64))),
  ({ old, random }) => BigInt.asUintN(64, old + BigInt(random.pick([1, -1, 8, 64, 4096]))),
  () => 0xdead000000000100n,
  ({ random }) => 0xffffffff81000000n + BigInt(random.below(65536)),
];

/** Parameters for vandal.ko. */
export function spoil({ kernel }, random) {
  const { ram } = kernel;
  const reachable = objects(kernel);
  const frames = [];
  for (let frame = 0; frame < ram.size / PAGE; frame++)
    if (ram.u8.subarray(frame * PAGE, (frame + 1) * PAGE).some((byte) => byte !== 0)) frames.push(frame);
  const count = random.pick([1, 2, 3, 5, 10, MAX_WORDS]);
  const one = random.below(3) === 0 ? random.pick(PLACES) : undefined;
  const [at, value] = [[], []];
  for (let i = 0; i < count; i++) {
    const place = (one ?? random.pick(PLACES))({ kernel, random, reachable, frames });
    if (!(place >= 0 && place + 8 <= ram.size)) continue;
    const old = (BigInt(ram.u32[place / 4 + 1]) << 32n) | BigInt(ram.u32[place / 4]);
    const spoilt = random.pick(VALUES)({ kernel, random, reachable, place, old });
    at.push(`0x${(DIRECT + BigInt(place)).toString(16)}`);
    value.push(`0x${BigInt.asUintN(64, spoilt).toString(16)}`);
  }
  return `at=${at} value=${value}`;
}
