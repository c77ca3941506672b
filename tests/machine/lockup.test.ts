// SPDX-License-Identifier: MIT
/**
 * Whatever an endless loop does, it ends in a soft-lockup report within two seconds of the host's time. Kernel
 * functions are slower by the factor SLOWER here, because the test runner rewrites every import in them.
 */

import { afterAll, beforeAll, expect, test } from 'vitest';
import { boot, build, closeCompiler, moduleLog } from '../support/modules.js';

const SLOWER = 3;

const BODIES: Readonly<Record<string, string>> = {
  nothing: '',
  'memory accesses': 'for (int i = 0; i < 4; i++) sink = sink / 3 + zero;',
  'a function': 'work(7);',
  'kmalloc and kfree': 'kfree(kmalloc(64, GFP_KERNEL));',
  'large kmalloc': 'kfree(kmalloc(1 << 20, GFP_KERNEL));',
  'cleared pages': 'kfree(kzalloc(8192, GFP_KERNEL));',
  vmalloc: 'vfree(vmalloc(1 << 20));',
  memset: 'memset(big, zero, sizeof(big));',
  memmove: 'memmove(big, big + 1, sizeof(big) - 1);',
  strlen: 'sink += strlen(big);',
  memcmp: 'sink += memcmp(big, other, sizeof(big));',
  'memcmp of 40 kB': 'sink += memcmp(big, other, 40000);',
  memchr: 'sink += !!memchr(big, 1, sizeof(big));',
  memchr_inv: 'sink += !!memchr_inv(big, 0, sizeof(big));',
  strncasecmp: 'sink += strncasecmp(text, text + 30000, 30000);',
  strstr: 'sink += !!strstr(text, "aaab");',
  crc32: 'sink += crc32_le(0, big, sizeof(big));',
  bin2hex: 'sink += !!bin2hex(text, other, 20000);',
  memset32: 'memset32((void *)other, 0, sizeof(other) / 4);',
  find_first_bit: 'sink += find_first_bit((void *)other, 8 * sizeof(other));',
  bitmap_equal: 'sink += bitmap_equal((void *)other, (void *)big, 8 * sizeof(other));',
  snprintf: 'sink += snprintf(big, 100, "%s %d %lx", "abc", 1, 2L);',
  printk: 'printk(KERN_DEBUG "again\\n");',
  dump_stack: 'dump_stack();',
};

const SOURCE = `#include <linux/bitmap.h>
#include <linux/crc32.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/vmalloc.h>
static int body; module_param(body, int, 0);
static volatile int zero, sink;
static char big[65536], other[65536], text[65536];
static noinline void work(int n) { sink = n; }
static int __init loop_init(void)
{
  memset(text, 'a', sizeof(text) - 1);
  while (zero == 0)
    switch (body) {
${Object.values(BODIES)
  .map((text, i) => `    case ${i}: ${text} break;`)
  .join('\n')}
    }
  work(0);
  return 0;
}
static void __exit loop_exit(void) { }
module_init(loop_init); module_exit(loop_exit); MODULE_LICENSE("GPL");
`;

/** What no function of the kernel's TypeScript has part in. */
const GENERATED: ReadonlySet<string> = new Set([
  'nothing',
  'memory accesses',
  'a function',
  'memset',
  'memmove',
]);

const CASES = Object.keys(BODIES).map((name, body) => ({
  name,
  body,
  inKernel: !GENERATED.has(name),
}));

let ko: Uint8Array;
beforeAll(async () => {
  ko = await build('loop', SOURCE);
});
afterAll(closeCompiler);

test.each(CASES)('$name', ({ body, inKernel }) => {
  const machine = boot();
  const start = process.cpuUsage(); // other tests may have the CPU meanwhile
  expect(machine.insmod(ko, `body=${body}`)).toEqual({ status: 0, signal: 9 });
  expect(process.cpuUsage(start).user / 1e6).toBeLessThan(inKernel ? 2 * SLOWER : 2);
  expect(moduleLog(machine).find((text) => text.startsWith('watchdog: '))).toMatch(
    /^watchdog: BUG: soft lockup - CPU#0 stuck for 22s! \[insmod:\d+\]$/,
  );
  expect(machine.insmod(ko, `body=${body}`)).toEqual({ status: -17 });
});
