// SPDX-License-Identifier: MIT
import { afterAll, describe, expect, test } from 'vitest';
import { nodeToolchain } from './index.node.js';

const toolchain = nodeToolchain();
afterAll(() => toolchain.close());

/** What building a module of these sources says, without its being built. */
async function warnings(sources: Record<string, string>): Promise<string> {
  const { ko, stderr } = await toolchain.buildModule({ name: 'm', sources });
  expect(ko, stderr).toBeDefined();
  return stderr;
}

const HEAD = `#include <linux/init.h>
#include <linux/module.h>
#include <linux/printk.h>
MODULE_LICENSE("GPL");
int state;
`;
const MISMATCH = 'WARNING: modpost: m.o: section mismatch in reference:';

describe('section mismatches', () => {
  test('a module as it should be has none', async () => {
    const text = `${HEAD}
static int __initdata once = 3;
static const char name[] __initconst = "m";
static noinline int __init helper(int n) { pr_info("%s %d\\n", name, n); return n + once; }
static int __init m_init(void) { return helper(state) > 1000; }
static void __exit m_exit(void) { pr_info("bye\\n"); }
module_init(m_init);
module_exit(m_exit);
`;
    expect(await warnings({ 'm.c': text })).toBe('');
  });

  test('calls and data that are freed after init', async () => {
    const text = `${HEAD}
static int __initdata once = 3;
noinline int __init helper(int n) { pr_info("%d\\n", n); return n + once; }
noinline int caller(void) { state++; return helper(state); }
noinline int reader(void) { return ++once; }
int (*later)(int) = helper;
struct ops { int (*probe)(int); } my_ops = { helper };
int *pointer = &once;
static int __init m_init(void) { return caller() + reader() + later(2) + my_ops.probe(1) + *pointer > 1000; }
module_init(m_init);
`;
    expect((await warnings({ 'm.c': text })).trim().split('\n').sort()).toEqual([
      `${MISMATCH} caller (section: .text) -> helper (section: .init.text)`,
      `${MISMATCH} later (section: .data) -> helper (section: .init.text)`,
      `${MISMATCH} pointer (section: .data) -> once (section: .init.data)`,
      `${MISMATCH} reader (section: .text) -> once (section: .init.data)`,
      `${MISMATCH} reader (section: .text) -> once (section: .init.data)`,
    ]);
  });

  test('what __ref and __refdata excuse', async () => {
    const text = `${HEAD}
noinline int __init helper(int n) { pr_info("%d\\n", n); return n; }
int __ref caller(void) { state++; return helper(state); }
int (*later)(int) __refdata = helper;
static int __init m_init(void) { return caller() + later(2) > 1000; }
module_init(m_init);
`;
    expect(await warnings({ 'm.c': text })).toBe('');
  });

  test('init and exit, and what is exported', async () => {
    const text = `${HEAD}
noinline void __exit cleanup(void) { pr_info("cleanup %d\\n", state); }
noinline int __init setup(void) { pr_info("setup %d\\n", state); return state; }
EXPORT_SYMBOL_GPL(setup);
void plain(void) { state++; cleanup(); }
static int __init m_init(void) { int r = setup(); if (r) cleanup(); return r; }
static void __exit m_exit(void) { cleanup(); state = setup(); }
module_init(m_init);
module_exit(m_exit);
`;
    expect((await warnings({ 'm.c': text })).trim().split('\n').sort()).toEqual([
      'WARNING: modpost: m.o: EXPORT_SYMBOL used for init/exit symbol: setup (section: .init.text)',
      `${MISMATCH} m_exit (section: .exit.text) -> setup (section: .init.text)`,
      `${MISMATCH} m_init (section: .init.text) -> cleanup (section: .exit.text)`,
      `${MISMATCH} plain (section: .text) -> cleanup (section: .exit.text)`,
    ]);
  });

  test('functions of one name in two files are told apart', async () => {
    const sources = {
      'a.c': `${HEAD}
static noinline int __init helper(int n) { pr_info("a %d\\n", n); return n; }
extern int b(void);
static int __init m_init(void) { return helper(state) + b() > 1000; }
module_init(m_init);
`,
      'b.c': `#include <linux/init.h>
#include <linux/printk.h>
extern int state;
static noinline int helper(int n) { pr_info("b %d\\n", n); return n; }
int b(void) { return helper(state); }
`,
    };
    expect(await warnings(sources)).toBe('');
  });
});
