/* SPDX-License-Identifier: MIT */
#pragma once

#include <linux/random.h>
#include <linux/string.h>

/* Four combined Tausworthe generators: the same seed gives the same numbers. */
struct rnd_state {
	__u32 s1, s2, s3, s4;
};

static inline u32 __prandom_step(u32 s, int a, int b, u32 mask, int c)
{
	return ((s & mask) << c) ^ (((s << a) ^ s) >> b);
}

static inline u32 prandom_u32_state(struct rnd_state *state)
{
	state->s1 = __prandom_step(state->s1, 6, 13, 0xfffffffeU, 18);
	state->s2 = __prandom_step(state->s2, 2, 27, 0xfffffff8U, 2);
	state->s3 = __prandom_step(state->s3, 13, 21, 0xfffffff0U, 7);
	state->s4 = __prandom_step(state->s4, 3, 12, 0xffffff80U, 13);
	return state->s1 ^ state->s2 ^ state->s3 ^ state->s4;
}

static inline void prandom_bytes_state(struct rnd_state *state, void *buf, size_t bytes)
{
	u8 *ptr = buf;
	u32 word;
	int i;

	for (; bytes >= sizeof(u32); bytes -= sizeof(u32), ptr += sizeof(u32)) {
		word = prandom_u32_state(state);
		memcpy(ptr, &word, sizeof(word));
	}
	if (!bytes)
		return;
	word = prandom_u32_state(state);
	for (i = 0; i < bytes; i++, word >>= 8)
		ptr[i] = word;
}

/* Too small a seed would leave a generator at 0. */
static inline u32 __seed(u32 x, u32 m)
{
	return x < m ? x + m : x;
}

static inline void prandom_seed_state(struct rnd_state *state, u64 seed)
{
	u32 i = ((seed >> 32) ^ (seed << 10) ^ seed) & 0xffffffffUL;

	state->s1 = __seed(i, 2U);
	state->s2 = __seed(i, 8U);
	state->s3 = __seed(i, 16U);
	state->s4 = __seed(i, 128U);
}

/* A linear congruential generator. */
static inline u32 next_pseudo_random32(u32 seed)
{
	return seed * 1664525 + 1013904223;
}
