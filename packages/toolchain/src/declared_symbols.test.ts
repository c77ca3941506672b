// SPDX-License-Identifier: MIT
import { expect, test } from 'vitest';
import { declaredSymbols } from './declared_symbols.js';
import { loadHeaders } from './headers.node.js';

test('finds functions and variables under all their attributes', () => {
  const text = `
extern __printf(2, 0) __malloc char *kvasprintf(gfp_t gfp, const char *fmt, va_list args);
extern void *__kmalloc(size_t size, gfp_t flags) __malloc __alloc_size__(1);
extern struct task_struct *get_current(void) __attribute__((__const__));
extern unsigned long volatile jiffies;
extern char _text[], _end[];
#define EXPORT(sym) \\
	extern typeof(sym) sym; \\
	int x
static inline int not_this(void) { return 0; }
`;
  const { functions, variables } = declaredSymbols(new Map([['x.h', text]]));
  expect([...functions]).toEqual(['kvasprintf', '__kmalloc', 'get_current']);
  expect([...variables]).toEqual(['jiffies', '_text', '_end']);
});

test('the headers declare what every module needs', () => {
  const { functions, variables } = declaredSymbols(loadHeaders());
  for (const name of [
    '_printk',
    '__kmalloc',
    'kfree',
    'kmem_cache_alloc',
    '_raw_spin_lock',
    'strcpy',
    '__pagewalk_bug',
  ])
    expect(functions).toContain(name);
  for (const name of ['jiffies', '__this_module', 'param_ops_int', 'init_task'])
    expect(variables).toContain(name);
});
