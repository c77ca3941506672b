// SPDX-License-Identifier: MIT
import { decodeLines, LINES_SECTION } from '@pagewalk/kernel/arch/wasm64/lines';
import { parseObject } from '@pagewalk/kernel/arch/wasm64/object';
import { afterAll, describe, expect, test } from 'vitest';
import { splitModinfo } from './compile.js';
import { MemoryCache, parseSymvers, Toolchain, writeSymvers } from './index.js';
import { TEST_HEADERS } from './testing.js';
import { spawnNodeWorker } from './worker.node.js';

const kernelSymbols = ['_printk', 'kmalloc', 'kfree', 'strcpy'].map((name) => ({ name, gplOnly: false }));
const toolchain = new Toolchain({ headers: TEST_HEADERS, spawn: spawnNodeWorker, kernelSymbols });
afterAll(() => toolchain.close());

const HELLO = `#include <linux/module.h>
MODULE_LICENSE("GPL");
MODULE_AUTHOR("A");
MODULE_VERSION("1.0");
static int __init hello_init(void)
{
	printk("hello\\n");
	return 0;
}
module_init(hello_init);
`;

describe('buildModule', () => {
  test('one file: symbols, lines and modinfo in the order that modinfo shows', async () => {
    const { ko, stderr } = await toolchain.buildModule({ name: 'hello', sources: { 'hello.c': HELLO } });
    expect(stderr).toBe('');
    const object = parseObject(ko!);
    expect([...object.customSections.keys()].filter((name) => name.startsWith('.debug'))).toEqual([]);
    const info = splitModinfo(object.customSections.get('modinfo')!);
    expect(info.map((entry) => entry.replace(/^(srcversion=)[0-9A-F]{24}$/, '$1…'))).toEqual([
      'version=1.0',
      'author=A',
      'license=GPL',
      'srcversion=…',
      'depends=',
      'name=hello',
      'vermagic=6.1.0-pagewalk SMP preempt mod_unload ',
    ]);
    const lines = decodeLines(object.customSections.get(LINES_SECTION)!);
    const call = object.codeRelocations.find((r) => object.symbols[r.index].name === '_printk')!;
    expect(lines.lookup(call.offset)).toEqual({ file: 'hello.c', line: 7 });
  });

  test('several files become one module, and line numbers know which', async () => {
    const sources = {
      'main.c': `#include <linux/module.h>\n#include "part.h"\nMODULE_LICENSE("GPL");\nint init_module(void)\n{\n\treturn part(1);\n}\n`,
      'part.c': `#include <linux/module.h>\n#include "part.h"\nint part(int n)\n{\n\tprintk("part %d\\n", n);\n\treturn 0;\n}\n`,
      'part.h': 'int part(int n);\n',
    };
    const { ko, stderr } = await toolchain.buildModule({ name: 'both', sources });
    expect(stderr).toBe('');
    const object = parseObject(ko!);
    expect(object.imports.map((i) => i.name)).toEqual(['_printk']);
    const lines = decodeLines(object.customSections.get(LINES_SECTION)!);
    const call = object.codeRelocations.find((r) => object.symbols[r.index].name === '_printk')!;
    expect(lines.lookup(call.offset)).toEqual({ file: 'part.c', line: 5 });
  });

  test('what clang says is shown whole', async () => {
    const broken = 'int init_module(void)\n{\n\treturn nosuch;\n}\n#include "absent.h"\n';
    const { ko, stderr } = await toolchain.buildModule({ name: 'broken', sources: { 'broken.c': broken } });
    expect(ko).toBeUndefined();
    expect(stderr).toBe(`broken.c:3:9: error: use of undeclared identifier 'nosuch'
    3 |         return nosuch;
      |                ^~~~~~
broken.c:5:10: fatal error: 'absent.h' file not found
    5 | #include "absent.h"
      |          ^~~~~~~~~~
2 errors generated.
`);
  });

  test('modpost: no licence, and symbols that nobody exports', async () => {
    const source = 'extern int nowhere(void);\nint init_module(void) { return nowhere(); }\n';
    const { ko, stderr } = await toolchain.buildModule({ name: 'bad', sources: { 'bad.c': source } });
    expect(ko).toBeUndefined();
    expect(stderr).toBe(
      'ERROR: modpost: missing MODULE_LICENSE() in bad.o\nERROR: modpost: "nowhere" [bad.ko] undefined!\n',
    );
  });

  test('a symbol of another module makes a dependency; GPL-only ones want a GPL-compatible licence', async () => {
    const exporter = `#include <linux/module.h>\nMODULE_LICENSE("GPL");\nint shared(void) { return 1; }\nEXPORT_SYMBOL_GPL(shared);\n`;
    const first = await toolchain.buildModule({ name: 'first', sources: { 'first.c': exporter } });
    expect(first.exports).toEqual([{ name: 'shared', module: 'first', gplOnly: true }]);
    const user = (license: string) => ({
      name: 'second',
      sources: {
        's.c': `#include <linux/module.h>\nMODULE_LICENSE("${license}");\nint shared(void);\nint init_module(void) { return shared(); }\n`,
      },
      moduleSymbols: first.exports,
    });
    const second = await toolchain.buildModule(user('GPL'));
    expect(second.stderr).toBe('');
    expect(splitModinfo(parseObject(second.ko!).customSections.get('modinfo')!)).toContain('depends=first');
    expect((await toolchain.buildModule(user('Proprietary'))).stderr).toBe(
      "ERROR: modpost: GPL-incompatible module second.ko uses GPL-only symbol 'shared'\n",
    );
  });

  test('a symbol of a namespace is for those that import it', async () => {
    const exporter = `#include <linux/module.h>
MODULE_LICENSE("GPL");
int hidden(void) { return 1; }
EXPORT_SYMBOL_NS(hidden, VAULT);
`;
    const { exports } = await toolchain.buildModule({ name: 'vault', sources: { 'v.c': exporter } });
    expect(exports).toEqual([{ name: 'hidden', module: 'vault', gplOnly: false, namespace: 'VAULT' }]);
    const symvers = '0x00000000\thidden\tvault\tEXPORT_SYMBOL\tVAULT\n';
    expect(writeSymvers(exports)).toBe(symvers);
    expect(parseSymvers(symvers)).toEqual(exports);
    const user = (more: string) => ({
      name: 'user',
      sources: {
        'u.c': `#include <linux/module.h>
MODULE_LICENSE("GPL");
${more}
int hidden(void);
int init_module(void) { return hidden(); }
`,
      },
      moduleSymbols: exports,
    });
    const refused = await toolchain.buildModule(user('MODULE_INFO(import_ns, "CELLAR")'));
    expect(refused.ko).toBeUndefined();
    expect(refused.stderr).toBe(
      'ERROR: modpost: module user uses symbol hidden from namespace VAULT, but does not import it.\n',
    );
    expect((await toolchain.buildModule(user('MODULE_INFO(import_ns, "VAULT")'))).stderr).toBe('');
  });

  test('a call through a wrong cast breaks clang: it is named and compiled without optimization', async () => {
    const source = `#include <linux/module.h>
MODULE_LICENSE("GPL");
static __attribute__((noinline)) int foo(int a) { return a ? 5 : 7; }
int init_module(void) { return ((long (*)(long, long))foo)(1, 2) == 5; }
`;
    const { ko, stderr } = await toolchain.buildModule({ name: 'cast', sources: { 'cast.c': source } });
    expect(ko).toBeDefined();
    expect(stderr.split('\n')[0]).toBe(
      "warning: 'foo' is called directly through a cast to another type, which clang cannot compile with optimization: compiled with -O0 instead (docs/limits.md#wrong-casts)",
    );
  });

  test.each([
    ['int init_module(void) { asm volatile("cli"); return 0; }', 'assembly for other processors', 'assembly'],
    ['register long sp asm("rsp");\n', 'assembly for other processors', 'assembly'],
    [
      'int init_module(void) { int f(void) { return 1; } return f(); }',
      'functions inside',
      'nested-functions',
    ],
    ['#include <linux/usb/absent.h>\n', 'Pagewalk has no <linux/usb/absent.h>', 'headers'],
  ])('what the machine cannot do is explained: %s', async (source, text, section) => {
    const { ko, stderr } = await toolchain.buildModule({ name: 'x', sources: { 'x.c': source } });
    expect(ko).toBeUndefined();
    expect(stderr).toMatch(/^x\.c:1:\d+: (fatal )?error: /);
    const note = stderr.split('\n').find((line) => line.startsWith('note: '));
    expect(note).toContain(text);
    expect(note).toContain(`(docs/limits.md#${section})`);
  });

  test('a store through NULL is kept', async () => {
    const source = `#include <linux/module.h>\nMODULE_LICENSE("GPL");\nint init_module(void) { *(int *)0 = 1; return 0; }\n`;
    const { ko, stderr } = await toolchain.buildModule({ name: 'null', sources: { 'null.c': source } });
    expect(stderr).toBe('');
    const { code, functions } = parseObject(ko!);
    expect([...code.subarray(functions[0].start, functions[0].end)]).toContain(0x36); // i32.store
  });

  test('sources below /usr are found, and shown as such', async () => {
    const sources = {
      '/usr/src/u/u.c': '#include "u.h"\n#include <v.h>\nint init_module(void) { return x; }\n',
      '/usr/src/u/u.h': '',
      '/usr/src/v/v.h': '',
    };
    const { stderr } = await toolchain.buildModule({ name: 'u', sources, flags: ['-I/usr/src/v'] });
    expect(stderr).toMatch(/^\/usr\/src\/u\/u\.c:3:32: error: use of undeclared identifier 'x'/);
  });
});

