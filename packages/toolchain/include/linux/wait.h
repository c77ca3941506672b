/* SPDX-License-Identifier: MIT */
#pragma once

#include <linux/list.h>
#include <linux/stddef.h>
#include <linux/spinlock.h>
#include <asm/current.h>

struct task_struct;

#include <generated/lock_types.h>

typedef struct wait_queue_entry wait_queue_entry_t;
typedef int (*wait_queue_func_t)(struct wait_queue_entry *wq_entry, unsigned int mode, int flags, void *key);
typedef struct wait_queue_head wait_queue_head_t;

#define WQ_FLAG_EXCLUSIVE 0x01
#define WQ_FLAG_WOKEN 0x02
#define WQ_FLAG_BOOKMARK 0x04
#define WQ_FLAG_CUSTOM 0x08
#define WQ_FLAG_DONE 0x10
#define WQ_FLAG_PRIORITY 0x20

extern int default_wake_function(struct wait_queue_entry *wq_entry, unsigned int mode, int flags, void *key);
extern int autoremove_wake_function(struct wait_queue_entry *wq_entry, unsigned int mode, int sync, void *key);

#define __WAITQUEUE_INITIALIZER(name, tsk) \
	{ \
		.private = tsk, \
		.func = default_wake_function, \
		.entry = { NULL, NULL }, \
	}
#define DECLARE_WAITQUEUE(name, tsk) struct wait_queue_entry name = __WAITQUEUE_INITIALIZER(name, tsk)
#define __WAIT_QUEUE_HEAD_INITIALIZER(name) \
	{ \
		.head = LIST_HEAD_INIT(name.head), \
	}
#define DECLARE_WAIT_QUEUE_HEAD(name) struct wait_queue_head name = __WAIT_QUEUE_HEAD_INITIALIZER(name)
#define DECLARE_WAIT_QUEUE_HEAD_ONSTACK(name) DECLARE_WAIT_QUEUE_HEAD(name)
#define DEFINE_WAIT_FUNC(name, function) \
	struct wait_queue_entry name = { \
		.private = current, \
		.func = function, \
		.entry = LIST_HEAD_INIT((name).entry), \
	}
#define DEFINE_WAIT(name) DEFINE_WAIT_FUNC(name, autoremove_wake_function)

