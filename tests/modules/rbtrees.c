// SPDX-License-Identifier: MIT
// Red-black trees: plain ones in order both ways and children first, cached ones, and one that knows its sums.
#include <linux/module.h>
#include <linux/rbtree_augmented.h>
#include <linux/slab.h>

struct item {
	struct rb_node node;
	int key;
	int sum; /* of the keys of the subtree */
};

static struct item items[16]; /* in the module's own data; others come from kmalloc */

static bool item_less(struct rb_node *a, const struct rb_node *b)
{
	return rb_entry(a, struct item, node)->key < rb_entry(b, struct item, node)->key;
}

static int item_compare(const void *key, const struct rb_node *node)
{
	return *(const int *)key - rb_entry(node, struct item, node)->key;
}

static void plain(void)
{
	struct rb_root root = RB_ROOT;
	struct item *heap[4], *item, *next;
	struct rb_node *n;
	int i, key = 11, sum = 0;

	for (i = 0; i < 16; i++) {
		items[i].key = (i * 7) % 16;
		rb_add(&items[i].node, &root, item_less);
	}
	for (i = 0; i < 4; i++) {
		heap[i] = kmalloc(sizeof(*heap[i]), GFP_KERNEL);
		heap[i]->key = 100 - i;
		rb_add(&heap[i]->node, &root, item_less);
	}
	for (n = rb_first(&root); n; n = rb_next(n))
		pr_cont("%d ", rb_entry(n, struct item, node)->key);
	pr_cont("\n");
	n = rb_find(&key, &root, item_compare);
	pr_info("found %d, ", rb_entry(n, struct item, node)->key);
	pr_cont("before it %d, ", rb_entry(rb_prev(n), struct item, node)->key);
	pr_cont("root %d\n", rb_entry(root.rb_node, struct item, node)->key);
	for (i = 0; i < 16; i += 2)
		rb_erase(&items[i].node, &root);
	for (n = rb_last(&root); n; n = rb_prev(n))
		pr_cont("%d ", rb_entry(n, struct item, node)->key);
	pr_cont("\n");
	heap[3]->key = 50;
	rb_erase(&heap[3]->node, &root);
	rb_replace_node(&heap[0]->node, &heap[3]->node, &root);
	pr_info("the last is now %d\n", rb_entry(rb_last(&root), struct item, node)->key);
	rbtree_postorder_for_each_entry_safe(item, next, &root, node)
		sum += item->key;
	pr_info("children first: sum %d\n", sum);
	for (i = 0; i < 4; i++)
		kfree(heap[i]);
}

static void cached(void)
{
	struct rb_root_cached root = RB_ROOT_CACHED;
	int i;

	for (i = 0; i < 8; i++) {
		items[i].key = 20 - 2 * i;
		pr_cont("%d ", rb_add_cached(&items[i].node, &root, item_less) != NULL);
	}
	pr_cont("leftmost %d", rb_entry(rb_first_cached(&root), struct item, node)->key);
	rb_erase_cached(rb_first_cached(&root), &root);
	pr_cont(", then %d\n", rb_entry(rb_first_cached(&root), struct item, node)->key);
}

static int sum_of(struct rb_node *node)
{
	return node ? rb_entry(node, struct item, node)->sum : 0;
}

static bool compute(struct item *item, bool exit)
{
	int sum = item->key + sum_of(item->node.rb_left) + sum_of(item->node.rb_right);

	if (exit && item->sum == sum)
		return true;
	item->sum = sum;
	return false;
}

RB_DECLARE_CALLBACKS(static, sums, struct item, node, sum, compute)

static void augmented(void)
{
	struct rb_root root = RB_ROOT;
	int i;

	for (i = 0; i < 16; i++) {
		struct rb_node **link = &root.rb_node, *parent = NULL;

		items[i].key = items[i].sum = i + 1;
		while (*link) {
			parent = *link;
			rb_entry(parent, struct item, node)->sum += items[i].key;
			link = item_less(&items[i].node, parent) ? &parent->rb_left : &parent->rb_right;
		}
		rb_link_node(&items[i].node, parent, link);
		rb_insert_augmented(&items[i].node, &root, &sums);
		pr_cont("%d ", sum_of(root.rb_node));
	}
	pr_cont("\n");
	for (i = 15; i > 0; i--) {
		rb_erase_augmented(&items[(i * 5) % 16].node, &root, &sums);
		pr_cont("%d ", sum_of(root.rb_node));
	}
	pr_cont("\n");
}

static int __init rbtrees_init(void)
{
	struct rb_node alone;

	RB_CLEAR_NODE(&alone);
	pr_info("alone: %d %d\n", RB_EMPTY_NODE(&alone), rb_next(&alone) == NULL);
	plain();
	cached();
	augmented();
	return 0;
}
module_init(rbtrees_init);

static void __exit rbtrees_exit(void)
{
}
module_exit(rbtrees_exit);
MODULE_LICENSE("GPL");
