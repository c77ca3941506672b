// SPDX-License-Identifier: MIT
/** Mistakes with locks, reference counts and sleeping: what is reported, and how the task ends. */

import { readFileSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import { boot, build, closeCompiler, moduleLog } from '../support/modules.js';

afterAll(closeCompiler);

const HEADERS = ['delay', 'module', 'refcount', 'rwlock', 'slab', 'spinlock'];

/** Runs statements as a module's init function: how that ended, and the log with numbers of tasks as N. */
async function run(name: string, body: string, declarations = '', commandLine = '', defines = '') {
  const source = `${defines}${HEADERS.map((h) => `#include <linux/${h}.h>\n`).join('')}
static DEFINE_SPINLOCK(lock);
static DEFINE_RWLOCK(rw);
${declarations}
static int __init misuse_init(void)
{
${body}
	return 0;
}
module_init(misuse_init);
MODULE_LICENSE("GPL");
`;
  const machine = boot({ commandLine });
  const result = machine.insmod(await build(name, source));
  const log = moduleLog(machine).map((line) =>
    line
      .replace(/insmod[/:]\d+/, 'insmod/N')
      .replace(/PID: \d+/, 'PID: N')
      .replace(/pid: \d+/, 'pid: N'),
  );
  return { machine, result, log };
}

/** The trace lines of C functions, without offsets. */
const cFrames = (log: readonly string[]) =>
  log
    .filter((line) => line.includes('['))
    .flatMap((line) => /^ (\w+)\+.*\((.*)\)$/.exec(line)?.slice(1) ?? []);

describe('spin locks', () => {
  it('reports a lock taken twice, and then the lockup', async () => {
    const { result, log } = await run('twice', '\tspin_lock(&lock);\n\tspin_lock(&lock);');
    expect(result).toEqual({ status: 0, signal: 9 });
    expect(log.slice(0, 3)).toEqual([
      'BUG: spinlock recursion on CPU#0, insmod/N',
      expect.stringMatching(
        /^ lock: lock\+0x0\/0x4 \[twice\], \.magic: dead4ead, \.owner: insmod\/N, \.owner_cpu: 0$/,
      ),
      expect.stringMatching(/^CPU: 0 PID: N Comm: insmod/),
    ]);
    expect(cFrames(log)[0]).toBe('misuse_init');
    expect(log).toContain('watchdog: BUG: soft lockup - CPU#0 stuck for 22s! [insmod/N]');
    expect(log.at(-1)).toMatch(/^note: insmod\[\d+\] exited with preempt_count 2$/);
  });

  it('leaves nothing atomic behind when the task is killed', async () => {
    const { machine } = await run('dies', '\tspin_lock_irq(&lock);\n\t*(int *)8 = 0;');
    expect(machine.kernel.preempt.save()).toEqual({ count: 0, irqsDisabled: false, rcuNesting: 0 });
  });

  it('reports unlocks of free locks and of garbage', async () => {
    const { result, log } = await run(
      'unlock',
      '\tspin_unlock(&lock);\n\tspin_unlock(&junk);\n\tread_unlock(&rw);\n\twrite_unlock(&rw);\n\tpreempt_count_add(4);',
      'static spinlock_t junk = { { 0x6b6b6b6b } };',
    );
    expect(result.status).toBe(0);
    expect(log.filter((line) => line.includes('BUG: ') || line.includes('.magic'))).toEqual([
      'BUG: spinlock already unlocked on CPU#0, insmod/N',
      expect.stringContaining('.magic: dead4ead, .owner: <none>/-1, .owner_cpu: -1'),
      'BUG: spinlock bad magic on CPU#0, insmod/N',
      expect.stringContaining('.magic: 6b6b6b6b, .owner: <none>/-1, .owner_cpu: -1'),
      expect.stringMatching(/^BUG: rwlock bad magic on CPU#0, insmod\/N, ffffffffc0/),
      expect.stringMatching(/^BUG: rwlock wrong owner on CPU#0, insmod\/N, ffffffffc0/),
    ]);
  });

  it.each([
    ['\tread_lock(&rw);\n\twrite_lock(&rw);', 'lockup suspected'],
    ['\twrite_lock(&rw);\n\tread_lock(&rw);', 'recursion'],
  ])('reports a reader-writer lock that can never be had', async (body, what) => {
    const { result, log } = await run('rwlocks', body);
    expect(result).toEqual({ status: 0, signal: 9 });
    expect(log[0]).toMatch(new RegExp(`^BUG: rwlock ${what} on CPU#0, insmod/N, ffffffffc0`));
  });

  it('counts a long mdelay() as a lockup', async () => {
    const { result, log } = await run('long', '\tmdelay(10000);\n\tmdelay(15000);');
    expect(result).toEqual({ status: 0, signal: 9 });
    expect(log[0]).toBe('watchdog: BUG: soft lockup - CPU#0 stuck for 22s! [insmod/N]');
  });
});

