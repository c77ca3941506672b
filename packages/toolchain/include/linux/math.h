/* SPDX-License-Identifier: MIT */
#pragma once

#include <linux/types.h>
#include <uapi/linux/const.h>

#define __round_mask(x, y) ((__typeof__(x))((y) - 1))
#define round_up(x, y) ((((x) - 1) | __round_mask(x, y)) + 1)
#define round_down(x, y) ((x) & ~__round_mask(x, y))
#define DIV_ROUND_UP __KERNEL_DIV_ROUND_UP
#define DIV_ROUND_DOWN_ULL(ll, d) ((unsigned long long)(ll) / (d))
#define DIV_ROUND_UP_ULL(ll, d) DIV_ROUND_DOWN_ULL((unsigned long long)(ll) + (d) - 1, (d))
#define DIV_ROUND_UP_SECTOR_T(ll, d) DIV_ROUND_UP_ULL(ll, d)
#define roundup(x, y) \
	({ \
		typeof(y) __y = (y); \
		(((x) + (__y - 1)) / __y) * __y; \
	})
#define rounddown(x, y) \
	({ \
		typeof(x) __x = (x); \
		__x - (__x % (y)); \
	})
/* Rounds to the nearest; negative dividends and divisors too, as far as their types are signed. */
#define DIV_ROUND_CLOSEST(x, divisor) \
	({ \
		typeof(x) __x = (x); \
		typeof(divisor) __d = (divisor); \
		(((typeof(x))-1) > 0 || ((typeof(divisor))-1) > 0 || ((__x > 0) == (__d > 0))) ? \
			((__x + (__d / 2)) / __d) : ((__x - (__d / 2)) / __d); \
	})
#define DIV_ROUND_CLOSEST_ULL(x, divisor) \
	({ \
		unsigned long long __x = (x); \
		typeof(divisor) __d = (divisor); \
		(__x + __d / 2) / __d; \
	})
#define mult_frac(x, numer, denom) \
	({ \
		typeof(x) __q = (x) / (denom); \
		typeof(x) __r = (x) % (denom); \
		(__q * (numer)) + ((__r * (numer)) / (denom)); \
	})
#define sector_div(a, b) do_div(a, b)

#define __abs_choose_expr(x, type, other) \
	__builtin_choose_expr( \
		__same_type(x, signed type) || __same_type(x, unsigned type), \
		({ signed type __ax = (x); __ax < 0 ? -__ax : __ax; }), other)
#define abs(x) \
	__abs_choose_expr(x, long long, \
	__abs_choose_expr(x, long, \
	__abs_choose_expr(x, int, \
	__abs_choose_expr(x, short, \
	__abs_choose_expr(x, char, \
	__builtin_choose_expr(__same_type(x, char), \
		(char)({ signed char __ax = (x); __ax < 0 ? -__ax : __ax; }), \
		((void)0)))))))
#define abs_diff(a, b) \
	({ \
		typeof(a) __da = (a); \
		typeof(b) __db = (b); \
		__da > __db ? __da - __db : __db - __da; \
	})

static inline u32 reciprocal_scale(u32 val, u32 ep_ro)
{
	return (u32)(((u64)val * ep_ro) >> 32);
}

extern unsigned long int_sqrt(unsigned long x);
extern u64 int_pow(u64 base, unsigned int exp);
extern u32 int_sqrt64(u64 x);
