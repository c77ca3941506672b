/* SPDX-License-Identifier: MIT */
#pragma once

#include <linux/types.h>
#include <linux/spinlock_types.h>

struct task_struct;


#include <generated/lock_types.h>

#define OSQ_UNLOCKED_VAL (0)
#define OSQ_LOCK_UNLOCKED { ATOMIC_INIT(OSQ_UNLOCKED_VAL) }
