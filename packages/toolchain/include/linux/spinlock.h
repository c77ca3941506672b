/* SPDX-License-Identifier: MIT */
#pragma once

#include <linux/typecheck.h>
#include <linux/preempt.h>
#include <linux/compiler.h>
#include <linux/irqflags.h>
#include <linux/kernel.h>
#include <linux/stringify.h>
#include <linux/bottom_half.h>
#include <linux/lockdep.h>
#include <linux/spinlock_types.h>
#include <linux/atomic.h>

/* Taking a lock also raises the preempt count; a lock whose holder sleeps is reported, not spun on. */
extern void _raw_spin_lock(raw_spinlock_t *lock) __acquires(lock);
extern void _raw_spin_lock_bh(raw_spinlock_t *lock) __acquires(lock);
extern void _raw_spin_lock_irq(raw_spinlock_t *lock) __acquires(lock);
extern unsigned long _raw_spin_lock_irqsave(raw_spinlock_t *lock) __acquires(lock);
extern int _raw_spin_trylock(raw_spinlock_t *lock);
extern int _raw_spin_trylock_bh(raw_spinlock_t *lock);
extern void _raw_spin_unlock(raw_spinlock_t *lock) __releases(lock);
extern void _raw_spin_unlock_bh(raw_spinlock_t *lock) __releases(lock);
extern void _raw_spin_unlock_irq(raw_spinlock_t *lock) __releases(lock);
extern void _raw_spin_unlock_irqrestore(raw_spinlock_t *lock, unsigned long flags) __releases(lock);
extern int in_lock_functions(unsigned long addr);
extern int _atomic_dec_and_lock(atomic_t *atomic, spinlock_t *lock);
#define atomic_dec_and_lock(atomic, lock) _atomic_dec_and_lock(atomic, lock)

#define raw_spin_lock_init(lock) \
	do { \
		*(lock) = __RAW_SPIN_LOCK_UNLOCKED(lock); \
	} while (0)
#define raw_spin_is_locked(lock) (READ_ONCE((lock)->raw_lock) != 0)
#define raw_spin_lock(lock) _raw_spin_lock(lock)
#define raw_spin_lock_nested(lock, subclass) _raw_spin_lock(lock)
#define raw_spin_lock_bh(lock) _raw_spin_lock_bh(lock)
#define raw_spin_lock_irq(lock) _raw_spin_lock_irq(lock)
#define raw_spin_lock_irqsave(lock, flags) \
	do { \
		typecheck(unsigned long, flags); \
		flags = _raw_spin_lock_irqsave(lock); \
	} while (0)
#define raw_spin_unlock(lock) _raw_spin_unlock(lock)
#define raw_spin_unlock_bh(lock) _raw_spin_unlock_bh(lock)
#define raw_spin_unlock_irq(lock) _raw_spin_unlock_irq(lock)
#define raw_spin_unlock_irqrestore(lock, flags) \
	do { \
		typecheck(unsigned long, flags); \
		_raw_spin_unlock_irqrestore(lock, flags); \
	} while (0)
#define raw_spin_trylock(lock) _raw_spin_trylock(lock)

static __transparent raw_spinlock_t *spinlock_check(spinlock_t *lock)
{
	return &lock->rlock;
}

#define spin_lock_init(_lock) \
	do { \
		spinlock_check(_lock); \
		*(_lock) = __SPIN_LOCK_UNLOCKED(_lock); \
	} while (0)

static __transparent void spin_lock(spinlock_t *lock)
{
	_raw_spin_lock(&lock->rlock);
}

static __transparent void spin_lock_bh(spinlock_t *lock)
{
	_raw_spin_lock_bh(&lock->rlock);
}

static __transparent void spin_lock_irq(spinlock_t *lock)
{
	_raw_spin_lock_irq(&lock->rlock);
}

#define spin_lock_irqsave(lock, flags) raw_spin_lock_irqsave(spinlock_check(lock), flags)
#define spin_lock_nested(lock, subclass) spin_lock(lock)
#define spin_lock_irqsave_nested(lock, flags, subclass) spin_lock_irqsave(lock, flags)

static __transparent void spin_unlock(spinlock_t *lock)
{
	_raw_spin_unlock(&lock->rlock);
}

static __transparent void spin_unlock_bh(spinlock_t *lock)
{
	_raw_spin_unlock_bh(&lock->rlock);
}

static __transparent void spin_unlock_irq(spinlock_t *lock)
{
	_raw_spin_unlock_irq(&lock->rlock);
}

static __transparent void spin_unlock_irqrestore(spinlock_t *lock, unsigned long flags)
{
	_raw_spin_unlock_irqrestore(&lock->rlock, flags);
}

static __transparent int spin_trylock(spinlock_t *lock)
{
	return _raw_spin_trylock(&lock->rlock);
}

static __transparent int spin_trylock_bh(spinlock_t *lock)
{
	return _raw_spin_trylock_bh(&lock->rlock);
}

#define spin_trylock_irq(lock) \
	({ \
		int __taken; \
		local_irq_disable(); \
		__taken = spin_trylock(lock); \
		if (!__taken) \
			local_irq_enable(); \
		__taken; \
	})
#define spin_trylock_irqsave(lock, flags) \
	({ \
		int __taken; \
		local_irq_save(flags); \
		__taken = spin_trylock(lock); \
		if (!__taken) \
			local_irq_restore(flags); \
		__taken; \
	})

static __transparent int spin_is_locked(spinlock_t *lock)
{
	return raw_spin_is_locked(&lock->rlock);
}

#define spin_is_contended(lock) 0
#define spin_needbreak(lock) 0
#define assert_spin_locked(lock) BUG_ON(!spin_is_locked(lock))
#define assert_raw_spin_locked(lock) BUG_ON(!raw_spin_is_locked(lock))

#include <linux/rwlock.h>
