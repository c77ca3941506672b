/* SPDX-License-Identifier: MIT */
#pragma once

#include <linux/types.h>
#include <linux/bitops.h>

static inline __attribute_const__ bool is_power_of_2(unsigned long n)
{
	return n != 0 && (n & (n - 1)) == 0;
}

static inline unsigned long __roundup_pow_of_two(unsigned long n)
{
	return 1UL << fls_long(n - 1);
}

static inline unsigned long __rounddown_pow_of_two(unsigned long n)
{
	return 1UL << (fls_long(n) - 1);
}

/* Constant expressions where the argument is one. */
#define const_ilog2(n) ((n) < 2 ? 0 : 63 - __builtin_clzll(n))
#define ilog2(n) \
	__builtin_choose_expr(__builtin_constant_p(n), const_ilog2((unsigned long long)(n)), \
			      (int)(fls64((unsigned long long)(n)) - 1))
#define roundup_pow_of_two(n) \
	__builtin_choose_expr(__builtin_constant_p(n), \
			      ((n) == 1 ? 1UL : 1UL << (const_ilog2((unsigned long long)(n) - 1) + 1)), \
			      __roundup_pow_of_two(n))
#define rounddown_pow_of_two(n) \
	__builtin_choose_expr(__builtin_constant_p(n), 1UL << const_ilog2((unsigned long long)(n)), \
			      __rounddown_pow_of_two(n))

static inline __attribute_const__ int __order_base_2(unsigned long n)
{
	return n > 1 ? const_ilog2(n - 1) + 1 : 0;
}
#define order_base_2(n) \
	__builtin_choose_expr(__builtin_constant_p(n), \
			      ((n) > 1 ? const_ilog2((unsigned long long)(n) - 1) + 1 : 0), __order_base_2(n))

static inline __attribute_const__ int __bits_per(unsigned long n)
{
	return n < 2 ? 1 : const_ilog2(n) + 1;
}
#define bits_per(n) __bits_per(n)
