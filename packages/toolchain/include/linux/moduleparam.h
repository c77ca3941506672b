/* SPDX-License-Identifier: MIT */
#pragma once

#include <linux/init.h>
#include <linux/stringify.h>
#include <linux/kernel.h>
#include <linux/export.h>

/*
 * One NUL-terminated "tag=text" in the custom section modinfo. The text is a string literal, or several in a row:
 * the assembler reads its source form, with the same escapes as C.
 */
#define __MODULE_INFO_TEXT(text...) #text
#define __MODULE_INFO(tag, text...) \
	__asm__(".section .custom_section.modinfo,\"\",@\n" \
		"\t.ascii \"" #tag "=\"\n" \
		"\t.ascii " __MODULE_INFO_TEXT(text) "\n" \
		"\t.byte 0\n" \
		"\t.section .text,\"\",@\n")
#define MODULE_PARAM_PREFIX

#define __MODULE_PARM_TYPE(name, _type) __MODULE_INFO(parmtype, #name ":" _type)
#define MODULE_PARM_DESC(_parm, desc) __MODULE_INFO(parm, #_parm ":" desc)

enum {
	KERNEL_PARAM_OPS_FL_NOARG = (1 << 0)
};
enum {
	KERNEL_PARAM_FL_UNSAFE = (1 << 0),
	KERNEL_PARAM_FL_HWPARAM = (1 << 1),
};

#define __module_param_call(prefix, _name, _ops, _arg, _perm, _level, _flags) \
	static const char __param_str_ ## _name[] = #_name; \
	static struct kernel_param __used __section("__param") __aligned(8) __param_ ## _name = { \
		.name = __param_str_ ## _name, \
		.mod = THIS_MODULE, \
		.ops = _ops, \
		.perm = VERIFY_OCTAL_PERMISSIONS(_perm), \
		.level = _level, \
		.flags = _flags, \
		{ .arg = _arg }, \
	}