describe('build cache', () => {
  test('an unchanged source does not start the compiler; a changed header does', async () => {
    let nrStarted = 0;
    const cache = new MemoryCache();
    const make = (headers: ReadonlyMap<string, string>) =>
      new Toolchain({
        headers,
        cache,
        spawn: (events) => {
          nrStarted++;
          return spawnNodeWorker(events);
        },
      });
    const build = async (headers: ReadonlyMap<string, string>) => {
      const toolchain = make(headers);
      const { ko } = await toolchain.buildModule({ name: 'hello', sources: { 'hello.c': HELLO } });
      toolchain.close();
      return ko;
    };
    const first = await build(TEST_HEADERS);
    expect(nrStarted).toBe(1);
    expect(await build(TEST_HEADERS)).toEqual(first);
    expect(nrStarted).toBe(1);
    const changed = new Map(TEST_HEADERS).set('linux/init.h', `${TEST_HEADERS.get('linux/init.h')}\n`);
    await build(changed);
    expect(nrStarted).toBe(2);
  });

  test('holds no more than it may, and drops what was unused for longest', async () => {
    const cache = new MemoryCache(100);
    await cache.put('a', new Uint8Array(40));
    await cache.put('b', new Uint8Array(40));
    await cache.get('a');
    await cache.put('c', new Uint8Array(40));
    expect(await cache.get('b')).toBeUndefined();
    expect(await cache.get('a')).toBeDefined();
    expect(await cache.get('c')).toBeDefined();
  });
});

describe('cancellation', () => {
  test('an abort ends a compile under way at once, and the toolchain can be used again', async () => {
    const slow = `#include <linux/module.h>\n${Array.from(
      { length: 4000 },
      (_, i) => `int f${i}(int x) { for (int i = 0; i < x; i++) x += i * ${i}; return x; }`,
    ).join('\n')}`;
    await toolchain.buildModule({ name: 'warm', sources: { 'hello.c': HELLO } });
    const controller = new AbortController();
    const reason = new Error('interrupted');
    setTimeout(() => controller.abort(reason), 100);
    const started = performance.now();
    const build = toolchain.buildModule({
      name: 'slow',
      sources: { 'slow.c': slow },
      signal: controller.signal,
    });
    await expect(build).rejects.toBe(reason);
    expect(performance.now() - started).toBeLessThan(5000);
    const { ko } = await toolchain.buildModule({ name: 'hello', sources: { 'hello.c': HELLO } });
    expect(ko).toBeDefined();
  });
});
