// SPDX-License-Identifier: MIT
// Warnings in all their forms, what they say and what they leave: taints, once only, rate limits, levels, continued lines.
#include <linux/bug.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/once.h>
#include <linux/printk.h>
#include <linux/ratelimit.h>

static int thrice(int i)
{
	return WARN_ON_ONCE(i >= 0) + WARN_ONCE(i == 1, "the %s time, i=%d\n", "second", i);
}

static void count(int *n)
{
	++*n;
}

static void once(void)
{
	int i, n = 0, told = 0;

	for (i = 0; i < 3; i++)
		n += thrice(i);
	pr_info("conditions were true %d times\n", n);
	for (i = n = 0; i < 3; i++) {
		told += DO_ONCE(count, &n);
		pr_info_once("printed once\n");
		printk_once(KERN_NOTICE "and this: %d\n", i);
		pr_warn_once("warned once\n");
	}
	pr_info("called %d, told so %d times\n", n, told);
}

static void forms(void)
{
	bool no = WARN_ON(0), yes = WARN_ON(3 > 2);

	pr_info("WARN_ON gives %d %d\n", no, yes);
	yes = WARN(1, "with a text: %d\n", 42);
	no = WARN(0, "unsaid\n");
	pr_info("WARN gives %d %d\n", no, yes);
	WARN_TAINT(1, TAINT_CRAP, "of another kind\n");
	pr_info("taints: warned %d, crap %d, died %d\n", test_taint(TAINT_WARN), test_taint(TAINT_CRAP), test_taint(TAINT_DIE));
	add_taint(TAINT_USER, LOCKDEP_STILL_OK);
	pr_info("%s\n", print_tainted());
	BUG_ON(0);
	BUILD_BUG_ON(sizeof(int) != 4);
}

static void limits(void)
{
	static DEFINE_RATELIMIT_STATE(strict, 5 * HZ, 2);
	struct ratelimit_state loose;
	int i, n = 0;

	for (i = 0; i < 5; i++)
		n += __ratelimit(&strict);
	pr_info("let through %d of 5, missed %d\n", n, strict.missed);
	ratelimit_state_init(&loose, 0, 1);
	for (i = n = 0; i < 5; i++)
		n += __ratelimit(&loose);
	pr_info("without an interval %d of 5\n", n);
	ratelimit_default_init(&loose);
	pr_info("as a rule %d in %d jiffies\n", loose.burst, loose.interval);
	for (i = n = 0; i < 20; i++)
		n += __ratelimit(&loose);
	pr_info("%d of 20\n", n);
	for (i = 0; i < 14; i++)
		pr_info_ratelimited("limited %d\n", i);
}

static void levels(void)
{
	pr_emerg("emergency\n");
	pr_alert("alert\n");
	pr_crit("critical\n");
	pr_err("error\n");
	pr_warn("warning\n");
	pr_notice("notice\n");
	pr_info("info\n");
	pr_devel("devel: not compiled in\n");
	pr_debug("debug: not switched on\n");
	printk("no level\n");
	printk(KERN_DEFAULT "default level\n");
	printk(KERN_DEBUG "debug level\n");
	pr_info("skipped: %s, level of it %c, of plain %d\n", printk_skip_level(KERN_ERR "text"), printk_get_level(KERN_ERR "text"),
		printk_get_level("text"));
}

static void lines(void)
{
	pr_info("a line");
	pr_cont(", its rest");
	pr_cont(", and the end\n");
	pr_info("not ended");
	pr_info("another ends it\n");
	pr_cont("nothing to continue\n");
	pr_info("two\nlines in one\n");
	pr_info("%s", "");
	pr_info("\n");
	pr_cont("%s%s\n", KERN_CONT, "continued with a level");
	pr_info("after an empty one");
	pr_info("last\n");
}

static int __init warnings_init(void)
{
	once();
	forms();
	limits();
	levels();
	lines();
	return 0;
}
module_init(warnings_init);

static void __exit warnings_exit(void)
{
}
module_exit(warnings_exit);
MODULE_LICENSE("GPL");