it('warns once of each way a reference count goes wrong', async () => {
  const { log } = await run(
    'counts',
    `	refcount_inc(&count);
	pr_info("saturated: %x\\n", refcount_read(&count));
	refcount_set(&count, 0);
	refcount_inc(&count);
	refcount_set(&count, 0);
	pr_info("put of 0: %d\\n", refcount_dec_and_test(&count));
	refcount_set(&count, REFCOUNT_MAX);
	refcount_inc(&count);
	refcount_set(&count, 1);
	refcount_dec(&count);`,
    'static refcount_t count = REFCOUNT_INIT(0);',
  );
  const at = (line: number) =>
    `WARNING: CPU: 0 PID: N at lib/refcount.c:${line} refcount_warn_saturate+0x20/0x40`;
  expect(log.filter((line) => /refcount_t|WARNING|put|saturated/.test(line))).toEqual([
    'refcount_t: addition on 0; use-after-free.',
    at(25),
    'saturated: c0000000',
    'refcount_t: underflow; use-after-free.',
    at(28),
    'put of 0: 0',
    'refcount_t: saturated; leaking memory.',
    at(22),
    'refcount_t: decrement hit 0; leaking memory.',
    at(31),
  ]);
});

describe('sleeping in atomic context', () => {
  const SLEEPS = '\tspin_lock(&lock);\n\tkfree(kmalloc(10, GFP_KERNEL));\n\tspin_unlock(&lock);';

  it('is silent unless the boot parameter asks, as on a kernel without the option', async () => {
    expect((await run('quiet', SLEEPS)).log).toEqual([]);
  });

  it('is reported', async () => {
    const { log, machine } = await run('sleeps', SLEEPS, '', 'debug_atomic_sleep');
    expect(log.slice(0, 4)).toEqual([
      'BUG: sleeping function called from invalid context at include/linux/sched/mm.h:274',
      'in_atomic(): 1, irqs_disabled(): 0, non_block: 0, pid: N, name: insmod',
      'preempt_count: 1, expected: 0',
      'RCU nest depth: 0, expected: 0',
    ]);
    expect(cFrames(log)).toEqual(['misuse_init', expect.stringMatching(/^sleeps.c:\d+$/)]);
    expect(machine.kernel.taint.has('W')).toBe(true);
  });

  it('is reported in the words of a real kernel', async () => {
    const recorded = readFileSync(
      new URL('../golden/linux-6.1/kasan-atomic_sleep.txt', import.meta.url),
      'utf8',
    );
    const source = readFileSync(new URL('../golden/linux-6.1/atomic_sleep.c', import.meta.url), 'utf8');
    const machine = boot({ commandLine: 'debug_atomic_sleep' });
    machine.insmod(await build('atomic_sleep', source));
    /** What does not differ from machine to machine. */
    const lines = (texts: readonly string[]) =>
      texts
        .map((text) => text.replace(/^\[ *\d+\.\d+\] /, '').replace(/pid: \d+/, 'pid: N'))
        .filter((text) => /^(BUG|in_atomic|preempt_count|Call Trace|atomic_sleep: (done|exit))/.test(text))
        .filter((text) => text !== 'atomic_sleep: exit');
    expect(lines(moduleLog(machine))).toEqual(lines(recorded.split('\n')));
  });

  it('is fine where nothing forbids it, and with GFP_ATOMIC', async () => {
    const body = `	kfree(kmalloc(10, GFP_KERNEL));
	spin_lock(&lock);
	kfree(kmalloc(10, GFP_ATOMIC));
	spin_unlock(&lock);
	might_sleep();`;
    expect((await run('fine', body, '', 'debug_atomic_sleep')).log).toEqual([]);
  });

  it('is reported at might_sleep() itself, for RCU readers and with interrupts off', async () => {
    const body = `	rcu_read_lock();
	might_sleep();
	rcu_read_unlock();
	mdelay(2000);
	local_irq_disable();
	might_sleep();
	local_irq_enable();`;
    const { log } = await run('places', body, '', 'debug_atomic_sleep');
    expect(log.filter((line) => /^(BUG|in_atomic|RCU)/.test(line))).toEqual([
      expect.stringMatching(/invalid context at .*places.c:\d+$/),
      'in_atomic(): 0, irqs_disabled(): 0, non_block: 0, pid: N, name: insmod',
      'RCU nest depth: 1, expected: 0',
      expect.stringMatching(/invalid context at .*places.c:\d+$/),
      'in_atomic(): 0, irqs_disabled(): 1, non_block: 0, pid: N, name: insmod',
      'RCU nest depth: 0, expected: 0',
    ]);
  });
});

