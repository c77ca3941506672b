// SPDX-License-Identifier: MIT
/**
 * Modules whose threads, works and interrupts meet: the same log on any number of CPUs and whoever the scheduler
 * picks; the same memory each time; and what becomes of those who deadlock, or sleep where they must not.
 * A longer run: SEEDS=100.
 */

import { readFileSync } from 'node:fs';
import type { Machine } from '@pagewalk/kernel/machine';
import { afterAll, describe, expect, it } from 'vitest';
import { brokenInvariants } from '../support/memory.js';
import { boot, build, closeCompiler, moduleLog } from '../support/modules.js';

afterAll(closeCompiler);

const read = (file: string) => readFileSync(new URL(file, import.meta.url), 'utf8');
const SEEDS = Array.from({ length: Number(process.env['SEEDS'] ?? 3) }, (_, i) => i);
const MODULES = [
  'completions',
  'deferred',
  'graceperiods',
  'hrtimers',
  'kthreads',
  'kworkers',
  'mutexes',
  'rculist',
  'semaphores',
  'seqlocks',
  'softirqs',
  'waitbits',
  'waitqueues',
  'works',
];

function runModule(name: string, ko: Uint8Array, options: Parameters<typeof boot>[0]): Machine {
  const machine = boot(options);
  expect(machine.insmod(ko)).toEqual({ status: 0 });
  expect(machine.rmmod(name)).toEqual({ status: 0 });
  return machine;
}

describe('on 1, 2 and 4 CPUs, whoever is picked to run', () => {
  it.each(MODULES)('%s logs the same', { timeout: 300_000 }, async (name) => {
    const ko = await build(name, read(`${name}.c`));
    const golden = read(`${name}.log`);
    for (const cpus of [1, 2, 4])
      for (const seed of SEEDS) {
        const machine = runModule(name, ko, { cpus, commandLine: `sched_seed=${seed}` });
        expect(`${moduleLog(machine).join('\n')}\n`, `${cpus} CPUs, sched_seed=${seed}`).toBe(golden);
        machine.kernel.concurrency.timers.check();
        expect(brokenInvariants(machine)).toEqual([]);
      }
  });
});

describe('the same machine twice', () => {
  it('has the same memory, though threads were picked by a seed', async () => {
    const ko = await build('works', read('works.c'));
    const options = { cpus: 2, commandLine: 'sched_seed=5' };
    const hashes = [0, 1].map(() => runModule('works', ko, options).memoryHash());
    expect(hashes[0]).toBe(hashes[1]);
    expect(runModule('works', ko, { ...options, commandLine: 'sched_seed=6' }).memoryHash()).not.toBe(
      hashes[0],
    );
  });
});

/** A module of the given declarations whose init function has the given body. */
const moduleOf = (declarations: string, body: string, exit = '') => `
#include <linux/module.h>
#include <linux/kthread.h>
#include <linux/mutex.h>
#include <linux/delay.h>
#include <linux/timer.h>
#include <linux/workqueue.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
${declarations}
static int __init test_init(void) { ${body} return 0; }
module_init(test_init);
static void __exit test_exit(void) { ${exit} }
module_exit(test_exit);
MODULE_LICENSE("GPL");
`;

async function load(name: string, source: string, options: Parameters<typeof boot>[0] = {}) {
  const machine = boot(options);
  const result = machine.insmod(await build(name, source));
  return {
    machine,
    result,
    log: moduleLog(machine).map((line) => line.replace(/\b(insmod|rmmod)[:/]\d+/, '$1:N')),
  };
}

