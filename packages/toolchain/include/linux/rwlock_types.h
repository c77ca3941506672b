/* SPDX-License-Identifier: MIT */
#pragma once

#include <linux/types.h>

/* Both words belong to the kernel: zeros are unlocked. */
typedef struct {
	u32 cnts;
	u32 wait_lock;
} rwlock_t;

#define __RW_LOCK_UNLOCKED(lockname) ((rwlock_t) { 0, 0 })
#define DEFINE_RWLOCK(x) rwlock_t x = __RW_LOCK_UNLOCKED(x)
