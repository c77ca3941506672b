// SPDX-License-Identifier: MIT
// A list of objects, each from kmalloc: built, walked, and freed node by node.
#include <linux/init.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/slab.h>

#define NR_ITEMS 5

struct item {
	int number;
	struct list_head node;
};

static LIST_HEAD(items);

static void free_items(void)
{
	struct item *item, *next;

	list_for_each_entry_safe(item, next, &items, node) {
		list_del(&item->node);
		kfree(item);
	}
}

static int __init object_list_init(void)
{
	struct item *item;
	int i, sum = 0;

	for (i = 1; i <= NR_ITEMS; i++) {
		item = kzalloc(sizeof(*item), GFP_KERNEL);
		if (!item) {
			free_items();
			return -ENOMEM;
		}
		item->number = i * i;
		list_add_tail(&item->node, &items);
	}

	list_for_each_entry(item, &items, node) {
		pr_info("item %d at %px\n", item->number, item);
		sum += item->number;
	}
	pr_info("%d items, sum %d\n", NR_ITEMS, sum);
	return 0;
}

static void __exit object_list_exit(void)
{
	free_items();
	pr_info("list is empty: %d\n", list_empty(&items));
}

module_init(object_list_init);
module_exit(object_list_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("A linked list of kmalloc'ed objects");
