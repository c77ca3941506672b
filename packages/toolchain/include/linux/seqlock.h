/* SPDX-License-Identifier: MIT */
#pragma once

#include <linux/compiler.h>
#include <linux/lockdep.h>
#include <linux/mutex.h>
#include <linux/preempt.h>
#include <linux/spinlock.h>

/* Odd while somebody writes. Who writes sees to it that nobody else does, and is not preempted. */
typedef struct seqcount {
	unsigned int sequence;
} seqcount_t;

#define SEQCNT_ZERO(name) { .sequence = 0 }
#define seqcount_init(s) ((s)->sequence = 0)

/* Counters that know by which kind of lock their writers exclude each other. */
#define __SEQCOUNT_LOCKNAME(lockname, locktype) \
	typedef struct seqcount_##lockname { \
		seqcount_t seqcount; \
	} seqcount_##lockname##_t; \
	static __always_inline void seqcount_##lockname##_init(seqcount_##lockname##_t *s, locktype *lock) \
	{ \
		seqcount_init(&s->seqcount); \
	}
__SEQCOUNT_LOCKNAME(raw_spinlock, raw_spinlock_t)
__SEQCOUNT_LOCKNAME(spinlock, spinlock_t)
__SEQCOUNT_LOCKNAME(rwlock, rwlock_t)
__SEQCOUNT_LOCKNAME(mutex, struct mutex)
#undef __SEQCOUNT_LOCKNAME

#define __SEQCNT_LOCKNAME_ZERO(name) { .seqcount = SEQCNT_ZERO(name) }
#define SEQCNT_RAW_SPINLOCK_ZERO(name, lock) __SEQCNT_LOCKNAME_ZERO(name)
#define SEQCNT_SPINLOCK_ZERO(name, lock) __SEQCNT_LOCKNAME_ZERO(name)
#define SEQCNT_RWLOCK_ZERO(name, lock) __SEQCNT_LOCKNAME_ZERO(name)
#define SEQCNT_MUTEX_ZERO(name, lock) __SEQCNT_LOCKNAME_ZERO(name)

/* The plain counter of any of them; every one begins with it. */
#define __seqprop(s) \
	_Generic(*(s), seqcount_t: (s), seqcount_raw_spinlock_t: (s), seqcount_spinlock_t: (s), \
		 seqcount_rwlock_t: (s), seqcount_mutex_t: (s))
#define seqprop_ptr(s) ((seqcount_t *)__seqprop(s))
/* Only a mutex leaves its holder preemptible. */
#define seqprop_preemptible(s) _Generic(*(s), seqcount_mutex_t: true, default: false)

#define raw_read_seqcount(s) READ_ONCE(seqprop_ptr(s)->sequence)
/* While somebody writes, the retry fails. */
#define read_seqcount_begin(s) (raw_read_seqcount(s) & ~1U)
#define __read_seqcount_begin(s) read_seqcount_begin(s)
#define raw_read_seqcount_begin(s) read_seqcount_begin(s)
#define raw_seqcount_begin(s) read_seqcount_begin(s)
#define read_seqcount_retry(s, start) do_read_seqcount_retry(seqprop_ptr(s), start)
#define __read_seqcount_retry(s, start) do_read_seqcount_retry(seqprop_ptr(s), start)
#define raw_write_seqcount_begin(s) do_write_seqcount_step(seqprop_ptr(s), seqprop_preemptible(s), false)
#define raw_write_seqcount_end(s) do_write_seqcount_step(seqprop_ptr(s), false, seqprop_preemptible(s))
#define write_seqcount_begin(s) raw_write_seqcount_begin(s)
#define write_seqcount_begin_nested(s, subclass) raw_write_seqcount_begin(s)
#define write_seqcount_end(s) raw_write_seqcount_end(s)
/* Readers that have begun will retry; the counter stays even. */
#define raw_write_seqcount_barrier(s) ((void)(seqprop_ptr(s)->sequence += 2))
#define write_seqcount_invalidate(s) ((void)(seqprop_ptr(s)->sequence += 2))

static __always_inline int do_read_seqcount_retry(const seqcount_t *s, unsigned int start)
{
	return READ_ONCE(s->sequence) != start;
}

static __always_inline void do_write_seqcount_step(seqcount_t *s, bool disable, bool enable)
{
	if (disable)
		preempt_disable();
	s->sequence++;
	if (enable)
		preempt_enable();
}