describe('lists with CONFIG_DEBUG_LIST', () => {
  const lists = (name: string, body: string) =>
    run(
      name,
      `\tLIST_HEAD(head);\n\tstruct list_head node, other;\n${body}`,
      '',
      '',
      '#define CONFIG_DEBUG_LIST 1\n',
    );

  it.each([
    [
      '\tlist_add(&node, &head);\n\tlist_add(&node, &head);',
      /^list_add double add: new=ffff888\w+, prev=/,
      33,
    ],
    [
      '\tlist_add(&node, &head);\n\tnode.prev = &other;\n\tother.next = NULL;\n\tlist_add(&other, &head);',
      /^list_add corruption\. next->prev should be prev \(ffff888\w+\), but was ffff888\w+\. \(next=ffff888\w+\)\.$/,
      27,
    ],
    [
      '\tlist_add(&node, &head);\n\tlist_del(&node);\n\tlist_del(&node);',
      /^list_del corruption, ffff888\w+->next is LIST_POISON1 \(dead000000000100\)$/,
      53,
    ],
    [
      '\tINIT_LIST_HEAD(&other);\n\tlist_add(&node, &head);\n\thead.next = &other;\n\tlist_del(&node);',
      /^list_del corruption\. prev->next should be ffff888\w+, but was ffff888\w+\. \(prev=ffff888\w+\)$/,
      59,
    ],
  ])('reports damaged pointers before it writes: %#', async (body, message, line) => {
    const { result, log } = await lists('lists', body);
    expect(result).toEqual({ status: 0, signal: 11 });
    expect(log[0]).toMatch(message);
    expect(log).toContain(`kernel BUG at lib/list_debug.c:${line}!`);
  });
});

describe('hardened user copies', () => {
  const NOWHERE = '(void __user *)0x400000';

  it.each([
    [
      `void *p = kmalloc(40, GFP_KERNEL);\n\tif (copy_to_user(${NOWHERE}, p + 8, 60))\n\t\tpr_info("missing\\n");`,
      "usercopy: Kernel memory exposure attempt detected from SLUB object 'kmalloc-64' (offset 8, size 60)!",
    ],
    [
      `struct kmem_cache *c = kmem_cache_create("closed", 1234, 0, SLAB_POISON, NULL);\n\tvoid *p = kmem_cache_alloc(c, GFP_KERNEL);\n\tif (copy_from_user(p, ${NOWHERE}, 10))\n\t\tpr_info("missing\\n");`,
      "usercopy: Kernel memory overwrite attempt detected to SLUB object 'closed' (offset 0, size 10)!",
    ],
  ])('refuse to leave an object: %#', async (body, message) => {
    const { result, log } = await run('usercopy', `\t${body}`, '#include <linux/uaccess.h>');
    expect(result).toEqual({ status: 0, signal: 11 });
    expect(log[0]).toBe(message);
    expect(log).toContain('kernel BUG at mm/usercopy.c:101!');
  });

  it('stay within an object without a word', async () => {
    const body = `	void *p = kmalloc(64, GFP_KERNEL);
	pr_info("missing %lu\\n", copy_to_user(${NOWHERE}, p, 64));`;
    expect((await run('usercopy', body, '#include <linux/uaccess.h>')).log).toEqual(['missing 64']);
  });
});

it('tells the panic notifiers what the kernel died of', async () => {
  const { result, log } = await run(
    'panics',
    '\tatomic_notifier_chain_register(&panic_notifier_list, &block);\n\tpanic("out of %s", "ideas");',
    `#include <linux/panic_notifier.h>
static int heard(struct notifier_block *nb, unsigned long action, void *text)
{
	pr_emerg("heard: %s\\n", (char *)text);
	return NOTIFY_DONE;
}
static struct notifier_block block = { .notifier_call = heard };`,
  );
  expect(result.panicked).toBe(true);
  expect(log.slice(-2)).toEqual([
    'heard: out of ideas',
    '---[ end Kernel panic - not syncing: out of ideas ]---',
  ]);
});
