/* SPDX-License-Identifier: MIT */
#pragma once

#include <linux/stdarg.h>
#include <linux/align.h>
#include <linux/limits.h>
#include <linux/stddef.h>
#include <linux/types.h>
#include <linux/compiler.h>
#include <linux/container_of.h>
#include <linux/bitops.h>
#include <linux/kstrtox.h>
#include <linux/log2.h>
#include <linux/math.h>
#include <linux/minmax.h>
#include <linux/typecheck.h>
#include <linux/panic.h>
#include <linux/printk.h>
#include <linux/build_bug.h>
#include <linux/static_call_types.h>
#include <linux/instruction_pointer.h>
#include <asm/byteorder.h>
#include <uapi/linux/kernel.h>

#define STACK_MAGIC 0xdeadbeef
#define REPEAT_BYTE(x) ((~0ul / 0xff) * (x))
#define READ 0
#define WRITE 1

#define ARRAY_SIZE(arr) (sizeof(arr) / sizeof((arr)[0]) + __must_be_array(arr))
#define PTR_IF(cond, ptr) ((cond) ? (ptr) : NULL)
#define u64_to_user_ptr(x) ((void __user *)(uintptr_t)(u64)(x))

#define upper_32_bits(n) ((u32)(((n) >> 16) >> 16))
#define lower_32_bits(n) ((u32)((n) & 0xffffffff))
#define upper_16_bits(n) ((u16)((n) >> 16))
#define lower_16_bits(n) ((u16)((n) & 0xffff))

struct completion;
struct user;
struct file;

/* Reports a caller that holds a spinlock, or runs in an interrupt, where it may sleep. */
extern void __might_sleep(const char *file, int line);
extern void __cant_sleep(const char *file, int line, int preempt_offset);
extern int __cond_resched(void);
#define might_sleep() __might_sleep(__FILE__, __LINE__)
#define might_sleep_if(cond) \
	do { \
		if (cond) \
			might_sleep(); \
	} while (0)
#define might_resched() ((void)0)
#define cant_sleep() __cant_sleep(__FILE__, __LINE__, 0)
#define cant_migrate() ((void)0)
#define non_block_start() ((void)0)
#define non_block_end() ((void)0)
#define might_fault() might_sleep()

extern int num_to_str(char *buf, int size, unsigned long long num, unsigned int width);
extern __printf(2, 3) int sprintf(char *buf, const char *fmt, ...);
extern __printf(2, 0) int vsprintf(char *buf, const char *fmt, va_list args);
extern __printf(3, 4) int snprintf(char *buf, size_t size, const char *fmt, ...);
extern __printf(3, 0) int vsnprintf(char *buf, size_t size, const char *fmt, va_list args);
extern __printf(3, 4) int scnprintf(char *buf, size_t size, const char *fmt, ...);
extern __printf(3, 0) int vscnprintf(char *buf, size_t size, const char *fmt, va_list args);
extern __printf(2, 3) __malloc char *kasprintf(gfp_t gfp, const char *fmt, ...);
extern __printf(2, 0) __malloc char *kvasprintf(gfp_t gfp, const char *fmt, va_list args);
extern __printf(2, 0) const char *kvasprintf_const(gfp_t gfp, const char *fmt, va_list args);
extern __scanf(2, 3) int sscanf(const char *buf, const char *fmt, ...);
extern __scanf(2, 0) int vsscanf(const char *buf, const char *fmt, va_list args);
extern int no_hash_pointers_enable(char *str);

extern int get_option(char **str, int *pint);
extern char *get_options(const char *str, int nints, int *ints);
extern unsigned long long memparse(const char *ptr, char **retp);
extern bool parse_option_str(const char *str, const char *option);
extern char *next_arg(char *args, char **param, char **val);

extern int core_kernel_text(unsigned long addr);
extern int __kernel_text_address(unsigned long addr);
extern int kernel_text_address(unsigned long addr);
extern int func_ptr_is_kernel_text(void *ptr);

enum system_states {
	SYSTEM_BOOTING,
	SYSTEM_SCHEDULING,
	SYSTEM_FREEING_INITMEM,
	SYSTEM_RUNNING,
	SYSTEM_HALT,
	SYSTEM_POWER_OFF,
	SYSTEM_RESTART,
	SYSTEM_SUSPEND,
};
extern enum system_states system_state;

#include <linux/hex.h>

/* An ip of 0 stands for the place of the call. */
extern int __trace_printk(unsigned long ip, const char *fmt, ...) __printf(2, 3);
extern int __trace_bprintk(unsigned long ip, const char *fmt, ...) __printf(2, 3);
extern int __ftrace_vprintk(unsigned long ip, const char *fmt, __builtin_va_list args);
extern int __ftrace_vbprintk(unsigned long ip, const char *fmt, __builtin_va_list args);
extern int __trace_puts(unsigned long ip, const char *str, int size);
extern int __trace_bputs(unsigned long ip, const char *str);
extern void trace_dump_stack(int skip);
extern void tracing_on(void);
extern void tracing_off(void);
extern int tracing_is_on(void);
/* A format without arguments is no format: its text is recorded as it stands. */
#define trace_printk(fmt, ...)						\
do {									\
	if (sizeof(#__VA_ARGS__) > 1)					\
		do_trace_printk(fmt, ##__VA_ARGS__);			\
	else								\
		trace_puts(fmt);					\
} while (0)
#define do_trace_printk(fmt, ...)					\
	(__builtin_constant_p(fmt) ? __trace_bprintk(0, fmt, ##__VA_ARGS__) \
				   : __trace_printk(0, fmt, ##__VA_ARGS__))
#define trace_puts(str)							\
	(__builtin_constant_p(str) ? __trace_bputs(0, str)		\
				   : __trace_puts(0, str, __builtin_strlen(str)))
#define ftrace_vprintk(fmt, vargs) __ftrace_vprintk(0, fmt, vargs)

#define __CONCAT_ARGS(a, b) a ## b
#define CONCATENATE(a, b) __CONCAT_ARGS(a, b)
#define __COUNT_ARGS(_0, _1, _2, _3, _4, _5, _6, _7, _8, _9, _10, _11, _12, _n, X...) _n
#define COUNT_ARGS(X...) __COUNT_ARGS(, ##X, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0)

#define VERIFY_OCTAL_PERMISSIONS(perms) \
	(BUILD_BUG_ON_ZERO((perms) < 0) + \
	 BUILD_BUG_ON_ZERO((perms) > 0777) + \
	 BUILD_BUG_ON_ZERO((((perms) >> 6) & 4) < (((perms) >> 3) & 4)) + \
	 BUILD_BUG_ON_ZERO((((perms) >> 3) & 4) < ((perms) & 4)) + \
	 BUILD_BUG_ON_ZERO((((perms) >> 6) & 2) < (((perms) >> 3) & 2)) + \
	 BUILD_BUG_ON_ZERO((perms) & 2) + \
	 (perms))
