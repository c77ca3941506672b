// SPDX-License-Identifier: MIT
/** The files of /sys/kernel/tracing: what they show, what they take, what of them a saved machine keeps. */

import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { EBADF, EINVAL } from '@pagewalk/kernel/lib/errno';
import { Machine } from '@pagewalk/kernel/machine';
import { GFP_KERNEL } from '@pagewalk/kernel/mm/gfp';
import { afterAll, describe, expect, test } from 'vitest';
import { boot, build, closeCompiler } from '../support/modules.js';
import { tracefs } from './tracefs.js';

afterAll(closeCompiler);

const path = (name: string) => fileURLToPath(new URL(name, import.meta.url));
const source = (name: string) => readFileSync(path(`../modules/${name}.c`), 'utf8');

/** Addresses, offsets and times change whenever the kernel's own data or the compiler does. */
const comparable = (text: string): string =>
  text
    .replace(/\+0x[0-9a-f]+\/0x[0-9a-f]+/g, '+0xN/0xN')
    .replace(/\b[0-9a-f]{16}\b/g, 'ADDRESS')
    .replace(/0x[0-9a-f]{16}\b/g, '0xADDRESS') // of a function that is gone: an init function, say
    .replace(/pfn=0x[0-9a-f]+/g, 'pfn=0xN')
    .replace(/\b(hrtimer=.*?)((?:soft)?expires|now)=\d+(?: softexpires=\d+)?/g, '$1$2=N')
    .replace(/ +\d+\.\d{6}:/g, ' TIME:');

function expectGolden(name: string, text: string): void {
  const golden = path(name);
  if (process.env['GOLDEN'] === 'write') writeFileSync(golden, text);
  expect(existsSync(golden), `${name} is missing`).toBe(true);
  expect(text).toBe(readFileSync(golden, 'utf8'));
}

/** Allocates and frees through the slab allocator: two events. */
function allocate({ kernel }: Machine, bytes = 64): void {
  kernel.slub.kfree(kernel.slub.kmalloc(bytes, GFP_KERNEL));
}

describe('golden', () => {
  test("a module's allocations", async () => {
    const ko = await build(
      'allocs',
      `#include <linux/mm.h>
#include <linux/module.h>
#include <linux/slab.h>
static int allocs_init(void)
{
	struct page *pages[2] = { alloc_page(GFP_KERNEL), alloc_page(GFP_KERNEL) };
	void *p = kmalloc(100, GFP_KERNEL), *atomic;
	unsigned long flags;

	local_irq_save(flags);
	preempt_disable();
	atomic = kmalloc(8, GFP_ATOMIC);
	preempt_enable();
	local_irq_restore(flags);
	local_bh_disable();
	kfree(atomic);
	local_bh_enable();
	kfree(p);
	release_pages(pages, 2);
	return 0;
}
module_init(allocs_init);
static void __exit allocs_exit(void) { }
module_exit(allocs_exit);
MODULE_LICENSE("GPL");
`,
    );
    const machine = boot();
    const fs = tracefs(machine);
    expect(fs.write('set_event', 'kmem:kmalloc kmem:kfree kmem:mm_page_free_batched')).toBe(0);
    for (const event of ['kmalloc', 'kfree']) fs.write(`events/kmem/${event}/filter`, 'comm == "insmod"');
    expect(machine.insmod(ko)).toEqual({ status: 0 });
    expectGolden('allocs.txt', comparable(fs.lines().filter(own).join('\n')));
  });

  test('trace_printk() and kin', async () => {
    const ko = await build('trace_printk', source('trace_printk'));
    const machine = boot();
    const fs = tracefs(machine);
    expect(machine.insmod(ko)).toEqual({ status: 0 });
    expectGolden('trace_printk.txt', comparable(fs.read('trace')));
    expect(machine.rmmod('trace_printk')).toEqual({ status: 0 });
    expect(fs.read('trace')).toMatch(
      /rmmod-79 .*: <stack trace>\n => 0x[0-9a-f]{16}\n => __do_sys_delete_module/,
    );
    expect(fs.read('saved_cmdlines')).toBe('78 insmod\n79 rmmod\n');
  });

  test('tasks, timers, work queues, interrupts, modules', async () => {
    const ko = await build('background', BACKGROUND);
    const machine = boot();
    const fs = tracefs(machine);
    fs.write('set_event', 'sched timer workqueue irq module');
    expect(machine.insmod(ko)).toEqual({ status: 0 });
    machine.sleep(20e6);
    machine.raiseIrq(5);
    const during = comparable(fs.read('trace'));
    expect(machine.rmmod('background')).toEqual({ status: 0 });
    expectGolden('background.txt', during);
    expect(fs.read('trace')).toMatch(/rmmod-80 .*: module_free: background\n/);
  });
});

