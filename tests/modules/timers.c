// SPDX-License-Identifier: MIT
// Timers: when they go off, in which order, in which context; modifying, deleting, rearming.
#include <linux/module.h>
#include <linux/timer.h>
#include <linux/delay.h>
#include <linux/hardirq.h>

static unsigned long start;
static struct timer_list plain[3], periodic, deleted, late, sooner;
static int rounds;

static void say(const char *name)
{
	pr_info("%s after %lu ticks, softirq %d, in task %d\n", name, jiffies - start, !!in_serving_softirq(),
		!!in_task());
}

static void plain_fn(struct timer_list *t)
{
	static const char *const names[] = { "first", "second", "third" };

	say(names[t - plain]);
}

static void periodic_fn(struct timer_list *t)
{
	say("periodic");
	if (++rounds < 4)
		mod_timer(t, jiffies + 5);
}

static void named_fn(struct timer_list *t)
{
	say(t == &late ? "late" : t == &sooner ? "sooner" : "deleted");
}

static int __init timers_init(void)
{
	start = jiffies;
	for (int i = 0; i < 3; i++) {
		timer_setup(&plain[i], plain_fn, 0);
		plain[i].expires = start + 10;
		add_timer(&plain[i]);
	}
	timer_setup(&periodic, periodic_fn, 0);
	pr_info("mod_timer: %d\n", mod_timer(&periodic, start + 3));
	timer_setup(&deleted, named_fn, 0);
	mod_timer(&deleted, start + 4);
	pr_info("pending: %d\n", timer_pending(&deleted));
	pr_info("del_timer: %d, again %d, pending %d\n", del_timer(&deleted), del_timer(&deleted),
		timer_pending(&deleted));
	timer_setup(&late, named_fn, 0);
	mod_timer(&late, start - 5);
	timer_setup(&sooner, named_fn, 0);
	mod_timer(&sooner, start + 400);
	pr_info("timer_reduce: %d, to later %d\n", timer_reduce(&sooner, start + 20), timer_reduce(&sooner, start + 30));
	pr_info("mod_timer_pending: %d, of none %d\n", mod_timer_pending(&sooner, start + 25),
		mod_timer_pending(&deleted, start + 25));
	msleep(200);
	pr_info("slept\n");
	/* The farther away, the coarser. */
	start = jiffies;
	for (int i = 0; i < 3; i++)
		mod_timer(&plain[i], jiffies + (i == 0 ? 60 : i == 1 ? 100 : 1000));
	ssleep(6);
	pr_info("msleep(1) takes at least a tick: %d\n", ({ start = jiffies; msleep(1); jiffies - start >= 1; }));
	mod_timer(&periodic, jiffies + 1000);
	return 0;
}
module_init(timers_init);

static void __exit timers_exit(void)
{
	pr_info("del_timer_sync: %d\n", del_timer_sync(&periodic));
}
module_exit(timers_exit);
MODULE_LICENSE("GPL");
