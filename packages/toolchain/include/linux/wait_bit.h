/* SPDX-License-Identifier: MIT */
#pragma once

/* Waiting for a bit to be clear, or for a variable to be as one wants it. */

#include <linux/wait.h>
#include <linux/bitops.h>
#include <linux/errno.h>
#include <linux/jiffies.h>
#include <linux/kernel.h>
#include <linux/sched/signal.h>

typedef int wait_bit_action_f(struct wait_bit_key *key, int mode);

#define __WAIT_BIT_KEY_INITIALIZER(word, bit) { .flags = (word), .bit_nr = bit, }
#define DEFINE_WAIT_BIT(name, word, bit) \
	struct wait_bit_queue_entry name = { \
		.key = __WAIT_BIT_KEY_INITIALIZER(word, bit), \
		.wq_entry = { \
			.private = current, \
			.func = wake_bit_function, \
			.entry = LIST_HEAD_INIT((name).wq_entry.entry), \
		}, \
	}

extern struct wait_queue_head *bit_waitqueue(void *word, int bit);
extern void __wake_up_bit(struct wait_queue_head *wq_head, void *word, int bit);
extern void wake_up_bit(void *word, int bit);
extern int wake_bit_function(struct wait_queue_entry *wq_entry, unsigned int mode, int sync, void *key);
extern struct wait_queue_head *__var_waitqueue(void *p);
extern void init_wait_var_entry(struct wait_bit_queue_entry *wbq_entry, void *var, int flags);
extern void wake_up_var(void *var);

/* What to do while the bit is set: sleep, and say whether to give up. */
static inline int bit_wait(struct wait_bit_key *word, int mode)
{
	schedule();
	return signal_pending_state(mode, current) ? -EINTR : 0;
}

static inline int bit_wait_io(struct wait_bit_key *word, int mode)
{
	io_schedule();
	return signal_pending_state(mode, current) ? -EINTR : 0;
}

static inline int bit_wait_timeout(struct wait_bit_key *word, int mode)
{
	if (time_after_eq(jiffies, word->timeout))
		return -EAGAIN;
	schedule_timeout(word->timeout - jiffies);
	return signal_pending_state(mode, current) ? -EINTR : 0;
}

#define bit_wait_io_timeout bit_wait_timeout

static inline int __wait_on_bit(struct wait_queue_head *wq_head, struct wait_bit_queue_entry *wbq_entry,
				wait_bit_action_f *action, unsigned int mode)
{
	unsigned long *word = wbq_entry->key.flags;
	int ret = 0;

	do {
		prepare_to_wait(wq_head, &wbq_entry->wq_entry, mode);
		if (test_bit(wbq_entry->key.bit_nr, word))
			ret = action(&wbq_entry->key, mode);
	} while (!ret && test_bit(wbq_entry->key.bit_nr, word));
	finish_wait(wq_head, &wbq_entry->wq_entry);
	return ret;
}

static inline int out_of_line_wait_on_bit(void *word, int bit, wait_bit_action_f *action, unsigned int mode)
{
	DEFINE_WAIT_BIT(wait, word, bit);

	return __wait_on_bit(bit_waitqueue(word, bit), &wait, action, mode);
}

static inline int out_of_line_wait_on_bit_timeout(void *word, int bit, wait_bit_action_f *action,
						  unsigned int mode, unsigned long timeout)
{
	DEFINE_WAIT_BIT(wait, word, bit);

	wait.key.timeout = jiffies + timeout;
	return __wait_on_bit(bit_waitqueue(word, bit), &wait, action, mode);
}

/* Waiters for a lock are exclusive: each unlock wakes one of them. */
static inline int __wait_on_bit_lock(struct wait_queue_head *wq_head, struct wait_bit_queue_entry *wbq_entry,
				     wait_bit_action_f *action, unsigned int mode)
{
	unsigned long *word = wbq_entry->key.flags;
	int bit = wbq_entry->key.bit_nr;
	int ret = 0;

	for (;;) {
		prepare_to_wait_exclusive(wq_head, &wbq_entry->wq_entry, mode);
		if (test_bit(bit, word))
			ret = action(&wbq_entry->key, mode);
		if (!test_and_set_bit(bit, word)) {
			finish_wait(wq_head, &wbq_entry->wq_entry);
			return 0;
		}
		if (ret) {
			finish_wait(wq_head, &wbq_entry->wq_entry);
			return ret;
		}
	}
}

