// SPDX-License-Identifier: MIT
// Who runs when: tasklets, softirq and hard timers, works and delayed works of several queues, and RCU, in one order of events.
#include <linux/delay.h>
#include <linux/hrtimer.h>
#include <linux/interrupt.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/rcupdate.h>
#include <linux/timer.h>
#include <linux/workqueue.h>

static const char *context(void)
{
	return in_hardirq() ? "hardirq" : in_serving_softirq() ? "softirq" : "task";
}

static void low(struct tasklet_struct *t)
{
	pr_info("tasklet (%s)\n", context());
}

static void high(struct tasklet_struct *t)
{
	pr_info("high tasklet (%s)\n", context());
}

static DECLARE_TASKLET(low_tasklet, low);
static DECLARE_TASKLET(high_tasklet, high);
static DECLARE_TASKLET_DISABLED(asleep, low);

static void work(struct work_struct *w)
{
	pr_info("work (%s)\n", context());
}

static DECLARE_WORK(first_work, work);

static void later(struct work_struct *w)
{
	pr_info("delayed work (%s)\n", context());
}

static DECLARE_DELAYED_WORK(delayed, later);

static void ring(struct timer_list *t)
{
	pr_info("timer (%s), starts a tasklet and a work\n", context());
	tasklet_schedule(&low_tasklet);
	schedule_work(&first_work);
}

static DEFINE_TIMER(timer, ring);

static enum hrtimer_restart strike(struct hrtimer *t)
{
	pr_info("hrtimer (%s), starts a high tasklet\n", context());
	tasklet_hi_schedule(&high_tasklet);
	return HRTIMER_NORESTART;
}

static struct rcu_head head;

static void after_grace(struct rcu_head *h)
{
	pr_info("after the grace period: %s\n", in_serving_softirq() ? "softirq" : "elsewhere");
}

static int __init deferred_init(void)
{
	struct hrtimer hr;

	pr_info("- tasklets while softirqs are off\n");
	local_bh_disable();
	tasklet_schedule(&low_tasklet);
	tasklet_hi_schedule(&high_tasklet);
	tasklet_schedule(&low_tasklet);
	pr_info("both scheduled\n");
	local_bh_enable();
	pr_info("- a disabled tasklet\n");
	tasklet_schedule(&asleep);
	msleep(10);
	tasklet_enable(&asleep);
	msleep(10);
	pr_info("- a work and a delayed one\n");
	schedule_delayed_work(&delayed, 2);
	schedule_work(&first_work);
	pr_info("again %d", schedule_work(&first_work));
	pr_cont(" %d, pending %d %d\n", schedule_delayed_work(&delayed, 1), work_pending(&first_work), delayed_work_pending(&delayed));
	flush_work(&first_work);
	pr_info("the first is done\n");
	flush_delayed_work(&delayed);
	pr_info("and so is the other\n");
	pr_info("- timers of both kinds\n");
	hrtimer_init(&hr, CLOCK_MONOTONIC, HRTIMER_MODE_REL);
	hr.function = strike;
	hrtimer_start(&hr, ms_to_ktime(5), HRTIMER_MODE_REL);
	mod_timer(&timer, jiffies + 10);
	msleep(100);
	flush_work(&first_work);
	pr_info("active %d pending %d\n", hrtimer_active(&hr), timer_pending(&timer));
	pr_info("- RCU\n");
	rcu_read_lock();
	call_rcu(&head, after_grace);
	pr_info("called within a reader\n");
	rcu_read_unlock();
	rcu_barrier();
	pr_info("- what is cancelled does not run\n");
	schedule_delayed_work(&delayed, 5);
	mod_timer(&timer, jiffies + 5);
	hrtimer_start(&hr, ms_to_ktime(20), HRTIMER_MODE_REL);
	pr_info("%d", cancel_delayed_work_sync(&delayed));
	pr_cont(" %d", del_timer_sync(&timer));
	pr_cont(" %d\n", hrtimer_cancel(&hr));
	msleep(50);
	pr_info("%d", cancel_delayed_work_sync(&delayed));
	pr_cont(" %d", del_timer_sync(&timer));
	pr_cont(" %d\n", hrtimer_cancel(&hr));
	return 0;
}
module_init(deferred_init);

static void __exit deferred_exit(void)
{
	tasklet_kill(&low_tasklet);
	tasklet_kill(&high_tasklet);
	tasklet_kill(&asleep);
}
module_exit(deferred_exit);
MODULE_LICENSE("GPL");