/** Lines of the module, and of pages that it gave back. */
const own = (line: string): boolean => line.includes('[allocs]') || line.includes('mm_page_free_batched');

const BACKGROUND = `
#include <linux/hrtimer.h>
#include <linux/interrupt.h>
#include <linux/module.h>
#include <linux/timer.h>
#include <linux/workqueue.h>
static struct hrtimer high;
static struct work_struct work;
static int token;
static void on_timer(struct timer_list *t) { schedule_work(&work); }
static DEFINE_TIMER(timer, on_timer);
static enum hrtimer_restart on_high(struct hrtimer *t) { return HRTIMER_NORESTART; }
static void on_work(struct work_struct *w) { }
static irqreturn_t on_irq(int irq, void *dev) { return IRQ_HANDLED; }
static int background_init(void)
{
	INIT_WORK(&work, on_work);
	hrtimer_init(&high, CLOCK_MONOTONIC, HRTIMER_MODE_REL);
	high.function = on_high;
	hrtimer_start(&high, ms_to_ktime(1), HRTIMER_MODE_REL);
	mod_timer(&timer, jiffies + 1);
	__module_get(THIS_MODULE);
	module_put(THIS_MODULE);
	return request_irq(5, on_irq, 0, "five", &token);
}
static void __exit background_exit(void)
{
	free_irq(5, &token);
	hrtimer_cancel(&high);
	del_timer_sync(&timer);
	cancel_work_sync(&work);
}
module_init(background_init);
module_exit(background_exit);
MODULE_LICENSE("GPL");
`;

