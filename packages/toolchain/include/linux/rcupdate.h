/* SPDX-License-Identifier: MIT */
#pragma once

#include <linux/types.h>
#include <linux/compiler.h>
#include <linux/atomic.h>
#include <linux/irqflags.h>
#include <linux/preempt.h>
#include <linux/bottom_half.h>
#include <linux/lockdep.h>
#include <linux/stddef.h>

extern void __rcu_read_lock(void);
extern void __rcu_read_unlock(void);
extern bool rcu_read_lock_held_common(void);
extern void call_rcu(struct rcu_head *head, rcu_callback_t func);
extern void synchronize_rcu(void);
extern void synchronize_rcu_expedited(void);
extern void rcu_barrier(void);
/* `offset` bytes before the head begins the object; below 4096 it stands for kfree. */
extern void kvfree_call_rcu(struct rcu_head *head, void *ptr);

#define synchronize_net() synchronize_rcu()
#define synchronize_sched() synchronize_rcu()

static __always_inline void rcu_read_lock(void)
{
	__rcu_read_lock();
}

static inline void rcu_read_unlock(void)
{
	__rcu_read_unlock();
}

static inline void rcu_read_lock_bh(void)
{
	local_bh_disable();
	__rcu_read_lock();
}

static inline void rcu_read_unlock_bh(void)
{
	__rcu_read_unlock();
	local_bh_enable();
}

static inline void rcu_read_lock_sched(void)
{
	preempt_disable();
}

static inline void rcu_read_unlock_sched(void)
{
	preempt_enable();
}

#define rcu_read_lock_held() 1
#define rcu_read_lock_bh_held() 1
#define rcu_read_lock_sched_held() 1
#define RCU_LOCKDEP_WARN(c, s) do { } while (0 && (c))

#define rcu_access_pointer(p) ((typeof(*p) *)READ_ONCE(p))
#define rcu_dereference_raw(p) ((typeof(*p) *)READ_ONCE(p))
#define rcu_dereference_check(p, c) rcu_dereference_raw(p)
#define rcu_dereference_protected(p, c) ((typeof(*p) *)(p))
#define rcu_dereference(p) rcu_dereference_raw(p)
#define rcu_dereference_bh(p) rcu_dereference_raw(p)
#define rcu_dereference_sched(p) rcu_dereference_raw(p)
#define rcu_pointer_handoff(p) (p)
#define rcu_assign_pointer(p, v) smp_store_release(&(p), v)
#define rcu_replace_pointer(rcu_ptr, ptr, c) \
	({ \
		typeof(ptr) __old = rcu_dereference_protected((rcu_ptr), (c)); \
		rcu_assign_pointer((rcu_ptr), (ptr)); \
		__old; \
	})
#define RCU_INIT_POINTER(p, v) WRITE_ONCE(p, v)
#define RCU_POINTER_INITIALIZER(p, v) .p = (typeof(*v) *)(v)
#define unrcu_pointer(p) (p)

/* With a member: frees after a grace period. Without: waits for one, then frees. */
#define kfree_rcu(ptr, rhf...) __KFREE_RCU_PICK(ptr, ##rhf, __kfree_rcu_head, __kfree_rcu_wait)(ptr, ##rhf)
#define __KFREE_RCU_PICK(_1, _2, NAME, ...) NAME
#define __kfree_rcu_head(ptr, rhf) \
	do { \
		typeof(ptr) ___p = (ptr); \
		if (___p) \
			kvfree_call_rcu(&___p->rhf, (void *)___p); \
	} while (0)
#define __kfree_rcu_wait(ptr) kvfree_call_rcu(NULL, (void *)(ptr))
#define kfree_rcu_mightsleep(ptr) __kfree_rcu_wait(ptr)
#define kvfree_rcu kfree_rcu

#define rcu_head_init(rhp) ((rhp)->func = NULL)
#define rcu_is_watching() true
#define init_rcu_head(head) do { } while (0)
#define destroy_rcu_head(head) do { } while (0)
