/* SPDX-License-Identifier: MIT */
#pragma once

#include <linux/spinlock.h>
#include <linux/list.h>
#include <linux/types.h>

struct percpu_counter {
	s64 count;
};

static inline int percpu_counter_init(struct percpu_counter *fbc, s64 amount, gfp_t gfp)
{
	fbc->count = amount;
	return 0;
}

static inline void percpu_counter_destroy(struct percpu_counter *fbc)
{
}

static inline void percpu_counter_set(struct percpu_counter *fbc, s64 amount)
{
	fbc->count = amount;
}

static inline void percpu_counter_add(struct percpu_counter *fbc, s64 amount)
{
	fbc->count += amount;
}

#define percpu_counter_inc(fbc) percpu_counter_add(fbc, 1)
#define percpu_counter_dec(fbc) percpu_counter_add(fbc, -1)
#define percpu_counter_sub(fbc, amount) percpu_counter_add(fbc, -(amount))
#define percpu_counter_read(fbc) ((fbc)->count)
#define percpu_counter_read_positive(fbc) ((fbc)->count > 0 ? (fbc)->count : 0)
#define percpu_counter_sum(fbc) ((fbc)->count)
#define percpu_counter_sum_positive(fbc) percpu_counter_read_positive(fbc)
#define percpu_counter_add_batch(fbc, amount, batch) percpu_counter_add(fbc, amount)
#define percpu_counter_add_local(fbc, amount) percpu_counter_add(fbc, amount)
#define percpu_counter_sub_local(fbc, amount) percpu_counter_sub(fbc, amount)
#define percpu_counter_sync(fbc) ((void)(fbc))
#define percpu_counter_initialized(fbc) ((void)(fbc), true)
#define percpu_counter_sum_all(fbc) percpu_counter_sum(fbc)
#define percpu_counter_batch 32

/* -1, 0 or 1. */
static inline int percpu_counter_compare(struct percpu_counter *fbc, s64 rhs)
{
	return fbc->count < rhs ? -1 : fbc->count > rhs;
}

static inline int __percpu_counter_compare(struct percpu_counter *fbc, s64 rhs, s32 batch)
{
	return percpu_counter_compare(fbc, rhs);
}
