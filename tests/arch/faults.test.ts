// SPDX-License-Identifier: MIT
/** Page faults, protection, page-table bits, and what a TLB may remember. */

import {
  type Mmu,
  PF_INSTR,
  PF_PROT,
  PF_USER,
  PF_WRITE,
  WALK_BUS_ERROR,
  WALK_NONCANONICAL,
} from '@pagewalk/kernel/arch/wasm64/mmu';
import type { BareMachine } from '@pagewalk/kernel/arch/wasm64/testing';
import { PAGE_OFFSET, PAGE_SIZE, REG, VMALLOC_START, vaddr } from '@pagewalk/kernel/machine/layout';
import {
  _PAGE_ACCESSED,
  _PAGE_DIRTY,
  _PAGE_RW,
  _PAGE_USER,
  PAGE_KERNEL,
  PAGE_KERNEL_EXEC,
  PAGE_KERNEL_RO,
  PAGE_KERNEL_ROX,
  PMD_SIZE,
  type Protection,
} from '@pagewalk/kernel/mm/pgtable';
import { beforeEach, describe, expect, test } from 'vitest';
import { machineWith } from '../support/clang.js';
import { trapOf } from '../support/traps.js';

const SOURCE = `
int get(int *p) { return *p; }
void set(int *p, int v) { *p = v; }
long get_long(long *p) { return *p; }
void set_long(long *p, long v) { *p = v; }
int field(char *p) { return *(int *)(p + 8); }
int get_null(void) { return *(volatile int *)16; }
int call(int (*f)(int), int x) { return f(x); }
int twice(int x) { return 2 * x; }
const int table[4] = {1, 2, 3, 4};
int *table_at(int i) { return (int *)&table[i]; }
void *memcpy(void *, const void *, unsigned long);
void copy(void *d, void *s, long n) { memcpy(d, s, n); }
`;

const AT = VMALLOC_START + 64 * PAGE_SIZE;
const USER_PAGE: Protection = { flags: _PAGE_RW | _PAGE_USER, executable: true };

let machine: BareMachine;
let mmu: Mmu;
let frame: number;
beforeEach(async () => {
  machine = await machineWith(SOURCE);
  ({ mmu } = machine);
  frame = machine.frame();
});

const map = (at: number, protection: Protection, to = frame) => machine.tables.map(at, to, protection);
const entry = (at: number) => machine.tables.walk(at).entry;
const bitsOf = (at: number) => machine.ram.i32[entry(at)] & (_PAGE_ACCESSED | _PAGE_DIRTY);
const get = (at: number) => machine.call('get', 'i:p', at);
const set = (at: number, value: number) => machine.call('set', 'v:pi', at, value);
const fault = (address: number, code: number) => ({ kind: 'fault', address, code });

