// SPDX-License-Identifier: MIT
/* Calls what another module exports, and shows where it is called from. */
#include <linux/module.h>
#include <linux/slab.h>

int count_up(void);

static void *kept;

static int __init user_init(void)
{
	kept = kzalloc(100, GFP_KERNEL);
	pr_info("count: %d, %pS\n", count_up(), count_up);
	return kept ? 0 : -ENOMEM;
}

static void __exit user_exit(void)
{
	pr_info("count: %d, %pS, %p\n", count_up(), user_exit, kept);
	kfree(kept);
}

module_init(user_init);
module_exit(user_exit);
MODULE_LICENSE("Proprietary");
