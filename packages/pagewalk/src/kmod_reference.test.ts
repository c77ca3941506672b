// SPDX-License-Identifier: MIT
/**
 * A session recorded on a real Linux 6.1 with kmod 30, replayed here with the same C: what insmod, rmmod, lsmod and
 * modinfo say, their exit codes, /proc/modules and the kernel log. What differs from run to run is left out.
 */

import { afterAll, expect, test } from 'vitest';
import { closeToolchain, makeCommand } from './cli/toolchain.js';
import { bootMachine } from './kernel_machine.js';
import { createSession } from './session.js';
import { runIn } from './testing.js';

const PROVIDER = `#include <linux/init.h>
#include <linux/module.h>
#include <linux/slab.h>
static int n = 1; module_param(n, int, 0644); MODULE_PARM_DESC(n, "a number");
static char *s = "x"; module_param(s, charp, 0444);
static int arr[4]; static int narr; module_param_array(arr, int, &narr, 0644);
int reft_shared(int x) { return x + n; } EXPORT_SYMBOL_GPL(reft_shared);
static int __init reft_init(void)
{
	void *p = kmalloc(100, GFP_KERNEL);
	pr_info("n=%d s=%s arr=%d %p %px size=%zu\\n", n, s, narr, p, p, ksize(p));
	kfree(p);
	return n < 0 ? n : 0;
}
static void __exit reft_exit(void) { pr_info("bye\\n"); }
module_init(reft_init); module_exit(reft_exit);
MODULE_LICENSE("GPL"); MODULE_AUTHOR("A. Uthor"); MODULE_DESCRIPTION("reference"); MODULE_VERSION("0.1");
`;

const USER = `#include <linux/module.h>
extern int reft_shared(int);
static int __init refu_init(void) { pr_info("shared %d\\n", reft_shared(1)); return 0; }
static void __exit refu_exit(void) { }
module_init(refu_init); module_exit(refu_exit); MODULE_LICENSE("GPL");
`;

const SCRIPT = `cd /root; make -s -C /lib/modules/$(uname -r)/build M=$(pwd) modules >/dev/null
t() { echo "\\$ $*"; "$@"; echo "exit $?"; }
{
t insmod refu.ko
t insmod reft.ko n=7 s=hello arr=1,2,3
t insmod reft.ko
t insmod refu.ko
t lsmod
cat /proc/modules
t rmmod reft
t rmmod refu
t rmmod reft
t rmmod reft
t insmod reft.ko n=abc
t insmod reft.ko n=-12
t insmod reft.ko nosuch=1
t rmmod reft
t insmod nosuch.ko
t modinfo reft.ko
} 2>&1`;

const RECORDED = `$ insmod refu.ko
insmod: ERROR: could not insert module refu.ko: Unknown symbol in module
exit 1
$ insmod reft.ko n=7 s=hello arr=1,2,3
exit 0
$ insmod reft.ko
insmod: ERROR: could not insert module reft.ko: File exists
exit 1
$ insmod refu.ko
exit 0
$ lsmod
Module                  Size  Used by
refu                   SIZE  0
reft                   SIZE  1 refu
exit 0
refu SIZE 0 - Live ADDRESS (OE)
reft SIZE 1 refu, Live ADDRESS (OE)
$ rmmod reft
rmmod: ERROR: Module reft is in use by: refu
exit 1
$ rmmod refu
exit 0
$ rmmod reft
exit 0
$ rmmod reft
rmmod: ERROR: Module reft is not currently loaded
exit 1
$ insmod reft.ko n=abc
insmod: ERROR: could not insert module reft.ko: Invalid parameters
exit 1
$ insmod reft.ko n=-12
insmod: ERROR: could not insert module reft.ko: Cannot allocate memory
exit 1
$ insmod reft.ko nosuch=1
exit 0
$ rmmod reft
exit 0
$ insmod nosuch.ko
insmod: ERROR: could not load module nosuch.ko: No such file or directory
exit 1
$ modinfo reft.ko
`;

const RECORDED_LOG = [
  'refu: loading out-of-tree module taints kernel.',
  'refu: module verification failed: signature and/or required key missing - tainting kernel',
  'refu: Unknown symbol reft_shared (err -2)',
  'n=7 s=hello arr=3 HASH ADDRESS size=128',
  'shared 8',
  'bye',
  "reft: `abc' invalid for parameter `n'",
  'n=-12 s=x arr=0 HASH ADDRESS size=128',
  "reft: unknown parameter 'nosuch' ignored",
  'n=1 s=x arr=0 HASH ADDRESS size=128',
  'bye',
];

const RECORDED_MODINFO = `filename:       reft.ko
version:        0.1
description:    reference
author:         A. Uthor
license:        GPL
srcversion:     SRCVERSION
depends:        
name:           reft
vermagic:       6.1.0-pagewalk SMP preempt mod_unload 
parm:           n:a number (int)
parm:           s:charp
parm:           arr:array of int
exit 0
`;

afterAll(closeToolchain);

test('kmod and the kernel log as a real 6.1 gave them', async () => {
  const machine = bootMachine({ memory: 64 * 2 ** 20, cpus: 1, seed: 1, commandLine: '' });
  const session = createSession({
    machine,
    extra: { make: [makeCommand(machine.kernelSymbols?.()), ''] },
  });
  const files = { 'reft.c': PROVIDER, 'refu.c': USER, Makefile: 'obj-m += reft.o refu.o\n' };
  for (const [name, text] of Object.entries(files))
    session.fs.writeFile(`/root/${name}`, new TextEncoder().encode(text));
  const { stdout } = await runIn(session, SCRIPT);
  const shown = stdout
    .replace(/^(ref[tu] +)\d+/gm, '$1SIZE')
    .replace(/0xffffffffc0[0-9a-f]{6}/g, 'ADDRESS')
    .replace(/^(srcversion: +)[0-9A-F]{23,24}$/m, '$1SRCVERSION');
  const at = shown.indexOf('filename:');
  expect(shown.slice(0, at)).toBe(RECORDED);
  // The order within modinfo is the compiler's, and this kernel has no retpolines.
  const lines = (text: string) => text.split('\n').sort();
  expect(lines(shown.slice(at))).toEqual(lines(RECORDED_MODINFO));

  const log = machine
    .dmesg()
    .map(({ text }) =>
      text.replace(/\b(?!ffff)[0-9a-f]{16}\b/, 'HASH').replace(/ffff8880[0-9a-f]{8}/, 'ADDRESS'),
    );
  expect(log.slice(log.indexOf(RECORDED_LOG[0]))).toEqual(RECORDED_LOG);
});
