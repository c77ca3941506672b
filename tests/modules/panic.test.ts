// SPDX-License-Identifier: MIT
/** panic(), and what the command line turns into one: what is said, in which order, and that nothing runs afterwards. */

import { afterAll, beforeAll, expect, test } from 'vitest';
import { boot, build, closeCompiler, moduleLog } from '../support/modules.js';

const SOURCE = `#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/panic_notifier.h>
static char *how = "";
module_param(how, charp, 0);
static int heard(struct notifier_block *nb, unsigned long action, void *text)
{
	pr_emerg("heard: %s\\n", (char *)text);
	return NOTIFY_DONE;
}
static struct notifier_block block = { .notifier_call = heard };
static int dies(void *data)
{
	msleep(10);
	BUG();
	return 0;
}
static int __init panics_init(void)
{
	atomic_notifier_chain_register(&panic_notifier_list, &block);
	if (!strcmp(how, "panic"))
		panic("out of %s\\n", "ideas");
	if (!strcmp(how, "bug_on"))
		BUG_ON(how[0] == 'b');
	if (!strcmp(how, "warn"))
		WARN(1, "a warning\\n");
	if (!strcmp(how, "thread")) {
		kthread_run(dies, NULL, "dying");
		msleep(20);
	}
	pr_info("the module goes on\\n");
	return 0;
}
static void __exit panics_exit(void)
{
	atomic_notifier_chain_unregister(&panic_notifier_list, &block);
}
module_init(panics_init);
module_exit(panics_exit);
MODULE_LICENSE("GPL");
`;

let ko: Uint8Array;
beforeAll(async () => {
  ko = await build('panics', SOURCE);
}, 60_000);
afterAll(closeCompiler);

const KEPT = /panic|heard|Rebooting|BUG|WARNING|^a warning|goes on|^(RIP|note): |Comm: /i;
const withoutNumbers = (text: string) =>
  text
    .replace(/CPU: \d+ PID: \d+/, 'CPU: N PID: N')
    .replace(/\+0x[0-9a-f]+\/0x[0-9a-f]+/g, '')
    .replace(/\[\d+\]/, '[N]');

/** What a machine with such a command line says; whether it has stopped for good. */
function run(how: string, commandLine: string) {
  const machine = boot({ commandLine });
  const { panicked = false } = machine.insmod(ko, `how=${how}`);
  const log = moduleLog(machine)
    .flatMap((text) => text.split('\n'))
    .filter((line) => KEPT.test(line))
    .map(withoutNumbers);
  const after = machine.dmesg().length;
  if (panicked) {
    expect(machine.rmmod('panics').panicked).toBe(true);
    expect(machine.dmesg().length).toBe(after);
  }
  return { panicked, log };
}

test('panic() stops the machine, and says so last', () => {
  expect(run('panic', '')).toMatchInlineSnapshot(`
    {
      "log": [
        "Kernel panic - not syncing: out of ideas",
        "CPU: N PID: N Comm: insmod Tainted: G           OE      6.1.0-pagewalk #1",
        " panic",
        " panics_init [panics] (panics.c:23)",
        "heard: out of ideas",
        "---[ end Kernel panic - not syncing: out of ideas ]---",
      ],
      "panicked": true,
    }
  `);
});

test('panic= says when the machine would start anew', () => {
  expect(run('panic', 'panic=5').log.slice(-2)).toMatchInlineSnapshot(`
    [
      "heard: out of ideas",
      "Rebooting in 5 seconds..",
    ]
  `);
});

test('BUG_ON() ends a task, or with oops=panic the machine', () => {
  expect(run('bug_on', '')).toMatchInlineSnapshot(`
    {
      "log": [
        "kernel BUG at panics.c:25!",
        "CPU: N PID: N Comm: insmod Tainted: G           OE      6.1.0-pagewalk #1",
        "RIP: 0010:panics_init [panics] (panics.c:25)",
        "Modules linked in: panics(OE+)",
        "RIP: 0010:panics_init [panics] (panics.c:25)",
      ],
      "panicked": false,
    }
  `);
  expect(run('bug_on', 'oops=panic')).toMatchInlineSnapshot(`
    {
      "log": [
        "kernel BUG at panics.c:25!",
        "CPU: N PID: N Comm: insmod Tainted: G           OE      6.1.0-pagewalk #1",
        "RIP: 0010:panics_init [panics] (panics.c:25)",
        "Modules linked in: panics(OE+)",
        "RIP: 0010:panics_init [panics] (panics.c:25)",
        "Kernel panic - not syncing: Fatal exception",
        "heard: Fatal exception",
        "---[ end Kernel panic - not syncing: Fatal exception ]---",
      ],
      "panicked": true,
    }
  `);
});

test('WARN() goes on, or with panic_on_warn the machine stops', () => {
  expect(run('warn', '')).toMatchInlineSnapshot(`
    {
      "log": [
        "a warning",
        "WARNING: CPU: N PID: N at panics.c:27 panics_init [panics]",
        "Modules linked in: panics(OE+)",
        "CPU: N PID: N Comm: insmod Tainted: G           OE      6.1.0-pagewalk #1",
        "RIP: 0010:panics_init [panics] (panics.c:27)",
        "the module goes on",
      ],
      "panicked": false,
    }
  `);
  expect(run('warn', 'panic_on_warn=1')).toMatchInlineSnapshot(`
    {
      "log": [
        "a warning",
        "WARNING: CPU: N PID: N at panics.c:27 panics_init [panics]",
        "Modules linked in: panics(OE+)",
        "CPU: N PID: N Comm: insmod Tainted: G           OE      6.1.0-pagewalk #1",
        "RIP: 0010:panics_init [panics] (panics.c:27)",
        "Kernel panic - not syncing: kernel: panic_on_warn set ...",
        "CPU: N PID: N Comm: insmod Tainted: G           OE      6.1.0-pagewalk #1",
        " panic",
        " panics_init [panics] (panics.c:27)",
        "heard: kernel: panic_on_warn set ...",
        "---[ end Kernel panic - not syncing: kernel: panic_on_warn set ... ]---",
      ],
      "panicked": true,
    }
  `);
});

test('a kernel thread that dies does not end the module that made it', () => {
  expect(run('thread', '')).toMatchInlineSnapshot(`
    {
      "log": [
        "kernel BUG at panics.c:16!",
        "CPU: N PID: N Comm: dying Tainted: G           OE      6.1.0-pagewalk #1",
        "RIP: 0010:dies [panics] (panics.c:16)",
        "Modules linked in: panics(OE+)",
        "RIP: 0010:dies [panics] (panics.c:16)",
        "the module goes on",
      ],
      "panicked": false,
    }
  `);
});
