/* SPDX-License-Identifier: MIT */
#pragma once

#include <linux/bits.h>
#include <linux/types.h>
#include <linux/compiler.h>

/* One CPU runs at a time and is not interrupted inside these: the atomic and the plain forms are the same. */
static __transparent void set_bit(long nr, volatile unsigned long *addr)
{
	addr[BIT_WORD(nr)] |= BIT_MASK(nr);
}

static __transparent void clear_bit(long nr, volatile unsigned long *addr)
{
	addr[BIT_WORD(nr)] &= ~BIT_MASK(nr);
}

static __transparent void change_bit(long nr, volatile unsigned long *addr)
{
	addr[BIT_WORD(nr)] ^= BIT_MASK(nr);
}

static __transparent bool test_and_set_bit(long nr, volatile unsigned long *addr)
{
	unsigned long mask = BIT_MASK(nr), old = addr[BIT_WORD(nr)];

	addr[BIT_WORD(nr)] = old | mask;
	return (old & mask) != 0;
}

static __transparent bool test_and_clear_bit(long nr, volatile unsigned long *addr)
{
	unsigned long mask = BIT_MASK(nr), old = addr[BIT_WORD(nr)];

	addr[BIT_WORD(nr)] = old & ~mask;
	return (old & mask) != 0;
}

static __transparent bool test_and_change_bit(long nr, volatile unsigned long *addr)
{
	unsigned long mask = BIT_MASK(nr), old = addr[BIT_WORD(nr)];

	addr[BIT_WORD(nr)] = old ^ mask;
	return (old & mask) != 0;
}

static __transparent bool test_bit(long nr, const volatile unsigned long *addr)
{
	return 1UL & (addr[BIT_WORD(nr)] >> (nr & (BITS_PER_LONG - 1)));
}

#define __set_bit set_bit
#define __clear_bit clear_bit
#define __change_bit change_bit
#define __test_and_set_bit test_and_set_bit
#define __test_and_clear_bit test_and_clear_bit
#define __test_and_change_bit test_and_change_bit
#define test_bit_acquire test_bit
#define test_and_set_bit_lock test_and_set_bit
#define clear_bit_unlock clear_bit
#define __clear_bit_unlock clear_bit
#define arch_test_bit test_bit
#define arch_set_bit set_bit
#define arch_clear_bit clear_bit

/* Index of the lowest set bit, of the highest, of the lowest clear one; undefined if there is none. */
static __transparent unsigned long __ffs(unsigned long word)
{
	return __builtin_ctzl(word);
}

static __transparent unsigned long __fls(unsigned long word)
{
	return BITS_PER_LONG - 1 - __builtin_clzl(word);
}

#define ffz(x) __ffs(~(x))

/* Counted from 1; 0 if there is none. */
static __transparent int ffs(int x)
{
	return __builtin_ffs(x);
}

static __transparent int fls(unsigned int x)
{
	return x ? 32 - __builtin_clz(x) : 0;
}

static __transparent int fls64(unsigned long long x)
{
	return x ? 64 - __builtin_clzll(x) : 0;
}

static __transparent unsigned long __ffs64(unsigned long long word)
{
	return __builtin_ctzll(word);
}

#define hweight8(w) ((unsigned int)__builtin_popcount((w) & 0xff))
#define hweight16(w) ((unsigned int)__builtin_popcount((w) & 0xffff))
#define hweight32(w) ((unsigned int)__builtin_popcount(w))
#define hweight64(w) ((unsigned long)__builtin_popcountll(w))
#define HWEIGHT8(w) hweight8(w)
#define HWEIGHT16(w) hweight16(w)
#define HWEIGHT32(w) hweight32(w)
#define HWEIGHT64(w) hweight64(w)

static __transparent unsigned long hweight_long(unsigned long w)
{
	return hweight64(w);
}

#include <asm/byteorder.h>
#define test_bit_le test_bit
#define set_bit_le set_bit
#define clear_bit_le clear_bit
#define __set_bit_le set_bit
#define __clear_bit_le clear_bit
