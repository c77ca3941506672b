// SPDX-License-Identifier: MIT
// Module parameters: insmod parameters.ko count=3 name=kernel sizes=16,64,256
#include <linux/init.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/slab.h>

static int count = 1;
module_param(count, int, 0644);
MODULE_PARM_DESC(count, "how often to greet");

static char *name = "world";
module_param(name, charp, 0444);
MODULE_PARM_DESC(name, "whom to greet");

static int sizes[8] = { 32 };
static int nr_sizes = 1;
module_param_array(sizes, int, &nr_sizes, 0444);
MODULE_PARM_DESC(sizes, "bytes to allocate, up to 8 numbers");

static int __init parameters_init(void)
{
	int i;

	for (i = 0; i < count; i++)
		pr_info("hello, %s\n", name);

	for (i = 0; i < nr_sizes; i++) {
		void *memory = kmalloc(sizes[i], GFP_KERNEL);

		if (!memory)
			return -ENOMEM;
		pr_info("asked for %d bytes, got %zu\n", sizes[i], ksize(memory));
		kfree(memory);
	}
	return 0;
}

static void __exit parameters_exit(void)
{
}

module_init(parameters_init);
module_exit(parameters_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Shows module parameters");
