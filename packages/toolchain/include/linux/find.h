/* SPDX-License-Identifier: MIT */
#pragma once

#include <linux/bits.h>
#include <linux/compiler.h>

extern unsigned long _find_first_bit(const unsigned long *addr, unsigned long size);
extern unsigned long _find_first_zero_bit(const unsigned long *addr, unsigned long size);
extern unsigned long _find_first_and_bit(const unsigned long *addr1, const unsigned long *addr2,
					 unsigned long size);
extern unsigned long _find_last_bit(const unsigned long *addr, unsigned long size);
extern unsigned long _find_next_bit(const unsigned long *addr, unsigned long size, unsigned long start);
extern unsigned long _find_next_zero_bit(const unsigned long *addr, unsigned long size, unsigned long start);
extern unsigned long _find_next_and_bit(const unsigned long *addr1, const unsigned long *addr2,
					unsigned long size, unsigned long start);
extern unsigned long _find_next_andnot_bit(const unsigned long *addr1, const unsigned long *addr2,
					   unsigned long size, unsigned long start);

/* All give the index of the bit, or size if there is none. */
#define find_first_bit(addr, size) _find_first_bit(addr, size)
#define find_first_zero_bit(addr, size) _find_first_zero_bit(addr, size)
#define find_first_and_bit(addr1, addr2, size) _find_first_and_bit(addr1, addr2, size)
#define find_last_bit(addr, size) _find_last_bit(addr, size)
#define find_next_bit(addr, size, offset) _find_next_bit(addr, size, offset)
#define find_next_zero_bit(addr, size, offset) _find_next_zero_bit(addr, size, offset)
#define find_next_and_bit(addr1, addr2, size, offset) _find_next_and_bit(addr1, addr2, size, offset)
#define find_next_andnot_bit(addr1, addr2, size, offset) _find_next_andnot_bit(addr1, addr2, size, offset)

#define for_each_set_bit(bit, addr, size) \
	for ((bit) = 0; (bit) = find_next_bit((addr), (size), (bit)), (bit) < (size); (bit)++)
#define for_each_set_bit_from(bit, addr, size) \
	for (; (bit) = find_next_bit((addr), (size), (bit)), (bit) < (size); (bit)++)
#define for_each_clear_bit(bit, addr, size) \
	for ((bit) = 0; (bit) = find_next_zero_bit((addr), (size), (bit)), (bit) < (size); (bit)++)
#define for_each_clear_bit_from(bit, addr, size) \
	for (; (bit) = find_next_zero_bit((addr), (size), (bit)), (bit) < (size); (bit)++)
#define for_each_and_bit(bit, addr1, addr2, size) \
	for ((bit) = 0; (bit) = find_next_and_bit((addr1), (addr2), (size), (bit)), (bit) < (size); (bit)++)
#define for_each_set_bitrange(b, e, addr, size) \
	for ((b) = 0; (b) = find_next_bit((addr), (size), (b)), \
		      (e) = find_next_zero_bit((addr), (size), (b) + 1), (b) < (size); (b) = (e) + 1)
#define for_each_andnot_bit(bit, addr1, addr2, size) \
	for ((bit) = 0; (bit) = find_next_andnot_bit((addr1), (addr2), (size), (bit)), (bit) < (size); (bit)++)
#define for_each_set_bitrange_from(b, e, addr, size) \
	for (; (b) = find_next_bit((addr), (size), (b)), \
	       (e) = find_next_zero_bit((addr), (size), (b) + 1), (b) < (size); (b) = (e) + 1)
#define for_each_clear_bitrange(b, e, addr, size) \
	for ((b) = 0; (b) = find_next_zero_bit((addr), (size), (b)), \
		      (e) = find_next_bit((addr), (size), (b) + 1), (b) < (size); (b) = (e) + 1)
#define for_each_clear_bitrange_from(b, e, addr, size) \
	for (; (b) = find_next_zero_bit((addr), (size), (b)), \
	       (e) = find_next_bit((addr), (size), (b) + 1), (b) < (size); (b) = (e) + 1)
/* Each set bit once, from `start` on and then from 0. */
#define for_each_set_bit_wrap(bit, addr, size, start) \
	for ((bit) = find_next_bit_wrap((addr), (size), (start)); (bit) < (size); \
	     (bit) = __for_each_wrap((addr), (size), (start), (bit) + 1))

/* The bit that has n set bits below it. */
static inline unsigned long find_nth_bit(const unsigned long *addr, unsigned long size, unsigned long n)
{
	unsigned long bit;

	for_each_set_bit(bit, addr, size)
		if (n-- == 0)
			break;
	return bit < size ? bit : size;
}

static inline unsigned long find_next_bit_wrap(const unsigned long *addr, unsigned long size, unsigned long offset)
{
	unsigned long bit = find_next_bit(addr, size, offset);

	if (bit < size || offset == 0)
		return bit;
	bit = find_first_bit(addr, offset);
	return bit < offset ? bit : size;
}

static inline unsigned long find_next_and_bit_wrap(const unsigned long *addr1, const unsigned long *addr2,
						   unsigned long size, unsigned long offset)
{
	unsigned long bit = find_next_and_bit(addr1, addr2, size, offset);

	if (bit < size || offset == 0)
		return bit;
	bit = find_first_and_bit(addr1, addr2, offset);
	return bit < offset ? bit : size;
}

/* The step of for_each_set_bit_wrap(): below `start` the walk has turned round. */
static inline unsigned long __for_each_wrap(const unsigned long *bitmap, unsigned long size, unsigned long start,
					    unsigned long n)
{
	unsigned long bit;

	if (n > start) {
		bit = find_next_bit(bitmap, size, n);
		if (bit < size)
			return bit;
		n = 0;
	}
	bit = find_next_bit(bitmap, start, n);
	return bit < start ? bit : size;
}
