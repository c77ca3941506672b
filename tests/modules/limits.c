// SPDX-License-Identifier: MIT
// Messages that are limited, given once, or switched on.
// insmod: dyndbg=+pmfl
#include <linux/module.h>
#include <linux/ratelimit.h>

static int __init limits_init(void)
{
	DEFINE_RATELIMIT_STATE(state, HZ, 2);
	int i;

	for (i = 0; i < 3; i++) {
		pr_info_once("once\n");
		pr_info("allowed %d\n", __ratelimit(&state));
	}
	for (i = 0; i < 20; i++)
		pr_warn_ratelimited("message %d\n", i);
	pr_debug("shown because of dyndbg\n");
	pr_devel("never there\n");
	return 0;
}
module_init(limits_init);

static void __exit limits_exit(void)
{
}
module_exit(limits_exit);
MODULE_LICENSE("GPL");
