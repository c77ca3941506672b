/* SPDX-License-Identifier: MIT */
#pragma once

#include <linux/atomic.h>
#include <linux/kernel.h>
#include <linux/percpu.h>

struct percpu_ref;
typedef void (percpu_ref_func_t)(struct percpu_ref *);

struct percpu_ref {
	atomic_long_t count;
	bool dying;
	percpu_ref_func_t *release;
};

extern int __must_check percpu_ref_init(struct percpu_ref *ref, percpu_ref_func_t *release, unsigned int flags,
					gfp_t gfp);
extern void percpu_ref_exit(struct percpu_ref *ref);
extern void percpu_ref_kill(struct percpu_ref *ref);

static inline void percpu_ref_get(struct percpu_ref *ref)
{
	atomic_long_inc(&ref->count);
}

static inline void percpu_ref_put(struct percpu_ref *ref)
{
	if (atomic_long_dec_and_test(&ref->count))
		ref->release(ref);
}