static inline int out_of_line_wait_on_bit_lock(void *word, int bit, wait_bit_action_f *action, unsigned int mode)
{
	DEFINE_WAIT_BIT(wait, word, bit);

	return __wait_on_bit_lock(bit_waitqueue(word, bit), &wait, action, mode);
}

static inline int wait_on_bit_action(unsigned long *word, int bit, wait_bit_action_f *action, unsigned int mode)
{
	might_sleep();
	return test_bit(bit, word) ? out_of_line_wait_on_bit(word, bit, action, mode) : 0;
}

static inline int wait_on_bit(unsigned long *word, int bit, unsigned int mode)
{
	return wait_on_bit_action(word, bit, bit_wait, mode);
}

static inline int wait_on_bit_io(unsigned long *word, int bit, unsigned int mode)
{
	return wait_on_bit_action(word, bit, bit_wait_io, mode);
}

static inline int wait_on_bit_timeout(unsigned long *word, int bit, unsigned int mode, unsigned long timeout)
{
	might_sleep();
	return test_bit(bit, word) ? out_of_line_wait_on_bit_timeout(word, bit, bit_wait_timeout, mode, timeout) : 0;
}

static inline int wait_on_bit_lock_action(unsigned long *word, int bit, wait_bit_action_f *action,
					  unsigned int mode)
{
	might_sleep();
	return test_and_set_bit(bit, word) ? out_of_line_wait_on_bit_lock(word, bit, action, mode) : 0;
}

static inline int wait_on_bit_lock(unsigned long *word, int bit, unsigned int mode)
{
	return wait_on_bit_lock_action(word, bit, bit_wait, mode);
}

static inline int wait_on_bit_lock_io(unsigned long *word, int bit, unsigned int mode)
{
	return wait_on_bit_lock_action(word, bit, bit_wait_io, mode);
}

static inline void clear_and_wake_up_bit(int bit, void *word)
{
	clear_bit_unlock(bit, word);
	wake_up_bit(word, bit);
}

#define ___wait_var_event(var, condition, state, exclusive, ret, cmd) \
	({ \
		struct wait_queue_head *__wq_head = __var_waitqueue(var); \
		struct wait_bit_queue_entry __wbq_entry; \
		long __ret = (ret); \
		init_wait_var_entry(&__wbq_entry, var, (exclusive) ? WQ_FLAG_EXCLUSIVE : 0); \
		for (;;) { \
			long __int = prepare_to_wait_event(__wq_head, &__wbq_entry.wq_entry, (state)); \
			if (condition) { \
				finish_wait(__wq_head, &__wbq_entry.wq_entry); \
				break; \
			} \
			if (((state) & 0x101) && __int) { \
				__ret = __int; \
				break; \
			} \
			cmd; \
		} \
		__ret; \
	})
#define __wait_var_event_plain(var, condition, state) \
	({ \
		long __wret = 0; \
		__wait_sleepable(); \
		if (!(condition)) \
			__wret = ___wait_var_event(var, condition, state, 0, 0, schedule()); \
		__wret; \
	})
#define wait_var_event(var, condition) ((void)__wait_var_event_plain(var, condition, 2))
#define wait_var_event_killable(var, condition) ((int)__wait_var_event_plain(var, condition, 0x102))
#define wait_var_event_interruptible(var, condition) ((int)__wait_var_event_plain(var, condition, 1))
#define wait_var_event_timeout(var, condition, timeout) \
	({ \
		long __ret = (timeout); \
		__wait_sleepable(); \
		if (!___wait_cond_timeout(condition)) \
			__ret = ___wait_var_event(var, ___wait_cond_timeout(condition), 2, 0, (timeout), \
						  __ret = schedule_timeout(__ret)); \
		__ret; \
	})
