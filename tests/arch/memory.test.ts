// SPDX-License-Identifier: MIT
/** Loads and stores of translated code: every width, alignment and page border, in the direct map and in vmalloc. */

import { BareMachine } from '@pagewalk/kernel/arch/wasm64/testing';
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { compile64, machineWith } from '../support/clang.js';

/** Each pair reads a value of one C type from `p` and writes it, widened by C, to `out`, or the other way round. */
const SOURCE = `
#define LOAD(name, type, wide) void name(char *p, wide *out) { *out = *(type *)p; }
#define STORE(name, type, wide) void name(char *p, wide *in) { *(type *)p = *in; }
typedef signed char s8; typedef unsigned char u8; typedef short s16; typedef unsigned short u16;
typedef int s32; typedef unsigned u32; typedef long s64; typedef unsigned long u64;
LOAD(load_s8_i32, s8, s32) LOAD(load_u8_i32, u8, u32) LOAD(load_s16_i32, s16, s32) LOAD(load_u16_i32, u16, u32)
LOAD(load_s8_i64, s8, s64) LOAD(load_u8_i64, u8, u64) LOAD(load_s16_i64, s16, s64) LOAD(load_u16_i64, u16, u64)
LOAD(load_s32_i64, s32, s64) LOAD(load_u32_i64, u32, u64)
LOAD(load_i32, u32, u32) LOAD(load_i64, u64, u64) LOAD(load_f32, float, float) LOAD(load_f64, double, double)
STORE(store_8_i32, u8, u32) STORE(store_16_i32, u16, u32) STORE(store_i32, u32, u32)
STORE(store_8_i64, u8, u64) STORE(store_16_i64, u16, u64) STORE(store_32_i64, u32, u64)
STORE(store_i64, u64, u64) STORE(store_f32, float, float) STORE(store_f64, double, double)
float sum_f32(float *p, int n) { float s = 0; for (int i = 0; i < n; i++) s += p[i]; return s; }
double sum_f64(double *p, int n) { double s = 0; for (int i = 0; i < n; i++) s += p[i]; return s; }
long direct_map_word(unsigned long i) { return ((long *)0xffff888000000000UL)[i]; }
struct three { long a[3]; };
long direct_map_third(unsigned i) { return ((struct three *)0xffff888000000000UL)[i].a[2]; }
int counter = 41; static int hidden[3] = {1, 2, 3}; static char text[] = "text";
int next(void) { return ++counter + hidden[counter % 3]; }
int letter(int i) { return text[i]; }
struct { char pad; long unaligned __attribute__((packed)); } packed = {1, -2};
long read_packed(void) { return packed.unaligned; }
`;

const LOADS = [
  { name: 'load_s8_i32', bytes: 1, signed: true, out: 4 },
  { name: 'load_u8_i32', bytes: 1, signed: false, out: 4 },
  { name: 'load_s16_i32', bytes: 2, signed: true, out: 4 },
  { name: 'load_u16_i32', bytes: 2, signed: false, out: 4 },
  { name: 'load_s8_i64', bytes: 1, signed: true, out: 8 },
  { name: 'load_u8_i64', bytes: 1, signed: false, out: 8 },
  { name: 'load_s16_i64', bytes: 2, signed: true, out: 8 },
  { name: 'load_u16_i64', bytes: 2, signed: false, out: 8 },
  { name: 'load_s32_i64', bytes: 4, signed: true, out: 8 },
  { name: 'load_u32_i64', bytes: 4, signed: false, out: 8 },
  { name: 'load_i32', bytes: 4, signed: false, out: 4 },
  { name: 'load_i64', bytes: 8, signed: false, out: 8 },
  { name: 'load_f32', bytes: 4, signed: false, out: 4 },
  { name: 'load_f64', bytes: 8, signed: false, out: 8 },
];
const STORES = [
  { name: 'store_8_i32', bytes: 1, in: 4 },
  { name: 'store_16_i32', bytes: 2, in: 4 },
  { name: 'store_i32', bytes: 4, in: 4 },
  { name: 'store_8_i64', bytes: 1, in: 8 },
  { name: 'store_16_i64', bytes: 2, in: 8 },
  { name: 'store_32_i64', bytes: 4, in: 8 },
  { name: 'store_i64', bytes: 8, in: 8 },
  { name: 'store_f32', bytes: 4, in: 4 },
  { name: 'store_f64', bytes: 8, in: 8 },
];

/** A machine and three pages of guest memory, whose bytes a test sees by virtual address. */
class Area {
  readonly machine: BareMachine;
  readonly base: number;
  readonly value: number;
  constructor(object: Uint8Array, { directMap, vmalloc }: { directMap: boolean; vmalloc: boolean }) {
    this.machine = new BareMachine({ directMap });
    this.machine.load(object);
    this.base = vmalloc ? this.machine.vmalloc(3 * 4096) : this.machine.alloc(3 * 4096);
    this.value = this.machine.alloc(4096);
  }

