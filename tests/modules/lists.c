// SPDX-License-Identifier: MIT
// Lists, hash buckets, hash tables and lock-less stacks: every way to put in, take out, move and walk.
#include <linux/hashtable.h>
#include <linux/list.h>
#include <linux/llist.h>
#include <linux/module.h>

struct item {
	int value;
	struct list_head node;
	struct hlist_node bucket;
	struct llist_node stacked;
};

static struct item items[8];

static void show(const char *what, struct list_head *head)
{
	struct item *item;

	pr_info("%-16s", what);
	list_for_each_entry(item, head, node)
		pr_cont(" %d", item->value);
	pr_cont("\n");
}

static void fill(struct list_head *head, int from, int n)
{
	int i;

	INIT_LIST_HEAD(head);
	for (i = from; i < from + n; i++)
		list_add_tail(&items[i].node, head);
}

static void adding(void)
{
	LIST_HEAD(head);
	LIST_HEAD(other);

	pr_info("empty %d, careful %d, singular %d\n", list_empty(&head), list_empty_careful(&head), list_is_singular(&head));
	list_add(&items[1].node, &head);
	list_add(&items[0].node, &head);
	list_add_tail(&items[2].node, &head);
	show("added", &head);
	list_replace(&items[1].node, &items[5].node);
	show("replaced", &head);
	list_swap(&items[0].node, &items[2].node);
	show("swapped", &head);
	list_move(&items[0].node, &head);
	list_move_tail(&items[5].node, &head);
	show("moved", &head);
	pr_info("first %d last %d head %d\n", list_is_first(&items[0].node, &head), list_is_last(&items[5].node, &head),
		list_is_head(&head, &head));
	list_rotate_left(&head);
	show("rotated", &head);
	list_rotate_to_front(&items[5].node, &head);
	show("to the front", &head);
	list_del(&items[2].node);
	pr_info("poisoned %d %d\n", items[2].node.next == LIST_POISON1, items[2].node.prev == LIST_POISON2);
	list_del_init(&items[0].node);
	pr_info("alone %d, singular %d\n", list_empty(&items[0].node), list_is_singular(&head));
	list_replace_init(&items[5].node, &items[6].node);
	show("replaced", &head);
	pr_info("or null: %d %d\n", list_first_entry_or_null(&head, struct item, node)->value,
		list_first_entry_or_null(&other, struct item, node) == NULL);
}

static void cutting(void)
{
	LIST_HEAD(a);
	LIST_HEAD(b);

	fill(&a, 0, 6);
	list_cut_position(&b, &a, &items[1].node);
	show("cut", &b);
	show("rest", &a);
	list_splice(&b, &a);
	show("spliced", &a);
	list_cut_before(&b, &a, &items[3].node);
	show("cut before", &b);
	list_splice_tail_init(&b, &a);
	show("spliced at end", &a);
	pr_info("and empty %d\n", list_empty(&b));
	list_bulk_move_tail(&a, &items[4].node, &items[0].node);
	show("bulk", &a);
	list_cut_position(&b, &a, &a);
	pr_info("cut at the head: empty %d\n", list_empty(&b));
	list_splice_init(&a, &b);
	show("all over", &b);
	list_splice_tail(&a, &b);
	show("nothing more", &b);
}

static void walking(void)
{
	struct list_head *pos, *n;
	struct item *item, *next;
	LIST_HEAD(head);

	fill(&head, 0, 6);
	list_for_each(pos, &head)
		pr_cont("%d", list_entry(pos, struct item, node)->value);
	pr_cont(" ");
	list_for_each_prev(pos, &head)
		pr_cont("%d", list_entry(pos, struct item, node)->value);
	pr_cont(" ");
	list_for_each_safe(pos, n, &head)
		if (list_entry(pos, struct item, node)->value == 4)
			list_del(pos);
	list_for_each_prev_safe(pos, n, &head)
		pr_cont("%d", list_entry(pos, struct item, node)->value);
	pr_cont(" ");
	list_for_each_entry_reverse(item, &head, node)
		pr_cont("%d", item->value);
	item = &items[2];
	pr_cont(" continue ");
	list_for_each_entry_continue(item, &head, node)
		pr_cont("%d", item->value);
	item = &items[2];
	pr_cont(" back ");
	list_for_each_entry_continue_reverse(item, &head, node)
		pr_cont("%d", item->value);
	item = &items[2];
	pr_cont(" from ");
	list_for_each_entry_from(item, &head, node)
		pr_cont("%d", item->value);
	item = &items[2];
	pr_cont(" from back ");
	list_for_each_entry_from_reverse(item, &head, node)
		pr_cont("%d", item->value);
	item = NULL;
	item = list_prepare_entry(item, &head, node);
	pr_cont(" prepared ");
	list_for_each_entry_continue(item, &head, node)
		pr_cont("%d", item->value);
	pr_cont("\n");
	list_for_each_entry_safe_reverse(item, next, &head, node)
		if (item->value & 1)
			list_del(&item->node);
	show("even", &head);
	pr_info("around: %d %d\n", list_next_entry_circular(&items[2], &head, node)->value,
		list_prev_entry_circular(&items[0], &head, node)->value);
	list_for_each_entry_safe(item, next, &head, node)
		list_del_init(&item->node);
	pr_info("empty %d\n", list_empty(&head));
}

