/* SPDX-License-Identifier: MIT */
#pragma once

#include <linux/compiler.h>
#include <linux/stringify.h>
#include <linux/types.h>
enum module_state {
	MODULE_STATE_LIVE,
	MODULE_STATE_COMING,
	MODULE_STATE_GOING,
	MODULE_STATE_UNFORMED,
};

#include <generated/module_types.h>

#define THIS_MODULE (&__this_module)
extern struct module __this_module;

/* One entry of the module's symbol table; modpost's part is done by the loader. */
#define ___EXPORT_SYMBOL(sym, sec, ns) \
	extern typeof(sym) sym; \
	static const char __kstrtab_ ## sym[] __used __section("__ksymtab_strings") = #sym; \
	static const char __kstrtabns_ ## sym[] __used __section("__ksymtab_strings") = ns; \
	static const struct kernel_symbol __ksymtab_ ## sym __used __section("__ksymtab" sec) = { \
		.value = (unsigned long)&sym, \
		.name = __kstrtab_ ## sym, \
		.namespace = __kstrtabns_ ## sym, \
	}
#define __EXPORT_SYMBOL(sym, sec, ns) ___EXPORT_SYMBOL(sym, sec, ns)

#ifdef DEFAULT_SYMBOL_NAMESPACE
#define _EXPORT_SYMBOL(sym, sec) __EXPORT_SYMBOL(sym, sec, __stringify(DEFAULT_SYMBOL_NAMESPACE))
#else
#define _EXPORT_SYMBOL(sym, sec) __EXPORT_SYMBOL(sym, sec, "")
#endif
#define EXPORT_SYMBOL(sym) _EXPORT_SYMBOL(sym, "")
#define EXPORT_SYMBOL_GPL(sym) _EXPORT_SYMBOL(sym, "_gpl")
#define EXPORT_SYMBOL_NS(sym, ns) __EXPORT_SYMBOL(sym, "", #ns)
#define EXPORT_SYMBOL_NS_GPL(sym, ns) __EXPORT_SYMBOL(sym, "_gpl", #ns)
