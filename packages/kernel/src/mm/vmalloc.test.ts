// SPDX-License-Identifier: MIT
import { describe, expect, test } from 'vitest';
import { meminfo } from '../fs/proc/meminfo.js';
import { slabinfoText } from '../fs/proc/slabinfo.js';
import { vmallocinfo } from '../fs/proc/vmallocinfo.js';
import { MODULES_VADDR, PAGE_OFFSET, PAGE_SIZE, type Vaddr, VMALLOC_START } from '../machine/layout.js';
import { __GFP_NOFAIL, __GFP_NOWARN, __GFP_ZERO, GFP_ATOMIC, GFP_DMA32, GFP_KERNEL } from './gfp.js';
import { IOREMAP_UC_MINUS, MEMREMAP_WB } from './ioremap.js';
import { Page, pageToVmemmap } from './page.js';
import { PAGE_KERNEL } from './pgtable.js';
import { vmMapRam, vmUnmapRam } from './vm_map_ram.js';
import { MODULES_RANGE, Vmalloc } from './vmalloc.js';
import { validateVmalloc } from './vmalloc_check.js';
import { describeVmallocAddress } from './vmalloc_report.js';
import { type VmallocMachine, vmallocMachine } from './vmalloc_testing.js';
import { VM_IOREMAP, VM_MAP, VM_NO_GUARD, VM_USERMAP, VmStruct } from './vmalloc_types.js';
import { protectionBits } from './vmap_pages.js';

const CALLER = 0;
const RW = protectionBits(PAGE_KERNEL);
const vmallocOf = (m: VmallocMachine, size: number, gfp = GFP_KERNEL) =>
  m.vmalloc.alloc({ size, gfp, caller: CALLER });

/** An array of pointers to fresh pages, in slab memory. */
function pageArray(m: VmallocMachine, count: number) {
  const { env, mm, slub } = m;
  const pages = Array.from({ length: count }, () => mm.allocPages(GFP_KERNEL, 0));
  const array = slub.kmalloc(8 * count, GFP_KERNEL);
  pages.forEach((page, i) => {
    env.ram.set64(env.ram.handleOf(array) + 2 * i, pageToVmemmap(mm.map.base, page));
  });
  return { array, pages };
}

