// SPDX-License-Identifier: MIT
import { decodeLines } from '@pagewalk/kernel/arch/wasm64/lines';
import { parseObject } from '@pagewalk/kernel/arch/wasm64/object';
import { afterAll, describe, expect, test } from 'vitest';
import { ToolRunner } from './clang.js';
import { decodeDebugLine } from './debug_line.js';
import { encodeLines, linesOf } from './lines.js';
import { findCustom, readSections } from './object.js';
import { spawnNodeWorker } from './worker.node.js';

const tools = new ToolRunner(spawnNodeWorker);
afterAll(() => tools.close());

const SAMPLE = `#include "inline.h"
extern int printk(const char *, ...);
extern void *kmalloc(unsigned long, unsigned);

static int twice(int x)
{
	printk("twice %d", x);
	return 2 * x;
}

int sum(int n)
{
	int total = 0;
	for (int i = 0; i < n; i++) {
		if (i % 3 == 0)
			total += twice(i);
		else
			total += from_header(i);
	}
	return total;
}

void *allocate(unsigned long size)
{
	void *p = kmalloc(size,
			  0xcc0);
	if (!p)
		printk("no memory");
	return p;
}
`;
const HEADER = `extern int other(int);
static inline int from_header(int x)
{
	return other(x) + 1;
}
`;

async function compile(...flags: string[]): Promise<Uint8Array> {
  const { outputs, stderr } = await tools.run({
    args: [
      'clang',
      '--target=wasm64-unknown-emscripten',
      '-O2',
      '-g',
      ...flags,
      '-c',
      'dir/a.c',
      '-o',
      'a.o',
    ],
    files: { 'dir/a.c': SAMPLE, 'dir/inline.h': HEADER },
    outputs: ['a.o'],
  });
  expect(stderr).toBe('');
  return outputs['a.o'];
}

const CALL = 0x10;

/** Code offsets of all direct calls, found by their relocations (R_WASM_FUNCTION_INDEX_LEB). */
function calls(file: Uint8Array): number[] {
  const { code, codeRelocations } = parseObject(file);
  const offsets = codeRelocations.filter((r) => r.type === 0).map((r) => r.offset - 1);
  for (const offset of offsets) expect(code[offset]).toBe(CALL);
  return offsets;
}

async function addr2line(file: Uint8Array, offsets: number[]): Promise<string[]> {
  const args = ['addr2line', '-e', 'a.o', ...offsets.map((o) => `0x${o.toString(16)}`)];
  const { stdout } = await tools.run({ args, files: { 'a.o': file }, outputs: [] });
  return stdout.trim().split('\n');
}

describe('line table', () => {
  test.each([['-gdwarf-4'], ['-gdwarf-5'], ['-O0']])(
    'agrees with addr2line at every call (%s)',
    async (flag) => {
      const object = await compile(flag);
      const table = decodeLines(linesOf(readSections(object))!);
      const offsets = calls(object);
      expect(offsets.length).toBeGreaterThan(3);
      const expected = await addr2line(object, offsets);
      const found = offsets.map((offset) => {
        const at = table.lookup(offset);
        return at ? `/${at.file}:${at.line}` : '??:0';
      });
      expect(found).toEqual(
        expected.map((line) => line.replace(/ \(discriminator \d+\)/, '').replace(':?', ':0')),
      );
      expect(new Set(table.files)).toContain('dir/inline.h');
    },
  );

  test('is empty outside of functions, and before the first', async () => {
    const table = decodeLines(linesOf(readSections(await compile()))!);
    expect(table.lookup(0)).toBeUndefined();
    expect(table.lookup(1 << 20)).toBeUndefined();
  });

  test('decodes to the rows that it was made from, without those of no length', () => {
    const rows = [
      { offset: 2, file: 'a.c', line: 300 },
      { offset: 2, file: 'a.c', line: 5 },
      { offset: 9, file: 'ü.h', line: 7 },
      { offset: 12, file: 'ü.h', line: 7 },
      { offset: 400, file: 'a.c', line: 6 },
      { offset: 404, file: '', line: 0 },
    ];
    const table = decodeLines(encodeLines(rows));
    expect(table.files).toEqual(['a.c', 'ü.h']);
    expect([...table.rowOffsets]).toEqual([2, 9, 400, 404]);
    expect(table.lookup(8)).toEqual({ file: 'a.c', line: 5 });
    expect(table.lookup(399)).toEqual({ file: 'ü.h', line: 7 });
    expect(table.lookup(404)).toBeUndefined();
  });

  test('a damaged section is a format error, never anything else', async () => {
    const payload = linesOf(readSections(await compile()))!;
    const debug = findCustom(readSections(await compile('-gdwarf-5')), '.debug_line')!.payload;
    for (let i = 0; i < payload.length; i++) {
      const damaged = payload.slice();
      damaged[i] ^= 0x80;
      expectFormatError(() => decodeLines(damaged));
      expectFormatError(() => decodeLines(payload.subarray(0, i)));
    }
    for (let i = 0; i < debug.length; i++) {
      const damaged = debug.slice();
      damaged[i] ^= 0xff;
      expectFormatError(() => decodeDebugLine({ line: damaged }));
    }
  });
});

function expectFormatError(run: () => void): void {
  try {
    run();
  } catch (error) {
    expect((error as Error).name).toBe('FormatError');
  }
}
