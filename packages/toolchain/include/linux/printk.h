/* SPDX-License-Identifier: MIT */
#pragma once

#include <linux/stdarg.h>
#include <linux/compiler.h>
#include <linux/init.h>
#include <linux/kern_levels.h>
#include <linux/ratelimit_types.h>
#include <linux/dynamic_debug.h>

extern __printf(1, 2) int _printk(const char *fmt, ...);
extern __printf(1, 0) int vprintk(const char *fmt, va_list args);
extern __printf(1, 2) __cold int _printk_deferred(const char *fmt, ...);
extern void dump_stack(void);
extern void dump_stack_lvl(const char *log_lvl);
extern bool printk_timed_ratelimit(unsigned long *caller_jiffies, unsigned int interval_msec);
extern int console_printk[];
#define console_loglevel (console_printk[0])
#define default_message_loglevel (console_printk[1])
#define CONSOLE_LOGLEVEL_DEFAULT 7
#define MESSAGE_LOGLEVEL_DEFAULT 4

#ifndef pr_fmt
#define pr_fmt(fmt) fmt
#endif

#define printk(fmt, ...) _printk(fmt, ##__VA_ARGS__)
#define printk_deferred(fmt, ...) _printk_deferred(fmt, ##__VA_ARGS__)
/* Checks the arguments against the format, and makes no code. */
#define no_printk(fmt, ...) \
	({ \
		if (0) \
			_printk(fmt, ##__VA_ARGS__); \
		0; \
	})

#define pr_emerg(fmt, ...) printk(KERN_EMERG pr_fmt(fmt), ##__VA_ARGS__)
#define pr_alert(fmt, ...) printk(KERN_ALERT pr_fmt(fmt), ##__VA_ARGS__)
#define pr_crit(fmt, ...) printk(KERN_CRIT pr_fmt(fmt), ##__VA_ARGS__)
#define pr_err(fmt, ...) printk(KERN_ERR pr_fmt(fmt), ##__VA_ARGS__)
#define pr_warn(fmt, ...) printk(KERN_WARNING pr_fmt(fmt), ##__VA_ARGS__)
#define pr_warning pr_warn
#define pr_notice(fmt, ...) printk(KERN_NOTICE pr_fmt(fmt), ##__VA_ARGS__)
#define pr_info(fmt, ...) printk(KERN_INFO pr_fmt(fmt), ##__VA_ARGS__)
#define pr_cont(fmt, ...) printk(KERN_CONT fmt, ##__VA_ARGS__)
#ifdef DEBUG
#define pr_devel(fmt, ...) printk(KERN_DEBUG pr_fmt(fmt), ##__VA_ARGS__)
#else
#define pr_devel(fmt, ...) no_printk(KERN_DEBUG pr_fmt(fmt), ##__VA_ARGS__)
#endif
#define pr_debug(fmt, ...) dynamic_pr_debug(fmt, ##__VA_ARGS__)

#define __pr_once(call) \
	({ \
		static bool __section(".data.once") __printed; \
		bool __first = !__printed; \
		if (unlikely(__first)) { \
			__printed = true; \
			call; \
		} \
		unlikely(__first); \
	})
#define printk_once(fmt, ...) __pr_once(printk(fmt, ##__VA_ARGS__))
#define printk_deferred_once(fmt, ...) __pr_once(printk_deferred(fmt, ##__VA_ARGS__))
#define pr_emerg_once(fmt, ...) printk_once(KERN_EMERG pr_fmt(fmt), ##__VA_ARGS__)
#define pr_alert_once(fmt, ...) printk_once(KERN_ALERT pr_fmt(fmt), ##__VA_ARGS__)
#define pr_crit_once(fmt, ...) printk_once(KERN_CRIT pr_fmt(fmt), ##__VA_ARGS__)
#define pr_err_once(fmt, ...) printk_once(KERN_ERR pr_fmt(fmt), ##__VA_ARGS__)
#define pr_warn_once(fmt, ...) printk_once(KERN_WARNING pr_fmt(fmt), ##__VA_ARGS__)
#define pr_notice_once(fmt, ...) printk_once(KERN_NOTICE pr_fmt(fmt), ##__VA_ARGS__)
#define pr_info_once(fmt, ...) printk_once(KERN_INFO pr_fmt(fmt), ##__VA_ARGS__)
#define pr_devel_once(fmt, ...) __pr_once(pr_devel(fmt, ##__VA_ARGS__))
#define pr_debug_once(fmt, ...) __pr_once(pr_debug(fmt, ##__VA_ARGS__))

#define __pr_ratelimited(call) \
	({ \
		static DEFINE_RATELIMIT_STATE(_rs, DEFAULT_RATELIMIT_INTERVAL, DEFAULT_RATELIMIT_BURST); \
		if (__ratelimit(&_rs)) \
			call; \
	})
#define printk_ratelimited(fmt, ...) __pr_ratelimited(printk(fmt, ##__VA_ARGS__))
#define pr_emerg_ratelimited(fmt, ...) printk_ratelimited(KERN_EMERG pr_fmt(fmt), ##__VA_ARGS__)
#define pr_alert_ratelimited(fmt, ...) printk_ratelimited(KERN_ALERT pr_fmt(fmt), ##__VA_ARGS__)
#define pr_crit_ratelimited(fmt, ...) printk_ratelimited(KERN_CRIT pr_fmt(fmt), ##__VA_ARGS__)
#define pr_err_ratelimited(fmt, ...) printk_ratelimited(KERN_ERR pr_fmt(fmt), ##__VA_ARGS__)
#define pr_warn_ratelimited(fmt, ...) printk_ratelimited(KERN_WARNING pr_fmt(fmt), ##__VA_ARGS__)
#define pr_notice_ratelimited(fmt, ...) printk_ratelimited(KERN_NOTICE pr_fmt(fmt), ##__VA_ARGS__)
#define pr_info_ratelimited(fmt, ...) printk_ratelimited(KERN_INFO pr_fmt(fmt), ##__VA_ARGS__)
#define pr_devel_ratelimited(fmt, ...) __pr_ratelimited(pr_devel(fmt, ##__VA_ARGS__))
#define pr_debug_ratelimited(fmt, ...) __pr_ratelimited(pr_debug(fmt, ##__VA_ARGS__))

extern int __printk_ratelimit(const char *func);
#define printk_ratelimit() __printk_ratelimit(__func__)

static inline int printk_get_level(const char *buffer)
{
	if (buffer[0] == KERN_SOH_ASCII && buffer[1])
		return (buffer[1] >= '0' && buffer[1] <= '7') || buffer[1] == 'c' ? buffer[1] : 0;
	return 0;
}

static inline const char *printk_skip_level(const char *buffer)
{
	return printk_get_level(buffer) ? buffer + 2 : buffer;
}

enum {
	DUMP_PREFIX_NONE,
	DUMP_PREFIX_ADDRESS,
	DUMP_PREFIX_OFFSET
};
extern int hex_dump_to_buffer(const void *buf, size_t len, int rowsize, int groupsize, char *linebuf,
			      size_t linebuflen, bool ascii);
extern void print_hex_dump(const char *level, const char *prefix_str, int prefix_type, int rowsize,
			   int groupsize, const void *buf, size_t len, bool ascii);
#define print_hex_dump_debug(prefix_str, prefix_type, rowsize, groupsize, buf, len, ascii) \
	dynamic_hex_dump(prefix_str, prefix_type, rowsize, groupsize, buf, len, ascii)
#define print_hex_dump_bytes(prefix_str, prefix_type, buf, len) \
	print_hex_dump_debug(prefix_str, prefix_type, 16, 1, buf, len, true)

/* %pV: a format and its arguments as one argument. */
struct va_format {
	const char *fmt;
	va_list *va;
};
