// SPDX-License-Identifier: MIT
/** debug_pagealloc: a free page is not mapped, so that a stale pointer to it is noticed. */

import { afterAll, expect, test } from 'vitest';
import { boot, build, closeCompiler, moduleLog } from '../support/modules.js';

afterAll(closeCompiler);

const SOURCE = `
#include <linux/mm.h>
#include <linux/module.h>
static int __init stale_init(void)
{
	char *p = (char *)__get_free_page(GFP_KERNEL);

	if (!p)
		return -ENOMEM;
	memset(p, 'a', PAGE_SIZE);
	pr_info("before: %c\\n", p[100]);
	free_page((unsigned long)p);
	OPTIMIZER_HIDE_VAR(p);
	pr_info("after: %c\\n", ((volatile char *)p)[100]);
	return 0;
}
static void __exit stale_exit(void)
{
}
module_init(stale_init);
module_exit(stale_exit);
MODULE_LICENSE("GPL");
`;

test('without it a stale read goes unnoticed', async () => {
  const machine = boot();
  expect(machine.insmod(await build('stale', SOURCE))).toEqual({ status: 0 });
  expect(moduleLog(machine)).toEqual(['before: a', 'after: a']);
});

test('with it the read is a page fault in the line that made it', async () => {
  const machine = boot({ commandLine: 'debug_pagealloc=on' });
  expect(machine.insmod(await build('stale', SOURCE))).toEqual({ status: 0, signal: 9 });
  const log = moduleLog(machine);
  expect(log[0]).toBe('before: a');
  expect(log[1]).toMatch(/^BUG: unable to handle page fault for address: ffff8880[0-9a-f]{5}064$/);
  expect(log[3]).toBe('#PF: error_code(0x0000) - not-present page');
  expect(log.find((line) => line.startsWith('RIP:'))).toMatch(/stale_init\+.* \[stale\] \(stale\.c:14\)$/);
});

test('allocated memory works as always, and all of it comes back', async () => {
  const machine = boot({ commandLine: 'debug_pagealloc=on' });
  const source = SOURCE.replace(/\tOPTIMIZER[\s\S]*?return 0;/, '\treturn 0;');
  const ko = await build('fine', source);
  const cycle = () => {
    expect(machine.insmod(ko)).toEqual({ status: 0 });
    expect(machine.rmmod('fine')).toEqual({ status: 0 });
    return machine.kernel.pages.freePageCount();
  };
  const first = cycle();
  expect(cycle()).toBe(first);
  expect(moduleLog(machine)).toEqual(['before: a', 'before: a']);
});
