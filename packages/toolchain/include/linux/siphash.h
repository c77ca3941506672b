/* SPDX-License-Identifier: MIT */
#pragma once

#include <linux/bitops.h>
#include <linux/string.h>
#include <linux/types.h>

/* SipHash-2-4, a hash with a secret key (Aumasson and Bernstein, 2012); hsiphash is SipHash-1-3 cut to 32 bits. */
typedef struct {
	u64 key[2];
} siphash_key_t;

typedef struct {
	unsigned long key[2];
} hsiphash_key_t;

#define SIPHASH_ALIGNMENT __alignof__(u64)
#define HSIPHASH_ALIGNMENT __alignof__(unsigned long)

static inline bool siphash_key_is_zero(const siphash_key_t *key)
{
	return !(key->key[0] | key->key[1]);
}

struct __siphash {
	u64 v0, v1, v2, v3;
};

static inline void __siphash_rounds(struct __siphash *s, int n)
{
	while (n-- > 0) {
		s->v0 += s->v1;
		s->v1 = rol64(s->v1, 13) ^ s->v0;
		s->v0 = rol64(s->v0, 32);
		s->v2 += s->v3;
		s->v3 = rol64(s->v3, 16) ^ s->v2;
		s->v0 += s->v3;
		s->v3 = rol64(s->v3, 21) ^ s->v0;
		s->v2 += s->v1;
		s->v1 = rol64(s->v1, 17) ^ s->v2;
		s->v2 = rol64(s->v2, 32);
	}
}

static inline void __siphash_word(struct __siphash *s, u64 m, int rounds)
{
	s->v3 ^= m;
	__siphash_rounds(s, rounds);
	s->v0 ^= m;
}

/* @rounds a word, and two more at the end; the last word holds the rest of the bytes, and the length on top. */
static inline u64 __siphash(const void *data, size_t len, u64 k0, u64 k1, int rounds)
{
	struct __siphash s = { k0 ^ 0x736f6d6570736575ULL, k1 ^ 0x646f72616e646f6dULL, k0 ^ 0x6c7967656e657261ULL,
			       k1 ^ 0x7465646279746573ULL };
	const u8 *p = data;
	size_t left;
	u64 m;

	for (left = len; left >= sizeof(m); left -= sizeof(m), p += sizeof(m)) {
		memcpy(&m, p, sizeof(m));
		__siphash_word(&s, m, rounds);
	}
	m = 0;
	memcpy(&m, p, left);
	__siphash_word(&s, m | (u64)len << 56, rounds);
	s.v2 ^= 0xff;
	__siphash_rounds(&s, rounds + 2);
	return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}

static inline u64 siphash(const void *data, size_t len, const siphash_key_t *key)
{
	return __siphash(data, len, key->key[0], key->key[1], 2);
}

static inline u32 hsiphash(const void *data, size_t len, const hsiphash_key_t *key)
{
	return __siphash(data, len, key->key[0], key->key[1], 1);
}

#define __siphash_of(hash, type, key, ...) \
	({ \
		const type __words[] = { __VA_ARGS__ }; \
		hash(__words, sizeof(__words), key); \
	})
#define siphash_1u64(a, key) __siphash_of(siphash, u64, key, a)
#define siphash_2u64(a, b, key) __siphash_of(siphash, u64, key, a, b)
#define siphash_3u64(a, b, c, key) __siphash_of(siphash, u64, key, a, b, c)
#define siphash_4u64(a, b, c, d, key) __siphash_of(siphash, u64, key, a, b, c, d)
#define siphash_1u32(a, key) __siphash_of(siphash, u32, key, a)
#define siphash_2u32(a, b, key) __siphash_of(siphash, u32, key, a, b)
#define siphash_3u32(a, b, c, key) __siphash_of(siphash, u32, key, a, b, c)
#define siphash_4u32(a, b, c, d, key) __siphash_of(siphash, u32, key, a, b, c, d)
#define hsiphash_1u32(a, key) __siphash_of(hsiphash, u32, key, a)
#define hsiphash_2u32(a, b, key) __siphash_of(hsiphash, u32, key, a, b)
#define hsiphash_3u32(a, b, c, key) __siphash_of(hsiphash, u32, key, a, b, c)
#define hsiphash_4u32(a, b, c, d, key) __siphash_of(hsiphash, u32, key, a, b, c, d)
