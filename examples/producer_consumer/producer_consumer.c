// SPDX-License-Identifier: MIT
/*
 * Two threads of the kernel and a queue between them. The producer makes an order every 10 ms; the consumer sleeps on
 * a wait queue until there is one. rmmod stops both, and frees what nobody took.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/delay.h>
#include <linux/err.h>
#include <linux/kthread.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/wait.h>

static int count = 5;
module_param(count, int, 0444);
MODULE_PARM_DESC(count, "how many orders to make");

struct order {
	int number;
	struct list_head link;
};

static LIST_HEAD(orders);
static DEFINE_MUTEX(orders_lock);
static DECLARE_WAIT_QUEUE_HEAD(orders_waiting);
static struct task_struct *producer, *consumer;

static int produce(void *unused)
{
	struct order *order;
	int number;

	for (number = 1; number <= count && !kthread_should_stop(); number++) {
		order = kmalloc(sizeof(*order), GFP_KERNEL);
		if (!order)
			break;
		order->number = number;
		mutex_lock(&orders_lock);
		list_add_tail(&order->link, &orders);
		mutex_unlock(&orders_lock);
		wake_up(&orders_waiting);
		msleep(10);
	}
	wait_event(orders_waiting, kthread_should_stop());
	return number - 1;
}

static struct order *take_order(void)
{
	struct order *order;

	mutex_lock(&orders_lock);
	order = list_first_entry_or_null(&orders, struct order, link);
	if (order)
		list_del(&order->link);
	mutex_unlock(&orders_lock);
	return order;
}

static int consume(void *unused)
{
	struct order *order;
	int taken = 0;

	while (!kthread_should_stop()) {
		wait_event(orders_waiting, !list_empty(&orders) || kthread_should_stop());
		while ((order = take_order())) {
			pr_info("order %d\n", order->number);
			kfree(order);
			taken++;
		}
	}
	return taken;
}

static int __init producer_consumer_init(void)
{
	consumer = kthread_run(consume, NULL, "consumer");
	if (IS_ERR(consumer))
		return PTR_ERR(consumer);
	producer = kthread_run(produce, NULL, "producer");
	if (IS_ERR(producer)) {
		kthread_stop(consumer);
		return PTR_ERR(producer);
	}
	return 0;
}

static void __exit producer_consumer_exit(void)
{
	int made = kthread_stop(producer);
	int taken = kthread_stop(consumer);

	pr_info("%d orders made, %d taken\n", made, taken);
}

module_init(producer_consumer_init);
module_exit(producer_consumer_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("A producer, a consumer, and a wait queue between them");
