// SPDX-License-Identifier: MIT
/* Uses of what was freed after init, each the classic mistake: `what` says which, and most happen at rmmod. */
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/init.h>
#include <linux/interrupt.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/timer.h>
#include <linux/workqueue.h>

static char what[32];
module_param_string(what, what, sizeof(what), 0444);

static int number __initdata = 42;
static const int table[] __initconst = { 1, 2, 3 };
static int fixed __ro_after_init = 7;
static volatile int sink;

/* Known before init only to the compiler's eye: what the core reads of them goes through these. */
static volatile int *number_at = &number;
static const volatile int *table_at = table;

static noinline int __init early(int n)
{
	pr_info("early %d\n", n);
	sink += n;
	return n + 1;
}

static noinline int __init early_sleeper(int n)
{
	pr_info("early sleeper %d\n", n);
	msleep(50);
	pr_info("early sleeper is back\n");
	sink += n;
	return n;
}

static int (*volatile early_at)(int) = early;

static noinline int direct(int n)
{
	pr_info("direct call\n");
	n = early(n);
	pr_info("back with %d\n", n);
	return n;
}

static int __init init_thread(void *data)
{
	pr_info("thread starts\n");
	msleep(50);
	pr_info("thread goes on\n");
	return 0;
}

static int core_thread(void *data)
{
	sink = early_sleeper(3);
	pr_info("thread ends\n");
	return 0;
}

static void __init init_work_fn(struct work_struct *work)
{
	pr_info("work\n");
}
static struct delayed_work init_work;

static void __init init_timer_fn(struct timer_list *timer)
{
	pr_info("timer\n");
}
static struct timer_list init_timer;

static DECLARE_COMPLETION(go);
static irqreturn_t wake(int irq, void *data)
{
	complete(&go);
	return IRQ_HANDLED;
}

static noinline void __init fall(void)
{
	*(volatile int *)8 = number;
}

static bool is(const char *name)
{
	return strcmp(what, name) == 0;
}

static int __init init_sections_init(void)
{
	sink = direct(number);
	if (is("thread"))
		kthread_run(init_thread, NULL, "early");
	if (is("core_thread"))
		kthread_run(core_thread, NULL, "core");
	INIT_DELAYED_WORK(&init_work, init_work_fn);
	if (is("work"))
		schedule_delayed_work(&init_work, msecs_to_jiffies(20));
	timer_setup(&init_timer, init_timer_fn, 0);
	if (is("timer"))
		mod_timer(&init_timer, jiffies + msecs_to_jiffies(20));
	if (is("sleep")) {
		if (request_irq(5, wake, 0, "wake", &go))
			return -EBUSY;
		pr_info("init sleeps, %d\n", early(number));
		wait_for_completion(&go);
		free_irq(5, &go);
		pr_info("init goes on, %d\n", early(number));
	}
	if (is("fault"))
		fall();
	msleep(5);
	if (is("fail"))
		return -ENODEV;
	fixed++;
	return 0;
}

static void __exit init_sections_exit(void)
{
	pr_info("exit %s\n", what);
	if (is("direct"))
		sink = direct(1);
	if (is("pointer"))
		sink = early_at(2);
	if (is("data"))
		sink = *number_at;
	if (is("write"))
		*number_at = 1;
	if (is("const"))
		sink = table_at[1];
	if (is("ro_after_init"))
		*(volatile int *)&fixed = 9;
	pr_info("exit done, fixed %d\n", fixed);
}

module_init(init_sections_init);
module_exit(init_sections_exit);
MODULE_LICENSE("GPL");
