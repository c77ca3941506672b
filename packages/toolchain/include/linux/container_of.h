/* SPDX-License-Identifier: MIT */
#pragma once

#include <linux/build_bug.h>
#include <linux/stddef.h>

#define typeof_member(T, m) typeof(((T *)0)->m)

#define container_of(ptr, type, member) \
	({ \
		void *__mptr = (void *)(ptr); \
		static_assert(__same_type(*(ptr), ((type *)0)->member) || __same_type(*(ptr), void), \
			      "pointer type mismatch in container_of()"); \
		(type *)(__mptr - offsetof(type, member)); \
	})
#define container_of_const(ptr, type, member) container_of(ptr, type, member)
#define container_of_safe(ptr, type, member) \
	({ \
		void *__sptr = (void *)(ptr); \
		IS_ERR_OR_NULL(__sptr) ? ERR_CAST(__sptr) : (void *)container_of(ptr, type, member); \
	})
