// SPDX-License-Identifier: MIT
/** What modules know of each other: notifiers of their states, references, symbols by name, namespaces. */

import type { Machine } from '@pagewalk/kernel/machine';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { memoryLost, memoryOf } from '../support/memory.js';
import { boot, build, closeCompiler } from '../support/modules.js';

const EINVAL = -22;
const EWOULDBLOCK = -11;

const module = (body: string, more = '') =>
  `#include <linux/module.h>\n#include <linux/notifier.h>\n${body}\nMODULE_LICENSE("GPL");\n${more}`;
const INIT_AND_EXIT = 'module_init(i); module_exit(e);';

const SOURCES: Readonly<Record<string, string>> = {
  watcher: module(`
static int refuse;
module_param(refuse, int, 0644);
static const char *const names[] = { "LIVE", "COMING", "GOING", "UNFORMED" };
static int told(struct notifier_block *nb, unsigned long state, void *data)
{
	struct module *mod = data;

	pr_info("%s is %s, as it says itself: %d\\n", mod->name, names[state], mod->state == state);
	return refuse && state == MODULE_STATE_COMING ? notifier_from_errno(-EPERM) : NOTIFY_OK;
}
static struct notifier_block block = { .notifier_call = told };
static int __init i(void)
{
	return register_module_notifier(&block);
}
static void __exit e(void)
{
	unregister_module_notifier(&block);
}
${INIT_AND_EXIT}`),
  subject: module(`
static int __init i(void) { pr_info("init of subject, state %d\\n", THIS_MODULE->state); return 0; }
static void __exit e(void) { pr_info("exit of subject, state %d\\n", THIS_MODULE->state); }
${INIT_AND_EXIT}`),
  first: module(`
static int told(struct notifier_block *nb, unsigned long state, void *data)
{
	pr_info("first hears of %s: %lu\\n", ((struct module *)data)->name, state);
	return NOTIFY_DONE;
}
static struct notifier_block block = { .notifier_call = told, .priority = 1 };
static int __init i(void)
{
	return register_module_notifier(&block);
}
static void __exit e(void)
{
	unregister_module_notifier(&block);
}
${INIT_AND_EXIT}`),
  fails: module(`
static int __init i(void) { return -EIO; }
static void __exit e(void) { }
${INIT_AND_EXIT}`),
  offers: module(`
int offered(int n) { return n + 1; }
EXPORT_SYMBOL_GPL(offered);
static int __init i(void) { pr_info("references: %d\\n", module_refcount(THIS_MODULE)); return 0; }
static void __exit e(void) { }
${INIT_AND_EXIT}`),
  asks: module(`
extern int offered(int n);
static struct module *held;
static int __init i(void)
{
	int (*fn)(int) = (int (*)(int))__symbol_get("offered");

	pr_info("absent: %d, the kernel's: %d\\n", !__symbol_get("no_such_symbol"), __symbol_get("_printk") != NULL);
	if (!fn)
		return -ENOENT;
	held = __module_text_address((unsigned long)fn);
	pr_info("of %s: %d, references %d\\n", held->name, fn(41), module_refcount(held));
	__symbol_put("offered");
	pr_info("put: %d\\n", module_refcount(held));
	pr_info("taken: %d, of the kernel: %d\\n", try_module_get(held), try_module_get(NULL));
	__module_get(held);
	pr_info("twice: %d, live: %d\\n", module_refcount(held), module_is_live(held));
	module_put(held);
	return 0;
}
static void __exit e(void)
{
	module_put(held);
	pr_info("given back: %d\\n", module_refcount(held));
}
${INIT_AND_EXIT}`),
  spaced: module(`
int hidden(void) { return 7; }
EXPORT_SYMBOL_NS_GPL(hidden, VAULT);
int plain(void) { return 8; }
EXPORT_SYMBOL(plain);
static int __init i(void) { return 0; }
static void __exit e(void) { }
${INIT_AND_EXIT}`),
};
const USER = `extern int hidden(void), plain(void);
static int __init i(void) { pr_info("%d %d\\n", hidden(), plain()); return 0; }
static void __exit e(void) { }
${INIT_AND_EXIT}`;
const USERS: Readonly<Record<string, string>> = {
  stranger: module(USER),
  elsewhere: module(USER, 'MODULE_IMPORT_NS(CELLAR);\n'),
  invited: module(USER, 'MODULE_IMPORT_NS(CELLAR);\nMODULE_IMPORT_NS(VAULT);\n'),
};

