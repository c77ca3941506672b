/* SPDX-License-Identifier: MIT */
#pragma once

#include <linux/compiler.h>
#include <linux/limits.h>
#include <linux/const.h>

#define type_max(T) \
	((T)((is_signed_type(T) ? ((((T)1 << (8 * sizeof(T) - 2)) - 1) * 2 + 1) : ~(T)0)))
#define type_min(T) ((T)(is_signed_type(T) ? -type_max(T) - 1 : 0))

static inline bool __must_check __must_check_overflow(bool overflow)
{
	return unlikely(overflow);
}

/* True if the exact result does not fit *d, which then holds the wrapped one. */
#define check_add_overflow(a, b, d) __must_check_overflow(__builtin_add_overflow(a, b, d))
#define check_sub_overflow(a, b, d) __must_check_overflow(__builtin_sub_overflow(a, b, d))
#define check_mul_overflow(a, b, d) __must_check_overflow(__builtin_mul_overflow(a, b, d))
#define check_shl_overflow(a, s, d) \
	__must_check_overflow(({ \
		typeof(a) _a = a; \
		typeof(s) _s = s; \
		typeof(d) _d = d; \
		unsigned long long _full = (unsigned long long)_a; \
		unsigned int _to = (_s >= 0 && (unsigned long long)_s < 8 * sizeof(*d)) ? _s : 0; \
		*_d = (typeof(*_d))(_full << _to); \
		(_to != (unsigned int)_s || *_d < 0 || _a < 0 || (typeof(a))(*_d >> _to) != _a); \
	}))

/* Sizes saturate: too large a product or sum asks for SIZE_MAX bytes, which no allocator grants. */
static inline size_t __must_check size_mul(size_t factor1, size_t factor2)
{
	size_t bytes;

	return check_mul_overflow(factor1, factor2, &bytes) ? SIZE_MAX : bytes;
}

static inline size_t __must_check size_add(size_t addend1, size_t addend2)
{
	size_t bytes;

	return check_add_overflow(addend1, addend2, &bytes) ? SIZE_MAX : bytes;
}

static inline size_t __must_check size_sub(size_t minuend, size_t subtrahend)
{
	size_t bytes;

	if (minuend == SIZE_MAX || subtrahend == SIZE_MAX || check_sub_overflow(minuend, subtrahend, &bytes))
		return SIZE_MAX;
	return bytes;
}

#define array_size(a, b) size_mul(a, b)
#define array3_size(a, b, c) size_mul(size_mul(a, b), c)
#define flex_array_size(p, member, count) size_mul(count, sizeof(*(p)->member) + __must_be_array((p)->member))
#define struct_size(p, member, count) size_add(sizeof(*(p)), flex_array_size(p, member, count))
#define struct_size_t(type, member, count) struct_size((type *)NULL, member, count)
