/* SPDX-License-Identifier: MIT */
#pragma once

#include <linux/types.h>

struct device;
struct net_device;

/* One for each pr_debug() call; the loader finds them in section __dyndbg. */
struct _ddebug {
	const char *modname;
	const char *function;
	const char *filename;
	const char *format;
	unsigned int lineno : 18;
	unsigned int class_id : 6;
	unsigned int flags : 8;
} __attribute__((aligned(8)));

#define _DPRINTK_CLASS_DFLT 63
#define _DPRINTK_FLAGS_NONE 0
#define _DPRINTK_FLAGS_PRINT (1 << 0)
#define _DPRINTK_FLAGS_INCL_MODNAME (1 << 1)
#define _DPRINTK_FLAGS_INCL_FUNCNAME (1 << 2)
#define _DPRINTK_FLAGS_INCL_LINENO (1 << 3)
#define _DPRINTK_FLAGS_INCL_TID (1 << 4)
#ifdef DEBUG
#define _DPRINTK_FLAGS_DEFAULT _DPRINTK_FLAGS_PRINT
#else
#define _DPRINTK_FLAGS_DEFAULT 0
#endif

extern __printf(2, 3) void __dynamic_pr_debug(struct _ddebug *descriptor, const char *fmt, ...);
extern __printf(3, 4) void __dynamic_dev_dbg(struct _ddebug *descriptor, const struct device *dev,
					     const char *fmt, ...);

#define DEFINE_DYNAMIC_DEBUG_METADATA(name, fmt) \
	static struct _ddebug __used __section("__dyndbg") name = { \
		.modname = KBUILD_MODNAME, \
		.function = __func__, \
		.filename = __FILE__, \
		.format = (fmt), \
		.lineno = __LINE__, \
		.class_id = _DPRINTK_CLASS_DFLT, \
		.flags = _DPRINTK_FLAGS_DEFAULT, \
	}
/* The switch may be thrown from outside at any time. */
#define DYNAMIC_DEBUG_BRANCH(descriptor) \
	unlikely(((volatile struct _ddebug *)&(descriptor))->flags & _DPRINTK_FLAGS_PRINT)

#define __dynamic_func_call(id, fmt, func, ...) \
	do { \
		DEFINE_DYNAMIC_DEBUG_METADATA(id, fmt); \
		if (DYNAMIC_DEBUG_BRANCH(id)) \
			func(&id, ##__VA_ARGS__); \
	} while (0)
#define __dynamic_func_call_no_desc(id, fmt, func, ...) \
	do { \
		DEFINE_DYNAMIC_DEBUG_METADATA(id, fmt); \
		if (DYNAMIC_DEBUG_BRANCH(id)) \
			func(__VA_ARGS__); \
	} while (0)

#define dynamic_pr_debug(fmt, ...) \
	__dynamic_func_call(__UNIQUE_ID(ddebug), fmt, __dynamic_pr_debug, pr_fmt(fmt), ##__VA_ARGS__)
#define dynamic_dev_dbg(dev, fmt, ...) \
	__dynamic_func_call(__UNIQUE_ID(ddebug), fmt, __dynamic_dev_dbg, dev, fmt, ##__VA_ARGS__)
#define dynamic_hex_dump(prefix_str, prefix_type, rowsize, groupsize, buf, len, ascii) \
	__dynamic_func_call_no_desc(__UNIQUE_ID(ddebug), \
				    __builtin_constant_p(prefix_str) ? prefix_str : "hexdump", print_hex_dump, \
				    KERN_DEBUG, prefix_str, prefix_type, rowsize, groupsize, buf, len, ascii)
