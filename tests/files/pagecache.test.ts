// SPDX-License-Identifier: MIT
/** What the page cache holds is counted where Linux counts it, and its coming and going can be seen. */

import { readFileSync } from 'node:fs';
import type { Machine } from '@pagewalk/kernel/machine';
import { afterAll, expect, test } from 'vitest';
import { boot, build, closeCompiler } from '../support/modules.js';
import { checkRebuild } from '../support/rebuild.js';

const source = readFileSync(new URL('../modules/pagecache.c', import.meta.url), 'utf8');

afterAll(closeCompiler);

function numberIn(machine: Machine, file: string, name: string): number {
  const text = new TextDecoder().decode(machine.readProc(file));
  return Number(new RegExp(`^${name}:?\\s+(\\d+)`, 'm').exec(text)?.[1]);
}

test('pages of files are counted, and listed by tracepoints', async () => {
  const ko = await build('pagecache', source);
  const machine = boot();
  const filePages = () => numberIn(machine, '/proc/vmstat', 'nr_file_pages');
  const cached = () => numberIn(machine, '/proc/meminfo', 'Cached');
  const before = { filePages: filePages(), cached: cached() };
  const seen: string[] = [];
  machine.tracepoints.listen('filemap:*', ({ name, text }) =>
    seen.push(`${name.replace('filemap:mm_filemap_', '')} ${text.replace(/pfn=0x[0-9a-f]+/, 'pfn=N')}`),
  );
  machine.insmod(ko);
  // Two pages are left when the module has been loaded.
  expect(filePages()).toBe(before.filePages + 2);
  expect(cached()).toBe(before.cached + 8);
  expect(numberIn(machine, '/proc/meminfo', 'Dirty')).toBe(0);
  const rebuilt = checkRebuild(machine);
  rebuilt.rmmod('pagecache');
  expect(numberIn(rebuilt, '/proc/vmstat', 'nr_file_pages')).toBe(before.filePages);
  machine.rmmod('pagecache');
  expect(filePages()).toBe(before.filePages);
  expect(cached()).toBe(before.cached);
  expect(seen.slice(0, 4)).toEqual([
    'add_to_page_cache dev 0:0 ino 0x0 pfn=N ofs=0 order=0',
    'add_to_page_cache dev 0:0 ino 0x0 pfn=N ofs=4096 order=0',
    'add_to_page_cache dev 0:0 ino 0x0 pfn=N ofs=40960 order=0',
    'delete_from_page_cache dev 0:0 ino 0x0 pfn=N ofs=4096 order=0',
  ]);
  const added = seen.filter((line) => line.startsWith('add'));
  expect(added.length).toBe(seen.length - added.length);
});