#define module_param(name, type, perm) module_param_named(name, name, type, perm)
#define module_param_unsafe(name, type, perm) module_param_named_unsafe(name, name, type, perm)
#define module_param_named(name, value, type, perm) \
	param_check_ ## type(name, &(value)); \
	module_param_cb(name, &param_ops_ ## type, &value, perm); \
	__MODULE_PARM_TYPE(name, #type)
#define module_param_named_unsafe(name, value, type, perm) \
	param_check_ ## type(name, &(value)); \
	module_param_cb_unsafe(name, &param_ops_ ## type, &value, perm); \
	__MODULE_PARM_TYPE(name, #type)
#define module_param_hw_named(name, value, type, hwtype, perm) module_param_named(name, value, type, perm)
#define module_param_hw(name, type, hwtype, perm) module_param_named(name, name, type, perm)
#define module_param_cb(name, ops, arg, perm) \
	__module_param_call(MODULE_PARAM_PREFIX, name, ops, arg, perm, -1, 0)
#define module_param_cb_unsafe(name, ops, arg, perm) \
	__module_param_call(MODULE_PARAM_PREFIX, name, ops, arg, perm, -1, KERNEL_PARAM_FL_UNSAFE)
#define __level_param_cb(name, ops, arg, perm, level) \
	__module_param_call(MODULE_PARAM_PREFIX, name, ops, arg, perm, level, 0)
#define core_param_cb(name, ops, arg, perm) __level_param_cb(name, ops, arg, perm, 1)
#define device_param_cb(name, ops, arg, perm) __level_param_cb(name, ops, arg, perm, 6)
#define late_param_cb(name, ops, arg, perm) __level_param_cb(name, ops, arg, perm, 7)

/* The old form: functions in place of an ops table. */
#define module_param_call(name, _set, _get, arg, perm) \
	static const struct kernel_param_ops __param_ops_ ## name = { .flags = 0, .set = _set, .get = _get }; \
	__module_param_call(MODULE_PARAM_PREFIX, name, &__param_ops_ ## name, arg, perm, -1, 0)

#define module_param_string(name, string, len, perm) \
	static const struct kparam_string __param_string_ ## name = { len, string }; \
	__module_param_call(MODULE_PARAM_PREFIX, name, &param_ops_string, \
			    (void *)&__param_string_ ## name, perm, -1, 0); \
	__MODULE_PARM_TYPE(name, "string")

#define module_param_array(name, type, nump, perm) module_param_array_named(name, name, type, nump, perm)
#define module_param_array_named(name, array, type, nump, perm) \
	param_check_ ## type(name, &(array)[0]); \
	static const struct kparam_array __param_arr_ ## name = { \
		.max = ARRAY_SIZE(array), \
		.num = (unsigned int *)(void *)nump, \
		.ops = &param_ops_ ## type, \
		.elemsize = sizeof(array[0]), \
		.elem = array, \
	}; \
	__module_param_call(MODULE_PARAM_PREFIX, name, &param_array_ops, \
			    (void *)&__param_arr_ ## name, perm, -1, 0); \
	__MODULE_PARM_TYPE(name, "array of " #type)
#define module_param_hw_array(name, type, hwtype, nump, perm) module_param_array(name, type, nump, perm)

/* The address of the variable must be that of one of the named type. */
#define __param_check(name, p, type) \
	static inline type __always_unused *__check_ ## name(void) \
	{ \
		return (p); \
	}

#define param_check_byte(name, p) __param_check(name, p, unsigned char)
#define param_check_short(name, p) __param_check(name, p, short)
#define param_check_ushort(name, p) __param_check(name, p, unsigned short)
#define param_check_int(name, p) __param_check(name, p, int)
#define param_check_uint(name, p) __param_check(name, p, unsigned int)
#define param_check_long(name, p) __param_check(name, p, long)
#define param_check_ulong(name, p) __param_check(name, p, unsigned long)
#define param_check_ullong(name, p) __param_check(name, p, unsigned long long)
#define param_check_hexint(name, p) param_check_uint(name, p)
#define param_check_charp(name, p) __param_check(name, p, char *)
#define param_check_bool(name, p) __param_check(name, p, bool)
#define param_check_bool_enable_only param_check_bool
#define param_check_invbool(name, p) __param_check(name, p, bool)
#define param_check_bint param_check_int

extern const struct kernel_param_ops param_ops_byte;
extern int param_set_byte(const char *val, const struct kernel_param *kp);
extern int param_get_byte(char *buffer, const struct kernel_param *kp);
extern const struct kernel_param_ops param_ops_short;
extern int param_set_short(const char *val, const struct kernel_param *kp);
extern int param_get_short(char *buffer, const struct kernel_param *kp);
extern const struct kernel_param_ops param_ops_ushort;
extern int param_set_ushort(const char *val, const struct kernel_param *kp);
extern int param_get_ushort(char *buffer, const struct kernel_param *kp);
extern const struct kernel_param_ops param_ops_int;
extern int param_set_int(const char *val, const struct kernel_param *kp);
extern int param_get_int(char *buffer, const struct kernel_param *kp);
extern const struct kernel_param_ops param_ops_uint;
extern int param_set_uint(const char *val, const struct kernel_param *kp);
extern int param_get_uint(char *buffer, const struct kernel_param *kp);
extern const struct kernel_param_ops param_ops_long;
extern int param_set_long(const char *val, const struct kernel_param *kp);
extern int param_get_long(char *buffer, const struct kernel_param *kp);
extern const struct kernel_param_ops param_ops_ulong;
extern int param_set_ulong(const char *val, const struct kernel_param *kp);
extern int param_get_ulong(char *buffer, const struct kernel_param *kp);
extern const struct kernel_param_ops param_ops_ullong;
extern int param_set_ullong(const char *val, const struct kernel_param *kp);
extern int param_get_ullong(char *buffer, const struct kernel_param *kp);
extern const struct kernel_param_ops param_ops_hexint;
extern int param_set_hexint(const char *val, const struct kernel_param *kp);
extern int param_get_hexint(char *buffer, const struct kernel_param *kp);
extern const struct kernel_param_ops param_ops_charp;
extern int param_set_charp(const char *val, const struct kernel_param *kp);
extern int param_get_charp(char *buffer, const struct kernel_param *kp);
extern const struct kernel_param_ops param_ops_bool;
extern int param_set_bool(const char *val, const struct kernel_param *kp);
extern int param_get_bool(char *buffer, const struct kernel_param *kp);
extern const struct kernel_param_ops param_ops_invbool;
extern int param_set_invbool(const char *val, const struct kernel_param *kp);
extern int param_get_invbool(char *buffer, const struct kernel_param *kp);
extern const struct kernel_param_ops param_ops_bool_enable_only;
extern int param_set_bool_enable_only(const char *val, const struct kernel_param *kp);
extern const struct kernel_param_ops param_ops_bint;
extern int param_set_bint(const char *val, const struct kernel_param *kp);
#define param_get_bint param_get_int
extern void param_free_charp(void *arg);
extern int param_set_uint_minmax(const char *val, const struct kernel_param *kp, unsigned int min,
				 unsigned int max);
extern const struct kernel_param_ops param_array_ops;
extern const struct kernel_param_ops param_ops_string;
extern int param_set_copystring(const char *val, const struct kernel_param *kp);
extern int param_get_string(char *buffer, const struct kernel_param *kp);

extern void kernel_param_lock(struct module *mod);
extern void kernel_param_unlock(struct module *mod);