describe('vmalloc', () => {
  test('the first areas begin where Linux begins, a guard page apart', () => {
    const m = vmallocMachine();
    expect(vmallocOf(m, 1)).toBe(VMALLOC_START);
    expect(vmallocOf(m, 2 * PAGE_SIZE)).toBe(VMALLOC_START + 2 * PAGE_SIZE);
    expect(vmallocOf(m, 1)).toBe(VMALLOC_START + 5 * PAGE_SIZE);
    expect(m.env.guest.translate(VMALLOC_START + PAGE_SIZE)).toBe(-1);
    expect(validateVmalloc(m.vmalloc)).toEqual([]);
  });

  test('bytes written through the mapping lie in the pages', () => {
    const m = vmallocMachine();
    const address = vmallocOf(m, 3 * PAGE_SIZE);
    const text = Uint8Array.from({ length: 6000 }, (_, i) => i % 251);
    m.env.guest.write(address + 100, text);
    expect(m.env.guest.read(address + 100, 6000)).toEqual(text);
    const page = m.vmalloc.mapping.toPage(address + PAGE_SIZE + 5);
    const p = m.mm.pageAddress(page) - PAGE_OFFSET;
    expect(m.env.ram.u8[p]).toBe(text[PAGE_SIZE - 100]);
    expect(m.vmalloc.mapping.toPage(VMALLOC_START + 3 * PAGE_SIZE)).toBe(0);
    expect(m.vmalloc.mapping.toPage(0)).toBe(0);
  });

  test('vfree gives every page back; tables stay', () => {
    const m = vmallocMachine();
    vmallocOf(m, 1);
    const before = m.accounted();
    const address = vmallocOf(m, 1 << 20);
    expect(m.vmalloc.nrPages).toBe(257);
    expect(meminfo(m.mm, { vmallocUsed: m.vmalloc.nrPages })).toContain('VmallocUsed:        1028 kB\n');
    m.vmalloc.vfree(address);
    expect(m.accounted()).toBe(before);
    expect(m.vmalloc.nrPages).toBe(1);
    expect(validateVmalloc(m.vmalloc)).toEqual([]);
  });

  test('an array of pages that is itself too large for a slab lies in vmalloc space', () => {
    const m = vmallocMachine({ mib: 32 });
    const before = m.accounted();
    const address = vmallocOf(m, 3 << 20);
    expect(vmallocinfo(m.vmalloc)).toMatch(
      / 3149824 pages=768 vmalloc vpages N0=768\n.* 12288 pages=2 vmalloc N0=2\n/,
    );
    expect(validateVmalloc(m.vmalloc)).toEqual([]);
    m.vmalloc.vfree(address);
    expect(m.accounted()).toBe(before);
  });

  test('addresses rest until 32 MiB do, then one flush frees them', () => {
    const m = vmallocMachine();
    const [a, b] = [vmallocOf(m, PAGE_SIZE), vmallocOf(m, PAGE_SIZE)];
    m.vmalloc.vfree(a);
    expect(m.flushed).toEqual([a, a + PAGE_SIZE]);
    m.vmalloc.vfree(b);
    expect(vmallocOf(m, PAGE_SIZE)).toBe(VMALLOC_START + 4 * PAGE_SIZE);
    expect(vmallocinfo(m.vmalloc).split('\n')[1]).toBe(
      '0xffffc90000000000-0xffffc90000004000   16384 unpurged vm_area',
    );
    m.flushed.length = 0;
    m.vmalloc.areas.purgeLazy();
    expect(m.flushed).toEqual(['all']);
    expect(vmallocOf(m, PAGE_SIZE)).toBe(VMALLOC_START);
    expect(m.vmalloc.areas.lazyMaxPages).toBe(8192);
    for (let pages = 0; pages <= 8192; pages += 513) m.vmalloc.vfree(vmallocOf(m, 512 * PAGE_SIZE));
    expect(m.vmalloc.areas.lazyPages).toBeLessThan(513);
    expect(validateVmalloc(m.vmalloc)).toEqual([]);
  });

  test('module space has addresses and purge rules of its own', () => {
    const m = vmallocMachine();
    const request = { size: 5000, gfp: GFP_KERNEL, caller: CALLER, flags: 0x100, range: MODULES_RANGE };
    const address = m.vmalloc.alloc(request);
    expect(address).toBe(MODULES_VADDR);
    expect(m.vmalloc.isVmallocAddr(address)).toBe(false);
    expect(m.vmalloc.isVmallocOrModuleAddr(address)).toBe(true);
    m.vmalloc.vfree(address);
    expect(m.vmalloc.alloc(request)).toBe(MODULES_VADDR);
  });

  test('zeroed, from DMA32, atomic, never failing', () => {
    const m = vmallocMachine();
    const dirty = vmallocOf(m, PAGE_SIZE);
    m.env.guest.write(dirty, new Uint8Array(PAGE_SIZE).fill(7));
    m.vmalloc.vfree(dirty);
    for (const gfp of [
      GFP_KERNEL | __GFP_ZERO,
      GFP_DMA32 | GFP_KERNEL | __GFP_ZERO,
      GFP_ATOMIC | __GFP_ZERO,
    ]) {
      const address = vmallocOf(m, PAGE_SIZE, gfp | __GFP_NOFAIL);
      expect(m.env.guest.read(address, PAGE_SIZE).every((byte) => byte === 0)).toBe(true);
    }
  });

  test('all memory but what others need can be had, and one page more fails whole', () => {
    const m = vmallocMachine({ mib: 8 });
    const before = m.accounted();
    let size = 2 * 2 ** 20;
    while (vmallocOf(m, size, GFP_KERNEL | __GFP_NOWARN) !== 0) size += 2 ** 16;
    const held = m.vmalloc.nrPages;
    expect(vmallocOf(m, m.mm.totalramPages * PAGE_SIZE)).toBe(0);
    expect(m.env.lines).toContainEqual(
      expect.stringMatching(
        /^<4>init: vmalloc error: size \d+, page order 0, failed to allocate pages, mode:0xcc2\(GFP_KERNEL\|__GFP_HIGHMEM\), nodemask=\(null\),cpuset=\/,mems_allowed=0$/,
      ),
    );
    expect(m.vmalloc.nrPages).toBe(held);
    expect(m.accounted()).toBe(before - held);
    expect(validateVmalloc(m.vmalloc)).toEqual([]);
  });

  test('nothing and too much are refused with a report', () => {
    const m = vmallocMachine();
    expect([vmallocOf(m, 0), vmallocOf(m, 0)]).toEqual([0, 0]);
    expect(m.env.lines.filter((l) => l.includes('mm/vmalloc.c'))).toEqual([
      '<4>WARNING: at mm/vmalloc.c:3124 __vmalloc_node_range',
    ]);
    for (const size of [2 ** 31, 2 ** 47, 2 ** 53, 2 ** 64]) expect(vmallocOf(m, size)).toBe(0);
    expect(m.env.lines).toContain(
      '<4>init: vmalloc error: size 2147483648, exceeds total pages, mode:0xcc0(GFP_KERNEL), nodemask=(null),cpuset=/,mems_allowed=0',
    );
  });
});

