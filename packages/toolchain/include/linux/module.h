/* SPDX-License-Identifier: MIT */
#pragma once

#include <linux/list.h>
#include <linux/stat.h>
#include <linux/buildid.h>
#include <linux/compiler.h>
#include <linux/cache.h>
#include <linux/kmod.h>
#include <linux/init.h>
#include <linux/stringify.h>
#include <linux/moduleparam.h>
#include <linux/export.h>
#include <linux/errno.h>
#include <linux/err.h>
#include <linux/string.h>
#include <linux/bug.h>
#include <linux/atomic.h>
#include <linux/gfp.h>
#include <linux/jump_label.h>
#include <linux/rcupdate.h>
#include <linux/percpu.h>
#include <linux/sched.h>
#include <linux/kobject.h>
#include <linux/mod_devicetable.h>

#define MODULE_INFO(tag, info) __MODULE_INFO(tag, info)
#define MODULE_LICENSE(_license) __MODULE_INFO(license, _license)
#define MODULE_AUTHOR(_author) __MODULE_INFO(author, _author)
#define MODULE_DESCRIPTION(_description) __MODULE_INFO(description, _description)
#define MODULE_VERSION(_version) __MODULE_INFO(version, _version)
#define MODULE_ALIAS(_alias) __MODULE_INFO(alias, _alias)
#define MODULE_SOFTDEP(_softdep) __MODULE_INFO(softdep, _softdep)
#define MODULE_FIRMWARE(_firmware) __MODULE_INFO(firmware, _firmware)
#define MODULE_IMPORT_NS(ns) __MODULE_INFO(import_ns, #ns)
#define MODULE_INTREE __MODULE_INFO(intree, "Y")
#define MODULE_SUPPORTED_DEVICE(name)
#define MODULE_ALIAS_CHARDEV(major, minor) \
	MODULE_ALIAS("char-major-" __stringify(major) "-" __stringify(minor))
#define MODULE_ALIAS_CHARDEV_MAJOR(major) MODULE_ALIAS("char-major-" __stringify(major) "-*")
#define MODULE_ALIAS_MISCDEV(minor) MODULE_ALIAS("char-major-" __stringify(10) "-" __stringify(minor))
#define MODULE_ALIAS_FS(name) MODULE_ALIAS("fs-" name)
/* No hardware is matched here: the table is only kept from being called unused. */
#define MODULE_DEVICE_TABLE(type, name) \
	extern typeof(name) __mod_ ## type ## __ ## name ## _device_table \
		__attribute__((unused, alias(#name)))

#define symbol_get(x) ((typeof(&x))(__symbol_get(#x)))
#define symbol_request(x) try_then_request_module(symbol_get(x), "symbol:" #x)
#define symbol_put(x) __symbol_put(#x)
extern void *__symbol_get(const char *symbol);
extern void __symbol_put(const char *symbol);
extern void symbol_put_addr(void *addr);

#define MODULE_SYMBOL_NAME_LEN (64 - 8 + 1)

extern bool try_module_get(struct module *module);
extern void module_put(struct module *module);
extern void __module_get(struct module *module);
extern int module_refcount(struct module *mod);
extern void __noreturn __module_put_and_kthread_exit(struct module *mod, long code);
#define module_put_and_kthread_exit(code) __module_put_and_kthread_exit(THIS_MODULE, code)

extern struct module *find_module(const char *name);
extern struct module *__module_address(unsigned long addr);
extern struct module *__module_text_address(unsigned long addr);
extern bool is_module_address(unsigned long addr);
extern bool is_module_text_address(unsigned long addr);
extern void print_modules(void);

static inline bool module_is_live(struct module *mod)
{
	return mod->state != MODULE_STATE_GOING;
}

static inline bool module_is_coming(struct module *mod)
{
	return mod->state == MODULE_STATE_COMING;
}

#define module_name(mod) \
	({ \
		struct module *__mod = (mod); \
		__mod ? __mod->name : "kernel"; \
	})

static inline bool within_module_core(unsigned long addr, const struct module *mod)
{
	return addr - (unsigned long)mod->core_layout.base < mod->core_layout.size;
}

static inline bool within_module_init(unsigned long addr, const struct module *mod)
{
	return addr - (unsigned long)mod->init_layout.base < mod->init_layout.size;
}

static inline bool within_module(unsigned long addr, const struct module *mod)
{
	return within_module_core(addr, mod) || within_module_init(addr, mod);
}

struct notifier_block;
extern int register_module_notifier(struct notifier_block *nb);
extern int unregister_module_notifier(struct notifier_block *nb);

/* A module may define these instead of naming its functions by module_init() and module_exit(). */
extern int init_module(void);
extern void cleanup_module(void);
