/* SPDX-License-Identifier: MIT */
#pragma once

extern unsigned long lcm(unsigned long a, unsigned long b) __attribute__((__const__));

/* The same, but of one number and 0 the number. */
static inline unsigned long lcm_not_zero(unsigned long a, unsigned long b)
{
	unsigned long l = lcm(a, b);

	return l ? l : (b ? b : a);
}
