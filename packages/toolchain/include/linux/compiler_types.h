/* SPDX-License-Identifier: MIT */
#pragma once

#include <linux/compiler_attributes.h>

/* Address spaces that Linux's static checker knows: no code comes of them. */
#define __kernel
#define __user
#define __iomem
#define __percpu
#define __rcu
#define __force
#define __nocast
#define __safe
#define __private
#define __bitwise
#define __bitwise__
#define __must_hold(x)
#define __acquires(x)
#define __cond_acquires(x)
#define __releases(x)
#define __acquire(x) ((void)0)
#define __release(x) ((void)0)
#define __cond_lock(x, c) (c)
#define ACCESS_PRIVATE(p, member) ((p)->member)
#define __chk_user_ptr(x) ((void)0)
#define __chk_io_ptr(x) ((void)0)

/* As in Linux, a plain `inline` function also has an external definition. */
#define inline inline __gnu_inline __maybe_unused
#define __inline inline
#define __inline__ inline
#undef __always_inline
#define __always_inline inline __attribute__((__always_inline__))
/* Inlined, and counted as the caller's line: so an oops or a leak names the module's own line, not a header's. */
#define __transparent __always_inline __attribute__((__nodebug__))
#define noinline_for_stack noinline
#define noinline_for_tracing noinline
#define notrace
#define nokprobe_inline __always_inline
#define __latent_entropy
#define __randomize_layout
#define __no_randomize_layout
#define randomized_struct_fields_start
#define randomized_struct_fields_end
#define __nocfi
#define __noscs
#define __ro_after_init __section(".data..ro_after_init")
#define __read_mostly
#define __no_sanitize_address __attribute__((no_sanitize("kernel-address")))
#define __no_kasan_or_inline __no_sanitize_address __maybe_unused
#define __no_kcsan
#define noinstr noinline
#define asmlinkage
#define __visible

#define __same_type(a, b) __builtin_types_compatible_p(typeof(a), typeof(b))
#define __native_word(t) \
	(sizeof(t) == sizeof(char) || sizeof(t) == sizeof(short) || \
	 sizeof(t) == sizeof(int) || sizeof(t) == sizeof(long))
#define __unqual_scalar_typeof(x) typeof(({ typeof(x) __q; (void)__q; __auto_type __v = __q; __v; }))

#define __UNIQUE_ID_JOIN(prefix, n) __UNIQUE_ID_ ## prefix ## n
#define __UNIQUE_ID_NUMBER(prefix, n) __UNIQUE_ID_JOIN(prefix, n)
#define __UNIQUE_ID(prefix) __UNIQUE_ID_NUMBER(prefix, __COUNTER__)

/* An assertion that also takes conditions which only the optimiser can decide. */
#define __compiletime_assert(condition, msg, id) \
	do { \
		__compiletime_error(msg) extern void id(void); \
		if (!(condition)) \
			id(); \
	} while (0)
#define compiletime_assert(condition, msg) \
	__compiletime_assert(condition, msg, __UNIQUE_ID(compiletime_assert_))
#define compiletime_assert_atomic_type(t) \
	compiletime_assert(__native_word(t), "Need native word sized stores/loads for atomicity.")

struct ftrace_branch_data;
