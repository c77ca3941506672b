// SPDX-License-Identifier: MIT
// Gives a function to other modules: `user` cannot be loaded without this one.
#include <linux/export.h>
#include <linux/init.h>
#include <linux/module.h>

static int calls;

int provider_next(void)
{
	return ++calls;
}
EXPORT_SYMBOL_GPL(provider_next);

static int __init provider_init(void)
{
	pr_info("provider: ready\n");
	return 0;
}

static void __exit provider_exit(void)
{
	pr_info("provider: was called %d times\n", calls);
}

module_init(provider_init);
module_exit(provider_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Exports a function");
