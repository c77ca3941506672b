// SPDX-License-Identifier: MIT
// A mistake on purpose: the pointer is used before anything was allocated. The kernel reports an oops.
#include <linux/init.h>
#include <linux/module.h>

struct settings {
	int version;
	int limit;
};

static struct settings *settings;

static int __init null_pointer_init(void)
{
	pr_info("null_pointer: reading the limit\n");
	pr_info("null_pointer: the limit is %d\n", settings->limit);
	return 0;
}

static void __exit null_pointer_exit(void)
{
}

module_init(null_pointer_init);
module_exit(null_pointer_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Dereferences a NULL pointer");