test('another object on the same RAM sees the same', () => {
  const m = vmallocMachine({ nrCpus: 2 });
  const kept = vmallocOf(m, 3 * PAGE_SIZE);
  m.vmalloc.vfree(vmallocOf(m, 1));
  const before = vmallocinfo(m.vmalloc);
  const { variables } = m.env.data;
  const declare = (name: string) => variables.find((v) => v.name === name)!.handle;
  const data = Object.create(m.env.data, { declare: { value: declare } });
  const again = new Vmalloc({ ...m.vmalloc.deps, env: { ...m.env, data } });
  expect(vmallocinfo(again)).toBe(before);
  expect(again.areas.lazyMaxPages).toBe(16384);
  again.vfree(kept);
  expect(validateVmalloc(m.vmalloc)).toEqual([]);
});

describe('vfree of what it did not give', () => {
  test('warns in words of Linux and does nothing', () => {
    const m = vmallocMachine();
    const address = vmallocOf(m, PAGE_SIZE);
    const before = m.accounted();
    const odd = [address + 1, PAGE_OFFSET + 4096, 4096, -(2 ** 63), 2 ** 62, -4096, address + 5 * PAGE_SIZE];
    for (const bad of odd) m.vmalloc.vfree(bad);
    m.vmalloc.vfree(0);
    expect(m.env.lines.filter((line) => line.includes('Trying'))).toEqual([
      '<4>Trying to vfree() bad address (ffffc90000000001)',
      '<4>Trying to vfree() nonexistent vm area (ffff888000001000)',
      '<4>Trying to vfree() nonexistent vm area (0000000000001000)',
      '<4>Trying to vfree() nonexistent vm area (8000000000000000)',
      '<4>Trying to vfree() nonexistent vm area (4000000000000000)',
      '<4>Trying to vfree() nonexistent vm area (fffffffffffff000)',
      '<4>Trying to vfree() nonexistent vm area (ffffc90000005000)',
    ]);
    expect(m.accounted()).toBe(before);
    m.vmalloc.vfree(address);
    m.vmalloc.vfree(address);
    expect(m.env.lines.at(-2)).toBe('<4>Trying to vfree() nonexistent vm area (ffffc90000000000)');
  });

  test('any page of an area, its guard included, frees all of it', () => {
    const m = vmallocMachine();
    vmallocOf(m, 1);
    const before = m.accounted();
    m.vmalloc.vfree(vmallocOf(m, 3 * PAGE_SIZE) + 3 * PAGE_SIZE);
    expect(m.accounted()).toBe(before);
  });
});

