// SPDX-License-Identifier: MIT
// Spin and reader-writer locks, and what they do to the preempt count and to interrupts.
#include <linux/module.h>
#include <linux/spinlock.h>
#include <linux/hardirq.h>

static DEFINE_SPINLOCK(lock);
static DEFINE_RAW_SPINLOCK(raw);
static DEFINE_RWLOCK(rw);
static atomic_t users = ATOMIC_INIT(2);

static void where(const char *what)
{
	pr_info("%s: preempt_count %x, irqs %s, in_atomic %d, in_interrupt %d\n", what, preempt_count(),
		irqs_disabled() ? "off" : "on", in_atomic(), !!in_interrupt());
}

static int __init spinlocks_init(void)
{
	unsigned long flags, inner;

	where("at first");
	spin_lock(&lock);
	where("spin_lock");
	pr_info("locked: %d, trylock: %d\n", spin_is_locked(&lock), spin_trylock(&lock));
	spin_unlock(&lock);
	pr_info("locked: %d, trylock: %d\n", spin_is_locked(&lock), spin_trylock(&lock));
	spin_unlock(&lock);

	spin_lock_irqsave(&lock, flags);
	where("spin_lock_irqsave");
	raw_spin_lock_irqsave(&raw, inner);
	where("and another");
	raw_spin_unlock_irqrestore(&raw, inner);
	where("without it");
	spin_unlock_irqrestore(&lock, flags);
	spin_lock_irq(&lock);
	where("spin_lock_irq");
	spin_unlock_irq(&lock);
	spin_lock_bh(&lock);
	where("spin_lock_bh");
	pr_info("softirq count %lx, serving %d\n", softirq_count(), !!in_serving_softirq());
	spin_unlock_bh(&lock);

	read_lock(&rw);
	read_lock(&rw);
	where("two readers");
	pr_info("write_trylock: %d, read_trylock: %d\n", write_trylock(&rw), read_trylock(&rw));
	read_unlock(&rw);
	read_unlock(&rw);
	read_unlock(&rw);
	write_lock_irqsave(&rw, flags);
	where("a writer");
	pr_info("write_trylock: %d, read_trylock: %d\n", write_trylock(&rw), read_trylock(&rw));
	write_unlock_irqrestore(&rw, flags);

	pr_info("dec_and_lock: %d\n", atomic_dec_and_lock(&users, &lock));
	pr_info("dec_and_lock: %d\n", atomic_dec_and_lock(&users, &lock));
	spin_unlock(&lock);
	preempt_disable();
	local_bh_disable();
	where("preempt and bh off");
	local_bh_enable();
	preempt_enable();
	rcu_read_lock();
	where("rcu_read_lock");
	rcu_read_unlock();
	where("at last");
	return 0;
}
module_init(spinlocks_init);

static void __exit spinlocks_exit(void)
{
}
module_exit(spinlocks_exit);
MODULE_LICENSE("GPL");