describe('addresses that lead nowhere', () => {
  test.each([
    ['NULL', 0],
    ['a small offset from NULL', 8],
    ['user space', 0x00005555_5555_4000],
    ['after the direct map', PAGE_OFFSET + 16 * 2 ** 20],
    ['before the direct map', PAGE_OFFSET - 4],
    ['the last page', -4096],
    ['the vmalloc area', AT],
  ])('%s', (_, address) => {
    expect(trapOf(() => get(address))).toEqual(fault(address, 0));
    expect(trapOf(() => set(address, 1))).toEqual(fault(address, PF_WRITE));
  });

  test('an address that is a constant of the program', () => {
    expect(trapOf(() => machine.call('get_null', 'i:'))).toEqual(fault(16, 0));
  });

  test('an error pointer plus an offset wraps round', () => {
    expect(trapOf(() => machine.call('field', 'i:p', -4))).toEqual(fault(4, 0));
  });

  test.each([2 ** 47, 2 ** 47 + 5, -(2 ** 47) - 8, vaddr(0x80000000, 0), 0x6b6b6b6b * 2 ** 32])(
    'not canonical: %d',
    (address) => {
      expect(trapOf(() => get(address))).toEqual(fault(address, WALK_NONCANONICAL));
      expect(trapOf(() => set(address, 1))).toEqual(fault(address, WALK_NONCANONICAL));
    },
  );

  test('the edges of the canonical halves are page faults', () => {
    for (const address of [2 ** 47 - 4, -(2 ** 47)]) expect(trapOf(() => get(address))?.code).toBe(0);
    // An access that begins in the lower half and ends in the hole:
    map(2 ** 47 - PAGE_SIZE, { flags: 0, executable: false });
    machine.tables.path(2 ** 47 - PAGE_SIZE).forEach((e) => {
      machine.ram.i32[e] &= ~_PAGE_USER;
    });
    expect(trapOf(() => machine.call('get_long', 'l:p', 2 ** 47 - 4))).toEqual(
      fault(2 ** 47, WALK_NONCANONICAL),
    );
  });

  test('the last bytes of RAM and one byte after', () => {
    const end = PAGE_OFFSET + machine.ram.size;
    machine.call('set_long', 'v:pl', end - 8, 77);
    expect(machine.call('get_long', 'l:p', end - 8)).toBe(77);
    for (let i = 1; i < 8; i++) {
      expect(trapOf(() => machine.call('get_long', 'l:p', end - i))).toEqual(fault(end, 0));
      expect(trapOf(() => machine.call('set_long', 'v:pl', end - i, 0))).toEqual(fault(end, PF_WRITE));
    }
    expect(machine.call('get_long', 'l:p', end - 8), 'a store that faults writes nothing').toBe(77);
  });
});

describe('protection', () => {
  test('a read-only page', () => {
    map(AT, PAGE_KERNEL_RO);
    expect(get(AT)).toBe(0);
    expect(trapOf(() => set(AT, 1))).toEqual(fault(AT, PF_WRITE | PF_PROT));
    expect(get(AT)).toBe(0);
  });

  test("the module's rodata and text", () => {
    const at = machine.call('table_at', 'p:i', 2);
    expect(get(at)).toBe(3);
    expect(trapOf(() => set(at, 1))).toEqual(fault(at, PF_WRITE | PF_PROT));
    const text = machine.addressOf('twice');
    get(Math.floor(text / 4) * 4);
    expect(trapOf(() => machine.call('set', 'v:pi', text, 0))).toEqual(fault(text, PF_WRITE | PF_PROT));
  });

  test('an access into a read-only page from a writable one', () => {
    map(AT, PAGE_KERNEL);
    map(AT + PAGE_SIZE, PAGE_KERNEL_RO, machine.frame());
    const at = AT + PAGE_SIZE - 4;
    machine.call('set_long', 'v:pl', AT, 5);
    expect(trapOf(() => machine.call('set_long', 'v:pl', at, -1))).toEqual(
      fault(AT + PAGE_SIZE, PF_WRITE | PF_PROT),
    );
    expect(machine.call('get_long', 'l:p', at)).toBe(0);
  });

  test('SMAP: the kernel reads and writes no user page', () => {
    map(0x400000, USER_PAGE);
    expect(trapOf(() => get(0x400000))).toEqual(fault(0x400000, PF_PROT));
    expect(trapOf(() => set(0x400000, 1))).toEqual(fault(0x400000, PF_PROT | PF_WRITE));
  });

  test('user code sees user pages only', () => {
    map(0x400000, USER_PAGE);
    machine.ram.host32[REG.user >> 2] = 1;
    mmu.flush();
    map(AT, PAGE_KERNEL);
    expect(mmu.walk(0x400000, 0)).toBe(frame);
    expect(mmu.walk(AT, 0) & 0x7fffffff).toBe(PF_USER | PF_PROT);
    expect(mmu.walk(AT + PAGE_SIZE, PF_WRITE) & 0x7fffffff).toBe(PF_USER | PF_WRITE);
  });

  test('a page is the user’s, or writable, only if every level says so', () => {
    map(0x400000, USER_PAGE);
    for (const e of machine.tables.path(0x400000)) {
      machine.ram.i32[e] &= ~_PAGE_USER;
      expect(mmu.walk(0x400000, PF_WRITE)).toBe(frame);
      machine.ram.i32[e] &= ~_PAGE_RW;
      expect(mmu.walk(0x400000, PF_WRITE) & 0x7fffffff).toBe(PF_WRITE | PF_PROT);
      machine.ram.i32[e] |= _PAGE_USER | _PAGE_RW;
    }
  });
});

