/* SPDX-License-Identifier: MIT */
#pragma once

#include <linux/compiler.h>
#include <linux/build_bug.h>
#include <linux/printk.h>
#include <linux/types.h>

/* `kernel BUG at FILE:LINE!`, an oops, and the end of the task. */
extern void __noreturn __cold __pagewalk_bug(const char *file, int line);
/* `WARNING: CPU: … at FILE:LINE` with registers and call trace, after the message, if any (fmt may be NULL). */
extern void __cold __printf(3, 4) __pagewalk_warn(const char *file, int line, const char *fmt, ...);
/* The same for WARN_TAINT. */
extern void __cold __printf(4, 5) __pagewalk_warn_taint(const char *file, int line, unsigned int taint,
							const char *fmt, ...);

#define BUG() __pagewalk_bug(__FILE__, __LINE__)
#define BUG_ON(condition) \
	do { \
		if (unlikely(condition)) \
			BUG(); \
	} while (0)

#define __WARN() __pagewalk_warn(__FILE__, __LINE__, NULL)
#define __WARN_printf(taint, arg...) __pagewalk_warn(__FILE__, __LINE__, arg)

#define WARN_ON(condition) \
	({ \
		int __ret_warn_on = !!(condition); \
		if (unlikely(__ret_warn_on)) \
			__WARN(); \
		unlikely(__ret_warn_on); \
	})
#define WARN(condition, format...) \
	({ \
		int __ret_warn_on = !!(condition); \
		if (unlikely(__ret_warn_on)) \
			__pagewalk_warn(__FILE__, __LINE__, format); \
		unlikely(__ret_warn_on); \
	})
#define WARN_TAINT(condition, taint, format...) \
	({ \
		int __ret_warn_on = !!(condition); \
		if (unlikely(__ret_warn_on)) \
			__pagewalk_warn_taint(__FILE__, __LINE__, taint, format); \
		unlikely(__ret_warn_on); \
	})

#define __warn_once(condition, call) \
	({ \
		static bool __section(".data.once") __already_done; \
		int __ret_warn_once = !!(condition); \
		if (unlikely(__ret_warn_once && !__already_done)) { \
			__already_done = true; \
			call; \
		} \
		unlikely(__ret_warn_once); \
	})
#define WARN_ON_ONCE(condition) __warn_once(condition, __WARN())
#define WARN_ONCE(condition, format...) \
	__warn_once(condition, __pagewalk_warn(__FILE__, __LINE__, format))
#define WARN_TAINT_ONCE(condition, taint, format...) \
	__warn_once(condition, __pagewalk_warn_taint(__FILE__, __LINE__, taint, format))
#define WARN_ON_SMP(x) WARN_ON(x)

#define CHECK_DATA_CORRUPTION(condition, fmt, ...) \
	({ \
		bool corruption = unlikely(condition); \
		WARN(corruption, fmt, ##__VA_ARGS__); \
		corruption; \
	})
