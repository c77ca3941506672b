// SPDX-License-Identifier: MIT
// A list that readers walk while a writer replaces its entries; callbacks, barriers; SRCU readers that sleep.
#include <linux/module.h>
#include <linux/kthread.h>
#include <linux/rculist.h>
#include <linux/srcu.h>
#include <linux/slab.h>
#include <linux/delay.h>
#include <linux/hardirq.h>
#include <linux/completion.h>

struct entry {
	struct list_head node;
	struct rcu_head rcu;
	int value, twice;
};

static LIST_HEAD(entries);
static DEFINE_SRCU(srcu);
static DECLARE_COMPLETION(reader_in);
static int freed, in_softirq_ctx, torn, lookups;
static bool reader_out;

static struct entry *make(int value)
{
	struct entry *e = kmalloc(sizeof(*e), GFP_KERNEL);

	e->value = value;
	e->twice = 2 * value;
	return e;
}

static void free_entry(struct rcu_head *head)
{
	in_softirq_ctx += !!in_serving_softirq();
	freed++;
	kfree(container_of(head, struct entry, rcu));
}

static int reader(void *data)
{
	while (!kthread_should_stop()) {
		struct entry *e;

		rcu_read_lock();
		list_for_each_entry_rcu(e, &entries, node) {
			lookups++;
			if (e->twice != 2 * e->value)
				torn++;
		}
		rcu_read_unlock();
		schedule_timeout_uninterruptible(1);
	}
	return 0;
}

static int sleeper(void *data)
{
	int idx = srcu_read_lock(&srcu);

	complete(&reader_in);
	msleep(100);
	reader_out = true;
	srcu_read_unlock(&srcu, idx);
	return 0;
}

static void srcu_fn(struct rcu_head *head)
{
	pr_info("srcu callback, reader out %d\n", reader_out);
	kfree(container_of(head, struct entry, rcu));
}

static int __init rculist_init(void)
{
	struct task_struct *t;
	struct entry *e, *n;
	unsigned long start;

	for (int i = 0; i < 5; i++)
		list_add_tail_rcu(&make(i)->node, &entries);
	t = kthread_run(reader, NULL, "reader");
	for (int i = 10; i < 30; i++) {
		e = list_first_entry(&entries, struct entry, node);
		n = make(i);
		list_replace_rcu(&e->node, &n->node);
		call_rcu(&e->rcu, free_entry);
		if (i % 4 == 0)
			msleep(8);
	}
	rcu_barrier();
	pr_info("freed %d, in softirq %d, torn %d, read %d\n", freed, in_softirq_ctx, torn, lookups > 0);
	start = jiffies;
	synchronize_rcu();
	pr_info("a grace period takes time: %d\n", jiffies != start);
	list_for_each_entry_safe(e, n, &entries, node) {
		list_del_rcu(&e->node);
		kfree_rcu(e, rcu);
	}
	kfree_rcu_mightsleep(make(1));
	rcu_barrier();
	kthread_stop(t);

	e = make(3);
	kthread_run(sleeper, NULL, "sleeper");
	wait_for_completion(&reader_in);
	call_srcu(&srcu, &e->rcu, srcu_fn);
	synchronize_srcu(&srcu);
	pr_info("synchronize_srcu: reader out %d\n", reader_out);
	srcu_barrier(&srcu);
	return 0;
}
module_init(rculist_init);

static void __exit rculist_exit(void)
{
	rcu_barrier();
}
module_exit(rculist_exit);
MODULE_LICENSE("GPL");