describe('fetch', () => {
  const call = (at: number) => machine.call('call', 'i:pi', at, 21);

  test('a function, NULL, data, unmapped text', () => {
    expect(call(machine.addressOf('twice'))).toBe(42);
    expect(trapOf(() => call(0))).toEqual(fault(0, PF_INSTR));
    const data = machine.alloc(8);
    expect(
      trapOf(() => call(data)),
      'NX',
    ).toEqual(fault(data, PF_INSTR | PF_PROT));
    expect(trapOf(() => call(AT))).toEqual(fault(AT, PF_INSTR));
    expect(trapOf(() => call(2 ** 50))).toEqual(fault(2 ** 50, WALK_NONCANONICAL));
  });

  test('executable memory where no function begins', () => {
    map(AT, PAGE_KERNEL_EXEC);
    expect(trapOf(() => call(AT))).toEqual({ kind: 'fetch', address: AT, code: -1 });
    const inside = machine.addressOf('twice') + 1;
    expect(trapOf(() => call(inside))).toEqual({ kind: 'fetch', address: inside, code: -1 });
  });

  test('SMEP: the kernel runs no user page', () => {
    map(0x400000, USER_PAGE);
    expect(trapOf(() => call(0x400000))).toEqual(fault(0x400000, PF_INSTR | PF_PROT));
  });

  test('a text page made not executable is noticed after a flush, and not before', () => {
    const twice = machine.addressOf('twice');
    expect(call(twice)).toBe(42);
    machine.tables.protect(twice, PAGE_KERNEL_RO);
    expect(call(twice)).toBe(42);
    mmu.flushFetch();
    expect(trapOf(() => call(twice))).toEqual(fault(twice, PF_INSTR | PF_PROT));
    machine.tables.protect(twice, PAGE_KERNEL_ROX);
    expect(call(twice)).toBe(42);
  });
});

describe('page tables that lead outside of RAM', () => {
  test.each([0, 1, 2, 3])('at level %d', (level) => {
    map(AT, PAGE_KERNEL);
    const e = machine.tables.path(AT)[level];
    const [low, high] = [machine.ram.i32[e], machine.ram.i32[e + 1]];
    for (const beyond of [machine.ram.size, 2 ** 31, 2 ** 32, 2 ** 51]) {
      machine.ram.i32[e] = (low & 0xfff) | (beyond | 0);
      machine.ram.i32[e + 1] = (high & 0x80000000) | Math.floor(beyond / 2 ** 32);
      for (const access of [0, PF_WRITE, PF_INSTR])
        expect(mmu.walk(AT, access) & 0x7fffffff).toBe(WALK_BUS_ERROR);
      expect(trapOf(() => get(AT))).toEqual(fault(AT, WALK_BUS_ERROR));
      expect(trapOf(() => set(AT, 1))).toEqual(fault(AT, WALK_BUS_ERROR));
      expect(trapOf(() => machine.call('copy', 'v:ppl', AT, PAGE_OFFSET, 64))).toEqual(
        fault(AT, WALK_BUS_ERROR),
      );
    }
  });

  test('CR3 itself', () => {
    mmu.cr3 = machine.ram.size - PAGE_SIZE;
    expect(trapOf(() => get(AT))?.kind).toBe('fault');
  });

  test('a large page in which RAM ends', async () => {
    const odd = await machineWith(SOURCE, { memory: 16 * 2 ** 20 + 5 * PAGE_SIZE, directMap: false });
    const at = VMALLOC_START + 512 * PMD_SIZE;
    odd.tables.mapLarge(at, 16 * 2 ** 20, PAGE_KERNEL);
    const last = at + 5 * PAGE_SIZE;
    odd.call('set', 'v:pi', last - 4, 99);
    expect(odd.call('get', 'i:p', PAGE_OFFSET + odd.ram.size - 4)).toBe(99);
    expect(trapOf(() => odd.call('get', 'i:p', last))).toEqual(fault(last, WALK_BUS_ERROR));
    expect(trapOf(() => odd.call('get_long', 'l:p', last - 4))).toEqual(fault(last, WALK_BUS_ERROR));
  });
});

