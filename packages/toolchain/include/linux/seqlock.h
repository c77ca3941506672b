/* SPDX-License-Identifier: MIT */
#pragma once

#include <linux/compiler.h>
#include <linux/lockdep.h>
#include <linux/preempt.h>
#include <linux/spinlock.h>

typedef struct seqcount {
	unsigned int sequence;
} seqcount_t;

typedef struct {
	seqcount_t seqcount;
	spinlock_t lock;
} seqlock_t;

#define SEQCNT_ZERO(name) { .sequence = 0 }
#define seqcount_init(s) ((s)->sequence = 0)
#define __SEQLOCK_UNLOCKED(lockname) { .seqcount = SEQCNT_ZERO(lockname) }
#define DEFINE_SEQLOCK(sl) seqlock_t sl = __SEQLOCK_UNLOCKED(sl)

static inline void seqlock_init(seqlock_t *sl)
{
	spin_lock_init(&sl->lock);
	seqcount_init(&sl->seqcount);
}

static inline unsigned int raw_read_seqcount(const seqcount_t *s)
{
	return READ_ONCE(s->sequence);
}

static inline unsigned int read_seqcount_begin(const seqcount_t *s)
{
	return READ_ONCE(s->sequence) & ~1U;
}

static inline int read_seqcount_retry(const seqcount_t *s, unsigned int start)
{
	return READ_ONCE(s->sequence) != start;
}

static inline void write_seqcount_begin(seqcount_t *s)
{
	preempt_disable();
	s->sequence++;
}

static inline void write_seqcount_end(seqcount_t *s)
{
	s->sequence++;
	preempt_enable();
}

#define raw_write_seqcount_begin(s) ((void)(s)->sequence++)
#define raw_write_seqcount_end(s) ((void)(s)->sequence++)

static inline unsigned int read_seqbegin(const seqlock_t *sl)
{
	return read_seqcount_begin(&sl->seqcount);
}

static inline unsigned int read_seqretry(const seqlock_t *sl, unsigned int start)
{
	return read_seqcount_retry(&sl->seqcount, start);
}

static inline void write_seqlock(seqlock_t *sl)
{
	spin_lock(&sl->lock);
	sl->seqcount.sequence++;
}

static inline void write_sequnlock(seqlock_t *sl)
{
	sl->seqcount.sequence++;
	spin_unlock(&sl->lock);
}

static inline void write_seqlock_bh(seqlock_t *sl)
{
	spin_lock_bh(&sl->lock);
	sl->seqcount.sequence++;
}

static inline void write_sequnlock_bh(seqlock_t *sl)
{
	sl->seqcount.sequence++;
	spin_unlock_bh(&sl->lock);
}

static inline void write_seqlock_irq(seqlock_t *sl)
{
	spin_lock_irq(&sl->lock);
	sl->seqcount.sequence++;
}

static inline void write_sequnlock_irq(seqlock_t *sl)
{
	sl->seqcount.sequence++;
	spin_unlock_irq(&sl->lock);
}

#define write_seqlock_irqsave(sl, flags) \
	do { \
		spin_lock_irqsave(&(sl)->lock, flags); \
		(sl)->seqcount.sequence++; \
	} while (0)

static inline void write_sequnlock_irqrestore(seqlock_t *sl, unsigned long flags)
{
	sl->seqcount.sequence++;
	spin_unlock_irqrestore(&sl->lock, flags);
}

static inline void read_seqlock_excl(seqlock_t *sl)
{
	spin_lock(&sl->lock);
}

static inline void read_sequnlock_excl(seqlock_t *sl)
{
	spin_unlock(&sl->lock);
}