describe('waiting for ever', () => {
  it('reports a mutex locked twice as a hung task', async () => {
    const source = moduleOf('static DEFINE_MUTEX(lock);', 'mutex_lock(&lock); mutex_lock(&lock);');
    const { result, log } = await load('twice', source);
    expect(result).toEqual({ status: 0, blocked: true });
    expect(log[0]).toBe('INFO: task insmod:N blocked for more than 120 seconds.');
    expect(log[2]).toBe('"echo 0 > /proc/sys/kernel/hung_task_timeout_secs" disables this message.');
    expect(log[3]).toMatch(/^task:insmod +state:D/);
  });

  it('reports both threads of a deadlock, once two minutes have passed', async () => {
    const threads = `
static DEFINE_MUTEX(a); static DEFINE_MUTEX(b);
static int one(void *x) { mutex_lock(&a); msleep(10); mutex_lock(&b); return 0; }
static int two(void *x) { mutex_lock(&b); msleep(10); mutex_lock(&a); return 0; }`;
    const source = moduleOf(threads, 'kthread_run(one, NULL, "one"); kthread_run(two, NULL, "two");');
    const { machine, result, log } = await load('abba', source);
    expect(result).toEqual({ status: 0 });
    expect(log).toEqual([]);
    machine.sleep(300e9);
    const hung = moduleLog(machine).filter((line) => line.startsWith('INFO: task'));
    expect(hung.map((line) => line.replace(/:\d+ .*/, ''))).toEqual(['INFO: task one', 'INFO: task two']);
  });

  it('reports who waits for a grace period inside a reader', async () => {
    const source = moduleOf('', 'rcu_read_lock(); synchronize_rcu(); rcu_read_unlock();');
    const { result, log } = await load('selfwait', source);
    expect(result).toEqual({ status: 0, blocked: true });
    expect(log[1]).toBe('Voluntary context switch within RCU read-side critical section!');
    expect(log.some((line) => line.startsWith('INFO: task insmod:N blocked'))).toBe(true);
  });

  it('ends though a timer goes off all the time', async () => {
    const declarations = `
static DEFINE_MUTEX(lock); static struct timer_list t;
static void fn(struct timer_list *timer) { mod_timer(timer, jiffies + 100); }`;
    const body = 'timer_setup(&t, fn, 0); mod_timer(&t, jiffies); mutex_lock(&lock); mutex_lock(&lock);';
    const { result, log } = await load('timed', moduleOf(declarations, body));
    expect(result).toEqual({ status: 0, blocked: true });
    expect(log[0]).toMatch(/^INFO: task insmod:N blocked for more than 1\d\d seconds\.$/);
  });
});

describe('sleeping where one must not', () => {
  it('takes the machine down from a timer', async () => {
    const declarations =
      'static struct timer_list t; static void fn(struct timer_list *timer) { msleep(1); }';
    const source = moduleOf(declarations, 'timer_setup(&t, fn, 0); mod_timer(&t, jiffies + 1); msleep(50);');
    const { result, log } = await load('insleep', source);
    expect(result).toEqual({ status: 0, panicked: true });
    expect(log[0]).toMatch(/^BUG: scheduling while atomic: swapper\/0\/0\/0x00000101$/);
    expect(log).toContain('Kernel panic - not syncing: Aiee, killing interrupt handler!');
  });

  it('is reported for a lock held, and the task goes on', async () => {
    const source = moduleOf(
      'static DEFINE_SPINLOCK(lock);',
      'spin_lock(&lock); msleep(1); pr_info("awake\\n");',
    );
    const { result, log } = await load('insleep2', source);
    expect(result).toEqual({ status: 0 });
    expect(log[0]).toBe('BUG: scheduling while atomic: insmod:N/0x00000002');
    expect(log).toContain('awake');
  });

  it('panics after an oops in an interrupt', async () => {
    const declarations =
      'static struct timer_list t; static void fn(struct timer_list *timer) { *(int *)8 = 1; }';
    const source = moduleOf(declarations, 'timer_setup(&t, fn, 0); mod_timer(&t, jiffies + 1); msleep(50);');
    const { result, log } = await load('inoops', source);
    expect(result).toEqual({ status: 0, panicked: true });
    expect(log).toContain('Kernel panic - not syncing: Fatal exception in interrupt');
  });
});