test('a large page: every part of it, and its bits', () => {
  const at = VMALLOC_START + PMD_SIZE * 8;
  machine.tables.mapLarge(at, 4 * 2 ** 20, { flags: _PAGE_RW, executable: false });
  expect(bitsOf(at)).toBe(0);
  get(at + 12 * PAGE_SIZE);
  expect(bitsOf(at)).toBe(_PAGE_ACCESSED);
  for (let page = 0; page < 512; page += 37) {
    set(at + page * PAGE_SIZE + 8, page);
    expect(machine.ram.i32[(4 * 2 ** 20 + page * PAGE_SIZE + 8) / 4]).toBe(page);
  }
  expect(bitsOf(at)).toBe(_PAGE_ACCESSED | _PAGE_DIRTY);
  expect(get(at + PMD_SIZE - 4)).toBe(0);
  expect(trapOf(() => get(at + PMD_SIZE))).toEqual(fault(at + PMD_SIZE, 0));
});

describe('accessed and dirty', () => {
  beforeEach(() => {
    map(AT, { flags: _PAGE_RW, executable: false });
  });

  test('a read sets accessed, a write sets both, a fault neither', () => {
    expect(bitsOf(AT)).toBe(0);
    get(AT);
    expect(bitsOf(AT)).toBe(_PAGE_ACCESSED);
    set(AT, 1);
    expect(bitsOf(AT)).toBe(_PAGE_ACCESSED | _PAGE_DIRTY);
    map(AT + PAGE_SIZE, { flags: 0, executable: false }, machine.frame());
    trapOf(() => set(AT + PAGE_SIZE, 1));
    expect(bitsOf(AT + PAGE_SIZE)).toBe(0);
  });

  test('the first write after reads still sets dirty', () => {
    for (let i = 0; i < 3; i++) get(AT + 4 * i);
    set(AT + 64, 1);
    expect(bitsOf(AT) & _PAGE_DIRTY).toBe(_PAGE_DIRTY);
  });

  test('cleared bits are set again after a flush of the page', () => {
    set(AT, 1);
    machine.ram.i32[entry(AT)] &= ~(_PAGE_ACCESSED | _PAGE_DIRTY);
    set(AT, 2);
    expect(bitsOf(AT), 'the TLB remembers').toBe(0);
    mmu.flushPage(AT);
    get(AT);
    expect(bitsOf(AT)).toBe(_PAGE_ACCESSED);
    set(AT, 3);
    expect(bitsOf(AT)).toBe(_PAGE_ACCESSED | _PAGE_DIRTY);
  });

  test('memcpy marks its source accessed and its target dirty', () => {
    map(AT + PAGE_SIZE, { flags: _PAGE_RW, executable: false }, machine.frame());
    machine.call('copy', 'v:ppl', AT, AT + PAGE_SIZE, 100);
    expect(bitsOf(AT)).toBe(_PAGE_ACCESSED | _PAGE_DIRTY);
    expect(bitsOf(AT + PAGE_SIZE)).toBe(_PAGE_ACCESSED);
  });
});

