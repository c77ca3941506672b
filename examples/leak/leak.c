// SPDX-License-Identifier: MIT
// A mistake on purpose: objects are allocated and forgotten. Compare /proc/slabinfo before and after.
#include <linux/init.h>
#include <linux/module.h>
#include <linux/slab.h>

#define NR_OBJECTS 100
#define OBJECT_BYTES 512

static int __init leak_init(void)
{
	int i;

	for (i = 0; i < NR_OBJECTS; i++) {
		char *forgotten = kmalloc(OBJECT_BYTES, GFP_KERNEL);

		if (!forgotten)
			return -ENOMEM;
		forgotten[0] = i;
	}
	pr_info("leak: took %d objects of %d bytes and kept no pointer\n", NR_OBJECTS, OBJECT_BYTES);
	return 0;
}

static void __exit leak_exit(void)
{
	pr_info("leak: unloaded, the objects are still there\n");
}

module_init(leak_init);
module_exit(leak_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Leaks kmalloc'ed objects");
