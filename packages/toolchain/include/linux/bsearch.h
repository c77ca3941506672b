/* SPDX-License-Identifier: MIT */
#pragma once

#include <linux/types.h>

static __always_inline void *__inline_bsearch(const void *key, const void *base, size_t num, size_t size,
					      cmp_func_t cmp)
{
	while (num > 0) {
		const char *pivot = (const char *)base + (num >> 1) * size;
		int result = cmp(key, pivot);

		if (result == 0)
			return (void *)pivot;
		if (result > 0) {
			base = pivot + size;
			num--;
		}
		num >>= 1;
	}
	return NULL;
}

extern void *bsearch(const void *key, const void *base, size_t num, size_t size, cmp_func_t cmp);
