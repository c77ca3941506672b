// SPDX-License-Identifier: MIT
/** Headers small enough to see through, for tests of the toolchain itself. */

import type { HeaderTree } from './compile.js';

const MODULE_H = `#ifndef _LINUX_MODULE_H
#define _LINUX_MODULE_H
#include <linux/init.h>
extern int _printk(const char *fmt, ...);
#define printk _printk
#define MODULE_INFO(tag, info) \\
	asm(".section .custom_section.modinfo,\\"\\",@\\n .ascii \\"" #tag "=" info "\\"\\n .byte 0\\n");
#define MODULE_LICENSE(x) MODULE_INFO(license, x)
#define MODULE_AUTHOR(x) MODULE_INFO(author, x)
#define MODULE_DESCRIPTION(x) MODULE_INFO(description, x)
#define MODULE_VERSION(x) MODULE_INFO(version, x)
struct kernel_symbol { unsigned long value; const char *name; const char *namespace; };
#define __EXPORT(sym, sec, ns) \\
	static const struct kernel_symbol __ksymtab_##sym \\
	__attribute__((used, section(sec))) = { (unsigned long)&sym, #sym, ns };
#define EXPORT_SYMBOL(sym) __EXPORT(sym, "__ksymtab", 0)
#define EXPORT_SYMBOL_GPL(sym) __EXPORT(sym, "__ksymtab_gpl", 0)
#define EXPORT_SYMBOL_NS(sym, ns) __EXPORT(sym, "__ksymtab", #ns)
#endif
`;

const INIT_H = `#define __init
#define __exit
#define module_init(fn) int init_module(void) __attribute__((alias(#fn)));
#define module_exit(fn) void cleanup_module(void) __attribute__((alias(#fn)));
`;

export const TEST_HEADERS: HeaderTree = new Map([
  ['linux/module.h', MODULE_H],
  ['linux/init.h', INIT_H],
  ['linux/kconfig.h', '#define CONFIG_SMP 1\n#define CONFIG_HZ 250\n'],
  ['linux/kernel.h', '#include <linux/module.h>\n'],
]);