describe('files', () => {
  test('every file that is listed can be stated; those that can be read are', () => {
    const fs = tracefs(boot({ cpus: 2 }));
    const texts = boot({ cpus: 2 }).kernel.tracing.texts();
    let files = 0;
    const look = (folder: string): void => {
      for (const name of fs.list(folder) ?? []) {
        const at = folder === '' ? name : `${folder}/${name}`;
        if (name.endsWith('/')) {
          look(at.slice(0, -1));
          continue;
        }
        files++;
        for (const mount of ['/sys/kernel/tracing', '/sys/kernel/debug/tracing']) {
          const mode = texts.mode(`${mount}/${at}`);
          expect(mode, at).toBeDefined();
          if (mode! & 0o400) expect(texts.read(`${mount}/${at}`), at).toBeDefined();
          else expect(texts.read(`${mount}/${at}`), at).toBeUndefined();
        }
      }
    };
    look('');
    expect(files).toBeGreaterThan(150);
    for (const none of [
      'nothing',
      'events/kmem/none',
      'events/kmem/kmalloc/none',
      'per_cpu/cpu2/trace',
      'toString',
    ])
      expect(texts.mode(`/sys/kernel/tracing/${none}`), none).toBeUndefined();
  });

  test('set_event adds and takes away; enable shows what is on', () => {
    const fs = tracefs(boot());
    expect(fs.read('set_event')).toBe('');
    expect(fs.read('available_events')).toContain('kmem:kmalloc\n');
    expect(fs.write('set_event', 'kmem:*')).toBe(0);
    expect(fs.read('events/kmem/enable')).toBe('1\n');
    expect(fs.read('events/enable')).toBe('X\n');
    expect(fs.write('set_event', '!kmem:mm_* kmem:mm_page_free')).toBe(0);
    expect(fs.read('set_event').trim().split('\n').sort()).toEqual([
      'kmem:kfree',
      'kmem:kmalloc',
      'kmem:kmem_cache_alloc',
      'kmem:kmem_cache_free',
      'kmem:mm_page_free',
    ]);
    expect(fs.write('set_event', 'kmem:nothing')).toBe(-EINVAL);
    expect(fs.write('events/kmem/kfree/enable', '0')).toBe(0);
    expect(fs.read('events/kmem/kfree/enable')).toBe('0\n');
    expect(fs.write('events/kmem/kfree/enable', '2')).toBe(-EINVAL);
    expect(fs.write('events/enable', '0')).toBe(0);
    expect(fs.read('set_event')).toBe('');
    fs.write('set_event', 'kfree');
    fs.truncate('set_event');
    expect(fs.read('set_event')).toBe('');
  });

  test('a write clears the trace, a read of trace_pipe takes it', () => {
    const machine = boot();
    const fs = tracefs(machine);
    fs.write('events/kmem/kmalloc/enable', '1');
    allocate(machine);
    allocate(machine);
    expect(fs.lines()).toHaveLength(2);
    expect(fs.read('trace_pipe').trimEnd().split('\n')).toHaveLength(2);
    expect(fs.read('trace_pipe')).toBe('');
    expect(fs.read('trace')).toContain('entries-in-buffer/entries-written: 0/0 ');
    allocate(machine);
    expect(fs.lines()).toHaveLength(1);
    expect(fs.write('trace', '')).toBe(0);
    expect(fs.lines()).toHaveLength(0);
    allocate(machine);
    fs.truncate('trace');
    expect(fs.lines()).toHaveLength(0);
  });

  test('tracing_on, set_event_pid and filters decide what is recorded', () => {
    const machine = boot();
    const fs = tracefs(machine);
    fs.write('events/kmem/kmalloc/enable', '1');
    fs.write('tracing_on', '0');
    allocate(machine);
    expect(fs.write('trace_marker', 'lost')).toBe(-EBADF);
    fs.write('tracing_on', '1');
    expect(fs.lines()).toEqual([]);
    fs.write('events/kmem/kmalloc/filter', 'bytes_req > 100 && bytes_req <= 200');
    fs.write('trace', ''); // the filter's own text was allocated
    for (const bytes of [100, 101, 200, 201]) allocate(machine, bytes);
    expect(fs.lines().map((line) => /bytes_req=(\d+)/.exec(line)![1])).toEqual(['101', '200']);
    expect(fs.read('events/kmem/kmalloc/filter')).toBe('bytes_req > 100 && bytes_req <= 200\n');
    fs.write('events/kmem/kmalloc/filter', '0');
    expect(fs.read('events/kmem/kmalloc/filter')).toBe('none\n');
    fs.write('trace', '');
    expect(fs.write('set_event_pid', '1234')).toBe(0);
    expect(fs.read('set_event_pid')).toBe('1234\n');
    allocate(machine);
    expect(fs.lines()).toEqual([]);
    fs.write('set_event_pid', '0');
    allocate(machine);
    expect(fs.lines()).toHaveLength(1);
    fs.write('set_event_pid', '');
    expect(fs.read('set_event_pid')).toBe('no pid\n');
  });

  test('a wrong filter lets all events pass, and its file says what is wrong', () => {
    const machine = boot();
    const fs = tracefs(machine);
    fs.write('events/kmem/kmalloc/enable', '1');
    expect(fs.write('events/kmem/kmalloc/filter', 'bytes > 100')).toBe(-EINVAL);
    expect(fs.read('events/kmem/kmalloc/filter')).toBe(
      'bytes > 100\n      ^\nparse_error: Field not found\n',
    );
    fs.write('trace', '');
    allocate(machine);
    expect(fs.lines()).toHaveLength(1);
    expect(fs.write('events/kmem/filter', 'bytes_req == 8')).toBe(0);
    expect(fs.read('events/kmem/kmem_cache_alloc/filter')).toBe('bytes_req == 8\n');
    expect(fs.read('events/kmem/kfree/filter')).toBe('none\n');
    expect(fs.write('events/kmem/filter', 'nothing == 8')).toBe(-EINVAL);
  });

  test('trace_marker, options', () => {
    const machine = boot();
    const fs = tracefs(machine);
    expect(fs.write('trace_marker', 'one')).toBe(0);
    expect(fs.lines()[0]).toMatch(/^ {10}<idle>-0 {7}\[000\] \.{5} +0\.\d{6}: tracing_mark_write: one$/);
    expect(fs.write('trace_options', 'noirq-info')).toBe(0);
    expect(fs.lines()[0]).toMatch(/^ {10}<idle>-0 {7}\[000\] +0\.\d{6}: tracing_mark_write: one$/);
    expect(fs.read('trace')).toContain('#           TASK-PID     CPU#     TIMESTAMP  FUNCTION\n');
    expect(fs.write('options/context-info', '0')).toBe(0);
    expect(fs.write('options/sym-offset', '1')).toBe(0);
    expect(fs.read('trace')).toMatch(/^tracing_mark_write\+0x[0-9a-f]+\/0x[0-9a-f]+: one\n$/);
    expect(fs.read('options/context-info')).toBe('0\n');
    expect(fs.read('trace_options')).toContain('nocontext-info\n');
    expect(fs.write('trace_options', 'nothing')).toBe(-EINVAL);
    fs.write('options/markers', '0');
    expect(fs.write('trace_marker', 'two')).toBe(-EINVAL);
    expect(fs.write('current_tracer', 'nop')).toBe(0);
    expect(fs.write('current_tracer', 'function')).toBe(-EINVAL);
    expect(fs.write('trace_clock', 'mono')).toBe(-EINVAL);
  });

  test('pointers are hashed unless nohash-ptr', () => {
    const machine = boot();
    const fs = tracefs(machine);
    fs.write('events/kmem/kmalloc/enable', '1');
    allocate(machine);
    expect(fs.lines()[0]).toMatch(/ ptr=00000000[0-9a-f]{8} /);
    fs.write('trace_options', 'nohash-ptr');
    expect(fs.lines()[0]).toMatch(/ ptr=ffff8880[0-9a-f]{8} /);
  });
});