static void buckets(void)
{
	HLIST_HEAD(head);
	HLIST_HEAD(other);
	struct hlist_node *n;
	struct item *item;

	INIT_HLIST_NODE(&items[0].bucket);
	pr_info("unhashed %d, empty %d\n", hlist_unhashed(&items[0].bucket), hlist_empty(&head));
	hlist_add_head(&items[1].bucket, &head);
	pr_info("singular %d\n", hlist_is_singular_node(&items[1].bucket, &head));
	hlist_add_before(&items[0].bucket, &items[1].bucket);
	hlist_add_behind(&items[2].bucket, &items[1].bucket);
	hlist_add_head(&items[3].bucket, &head);
	hlist_for_each_entry(item, &head, bucket)
		pr_cont("%d ", item->value);
	item = &items[0];
	pr_cont("continue ");
	hlist_for_each_entry_continue(item, bucket)
		pr_cont("%d ", item->value);
	item = &items[0];
	pr_cont("from ");
	hlist_for_each_entry_from(item, bucket)
		pr_cont("%d ", item->value);
	pr_cont("\n");
	hlist_move_list(&head, &other);
	pr_info("moved: %d %d\n", hlist_empty(&head), hlist_entry_safe(other.first, struct item, bucket)->value);
	hlist_del(&items[3].bucket);
	hlist_del_init(&items[2].bucket);
	hlist_del_init(&items[2].bucket);
	hlist_for_each_entry_safe(item, n, &other, bucket) {
		pr_cont("%d ", item->value);
		hlist_del_init(&item->bucket);
	}
	pr_cont("left; poisoned %d, unhashed %d, empty %d\n", items[3].bucket.next == LIST_POISON1,
		hlist_unhashed_lockless(&items[2].bucket), hlist_empty(&other));
	hlist_add_fake(&items[4].bucket);
	pr_info("fake %d\n", hlist_fake(&items[4].bucket));
}

static DEFINE_HASHTABLE(table, 3);

static void tables(void)
{
	struct hlist_node *n;
	struct item *item;
	int bucket, i, seen = 0, sum = 0;

	pr_info("size %zu bits %d empty %d\n", HASH_SIZE(table), HASH_BITS(table), hash_empty(table));
	for (i = 0; i < 8; i++) {
		INIT_HLIST_NODE(&items[i].bucket);
		hash_add(table, &items[i].bucket, items[i].value);
	}
	hash_for_each(table, bucket, item, bucket) {
		seen++;
		sum += item->value;
	}
	pr_info("seen %d sum %d\n", seen, sum);
	hash_for_each_possible(table, item, bucket, 5)
		if (item->value == 5)
			pr_info("found %d in bucket %d, hashed %d\n", item->value, hash_min(5, 3), hash_hashed(&item->bucket));
	hash_for_each_possible_safe(table, item, n, bucket, 5)
		if (item->value == 5)
			hash_del(&item->bucket);
	hash_for_each_possible(table, item, bucket, 5)
		pr_info("with 5 was: %d\n", item->value);
	hash_for_each_safe(table, bucket, n, item, bucket)
		hash_del(&item->bucket);
	pr_info("empty %d; 5 hashed %d\n", hash_empty(table), hash_hashed(&items[5].bucket));
	for (i = 0; i < 8; i++)
		pr_cont("%u %u; ", hash_32(i, 3), hash_64(i, 3));
	pr_cont("%u %u\n", hash_32(0xdeadbeef, 16), hash_64(0xdeadbeefULL << 20, 16));
}

static void stacks(void)
{
	LLIST_HEAD(stack);
	struct llist_node *node;
	struct item *item, *next;

	pr_info("empty %d, was empty %d", llist_empty(&stack), llist_add(&items[0].stacked, &stack));
	pr_cont(" %d\n", llist_add(&items[1].stacked, &stack));
	items[3].stacked.next = &items[2].stacked;
	pr_info("batch %d\n", llist_add_batch(&items[3].stacked, &items[2].stacked, &stack));
	pr_info("first %d\n", llist_entry(llist_del_first(&stack), struct item, stacked)->value);
	node = llist_del_all(&stack);
	llist_for_each_entry(item, node, stacked)
		pr_cont("%d ", item->value);
	node = llist_reverse_order(node);
	llist_for_each_entry_safe(item, next, node, stacked)
		pr_cont("%d ", item->value);
	pr_cont("empty %d, nothing %d\n", llist_empty(&stack), llist_del_first(&stack) == NULL);
}

static int __init lists_init(void)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(items); i++)
		items[i].value = i;
	adding();
	cutting();
	walking();
	buckets();
	tables();
	stacks();
	return 0;
}
module_init(lists_init);

static void __exit lists_exit(void)
{
}
module_exit(lists_exit);
MODULE_LICENSE("GPL");
