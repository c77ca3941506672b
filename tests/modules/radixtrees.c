// SPDX-License-Identifier: MIT
// Radix trees: items at indices, what is refused, gangs, tags and their gangs, walks.
#include <linux/module.h>
#include <linux/radix-tree.h>
#include <linux/slab.h>

static RADIX_TREE(tree, GFP_KERNEL);
static int things[100];

#define at(item) ((int)((int *)(item) - things))

static void items(void)
{
	static const unsigned long indices[] = { 0, 1, 63, 64, 4095, 4096, 1UL << 40, ULONG_MAX };
	int i;

	pr_info("empty %d, lookup %d, delete %d\n", radix_tree_empty(&tree), radix_tree_lookup(&tree, 0) == NULL,
		radix_tree_delete(&tree, 5) == NULL);
	for (i = 0; i < ARRAY_SIZE(indices); i++)
		pr_cont("%d ", radix_tree_insert(&tree, indices[i], &things[i]));
	pr_cont("again %d\n", radix_tree_insert(&tree, 64, &things[9]));
	for (i = 0; i < ARRAY_SIZE(indices); i++)
		pr_cont("%d ", at(radix_tree_lookup(&tree, indices[i])));
	pr_cont("none: %d %d\n", radix_tree_lookup(&tree, 2) == NULL, radix_tree_lookup(&tree, ULONG_MAX - 1) == NULL);
	pr_info("delete item: another %d", radix_tree_delete_item(&tree, 63, &things[9]) == NULL);
	pr_cont(" the one %d", at(radix_tree_delete_item(&tree, 63, &things[2])));
	pr_cont(" again %d\n", radix_tree_delete(&tree, 63) == NULL);
}

static void gangs(void)
{
	void *found[10];
	unsigned int n, i;

	n = radix_tree_gang_lookup(&tree, found, 0, 10);
	pr_info("all %u:", n);
	for (i = 0; i < n; i++)
		pr_cont(" %d", at(found[i]));
	n = radix_tree_gang_lookup(&tree, found, 2, 2);
	pr_cont("; two from 2: %u: %d %d", n, at(found[0]), at(found[1]));
	n = radix_tree_gang_lookup(&tree, found, (1UL << 40) + 1, 10);
	pr_cont("; after 2^40: %u: %d", n, at(found[0]));
	pr_cont("; of none %u\n", radix_tree_gang_lookup(&tree, found, 0, 0));
}

static void tags(void)
{
	struct radix_tree_iter iter;
	void **slot, *found[10];
	unsigned int n, i;

	pr_info("tagged %d\n", radix_tree_tagged(&tree, 1));
	pr_info("set %d", at(radix_tree_tag_set(&tree, 64, 1)));
	radix_tree_tag_set(&tree, 4096, 1);
	radix_tree_tag_set(&tree, 4096, 0);
	pr_cont(", get %d %d %d of none %d, tagged %d %d %d\n", radix_tree_tag_get(&tree, 64, 1), radix_tree_tag_get(&tree, 64, 0),
		radix_tree_tag_get(&tree, 0, 1), radix_tree_tag_get(&tree, 7, 1), radix_tree_tagged(&tree, 0), radix_tree_tagged(&tree, 1),
		radix_tree_tagged(&tree, 2));
	n = radix_tree_gang_lookup_tag(&tree, found, 0, 10, 1);
	pr_info("with tag 1: %u:", n);
	for (i = 0; i < n; i++)
		pr_cont(" %d", at(found[i]));
	pr_cont(", from 65: %u", radix_tree_gang_lookup_tag(&tree, found, 65, 10, 1));
	pr_cont("; clear %d", at(radix_tree_tag_clear(&tree, 64, 1)));
	pr_cont(" %d", radix_tree_tag_clear(&tree, 8, 1) == NULL);
	radix_tree_delete(&tree, 4096);
	pr_cont("; its item gone, tagged %d %d\n", radix_tree_tagged(&tree, 0), radix_tree_tagged(&tree, 1));
	radix_tree_for_each_slot(slot, &tree, &iter, 1)
		pr_cont("%lx:%d ", iter.index, at(radix_tree_deref_slot(slot)));
	pr_cont("\n");
}

static void many(void)
{
	RADIX_TREE(atomic_tree, GFP_ATOMIC);
	struct radix_tree_iter iter;
	unsigned long i;
	void **slot;
	int n = 0;

	pr_info("preload %d", radix_tree_preload(GFP_KERNEL));
	pr_cont(" insert %d, preemptible %d", radix_tree_insert(&atomic_tree, 1000, &things[0]), preemptible());
	radix_tree_preload_end();
	pr_cont(" %d, maybe %d\n", preemptible(), radix_tree_maybe_preload(GFP_KERNEL));
	radix_tree_preload_end();
	for (i = 0; i < 100; i++)
		radix_tree_insert(&atomic_tree, i * i * i, &things[i]);
	radix_tree_for_each_slot(slot, &atomic_tree, &iter, 0) {
		n++;
		radix_tree_iter_delete(&atomic_tree, &iter, slot);
	}
	pr_info("cubes %d, empty %d\n", n, radix_tree_empty(&atomic_tree));
	radix_tree_for_each_slot(slot, &tree, &iter, 0)
		radix_tree_delete(&tree, iter.index);
	pr_info("left empty %d\n", radix_tree_empty(&tree));
}

static int __init radixtrees_init(void)
{
	items();
	gangs();
	tags();
	many();
	return 0;
}
module_init(radixtrees_init);

static void __exit radixtrees_exit(void)
{
}
module_exit(radixtrees_exit);
MODULE_LICENSE("GPL");
