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

static inline unsigned long *bitmap_alloc_node(unsigned int nbits, gfp_t flags, int node)
{
	return bitmap_alloc(nbits, flags);
}

static inline unsigned long *bitmap_zalloc_node(unsigned int nbits, gfp_t flags, int node)
{
	return bitmap_zalloc(nbits, flags);
}

/* Whether the first two together are the third. */
static inline bool bitmap_or_equal(const unsigned long *src1, const unsigned long *src2, const unsigned long *src3,
				   unsigned int nbits)
{
	unsigned int i, last = nbits / BITS_PER_LONG;

	for (i = 0; i < last; i++)
		if ((src1[i] | src2[i]) != src3[i])
			return false;
	return nbits % BITS_PER_LONG == 0 ||
	       (((src1[i] | src2[i]) ^ src3[i]) & BITMAP_LAST_WORD_MASK(nbits)) == 0;
}

static inline unsigned int bitmap_weight_and(const unsigned long *src1, const unsigned long *src2,
					     unsigned int nbits)
{
	unsigned int bit, n = 0;

	for_each_and_bit(bit, src1, src2, nbits)
		n++;
	return n;
}

/* Bits of `new` where the mask is set, else of `old`. */
static inline void bitmap_replace(unsigned long *dst, const unsigned long *old, const unsigned long *new,
				  const unsigned long *mask, unsigned int nbits)
{
	unsigned int i;

	for (i = 0; i < BITS_TO_LONGS(nbits); i++)
		dst[i] = (old[i] & ~mask[i]) | (new[i] & mask[i]);
}

/* Takes `cut` bits out; those above move down. */
static inline void bitmap_cut(unsigned long *dst, const unsigned long *src, unsigned int first, unsigned int cut,
			      unsigned int nbits)
{
	unsigned int bit;

	if (dst != src)
		memmove(dst, src, bitmap_size(nbits));
	for (bit = first; bit < nbits; bit++)
		__assign_bit(bit, dst, bit + cut < nbits && test_bit(bit + cut, dst));
}

/* Where a bit goes if the set bits of `old` become those of `new`, in order and round and round. */
static inline int bitmap_bitremap(int oldbit, const unsigned long *old, const unsigned long *new, int bits)
{
	int weight = bitmap_weight(new, bits);

	if (oldbit < 0 || oldbit >= bits || !test_bit(oldbit, old) || weight == 0)
		return oldbit;
	return find_nth_bit(new, bits, bitmap_weight(old, oldbit) % weight);
}

static inline void bitmap_remap(unsigned long *dst, const unsigned long *src, const unsigned long *old,
				const unsigned long *new, unsigned int nbits)
{
	unsigned int bit;

	if (dst == src)
		return;
	bitmap_zero(dst, nbits);
	for_each_set_bit(bit, src, nbits)
		__set_bit(bitmap_bitremap(bit, old, new, nbits), dst);
}

/* The words are little endian here: the two forms lie in memory alike. */
static inline void bitmap_from_arr32(unsigned long *bitmap, const u32 *buf, unsigned int nbits)
{
	bitmap_zero(bitmap, nbits);
	memcpy(bitmap, buf, BITS_TO_U32(nbits) * sizeof(u32));
	if (nbits % BITS_PER_LONG)
		bitmap[nbits / BITS_PER_LONG] &= BITMAP_LAST_WORD_MASK(nbits);
}

static inline void bitmap_to_arr32(u32 *buf, const unsigned long *bitmap, unsigned int nbits)
{
	memcpy(buf, bitmap, BITS_TO_U32(nbits) * sizeof(u32));
	if (nbits % 32)
		buf[nbits / 32] &= (u32)~0 >> (32 - nbits % 32);
}

#define bitmap_from_arr64(bitmap, buf, nbits) bitmap_from_arr32(bitmap, (const u32 *)(buf), nbits)

static inline void bitmap_to_arr64(u64 *buf, const unsigned long *bitmap, unsigned int nbits)
{
	memcpy(buf, bitmap, bitmap_size(nbits));
	if (nbits % 64)
		buf[nbits / 64] &= BITMAP_LAST_WORD_MASK(nbits);
}

static inline void bitmap_from_u64(unsigned long *dst, u64 mask)
{
	*dst = mask;
}

/* The byte at bit `start`, a multiple of 8. */
static inline unsigned long bitmap_get_value8(const unsigned long *map, unsigned long start)
{
	return (map[BIT_WORD(start)] >> (start % BITS_PER_LONG)) & 0xff;
}

static inline void bitmap_set_value8(unsigned long *map, unsigned long value, unsigned long start)
{
	unsigned int shift = start % BITS_PER_LONG;

	map[BIT_WORD(start)] = (map[BIT_WORD(start)] & ~(0xffUL << shift)) | (value << shift);
}
