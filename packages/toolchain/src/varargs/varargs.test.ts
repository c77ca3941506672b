// SPDX-License-Identifier: MIT
/** Arguments that do not fit their formats: found in the diagnostics, fitted in the intermediate representation. */
import { decodeLines, LINES_SECTION } from '@pagewalk/kernel/arch/wasm64/lines';
import { parseObject } from '@pagewalk/kernel/arch/wasm64/object';
import { afterAll, describe, expect, test } from 'vitest';
import { ToolRunner } from '../clang.js';
import { prepareCompile } from '../compile.js';
import { MemoryCache, Toolchain } from '../index.js';
import { TEST_HEADERS } from '../testing.js';
import { spawnNodeWorker } from '../worker.node.js';
import { argumentSizes } from './conversions.js';
import { fitArguments } from './fit.js';
import { parseCall } from './ir_call.js';
import { fitObject } from './recompile.js';
import { formatWarnings } from './warnings.js';

test('conversions take 4 or 8 bytes each', () => {
  expect(argumentSizes('%d%5c%-8.3x%hhu%hX%#o%i')).toEqual([4, 4, 4, 4, 4, 4, 4]);
  expect(argumentSizes('%ld %llu %zx %tu %Lx %s %pISpc %20p')).toEqual([8, 8, 8, 8, 8, 8, 8, 8]);
  expect(argumentSizes('100%% %*d %.*s %*.*lx %*pbl')).toEqual([4, 4, 4, 8, 4, 4, 8, 4, 8]);
  expect(argumentSizes('%d %f %d')).toEqual([4]);
  expect(argumentSizes('%d %')).toEqual([4]);
});

describe('warnings', () => {
  const of = (message: string) => formatWarnings(`a/b.c:3:9: warning: ${message}\n  3 | x\n`);
  const mismatch = (wanted: string, given: string) =>
    of(`format specifies type ${wanted} but the argument has type ${given} [-Wformat]`);

  test('other sizes count, typedefs seen through', () => {
    expect(mismatch("'int'", "'__size_t' (aka 'unsigned long')")).toEqual([{ file: 'a/b.c', line: 3 }]);
    expect(mismatch("'char *'", "'int'")).toHaveLength(1);
    expect(mismatch("'int'", "'struct page'")).toHaveLength(1);
    expect(of("field width should have type 'int', but argument has type 'long' [-Wformat]")).toHaveLength(1);
    expect(of("more '%' conversions than data arguments [-Wformat-insufficient-args]")).toHaveLength(1);
  });

  test('equal sizes do not, nor do other warnings', () => {
    expect(mismatch("'unsigned long'", "'u64' (aka 'unsigned long long')")).toEqual([]);
    expect(mismatch("'unsigned long'", "'char *'")).toEqual([]);
    expect(mismatch("'char'", "'int'")).toEqual([]);
    expect(of('data argument not used by format string [-Wformat-extra-args]')).toEqual([]);
    expect(of("unused variable 'x' [-Wunused-variable]")).toEqual([]);
  });
});

test('calls are taken apart, whatever their arguments are', () => {
  const line =
    '  %call = tail call noundef i32 (ptr, i64, ...) @f(ptr noundef @.str, i64 1, ptr align 8 %"a,b)", i64 ptrtoint (ptr @x to i64), ptr byval(%struct.s) align 8 %p) #7, !dbg !12';
  const call = parseCall(line)!;
  expect(call).toMatchObject({ callee: 'f', nrFixed: 2, location: '!12' });
  expect(call.arguments.map(({ type, value }) => [type, value])).toEqual([
    ['ptr', '@.str'],
    ['i64', '1'],
    ['ptr', '%"a,b)"'],
    ['i64', 'ptrtoint (ptr @x to i64)'],
    ['byval', '%p'],
  ]);
  expect(call.before + call.arguments.map(({ text }) => text).join(', ') + call.after).toBe(line);
  expect(parseCall('  %1 = call i32 @f(ptr @.str)')).toBeUndefined();
});

describe('fitting', () => {
  const ir = (calls: string[]) =>
    [
      '@.str = private unnamed_addr constant [9 x i8] c"\\016%d, %ld\\00", align 1',
      ...calls.map((call, i) => `  call void (ptr, ...) ${call}, !dbg !${10 + i}`),
      '!1 = !DIFile(filename: "dir/a.c", directory: "/")',
      '!2 = distinct !DISubprogram(name: "f", file: !1, line: 1)',
      ...calls.map((_, i) => `!${10 + i} = !DILocation(line: ${10 + i}, column: 2, scope: !2)`),
    ].join('\n');
  const fit = (calls: string[], line = 10) => {
    const before = ir(calls);
    const fitted = fitArguments(before, [{ file: './dir/a.c', line }]);
    const old = before.split('\n');
    return { ...fitted, changed: fitted.ir.split('\n').filter((text) => !old.includes(text)) };
  };

  test('cut, widened with zeros, and added', () => {
    expect(fit(['@_printk(ptr @.str, i64 %1, i32 -1)']).changed).toEqual([
      '  %pagewalk.1.0 = trunc i64 %1 to i32',
      '  %pagewalk.1.1 = zext i32 -1 to i64',
      '  call void (ptr, ...) @_printk(ptr @.str, i32 %pagewalk.1.0, i64 %pagewalk.1.1), !dbg !10',
    ]);
    expect(fit(['@_printk(ptr @.str, ptr null)']).changed).toEqual([
      '  %pagewalk.1.0 = ptrtoint ptr null to i32',
      '  call void (ptr, ...) @_printk(ptr @.str, i32 %pagewalk.1.0, i64 0), !dbg !10',
    ]);
  });

  test('only calls that a warning is about, and not those that read', () => {
    const wrong = '@_printk(ptr @.str, i64 1, i64 2)';
    const right = '@_printk(ptr @.str, i32 1, i64 2)';
    expect(fit([wrong, wrong]).nrFitted).toBe(1);
    expect(fit([right, wrong]).nrFitted).toBe(0);
    expect(fit([wrong, right], 11).nrFitted).toBe(1); // an argument in a line behind its call's
    expect(fit(['@sscanf(ptr @.str, ptr %1, ptr %2)']).nrFitted).toBe(0);
    expect(fitArguments(ir([wrong]), [{ file: 'b.c', line: 10 }]).nrFitted).toBe(0);
  });

  test('what cannot be done is told', () => {
    const warning = { file: './dir/a.c', line: 10 };
    expect(fit(['@_printk(ptr %fmt, i64 1)'])).toMatchObject({ nrFitted: 0, unfitted: [warning] });
    expect(fit(['@_printk(ptr @.str, ptr byval(%struct.s) %1)']).unfitted).toEqual([warning]);
    expect(fit(['@_printk(ptr @.str, i128 1)']).unfitted).toEqual([warning]);
  });
});

