// SPDX-License-Identifier: MIT
/** The tracepoints of kmem as a listener, as ftrace's text and as Perfetto's JSON see them. */

import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Machine } from '@pagewalk/kernel/machine';
import { ftraceLine, ftraceText } from '@pagewalk/kernel/trace/ftrace_text';
import { perfettoJson } from '@pagewalk/kernel/trace/perfetto';
import type { TraceRecord } from '@pagewalk/kernel/trace/registry';
import { afterAll, describe, expect, test } from 'vitest';
import { boot, build, closeCompiler } from '../support/modules.js';

afterAll(closeCompiler);

const path = (name: string) => fileURLToPath(new URL(name, import.meta.url));

/** Every kind of allocation once. */
const SOURCE = `
#include <linux/gfp.h>
#include <linux/module.h>
#include <linux/slab.h>
static int __init trace_init(void)
{
	struct kmem_cache *cache = kmem_cache_create("traced", 100, 0, 0, NULL);
	void *object = kmem_cache_alloc(cache, GFP_ATOMIC);
	char *bytes = kmalloc(256, GFP_KERNEL);
	char *zeros = kzalloc(8, GFP_KERNEL_ACCOUNT);
	char *large = kmalloc(20000, GFP_KERNEL | __GFP_NOWARN);
	unsigned long pages = __get_free_pages(GFP_KERNEL, 2);

	free_pages(pages, 2);
	kfree(large);
	kfree(zeros);
	kfree(bytes);
	kfree(NULL);
	kmem_cache_free(cache, object);
	kmem_cache_destroy(cache);
	return 0;
}
module_init(trace_init);
MODULE_LICENSE("GPL");
`;

async function traced(events: string): Promise<{ machine: Machine; records: TraceRecord[] }> {
  const ko = await build('traced', SOURCE);
  const machine = boot();
  const records: TraceRecord[] = [];
  const stop = machine.trace(events, (record) => records.push(record));
  expect(machine.insmod(ko)).toEqual({ status: 0 });
  stop();
  machine.kernel.slub.kmalloc(64, 0);
  return { machine, records };
}

/** What the module itself did. */
const own = ({ text }: TraceRecord) => text.includes('[traced]');

/** Addresses, frames and sizes of functions change whenever the kernel's own data or the compiler does. */
const comparable = (text: string): string =>
  text
    .replace(/\b0x[0-9a-f]+\b/g, '0xN')
    .replace(/\b[0-9a-f]{16}\b/g, 'ADDRESS')
    .replace(/ +\d+\.\d{6}:/g, ' TIME:');

describe('kmem', () => {
  test('the tracepoints of 6.1 are there under its names', () => {
    expect(boot().tracepoints.match('kmem:* filemap:*')).toEqual([
      'filemap:mm_filemap_add_to_page_cache',
      'filemap:mm_filemap_delete_from_page_cache',
      'kmem:kfree',
      'kmem:kmalloc',
      'kmem:kmem_cache_alloc',
      'kmem:kmem_cache_free',
      'kmem:mm_page_alloc',
      'kmem:mm_page_alloc_extfrag',
      'kmem:mm_page_alloc_zone_locked',
      'kmem:mm_page_free',
      'kmem:mm_page_free_batched',
      'kmem:mm_page_pcpu_drain',
    ]);
  });

  test('patterns are those of set_event', () => {
    const { tracepoints } = boot();
    const kmem = tracepoints.names().filter((name) => name.startsWith('kmem:'));
    expect(tracepoints.match('kmalloc')).toEqual(['kmem:kmalloc']);
    expect(tracepoints.match('kmem:kmem_cache_*, kfree')).toEqual([
      'kmem:kfree',
      'kmem:kmem_cache_alloc',
      'kmem:kmem_cache_free',
    ]);
    expect(tracepoints.match('kmem:')).toEqual(kmem);
    expect(tracepoints.match('kmem')).toEqual(kmem);
    expect(tracepoints.match('*:*')).toEqual(tracepoints.names());
    for (const none of ['', 'malloc', 'shed:*', 'kmem:kmallo', '.*'])
      expect(tracepoints.match(none)).toEqual([]);
  });

  test('ftrace text, in the order of the calls', async () => {
    const { records } = await traced('kmem:k*');
    const text = comparable(ftraceText(records.filter(own), 1));
    const golden = path('kmem.txt');
    if (process.env['GOLDEN'] === 'write') writeFileSync(golden, text);
    expect(existsSync(golden), 'kmem.txt is missing').toBe(true);
    expect(text).toBe(readFileSync(golden, 'utf8'));
  });

  test('pages say frame, order and flags', async () => {
    const { records } = await traced('kmem:mm_page_*');
    const lines = records.map(({ name, text }) => `${name} ${comparable(text)}`);
    expect(lines).toContain(
      'kmem:mm_page_alloc page=ADDRESS pfn=0xN order=2 migratetype=0 gfp_flags=GFP_KERNEL',
    );
    expect(lines).toContain('kmem:mm_page_free page=ADDRESS pfn=0xN order=2');
    expect(lines.some((line) => /^kmem:mm_page_alloc_zone_locked .*percpu_refill=1$/.test(line))).toBe(true);
  });

  test('listening changes nothing in the machine', async () => {
    const ko = await build('traced', SOURCE);
    const [quiet, watched] = [boot(), boot()];
    const stop = watched.trace('kmem:*', () => {});
    for (const machine of [quiet, watched]) machine.insmod(ko);
    stop();
    expect(Buffer.compare(quiet.kernel.ram.u8, watched.kernel.ram.u8)).toBe(0);
  });
});

test('a line is laid out as trace_print_context() does', () => {
  const event = { name: 'kmem:kfree', ns: 16_999, cpu: 0, pid: 78, comm: 'insmod', fields: {}, text: 'x' };
  expect(ftraceLine(event)).toBe('          insmod-78      [000] .....     0.000017: kfree: x');
  expect(ftraceLine({ ...event, ns: 12_345_678_901_000, cpu: 3, pid: 0 })).toBe(
    '          <idle>-0       [003] ..... 12345.678901: kfree: x',
  );
});

test("Perfetto's JSON: a track for the task, instants with fields, counters that come back to zero", async () => {
  const { records } = await traced('kmem:k*');
  const { traceEvents } = JSON.parse(perfettoJson(records.filter(own))) as {
    traceEvents: { ph: string; name: string; tid?: number; ts?: number; args: Record<string, unknown> }[];
  };
  expect(traceEvents.slice(0, 2)).toEqual([
    { ph: 'M', name: 'process_name', pid: 1, args: { name: 'Pagewalk' } },
    { ph: 'M', name: 'thread_name', pid: 1, tid: 78, args: { name: 'insmod' } },
  ]);
  const kmalloc = traceEvents.find(({ args }) => args['bytes_req'] === 256)!;
  expect(kmalloc.args).toMatchObject({ bytes_alloc: 256, gfp_flags: 0xcc0, cpu: 0 });
  expect(kmalloc.args['ptr']).toMatch(/^0xffff8880[0-9a-f]{8}$/);
  const bytes = traceEvents.filter(({ ph }) => ph === 'C').map(({ args }) => args['value']);
  expect(Math.max(...bytes.map(Number))).toBe('traced'.length + 2 + 104 + 256 + 8 + 32768);
  expect(bytes.at(-1)).toBe(0);
  const times = traceEvents.flatMap(({ ts }) => (ts === undefined ? [] : [ts]));
  expect([...times].sort((a, b) => a - b)).toEqual(times);
});
