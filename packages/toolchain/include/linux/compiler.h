/* SPDX-License-Identifier: MIT */
#pragma once

#include <linux/compiler_types.h>

#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)
#define likely_notrace(x) likely(x)
#define unlikely_notrace(x) unlikely(x)

/* The machine runs one CPU at a time and never reorders: a barrier binds the compiler only. */
#define barrier() __asm__ __volatile__("" : : : "memory")
#define barrier_data(ptr) __asm__ __volatile__("" : : "r"(ptr) : "memory")
#define OPTIMIZER_HIDE_VAR(var) __asm__("" : "=r"(var) : "0"(var))
#define RELOC_HIDE(ptr, off) \
	({ \
		unsigned long __ptr = (unsigned long)(ptr); \
		OPTIMIZER_HIDE_VAR(__ptr); \
		(typeof(ptr))(__ptr + (off)); \
	})
#define unreachable() __builtin_unreachable()
#define annotate_unreachable() ((void)0)

#define READ_ONCE(x) (*(const volatile typeof(x) *)&(x))
#define __READ_ONCE(x) READ_ONCE(x)
#define READ_ONCE_NOCHECK(x) READ_ONCE(x)
#define WRITE_ONCE(x, val) \
	do { \
		*(volatile typeof(x) *)&(x) = (val); \
	} while (0)
#define __WRITE_ONCE(x, val) WRITE_ONCE(x, val)
#define data_race(expr) (expr)

#define __must_be_array(a) \
	(sizeof(struct { int : -!!(__same_type((a), &(a)[0])); }))
#define is_signed_type(type) (((type)(-1)) < (__force type)1)
#define is_unsigned_type(type) (!is_signed_type(type))
#define prevent_tail_call_optimization() barrier()

#define __is_constexpr(x) __builtin_constant_p(x)

#define _RET_IP_ ((unsigned long)__builtin_return_address(0))
/* Code addresses inside a function are not first-class here: the caller's stands for it. */
#define _THIS_IP_ _RET_IP_

#include <asm/barrier.h>