describe('a module', () => {
  const runs: string[][] = [];
  const spawn: typeof spawnNodeWorker = (events) => {
    const worker = spawnNodeWorker(events);
    const post: typeof worker.post = (request) => {
      runs.push(request.args);
      worker.post(request);
    };
    return { ...worker, post };
  };
  const cache = new MemoryCache();
  const toolchain = new Toolchain({ headers: TEST_HEADERS, spawn, cache });
  const tools = new ToolRunner(spawnNodeWorker);
  afterAll(() => {
    toolchain.close();
    tools.close();
  });

  const source = (calls: string) => `#include <linux/module.h>
MODULE_LICENSE("GPL");
__attribute__((format(printf, 1, 2))) int _printk(const char *fmt, ...);
struct big { long a, b, c; };
int init_module(void)
{
	volatile long size = 16;
	struct big b = {};
	const char *fmt = size ? "%d %d" : "%d";
	${calls}
	return sizeof(b) + !fmt;
}
`;
  const build = async (calls: string, flags: string[] = []) => {
    runs.length = 0;
    return toolchain.buildModule({ name: 'm', sources: { 'm.c': source(calls) }, flags });
  };

  test('warnings are those of the first compile, lines stay true, and the cache has the fitted object', async () => {
    const { ko, stderr } = await build('printk("%d\\n",\n\t\tsize);\n\tprintk("%d\\n", 1);');
    expect(
      stderr,
    ).toBe(`m.c:11:3: warning: format specifies type 'int' but the argument has type 'long' [-Wformat]
   10 |         printk("%d\\n",
      |                 ~~
      |                 %ld
   11 |                 size);
      |                 ^~~~
1 warning generated.
`);
    expect(runs).toHaveLength(3);
    const object = parseObject(ko!);
    const lines = decodeLines(object.customSections.get(LINES_SECTION)!);
    const calls = object.codeRelocations.filter((r) => object.symbols[r.index].name === '_printk');
    expect(calls.map(({ offset }) => lines.lookup(offset)?.line)).toEqual([10, 12]);
    const again = await build('printk("%d\\n",\n\t\tsize);\n\tprintk("%d\\n", 1);');
    expect(runs).toHaveLength(0);
    expect(again).toEqual({ ko, stderr, exports: [] });
  });

  test('costs nothing without such a warning', async () => {
    const { stderr } = await build('int unused; printk("%d %lx\\n", 1, &size);');
    expect(stderr).toContain('[-Wunused-variable]');
    expect(stderr).toContain("type 'unsigned long' but the argument has type 'volatile long *'");
    expect(runs).toHaveLength(1);
  });

  test('without debugging information too', async () => {
    const cut = (await build('printk("%d\\n", (int)size);', ['-g0'])).ko!;
    const { ko } = await build('printk("%d\\n", size);', ['-g0']);
    expect(parseObject(ko!).code).toEqual(parseObject(cut).code);
  });

  test('what stays as it is gets a note', async () => {
    const { stderr } = await build('printk("%d %d\\n", b, 1);');
    expect(stderr.trimEnd().split('\n').at(-1)).toBe(
      'note: m.c:10: the arguments from this one on may print wrong (docs/limits.md#format-arguments)',
    );
  });

  test('an error in such a file is an error as ever', async () => {
    const { ko, stderr } = await build('printk("%d\\n", size);', ['-Werror']);
    expect(ko).toBeUndefined();
    expect(stderr).toContain('error: format specifies');
  });

  test('the way through the intermediate representation changes nothing by itself', async () => {
    const text = source('printk("%d\\n", size);\n\tprintk("%s\\n", fmt);');
    const read = async (path: string) => (path === 'm.c' ? text : undefined);
    const { args, files } = await prepareCompile(
      { tools, headers: TEST_HEADERS },
      { source: 'm.c', read, module: 'm' },
    );
    const sandbox = Object.fromEntries(files);
    const made = await tools.run({ args, files: sandbox, outputs: ['/.out.o'] });
    const direct = made.outputs['/.out.o'];
    const cast = { ...sandbox, 'm.c': text.replace(', size)', ', (int)size)') };
    const wanted = (await tools.run({ args, files: cast, outputs: ['/.out.o'] })).outputs['/.out.o'];
    const command = { args, files: sandbox, object: direct, stderr: made.stderr };
    const { object, unfitted } = await fitObject(command, (request) => tools.run(request));
    expect(unfitted).toEqual([]);
    expect(parseObject(object).code).toEqual(parseObject(wanted).code);
    expect(parseObject(object).code).not.toEqual(parseObject(direct).code);
    expect(object.length).toBeGreaterThan(0);
  });
});