extern void __init_waitqueue_head(struct wait_queue_head *wq_head, const char *name, struct lock_class_key *key);
#define init_waitqueue_head(wq_head) \
	do { \
		static struct lock_class_key __key; \
		__init_waitqueue_head((wq_head), #wq_head, &__key); \
	} while (0)
#define init_wait(wait) \
	do { \
		(wait)->private = current; \
		(wait)->func = autoremove_wake_function; \
		INIT_LIST_HEAD(&(wait)->entry); \
		(wait)->flags = 0; \
	} while (0)

static inline void init_waitqueue_entry(struct wait_queue_entry *wq_entry, struct task_struct *p)
{
	wq_entry->flags = 0;
	wq_entry->private = p;
	wq_entry->func = default_wake_function;
}

static inline void init_waitqueue_func_entry(struct wait_queue_entry *wq_entry, wait_queue_func_t func)
{
	wq_entry->flags = 0;
	wq_entry->private = NULL;
	wq_entry->func = func;
}

static inline int waitqueue_active(struct wait_queue_head *wq_head)
{
	return !list_empty(&wq_head->head);
}

static inline bool wq_has_sleeper(struct wait_queue_head *wq_head)
{
	return waitqueue_active(wq_head);
}

static inline bool wq_has_single_sleeper(struct wait_queue_head *wq_head)
{
	return list_is_singular(&wq_head->head);
}

extern void add_wait_queue(struct wait_queue_head *wq_head, struct wait_queue_entry *wq_entry);
extern void add_wait_queue_exclusive(struct wait_queue_head *wq_head, struct wait_queue_entry *wq_entry);
extern void add_wait_queue_priority(struct wait_queue_head *wq_head, struct wait_queue_entry *wq_entry);
extern void remove_wait_queue(struct wait_queue_head *wq_head, struct wait_queue_entry *wq_entry);

static inline void __add_wait_queue(struct wait_queue_head *wq_head, struct wait_queue_entry *wq_entry)
{
	list_add(&wq_entry->entry, &wq_head->head);
}

static inline void __add_wait_queue_entry_tail(struct wait_queue_head *wq_head, struct wait_queue_entry *wq_entry)
{
	list_add_tail(&wq_entry->entry, &wq_head->head);
}

static inline void __remove_wait_queue(struct wait_queue_head *wq_head, struct wait_queue_entry *wq_entry)
{
	list_del(&wq_entry->entry);
}

extern int __wake_up(struct wait_queue_head *wq_head, unsigned int mode, int nr, void *key);
extern void __wake_up_locked(struct wait_queue_head *wq_head, unsigned int mode, int nr);
extern void __wake_up_locked_key(struct wait_queue_head *wq_head, unsigned int mode, void *key);
extern void __wake_up_sync(struct wait_queue_head *wq_head, unsigned int mode);
extern void __wake_up_sync_key(struct wait_queue_head *wq_head, unsigned int mode, void *key);

/* TASK_INTERRUPTIBLE is 1, TASK_NORMAL 3: <linux/sched.h> has them. */
#define wake_up(x) __wake_up(x, 3, 1, NULL)
#define wake_up_nr(x, nr) __wake_up(x, 3, nr, NULL)
#define wake_up_all(x) __wake_up(x, 3, 0, NULL)
#define wake_up_locked(x) __wake_up_locked((x), 3, 1)
#define wake_up_all_locked(x) __wake_up_locked((x), 3, 0)
#define wake_up_sync(x) __wake_up_sync(x, 3)
#define wake_up_interruptible(x) __wake_up(x, 1, 1, NULL)
#define wake_up_interruptible_nr(x, nr) __wake_up(x, 1, nr, NULL)
#define wake_up_interruptible_all(x) __wake_up(x, 1, 0, NULL)
#define wake_up_interruptible_sync(x) __wake_up_sync((x), 1)
#define poll_to_key(m) ((void *)(__force uintptr_t)(__poll_t)(m))
#define key_to_poll(m) ((__force __poll_t)(uintptr_t)(void *)(m))
#define wake_up_poll(x, m) __wake_up(x, 3, 1, poll_to_key(m))
#define wake_up_interruptible_poll(x, m) __wake_up(x, 1, 1, poll_to_key(m))

extern void prepare_to_wait(struct wait_queue_head *wq_head, struct wait_queue_entry *wq_entry, int state);
extern bool prepare_to_wait_exclusive(struct wait_queue_head *wq_head, struct wait_queue_entry *wq_entry,
				      int state);
extern long prepare_to_wait_event(struct wait_queue_head *wq_head, struct wait_queue_entry *wq_entry, int state);
extern void finish_wait(struct wait_queue_head *wq_head, struct wait_queue_entry *wq_entry);
extern long wait_woken(struct wait_queue_entry *wq_entry, unsigned int mode, long timeout);
extern int woken_wake_function(struct wait_queue_entry *wq_entry, unsigned int mode, int sync, void *key);
extern void init_wait_entry(struct wait_queue_entry *wq_entry, int flags);
extern void __might_sleep(const char *file, int line);
extern void schedule(void);
extern long schedule_timeout(long timeout);
extern void io_schedule(void);

/*
 * Sleeps until the condition holds; it is looked at before each sleep and after each wake-up. `cmd` sleeps; the
 * result is what prepare_to_wait_event() gave for a signal, or `ret` as `cmd` left it.
 */
#define ___wait_event(wq_head, condition, state, exclusive, ret, cmd) \
	({ \
		struct wait_queue_entry __wq_entry; \
		long __ret = (ret); \
		init_wait_entry(&__wq_entry, (exclusive) ? WQ_FLAG_EXCLUSIVE : 0); \
		for (;;) { \
			long __int = prepare_to_wait_event(&(wq_head), &__wq_entry, (state)); \
			if (condition) { \
				finish_wait(&(wq_head), &__wq_entry); \
				break; \
			} \
			if (((state) & 0x101) && __int) { \
				/* prepare_to_wait_event() has already taken the entry off the queue */ \
				__ret = __int; \
				break; \
			} \
			cmd; \
		} \
		__ret; \
	})
/* As a condition: true if it holds, or the time is over; a time left over is at least 1 if it holds. */
#define ___wait_cond_timeout(condition) \
	({ \
		bool __cond = (condition); \
		if (__cond && !__ret) \
			__ret = 1; \
		__cond || !__ret; \
	})
#define __wait_sleepable() __might_sleep(__FILE__, __LINE__)

#define __wait_event_plain(wq_head, condition, state, exclusive, cmd) \
	({ \
		long __wret = 0; \
		__wait_sleepable(); \
		if (!(condition)) \
			__wret = ___wait_event(wq_head, condition, state, exclusive, 0, cmd); \
		__wret; \
	})
#define __wait_event_timeout(wq_head, condition, state, exclusive, timeout) \
	({ \
		long __ret = (timeout); \
		__wait_sleepable(); \
		if (!___wait_cond_timeout(condition)) \
			__ret = ___wait_event(wq_head, ___wait_cond_timeout(condition), state, exclusive, \
					      (timeout), __ret = schedule_timeout(__ret)); \
		__ret; \
	})

#define wait_event(wq_head, condition) ((void)__wait_event_plain(wq_head, condition, 2, 0, schedule()))
#define io_wait_event(wq_head, condition) ((void)__wait_event_plain(wq_head, condition, 2, 0, io_schedule()))
#define wait_event_interruptible(wq_head, condition) \
	((int)__wait_event_plain(wq_head, condition, 1, 0, schedule()))
#define wait_event_killable(wq_head, condition) \
	((int)__wait_event_plain(wq_head, condition, 0x102, 0, schedule()))
#define wait_event_idle(wq_head, condition) \
	((void)__wait_event_plain(wq_head, condition, 0x402, 0, schedule()))
#define wait_event_freezable(wq_head, condition) wait_event_interruptible(wq_head, condition)
#define wait_event_exclusive_cmd(wq_head, condition, cmd1, cmd2) \
	((void)__wait_event_plain(wq_head, condition, 2, 1, cmd1; schedule(); cmd2))
#define wait_event_cmd(wq_head, condition, cmd1, cmd2) \
	((void)__wait_event_plain(wq_head, condition, 2, 0, cmd1; schedule(); cmd2))
#define wait_event_interruptible_exclusive(wq_head, condition) \
	((int)__wait_event_plain(wq_head, condition, 1, 1, schedule()))
#define wait_event_killable_exclusive(wq_head, condition) \
	((int)__wait_event_plain(wq_head, condition, 0x102, 1, schedule()))
#define wait_event_timeout(wq_head, condition, timeout) \
	__wait_event_timeout(wq_head, condition, 2, 0, timeout)
#define wait_event_interruptible_timeout(wq_head, condition, timeout) \
	__wait_event_timeout(wq_head, condition, 1, 0, timeout)
#define wait_event_killable_timeout(wq_head, condition, timeout) \
	__wait_event_timeout(wq_head, condition, 0x102, 0, timeout)
#define wait_event_idle_timeout(wq_head, condition, timeout) \
	__wait_event_timeout(wq_head, condition, 0x402, 0, timeout)
/* The lock is held when the condition is looked at, and afterwards. */
#define wait_event_lock_irq(wq_head, condition, lock) \
	((void)__wait_event_plain(wq_head, condition, 2, 0, \
				  spin_unlock_irq(&lock); schedule(); spin_lock_irq(&lock)))
#define wait_event_interruptible_lock_irq(wq_head, condition, lock) \
	((int)__wait_event_plain(wq_head, condition, 1, 0, \
				 spin_unlock_irq(&lock); schedule(); spin_lock_irq(&lock)))
