/* SPDX-License-Identifier: MIT */
#pragma once

#include <linux/list.h>
#include <linux/stddef.h>
#include <linux/spinlock.h>

struct task_struct;

#include <generated/lock_types.h>

#define __SWAIT_QUEUE_HEAD_INITIALIZER(name) \
	{ \
		.task_list = LIST_HEAD_INIT((name).task_list), \
	}
#define DECLARE_SWAIT_QUEUE_HEAD(name) struct swait_queue_head name = __SWAIT_QUEUE_HEAD_INITIALIZER(name)

static inline void init_swait_queue_head(struct swait_queue_head *q)
{
	raw_spin_lock_init(&q->lock);
	INIT_LIST_HEAD(&q->task_list);
}

extern void swake_up_one(struct swait_queue_head *q);
extern void swake_up_all(struct swait_queue_head *q);
