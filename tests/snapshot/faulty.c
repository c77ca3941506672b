// SPDX-License-Identifier: MIT
/* A thread that dies, one that warns, and memory that nobody frees. */
#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

static int *nowhere;
static char *area;

static int die(void *unused)
{
	msleep(20);
	*nowhere = 1;
	return 0;
}

static int complain(void *unused)
{
	int i;

	for (i = 0; i < 3; i++) {
		msleep(11);
		WARN(1, "complaint %d about %p\n", i, area);
	}
	return 0;
}

static int __init faulty_init(void)
{
	area = vmalloc(3 * PAGE_SIZE);
	if (!area)
		return -ENOMEM;
	memset(area, 'x', 3 * PAGE_SIZE);
	kmalloc(777, GFP_KERNEL);
	kthread_run(die, NULL, "dies");
	kthread_run(complain, NULL, "complains");
	return 0;
}

static void __exit faulty_exit(void)
{
	pr_info("area ends with %c\n", area[3 * PAGE_SIZE - 1]);
	vfree(area);
}

module_init(faulty_init);
module_exit(faulty_exit);
MODULE_LICENSE("GPL");
