/* SPDX-License-Identifier: MIT */
#pragma once

#include <linux/bits.h>
#include <linux/typecheck.h>
#include <uapi/linux/kernel.h>
#include <asm/bitops.h>

#define BITS_PER_TYPE(type) (sizeof(type) * BITS_PER_BYTE)
#define BITS_TO_LONGS(nr) __KERNEL_DIV_ROUND_UP(nr, BITS_PER_TYPE(long))
#define BITS_TO_U64(nr) __KERNEL_DIV_ROUND_UP(nr, BITS_PER_TYPE(u64))
#define BITS_TO_U32(nr) __KERNEL_DIV_ROUND_UP(nr, BITS_PER_TYPE(u32))
#define BITS_TO_BYTES(nr) __KERNEL_DIV_ROUND_UP(nr, BITS_PER_TYPE(char))

#include <linux/find.h>

static inline u64 rol64(u64 word, unsigned int shift)
{
	return (word << (shift & 63)) | (word >> ((-shift) & 63));
}

static inline u64 ror64(u64 word, unsigned int shift)
{
	return (word >> (shift & 63)) | (word << ((-shift) & 63));
}

static inline u32 rol32(u32 word, unsigned int shift)
{
	return (word << (shift & 31)) | (word >> ((-shift) & 31));
}

static inline u32 ror32(u32 word, unsigned int shift)
{
	return (word >> (shift & 31)) | (word << ((-shift) & 31));
}

static inline u16 rol16(u16 word, unsigned int shift)
{
	return (u16)((word << (shift & 15)) | (word >> ((-shift) & 15)));
}

static inline u16 ror16(u16 word, unsigned int shift)
{
	return (u16)((word >> (shift & 15)) | (word << ((-shift) & 15)));
}

static inline u8 rol8(u8 word, unsigned int shift)
{
	return (u8)((word << (shift & 7)) | (word >> ((-shift) & 7)));
}

static inline u8 ror8(u8 word, unsigned int shift)
{
	return (u8)((word >> (shift & 7)) | (word << ((-shift) & 7)));
}

/* The value of bit `index` copied into all bits above it. */
static __always_inline s32 sign_extend32(u32 value, int index)
{
	u8 shift = 31 - index;

	return (s32)(value << shift) >> shift;
}

static __always_inline s64 sign_extend64(u64 value, int index)
{
	u8 shift = 63 - index;

	return (s64)(value << shift) >> shift;
}

static inline int get_bitmask_order(unsigned int count)
{
	return fls(count);
}

static inline unsigned int fls_long(unsigned long l)
{
	return fls64(l);
}

static inline int get_count_order(unsigned int count)
{
	return count == 0 ? -1 : fls(--count);
}

static inline int get_count_order_long(unsigned long l)
{
	return l == 0 ? -1 : (int)fls_long(--l);
}

static __always_inline void assign_bit(long nr, volatile unsigned long *addr, bool value)
{
	if (value)
		set_bit(nr, addr);
	else
		clear_bit(nr, addr);
}

static __always_inline void __assign_bit(long nr, volatile unsigned long *addr, bool value)
{
	if (value)
		__set_bit(nr, addr);
	else
		__clear_bit(nr, addr);
}

/* Replaces the masked bits of *ptr; gives what was there before, or now stands there. */
#define set_mask_bits(ptr, mask, bits) \
	({ \
		const typeof(*(ptr)) mask__ = (mask), bits__ = (bits); \
		typeof(*(ptr)) old__ = READ_ONCE(*(ptr)); \
		WRITE_ONCE(*(ptr), (old__ & ~mask__) | bits__); \
		old__; \
	})
#define bit_clear_unless(ptr, clear, test) \
	({ \
		const typeof(*(ptr)) clear__ = (clear), test__ = (test); \
		typeof(*(ptr)) old__ = READ_ONCE(*(ptr)); \
		if (!(old__ & test__)) \
			WRITE_ONCE(*(ptr), old__ & ~clear__); \
		!(old__ & test__); \
	})
