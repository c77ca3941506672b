// SPDX-License-Identifier: MIT
/* Looks at a page again and again: what the TLB knows of it may be reached until it is flushed. */
#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/vmalloc.h>

static int look(void *unused)
{
	char *area = vmalloc(64 * PAGE_SIZE);
	volatile char *page = area + 63 * PAGE_SIZE; /* whose TLB entry no page of the module shares */
	int i;

	if (!area)
		return -ENOMEM;
	page[0] = 'x';
	pr_info("page at %px\n", page);
	for (i = 0; i < 5; i++) {
		pr_info("look %d: %c\n", i, page[0]);
		msleep(20);
	}
	vfree(area);
	return 0;
}

static int __init stale_init(void)
{
	kthread_run(look, NULL, "looks");
	return 0;
}

static void __exit stale_exit(void)
{
}

module_init(stale_init);
module_exit(stale_exit);
MODULE_LICENSE("GPL");
