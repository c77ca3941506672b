/* SPDX-License-Identifier: MIT */
#pragma once

#include <linux/types.h>

/* The lock word belongs to the kernel: 0 is unlocked. */
typedef struct raw_spinlock {
	u32 raw_lock;
} raw_spinlock_t;

typedef struct spinlock {
	struct raw_spinlock rlock;
} spinlock_t;

#define __RAW_SPIN_LOCK_UNLOCKED(lockname) ((raw_spinlock_t) { 0 })
#define __SPIN_LOCK_UNLOCKED(lockname) ((spinlock_t) { { 0 } })
#define DEFINE_RAW_SPINLOCK(x) raw_spinlock_t x = __RAW_SPIN_LOCK_UNLOCKED(x)
#define DEFINE_SPINLOCK(x) spinlock_t x = __SPIN_LOCK_UNLOCKED(x)