describe('with debug_atomic_sleep', () => {
  const options = { commandLine: 'debug_atomic_sleep=1' };

  it('says that mutex_lock() may sleep, though this time it need not', async () => {
    const source = moduleOf(
      'static DEFINE_MUTEX(m); static DEFINE_SPINLOCK(lock);',
      'spin_lock(&lock); mutex_lock(&m); mutex_unlock(&m); spin_unlock(&lock);',
    );
    const { result, log } = await load('mightsleep', source, options);
    expect(result).toEqual({ status: 0 });
    expect(log[0]).toBe('BUG: sleeping function called from invalid context at kernel/locking/mutex.c:282');
    expect(log.filter((line) => line.startsWith('BUG'))).toHaveLength(1);
  });

  it('says nothing of a mutex that is waited for', async () => {
    const source = moduleOf(
      'static DEFINE_MUTEX(m); static int fn(void *x) { mutex_lock(&m); msleep(20); mutex_unlock(&m); return 0; }',
      'kthread_run(fn, NULL, "holder"); msleep(5); mutex_lock(&m); mutex_unlock(&m);',
    );
    expect((await load('mayweep', source, options)).log).toEqual([]);
  });
});

describe('an interrupt line', () => {
  const declarations = `
#include <linux/interrupt.h>
static int id;
static irqreturn_t hard(int irq, void *dev) { pr_info("hard %d, irqs %d, mine %d\\n", irq, !irqs_disabled(), dev == &id); return IRQ_WAKE_THREAD; }
static irqreturn_t thread(int irq, void *dev) { msleep(4); pr_info("thread %d\\n", irq); return IRQ_HANDLED; }`;
  const body = `
pr_info("%d %d %d\\n", request_threaded_irq(5, hard, thread, IRQF_SHARED, "test", &id), request_irq(5, hard, 0, "other", &id), request_irq(999, hard, 0, "none", &id));
disable_irq(5);`;

  it('runs its handlers, and their thread, when it is raised and enabled', async () => {
    const source = moduleOf(
      `${declarations}
static struct timer_list t; static void on(struct timer_list *x) { enable_irq(5); }`,
      `${body} timer_setup(&t, on, 0); mod_timer(&t, jiffies + 20);`,
      'free_irq(5, &id); pr_info("freed\\n");',
    );
    const refused = 'genirq: Flags mismatch irq 5. 00000000 (other) vs. 00000080 (test)';
    const { machine } = await load('lines', source);
    machine.raiseIrq(5);
    expect(moduleLog(machine)).toEqual([refused, '0 -16 -22']);
    machine.sleep(200e6);
    machine.raiseIrq(5);
    machine.sleep(100e6);
    machine.rmmod('lines');
    machine.raiseIrq(5);
    expect(moduleLog(machine)).toEqual([
      refused,
      '0 -16 -22',
      'hard 5, irqs 0, mine 1',
      'thread 5',
      'hard 5, irqs 0, mine 1',
      'thread 5',
      'freed',
      'irq 5: nobody cared',
    ]);
    expect(() => machine.raiseIrq(64)).toThrow(RangeError);
  });
});

describe('/proc', () => {
  it('shows tasks while there are any', async () => {
    const thread =
      'static struct task_struct *t; static int fn(void *x) { while (!kthread_should_stop()) msleep(10); return 0; }';
    const source = moduleOf(thread, 't = kthread_run(fn, NULL, "shown");', 'kthread_stop(t);');
    const { machine } = await load('procs', source);
    const text = (path: string) => new TextDecoder().decode(machine.readProc(path));
    const pid = machine.tasks().find(({ comm }) => comm === 'shown')?.pid;
    expect(text(`/proc/${pid}/comm`)).toBe('shown\n');
    expect(text(`/proc/${pid}/status`)).toMatch(/^Name:\tshown\nState:\tD \(disk sleep\)\n/);
    expect(text(`/proc/${pid}/stat`).split(' ')).toHaveLength(52);
    expect(text('/proc/loadavg')).toMatch(/^0\.00 0\.00 0\.00 1\/\d+ \d+\n$/);
    expect(text('/proc/stat')).toMatch(/\nctxt \d+\n/);
    machine.rmmod('procs');
    expect(machine.readProc(`/proc/${pid}/comm`)).toBeUndefined();
  });
});

