// SPDX-License-Identifier: MIT
// High-resolution timers: one shot, periodic, soft, cancelled; sleeping for a time.
#include <linux/module.h>
#include <linux/hrtimer.h>
#include <linux/hardirq.h>
#include <linux/delay.h>

static struct hrtimer once, periodic, soft, never;
static ktime_t start;
static int rounds;

static enum hrtimer_restart once_fn(struct hrtimer *t)
{
	bool is_soft = t == &soft;

	pr_info("%s too early %d, hardirq %d, softirq %d, irqs %s\n", is_soft ? "soft" : "once",
		ktime_us_delta(ktime_get(), start) < (is_soft ? 900 : 700), !!in_hardirq(), !!in_serving_softirq(),
		irqs_disabled() ? "off" : "on");
	return HRTIMER_NORESTART;
}

static enum hrtimer_restart periodic_fn(struct hrtimer *t)
{
	pr_info("round %d, overruns %llu\n", ++rounds, hrtimer_forward_now(t, ms_to_ktime(2)));
	return rounds < 5 ? HRTIMER_RESTART : HRTIMER_NORESTART;
}

static int __init hrtimers_init(void)
{
	ktime_t until;

	hrtimer_setup(&once, once_fn, CLOCK_MONOTONIC, HRTIMER_MODE_REL);
	hrtimer_setup(&soft, once_fn, CLOCK_MONOTONIC, HRTIMER_MODE_REL_SOFT);
	hrtimer_setup(&periodic, periodic_fn, CLOCK_MONOTONIC, HRTIMER_MODE_REL);
	hrtimer_setup(&never, once_fn, CLOCK_REALTIME, HRTIMER_MODE_REL);
	start = ktime_get();
	hrtimer_start(&once, us_to_ktime(700), HRTIMER_MODE_REL);
	hrtimer_start(&soft, us_to_ktime(900), HRTIMER_MODE_REL_SOFT);
	hrtimer_start(&never, ms_to_ktime(50), HRTIMER_MODE_REL);
	pr_info("active %d, queued %d\n", hrtimer_active(&never), hrtimer_is_queued(&never));
	pr_info("try_to_cancel %d\n", hrtimer_try_to_cancel(&never));
	pr_info("cancel again %d, active %d\n", hrtimer_cancel(&never), hrtimer_active(&never));
	msleep(20);
	hrtimer_start(&periodic, ms_to_ktime(2), HRTIMER_MODE_REL);
	msleep(40);
	pr_info("rounds %d, active %d\n", rounds, hrtimer_active(&periodic));
	start = ktime_get();
	usleep_range(300, 400);
	pr_info("usleep_range took its time: %d\n", ktime_us_delta(ktime_get(), start) >= 300);
	until = ms_to_ktime(3);
	set_current_state(TASK_UNINTERRUPTIBLE);
	pr_info("schedule_hrtimeout: %d\n", schedule_hrtimeout(&until, HRTIMER_MODE_REL));
	hrtimer_start(&once, ms_to_ktime(500), HRTIMER_MODE_REL);
	return 0;
}
module_init(hrtimers_init);

static void __exit hrtimers_exit(void)
{
	pr_info("cancelled %d\n", hrtimer_cancel(&once));
}
module_exit(hrtimers_exit);
MODULE_LICENSE("GPL");
