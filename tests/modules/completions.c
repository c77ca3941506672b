// SPDX-License-Identifier: MIT
// Completions: every way to wait and to complete, timeouts, a timer that completes, several waiters, use after use.
#include <linux/completion.h>
#include <linux/jiffies.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/timer.h>

static DECLARE_COMPLETION(first);
static DECLARE_COMPLETION(gate);
static DECLARE_COMPLETION(finished);
static atomic_t through = ATOMIC_INIT(0);

static void counting(void)
{
	struct completion c;

	init_completion(&c);
	pr_info("fresh: done %d, try %d", completion_done(&c), try_wait_for_completion(&c));
	complete(&c);
	complete(&c);
	pr_cont("; twice: done %d", completion_done(&c));
	wait_for_completion(&c);
	pr_cont(", one left: try %d", try_wait_for_completion(&c));
	pr_cont(" done %d", completion_done(&c));
	pr_cont(" try %d\n", try_wait_for_completion(&c));
	complete_all(&c);
	wait_for_completion(&c);
	pr_info("all: %lu %d %ld %d, done %d", wait_for_completion_timeout(&c, 5), wait_for_completion_interruptible(&c),
		wait_for_completion_interruptible_timeout(&c, 7), wait_for_completion_killable(&c), completion_done(&c));
	reinit_completion(&c);
	pr_cont("; again: done %d try %d\n", completion_done(&c), try_wait_for_completion(&c));
}

static void timeouts(void)
{
	DECLARE_COMPLETION_ONSTACK(c);
	unsigned long before = jiffies;

	pr_info("timed out: %lu", wait_for_completion_timeout(&c, 5));
	pr_cont(" after 5 jiffies %d", jiffies - before >= 5 && jiffies - before <= 6);
	pr_cont("; %ld", wait_for_completion_interruptible_timeout(&c, 2));
	pr_cont(" %ld", wait_for_completion_killable_timeout(&c, 2));
	pr_cont(" %lu", wait_for_completion_io_timeout(&c, 1));
	pr_cont(" of no time %lu\n", wait_for_completion_timeout(&c, 0));
	complete(&c);
	pr_info("in time: %lu\n", wait_for_completion_timeout(&c, 100));
}

static void ring(struct timer_list *timer)
{
	complete(&first);
}

static DEFINE_TIMER(bell, ring);

static int waiter(void *name)
{
	wait_for_completion(&gate);
	atomic_inc(&through);
	complete(&finished);
	return 0;
}

static void others(void)
{
	unsigned long left;
	int i;

	mod_timer(&bell, jiffies + 3);
	left = wait_for_completion_timeout(&first, 100);
	pr_info("rung in time: %d\n", left >= 96 && left <= 98);
	for (i = 0; i < 3; i++)
		kthread_run(waiter, NULL, "waiter/%d", i);
	pr_info("three wait, through %d", atomic_read(&through));
	complete(&gate);
	wait_for_completion(&finished);
	pr_cont("; after one complete %d", atomic_read(&through));
	pr_cont(", timeout %lu", wait_for_completion_timeout(&finished, 3));
	complete_all(&gate);
	wait_for_completion(&finished);
	wait_for_completion(&finished);
	pr_cont("; after complete_all %d, gate done %d\n", atomic_read(&through), completion_done(&gate));
	reinit_completion(&gate);
}

static int __init completions_init(void)
{
	counting();
	timeouts();
	others();
	return 0;
}
module_init(completions_init);

static void __exit completions_exit(void)
{
}
module_exit(completions_exit);
MODULE_LICENSE("GPL");
