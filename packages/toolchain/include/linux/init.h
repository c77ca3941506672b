/* SPDX-License-Identifier: MIT */
#pragma once

#include <linux/build_bug.h>
#include <linux/compiler.h>
#include <linux/stringify.h>
#include <linux/types.h>

typedef int (*initcall_t)(void);
typedef void (*exitcall_t)(void);
typedef void (*ctor_fn_t)(void);

/*
 * A WebAssembly object keeps the sections of data, but not of functions. The tag goes into the debugging information,
 * where the toolchain finds it.
 */
#define __text_section(name) __section(name) __attribute__((__btf_decl_tag__("section=" name)))

#define __init __text_section(".init.text") __cold
#define __initdata __section(".init.data")
#define __initconst __section(".init.rodata")
#define __exit __text_section(".exit.text") __cold __used
#define __exitdata __section(".exit.data")
#define __refdata __section(".ref.data")
#define __refconst __section(".ref.rodata")
#define __ref __text_section(".ref.text") noinline
#define __meminit
#define __meminitdata
#define __init_or_module
#define __initdata_or_module
#define __initconst_or_module
#define __INIT
#define __FINIT
#define __exit_p(x) x

#ifndef MODULE
#error "Only modules are built here: -DMODULE is missing"
#endif

/*
 * One function pointer in a section of its own tells the loader what to call; the function keeps its name.
 * The initialisers check the type.
 */
#define module_init(initfn) \
	static initcall_t __UNIQUE_ID(module_init_) __used __section(".module_init") = initfn
#define module_exit(exitfn) \
	static exitcall_t __UNIQUE_ID(module_exit_) __used __section(".module_exit") = exitfn

/* In a module every initcall level is module_init. */
#define early_initcall(fn) module_init(fn)
#define core_initcall(fn) module_init(fn)
#define core_initcall_sync(fn) module_init(fn)
#define postcore_initcall(fn) module_init(fn)
#define arch_initcall(fn) module_init(fn)
#define subsys_initcall(fn) module_init(fn)
#define fs_initcall(fn) module_init(fn)
#define rootfs_initcall(fn) module_init(fn)
#define device_initcall(fn) module_init(fn)
#define late_initcall(fn) module_init(fn)
#define late_initcall_sync(fn) module_init(fn)
#define console_initcall(fn) module_init(fn)
#define __initcall(fn) module_init(fn)
#define __exitcall(fn) module_exit(fn)
#define __setup_param(str, unique_id, fn)
#define __setup(str, func)

extern bool initcall_debug;
