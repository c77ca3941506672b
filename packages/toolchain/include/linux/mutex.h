/* SPDX-License-Identifier: MIT */
#pragma once

#include <linux/list.h>
#include <linux/spinlock_types.h>
#include <linux/lockdep.h>
#include <linux/atomic.h>
#include <linux/cache.h>
#include <linux/osq_lock.h>

struct device;

struct task_struct;

#include <generated/lock_types.h>

#define __MUTEX_INITIALIZER(lockname) \
	{ \
		.owner = ATOMIC_LONG_INIT(0), \
		.wait_list = LIST_HEAD_INIT(lockname.wait_list), \
	}
#define DEFINE_MUTEX(mutexname) struct mutex mutexname = __MUTEX_INITIALIZER(mutexname)

extern void __mutex_init(struct mutex *lock, const char *name, struct lock_class_key *key);
#define mutex_init(mutex) \
	do { \
		static struct lock_class_key __key; \
		__mutex_init((mutex), #mutex, &__key); \
	} while (0)

extern bool mutex_is_locked(struct mutex *lock);
extern void mutex_lock(struct mutex *lock);
extern int __must_check mutex_lock_interruptible(struct mutex *lock);
extern int __must_check mutex_lock_killable(struct mutex *lock);
extern void mutex_lock_io(struct mutex *lock);
extern int mutex_trylock(struct mutex *lock);
extern void mutex_unlock(struct mutex *lock);
#define mutex_destroy(lock) do { (void)(lock); } while (0)
#define mutex_lock_nested(lock, subclass) mutex_lock(lock)
#define mutex_lock_interruptible_nested(lock, subclass) mutex_lock_interruptible(lock)
#define mutex_lock_killable_nested(lock, subclass) mutex_lock_killable(lock)
#define mutex_lock_nest_lock(lock, nest_lock) mutex_lock(lock)
