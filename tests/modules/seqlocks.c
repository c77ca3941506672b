// SPDX-License-Identifier: MIT
// Sequence counters and locks, reader-writer locks: what readers see of writers, in turns and in between.
#include <linux/delay.h>
#include <linux/hrtimer.h>
#include <linux/module.h>
#include <linux/preempt.h>
#include <linux/seqlock.h>
#include <linux/spinlock.h>

static DEFINE_SPINLOCK(lock);
static seqcount_t count = SEQCNT_ZERO(count);
static DEFINE_SEQLOCK(seqlock);
static DEFINE_RWLOCK(rwlock);
static int a, b, torn, retries, reads;

static void counters(void)
{
	seqcount_t local;
	unsigned int seq;

	seqcount_init(&local);
	seq = read_seqcount_begin(&local);
	pr_info("begin %u, retry %d\n", seq, read_seqcount_retry(&local, seq));
	preempt_disable();
	write_seqcount_begin(&local);
	pr_info("writing: raw %u, retry %d, of an odd start %d\n", raw_read_seqcount(&local), read_seqcount_retry(&local, seq),
		read_seqcount_retry(&local, raw_read_seqcount(&local)));
	write_seqcount_end(&local);
	preempt_enable();
	seq = raw_seqcount_begin(&local);
	pr_info("after: %u, retry %d\n", seq, read_seqcount_retry(&local, seq));
	write_seqcount_invalidate(&local);
	pr_info("invalidated: retry %d\n", read_seqcount_retry(&local, seq));
}

static void spin_counter(void)
{
	seqcount_spinlock_t guarded = SEQCNT_SPINLOCK_ZERO(guarded, &lock);
	unsigned int seq = read_seqcount_begin(&guarded);

	spin_lock(&lock);
	write_seqcount_begin(&guarded);
	a = b = 1;
	write_seqcount_end(&guarded);
	spin_unlock(&lock);
	pr_info("with a lock: retry %d, again %d\n", read_seqcount_retry(&guarded, seq),
		read_seqcount_retry(&guarded, read_seqcount_begin(&guarded)));
}

static void locks(void)
{
	unsigned long flags;
	unsigned int seq, n = 0;
	int busy = 0;
	int preempted = preempt_count();

	seq = read_seqbegin(&seqlock);
	write_seqlock(&seqlock);
	pr_info("held: retry %d, locked %d, preempt %d\n", read_seqretry(&seqlock, seq), spin_is_locked(&seqlock.lock),
		preempt_count() - preempted);
	write_sequnlock(&seqlock);
	write_seqlock_irqsave(&seqlock, flags);
	pr_info("irqsave: disabled %d\n", irqs_disabled());
	write_sequnlock_irqrestore(&seqlock, flags);
	write_seqlock_bh(&seqlock);
	pr_info("bh: in softirq %d\n", in_softirq() != 0);
	write_sequnlock_bh(&seqlock);
	write_seqlock_irq(&seqlock);
	write_sequnlock_irq(&seqlock);
	read_seqlock_excl(&seqlock);
	pr_info("excluding: locked %d, retry %d\n", spin_is_locked(&seqlock.lock), read_seqretry(&seqlock, read_seqbegin(&seqlock)));
	read_sequnlock_excl(&seqlock);
	do {
		read_seqbegin_or_lock(&seqlock, &busy);
		if (++n == 1) {
			write_seqlock(&seqlock);
			write_sequnlock(&seqlock);
		}
		if (!need_seqretry(&seqlock, busy))
			break;
		busy = 1;
	} while (true);
	pr_info("second time %s\n", busy & 1 ? "locked" : "free");
	done_seqretry(&seqlock, busy);
	pr_info("left free %d\n", !spin_is_locked(&seqlock.lock));
}

static enum hrtimer_restart write(struct hrtimer *timer)
{
	write_seqlock(&seqlock);
	a++;
	b++;
	write_sequnlock(&seqlock);
	hrtimer_forward_now(timer, ms_to_ktime(5));
	return HRTIMER_RESTART;
}

/* A timer writes while we read, and we read as long as it takes. */
static void against_a_timer(void)
{
	struct hrtimer timer;
	unsigned int seq;
	int x, y, i;

	hrtimer_init(&timer, CLOCK_MONOTONIC, HRTIMER_MODE_REL);
	timer.function = write;
	hrtimer_start(&timer, ms_to_ktime(5), HRTIMER_MODE_REL);
	for (i = 0; i < 40; i++) {
		do {
			seq = read_seqbegin(&seqlock);
			x = a;
			mdelay(1 + i % 2);
			y = b;
			reads++;
		} while (read_seqretry(&seqlock, seq));
		torn += x != y;
		retries = reads - i - 1;
	}
	hrtimer_cancel(&timer);
	pr_info("torn %d, some retries %d, written %d\n", torn, retries > 0, a > 1 && a == b);
}

static void reader_writer(void)
{
	rwlock_t local = __RW_LOCK_UNLOCKED(local);
	unsigned long flags;

	read_lock(&local);
	pr_info("read held: read %d", read_trylock(&local));
	pr_cont(" write %d\n", write_trylock(&local));
	read_unlock(&local);
	read_unlock(&local);
	pr_info("free: write %d", write_trylock(&local));
	pr_cont(" read %d write %d", read_trylock(&local), write_trylock(&local));
	write_unlock(&local);
	write_lock_irqsave(&rwlock, flags);
	pr_cont("; irqsave %d", irqs_disabled());
	write_unlock_irqrestore(&rwlock, flags);
	read_lock_irqsave(&rwlock, flags);
	pr_cont(" %d", irqs_disabled());
	read_unlock_irqrestore(&rwlock, flags);
	read_lock_bh(&rwlock);
	write_trylock(&rwlock);
	pr_cont(" bh %d", in_softirq() != 0);
	read_unlock_bh(&rwlock);
	write_lock_bh(&rwlock);
	write_unlock_bh(&rwlock);
	read_lock_irq(&rwlock);
	read_unlock_irq(&rwlock);
	write_lock_irq(&rwlock);
	write_unlock_irq(&rwlock);
	pr_cont(" restored %d\n", !irqs_disabled() && !in_softirq() && write_trylock(&rwlock));
	write_unlock(&rwlock);
}

static int __init seqlocks_init(void)
{
	counters();
	spin_counter();
	locks();
	against_a_timer();
	reader_writer();
	pr_info("count %u\n", raw_read_seqcount(&count));
	return 0;
}
module_init(seqlocks_init);

static void __exit seqlocks_exit(void)
{
}
module_exit(seqlocks_exit);
MODULE_LICENSE("GPL");