const built: Record<string, Uint8Array> = {};
beforeAll(async () => {
  for (const [name, source] of Object.entries({ ...SOURCES, ...USERS }))
    built[name] = await build(name, source);
}, 120_000);
afterAll(closeCompiler);

/** A machine, and the log since it was last asked. */
function fresh() {
  const machine = boot();
  let seen = machine.dmesg().length;
  const said = () => {
    const texts = machine.dmesg().map(({ text }) => text);
    const news = texts.slice(seen).filter((text) => !/taints? kernel|tainting kernel/.test(text));
    seen = texts.length;
    return news;
  };
  return { machine, said };
}
const load = (machine: Machine, ...names: string[]) => {
  for (const name of names) expect(machine.insmod(built[name], '')).toEqual({ status: 0 });
};

test('a notifier hears of each state before the module does, except of LIVE', () => {
  const { machine, said } = fresh();
  load(machine, 'watcher');
  expect(said()).toEqual(['watcher is LIVE, as it says itself: 1']); // it registers itself while it is COMING
  load(machine, 'subject');
  expect(said()).toEqual([
    'subject is COMING, as it says itself: 1',
    'init of subject, state 1',
    'subject is LIVE, as it says itself: 1',
  ]);
  expect(machine.rmmod('subject')).toEqual({ status: 0 });
  expect(said()).toEqual(['exit of subject, state 2', 'subject is GOING, as it says itself: 1']);
  expect(machine.insmod(built['fails'], '')).toEqual({ status: -5 });
  expect(said()).toEqual(['fails is COMING, as it says itself: 1', 'fails is GOING, as it says itself: 1']);
  expect(machine.rmmod('watcher')).toEqual({ status: 0 });
  expect(said()).toEqual([]);
  load(machine, 'subject');
  expect(said()).toEqual(['init of subject, state 1']);
});

test('a notifier can refuse a module; those before it are told that it goes', () => {
  const { machine, said } = fresh();
  load(machine, 'first');
  expect(machine.insmod(built['watcher'], 'refuse=1')).toEqual({ status: 0 });
  said();
  const before = memoryOf(machine);
  expect(machine.insmod(built['subject'], '')).toEqual({ status: -1 });
  expect(said()).toEqual([
    'first hears of subject: 1',
    'subject is COMING, as it says itself: 1',
    'first hears of subject: 2',
  ]);
  expect(memoryLost(machine, before)).toEqual([]);
});

test('references by hand and by symbol keep a module', () => {
  const { machine, said } = fresh();
  load(machine, 'offers');
  expect(said()).toEqual(['references: 1']);
  load(machine, 'asks');
  expect(said()).toEqual([
    "absent: 1, the kernel's: 1",
    'of offers: 42, references 1',
    'put: 0',
    'taken: 1, of the kernel: 1',
    'twice: 2, live: 1',
  ]);
  expect(machine.rmmod('offers')).toEqual({ status: EWOULDBLOCK });
  expect(machine.rmmod('asks')).toEqual({ status: 0 });
  expect(said()).toEqual(['given back: 0']);
  expect(machine.rmmod('offers')).toEqual({ status: 0 });
});

test('a symbol of a namespace is for those that import it', () => {
  const { machine, said } = fresh();
  load(machine, 'spaced');
  said();
  const before = memoryOf(machine);
  for (const name of ['stranger', 'elsewhere']) {
    expect(machine.insmod(built[name], '')).toEqual({ status: EINVAL });
    expect(said()).toEqual([
      `${name}: module uses symbol (hidden) from namespace VAULT, but does not import it.`,
      `${name}: Unknown symbol hidden (err -22)`,
    ]);
  }
  expect(memoryLost(machine, before)).toEqual([]);
  load(machine, 'invited');
  expect(said()).toEqual(['7 8']);
  expect(machine.rmmod('spaced')).toEqual({ status: EWOULDBLOCK });
});
