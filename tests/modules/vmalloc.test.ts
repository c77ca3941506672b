// SPDX-License-Identifier: MIT
/** What wrong addresses in vmalloc space do, and what /proc shows of modules and their areas. */

import { validateVmalloc } from '@pagewalk/kernel/mm/vmalloc_check';
import { afterAll, describe, expect, test } from 'vitest';
import { boot, build, closeCompiler, moduleLog } from '../support/modules.js';

afterAll(closeCompiler);

const module = (init: string) => `
#include <linux/gfp.h>
#include <linux/io.h>
#include <linux/module.h>
#include <linux/vmalloc.h>
#include <linux/mm.h>
static volatile char *keep;
static volatile char *second;
static int __init test_init(void)
{
	keep = vmalloc(2 * PAGE_SIZE);
	second = vmalloc(PAGE_SIZE);
	${init}
	return 0;
}
static void __exit test_exit(void) { vfree((void *)keep); vfree((void *)second); }
module_init(test_init);
module_exit(test_exit);
MODULE_LICENSE("GPL");
`;

async function oops(init: string): Promise<string[]> {
  const machine = boot();
  expect(machine.insmod(await build('fault', module(init))).signal).toBe(9);
  expect(validateVmalloc(machine.kernel.vmalloc)).toEqual([]);
  return moduleLog(machine).slice(0, 4);
}

describe('a page fault names the area', () => {
  test('one byte too far', async () => {
    expect(await oops('keep[2 * PAGE_SIZE] = 1;')).toEqual([
      'BUG: unable to handle page fault for address: ffffc90000002000',
      '#PF: supervisor write access in kernel mode',
      '#PF: error_code(0x0002) - not-present page',
      expect.stringMatching(
        /^vmalloc: address is in the guard page after 0xffffc90000000000-0xffffc90000002000 test_init\+0x[0-9a-f]+\/0x[0-9a-f]+ \[fault\]$/,
      ),
    ]);
  });

  test('after vfree, though the page was just used', async () => {
    const [, , , line] = await oops('keep[0] = 1; vfree((void *)keep); keep[0] = 2;');
    expect(line).toBe('vmalloc: address is in the freed area 0xffffc90000000000-0xffffc90000003000');
  });

  test('before the first byte', async () => {
    const [, , , line] = await oops('vfree((void *)keep); vm_unmap_aliases(); keep = NULL; second[-8] = 1;');
    expect(line).toMatch(
      /^vmalloc: address is 8 bytes before 0xffffc90000003000-0xffffc90000004000 test_init/,
    );
  });
});

test('what cannot be had, and what cannot be freed', async () => {
  const machine = boot();
  const body = `
  struct page *page = alloc_page(GFP_KERNEL);
  pr_info("too much: %px %px\\n", vmalloc(-1UL), __vmalloc(1UL << 40, GFP_KERNEL | __GFP_NOWARN));
  pr_info("none: %px\\n", __vmalloc(0, GFP_KERNEL));
  vfree(NULL);
  vfree((void *)0xffffc90000400001);
  vfree((void *)0xffffc90000400000);
  vfree((void *)second);
  vfree((void *)second);
  second = __vmalloc(PAGE_SIZE, GFP_ATOMIC);
  pr_info("ioremap: %px\\n", ioremap(page_to_phys(page), PAGE_SIZE));
  pr_info("memremap: %d\\n", memremap(page_to_phys(page), PAGE_SIZE, MEMREMAP_WB) == page_address(page));
  __free_page(page);`;
  expect(machine.insmod(await build('refused', module(body)))).toEqual({ status: 0 });
  const said = moduleLog(machine).filter((line) =>
    /^WARNING|vmalloc error|Trying|remap(:| on)|too much|none/.test(line),
  );
  expect(said.map((line) => line.replace(/0x0000[0-9a-f]+(000|fff)/g, 'PA'))).toEqual([
    'insmod: vmalloc error: size 18446744073709551615, exceeds total pages, mode:0xcc0(GFP_KERNEL), nodemask=(null),cpuset=/,mems_allowed=0',
    'too much: 0000000000000000 0000000000000000',
    'WARNING: CPU: 0 PID: 78 at mm/vmalloc.c:3124 __vmalloc_node_range+0x20/0x40',
    'none: 0000000000000000',
    'Trying to vfree() bad address (ffffc90000400001)',
    'WARNING: CPU: 0 PID: 78 at mm/vmalloc.c:2676 __vunmap+0x20/0x40',
    'Trying to vfree() nonexistent vm area (ffffc90000400000)',
    'WARNING: CPU: 0 PID: 78 at mm/vmalloc.c:2682 __vunmap+0x20/0x40',
    'Trying to vfree() nonexistent vm area (ffffc90000003000)',
    'WARNING: CPU: 0 PID: 78 at mm/vmalloc.c:2682 __vunmap+0x20/0x40',
    'ioremap on RAM at PA - PA',
    'WARNING: CPU: 0 PID: 78 at arch/x86/mm/ioremap.c:216 __ioremap_caller+0x20/0x40',
    'ioremap: 0000000000000000',
    'memremap: 1',
  ]);
  machine.rmmod('refused');
  expect(validateVmalloc(machine.kernel.vmalloc)).toEqual([]);
});

test('modules and their areas are in /proc/vmallocinfo, and rmmod gives all back', async () => {
  const machine = boot();
  const ko = await build('areas', module(''));
  const info = () => String.fromCharCode(...(machine.readProc('/proc/vmallocinfo') ?? []));
  const used = () =>
    String.fromCharCode(...(machine.readProc('/proc/meminfo') ?? [])).match(/VmallocUsed: +(\d+)/)?.[1];
  machine.insmod(ko);
  machine.rmmod('areas');
  const { pages } = machine.kernel;
  const before = pages.freePageCount();
  machine.insmod(ko);
  // The caller was an __init function: its memory is gone by now, and with it its name.
  expect(info()).toMatch(
    new RegExp(
      '^0xffffc90000000000-0xffffc90000003000   12288 0xffffffffc000[0-9a-f]{4} pages=2 vmalloc N0=2\\n' +
        '0xffffc90000003000-0xffffc90000005000    8192 0xffffffffc000[0-9a-f]{4} pages=1 vmalloc N0=1\\n' +
        '0xffffffffc0000000-0xffffffffc000[0-9a-f]{4} +\\d+ load_module\\+0x20/0x40 pages=\\d+ vmalloc N0=\\d+\\n$',
    ),
  );
  expect(Number(used())).toBe(4 * machine.kernel.vmalloc.nrPages);
  machine.rmmod('areas');
  expect(used()).toBe('0');
  expect(pages.freePageCount()).toBe(before);
  expect(validateVmalloc(machine.kernel.vmalloc)).toEqual([]);
});
