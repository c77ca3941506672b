/* SPDX-License-Identifier: MIT */
#pragma once

#include <linux/list.h>
#include <linux/spinlock.h>

struct task_struct;

#include <generated/lock_types.h>

#define __SEMAPHORE_INITIALIZER(name, n) \
	{ \
		.count = n, \
		.wait_list = LIST_HEAD_INIT((name).wait_list), \
	}
#define DEFINE_SEMAPHORE(name) struct semaphore name = __SEMAPHORE_INITIALIZER(name, 1)

static inline void sema_init(struct semaphore *sem, int val)
{
	*sem = (struct semaphore)__SEMAPHORE_INITIALIZER(*sem, val);
}

extern void down(struct semaphore *sem);
extern int __must_check down_interruptible(struct semaphore *sem);
extern int __must_check down_killable(struct semaphore *sem);
extern int __must_check down_trylock(struct semaphore *sem);
extern int __must_check down_timeout(struct semaphore *sem, long jiffies);
extern void up(struct semaphore *sem);