describe('vmap', () => {
  test('maps pages of others and leaves them alone', () => {
    const m = vmallocMachine();
    const { array, pages } = pageArray(m, 3);
    const address = m.vmalloc.vmap(array, 3, VM_MAP, RW, CALLER);
    expect(pages.map((_, i) => m.vmalloc.mapping.toPage(address + i * PAGE_SIZE))).toEqual(pages);
    expect(validateVmalloc(m.vmalloc)).toEqual([]);
    const before = m.accounted();
    m.vmalloc.vunmap(address);
    expect(m.accounted()).toBe(before);
    expect(m.vmalloc.mapping.isMapped(address)).toBe(false);
  });

  test('with VM_MAP_PUT_PAGES vfree drops the pages and their array', () => {
    const m = vmallocMachine();
    vmallocOf(m, 1);
    const before = m.accounted();
    const { array } = pageArray(m, 5);
    m.vmalloc.vfree(m.vmalloc.vmap(array, 5, VM_MAP | 0x200, RW, CALLER));
    expect(m.accounted()).toBe(before);
    // Linux counts them out of what it never counted them into, too.
    expect(m.vmalloc.nrPages).toBe(1 - 5);
  });

  test('what is no page is refused, and nothing stays', () => {
    const m = vmallocMachine();
    const { array } = pageArray(m, 3);
    const { ram } = m.env;
    const second = ram.handleOf(array) + 2;
    const bad = { 478: 0, 480: PAGE_OFFSET };
    for (const [line, pointer] of Object.entries(bad)) {
      ram.set64(second, pointer);
      expect(m.vmalloc.vmap(array, 3, VM_MAP, RW, CALLER)).toBe(0);
      expect(m.env.lines.at(-1)).toBe(`<4>WARNING: at mm/vmalloc.c:${line} vmap_small_pages_range_noflush`);
    }
    expect(m.vmalloc.vmap(array, 2 ** 32 - 1, VM_MAP, RW, CALLER)).toBe(0);
    expect(m.vmalloc.vmap(array, 0, VM_MAP, RW, CALLER)).toBe(0);
    expect(m.vmalloc.vmap(array, 1, 0x100, RW, CALLER)).toBe(0);
    expect(() => m.vmalloc.vmap(0, 1, VM_MAP, RW, CALLER)).toThrow(/unmapped/);
    m.vmalloc.vmap(array, 1, VM_MAP | VM_NO_GUARD, RW, CALLER);
    expect(validateVmalloc(m.vmalloc).filter((p) => !p.startsWith('no page'))).toEqual([]);
  });

  test('vm_map_ram has no vm_struct and no guard', () => {
    const m = vmallocMachine();
    const { array, pages } = pageArray(m, 2);
    const address = vmMapRam(m.vmalloc, array, 2);
    expect(vmMapRam(m.vmalloc, array, 2)).toBe(address + 2 * PAGE_SIZE);
    expect(m.vmalloc.mapping.toPage(address + PAGE_SIZE)).toBe(pages[1]);
    expect(vmallocinfo(m.vmalloc).split('\n')[0]).toBe(
      '0xffffc90000000000-0xffffc90000002000    8192 vm_map_ram',
    );
    vmUnmapRam(m.vmalloc, address);
    expect(m.vmalloc.mapping.isMapped(address)).toBe(false);
    expect(vmMapRam(m.vmalloc, array, 0)).toBe(0);
    for (const bad of [0, 4096, PAGE_OFFSET, -4096, VMALLOC_START + 1, VMALLOC_START + 2 ** 40])
      expect(() => vmUnmapRam(m.vmalloc, bad)).toThrow(/BUG at mm\/vmalloc.c/);
    expect(validateVmalloc(m.vmalloc)).toEqual([]);
  });
});

describe('ioremap', () => {
  test('refuses RAM, once aloud', () => {
    const m = vmallocMachine();
    const page = m.mm.allocPages(GFP_KERNEL, 0);
    const physical = BigInt(m.mm.pageToPfn(page) * PAGE_SIZE);
    const map = () => m.ioremap.map(physical + 16n, 100n, IOREMAP_UC_MINUS, CALLER);
    expect([map(), map()]).toEqual([0, 0]);
    const hex = (n: bigint) => `0x${n.toString(16).padStart(16, '0')}`;
    expect(m.env.lines.filter((line) => line.includes('ioremap'))).toEqual([
      `<4>ioremap on RAM at ${hex(physical + 16n)} - ${hex(physical + 115n)}`,
      '<4>WARNING: at arch/x86/mm/ioremap.c:216 __ioremap_caller',
    ]);
    expect(m.ioremap.memremap(physical, 100n, MEMREMAP_WB, CALLER)).toBe(PAGE_OFFSET + Number(physical));
    expect(m.ioremap.memremap(physical, 100n, 4, CALLER)).toBe(0);
    expect(m.env.lines.at(-2)).toBe(`<4>memremap attempted on ram ${hex(physical)} size: 0x64`);
  });

  test('maps what is behind RAM, with its offset, and unmaps it', () => {
    const m = vmallocMachine();
    const address = m.ioremap.map(0xfebc1010n, 0x2000n, IOREMAP_UC_MINUS, CALLER);
    expect(address).toBe(VMALLOC_START + 0x10);
    expect(vmallocinfo(m.vmalloc)).toBe(
      '0xffffc90000000000-0xffffc90000004000   16384 phys=0x00000000febc1000 ioremap\n',
    );
    m.ioremap.unmap(address);
    expect(vmallocinfo(m.vmalloc)).not.toContain('ioremap');
    m.ioremap.unmap(address);
    expect(m.env.lines).toContain('<3>iounmap: bad address ffffc90000000000');
    for (const harmless of [0, 4096, PAGE_OFFSET]) m.ioremap.unmap(harmless);
    expect(validateVmalloc(m.vmalloc)).toEqual([]);
  });

  test('odd sizes and addresses give NULL', () => {
    const m = vmallocMachine();
    const max = 2n ** 64n - 1n;
    for (const [p, size] of [
      [0n, 0n],
      [max, max],
      [max, 1n],
      [1n << 46n, 4096n],
      [1n << 45n, 1n << 45n],
    ])
      expect(m.ioremap.map(p, size, IOREMAP_UC_MINUS, CALLER)).toBe(0);
    expect(m.env.lines).toContain('<4>ioremap: invalid physical address ffffffffffffffff');
    expect(m.env.lines.at(-1)).toMatch(
      /^<4>vmap allocation for size \d+ failed: use vmalloc=<size> to increase size$/,
    );
    expect(validateVmalloc(m.vmalloc)).toEqual([]);
  });
});

