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