describe('the buffer', () => {
  test('overwrites its oldest events, and counts them', () => {
    const machine = boot();
    const fs = tracefs(machine);
    fs.write('buffer_size_kb', '8');
    fs.write('trace_marker', 'first');
    for (let i = 0; i < 1000; i++) fs.write('trace_marker', `n=${i}`);
    const lines = fs.lines().map((line) => Number(/n=(\d+)$/.exec(line)?.[1]));
    const [, entries, written] = /written: (\d+)\/(\d+)/.exec(
      fs.read('trace').replace(/in-buffer.*?: (\d+)/, 'written: $1'),
    )!;
    expect(Number(entries)).toBe(lines.length);
    expect(Number(written)).toBe(1001);
    expect(lines).toEqual(Array.from({ length: lines.length }, (_, i) => 1000 - lines.length + i));
    expect(lines.length).toBeGreaterThan(200);
    const lost = 1001 - lines.length;
    expect(fs.read('per_cpu/cpu0/stats')).toContain(`entries: ${lines.length}\noverrun: ${lost}\n`);
    expect(fs.read('trace_pipe')).toMatch(new RegExp(`^CPU:0 \\[LOST ${lost} EVENTS\\]\n.*n=${lines[0]}\n`));
  });

  test('drops new events without overwrite', () => {
    const fs = tracefs(boot());
    fs.write('buffer_size_kb', '8');
    fs.write('options/overwrite', '0');
    let kept = 0;
    while (fs.write('trace_marker', `n=${kept}`) === 0) kept++;
    expect(fs.lines()).toHaveLength(kept);
    expect(fs.lines()[0]).toMatch(/n=0$/);
    expect(fs.read('per_cpu/cpu0/stats')).toContain('overrun: 0\n');
    expect(fs.read('per_cpu/cpu0/stats')).toContain('dropped events: 1\n');
  });

  test('is made when it is needed, grows and shrinks', () => {
    const machine = boot({ cpus: 2 });
    const fs = tracefs(machine);
    const free = () => machine.kernel.pages.nrFreePages() + machine.kernel.pages.nrPcpPages();
    const before = free();
    expect(fs.read('buffer_size_kb')).toBe('7 (expanded: 1408)\n');
    expect(fs.read('buffer_total_size_kb')).toBe('14 (expanded: 2816)\n');
    fs.write('trace_marker', 'first');
    expect(fs.read('buffer_size_kb')).toBe('1408\n');
    expect(before - free()).toBe(2 * Math.ceil((1408 * 1024) / 4080) + 1);
    for (let i = 0; i < 2000; i++) fs.write('trace_marker', `n=${i}`);
    expect(fs.write('buffer_size_kb', '16')).toBe(0);
    expect(before - free()).toBe(2 * Math.ceil((16 * 1024) / 4080) + 1);
    expect(fs.lines().at(-1)).toMatch(/n=1999$/);
    expect(fs.write('per_cpu/cpu1/buffer_size_kb', '32')).toBe(0);
    expect(fs.read('buffer_size_kb')).toBe('X\n');
    expect(fs.read('per_cpu/cpu0/buffer_size_kb')).toBe('16\n');
    expect(fs.write('buffer_size_kb', '0')).toBe(-EINVAL);
    expect(fs.write('buffer_size_kb', '100000000')).toBeLessThan(0);
    expect(fs.lines().at(-1)).toMatch(/n=1999$/);
  });

  test('is smaller where RAM is', () => {
    const fs = tracefs(boot({ memory: 16 * 2 ** 20, cpus: 4 }));
    expect(fs.read('buffer_size_kb')).toBe('7 (expanded: 256)\n');
  });
});