  get(address: number, bytes: number): bigint {
    let n = 0n;
    for (let i = bytes - 1; i >= 0; i--)
      n = (n << 8n) | BigInt(this.machine.ram.u8[this.machine.mmu.translate(address + i)]);
    return n;
  }

  put(address: number, bytes: number, value: bigint): void {
    for (let i = 0; i < bytes; i++)
      this.machine.ram.u8[this.machine.mmu.translate(address + i, true)] = Number(
        (value >> BigInt(8 * i)) & 255n,
      );
  }
}

const KINDS = [
  { kind: 'direct map', directMap: true, vmalloc: false },
  { kind: 'direct map through the TLB', directMap: false, vmalloc: false },
  { kind: 'vmalloc', directMap: true, vmalloc: true },
];

let object: Uint8Array;
beforeAll(async () => {
  object = await compile64(SOURCE);
});

const bits = fc.bigInt({ min: 0n, max: (1n << 64n) - 1n });

describe.each(KINDS)('$kind', ({ directMap, vmalloc }) => {
  let area: Area;
  beforeAll(() => {
    area = new Area(object, { directMap, vmalloc });
  });

  test('frames of the vmalloc area are not contiguous', () => {
    const [a, b] = [0, 4096].map((offset) => area.machine.mmu.translate(area.base + offset));
    expect(b - a).toBe(vmalloc ? -4096 : 4096);
  });

  test.each(LOADS)('$name', ({ name, bytes, signed, out }) => {
    const { machine, base, value } = area;
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 40 }), fc.constantFrom(0, 1, 2), bits, (delta, border, n) => {
        const at = base + border * 4096 + 4 + (border === 0 ? delta : -delta);
        area.put(at, bytes, n);
        machine.call(name, 'v:pp', at, value);
        const raw = BigInt.asUintN(8 * bytes, n);
        const wide = signed ? BigInt.asIntN(8 * bytes, n) : raw;
        expect(area.get(value, out)).toBe(BigInt.asUintN(8 * out, wide));
      }),
      { seed: 1, numRuns: 100 },
    );
  });

  test.each(STORES)('$name', ({ name, bytes, in: inBytes }) => {
    const { machine, base, value } = area;
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 40 }), fc.constantFrom(0, 1, 2), bits, (delta, border, n) => {
        const at = base + border * 4096 + 8 + (border === 0 ? delta : -delta);
        area.put(at - 8, 8, ~n);
        area.put(at, 8, ~n);
        area.put(at + 8, 8, ~n);
        area.put(value, 8, n);
        machine.call(name, 'v:pp', at, value);
        expect(area.get(at, bytes)).toBe(BigInt.asUintN(8 * bytes, n));
        // Its neighbours are as before.
        expect(area.get(at - 8, 8)).toBe(BigInt.asUintN(64, ~n));
        for (let i = bytes; i < 8; i++)
          expect(area.get(at + i, 1)).toBe(BigInt.asUintN(8, ~n >> BigInt(8 * i)));
        expect(inBytes).toBeGreaterThanOrEqual(bytes);
      }),
      { seed: 2, numRuns: 100 },
    );
  });

  test('float arithmetic over a page border', () => {
    const { machine, base } = area;
    const view = new DataView(new ArrayBuffer(8));
    let expected = 0;
    for (let i = 0; i < 8; i++) {
      view.setFloat64(0, 0.1 * (i + 1), true);
      area.put(base + 4096 - 29 + 8 * i, 8, view.getBigUint64(0, true));
      expected += 0.1 * (i + 1);
    }
    expect(machine.call('sum_f64', 'f:pi', base + 4096 - 29, 8)).toBe(expected);
  });
});

describe('addresses in the instruction', () => {
  test('a base of the direct map in the offset field, exactly', async () => {
    const machine = await machineWith(SOURCE);
    const at = machine.alloc(4096);
    const p = machine.mmu.translate(at);
    for (const [i, value] of [11, 22, 33].entries()) machine.ram.set64(p / 4 + 2 * i, value);
    expect(machine.call('direct_map_word', 'l:z', p / 8 + 1)).toBe(22);
    const third = Math.ceil(p / 24);
    machine.ram.set64((third * 24 + 16) / 4, -77);
    expect(machine.call('direct_map_third', 'l:i', third)).toBe(-77);
  });

  test('variables of the module, unaligned ones too', async () => {
    const machine = await machineWith(SOURCE);
    expect([machine.call('next', 'i:'), machine.call('next', 'i:')]).toEqual([42 + 1, 43 + 2]);
    expect(machine.call('letter', 'i:i', 2)).toBe('x'.charCodeAt(0));
    expect(machine.call('read_packed', 'l:')).toBe(-2);
  });
});
