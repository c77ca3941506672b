// SPDX-License-Identifier: MIT
// Grace periods: what callbacks and synchronize_rcu() wait for, in which order callbacks run, readers of SRCU that stay.
#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/rculist.h>
#include <linux/slab.h>
#include <linux/srcu.h>

struct numbered {
	struct rcu_head rcu;
	struct list_head node;
	int n;
};

static struct numbered items[4] = { { .n = 0 }, { .n = 1 }, { .n = 2 }, { .n = 3 } };
static LIST_HEAD(list);
static DEFINE_SRCU(srcu);
static bool second_leaves;

static void called(struct rcu_head *head)
{
	struct numbered *item = container_of(head, struct numbered, rcu);

	pr_info("callback %d\n", item->n);
	if (item->n == 0) {
		item->n = 10;
		call_rcu(head, called);
	}
}

static void plain(void)
{
	int i;

	rcu_read_lock();
	rcu_read_lock();
	call_rcu(&items[1].rcu, called);
	rcu_read_unlock();
	pr_info("still reading: %d\n", rcu_read_lock_held());
	udelay(20000);
	pr_info("reading for long\n");
	rcu_read_unlock();
	synchronize_rcu();
	rcu_barrier();
	pr_info("read\n");

	for (i = 3; i > 0; i--)
		call_rcu(&items[i].rcu, called);
	rcu_barrier();
	pr_info("all called\n");
	call_rcu(&items[0].rcu, called);
	rcu_barrier();
	pr_info("one that calls itself again\n");
	rcu_barrier();
}

static int sum(void)
{
	struct numbered *item;
	int n = 0;

	rcu_read_lock();
	list_for_each_entry_rcu(item, &list, node)
		n = 10 * n + item->n;
	rcu_read_unlock();
	return n;
}

static void lists(void)
{
	struct numbered *item, *copy;
	int i;

	for (i = 1; i <= 3; i++) {
		item = kmalloc(sizeof(*item), GFP_KERNEL);
		item->n = i;
		list_add_tail_rcu(&item->node, &list);
	}
	pr_info("list %d\n", sum());
	item = list_first_entry(&list, struct numbered, node);
	copy = kmemdup(item, sizeof(*item), GFP_KERNEL);
	copy->n = 7;
	list_replace_rcu(&item->node, &copy->node);
	pr_info("replaced %d, the old one still says %d and leads to %d\n", sum(), item->n,
		list_next_entry(item, node)->n);
	synchronize_rcu();
	kfree(item);
	while (!list_empty(&list)) {
		item = list_first_entry(&list, struct numbered, node);
		list_del_rcu(&item->node);
		kfree_rcu(item, rcu);
	}
	pr_info("emptied %d\n", sum());
	rcu_barrier();
}

static int first_reader(void *data)
{
	int idx = srcu_read_lock(&srcu);

	pr_info("first reader comes\n");
	msleep(100);
	pr_info("first reader leaves\n");
	srcu_read_unlock(&srcu, idx);
	return 0;
}

static int second_reader(void *data)
{
	int idx;

	msleep(50);
	idx = srcu_read_lock(&srcu);
	pr_info("second reader comes\n");
	while (!second_leaves)
		msleep(1);
	pr_info("second reader leaves\n");
	srcu_read_unlock(&srcu, idx);
	return 0;
}

static void sleepers(void)
{
	kthread_run(second_reader, NULL, "second");
	kthread_run(first_reader, NULL, "first");
	msleep(5);
	pr_info("writer waits\n");
	synchronize_srcu(&srcu);
	pr_info("writer goes on: the second reader came after it\n");
	second_leaves = true;
	msleep(10);
	synchronize_srcu(&srcu);
	pr_info("nobody reads\n");
}

static int __init graceperiods_init(void)
{
	plain();
	lists();
	sleepers();
	return 0;
}
static void __exit graceperiods_exit(void)
{
	cleanup_srcu_struct(&srcu);
}
module_init(graceperiods_init);
module_exit(graceperiods_exit);
MODULE_LICENSE("GPL");