describe('kvmalloc', () => {
  test('falls back to vmalloc, for those who may sleep', () => {
    const m = vmallocMachine({ mib: 32 });
    const { vmalloc } = m.slub;
    expect(vmalloc?.vmalloc(8 << 20, GFP_ATOMIC)).toBe(0);
    const address = vmalloc?.vmalloc(8 << 20, GFP_KERNEL) ?? 0;
    expect(vmalloc?.isVmalloc(address)).toBe(true);
    vmalloc?.vfree(address);
    expect(m.vmalloc.nrPages).toBe(0);
  });
});

describe('/proc/vmallocinfo', () => {
  test('shows areas by address, with size, caller, pages and kind', () => {
    const symbolize = (address: Vaddr) => `caller+0x${address.toString(16)}/0x40`;
    const m = vmallocMachine();
    Object.assign(m.env.reports, { symbolize });
    const { array } = pageArray(m, 2);
    m.vmalloc.alloc({ size: 4 * PAGE_SIZE, gfp: GFP_KERNEL, caller: 16 });
    m.vmalloc.vmap(array, 2, VM_MAP, RW, 32);
    m.ioremap.map(0xfee00000n, 0x1000n, IOREMAP_UC_MINUS, 48);
    m.vmalloc.alloc({ size: 1, gfp: GFP_KERNEL, caller: 20, flags: VM_USERMAP });
    vmMapRam(m.vmalloc, array, 1);
    m.vmalloc.vfree(m.vmalloc.alloc({ size: 1, gfp: GFP_KERNEL, caller: 20 }));
    expect(vmallocinfo(m.vmalloc)).toBe(
      [
        '0xffffc90000000000-0xffffc90000005000   20480 caller+0x10/0x40 pages=4 vmalloc N0=4',
        '0xffffc90000005000-0xffffc90000008000   12288 caller+0x20/0x40 vmap',
        '0xffffc90000008000-0xffffc9000000a000    8192 caller+0x30/0x40 phys=0x00000000fee00000 ioremap',
        '0xffffc9000000a000-0xffffc9000000c000    8192 caller+0x14/0x40 pages=1 vmalloc user N0=1',
        '0xffffc9000000c000-0xffffc9000000d000    4096 vm_map_ram',
        '0xffffc9000000d000-0xffffc9000000f000    8192 unpurged vm_area',
        '',
      ].join('\n'),
    );
    expect(slabinfoText(m.slub)).toMatch(/^vmap_area +64 +64 +64 +64 +1 :/m);
  });
});

describe('what a page fault says', () => {
  test('guard pages, freed areas, the page before an area', () => {
    const m = vmallocMachine();
    const [a, b] = [vmallocOf(m, 2 * PAGE_SIZE), vmallocOf(m, PAGE_SIZE)];
    const say = (address: Vaddr) => describeVmallocAddress(m.vmalloc, address);
    expect(say(a)).toBeUndefined();
    expect(say(a + 2 * PAGE_SIZE)).toBe(
      'vmalloc: address is in the guard page after 0xffffc90000000000-0xffffc90000002000',
    );
    m.vmalloc.vfree(a);
    expect(say(a + 8)).toBe('vmalloc: address is in the freed area 0xffffc90000000000-0xffffc90000003000');
    m.vmalloc.areas.purgeLazy();
    expect(say(a + 8)).toBeUndefined();
    expect(say(b - 8)).toBe('vmalloc: address is 8 bytes before 0xffffc90000003000-0xffffc90000004000');
    for (const elsewhere of [0, 8, PAGE_OFFSET, PAGE_OFFSET - 8, -8, VMALLOC_START + 2 ** 44])
      expect(say(elsewhere)).toBeUndefined();
    const io = m.vmalloc.getVmArea({ size: 1, gfp: GFP_KERNEL, caller: 0, flags: VM_IOREMAP });
    expect(say(m.vmalloc.vm(io).addr)).toMatch(/^vmalloc: address is in 0x.*, where nothing is mapped$/);
  });
});

test('the structs have the size of Linux', () => {
  expect([VmStruct.size, VmStruct.o.nr_pages, VmStruct.o.phys_addr, Page.size]).toEqual([64, 44, 48, 64]);
});
