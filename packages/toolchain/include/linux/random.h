/* SPDX-License-Identifier: MIT */
#pragma once

#include <linux/bug.h>
#include <linux/kernel.h>
#include <linux/list.h>

/* From the machine's seed: the same run gives the same numbers. */
extern void get_random_bytes(void *buf, size_t len);
extern u8 get_random_u8(void);
extern u16 get_random_u16(void);
extern u32 get_random_u32(void);
extern u64 get_random_u64(void);
extern int wait_for_random_bytes(void);
extern bool rng_is_initialized(void);
extern void add_device_randomness(const void *buf, size_t len);

static inline unsigned int get_random_int(void)
{
	return get_random_u32();
}

static inline unsigned long get_random_long(void)
{
	return get_random_u64();
}

static inline u32 prandom_u32(void)
{
	return get_random_u32();
}

static inline void prandom_bytes(void *buf, size_t nbytes)
{
	get_random_bytes(buf, nbytes);
}

/* 0 ≤ result < ceil; from floor to ceil inclusive. */
static inline u32 get_random_u32_below(u32 ceil)
{
	return reciprocal_scale(get_random_u32(), ceil);
}

static inline u32 get_random_u32_inclusive(u32 floor, u32 ceil)
{
	return floor + get_random_u32_below(ceil - floor + 1);
}

#define prandom_u32_max(ep_ro) get_random_u32_below(ep_ro)
#define get_random_once(buf, nbytes) get_random_bytes(buf, nbytes)
