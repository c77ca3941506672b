/* SPDX-License-Identifier: MIT */
#pragma once

#include <linux/atomic.h>
#include <linux/bug.h>
#include <linux/kernel.h>
#include <linux/percpu.h>
#include <linux/gfp.h>

struct percpu_ref;
typedef void (percpu_ref_func_t)(struct percpu_ref *);

enum {
	PERCPU_REF_INIT_ATOMIC = 1 << 0,
	PERCPU_REF_INIT_DEAD = 1 << 1,
	PERCPU_REF_ALLOW_REINIT = 1 << 2,
};

/* One counter for all CPUs, always in what Linux calls atomic mode: the first reference is held until the kill. */
struct percpu_ref {
	atomic_long_t count;
	percpu_ref_func_t *release;
	bool dying;
	bool allow_reinit;
};

static inline int __must_check percpu_ref_init(struct percpu_ref *ref, percpu_ref_func_t *release,
					       unsigned int flags, gfp_t gfp)
{
	ref->release = release;
	ref->dying = flags & PERCPU_REF_INIT_DEAD;
	ref->allow_reinit = flags & (PERCPU_REF_ALLOW_REINIT | PERCPU_REF_INIT_ATOMIC | PERCPU_REF_INIT_DEAD);
	atomic_long_set(&ref->count, !ref->dying);
	return 0;
}

static inline void percpu_ref_exit(struct percpu_ref *ref)
{
	ref->dying = true;
	ref->release = NULL;
}

static inline void percpu_ref_get_many(struct percpu_ref *ref, unsigned long nr)
{
	atomic_long_add(nr, &ref->count);
}

static inline void percpu_ref_get(struct percpu_ref *ref)
{
	percpu_ref_get_many(ref, 1);
}

static inline bool percpu_ref_tryget(struct percpu_ref *ref)
{
	return atomic_long_inc_not_zero(&ref->count);
}

static inline bool percpu_ref_tryget_live(struct percpu_ref *ref)
{
	return !ref->dying && percpu_ref_tryget(ref);
}

static inline void percpu_ref_put_many(struct percpu_ref *ref, unsigned long nr)
{
	if (atomic_long_sub_and_test(nr, &ref->count))
		ref->release(ref);
}

static inline void percpu_ref_put(struct percpu_ref *ref)
{
	percpu_ref_put_many(ref, 1);
}

static inline void percpu_ref_kill_and_confirm(struct percpu_ref *ref, percpu_ref_func_t *confirm_kill)
{
	WARN_ONCE(ref->dying, "%s called more than once on %ps!", __func__, ref->release);
	ref->dying = true;
	if (confirm_kill)
		confirm_kill(ref);
	percpu_ref_put(ref);
}

static inline void percpu_ref_kill(struct percpu_ref *ref)
{
	percpu_ref_kill_and_confirm(ref, NULL);
}

static inline void percpu_ref_resurrect(struct percpu_ref *ref)
{
	WARN_ON_ONCE(!ref->dying);
	ref->dying = false;
	percpu_ref_get(ref);
}

static inline bool percpu_ref_is_zero(struct percpu_ref *ref)
{
	return atomic_long_read(&ref->count) == 0;
}

static inline void percpu_ref_reinit(struct percpu_ref *ref)
{
	WARN_ON_ONCE(!percpu_ref_is_zero(ref));
	percpu_ref_resurrect(ref);
}

static inline bool percpu_ref_is_dying(struct percpu_ref *ref)
{
	return ref->dying;
}

static inline void percpu_ref_switch_to_atomic_sync(struct percpu_ref *ref)
{
}

static inline void percpu_ref_switch_to_percpu(struct percpu_ref *ref)
{
}
