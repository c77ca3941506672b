// SPDX-License-Identifier: MIT
// Calls a function of another module, which therefore cannot be unloaded before this one.
#include <linux/init.h>
#include <linux/module.h>

int provider_next(void);

static int __init user_init(void)
{
	int first = provider_next();
	int second = provider_next();

	pr_info("user: got %d and %d\n", first, second);
	return 0;
}

static void __exit user_exit(void)
{
}

module_init(user_init);
module_exit(user_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Uses a function of the module provider");
