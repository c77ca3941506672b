/* SPDX-License-Identifier: MIT */
#pragma once

#include <linux/list.h>
#include <linux/spinlock.h>
#include <linux/atomic.h>
#include <linux/err.h>
#include <linux/osq_lock.h>

struct task_struct;

#include <generated/lock_types.h>

#define RWSEM_UNLOCKED_VALUE 0UL
#define __RWSEM_INITIALIZER(name) \
	{ \
		.count = ATOMIC_LONG_INIT(RWSEM_UNLOCKED_VALUE), \
		.wait_list = LIST_HEAD_INIT((name).wait_list), \
	}
#define DECLARE_RWSEM(name) struct rw_semaphore name = __RWSEM_INITIALIZER(name)

extern void __init_rwsem(struct rw_semaphore *sem, const char *name, struct lock_class_key *key);
#define init_rwsem(sem) \
	do { \
		static struct lock_class_key __key; \
		__init_rwsem((sem), #sem, &__key); \
	} while (0)

static inline int rwsem_is_locked(struct rw_semaphore *sem)
{
	return atomic_long_read(&sem->count) != 0;
}

extern void down_read(struct rw_semaphore *sem);
extern int __must_check down_read_interruptible(struct rw_semaphore *sem);
extern int __must_check down_read_killable(struct rw_semaphore *sem);
extern int down_read_trylock(struct rw_semaphore *sem);
extern void down_write(struct rw_semaphore *sem);
extern int __must_check down_write_killable(struct rw_semaphore *sem);
extern int down_write_trylock(struct rw_semaphore *sem);
extern void up_read(struct rw_semaphore *sem);
extern void up_write(struct rw_semaphore *sem);
extern void downgrade_write(struct rw_semaphore *sem);
#define down_read_nested(sem, subclass) down_read(sem)
#define down_write_nested(sem, subclass) down_write(sem)
