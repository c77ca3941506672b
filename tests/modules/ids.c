// SPDX-License-Identifier: MIT
// Numbers for things: idr and ida, their ranges, bases, cycles, replacements and refusals.
#include <linux/err.h>
#include <linux/idr.h>
#include <linux/module.h>

static int things[8];

static int show(int id, void *p, void *data)
{
	pr_cont("%d:%td ", id, (int *)p - things);
	return id == *(int *)data ? -EINTR : 0;
}

static void numbers(void)
{
	DEFINE_IDR(idr);
	int i, stop = -1;

	pr_info("empty %d\n", idr_is_empty(&idr));
	for (i = 0; i < 4; i++)
		pr_cont("%d ", idr_alloc(&idr, &things[i], 0, 0, GFP_KERNEL));
	pr_cont("from 10: %d", idr_alloc(&idr, &things[4], 10, 12, GFP_KERNEL));
	pr_cont(" %d", idr_alloc(&idr, &things[5], 10, 12, GFP_KERNEL));
	pr_cont(" %d", idr_alloc(&idr, &things[6], 10, 12, GFP_KERNEL));
	pr_cont(" empty range: %d", idr_alloc(&idr, &things[6], 5, 5, GFP_KERNEL));
	pr_cont(" high: %d", idr_alloc(&idr, &things[6], INT_MAX, 0, GFP_KERNEL));
	pr_cont(" %d\n", idr_alloc(&idr, &things[6], INT_MAX, 0, GFP_KERNEL));
	pr_info("all: ");
	pr_cont("%d\n", idr_for_each(&idr, show, &stop));
	stop = 2;
	pr_info("until 2: ");
	pr_cont("%d\n", idr_for_each(&idr, show, &stop));
	pr_info("find %d %d %d\n", idr_find(&idr, 2) == &things[2], idr_find(&idr, 5) == NULL, idr_find(&idr, -1) == NULL);
	pr_info("remove %d again %d\n", idr_remove(&idr, 2) == &things[2], idr_remove(&idr, 2) == NULL);
	pr_info("replace %d, of none %ld\n", idr_replace(&idr, &things[7], 3) == &things[3],
		PTR_ERR(idr_replace(&idr, &things[7], 2)));
	pr_info("reused: %d\n", idr_alloc(&idr, NULL, 0, 0, GFP_KERNEL));
	pr_info("NULL is kept: find %d, empty %d\n", idr_find(&idr, 2) == NULL, idr_is_empty(&idr));
	idr_destroy(&idr);
	pr_info("destroyed: empty %d\n", idr_is_empty(&idr));
}

static void cycles(void)
{
	struct idr idr;
	int *thing, id, i, next = 3;
	unsigned long big, tmp;
	u32 number = 7;

	idr_init(&idr);
	for (i = 0; i < 5; i++) {
		id = idr_alloc_cyclic(&idr, &things[i], 1, 4, GFP_KERNEL);
		pr_cont("%d ", id);
		if (i == 1)
			idr_remove(&idr, 1);
	}
	pr_cont("cursor %u\n", idr_get_cursor(&idr));
	idr_set_cursor(&idr, 100);
	pr_info("from the cursor: %d\n", idr_alloc_cyclic(&idr, &things[5], 0, 0, GFP_KERNEL));
	idr_for_each_entry(&idr, thing, id)
		pr_cont("%d=%td ", id, thing - things);
	id = 3;
	idr_for_each_entry_continue(&idr, thing, id)
		pr_cont("then %d ", id);
	pr_cont("\n");
	thing = idr_get_next(&idr, &next);
	pr_info("next of 3: %d, %td\n", next, thing - things);
	next = 101;
	pr_info("next of 101: %d\n", idr_get_next(&idr, &next) == NULL);
	pr_info("u32 %d", idr_alloc_u32(&idr, &things[6], &number, 8, GFP_KERNEL));
	pr_cont(" %u", number);
	number = 7;
	pr_cont(" %d", idr_alloc_u32(&idr, &things[6], &number, 8, GFP_KERNEL));
	pr_cont(" %u", number);
	number = 7;
	pr_cont(" %d", idr_alloc_u32(&idr, &things[6], &number, 8, GFP_KERNEL));
	pr_cont(" %u", number);
	number = U32_MAX;
	pr_cont(" %d", idr_alloc_u32(&idr, &things[7], &number, U32_MAX, GFP_KERNEL));
	pr_cont(" %u\n", number);
	idr_for_each_entry_ul(&idr, thing, tmp, big)
		pr_cont("%lu ", big);
	pr_cont("\n");
	idr_destroy(&idr);
}

static void bases(void)
{
	struct idr idr;
	int id, *thing;

	idr_init_base(&idr, 1);
	pr_info("base 1: %d", idr_alloc(&idr, &things[0], 0, 0, GFP_KERNEL));
	pr_cont(" %d", idr_alloc(&idr, &things[1], 0, 0, GFP_KERNEL));
	idr_preload(GFP_KERNEL);
	pr_cont(" %d", idr_alloc(&idr, &things[2], 100, 200, GFP_NOWAIT));
	idr_preload_end();
	pr_cont(" find 0 %d, 1 %d\n", idr_find(&idr, 0) == NULL, idr_find(&idr, 1) == &things[0]);
	idr_for_each_entry(&idr, thing, id)
		pr_cont("%d ", id);
	pr_cont("\n");
	idr_destroy(&idr);
}

static void bare(void)
{
	DEFINE_IDA(ida);
	int i;

	pr_info("empty %d\n", ida_is_empty(&ida));
	for (i = 0; i < 3; i++)
		pr_cont("%d ", ida_alloc(&ida, GFP_KERNEL));
	pr_cont("min %d", ida_alloc_min(&ida, 1000, GFP_KERNEL));
	pr_cont(" max %d", ida_alloc_max(&ida, 3, GFP_KERNEL));
	pr_cont(" %d", ida_alloc_max(&ida, 3, GFP_KERNEL));
	pr_cont(" range %d", ida_alloc_range(&ida, 1000, 1001, GFP_KERNEL));
	pr_cont(" %d", ida_alloc_range(&ida, 1000, 1001, GFP_KERNEL));
	pr_cont(" %d", ida_alloc_range(&ida, 6, 5, GFP_KERNEL));
	pr_cont(" %d\n", ida_alloc_min(&ida, -1, GFP_KERNEL));
	ida_free(&ida, 1);
	pr_info("reused %d, empty %d\n", ida_alloc(&ida, GFP_KERNEL), ida_is_empty(&ida));
	for (i = 0; i < 3000; i++)
		if (ida_alloc(&ida, GFP_KERNEL) < 0)
			pr_info("no number\n");
	pr_info("after 3000 more: %d; simple %d", ida_alloc(&ida, GFP_KERNEL),
		ida_simple_get(&ida, 5000, 5001, GFP_KERNEL));
	pr_cont(" %d\n", ida_simple_get(&ida, 5000, 5001, GFP_KERNEL));
	ida_simple_remove(&ida, 5000);
	ida_destroy(&ida);
	pr_info("empty %d\n", ida_is_empty(&ida));
}

static int __init ids_init(void)
{
	numbers();
	cycles();
	bases();
	bare();
	return 0;
}
module_init(ids_init);

static void __exit ids_exit(void)
{
}
module_exit(ids_exit);
MODULE_LICENSE("GPL");
