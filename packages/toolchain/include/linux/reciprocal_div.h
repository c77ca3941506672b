/* SPDX-License-Identifier: MIT */
#pragma once

#include <linux/bitops.h>
#include <linux/types.h>

/* Division by a number that stays the same, as a multiplication and shifts. */
struct reciprocal_value {
	u32 m;
	u8 sh1, sh2;
};

static inline struct reciprocal_value reciprocal_value(u32 d)
{
	int l = fls(d - 1);
	u64 m = ((1ULL << 32) * ((1ULL << l) - d)) / d + 1;

	return (struct reciprocal_value) { .m = (u32)m, .sh1 = l < 1 ? l : 1, .sh2 = l > 1 ? l - 1 : 0 };
}

static inline u32 reciprocal_divide(u32 a, struct reciprocal_value R)
{
	u32 t = (u32)(((u64)a * R.m) >> 32);

	return (t + ((a - t) >> R.sh1)) >> R.sh2;
}
