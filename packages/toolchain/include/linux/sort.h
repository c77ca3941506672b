/* SPDX-License-Identifier: MIT */
#pragma once

#include <linux/types.h>

extern void sort_r(void *base, size_t num, size_t size, cmp_r_func_t cmp_func, swap_r_func_t swap_func,
		   const void *priv);
extern void sort(void *base, size_t num, size_t size, cmp_func_t cmp_func, swap_func_t swap_func);
