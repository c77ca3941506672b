/* SPDX-License-Identifier: MIT */
#pragma once

#include <linux/align.h>
#include <linux/bitops.h>
#include <linux/find.h>
#include <linux/limits.h>
#include <linux/string.h>
#include <linux/types.h>

#define DECLARE_BITMAP(name, bits) unsigned long name[BITS_TO_LONGS(bits)]
#define BITMAP_FIRST_WORD_MASK(start) (~0UL << ((start) & (BITS_PER_LONG - 1)))
#define BITMAP_LAST_WORD_MASK(nbits) (~0UL >> (-(nbits) & (BITS_PER_LONG - 1)))
#define bitmap_size(nbits) (BITS_TO_LONGS(nbits) * sizeof(long))

extern unsigned long *bitmap_alloc(unsigned int nbits, gfp_t flags);
extern unsigned long *bitmap_zalloc(unsigned int nbits, gfp_t flags);
extern void bitmap_free(const unsigned long *bitmap);

extern bool __bitmap_equal(const unsigned long *a, const unsigned long *b, unsigned int nbits);
extern void __bitmap_complement(unsigned long *dst, const unsigned long *src, unsigned int nbits);
extern void __bitmap_shift_right(unsigned long *dst, const unsigned long *src, unsigned int shift,
				 unsigned int nbits);
extern void __bitmap_shift_left(unsigned long *dst, const unsigned long *src, unsigned int shift,
				unsigned int nbits);
extern bool __bitmap_and(unsigned long *dst, const unsigned long *a, const unsigned long *b, unsigned int nbits);
extern void __bitmap_or(unsigned long *dst, const unsigned long *a, const unsigned long *b, unsigned int nbits);
extern void __bitmap_xor(unsigned long *dst, const unsigned long *a, const unsigned long *b, unsigned int nbits);
extern bool __bitmap_andnot(unsigned long *dst, const unsigned long *a, const unsigned long *b,
			    unsigned int nbits);
extern bool __bitmap_intersects(const unsigned long *a, const unsigned long *b, unsigned int nbits);
extern bool __bitmap_subset(const unsigned long *a, const unsigned long *b, unsigned int nbits);
extern unsigned int __bitmap_weight(const unsigned long *bitmap, unsigned int nbits);
extern void __bitmap_set(unsigned long *map, unsigned int start, int len);
extern void __bitmap_clear(unsigned long *map, unsigned int start, int len);
extern unsigned long bitmap_find_next_zero_area_off(unsigned long *map, unsigned long size, unsigned long start,
						    unsigned int nr, unsigned long align_mask,
						    unsigned long align_offset);
extern int bitmap_parse(const char *buf, unsigned int buflen, unsigned long *dst, int nbits);
extern int bitmap_parselist(const char *buf, unsigned long *maskp, int nmaskbits);
extern int bitmap_print_to_pagebuf(bool list, char *buf, const unsigned long *maskp, int nmaskbits);
extern int bitmap_find_free_region(unsigned long *bitmap, unsigned int bits, int order);
extern void bitmap_release_region(unsigned long *bitmap, unsigned int pos, int order);
extern int bitmap_allocate_region(unsigned long *bitmap, unsigned int pos, int order);

#define bitmap_equal __bitmap_equal
#define bitmap_complement __bitmap_complement
#define bitmap_shift_right __bitmap_shift_right
#define bitmap_shift_left __bitmap_shift_left
#define bitmap_and __bitmap_and
#define bitmap_or __bitmap_or
#define bitmap_xor __bitmap_xor
#define bitmap_andnot __bitmap_andnot
#define bitmap_intersects __bitmap_intersects
#define bitmap_subset __bitmap_subset
#define bitmap_weight __bitmap_weight
#define bitmap_set __bitmap_set
#define bitmap_clear __bitmap_clear

static inline void bitmap_zero(unsigned long *dst, unsigned int nbits)
{
	memset(dst, 0, bitmap_size(nbits));
}

static inline void bitmap_fill(unsigned long *dst, unsigned int nbits)
{
	memset(dst, 0xff, bitmap_size(nbits));
}

static inline void bitmap_copy(unsigned long *dst, const unsigned long *src, unsigned int nbits)
{
	memcpy(dst, src, bitmap_size(nbits));
}

static inline bool bitmap_empty(const unsigned long *src, unsigned int nbits)
{
	return find_first_bit(src, nbits) == nbits;
}

static inline bool bitmap_full(const unsigned long *src, unsigned int nbits)
{
	return find_first_zero_bit(src, nbits) == nbits;
}

static inline unsigned long bitmap_find_next_zero_area(unsigned long *map, unsigned long size,
						       unsigned long start, unsigned int nr,
						       unsigned long align_mask)
{
	return bitmap_find_next_zero_area_off(map, size, start, nr, align_mask, 0);
}
