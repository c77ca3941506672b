/* SPDX-License-Identifier: MIT */
#pragma once

#include <linux/types.h>

/* Divides n in place; the result is the remainder. */
#define do_div(n, base) \
	({ \
		u32 __base = (base); \
		u32 __rem = ((u64)(n)) % __base; \
		(n) = ((u64)(n)) / __base; \
		__rem; \
	})
