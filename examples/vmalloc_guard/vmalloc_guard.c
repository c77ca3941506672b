// SPDX-License-Identifier: MIT
/* A mistake: the loop writes one byte too many, into the guard page behind a vmalloc area. */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/module.h>
#include <linux/vmalloc.h>

static int __init vmalloc_guard_init(void)
{
	char *buffer = vmalloc(2 * PAGE_SIZE);
	unsigned long i;

	if (!buffer)
		return -ENOMEM;
	pr_info("two pages at %px\n", buffer);
	for (i = 0; i <= 2 * PAGE_SIZE; i++)
		buffer[i] = 'x';
	vfree(buffer);
	return 0;
}

static void __exit vmalloc_guard_exit(void)
{
}

module_init(vmalloc_guard_init);
module_exit(vmalloc_guard_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("A write past the end of a vmalloc area");