describe('a saved machine', () => {
  test('keeps records, settings and what is listened to', () => {
    const machine = boot();
    const fs = tracefs(machine);
    fs.write('events/kmem/kmalloc/filter', 'bytes_req == 64');
    fs.write('set_event', 'kmem:kmalloc kmem:kfree');
    fs.write('options/irq-info', '0');
    allocate(machine);
    const loaded = Machine.load(machine.save());
    const other = tracefs(loaded);
    expect(other.read('trace')).toBe(fs.read('trace'));
    expect(other.read('set_event')).toBe('kmem:kmalloc\nkmem:kfree\n');
    for (const m of [machine, loaded]) {
      allocate(m, 32);
      allocate(m, 64);
    }
    expect(other.read('trace')).toBe(fs.read('trace'));
    expect(other.lines()).toHaveLength(5);
    expect(loaded.memoryHash()).toBe(machine.memoryHash());
  });

  test('recording takes no virtual time', async () => {
    const ko = await build('trace_printk', source('trace_printk'));
    const [quiet, traced] = [boot(), boot()];
    tracefs(traced).write('set_event', '*:*');
    for (const machine of [quiet, traced]) machine.insmod(ko);
    expect(traced.now).toBe(quiet.now);
    expect(tracefs(traced).lines().length).toBeGreaterThan(20);
  });
});

test('the format file says where the fields of a record are', () => {
  const machine = boot();
  const fs = tracefs(machine);
  fs.write('trace_options', 'nohash-ptr');
  fs.write('events/kmem/enable', '1');
  const { slub, tracing } = machine.kernel;
  const cache = slub.kmemCacheCreate('formatted', 100, 0, 0, 0);
  slub.kmemCacheFree(cache, slub.kmemCacheAlloc(cache, GFP_KERNEL));
  allocate(machine, 100);
  let compared = 0;
  const lines = fs.lines();
  let i = 0;
  for (const { data } of tracing.trace.buffer.events(0)) {
    const line = lines[i++];
    const file = tracing.events.files.find(({ id }) => id === data.getUint16(0, true))!;
    const format = fs.read(`events/kmem/${file.event}/format`);
    expect(line).toContain(`: ${file.event}: `);
    for (const [, declaration, offset, size, signed] of format.matchAll(
      /field:(.*);\toffset:(\d+);\tsize:(\d+);\tsigned:(\d);/g,
    )) {
      const [name] = /\w+(?=(\[.*\])?$)/.exec(declaration)!;
      const shown = new RegExp(` ${name}=(\\S+)`).exec(line)?.[1];
      if (shown === undefined || ['call_site', 'gfp_flags'].includes(name)) continue;
      compared++;
      expect(fieldText(data, declaration, Number(offset), Number(size), signed === '1', shown), name).toBe(
        shown,
      );
    }
  }
  expect(compared).toBeGreaterThan(20);
});

/** A field of a record, read as its declaration says, in the base in which it is shown. */
function fieldText(
  data: DataView,
  declaration: string,
  offset: number,
  size: number,
  signed: boolean,
  shown: string,
): string {
  if (declaration.startsWith('__data_loc')) {
    const where = data.getUint32(offset, true);
    const start = data.byteOffset + (where & 0xffff);
    return new TextDecoder().decode(new Uint8Array(data.buffer, start, (where >>> 16) - 1));
  }
  if (size === 1) return data.getUint8(offset) === 1 ? 'true' : 'false';
  let value = 0n;
  for (let i = size - 1; i >= 0; i--) value = (value << 8n) | BigInt(data.getUint8(offset + i));
  if (signed) value = BigInt.asIntN(8 * size, value);
  if (declaration.includes('*')) return value.toString(16).padStart(16, '0');
  return shown.startsWith('0x') ? `0x${value.toString(16)}` : String(value);
}
