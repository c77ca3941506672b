// SPDX-License-Identifier: MIT
// Lists that end with their number (hlist_nulls), as hash tables without locks use them; names of errors; a warning of idr.
#include <linux/errname.h>
#include <linux/idr.h>
#include <linux/module.h>
#include <linux/rculist_nulls.h>

struct item {
	int n;
	struct hlist_nulls_node node;
};

static struct hlist_nulls_head table[2];
static struct item items[4] = { { 0 }, { 1 }, { 2 }, { 3 } };

static void show(const char *what, int bucket)
{
	struct hlist_nulls_node *pos;
	struct item *item;

	pr_info("%s:", what);
	rcu_read_lock();
	hlist_nulls_for_each_entry_rcu(item, pos, &table[bucket], node)
		pr_cont(" %d", item->n);
	rcu_read_unlock();
	pr_cont(", ends with %lu, that is a marker: %d\n", get_nulls_value(pos), is_a_nulls(pos));
}

static void lists(void)
{
	int i;

	INIT_HLIST_NULLS_HEAD(&table[0], 0);
	INIT_HLIST_NULLS_HEAD(&table[1], 1);
	pr_info("empty: %d\n", hlist_nulls_empty(&table[1]));
	show("nothing", 1);
	for (i = 0; i < 3; i++)
		hlist_nulls_add_head_rcu(&items[i].node, &table[i & 1]);
	hlist_nulls_add_tail_rcu(&items[3].node, &table[1]);
	show("even", 0);
	show("odd", 1);
	hlist_nulls_del_rcu(&items[3].node);
	hlist_nulls_add_head_rcu(&items[3].node, &table[0]);
	show("moved", 0);
	show("left", 1);
	hlist_nulls_del_init_rcu(&items[2].node);
	pr_info("unhashed: %d and %d\n", hlist_nulls_unhashed(&items[2].node), hlist_nulls_unhashed(&items[3].node));
	show("even", 0);
}

static void errors(void)
{
	pr_info("%s %s %s\n", errname(-ENOMEM), errname(EINVAL), errname(-EPROBE_DEFER));
	pr_info("no error: %d, no such error: %d\n", !errname(0), !errname(-4000));
}

static void numbers(void)
{
	DEFINE_IDR(idr);
	int id;

	id = idr_alloc(&idr, &idr, -1, 0, GFP_KERNEL);
	pr_info("a negative start: %d\n", id);
	id = idr_alloc(&idr, &idr, -2, 0, GFP_KERNEL);
	pr_info("warned of once: %d\n", id);
	idr_destroy(&idr);
}

static int __init nulls_init(void)
{
	lists();
	errors();
	numbers();
	return 0;
}
static void __exit nulls_exit(void)
{
}
module_init(nulls_init);
module_exit(nulls_exit);
MODULE_LICENSE("GPL");
