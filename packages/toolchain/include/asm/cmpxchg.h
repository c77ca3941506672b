/* SPDX-License-Identifier: MIT */
#pragma once

#include <linux/compiler.h>

#define xchg(ptr, v) \
	({ \
		typeof(ptr) __xp = (ptr); \
		typeof(*(ptr)) __xold = *__xp; \
		*__xp = (v); \
		__xold; \
	})
#define cmpxchg(ptr, old, new) \
	({ \
		typeof(ptr) __cp = (ptr); \
		typeof(*(ptr)) __cold_value = *__cp; \
		if (__cold_value == (old)) \
			*__cp = (new); \
		__cold_value; \
	})
#define try_cmpxchg(ptr, oldp, new) \
	({ \
		typeof(oldp) __op = (oldp); \
		typeof(*(ptr)) __expected = *__op; \
		*__op = cmpxchg(ptr, __expected, new); \
		*__op == __expected; \
	})
#define xchg_relaxed xchg
#define xchg_acquire xchg
#define xchg_release xchg
#define cmpxchg_relaxed cmpxchg
#define cmpxchg_acquire cmpxchg
#define cmpxchg_release cmpxchg
#define cmpxchg_local cmpxchg
#define cmpxchg64 cmpxchg
