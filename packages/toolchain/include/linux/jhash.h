/* SPDX-License-Identifier: MIT */
#pragma once

#include <linux/bitops.h>
#include <linux/string.h>
#include <linux/types.h>

/* Bob Jenkins' lookup3 (2006): three words, mixed with each twelve bytes. */
#define JHASH_INITVAL 0xdeadbeef
#define jhash_size(n) ((u32)1 << (n))
#define jhash_mask(n) (jhash_size(n) - 1)

struct __jhash {
	u32 a, b, c;
};

static inline void __jhash_mix(struct __jhash *h)
{
	h->a = (h->a - h->c) ^ rol32(h->c, 4);
	h->c += h->b;
	h->b = (h->b - h->a) ^ rol32(h->a, 6);
	h->a += h->c;
	h->c = (h->c - h->b) ^ rol32(h->b, 8);
	h->b += h->a;
	h->a = (h->a - h->c) ^ rol32(h->c, 16);
	h->c += h->b;
	h->b = (h->b - h->a) ^ rol32(h->a, 19);
	h->a += h->c;
	h->c = (h->c - h->b) ^ rol32(h->b, 4);
	h->b += h->a;
}

static inline u32 __jhash_final(struct __jhash *h)
{
	h->c = (h->c ^ h->b) - rol32(h->b, 14);
	h->a = (h->a ^ h->c) - rol32(h->c, 11);
	h->b = (h->b ^ h->a) - rol32(h->a, 25);
	h->c = (h->c ^ h->b) - rol32(h->b, 16);
	h->a = (h->a ^ h->c) - rol32(h->c, 4);
	h->b = (h->b ^ h->a) - rol32(h->a, 14);
	return (h->c ^ h->b) - rol32(h->b, 24);
}

/* @start what the words begin with; all but the last one to twelve bytes are mixed in. */
static inline u32 __jhash(const void *data, u32 length, u32 start)
{
	struct __jhash h = { start, start, start };
	const u8 *p = data;
	u32 words[3];

	for (; length > 12; length -= 12, p += 12) {
		memcpy(words, p, 12);
		h.a += words[0];
		h.b += words[1];
		h.c += words[2];
		__jhash_mix(&h);
	}
	if (!length)
		return h.c;
	memset(words, 0, sizeof(words));
	memcpy(words, p, length);
	h.a += words[0];
	h.b += words[1];
	h.c += words[2];
	return __jhash_final(&h);
}

static inline u32 jhash(const void *key, u32 length, u32 initval)
{
	return __jhash(key, length, JHASH_INITVAL + length + initval);
}

/* The same of an array of words. */
static inline u32 jhash2(const u32 *k, u32 length, u32 initval)
{
	return __jhash(k, length * 4, JHASH_INITVAL + (length << 2) + initval);
}

static inline u32 __jhash_nwords(u32 a, u32 b, u32 c, u32 initval)
{
	struct __jhash h = { a + initval, b + initval, c + initval };

	return __jhash_final(&h);
}

static inline u32 jhash_3words(u32 a, u32 b, u32 c, u32 initval)
{
	return __jhash_nwords(a, b, c, initval + JHASH_INITVAL + (3 << 2));
}

static inline u32 jhash_2words(u32 a, u32 b, u32 initval)
{
	return __jhash_nwords(a, b, 0, initval + JHASH_INITVAL + (2 << 2));
}

static inline u32 jhash_1word(u32 a, u32 initval)
{
	return __jhash_nwords(a, 0, 0, initval + JHASH_INITVAL + (1 << 2));
}