/* Two copies of the data: the counter's low bit says which one readers take. */
typedef struct {
	seqcount_t seqcount;
} seqcount_latch_t;

#define SEQCNT_LATCH_ZERO(seq_name) { .seqcount = SEQCNT_ZERO(seq_name.seqcount) }
#define seqcount_latch_init(s) seqcount_init(&(s)->seqcount)

static __always_inline unsigned int raw_read_seqcount_latch(const seqcount_latch_t *s)
{
	return READ_ONCE(s->seqcount.sequence);
}

static __always_inline int read_seqcount_latch_retry(const seqcount_latch_t *s, unsigned int start)
{
	return do_read_seqcount_retry(&s->seqcount, start);
}

static __always_inline void raw_write_seqcount_latch(seqcount_latch_t *s)
{
	s->seqcount.sequence++;
}

/* A counter with its lock. */
typedef struct {
	seqcount_spinlock_t seqcount;
	spinlock_t lock;
} seqlock_t;

#define __SEQLOCK_UNLOCKED(lockname) { .seqcount = SEQCNT_SPINLOCK_ZERO(lockname, &(lockname).lock) }
#define DEFINE_SEQLOCK(sl) seqlock_t sl = __SEQLOCK_UNLOCKED(sl)
#define seqlock_init(sl) \
	do { \
		spin_lock_init(&(sl)->lock); \
		seqcount_spinlock_init(&(sl)->seqcount, &(sl)->lock); \
	} while (0)

static inline unsigned int read_seqbegin(const seqlock_t *sl)
{
	return read_seqcount_begin(&sl->seqcount);
}

static inline unsigned int read_seqretry(const seqlock_t *sl, unsigned int start)
{
	return read_seqcount_retry(&sl->seqcount, start);
}

#define __SEQLOCK_WRITE(suffix) \
	static inline void write_seqlock##suffix(seqlock_t *sl) \
	{ \
		spin_lock##suffix(&sl->lock); \
		write_seqcount_begin(&sl->seqcount); \
	} \
	static inline void write_sequnlock##suffix(seqlock_t *sl) \
	{ \
		write_seqcount_end(&sl->seqcount); \
		spin_unlock##suffix(&sl->lock); \
	} \
	static inline void read_seqlock_excl##suffix(seqlock_t *sl) \
	{ \
		spin_lock##suffix(&sl->lock); \
	} \
	static inline void read_sequnlock_excl##suffix(seqlock_t *sl) \
	{ \
		spin_unlock##suffix(&sl->lock); \
	}
__SEQLOCK_WRITE()
__SEQLOCK_WRITE(_bh)
__SEQLOCK_WRITE(_irq)
#undef __SEQLOCK_WRITE

#define write_seqlock_irqsave(sl, flags) \
	do { \
		spin_lock_irqsave(&(sl)->lock, flags); \
		write_seqcount_begin(&(sl)->seqcount); \
	} while (0)
#define read_seqlock_excl_irqsave(sl, flags) spin_lock_irqsave(&(sl)->lock, flags)

static inline void write_sequnlock_irqrestore(seqlock_t *sl, unsigned long flags)
{
	write_seqcount_end(&sl->seqcount);
	spin_unlock_irqrestore(&sl->lock, flags);
}

static inline void read_sequnlock_excl_irqrestore(seqlock_t *sl, unsigned long flags)
{
	spin_unlock_irqrestore(&sl->lock, flags);
}

/* Reads without the lock if *seq is even, with it if it is odd: for a second try that cannot fail. */
static inline void read_seqbegin_or_lock(seqlock_t *lock, int *seq)
{
	if (*seq & 1)
		read_seqlock_excl(lock);
	else
		*seq = read_seqbegin(lock);
}

static inline int need_seqretry(seqlock_t *lock, int seq)
{
	return !(seq & 1) && read_seqretry(lock, seq);
}

static inline void done_seqretry(seqlock_t *lock, int seq)
{
	if (seq & 1)
		read_sequnlock_excl(lock);
}

static inline unsigned long read_seqbegin_or_lock_irqsave(seqlock_t *lock, int *seq)
{
	unsigned long flags = 0;

	if (*seq & 1)
		read_seqlock_excl_irqsave(lock, flags);
	else
		*seq = read_seqbegin(lock);
	return flags;
}

static inline void done_seqretry_irqrestore(seqlock_t *lock, int seq, unsigned long flags)
{
	if (seq & 1)
		read_sequnlock_excl_irqrestore(lock, flags);
}
