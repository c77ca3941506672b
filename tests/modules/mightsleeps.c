// SPDX-License-Identifier: MIT
// Sleeping where one must not: what is reported under a spinlock, with preemption or interrupts off, under RCU, in softirqs.
// boot: debug_atomic_sleep
#include <linux/delay.h>
#include <linux/interrupt.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/spinlock.h>

static DEFINE_SPINLOCK(lock);
static DEFINE_MUTEX(mutex);
static unsigned long flags;

static void in_softirq_context(struct tasklet_struct *unused)
{
	pr_info("in a tasklet\n");
	might_sleep();
}

static DECLARE_TASKLET(tasklet, in_softirq_context);

/* A report a second at most: each comes after a pause. */
static void pause(void)
{
	msleep(1100);
}

static int __init mightsleeps_init(void)
{
	void *p;

	might_sleep();
	might_sleep_if(1);
	pr_info("nothing to report: %d %d\n", in_atomic() != 0, irqs_disabled());

	pr_info("under a spinlock\n");
	spin_lock(&lock);
	might_sleep();
	spin_unlock(&lock);

	pr_info("again at once\n");
	spin_lock(&lock);
	might_sleep();
	spin_unlock(&lock);
	pause();

	pr_info("preemption off\n");
	preempt_disable();
	p = kmalloc(10, GFP_KERNEL);
	preempt_enable();
	kfree(p);
	pause();

	pr_info("interrupts off\n");
	local_irq_save(flags);
	mutex_lock(&mutex);
	mutex_unlock(&mutex);
	local_irq_restore(flags);
	pause();

	pr_info("while reading under RCU\n");
	rcu_read_lock();
	might_sleep();
	rcu_read_unlock();
	pause();

	pr_info("softirqs off\n");
	local_bh_disable();
	might_sleep();
	local_bh_enable();
	pause();

	tasklet_schedule(&tasklet);
	pause();
	tasklet_kill(&tasklet);

	preempt_disable();
	p = kmalloc(10, GFP_ATOMIC);
	preempt_enable();
	pr_info("an atomic allocation is no matter: %d\n", p != NULL);
	kfree(p);
	cant_sleep();
	return 0;
}
module_init(mightsleeps_init);

static void __exit mightsleeps_exit(void)
{
}
module_exit(mightsleeps_exit);
MODULE_LICENSE("GPL");