describe('what outlives its module', () => {
  it('is a thread whose code is gone: it dies of an instruction fetch', async () => {
    const thread = 'static int fn(void *x) { for (;;) msleep(100); return 0; }';
    const { machine } = await load('orphan', moduleOf(thread, 'kthread_run(fn, NULL, "orphan");'));
    expect(machine.rmmod('orphan')).toEqual({ status: 0 });
    machine.sleep(1e9);
    const log = moduleLog(machine);
    expect(log[0]).toMatch(/^BUG: unable to handle page fault for address: ffffffffc0/);
    expect(log).toContain('#PF: supervisor instruction fetch in kernel mode');
    expect(log.some((line) => /Comm: orphan/.test(line))).toBe(true);
  });

  it('is a timer whose function is gone', async () => {
    const declarations = 'static struct timer_list *t; static void fn(struct timer_list *timer) { }';
    const body = 't = kzalloc(sizeof(*t), GFP_KERNEL); timer_setup(t, fn, 0); mod_timer(t, jiffies + 50);';
    const { machine } = await load('oldtimer', moduleOf(declarations, body));
    machine.rmmod('oldtimer');
    machine.sleep(1e9);
    expect(moduleLog(machine)).toContain('Kernel panic - not syncing: Fatal exception in interrupt');
  });
});

describe('a worker', () => {
  it('that died in its work leaves the others to work', async () => {
    const declarations = `
static void bad(struct work_struct *w) { *(int *)16 = 1; }
static void good(struct work_struct *w) { pr_info("good\\n"); }
static DECLARE_WORK(first, bad); static DECLARE_WORK(second, good);`;
    const body = 'schedule_work(&first); schedule_work(&second); msleep(20); flush_work(&second);';
    const { result, log } = await load('badwork', moduleOf(declarations, body));
    expect(result).toEqual({ status: 0 });
    expect(log).toContain('BUG: kernel NULL pointer dereference, address: 0000000000000010');
    expect(log).toContain('good');
    expect(log.some((line) => /Comm: kworker\/0:\d/.test(line))).toBe(true);
  });

  it('that leaves a lock held is named', async () => {
    const declarations = `
static DEFINE_SPINLOCK(lock); static void leaky(struct work_struct *w) { spin_lock(&lock); }
static DECLARE_WORK(work, leaky);`;
    const { log } = await load('leaky', moduleOf(declarations, 'schedule_work(&work); flush_work(&work);'));
    expect(log[0]).toMatch(/^BUG: workqueue leaked lock or atomic: kworker\/0:\d\/0x00000001\/\d+$/);
    expect(log[1]).toMatch(/^ {5}last function: leaky \[leaky\]$/);
  });
});

describe('a machine that was saved while threads sleep', () => {
  it('goes on as the one that was not', async () => {
    const declarations = `
static struct task_struct *t; static struct delayed_work w; static struct timer_list timer; static DEFINE_MUTEX(lock);
static int fn(void *x) { int n = 0; while (!kthread_should_stop()) { mutex_lock(&lock); pr_info("thread %d\\n", n++); msleep(30); mutex_unlock(&lock); msleep(7); } return n; }
static void work(struct work_struct *k) { mutex_lock(&lock); pr_info("work\\n"); mutex_unlock(&lock); schedule_delayed_work(&w, 11); }
static void tick(struct timer_list *k) { pr_info("tick\\n"); mod_timer(k, jiffies + 9); }`;
    const body = `t = kthread_run(fn, NULL, "sleeper"); INIT_DELAYED_WORK(&w, work); schedule_delayed_work(&w, 3);
timer_setup(&timer, tick, 0); mod_timer(&timer, jiffies + 2);`;
    const exit =
      'del_timer_sync(&timer); cancel_delayed_work_sync(&w); pr_info("stop %d\\n", kthread_stop(t) > 3);';
    const { machine } = await load('saved', moduleOf(declarations, body, exit), { cpus: 2 });
    machine.sleep(50e6);
    const copy = machine.fork();
    for (const m of [machine, copy]) {
      m.sleep(200e6);
      m.rmmod('saved');
    }
    expect(moduleLog(copy)).toEqual(moduleLog(machine));
    expect(moduleLog(copy)).toContain('stop 1');
    expect(copy.memoryHash()).toBe(machine.memoryHash());
  });
});