describe('a fault handler that maps pages', () => {
  test('the access is made again, once for each page', () => {
    const faults: number[] = [];
    machine.onFault = (address) => {
      faults.push(address);
      return map(address - (address & 4095), PAGE_KERNEL, machine.frame());
    };
    const at = AT + PAGE_SIZE - 3;
    machine.call('set_long', 'v:pl', at, 123456789);
    expect(machine.call('get_long', 'l:p', at)).toBe(123456789);
    expect(faults).toEqual([at, AT + PAGE_SIZE]);
  });

  test('the second page of an access may take the first page’s frame away', () => {
    const at = AT + PAGE_SIZE - 4;
    const steal = (address: number, other: number) => {
      machine.tables.unmap(other);
      mmu.flushPage(other);
      return map(address - (address & 4095), PAGE_KERNEL, machine.frame());
    };
    for (const write of [true, false]) {
      machine.tables.unmap(AT);
      machine.tables.unmap(AT + PAGE_SIZE);
      mmu.flush();
      let stolen = 0;
      machine.onFault = (address) =>
        address > at && stolen++ === 0
          ? steal(address, AT)
          : map(address - (address & 4095), PAGE_KERNEL, machine.frame());
      if (write) machine.call('set_long', 'v:pl', at, -2);
      else machine.call('get_long', 'l:p', at);
      expect(stolen).toBe(1);
      expect(mmu.translate(AT)).toBeGreaterThan(0);
      if (write) expect(machine.call('get_long', 'l:p', at)).toBe(-2);
    }
  });
});

describe('the TLB', () => {
  test('an unmapped page is there until it is flushed', () => {
    map(AT, PAGE_KERNEL);
    set(AT, 7);
    get(AT);
    machine.tables.unmap(AT);
    expect(get(AT)).toBe(7);
    set(AT, 8);
    mmu.flushPage(AT);
    expect(trapOf(() => get(AT))).toEqual(fault(AT, 0));
    expect(trapOf(() => set(AT, 9))).toEqual(fault(AT, PF_WRITE));
    expect(machine.ram.i32[frame / 4]).toBe(8);
  });

  test('flushing one page forgets no other', () => {
    const [a, b] = [AT, AT + PAGE_SIZE];
    map(a, PAGE_KERNEL);
    map(b, PAGE_KERNEL, machine.frame());
    for (const at of [a, b]) set(at, at === a ? 1 : 2);
    for (const at of [a, b]) get(at);
    machine.tables.unmap(a);
    machine.tables.unmap(b);
    mmu.flushPage(a);
    expect(get(b)).toBe(2);
    mmu.flush();
    expect(trapOf(() => get(b))).toEqual(fault(b, 0));
  });

  test('a new page table is seen at once', () => {
    map(AT, PAGE_KERNEL);
    set(AT, 1);
    mmu.cr3 = machine.frame();
    expect(trapOf(() => get(AT))).toEqual(fault(AT, 0));
    mmu.cr3 = machine.tables.root;
    expect(get(AT)).toBe(1);
  });

  test('a page that is not mapped is not remembered', () => {
    expect(trapOf(() => get(AT))).toEqual(fault(AT, 0));
    map(AT, PAGE_KERNEL);
    expect(get(AT)).toBe(0);
  });

  test('a remapped page is the new one after a flush', () => {
    map(AT, PAGE_KERNEL);
    set(AT, 1);
    get(AT);
    const other = machine.frame();
    machine.ram.i32[other / 4] = 2;
    map(AT, PAGE_KERNEL, other);
    expect(get(AT)).toBe(1);
    mmu.flushPage(AT);
    expect(get(AT)).toBe(2);
  });

  test('pages that share an entry do not see each other', () => {
    const pages = [0, 1024, 2048, -1024].map((n) => VMALLOC_START + 2 ** 32 + n * PAGE_SIZE);
    pages.forEach((at, i) => {
      map(at, PAGE_KERNEL, machine.frame());
      set(at, i + 1);
    });
    for (let round = 0; round < 2; round++) expect(pages.map(get)).toEqual([1, 2, 3, 4]);
    // Every empty entry: no page but those mapped is found.
    mmu.flush();
    for (let i = 0; i < 1024; i++) expect(trapOf(() => get(i * PAGE_SIZE))).toEqual(fault(i * PAGE_SIZE, 0));
  });
});
